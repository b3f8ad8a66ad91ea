"""Prices a person would see: every amount on the page, scored by where and how it stands."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from contracts.page import Region
from crawler.extract.currency import STRONG
from crawler.extract.passages import PassageReader
from crawler.extract.price import Price, PriceKind, find_prices, parse_price
from crawler.extract.regions import Regions, name_words
from crawler.extract.tree import Tree
from crawler.extract.words import words

MAX_CANDIDATES: Final = 400

_UNREAD = frozenset({"script", "style", "head", "noscript", "template", "select", "svg", "textarea", "iframe"})
_ROWS = frozenset({"tr", "dl", "li", "p", "div"})
_CENTS_NAME = re.compile(r"cent|decimal|fraction|minor|penny|pence|kurus|xiaoshu", re.IGNORECASE)
_BARE = re.compile(r"\s*\d[\d.,  '’]{0,14}(?:,-|\.-)?\s*$")
_PRICE_WORDS = words(
    "price prices pricing preis prix prezzo precio preco cena pris jiage price cost amount saleprice currentprice finalprice 价格 售价 hinta ar"
)
_NOW_WORDS = words(
    "now current final sale special our offer promo selling actual today new nowprice saleprice currentprice xianjia cuxiao discounted finalprice main akt best buy"
)
_OLD_WORDS = words(
    "old was list original regular rrp msrp strike striked strikethrough before crossed compare previous market yuanjia huaxianjia oldprice listprice marketprice "
    "originalprice wasprice regularprice lineprice retail delprice del line past antes ancien barre statt uvp initial full oldprices base"
)
_OTHER_WORDS = words(
    "shipping delivery postage freight yunfei instalment installment instalments installments monthly month save saving savings saved discount points point unitprice "
    "deposit loyalty credit finance reward tax vat total subtotal cart basket minicart coupon voucher reference gift parcela parcelas rata threshold warranty protection addon accessory filter slider range"
)
_AROUND_OTHER = re.compile(
    r"shipping|delivery|运费|運費|versand|livraison|spedizione|env[ií]o|dostawa|doprava|gift ?card|warranty|finance|credit|protection plan",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Candidate:
    """An amount at a node. `score` about −10 … +10; `struck` when it is shown crossed out or called an earlier price."""

    price: Price
    node: int
    score: float
    struck: bool
    note: str = ""

    @property
    def amount(self) -> Decimal:
        assert self.price.amount is not None
        return self.price.amount


_KIND_SCORE: Final = {
    PriceKind.PRICE: 0.0,
    PriceKind.ORIGINAL: 0.0,
    PriceKind.COUPON: -0.3,
    PriceKind.MEMBER: -0.8,
}


_REGION_SCORE: Final = {
    Region.PRICE: 0.8, Region.TITLE: 0.2, Region.NAV: -3.5, Region.FOOTER: -5.0, Region.REVIEW: -5.0, Region.REPLY: -5.0, Region.QA: -5.0,
    Region.CHROME: -5.0, Region.TERMS: -2.0, Region.NOTICE: -1.5,
}  # fmt: skip
#: Where prices are other goods' or other people's.
_OTHERS: Final = frozenset({Region.NAV, Region.FOOTER, Region.REVIEW, Region.REPLY, Region.QA, Region.CHROME})
_NUMBER = re.compile(r"[0-9０-９元块塊圆圓]")


@lru_cache(maxsize=20_000)
def _all_words(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*map(name_words, names))


@lru_cache(maxsize=20_000)
def _name_score(own: frozenset[str], around: frozenset[str]) -> tuple[float, bool]:
    """What the names of the element, and of the three above it, say of the amount; and whether its own call it an old one."""
    score = 2.0 if own & _PRICE_WORDS else 1.2 if around & _PRICE_WORDS else 0.0
    score += 1.0 if own & _NOW_WORDS else 0.4 if around & _NOW_WORDS else 0.0
    if around & _OLD_WORDS and not own & (_OLD_WORDS | _NOW_WORDS):
        score -= 1.0
    score -= 3.0 if own & _OTHER_WORDS else 1.2 if around & _OTHER_WORDS else 0.0
    return score, bool(own & _OLD_WORDS)


def _own_buttons(buttons: Sequence[int], main: int, regions: Regions) -> list[int]:
    """Buy buttons of the page's own goods: not in a list of others, the nearest three to the heading."""
    own = [b for b in buttons if regions.of[b] not in {Region.NAV, Region.FOOTER, Region.REVIEW}] or list(buttons)
    return sorted(own, key=lambda b: abs(b - main))[:3] if main >= 0 else own[:3]


class Candidates:
    """All priced places of one page, best first."""

    def __init__(self, tree: Tree, regions: Regions, reader: PassageReader, main: int, buttons: Sequence[int]) -> None:
        self.tree, self.regions, self.reader = tree, regions, reader
        self.main, self.buttons = main, _own_buttons(buttons, main, regions)
        self.all: list[Candidate] = []
        self._marks: list[int] = []
        self._taken: list[int] = []
        self._gather()
        self._repeat()
        self.all.sort(key=lambda c: -c.score)

    def _gather(self) -> None:
        nodes, tree = self.tree.nodes, self.tree
        found = tree.shown.where(STRONG)
        self._marks = [tree.texts[k] for k in sorted(set().union(*found.values()))]
        marked, bare = set(self._marks), list[int]()
        unread = self._unread()
        for i in tree.texts:
            text = nodes[i].text
            if len(text) >= 400 or not _NUMBER.search(text) or nodes[i].parent < 0 or i in unread:
                continue
            if len(self.all) > MAX_CANDIDATES:
                break
            if not (i in marked and self._whole(i, nodes[i].parent)) and _BARE.match(text):
                bare.append(i)
        self._taken = sorted({c.node for c in self.all})
        for i in bare:
            self._climb(i, nodes[i].parent)

    def _unread(self) -> set[int]:
        """Nodes inside elements whose text is no running text."""
        nodes, found = self.tree.nodes, set[int]()
        for tag in _UNREAD:
            for i in self.tree.by_tag.get(tag, ()):
                if "shadowrootmode" not in nodes[i].attrs:
                    found.update(range(i, nodes[i].end))
        return found

    def _whole(self, i: int, parent: int) -> bool:
        """Amounts with their currency within one text."""
        prices = [p for p in find_prices(self.tree.nodes[i].text) if p.amount]
        if not prices:
            return False
        for price in prices if self.regions.of[i] in _OTHERS else self._in_row(parent, prices):
            self._add(price, parent, bare=False)
        return True

    def _climb(self, i: int, parent: int) -> None:
        """A bare number: the smallest element around it, at most four steps up, that holds its currency too."""
        nodes = self.tree.nodes
        place = parent
        for _ in range(5):
            if place < 0 or nodes[place].tag in {"body", "html"} or nodes[place].end - place > 40:
                break
            if self._within(self._taken, place):
                break  # the money in here is another amount's
            if self._within(self._marks, place):
                text = self._shown(place)
                prices = [p for p in find_prices(text) if p.amount] if len(text) <= 160 else []
                if prices:
                    insort(self._taken, place)
                    for price in self._in_row(place, prices):
                        self._add(price, place, bare=False)
                    return
            place = nodes[place].parent
        if self._words(parent) & _PRICE_WORDS and not self._within(self._taken, parent):
            price = parse_price(nodes[i].text)
            if price.amount:
                self._add(price, parent, bare=True)

    def _in_row(self, place: int, prices: list[Price]) -> list[Price]:
        """The same amounts with the kind that the label in their row or block gives them ("吊牌价 | 369 元")."""
        nodes = self.tree.nodes
        if nodes[place].tag in _ROWS:
            return prices
        row = next((a for a in list(self.tree.ancestors(place))[:3] if nodes[a].tag in _ROWS), -1)
        if row < 0 or nodes[row].end - row > 40 or len(text := self._shown(row)) > 90:
            return prices
        told = {p.amount: p for p in find_prices(text)}
        return [
            replace(p, kind=told[p.amount].kind, note=told[p.amount].note)
            if p.kind is PriceKind.PRICE and p.amount in told
            else p
            for p in prices
        ]

    def _within(self, places: list[int], i: int) -> bool:
        """One of the sorted `places` lies in the element."""
        first = bisect_left(places, i)
        return first < len(places) and places[first] < self.tree.nodes[i].end

    def _shown(self, i: int) -> str:
        """Text of a price's element, with cents set small and high given their point."""
        parts: list[str] = []
        nodes = self.tree.nodes
        for j in range(i, nodes[i].end):
            node = nodes[j]
            if node.tag != "#":
                continue
            text = node.text.strip()
            if not text:
                parts.append(" ")
                continue
            above = nodes[node.parent]
            small = above.tag in {"sup", "small"} or _CENTS_NAME.search(above.attrs.get("class", ""))
            if (
                small
                and text[:2].isdigit()
                and len(text.rstrip(" €$£")) == 2
                and parts
                and "".join(parts).rstrip()[-1:].isdigit()
            ):
                parts.append("." + text)
            else:
                parts.append(node.text)
        return " ".join("".join(parts).split())

    def _words(self, i: int, levels: int = 3) -> frozenset[str]:
        """Words of the class, id and itemprop of an element and a few above it."""
        nodes, names = self.tree.nodes, list[str]()
        while levels > 0 and i >= 0:
            attrs = nodes[i].attrs
            if attrs:
                names += [attrs[name] for name in ("class", "id", "itemprop") if name in attrs]
            i, levels = nodes[i].parent, levels - 1
        return _all_words(tuple(names))

    def _add(self, price: Price, i: int, *, bare: bool) -> None:
        own, around = self._words(i, 1), self._words(i, 4)
        named, old = _name_score(own, around)
        struck = price.kind is PriceKind.ORIGINAL or old or self._struck(i)
        score = named + _KIND_SCORE.get(price.kind, -4.0) + _REGION_SCORE.get(self.regions.of[i], 0.0)
        score += self._near(i) + self._shape(i)
        score -= 1.5 * bare + 1.5 * bool(price.unit) + 4.0 * struck
        self.all.append(Candidate(price, i, score, struck, price.note))

    def _shape(self, i: int) -> float:
        """Set off by its element, or lost in a sentence, or not seen at all."""
        tag = self.tree.nodes[i].tag
        score = 0.4 if tag in {"h2", "h3", "strong", "b", "big", "ins"} else 0.0
        if tag in {"p", "li", "label", "option"} or len(self.tree.text(i, 120)) > 60:
            score -= 0.8
        return score - (2.0 if self.reader.hidden[i] is not None else 0.0)

    def _near(self, i: int) -> float:
        """Up to +2 after the main heading and +1.5 around the buy button, by the number of nodes between."""
        score = 0.0
        if self.main >= 0:
            gap = i - self.main
            score += max(0.0, 2.0 - gap / 150) if gap >= 0 else max(-1.0, 0.6 + gap / 300)
        if self.buttons:
            gap = min(abs(i - b) for b in self.buttons[:20])
            score += max(0.0, 1.5 - gap / 80)
        return score

    def _struck(self, i: int) -> bool:
        nodes = self.tree.nodes
        for _ in range(4):
            if i < 0:
                return False
            node = nodes[i]
            if node.tag in {"del", "s", "strike"} or "line-through" in node.attrs.get("style", ""):
                return True
            i = node.parent
        return False

    def _cards(self) -> None:
        """Four or more different amounts in elements of one make are a list of goods, not the price of one."""
        makes: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
        for candidate in self.all:
            node = self.tree.nodes[candidate.node]
            if "class" in node.attrs:
                makes[(node.tag, node.attrs["class"])].append(candidate)
        for members in makes.values():
            places = {c.node for c in members}
            if len(places) < 4 or len({c.amount for c in members}) < 3:
                continue
            own = self._first_cluster(members)
            for candidate in members:
                candidate.score -= 0.0 if candidate.node in own else 2.5

    def _first_cluster(self, members: list[Candidate]) -> set[int]:
        """The page's own price (or range) may share its make with the list, standing apart from it after the heading."""
        places = sorted({c.node for c in members})
        own = {places[0]}
        for place in places[1:]:
            if place - max(own) > 150:
                break
            own.add(place)
        return own if len(own) <= 3 and 0 <= places[0] - self.main < 250 else set()

    def _repeat(self) -> None:
        """The price of the goods is often shown several times outside lists of other goods."""
        counts = Counter(c.amount for c in self.all if c.score > -2)
        self._cards()
        for candidate in self.all:
            candidate.score += min(1.0, 0.3 * (counts[candidate.amount] - 1)) if candidate.score > -2 else 0
