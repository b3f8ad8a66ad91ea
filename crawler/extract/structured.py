"""schema.org and its like: JSON-LD, microdata, OpenGraph and product meta tags. Parsed without executing anything, bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from crawler.extract.claims import Claims
from crawler.extract.tree import Tree

MAX_JSON: Final = 1_000_000
MAX_OBJECTS: Final = 5_000

_COMMENT = re.compile(
    r"^\s*(?:<!--|/\*.*?\*/|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*;?\s*$", re.DOTALL
)
_UNDEFINED = re.compile(r"(?<=[:,\[])\s*(?:undefined|NaN|void 0|new Date\(\))(?=\s*[,}\]])")
_TRAILING = re.compile(r",(\s*[}\]])")
_PRODUCTS: Final = frozenset(
    {
        "product",
        "productmodel",
        "individualproduct",
        "someproducts",
        "productgroup",
        "book",
        "vehicle",
        "car",
        "event",
        "course",
    }
)
_OTHERS: Final = frozenset(
    {
        "isrelatedto",
        "issimilarto",
        "isaccessoryorsparepartfor",
        "itemlistelement",
        "isconsumablefor",
        "related",
        "mainentityofpage",
    }
)


def load_json(text: str) -> Any:
    """Lenient JSON; None when it is none. Never raises."""
    if len(text) > MAX_JSON:
        return None
    text = _COMMENT.sub("", text).strip().rstrip(";")
    for attempt in (text, _UNDEFINED.sub("null", _TRAILING.sub(r"\1", text))):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def objects(value: Any) -> Iterator[tuple[dict[str, Any], str, int]]:
    """Every dict in a JSON value with the key it stands under and its depth, breadth first, bounded."""
    queue: list[tuple[Any, str, int]] = [(value, "", 0)]
    for seen, (item, key, depth) in enumerate(queue):
        if seen > MAX_OBJECTS or depth > 40:
            return
        if isinstance(item, dict):
            yield item, key, depth
            queue.extend((v, k, depth + 1) for k, v in item.items() if isinstance(v, dict | list))
        elif isinstance(item, list):
            queue.extend((v, key, depth + 1) for v in item[:500] if isinstance(v, dict | list))


class Structured:
    """All that a page declares about itself in machine form."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.claims = Claims()
        self.types: set[str] = set()
        self.products = 0
        self.reviews: list[dict[str, Any]] = []
        self.organisations: list[dict[str, Any]] = []
        self.listed = 0  #: products that stand in an ItemList
        self.meta: dict[str, str] = {}
        self._ld: list[tuple[dict[str, Any], bool]] = []
        self._read_nodes()
        self._settle_ld()
        self._microdata()
        self._open_graph()

    def _read_nodes(self) -> None:
        nodes = self.tree.nodes
        for i in self.tree.tagged("script", "meta", "link"):
            node = nodes[i]
            if node.tag == "script" and node.text and "ld+json" in node.attrs.get("type", "").lower():
                self._json_ld(load_json(node.text))
            elif node.tag == "meta" and "content" in node.attrs:
                name = (
                    node.attrs.get("property") or node.attrs.get("name") or node.attrs.get("itemprop") or ""
                ).lower()
                if name:
                    self.meta.setdefault(name, node.attrs["content"])
            elif node.tag == "link" and node.attrs.get("rel", "").lower() == "canonical":
                self.meta.setdefault("canonical", node.attrs.get("href", ""))

    def _json_ld(self, value: Any) -> None:
        for item, key, _ in objects(value):
            types = _types(item)
            self.types |= types
            if types & {"review", "userreview"}:
                self.reviews.append(item)
            if types & {"organization", "localbusiness", "store", "onlinestore", "onlinebusiness", "corporation"}:
                self.organisations.append(item)
            if types & _PRODUCTS and (types & {"product", "productgroup"} or "offers" in item):
                other = key.lower() in _OTHERS or key.lower() in {"item", "hasvariant", "itemreviewed"}
                self.listed += key.lower() in {"itemlistelement", "item"}
                self._ld.append((item, other))

    def _settle_ld(self) -> None:
        """The page's own product among several: not one of a list, the one with an offer, the first of these."""
        own = [item for item, other in self._ld if not other] or ([self._ld[0][0]] if len(self._ld) == 1 else [])
        self.products = len(own)
        if not own:
            return
        with_offer = [item for item in own if item.get("offers") or item.get("hasVariant")]
        chosen = (with_offer or own)[0]
        trust = 3.0 if len({str(i.get("name")) for i in with_offer or own}) <= 1 else 1.2
        self._product(chosen, "json-ld", trust)
        for item in own:
            if item is not chosen and item.get("name") == chosen.get("name"):
                self._product(item, "json-ld", 0.5)

    def _product(self, item: dict[str, Any], source: str, trust: float) -> None:
        claims = self.claims
        claims.add("name", _text(item.get("name")), source, trust)
        for name in ("sku", "mpn"):
            claims.add(name, _text(item.get(name)), source, trust)
        claims.add("sku", _text(item.get("productID")), source, trust * 0.4)
        for name in ("gtin13", "gtin", "gtin8", "gtin12", "gtin14", "isbn"):
            claims.add("gtin", _text(item.get(name)), source, trust)
        claims.add("brand", _text(item.get("brand") or item.get("manufacturer")), source, trust)
        claims.add("category", _text(item.get("category")), source, trust)
        claims.add("origin", _text(item.get("countryOfOrigin")), source, trust)
        rating = item.get("aggregateRating")
        if isinstance(rating, list):
            rating = rating[0] if rating else None
        if isinstance(rating, dict):
            claims.add("rating", _text(rating.get("ratingValue")), source, trust)
            claims.add("best_rating", _text(rating.get("bestRating")), source, trust)
            claims.add("review_count", _text(rating.get("reviewCount") or rating.get("ratingCount")), source, trust)
        offers = item.get("offers") or item.get("Offers")
        if not offers and isinstance(item.get("hasVariant"), list):
            offers = [v.get("offers") for v in item["hasVariant"] if isinstance(v, dict)][:50]
        self._offers(offers, source, trust)

    def _offers(self, offers: Any, source: str, trust: float) -> None:
        flat: list[dict[str, Any]] = []
        for item, key, _ in objects(offers):
            if key.lower() in {
                "seller",
                "shippingdetails",
                "itemoffered",
                "shippingrate",
                "hasmerchantreturnpolicy",
                "eligiblequantity",
            }:
                continue
            if {"price", "lowPrice", "availability", "priceSpecification", "priceCurrency"} & item.keys():
                flat.append(item)
        prices = [p for o in flat if (p := _offer_price(o))]
        for i, offer in enumerate(flat[:30]):
            weight = trust if i == 0 or len(set(prices)) == 1 else trust * 0.15
            price = _offer_price(offer)
            kind = str(offer.get("priceType", "")).lower()
            if price and ("list" in kind or "strikethrough" in kind or "srp" in kind or "msrp" in kind):
                self.claims.add("original_price", price, source, trust)
            elif price:
                self.claims.add("price", price, source, weight)
            if offer.get("highPrice") and str(offer["highPrice"]) != price:
                self.claims.add("high_price", _text(offer["highPrice"]), source, weight)
            self.claims.add("currency", _text(offer.get("priceCurrency")), source, weight)
            self.claims.add("availability", _text(offer.get("availability")), source, weight)
            self.claims.add("sku", _text(offer.get("sku")), source, weight * 0.5)
            seller = offer.get("seller")
            if isinstance(seller, dict):
                self.claims.add("seller", _text(seller), source, weight)

    def _microdata(self) -> None:
        nodes = self.tree.nodes
        scopes = [
            i for i in self.tree.having.get("itemtype", ()) if _type_name(nodes[i].attrs["itemtype"]) in _PRODUCTS
        ]
        self.types |= {_type_name(nodes[i].attrs["itemtype"]) for i in self.tree.having.get("itemtype", ())}
        own = [i for i in scopes if nodes[i].attrs.get("itemprop", "").lower() not in _OTHERS]
        if not own:
            self._loose_microdata()
            return
        own.sort(key=lambda i: (not self._has_prop(i, "price"), i))
        self.products = max(self.products, 1)
        trust = 2.8 if len(own) == 1 else (2.0 if self._is_main(own[0]) else 0.8)
        first = True
        for i in own[:1]:
            for j in range(i + 1, nodes[i].end):
                prop = nodes[j].attrs.get("itemprop")
                if prop and self._belongs(j, i):
                    self._property(prop.lower(), j, trust if first else 0.3)

    def _loose_microdata(self) -> None:
        """itemprops without a scope: many shops forget it."""
        for j in self.tree.having.get("itemprop", ()):
            prop = self.tree.nodes[j].attrs["itemprop"].lower()
            if prop in {"price", "pricecurrency", "availability", "sku", "brand", "gtin13", "mpn", "lowprice"}:
                self._property(prop, j, 1.5)

    def _is_main(self, i: int) -> bool:
        nodes = self.tree.nodes
        return any(n.tag == "h1" for n in nodes[i : nodes[i].end])

    def _has_prop(self, i: int, name: str) -> bool:
        nodes = self.tree.nodes
        return any(name in n.attrs.get("itemprop", "").lower() for n in nodes[i : nodes[i].end])

    def _belongs(self, j: int, product: int) -> bool:
        """The property speaks of this product: no review or other product in between."""
        nodes = self.tree.nodes
        for up in self.tree.ancestors(j):
            if up == product:
                return True
            if "itemtype" in nodes[up].attrs and _type_name(nodes[up].attrs["itemtype"]) in {
                "review",
                *_PRODUCTS,
                "organization",
                "listitem",
                "itemlist",
                "rating",
                "postaladdress",
            }:
                return False
        return False

    def _property(self, prop: str, j: int, trust: float) -> None:
        name = {
            "price": "price", "lowprice": "price", "highprice": "high_price", "pricecurrency": "currency", "availability": "availability",
            "sku": "sku", "productid": "sku", "mpn": "mpn", "brand": "brand", "manufacturer": "brand", "name": "name", "gtin13": "gtin", "gtin": "gtin",
            "gtin8": "gtin", "gtin12": "gtin", "isbn": "gtin", "ratingvalue": "rating", "bestrating": "best_rating", "reviewcount": "review_count",
            "ratingcount": "review_count", "category": "category",
        }.get(prop)  # fmt: skip
        if name is None:
            return
        value = self._value(j)
        parent = self.tree.nodes[self.tree.nodes[j].parent] if self.tree.nodes[j].parent >= 0 else None
        if (
            name == "name"
            and parent is not None
            and parent.attrs.get("itemprop", "").lower() in {"brand", "manufacturer", "seller"}
        ):
            name = "brand" if parent.attrs["itemprop"].lower() != "seller" else "seller"
        if name == "price" and self._struck(j):
            name = "original_price"
        self.claims.add(name, value.split(":", 1)[-1] if prop == "productid" else value, "microdata", trust, j)

    def _struck(self, j: int) -> bool:
        nodes = self.tree.nodes
        return any(nodes[k].tag in {"del", "s", "strike"} for k in (j, *list(self.tree.ancestors(j))[:3]))

    def _value(self, j: int) -> str:
        attrs = self.tree.nodes[j].attrs
        for name in ("content", "href", "datetime", "value", "src"):
            if name in attrs and (name != "href" or self.tree.nodes[j].tag == "link"):
                return attrs[name]
        return self.tree.text(j, 300)

    def _open_graph(self) -> None:
        meta, claims = self.meta, self.claims
        for prefix in ("product:sale_price", "product:price", "og:price", "product:price"):
            claims.add("price", meta.get(f"{prefix}:amount"), "opengraph", 2.0 if "sale" not in prefix else 2.2)
            claims.add("currency", meta.get(f"{prefix}:currency"), "opengraph", 2.0)
        if meta.get("product:sale_price:amount") and meta.get("product:price:amount"):
            claims.add("original_price", meta["product:price:amount"], "opengraph", 1.5)
        claims.add("original_price", meta.get("product:original_price:amount"), "opengraph", 2.0)
        claims.add("name", meta.get("og:title"), "opengraph", 1.2)
        claims.add("brand", meta.get("product:brand") or meta.get("og:brand"), "opengraph", 1.5)
        claims.add("availability", meta.get("product:availability") or meta.get("og:availability"), "opengraph", 1.8)
        claims.add(
            "sku", meta.get("product:retailer_item_id") or meta.get("product:retailer_part_no"), "opengraph", 1.2
        )
        claims.add("gtin", meta.get("product:ean") or meta.get("og:upc") or meta.get("product:upc"), "opengraph", 1.5)
        for n in ("1", "2"):
            if "price" in meta.get(f"twitter:label{n}", "").lower():
                claims.add("price", meta.get(f"twitter:data{n}"), "opengraph", 1.2)


def _offer_price(offer: dict[str, Any]) -> str:
    price = offer.get("price", offer.get("lowPrice"))
    if price in (None, ""):
        spec = offer.get("priceSpecification")
        spec = spec if isinstance(spec, list) else [spec]
        for one in spec:
            if isinstance(one, dict) and one.get("price") and "list" not in str(one.get("priceType", "")).lower():
                price = one["price"]
                break
    if isinstance(price, list):
        price = price[0] if price else None
    return _text(price)


def _types(item: dict[str, Any]) -> set[str]:
    raw = item.get("@type") or item.get("type")
    return {_type_name(str(t)) for t in (raw if isinstance(raw, list) else [raw]) if isinstance(t, str)}


def _type_name(url: str) -> str:
    return url.strip().rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower()


def _text(value: Any) -> str:
    """The plain text of a JSON-LD value: a string, a number, or the name of what it points at."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or value.get("value") or value.get("@id") or ""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    return str(value).strip()
