"""What a page is for, and what stands in the way."""

from __future__ import annotations

import json

import pytest

from contracts.page import Obstacle, PageKind, PageReading
from crawler.extract import read_page

CARDS = "".join(
    f'<li><a href="/item/{n}.html"><img src="{n}.jpg" alt="">杯{n}</a><b>¥{n}0</b></li>' for n in range(1, 9)
)
LONG = "<p>" + "本协议由用户与经营者订立。" * 80 + "</p>"


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        ("https://a.example/", f"<h1>某某商城</h1><ul>{CARDS}</ul>", PageKind.HOME),
        ("https://a.example/shop/8", f"<h1>某某旗舰店</h1><ul>{CARDS}</ul>", PageKind.SHOP),
        ("https://a.example/category/cups", f"<h1>茶杯</h1><ul>{CARDS}</ul>", PageKind.LIST),
        ("https://a.example/search?q=cup", f"<ul>{CARDS}</ul>", PageKind.LIST),
        ("https://a.example/help/agreement", f"<h1>用户服务协议</h1>{LONG}", PageKind.TERMS),
        ("https://a.example/privacy", f"<h1>Privacy Policy</h1>{LONG}", PageKind.TERMS),
        (
            "https://a.example/news/20260301.html",
            f"<h1>茶杯涨价了吗</h1><p>近日有人以 ¥500 的价格买到一只茶杯,专家称市场价约 ¥300。</p>{LONG}",
            PageKind.OTHER,
        ),
        ("https://a.example/about", "<h1>关于我们</h1><p>公司成立于 2001 年,注册资本 1000万元。</p>", PageKind.OTHER),
        ("https://a.example/item/3.html", "<h1>茶杯</h1><p class='price'>¥30</p><a>立即购买</a>", PageKind.LISTING),
    ],
)
def test_page_kind(url: str, body: str, kind: PageKind) -> None:
    reading = read_page(f"<title>某某商城</title><body>{body}</body>", url)
    assert reading.kind is kind
    if kind is not PageKind.LISTING:
        assert reading.value("price") is None
        assert reading.value("name") is None


def _declared(kind: str, **more: object) -> str:
    said = json.dumps({"@context": "https://schema.org", "@type": kind, **more}, ensure_ascii=False)
    return f'<script type="application/ld+json">{said}</script>'


CUP = _declared("Product", name="青瓷茶杯", offers={"@type": "Offer", "price": "30", "priceCurrency": "CNY"})
FIRM = _declared("Organization", name="某某公司") + _declared("WebSite", name="某某商城")
ONE = "<h1>青瓷茶杯</h1><p class='price'>¥30</p><button>立即购买</button>"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(CUP + ONE, PageKind.LISTING, id="one product declared and shown"),
        pytest.param(FIRM + CUP + ONE, PageKind.LISTING, id="the same with its firm"),
        pytest.param(ONE, PageKind.LISTING, id="a landing page of one thing"),
        pytest.param(f"{CUP}{ONE}<h2>猜你喜欢</h2><ul>{CARDS}</ul>", PageKind.LISTING, id="with recommendations"),
        pytest.param(
            f"<link rel=canonical href='https://b.example/item/77.html'>{ONE}<ul>{CARDS}</ul>",
            PageKind.LISTING,
            id="saved from a product's address",
        ),
        pytest.param(f"{FIRM}<h1>某某商城</h1><ul>{CARDS}</ul>", PageKind.HOME, id="a shop's front page"),
        pytest.param(
            f"{CUP}<h1>某某商城</h1><ul>{CARDS}</ul>", PageKind.HOME, id="a front page that declares its star"
        ),
        pytest.param(
            "".join(
                _declared("Product", name=f"杯{n}", offers={"@type": "Offer", "price": f"{n}0"}) for n in range(1, 5)
            )
            + f"<h1>某某商城</h1><p class=price>¥10</p><a>立即购买</a><ul>{CARDS}</ul>",
            PageKind.HOME,
            id="several products",
        ),
        pytest.param(f"{FIRM}<h1>关于某某公司</h1><p>注册资本 1000万元</p>", PageKind.HOME, id="a company"),
        pytest.param(
            f"<link rel=canonical href='https://a.example/'>{FIRM}<h1>新春满 ¥99 送礼</h1><p class=price>¥99</p><a>立即购买</a>",
            PageKind.HOME,
            id="a banner with a price",
        ),
    ],
)
def test_front_page_or_product_page_at_the_root(body: str, kind: PageKind) -> None:
    reading = read_page(f"<title>某某商城</title><body>{body}</body>", "https://a.example/")
    assert reading.kind is kind
    assert (reading.value("price") == "30") is (kind is PageKind.LISTING)


def test_a_broken_own_address_is_no_address() -> None:
    page = f"<link rel=canonical href='http://[x/{'y' * 5000}'><title>某某商城</title>{ONE}"
    assert read_page(page, "https://a.example/").kind is PageKind.LISTING


def test_the_listing_fixture_is_a_listing(listing: PageReading) -> None:
    assert listing.kind is PageKind.LISTING
    assert listing.obstacle is None


@pytest.mark.parametrize(
    ("html", "obstacle"),
    [
        ("<title>登录</title><form><p>请登录后查看</p><input name=u><input type=password></form>", Obstacle.LOGIN),
        ("<title>安全验证</title><div class='nc-container'>请向右滑动滑块完成验证</div>", Obstacle.CAPTCHA),
        ("<title>Just a moment</title><p>Verify you are human</p>", Obstacle.CAPTCHA),
        ("<title>茶铺</title><body><div id='app'></div><script src='/app.js'></script></body>", Obstacle.EMPTY_SHELL),
        ("<title>提示</title><p>抱歉,您查看的商品已下架或不存在</p>", Obstacle.SOFT_404),
        ("<title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>", Obstacle.ERROR),
        ("<title>茶铺</title><h1>茶铺</h1><p>欢迎光临,今日新到春茶。</p>", None),
    ],
)
def test_obstacle(html: str, obstacle: Obstacle | None) -> None:
    assert read_page(html, "https://a.example/x").obstacle is obstacle


def test_links_and_pictures_are_absolute_and_only_web_addresses() -> None:
    page = "<base href='https://b.example/d/'><a href='x.html'>甲</a><a href='/y'>乙</a><a href='//c.example/z#top'>丙</a><a href='javascript:alert(1)'>丁</a><a href='mailto:a@b.c'>戊</a><a href='#f'>己</a><img data-src='i.png' src='data:image/gif;base64,AA'>"
    reading = read_page(page, "https://a.example/q")
    assert [link.url for link in reading.links] == [
        "https://b.example/d/x.html",
        "https://b.example/y",
        "https://c.example/z",
    ]
    assert reading.images == ("https://b.example/d/i.png",)
