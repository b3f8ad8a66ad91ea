"""凭相似: a small learned model beside the rules. It ranks what they found, and may propose what they did not word.

Character n-grams (1 to 3) of the folded sentence, hashed into buckets, into one linear layer over the categories and "nothing":
multinomial logistic regression, trained by `python -m benchmarks.train_likeness` from the rules' own examples, kept as integers
in learned/likeness.npz and read with numpy alone (allow_pickle=False). Off unless asked for: Library.read(…, likeness=True).

Bounds: it moves a rule's confidence by at most NUDGE; what it proposes has Method.LIKENESS, a confidence of at most CEILING, and
the nearest examples of rules as its reason. It never removes a finding and never speaks where a rule spoke or an exemption held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from contracts.errors import InputError
from contracts.finding import Detection, Element, Finding, Method, Pointer
from contracts.page import SHOP_VOICE, Passage
from semantic_lib.law import LawBook
from semantic_lib.model import Category, Rule
from semantic_lib.normalise import codes_of, folded

PATH = Path(__file__).resolve().parent / "learned" / "likeness.npz"
BUCKETS = 1 << 14
NOTHING = "nothing"
NUDGE = 0.05  #: most that a rule's confidence is moved by
CEILING = 0.35  #: most that a proposal's confidence may be
RULE = "likeness"  #: what stands where a finding names its rule
MAX_PROPOSALS = 10  #: a page
MAX_SENTENCES = 400  #: of a page that are looked at
MIN_LETTERS, MAX_LETTERS = 6, 200  #: of a sentence
_MAX_BYTES = 4 * 1024 * 1024
_SENTENCE = re.compile(r"[^。!！?？;；\n]+[。!！?？;；]?")
_MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))


def features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(buckets, weights) of a folded text: log counts of its hashed 1- to 3-grams, of length one."""
    codes = codes_of(f" {text.strip()} ").astype(np.uint64)
    grams: list[NDArray[np.uint64]] = []
    for size in (1, 2, 3):
        if codes.size < size:
            break
        mixed = np.full(codes.size - size + 1, np.uint64(size), dtype=np.uint64)
        for place in range(size):
            mixed = (mixed ^ codes[place : codes.size - size + 1 + place]) * _MIXERS[place]
            mixed ^= mixed >> np.uint64(29)
        grams.append(mixed)
    buckets, counts = np.unique(np.concatenate(grams) % np.uint64(BUCKETS), return_counts=True)
    weights = np.log1p(counts.astype(np.float64))
    return buckets.astype(np.int64), weights / np.sqrt((weights**2).sum())


@dataclass(frozen=True, slots=True)
class Model:
    """One linear layer: `weights` (labels × buckets, whole numbers) times `scale` a label, plus `bias`.

    `threshold`: share of certainty from which a proposal is made, set in training so that held-out precision holds.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: float

    def shares(self, text: str) -> NDArray[np.float64]:
        """How certain the model is of each label for a folded text; adds up to 1."""
        buckets, weights = features(text)
        scores = (self.weights[:, buckets] @ weights) * self.scale + self.bias
        grown = np.exp(scores - scores.max())
        shares: NDArray[np.float64] = grown / grown.sum()
        return shares


@lru_cache(maxsize=2)
def model(path: Path = PATH) -> Model | None:
    """The trained model; None when there is none. Raises InputError when the file is not one."""
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("too large")
        with np.load(path, allow_pickle=False) as kept:
            labels = tuple(map(str, kept["labels"].tolist()))
            made = Model(labels, kept["weights"], kept["scale"], kept["bias"], float(kept["threshold"]))
        if made.weights.shape != (len(labels), BUCKETS) or made.scale.shape != made.bias.shape != (len(labels),):
            raise ValueError("shape")
    except (OSError, ValueError, KeyError) as fault:
        raise InputError("相似模型文件 {file} 读不了", hint="重新训练,或关闭 --likeness", file=path.name) from fault
    return made


class Likeness:
    """The model together with what it needs to give reasons: the rules' examples and the categories' law."""

    def __init__(self, learned: Model, rules: Iterable[Rule], categories: Mapping[str, Category], law: LawBook) -> None:
        self._model = learned
        self._categories = categories
        self._law = law
        self._examples: dict[str, list[tuple[str, str, str]]] = {}  #: category → (folded, as written, rule)
        for rule in rules:
            for example in rule.examples:
                if example.hit and example.text:
                    row = (folded(example.text), example.text, rule.id)
                    self._examples.setdefault(rule.category, []).append(row)

    def applied(self, found: Detection, passages: Sequence[Passage], on: date, silent: Sequence[int]) -> Detection:
        """`found`, ranked anew and with proposals. `silent`: passages in which nobody is to be accused (a consumer speaks)."""
        findings = tuple(self._ranked(finding) for finding in found.findings)
        return Detection(findings + self._proposed(found, passages, on, frozenset(silent)), found.exempted, found.needs)

    def _ranked(self, finding: Finding) -> Finding:
        if finding.category not in self._model.labels:
            return finding
        shares = self._model.shares(folded(finding.evidence[0].context or finding.quote))
        share = float(shares[self._model.labels.index(finding.category)])
        moved = finding.confidence + NUDGE * (2 * share - 1)
        return replace(finding, confidence=round(min(0.99, max(0.05, moved)), 2))

    def _proposed(
        self, found: Detection, passages: Sequence[Passage], on: date, silent: frozenset[int]
    ) -> tuple[Finding, ...]:
        taken = [p for f in found.findings for p in f.evidence]
        taken += [e.pointer for e in found.exempted] + [n.pointer for n in found.needs]
        made: list[tuple[float, Finding]] = []
        looked = 0
        for number, passage in enumerate(passages):
            if number in silent or (passage.region is not None and passage.region not in SHOP_VOICE):
                continue
            for match in _SENTENCE.finditer(passage.text):
                start, end = match.span()
                if not MIN_LETTERS <= end - start <= MAX_LETTERS:
                    continue
                if any(p.passage == number and p.start < end and start < p.end for p in taken):
                    continue
                looked += 1
                if looked > MAX_SENTENCES:
                    break
                proposal = self._proposal(passage, number, start, end, on)
                if proposal is not None:
                    made.append(proposal)
        made.sort(key=lambda item: -item[0])
        return tuple(finding for _, finding in made[:MAX_PROPOSALS])

    def _proposal(self, passage: Passage, number: int, start: int, end: int, on: date) -> tuple[float, Finding] | None:
        while start < end and passage.text[start].isspace():
            start += 1
        quote = passage.text[start:end]
        words = folded(quote)
        shares = self._model.shares(words)
        best = int(shares.argmax())
        share, label = float(shares[best]), self._model.labels[best]
        category = self._categories.get(label)
        if category is None or share < self._model.threshold:
            return None
        near = self._nearest(words, label)
        reason = "；".join(f"“{text[:60]}”({rule})" for text, rule in near)
        pointer = Pointer("", passage.region, passage.selector, number, start, end, quote, quote[:500])
        finding = Finding(
            rule=RULE,
            version=1,
            category=label,
            severity=category.severity,
            confidence=round(min(CEILING, 0.15 + 0.2 * share), 2),
            evidence=(pointer,),
            claim=f"{label}:{''.join(c for c in words if c.isalnum())[:120]}",
            title=f"凭相似：{category.title.zh}",
            why=f"凭相似，未命中任何规则，须人工判断；最接近的规则例句：{reason or '无'}",
            basis=self._law.resolve(category.basis, on),
            elements=tuple(Element(e.name.zh, met=None, by="凭相似，未逐项核对") for e in category.elements),
            needs=category.needs,
            method=Method.LIKENESS,
            advice=category.advice,
        )
        return share, finding

    def _nearest(self, words: str, label: str) -> list[tuple[str, str]]:
        """The two rule examples of the category nearest in letters: (text, rule)."""
        rows = self._examples.get(label, [])
        best: list[Any] = process.extract(words, [row[0] for row in rows], scorer=fuzz.ratio, limit=2)
        return [(rows[place][1], rows[place][2]) for _, _, place in best]
