"""How good is the reading? `python -m benchmarks.quality DIR_OR_FILE…`

Any labelled JSON Lines or CSV: a text and what is true of it. Prints precision, recall and false-positive rate, whole and by
category, language, region and technique, with Wilson 95 % intervals, then the misses and the false alarms.

Accepted fields: `text` (or `review`, `summary`, or --column), `lang`, `region`, `category` or `truth` (category ids, or a
coarser name mapped below; "none" or empty: innocent), `arguable` (ids that count neither way), `kind` (positive, innocent),
`label` (1 positive), `technique`, `trap`, `needs_context`. Rows without any label count as innocent.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from contracts.finding import Detection, Method
from contracts.page import Passage, Region
from semantic_lib.library import Library
from semantic_lib.load import sound_part

csv.field_size_limit(10_000_000)

#: Coarser names that some sets use → our category ids.
COARSE: Mapping[str, tuple[str, ...]] = {
    "absolute-term": ("ad-absolute-terms", "ad-unsupported-citation", "ad-false-efficacy"),
    "medical-claim": ("ad-medical-claim-food", "ad-health-food", "ad-cosmetic-medical", "ad-false-efficacy"),
    "false-claim": (
        "ad-false-efficacy", "ad-unsupported-citation", "ad-false-honour-cert", "ad-false-origin", "ad-medical-claim-food",
        "ad-cosmetic-medical", "ad-health-food", "ad-absolute-terms", "ad-income-guarantee", "ad-state-organ",
    ),
    "fake-promotion": (
        "price-fictitious-original", "price-raise-then-discount", "promo-endless-limited-time", "promo-fake-countdown",
        "promo-fake-stock", "promo-rules-mismatch", "price-false-lowest", "promo-prize-draw", "price-not-marked",
    ),
    "group-buy-fraud": ("group-buy-fraud", "promo-rules-mismatch", "unfair-terms"),
    "prohibited-goods": ("goods-prohibited", "goods-restricted-no-permit"),
    "Scarcity": ("promo-fake-stock",),
    "Urgency": ("promo-endless-limited-time", "promo-fake-countdown"),
    "Social Proof": ("promo-fake-stock", "rep-brushing"),
}  # fmt: skip
_INNOCENT = {"", "none", "null", "innocent", "0", "not dark pattern"}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. `truth` empty: innocent; `exact` False when the truth is coarse and any finding counts."""

    id: str
    text: str
    lang: str
    region: str
    positive: bool
    truth: frozenset[str]
    arguable: frozenset[str]
    technique: str
    group: str
    words_alone: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found on a row: `found` counts; `likely` (凭相似) is told apart and never counts."""

    row: Row
    found: frozenset[str]
    quotes: str
    likely: frozenset[str] = frozenset()


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not total:
        return 0.0, 1.0
    z, p = 1.96, hits / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(hits: int, total: int) -> str:
    if not total:
        return "     –"
    low, high = wilson(hits, total)
    return f"{hits / total:.3f} [{low:.3f}–{high:.3f}] {hits}/{total}"


def rows(path: Path, column: str | None) -> Iterator[Row]:
    """Rows of one file."""
    with path.open(encoding="utf-8", newline="") as stream:
        if path.suffix == ".csv":
            for number, record in enumerate(csv.DictReader(stream), 1):
                yield _row(record, str(number), column)
        else:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _row(json.loads(line), str(number), column)


def _row(record: Mapping[str, object], number: str, column: str | None) -> Row:
    text = next((str(record[key]) for key in (column, "text", "review", "summary") if key and record.get(key)), "")
    kind = str(record.get("kind") or "")
    truth = _names(record.get("truth"))
    coarse = str(record.get("category") or record.get("pattern_category") or "")
    label = record.get("label")
    has_ad_label = "pattern_category" in record
    positive = (
        kind == "positive" or bool(truth) or (not kind and coarse.lower() not in _INNOCENT and "truth" not in record)
    )
    if has_ad_label:
        positive = str(label) == "1"
    elif "review" in record:
        positive = False  # a consumer's sentiment label is no offence
    mapped = truth or frozenset(COARSE.get(coarse, (coarse,) if positive and coarse else ()))
    return Row(
        id=str(record.get("id") or number),
        text=text.strip(),
        lang=str(record.get("lang") or "?"),
        region=str(record.get("region") or ""),
        positive=positive,
        truth=mapped if positive else frozenset(),
        arguable=_names(record.get("arguable")),
        technique=str(record.get("technique") or record.get("trap") or ""),
        group=coarse or ",".join(sorted(mapped)) or str(record.get("cat") or ""),
        words_alone=not record.get("needs_context"),
    )


def _names(value: object) -> frozenset[str]:
    if isinstance(value, (list, tuple)):
        return frozenset(map(str, value))
    return frozenset({str(value)}) if value and str(value).lower() not in _INNOCENT else frozenset()


def read(known: Library, row: Row, *, use_region: str | None, count_needs: bool, likeness: bool = False) -> Outcome:
    name = use_region if use_region is not None else row.region
    region = Region(name) if name in Region.__members__.values() else None
    found: Detection = known.read([Passage(row.text, region)], at=date(2026, 10, 1), likeness=likeness)
    spoken = [(f.category, f.rule, f.quote) for f in found.findings if f.method is not Method.LIKENESS]
    likely = frozenset(f.category for f in found.findings if f.method is Method.LIKENESS)
    if count_needs:
        spoken += [(n.category, n.rule, n.pointer.quote) for n in found.needs]
    return Outcome(
        row, frozenset(category for category, _, _ in spoken),
        "; ".join(f"{rule}:“{quote}”" for _, rule, quote in spoken), likely,
    )  # fmt: skip


def right(outcome: Outcome, *, any_category: bool) -> bool:
    row = outcome.row
    return bool(outcome.found) if any_category else bool(outcome.found & (row.truth | row.arguable))


def table(title: str, groups: Mapping[str, list[Outcome]], *, any_category: bool) -> None:
    print(f"\n{title}")
    for name, outcomes in sorted(groups.items()):
        good = [o for o in outcomes if o.row.positive]
        fine = [o for o in outcomes if not o.row.positive]
        caught = sum(right(o, any_category=any_category) for o in good)
        alarms = sum(bool(o.found - o.row.arguable) for o in fine)
        flagged_good = sum(bool(o.found) for o in good)
        print(
            f"  {name or '–':<34} recall {share(caught, len(good)):<32} precision {share(flagged_good, flagged_good + alarms):<32}"
            f" false alarms {share(alarms, len(fine))}"
        )


def report(outcomes: list[Outcome], *, any_category: bool, listed: int) -> None:
    table("ALL", {"all": outcomes}, any_category=any_category)
    words = [o for o in outcomes if o.row.words_alone]
    if len(words) != len(outcomes):
        table("WORDS ALONE (rows that need no context)", {"all": words}, any_category=any_category)
    for title, key in (
        ("BY CATEGORY", "group"),
        ("BY LANGUAGE", "lang"),
        ("BY REGION", "region"),
        ("BY TECHNIQUE", "technique"),
    ):
        groups: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in words:
            groups[str(getattr(outcome.row, key))].append(outcome)
        if 1 < len(groups) <= 120:
            table(title, groups, any_category=any_category)
    misses = [o for o in outcomes if o.row.positive and not right(o, any_category=any_category)]
    alarms = [o for o in outcomes if not o.row.positive and o.found - o.row.arguable]
    print(f"\nMISSES ({len(misses)})")
    for outcome in misses[:listed]:
        also = f"   (found {', '.join(sorted(outcome.found))})" if outcome.found else ""
        print(
            f"  {outcome.row.id} {'' if outcome.row.words_alone else '[context] '}{outcome.row.group}: {_short(outcome.row.text)}{also}"
        )
    print(f"\nFALSE ALARMS ({len(alarms)})")
    for outcome in alarms[:listed]:
        print(f"  {outcome.row.id} {outcome.row.technique}: {_short(outcome.row.text)}   ← {outcome.quotes}")


def likeness_table(outcomes: list[Outcome]) -> None:
    """凭相似, apart: what the model proposed where no rule spoke; and precision as it would be with the proposals counted."""
    proposed = [o for o in outcomes if o.likely]
    good = [o for o in proposed if o.likely & (o.row.truth | o.row.arguable)]
    offence = [o for o in proposed if o.row.positive]
    new = [o for o in good if o.row.positive and not right(o, any_category=False)]
    alarms = [o for o in proposed if not o.row.positive and o.likely - o.row.arguable]
    flagged = [o for o in outcomes if o.row.positive and (o.found or o.likely)]
    all_alarms = [o for o in outcomes if not o.row.positive and (o.found | o.likely) - o.row.arguable]
    print("\nLIKENESS (凭相似; counted nowhere else)")
    print(f"  proposals {len(proposed)}   category right {share(len(good), len(proposed))}")
    print(f"  on offending rows {share(len(offence), len(proposed))}   missed by the rules {len(new)}")
    print(f"  on innocent rows {len(alarms)}")
    print(f"  precision with proposals counted {share(len(flagged), len(flagged) + len(all_alarms))}")


def in_split(row: Row, split: str) -> bool:
    """The labelled corpus is split by the last digit of an id: 0–4 may be looked at while rules are written, 5–9 report."""
    digit = row.id[-1:]
    return split == "all" or (digit.isdigit() and (digit >= "5") is (split == "report"))


def _short(text: str) -> str:
    return text.replace("\n", "⏎")[:110]


def _paths(given: Iterable[str]) -> Iterator[Path]:
    for name in given:
        path = Path(name)
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.suffix in (".jsonl", ".csv"))
        elif path.exists():
            yield path
        else:
            sys.exit(f"没有 {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--column", help="name of the text column")
    parser.add_argument("--region", help="read every row as standing in this region (bare: unknown)")
    parser.add_argument("--findings-only", action="store_true", help="needs do not count as speaking")
    parser.add_argument("--likeness", action="store_true", help="let the learned model propose; reported apart")
    parser.add_argument(
        "--split",
        choices=("all", "report", "look"),
        default="all",
        help="rows by last digit of their id: report 5–9, look 0–4",
    )
    parser.add_argument("--root", type=Path, help="another library of rules")
    parser.add_argument("--any-category", action="store_true", help="any finding on a positive row counts")
    parser.add_argument("--list", type=int, default=60, help="how many misses and false alarms to list")
    options = parser.parse_args()
    region = "" if options.region == "bare" else options.region
    outcomes: list[Outcome] = []
    known, faulty = sound_part(options.root)
    for problem in faulty:
        print(f"LEFT OUT {problem}")
    for path in _paths(options.paths):
        outcomes += [
            read(known, row, use_region=region, count_needs=not options.findings_only, likeness=options.likeness)
            for row in rows(path, options.column)
            if row.text and in_split(row, options.split)
        ]
    print("counted: " + ("findings" if options.findings_only else "findings or needs"))
    report(outcomes, any_category=options.any_category, listed=options.list)
    if options.likeness:
        likeness_table(outcomes)


if __name__ == "__main__":
    main()
