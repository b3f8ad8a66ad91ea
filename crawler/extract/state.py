"""Embedded state: the JSON that script-built shops carry along (`__NEXT_DATA__`, `window.__INITIAL_STATE__ = {…}`, dataLayer).

Read as data: balanced braces are cut out and parsed as JSON; what is a script literal instead is only searched for
`price: 12.90`-like pairs, which support a price seen elsewhere and seldom carry one alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from crawler.extract.claims import Claims
from crawler.extract.structured import load_json, objects
from crawler.extract.tree import Tree

MAX_SCRIPT: Final = 400_000
MAX_SCRIPTS_TOTAL: Final = 1_200_000
_ASSIGN = re.compile(r"(?:window\.|var |let |const |self\.)?([A-Za-z_$][\w$.]{2,60})\s*=\s*(?:JSON\.parse\()?(?=[{\[])")
_PUSH = re.compile(r"(dataLayer|digitalData|utag_data)\.push\(\s*(?={)")
_PAIR = re.compile(
    r"[\"']?\b(price|salePrice|sale_price|currentPrice|current_price|finalPrice|final_price|priceValue|product_price|productPrice|unitPrice|"
    r"price_amount|skuPrice|ecomm_totalvalue|value|promoPrice|sellingPrice|nowPrice|prodPrice|item_price|unit_price)[\"']?\s*[:=]\s*\[?[\"']?"
    r"(\d{1,9}(?:[.,]\d{1,3})*)[\"']?(?=\s*[,}\]\n;])"
)
_NAMES: Final = {
    "price": ("price", "salePrice", "sale_price", "currentPrice", "current_price", "finalPrice", "final_price", "promoPrice", "sellingPrice", "priceAmount", "skuPrice"),
    "original_price": ("originalPrice", "original_price", "listPrice", "list_price", "marketPrice", "market_price", "oldPrice", "regularPrice", "compareAtPrice", "linePrice"),
    "currency": ("currency", "currencyCode", "priceCurrency", "currency_code"),
    "sku": ("sku", "skuId", "sku_id", "productCode", "itemNumber", "productSku"),
    "brand": ("brand", "brandName", "brand_name"),
    "gtin": ("gtin", "ean", "gtin13", "barcode"),
    "stock": ("stock", "inventory", "stockNum"),
    "sales_count": ("sales", "salesCount", "soldCount", "sales_count", "sellCount"),
}  # fmt: skip
_TITLES: Final = ("name", "title", "productName", "product_name", "goodsName", "itemTitle")


def read_state(tree: Tree, title: str) -> Claims:
    """Claims of the objects that name the goods of this page (`title`: its heading or document title)."""
    claims = Claims()
    total = 0
    title_key = _letters(title)
    for i in tree.by_tag.get("script", ()):
        node = tree.nodes[i]
        if not node.text or "ld+json" in node.attrs.get("type", ""):
            continue
        text = node.text
        total += len(text)
        if total > MAX_SCRIPTS_TOTAL:
            tree.notes.append("页面脚本过大,后面的内嵌数据未读")
            break
        if "rice" not in text:
            continue
        is_json = "json" in node.attrs.get("type", "").lower() or text.lstrip()[:1] in "{["
        found = 0
        for source, value in (
            [(node.attrs.get("id") or "json", load_json(text))] if is_json else _literals(text[:MAX_SCRIPT])
        ):
            found += _read_value(value, source, title_key, claims)
        if not found:
            _pairs(text[:MAX_SCRIPT], claims)
    return claims


def _literals(text: str) -> Iterator[tuple[str, Any]]:
    """(name, value) of each `name = {…}` or `dataLayer.push({…})` that is plain JSON, at most 12."""
    tried = 0
    end = 0
    for pattern in (_ASSIGN, _PUSH):
        end = 0
        for match in pattern.finditer(text):
            if match.start() < end or tried >= 12:
                continue
            tried += 1
            end = _balanced(text, match.end())
            blob = text[match.end() : end]
            if len(blob) > 20 and "rice" in blob:
                value = load_json(blob)
                if value is not None:
                    yield match[1].rsplit(".", 1)[-1], value


_STRUCTURE = re.compile(r"[{}\[\]]|\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'", re.DOTALL)


def _balanced(text: str, start: int) -> int:
    """Where the literal that opens at `start` closes; strings are skipped."""
    depth = 0
    for match in _STRUCTURE.finditer(text, start):
        char = match[0]
        if char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return match.end()
    return len(text)


def _read_value(value: Any, source: str, title_key: str, claims: Claims) -> int:
    found = 0
    for item, _, depth in objects(value):
        name = next((item[k] for k in _TITLES if isinstance(item.get(k), str)), "")
        key = _letters(name)
        same = len(key) > 1 and (key == title_key or (len(key) > 3 and (key in title_key or title_key in key)))
        if not any(k in item for names in _NAMES.values() for k in names):
            continue
        weight = 1.6 if same else 0.25 if depth <= 4 else 0.08
        for fact, keys in _NAMES.items():
            for k in keys:
                got = item.get(k)
                if isinstance(got, dict):
                    got = next(
                        (
                            got[x]
                            for x in ("value", "amount", "price", "name", "current", "sellingPrice")
                            if isinstance(got.get(x), str | int | float)
                        ),
                        None,
                    )
                if isinstance(got, str | int | float) and not isinstance(got, bool):
                    if fact not in {"price", "original_price"} and not same:
                        continue
                    claims.add(fact, got, f"state:{source}", weight)
                    found += fact == "price"
                    break
    return found


def _pairs(text: str, claims: Claims) -> None:
    for i, match in enumerate(_PAIR.finditer(text)):
        if i >= 20:
            break
        claims.add("price", match[2], f"state:{match[1]}", 0.4 if match[1] != "value" else 0.15)


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
