"""价格: a compared price against what was listed before (明码标价和禁止价格欺诈规定 16, 17, 19, 20).

One capture proves nothing. The compared price may not exceed the lowest transaction price of the seven days before the
promotion; what we hold are listed prices, so a contradiction is a lead and says so. Observations made while the same
comparison already stood are part of the promotion and prove nothing about the time before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from contracts.clock import iso
from contracts.finding import Detection, Finding, Method, Pointer, Registers, Tested
from contracts.site import History, Snapshot
from detectors.base import Bench, find

WINDOW = timedelta(days=7)
#: 先涨后降: the lift must be marked and the promotion price about the old one.
RAISED = Decimal("1.1")
BACK = Decimal("1.05")
#: A page that is out of stock is often priced 9999 so that nobody orders.
PLACEHOLDER = Decimal(9999)
CAVEAT = "所比为页面标价,不是成交价;须向平台调取交易记录"


@dataclass(frozen=True, slots=True)
class Tag:
    """A listing's price tag at an instant. `was` is the compared price, None when none was shown."""

    at: datetime
    price: Decimal
    was: Decimal | None
    snapshot_id: str
    unit: str


def money(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and value > 0 else None


def tags(history: History) -> list[Tag]:
    """Earlier price tags, oldest first; captures whose price could not be read are left out."""
    was = {o.snapshot_id: money(o.value) for o in history.of("original_price")}
    unit = {o.snapshot_id: o.value or "" for name in ("currency", "sku") for o in history.of(name)}
    return [
        Tag(o.at, price, was.get(o.snapshot_id), o.snapshot_id, unit.get(o.snapshot_id, ""))
        for o in history.of("price")
        if (price := money(o.value)) and price < PLACEHOLDER
    ]


class Prices:
    """Detector of `price-fictitious-original` and `price-raise-then-discount`."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, snapshot: Snapshot, history: History, registers: Registers, at: datetime) -> Detection:
        reading = snapshot.reading
        price, was = money(reading.value("price")), money(reading.value("original_price"))
        if price is None or was is None or was <= price or not snapshot.listing_id:
            return Detection()
        unit = reading.value("sku") or reading.value("currency") or ""
        earlier = [tag for tag in tags(history) if not tag.unit or not unit or tag.unit == unit]
        before = _before_promotion(earlier, was)
        quote = find(snapshot, _shown(snapshot, was))
        if raised := _raised(before, price, was):
            return Detection(findings=(self._raise(raised, price, was, quote, at),))
        contradicting = [
            t for t in before if t.at >= _began(earlier, was, at) - WINDOW and t.price < was and t.was is None
        ]
        if contradicting:
            return Detection(findings=(self._fictitious(contradicting, was, quote, at),))
        days = (at - earlier[0].at).days if earlier else 0
        why = f"所示比较价 {was} 元须与促销前七日价格核对;已掌握 {days} 天记录,未见相反标价"
        need = self._bench.need(
            "price-fictitious-original", "price-fictitious-original-history", ("history:price",), why, quote
        )
        return Detection(needs=(need,))

    def _fictitious(self, found: Sequence[Tag], was: Decimal, quote: Pointer, at: datetime) -> Finding:
        lowest = min(found, key=lambda t: t.price)
        days = max(1, (at - found[0].at).days)
        return self._bench.finding(
            "price-fictitious-original",
            "price-fictitious-original-history",
            at=at,
            pointers=(quote, *(_pointer(t) for t in found[:5])),
            claim=f"{was}",
            why=f"比较价 {was} 元高于促销前七日内的标价 {lowest.price} 元({iso(lowest.at)});记录覆盖 {days} 天。{CAVEAT}",
            confidence=0.8,
            met={"detect": True, "history": True},
            method=Method.HISTORY,
            tested=(
                Tested(
                    "definition-note",
                    "划线价有定义说明",
                    applies=None,
                    why="须核对页面说明是否写明为建议零售价或吊牌价",
                ),
                Tested("same-sku", "不同规格", applies=False, why="按同一商品和规格比较"),
            ),
            needs=("platform:transactions",),
        )

    def _raise(self, points: tuple[Tag, Tag], price: Decimal, was: Decimal, quote: Pointer, at: datetime) -> Finding:
        low, high = points
        return self._bench.finding(
            "price-raise-then-discount",
            "price-raise-then-discount-history",
            at=at,
            pointers=(quote, _pointer(low), _pointer(high)),
            claim=f"{low.price}→{high.price}→{price}",
            why=(
                f"{iso(low.at)} 标价 {low.price} 元,{iso(high.at)} 升至 {high.price} 元,"
                f"现以 {was} 元为比较价“降”为 {price} 元。{CAVEAT}"
            ),
            confidence=0.85,
            met={"detect": True, "history": True},
            method=Method.HISTORY,
            tested=(
                Tested("cost", "进货成本、汇率等正当原因", applies=None, why="须由经营者说明"),
                Tested("placeholder", "缺货占位价", applies=False, why=f"升价 {high.price} 元低于常见占位价"),
            ),
            needs=("platform:transactions",),
        )


def _before_promotion(earlier: Sequence[Tag], was: Decimal) -> list[Tag]:
    """Tags before the present comparison stood: from the last one back that did not show it."""
    standing = len(earlier)
    while standing and earlier[standing - 1].was == was:
        standing -= 1
    return list(earlier[:standing])


def _began(earlier: Sequence[Tag], was: Decimal, at: datetime) -> datetime:
    standing = earlier[len(_before_promotion(earlier, was)) :]
    return standing[0].at if standing else at


def _raised(before: Sequence[Tag], price: Decimal, was: Decimal) -> tuple[Tag, Tag] | None:
    """(low, high): an older low tag and a later high one that serves as the compared price, the price being low again."""
    for number, high in enumerate(before):
        if high.price < was * Decimal("0.97") or high.price > was * Decimal("1.03"):
            continue
        lows = [t for t in before[:number] if t.price * RAISED <= high.price and price <= t.price * BACK]
        if lows:
            return lows[-1], high
    return None


def _pointer(tag: Tag) -> Pointer:
    return Pointer(snapshot_id=tag.snapshot_id, quote=f"{tag.price}", captured_at=tag.at)


def _shown(snapshot: Snapshot, was: Decimal) -> str:
    """The compared price as the page writes it (399, 399.00, ¥399), else its plain number."""
    for words in (f"{was}", f"{was:.2f}", f"{was.normalize():f}"):
        if any(words in passage.text for passage in snapshot.reading.passages):
            return words
    return f"{was}"
