"""Sentences come again, from page to page of a shop: what was said in one is remembered, with all it rested on elsewhere.

A remembered answer is used only when a fresh look would give the same: same letters, region, language label and anchors;
every word that was looked for elsewhere in the passage, and was not there, is not there now; the same goods; still no
consumer speaking; the same day. Whatever rested on more (words found elsewhere in the passage or page) is not remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from semantic_lib.matcher import Span
from semantic_lib.model import Detector, Rule
from semantic_lib.page import Segment, View

MAX_SENTENCES = 8_000  #: remembered at once; then all are forgotten
MAX_LETTERS = 400  #: longer sentences are not remembered


@dataclass(frozen=True, slots=True)
class Said:
    """One detector's words in a sentence: offsets into the sentence's fold, and into its original letters."""

    rule: Rule
    detector: Detector
    start: int
    end: int
    parts: tuple[Span, ...]
    values: Mapping[str, Decimal]
    source: Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a sentence's words (pointers are of the page it was judged on), and what that rested on."""

    outcomes: tuple[tuple[Said, Any], ...]
    on: date
    absent: frozenset[int]
    goods: Any  #: the goods it was judged for; None when nobody asked
    voice: bool  #: that no consumer speaks in the passage


class Sentence:
    """All that was said in a sentence, and the words (ids of finders) that must be absent from its passage for that."""

    __slots__ = ("absent", "said", "verdict")

    def __init__(self, said: tuple[Said, ...], absent: frozenset[int]) -> None:
        self.said, self.absent = said, absent
        self.verdict: Verdict | None = None


#: (original letters, what a guess makes of them, region, language label, anchors by number)
Key = tuple[str, str, Any, Any, tuple[int, ...]]


class Memory:
    """Sentences by their key."""

    def __init__(self) -> None:
        self._known: dict[Key, Sentence] = {}

    def get(self, key: Key) -> Sentence | None:
        return self._known.get(key)

    def put(self, key: Key, sentence: Sentence) -> None:
        if len(key[0]) > MAX_LETTERS:
            return
        if len(self._known) >= MAX_SENTENCES:
            self._known.clear()
        self._known[key] = sentence


class Place:
    """Where a sentence stands on this page: fold's [left, right) of a view, in a passage; `source` in the page's source."""

    __slots__ = ("_segment", "left", "passage", "right", "source", "view")

    def __init__(self, view: View, left: int, right: int, passage: int, source: Span) -> None:
        self.view, self.left, self.right, self.passage, self.source = view, left, right, passage, source
        self._segment: Segment | None = None

    @property
    def segment(self) -> Segment:
        if self._segment is None:
            self._segment = self.view.segment_at(self.left, self.right, self.passage)
        return self._segment


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence with something said in it, in its place."""

    place: Place
    sentence: Sentence


def longest(said: Sequence[Said]) -> tuple[Said, ...]:
    """Of one rule's overlapping words the longest; in order of their beginnings."""
    kept: list[Said] = []
    taken: dict[str, list[Span]] = {}
    for one in sorted(said, key=lambda one: one.source[0] - one.source[1]):
        spans = taken.setdefault(one.rule.id, [])
        if all(one.source[1] <= start or one.source[0] >= end for start, end in spans):
            spans.append(one.source)
            kept.append(one)
    return tuple(sorted(kept, key=lambda one: one.source[0]))
