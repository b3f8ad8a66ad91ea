"""Is a hit exempt, by which words, and what was tested?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.finding import Tested
from semantic_lib.context import CLAUSE, cues
from semantic_lib.detect import Hit
from semantic_lib.matcher import Finder
from semantic_lib.model import Exemption, Way
from semantic_lib.page import Page
from semantic_lib.voice import Voice


@dataclass(frozen=True, slots=True)
class Verdict:
    """`exemption` is the one that applies, or None; `tested` lists all that were looked at."""

    exemption: Exemption | None
    why: str
    tested: tuple[Tested, ...]


class Tester:
    """Tests hits against exemptions; holds what the components need (voice cues, words for the tokenizer)."""

    def __init__(self, voice: Voice, words: tuple[str, ...]) -> None:
        self._voice = voice
        self._words = words

    @property
    def finders(self) -> tuple[Finder, ...]:
        return self._voice.finders

    def consumer(self, page: Page, passage: int) -> str | None:
        """The words by which a consumer speaks in the passage, None when none does."""
        if page.passages[passage].region is None and self._voice.surely_silent(page, passage):
            page.trace.absent |= self._voice.ids
            return None
        if passage not in page.voices:
            outer, _ = page.trace, page.tracing()
            page.voices[passage] = self._voice.consumer(page, passage)
            page.trace = outer
        heard = page.voices[passage]
        page.trace.voice = True
        page.trace.more |= heard is not None
        return heard

    def verdict(self, hit: Hit, exemptions: Iterable[Exemption]) -> Verdict:
        """The first exemption that applies silences the hit; those after it are not tested any more."""
        tested: list[Tested] = []
        for exemption in exemptions:
            cue = self.applies(hit, exemption)
            if cue is None:
                tested.append(Tested(exemption.id, exemption.title.zh, applies=False))
                continue
            why = (exemption.why or f"{exemption.title.zh}:“{{cue}}”").replace("{cue}", cue)
            tested.append(Tested(exemption.id, exemption.title.zh, applies=True, why=why))
            return Verdict(exemption, why, tuple(tested))
        return Verdict(None, "", tuple(tested))

    def applies(self, hit: Hit, exemption: Exemption) -> str | None:
        """The words by which `exemption` applies to `hit`, None when it does not."""
        for way in exemption.ways:
            region = hit.segment.region
            if way.regions and region not in way.regions and not (way.bare and region is None):
                continue
            if way.bare and not way.regions and region is not None:
                continue
            cue = self._way(hit, way)
            if cue is not None:
                return cue
        return None

    def _way(self, hit: Hit, way: Way) -> str | None:
        if way.place == "region":
            region = hit.segment.region
            return region.value if region is not None and region in way.regions else None
        if way.place == "component":
            return self._component(hit, way)
        if way.finder is None:
            return None
        if way.place in ("passage", "page"):
            passage = hit.segment.passage if way.place == "passage" else None
            found = hit.segment.view.page.find(way.finder, passage)
            if not found and way.place == "passage":
                found = hit.segment.find(way.finder)
                return hit.segment.text[found[0].start : found[0].end] if found else None
            return _page_words(hit, found[0].span, passage) if found else None
        return _in_sentence(hit, way)

    def _component(self, hit: Hit, way: Way) -> str | None:
        if way.component == "consumer-voice":
            return self.consumer(hit.segment.view.page, hit.segment.passage)
        for cue in cues(way.component, hit.segment.text, hit.parts, way.within, self._words):
            if any(cue.governs(start, end) for start, end in hit.parts):
                near = min(abs(start - cue.end) for start, _ in hit.parts)
                if cue.kind not in ("negation", "wish") or near <= way.within:
                    return cue.text
        return None


def _page_words(hit: Hit, span: tuple[int, int], passage: int | None) -> str:
    page = hit.segment.view.page
    base = page.folded_passage(passage)[0] if passage is not None else 0
    return page.folded.text[base + span[0] : base + span[1]]


def _in_sentence(hit: Hit, way: Way) -> str | None:
    if way.finder is None:
        return None
    text = hit.segment.text
    for found in hit.segment.find(way.finder):
        words = text[found.start : found.end]
        if way.place == "sentence":
            return words
        if way.place == "covers":
            if any(found.start < end and start < found.end and (found.start <= start and end <= found.end)
                   for start, end in hit.parts):  # fmt: skip
                return words
            continue
        before = found.end <= hit.start and hit.start - found.end <= way.within
        after = found.start >= hit.end and found.start - hit.end <= way.within
        gap = text[found.end : hit.start] if before else text[hit.end : found.start]
        if (before and way.place in ("before", "near")) or (after and way.place in ("after", "near")):
            if way.across or not CLAUSE.search(gap):
                return words
        elif way.place == "near" and found.start < hit.end and hit.start < found.end:
            return words
    return None
