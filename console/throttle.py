"""How often one address may try to sign in. The account's own lock-out stands in `cases.officers`; this one stops an
address from trying many accounts. Kept in memory: a restart forgives."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock


class Throttle:
    """At most `tries` failures an address within `window`; the oldest of too many addresses are forgotten."""

    def __init__(self, tries: int = 20, window: timedelta = timedelta(minutes=5), addresses: int = 10_000) -> None:
        self._tries, self._window, self._addresses = tries, window, addresses
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = Lock()

    def closed(self, address: str, at: datetime) -> bool:
        """True when `address` must wait."""
        with self._lock:
            return len(self._recent(address, at)) >= self._tries

    def failed(self, address: str, at: datetime) -> None:
        with self._lock:
            self._failures[address] = [*self._recent(address, at), at]
            self._failures.move_to_end(address)
            while len(self._failures) > self._addresses:
                self._failures.popitem(last=False)

    def _recent(self, address: str, at: datetime) -> list[datetime]:
        return [when for when in self._failures.get(address, []) if at - when < self._window]
