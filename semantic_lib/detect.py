"""Does a detector hold in a sentence, and on which words?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from semantic_lib.matcher import Match, Span
from semantic_lib.model import Detector, Guard, Within
from semantic_lib.numbers import amount
from semantic_lib.page import Segment

MAX_HITS = 12  #: of one detector in one sentence


@dataclass(frozen=True, slots=True)
class Hit:
    """A detector's words in a segment: the whole span and each part's own."""

    segment: Segment
    detector: Detector
    start: int
    end: int
    parts: tuple[Span, ...]
    values: Mapping[str, Decimal] = field(default_factory=dict)


def hits(detector: Detector, segment: Segment) -> list[Hit]:
    """Every place where the detector holds in `segment`, left to right."""
    found: list[Hit] = []
    for parts in _together(detector, segment):
        start, end = min(p.start for p in parts), max(p.end for p in parts)
        values = _amounts(parts)
        if not all(comparison.holds(values) for comparison in detector.where):
            continue
        if all(guard_holds(guard, segment, start, end) for guard in detector.guards):
            found.append(Hit(segment, detector, start, end, tuple(p.span for p in parts), values))
        if len(found) >= MAX_HITS:
            break
    return found


def _amounts(parts: tuple[Match, ...]) -> dict[str, Decimal]:
    values: dict[str, Decimal] = {}
    for part in parts:
        for name, text in part.values.items():
            value = amount(text)
            if value is not None:
                values[name] = value
    return values


def _together(detector: Detector, segment: Segment) -> list[tuple[Match, ...]]:
    if len(detector.parts) == 1:
        return [(match,) for match in segment.find(detector.parts[0])]
    if detector.within in (Within.PASSAGE, Within.PAGE):
        return _far_apart(detector, segment)
    groups = [segment.find(part) for part in detector.parts]
    if not all(groups):
        return []
    reach = detector.within if isinstance(detector.within, int) else len(segment.text)
    made: list[tuple[Match, ...]] = []
    taken_to = -1
    for first in groups[detector.anchor if not detector.ordered else 0]:
        chosen = (_in_order if detector.ordered else _nearest)(first, groups, detector, reach)
        if chosen and min(m.start for m in chosen) >= taken_to:
            made.append(chosen)
            taken_to = max(m.end for m in chosen)
        if len(made) >= MAX_HITS:
            break
    return made


def _in_order(first: Match, groups: list[list[Match]], _: Detector, reach: int) -> tuple[Match, ...] | None:
    chosen = [first]
    for group in groups[1:]:
        later = next((m for m in group if m.start >= chosen[-1].end), None)
        if later is None or later.start - chosen[-1].end > reach:
            return None
        chosen.append(later)
    return tuple(chosen)


def _nearest(first: Match, groups: list[list[Match]], detector: Detector, reach: int) -> tuple[Match, ...] | None:
    chosen = {detector.anchor: first}
    for number, group in enumerate(groups):
        if number == detector.anchor:
            continue
        free = (m for m in group if all(m.end <= c.start or m.start >= c.end for c in chosen.values()))
        left, right = min(c.start for c in chosen.values()), max(c.end for c in chosen.values())
        best = min(free, key=_distance_from(left, right), default=None)
        if best is None or _distance_from(left, right)(best) > reach:
            return None
        chosen[number] = best
    return tuple(chosen[number] for number in range(len(groups)))


def _distance_from(left: int, right: int) -> Callable[[Match], int]:
    def distance(match: Match) -> int:
        return max(left - match.end, match.start - right, 0)

    return distance


def _far_apart(detector: Detector, segment: Segment) -> list[tuple[Match, ...]]:
    """The anchor part stands here; the others anywhere in the passage or page. The span is the anchor's."""
    page = segment.view.page
    passage = segment.passage if detector.within is Within.PASSAGE else None
    others = [part for number, part in enumerate(detector.parts) if number != detector.anchor]
    if not all(segment.find(part) or page.find(part, passage) for part in others):
        return []
    return [(match,) for match in segment.find(detector.parts[detector.anchor])]


def guard_holds(guard: Guard, segment: Segment, start: int, end: int) -> bool:
    return bool(guard_words(guard, segment, start, end)) != guard.absent


def guard_words(guard: Guard, segment: Segment, start: int, end: int) -> list[Match]:
    """What of the guard's words stands in its neighbourhood of [start, end)."""
    if guard.where is Within.PAGE:
        return segment.view.page.find(guard.finder)
    if guard.where is Within.PASSAGE:
        return segment.find(guard.finder) or segment.view.page.find(guard.finder, segment.passage)
    found = segment.find(guard.finder)
    reach = len(segment.text) if guard.where is Within.SENTENCE else int(guard.where)
    before = guard.side in ("before", "both")
    after = guard.side in ("after", "both")
    return [
        m
        for m in found
        if (before and m.start < start and start - m.end <= reach)
        or (after and m.end > end and m.start - end <= reach)
        or (guard.side == "both" and m.start < end and start < m.end)
    ]
