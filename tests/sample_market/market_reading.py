"""What a person could read on a page of the market: words, picture texts and what the page's own script draws."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lxml import html

from sample_market.market import load
from sample_market.pages import Page, Shopfront

MARKET = load()
URLS = {site.id: f"http://{site.host}:8800" for site in MARKET.sites}
SHOPFRONT = Shopfront(MARKET, URLS)


def page(site_id: str, path: str, day: int) -> Page:
    return SHOPFRONT.respond(site_id, path, day)


def text_of(markup: bytes, encoding: str) -> str:
    """Visible words of a page, blanks collapsed; picture descriptions included."""
    tree = html.fromstring(markup.decode(encoding))
    for node in tree.xpath("//script|//style"):
        node.drop_tree()
    words = [tree.text_content(), *tree.xpath("//img/@alt")]
    return squeeze(" ".join(words))


def squeeze(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text)


@lru_cache(maxsize=1024)
def words(site_id: str, path: str, day: int) -> str:
    """All that the page says on a market day: text, what its script adds from JSON, and the words inside its pictures."""
    site = MARKET.site(site_id)
    listing = next((item for item in MARKET.listings_of(site_id) if item.path == path), None)
    said = [text_of(page(site_id, path, day).body, site.encoding)]
    if listing is not None:
        if site.look == "shell":
            for kind in ("item", "reviews"):
                value = json.loads(page(site_id, f"/api/{kind}/{listing.id}.json", day).body)
                said += strings(value)
        said += [str(line) for p in listing.fields.on(day).get("pictures", []) for line in p["lines"]]
    return squeeze(" ".join(said))


def strings(value: Any) -> Iterator[str]:
    """Every text and number inside a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif value is not None:
        yield str(value)
