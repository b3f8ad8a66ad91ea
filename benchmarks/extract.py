"""How right and how quick the reading of pages is.

    python -m benchmarks.extract --pages DIR --truth FILE   F1 of price, currency, sku, brand, availability; CPU ms a page
    python -m benchmarks.extract --prices CSV               price strings: amount and currency
    python -m benchmarks.extract --speed                    CPU ms by stage on a static 60 KB page of our own making

One answer a page at most; price compared as a Decimal; a page without a true value takes no part in that field unless an
answer is given (then it is a false positive). Several values may be right.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from crawler.extract import read_page, reading
from crawler.extract.currency import currency_code
from crawler.extract.price import parse_price

FIELDS = ("price", "currency", "sku", "brand", "gtin", "mpn", "availability")


def same(field: str, answer: str, truth: list[str]) -> bool:
    """Whether an answer equals one of the right values, in the manner of its field."""
    if field == "price":
        try:
            return any(Decimal(answer) == Decimal(t) for t in truth)
        except InvalidOperation:
            return False
    if field == "currency":
        shared = {
            "$": {"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU"},
            "kr": {"NOK", "DKK", "SEK", "ISK"},
        }
        return any(
            answer in {t, currency_code(t.strip("~. "))} or answer in shared.get(t.strip(". "), set()) for t in truth
        )
    if field == "sku":
        return any(answer.strip() == t.strip() for t in truth)
    return any(answer.strip().casefold() == t.strip().casefold() for t in truth)


def pages(folder: Path, truth_file: Path, *, show: bool, repeat: int) -> None:
    truth: dict[str, dict[str, Any]] = json.loads(truth_file.read_text("utf-8"))
    right, wrong, missed = (dict.fromkeys(FIELDS, 0) for _ in range(3))
    cpu: list[tuple[float, int]] = []
    named = listing = 0
    for name, expected in truth.items():
        path = next(iter(folder.glob(f"{name}.html*")))
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        spent = []
        for _ in range(repeat):
            began = time.process_time()
            reading = read_page(body, expected.get("url", ""))
            spent.append((time.process_time() - began) * 1000)
        cpu.append((min(spent), len(body)))
        named += reading.value("name") is not None
        listing += reading.kind == "listing"
        for field in FIELDS:
            answer = reading.value(field)
            values = [str(v) for v in expected.get(field, [])]
            if answer is not None and values and same(field, answer, values):
                right[field] += 1
                continue
            wrong[field] += answer is not None and bool(values)
            missed[field] += bool(values)
            if show and values:
                print(
                    f"{name[:8]} {field}: {answer!r} ≠ {values} {reading.kind} {reading.facts.get(field)} {expected.get('url', '')[:90]}"
                )
    print(f"{'field':14}{'right':>6}{'wrong':>6}{'missed':>7}{'P':>7}{'R':>7}{'F1':>7}")
    for field in FIELDS:
        p = right[field] / max(1, right[field] + wrong[field])
        r = right[field] / max(1, right[field] + missed[field])
        print(
            f"{field:14}{right[field]:6}{wrong[field]:6}{missed[field]:7}{p:7.3f}{r:7.3f}{2 * p * r / max(1e-9, p + r):7.3f}"
        )
    ms = [t for t, _ in cpu]
    per_60k = [t / size * 60_000 for t, size in cpu]
    print(
        f"pages {len(truth)}, named {named}, read as listing {listing}; CPU ms/page median {statistics.median(ms):.1f}, max {max(ms):.1f}; per 60 KB median {statistics.median(per_60k):.1f}"
    )


def prices(file: Path, *, show: bool) -> None:
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    amounts = currencies = both = 0
    for row in rows:
        price = parse_price(row["price_raw"], row["currency_raw"])
        amount = price.amount == (Decimal(row["amount"]) if row["amount"] else None)
        currency = (price.symbol or "") == row["currency"]
        amounts, currencies, both = amounts + amount, currencies + currency, both + (amount and currency)
        if show and not (amount and currency):
            print(
                f"{row['price_raw']!r} | {row['currency_raw']!r}: {price.amount} {price.symbol}, right: {row['amount']} {row['currency']}"
            )
    print(
        f"strings {len(rows)}: amount {amounts / len(rows):.3f}, currency {currencies / len(rows):.3f}, both {both / len(rows):.3f}"
    )


def shop_page(seed: int) -> bytes:
    """A static page of 60 KB: menu, price, 32 attributes, 58 paragraphs with pictures, 32 reviews, 36 other goods, footer."""
    rng = random.Random(seed)
    han = "温和清洁补水滋润手工冷制海南山茶花油选料清香细腻泡沫丰富敏感肌肤适用全家老少旅行便携包装升级"

    def text(size: int) -> str:
        return "".join(rng.choices(han, k=size))

    offer = {"@type": "Offer", "price": "39.90", "priceCurrency": "CNY"}
    declared = json.dumps(
        {"@type": "Product", "name": "山茶花手工皂", "sku": "NY-1024", "offers": offer}, ensure_ascii=False
    )
    menu = "".join(f'<li class="nav-item"><a href="/list/{i}">{text(4)}</a></li>' for i in range(30))
    rows = "".join(f"<tr><th>{text(3)}</th><td>{text(8)}</td></tr>" for _ in range(32))
    told = "".join(
        f'<p class="txt">{text(90)},{text(60)}。{text(40)}</p><img data-src="/img/{i}.jpg" alt="{text(6)}">'
        for i in range(58)
    )
    reviews = "".join(
        f'<div class="review-item" id="rv{i}"><span class="user-name">{text(1)}***{text(1)}</span><span class="date">2026-03-{i % 28 + 1:02d} 10:20</span>'
        f'<span class="stars" data-score="{i % 5 + 1}"></span><p class="review-content">{text(30)},{text(20)}</p><span class="sku">规格:{i}0g</span></div>'
        for i in range(32)
    )
    others = "".join(
        f'<li class="card"><a href="/item/{i}.html"><img data-src="/i/{i}.jpg" alt=""><span class="name">{text(10)}</span></a><b class="price">¥{i + 9}.9</b></li>'
        for i in range(36)
    )
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>山茶花手工皂 - 南屿小铺</title><script type="application/ld+json">{declared}</script></head>'
        f'<body><nav class="main-nav"><ul>{menu}</ul></nav><main><h1 class="title">山茶花手工皂</h1><div class="price-box"><span class="now-price">¥39.90</span>'
        f'<del>划线价 ¥68</del></div><p>月销 1.2万 件</p><button class="btn-buy">立即购买</button><table>{rows}</table><div class="description">{told}</div>'
        f'<section class="review-list"><h2>商品评价(312)</h2>{reviews}</section><section class="recommend"><h3>猜你喜欢</h3><ul>{others}</ul></section></main>'
        f"<footer><p>企业名称:南屿日用品有限公司 统一社会信用代码:91460000MA5T0AAA0P</p><p>琼ICP备20260001号</p></footer></body></html>"
    ).encode()


STAGES = (
    "decode", "parse", "Structured", "Regions", "PassageReader", "read_links", "Candidates", "read_state", "Listing", "page_kind", "find_obstacle",
    "read_identity", "read_reviews",
)  # fmt: skip


def speed(repeat: int) -> None:
    """Medians over pages that differ in their words, after a few to warm up; each stage by this process's CPU time."""
    spent: dict[str, list[float]] = {name: [] for name in (*STAGES, "all")}

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time_ns()
            try:
                return call(*args, **kwargs)
            finally:
                spent[name].append((time.process_time_ns() - began) / 1e6)

        return run

    pages_ = [shop_page(seed) for seed in range(repeat + 5)]
    for page in pages_[:5]:
        read_page(page, "https://shop.example/item/1024.html")
    whole = timed("all", read_page)
    for page in pages_[5:]:
        whole(page, "https://shop.example/item/1024.html")
    total = statistics.median(spent["all"]), min(spent["all"])
    kept = {name: getattr(reading, name) for name in STAGES}
    for name, call in kept.items():
        setattr(reading, name, timed(name, call))
    for page in pages_[5:]:
        read_page(page, "https://shop.example/item/1024.html")
    for name, call in kept.items():
        setattr(reading, name, call)
    for name in STAGES:
        print(f"{name:16}{statistics.median(spent[name]):7.2f} ms, least {min(spent[name]):.2f}")
    print(f"{'whole page':16}{total[0]:7.2f} ms, least {total[1]:.2f}; {len(pages_[0]) / 1000:.1f} KB, {repeat} pages")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--prices", type=Path)
    parser.add_argument("--speed", action="store_true", help="CPU ms by stage, see --repeat")
    parser.add_argument("--show", action="store_true", help="print every miss")
    parser.add_argument("--repeat", type=int, default=1, help="best CPU time of so many readings")
    options = parser.parse_args()
    if options.speed:
        speed(max(20, options.repeat))
    if options.pages and options.truth:
        pages(options.pages, options.truth, show=options.show, repeat=options.repeat)
    if options.prices:
        prices(options.prices, show=options.show)


if __name__ == "__main__":
    main()
