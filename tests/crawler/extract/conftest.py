"""Small pages of our own making; every shop, person and number in them is invented."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.page import PageReading, Region
from crawler.extract import read_page

LISTING = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>山茶花手工皂 100g - 南屿小铺</title>
<meta name="description" content="南屿小铺手工皂"></head><body>
<div class="site-nav"><a href="/login">登录</a></div>
<nav class="main-nav"><a href="/">首页</a><a href="/list/soap">香皂</a></nav>
<div class="breadcrumb">首页 &gt; 日用 &gt; 香皂</div>
<main><h1 class="title">山茶花手工皂 100g</h1>
<div class="price-box"><span class="now-price">¥39.90</span><del class="line-price">划线价 ¥68</del><span class="badge">限时特惠</span></div>
<p>月销 1.2万 件</p><p>库存 36 件</p>
<button id="buy">加入购物车</button>
<div class="shop-notice">本店公告:节后发货</div>
<div class="description"><p>冷制工艺,温和清洁。</p><img src="/i/a.jpg" alt="温和洁面大图">
<table><tr><td>品牌</td><td>南屿</td></tr><tr><th>产地</th><td>海南</td></tr><tr><td>货号</td><td>NY-1024</td></tr></table></div>
<p hidden>藏起来的一句</p><p style="display:none">也藏起来</p>
<section class="return-policy"><p>签收后七日内可退。</p></section>
<section id="reviews"><h2>商品评价(2)</h2>
<div class="review-item" id="rv1"><span class="user-name">小*鱼</span><span class="date">2026-03-05 10:20</span><span class="stars" data-score="5"></span>
<p class="review-content">全网最好用的皂</p><span class="sku">规格:100g</span><div class="seller-reply">掌柜回复:谢谢支持,我们是行业第一</div></div>
<div class="review-item" id="rv2"><span class="user-name">t***9</span><span class="date">3天前</span><span class="stars" data-score="3"></span>
<p class="review-content">味道一般</p></div></section>
<section class="qa-list"><h2>问大家</h2><p>能洗脸吗?</p></section>
<section class="recommend"><h3>猜你喜欢</h3><ul><li><a href="/item/2.html"><img src="2.jpg">别的皂</a><b>¥9.9</b></li><li><a href="/item/3.html"><img src="3.jpg">别的膏</a><b>¥19.9</b></li>
<li><a href="/item/4.html"><img src="4.jpg">别的霜</a><b>¥29.9</b></li></ul></section></main>
<footer><p>企业名称:南屿日用品有限公司 统一社会信用代码:91460000MA5T0AAA0P</p><p>琼ICP备20260001号</p><a href="/licence.html">营业执照</a></footer></body></html>"""


@pytest.fixture(scope="session")
def listing_html() -> str:
    return LISTING


@pytest.fixture(scope="session")
def listing() -> PageReading:
    from datetime import UTC, datetime

    return read_page(
        LISTING.encode(),
        "https://shop.example/item/1024.html",
        at=datetime(2026, 3, 20, 4, tzinfo=UTC),
        review_key=b"k",
    )


@pytest.fixture(scope="session")
def texts() -> Callable[[PageReading, Region], list[str]]:
    """Visible texts of one region."""
    return lambda reading, region: [p.text for p in reading.passages if p.region is region and p.hidden is None]
