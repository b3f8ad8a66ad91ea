"""Reading: spans into the original, exemptions shown, needs, regions, goods, hostile text."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.finding import Detection
from contracts.page import Passage, Region
from semantic_lib.load import library

DAY = date(2026, 10, 1)


def read(text: str, region: Region | None = None, **setting: object) -> Detection:
    return library().read([Passage(text, region)], at=DAY, **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "【福利】好评返现5元", "Ｇｅｔ ＡＡＡ，好\u200b评返现5元", "①②③ 好評返現", "🎁好*评*返*现🎁", "㎡㎡好评返现", "全場好 评 返 现！",
    ],
)  # fmt: skip
def test_quote_is_a_piece_of_the_original(text: str) -> None:
    finding = read(text).findings[0]
    pointer = finding.evidence[0]
    assert finding.category == "rep-incentivised-review"
    assert text[pointer.start : pointer.end] == pointer.quote
    assert pointer.quote[0] == "好"
    assert {"现", "現"} & set(pointer.quote)


def test_pointer_names_the_passage() -> None:
    passages = [
        Passage("普通外套，宽松版型"),
        Passage("㎡ 内部尺寸"),
        Passage("五星好评截图领红包", Region.NOTICE, "#n"),
    ]
    pointer = library().read(passages, at=DAY).findings[0].evidence[0]
    assert (pointer.passage, pointer.region, pointer.selector) == (2, Region.NOTICE, "#n")
    assert passages[2].text[pointer.start : pointer.end] == pointer.quote


def test_exempt_hit_is_shown_with_its_reason() -> None:
    found = read("谨防高仿包诈骗", Region.NOTICE)
    assert found.findings == ()
    assert found.exempted[0].exemption in ("warning", "refusal")
    assert found.exempted[0].why
    assert found.exempted[0].quote == "高仿"


def test_tested_exemptions_are_listed() -> None:
    finding = read("每天一杯，根治高血压", Region.BODY).findings[0]
    assert {t.exemption for t in finding.tested} >= {"negation", "question", "mandatory-notice"}
    assert not any(t.applies for t in finding.tested)
    assert finding.claim == "ad-medical-claim-food:根治高血压"


def test_what_one_page_cannot_prove_is_a_need() -> None:
    found = read("原价299元，现价99元", Region.PRICE)
    assert found.findings == ()
    assert found.needs[0].needs == ("history:price",)


def test_review_never_makes_a_claim_of_the_shop() -> None:
    found = read("这个茶治好了我的高血压，全网销量第一", Region.REVIEW)
    assert found.findings == ()
    assert {e.exemption for e in found.exempted} == {"consumer-voice"}
    assert read("这个茶治好高血压", Region.BODY).findings


def test_platform_furniture_is_not_the_shops() -> None:
    assert read("全网销量第一", Region.CHROME) == Detection()


def test_goods_decide() -> None:
    claim = "缓解偏头痛"
    assert read(claim, goods="food").findings
    drug = read(claim, goods="drug")
    assert drug.findings == ()
    assert drug.exempted[0].exemption == "goods"
    assert read(claim, title="布洛芬缓释胶囊 国药准字H20000000").findings == ()


def test_same_claim_twice_is_one_finding_with_two_places() -> None:
    passages = [Passage("全网销量第一"), Passage("再说一遍：全网销量第一")]
    (finding,) = (f for f in library().read(passages, at=DAY).findings if f.category == "ad-absolute-terms")
    assert [p.passage for p in finding.evidence] == [0, 1]


def test_guessed_spelling_weighs_less_and_says_so() -> None:
    plain, guessed = read("好评返现").findings[0], read("好评反xian").findings[0]
    assert guessed.confidence < plain.confidence
    assert "变体" in guessed.why


@pytest.mark.parametrize(
    "text",
    [
        "最低消费50元", "最佳赏味期7天", "最佳食用温度", "国家级非物质文化遗产传承人", "国家级经济技术开发区", "第一时间发货", "最近上新", "一级大豆油",
        "特级初榨橄榄油", "100%纯棉", "拒绝刷单", "谨防刷单诈骗", "本店不参与好评返现", "评价有礼，任何评价都可得积分", "支持专柜验货，假一赔十",
        "高仿真花", "象牙白衬衫", "玳瑁色镜框", "治愈系插画", "本品不能代替药物", "不得使用“最佳”等用语", "定制商品不支持7天无理由退货", "鲜活易腐不退",
        "抽奖最高奖50000元", "一站式服务", "全国包邮（偏远除外）", "“最终解释权归商家”出现在普法文章里", "行业标准中的优等品", "首次备案",
        "相比上一代最轻薄", "划线价为厂商建议零售价，原价299元，现价99元",
    ],
)  # fmt: skip
def test_golden_negatives_are_silent(text: str) -> None:
    found = read(text)
    assert (found.findings, found.needs) == ((), ())


@pytest.mark.parametrize(
    "text",
    ["最佳" * 100_000, "好评返现，" * 100_000, "好 " * 200_000, "a" * 1_000_000, "(" * 300_000, "蕞\u200b" * 200_000, "“" * 200_000,
     "原价1元" * 60_000, "第一" * 150_000 + "品牌", "女子xian" * 60_000],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_hostile_text_ends(text: str) -> None:
    found = read(text)
    assert len(found.findings) <= 200


def test_empty_and_odd_input() -> None:
    assert library().read([], at=DAY) == Detection()
    assert read("") == Detection()
    assert read("\ud800好评返现").findings
    assert library().read([Passage(""), Passage("好评返现")], at=DAY).findings[0].evidence[0].passage == 1
