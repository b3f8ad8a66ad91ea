"""Profiles: selectors, loading with named faults, and the shop programs on markup shaped like their own templates."""

from __future__ import annotations

import pytest

from contracts.errors import InputError
from contracts.page import PageKind, Region
from crawler.extract import read_page
from crawler.extract.tree import parse
from crawler.profiles import load_profile, shipped
from crawler.profiles.select import compiled, select

PAGE = parse(
    '<div id="a" class="x box"><p class="price"><del><span class="amount">9</span></del>'
    '<ins><span class="amount" data-k="v1">8</span></ins></p><ul><li><a href="/m/manufacturer/3">甲</a></li></ul></div>'
    '<div class="box"><span class="amount">7</span></div>'
)


@pytest.mark.parametrize(
    ("selector", "texts"),
    [
        (".amount", ["9", "8", "7"]),
        ("p.price ins .amount", ["8"]),
        (".box > .amount", ["7"]),
        ("#a .amount", ["9", "8"]),
        ("div.x.box span", ["9", "8"]),
        ("[data-k]", ["8"]),
        ('[data-k="v1"], del', ["9", "8"]),
        ('a[href*="manufacturer"]', ["甲"]),
        ("ul > a", []),
        ("#a > p > ins > span", ["8"]),
        ("div p span.amount", ["9", "8"]),
        ("*", None),
    ],
)
def test_selectors(selector: str, texts: list[str] | None) -> None:
    found = [PAGE.text(i) for i in select(PAGE, selector)]
    assert found == texts or (texts is None and len(found) == len(PAGE.elements))


@pytest.mark.parametrize("selector", ["", "p::before", "a:hover", "a >", "p + p", "[x='y']", "..a", "p{", ","])
def test_a_selector_beyond_us_is_refused(selector: str) -> None:
    with pytest.raises(InputError, match="选择器"):
        compiled(selector)


GOOD = "id: s\nstatus: tested\nhosts: ['*.shop.example']\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- a", "键值表"),
        ("id: [", "YAML"),
        (GOOD + "colour: red", "colour"),
        ("id: s\nstatus: maybe", "status"),
        (GOOD + "facts: {price: ['p::x']}", "p::x"),
        (GOOD + "facts: {prise: ['p']}", "prise"),
        (GOOD + "render: sometimes", "sometimes"),
        (GOOD + "kinds: {listing: '('}", "s.yaml"),
        (GOOD + "kinds: {stall: 'x'}", "stall"),
        (GOOD + "regions: {attic: ['p']}", "attic"),
        ("status: tested", "id"),
    ],
)
def test_a_fault_is_named_with_its_file(text: str, why: str) -> None:
    with pytest.raises(InputError) as refused:
        load_profile(text, "s.yaml")
    assert why in refused.value.text()
    assert "s.yaml" in refused.value.text()


def test_a_profile_wins_over_guessing_and_says_so() -> None:
    profile = load_profile(
        GOOD
        + "kinds: {listing: '^/g/'}\nfacts: {price: ['.p2'], sales_count: ['.n'], name: ['.nothing', '.t']}\nregions: {review: ['.say']}\n",
        "s.yaml",
    )
    page = "<h1>甲店</h1><b class=t>茶杯</b><span class=p1>¥99</span><span class=p2>券后¥45.5</span><i class=n>已售1.2万</i><p class=say>很好用的杯子</p>"
    reading = read_page(page, "https://a.shop.example/g/1", profile=profile)
    assert reading.kind is PageKind.LISTING
    assert (reading.value("name"), reading.value("price"), reading.value("sales_count")) == ("茶杯", "45.5", "12000")
    assert reading.facts["price"].source == "profile:s"
    assert [p.text for p in reading.passages if p.region is Region.REVIEW] == ["很好用的杯子"]
    assert profile.covers("https://a.shop.example/x")
    assert not profile.covers("https://shop.example.evil.example/x")


def test_an_untested_profile_weighs_less() -> None:
    facts = "facts: {price: ['b']}\n"
    doubtful = load_profile("id: d\nstatus: 未验证\n" + facts, "d.yaml")
    sure = load_profile("id: d\nstatus: tested\n" + facts, "d.yaml")
    page, url = "<h1>茶杯</h1><b>¥9</b><button>立即购买</button>", "https://a.example/item/3.html"
    weights = [read_page(page, url, profile=p).facts["price"].confidence for p in (doubtful, sure)]
    assert weights[0] < weights[1]


WOO = """<body class="wp-singular product-template-default single single-product woocommerce woocommerce-page"><div id="product-9" class="product type-product">
<h1 class="product_title entry-title">青瓷茶杯</h1>
<p class="price"><del aria-hidden="true"><span class="woocommerce-Price-amount amount"><bdi><span class="woocommerce-Price-currencySymbol">&yen;</span>68.00</bdi></span></del>
<span class="screen-reader-text">Original price was: &yen;68.00.</span><ins aria-hidden="true"><span class="woocommerce-Price-amount amount"><bdi><span class="woocommerce-Price-currencySymbol">&yen;</span>45.50</bdi></span></ins></p>
<p class="stock out-of-stock">缺货</p>
<div class="product_meta"><span class="sku_wrapper">SKU: <span class="sku">QC-9</span></span><span class="posted_in">分类: <a href="/product-category/cups/">茶杯</a></span></div>
<div id="reviews"><ol class="commentlist"><li class="review byuser" id="li-comment-3"><div id="comment-3" class="comment_container"><div class="comment-text">
<div class="star-rating" role="img"><span style="width:80%">4</span></div><p class="meta"><strong class="woocommerce-review__author">小*</strong> <time class="woocommerce-review__published-date" datetime="2026-03-01T10:00:00+08:00">2026-03-01</time></p>
<div class="description"><p>天下第一的杯子</p></div></div></div></li></ol></div>
<section class="related products"><ul class="products"><li class="product"><a href="/product/b/"><img src="b.jpg">别的杯</a><span class="price"><span class="amount">¥1.00</span></span></li></ul></section></div></body>"""
OPENCART = """<div id="product-product" class="container"><div class="row"><div id="content" class="col"><div class="row"><div class="col-sm-8"><div class="tab-content"><div id="tab-description" class="tab-pane">手工拉坯。</div></div></div>
<div class="col-sm-4"><h1>青瓷茶杯</h1><ul class="list-unstyled"><li>品牌: <a href="/index.php?route=product/manufacturer.info&amp;manufacturer_id=8">青窑</a></li><li>型号: QC-9</li><li>库存: 有货</li></ul>
<ul class="list-unstyled"><li><span style="text-decoration: line-through;">¥68.00</span></li><li><h2>¥45.50</h2></li><li>税前: ¥40.27</li></ul></div></div></div></div></div>"""
PRESTASHOP = """<section id="main" itemscope itemtype="https://schema.org/Product"><div class="row"><div class="col-md-6"><h1 class="h1" itemprop="name">青瓷茶杯</h1>
<div class="product-prices"><p class="product-discount"><span class="regular-price">68,00 €</span></p><p class="product-price h5 has-discount" itemprop="offers" itemscope itemtype="https://schema.org/Offer"><meta itemprop="priceCurrency" content="EUR">
<span itemprop="price" content="45.5">45,50 €</span><span class="discount discount-percentage">Save 33%</span></p></div>
<form id="add-to-cart-or-refresh"><input type="hidden" name="id_product" value="9" id="product_page_product_id"></form></div></div>
<section class="product-accessories"><p class="h5">You might also like</p><div class="products"><article><a href="/b.html">别的</a><span class="price">1,00 €</span></article></div></section></section>"""


@pytest.mark.parametrize(
    ("program", "page", "facts"),
    [
        ("woocommerce", WOO, {"price": "45.5", "original_price": "68", "currency": "CNY", "sku": "QC-9", "availability": "OutOfStock", "category": "茶杯"}),
        ("opencart", OPENCART, {"price": "45.5", "original_price": "68", "currency": "CNY", "brand": "青窑"}),
        ("prestashop", PRESTASHOP, {"price": "45.5", "original_price": "68", "currency": "EUR"}),
    ],
    ids=["woocommerce", "opencart", "prestashop"],
)  # fmt: skip
def test_shop_programs(program: str, page: str, facts: dict[str, str]) -> None:
    profile = shipped().guess(parse(page))
    assert profile is not None
    assert (profile.id, profile.tested) == (program, True)
    reading = read_page(page, "https://a.example/index.php?route=product/product&product_id=9", profile=profile)
    assert reading.kind is PageKind.LISTING
    assert reading.value("name") == "青瓷茶杯"
    assert {name: reading.value(name) for name in facts} == facts
    assert all(reading.facts[n].source == f"profile:{program}" for n in ("name", "price", "original_price"))


def test_a_consumers_words_stay_in_woocommerces_reviews() -> None:
    reading = read_page(WOO, "https://a.example/product/9", profile=shipped().guess(parse(WOO)))
    assert [p.region for p in reading.passages if p.text == "天下第一的杯子"] == [Region.REVIEW]
    assert [(r.text, r.rating) for r in reading.reviews] == [("天下第一的杯子", 4.0)]


def test_programs_without_a_checked_template_claim_nothing() -> None:
    for profile in shipped().all:
        assert profile.tested or (not profile.facts and not profile.regions)
        assert profile.source
