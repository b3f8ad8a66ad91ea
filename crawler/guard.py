"""The one answer to “may we connect to this address?”, for Scrapy, for robots.txt and for the browser alike.

Threat: a page, a redirect or a name server leads the crawler into the bureau's own network, to this machine or to a
cloud's metadata service. Checked is the address a connection is made to, after resolution, so spelling (decimal,
hexadecimal, IPv4-mapped), redirects and rebinding make no difference. Measured forms: docs of this package's tests.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence

from contracts.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: What the standard library lets pass as global and yet is nobody's public site: IANA special-purpose blocks that
#: differ between Python versions, and Azure's host service. Other metadata services lie in refused ranges anyway.
_NEVER = tuple(
    ipaddress.ip_network(block)
    for block in ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "168.63.129.16/32", "2001::/23", "5f00::/16")
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Seconds a resolution is kept; short, so that a patrol of hours follows a site that moves.
_KEEP_S = 300.0
_RESOLVE_TIMEOUT_S = 15.0
_MAX_KEPT = 20_000


class Refused(OSError):
    """The address is not one the guard lets us connect to."""

    def __init__(self, host: str, addresses: Sequence[Address] = ()) -> None:
        self.host = host
        self.addresses = tuple(addresses)
        super().__init__(f"{host} → {', '.join(map(str, addresses)) or '—'}")


class AddressPolicy:
    """Which addresses may be connected to. `allow` holds IP addresses, CIDR blocks and host names.

    Raises UsageError for an entry that is none of these.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._hosts: set[str] = set()
        for entry in (item.strip() for item in allow):
            if not entry:
                continue
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                if "/" in entry or ":" in entry:
                    raise UsageError(
                        "允许的内网地址“{entry}”不是 IP、网段或主机名",
                        entry=entry,
                        hint="例如 127.0.0.1,10.1.0.0/16,shop.test",
                    ) from None
                self._hosts.add(entry.rstrip(".").lower())

    def allows(self, address: Address, host: str = "") -> bool:
        """Whether `address`, reached under the name `host`, may be connected to."""
        if host and host.rstrip(".").lower() in self._hosts:
            return True
        inner = _embedded(address)
        if any(one in network for one in (address, inner) if one is not None for network in self._networks):
            return True
        return _is_public(address if inner is None else inner)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in block for block in _NEVER)
        and (address.version == 4 or address in _GLOBAL_V6)
    )


class Guard:
    """Resolves a name once in a while and hands out only addresses that may be connected to."""

    def __init__(self, policy: AddressPolicy) -> None:
        self.policy = policy
        self.refused: dict[str, Refused] = {}  #: host → what it led to, for naming a failure
        self._kept: dict[str, tuple[float, tuple[Address, ...]]] = {}

    async def resolve(self, host: str) -> tuple[Address, ...]:
        """Addresses of `host` that may be connected to, at least one.

        Raises Refused when it has addresses and none may be; OSError (socket.gaierror, TimeoutError) when it has none.
        """
        host = host.strip("[]").rstrip(".").lower()
        kept = self._kept.get(host)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_RESOLVE_TIMEOUT_S):
            rows = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found = tuple(dict.fromkeys(ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows))
        allowed = tuple(address for address in found if self.policy.allows(address, host))
        if len(self.refused) > _MAX_KEPT:
            self.refused.clear()
        if not allowed:
            self.refused[host] = Refused(host, found)
            raise self.refused[host]
        self.refused.pop(host, None)
        if len(self._kept) > _MAX_KEPT:
            self._kept.clear()
        self._kept[host] = (time.monotonic() + _KEEP_S, allowed)
        return allowed
