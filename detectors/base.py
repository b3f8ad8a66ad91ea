"""What detectors without a rule file share: a finding put together from its category, under the law of the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from contracts.clock import SHANGHAI, aware
from contracts.finding import Element, Finding, Method, Need, Pointer, Severity, Tested
from contracts.site import Snapshot
from semantic_lib.library import Library
from semantic_lib.model import Category


class Bench:
    """Where findings are made: categories (titles, elements, provisions) and the law by date."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def category(self, category_id: str) -> Category:
        return self._library.categories[category_id]

    def finding(
        self,
        category_id: str,
        rule: str,
        *,
        at: datetime,
        pointers: Sequence[Pointer],
        claim: str,
        why: str,
        confidence: float,
        met: Mapping[str, bool | None],
        method: Method,
        tested: Sequence[Tested] = (),
        needs: Sequence[str] = (),
        severity: Severity | None = None,
        version: int = 1,
    ) -> Finding:
        """A suspicion. `met` says of an element's proof (`ElementOf.by`, up to its colon) whether it stands; all others are open."""
        category = self.category(category_id)
        on = aware(at).astimezone(SHANGHAI).date()
        return Finding(
            rule=rule,
            version=version,
            category=category_id,
            severity=severity or category.severity,
            confidence=confidence,
            evidence=tuple(pointers),
            claim=claim,
            title=category.title.zh,
            why=why,
            basis=self._library.law.resolve(category.basis, on),
            elements=tuple(
                Element(element.name.zh, met.get(element.by.partition(":")[0]), element.by)
                for element in category.elements
            ),
            tested=tuple(tested),
            needs=tuple(needs),
            method=method,
            advice=category.advice,
        )

    def need(self, category_id: str, rule: str, needs: Sequence[str], why: str, pointer: Pointer) -> Need:
        return Need(rule, category_id, tuple(needs), why, pointer)


def here(
    snapshot: Snapshot, *, quote: str = "", passage: int | None = None, start: int = 0, context: str = ""
) -> Pointer:
    """A pointer into this snapshot; without a quote it points at the whole page (something is absent)."""
    place = snapshot.reading.passages[passage] if passage is not None else None
    return Pointer(
        snapshot_id=snapshot.id,
        region=place.region if place else None,
        selector=place.selector if place else "",
        passage=passage,
        start=start,
        end=start + len(quote),
        quote=quote,
        context=context or (place.text[:500] if place else ""),
        captured_at=snapshot.captured_at,
    )


def find(snapshot: Snapshot, words: str) -> Pointer:
    """Where `words` stand on the page, the whole page when they stand nowhere (a fact read from markup)."""
    for number, passage in enumerate(snapshot.reading.passages):
        start = passage.text.find(words)
        if start >= 0:
            return here(snapshot, quote=words, passage=number, start=start)
    return replace(here(snapshot), quote=words)
