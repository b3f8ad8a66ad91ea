"""What the library of violation semantics says of a snapshot's passages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.finding import Detection, Finding, Need, Pointer, Registers
from contracts.page import PageReading, Region
from contracts.site import History, Snapshot
from semantic_lib.library import Library
from semantic_lib.load import library

#: The platform's furniture is not the shop's claim, and lists of other goods are judged on those goods' own pages, where
#: the clue belongs. Hidden text is kept: a page may show it later.
_SKIPPED = frozenset({Region.CHROME, Region.NAV})
#: A browser's window title and the description for search engines repeat the page; the words on it are the better proof.
_REPEATS = frozenset({"document-title", "meta"})
#: What one capture of a page can never prove: on a captured page such words are a need, however plain they are. (In bare
#: text, as in a self-check before publishing, the library itself says what it suspects, and what would be needed.)
_TIME_BASED = frozenset(
    {
        "promo-fake-countdown",
        "promo-fake-stock",
        "promo-endless-limited-time",
        "price-fictitious-original",
        "price-raise-then-discount",
    }
)
_LATER = ("second-capture", "history")
#: How trade is done, as the reading's fact `mode` names it, in the words that mean cross-border retail import.
_CROSSING = ("cross-border", "bonded", "跨境", "保税", "1210", "9610")


class TextClaims:
    """Detector: rules over passages. Pure; the law in force is resolved by `at`."""

    def __init__(self, known: Library | None = None) -> None:
        self._library = known

    def __call__(self, snapshot: Snapshot, history: History, registers: Registers, at: datetime) -> Detection:
        known = self._library or library()
        reading = snapshot.reading
        numbered = [
            (n, p)
            for n, p in enumerate(reading.passages)
            if p.region not in _SKIPPED and p.hidden not in _REPEATS and p.text.strip()
        ]
        found = known.read(
            [passage for _, passage in numbered],
            at=at,
            goods=_goods(reading),
            title=reading.value("name") or reading.title or None,
            cross_border=_cross_border(reading),
        )
        numbers = [number for number, _ in numbered]

        def placed(pointer: Pointer) -> Pointer:
            number = numbers[pointer.passage] if pointer.passage is not None else None
            return replace(pointer, passage=number, snapshot_id=snapshot.id, captured_at=snapshot.captured_at)

        shown = [replace(f, evidence=tuple(placed(p) for p in f.evidence)) for f in found.findings]
        return Detection(
            tuple(f for f in shown if not waits(f)),
            tuple(replace(e, pointer=placed(e.pointer)) for e in found.exempted),
            (
                *(replace(n, pointer=placed(n.pointer)) for n in found.needs),
                *(Need(f.rule, f.category, f.needs, f.why, f.evidence[0]) for f in shown if waits(f)),
            ),
        )


def waits(finding: Finding) -> bool:
    """Whether a finding of words has to wait for another capture before it may be said of a page."""
    return finding.category in _TIME_BASED and any(need.startswith(_LATER) for need in finding.needs)


def _goods(reading: PageReading) -> str | None:
    """What the page's own facts say is sold."""
    words = [value for name in ("goods", "category", "permit") if (value := reading.value(name))]
    return " ".join(words) or None


def _cross_border(reading: PageReading) -> bool | None:
    mode = reading.value("mode")
    return any(word in mode.lower() for word in _CROSSING) if mode else None


text_claims = TextClaims()
