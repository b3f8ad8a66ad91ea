"""The library: passages in, findings, exempted hits and needs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from contracts.clock import SHANGHAI
from contracts.finding import Detection
from contracts.page import Passage, Region
from semantic_lib.detect import Hit, hits
from semantic_lib.exempting import Tester
from semantic_lib.goods import Classifier
from semantic_lib.judge import Judge, Spoken
from semantic_lib.law import LawBook
from semantic_lib.matcher import Bundle, Finder, Prefilter, Term
from semantic_lib.model import Category, Detector, Exemption, Rule, Status
from semantic_lib.normalise import Speller
from semantic_lib.page import Page, Segment, View

Found = dict[tuple[int, int, int], list[Hit]]


class Library:
    """All rules, ready to read. Build it with `semantic_lib.load.library`."""

    def __init__(
        self, *, rules: Sequence[Rule], categories: Mapping[str, Category], exemptions: Mapping[str, Exemption],
        law: LawBook, classifier: Classifier, speller: Speller, tester: Tester,
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
        self._bundle = Bundle(_finders(rules, exemptions.values(), tester))
        self._judge = Judge(categories, exemptions, law, classifier, tester)

    def only(self, rule_ids: Iterable[str]) -> Library:
        """The same library with these rules alone, drafts included; for tests of a rule."""
        wanted = set(rule_ids)
        rules = [replace(r, status=Status.TEST) for r in self.rules.values() if r.id in wanted]
        return Library(
            rules=rules, categories=self.categories, exemptions=self.exemptions, law=self.law,
            classifier=self.classifier, speller=self._speller, tester=self.tester,
        )  # fmt: skip

    def read(
        self, passages: Sequence[Passage], *, at: datetime | date, goods: str | None = None, title: str | None = None,
        cross_border: bool | None = None,
    ) -> Detection:  # fmt: skip
        """What the rules say of the passages of one page, under the law in force at `at` (day in Shanghai).

        `Pointer.passage` indexes `passages`; offsets count code points into that passage's text as given.
        """
        page = Page(passages, self._bundle)
        found: Found = {}
        guessing = self._look(page.view, found)
        joined = page.joined(self._speller)
        if joined is not None:
            guessing |= self._look(joined, found)
        if guessing and (guessed := page.guessed(self._speller)) is not None:
            self._look(guessed, found)
        spoken = [Spoken(self._pairs[key[0]][0], hit) for key, hits_there in found.items() for hit in hits_there]
        if not spoken:
            return Detection()
        day = at.astimezone(SHANGHAI).date() if isinstance(at, datetime) and at.tzinfo else at
        day = day.date() if isinstance(day, datetime) else day
        return self._judge.detection(page, spoken, on=day, goods=goods, title=title or "", cross_border=cross_border)

    def _look(self, view: View, found: Found) -> bool:
        """Evaluate every detector an anchor woke, once per sentence. True when misspelt words stand here."""
        anchors, guessing = self.prefilter.hits(view.text)
        for owners, start, end in anchors:
            if view.guess is not None and not view.touched(*_around(start, end, len(view.text))):
                continue
            segment = view.segment(start, end)
            if segment is None:
                continue
            for number in owners:
                key = (number, segment.start, id(view))
                if key not in found:
                    found[key] = self._evaluate(number, segment)
        return guessing

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


def _around(start: int, end: int, size: int) -> tuple[int, int]:
    return max(start - 40, 0), min(end + 40, size)
