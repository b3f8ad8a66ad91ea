"""A page while it is being read: all passages folded once, views of them, and the sentences that rules look at."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from contracts.page import Passage, Region
from semantic_lib.matcher import NO_BUNDLE, Bundle, Finder, Match, Span
from semantic_lib.normalise import BREAK, STOP, Candidate, Folded, Speller, codes_of, fold, kinds_of

#: A sentence without an end is cut into windows of twice this many characters, which keeps hostile text linear.
_STEP = 160
MAX_LINE = 400  #: characters before and after a misspelt word in which guesses are made
MAX_PASSAGE, MAX_PAGE = 20_000, 400_000  #: characters that guards and exemptions look through
_DOT, _BLANK, _LINE = (np.uint32(code) for code in (0x2E, 0x20, 0x0A))
_HAN_LOW, _HAN_HIGH = 0x3400, 0xA000


class Trace:
    """What a look rested on beyond its own sentence: words absent from the passage, the voice, or more than can be told."""

    __slots__ = ("absent", "goods", "more", "voice")

    def __init__(self) -> None:
        self.absent: set[int] = set()
        self.voice = self.goods = self.more = False


class Page:
    """The passages as one folded text, and the way back to each passage's own offsets."""

    def __init__(self, passages: Sequence[Passage], bundle: Bundle = NO_BUNDLE) -> None:
        self.passages = passages
        self.bundle = bundle
        self._starts: list[int] = []
        self.source = "\n".join([passage.text for passage in passages])
        self.folded: Folded = fold(self.source)
        self.view = View(self, self.folded, None)
        self._views = [self.view]
        self._memo: dict[tuple[int, int], list[Match]] = {}
        self._present: dict[int, frozenset[int]] = {}
        self.trace = Trace()
        self.voices: dict[int, str | None] = {}  #: passage → the words by which a consumer speaks there

    def joined(self, speller: Speller) -> View | None:
        """The view with separators between single characters taken out, if there are any."""
        guess = speller.joined(self.folded)
        return self._candidate(guess) if guess else None

    def guessed(self, speller: Speller, marks: Sequence[Span]) -> View | None:
        """The view with every possible guess made in the lines where `marks` (spans of the fold) stand."""
        guess = speller.guessed(self.folded, self._lines(marks))
        return self._candidate(guess) if guess else None

    def _candidate(self, guess: Candidate) -> View:
        view = View(self, self.folded, guess)
        self._views.append(view)
        return view

    def _lines(self, marks: Sequence[Span]) -> list[Span]:
        """The lines around `marks`, in order, each once; of very long ones the surroundings."""
        text = self.folded.text
        lines: list[Span] = []
        for start, end in sorted(marks):
            if lines and end <= lines[-1][1]:
                continue
            low = max(start - MAX_LINE, lines[-1][1] if lines else 0)
            left = text.rfind("\n", low, start) + 1 or low
            right = text.find("\n", end, end + MAX_LINE)
            lines.append((left, right if right >= 0 else min(end + MAX_LINE, len(text))))
        return lines

    def release(self) -> None:
        """Unties views and sentences, so that nothing need be searched for and collected. The page cannot be read after it."""
        for view in self._views:
            view.release()
        self._views.clear()
        del self.view

    def passage_at(self, source_offset: int) -> int:
        return min(bisect_right(self.starts, source_offset), len(self.passages)) - 1

    def passage_start(self, passage: int) -> int:
        return self.starts[passage]

    @property
    def starts(self) -> list[int]:
        """Where each passage begins in the source (and where one more would)."""
        if not self._starts:
            self._starts = list(accumulate([len(passage.text) + 1 for passage in self.passages], initial=0))
        return self._starts

    def folded_passage(self, passage: int) -> tuple[int, int]:
        """The fold's span of a passage."""
        start = self.starts[passage]
        end = start + len(self.passages[passage].text)
        places = self.folded.places
        if places is None:
            return start, end
        return int(np.searchsorted(places, start)), int(np.searchsorted(places, end))

    def find(self, finder: Finder, passage: int | None = None) -> list[Match]:
        """All places of `finder` in a passage (or, with None, in the page), in the fold; remembered."""
        key = (id(finder), -1 if passage is None else passage)
        if key not in self._memo:
            may = self.bundle.may(finder, self.present(passage))
            self._memo[key] = finder.find(self.text_of(passage)) if may else []
        found = self._memo[key]
        if found or passage is None or id(finder) not in self.bundle.known:
            self.trace.more = True
        else:
            self.trace.absent.add(id(finder))
        return found

    def present(self, passage: int | None) -> frozenset[int]:
        """ids of the finders of which a word stands in the passage (or page)."""
        key = -1 if passage is None else passage
        present = self._present.get(key)
        if present is None:
            present = self._present[key] = self.bundle.present(self.text_of(passage))
        return present

    def tracing(self) -> Trace:
        """A fresh trace, which everything looked up from now on is written to."""
        self.trace = Trace()
        return self.trace

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
        self._kinds = folded.kinds if guess is None else None
        self._stops: list[int] | None = None
        self.sentence = (0, 0)  #: the last one asked for, if it was a whole one: anchors come in order
        self._segments: dict[tuple[int, int], Segment] = {}

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The span in the page's source (passages joined by line breaks)."""
        if self.guess:
            start, end = self.guess.span(start, end)
        return self.page.folded.span(start, end)

    def touched(self, start: int, end: int) -> bool:
        """True on the fold; on a candidate only where the span rests on a guess."""
        return self.guess is None or self.guess.touched(start, end)

    def bounds(self, start: int, end: int) -> tuple[int, int]:
        """[left, right) of the sentence around [start, end), or of a window of it when it is very long."""
        left, right = self.sentence
        if left <= start and end <= right:
            return left, right
        stops = self._sentence_stops()
        left_stop = bisect_left(stops, start)
        left = stops[left_stop - 1] + 1 if left_stop else 0
        right_stop = bisect_left(stops, end - 1, left_stop)
        right = stops[right_stop] + 1 if right_stop < len(stops) else len(self.text)
        self.sentence = (left, right) if left_stop == right_stop and right - left <= 2 * _STEP else (0, 0)
        if right - left > 2 * _STEP:
            left = max(left, start - (start - left) % _STEP - _STEP // 2)
            right = min(right, max(left + 2 * _STEP, end))
        return left, right

    def segment(self, start: int, end: int) -> Segment | None:
        """The sentence around [start, end). None when the words straddle passages."""
        source_start, source_end = self.source(start, end)
        passage = self.page.passage_at(source_start)
        if passage != self.page.passage_at(max(source_end - 1, source_start)):
            return None
        return self.segment_at(*self.bounds(start, end), passage)

    def segment_at(self, left: int, right: int, passage: int) -> Segment:
        known = self._segments.get((left, right))
        if known is None:
            known = self._segments[left, right] = Segment(self, left, right, passage)
        return known

    def release(self) -> None:
        self._segments.clear()

    def _sentence_stops(self) -> list[int]:
        if self._stops is None:
            codes = self._codes
            kinds = kinds_of(codes) if self._kinds is None else self._kinds
            stop = kinds == STOP
            stop |= kinds == BREAK
            dots = np.flatnonzero(codes[:-1] == _DOT)
            stop[dots[(codes[dots + 1] == _BLANK) | (codes[dots + 1] == _LINE)]] = True
            self._stops = np.flatnonzero(stop).tolist()
        return self._stops


class Segment:
    """A sentence of a view, inside one passage, with what was found in it so far."""

    __slots__ = ("_language", "_memo", "_present", "end", "passage", "start", "text", "view")

    def __init__(self, view: View, start: int, end: int, passage: int) -> None:
        self.view, self.start, self.end, self.passage = view, start, end, passage
        self.text = view.text[start:end]
        self._memo: dict[int, list[Match]] = {}
        self._present: frozenset[int] | None = None
        self._language = ""

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
