"""The captured page as inert text: passages by region, hits and exempted hits marked, personal data masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cases.detail import Silenced
from cases.masking import mask
from console import labels
from console.passage import Mark, Piece, Span, pieces
from console.reader import Reader
from contracts.finding import Pointer
from contracts.page import PageReading, Passage, Region, Review

#: Passages and reviews shown of one page; the rest is in the sealed original.
SHOWN = 400
#: Code points shown of one passage of a whole page.
PASSAGE = 4000


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage, or the words of a pointer in theirs. Offsets count code points of the original text."""

    index: int | None
    region: str
    words: list[Piece]
    start: int = 0
    end: int = 0
    hidden: str | None = None
    captured_at: datetime | None = None
    snapshot_id: str = ""
    masked: bool = False


@dataclass(frozen=True, slots=True)
class ReviewView:
    at: datetime | None
    rating: float | None
    words: list[Piece]


def pointed(pointer: Pointer, reading: PageReading | None, silenced: Sequence[Silenced], ui: Reader) -> PassageView:
    """The passage a finding rests on, whole, with the words marked; the sentence around them when the passage is not kept."""
    passage = _passage(pointer, reading)
    if passage is None:
        context = pointer.context or pointer.quote
        at = context.find(pointer.quote)
        spans = [Span(at, at + len(pointer.quote))] if at >= 0 and pointer.quote else []
        shown = mask(context, pointer.region)
        words, hidden = pieces(shown.text, spans), None
    else:
        spans = [Span(pointer.start, pointer.end), *exempt_spans(passage, silenced)]
        shown = mask(passage.text, passage.region)
        words, hidden = pieces(shown.text, spans, limit=2400), passage.hidden
    return PassageView(
        pointer.passage,
        ui.label(labels.REGION, pointer.region.value if pointer.region else ""),
        words,
        pointer.start,
        pointer.end,
        hidden,
        pointer.captured_at,
        pointer.snapshot_id,
        bool(shown.hidden),
    )


def page_passages(
    reading: PageReading | None,
    hits: Iterable[Pointer],
    silenced: Sequence[Silenced],
    ui: Reader,
    *,
    masked: bool = True,
) -> list[PassageView]:
    """Every passage of a page in order."""
    spans: dict[int, list[Span]] = {}
    for hit in hits:
        passage = _passage(hit, reading)
        if passage is not None and hit.passage is not None:
            spans.setdefault(hit.passage, []).append(Span(hit.start, hit.end))
    out = []
    for index, passage in enumerate(reading.passages[:SHOWN] if reading else ()):
        shown = mask(passage.text, passage.region) if masked else None
        marks = [*spans.get(index, ()), *exempt_spans(passage, silenced)]
        out.append(
            PassageView(
                index,
                ui.label(labels.REGION, passage.region.value if passage.region else ""),
                pieces(shown.text if shown else passage.text, marks, limit=PASSAGE),
                hidden=passage.hidden,
                masked=bool(shown and shown.hidden),
            )
        )
    return out


def review_views(reviews: Sequence[Review], *, masked: bool) -> list[ReviewView]:
    """Consumers' words; masked unless a look at them was written down."""
    return [
        ReviewView(r.at, r.rating, pieces(mask(r.text, Region.REVIEW).text if masked else r.text, limit=PASSAGE))
        for r in reviews[:SHOWN]
    ]


def exempt_spans(passage: Passage, silenced: Iterable[Silenced]) -> list[Span]:
    """Where in a passage the words stand that an exemption silenced, with its reason."""
    out = []
    for hit in silenced:
        here = hit.region == (passage.region.value if passage.region else None)
        at = passage.text.find(hit.quote) if hit.quote and here else -1
        if at >= 0:
            out.append(Span(at, at + len(hit.quote), Mark.EXEMPT, hit.why))
    return out


def _passage(pointer: Pointer, reading: PageReading | None) -> Passage | None:
    """The pointer's passage, when the words really stand there."""
    if reading is None or pointer.passage is None or not 0 <= pointer.passage < len(reading.passages):
        return None
    passage = reading.passages[pointer.passage]
    return passage if passage.text[pointer.start : pointer.end] == pointer.quote else None
