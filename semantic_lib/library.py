"""The library: passages in, findings, exempted hits and needs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from contracts.clock import SHANGHAI
from contracts.finding import Detection
from contracts.page import Passage, Region
from semantic_lib.detect import Hit, hits
from semantic_lib.exempting import Tester
from semantic_lib.goods import Classifier
from semantic_lib.judge import Judge
from semantic_lib.law import LawBook
from semantic_lib.matcher import Bundle, Finder, Prefilter, Span, Term
from semantic_lib.model import Category, Detector, Exemption, Rule, Status
from semantic_lib.normalise import Speller
from semantic_lib.page import Page, Segment, View
from semantic_lib.recall import Heard, Memory, Place, Said, Sentence, longest

if TYPE_CHECKING:
    from semantic_lib.likeness import Likeness

_NOTHING = Detection()


class Library:
    """All rules, ready to read. Build it with `semantic_lib.load.library`."""

    def __init__(
        self, *, rules: Sequence[Rule], categories: Mapping[str, Category], exemptions: Mapping[str, Exemption],
        law: LawBook, classifier: Classifier, speller: Speller, tester: Tester, bundle: Bundle | None = None,
    ) -> None:  # fmt: skip
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self.categories = categories
        self.exemptions = exemptions
        self.law = law
        self.classifier = classifier
        self._speller = speller
        self.tester = tester
        self._pairs: list[tuple[Rule, Detector]] = [
            (rule, detector)
            for rule in rules
            if rule.status not in (Status.DRAFT, Status.RETIRED)
            for detector in rule.detectors
        ]
        self.prefilter = Prefilter([_anchors(detector) for _, detector in self._pairs], speller)
        self._bundle = bundle or Bundle(_finders(rules, exemptions.values(), tester))
        self._memory = Memory()
        self._learned: Likeness | None = None
        self._judge = Judge(categories, exemptions, law, classifier, tester)

    def only(self, rule_ids: Iterable[str]) -> Library:
        """The same library with these rules alone, drafts included; for tests of a rule."""
        wanted = set(rule_ids)
        rules = [replace(r, status=Status.TEST) for r in self.rules.values() if r.id in wanted]
        return Library(
            rules=rules, categories=self.categories, exemptions=self.exemptions, law=self.law,
            classifier=self.classifier, speller=self._speller, tester=self.tester, bundle=self._bundle,
        )  # fmt: skip

    def read(
        self, passages: Sequence[Passage], *, at: datetime | date, goods: str | None = None, title: str | None = None,
        cross_border: bool | None = None, likeness: bool = False,
    ) -> Detection:  # fmt: skip
        """What the rules say of the passages of one page, under the law in force at `at` (day in Shanghai).

        `Pointer.passage` indexes `passages`; offsets count code points into that passage's text as given.
        `likeness`: let the learned model rank findings and propose some of its own (Method.LIKENESS, confidence ≤ .35).
        """
        page = Page(passages, self._bundle)
        try:
            heard = self._heard(page)
            found = _NOTHING
            if heard:
                found = self._judge.detection(
                    page, heard, on=_day(at), goods=goods, title=title or "", cross_border=cross_border
                )
            if likeness and (learned := self._likeness()) is not None:
                told = [n for n in range(len(passages)) if self.tester.consumer(page, n) is not None]
                return learned.applied(found, passages, _day(at), told)
            return found
        finally:
            page.release()

    def _likeness(self) -> Likeness | None:
        """The learned model with this library's examples, made on first need; None when none was trained."""
        from semantic_lib.likeness import Likeness, model

        learned = model()
        if self._learned is None and learned is not None:
            self._learned = Likeness(learned, self.rules.values(), self.categories, self.law)
        return self._learned

    def _heard(self, page: Page) -> list[Heard]:
        """Every sentence of the page in which something is said, in whatever spelling."""
        heard: list[Heard] = []
        misspelt = self._look(page.view, heard)
        joined = page.joined(self._speller)
        if joined is not None:
            misspelt += self._look(joined, heard)
        if misspelt and (guessed := page.guessed(self._speller, misspelt)) is not None:
            self._look(guessed, heard)
        return heard

    def _look(self, view: View, heard: list[Heard]) -> list[Span]:
        """Adds what is said in every sentence where an anchor stands; returns the fold's spans of misspelt words."""
        anchors, misspelt = self.prefilter.hits(view.text)
        if view.guess is not None:
            misspelt = [view.guess.span(start, end) for start, end in misspelt]
        if not anchors:
            return misspelt
        sentences: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for anchor in anchors:
            _, start, end = anchor
            if view.guess is not None and not view.touched(*_around(start, end, len(view.text))):
                continue
            sentences.setdefault(view.bounds(start, end), []).append(anchor)
        for (left, right), there in sentences.items():
            self._hear(view, left, right, there, heard)
        return misspelt

    def _hear(self, view: View, left: int, right: int, anchors: list[tuple[int, int, int]], heard: list[Heard]) -> None:
        """Adds what is said in one sentence, remembered or looked at."""
        page = view.page
        source = view.source(left, right)
        passage = page.passage_at(source[0])
        if source[1] > page.passage_start(passage + 1):  # a window over a border: only words inside one passage count
            passage = page.passage_at(view.source(*anchors[0][1:])[0])
            anchors = [a for a in anchors if {page.passage_at(s) for s in _ends(view.source(*a[1:]))} == {passage}]
        numbers = tuple([number for number, _, _ in anchors])
        place = Place(view, left, right, passage, source)
        about = page.passages[passage]
        meant = "" if view.guess is None else view.text[left:right]
        key = (page.source[source[0] : source[1]], meant, about.region, about.lang, numbers)
        known = self._memory.get(key)
        if known is not None and (not known.absent or known.absent.isdisjoint(page.present(passage))):
            sentence = known
        else:
            trace = page.tracing()
            sentence = self._sentence(place, numbers)
            if not trace.more:
                self._memory.put(key, sentence)
        if sentence.said:
            heard.append(Heard(place, sentence))

    def _sentence(self, place: Place, anchors: tuple[int, ...]) -> Sentence:
        """Every detector that one of `anchors` wakes, evaluated; of one rule's overlapping words the longest."""
        segment, view = place.segment, place.view
        said: list[Said] = []
        for number in dict.fromkeys(owner for anchor in anchors for owner in self.prefilter.owners[anchor]):
            for hit in self._evaluate(number, segment):
                start, end = view.source(place.left + hit.start, place.left + hit.end)
                source = (start - place.source[0], end - place.source[0])
                said.append(Said(*self._pairs[number], hit.start, hit.end, hit.parts, hit.values, source))
        return Sentence(longest(said), frozenset(view.page.trace.absent))

    def _evaluate(self, number: int, segment: Segment) -> list[Hit]:
        rule, detector = self._pairs[number]
        if not self._in_scope(rule, detector, segment.region, segment.language):
            return []
        if segment.view.guess is None:
            return hits(detector, segment)
        if not rule.guesses:
            return []
        here = segment.start
        return [h for h in hits(detector, segment) if segment.view.touched(here + h.start, here + h.end)]

    @staticmethod
    def _in_scope(rule: Rule, detector: Detector, region: Region | None, language: str) -> bool:
        languages = detector.languages or rule.languages
        if languages and language not in languages:
            return False
        if region is None:
            return rule.bare and detector.bare
        if region in (detector.regions if detector.regions is not None else rule.regions):
            return True
        return region in (Region.REVIEW, Region.QA) and "consumer-voice" in rule.exempt


def _finders(rules: Sequence[Rule], exemptions: Iterable[Exemption], tester: Tester) -> set[Finder]:
    """Everything that is looked for in sentences, passages or pages once a rule has spoken."""
    detectors = [detector for rule in rules for detector in rule.detectors]
    found = {part for detector in detectors for part in detector.parts}
    found |= {guard.finder for detector in detectors for guard in detector.guards}
    found |= {extra.guard.finder for rule in rules for extra in rule.raises if extra.guard is not None}
    every = [*exemptions, *(own for rule in rules for own in rule.own)]
    found |= {way.finder for exemption in every for way in exemption.ways if way.finder is not None}
    return found.union(tester.finders)


def _anchors(detector: Detector) -> list[Term]:
    return [Term(text) for text in detector.parts[detector.anchor].anchors]


def _day(at: datetime | date) -> date:
    """The day in Shanghai; a naive time is of Shanghai already."""
    if isinstance(at, datetime):
        return (at.astimezone(SHANGHAI) if at.tzinfo else at).date()
    return at


def _ends(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], max(span[1] - 1, span[0])


def _around(start: int, end: int, size: int) -> tuple[int, int]:
    return max(start - 40, 0), min(end + 40, size)
