"""A quick guess of a text's language, enough to choose words by: zh, zh-Hant, ja, ko, ru, th, ar, he, en, or None."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_HAN = re.compile(r"[\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_OTHER: Final = (
    ("ko", re.compile(r"[\uac00-\ud7a3]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
)
#: Everyday characters that exist in one of the two scripts only.
_TRADITIONAL = frozenset(
    "這個們來對說時過國會為與發經種產關還沒樣點開從後動現實電車門間問無體將當應總條質價買賣運費貨購網頁隨圖團壓廣廠員標準檔處號級術統線縣藥類營業執證滿減優專區貼紙"
)
_SIMPLIFIED = frozenset(
    "这个们来对说时过国会为与发经种产关还没样点开从后动现实电车门间问无体将当应总条质价买卖运费货购网页随图团压广厂员标准档处号级术统线县药类营业执证满减优专区贴纸"
)
_WORD = re.compile(r"[A-Za-z]{2,}")


_RARE = re.compile("[\u0400-\u06ff\u0e00-\u0e7f\u3041-\u30ff\uac00-\ud7a3" + "".join(sorted(_TRADITIONAL)) + "]")


def guesser(page: str) -> Callable[[str], str | None]:
    """`guess_language` for the texts of one page: quicker when the page holds none of the scripts it must tell apart."""
    return guess_language if _RARE.search(page) else _guess_plain


def _guess_plain(text: str) -> str | None:
    if "\u4e00" <= text[:1] <= "\u9fff":
        return "zh"
    sample = text[:120]
    if not sample.isascii() and _HAN.search(sample):
        return "zh"
    return "en" if _WORD.search(sample) else None


def guess_language(text: str) -> str | None:
    """Language tag of the text; None when there is nothing to go by. Latin letters read as "en"."""
    sample = text[:120]
    if sample.isascii():
        return "en" if _WORD.search(sample) else None
    if _KANA.search(sample):
        return "ja" if len(_KANA.findall(sample)) * 4 > len(_HAN.findall(sample)) else "zh"
    chars = set(sample)
    traditional, simplified = len(chars & _TRADITIONAL), len(chars & _SIMPLIFIED)
    if traditional or simplified or _HAN.search(sample):
        return "zh-Hant" if traditional > simplified else "zh"
    for tag, pattern in _OTHER:
        if pattern.search(sample):
            return tag
    return "en" if _WORD.search(sample) else None
