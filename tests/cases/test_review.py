"""Decisions: whole lists or nothing, by an officer who may, undone whole, two officers never over each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from shop_page import NOW, detection, finding
from sqlalchemy import Engine, select

from cases import audit, casefile, counters, db, intake, queue, review
from cases import models as t
from cases.access import Officer
from cases.captures import Sealed, add_evidence
from cases.decisions import Decision
from cases.states import CaseState
from contracts.errors import InputError, NotAllowed, UsageError, WangxunError
from contracts.site import Snapshot

People = dict[str, Officer]


@pytest.fixture
def clues(engine: Engine, snap: Callable[..., Snapshot], new_run: Callable[[], str]) -> tuple[str, ...]:
    """Three clues of one page."""
    with db.session(engine) as session:
        found = detection(finding(), finding("销量最高"), finding("国家级"))
        return intake.record(session, snap(evidence=("ev-1",)), found, new_run(), at=NOW).clue_ids


def states(engine: Engine, *clues: str) -> list[str]:
    with db.session(engine, read_only=True) as session:
        true = +counters.recount(session)
        kept = {(row.area, row.name): row.value for row in session.scalars(select(t.Counter)) if row.value}
        assert true == kept  # whatever was done, the counters tell the truth
        assert audit.verify(session).whole
        return [queue.clue_row(session, one).state for one in clues]


def test_a_decision_says_who_when_and_why(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    with db.session(engine) as session:
        done = review.decide(session, clues[:1], Decision.FILE, reason="证据充分", officer=people["审核甲"], at=NOW)
    with db.session(engine, read_only=True) as session:
        detail = queue.clue_detail(session, clues[0], at=NOW)
        (entry,) = audit.entries(session, subject_kind="clue", subject_id=clues[0])
        assert queue.clue_detail(session, clues[1], at=NOW).similar[0].officer == "审核甲"
    assert detail.decisions[0].comment == "证据充分"
    assert detail.decisions[0].batch_id == done.batch_id
    assert (entry.actor, entry.action, entry.body["decision"]) == ("审核甲", "clue.decided", "file")
    assert detail.due == date(2026, 12, 11)  # 15 working days, Monday to Friday
    assert "未导入 2026 年工作日历" in done.note
    assert states(engine, *clues) == ["confirmed", "new", "new"]


def test_bulk_is_all_or_nothing(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    def decide(*ids: str) -> None:
        with db.session(engine) as session:
            review.decide(session, ids, Decision.DISMISS, reason="证据不足", officer=people["审核甲"], at=NOW)

    with pytest.raises(InputError, match="没有编号为 nobody 的线索"):
        decide(*clues, "nobody")
    assert states(engine, *clues) == ["new"] * 3
    decide(clues[2])
    with pytest.raises(NotAllowed):
        decide(*clues)
    assert states(engine, *clues) == ["new", "new", "dismissed"]


def test_undo_takes_the_whole_batch_back(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    me, at = people["审核甲"], NOW
    with db.session(engine) as session:
        done = review.decide(session, clues, Decision.ORDER, officer=me, at=at, due=date(2026, 12, 1))
    with db.session(engine) as session, pytest.raises(NotAllowed, match="本人"):
        review.undo(session, done.batch_id, officer=people["科长丁"], at=at)
    with db.session(engine) as session, pytest.raises(NotAllowed, match="时限"):
        review.undo(session, done.batch_id, officer=me, at=at + timedelta(hours=2))
    assert states(engine, *clues) == ["order"] * 3
    with db.session(engine) as session:
        assert set(review.undo(session, done.batch_id, officer=me, at=at)) == set(clues)
    assert states(engine, *clues) == ["new"] * 3
    with db.session(engine) as session:
        assert queue.clue_row(session, clues[0]).due is None
        assert set(session.scalars(select(t.RectifyOrder.state))) == {"withdrawn"}
        assert queue.clue_detail(session, clues[0], at=at).decisions[0].undone_at == at
        with pytest.raises(InputError):
            review.undo(session, done.batch_id, officer=me, at=at)


def test_what_moved_on_is_not_undone(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    with db.session(engine) as session:
        done = review.decide(session, clues[:1], Decision.FILE, officer=people["审核甲"], at=NOW)
        casefile.open_case(session, clues[:1], officer=people["办案丙"], at=NOW)
    with db.session(engine) as session, pytest.raises(NotAllowed, match="此后已有变化"):
        review.undo(session, done.batch_id, officer=people["审核甲"], at=NOW)


def test_two_officers_on_one_clue(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    first, second = people["审核甲"], people["审核乙"]
    with db.session(engine) as session:
        seen = queue.clue_row(session, clues[0]).version
        ends = review.claim(session, clues[0], officer=first, at=NOW)
    with db.session(engine) as session, pytest.raises(NotAllowed, match="正由 审核甲 审核"):
        review.claim(session, clues[0], officer=second, at=NOW)
    with db.session(engine) as session, pytest.raises(NotAllowed, match="正由 审核甲 审核"):
        review.decide(session, clues, Decision.FILE, officer=second, at=NOW)
    with db.session(engine) as session:  # the claim ran out
        review.decide(session, clues[:1], Decision.FILE, officer=second, at=ends, versions={clues[0]: seen})
    with db.session(engine) as session, pytest.raises(NotAllowed, match="刚被他人处理过"):
        review.decide(session, clues[:1], Decision.EVIDENCE, officer=first, at=ends, versions={clues[0]: seen})
    assert states(engine, clues[0]) == ["confirmed"]


def test_a_claim_can_be_given_back(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    with db.session(engine) as session:
        review.claim(session, clues[0], officer=people["审核甲"], at=NOW)
        with pytest.raises(NotAllowed):
            review.release(session, clues[0], officer=people["审核乙"], at=NOW)
        review.release(session, clues[0], officer=people["审核甲"], at=NOW)
    assert states(engine, clues[0]) == ["new"]


@pytest.mark.parametrize("who", ["巡查戊", "审计己", "外区庚"])
def test_roles_and_areas_hold_in_services_and_in_queries(
    engine: Engine, clues: tuple[str, ...], people: People, who: str
) -> None:
    with db.session(engine) as session:
        for act in (
            lambda: review.decide(session, clues[:1], Decision.FILE, officer=people[who], at=NOW),
            lambda: review.claim(session, clues[0], officer=people[who], at=NOW),
            lambda: casefile.open_case(session, clues[:1], officer=people[who], at=NOW),
        ):
            with pytest.raises(NotAllowed):
                act()
    with db.session(engine, read_only=True) as session:
        rows = queue.list_clues(session, officer=people[who]).rows
        assert bool(rows) == (who != "外区庚")
        if who == "外区庚":
            with pytest.raises(InputError):
                queue.clue_detail(session, clues[0], officer=people[who], at=NOW)


def test_a_mute_needs_a_coming_day_and_a_duplicate_another_clue(
    engine: Engine, clues: tuple[str, ...], people: People
) -> None:
    me = people["审核甲"]
    with db.session(engine) as session:
        with pytest.raises(UsageError):
            review.decide(session, clues[:1], Decision.MUTE, officer=me, at=NOW, until=NOW)
        with pytest.raises(UsageError):
            review.decide(session, clues[:1], Decision.DUPLICATE, officer=me, at=NOW, duplicate_of=clues[0])
        review.decide(session, clues[:1], Decision.DUPLICATE, officer=me, at=NOW, duplicate_of=clues[1])
        assert queue.clue_detail(session, clues[0], at=NOW).duplicate_of == clues[1]


def test_dispatch_goes_to_an_officer_of_that_area(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    chief = people["科长丁"]
    with db.session(engine) as session:
        review.decide(session, clues[:1], Decision.FILE, officer=people["审核甲"], at=NOW)
        with pytest.raises(NotAllowed, match="辖区"):
            review.assign(session, clues[:1], people["外区庚"], by=chief, at=NOW)
        review.assign(session, clues[:1], people["审核乙"], by=chief, why="请先核实地址", at=NOW)
        detail = queue.clue_detail(session, clues[0], at=NOW)
    assert (detail.assignee, detail.notes[0].body) == ("审核乙", "请先核实地址")


def test_a_case_from_clues_and_evidence(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    leader = people["办案丙"]
    with db.session(engine) as session:
        add_evidence(session, Sealed("ev-9", "full", "http://shop.example/licence", NOW, digest="9" * 64))
        case = casefile.open_case(session, [*clues[:2], "ev-9"], officer=leader, at=NOW)
        review.note(session, "约谈记录已归档", officer=leader, at=NOW, case_id=case)
        casefile.exported(session, case, "a" * 64, officer=leader, at=NOW)
    assert states(engine, *clues) == ["case", "case", "new"]
    with db.session(engine, read_only=True) as session:
        told = casefile.dossier(session, case, officer=leader, at=NOW)
        (row,) = casefile.list_cases(session, leader)
        assert casefile.list_cases(session, people["外区庚"]) == []
    assert [clue.id for clue in told.clues] == sorted(clues[:2])
    assert told.clues[0].decisions[0].officer == "办案丙"  # opening the case was the decision
    assert "涉嫌" in told.title
    assert "ev-9" in {item.id for item in told.evidence}
    assert [entry.action for entry in told.log] == ["case.opened", "note.added", "case.exported"]
    assert (row.clues, row.evidence, told.simulated) == (2, 1, False)
    with db.session(engine) as session:
        casefile.detach(session, case, clues[0], officer=leader, at=NOW)
        casefile.move_case(session, case, CaseState.CLOSED, officer=leader, at=NOW, version=told.version)
        with pytest.raises(NotAllowed):
            casefile.move_case(session, case, CaseState.OPEN, officer=leader, at=NOW, version=told.version)
    assert states(engine, *clues) == ["confirmed", "closed", "new"]


def test_a_case_needs_a_named_officer(engine: Engine, clues: tuple[str, ...], people: People) -> None:
    with db.session(engine) as session:
        with pytest.raises(UsageError, match="须写明"):
            casefile.decided_by(session, clues)
        review.decide(session, clues, Decision.FILE, officer=people["办案丙"], at=NOW)
        assert casefile.decided_by(session, clues) == people["办案丙"]
        for bad in (["nobody"], [], [" "]):
            with pytest.raises(WangxunError):
                casefile.open_case(session, bad, officer=people["办案丙"], at=NOW)
