"""一轮巡查 — the decisions of one patrol: what is asked next, and what follows from an answer or a failure.

No network in here: `crawler.scheduler` carries tasks to Scrapy, the spider brings answers back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

from contracts.clock import Clock
from contracts.errors import EnvironmentFault
from contracts.site import Render, RobotsPolicy, Site
from crawler.causes import FailureCause, why
from crawler.frontier import Frontier, Queued
from crawler.politeness import Lane, Lanes, Robots, Task, backoff_s, read_robots, retry_after_s
from crawler.scope import Scope, looks_like_login
from crawler.urls import address_of, host_of, normalise, origin_of
from crawler.values import CrawlPolicy, FetchedPage, Headers, Hop, Progress, Sink, Tally

LEASE = 16  #: addresses of a host taken from the frontier at a time
BATCH_PAGES, BATCH_LINKS, BATCH_S = 64, 2000, 0.5  #: whichever comes first ends a batch
MAX_LINKS_PER_PAGE = 5000
MAX_NAMED = 10_000  #: failures kept by name in the tally
_MAX_ROBOTS_HOPS = 5  # RFC 9309 §2.3.1.2
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TROUBLE = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
#: Failures that a second attempt cannot mend.
_FINAL = frozenset(
    {FailureCause.GUARD, FailureCause.TOO_LARGE, FailureCause.ADDRESS, FailureCause.DNS, FailureCause.TLS}
)
#: Failures that say nothing about the host's health.
_HARMLESS = frozenset({FailureCause.TOO_LARGE, FailureCause.ADDRESS, FailureCause.BROWSER, FailureCause.OTHER})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a task. `url` is where it was answered; `hops` are redirects the browser followed itself."""

    url: str
    status: int
    headers: Headers
    body: bytes
    request_headers: Headers
    at: datetime
    ip: str | None = None
    certificate: bytes | None = None
    dom: str | None = None
    rendered: bool = False
    hops: tuple[Hop, ...] = ()

    def field(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class Round:
    """One patrol's state. Times are monotonic seconds given by the caller."""

    def __init__(
        self,
        sites: Sequence[Site],
        *,
        run_id: str,
        policy: CrawlPolicy,
        sink: Sink,
        frontier: Frontier,
        clock: Clock,
        on_progress: Callable[[Progress], None],
        urls: Sequence[str] = (),
    ) -> None:
        self.sites = {site.id: site for site in sites}
        self.policy = policy
        self.sink = sink
        self.frontier = frontier
        self.clock = clock
        self.tally = Tally(run_id)
        self.stopping = False
        self.error: Exception | None = None  #: the sink's or our own, to be raised by `patrol`
        self._on_progress = on_progress
        self._scope = Scope(sites)
        self._lanes = Lanes(delay_s=policy.delay_s, jitter=policy.jitter)
        self._in_flight = 0
        self._links: dict[bytes, Queued] = {}
        self._done: list[tuple[int, bool]] = []
        self._batch_since: float | None = None
        self._taken: dict[str, int] = {}  #: site id → pages of this run, under way included
        self._full: set[str] = set()  #: sites whose page budget is used up
        self._started = 0.0
        self._now = 0.0  #: when the present call came
        self._urls = tuple(urls)

    # --- beginning and end ------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Takes up a run where it was left, or begins it with its entry pages."""
        self._started = self._now = now
        self.frontier.recover(self.sink.known)
        self._taken = self.frontier.fetched()
        self.tally.resumed = sum(self._taken.values())
        seeds = self._seeds()
        self.tally.seeds += len(seeds)
        self.tally.seeds_fetched = self.frontier.done_keys([seed.key for seed in seeds])
        self.frontier.push(seeds)
        for host in self.frontier.waiting():
            self._stock(host)
        for seed in seeds:
            self._delay(seed.host, self.sites[seed.site])

    def _seeds(self) -> list[Queued]:
        wanted: list[tuple[Site | None, str]] = [(None, url) for url in self._urls]
        if not wanted:
            wanted = [(site, url) for site in self.sites.values() for url in site.entry_urls]
        seeds: dict[bytes, Queued] = {}
        for known, given in wanted:
            address = address_of(given.strip())
            site = known or (self._scope.owner(address.url) if address else None)
            if address is None or site is None:
                self.tally.seeds += 1
                owner = known or next(iter(self.sites.values()), None)
                detail = "" if address is None else "not in the scope of a site"
                if owner is not None:
                    self._name_failure(owner, given, why(FailureCause.ADDRESS, detail))
                continue
            seeds.setdefault(address.key, Queued(address.url, address.key, site.id, address.host, 0, address.template))
        return list(seeds.values())

    def _stock(self, host: str) -> None:
        lane = self._lanes.lane(host)
        lane.stocked = True
        self._lanes.enlist(lane)

    def _delay(self, host: str, site: Site) -> None:
        if site.delay_s is not None:
            lane = self._lanes.by_host.get(host)
            if lane is None or lane.ready_at == 0.0:  # not asked yet: the site's own delay replaces the policy's
                (lane or self._lanes.lane(host)).delay_s = site.delay_s
            else:
                lane.delay_s = max(lane.delay_s, site.delay_s)

    def close(self, now: float) -> None:
        """Writes out what is buffered and gives back what was leased and not worked on."""
        if self.error is None:
            self.flush(now)
        self.frontier.give_back(task.row for lane in self._lanes.by_host.values() for task in lane.queue if task.row)
        waiting = self.frontier.waiting_by_site()
        self.tally.left = sum(waiting.values())
        self.tally.budget_hits = {site: waiting[site] for site in self._full if waiting.get(site)}
        self.tally.seconds = now - self._started
        self.tally.interrupted = self.stopping

    # --- what is asked next -----------------------------------------------------------------------------------------

    def next(self, now: float) -> Task | None:
        """The next thing to ask, or None when nothing may be asked just now."""
        self._now = now
        if self._batch_since is not None and now - self._batch_since >= BATCH_S:
            self.flush(now)
        while not self.stopping and self.error is None and self._in_flight < self.policy.concurrency:
            lane = self._lanes.due(now)
            if lane is None:
                if self._in_flight or self._lanes.next_at() is not None or self._batch_since is None:
                    return None
                self.flush(now)  # nothing else to do: what goes on can only be in the buffer
                continue
            task = self._from(lane)
            if task is not None:
                lane.busy = True
                task.lane = lane.host
                self._in_flight += 1
                self.tally.requests += not task.robots
                return task
        return None

    def next_at(self) -> float | None:
        """When `next` should be asked again if nothing happens before; None: only an answer can change anything."""
        times = [] if self._in_flight >= self.policy.concurrency else [self._lanes.next_at()]
        times.append(None if self._batch_since is None else self._batch_since + BATCH_S)
        return min((at for at in times if at is not None), default=None)

    @property
    def pending(self) -> bool:
        """Whether anything is under way, waiting or unwritten."""
        if self.stopping or self.error is not None:
            return False  # Scrapy itself waits for what is under way
        return self._in_flight > 0 or self._lanes.next_at() is not None or self._batch_since is not None

    def validators(self, task: Task) -> tuple[str | None, str | None]:
        """ETag and Last-Modified to send along: only for pages that are read without a browser."""
        if task.robots or task.render or task.hops or task.attempts:
            return None, None
        return self.sink.validators(task.site, task.first_url)

    def _from(self, lane: Lane) -> Task | None:
        while lane.queue or self._lease(lane):
            task = lane.queue.popleft()
            if task.robots:
                return task
            if task.site.robots is not RobotsPolicy.OVERRIDE:
                origin = origin_of(task.url)
                robots = lane.robots.get(origin)
                if robots is None:
                    lane.queue.appendleft(task)
                    if origin in lane.awaited:
                        return None  # another host is being asked for it (redirect)
                    lane.awaited.add(origin)
                    return Task(task.site, f"{origin}/robots.txt", "", 0, b"", 0, robots=origin)
                if not robots.allows(task.url):
                    self._disallowed(task)
                    continue
            if (
                task.first_url == task.url
                and not task.attempts
                and task.static is None
                and not self._within_budget(task)
            ):
                continue
            return task
        return None

    def _lease(self, lane: Lane) -> bool:
        while lane.stocked and not lane.queue:
            leased = self.frontier.lease(lane.host, LEASE, without=self._full)
            lane.stocked = len(leased) == LEASE
            for row in leased:
                site = self.sites.get(row.site)
                if site is None:  # a site of this run that this session was not given
                    continue
                render = self._mode(site) is Render.ALWAYS
                lane.queue.append(Task(site, row.url, row.url, row.row, row.key, row.depth, render=render))
        return bool(lane.queue)

    def _mode(self, site: Site) -> Render:
        return site.render if site.render is not Render.AUTO else self.policy.render

    def _within_budget(self, task: Task) -> bool:
        limit = task.site.max_pages if task.site.max_pages is not None else self.policy.max_pages
        taken = self._taken.get(task.site.id, 0)
        if limit is not None and taken >= limit:
            self._full.add(task.site.id)
            self.frontier.give_back([task.row])
            return False
        self._taken[task.site.id] = taken + 1
        return True

    def _disallowed(self, task: Task) -> None:
        self.tally.robots_skipped += 1
        if task.site.robots is RobotsPolicy.RECORD and len(self.tally.robots_urls) < MAX_NAMED:
            self.tally.robots_urls.append(task.url)
        if task.depth == 0 or task.site.robots is RobotsPolicy.RECORD or task.hops:
            self._name_failure(task.site, task.first_url, why(FailureCause.ROBOTS))
        self._finish(task, fetched=False)

    # --- what came of it --------------------------------------------------------------------------------------------

    def answered(self, task: Task, answer: Answer, now: float) -> None:
        """An HTTP answer, whatever its status."""
        self._now = now
        lane = self._lanes.by_host[task.lane]
        self._in_flight -= 1
        if answer.status in _TROUBLE:
            asked = retry_after_s(answer.field("retry-after") or "", self.clock.now())
            busy = answer.status in {429, 503}
            self._trouble(
                task, lane, now, FailureCause.BUSY if busy else FailureCause.STATUS, str(answer.status), asked
            )
            return
        lane.failures = 0
        self._lanes.settle(lane, now)
        location = answer.field("location")
        if answer.status in _REDIRECTS and location:
            self._redirected(task, answer, location)
        elif task.robots:
            self._robots_read(task, answer)
        elif answer.status == 304 or 200 <= answer.status < 300:
            self._deliver(task, answer)
        elif answer.status in {401, 403, 407}:
            self._give_up(task, why(FailureCause.LOGIN, str(answer.status)))
        elif answer.status in {404, 410}:
            self._give_up(task, why(FailureCause.GONE, str(answer.status)))
        else:
            self._give_up(task, why(FailureCause.STATUS, str(answer.status)))

    def failed(self, task: Task, cause: FailureCause, detail: str, now: float) -> None:
        """No HTTP answer."""
        self._now = now
        lane = self._lanes.by_host[task.lane]
        self._in_flight -= 1
        if self.stopping:
            lane.busy = False
            if task.row:
                self.frontier.give_back([task.row])
            return
        self._trouble(task, lane, now, cause, detail, None)

    def _trouble(
        self, task: Task, lane: Lane, now: float, cause: FailureCause, detail: str, asked_s: float | None
    ) -> None:
        lane.failures += cause not in _HARMLESS
        if asked_s is not None and asked_s > self.policy.max_backoff_s:
            self._stop_host(lane, task, why(FailureCause.BUSY, f"Retry-After {asked_s:.0f} s"))
            return
        retry = cause not in _FINAL and task.attempts < self.policy.retries
        if retry and lane.failures < max(self.policy.breaker, 1):
            task.attempts += 1
            pause = backoff_s(lane, task.attempts, asked_s, ceiling_s=self.policy.max_backoff_s)
            lane.queue.appendleft(task)
            self._lanes.settle(lane, now, pause_s=pause)
            return
        reason = why(cause, detail)
        if task.robots:
            broken = cause in {FailureCause.STATUS, FailureCause.BUSY}
            self._stop_host(lane, task, why(FailureCause.ROBOTS_DOWN, detail) if broken else reason)
            return
        self._lanes.settle(lane, now, pause_s=asked_s or 0.0)
        self._give_up(task, reason)
        if lane.failures >= self.policy.breaker:
            self._stop_host(lane, None, why(FailureCause.BREAKER, reason))

    def _stop_host(self, lane: Lane, task: Task | None, reason: str) -> None:
        """Leaves the host alone: its entry pages have failed, everything else goes on waiting in the frontier."""
        hosts = {lane.host}
        if task is not None and task.robots:
            hosts.add(host_of(task.robots))  # the host whose robots.txt was redirected here
        elif task is not None:
            self._give_up(task, reason)
        lane.busy = False
        for host in hosts:
            stopped = self._lanes.lane(host)
            if stopped.stopped:
                continue
            self.tally.stopped_hosts.append((host, reason))
            while self._lease(stopped) and stopped.queue[-1].depth == 0:
                self._fail_entries(stopped, reason)
            self._fail_entries(stopped, reason)
            self.frontier.give_back([left.row for left in self._lanes.stop(stopped, reason) if left.row])

    def _fail_entries(self, lane: Lane, reason: str) -> None:
        for task in list(lane.queue):
            if task.depth == 0:
                lane.queue.remove(task)
                if task.row:
                    self._name_failure(task.site, task.first_url, reason)
                    self._finish(task, fetched=False)

    def _redirected(self, task: Task, answer: Answer, location: str) -> None:
        target = normalise(_joined(answer.url, location))
        hops = (*task.hops, Hop(task.url, answer.status, answer.headers))
        if task.robots:
            if target is None or len(hops) > _MAX_ROBOTS_HOPS:
                self._robots_known(task, Robots())
            else:
                self._send_on(replace(task, url=target, hops=hops))
            return
        if target is None:
            self._give_up(task, why(FailureCause.ADDRESS, location))
        elif len(hops) > self.policy.max_redirects or any(hop.url == target for hop in hops):
            self._give_up(task, why(FailureCause.REDIRECTS, target))
        elif looks_like_login(target) and not looks_like_login(task.first_url):
            self._give_up(task, why(FailureCause.LOGIN, target))
        else:
            if task.depth == 0:
                self._scope.moved(target, task.site)
            elif self._scope.owner(target, task.first_url, task.site) is None:
                self._give_up(task, why(FailureCause.OFF_SITE, target))
                return
            self._send_on(replace(task, url=target, hops=hops))

    def _send_on(self, task: Task) -> None:
        lane = self._lanes.lane(host_of(task.url))
        if lane.stopped:
            self._give_up(task, lane.stopped)
            return
        lane.queue.appendleft(task)
        self._lanes.enlist(lane)

    def _robots_read(self, task: Task, answer: Answer) -> None:
        fine = 200 <= answer.status < 300
        self._robots_known(task, read_robots(answer.body, self.policy.user_agent) if fine else Robots())

    def _robots_known(self, task: Task, robots: Robots) -> None:
        lane = self._lanes.lane(host_of(task.robots))
        lane.robots[task.robots] = robots
        lane.awaited.discard(task.robots)
        lane.delay_s = max(lane.delay_s, robots.crawl_delay_s)
        self._lanes.enlist(lane)

    def _deliver(self, task: Task, answer: Answer) -> None:
        page = FetchedPage(
            site=task.site,
            url=task.first_url,
            final_url=answer.url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            request_headers=answer.request_headers,
            fetched_at=answer.at,
            key=task.key.hex(),
            depth=task.depth,
            redirects=task.hops + answer.hops,
            ip=answer.ip,
            rendered=answer.rendered,
            dom=answer.dom,
            not_modified=answer.status == 304,
            certificate=answer.certificate,
        )
        self._hand_over(task, page)

    def _hand_over(self, task: Task, page: FetchedPage) -> None:
        verdict = self.sink.page(page)
        wants = verdict.render and not page.rendered and not page.render_error
        if wants and self._mode(task.site) is Render.AUTO:
            again = replace(task, url=page.final_url, render=True, static=page, attempts=0)
            self._send_on(again)
            return
        self.tally.not_modified += page.not_modified
        self.tally.fetched += not page.not_modified
        self.tally.rendered += page.rendered
        self.tally.seeds_fetched += task.depth == 0
        if task.depth < self.policy.max_depth:
            self._follow(task, page, verdict.links)
        self._finish(task, fetched=True)
        if len(self._done) >= BATCH_PAGES or len(self._links) >= BATCH_LINKS:
            self.flush(self._now, page.url)

    def _follow(self, task: Task, page: FetchedPage, links: Sequence[str]) -> None:
        for link in (*_refreshes(page.body), *links[:MAX_LINKS_PER_PAGE]):
            absolute = link if link.startswith(("http://", "https://")) else _joined(page.final_url, link)
            address = address_of(absolute)
            if address is None or address.key in self._links:
                continue
            site = self._scope.owner(address.url, page.final_url, task.site)
            if site is None:
                continue
            if not address.is_page:
                self.tally.trapped += 1
                continue
            self._links[address.key] = Queued(
                address.url, address.key, site.id, address.host, task.depth + 1, address.template
            )

    def _give_up(self, task: Task, reason: str) -> None:
        if task.robots:
            self._robots_known(task, Robots())
            return
        if task.static is not None:  # the browser failed: what was read without it stands
            self._hand_over(task, replace(task.static, render_error=reason))
            return
        self._name_failure(task.site, task.first_url, reason)
        self._finish(task, fetched=False)

    def _finish(self, task: Task, *, fetched: bool) -> None:
        if task.row:
            self._done.append((task.row, fetched))
            if self._batch_since is None:
                self._batch_since = self._now

    def _name_failure(self, site: Site, url: str, reason: str) -> None:
        self.tally.failures += 1
        if len(self.tally.failed) < MAX_NAMED:
            self.tally.failed.append((url, reason))
        self.sink.failed(site, url, reason)

    def flush(self, now: float, url: str = "") -> None:
        """Ends the batch, in the order that loses and doubles nothing (see `Sink`)."""
        links, done = self._links, self._done
        self._links, self._done, self._batch_since = {}, [], None
        hosts, trapped = self.frontier.push(list(links.values()), template_limit=self.policy.max_links_per_template)
        self.sink.commit()
        self.frontier.done(done)
        self.tally.trapped += trapped
        for host in hosts:
            self._stock(host)
        self._on_progress(
            Progress(
                fetched=self.tally.fetched,
                not_modified=self.tally.not_modified,
                rendered=self.tally.rendered,
                failed=self.tally.failures,
                queued=self.frontier.queued,
                hosts=sum(lane.busy or lane.wanted for lane in self._lanes.by_host.values()),
                seconds=now - self._started,
                url=url,
            )
        )

    def broke(self, error: Exception) -> None:
        """Something of ours or of the sink failed: the patrol ends, and `patrol` raises it."""
        if self.error is None:
            self.error = error if not isinstance(error, MemoryError) else EnvironmentFault("内存不足")


_REFRESH = re.compile(
    rb"""<meta[^>]{0,200}http-equiv\s*=\s*["']?refresh[^>]{0,200}?url\s*=\s*['"]?([^'">\s]{1,2000})""", re.IGNORECASE
)


def _refreshes(body: bytes) -> tuple[str, ...]:
    """Where a page that is nothing but a signpost sends its visitors: <meta http-equiv=refresh> in the first 4 KB."""
    match = _REFRESH.search(body[:4096]) if len(body) < 16_384 else None
    return (match[1].decode("utf-8", "replace").replace("&amp;", "&"),) if match else ()


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""
