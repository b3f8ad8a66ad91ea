"""What a profile's selectors find on a page: facts and regions."""

from __future__ import annotations

import re
from typing import Final

from contracts.page import Fact, Region
from crawler.extract.currency import currency_code
from crawler.extract.price import parse_price
from crawler.extract.tree import Tree
from crawler.profiles.profile import Profile
from crawler.profiles.select import select

_MONEY: Final = frozenset({"price", "original_price"})
_NUMBERS: Final = frozenset({"rating", "review_count", "sales_count", "stock"})
_NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([万w千]?)", re.IGNORECASE)
_SCALE: Final = {"万": 10_000, "w": 10_000, "千": 1_000}
_OUT = re.compile(r"out.?of.?stock|sold.?out|缺货|售罄|无货|下架|补货", re.IGNORECASE)


def profile_facts(tree: Tree, profile: Profile, places: tuple[str, ...]) -> dict[str, Fact]:
    """Facts by the profile's selectors, `source` "profile:<id>"; a fact none of them finds is left to the general reading.

    `places`: country or language tags that tell what "$" means on this page.
    """
    trust = 0.95 if profile.tested else 0.7
    source = f"profile:{profile.id}"
    facts: dict[str, Fact] = {}
    for name, selectors in profile.facts.items():
        for text in (t for s in selectors for i in select(tree, s, most=5) if (t := _said(tree, i))):
            value = _value(name, text)
            if value:
                facts[name] = Fact(value, source, trust)
                if name == "price" and (code := currency_code(parse_price(text).symbol, places)) and len(code) == 3:
                    facts.setdefault("currency", Fact(code, source, trust))
                break
    return facts


def profile_regions(tree: Tree, profile: Profile) -> dict[int, Region]:
    """Regions by the profile's selectors, for the elements they find."""
    return {i: region for region, those in profile.regions.items() for s in those for i in select(tree, s)}


def _said(tree: Tree, i: int) -> str:
    attrs = tree.nodes[i].attrs
    return (attrs.get("content") or tree.text(i, 400)).strip()


def _value(name: str, text: str) -> str:
    if name in _MONEY:
        amount = parse_price(text).amount
        return "" if amount is None else f"{amount.normalize():f}"
    if name in _NUMBERS:
        match = _NUMBER.search(text)
        if match is None:
            return ""
        number = float(match[1].replace(",", "")) * _SCALE.get(match[2].lower(), 1)
        return f"{number:g}" if name == "rating" else str(int(number))
    if name == "availability":
        return "OutOfStock" if _OUT.search(text) else "InStock"
    if name == "currency":
        return currency_code(text) or ""
    return text.split(":", 1)[-1].split("\uff1a", 1)[-1].strip() if name in {"sku", "brand", "gtin", "mpn"} else text
