"""Words that must never be reported, wherever the shop writes them, and their mirror that must be."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.page import Passage, Region
from semantic_lib.load import library

DAY = date(2026, 11, 1)
PLACES = (None, Region.TITLE, Region.BADGE, Region.BODY, Region.TERMS, Region.NOTICE)

SILENT = (
    "最低消费50元", "最佳赏味期7天", "最佳食用温度", "国家级非物质文化遗产传承人", "国家级经济技术开发区", "第一时间发货", "最近上新",
    "最后3天(3月5日24时结束)", "一级大豆油(GB)", "特级初榨橄榄油", "100%纯棉", "拒绝刷单", "谨防刷单诈骗", "本店不参与好评返现",
    "评价有礼(任何评价)", "支持专柜验货假一赔十", "高仿真花", "象牙白衬衫", "玳瑁色镜框", "治愈系插画", "本品不能代替药物",
    "不得使用“最佳”等用语", "定制商品不支持7天无理由", "鲜活易腐不退", "海岸线™", "划线价说明为建议零售价", "抽奖最高奖50000元",
    "满减规则显著公示", "亮照以图片/链接公示", "个人零星小额自我声明+地址+联系方式", "保税商品无中文标签但有告知书与电子标签", "一站式服务",
    "全国包邮(偏远除外)", "首次备案", "行业标准中“优等品”", "相比上一代最轻薄",
)  # fmt: skip

SPOKEN = (
    ("全国最低价", "price-false-lowest"),
    ("国家级最佳品质", "ad-absolute-terms"),
    ("全台第一，史上最強", "ad-absolute-terms"),
    ("The best in the world", "ad-absolute-terms"),
    ("特供酒 人民大会堂专供", "ad-state-organ"),
    ("好评返现5元", "rep-incentivised-review"),
    ("好評送禮 五星好評截圖領50元", "rep-incentivised-review"),
    ("$10 gift card for a 5-star review", "rep-incentivised-review"),
    ("刷单兼职 日结佣金", "rep-brushing"),
    ("高仿A货 1:1", "ip-counterfeit-listing"),
    ("AAA replica mirror quality", "ip-counterfeit-listing"),
    ("天然象牙手串 现货", "goods-prohibited"),
    ("genuine ivory bracelet for sale", "goods-prohibited"),
    ("治疗糖尿病 根治", "ad-medical-claim-food"),
    ("療效保證 根治高血壓", "ad-medical-claim-food"),
    ("Cures diabetes", "ad-medical-claim-food"),
    ("本店不支持7天无理由退货,拆封不退", "return-right-denied"),
    ("最终解释权归本店所有", "unfair-terms"),
    ("恕不退換 本公司保留一切更改權利", "unfair-terms"),
    ("all sales final, we may change these terms without notice", "unfair-terms"),
    ("抽奖最高奖100000元", "promo-prize-draw"),
    ("划线价500元 现价99元", "price-fictitious-original"),
    ("保税仓货源 一件代发 批发", "cbec-resale"),
    ("进口旧衣服按斤称 吨包批发", "goods-prohibited"),
    ("出售客户资料 精准粉", "pi-sale"),
    ("中国驰名商标", "ad-well-known-mark"),
    ("默认勾选运费险 5元", "forced-tying"),
    ("连续包月 到期自动续费 不可取消", "auto-renewal"),
    ("FDA certified supplement", "ad-false-honour-cert"),
)  # fmt: skip


@pytest.mark.parametrize("text", SILENT)
def test_silent_wherever_it_stands(text: str) -> None:
    for place in PLACES:
        found = library().read([Passage(text, place)], at=DAY).findings
        assert [(f.rule, f.quote) for f in found] == [], place


@pytest.mark.parametrize(("text", "category"), SPOKEN)
def test_spoken_in_the_shop_s_words(text: str, category: str) -> None:
    found = library().read([Passage(text, Region.BODY)], at=DAY).findings
    assert category in {f.category for f in found}


@pytest.mark.parametrize(("text", "category"), SPOKEN)
def test_a_consumer_s_words_are_no_claim_of_the_shop(text: str, category: str) -> None:
    if category in {"rep-brushing", "rep-incentivised-review"}:
        pytest.skip("a consumer may be a witness of these")
    assert library().read([Passage(text, Region.REVIEW)], at=DAY).findings == ()
