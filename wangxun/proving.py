"""Detected is sealed: what a page was found to say is looked for again in what its full capture sealed, and judged again.

Words that do not stand in the sealed page, or that the rule no longer takes up there, prove nothing: the clue is
reported, with what is missing, and noted as unproven.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from cases import captures, intake, pages
from contracts.clock import iso
from contracts.finding import NoRegisters, Registers
from contracts.page import PageReading
from contracts.site import History
from crawler.extract import read_page
from detectors.registry import Detectors
from evidence.capture import Capture
from wangxun.keys import review_key
from wangxun.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Unproven:
    """A rule's words that the sealed page does not bear out, and why."""

    rule: str
    quote: str
    url: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule} {self.url} “{self.quote[:60]}” {self.why}"


class Proving:
    """Judges sealed captures as the patrol judged pages; made once for many."""

    def __init__(self, runtime: Runtime, *, registers: Registers | None = None) -> None:
        self._runtime = runtime
        self._registers = registers or NoRegisters()

    @cached_property
    def _detectors(self) -> Detectors:
        return Detectors(self._runtime.library)

    def unproven(self, snapshot_id: str, capture: Capture) -> list[Unproven]:
        """What the clues of a snapshot rest on and the capture does not show, each once."""
        with self._runtime.session(read_only=True) as session:
            quotes = captures.quotes_of(session, snapshot_id)
            before = pages.snapshot_of(session, snapshot_id)
            if not quotes or before is None:
                return []
            listed = before.listing_id
            history = intake.history(session, listed, before.captured_at) if listed else History()
        reading = self._read(capture)
        sealed = replace(before, reading=reading, final_url=capture.final_url, rendered=True, status=capture.status)
        detection, _ = self._detectors(sealed, history, self._registers, before.captured_at)
        again = {(f.rule, _bare(p.quote)) for f in detection.findings for p in f.evidence}
        text = _bare("\n".join((capture.text, *_said(reading))))
        found = []
        for quote in quotes:
            words = _bare(quote.quote)
            if words not in text:
                found.append(Unproven(quote.rule, quote.quote, capture.final_url, "封存的页面上没有这些字"))
            elif (quote.rule, words) not in again:
                found.append(Unproven(quote.rule, quote.quote, capture.final_url, "对封存内容重新检测未再命中"))
        return found

    def _read(self, capture: Capture) -> PageReading:
        """The page as sealed: read from the store, not from memory."""
        dom = self._runtime.vault.file(capture.evidence_id, "dom.html").read_text(encoding="utf-8", errors="replace")
        key = review_key(self._runtime.config.keys_dir)
        return read_page(dom, capture.final_url, at=self._runtime.clock.now(), review_key=key)


def note_unproven(runtime: Runtime, snapshot_id: str, found: list[Unproven]) -> list[str]:
    """Notes them on their clues; one line each for the report."""
    if not found:
        return []
    at = runtime.clock.now()
    with runtime.session() as session:
        captures.note_unproven(session, snapshot_id, sorted({one.rule for one in found}), at=at)
    return [f"{one} {iso(at)}" for one in found]


def _said(reading: PageReading) -> list[str]:
    passages = [passage.text for passage in reading.passages]
    return [
        reading.title,
        *passages,
        *(fact.value for fact in reading.facts.values()),
        *(r.text for r in reading.reviews),
    ]


def _bare(text: str) -> str:
    """Without white space: a browser breaks lines where a parser does not."""
    return "".join(text.split())
