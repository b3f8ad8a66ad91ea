"""Reading amounts out of folded text: 5万, 一万二, 12.5, 3,000, 三百. Decimal, never float money."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "k": 1000, "w": 10_000, "万": 10_000, "亿": 100_000_000}
#: Pattern of an amount in folded text, for {num} in rules. Bounded: no amount is longer than 16 signs.
NUMBER = r"(?:[0-9][0-9,]{0,12}(?:\.[0-9]{1,4})?[kw百千万亿]{0,2}(?![a-z])|[零一二两三四五六七八九十百千万亿]{1,8})"
_ARABIC = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)([kw百千万亿]*)")


def amount(text: str) -> Decimal | None:
    """The number written in `text` (folded), None when it is not one."""
    match = _ARABIC.fullmatch(text)
    if match:
        try:
            value = Decimal(match[1].replace(",", ""))
        except InvalidOperation:
            return None
        for unit in match[2]:
            value *= _UNITS[unit]
        return value
    return _chinese(text)


def _chinese(text: str) -> Decimal | None:
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in "十百千":
            section += (digit or 1) * _UNITS[char]
            digit = 0
        elif char in "万亿":
            total = (total + section + digit) * _UNITS[char]
            section = digit = 0
        else:
            return None
    return Decimal(total + section + digit)
