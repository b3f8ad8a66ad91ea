"""Lines of the queue, made fit to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from cases.queue import ClueRow
from console.book import rule_title
from console.passage import Piece, Span, line, pieces
from console.reader import Due, Reader
from console.words import state_word

#: Longest quotation in a line of a list, and what is shown before it.
WORDS, BEFORE = 120, 10


@dataclass(frozen=True, slots=True)
class RowView:
    """One clue in a list. `words` are the shop's, with personal data masked by the service."""

    id: str
    version: int
    href: str
    severity: str
    words: list[Piece]
    title: str
    law: str
    shop: str
    listing: str
    due: Due | None
    seen: int
    state: str
    state_name: str
    captured_at: datetime


def clue_rows(
    rows: Iterable[ClueRow], ui: Reader, *, within: str = "", sites: Mapping[str, str] | None = None
) -> list[RowView]:
    """`within` is the queue's query, so that a clue opened from it knows which comes next; `sites` maps ids to names."""
    after = f"?within={quote(within, safe='')}" if within else ""
    return [
        RowView(
            id=row.id,
            version=row.version,
            href=f"/clues/{row.id}{after}",
            severity=row.severity,
            words=_words(row),
            title=rule_title(row.rule, row.title, ui),
            law=getattr(row, "law", ""),
            shop=line(getattr(row, "site_name", "") or (sites or {}).get(row.site, row.site), 40),
            listing=line(row.listing, 60),
            due=ui.due(row.due),
            seen=row.seen,
            state=row.state,
            state_name=state_word(ui, row.state),
            captured_at=row.last_seen,
        )
        for row in rows
    ]


def _words(row: ClueRow) -> list[Piece]:
    """The quotation marked in a little of its sentence, or by itself between quotation marks."""
    said, around = line(row.quote, WORDS), line(getattr(row, "context", ""), 4 * WORDS)
    at = around.find(said)
    if not said:
        return [Piece("—")]
    if at < 0 or around == said:
        return [Piece("“"), *pieces(said), Piece("”")]
    begin = max(0, at - BEFORE)
    shown = ("…" if begin else "") + around[begin:]
    start = at - begin + (1 if begin else 0)
    return pieces(shown, [Span(start, start + len(said))])
