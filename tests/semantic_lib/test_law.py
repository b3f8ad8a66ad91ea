"""The article is a matter of the day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from contracts.page import Passage
from semantic_lib.load import library


@pytest.mark.parametrize(
    ("provision", "day", "expected"),
    [
        ("aucl:false-publicity", date(2025, 10, 14), [("aucl-2019", "8"), ("aucl-2019", "20")]),
        ("aucl:false-publicity", date(2025, 10, 15), [("aucl-2025", "9"), ("aucl-2025", "25")]),
        ("aucl:prize", date(2025, 10, 14), [("aucl-2019", "10"), ("aucl-2019", "22")]),
        ("aucl:prize", date(2025, 10, 15), [("aucl-2025", "11"), ("aucl-2025", "27")]),
        ("aucl:disparagement", date(2025, 10, 15), [("aucl-2025", "12"), ("aucl-2025", "28")]),
        ("aucl:network", date(2025, 10, 14), [("aucl-2019", "12"), ("aucl-2019", "24")]),
        ("tm:well-known-ad", date(2026, 12, 31), [("tm-2019", "14(5)"), ("tm-2019", "53")]),
        ("tm:well-known-ad", date(2027, 1, 1), [("tm-2026", "64")]),
        ("tm:false-registered", date(2026, 12, 31), [("tm-2019", "52")]),
        ("tm:false-registered", date(2027, 1, 1), [("tm-2026", "62")]),
        ("tm:infringement", date(2027, 1, 1), [("tm-2026", "72"), ("tm-2026", "74")]),
    ],
)
def test_resolves_the_article_in_force(provision: str, day: date, expected: list[tuple[str, str]]) -> None:
    assert [(b.law, b.article) for b in library().law.resolve([provision], day)] == expected


def test_day_is_that_of_shanghai() -> None:
    """2026-12-31 16:30 UTC is already 2027 in Shanghai."""
    passage = [Passage("荣获中国驰名商标，欢迎选购")]
    before = library().read(passage, at=datetime(2026, 12, 31, 15, 30, tzinfo=UTC))
    after = library().read(passage, at=datetime(2026, 12, 31, 16, 30, tzinfo=UTC))
    assert {b.law for b in before.findings[0].basis} == {"tm-2019"}
    assert {b.law for b in after.findings[0].basis} == {"tm-2026"}


def test_finding_resting_on_an_unconfirmed_article_says_so() -> None:
    found = library().read([Passage("全网销量第一的破壁机")], at=date(2026, 10, 1)).findings[0]
    marks = {b.mark for b in found.basis}
    assert ("M" in marks) == ("待核实" in found.why)
    doubtful = library().law.resolve(["ad:citation-guide"], date(2026, 10, 1))
    assert [b.mark for b in doubtful] == ["M"]


def test_penalties_come_after_duties() -> None:
    basis = library().law.resolve(["ad:absolute-terms"], date(2026, 1, 1))
    assert [b.penalty for b in basis] == [False, True]
