"""Every failure has one name; none ends the patrol; bounds hold."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_site import KeepingSink, Reply, Route, go, html, links, self_signed, serve, site_of

from contracts.errors import EnvironmentFault
from contracts.site import Site, SiteKind
from crawler.causes import FailureCause, explain, why
from crawler.patrol import FetchedPage, Verdict


@contextmanager
def raw_server(answer: bytes, host: str = "127.0.0.1") -> Iterator[int]:
    """Answers every connection with the same bytes and hangs up."""
    listener = socket.create_server((host, 0))
    listener.settimeout(0.05)
    ended = threading.Event()

    def serve_raw() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(1)
                try:
                    connection.recv(65536)
                    connection.sendall(answer)
                except OSError:
                    pass

    thread = threading.Thread(target=serve_raw, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        thread.join()
        listener.close()


def one(tmp_path: Path, url: str, **policy: object) -> str:
    tally = go(tmp_path, [site_of(url)], KeepingSink(), **policy)
    assert tally.fetched == 0
    (failure,) = tally.failed
    return failure[1]


def test_statuses_are_named_and_the_round_goes_on(tmp_path: Path) -> None:
    routes: dict[str, Route] = {
        "/": html(links("/404", "/410", "/403", "/418", "/ok")),
        "/410": (410, {}, b""),
        "/403": (403, {}, b""),
        "/418": (418, {}, b""),
        "/ok": html("ok"),
    }
    with serve(routes) as site:
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(site.base)], sink)
    named = {url.rpartition("/")[2]: reason for url, reason in tally.failed}
    assert named == {"404": "gone: 404", "410": "gone: 410", "403": "login: 403", "418": "status: 418"}
    assert sink.failures == tally.failed
    assert tally.fetched == 2


def test_a_name_without_address(tmp_path: Path) -> None:
    assert one(tmp_path, "http://nowhere.invalid/") == "dns: nowhere.invalid"


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert one(tmp_path, f"http://127.0.0.1:{port}/").startswith("connect")


def test_a_server_that_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert one(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.3) == "timeout"


@pytest.mark.parametrize("answer", [b"\x15\x03\x01\x00\x02\x02\x28", b"HTTP/1.1 200 OK\r\n\r\nplain text"])
def test_a_broken_secure_connection(tmp_path: Path, answer: bytes) -> None:
    with raw_server(answer) as port:
        assert one(tmp_path, f"https://127.0.0.1:{port}/").startswith("tls")


def test_a_certificate_nobody_vouches_for_is_kept_with_the_page(tmp_path: Path) -> None:
    secure, certificate = self_signed(tmp_path, "127.0.0.1")
    with serve({"/": html(links("/a")), "/a": html("a")}, secure=secure) as site:
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(site.base)], sink)
    assert tally.fetched == 2
    assert [page.certificate for page in sink.pages] == [certificate, certificate]


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b""])
def test_an_answer_that_breaks_off_or_is_not_http(tmp_path: Path, answer: bytes) -> None:
    with raw_server(answer) as port:
        assert one(tmp_path, f"http://127.0.0.1:{port}/").startswith("broken")


def test_a_page_larger_than_the_bound(tmp_path: Path) -> None:
    with serve({"/": html("x" * 200_000)}) as site:
        assert one(tmp_path, site.base, max_bytes=100_000) == "too-large: > 100000 B"


def test_a_gzip_bomb_is_stopped_before_it_fills_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    assert gzip.decompress(bomb[:0] or gzip.compress(b"ok")) == b"ok"
    with serve({"/": (200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, bomb)}) as site:
        tracemalloc.start()
        try:
            reason = one(tmp_path, site.base, max_bytes=10 << 20)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert reason.startswith("too-large")
    assert peak < 100 << 20


def test_a_robots_bomb_is_stopped_as_well(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(50)) + packer.flush()
    with serve({"/robots.txt": (200, {"Content-Encoding": "gzip"}, bomb), "/": html("x")}) as site:
        assert one(tmp_path, site.base, max_bytes=10 << 20).startswith("too-large")


def test_a_slow_host_does_not_hold_up_the_others(tmp_path: Path) -> None:
    ended = threading.Event()

    def slow(_: BaseHTTPRequestHandler) -> Reply:
        ended.wait(20)
        return html("late")

    with serve({"/robots.txt": slow}, "127.0.0.2") as stuck, serve({"/": html("ok")}, "127.0.0.3") as fine:
        other = Site("s2", "另一店", SiteKind.SELF_BUILT, (fine.base,))
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(stuck.base), other], sink, timeout_s=0.5, concurrency=2)
        ended.set()
    assert sink.urls() == [fine.base + "/"]
    assert tally.failed == [(stuck.base + "/", "timeout")]


def test_what_the_sink_raises_ends_the_patrol_and_comes_out(tmp_path: Path) -> None:
    class FullDisk(KeepingSink):
        def page(self, page: FetchedPage) -> Verdict:
            raise EnvironmentFault("磁盘已满")

    with serve({"/": html(links("/a"))}) as site:
        with pytest.raises(EnvironmentFault, match="磁盘已满"):
            go(tmp_path, [site_of(site.base)], FullDisk())
        sink = KeepingSink()
        assert go(tmp_path, [site_of(site.base)], sink).fetched == 1, "the same run goes on"


def test_reasons_read_in_chinese() -> None:
    assert explain(why(FailureCause.GONE, "404")) == "页面不存在（404）"
    assert explain("something else") == "something else"
    assert all(cause.label for cause in FailureCause)
    assert "\n" not in why(FailureCause.OTHER, "a\nb" * 500)
    assert len(why(FailureCause.OTHER, "x" * 500)) <= 200
