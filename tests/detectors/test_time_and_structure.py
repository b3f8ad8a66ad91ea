"""What one capture cannot prove is a need; what several prove is a finding. And what a page must show, or must not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from contracts.clock import SHANGHAI
from contracts.finding import Detection, NoRegisters, RegisterEntry
from contracts.page import Fact, Link, PageKind, PageReading, Passage, Region
from contracts.site import History, Observation, SiteKind, Snapshot
from detectors.registry import Detectors
from semantic_lib.load import library

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


def snapshot(
    *passages: Passage,
    kind: PageKind = PageKind.LISTING,
    site: SiteKind = SiteKind.SELF_BUILT,
    links: Sequence[Link] = (),
    **facts: str,
) -> Snapshot:
    reading = PageReading(
        kind=kind,
        passages=passages,
        links=tuple(links),
        lang="zh-Hans",
        facts={name: Fact(value, "test", 1.0) for name, value in facts.items()},
    )
    listing = "l1" if kind is PageKind.LISTING else None
    return Snapshot("s-now", "site", site, "http://a.example/x", NOW, reading, listing_id=listing)


def look(now: Snapshot, history: History | None = None) -> Detection:
    detection, broken = Detectors(library())(now, history or History(), NoRegisters(), NOW)
    assert broken == ()
    return detection


def seen(*tags: tuple[int, str, str | None]) -> History:
    """(days ago, price, compared price) of earlier captures."""
    observations: dict[str, list[Observation]] = {"price": [], "original_price": []}
    for days, price, was in sorted(tags, reverse=True):
        at, name = NOW - days * DAY, f"s-{days}"
        observations["price"].append(Observation("l1", "price", price, at, name))
        observations["original_price"].append(Observation("l1", "original_price", was, at, name))
    return History(observations)


def categories(detection: Detection) -> set[str]:
    return {f.category for f in detection.findings}


TAG = Passage("原价 ¥399 现价 ¥219", Region.PRICE)


def test_compared_price_alone_is_a_need() -> None:
    found = look(snapshot(TAG, price="219", original_price="399", currency="CNY"))
    assert not categories(found) & {"price-fictitious-original", "price-raise-then-discount"}
    assert "price-fictitious-original" in {n.category for n in found.needs}


def test_lower_price_before_the_promotion_is_a_finding_that_names_its_captures() -> None:
    found = look(snapshot(TAG, price="219", original_price="399"), seen((3, "229", None)))
    finding = next(f for f in found.findings if f.category == "price-fictitious-original")
    assert [p.snapshot_id for p in finding.evidence] == ["s-now", "s-3"]
    assert "标价" in finding.why
    assert "不是成交价" in finding.why


def test_the_promotion_itself_proves_nothing_about_the_time_before() -> None:
    found = look(snapshot(TAG, price="219", original_price="399"), seen((3, "219", "399"), (1, "219", "399")))
    assert not categories(found) & {"price-fictitious-original", "price-raise-then-discount"}


def test_a_true_former_price_is_no_finding() -> None:
    found = look(snapshot(TAG, price="219", original_price="399"), seen((5, "399", None), (2, "399", None)))
    assert not categories(found) & {"price-fictitious-original", "price-raise-then-discount"}


def test_raised_then_cut_needs_three_points() -> None:
    found = look(snapshot(TAG, price="219", original_price="399"), seen((20, "219", None), (2, "399", None)))
    finding = next(f for f in found.findings if f.category == "price-raise-then-discount")
    assert [p.snapshot_id for p in finding.evidence] == ["s-now", "s-20", "s-2"]


def test_placeholder_price_is_no_raise() -> None:
    found = look(snapshot(TAG, price="219", original_price="9999"), seen((20, "219", None), (2, "9999", None)))
    assert "price-raise-then-discount" not in categories(found)


def test_another_currency_or_sku_is_not_compared() -> None:
    history = seen((3, "29", None))
    units = [Observation("l1", "currency", "USD", NOW - 3 * DAY, "s-3")]
    history = History({**history.observations, "currency": units})
    found = look(snapshot(TAG, price="219", original_price="399", currency="CNY"), history)
    assert "price-fictitious-original" not in categories(found)


TODAY = Passage("仅限今天！限时特价，今晚恢复原价", Region.BADGE)


def test_today_only_is_a_need_until_it_was_so_yesterday() -> None:
    first = look(snapshot(TODAY, price="99"))
    assert "promo-endless-limited-time" not in categories(first)
    needs = [n for n in first.needs if n.category == "promo-endless-limited-time"]
    assert needs
    claims = {n.rule: [Observation("l1", n.rule, n.pointer.quote, NOW - DAY, "s-1")] for n in needs}
    prices = {"price": [Observation("l1", "price", "99", NOW - DAY, "s-1")]}
    second = look(snapshot(TODAY, price="99"), History(prices, claims))
    finding = next(f for f in second.findings if f.category == "promo-endless-limited-time")
    assert {p.snapshot_id for p in finding.evidence} == {"s-now", "s-1"}
    dearer = {"price": [Observation("l1", "price", "79", NOW - DAY, "s-1")]}
    assert "promo-endless-limited-time" not in categories(look(snapshot(TODAY, price="99"), History(dearer, claims)))


@pytest.mark.parametrize(
    "words",
    [
        "距结束仅剩 00:14:59，错过不再",
        "仅剩3件，库存告急",
        "326人正在看这件商品",
        "Just 3 of these left, 14 people have it open now",
    ],
)
def test_no_time_based_finding_from_one_capture(words: str) -> None:
    found = look(snapshot(Passage(words, Region.PRICE), price="99"))
    assert not categories(found) & {"promo-fake-countdown", "promo-fake-stock", "promo-endless-limited-time"}
    assert found.needs


HOME = {"kind": PageKind.HOME, "site": SiteKind.SELF_BUILT}


def test_home_page_without_any_identity() -> None:
    found = look(snapshot(Passage("欢迎光临本店", Region.BODY), kind=PageKind.HOME))
    assert "licence-not-displayed" in categories(found)
    assert any(t.applies is None for f in found.findings for t in f.tested)


@pytest.mark.parametrize(
    ("passages", "links"),
    [
        ([Passage("营业执照", Region.FOOTER)], []),
        ([Passage("统一社会信用代码 91110000600037341L", Region.FOOTER)], []),
        ([], [Link("http://a.example/licence.html", "证照信息")]),
        ([], [Link("http://a.example/img/yingyezhizhao.jpg", "")]),
        ([Passage("本人销售自产农副产品，依法无需办理市场主体登记。地址：某县某村 电话见页面", Region.FOOTER)], []),
    ],
)
def test_identity_by_text_link_picture_or_declaration_is_enough(passages: list[Passage], links: list[Link]) -> None:
    found = look(snapshot(*passages, kind=PageKind.HOME, links=links))
    assert "licence-not-displayed" not in categories(found)


def test_sub_pages_and_shops_listings_need_no_licence() -> None:
    assert "licence-not-displayed" not in categories(look(snapshot(Passage("杯子", Region.TITLE))))
    inside = snapshot(Passage("杯子", Region.BODY), kind=PageKind.HOME, site=SiteKind.SHOP)
    assert "licence-not-displayed" not in categories(look(inside))


def test_wrong_check_character_is_named_and_a_right_code_waits_for_the_register() -> None:
    wrong = look(snapshot(Passage("统一社会信用代码 91110000600037341N", Region.FOOTER), kind=PageKind.HOME))
    finding = next(f for f in wrong.findings if f.category == "licence-invalid")
    assert "校验码应为 L" in finding.why
    right = look(snapshot(Passage("统一社会信用代码 91110000600037341L", Region.FOOTER), kind=PageKind.HOME))
    assert "licence-invalid" not in categories(right)
    assert ("register:operators",) in {n.needs for n in right.needs}


def test_a_register_that_answers_leaves_no_need() -> None:
    class Known(NoRegisters):
        def operator(self, uscc: str) -> tuple[RegisterEntry, ...]:  # type: ignore[override]
            return (RegisterEntry("operators", uscc),)

    page = snapshot(Passage("统一社会信用代码 91110000600037341L", Region.FOOTER), kind=PageKind.HOME)
    detection, _ = Detectors(library())(page, History(), Known(), NOW)
    assert "licence-invalid" not in {n.category for n in detection.needs}


def test_platform_home_without_rules_and_with() -> None:
    bare = look(snapshot(kind=PageKind.HOME, site=SiteKind.PLATFORM, links=[Link("http://a.example/1", "首页")]))
    finding = next(f for f in bare.findings if f.category == "platform-rules-not-published")
    assert "平台服务协议" in finding.why
    links = [Link("http://a.example/a", "平台服务协议"), Link("http://a.example/b", "规则中心")]
    full = look(snapshot(kind=PageKind.HOME, site=SiteKind.PLATFORM, links=links))
    assert "platform-rules-not-published" not in categories(full)
    assert not any("先行赔付" in f.why for f in bare.findings)


def test_lists_of_other_goods_and_platform_chrome_are_not_judged_here() -> None:
    found = look(snapshot(Passage("好评返现5元", Region.NAV), Passage("全国第一", Region.CHROME)))
    assert found.findings == ()


def test_a_consumer_s_words_make_no_claim_of_the_shop() -> None:
    found = look(snapshot(Passage("吃了三天糖尿病就治好了，全国第一好用", Region.REVIEW)))
    assert found.findings == ()
