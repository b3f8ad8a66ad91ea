"""Titles from the violation library, in the reader's language. Loaded once a process, at the first look."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from console.reader import Reader
from contracts.errors import WangxunError

if TYPE_CHECKING:
    from semantic_lib.library import Library
    from semantic_lib.model import Bilingual


@cache
def book() -> Library | None:
    """The library; None when it cannot be read, and then screens show ids (`wangxun rules lint` says why)."""
    from semantic_lib.load import library

    try:
        return library()
    except WangxunError:
        return None


def said(words: Bilingual, ui: Reader) -> str:
    """The reader's language, Chinese when there is no other."""
    return words.en if ui.lang == "en" and words.en else words.zh


def rule_title(rule_id: str, recorded: str, ui: Reader) -> str:
    """The title a finding carried; in another language than Chinese, that of the library where it knows the rule."""
    rule = (held.rules.get(rule_id) if (held := book()) else None) if ui.lang != "zh" or not recorded else None
    return said(rule.title, ui) if rule else recorded or rule_id


def category_title(category: str, ui: Reader) -> str:
    held = book()
    known = held.categories.get(category) if held else None
    return said(known.title, ui) if known else category
