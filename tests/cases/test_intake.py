"""Recording twice is recording once; the same meaning is one clue; what matters reopens, what does not only counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from shop_page import NOW, USCC, detection, finding, reading
from sqlalchemy import Engine, func, select

from cases import counters, db, intake, pages, queue, review, runs
from cases import models as t
from cases.access import Officer
from cases.captures import Sealed, add_evidence, capture_done, capture_failed, capture_next
from cases.decisions import Decision
from contracts.finding import Basis, Pointer, Severity
from contracts.page import Obstacle, Region, Review
from contracts.site import Snapshot

Snap = Callable[..., Snapshot]
Run = Callable[[], str]


def take(engine: Engine, snapshot: Snapshot, run_id: str, *findings: object, **more: object) -> intake.Intake:
    with db.session(engine) as session:
        return intake.record(session, snapshot, detection(*findings), run_id, at=snapshot.captured_at, **more)  # type: ignore[arg-type]


def count(engine: Engine, table: type[t.Base]) -> int:
    with db.session(engine, read_only=True) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_clue_carries_all_that_was_found(engine: Engine, snap: Snap, new_run: Run) -> None:
    done = take(engine, snap(evidence=("ev-1",)), new_run())
    assert (done.new, done.seen, done.repeated) == (1, 0, False)
    with db.session(engine, read_only=True) as session:
        row = queue.clue_row(session, done.clue_ids[0])
        detail = queue.clue_detail(session, row.id, at=NOW)
    told = queue.clue_json(row)
    assert list(told)[:17] == [
        *("id", "category", "rule", "severity", "score", "state", "site", "url", "listing", "quote", "captured_at"),
        *("evidence", "operator", "uscc", "jurisdiction", "seen", "needs"),
    ]
    assert told["listing"] == "高山茶 250g"
    assert told["evidence"] == ["ev-1"]
    assert told["captured_at"] == "2026-11-20T16:00:00+08:00"
    assert told["uscc"] == USCC
    assert told["jurisdiction"] == "350100"
    assert set(detail.parts) == {
        *("subject", "object", "act", "norm", "exemptions", "evidence", "jurisdiction", "handling")
    }
    assert detail.finding == finding()
    assert [hit.why for hit in detail.exempted] == ["指时间，非评价"]
    assert detail.missing[0].needs == ("history:price",)
    assert detail.reading == reading()
    assert sum(addend["points"] for addend in detail.addends) == pytest.approx(detail.score)


def test_recording_the_same_page_of_a_run_twice_changes_nothing(engine: Engine, snap: Snap, new_run: Run) -> None:
    run = new_run()
    first = take(engine, snap(), run)
    again = take(engine, snap(), run)
    assert again.repeated
    assert again.snapshot_id == first.snapshot_id
    assert again.clue_ids == first.clue_ids
    for table, many in (
        (t.Snapshot, 1),
        (t.Clue, 1),
        (t.Finding, 1),
        (t.Exempted, 1),
        (t.ReviewSeen, 2),
        (t.CaptureJob, 1),
    ):
        assert count(engine, table) == many


def test_seen_again_raises_the_counter_wherever_it_stands(engine: Engine, snap: Snap, new_run: Run) -> None:
    first = take(engine, snap(), new_run())
    moved = finding("全国 第一！", evidence=(Pointer("", Region.TITLE, "h1", 3, 90, 94, "全国第一"),))
    again = take(engine, snap(minutes=60), new_run(), moved)
    assert (again.new, again.seen) == (0, 1)
    assert again.clue_ids == first.clue_ids
    with db.session(engine, read_only=True) as session:
        row = queue.clue_row(session, first.clue_ids[0])
    assert row.seen == 2
    assert row.last_seen == NOW + timedelta(minutes=60)
    assert row.version == 1  # nothing an officer read has changed
    assert count(engine, t.Exempted) == 1  # the same page's exempted hits are kept once


def test_several_findings_of_one_meaning_count_once_a_page(engine: Engine, snap: Snap, new_run: Run) -> None:
    done = take(engine, snap(), new_run(), finding(), finding("全国第一。"), finding("销量最高"))
    assert done.new == 2
    with db.session(engine, read_only=True) as session:
        assert {queue.clue_row(session, one).seen for one in done.clue_ids} == {1}


def test_a_clue_first_found_on_an_unchanged_page_still_shows_what_was_exempted(
    engine: Engine, snap: Snap, new_run: Run
) -> None:
    take(engine, snap(), new_run())
    later = take(engine, snap(minutes=60), new_run(), finding(), finding("a newer rule's claim"))
    with db.session(engine, read_only=True) as session:
        detail = queue.clue_detail(session, later.clue_ids[1], at=NOW)
    assert [hit.quote for hit in detail.exempted] == ["最佳食用日期"]


def test_another_listing_is_another_clue(engine: Engine, snap: Snap, new_run: Run) -> None:
    run = new_run()
    assert take(engine, snap(), run).new == 1
    assert take(engine, snap("http://shop.example/coffee"), run).new == 1


@pytest.mark.parametrize(
    ("changed", "reopens"),
    [
        (finding(), False),
        (finding(confidence=0.99, version=3), False),
        (finding(severity=Severity.HIGH), True),
        (finding(needs=()), True),
        (finding(basis=(Basis("ad-law", "10"),)), True),
    ],
    ids=["same", "surer", "more severe", "data came", "law changed"],
)
def test_a_dismissed_clue_reopens_only_on_a_material_change(
    engine: Engine, snap: Snap, new_run: Run, people: dict[str, Officer], changed: object, reopens: bool
) -> None:
    (clue,) = take(engine, snap(), new_run()).clue_ids
    with db.session(engine) as session:
        review.decide(session, [clue], Decision.DISMISS, reason="证据不足", officer=people["审核甲"], at=NOW)
    done = take(engine, snap(minutes=60), new_run(), changed)
    assert done.clue_ids == (clue,)
    assert done.reopened == int(reopens)
    with db.session(engine, read_only=True) as session:
        row = queue.clue_row(session, clue)
        assert row.state == ("new" if reopens else "dismissed")
        assert row.seen == 2
        assert +counters.recount(session) == {
            (c.area, c.name): c.value for c in session.scalars(select(t.Counter)) if c.value
        }


def test_a_mute_ends_on_its_day(engine: Engine, snap: Snap, new_run: Run, people: dict[str, Officer]) -> None:
    (clue,) = take(engine, snap(), new_run()).clue_ids
    with db.session(engine) as session:
        review.decide(session, [clue], Decision.MUTE, officer=people["审核甲"], at=NOW, until=NOW + timedelta(days=7))
    assert take(engine, snap(minutes=60 * 24 * 6), new_run()).reopened == 0
    assert take(engine, snap(minutes=60 * 24 * 8), new_run()).reopened == 1


def test_after_it_was_closed_the_same_thing_is_a_new_clue_that_points_back(
    engine: Engine, snap: Snap, new_run: Run, people: dict[str, Officer]
) -> None:
    (clue,) = take(engine, snap(), new_run()).clue_ids
    with db.session(engine) as session:
        review.decide(session, [clue], Decision.TRANSFER, officer=people["审核甲"], at=NOW)
    done = take(engine, snap(minutes=60), new_run())
    assert done.new == 1
    with db.session(engine, read_only=True) as session:
        assert queue.clue_detail(session, done.clue_ids[0], at=NOW).previous_id == clue


def test_history_tells_what_was_before_and_what_is_gone(engine: Engine, snap: Snap, new_run: Run) -> None:
    first = take(engine, snap(page=reading(stock="3")), new_run())
    page = replace(reading(price="99.00"), reviews=(Review("r1", "好喝"), Review("r3", "新的")))
    take(engine, snap(page=page, minutes=60), new_run())
    with db.session(engine, read_only=True) as session:
        listing = queue.clue_row(session, first.clue_ids[0]).listing_id
        then = pages.history(session, listing, NOW + timedelta(minutes=60))
        now = pages.history(session, listing, NOW + timedelta(minutes=120))
        assert pages.history(session, None, NOW).captures == ()
    assert listing == intake.listing_id_of("shop", "http://shop.example/tea?utm_source=x", reading())
    assert [seen.value for seen in then.of("price")] == ["128.00"]
    assert then.captures == (NOW,)
    assert then.first_seen == NOW
    assert [seen.value for seen in now.of("price")] == ["128.00", "99.00"]
    assert [seen.value for seen in now.of("stock")] == ["3", None]
    assert {seen.value: seen.at for seen in now.of("review")} == {
        "r1": NOW + timedelta(minutes=60),
        "r2": NOW,
        "r3": NOW + timedelta(minutes=60),
    }
    assert [seen.value for seen in now.claims["ad.absolute.first"]] == ["全国第一", "全国第一"]
    assert [seen.value for seen in now.claims["promo.today-only"]] == ["仅限今天", "仅限今天"]
    assert "price.raise" not in now.claims  # a need without words is no claim


def test_a_page_behind_a_wall_makes_nothing_disappear(engine: Engine, snap: Snap, new_run: Run) -> None:
    take(engine, snap(), new_run())
    wall = replace(reading(), facts={}, reviews=(), obstacle=Obstacle.CAPTCHA)
    with db.session(engine) as session:
        intake.record(session, snap(page=wall, minutes=60), detection(finding()), new_run_in(session), at=NOW)
        listing = intake.listing_id_of("shop", "http://shop.example/tea", reading())
        told = pages.history(session, listing, NOW + timedelta(days=1))
    assert [seen.value for seen in told.of("price")] == ["128.00"]


def new_run_in(session: object) -> str:
    return runs.start_run(session, at=NOW)  # type: ignore[arg-type]


def test_an_unchanged_page_is_stored_once_and_counted_again(engine: Engine, snap: Snap, new_run: Run) -> None:
    (clue,) = take(engine, snap(evidence=("ev-1",)), new_run(), etag='"1"').clue_ids
    later = snap(minutes=60)
    with db.session(engine) as session:
        known = intake.validators(session, "shop", "http://shop.example/tea")
        assert known is not None
        assert known.etag == '"1"'
        done = intake.record_unchanged(
            session,
            "shop",
            "http://shop.example/tea",
            new_run_in(session),
            snapshot_id=later.id,
            captured_at=later.captured_at,
            at=NOW,
        )
        assert done is not None
        assert done.clue_ids == (clue,)
        assert (
            intake.record_unchanged(
                session, "shop", "http://shop.example/never", "r", snapshot_id="x", captured_at=NOW, at=NOW
            )
            is None
        )
    assert count(engine, t.Reading) == 1
    assert count(engine, t.Exempted) == 1
    with db.session(engine, read_only=True) as session:
        assert queue.clue_row(session, clue).seen == 2
        listing = queue.clue_row(session, clue).listing_id
        assert len(pages.history(session, listing, NOW + timedelta(days=1)).of("price")) == 2


def test_hostile_text_is_kept_and_breaks_nothing(engine: Engine, snap: Snap, new_run: Run) -> None:
    ugly = "\0\ud800<script>" + "长" * 20_000
    page = reading(name=ugly, **{"x" * 300: ugly})
    done = take(engine, snap("http://shop.example/%00", page=page), new_run(), finding(ugly, title=ugly))
    with db.session(engine, read_only=True) as session:
        assert queue.clue_row(session, done.clue_ids[0]).listing.endswith("长")


def test_full_captures_are_queued_once_a_page_and_given_up_in_the_end(engine: Engine, snap: Snap, new_run: Run) -> None:
    done = take(engine, snap(), new_run(), finding(), finding("销量最高"))
    with db.session(engine) as session:
        for tries in (1, 2, 3):
            task = capture_next(session, at=NOW)
            assert task is not None
            assert (task.snapshot_id, task.tries) == (done.snapshot_id, tries)
            assert capture_next(session, at=NOW) is None  # leased
            capture_failed(session, task.id, "browser died")
        assert capture_next(session, at=NOW) is None
    assert take(engine, snap("http://shop.example/b"), new_run(), capture=False).new == 1
    assert count(engine, t.CaptureJob) == 1


def test_a_lost_worker_s_capture_is_taken_up_and_proves_every_clue_of_the_page(
    engine: Engine, snap: Snap, new_run: Run
) -> None:
    done = take(engine, snap(), new_run(), finding(), finding("销量最高"))
    with db.session(engine) as session:
        assert capture_next(session, at=NOW) is not None
        task = capture_next(session, at=NOW + timedelta(minutes=11))
        assert task is not None
        sealed = Sealed("ev-full", "full", task.url, NOW, task.snapshot_id, digest="1" * 64)
        capture_done(session, task.id, sealed)
        add_evidence(session, sealed)
        for clue in done.clue_ids:
            assert queue.clue_row(session, clue).evidence == ("ev-full",)
        detail = queue.clue_detail(session, done.clue_ids[0], at=NOW)
    assert detail.capture == "done"
    assert detail.evidence[0].level == "full"


_KILLED = """
import os, signal, sys
from shop_page import *
from contracts.site import SiteKind, Snapshot
from cases import db, intake
from sqlalchemy import event
engine = db.connect(sys.argv[1])
stop = int(sys.argv[3])
seen = 0
@event.listens_for(engine, "before_cursor_execute")
def count(conn, cursor, statement, parameters, context, many):
    global seen
    seen += statement.lstrip().upper().startswith(("INSERT", "UPDATE"))
    if seen >= stop:
        os.kill(os.getpid(), signal.SIGKILL)
at = NOW
shot = Snapshot("s" * 32, "shop", SiteKind.SELF_BUILT, "http://shop.example/tea", at, reading(), "http://shop.example/tea", digest="0" * 64)
with db.session(engine) as session:
    intake.record(session, shot, detection(), sys.argv[2], at=at)
"""


def test_killed_in_the_middle_then_run_again_nothing_is_lost_or_doubled(
    engine: Engine, database: str, snap: Snap, new_run: Run
) -> None:
    run = new_run()
    root = Path(__file__).parents[2]
    tables = (t.Snapshot, t.Clue, t.Finding, t.Observation, t.Counter, t.CaptureJob)

    def run_until(stop: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-c", _KILLED, database, run, stop],
            cwd=root,
            env={**os.environ, "PYTHONPATH": f"{root}:{root / 'tests/cases'}"},
            check=False,
            capture_output=True,
            timeout=60,
        )

    for stop in ("6", "17"):
        ended = run_until(stop)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        assert [count(engine, table) for table in tables] == [0] * len(tables)
    ended = run_until("9999")
    assert ended.returncode == 0, ended.stderr.decode()
    assert take(engine, snap(), run).repeated
    assert [count(engine, table) for table in (t.Snapshot, t.Clue, t.Finding)] == [1, 1, 1]
