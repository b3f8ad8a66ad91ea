"""限时: an offer that was to end and did not (规范促销行为暂行规定 20, 明码标价和禁止价格欺诈规定 19).

The words alone are lawful; the rule library asks for a second capture (`Need`). When an earlier capture of the same
listing said the same and the price stands unchanged after the end it named, the need is met and becomes a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.clock import SHANGHAI, aware, iso
from contracts.finding import Detection, Finding, Method, Need, Pointer, Tested
from contracts.site import History, Observation, Snapshot
from detectors.base import Bench

CATEGORY = "promo-endless-limited-time"
#: The offer names today as its end; anything vaguer ("限时") must have stood for longer to be worth a person's look.
_TODAY = re.compile(r"今天|今日|今晚|本日|当天|當天|最后一天|最後一天|today|tonight|24\s*(小时|小時|h)", re.IGNORECASE)
VAGUE = timedelta(days=7)


class EndlessOffers:
    """Turns the library's needs of this category into findings where an earlier capture answers them."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, snapshot: Snapshot, history: History, needs: Sequence[Need], at: datetime) -> Detection:
        return Detection(findings=tuple(self._lasting(snapshot, history, needs, at)))

    def _lasting(self, snapshot: Snapshot, history: History, needs: Sequence[Need], at: datetime) -> Iterator[Finding]:
        for need in needs:
            if need.category != CATEGORY:
                continue
            quote = need.pointer.quote
            same = [o for o in history.claims.get(need.rule, ()) if o.value == quote and _day(o.at) < _day(at)]
            same = [o for o in same if _price_at(history, o) in (None, snapshot.reading.value("price"))]
            ends_today = bool(_TODAY.search(quote))
            if not same or not (ends_today or at - same[0].at >= VAGUE):
                continue
            yield self._bench.finding(
                CATEGORY,
                need.rule,
                at=at,
                pointers=(
                    need.pointer,
                    *(Pointer(snapshot_id=o.snapshot_id, quote=quote, captured_at=o.at) for o in same[:5]),
                ),
                claim=quote,
                why=f"“{quote}”于 {iso(same[0].at)} 已在展示,至今未结束,价格未变",
                confidence=0.8 if ends_today else 0.65,
                met={"detect": True, "history": True, "second-capture": True},
                method=Method.HISTORY,
                tested=(
                    Tested("other-goods", "每日更换商品的秒杀", applies=False, why="同一商品、同一价格"),
                    Tested("dated", "写明新的起止日期", applies=None, why="须核对页面是否另有日期"),
                ),
            )


def _day(at: datetime) -> datetime:
    return aware(at).astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def _price_at(history: History, claim: Observation) -> str | None:
    return next((o.value for o in history.of("price") if o.snapshot_id == claim.snapshot_id), None)


def without_answered(detection: Detection, answered: Sequence[Finding]) -> Detection:
    """The detection without the needs that a finding has met."""
    met = {(f.rule, f.quote) for f in answered}
    return replace(detection, needs=tuple(n for n in detection.needs if (n.rule, n.pointer.quote) not in met))
