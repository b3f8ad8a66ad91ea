"""What the sources of a page say about one thing, gathered before anything is decided."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from contracts.page import Fact

#: A template's placeholder that nobody filled in.
_TEMPLATE = re.compile(r"\$[A-Za-z{]|\{\{|<%|%[A-Z_]+%|\[object")


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's word. `weight` says how far such a source is trusted (about 0–4); `node` where it stands, -1 unknown."""

    value: str
    source: str
    weight: float
    node: int = -1


class Claims:
    """Claims by fact name, in the order they were found."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[Claim]] = defaultdict(list)

    def add(self, name: str, value: object, source: str, weight: float, node: int = -1) -> None:
        text = " ".join(str(value).split())[:2000] if value not in (None, "", []) else ""
        if text and not _TEMPLATE.match(text) and text.lower() not in {"none", "null", "undefined", "n/a", "nan"}:
            self._by_name[name].append(Claim(text, source, weight, node))

    def of(self, name: str) -> list[Claim]:
        return self._by_name.get(name, [])

    def names(self) -> list[str]:
        return list(self._by_name)

    def best(self, name: str) -> Fact | None:
        """The value with most weight behind it; its source is the strongest that says so, its confidence grows with agreement."""
        claims = self.of(name)
        if not claims:
            return None
        weight: dict[str, float] = defaultdict(float)
        for claim in claims:
            weight[_key(claim.value)] += claim.weight
        key = max(weight, key=lambda k: weight[k])
        first = max((c for c in claims if _key(c.value) == key), key=lambda c: c.weight)
        return Fact(first.value, first.source, confidence(weight[key], sum(weight.values())))


def confidence(mine: float, everybody: float) -> float:
    """0–1 from the weight behind a value and the weight of all that was said."""
    return round(max(0.05, min(0.99, mine / (mine + 1.0) * (mine / everybody if everybody > 0 else 1))), 2)


def _key(value: str) -> str:
    return "".join(value.split()).casefold()
