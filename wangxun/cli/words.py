"""Words of the command line turned into values of the domain, with one clear line when they are none."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import TypeVar

from contracts.errors import UsageError


def web_address(url: str) -> str:
    """The one spelling of a page's address. Raises UsageError when it is none."""
    from crawler.urls import normalise

    found = normalise(url)
    if found is None:
        raise UsageError("{url} 不是 http(s) 网址", hint="写全网址,如 https://shop.example/", url=url)
    return found


Word = TypeVar("Word", bound=StrEnum)


def one_of(kind: type[Word], word: str, option: str, *, but: Collection[Word] = ()) -> Word:
    """The member of `kind` that `word` names. Raises UsageError naming all that may be said."""
    allowed = [m for m in kind if m not in but]
    for member in allowed:
        if member.value == word:
            return member
    raise UsageError(
        "{option} 不能是 {word}", hint="可用: {all}", option=option, word=word, all=", ".join(m.value for m in allowed)
    )
