"""Word lists written as running text, the way people keep them, and looking for all of them in one pass."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate

from ahocorasick_rs import AhoCorasick


def words(text: str) -> frozenset[str]:
    """The set of blank-separated words."""
    return frozenset(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """Phrases between upright bars, in order."""
    return tuple(p.strip() for p in text.split("|"))


class Vocabulary:
    """Words to be looked for together. Case matters: `Said.where` looks in casefolded text."""

    def __init__(self, those: Iterable[str]) -> None:
        self.words = sorted(set(those))
        self._automaton = AhoCorasick(self.words)

    def hits(self, text: str) -> list[tuple[int, int, int]]:
        """(number of the word, start, end) of every occurrence, overlapping ones too."""
        found: list[tuple[int, int, int]] = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return found

    def __call__(self, text: str) -> bool:
        return bool(self._automaton.find_matches_as_indexes(text))


class Texts:
    """Many texts searched as one: a page's text nodes, or its passages."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.joined = "\n".join(texts)
        self._texts = texts

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(len(t) + 1 for t in self._texts)]

    def where(self, vocabulary: Vocabulary) -> dict[str, set[int]]:
        """For each word that occurs, the numbers of the texts it stands in."""
        found: dict[str, set[int]] = {}
        for word, start, _ in vocabulary.hits(self.joined):
            found.setdefault(vocabulary.words[word], set()).add(bisect_right(self._starts, start) - 1)
        return found
