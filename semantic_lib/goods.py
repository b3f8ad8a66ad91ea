"""What is being sold: food, cosmetic, drug, service … from the words of title, attributes and text. None when unknown.

A claim is lawful or not according to the goods it is made for (violations.md §1, element 2); so the classifier prefers
silence to a guess: a weak word in running text alone decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from semantic_lib.matcher import Bundle, Finder

_TITLE, _TEXT = 3.0, 1.0
_ENOUGH = 2.0
_ATTRIBUTE = 5.0
_WORTH = (10.0, 1.0, 0.4)  #: worth of a mark, a strong word, a weak word
_READ = 3000  #: characters of a text that are read
_LEAD = 0.5  #: a kind with less than this share of the best score is not named


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of goods and the words that tell it. `marks` (approval numbers) decide alone."""

    id: str
    title: str
    title_en: str
    strong: Finder
    weak: Finder
    marks: Finder
    excludes: Finder
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Goods:
    """The kinds that fit, best first; `cross_border` None when nothing says so; `why` quotes the words."""

    kinds: tuple[str, ...] = ()
    cross_border: bool | None = None
    why: str = ""

    @property
    def known(self) -> bool:
        return bool(self.kinds)

    def any_of(self, names: Iterable[str]) -> bool:
        return not set(names).isdisjoint(self.kinds)


class Classifier:
    """Names the kinds of goods that folded words speak of."""

    def __init__(self, kinds: Mapping[str, Kind], cross_border: Finder) -> None:
        self.kinds = kinds
        self._cross_border = cross_border
        parts = [(kind, part) for kind in kinds.values() for part in (kind.marks, kind.strong, kind.weak)]
        self._bundle = Bundle([cross_border, *(kind.excludes for kind in kinds.values()), *(part for _, part in parts)])
        #: finder's id → (order, kind, finder, what a word of it is worth)
        self._told_by: dict[int, list[tuple[int, Kind, Finder, float]]] = {}
        for order, (kind, part) in enumerate(parts):
            self._told_by.setdefault(id(part), []).append((order, kind, part, _WORTH[order % len(_WORTH)]))
        self._by_title = {re.sub(r"\s", "", kind.title): kind.id for kind in kinds.values()}

    def classify(
        self, *, title: str = "", text: str = "", given: str | None = None, cross_border: bool | None = None
    ) -> Goods:
        """All texts folded. `given` is what the caller says is sold: a kind's id or title decides, other words count much."""
        scores: dict[str, float] = {}
        reasons: dict[str, str] = {}
        if given:
            named = given if given in self.kinds else self._by_title.get(given)
            if named:
                return Goods(self._with_parents([named]), self._crossing(title + text, cross_border), f"按给定:{given}")
        crossing = len(title) + len(text) >= _READ
        for words, weight in ((given or "", _ATTRIBUTE), (title, _TITLE), (text, _TEXT)):
            if words:
                crossing |= self._weigh(words[:_READ], weight, scores, reasons)
        best = max(scores.values(), default=0.0)
        named_kinds = sorted(
            (k for k, s in scores.items() if s >= _ENOUGH and s >= best * _LEAD), key=lambda k: -scores[k]
        )
        why = "、".join(f"“{reasons[kind]}”" for kind in named_kinds)
        crosses = self._crossing(title + "\n" + text, cross_border) if crossing else cross_border
        return Goods(self._with_parents(named_kinds), crosses, why)

    def _weigh(self, words: str, weight: float, scores: dict[str, float], reasons: dict[str, str]) -> bool:
        """Adds what `words` tell of every kind. True when words of crossing a border may stand here too."""
        places = self._bundle.places(words)
        told = [one for number in places for one in self._told_by.get(number, ())]
        for _, kind, finder, worth in sorted(told, key=itemgetter(0)):
            found = finder.among(words, places[id(finder)])
            if not found or (kind.excludes.among(words, places.get(id(kind.excludes), ()))):
                continue
            scores[kind.id] = scores.get(kind.id, 0.0) + worth * weight * min(len(found), 3) ** 0.5
            reasons.setdefault(kind.id, words[found[0].start : found[0].end])
        return id(self._cross_border) in places

    def _crossing(self, words: str, given: bool | None) -> bool | None:
        return given if given is not None else (True if self._cross_border.find(words[:4000]) else None)

    def _with_parents(self, names: Iterable[str]) -> tuple[str, ...]:
        found: list[str] = []
        for name in names:
            found.extend((name, *self.kinds[name].parents))
        return tuple(dict.fromkeys(found))
