"""Facts of the goods, from every source, and who answers for them."""

from __future__ import annotations

import json

import pytest

from contracts.page import PageReading
from crawler.extract import describe, read_page


def page(body: str, head: str = "", title: str = "青瓷杯") -> PageReading:
    return read_page(
        f"<html lang='zh-CN'><head><title>{title}</title>{head}</head><body>{body}</body></html>",
        "https://a.example/item/77.html",
    )


def ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value, ensure_ascii=False)}</script>'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "山茶花手工皂 100g"), ("price", "39.9"), ("currency", "CNY"), ("original_price", "68"), ("original_price_note", "划线价"), ("sku", "NY-1024"),
        ("brand", "南屿"), ("origin", "海南"), ("availability", "InStock"), ("sales_count", "12000"), ("stock", "36"), ("operator", "南屿日用品有限公司"),
        ("uscc", "91460000MA5T0AAA0P"), ("icp", "琼ICP备20260001号"), ("licence_url", "https://shop.example/licence.html"),
    ],
)  # fmt: skip
def test_reads_a_plain_page_without_markup_for_machines(listing: PageReading, name: str, value: str) -> None:
    assert listing.value(name) == value


def test_every_fact_says_where_it_came_from(listing: PageReading) -> None:
    for fact in listing.facts.values():
        assert fact.source
        assert 0 < fact.confidence <= 1


PRODUCT = {
    "@context": "https://schema.org", "@type": "Product", "name": "青瓷杯", "sku": "QC-9", "gtin13": "6901234567892", "brand": {"@type": "Brand", "name": "越窑"},
    "aggregateRating": {"ratingValue": "4.6", "bestRating": "5", "reviewCount": "31"},
    "offers": {"@type": "Offer", "price": "88.00", "priceCurrency": "CNY", "availability": "https://schema.org/InStock"},
}  # fmt: skip


def test_json_ld() -> None:
    reading = page("<h1>青瓷杯</h1>", ld({"@graph": [{"@type": "WebSite", "name": "x"}, PRODUCT]}))
    got = {
        n: reading.value(n)
        for n in (
            "name",
            "price",
            "currency",
            "sku",
            "gtin",
            "brand",
            "rating",
            "best_rating",
            "review_count",
            "availability",
        )
    }
    assert got == {
        "name": "青瓷杯", "price": "88", "currency": "CNY", "sku": "QC-9", "gtin": "6901234567892", "brand": "越窑", "rating": "4.6", "best_rating": "5",
        "review_count": "31", "availability": "InStock",
    }  # fmt: skip
    assert reading.facts["price"].source == "json-ld"


def test_microdata_and_opengraph() -> None:
    micro = page(
        '<div itemscope itemtype="http://schema.org/Product"><h1 itemprop="name">青瓷杯</h1><div itemprop="offers" itemscope itemtype="http://schema.org/Offer"><meta itemprop="priceCurrency" content="CNY"><span itemprop="price" content="66.5">66.5</span></div></div>'
    )
    assert (micro.value("price"), micro.facts["price"].source) == ("66.5", "microdata")
    graph = page(
        "<h1>青瓷杯</h1>",
        '<meta property="og:type" content="product"><meta property="product:price:amount" content="55"><meta property="product:price:currency" content="CNY">',
    )
    assert (graph.value("price"), graph.value("currency")) == ("55", "CNY")


@pytest.mark.parametrize(
    "script",
    [
        '<script id="__NEXT_DATA__" type="application/json">{"props":{"product":{"name":"青瓷杯","price":120,"currency":"CNY","sku":"S1"}}}</script>',
        '<script>window.__INITIAL_STATE__ = {"item":{"title":"青瓷杯","price":"120","currency":"CNY","sku":"S1","x":undefined}};(function(){})()</script>',
    ],
)
def test_embedded_state(script: str) -> None:
    reading = page(f"<h1>青瓷杯</h1><button>立即购买</button>{script}")
    assert (reading.value("price"), reading.value("sku")) == ("120", "S1")
    assert reading.facts["price"].source.startswith("state:")


def test_shown_price_wins_over_a_declared_one_that_is_only_struck_through() -> None:
    declared = PRODUCT | {"offers": {"price": "399", "priceCurrency": "CNY"}}
    reading = page(
        '<h1>青瓷杯</h1><div class="price"><b class="now">¥199</b> <del>¥399</del></div><button>立即购买</button>',
        ld(declared),
    )
    assert (reading.value("price"), reading.value("original_price")) == ("199", "399")
    assert any("不一致" in note for note in reading.notes)


def test_prices_of_other_goods_savings_and_fees_are_not_the_price() -> None:
    cards = "".join(
        f'<li class="card"><a href="/item/{n}.html"><img src="{n}.jpg">别的</a><span class="price">¥{n}9</span></li>'
        for n in range(1, 7)
    )
    reading = page(
        f'<h1>青瓷杯</h1><p>立减 ¥30</p><p>运费 ¥8</p><p class="price">¥158</p><p>分期 ¥13.2×12期</p><button>加入购物车</button><ul>{cards}</ul>'
    )
    assert reading.value("price") == "158"


def test_cents_set_small() -> None:
    reading = page(
        '<h1>青瓷杯</h1><div class="price"><span>¥</span><span>39</span><sup>90</sup></div><button>加入购物车</button>'
    )
    assert reading.value("price") == "39.9"


def test_sold_out() -> None:
    assert (
        page('<h1>青瓷杯</h1><p class="price">¥9</p><p>已售罄</p><button disabled>到货通知</button>').value(
            "availability"
        )
        == "OutOfStock"
    )


def test_permits_mode_countdown_and_notice() -> None:
    reading = page(
        '<h1>青瓷杯</h1><p class="price">¥9</p><button>立即购买</button><p>食品经营许可证 JY14601000012345</p><p>保税仓发货</p>'
        '<div class="countdown" data-end-time="2026-03-31T23:59:59+08:00">距结束 02:13:44</div><div>跨境消费者告知书:商品可能无中文标签</div>'
    )
    assert reading.value("permit") == "JY14601000012345"
    assert reading.value("mode") == "保税仓发货"
    assert reading.value("countdown_end") == "2026-03-31T23:59:59+08:00"
    assert "02:13:44" in str(reading.value("countdown"))
    assert reading.value("consumer_notice")


SHOP_CODE, PLATFORM_CODE = "91460000MA5T0AAA0P", "91460000MA5T0BBB05"


def test_platforms_own_licence_is_kept_apart() -> None:
    from stdnum.cn import uscc

    platform = "91460000MA5T0BBB0"
    platform += str(uscc.calc_check_digit(platform))
    reading = page(
        f"<h1>青瓷杯</h1><div class='shop-info'><p>商家名称:南屿日用品有限公司</p><p>统一社会信用代码:{SHOP_CODE}</p><p>企业类型:有限责任公司</p><p>经营场所:海口市某路1号</p></div>"
        f"<footer><p>平台经营者:大洋网络有限公司 统一社会信用代码:{platform}</p></footer>"
    )
    assert (reading.value("uscc"), reading.value("operator")) == (SHOP_CODE, "南屿日用品有限公司")
    assert (reading.value("platform_uscc"), reading.value("platform_operator")) == (platform, "大洋网络有限公司")
    assert reading.value("address") == "海口市某路1号"
    assert reading.value("registration_type") == "有限责任公司"


def test_a_code_that_fails_its_check_is_shown_and_named() -> None:
    reading = page(f"<footer>统一社会信用代码:{SHOP_CODE[:-1]}T</footer>")
    assert reading.value("uscc") == SHOP_CODE[:-1] + "T"
    assert reading.facts["uscc"].confidence < 0.7
    assert any("校验不通过" in note for note in reading.notes)


def test_identity_card_numbers_are_never_taken() -> None:
    assert page("<footer>法定代表人身份证:110101199003070011</footer>").value("uscc") is None


def test_exempt_self_declaration() -> None:
    text = "<footer>个人销售自产农副产品,依法不需要办理市场主体登记</footer>"
    assert page(text).value("exempt_declaration")


def test_describe_has_the_fixed_keys(listing: PageReading) -> None:
    told = describe(listing, "a.html")
    fixed = {
        "file",
        "kind",
        "name",
        "price",
        "currency",
        "original_price",
        "availability",
        "sku",
        "brand",
        "rating",
        "review_count",
        "reviews",
        "operator",
        "uscc",
        "passages",
    }
    assert fixed <= told.keys()
    assert told["rating"] is None
    assert {"region", "text", "selector"} <= told["passages"][0].keys()
    assert json.loads(json.dumps(told, ensure_ascii=False)) == told
