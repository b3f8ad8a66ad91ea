"""The browser: a page's scripts run, what a person sees is marked, the guard and the pace hold there too."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from local_site import LOOPBACK, KeepingSink, Route, go, html, links, self_signed, serve, site_of
from selectolax.lexbor import LexborHTMLParser

from contracts.errors import EnvironmentFault
from contracts.site import Render
from crawler.browser.launch import find_chromium, launch
from crawler.browser.render import Renderer, RenderFailed
from crawler.browser.serialise import TRUNCATED, serialise
from crawler.causes import FailureCause
from crawler.guard import AddressPolicy, Guard
from crawler.patrol import CrawlPolicy, FetchedPage

pytestmark = pytest.mark.browser

SHOP: dict[str, Route] = {
    "/": html(links("/js", "/static")),
    "/static": html("<p>¥ 12.00</p>"),
    "/js": html(
        "<h1>茶</h1><p id=price></p>"
        "<script>fetch('/api').then(r => r.text()).then(t => document.getElementById('price').textContent = t)</script>"
    ),
    "/api": (200, {"Content-Type": "text/plain; charset=utf-8"}, "¥ 99.00".encode()),
}


def shell(page: FetchedPage) -> bool:
    return page.url.endswith("/js")


def test_auto_renders_only_what_the_sink_wants_and_gets_the_price(tmp_path: Path, chromium: str) -> None:
    with serve(SHOP) as site:
        sink = KeepingSink(renders=shell)
        agent = "WangxunPatrol/0.1 (+https://bureau.example)"
        tally = go(
            tmp_path, [site_of(site.base)], sink, delay_s=0.3, browser=chromium, user_agent=agent, contact="p@b.example"
        )
    readings = [(page.url.removeprefix(site.base), page.rendered) for page in sink.pages]
    assert readings == [("/", False), ("/js", False), ("/js", True), ("/static", False)]
    static, rendered = sink.pages[1:3]
    assert "99.00" not in static.body.decode()
    assert rendered.dom is not None
    assert "¥ 99.00" in rendered.dom
    assert rendered.body == static.body
    assert (rendered.ip, rendered.status, rendered.key) == ("127.0.0.1", 200, static.key)
    assert (tally.fetched, tally.rendered, tally.requests) == (3, 1, 4)
    pages = [each for each in site.pages() if each.path != "/api" and each.path != "/favicon.ico"]
    gaps = [b.at - a.at for a, b in itertools.pairwise(pages)]
    assert min(gaps) >= 0.95 * 0.3, "the browser's page requests wait for the host's turn as well"
    assert {each.headers["user-agent"] for each in site.asked} == {agent}
    assert {each.headers["from"] for each in pages} == {"p@b.example"}


def test_always_and_never(tmp_path: Path, chromium: str) -> None:
    with serve(SHOP) as site:
        sink = KeepingSink(renders=shell)
        tally = go(tmp_path, [site_of(site.base + "/js")], sink, render=Render.NEVER, run="never")
        assert (tally.rendered, [page.rendered for page in sink.pages]) == (0, [False])
        sink = KeepingSink()
        one = site_of(site.base + "/static", render=Render.ALWAYS)
        tally = go(tmp_path, [one], sink, run="always", browser=chromium)
        assert (tally.rendered, [page.rendered for page in sink.pages]) == (1, [True])
        assert site.paths().count("/static") == 1


def test_without_a_browser_what_was_read_stands_and_says_so(tmp_path: Path) -> None:
    with serve(SHOP) as site:
        sink = KeepingSink(renders=shell)
        tally = go(tmp_path, [site_of(site.base)], sink, browser="/nowhere/chromium")
        assert (tally.fetched, tally.rendered) == (3, 0)
        twice = [page for page in sink.pages if shell(page)]
        assert [bool(page.render_error) for page in twice] == [False, True]
        assert twice[1].render_error.startswith("browser: 浏览器")
        with pytest.raises(EnvironmentFault, match="浏览器"):
            go(tmp_path, [site_of(site.base)], KeepingSink(), browser="/nowhere/x", render=Render.ALWAYS, run="r2")
    with pytest.raises(EnvironmentFault):
        find_chromium("/nowhere/chromium")


def test_the_browser_reaches_nothing_the_guard_refuses(tmp_path: Path, chromium: str) -> None:
    with serve({"/x.js": html(""), "/frame": html("inside"), "/": html("inside")}, "127.0.0.3") as inside:
        port = inside.port
        page = html(
            f"<script src='{inside.base}/x.js'></script><img src='{inside.base}/x.png'>"
            f"<iframe src='{inside.base}/frame'></iframe><iframe src='http://localhost:{port}/'></iframe>"
            f"<iframe src='http://2130706435:{port}/'></iframe><iframe src='http://[::ffff:127.0.0.3]:{port}/'></iframe>"
            f"<iframe src='https://127.0.0.3:{port}/'></iframe><iframe src='file:///etc/hostname'></iframe>"
            f"<script>fetch('{inside.base}/', {{mode: 'no-cors'}}).catch(() => 0);"
            f"new WebSocket('ws://127.0.0.3:{port}/');</script><p>done</p>"
        )
        routes: dict[str, Route] = {"/": page, "/go": (302, {"Location": inside.base + "/"}, b"")}
        with serve(routes, "127.0.0.2") as site:
            sink = KeepingSink()
            wanted = site_of(site.base + "/", site.base + "/go", render=Render.ALWAYS)
            tally = go(tmp_path, [wanted], sink, allow_private=("127.0.0.2",), browser=chromium)
    assert inside.asked == []
    assert [page.url for page in sink.pages] == [site.base + "/"]
    assert [url for url, _ in tally.failed] == [site.base + "/go"]


def test_secure_pages_go_through_the_guard_too(tmp_path: Path, chromium: str) -> None:
    secure, _ = self_signed(tmp_path, "127.0.0.2")
    with serve(SHOP, "127.0.0.2", secure=secure) as site:
        sink = KeepingSink()
        wanted = site_of(site.base + "/js", render=Render.ALWAYS)
        go(tmp_path, [wanted], sink, allow_private=("127.0.0.2",), browser=chromium)
        refused = go(tmp_path, [wanted], KeepingSink(), allow_private=(), browser=chromium, run="refused")
    assert "¥ 99.00" in (sink.pages[0].dom or "")
    assert refused.failed[0][1].startswith("guard")


HIDDEN = """
<p id=seen>看得见</p><p id=display style="display:none">a<b>b</b></p><p id=visibility style="visibility:hidden">a</p>
<div id=opacity style="opacity:0"><span id=inner>a</span></div>
<p id=zero-size style="font-size:0">a</p><div id=zero-box style="height:0;overflow:hidden">a</div>
<p id=off-screen style="position:absolute;left:-9999px">a</p><p id=indent style="text-indent:-9999px;overflow:hidden">a</p>
<p id=same-colour style="color:#fefefe">a</p><p id=on-red style="background:#c00;color:#c30500">a</p>
<p id=white-on-red style="background:#c00;color:#fff">a</p>
<p id=clipped style="position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0,0,0,0)">a</p>
<div style="width:100px;height:20px;overflow:hidden;position:relative"><p id=cut style="position:absolute;top:50px">a</p></div>
<details><summary id=summary>more</summary><p id=folded>a</p></details>
<div id=below style="margin-top:3000px">far down is still to be seen</div>
<p id=forged data-wx-hidden="display" data-wx-rect="0,0,0,0">a</p>
<noscript><p id=noscript>a</p></noscript>
<script type="application/ld+json">{"name": "a < b && c"}</script>
<textarea id=area>first</textarea><pre id=pre>

two</pre>
"""
EXPECTED = {
    "seen": None, "display": "display", "visibility": "visibility", "opacity": "opacity", "inner": "opacity",
    "zero-size": "zero-size", "zero-box": "zero-size", "off-screen": "off-screen", "same-colour": "same-colour",
    "on-red": "same-colour", "white-on-red": None, "clipped": "clipped", "cut": "clipped", "summary": None,
    "folded": "display", "below": None, "forged": None,
}  # fmt: skip


def read(page_html: str, chromium: str, *, max_chars: int = 1 << 20) -> str:
    async def look() -> str:
        async with launch(chromium, allow_private=LOOPBACK) as started:
            page = await started.browser.new_page(viewport={"width": 1200, "height": 800})
            await page.set_content(page_html)
            return await serialise(page, max_chars=max_chars)

    return asyncio.run(look())


def test_what_a_person_does_not_see_is_marked_with_its_reason(chromium: str) -> None:
    tree = LexborHTMLParser(read(f"<!doctype html><body style='background:#fff'>{HIDDEN}", chromium))
    found = {}
    for name in EXPECTED:
        node = tree.css_first(f"#{name}")
        assert node is not None, name
        found[name] = node.attributes.get("data-wx-hidden")
    assert found == EXPECTED
    indent = tree.css_first("#indent")
    assert indent is not None
    assert indent.attributes["data-wx-hidden"] in {"off-screen", "clipped"}
    below = tree.css_first("#below")
    assert below is not None
    x, y, w, h = (float(number) for number in (below.attributes["data-wx-rect"] or "").split(","))
    assert y > 3000 and x >= 0 and w > 500 and h > 5  # noqa: PT018  one rectangle
    assert tree.css_first("#forged").attributes["data-wx-rect"] != "0,0,0,0"  # type: ignore[union-attr]
    assert tree.css_first("noscript").attributes["data-wx-hidden"] == "display"  # type: ignore[union-attr]
    assert tree.css_first("script").text() == '{"name": "a < b && c"}'  # type: ignore[union-attr]
    assert tree.css_first("#pre").text() == "\ntwo"  # type: ignore[union-attr]


def test_shadow_roots_and_frames_of_the_same_origin_stand_in_line(chromium: str) -> None:
    text = read(
        "<!doctype html><div id=host>light</div><iframe srcdoc='<p>in frame</p>'></iframe>"
        "<script>host.attachShadow({mode: 'open'}).innerHTML = '<p>in shadow</p><slot></slot>'</script>",
        chromium,
    )
    assert re.search(r'<div id="host"[^>]*><template shadowrootmode="open"><p [^>]*>in shadow</p>', text)
    assert re.search(r'<div data-wx-frame="about:srcdoc"><p [^>]*>in frame</p>', text)


def test_a_page_cannot_meddle_with_the_reading(chromium: str) -> None:
    text = read(
        "<!doctype html><p id=a>true words</p><script>"
        "Array.prototype.join = () => 'forged'; Array.prototype.push = () => 0; String.prototype.replace = () => 'forged';"
        "window.getComputedStyle = () => ({}); Element.prototype.getBoundingClientRect = () => ({});"
        "Object.defineProperty(Node.prototype, 'nodeType', {get: () => 8});</script>",
        chromium,
    )
    assert "true words</p>" in text
    assert "data-wx-rect=" in text


def test_an_endless_document_is_cut_and_says_so(chromium: str) -> None:
    assert read(f"<!doctype html>{'<p>abc</p>' * 5000}", chromium, max_chars=10_000).endswith(TRUNCATED)
    deep = read(f"<!doctype html>{'<div>' * 500}deepest", chromium)
    assert "deepest" in deep


def test_a_crashed_browser_is_started_again(chromium: str) -> None:
    async def look(url: str) -> list[str]:
        renderer = Renderer(CrawlPolicy(browser=chromium, timeout_s=20), Guard(AddressPolicy(LOOPBACK)))
        try:
            seen = [(await renderer.render(url)).dom or ""]
            mine = psutil.Process().children(recursive=True)
            for child in mine:
                with suppress(psutil.Error):
                    if "chrom" in child.name() and "--type=" not in " ".join(child.cmdline()):
                        os.kill(child.pid, signal.SIGKILL)
            for _ in range(2):
                try:
                    seen.append((await renderer.render(url)).dom or "")
                    break
                except RenderFailed:
                    continue
            return seen
        finally:
            await renderer.close()

    with serve(SHOP) as site:
        seen = asyncio.run(look(site.base + "/js"))
    assert ["¥ 99.00" in dom for dom in seen] == [True, True]


def test_a_page_that_hangs_the_browser_is_given_up_in_time(chromium: str) -> None:
    async def look(url: str, fine: str) -> tuple[FailureCause, int]:
        policy = CrawlPolicy(browser=chromium, timeout_s=1.0, settle_s=0.5)
        renderer = Renderer(policy, Guard(AddressPolicy(LOOPBACK)))
        try:
            with pytest.raises(RenderFailed) as caught:
                await renderer.render(url)
            return caught.value.cause, (await renderer.render(fine)).status
        finally:
            await renderer.close()

    with serve({"/": html("<script>for (;;);</script>"), "/fine": html("fine")}) as site:
        assert asyncio.run(look(site.base + "/", site.base + "/fine")) == (FailureCause.TIMEOUT, 200)
