"""The detector: pointers filled, the platform's furniture skipped, goods taken from facts."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.finding import Detection, NoRegisters
from contracts.page import Fact, PageKind, PageReading, Passage, Region
from contracts.site import History, SiteKind, Snapshot
from detectors.text_claims import text_claims

AT = datetime(2026, 10, 1, tzinfo=UTC)


def look(*passages: Passage, **facts: str) -> Detection:
    reading = PageReading(
        PageKind.LISTING, passages, {name: Fact(value, "dom:test", 0.9) for name, value in facts.items()}
    )
    snapshot = Snapshot("s1", "site", SiteKind.SHOP, "https://shop.example/1", AT, reading)
    return text_claims(snapshot, History(), NoRegisters(), AT)


def test_fills_the_pointer() -> None:
    passages = (
        Passage("全网销量第一", Region.CHROME),
        Passage("", Region.BODY),
        Passage("好評返現", Region.NOTICE, "#n"),
    )
    found = look(*passages)
    assert len(found.findings) == 1
    pointer = found.findings[0].evidence[0]
    assert (pointer.snapshot_id, pointer.passage, pointer.selector, pointer.captured_at) == ("s1", 2, "#n", AT)
    assert pointer.quote == "好評返現"


def test_goods_come_from_the_facts() -> None:
    claim = Passage("缓解偏头痛", Region.BODY)
    assert look(claim, name="薄荷糖 零食").findings
    drug = look(claim, name="布洛芬缓释胶囊", permit="国药准字H20000000")
    assert drug.findings == ()
    assert drug.exempted[0].pointer.snapshot_id == "s1"
