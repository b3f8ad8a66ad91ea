"""The one source of time. Nobody else calls `datetime.now`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Port: the present instant, and whether it is a real one."""

    @property
    def simulated(self) -> bool:
        """True when the time is made up. What such a clock stamps says 模拟时间 and is never formal evidence."""

    def now(self) -> datetime:
        """Aware, UTC."""


class SystemClock:
    """The machine's clock."""

    simulated = False

    def now(self) -> datetime:
        return datetime.now(UTC)


class SimulatedClock:
    """A clock that moves only when told to; for the sample market alone."""

    simulated = True

    def __init__(self, at: datetime) -> None:
        self._at = aware(at)

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by


def aware(at: datetime) -> datetime:
    """UTC instant of `at`; a naive input time is Asia/Shanghai."""
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def iso(at: datetime) -> str:
    """ISO 8601 with offset, as shown to people and written to JSON: Asia/Shanghai, to the second."""
    return aware(at).astimezone(SHANGHAI).isoformat(timespec="seconds")
