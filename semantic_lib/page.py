"""A page while it is being read: all passages folded once, views of them, and the sentences that rules look at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from contracts.page import Passage, Region
from semantic_lib.matcher import NO_BUNDLE, Bundle, Finder, Match
from semantic_lib.normalise import Candidate, Codes, Folded, Places, Speller, codes_of, fold

#: A sentence without an end is cut into windows of twice this many characters, which keeps hostile text linear.
_STEP = 160
MAX_PASSAGE, MAX_PAGE = 20_000, 400_000  #: characters that guards and exemptions look through
_STOPS = tuple(np.uint32(ord(c)) for c in "。!?;\n\u2029")
_HAN_LOW, _HAN_HIGH = 0x3400, 0xA000


class Page:
    """The passages as one folded text, and the way back to each passage's own offsets."""

    def __init__(self, passages: Sequence[Passage], bundle: Bundle = NO_BUNDLE) -> None:
        self.passages = passages
        self.bundle = bundle
        texts = [passage.text for passage in passages]
        self._starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        self.source = "\n".join(texts)
        self.folded: Folded = fold(self.source)
        self.view = View(self, self.folded, None)
        self._memo: dict[tuple[int, int], list[Match]] = {}
        self._present: dict[int, frozenset[int]] = {}

    def joined(self, speller: Speller) -> View | None:
        """The view with separators between single characters taken out, if there are any."""
        guess = speller.joined(self.folded)
        return View(self, self.folded, guess) if guess else None

    def guessed(self, speller: Speller) -> View | None:
        """The view with every possible guess made."""
        guess = speller.guessed(self.folded)
        return View(self, self.folded, guess) if guess else None

    def passage_at(self, source_offset: int) -> int:
        return min(bisect_right(self._starts, source_offset), len(self.passages)) - 1

    def passage_start(self, passage: int) -> int:
        return self._starts[passage]

    def folded_passage(self, passage: int) -> tuple[int, int]:
        """The fold's span of a passage."""
        start = self._starts[passage]
        end = start + len(self.passages[passage].text)
        places = self.folded.places
        if places is None:
            return start, end
        return int(np.searchsorted(places, start)), int(np.searchsorted(places, end))

    def find(self, finder: Finder, passage: int | None = None) -> list[Match]:
        """All places of `finder` in a passage (or, with None, in the page), in the fold; remembered."""
        key = (id(finder), -1 if passage is None else passage)
        if key not in self._memo:
            text = self.text_of(passage)
            present = self._present.get(key[1])
            if present is None:
                present = self._present[key[1]] = self.bundle.present(text)
            self._memo[key] = finder.find(text) if self.bundle.may(finder, present) else []
        return self._memo[key]

    def text_of(self, passage: int | None) -> str:
        """The fold of a passage, or of the page; of very long ones the beginning."""
        if passage is None:
            return self.folded.text[:MAX_PAGE]
        start, end = self.folded_passage(passage)
        return self.folded.text[start : min(end, start + MAX_PASSAGE)]


class View:
    """One spelling of the page's text: the fold itself, or a candidate."""

    def __init__(self, page: Page, folded: Folded, guess: Candidate | None) -> None:
        self.page = page
        self.guess = guess
        self.text = guess.text if guess else folded.text
        self._codes = codes_of(guess.text) if guess else folded.codes
        self._stops: Places | None = None
        self._segments: dict[tuple[int, int], Segment] = {}

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The span in the page's source (passages joined by line breaks)."""
        if self.guess:
            start, end = self.guess.span(start, end)
        return self.page.folded.span(start, end)

    def touched(self, start: int, end: int) -> bool:
        """True on the fold; on a candidate only where the span rests on a guess."""
        return self.guess is None or self.guess.touched(start, end)

    def segment(self, start: int, end: int) -> Segment | None:
        """The sentence around [start, end), or a window of it when it is very long. None when it straddles passages."""
        stops = self._sentence_stops()
        left_stop = int(np.searchsorted(stops, start))
        left = int(stops[left_stop - 1]) + 1 if left_stop else 0
        right_stop = int(np.searchsorted(stops, end - 1))
        right = int(stops[right_stop]) + 1 if right_stop < stops.size else len(self.text)
        if right - left > 2 * _STEP:
            window = max(left, start - (start - left) % _STEP - _STEP // 2)
            left, right = window, min(right, max(window + 2 * _STEP, end))
        known = self._segments.get((left, right))
        if known is None:
            source_start, source_end = self.source(start, end)
            passage = self.page.passage_at(source_start)
            if passage != self.page.passage_at(max(source_end - 1, source_start)):
                return None
            known = self._segments[left, right] = Segment(self, left, right, passage)
        return known

    def _sentence_stops(self) -> Places:
        if self._stops is None:
            codes = self._codes
            stop = _is_stop(codes)
            dots = np.flatnonzero(codes[:-1] == 0x2E)
            stop[dots[(codes[dots + 1] == 0x20) | (codes[dots + 1] == 0x0A)]] = True
            self._stops = np.flatnonzero(stop)
        return self._stops


def _is_stop(codes: Codes) -> NDArray[np.bool_]:
    stop = np.zeros(codes.size, dtype=np.bool_)
    for code in _STOPS:
        stop |= codes == code
    return stop


class Segment:
    """A sentence of a view, inside one passage, with what was found in it so far."""

    __slots__ = ("_language", "_memo", "_present", "cues", "end", "passage", "start", "text", "view")

    def __init__(self, view: View, start: int, end: int, passage: int) -> None:
        self.view, self.start, self.end, self.passage = view, start, end, passage
        self.text = view.text[start:end]
        self._memo: dict[int, list[Match]] = {}
        self._present: frozenset[int] | None = None
        self._language = ""
        self.cues: object = None

    def find(self, finder: Finder) -> list[Match]:
        found = self._memo.get(id(finder))
        if found is None:
            bundle = self.view.page.bundle
            if self._present is None:
                self._present = bundle.present(self.text)
            found = self._memo[id(finder)] = finder.find(self.text) if bundle.may(finder, self._present) else []
        return found

    @property
    def region(self) -> Region | None:
        return self.view.page.passages[self.passage].region

    @property
    def language(self) -> str:
        """zh when any Han character stands here, else en; the passage's own label decides first."""
        if not self._language:
            label = self.view.page.passages[self.passage].lang
            han = any(_HAN_LOW <= ord(char) < _HAN_HIGH for char in self.text)
            self._language = "zh" if han or (label or "").startswith("zh") else "en"
        return self._language

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The page-source span of this segment's [start, end)."""
        return self.view.source(self.start + start, self.start + end)
