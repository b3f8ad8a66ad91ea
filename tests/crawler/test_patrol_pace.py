"""How a patrol behaves towards a host: who it says it is, how often it asks, what it does when told no."""

from __future__ import annotations

import gzip
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local_site import KeepingSink, Reply, Route, go, html, links, serve, site_of

from contracts.site import RobotsPolicy, Site, SiteKind
from crawler.politeness import Lanes, Task, backoff_s, read_robots, retry_after_s

SHOP: dict[str, Route] = {
    "/": html(links("/a", "/b", "/private/c", "/a?utm_source=x", "/a#top")),
    "/a": html("a"),
    "/b": html("b"),
    "/private/c": html("c"),
}


def robots(text: str) -> Reply:
    return 200, {"Content-Type": "text/plain"}, text.encode()


def test_says_who_asks_and_how_to_reach_us(tmp_path: Path) -> None:
    with serve(SHOP) as site:
        agent = "WangxunPatrol/0.1 (+https://bureau.example; market supervision)"
        go(tmp_path, [site_of(site.base)], KeepingSink(), user_agent=agent, contact="patrol@bureau.example")
    assert {asked.headers["user-agent"] for asked in site.asked} == {agent}
    assert {asked.headers["from"] for asked in site.asked} == {"patrol@bureau.example"}


def test_every_page_is_asked_once_however_it_is_spelt(tmp_path: Path) -> None:
    with serve(SHOP) as site:
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(site.base)], sink)
    assert site.paths() == ["/robots.txt", "/", "/a", "/b", "/private/c"]
    assert tally.fetched == len(sink.pages) == 4
    assert (tally.left, tally.failures, tally.interrupted) == (0, 0, False)
    page = sink.pages[1]
    assert (page.status, page.depth, page.ip, page.body) == (200, 1, "127.0.0.1", SHOP["/a"][2])  # type: ignore[index]
    assert dict(page.headers)["Content-Type"] == "text/html; charset=utf-8"
    assert page.fetched_at.tzinfo is not None


def test_no_two_requests_to_a_host_come_closer_than_its_delay(tmp_path: Path) -> None:
    with serve(SHOP, "127.0.0.2") as one, serve(SHOP, "127.0.0.3") as two:
        other = Site("s2", "另一店", SiteKind.SELF_BUILT, (two.base,), delay_s=0.05)
        go(tmp_path, [site_of(one.base), other], KeepingSink(), delay_s=0.15, jitter=0.2)
    assert len(one.gaps()) == len(two.gaps()) == 4
    assert min(one.gaps()) >= 0.95 * 0.15
    assert min(two.gaps()) >= 0.95 * 0.05


def test_crawl_delay_lengthens_the_pause(tmp_path: Path) -> None:
    with serve(SHOP | {"/robots.txt": robots("User-agent: *\nCrawl-delay: 0.2\nAllow: /")}) as site:
        go(tmp_path, [site_of(site.base)], KeepingSink(), delay_s=0.01)
    assert min(site.gaps()[1:]) >= 0.95 * 0.2


DISALLOW = robots("User-agent: *\nDisallow: /private/\n")


@pytest.mark.parametrize("policy", [RobotsPolicy.OBEY, RobotsPolicy.RECORD])
def test_what_robots_disallows_is_not_asked(tmp_path: Path, policy: RobotsPolicy) -> None:
    with serve(SHOP | {"/robots.txt": DISALLOW}) as site:
        tally = go(tmp_path, [site_of(site.base, robots=policy)], KeepingSink())
    assert "/private/c" not in site.paths()
    assert tally.robots_skipped == 1
    recorded = [f"{site.base}/private/c"] if policy is RobotsPolicy.RECORD else []
    assert tally.robots_urls == recorded


def test_an_override_does_not_ask_for_robots_at_all(tmp_path: Path) -> None:
    with serve(SHOP | {"/robots.txt": DISALLOW}) as site:
        tally = go(tmp_path, [site_of(site.base, robots=RobotsPolicy.OVERRIDE)], KeepingSink())
    assert "/private/c" in site.paths()
    assert "/robots.txt" not in site.paths()
    assert tally.robots_skipped == 0


def test_a_disallowed_entry_page_is_named(tmp_path: Path) -> None:
    with serve(SHOP | {"/robots.txt": robots("User-agent: *\nDisallow: /")}) as site:
        tally = go(tmp_path, [site_of(site.base)], KeepingSink())
    assert site.paths() == ["/robots.txt"]
    assert tally.failed == [(site.base + "/", "robots")] or tally.failed == [(site.base, "robots")]


def test_robots_that_answers_5xx_stops_the_host(tmp_path: Path) -> None:
    with serve(SHOP | {"/robots.txt": (500, {}, b"User-agent: *\nAllow: /")}) as site:
        tally = go(tmp_path, [site_of(site.base)], KeepingSink())
    assert site.paths() == ["/robots.txt"]
    assert [why for _, why in tally.failed] == ["robots-down: 500"]
    assert tally.stopped_hosts == [("127.0.0.1", "robots-down: 500")]


@pytest.mark.parametrize("answer", [(404, {}, b""), (403, {}, b""), html("User-agent: *<br>Disallow: /")])
def test_robots_that_is_absent_or_a_page_allows_all(tmp_path: Path, answer: Reply) -> None:
    with serve(SHOP | {"/robots.txt": answer}) as site:
        assert go(tmp_path, [site_of(site.base)], KeepingSink()).fetched == 4


def test_robots_is_followed_through_a_redirect(tmp_path: Path) -> None:
    routes: dict[str, Route] = {"/robots.txt": (301, {"Location": "/r2.txt"}, b""), "/r2.txt": DISALLOW}
    with serve(SHOP | routes) as site:
        go(tmp_path, [site_of(site.base)], KeepingSink())
    assert site.paths() == ["/robots.txt", "/r2.txt", "/", "/a", "/b"]


def test_our_own_group_of_robots_is_the_one_that_counts() -> None:
    rules = read_robots(
        b"User-agent: *\nDisallow: /\n\nUser-agent: wangxunpatrol\nDisallow: /x\n", "WangxunPatrol/0.1 (a)"
    )
    assert rules.allows("https://s.cn/y")
    assert not rules.allows("https://s.cn/x")


def answers(*replies: Route) -> Route:
    """One after the other; the last again and again."""
    order = itertools.chain(replies, itertools.repeat(replies[-1]))

    def route(handler: object) -> Reply | None:
        reply = next(order)
        return reply(handler) if callable(reply) else reply  # type: ignore[arg-type]

    return route


def test_retry_after_is_waited_for(tmp_path: Path) -> None:
    with serve({"/": answers((429, {"Retry-After": "1"}, b""), html("ok"))}) as site:
        tally = go(tmp_path, [site_of(site.base)], KeepingSink(), retries=1)
    assert tally.fetched == 1
    assert site.gaps()[-1] >= 0.95


def test_a_retry_after_too_long_to_wait_for_stops_the_host(tmp_path: Path) -> None:
    with serve(SHOP | {"/a": (503, {"Retry-After": "86400"}, b"")}) as site:
        tally = go(tmp_path, [site_of(site.base)], KeepingSink(), retries=1)
    assert site.paths() == ["/robots.txt", "/", "/a"]
    assert tally.failed == [(site.base + "/a", "busy: Retry-After 86400 s")]
    assert tally.left == 2


def test_a_passing_error_is_retried_later_each_time(tmp_path: Path) -> None:
    with serve({"/": answers((502, {}, b""), (502, {}, b""), html("ok"))}) as site:
        tally = go(tmp_path, [site_of(site.base)], KeepingSink(), retries=2, delay_s=0.05)
    assert tally.fetched == 1
    first, second = site.gaps()[1:]
    assert second > first > 0.05


def test_a_host_that_keeps_failing_is_left_alone(tmp_path: Path) -> None:
    paths = [f"/p{n}" for n in range(20)]
    routes: dict[str, Route] = {"/": html(links(*paths))} | {path: (500, {}, b"") for path in paths}
    with serve(routes) as site:
        tally = go(tmp_path, [site_of(site.base)], KeepingSink(), breaker=4)
    assert len(site.pages()) == 1 + 4
    assert tally.stopped_hosts == [("127.0.0.1", "breaker: status: 500")]
    assert tally.left == 16


def test_what_is_held_is_asked_for_conditionally(tmp_path: Path) -> None:
    def page(handler: object) -> Reply:
        asked = handler.headers.get("If-None-Match")  # type: ignore[attr-defined]
        return (304, {"ETag": '"v1"'}, b"") if asked == '"v1"' else html("first", ETag='"v1"')

    with serve({"/": page}) as site:
        sink = KeepingSink()
        go(tmp_path, [site_of(site.base)], sink, run="day-1")
        assert dict(sink.pages[0].headers)["Etag"] == '"v1"'
        sink.held[sink.pages[0].url] = ('"v1"', "Sat, 21 Nov 2026 00:00:00 GMT")
        tally = go(tmp_path, [site_of(site.base)], sink, run="day-2")
    again = sink.pages[1]
    assert (again.status, again.not_modified, again.body) == (304, True, b"")
    assert (tally.not_modified, tally.fetched, tally.seeds_fetched) == (1, 0, 1)
    assert site.pages()[-1].headers["if-modified-since"] == "Sat, 21 Nov 2026 00:00:00 GMT"


def test_the_page_budget_of_a_site_holds(tmp_path: Path) -> None:
    with serve(SHOP) as site:
        tally = go(tmp_path, [site_of(site.base, max_pages=2)], KeepingSink())
    assert len(site.pages()) == 2
    assert tally.budget_hits == {"s1": 2}


def test_depth_and_templates_bound_an_endless_site(tmp_path: Path) -> None:
    def endless(handler: object) -> Reply:
        number = int("".join(c for c in handler.path if c.isdigit()) or 0)  # type: ignore[attr-defined]
        return html(links(*(f"/day/{number * 3 + n}" for n in (1, 2, 3))))

    class Everything(dict[str, Route]):
        def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
            return (404, {}, b"") if key == "/robots.txt" else endless

    with serve({}) as site:
        site.routes = Everything()
        tally = go(tmp_path, [site_of(site.base)], KeepingSink(), max_links_per_template=5)
        assert len(site.pages()) == 1 + 5
        assert tally.trapped > 0
        site.asked.clear()
        go(tmp_path, [site_of(site.base)], KeepingSink(), max_depth=2, run="deep")
        assert len(site.pages()) == 1 + 3 + 9


def test_a_redirect_keeps_its_way_and_leaves_the_site_only_from_an_entry_page(tmp_path: Path) -> None:
    with serve({"/": html("elsewhere"), "/new/": html(links("/new/1")), "/new/1": html("1")}, "127.0.0.3") as there:
        routes: dict[str, Route] = {
            "/": html(links("/out", "/moved", "/circle", "/member")),
            "/out": (302, {"Location": there.base.replace("127.0.0.3", "127.0.0.4")}, b""),
            "/moved": (301, {"Location": "/target"}, b"gone there"),
            "/target": html("target"),
            "/circle": (302, {"Location": "/circle"}, b""),
            "/member": (302, {"Location": "/user/login?back=/member"}, b""),
            "/user/login": html("password"),
            "/old": (301, {"Location": there.base + "/new/"}, b""),
        }
        with serve(routes, "127.0.0.2") as site:
            sink = KeepingSink()
            tally = go(tmp_path, [site_of(site.base, site.base + "/old")], sink)
    causes = {url.removeprefix(site.base): why.split(":")[0] for url, why in tally.failed}
    assert causes == {"/out": "off-site", "/circle": "redirects", "/member": "login"}
    moved = next(page for page in sink.pages if page.url.endswith("/moved"))
    assert moved.final_url == site.base + "/target"
    assert [(hop.url, hop.status) for hop in moved.redirects] == [(site.base + "/moved", 301)]
    assert ("Location", "/target") in moved.redirects[0].headers
    assert there.pages()[0].path == "/new/"
    assert "/new/1" in there.paths()


def test_a_page_is_unpacked_and_its_fields_are_as_received(tmp_path: Path) -> None:
    packed = gzip.compress(b"<html><body>\xe8\x8c\xb6</body></html>")
    with serve({"/": (200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, packed)}) as site:
        sink = KeepingSink()
        go(tmp_path, [site_of(site.base)], sink)
    assert sink.pages[0].body == b"<html><body>\xe8\x8c\xb6</body></html>"
    assert dict(sink.pages[0].headers)["Content-Encoding"] == "gzip"


def test_a_signpost_page_is_followed(tmp_path: Path) -> None:
    post = (200, {"Content-Type": "text/html"}, b'<META HTTP-EQUIV="Refresh" CONTENT="0; URL=/cn/index.html">')
    with serve({"/": post, "/cn/index.html": html("home")}) as site:
        go(tmp_path, [site_of(site.base)], KeepingSink())
    assert site.paths() == ["/robots.txt", "/", "/cn/index.html"]


def test_only_given_addresses_are_entries_and_strangers_are_named(tmp_path: Path) -> None:
    with serve(SHOP) as site:
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(site.base)], sink, urls=(site.base + "/b", "https://else.example/"))
    assert sink.urls() == [site.base + "/b"]
    assert tally.failed == [("https://else.example/", "address: not in the scope of a site")]
    assert (tally.seeds, tally.seeds_fetched) == (2, 1)


def test_retry_after_is_read_in_both_forms() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert retry_after_s("120", now) == 120
    assert retry_after_s("Sat, 21 Nov 2026 00:00:30 GMT", now) == 30
    assert retry_after_s("Sat, 21 Nov 2026 00:00:30 GMT", now + timedelta(hours=1)) == 0
    assert retry_after_s("soon", now) is None


def test_backoff_doubles_and_never_undercuts_what_was_asked() -> None:
    lane = Lanes(delay_s=1.0, jitter=0.0).lane("s.cn")
    assert [backoff_s(lane, n, None, ceiling_s=60) for n in (1, 2, 3, 9)] == [2, 4, 8, 60]
    assert backoff_s(lane, 1, 90.0, ceiling_s=60) == 90


def test_jitter_only_lengthens_and_one_request_at_a_time() -> None:
    lanes = Lanes(delay_s=1.0, jitter=0.5)
    lane = lanes.lane("s.cn")
    task = Task(site_of("http://s.cn"), "u", "u", 1, b"", 0)
    lane.queue.extend([task] * 3)
    lanes.enlist(lane)
    assert lanes.due(0.0) is lane
    lane.busy = True
    lanes.enlist(lane)
    assert lanes.due(99.0) is None
    for _ in range(50):
        lanes.settle(lane, 10.0)
        assert 11.0 <= lane.ready_at <= 11.5
        lane.ready_at = 0.0
    lanes.settle(lane, 10.0)
    assert lanes.due(10.9) is None
