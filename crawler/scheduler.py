"""Scrapy's SCHEDULER: hands the engine what the round says may be asked now, and wakes it when that changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler

from contracts.errors import UsageError
from crawler.politeness import Task

if TYPE_CHECKING:
    from crawler.round import Round
    from crawler.spiders.patrol import PatrolSpider

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_LANGUAGE = "zh-CN,zh;q=0.9,en;q=0.6"


class PatrolScheduler(BaseScheduler):
    """Holds nothing itself: addresses stand in the frontier, pauses in the lanes of the round."""

    round: Round
    spider: PatrolSpider

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PatrolScheduler:
        return cls(crawler)

    def open(self, spider: Spider) -> None:
        from crawler.spiders.patrol import PatrolSpider

        if not isinstance(spider, PatrolSpider):
            raise UsageError("此调度器只供巡查爬虫使用")
        self.spider = spider
        self.round = spider.round
        self._loop = asyncio.get_running_loop()
        policy = self.round.policy
        self._headers = {"User-Agent": policy.user_agent, "Accept": ACCEPT, "Accept-Language": ACCEPT_LANGUAGE}
        if policy.contact:
            self._headers["From"] = policy.contact

    def close(self, reason: str) -> None:  # noqa: ARG002  Scrapy's signature
        if self._timer is not None:
            self._timer.cancel()

    def has_pending_requests(self) -> bool:
        return self.round.pending

    def enqueue_request(self, request: Request) -> bool:  # noqa: ARG002  Scrapy's signature
        """Nothing comes in this way: links go through the sink's verdict into the frontier."""
        return False

    def next_request(self) -> Request | None:
        now = self._loop.time()
        try:
            task = self.round.next(now)
            if task is not None:
                return self._request(task)
        except Exception as error:  # noqa: BLE001  sink or disk: the round ends and `patrol` raises it
            self.round.broke(error)
            return None
        self._wake_at(self.round.next_at())
        return None

    def _request(self, task: Task) -> Request:
        policy = self.round.policy
        headers = dict(self._headers)
        etag, modified = self.round.validators(task)
        if etag:
            headers["If-None-Match"] = etag
        if modified:
            headers["If-Modified-Since"] = modified
        return Request(
            task.url,
            callback=self.spider.parse,
            errback=self.spider.errback,
            headers=headers,
            meta={"task": task, "download_timeout": policy.timeout_s},
            dont_filter=True,
        )

    def _wake_at(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at is None else self._loop.call_at(at, self.wake)

    def wake(self) -> None:
        """Makes the engine ask again. Scrapy has no public way to say so between its 5 s heartbeats."""
        slot = self._crawler.engine._slot
        if slot is not None:
            slot.nextcall.schedule()
