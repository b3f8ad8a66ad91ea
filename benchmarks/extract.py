"""How right and how quick the reading of pages is.

    python -m benchmarks.extract --pages DIR --truth FILE   F1 of price, currency, sku, brand, availability; CPU ms a page
    python -m benchmarks.extract --prices CSV               price strings: amount and currency

One answer a page at most; price compared as a Decimal; a page without a true value takes no part in that field unless an
answer is given (then it is a false positive). Several values may be right.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import statistics
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from crawler.extract import read_page
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--prices", type=Path)
    parser.add_argument("--show", action="store_true", help="print every miss")
    parser.add_argument("--repeat", type=int, default=1, help="best CPU time of so many readings")
    options = parser.parse_args()
    if options.pages and options.truth:
        pages(options.pages, options.truth, show=options.show, repeat=options.repeat)
    if options.prices:
        prices(options.prices, show=options.show)


if __name__ == "__main__":
    main()
