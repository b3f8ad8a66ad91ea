"""How gently a host is treated: one page request at a time, a pause after each, longer when it is in trouble.

Every page request to a host goes through its one `Lane`, whether Scrapy sends it or the browser. Pure: the caller
says what time it is (monotonic seconds) and what came of a request.

The pause counts from the end of a request, not from its start: whatever the network does to the first of two
requests, the host's own log never shows them closer than the delay.
"""

from __future__ import annotations

import heapq
import random
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from protego import Protego

from contracts.site import Site
from crawler.values import FetchedPage, Hop

#: Longest Crawl-delay obeyed, in seconds. A longer one is a way to say no: the host is then patrolled at this pace.
MAX_CRAWL_DELAY_S = 120.0
#: Bytes of a robots.txt that are read (RFC 9309 §2.5 asks for at least 500 KiB).
ROBOTS_MAX_BYTES = 512 * 1024


@dataclass(slots=True)
class Task:
    """One thing to be asked of a host: a page of the frontier, its redirect or rendering, or a robots.txt."""

    site: Site
    url: str  #: what is asked now
    first_url: str  #: what the frontier holds
    row: int  #: frontier row; 0 for robots.txt
    key: bytes
    depth: int
    render: bool = False
    robots: str = ""  #: the origin whose robots.txt this is
    attempts: int = 0
    hops: tuple[Hop, ...] = ()
    static: FetchedPage | None = None  #: what the page was without a browser
    lane: str = ""  #: the host whose lane it occupies


@dataclass(slots=True)
class Robots:
    """What an origin's robots.txt says. `rules` None: everything is allowed."""

    rules: Protego | None = None
    agent: str = "*"

    def allows(self, url: str) -> bool:
        return self.rules is None or bool(self.rules.can_fetch(url, self.agent))

    @property
    def crawl_delay_s(self) -> float:
        if self.rules is None:
            return 0.0
        delay = self.rules.crawl_delay(self.agent)
        rate = self.rules.request_rate(self.agent)
        seconds = max(float(delay or 0), rate.seconds / rate.requests if rate and rate.requests else 0.0)
        return min(seconds, MAX_CRAWL_DELAY_S)


def read_robots(body: bytes, user_agent: str) -> Robots:
    """Rules for our product token. A body that is no robots.txt (an HTML page, noise) holds no rules."""
    text = body[:ROBOTS_MAX_BYTES].decode("utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return Robots()
    # Protego compares the token with User-agent lines; the product token alone is what RFC 9309 §2.2.1 names.
    return Robots(Protego.parse(text), re.split(r"[/ ]", user_agent, maxsplit=1)[0] or "*")


def retry_after_s(value: str, now: datetime) -> float | None:
    """Seconds a Retry-After field asks for (RFC 9110 §10.2.3: seconds or a date), None when it cannot be read."""
    value = value.strip()
    if value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError):
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


@dataclass(slots=True)
class Lane:
    """One host. `queue` holds leased tasks, `stocked` says that the frontier may hold more."""

    host: str
    delay_s: float
    ready_at: float = 0.0
    busy: bool = False
    listed: bool = False  #: stands in the heap
    stocked: bool = False
    failures: int = 0  #: in a row
    stopped: str = ""  #: why nothing is asked any more in this run
    queue: deque[Task] = field(default_factory=deque)
    robots: dict[str, Robots] = field(default_factory=dict)  #: by origin
    awaited: set[str] = field(default_factory=set)  #: origins whose robots.txt is under way or was given up

    @property
    def wanted(self) -> bool:
        return not self.stopped and bool(self.queue or self.stocked)


class Lanes:
    """All hosts of a patrol, by the time each may be asked again."""

    def __init__(self, *, delay_s: float, jitter: float) -> None:
        self.delay_s = delay_s
        self.jitter = max(0.0, jitter)
        self.by_host: dict[str, Lane] = {}
        self._heap: list[tuple[float, int, Lane]] = []
        self._count = 0
        # Spreads requests only; nothing secret hangs on it.
        self._random = random.Random()  # noqa: S311

    def lane(self, host: str, delay_s: float | None = None) -> Lane:
        """The lane of `host`, made when new. Of several delays for one host the longest holds."""
        lane = self.by_host.get(host)
        if lane is None:
            lane = self.by_host[host] = Lane(host, self.delay_s if delay_s is None else delay_s)
        elif delay_s is not None:
            lane.delay_s = max(lane.delay_s, delay_s)
        return lane

    def enlist(self, lane: Lane) -> None:
        """Puts a lane that has work and is free among those to be asked."""
        if lane.wanted and not lane.busy and not lane.listed:
            lane.listed = True
            self._count += 1
            heapq.heappush(self._heap, (lane.ready_at, self._count, lane))

    def due(self, now: float) -> Lane | None:
        """Takes out the lane that may be asked and has waited longest, or None."""
        while self._heap:
            at, _, lane = self._heap[0]
            if at > now:
                return None
            heapq.heappop(self._heap)
            lane.listed = False
            if lane.ready_at > now:  # pushed back since it was listed
                self.enlist(lane)
            elif lane.wanted:
                return lane
        return None

    def next_at(self) -> float | None:
        """When the first lane may be asked, None when none has work or all with work are busy."""
        return self._heap[0][0] if self._heap else None

    def settle(self, lane: Lane, now: float, *, pause_s: float = 0.0) -> None:
        """The lane's request is over: it may be asked again after its delay, lengthened by jitter, or `pause_s`."""
        lane.busy = False
        delay = lane.delay_s * (1.0 + self._random.uniform(0.0, self.jitter))
        lane.ready_at = max(lane.ready_at, now + max(delay, pause_s))
        self.enlist(lane)

    def stop(self, lane: Lane, why: str) -> list[Task]:
        """Leaves the host alone for the rest of the run; returns what was leased for it."""
        lane.stopped = why
        left = list(lane.queue)
        lane.queue.clear()
        return left


def backoff_s(lane: Lane, attempts: int, asked_s: float | None, *, ceiling_s: float) -> float:
    """Seconds to wait after a failure: what the host asked for, or the delay doubled for every failure in a row."""
    doubled = max(lane.delay_s, 0.5) * 2.0 ** min(max(lane.failures, attempts), 16)
    return max(asked_s or 0.0, min(doubled, ceiling_s))
