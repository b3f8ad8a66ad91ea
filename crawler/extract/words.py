"""Word lists written as running text, the way people keep them."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The set of blank-separated words."""
    return frozenset(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """Phrases between upright bars, in order."""
    return tuple(p.strip() for p in text.split("|"))
