"""Where text stands, whether it is seen, and how it is found again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selectolax.lexbor import LexborHTMLParser

from contracts.page import CONSUMER_VOICE, SHOP_VOICE, PageReading, Rect, Region
from crawler.extract import read_page

Texts = Callable[[PageReading, Region], list[str]]


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (Region.TITLE, "山茶花手工皂 100g"),
        (Region.PRICE, "¥39.90划线价 ¥68"),
        (Region.BADGE, "限时特惠"),
        (Region.NOTICE, "本店公告:节后发货"),
        (Region.BODY, "冷制工艺,温和清洁。"),
        (Region.BODY, "产地:海南"),
        (Region.IMAGE, "温和洁面大图"),
        (Region.TERMS, "签收后七日内可退。"),
        (Region.REVIEW, "全网最好用的皂"),
        (Region.REPLY, "掌柜回复:谢谢支持,我们是行业第一"),
        (Region.QA, "能洗脸吗?"),
        (Region.NAV, "别的膏¥19.9"),
        (Region.CHROME, "登录"),
        (Region.FOOTER, "琼ICP备20260001号"),
    ],
)
def test_each_text_in_its_region(listing: PageReading, texts: Texts, region: Region, text: str) -> None:
    assert text in texts(listing, region)


def test_no_consumer_word_becomes_the_shops(listing: PageReading) -> None:
    consumers = ("全网最好用的皂", "味道一般", "能洗脸吗")
    for passage in listing.passages:
        if any(word in passage.text for word in consumers):
            assert passage.region in CONSUMER_VOICE


def test_reviews_told_by_their_heading_alone(texts: Texts) -> None:
    page = "<body><h1>茶杯</h1><div><p>手工烧制</p></div><div><h3>买家评论(12)</h3><div>全国第一的杯子</div><div>很好</div></div><div><h3>商品详情</h3><p>窑变</p></div></body>"
    reading = read_page(page, "https://a.example/item/1.html")
    assert {"全国第一的杯子", "很好"} <= set(texts(reading, Region.REVIEW))
    assert "窑变" in texts(reading, Region.BODY)
    assert "手工烧制" in texts(reading, Region.BODY)


def test_reviews_told_by_schema_org(texts: Texts) -> None:
    page = '<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Cup</h1><div itemprop="review" itemscope itemtype="https://schema.org/Review"><p itemprop="reviewBody">best in the world</p></div></div>'
    assert texts(read_page(page, ""), Region.REVIEW) == ["best in the world"]


def test_a_wrapper_named_after_reviews_does_not_swallow_the_goods(texts: Texts) -> None:
    page = '<body><div class="product has-reviews comment-on"><h1>茶杯</h1><p>国家级工艺</p><button>加入购物车</button></div></body>'
    reading = read_page(page, "https://a.example/item/1.html")
    assert "茶杯" in texts(reading, Region.TITLE)
    assert "国家级工艺" in texts(reading, Region.BODY)


def test_pinyin_and_traditional_words(texts: Texts) -> None:
    page = '<body><h1>茶</h1><div id="pingjia"><p>甲</p></div><div class="shop_gonggao"><p>乙</p></div><div class="評價"><p>丙</p></div><div class="mianbaoxie">丁</div><span class="cuxiao-tag">戊</span></body>'
    reading = read_page(page, "")
    assert set(texts(reading, Region.REVIEW)) == {"甲", "丙"}
    assert texts(reading, Region.NOTICE) == ["乙"]
    assert texts(reading, Region.NAV) == ["丁"]
    assert texts(reading, Region.BADGE) == ["戊"]


@pytest.mark.parametrize(
    ("markup", "why"),
    [
        ("<p hidden>x字</p>", "display"),
        ('<p style="display: none">x字</p>', "display"),
        ('<div style="visibility:hidden"><p>x字</p></div>', "visibility"),
        ('<p style="opacity:0">x字</p>', "opacity"),
        ('<p style="font-size:0px">x字</p>', "zero-size"),
        ('<p style="position:absolute;left:-9999px">x字</p>', "off-screen"),
        ('<p style="opacity:0.5">x字</p>', None),
        ('<p data-wx-hidden="same-colour">x字</p>', "same-colour"),
        ('<div data-wx-hidden="off-screen"><p data-wx-rect="0,0,9,9">x字</p></div>', None),
    ],
)
def test_hidden_text_is_marked_not_dropped(markup: str, why: str | None) -> None:
    (passage,) = (p for p in read_page(f"<body>{markup}</body>", "").passages if "x字" in p.text)
    assert passage.hidden == why


def test_a_page_cannot_call_its_own_words_hidden() -> None:
    (passage,) = read_page(
        '<body><p data-wx-hidden="display" data-wx-rect="1,1,1,1">全网最低</p></body>'.encode(), ""
    ).passages
    assert passage.hidden is None
    assert passage.rects == ()


def test_hidden_words_inside_a_sentence_stand_apart() -> None:
    passages = read_page('<p>看得见<span style="display:none">看不见</span>的话</p>', "").passages
    assert [(p.text, p.hidden) for p in passages] == [("看得见", None), ("看不见", "display"), ("的话", None)]


def test_inline_runs_join_as_shown_and_br_breaks() -> None:
    page = "<p>全<b>网</b>最<i>低</i>价<br>第二行</p><ul><li>甲</li><li>乙</li></ul>"
    assert [p.text for p in read_page(page, "").passages] == ["全网最低价\n第二行", "甲", "乙"]


def test_every_selector_finds_its_element(listing_html: str, listing: PageReading) -> None:
    parser = LexborHTMLParser(listing_html)
    for passage in listing.passages:
        found = parser.css(passage.selector)
        assert len(found) == 1, passage.selector
        if passage.region is not Region.IMAGE and passage.hidden is None and ":" not in passage.text:
            shown = "".join(found[0].text(separator="").split())
            assert "".join(passage.text.split()) in shown


def test_rendered_dom_gives_the_same_passages(listing_html: str, listing: PageReading) -> None:
    rendered = LexborHTMLParser(listing_html)
    for n, node in enumerate(rendered.css("body *")):
        node.attrs["data-wx-rect"] = f"0,{n},100,20"
        if "hidden" in node.attributes or "display:none" in (node.attributes.get("style") or ""):
            node.attrs["data-wx-hidden"] = "display"
    again = read_page(str(rendered.html), "https://shop.example/item/1024.html")
    assert [(p.text, p.region, p.selector, p.hidden) for p in again.passages] == [
        (p.text, p.region, p.selector, p.hidden) for p in listing.passages
    ]
    assert any(p.rects for p in again.passages)
    assert {n: f.value for n, f in again.facts.items()} == {n: f.value for n, f in listing.facts.items()}


def test_rectangles_shadow_roots_and_frames() -> None:
    page = (
        '<body><div id="host"><template shadowrootmode="open"><p data-wx-rect="10,20.5,300,40">影子里</p></template></div>'
        '<div data-wx-frame="https://f.example/in"><div><p>框里</p></div></div><template><p>不出现</p></template></body>'
    )
    passages = {p.text: p for p in read_page(page, "").passages}
    assert passages["影子里"].rects == (Rect(10, 20.5, 300, 40),)
    assert passages["影子里"].selector == "#host p:nth-of-type(1)"
    assert passages["框里"].frame == "https://f.example/in"
    assert passages["框里"].selector == "body > div:nth-of-type(1) > p:nth-of-type(1)"
    assert "不出现" not in passages


def test_definition_of_voices_covers_what_we_emit(listing: PageReading) -> None:
    assert {p.region for p in listing.passages} & SHOP_VOICE


def test_whatever_stands_inside_a_review_stays_the_consumers(texts: Texts) -> None:
    page = (
        '<body><h1>茶杯</h1><ul class="comment-list"><li class="comment"><h4 class="title">最好的杯子</h4><b class="price">¥1 值了</b>'
        '<span class="badge">全国第一</span><div class="description">国家级品质</div></li></ul></body>'
    )
    reading = read_page(page, "https://a.example/item/1.html")
    assert set(texts(reading, Region.REVIEW)) >= {"最好的杯子", "国家级品质"}
    assert not {"最好的杯子", "¥1 值了", "全国第一", "国家级品质"} & {
        text for region in SHOP_VOICE for text in texts(reading, region)
    }


def test_full_width_colons_are_read_like_half_width_ones() -> None:
    page = "<footer><p>企业名称\uff1a南屿日用品有限公司\u3000统一社会信用代码\uff1a91460000MA5T0AAA0P</p><p>经营场所\uff1a海口市某路1号</p></footer>"
    reading = read_page(page, "https://a.example/")
    assert reading.value("operator") == "南屿日用品有限公司"
    assert reading.value("uscc") == "91460000MA5T0AAA0P"
    assert reading.value("address") == "海口市某路1号"
