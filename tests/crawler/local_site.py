"""A small web site on loopback that keeps its own log, and a sink that keeps what a patrol brings."""

from __future__ import annotations

import ipaddress
import itertools
import json
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from contracts.clock import SystemClock
from contracts.site import RobotsPolicy, Site, SiteKind
from crawler.patrol import CrawlPolicy, FetchedPage, Tally, Verdict, patrol

Reply = tuple[int, dict[str, str], bytes]
Route = Reply | Callable[[BaseHTTPRequestHandler], Reply | None]


def html(body: str, **headers: str) -> Reply:
    fields = {"Content-Type": "text/html; charset=utf-8"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return 200, fields, f"<!doctype html><html><body>{body}</body></html>".encode()


def links(*paths: str) -> str:
    return "".join(f'<a href="{path}">x</a>' for path in paths)


@dataclass
class Asked:
    at: float
    path: str
    headers: dict[str, str]


@dataclass
class LocalSite:
    """`routes` by path; a path without one is 404. `asked` is the server's own log."""

    host: str
    port: int
    routes: dict[str, Route]
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def pages(self) -> list[Asked]:
        return [each for each in self.asked if each.path != "/robots.txt"]

    def gaps(self) -> list[float]:
        times = [each.at for each in self.asked]
        return [b - a for a, b in itertools.pairwise(times)]


def self_signed(folder: Path, host: str) -> tuple[ssl.SSLContext, bytes]:
    """A server context and the DER of its certificate, which nobody has vouched for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "site.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, certificate.public_bytes(Encoding.DER)


@contextmanager
def serve(
    routes: dict[str, Route], host: str = "127.0.0.1", *, secure: ssl.SSLContext | None = None
) -> Iterator[LocalSite]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body go in two writes; the second would wait 40 ms

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            site.asked.append(Asked(time.monotonic(), self.path, {k.lower(): v for k, v in self.headers.items()}))
            route = site.routes.get(self.path, (404, {}, b"nothing here"))
            reply = route(self) if callable(route) else route
            if reply is None:
                return
            status, headers, body = reply
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(body)

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                super().handle()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server((host, 0), Handler)
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    site = LocalSite(host, server.server_port, dict(routes), "https" if secure else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class KeepingSink:
    """Keeps pages and failures in memory; follows every href; renders what `renders` says."""

    def __init__(self, renders: Callable[[FetchedPage], bool] = lambda _: False) -> None:
        self.pages: list[FetchedPage] = []
        self.failures: list[tuple[str, str]] = []
        self.held: dict[str, tuple[str | None, str | None]] = {}
        self.commits = 0
        self._renders = renders

    def page(self, page: FetchedPage) -> Verdict:
        self.pages.append(page)
        text = page.dom or page.body.decode("utf-8", "replace")
        return Verdict(tuple(re.findall(r'href="([^"]*)"', text)), self._renders(page))

    def failed(self, site: Site, url: str, why: str) -> None:
        self.failures.append((url, why))

    def known(self, url_key: str) -> bool:
        return False

    def validators(self, site: Site, url: str) -> tuple[str | None, str | None]:
        return self.held.get(url, (None, None))

    def commit(self) -> None:
        self.commits += 1

    def urls(self) -> list[str]:
        return [page.url for page in self.pages]


class FileSink(KeepingSink):
    """Durable: one line a page, written and synced in `commit`, as the real sink's rows are."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._waiting: list[str] = []
        self._known = {json.loads(line)["key"] for line in path.read_text().splitlines()} if path.exists() else set()

    def page(self, page: FetchedPage) -> Verdict:
        self._waiting.append(json.dumps({"key": page.key, "url": page.url}))
        return super().page(page)

    def known(self, url_key: str) -> bool:
        return url_key in self._known

    def commit(self) -> None:
        with self._path.open("a") as out:
            out.writelines(line + "\n" for line in self._waiting)
            out.flush()
            os.fsync(out.fileno())
        self._waiting.clear()


def site_of(*entries: str, robots: RobotsPolicy = RobotsPolicy.OBEY, **more: object) -> Site:
    return Site("s1", "试验店", SiteKind.SELF_BUILT, entries, robots=robots, **more)  # type: ignore[arg-type]


LOOPBACK = ("127.0.0.0/8",)


def go(
    folder: Path,
    sites: list[Site],
    sink: KeepingSink,
    *,
    run: str = "run-1",
    urls: tuple[str, ...] = (),
    **policy: object,
) -> Tally:
    """One patrol without a pause between pages unless `delay_s` says so."""
    wanted: dict[str, object] = {"delay_s": 0.0, "jitter": 0.0, "allow_private": LOOPBACK, "retries": 0} | policy
    return patrol(
        sites,
        run_id=run,
        policy=CrawlPolicy(**wanted),  # type: ignore[arg-type]
        sink=sink,
        frontier=folder / "frontier.db",
        clock=SystemClock(),
        urls=urls,
    )
