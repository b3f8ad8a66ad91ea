"""The queue: pages that never skip or repeat, filters, search that answers alike on both databases, masked quotes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shop_page import NOW, detection, finding, reading
from sqlalchemy import Engine, event

from cases import db, intake, queue, review, search
from cases.access import Officer
from cases.decisions import Decision
from cases.queue import Filters, list_clues
from contracts.errors import UsageError
from contracts.finding import Pointer, Severity
from contracts.page import Region
from contracts.site import Snapshot

CLAIMS = (
    "全国第一的好茶",
    "最佳口感",
    "国家级驰名商标",
    "祖传秘方 治疗失眠",
    "Best-Seller 2026",
    "限时３天",
    "最",
    "馳名商標",
)


@pytest.fixture
def clues(engine: Engine, snap: Callable[..., Snapshot], new_run: Callable[[], str]) -> dict[str, str]:
    """A clue a claim: claim → id."""
    found = [
        finding(
            claim,
            confidence=0.5 + (place // 3) / 10,
            severity=Severity.HIGH if place == 3 else Severity.MEDIUM,
            evidence=(Pointer("", Region.BODY, "#b", 0, 0, len(claim), claim, claim),),
        )
        for place, claim in enumerate(CLAIMS)
    ]
    with db.session(engine) as session:
        ids = intake.record(session, snap(), detection(*found), new_run(), at=NOW).clue_ids
    return dict(zip(CLAIMS, ids, strict=True))


def test_pages_neither_skip_nor_repeat(engine: Engine, clues: dict[str, str]) -> None:
    got, after, scores = [], None, []
    with db.session(engine, read_only=True) as session:
        for _ in range(10):
            page = list_clues(session, after=after, limit=3)
            got += [row.id for row in page.rows]
            scores += [row.score for row in page.rows]
            if (after := page.next) is None:
                break
    assert sorted(got) == sorted(clues.values())
    assert len(got) == len(set(got))
    assert scores == sorted(scores, reverse=True)
    assert got[0] == clues["祖传秘方 治疗失眠"]


def test_filters(engine: Engine, clues: dict[str, str], people: dict[str, Officer]) -> None:
    with db.session(engine) as session:
        review.decide(session, [clues["最"]], Decision.FILE, officer=people["审核甲"], at=NOW)

        def found(**words: object) -> int:
            return len(list_clues(session, Filters.of(**words), at=NOW).rows)  # type: ignore[arg-type]

        everything = len(CLAIMS)
        assert found() == everything - 1
        assert found(everything=True) == everything
        assert found(state="confirmed") == 1
        assert found(state="new,confirmed") == everything
        assert found(severity="high") == 1
        assert found(category="ad-absolute-terms") == everything - 1
        assert found(category="price-raise") == 0
        assert found(site="shop", area="3301") == everything - 1
        assert found(area="51") == 0
        assert found(overdue=True) == 0
        assert queue.counts(session)["open:medium"] == everything - 2
        for bad in ({"state": "gone"}, {"severity": "awful"}):
            with pytest.raises(UsageError):
                found(**bad)
        with pytest.raises(UsageError):
            list_clues(session, after="not-a-mark")


SEARCHES = (
    ("最佳", {"最佳口感"}),
    ("最", {"最佳口感", "最"}),
    ("驰名商标", {"国家级驰名商标", "馳名商標"}),
    ("名商", {"国家级驰名商标", "馳名商標"}),
    ("标国", set()),
    ("治疗失眠", {"祖传秘方 治疗失眠"}),
    ("秘方治疗", {"祖传秘方 治疗失眠"}),
    ("seller", {"Best-Seller 2026"}),
    ("2026", {"Best-Seller 2026"}),
    ("限时3天", {"限时３天"}),
    ("国家 商标", {"国家级驰名商标"}),
    ("国家 最佳", set()),
    ("' OR 1=1 --", set()),
    ('" NEAR(', set()),
    ("!?", set(CLAIMS)),
)


def test_search_answers_alike(engine: Engine, clues: dict[str, str]) -> None:
    names = {clue: claim for claim, clue in clues.items()}
    with db.session(engine, read_only=True) as session:
        for asked, claims in SEARCHES:
            rows = list_clues(session, Filters.of(text=asked)).rows
            assert {names[row.id] for row in rows} == claims, asked


def test_search_does_not_reach_across_two_texts() -> None:
    assert search._pair("一", "二") not in search.terms("甲一", "二乙").split()


def test_a_row_that_changed_is_found_by_its_new_words_only(engine: Engine, clues: dict[str, str]) -> None:
    with db.session(engine) as session:
        search.index(session, clues["最"], "崭新文字")
    with db.session(engine, read_only=True) as session:
        assert [row.id for row in list_clues(session, Filters.of(text="崭新")).rows] == [clues["最"]]
        assert clues["最"] not in {row.id for row in list_clues(session, Filters.of(text="最")).rows}


def test_a_page_of_the_queue_takes_few_queries(engine: Engine, clues: dict[str, str]) -> None:
    asked = []
    with db.session(engine, read_only=True) as session:
        event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        list_clues(session, limit=8)
    assert len([one for one in asked if one.startswith("SELECT")]) <= 3


def test_a_consumer_s_data_is_masked_in_rows(
    engine: Engine, snap: Callable[..., Snapshot], new_run: Callable[[], str]
) -> None:
    quote = "我叫王小明，电话13812345678，加微信 wxid_abc123"
    found = finding(quote, evidence=(Pointer("", Region.REVIEW, "#r", 1, 0, len(quote), quote, quote),))
    with db.session(engine) as session:
        (clue,) = intake.record(session, snap(page=reading()), detection(found), new_run(), at=NOW).clue_ids
        told = queue.clue_json(queue.clue_row(session, clue))["quote"]
    assert told == "我叫王**，电话138********，加微信 w**********"


def test_saved_views(engine: Engine, people: dict[str, Officer]) -> None:
    me, chief = people["审核甲"], people["科长丁"]
    with db.session(engine) as session:
        queue.save_view(session, "高危", Filters.of(severity="high,critical"), officer=me, default=True, at=NOW)
        queue.save_view(session, "全员", Filters.of(overdue=True), officer=chief, shared=True, at=NOW)
        queue.save_view(session, "高危", Filters.of(severity="critical"), officer=me, default=True, at=NOW)
        views = queue.saved_views(session, me)
    assert {name: (filters, default) for name, filters, default in views} == {
        "全员": (Filters(overdue=True), False),
        "高危": (Filters(severities=("critical",)), True),
    }


def test_the_next_clue_opens_by_itself(engine: Engine, clues: dict[str, str]) -> None:
    with db.session(engine, read_only=True) as session:
        first, second = list_clues(session, limit=2).rows
        last = list_clues(session).rows[-1]
        assert queue.next_after(session, Filters(), first) == second.id
        assert queue.next_after(session, Filters(), last) == first.id
