"""One patrol from beginning to report: which sites, which run, the crawl, the pictures of pages with a clue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cases import registry, runs
from contracts.errors import EnvironmentFault, UsageError
from contracts.site import Render, Site
from crawler.browser.launch import find_chromium
from crawler.causes import FailureCause
from crawler.patrol import patrol
from crawler.urls import normalise
from crawler.values import CrawlPolicy, Progress, Tally
from wangxun.keys import review_key
from wangxun.line import Counts, Line
from wangxun.pictures import Pictures, take_pictures, waiting
from wangxun.runtime import Runtime
from wangxun.settings import Settings
from wangxun.stamping import stamping


@dataclass(frozen=True, slots=True)
class Report:
    """What `wangxun patrol --json` prints, and a little more."""

    tally: Tally
    counts: Counts
    pictures: Pictures = field(default_factory=Pictures)
    seeds: frozenset[str] = frozenset()  #: the addresses the patrol began at

    @property
    def reached(self) -> bool:
        """At least one entry page could be had."""
        return self.tally.seeds_fetched > 0

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Pages that could not be had. A dead link inside a site was answered, and is told apart (`gone`)."""
        return [(url, why) for url, why in self.tally.failed if url in self.seeds or not _gone(why)]

    @property
    def gone(self) -> list[str]:
        return [url for url, why in self.tally.failed if _gone(why) and url not in self.seeds]

    def as_json(self) -> dict[str, Any]:
        tally, counts = self.tally, self.counts
        return {
            "run": tally.run,
            "pages": tally.fetched + tally.not_modified,
            "listings": len(counts.listings),
            "snapshots": counts.snapshots,
            "clues": {"new": counts.new, "seen": counts.seen},
            "failed": [{"url": url, "why": why} for url, why in self.failed],
            "seconds": round(tally.seconds, 3),
            "unchanged": tally.not_modified,
            "rendered": tally.rendered,
            "resumed": tally.resumed,
            "gone": self.gone,
            "robots": tally.robots_skipped,
            "budget": dict(tally.budget_hits),
            "obstacles": dict(counts.obstacles),
            "unreadable": counts.unreadable,
            "pictures": {"taken": self.pictures.taken, "failed": self.pictures.failed, "left": self.pictures.left},
            "interrupted": tally.interrupted,
        }


def user_agent(config: Settings) -> str:
    """Product token first (RFC 9309 §2.2.1), then who and why, so that a shop knows whom to write to."""
    from wangxun import __version__

    who = "; ".join(part for part in (config.agency or "market supervision", config.contact) if part)
    return f"WangxunPatrol/{__version__} (public web patrol; {who})"


def policy_of(config: Settings, *, max_pages: int | None, render: Render | None) -> CrawlPolicy:
    program: str | None
    try:
        program = find_chromium(str(config.browser) if config.browser else None)
    except EnvironmentFault:
        if config.browser or (render or config.render) is Render.ALWAYS:
            raise
        program = None
    wanted = render or config.render
    if wanted is Render.AUTO and program is None:
        wanted = Render.NEVER  # without a browser the static reading is what there is; `doctor` says so
    return CrawlPolicy(
        user_agent=user_agent(config),
        contact=config.contact,
        delay_s=float(config.delay),
        max_pages=max_pages or config.max_pages,
        render=wanted,
        timeout_s=float(config.timeout),
        max_bytes=config.max_bytes,
        allow_private=config.allow_private,
        browser=program,
    )


def sites_of(runtime: Runtime, urls: Sequence[str], site_ids: Sequence[str]) -> tuple[list[Site], list[str]]:
    """The sites to patrol, and the addresses to begin at (none: their entry pages).

    An address of no registered site makes one, marked by its host. Raises UsageError for what is no address.
    """
    wanted: dict[str, Site] = {}
    begin: list[str] = []
    with runtime.session() as session:
        for site_id in site_ids:
            site = registry.get_site(session, site_id)
            wanted[site.id] = site
        for url in urls:
            address = normalise(url)
            if address is None:
                raise UsageError("{url} 不是 http(s) 网址", hint="写全网址,如 https://shop.example/", url=url)
            site = registry.site_of_url(session, address) or registry.ensure_site(
                session, address, at=runtime.clock.now()
            )
            wanted[site.id] = site
            begin.append(address)
    if begin:
        begin = [*begin, *(entry for site_id in site_ids for entry in wanted[site_id].entry_urls)]
    return list(wanted.values()), begin


def run_patrol(
    runtime: Runtime,
    *,
    urls: Sequence[str] = (),
    site_ids: Sequence[str] = (),
    max_pages: int | None = None,
    render: Render | None = None,
    pictures: bool = True,
    most_pictures: int | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_picture: Callable[[Pictures], None] = lambda _: None,
) -> Report:
    """Patrols, records, and takes the pictures of pages with a clue. The same call after a kill resumes the run.

    Raises UsageError for a wrong address or unknown site; EnvironmentFault for a full disk or a missing browser that
    `--render always` needs. A page that fails is counted and named in the report.
    """
    if not urls and not site_ids:
        raise UsageError("没有要巡查的网址", hint="给出网址,或用 --site 指定已登记的网站 (wangxun site list)")
    config = runtime.config
    policy = policy_of(config, max_pages=max_pages, render=render)
    sites, begin = sites_of(runtime, urls, site_ids)
    seeds = begin or [entry for site in sites for entry in site.entry_urls]
    runtime.vault.recover()
    run_id = begin_run(runtime, sites, seeds)
    line = Line(runtime, run_id, review_key=review_key(config.keys_dir))
    with stamping(runtime):
        try:
            tally = patrol(
                sites,
                run_id=run_id,
                policy=policy,
                sink=line,
                frontier=config.frontier,
                clock=runtime.clock,
                on_progress=on_progress,
                urls=begin,
            )
        finally:
            line.close()
        taken = Pictures(left=waiting(runtime))
        if pictures and policy.render is not Render.NEVER and policy.browser and not tally.interrupted:
            taken = take_pictures(
                runtime, browser=policy.browser, run_id=run_id, most=most_pictures, on_picture=on_picture
            )
    report = Report(tally, line.counts, taken, frozenset(normalise(s) or s for s in seeds))
    with runtime.session() as session:
        runs.finish_run(
            session,
            run_id,
            tallies=report.as_json(),
            failed=[{"url": url, "why": why} for url, why in report.failed],
            interrupted=tally.interrupted,
            at=runtime.clock.now(),
        )
    return report


def _gone(why: str) -> bool:
    return why.partition(":")[0] == FailureCause.GONE.value


def begin_run(runtime: Runtime, sites: Sequence[Site], seeds: Sequence[str]) -> str:
    """The unfinished run of the same addresses, or a new one."""
    only = sites[0] if len(sites) == 1 else None
    with runtime.session() as session:
        found = runs.resumable_run(session, seeds, site_id=only.id if only else None)
        if found is not None:
            return found.id
        return runs.start_run(
            session,
            seeds=seeds,
            site_id=only.id if only else None,
            area=only.area if only else "",
            simulated=runtime.clock.simulated,
            at=runtime.clock.now(),
        )


def label_of(why: str) -> str:
    """A failure's cause in an officer's words: `timeout: 30 s` → 超时 (30 s)."""
    cause, _, detail = why.partition(": ")
    try:
        label = FailureCause(cause).label
    except ValueError:
        return why
    return f"{label} ({detail})" if detail else label
