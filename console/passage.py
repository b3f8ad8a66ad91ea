"""Hostile text made fit to show: cut to a bound, split at marks, with invisible and direction-changing characters shown.

Nothing here makes HTML. The templates escape every piece and put it into `<bdi>`, so a page's text can neither run, nor
reorder what stands around it, nor flood the screen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

#: Longest text shown whole, in code points; a captured title of 10 MB must not reach the browser.
SHOWN_WHOLE = 20_000
#: Longest one-line text (titles, shop names, URLs).
SHOWN_LINE = 200
#: Context kept on each side of a hit in a long passage.
AROUND_HIT = 600

#: Bidirectional controls, zero-width and other invisible format characters (Unicode Cf), and the C0/C1 controls but not
#: tab and line break. Each is shown by its code point, since sellers use them to hide words.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\uffff\U000e0000-\U000e0fff]"
)
#: Joiners inside emoji are part of how the emoji is written, not a hiding place.
_EMOJI_JOINER = re.compile(
    "(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)


class Mark(StrEnum):
    """What a piece of a passage is."""

    PLAIN = "plain"
    HIT = "hit"  #: the words a finding rests on
    EXEMPT = "exempt"  #: words that an exemption silenced
    INVISIBLE = "invisible"  #: a character one cannot see, shown by its name
    CUT = "cut"  #: left out here; `text` is how many code points


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    mark: Mark = Mark.PLAIN
    title: str = ""  #: shown on hover: the reason of an exemption, the name of an invisible character


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open, in code points of the original text."""

    start: int
    end: int
    mark: Mark = Mark.HIT
    title: str = ""


def line(text: str | None, limit: int = SHOWN_LINE) -> str:
    """One line of hostile text, cut at `limit`, line breaks as blanks, invisible characters as ⟨U+202E⟩."""
    text = text or ""
    cut = text[:limit]
    shown = re.sub(r"\s+", " ", _INVISIBLE.sub(_named, cut)).strip()
    return shown + "…" if len(text) > limit else shown


def pieces(text: str | None, spans: Iterable[Span] = (), *, limit: int = SHOWN_WHOLE) -> list[Piece]:
    """`text` in order, split at `spans` (a hit wins where they overlap; a span outside the text is ignored).

    A text longer than `limit` keeps AROUND_HIT code points around each span, or its first `limit`, and says what it left out.
    """
    text = text or ""
    marks = [s for s in spans if 0 <= s.start < s.end <= len(text)]
    edges = sorted({0, len(text), *(e for s in marks for e in (s.start, s.end))})
    kept = _kept(len(text), marks, limit)
    out: list[Piece] = []
    dropped = 0
    for start, end in pairwise(sorted({*edges, *(e for pair in kept for e in pair)})):
        if not any(a <= start and end <= b for a, b in kept):
            dropped += end - start
            continue
        if dropped:
            out.append(Piece(str(dropped), Mark.CUT))
            dropped = 0
        out.extend(_seen(text[start:end], _mark_at(start, marks)))
    if dropped:
        out.append(Piece(str(dropped), Mark.CUT))
    return out


def _kept(length: int, marks: list[Span], limit: int) -> list[tuple[int, int]]:
    if length <= limit:
        return [(0, length)]
    if not marks:
        return [(0, limit)]
    budget = max(1, limit // (2 * AROUND_HIT))
    return [
        (max(0, s.start - AROUND_HIT), min(length, min(s.end, s.start + limit) + AROUND_HIT)) for s in marks[:budget]
    ]


def _mark_at(start: int, marks: list[Span]) -> Span | None:
    here = [s for s in marks if s.start <= start < s.end]
    return next((s for s in here if s.mark is Mark.HIT), here[0] if here else None)


def _seen(text: str, span: Span | None) -> list[Piece]:
    mark, title = (span.mark, span.title) if span else (Mark.PLAIN, "")
    out: list[Piece] = []
    at = 0
    for found in _INVISIBLE.finditer(text):
        if _EMOJI_JOINER.match(text, found.start()):
            continue
        if found.start() > at:
            out.append(Piece(text[at : found.start()], mark, title))
        out.append(Piece(_named(found), Mark.INVISIBLE, unicodedata.name(found.group(), "")))
        at = found.end()
    if at < len(text):
        out.append(Piece(text[at:], mark, title))
    return out


def _named(found: re.Match[str]) -> str:
    return f"⟨U+{ord(found.group()):04X}⟩"
