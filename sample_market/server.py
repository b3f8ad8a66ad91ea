"""Serves the market: one small HTTP server a site, each on its own loopback address and all on one port."""

from __future__ import annotations

import errno
import json
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from contracts.clock import iso
from contracts.errors import EnvironmentFault
from contracts.site import Site, SiteKind
from sample_market.clock import instant_of
from sample_market.market import load
from sample_market.model import Market, SitePlan
from sample_market.pages import Page, Shopfront
from sample_market.pictures import font_note

_FALLBACK_HOST = "127.0.0.1"
_BIND_ATTEMPTS = 8  #: a free port on the first address may be taken on another one


class Access(NamedTuple):
    """One answered request: monotonic seconds at arrival, the site's planned address, path with query, method, status, body bytes."""

    at: float
    host: str
    path: str
    method: str
    status: int
    bytes: int


class MarketServer:
    """The market on a market day, from `start()` to `stop()`; also a context manager.

    `port` 0 takes a free one. `slow_s` is how long the page /slow of every site waits before it answers.
    Where the machine has no 127.0.0.11 and up (not Linux), all sites stand on 127.0.0.1 with a port each.
    """

    def __init__(self, day: int = 1, port: int = 0, *, slow_s: float = 0.0, market: Market | None = None) -> None:
        self.market = market or load()
        self.access_log: list[Access] = []
        self.base_urls: dict[str, str] = {}
        self.notes: tuple[str, ...] = tuple(filter(None, [font_note()]))
        self.slow_s = slow_s
        self.stopping = threading.Event()
        self._day = day
        self._set_at = time.monotonic()
        self._port = port
        self._servers: list[_SiteServer] = []
        self._threads: list[threading.Thread] = []
        self.shopfront = Shopfront(self.market, self.base_urls)

    # --- life --------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Binds all sites and begins to serve. Raises EnvironmentFault when the port is taken."""
        self._servers = self._bind()
        for server in self._servers:
            host, port = server.server_address[:2]
            self.base_urls[server.site.id] = f"http://{host!s}:{port}"
        self._set_at = time.monotonic()
        for server in self._servers:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name=server.site.id)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """Ends all servers and frees the addresses; safe to call twice."""
        self.stopping.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join(timeout=5)
        self._servers, self._threads = [], []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _bind(self) -> list[_SiteServer]:
        for attempt in range(_BIND_ATTEMPTS):
            bound: list[_SiteServer] = []
            port = self._port
            try:
                for site in self.market.sites:
                    bound.append(_SiteServer((site.host, port), site, self))
                    port = bound[0].server_address[1]
            except OSError as fault:
                for server in bound:
                    server.server_close()
                if fault.errno == errno.EADDRNOTAVAIL:
                    return self._bind_one_address()
                if fault.errno != errno.EADDRINUSE or self._port or attempt == _BIND_ATTEMPTS - 1:
                    raise EnvironmentFault(
                        "样本市场不能占用端口 {port}: {why}",
                        hint="换一个端口, 或用 0 自动选择",
                        port=port,
                        why=fault.strerror,
                    ) from fault
            else:
                return bound
        raise AssertionError("the last attempt returns or raises")

    def _bind_one_address(self) -> list[_SiteServer]:
        ports = [self._port + n if self._port else 0 for n in range(len(self.market.sites))]
        return [
            _SiteServer((_FALLBACK_HOST, port), site, self) for port, site in zip(ports, self.market.sites, strict=True)
        ]

    # --- day ---------------------------------------------------------------------------------------------------

    @property
    def day(self) -> int:
        return self._day

    def set_day(self, day: int) -> None:
        """Turns the market to the opening of market day `day` at once."""
        instant_of(day)
        self._day, self._set_at = day, time.monotonic()

    def now(self) -> str:
        """The market's own time as its pages' clocks ask for it: opening of the day plus real time since then."""
        return iso(instant_of(self._day) + timedelta(seconds=time.monotonic() - self._set_at))

    # --- for registering and patrolling --------------------------------------------------------------------------

    @property
    def allow_private(self) -> str:
        """Comma list of the addresses in use, as the setting WANGXUN_ALLOW_PRIVATE takes it."""
        return ",".join(dict.fromkeys(urlsplit(url).hostname or "" for url in self.base_urls.values()))

    def url_of(self, listing_id: str) -> str:
        """Absolute URL of a listing. Raises UsageError for an unknown id."""
        listing = self.market.listing(listing_id)
        return self.base_urls[listing.site] + listing.path

    def sites(self) -> list[Site]:
        """The market's sites as a bureau would register them, politeness left to the settings."""
        return [
            Site(
                id=plan.id,
                name=plan.name,
                kind=plan.kind,
                entry_urls=(self.base_urls[plan.id] + plan.entry_path,),
                area=plan.area,
                platform_id=plan.platform_id if plan.kind is SiteKind.SHOP else None,
                operator=plan.operator,
                uscc=plan.uscc if plan.uscc_valid else None,
            )
            for plan in self.market.sites
        ]


class _SiteServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], site: SitePlan, market: MarketServer) -> None:
        super().__init__(address, _Handler)
        self.site = site
        self.market = market

    def server_bind(self) -> None:
        # HTTPServer would look the address up in the DNS for a name nobody uses.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is daily life and no reason for a trace on the terminal."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SampleMarket"
    sys_version = ""
    timeout = 30
    server: _SiteServer

    def do_GET(self) -> None:
        arrived = time.monotonic()
        page = self._page()
        fresh = page.status == 200 and self._client_has(page)
        status, body = (304, b"") if fresh else (page.status, page.body)
        self.send_response(status)
        for name, value in self._headers(page).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(body)))
        sent = b"" if self.command == "HEAD" else body
        # Logged before anything leaves, so that a client that has its answer finds it in the log.
        self.server.market.access_log.append(
            Access(arrived, self.server.site.host, self.path, self.command, status, len(sent))
        )
        self.end_headers()
        self.wfile.write(sent)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _page(self) -> Page:
        market, site = self.server.market, self.server.site
        path = urlsplit(self.path).path
        if path == "/api/now":
            body = json.dumps({"now": market.now()}).encode()
            return Page(200, body, "application/json", {"Cache-Control": "no-store"})
        if path == "/slow":
            market.stopping.wait(market.slow_s)
            return market.shopfront.respond(site.id, "/list", market.day)
        return market.shopfront.respond(site.id, self.path, market.day)

    def _headers(self, page: Page) -> Mapping[str, str]:
        if page.status != 200 or "Cache-Control" in page.headers:
            return page.headers
        return {"ETag": page.etag, "Last-Modified": page.last_modified, "Cache-Control": "no-cache", **page.headers}

    def _client_has(self, page: Page) -> bool:
        """RFC 9110 §13.2.2: If-None-Match wins over If-Modified-Since, which is compared as the text we gave."""
        if "Cache-Control" in page.headers:
            return False
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return tags.strip() == "*" or page.etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return self.headers.get("If-Modified-Since") == page.last_modified

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """The access log is kept in memory; the terminal stays quiet."""
