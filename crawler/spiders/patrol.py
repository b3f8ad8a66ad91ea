"""The one spider: brings what Scrapy got back to the round. Where to go and how fast is decided there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, SSLError
from twisted.python.failure import Failure

from contracts.errors import EnvironmentFault, UsageError
from crawler.browser.render import Renderer, RenderFailed
from crawler.causes import FailureCause
from crawler.guard import Guard
from crawler.politeness import Task
from crawler.round import Answer, Round
from crawler.urls import host_of
from crawler.values import Headers


class PatrolSpider(Spider):
    """Takes `round` and `guard` from `crawler.patrol.patrol`; there is no patrol without a policy and a sink."""

    name = "patrol"
    round: Round
    guard: Guard
    renderer: Renderer
    under_way: set[asyncio.Future[Any]]  #: requests in flight, to be cut off when a patrol is ended

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PatrolSpider:
        if not isinstance(kwargs.get("round"), Round):
            raise UsageError("请用 wangxun patrol 启动巡查", hint="scrapy 命令只用于 list 与 shell")
        return super().from_crawler(crawler, *args, **kwargs)

    async def start(self) -> AsyncIterator[Any]:
        """Yields nothing: the scheduler takes everything from the frontier."""
        nothing: tuple[Any, ...] = ()
        for each in nothing:
            yield each

    def parse(self, response: Response, **_: Any) -> None:
        request = response.request
        assert request is not None
        task: Task = request.meta["task"]
        now = asyncio.get_running_loop().time()
        try:
            self.round.answered(task, self._answer(request, response), now)
        except Exception as error:  # noqa: BLE001  the sink's: the round ends and `patrol` raises it
            self.round.broke(error)

    def errback(self, failure: Failure) -> None:
        task: Task = failure.request.meta["task"]  # type: ignore[attr-defined]  # set by Scrapy
        if isinstance(failure.value, EnvironmentFault):
            if task.static is None:  # a rendering was ordered, not merely wished for
                self.round.broke(failure.value)
            cause, detail = FailureCause.BROWSER, failure.value.text()
        else:
            cause, detail = self._cause(task, failure.value)
        now = asyncio.get_running_loop().time()
        try:
            self.round.failed(task, cause, detail, now)
        except Exception as error:  # noqa: BLE001  the sink's: the round ends and `patrol` raises it
            self.round.broke(error)

    def _answer(self, request: Request, response: Response) -> Answer:
        at = self.round.clock.now()
        rendered = request.meta.get("rendering")
        if rendered is not None:
            return Answer(
                url=rendered.url,
                status=rendered.status,
                headers=rendered.headers,
                body=rendered.body,
                request_headers=rendered.request_headers,
                at=at,
                ip=rendered.ip,
                dom=rendered.dom,
                rendered=True,
                hops=rendered.hops,
            )
        certificate = response.certificate
        return Answer(
            url=response.url,
            status=response.status,
            headers=request.meta.get("received") or pairs(response.headers),
            body=response.body,
            request_headers=pairs(request.headers),
            at=at,
            ip=str(response.ip_address) if response.ip_address else None,
            certificate=certificate.dump() if certificate is not None else None,
        )

    def _cause(self, task: Task, error: BaseException | None) -> tuple[FailureCause, str]:
        host = host_of(task.url)
        if isinstance(error, RenderFailed):
            return error.cause, error.detail
        if isinstance(error, CannotResolveHostError):
            refused = self.guard.refused.get(host)
            return (FailureCause.GUARD, str(refused)) if refused else (FailureCause.DNS, host)
        if isinstance(error, (DownloadCancelledError, IgnoreRequest)):
            # Scrapy cancels for size alone; IgnoreRequest comes from unpacking beyond the bound.
            return FailureCause.TOO_LARGE, f"> {self.round.policy.max_bytes} B"
        if isinstance(error, (UnsupportedURLSchemeError, NotSupported)):
            return FailureCause.ADDRESS, str(error)
        if isinstance(error, DownloadTimeoutError):
            return FailureCause.TIMEOUT, ""
        if isinstance(error, (DownloadConnectionRefusedError, ConnectError)):
            return FailureCause.CONNECT, type(error).__name__
        if isinstance(error, (DownloadFailedError, ResponseDataLossError)):
            return _broken(error)
        if isinstance(error, SSLError):
            return FailureCause.TLS, str(error)
        if isinstance(error, (ConnectionLost, ConnectionDone)):
            return FailureCause.BROKEN, type(error).__name__
        return FailureCause.OTHER, f"{type(error).__name__}: {error}"


_TLS = re.compile(r"SSL|TLS|certificate|handshake", re.IGNORECASE)


def _broken(error: BaseException) -> tuple[FailureCause, str]:
    """A connection that did not bring a whole answer: by TLS, or by breaking off."""
    inner = error.__cause__ or error
    reasons = [reason.value for reason in getattr(inner, "reasons", ())] or [inner]
    text = "; ".join(f"{type(reason).__name__} {reason}" for reason in reasons)
    modules = {type(reason).__module__.partition(".")[0] for reason in reasons}
    if "OpenSSL" in modules or "service_identity" in modules or _TLS.search(text):
        return FailureCause.TLS, text
    return FailureCause.BROKEN, text


def pairs(headers: Any) -> Headers:
    """Scrapy's headers as (name, value) pairs, latin-1 as HTTP has it."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, values in headers.items() for value in values
    )
