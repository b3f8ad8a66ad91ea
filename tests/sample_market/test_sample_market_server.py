"""The market's server: addresses, days, revalidation, encodings, and the pages a patrol must cope with."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree, html
from PIL import Image

from contracts.clock import iso
from contracts.errors import EnvironmentFault
from contracts.site import Site, SiteKind
from sample_market import pictures
from sample_market.clock import FIRST_DAY, clock_of, day_of, instant_of
from sample_market.server import MarketServer


@pytest.fixture(scope="module")
def market() -> Iterator[MarketServer]:
    with MarketServer() as server:
        yield server


@pytest.fixture(autouse=True)
def first_day(market: MarketServer) -> None:
    market.set_day(1)


class Answer:
    """A whole answer, redirects not followed."""

    def __init__(self, url: str, method: str = "GET", **headers: str) -> None:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        connection.close()

    def text(self, encoding: str = "utf-8") -> str:
        return self.body.decode(encoding)


def test_every_site_has_its_own_address_and_one_port(market: MarketServer) -> None:
    urls = [urlsplit(url) for url in market.base_urls.values()]
    assert len({url.hostname for url in urls}) == len(urls) == len(market.market.sites)
    assert len({url.port for url in urls}) == 1
    assert market.allow_private.split(",") == [url.hostname for url in urls]


def test_sites_are_ready_for_registering(market: MarketServer) -> None:
    sites = {site.id: site for site in market.sites()}
    assert all(isinstance(site, Site) for site in sites.values())
    assert {site.kind for site in sites.values()} >= {SiteKind.PLATFORM, SiteKind.SHOP, SiteKind.SELF_BUILT}
    assert sites["lingshang"].platform_id == "haihui"
    assert sites["dianxing"].platform_id is None
    for site in sites.values():
        assert Answer(site.entry_urls[0]).status == 200


def test_every_page_and_picture_opens(market: MarketServer) -> None:
    seen: set[str] = set()
    for site in market.market.sites:
        paths = ["/", "/list", *(p.path for p in market.market.pages_of(site.id))]
        paths += [item.path for item in market.market.listings_of(site.id)]
        for path in paths:
            url = market.base_urls[site.id] + path
            answer = Answer(url)
            assert answer.status == 200, url
            tree = html.fromstring(answer.body)
            tree.make_links_absolute(url)
            seen |= set(tree.xpath("//img/@src | //script/@src | //link/@href"))
            seen |= {link for link in tree.xpath("//a/@href") if "/go/" not in link and "/cart" not in link}
    bad = [url for url in sorted(seen) if Answer(url).status not in {200, 302}]
    assert bad == []


def test_an_unchanged_page_is_answered_with_304(market: MarketServer) -> None:
    url = market.url_of("ls-oil")
    first = Answer(url)
    by_tag = Answer(url, If_None_Match=first.headers["ETag"])
    by_date = Answer(url, If_Modified_Since=first.headers["Last-Modified"])
    assert [(a.status, a.body) for a in (by_tag, by_date)] == [(304, b"")] * 2
    assert by_tag.headers["ETag"] == first.headers["ETag"]
    assert Answer(url, If_None_Match='"other"').status == 200
    market.set_day(2)
    assert Answer(url, If_None_Match=first.headers["ETag"]).status == 304


def test_a_changed_page_has_a_new_tag_and_date(market: MarketServer) -> None:
    url = market.url_of("dx-fan").replace("/p/dx-fan", "/api/item/dx-fan.json")
    first = Answer(url)
    market.set_day(2)
    second = Answer(url, If_None_Match=first.headers["ETag"], If_Modified_Since=first.headers["Last-Modified"])
    assert second.status == 200
    assert parsedate_to_datetime(second.headers["Last-Modified"]) == instant_of(2)
    assert parsedate_to_datetime(first.headers["Last-Modified"]) == instant_of(1)
    assert [json.loads(a.body)["price"] for a in (first, second)] == ["189.00", "199.00"]


def test_days_stand_for_simulated_dates() -> None:
    assert iso(FIRST_DAY) == "2026-03-02T10:00:00+08:00"
    assert iso(instant_of(2)) == "2026-03-03T10:00:00+08:00"
    assert [day_of(instant_of(n)) for n in (1, 2, 9)] == [1, 2, 9]
    assert clock_of(2).now() == instant_of(2)
    assert clock_of(2).simulated
    with pytest.raises(ValueError, match="begin with 1"):
        instant_of(0)


def test_the_market_tells_its_own_time(market: MarketServer) -> None:
    market.set_day(2)
    answer = Answer(market.base_urls["northlark"] + "/api/now")
    assert json.loads(answer.body)["now"].startswith("2026-03-03T10:0")
    assert "ETag" not in answer.headers


def test_gbk_pages_are_gbk_and_keep_what_gbk_lacks(market: MarketServer) -> None:
    listing = Answer(market.url_of("jh-cream"))
    assert listing.headers["Content-Type"] == "text/html; charset=gbk"
    assert "敏感肌孕妇可用" in listing.text("gbk")
    assert "&#128293;爆款" in listing.text("gbk")
    home = Answer(market.base_urls["jinghe"] + "/")
    assert home.headers["Content-Type"] == "text/html"
    assert b'<meta charset="gb2312">' in home.body
    with pytest.raises(UnicodeDecodeError):
        home.text()


def test_the_script_shop_gives_a_shell_and_the_facts_apart(market: MarketServer) -> None:
    shell = Answer(market.url_of("dx-earbud")).text()
    assert "99.00" not in shell
    assert "降噪" not in shell
    base = market.base_urls["dianxing"]
    item = json.loads(Answer(base + "/api/item/dx-earbud.json").body)
    reviews = json.loads(Answer(base + "/api/reviews/dx-earbud.json").body)
    assert item["price"] == "99.00"
    assert {r["id"] for r in reviews["list"]} >= {"eb-13", "eb-14"}
    assert Answer(base + "/api/item/nothing.json").status == 404


def test_returning_visitors_are_told_another_price(market: MarketServer) -> None:
    url = market.base_urls["dianxing"] + "/api/item/dx-watch.json"
    prices = [json.loads(Answer(u).body)["price"] for u in (url, url + "?u=returning")]
    assert prices == ["299.00", "329.00"]


def test_robots_and_sitemap(market: MarketServer) -> None:
    robots = {site: Answer(url + "/robots.txt").text() for site, url in market.base_urls.items()}
    assert [site for site, text in robots.items() if "Crawl-delay: 2" in text] == ["shanlan"]
    assert "Disallow: /private/" in robots["shanlan"]
    for site, base in market.base_urls.items():
        assert f"Sitemap: {base}/sitemap.xml" in robots[site]
        tree = etree.fromstring(Answer(base + "/sitemap.xml").body)
        places = tree.xpath("//*[local-name()='loc']/text()")
        assert {market.url_of(item.id) for item in market.market.listings_of(site)} <= set(places)
        assert not [place for place in places if "/private/" in place]


def test_obstacles_and_errors(market: MarketServer) -> None:
    base = market.base_urls["haihui"]
    assert Answer(base + "/nowhere").status == 404
    gone = Answer(base + "/goods/offline-1001")
    assert (gone.status, "不存在" in gone.text()) == (200, True)
    redirect = Answer(base + "/go/new")
    assert (redirect.status, redirect.headers["Location"]) == (302, "/item/hh-group.html")
    assert 'type="password"' in Answer(base + "/member/orders").text()
    assert "滑块" in Answer(base + "/verify").text()
    assert len(html.fromstring(Answer(base + "/").text()).xpath("//section[@class='shelf']/ul[@class='cards']")) == 3
    assert Answer(base + "/static/../server.py").status == 404
    assert Answer(base + "/", method="POST").status == 501


def test_lists_have_pages_and_head_has_no_body(market: MarketServer) -> None:
    base = market.base_urls["lingshang"]
    first, second = (html.fromstring(Answer(f"{base}/list?page={n}").text()) for n in (1, 2))
    goods = [set(tree.xpath("//li[@class='card']/a/@href")) for tree in (first, second)]
    assert goods[0]
    assert goods[1]
    assert not goods[0] & goods[1]
    assert first.xpath("//a[@rel='next']/@href") == ["/list?page=2"]
    head = Answer(base + "/list", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 1000


def test_the_access_log_names_every_answer(market: MarketServer) -> None:
    before = len(market.access_log)
    body = Answer(market.base_urls["azhen"] + "/list?page=1").body
    tag = Answer(market.base_urls["azhen"] + "/list?page=1").headers["ETag"]
    Answer(market.base_urls["azhen"] + "/list?page=1", If_None_Match=tag)
    new = market.access_log[before:]
    assert [(e.host, e.path, e.method, e.status, e.bytes) for e in new] == [
        ("127.0.0.20", "/list?page=1", "GET", 200, len(body)),
        ("127.0.0.20", "/list?page=1", "GET", 200, len(body)),
        ("127.0.0.20", "/list?page=1", "GET", 304, 0),
    ]
    assert new[0].at <= new[1].at <= new[2].at


def test_a_slow_page_ends_when_the_market_stops() -> None:
    with MarketServer(slow_s=3600) as slow:
        url = urlsplit(slow.base_urls["azhen"])
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as line:
            line.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.stop()
            assert line.recv(12) == b"HTTP/1.1 200"
    with MarketServer() as quick:
        assert Answer(quick.base_urls["azhen"] + "/slow").status == 200


def test_without_extra_addresses_every_site_has_its_own_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MarketServer, "_bind", MarketServer._bind_one_address)
    with MarketServer() as server:
        urls = [urlsplit(url) for url in server.base_urls.values()]
        assert {url.hostname for url in urls} == {"127.0.0.1"}
        assert len({url.port for url in urls}) == len(urls)
        assert server.allow_private == "127.0.0.1"
        assert Answer(server.url_of("az-card")).status == 200


def test_a_taken_port_is_one_clear_error(market: MarketServer) -> None:
    port = urlsplit(market.base_urls["haihui"]).port
    assert port
    with pytest.raises(EnvironmentFault, match=str(port)):
        MarketServer(port=port).start()


def test_pictures_are_drawn_from_the_data(market: MarketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    base = market.base_urls["jinghe"]
    for name, kind in (("jh-cream-2.png", "PNG"), ("jh-cream-0.jpg", "JPEG"), ("licence-1.png", "PNG")):
        answer = Answer(f"{base}/img/{name}")
        assert Image.open(BytesIO(answer.body)).format == kind
    assert Answer(f"{base}/img/jh-cream-9.png").status == 404
    spec = {"lines": ["返现5元"], "format": "png"}
    monkeypatch.setattr(pictures, "font_file", lambda: None)
    pictures._font.cache_clear()
    pictures._draw.cache_clear()
    without = pictures.draw(spec, seed="x")
    assert pictures.font_note()
    monkeypatch.undo()
    pictures._font.cache_clear()
    pictures._draw.cache_clear()
    if pictures.font_file():
        assert pictures.draw(spec, seed="x") != without


def test_structured_marks_differ_by_shop(market: MarketServer) -> None:
    pages = {name: Answer(market.url_of(name)).text() for name in ("ls-oil", "nl-tent", "sl-mug", "ny-radio")}
    assert 'itemprop="price" content="69.90"' in pages["ls-oil"]
    found = re.search(r'<script type="application/ld\+json">(.+?)</script>', pages["nl-tent"])
    assert found
    assert json.loads(found[1])["offers"]["price"] == "179.00"
    assert 'property="product:price:amount" content="88.00"' in pages["sl-mug"]
    assert not re.search(r"itemprop|ld\+json|og:", pages["ny-radio"])


def test_the_command_prints_addresses_and_ends_on_interrupt() -> None:
    root = Path(__file__).parents[2]
    program = subprocess.Popen(
        [sys.executable, "-m", "sample_market", "--day", "2", "--port", "0"],
        cwd=root, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert program.stdout
        lines = []
        for line in program.stdout:
            lines.append(line)
            if line.startswith("WANGXUN_ALLOW_PRIVATE="):
                break
        assert "第 2 天" in lines[0]
        found = re.search(r"http://\S+/", lines[1])
        assert found
        assert Answer(found[0]).status == 200
    finally:
        program.send_signal(2)
        program.communicate(timeout=90)
    assert program.returncode == 0
