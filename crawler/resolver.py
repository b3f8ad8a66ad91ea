"""The guard as Scrapy's DNS_RESOLVER: Twisted connects only to what this hands out, literals included."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from scrapy.crawler import Crawler
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer  # type: ignore[import-untyped]  # ships no type information

from crawler.guard import AddressPolicy, Guard


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


@implementer(IHostnameResolver)
class GuardedResolver:
    """IHostnameResolver over `Guard`: a refused name resolves to nothing and stands in `guard.refused`."""

    def __init__(self, reactor: Any, guard: Guard) -> None:
        self.reactor = reactor
        self.guard = guard
        self._before: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> GuardedResolver:
        """Scrapy's way in (`scrapy` commands): nothing private is allowed."""
        return cls(reactor, Guard(AddressPolicy(crawler.settings.getlist("GUARD_ALLOW_PRIVATE"))))

    def install_on_reactor(self) -> None:
        self._before = self.reactor.installNameResolver(self)

    def uninstall(self) -> None:
        """Put back the resolver that was there before."""
        if self._before is not None:
            self.reactor.installNameResolver(self._before)
            self._before = None

    def resolveHostName(  # noqa: N802  Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[Any] | None = None,  # noqa: N803, ARG002
        transportSemantics: Literal["TCP", "UDP"] = "TCP",  # noqa: N803
    ) -> _Resolution:
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        async def look_up() -> None:
            try:
                for address in await self.guard.resolve(hostName):
                    kind = IPv4Address if address.version == 4 else IPv6Address
                    resolutionReceiver.addressResolved(kind(transportSemantics, str(address), portNumber))
            except (OSError, UnicodeError):
                pass  # no address: Twisted raises DNSLookupError, which is named from guard.refused
            finally:
                resolutionReceiver.resolutionComplete()

        resolution.task = asyncio.get_running_loop().create_task(look_up())
        return resolution
