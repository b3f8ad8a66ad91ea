"""What a page costs: the patrol (guard, robots, lanes, frontier) beside a bare Scrapy spider, same pages, same run.

    python -m benchmarks.patrol [--pages 2000] [--hosts 50] [--rounds 3]

A 60 KB Chinese product page (gzip) is served on many loopback hosts by a process of its own. Each contender runs in a
fresh process and reports its own CPU milliseconds a page; pages per second depend on what else the machine does.

    bare        Scrapy as shipped, 64 requests in flight, parses nothing
    patrol      crawler.patrol with a sink that takes the page and follows 70 links by a regular expression
    unchanged   the same, every page answered 304
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FLOOR, UNCHANGED_CEILING = 0.35, 1.3  # pages per CPU-second beside bare Scrapy; its cost for an unchanged page


def page(number: int, per_host: int) -> bytes:
    """About 60 KB: a table, a long description, 70 links to other goods of the same host."""
    links = "".join(f'<li><a href="/p/{(number * 7 + n) % per_host}">同店商品 {n}</a></li>' for n in range(70))
    rows = "".join(
        f"<tr><th>参数 {n}</th><td>数值 {number * n % 997} 毫米，允许误差正负 {n}。</td></tr>" for n in range(45)
    )
    text = "".join(f"<p>第 {n} 段：本品采用当季原料，工艺见说明，规格与批次以实物为准。</p>" for n in range(320))
    head = f"<h1>示例商品 {number}</h1><span class=price>¥{number % 500}.00</span>"
    return f"<!doctype html><meta charset=utf-8><body>{head}<table>{rows}</table>{text}<ul>{links}</ul>".encode()


async def serve(hosts: int, per_host: int) -> None:
    """Answers on 127.0.1.1 … and one port; prints the port, serves until killed."""
    answers: dict[bytes, bytes] = {}
    for number in range(per_host):
        body = gzip.compress(page(number, per_host), 6)
        head = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nETag: "1"\r\nContent-Length: '
        answers[b"/p/%d" % number] = f"{head}{len(body)}\r\n\r\n".encode() + body
    unchanged = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1]
                writer.write(unchanged if b"If-None-Match" in head else answers.get(path, missing))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    port = 0
    servers = []
    for number in range(1, hosts + 1):
        servers.append(await asyncio.start_server(answer, f"127.0.1.{number}", port))
        port = servers[0].sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.Event().wait()


def bare(urls: list[str]) -> int:
    from scrapy import Request, Spider
    from scrapy.crawler import AsyncCrawlerProcess

    class Bare(Spider):
        name = "bare"
        seen = 0

        async def start(self) -> Any:
            for url in urls:
                yield Request(url, dont_filter=True)

        def parse(self, _: Any) -> None:
            Bare.seen += 1

    process = AsyncCrawlerProcess(
        {"CONCURRENT_REQUESTS": 64, "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False, "DOWNLOAD_DELAY": 0,
         "REMOTE_CONTROL_ENABLED": False}
    )  # fmt: skip
    process.crawl(Bare)
    process.start()
    return Bare.seen


def patrolled(urls: list[str], *, unchanged: bool) -> int:
    from contracts.clock import SystemClock
    from contracts.site import Render, Site, SiteKind
    from crawler.patrol import CrawlPolicy, FetchedPage, Verdict, patrol

    href = re.compile(rb'href="([^"]+)"')

    class Taking:
        def page(self, page: FetchedPage) -> Verdict:
            return Verdict(tuple(link.decode() for link in href.findall(page.body)))

        def failed(self, _: Site, url: str, why: str) -> None:
            print(url, why, file=sys.stderr)

        def known(self, _: str) -> bool:
            return False

        def validators(self, *_: object) -> tuple[str | None, str | None]:
            return ('"1"' if unchanged else None), None

        def commit(self) -> None:
            pass

    by_host: dict[str, list[str]] = {}
    for url in urls:
        by_host.setdefault(url.split("/")[2], []).append(url)
    sites = [
        Site(host, host, SiteKind.SELF_BUILT, tuple(own if unchanged else own[:1])) for host, own in by_host.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        tally = patrol(
            sites,
            run_id="benchmark",
            policy=CrawlPolicy(
                delay_s=0, jitter=0, concurrency=64, allow_private=("127.0.0.0/8",), render=Render.NEVER, max_depth=99
            ),
            sink=Taking(),
            frontier=Path(folder) / "frontier.db",
            clock=SystemClock(),
        )
    return tally.fetched + tally.not_modified


def contend(name: str, urls: list[str]) -> dict[str, float]:
    """Imports and start-up are not counted: a patrol is long."""
    import scrapy.crawler  # noqa: F401

    wall, cpu = time.perf_counter(), time.process_time()
    pages = bare(urls) if name == "bare" else patrolled(urls, unchanged=name == "unchanged")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"pages": pages, "cpu_ms": cpu / max(pages, 1) * 1000, "pages_s": pages / wall}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    per_host = max(1, given.pages // given.hosts)
    if given.serve:
        asyncio.run(serve(given.hosts, per_host))
        return 0
    if given.contender:
        hosts = [f"http://127.0.1.{number}:{given.port}" for number in range(1, given.hosts + 1)]
        urls = [f"{host}/p/{number}" for number in range(per_host) for host in hosts]
        print(json.dumps(contend(given.contender, urls)))
        return 0
    own = [sys.executable, "-m", "benchmarks.patrol", "--pages", str(given.pages), "--hosts", str(given.hosts)]
    server = subprocess.Popen([*own, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    best: dict[str, float] = {}
    try:
        for _ in range(given.rounds):
            for name in ("bare", "patrol", "unchanged"):
                done = subprocess.run(
                    [*own, "--contender", name, "--port", port], stdout=subprocess.PIPE, text=True, check=True
                )
                figures = json.loads(done.stdout.splitlines()[-1])
                best[name] = min(best.get(name, 1e9), figures["cpu_ms"])
                print(f"{name:10} {figures['pages']:6.0f} pages {figures['cpu_ms']:6.2f} CPU ms/page "
                      f"{figures['pages_s']:7.1f} pages/s")  # fmt: skip
    finally:
        server.kill()
        server.wait()
    share, cost = best["bare"] / best["patrol"], best["unchanged"] / best["bare"]
    print(f"patrol / bare Scrapy, pages per CPU-second: {share:.2f} (floor for the whole line {FLOOR})")
    print(f"unchanged page / bare Scrapy, CPU: {cost:.2f} (ceiling for the whole line {UNCHANGED_CEILING})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
