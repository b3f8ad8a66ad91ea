"""Folding text so that one rule word meets all its spellings, with a map back to the original.

Two views of the same text:

* the *fold*: width, case, compatibility forms, zero-width and combining marks, enclosed letters, traditional → simplified.
  Whatever stands here stands in the original; a hit needs no further proof.
* the *candidate*: look-alikes (蕞→最), separators between single characters (全 网 最 低), split characters (女子评) and
  Latin syllables beside Chinese (好评反xian) are undone by guess. A hit that touches a guess is marked as such and weighs less.

Every step is a table look-up over an array of code points: linear, whatever the text.
Sources: Unicode NFKC (UAX 15), OpenCC t2s character table; look-alikes and syllables stand in lexicon/evasion.yaml.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC

Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

_LIMIT = 0x110000
_DROP = 0xFFFFFFFF
_EXPAND = 0x200000  # table values from here on index the list of longer replacements
#: What one look-up folds: everything with compatibility forms or marks, and all Han blocks.
_FOLDED_RANGES = ((0x80, 0x3400), (0x3400, 0xA000), (0xA000, 0xAC00), (0xF900, 0x10000), (0x1D400, 0x1D800),
                  (0x1F100, 0x1F200), (0x1F210, 0x1F260), (0x20000, 0x2FA20), (0xE0000, 0xE01F0))  # fmt: skip
_QUOTES = {**dict.fromkeys("「『“«〝＂", "“"), **dict.fromkeys("」』”»〞", "”"), **dict.fromkeys("‘’‛′＇", "'"),
           **dict.fromkeys("—–―－‐‑‒−", "-"), "～": "~", "〜": "~", "・": "·", "‧": "·", "•": "·", "｡": "。"}  # fmt: skip
#: Enclosed letters without a compatibility form: negative circled, negative squared, regional indicators.
_LETTERS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))

HAN, SOFT, DECOR, BREAK, COMMA, LATIN = 1, 2, 3, 4, 5, 6
_KIND, _LOOK, _SPLIT, _SIGN = 7, 8, 16, 32
_HOT = _LOOK | _SPLIT | _SIGN
_COMMAS = ",、"
_SOFT = " ._|/:'\"-·()[]{}“”"
_DECOR = "*~^+=#@&$<>\\`"


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is the fold; `places[i]` is where its i-th code point stood in the original (None: at i itself)."""

    text: str
    codes: Codes
    places: Places | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's span (code points) of the fold's [start, end)."""
        if self.places is None or end <= start:
            return start, end
        return int(self.places[start]), int(self.places[end - 1]) + 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A guess at what was meant. `places` map into the fold; `guessed` counts, up to each fold position, what was undone."""

    text: str
    codes: Codes
    places: Places
    guessed: Places
    ends: Mapping[int, int]  #: where in the fold a respelled character ends, by where it starts (xian for 现)

    def span(self, start: int, end: int) -> tuple[int, int]:
        last = int(self.places[end - 1])
        return int(self.places[start]), self.ends.get(last, last + 1)

    def touched(self, start: int, end: int) -> bool:
        """Does the candidate's [start, end) rest on a guess?"""
        left, right = self.span(start, end)
        return bool(self.guessed[right] - self.guessed[left])


def codes_of(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def text_of(codes: Codes) -> str:
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le", "surrogatepass")


def fold(text: str) -> Folded:
    """The fold of `text`. 1:1 where nothing vanished or grew, which is nearly always."""
    table, longer = _fold_table()
    codes = table[codes_of(text)]
    if not codes.size or codes.max() < _EXPAND:
        return Folded(text_of(codes), codes, None)
    special = np.flatnonzero(codes >= _EXPAND)
    sizes = np.ones(codes.size, dtype=np.int64)
    sizes[special] = [0 if code == _DROP else len(longer[code - _EXPAND]) for code in codes[special].tolist()]
    places = np.repeat(np.arange(codes.size, dtype=np.int64), sizes)
    out = codes[places]
    grown = special[codes[special] != _DROP]
    if grown.size:
        starts = np.cumsum(sizes) - sizes
        for at in grown.tolist():
            new = longer[int(codes[at]) - _EXPAND]
            out[starts[at] : starts[at] + len(new)] = [ord(c) for c in new]
    return Folded(text_of(out), out, places)


def folded(term: str) -> str:
    """`term` as it stands in any fold."""
    return fold(term).text


@lru_cache(maxsize=1)
def _fold_table() -> tuple[Codes, tuple[str, ...]]:
    table = np.arange(_LIMIT, dtype=np.uint32)
    longer: list[str] = []
    chars = [chr(c) for low, high in _FOLDED_RANGES for c in range(low, high)]
    forms = [_compatible(c) for c in chars]
    # Line breaks keep OpenCC's phrases from joining neighbours: each character is converted alone.
    simplified = OpenCC("t2s").convert("\n".join(form.replace("\n", " ") for form in forms)).split("\n")
    for char, form in zip(chars, simplified, strict=True):
        form = _QUOTES.get(char) or "".join(_QUOTES.get(c, c) for c in form)
        if form == "":
            table[ord(char)] = _DROP
        elif len(form) == 1:
            table[ord(char)] = ord(form)
        else:
            table[ord(char)] = _EXPAND + len(longer)
            longer.append(form)
    for low in range(0x41, 0x5B):
        table[low] = low + 32
    for code in range(0x20):
        table[code] = 0x20
    table[0x0A] = table[0x0D] = table[0x0B] = table[0x0C] = 0x0A
    table[0x7F] = _DROP
    table.setflags(write=False)
    return table, tuple(longer)


def _compatible(char: str) -> str:
    for low, count in _LETTERS:
        if low <= ord(char) < low + count:
            return chr(ord("a") + ord(char) - low)
    if char in "\u2028\u2029\u0085":
        return "\u2029"
    form = unicodedata.normalize("NFKC", char).lower()
    kept = "".join(c for c in form if unicodedata.category(c) not in ("Cf", "Mn", "Me", "Cc", "Cn"))
    return " " if kept.isspace() else kept


class Speller:
    """Makes candidate views from the evasion tables: look-alike characters, split characters, Latin syllables."""

    def __init__(self, lookalikes: Mapping[str, str], splits: Mapping[str, str], syllables: Mapping[str, str]) -> None:
        marks = _classes()
        look = np.arange(_LIMIT, dtype=np.uint32)
        for char, meant in lookalikes.items():
            for form in (char, *folded(char)):
                if len(form) == 1 and form != meant:
                    look[ord(form)] = ord(folded(meant))
                    marks[ord(form)] |= _LOOK
        self._splits = {folded(pair): folded(meant) for pair, meant in splits.items()}
        marks[marks == DECOR] |= _SIGN
        for pair in self._splits:
            marks[ord(pair[0])] |= _SPLIT
        self._look = look
        self._marks = marks
        self._syllables = {latin: folded(meant) for latin, meant in syllables.items()}

    def candidate(self, page: Folded) -> Candidate | None:
        """The surroundings of everything that may be a guess, or None when there is nothing to guess."""
        codes = page.codes
        if codes.size < 2:
            return None
        marks = self._marks[codes]
        edits = _Edits(codes)
        kinds = (marks & _KIND).tobytes()
        for at in np.flatnonzero(marks & _HOT).tolist():
            if kinds[at] == DECOR:
                edits.drop(_separators(kinds, at))
                continue
            whole = self._splits.get(page.text[at : at + 2])
            if whole:
                edits.replace(at, at + 2, whole)
            elif marks[at] & _LOOK:
                edits.replace(at, at + 1, chr(self._look[codes[at]]))
        han = (marks & _KIND) == HAN
        alone = han.copy()
        alone[1:] &= ~han[:-1]
        alone[:-1] &= ~han[1:]
        for at in np.flatnonzero(alone).tolist():
            edits.drop(_after_lone(kinds, at))
            edits.drop(_before_lone(kinds, at))
        latin = (marks & _KIND) == LATIN
        for at in np.flatnonzero((han[:-1] & latin[1:]) | (latin[:-1] & han[1:])).tolist():
            start, end = _latin_run(kinds, at)
            meant = self._syllables.get(page.text[start:end])
            if meant:
                edits.replace(start, end, meant[: end - start])
        return edits.candidate()


class _Edits:
    """Guesses at one text, collected; arrays are made only when there is one."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._meant: dict[int, str] = {}
        self._gone: set[int] = set()
        self._touched: set[int] = set()
        self._ends: dict[int, int] = {}

    def replace(self, start: int, end: int, meant: str) -> None:
        if start in self._touched:
            return
        for offset, char in enumerate(meant):
            self._meant[start + offset] = char
        self._touched.update(range(start, end))
        self._gone.update(range(start + len(meant), end))
        self._ends[start + len(meant) - 1] = end

    def drop(self, places: range) -> None:
        if places:
            self._gone.update(places)
            self._touched.update(places)

    def candidate(self) -> Candidate | None:
        if not self._touched:
            return None
        size = self._codes.size
        touched = np.array(sorted(self._touched), dtype=np.int64)
        guess = np.zeros(size, dtype=bool)
        guess[touched] = True
        near = _around(touched, size, margin=40)
        starts = np.flatnonzero(near[1:] & ~near[:-1]) + 1
        meant = self._codes.copy()
        for at, char in self._meant.items():
            meant[at] = ord(char)
        meant[starts[~guess[starts]]] = 0x0A  # windows do not touch one another
        near[list(self._gone)] = False
        places = np.flatnonzero(near)
        out = meant[places]
        counted = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(guess)))
        return Candidate(text_of(out), out, places, counted, self._ends)


def _separators(kinds: bytes, at: int) -> range:
    """The run of at most three separators around the decoration at `at`, when Han stands on both sides and no comma in it."""
    start, end = at, at + 1
    while start > 0 and end - start < 4 and SOFT <= kinds[start - 1] <= DECOR:
        start -= 1
    while end < len(kinds) and end - start < 4 and SOFT <= kinds[end] <= DECOR:
        end += 1
    fits = end - start < 4 and start > 0 and end < len(kinds) and kinds[start - 1] == HAN == kinds[end]
    return range(start, end) if fits else range(0)


def _after_lone(kinds: bytes, at: int) -> range:
    """Separators after a Han character that stands alone, up to the next Han character; commas only before another lone one."""
    end = at + 1
    while end < len(kinds) and end - at < 5 and SOFT <= kinds[end] <= COMMA:
        end += 1
    if end == at + 1 or end - at >= 5 or end >= len(kinds) or kinds[end] != HAN:
        return range(0)
    hard = any(kind in (BREAK, COMMA) for kind in kinds[at + 1 : end])
    next_alone = end + 1 >= len(kinds) or kinds[end + 1] != HAN
    return range(at + 1, end) if next_alone or not hard else range(0)


def _before_lone(kinds: bytes, at: int) -> range:
    """Blanks and soft signs between a longer run and the lone Han character at `at` (commas and breaks never)."""
    start = at
    while start > 0 and at - start < 4 and kinds[start - 1] in (SOFT, DECOR):
        start -= 1
    fits = start < at and at - start < 4 and start > 0 and kinds[start - 1] == HAN
    return range(start, at) if fits else range(0)


def _latin_run(kinds: bytes, at: int) -> tuple[int, int]:
    """The run of Latin letters that touches the border between `at` and the next character; at most seven are looked at."""
    start, end = (at + 1, at + 2) if kinds[at] == HAN else (at, at + 1)
    while end < len(kinds) and end - start < 8 and kinds[end] == LATIN:
        end += 1
    while start > 0 and end - start < 8 and kinds[start - 1] == LATIN:
        start -= 1
    return start, end


def _around(dirty: Places, size: int, *, margin: int) -> NDArray[np.bool_]:
    edges = np.zeros(size + 1, dtype=np.int32)
    np.add.at(edges, np.maximum(dirty - margin, 0), 1)
    np.add.at(edges, np.minimum(dirty + margin + 1, size), -1)
    return np.cumsum(edges[:-1]) > 0


def _classes() -> NDArray[np.uint8]:
    kinds = np.zeros(_LIMIT, dtype=np.uint8)
    kinds[0x3400:0xA000] = HAN
    kinds[0x20000:0x2FA20] = HAN
    kinds[ord("a") : ord("z") + 1] = LATIN
    for signs, kind in ((_SOFT, SOFT), (_DECOR, DECOR), (_COMMAS, COMMA)):
        kinds[[ord(c) for c in signs]] = kind
    kinds[0x0A] = BREAK
    kinds[0x2190:0x2BFF] = DECOR  # arrows, shapes, dingbats
    kinds[0x1F000:0x1FB00] = DECOR  # emoji
    kinds[0xE000:0xF8FF] = DECOR  # private use
    return kinds
