"""crawler.urls and crawler.scope: one spelling a page, one template a kind, nobody's pages but our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.site import Site, SiteKind
from crawler.scope import Scope, looks_like_login
from crawler.urls import key_of, looks_like_page, normalise, origin_of, template_of


@pytest.mark.parametrize(
    ("given_url", "one_spelling"),
    [
        ("HTTP://Shop.CN:80/a/../b?id=1&spm=a.b.c&utm_source=x#top", "http://shop.cn/b?id=1"),
        ("https://shop.cn:443", "https://shop.cn/"),
        ("https://shop.cn:8443/x?b=2&a=1", "https://shop.cn:8443/x?b=2&a=1"),
        ("https://店铺.cn/商品?词=茶", "https://xn--hxtq42j.cn/%E5%95%86%E5%93%81?%E8%AF%8D=%E8%8C%B6"),
        ("https://shop.cn/a%2fb c", "https://shop.cn/a%2Fb%20c"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_one_page_has_one_spelling(given_url: str, one_spelling: str) -> None:
    assert normalise(given_url) == one_spelling
    assert normalise(one_spelling) == one_spelling


@pytest.mark.parametrize(
    "nothing", ["", "javascript:void(0)", "mailto:a@b.cn", "file:///etc/passwd", "http://", "//x:99999999/", "data:,x"]
)
def test_what_is_no_page_address_is_none(nothing: str) -> None:
    assert normalise(nothing) is None


@given(st.text(max_size=60), st.sampled_from(["https://shop.cn/a/b?c=1", "http://x.cn", ""]))
def test_any_text_either_normalises_for_good_or_is_none(text: str, base: str) -> None:
    once = normalise(text, base)
    if once is not None:
        assert once.startswith(("http://", "https://"))
        assert once.isascii()
        again = normalise(once)
        assert again is None or key_of(again) == key_of(once)


def test_scheme_and_closing_slash_do_not_make_another_page() -> None:
    assert key_of("http://shop.cn/a/") == key_of("https://shop.cn/a")
    assert key_of("http://shop.cn/a") != key_of("http://shop.cn/b")


def test_a_template_forgets_numbers_ids_and_values() -> None:
    assert template_of("https://s.cn/item/123.html?sku=9&ref=a") == template_of("https://s.cn/item/77.html?ref=&sku=1")
    assert template_of("https://s.cn/a/0f8fad5b-d9cb-469f-a165-70867728950e") == template_of("https://s.cn/a/deadbee7")
    assert template_of("https://s.cn/item/1") != template_of("https://s.cn/shop/1")


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://s.cn/item/1.html", True),
        ("https://s.cn/", True),
        ("https://s.cn/photo.JPG", False),
        ("https://s.cn/app.apk?from=page", False),
        ("https://s.cn/a/b/a/b/a/b/a/b", False),
        ("https://s.cn/" + "/".join("abcdefghijklmnopqrst"), False),
    ],
)
def test_files_and_loops_are_not_pages(url: str, page: bool) -> None:
    assert looks_like_page(url) is page


def test_origin_is_scheme_host_and_port() -> None:
    assert origin_of("https://s.cn:8443/a?b") == "https://s.cn:8443"
    assert origin_of("https://s.cn?b") == "https://s.cn"


PLATFORM = Site("p", "平台", SiteKind.PLATFORM, ("https://mall.cn/",))
SHOP = Site("a", "甲店", SiteKind.SHOP, ("https://mall.cn/shop/1/index.html",), platform_id="p")
OTHER = Site("b", "乙店", SiteKind.SHOP, ("https://mall.cn/shop/12",), platform_id="p")


@pytest.mark.parametrize(
    ("url", "found_on", "found_by", "owner"),
    [
        ("https://mall.cn/rules", "https://mall.cn/", PLATFORM, PLATFORM),
        ("https://www.mall.cn/rules", "https://mall.cn/", PLATFORM, PLATFORM),
        ("https://mall.cn/shop/1/new", "https://mall.cn/", PLATFORM, SHOP),
        ("https://mall.cn/shop/12/new", "https://mall.cn/", PLATFORM, OTHER),
        ("https://mall.cn/item/9", "https://mall.cn/shop/1/", SHOP, SHOP),
        ("https://mall.cn/item/8", "https://mall.cn/item/9", SHOP, None),
        ("https://else.cn/", "https://mall.cn/", PLATFORM, None),
        ("https://mall.cn.evil.cn/", "https://mall.cn/", PLATFORM, None),
    ],
)
def test_a_shop_owns_its_path_and_what_it_links_to(url: str, found_on: str, found_by: Site, owner: Site | None) -> None:
    assert Scope([PLATFORM, SHOP, OTHER]).owner(url, found_on, found_by) is owner


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://passport.mall.cn/x", True),
        ("https://mall.cn/user/login.html?back=1", True),
        ("https://mall.cn/blogin-tea", False),
        ("https://mall.cn/item/1", False),
    ],
)
def test_log_in_pages_are_known_by_their_address(url: str, login: bool) -> None:
    assert looks_like_login(url) is login
