"""巡查 — the door of the package: `patrol(sites, …)` fetches, hands pages to the sink and says what it did.

Everything runs on the calling thread, the sink too; a process may patrol as often as it likes (see crawler.reactor).
SIGINT and SIGTERM, when the main thread calls, end a patrol cleanly: what was fetched is kept, the frontier stays,
and the same call takes up where it was. A kill does no more harm than that.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from contracts.clock import Clock
from contracts.site import Site
from crawler.frontier import Frontier
from crawler.guard import AddressPolicy, Guard
from crawler.round import Round
from crawler.values import CrawlPolicy, FetchedPage, Headers, Hop, Progress, Sink, Tally, Verdict

__all__ = [
    "CrawlPolicy",
    "FetchedPage",
    "Headers",
    "Hop",
    "Progress",
    "Sink",
    "Tally",
    "Verdict",
    "patrol",
]

#: Seconds that requests under way get to end by themselves after SIGINT.
GRACE_S = 3.0


def patrol(
    sites: Sequence[Site],
    *,
    run_id: str,
    policy: CrawlPolicy,
    sink: Sink,
    frontier: Path,
    clock: Clock,
    on_progress: Callable[[Progress], None] = lambda _: None,
    urls: Sequence[str] = (),
) -> Tally:
    """Patrols `sites` from their entry pages, or from `urls` instead when given (each must lie in a site's scope).

    `run_id` names the run in the frontier file: the same id goes on where the last call ended, a new id begins anew.
    Raises nothing per page: a failed page is counted, named, and the round goes on. Raises what the sink raises,
    EnvironmentFault for an unusable frontier file or a browser that is needed and missing, UsageError for a bad
    `allow_private`.
    """
    from crawler.reactor import turn

    guard = Guard(AddressPolicy(policy.allow_private))
    _allow_many_files()
    with Frontier(frontier, run_id) as queue:
        round_ = Round(
            sites,
            run_id=run_id,
            policy=policy,
            sink=sink,
            frontier=queue,
            clock=clock,
            on_progress=on_progress,
            urls=urls,
        )
        turn(lambda: _crawl(round_, guard))
        if round_.error is not None:
            raise round_.error
        return round_.tally


async def _crawl(round_: Round, guard: Guard) -> None:
    from scrapy.crawler import AsyncCrawlerRunner
    from scrapy.settings import Settings
    from twisted.internet import reactor

    from crawler.browser.render import Renderer
    from crawler.resolver import GuardedResolver
    from crawler.scheduler import PatrolScheduler
    from crawler.spiders.patrol import PatrolSpider

    loop = asyncio.get_running_loop()
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.set("DOWNLOAD_MAXSIZE", round_.policy.max_bytes, priority="cmdline")
    settings.set("DOWNLOAD_TIMEOUT", round_.policy.timeout_s, priority="cmdline")
    resolver: Any = GuardedResolver(reactor, guard)
    renderer = Renderer(round_.policy, guard)
    under_way: set[asyncio.Future[Any]] = set()
    runner = AsyncCrawlerRunner(settings)
    crawler = runner.create_crawler(PatrolSpider)
    resolver.install_on_reactor()
    round_.open(loop.time())

    def end() -> None:
        round_.stopping = True
        with suppress(RuntimeError):  # not begun yet: it will find nothing to ask
            scheduler = crawler.engine.scheduler
            if isinstance(scheduler, PatrolScheduler):
                scheduler.wake()
        loop.call_later(GRACE_S, lambda: [work.cancel() for work in tuple(under_way)])

    try:
        with _ended_by_signals(loop, end):
            await runner.crawl(crawler, round=round_, guard=guard, renderer=renderer, under_way=under_way)
    finally:
        resolver.uninstall()
        await renderer.close()
        round_.close(loop.time())


@contextmanager
def _ended_by_signals(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call `end` meanwhile; only the main thread may say so to Python."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def once() -> None:
        for number in before:
            loop.remove_signal_handler(number)  # a second signal does what it does to any program
        end()

    for number in before:
        loop.add_signal_handler(number, once)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _allow_many_files() -> None:
    """One open connection a host: the usual soft limit of 1024 open files is below a bureau's number of sites."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
