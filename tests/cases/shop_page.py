"""A shop's page and what the detectors would say about it, for the tests of this folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from contracts.finding import Basis, Detection, Element, Exempted, Finding, Need, Pointer, Severity, Tested
from contracts.page import Fact, PageKind, PageReading, Passage, Region, Review

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
USCC = "91350100M000100Y43"  # the example of GB 32100-2015


def reading(**facts: str) -> PageReading:
    """A listing page that shows these facts beside name and price."""
    shown = {
        "name": "高山茶 250g",
        "price": "128.00",
        "sales_count": "1.2万+",
        "operator": "福建某某茶业有限公司",
        "uscc": USCC,
    }
    return PageReading(
        kind=PageKind.LISTING,
        title="高山茶",
        passages=(
            Passage("全国第一的高山茶，销量最高", Region.BODY, "#body"),
            Passage("我叫王小明，电话13812345678，好喝", Region.REVIEW, "#r1"),
        ),
        facts={name: Fact(value, "dom:#x", 0.9) for name, value in {**shown, **facts}.items()},
        reviews=(Review("r1", "好喝", rating=5.0), Review("r2", "一般", rating=3.0)),
    )


def finding(claim: str = "全国第一", **changes: object) -> Finding:
    """A finding about an absolute term."""
    made = Finding(
        rule="ad.absolute.first",
        version=2,
        category="ad-absolute-terms",
        severity=Severity.MEDIUM,
        confidence=0.9,
        evidence=(Pointer("", Region.BODY, "#body", 0, 0, 4, "全国第一", "全国第一的高山茶，销量最高"),),
        claim=claim,
        title="绝对化用语",
        why="以“第一”作排序宣传",
        basis=(Basis("ad-law", "9(3)", "V", "广告法"),),
        elements=(Element("商品宣传", met=True, by="#body"), Element("无依据", met=None, by="needs:citation")),
        tested=(Tested("own-series", "同品牌系列比较", applies=False, why="未与自家产品比较"),),
        needs=("citation",),
        advice="rectify",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def detection(*findings: Finding) -> Detection:
    """With one exempted hit and one need beside the findings."""
    return Detection(
        findings or (finding(),),
        (Exempted("ad.absolute.best", "ad-absolute-terms", "最佳食用日期", "指时间，非评价", "time"),),
        (
            Need("price.raise", "price-raise-then-discount", ("history:price",), "缺少前七日价格"),
            Need(
                "promo.today-only",
                "promo-endless-limited-time",
                ("second-capture",),
                "须再次采集",
                Pointer(quote="仅限今天"),
            ),
        ),
    )
