"""Identifiers the State issues, checked by their own arithmetic. Pure; says nothing about whether a code is in use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum.cn import uscc

#: GB 32100-2015 alphabet: digits and capitals without I, O, S, V, Z.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: What reading a picture confuses, towards letters the alphabet has.
_CONFUSABLE = {"O": "0", "I": "1", "S": "5", "Z": "2", "V": "U"}
_TWINS = {
    "0": "DQ",
    "1": "7L",
    "8": "B",
    "B": "8",
    "D": "0",
    "Q": "0",
    "5": "6",
    "6": "5G",
    "G": "6",
    "2": "7",
    "7": "1",
}
USCC_SHAPE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """`valid` by its check characters alone; `why` names the first fault, in Chinese, empty when valid."""

    code: str
    kind: str
    valid: bool
    why: str = ""


def check_uscc(text: str) -> CodeCheck:
    """统一社会信用代码: 18 characters, GB 32100-2015. Blanks and hyphens are ignored, letters may be small."""
    code = re.sub(r"[\s\-]", "", text).upper()

    def no(why: str) -> CodeCheck:
        return CodeCheck(code, "uscc", valid=False, why=why)

    if len(code) != 18:
        return no(f"应为 18 位,现为 {len(code)} 位")
    for place, char in enumerate(code, 1):
        if char not in USCC_ALPHABET:
            return no(f"第 {place} 位“{char}”不在字符集内(不含 I、O、S、V、Z)")
    if not code[2:8].isdigit():
        return no("第 3–8 位应为登记管理机关行政区划码(数字)")
    expected = str(uscc.calc_check_digit(code[:17]))
    if code[17] != expected:
        return no(f"校验码应为 {expected},现为 {code[17]}")
    return CodeCheck(code, "uscc", valid=True)


def repair_uscc(text: str) -> str | None:
    """The one valid code that differs from `text` in a single character a reader of pictures confuses, or None.

    Two equally near repairs are no repair. A valid `text` is returned as it is.
    """
    code = re.sub(r"[\s\-]", "", text).upper()
    code = "".join(_CONFUSABLE.get(c, c) for c in code)
    if check_uscc(code).valid:
        return code
    found = {
        trial
        for i, char in enumerate(code)
        for twin in _TWINS.get(char, "")
        if check_uscc(trial := code[:i] + twin + code[i + 1 :]).valid
    }
    return found.pop() if len(found) == 1 else None
