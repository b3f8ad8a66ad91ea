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

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from semantic_lib.cache import keep, kept, key_of

Codes = NDArray[np.uint32]
Kinds = NDArray[np.uint8]
Places = NDArray[np.int64]

_LIMIT = 0x110000
_WORTH_KEEPING = 1_000  #: words whose misspellings are kept between processes
_MAX_FORMS = 320  #: misspellings of one anchor the prefilter looks for
_CODE = np.uint32(0x1FFFFF)
_SPECIAL = 9
#: What has compatibility forms or marks, and what has simplified forms.
_COMPATIBLE_RANGES = ((0x80, 0x3400), (0xA000, 0xAC00), (0xF900, 0x10000), (0x1D400, 0x1D800), (0x1F100, 0x1F200),
                      (0x1F210, 0x1F260), (0x2F800, 0x2FA20), (0xE0000, 0xE01F0))  # fmt: skip
_HAN_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x2F800))
_QUOTES = {**dict.fromkeys("「『“«〝＂", "“"), **dict.fromkeys("」』”»〞", "”"), **dict.fromkeys("‘’‛′＇", "'"),
           **dict.fromkeys("—–―－‐‑‒−", "-"), "～": "~", "〜": "~", "・": "·", "‧": "·", "•": "·", "｡": "。"}  # fmt: skip
#: Enclosed letters without a compatibility form: negative circled, negative squared, regional indicators.
_LETTERS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))

HAN, SOFT, DECOR, BREAK, COMMA, LATIN, STOP = 1, 2, 3, 4, 5, 6, 7
_COMMAS = ",、"
_SOFT = " ._|/:'\"-·()[]{}“”"
_DECOR = "*~^+=#@&$<>\\`"
_MARGIN = 40  #: characters kept on either side of a guess
_KIND_SHIFT = 24  #: a table value is a code point and, above it, its kind
_FIRST_SPECIAL = np.uint32(_SPECIAL << _KIND_SHIFT)
_STOPS = "。!?;\u2029"


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is the fold; `places[i]` is where its i-th code point stood in the original (None: at i itself)."""

    text: str
    codes: Codes
    kinds: Kinds
    places: Places | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's span (code points) of the fold's [start, end)."""
        if self.places is None or end <= start:
            return start, end
        return int(self.places[start]), int(self.places[end - 1]) + 1


@dataclass(frozen=True, slots=True)
class _Piece:
    """`text` stands at `at` in the candidate for the fold's [start, end); `guess` when the two differ."""

    at: int
    text: str
    start: int
    end: int
    guess: bool


class Candidate:
    """A guess at what was meant, only the surroundings of what was guessed, window by window."""

    __slots__ = ("_ats", "_pieces", "text")

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        self._pieces = pieces
        self._ats = [piece.at for piece in pieces]
        self.text = "".join(piece.text for piece in pieces)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The fold's span of the candidate's [start, end)."""
        first, last = self._piece(start), self._piece(end - 1)
        left = first.start if first.guess else first.start + start - first.at
        right = last.end if last.guess else last.start + end - last.at
        return left, max(right, left)

    def touched(self, start: int, end: int) -> bool:
        """Does the candidate's [start, end) rest on a guess?"""
        low = bisect_right(self._ats, start) - 1
        for number in range(max(low, 0), len(self._pieces)):
            piece = self._pieces[number]
            if piece.at >= end:
                return False
            if piece.guess and (piece.at > start or (piece.text and piece.at + len(piece.text) > start)):
                return True
        return False

    def _piece(self, at: int) -> _Piece:
        """The piece that holds candidate position `at` (empty pieces hold none)."""
        number = bisect_right(self._ats, at) - 1
        while not self._pieces[number].text and number:
            number -= 1
        return self._pieces[number]


def codes_of(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def text_of(codes: Codes) -> str:
    return str(codes.astype("<u4", copy=False).data, "utf-32-le", "surrogatepass")


def kinds_in(values: Codes) -> Kinds:
    """The kinds of table values: their highest byte."""
    return (values >> _KIND_SHIFT).astype(np.uint8)


def kinds_of(codes: Codes) -> Kinds:
    """The kinds of code points."""
    return kinds_in(_fold_table()[0].take(codes, mode="clip"))


def fold(text: str) -> Folded:
    """The fold of `text`. 1:1 where nothing vanished or grew, which is nearly always."""
    table, longer = _fold_table()
    values = table.take(codes_of(text), mode="clip")
    codes = values & _CODE
    kinds = kinds_in(values)
    if not codes.size or values.max() < _FIRST_SPECIAL:
        return Folded(text_of(codes), codes, kinds, None)
    special = np.flatnonzero(kinds == _SPECIAL)
    sizes = np.ones(codes.size, dtype=np.int64)
    sizes[special] = [len(longer[code]) for code in codes[special].tolist()]
    places = np.repeat(np.arange(codes.size, dtype=np.int64), sizes)
    out = codes[places]
    starts = np.cumsum(sizes) - sizes
    for at in special.tolist():
        new = longer[int(codes[at])]
        out[starts[at] : starts[at] + len(new)] = [ord(c) for c in new]
    return Folded(text_of(out), out, kinds_in(table.take(out, mode="clip")), places)


def folded(term: str) -> str:
    """`term` as it stands in any fold: characters fold one by one, so short words need no arrays."""
    return "".join(map(_FORMS.__getitem__, term))


class _Forms(dict[str, str]):
    """What each character met so far folds to."""

    def __missing__(self, char: str) -> str:
        form = self[char] = fold(char).text
        return form


_FORMS = _Forms()


@lru_cache(maxsize=1)
def _fold_table() -> tuple[Codes, tuple[str, ...]]:
    """(folded code | kind << 24 for every code point, the replacements that are not one character long).

    What vanishes or grows has kind _SPECIAL and, as its code, a place in the list.
    """
    table = np.arange(_LIMIT, dtype=np.uint32)
    longer: list[str] = [""]
    special: list[int] = []
    for char, meant in _foldings().items():
        if len(meant) == 1:
            table[ord(char)] = ord(meant)
            continue
        special.append(ord(char))
        table[ord(char)] = len(longer) if meant else 0
        if meant:
            longer.append(meant)
    for low in range(0x41, 0x5B):
        table[low] = low + 32
    table[:0x20] = 0x20
    table[0x0A:0x0E] = 0x0A
    table[0xD800:0xE000] = 0xFFFD  # halves of a pair, which no engine takes
    table[0x7F] = 0
    special.append(0x7F)
    folded_kinds = _classes()[table]
    folded_kinds[special] = _SPECIAL
    table |= folded_kinds.astype(np.uint32) << _KIND_SHIFT
    table.setflags(write=False)
    return table, tuple(longer)


def _foldings() -> dict[str, str]:
    """Every character that folds to something else, and to what; kept, for it takes a fifth of a second."""
    versions = f"{unicodedata.unidata_version} {version('opencc')}"
    key = key_of([versions.encode()])
    known = kept("folding", key)
    if isinstance(known, dict):
        return known
    made = _worked_out_foldings()
    keep("folding", key, made)
    return made


def _worked_out_foldings() -> dict[str, str]:
    from opencc import OpenCC

    compatible = [chr(c) for low, high in _COMPATIBLE_RANGES for c in range(low, high)]
    han = [chr(c) for low, high in _HAN_RANGES for c in range(low, high)]
    chars = compatible + han
    forms = [_compatible(c) for c in compatible] + han
    # Line breaks keep OpenCC's phrases from joining neighbours: each character is converted alone.
    simplified = OpenCC("t2s").convert("\n".join(form.replace("\n", " ") for form in forms)).split("\n")
    return {
        char: _QUOTES.get(char) or "".join(_QUOTES.get(c, c) for c in form)
        for char, form in zip(chars, simplified, strict=True)
        if form != char or char in _QUOTES
    }


def _compatible(char: str) -> str:
    for low, count in _LETTERS:
        if low <= ord(char) < low + count:
            return chr(ord("a") + ord(char) - low)
    if char in "\u2028\u2029\u0085":
        return "\u2029"
    form = unicodedata.normalize("NFKC", char).lower()
    kept = "".join(c for c in form if unicodedata.category(c) not in ("Cf", "Mn", "Me", "Cc", "Cn"))
    return " " if kept.isspace() else kept


Edit = tuple[int, int, str]  #: of the fold's [start, end), what was meant


class Speller:
    """Makes candidate views from the evasion tables.

    `rare` look-alikes (蕞) mean what they look like wherever they stand. `common` ones (反 for 返), split characters and
    syllables are ordinary text nearly always: they are undone only where that would give a rule's words, which the
    prefilter knows beforehand (`misspellings`).
    """

    def __init__(
        self, *, rare: Mapping[str, str], common: Mapping[str, str], splits: Mapping[str, str],
        syllables: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.rare = {form: folded(meant) for char, meant in rare.items() for form in {char, folded(char)} if form}
        together = {**common, **splits, **syllables}
        self._common = {folded(form): folded(meant) for form, meant in together.items()}
        self._by_meant: dict[str, list[str]] = {}
        for form, meant in (*self._common.items(), *self.rare.items()):
            if form != meant:
                self._by_meant.setdefault(meant, []).append(form)
        alternatives = sorted({*self._common, *self.rare}, key=len, reverse=True)
        self._tables = repr((sorted(self._common.items()), sorted(self.rare.items()))).encode()
        self._any_form = re.compile("|".join(map(re.escape, alternatives)) or "(?!)")

    def all_misspellings(self, words: Sequence[str]) -> list[str]:
        """The misspellings of all `words` together, kept between processes when they are many."""
        words = sorted(words)
        many = len(words) >= _WORTH_KEEPING
        key = key_of([self._tables, "\n".join(words).encode("utf-8", "surrogatepass")]) if many else ""
        known = kept("spellings", key) if many else None
        if isinstance(known, list):
            return known
        made = list(dict.fromkeys(form for word in words for form in self.misspellings(word)))
        if many:
            keep("spellings", key, made)
        return made

    def misspellings(self, word: str) -> list[str]:
        """`word` with one or two of its parts written otherwise; at most _MAX_FORMS."""
        if len(word) < 2:
            return []
        made: set[str] = set()
        frontier = {(word, 0)}
        for _ in range(2):
            grown: set[tuple[str, int]] = set()
            for text, begin in frontier:
                for at in range(begin, len(text)):
                    for size in (1, 2):
                        for form in self._by_meant.get(text[at : at + size], ()):
                            grown.add((text[:at] + form + text[at + size :], at + len(form)))
            made |= {text for text, _ in grown}
            frontier = grown
            if len(made) > _MAX_FORMS:
                break
        return sorted(made)[:_MAX_FORMS]

    def joined(self, page: Folded) -> Candidate | None:
        """Separators between characters that belong together taken out; None when there are none."""
        return _candidate(page.text, _separator_edits(page))

    def guessed(self, page: Folded, lines: Sequence[tuple[int, int]] | None = None) -> Candidate | None:
        """Everything undone in `lines` (default: all): separators, look-alikes, split characters, syllables beside Chinese."""
        edits: list[Edit] = []
        separators = _separator_edits(page)
        for left, right in lines if lines is not None else [(0, len(page.text))]:
            first = bisect_left(separators, (left, left, ""))
            last = bisect_left(separators, (right, right, ""), first)
            taken = [edit for edit in separators[first:last] if edit[1] <= right]
            gone = {at for start, end, _ in taken for at in range(start, end)}
            for match in self._any_form.finditer(page.text, left, right):
                start, end, form = match.start(), match.end(), match[0]
                if start in gone or (form[0].isascii() and not _syllable_stands(page.text, start, end)):
                    continue
                taken.append((start, end, self.rare.get(form) or self._common[form]))
            edits.extend(taken)
        return _candidate(page.text, sorted(edits))


def _syllable_stands(text: str, start: int, end: int) -> bool:
    """A syllable counts only as a whole run of letters that touches Chinese."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()):
        return False
    return (before != "" and before >= "\u3400") or (after != "" and after >= "\u3400")


def _candidate(text: str, edits: Sequence[Edit]) -> Candidate | None:
    """The windows around `edits` (sorted, not overlapping) with the edits made."""
    if not edits:
        return None
    pieces: list[_Piece] = []
    at = 0

    def add(words: str, start: int, end: int, *, guess: bool = False) -> None:
        nonlocal at
        pieces.append(_Piece(at, words, start, end, guess))
        at += len(words)

    done = 0
    for start, end, meant in edits:
        if pieces and start - done <= 2 * _MARGIN:
            add(text[done:start], done, start)
        else:
            if pieces:
                add(text[done : done + _MARGIN], done, done + _MARGIN)
                add("\n", done + _MARGIN, done + _MARGIN)
            left = max(start - _MARGIN, done)
            add(text[left:start], left, start)
        add(meant, start, end, guess=True)
        done = end
    add(text[done : done + _MARGIN], done, min(done + _MARGIN, len(text)))
    return Candidate(pieces)


def _separator_edits(page: Folded) -> list[Edit]:
    """Separators that stand between characters which belong together (全 网 最 低, 好*评)."""
    kinds = np.zeros(page.kinds.size + 2, dtype=np.uint8)
    kinds[1:-1] = page.kinds
    han = kinds == HAN
    separator = (kinds - np.uint8(SOFT)) <= COMMA - SOFT  # below SOFT wraps round to above
    lone = han[1:-1] > (han[:-2] | han[2:])
    lone &= separator[:-2] | separator[2:]
    lone |= kinds[1:-1] == DECOR
    if not lone.any():
        return []
    suspects = np.flatnonzero(lone)
    kinds = page.kinds
    flat = kinds.tobytes()
    found: list[Edit] = []
    taken: set[int] = set()
    for at in suspects.tolist():
        if flat[at] == DECOR:
            gaps: tuple[range, ...] = (_separators(flat, at),)
        else:
            gaps = (_before_lone(flat, at), _after_lone(flat, at))
        for gap in gaps:
            if gap and not taken.intersection(gap):
                taken.update(gap)
                found.append((gap.start, gap.stop, ""))
    return sorted(found)


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


def _classes() -> NDArray[np.uint8]:
    kinds = np.zeros(_LIMIT, dtype=np.uint8)
    kinds[0x3400:0xA000] = HAN
    kinds[0x20000:0x2FA20] = HAN
    kinds[ord("a") : ord("z") + 1] = LATIN
    for signs, kind in ((_SOFT, SOFT), (_DECOR, DECOR), (_COMMAS, COMMA), (_STOPS, STOP)):
        kinds[[ord(c) for c in signs]] = kind
    kinds[0x0A] = BREAK
    kinds[0x2190:0x2BFF] = DECOR  # arrows, shapes, dingbats
    kinds[0x1F000:0x1FB00] = DECOR  # emoji
    kinds[0xE000:0xF8FF] = DECOR  # private use
    return kinds
