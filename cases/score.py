"""How urgent a clue is: severity × confidence × reach × operator risk, told as addends that sum up to the score (0–100)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from contracts.finding import Severity

SEVERITY_WEIGHT = {Severity.LOW: 1.0, Severity.MEDIUM: 2.0, Severity.HIGH: 4.0, Severity.CRITICAL: 8.0}
#: The product at its greatest: critical × certain × widest reach × worst operator.
_GREATEST = 8.0 * 1.0 * 2.0 * 2.0
#: Each earlier act against the operator adds a quarter, four or more double the score.
_RISK_STEP = 0.25
#: A million sales or reviews is the widest reach.
_REACH_DECADES = 6.0


@dataclass(frozen=True, slots=True)
class Score:
    """`addends` are {"name", "points", "why"} and sum up to `value`, rounded to a tenth."""

    value: float
    addends: tuple[dict[str, object], ...]


def score(severity: Severity, confidence: float, *, buyers: int = 0, earlier: int = 0) -> Score:
    """`buyers`: sales or reviews shown, whichever is more. `earlier`: clues of the same operator that officers acted on."""
    sure = min(max(confidence, 0.0), 1.0)
    reach = 1.0 + min(math.log10(1 + max(buyers, 0)) / _REACH_DECADES, 1.0)
    risk = 1.0 + min(_RISK_STEP * max(earlier, 0), 1.0)
    base = 100.0 * SEVERITY_WEIGHT[severity] * sure / _GREATEST
    points = {
        "severity": (base, f"严重程度 {severity.value}，置信度 {sure:.2f}"),
        "reach": (base * (reach - 1), f"页面显示销量或评价约 {buyers}" if buyers else "未显示销量或评价"),
        "operator": (base * reach * (risk - 1), f"同一经营者此前已处置线索 {earlier} 条"),
    }
    addends = tuple({"name": name, "points": round(value, 1), "why": why} for name, (value, why) in points.items())
    return Score(round(sum(float(str(addend["points"])) for addend in addends), 1), addends)


def count_of(text: str | None) -> int:
    """The number in "1.2万+", "3,456", "200"; 0 when there is none."""
    found = re.search(r"(\d{1,12}(?:\.\d{1,4})?)\s*([万萬千kKwW亿億]?)", (text or "").replace(",", "")[:64])
    if not found:
        return 0
    times = {"千": 1e3, "k": 1e3, "万": 1e4, "萬": 1e4, "w": 1e4, "亿": 1e8, "億": 1e8}.get(found[2].lower(), 1)
    return int(float(found[1]) * times)
