"""Every fact planted in the sample market is read right, and no listing is seen where none is."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pytest

from contracts.page import Obstacle, PageKind, Region
from crawler.extract import read_page
from sample_market.clock import instant_of
from sample_market.market import load
from sample_market.pages import Shopfront

MARKET = load()
URLS = {site.id: f"https://{site.id}.example" for site in MARKET.sites}
FRONT = Shopfront(MARKET, URLS)
#: What these sites show of their operator stands in a picture of the licence, for the reader of pictures.
IN_PICTURES = {"operator", "uscc"}


def number(text: str | None) -> Decimal | str | None:
    try:
        return Decimal(text or "")
    except InvalidOperation:
        return text


@pytest.mark.parametrize("listing", MARKET.listings, ids=lambda item: item.id)
def test_planted_facts(listing) -> None:  # type: ignore[no-untyped-def]
    page = FRONT.respond(listing.site, listing.path, 1)
    reading = read_page(page.body, URLS[listing.site] + listing.path, content_type=page.content_type, at=instant_of(1))
    if reading.obstacle is Obstacle.EMPTY_SHELL:
        assert b"<script" in page.body  # built by scripts: the patrol renders it
        return
    assert reading.kind is PageKind.LISTING
    wrong = {
        name: (value, reading.value(name))
        for name, value in listing.facts_on(1).items()
        if number(reading.value(name)) != number(value) and not (name in IN_PICTURES and reading.value(name) is None)
    }
    assert not wrong
    for passage in reading.passages:
        if any(review.text == passage.text for review in reading.reviews):
            assert passage.region is Region.REVIEW


@pytest.mark.parametrize("plan", MARKET.pages, ids=lambda page: f"{page.site}{page.path}")
def test_no_listing_on_other_pages(plan) -> None:  # type: ignore[no-untyped-def]
    page = FRONT.respond(plan.site, plan.path, 1)
    reading = read_page(page.body, URLS[plan.site] + plan.path, content_type=page.content_type, at=instant_of(1))
    assert reading.kind is not PageKind.LISTING
    assert reading.value("price") is None


@pytest.mark.parametrize("site", MARKET.sites, ids=lambda site: site.id)
def test_fronts_lists_and_walls(site) -> None:  # type: ignore[no-untyped-def]
    def read(path: str):  # type: ignore[no-untyped-def]
        return read_page(FRONT.respond(site.id, path, 1).body, URLS[site.id] + path)

    assert read("/").kind in {PageKind.HOME, PageKind.SHOP}
    assert read("/list").kind is PageKind.LIST
    assert read("/member/orders").obstacle is Obstacle.LOGIN
    assert read("/verify").obstacle is Obstacle.CAPTCHA
    assert read("/goods/offline-1001").obstacle is Obstacle.SOFT_404
