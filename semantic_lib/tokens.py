"""Chinese words for the sentence pipeline: jieba's own cutting over its own dictionary, read as needed.

jieba reads its half million words before the first cut (.6 s, 100 MB). A cut looks up nothing but words that begin with a
character of the sentence; so the dictionary is indexed by first character, and a character's words are read when one first
stands in a sentence. Cuts are those of jieba.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEWLINE, _BLANK, _ZERO = 10, 32, 48


class WordList:
    """jieba's dict.txt ("word frequency tag" a line): lines by first character, and the sum of all frequencies."""

    def __init__(self, raw: bytes) -> None:
        self._text = raw.decode("utf-8")
        codes = np.frombuffer(self._text.encode("utf-32-le"), dtype=np.uint32)
        ends = np.flatnonzero(codes == _NEWLINE)
        if codes.size and codes[-1] != _NEWLINE:
            ends = np.append(ends, codes.size)
        starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
        full = ends > starts
        self._starts, self._ends = starts[full], ends[full]
        first = codes[self._starts]
        self._order = np.argsort(first, kind="stable")
        self._first = first[self._order]
        self.total = _sum_of_frequencies(codes, self._starts, self._ends)

    def words(self, char: str) -> list[tuple[str, int]]:
        """(word, frequency) of all words that begin with `char`, in the order of the file."""
        code = ord(char)
        left, right = (int(np.searchsorted(self._first, code, side)) for side in ("left", "right"))
        found: list[tuple[str, int]] = []
        for line in self._order[left:right].tolist():
            word, frequency = self._text[self._starts[line] : self._ends[line]].split(" ")[:2]
            found.append((word, int(frequency)))
        return found


def _sum_of_frequencies(codes: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    """The figures between the first and the second blank of every line, summed up digit by digit."""
    blanks = np.flatnonzero(codes == _BLANK)
    number = np.searchsorted(blanks, starts)
    left = blanks[number] + 1
    second = blanks[np.minimum(number + 1, blanks.size - 1)]
    right = np.where((second > left) & (second < ends), second, ends)
    total = 0
    for place in range(12):
        at = right - 1 - place
        at = at[at >= left]
        if not at.size:
            break
        total += int((codes[at].astype(np.int64) - _ZERO).sum()) * 10**place
    return total


@lru_cache(maxsize=1)
def _word_list() -> WordList:
    import jieba

    return WordList((Path(jieba.__file__).parent / "dict.txt").read_bytes())


class JiebaTokenizer:
    """jieba's default dictionary in a tokenizer of our own: nothing is shared, nothing is cached on disk."""

    def __init__(self, vocab: Any, words: Sequence[str]) -> None:
        import jieba

        jieba.setLogLevel(logging.ERROR)
        self.vocab = vocab
        self._list = _word_list()
        self._read: set[str] = set()
        self._jieba = jieba.Tokenizer()
        self._jieba.total = self._list.total
        self._jieba.initialized = True
        for word in words:
            self._need(word)
            self._jieba.add_word(word)
        self._cut: Callable[..., Any] = self._jieba.cut

    def words(self, text: str) -> list[str]:
        """`text` cut into words, by dictionary alone."""
        self._need(text)
        return list(self._cut(text, HMM=False))

    def __call__(self, text: str) -> Any:
        from spacy.tokens import Doc

        words = self.words(text)
        return Doc(self.vocab, words=words, spaces=[False] * len(words))

    def _need(self, text: str) -> None:
        known: dict[str, int] = self._jieba.FREQ
        for char in set(text) - self._read:
            self._read.add(char)
            for word, frequency in self._list.words(char):
                known[word] = frequency
                for size in range(1, len(word)):
                    known.setdefault(word[:size], 0)
