"""Market days and simulated dates: day 1 is 2026-03-02 10:00 Asia/Shanghai, day n the (n−1)th day after."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.clock import SHANGHAI, SimulatedClock

FIRST_DAY = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)


def instant_of(day: int) -> datetime:
    """The aware instant (Asia/Shanghai) at which market day `day` ≥ 1 opens."""
    if day < 1:
        raise ValueError("market days begin with 1")
    return FIRST_DAY + timedelta(days=day - 1)


def day_of(at: datetime) -> int:
    """The market day in force at the aware instant `at`; 1 before the market opened."""
    return max(1, (at - FIRST_DAY).days + 1)


def clock_of(day: int) -> SimulatedClock:
    """A simulated clock that stands at the opening of market day `day`."""
    return SimulatedClock(instant_of(day))
