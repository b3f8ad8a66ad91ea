"""What only a browser shows: clocks, made-up viewers, goods drawn by script, prices that remember."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sample_market.server import MarketServer

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def market() -> Iterator[MarketServer]:
    with MarketServer() as server:
        yield server


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def seconds(clock: str) -> int:
    hours, minutes, rest = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_the_script_shop_draws_its_goods(market: MarketServer, page: Page) -> None:
    page.goto(market.url_of("dx-earbud"))
    page.wait_for_selector("h1.goods-title")
    assert "¥99.00" in page.inner_text(".price-now")
    assert page.locator(".review").count() == 6
    assert page.inner_text(".live .n").isdecimal()
    assert 7190 <= seconds(page.inner_text(".timer .clock")) <= 7199


def test_an_invented_countdown_starts_again_on_reload(market: MarketServer, page: Page) -> None:
    page.clock.install()
    page.goto(market.url_of("nl-blender"))
    page.clock.run_for(600_000)
    assert seconds(page.inner_text(".timer .clock")) < 300
    page.reload()
    assert seconds(page.inner_text(".timer .clock")) >= 890


def test_a_true_countdown_follows_the_market_and_ends(market: MarketServer, page: Page) -> None:
    for _ in range(2):
        page.goto(market.url_of("nl-tent"))
        page.wait_for_function("document.querySelector('.timer .clock').textContent != '--:--:--'")
        assert 13 * 3600 < seconds(page.inner_text(".timer .clock")) <= 14 * 3600
    market.set_day(2)
    page.goto(market.url_of("nl-tent"))
    assert page.locator(".timer").count() == 0
    assert "209.00" in page.inner_text(".product__price")
    market.set_day(1)


def test_extras_are_ticked_at_first_load(market: MarketServer, page: Page) -> None:
    page.goto(market.url_of("dx-camera"))
    page.wait_for_selector(".extras input")
    ticked = page.eval_on_selector_all(".extras input", "boxes => boxes.map(b => b.checked)")
    assert ticked == [True, True, False]


def test_the_price_rises_for_a_visitor_who_returns(market: MarketServer, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    prices = []
    for _ in range(2):
        page.goto(market.url_of("dx-watch"))
        prices.append(page.inner_text(".price-now"))
    context.close()
    assert prices == ["¥299.00", "¥329.00"]


def test_one_popup_closes_and_another_cannot(market: MarketServer, page: Page) -> None:
    page.goto(market.base_urls["northlark"] + "/")
    page.click(".popup-close")
    assert page.locator(".popup").count() == 0
    page.goto(market.base_urls["qiongling"] + "/")
    assert page.locator(".popup").count() == 1
    assert page.locator(".popup button").count() == 0
