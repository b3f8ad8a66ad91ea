"""Reads a page with the browser: its network answer, and its document after scripts ran."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, Error, Page
from playwright.async_api import Response as Reply
from playwright.async_api import TimeoutError as PlaywrightTimeout

from crawler.browser.launch import Launched, launch
from crawler.browser.serialise import serialise
from crawler.causes import FailureCause
from crawler.guard import Guard
from crawler.urls import host_of
from crawler.values import CrawlPolicy, Headers, Hop

_CLOSE_S = 5.0
_MAX_CONTEXTS = 6  #: kept open at a time


class RenderFailed(Exception):
    """The browser did not show the page."""

    def __init__(self, cause: FailureCause, detail: str = "") -> None:
        self.cause = cause
        self.detail = detail
        super().__init__(f"{cause.value}: {detail}")


@dataclass(frozen=True, slots=True)
class Rendering:
    """A page as the browser had it. `dom` is annotated (crawler.browser.serialise), None for an error status."""

    url: str
    status: int
    headers: Headers
    body: bytes
    request_headers: Headers
    hops: tuple[Hop, ...] = ()
    dom: str | None = None
    ip: str | None = None


@dataclass(slots=True)
class _Context:
    context: BrowserContext
    used: int = 0
    open_pages: int = 0


@dataclass(slots=True)
class _Session:
    """One running browser and its contexts by site, least recently used first."""

    launched: Launched
    stack: AsyncExitStack
    contexts: OrderedDict[str, _Context] = field(default_factory=OrderedDict)


class Renderer:
    """One browser, started with the first page that needs it, started again when it crashed. `close` it."""

    def __init__(self, policy: CrawlPolicy, guard: Guard) -> None:
        self._policy = policy
        self._guard = guard
        self._places = asyncio.Semaphore(max(1, policy.render_concurrency))
        self._starting = asyncio.Lock()
        self._session: _Session | None = None

    async def render(self, url: str, *, context: str = "") -> Rendering:
        """The page at `url`; pages with the same `context` share the browser's cache, never its cookies.

        Raises RenderFailed; EnvironmentFault when there is no browser.
        """
        async with self._places:
            session = await self._running()
            held: _Context | None = None
            page: Page | None = None
            try:
                async with asyncio.timeout(self._policy.timeout_s + self._policy.settle_s + 10):
                    held = await self._context(session, context)
                    page = await held.context.new_page()
                    return await self._read(session, page, url)
            except (PlaywrightTimeout, TimeoutError) as error:
                raise RenderFailed(FailureCause.TIMEOUT, "browser") from error
            except Error as error:
                raise self._named(url, error) from error
            finally:
                await self._put_back(session, context, held, page)

    async def close(self) -> None:
        """Ends the browser; safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(_CLOSE_S * 2):
                    await session.stack.aclose()

    async def _running(self) -> _Session:
        async with self._starting:
            if self._session is not None and not self._session.launched.browser.is_connected():
                await self.close()
            if self._session is None:
                stack = AsyncExitStack()
                launched = await stack.enter_async_context(launch(self._policy.browser, guard=self._guard))
                self._session = _Session(launched, stack)
            return self._session

    async def _context(self, session: _Session, name: str) -> _Context:
        held = session.contexts.get(name)
        if held is not None and held.used >= self._policy.pages_per_context and not held.open_pages:
            del session.contexts[name]
            await _quietly_close(held.context)
            held = None
        if held is None:
            held = _Context(
                await session.launched.browser.new_context(
                    user_agent=self._policy.user_agent_browser or self._policy.user_agent,
                    locale="zh-CN",
                    timezone_id="Asia/Shanghai",
                    viewport={"width": 1366, "height": 900},
                    accept_downloads=False,
                    service_workers="block",
                    ignore_https_errors=True,  # reach counts; evidence capture records the certificate
                    extra_http_headers={"From": self._policy.contact} if self._policy.contact else {},
                )
            )
            session.contexts[name] = held
        session.contexts.move_to_end(name)
        held.used += 1
        held.open_pages += 1
        for idle in [key for key, other in session.contexts.items() if not other.open_pages]:
            if len(session.contexts) <= _MAX_CONTEXTS:
                break
            await _quietly_close(session.contexts.pop(idle).context)
        return held

    async def _put_back(self, session: _Session, name: str, held: _Context | None, page: Page | None) -> None:
        if held is None:
            return
        held.open_pages -= 1
        try:
            async with asyncio.timeout(_CLOSE_S):
                if page is not None:
                    await page.close()
                await held.context.clear_cookies()
        except (Error, TimeoutError):  # a page that will not go takes its context along
            if session.contexts.get(name) is held:
                del session.contexts[name]
            await _quietly_close(held.context)

    async def _read(self, session: _Session, page: Page, url: str) -> Rendering:
        page.on("popup", lambda popup: asyncio.ensure_future(_quietly_close(popup)))
        page.on("dialog", lambda dialog: asyncio.ensure_future(_quietly_dismiss(dialog)))
        reply = await page.goto(url, wait_until="domcontentloaded", timeout=self._policy.timeout_s * 1000)
        if reply is None:
            raise RenderFailed(FailureCause.BROWSER, "no document")
        length = (await reply.all_headers()).get("content-length", "")
        if length.isdigit() and int(length) > self._policy.max_bytes:
            raise RenderFailed(FailureCause.TOO_LARGE, f"{length} B")
        body = await _body(reply)
        dom = None
        if reply.ok:
            await self._settle(page)
            dom = await serialise(page, max_chars=self._policy.max_bytes // 2)
        host = host_of(page.url)
        return Rendering(
            url=page.url,
            status=reply.status,
            headers=await _pairs(reply),
            body=body[: self._policy.max_bytes],
            request_headers=tuple((h["name"], h["value"]) for h in await reply.request.headers_array()),
            hops=await _hops(reply),
            dom=dom,
            ip=session.launched.proxy.reached.get(host),
        )

    async def _settle(self, page: Page) -> None:
        """Waits for the network to be quiet for half a second, at most `settle_s`; a page that never is, is read then."""
        with suppress(PlaywrightTimeout):
            await page.wait_for_load_state("networkidle", timeout=self._policy.settle_s * 1000)

    def _named(self, url: str, error: Error) -> RenderFailed:
        line = (str(error).splitlines() or [""])[0]
        refused = self._guard.refused.get(host_of(url))
        if refused is not None:
            return RenderFailed(FailureCause.GUARD, str(refused))
        for word, cause in (
            ("ERR_CERT", FailureCause.TLS),
            ("ERR_SSL", FailureCause.TLS),
            ("ERR_EMPTY_RESPONSE", FailureCause.CONNECT),
            ("ERR_TUNNEL", FailureCause.CONNECT),
            ("ERR_CONNECTION", FailureCause.CONNECT),
            ("ERR_TOO_MANY_REDIRECTS", FailureCause.REDIRECTS),
        ):
            if word in line:
                return RenderFailed(cause, line)
        return RenderFailed(FailureCause.BROWSER, line)


async def _body(reply: Reply) -> bytes:
    try:
        return await reply.body()
    except Error:  # the browser dropped it (a large one, or the page went on to another)
        return b""


async def _pairs(reply: Reply) -> Headers:
    return tuple((header["name"], header["value"]) for header in await reply.headers_array())


async def _hops(reply: Reply) -> tuple[Hop, ...]:
    hops: list[Hop] = []
    request = reply.request.redirected_from
    while request is not None and len(hops) < 20:
        answer = await request.response()
        hops.append(Hop(request.url, answer.status if answer else 0, await _pairs(answer) if answer else ()))
        request = request.redirected_from
    return tuple(reversed(hops))


async def _quietly_close(thing: BrowserContext | Page) -> None:
    with suppress(Error, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await thing.close()


async def _quietly_dismiss(dialog: object) -> None:
    with suppress(Error):
        await dialog.dismiss()  # type: ignore[attr-defined]
