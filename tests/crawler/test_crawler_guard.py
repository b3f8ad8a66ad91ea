"""crawler.guard, resolver and proxy: every form of an inward address is refused before a connection is made."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from local_site import KeepingSink, go, html, links, serve, site_of

from contracts.errors import UsageError
from crawler.guard import AddressPolicy, Guard, Refused
from crawler.proxy import GuardProxy

INWARD = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.0.192", "198.18.0.1", "168.63.129.16", "::1", "::", "fe80::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", INWARD)
def test_inward_addresses_are_refused(address: str) -> None:
    assert not AddressPolicy().allows(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "114.114.114.114", "2400:3200::1", "::ffff:1.1.1.1"])
def test_public_addresses_pass(address: str) -> None:
    assert AddressPolicy().allows(ipaddress.ip_address(address))


def test_the_allow_list_takes_addresses_blocks_and_names() -> None:
    policy = AddressPolicy(["127.0.0.2", "10.1.0.0/16", "shop.test", "::1"])
    one = ipaddress.ip_address
    assert policy.allows(one("127.0.0.2"))
    assert policy.allows(one("::ffff:127.0.0.2"))
    assert policy.allows(one("10.1.9.9"))
    assert policy.allows(one("::1"))
    assert policy.allows(one("192.168.0.9"), "Shop.Test.")
    assert not policy.allows(one("192.168.0.9"), "other.test")
    assert not policy.allows(one("127.0.0.1"))


def test_an_unreadable_allow_entry_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"10\.0\.0\.0/99"):
        AddressPolicy(["10.0.0.0/99"])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "127.1"])
def test_names_and_every_spelling_of_a_literal_are_refused(tmp_path: Path, host: str) -> None:
    with serve({"/": html("inside")}) as site:
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(f"http://{host}:{site.port}/")], sink, allow_private=())
    assert sink.pages == []
    assert site.asked == []
    assert [why.split(":")[0] for _, why in tally.failed] == ["guard"]
    assert (tally.seeds, tally.seeds_fetched) == (1, 0)


def test_a_redirect_inward_is_refused(tmp_path: Path) -> None:
    with serve({"/secret": html("inside")}, "127.0.0.3") as inside:
        to_inside = (302, {"Location": f"{inside.base}/secret"}, b"")
        with serve({"/": to_inside}, "127.0.0.2") as site:
            sink = KeepingSink()
            tally = go(tmp_path, [site_of(site.base + "/")], sink, allow_private=("127.0.0.2",))
    assert inside.asked == []
    assert tally.failed[0][1].startswith("guard")


def test_robots_redirected_inward_is_refused(tmp_path: Path) -> None:
    with serve({"/robots.txt": html("")}, "127.0.0.3") as inside:
        routes = {"/robots.txt": (301, {"Location": f"{inside.base}/robots.txt"}, b""), "/": html("page")}
        with serve(routes, "127.0.0.2") as site:
            go(tmp_path, [site_of(site.base + "/")], KeepingSink(), allow_private=("127.0.0.2",))
    assert inside.asked == []


def test_other_schemes_are_never_followed(tmp_path: Path) -> None:
    page = html(links("file:///etc/hostname", "ftp://127.0.0.1/x", "data:text/html,x", "s3://b/k"))
    with serve({"/": page}) as site:
        sink = KeepingSink()
        tally = go(tmp_path, [site_of(site.base + "/", "file:///etc/hostname")], sink)
    assert sink.urls() == [site.base + "/"]
    assert tally.failed == [("file:///etc/hostname", "address")]


async def _through(proxy: str, request: str) -> bytes:
    where = urlsplit(proxy)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(request.encode())
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def test_the_proxy_connects_where_the_guard_allows_and_nowhere_else() -> None:
    async def look(good: str, bad: str) -> list[bytes]:
        async with GuardProxy(Guard(AddressPolicy(["127.0.0.2"]))) as proxy:
            answers = [
                await _through(proxy.url, f"GET {good}/a HTTP/1.1\r\nHost: x\r\n\r\n"),
                await _through(proxy.url, f"GET {bad}/a HTTP/1.1\r\nHost: x\r\n\r\n"),
                await _through(proxy.url, f"CONNECT {urlsplit(bad).netloc} HTTP/1.1\r\n\r\n"),
                await _through(proxy.url, "GET /relative HTTP/1.1\r\n\r\n"),
                await _through(proxy.url, "nonsense\r\n\r\n"),
            ]
            assert list(proxy.reached) == ["127.0.0.2"]
            assert len(proxy.refused) == 2
            return answers

    with serve({"/a": html("good")}, "127.0.0.2") as one, serve({"/a": html("bad")}, "127.0.0.3") as two:
        good, *others = asyncio.run(look(one.base, two.base))
        assert b"good" in good
        assert b"connection: close" in good.lower()
        assert b"".join(others).startswith(b"HTTP/1.1 403")
        assert two.asked == []


def test_rebinding_is_checked_at_every_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that first leads outside and then inside is refused the second time."""
    answers = iter(["93.184.216.34", "127.0.0.1"])

    async def look() -> None:
        loop = asyncio.get_running_loop()

        async def rebinding(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(2, 1, 6, "", (next(answers), 0))]

        monkeypatch.setattr(loop, "getaddrinfo", rebinding)
        monkeypatch.setattr("crawler.guard._KEEP_S", -1.0)
        guard = Guard(AddressPolicy())
        assert [str(one) for one in await guard.resolve("evil.test")] == ["93.184.216.34"]
        with pytest.raises(Refused):
            await guard.resolve("evil.test")
        assert "evil.test" in guard.refused

    asyncio.run(look())
