"""Every exchange of a page, taken from the browser while each answer is held at its Response stage.

CDP `Fetch` pauses an answer before the page sees it; its body is read then. Reading bodies afterwards
(`response.body()`) silently loses blobs, media and evicted ones, or asks the server again: never done here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Error, Request

from contracts.clock import Clock, iso
from evidence.exchange import Exchange, Headers

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READ = 1 << 20  #: bytes a stream is read at a time


@dataclass(frozen=True, slots=True)
class RecorderLimits:
    """Bounds of one capture."""

    stream_above: int = 5 << 20  #: bytes announced; larger bodies are streamed
    max_body: int = 200 << 20  #: bytes of one body; beyond it the body is left out and said so
    max_total: int = 1 << 30  #: bytes of all bodies
    max_exchanges: int = 5000
    body_timeout_s: float = 120.0  #: 60 MB take half a minute on a busy core
    max_frames: int = 2000  #: WebSocket frames written down


class Recorder:
    """Hands each finished exchange to `keep`, in order of completion."""

    def __init__(
        self, session: CDPSession, clock: Clock, keep: Callable[[Exchange], None], limits: RecorderLimits
    ) -> None:
        self._session = session
        self._clock = clock
        self._keep = keep
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()
        self._flying: set[str] = set()
        self._redirects: dict[str, str] = {}
        self._last_traffic = time.monotonic()
        self._total = 0
        self._main_frame = ""
        self._frozen = False
        self._recorded: Counter[tuple[str, str]] = Counter()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._websockets: dict[str, str] = {}
        self.count = 0
        self.servers: dict[str, str] = {}  #: host → address it answered from
        self.tls: dict[str, Any] = {}  #: security details of the first https answer
        self.frames: list[dict[str, Any]] = []  #: WebSocket frames, as metadata
        self.notes: list[str] = []  #: what could not be recorded, named
        self.failed: list[dict[str, str]] = []  #: requests that got no answer

    async def start(self, main_frame: str) -> None:
        """Begins to record; call before the first navigation."""
        self._main_frame = main_frame
        on = self._session.on
        on("Fetch.requestPaused", self._on_paused)
        on("Network.requestWillBeSent", self._on_sent)
        on("Network.responseReceived", self._on_response)
        on("Network.loadingFinished", self._on_done)
        on("Network.loadingFailed", self._on_failed)
        on("Network.webSocketCreated", lambda e: self._websockets.__setitem__(e["requestId"], e["url"]))
        on("Network.webSocketFrameSent", lambda e: self._on_frame("sent", e))
        on("Network.webSocketFrameReceived", lambda e: self._on_frame("received", e))
        await self._session.send("Network.enable")
        await self._session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await self._session.send("Fetch.enable", {"patterns": [{"urlPattern": "*", "requestStage": "Response"}]})

    def witness(self, request: Request) -> None:
        """Playwright's own view of a finished request; what it saw and we did not is named in `unrecorded`."""
        if request.url.startswith(("http://", "https://")):
            self._seen[(request.method, request.url.partition("#")[0])] += 1

    @property
    def unrecorded(self) -> list[str]:
        """Requests the browser made that stand in no record."""
        missing = self._seen - self._recorded
        return [f"{method} {url}" for method, url in sorted(missing)][:200]

    def freeze(self) -> None:
        """From now on the page may not navigate away."""
        self._frozen = True

    async def quiet(self, calm_s: float, timeout_s: float) -> bool:
        """Waits until nothing moved for `calm_s`. False when the time ran out first."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self._tasks and not self._flying and time.monotonic() - self._last_traffic >= calm_s:
                return True
            await asyncio.sleep(0.05)
        return False

    async def drain(self, timeout_s: float) -> None:
        """Waits for bodies still being read."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            if late:
                self.notes.append(f"{len(late)} 个应答在结束时仍未读完")

    # — events —

    def _on_paused(self, event: dict[str, Any]) -> None:
        self._last_traffic = time.monotonic()
        self._spawn(self._take(event))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._last_traffic = time.monotonic()
        if not task.cancelled() and (error := task.exception()):
            self.notes.append(f"记录应答时出错:{type(error).__name__} {str(error)[:200]}")

    def _on_sent(self, event: dict[str, Any]) -> None:
        self._last_traffic = time.monotonic()
        if event["request"]["url"].startswith("http"):
            self._flying.add(event["requestId"])
            if event.get("redirectResponse"):
                self._redirects[event["requestId"]] = event["redirectResponse"]["url"]

    def _on_response(self, event: dict[str, Any]) -> None:
        response = event["response"]
        if response.get("mimeType") == "text/event-stream":
            self._flying.discard(event["requestId"])  # never finishes
        if address := response.get("remoteIPAddress"):
            host = response["url"].split("/")[2]
            self.servers.setdefault(host, f"{address}:{response.get('remotePort', '')}")
        if not self.tls and response.get("securityDetails"):
            details = response["securityDetails"]
            wanted = ("protocol", "cipher", "subjectName", "issuer", "validFrom", "validTo", "sanList")
            self.tls = {key: _plain(details.get(key)) for key in wanted}
            self.tls["url"] = response["url"]

    def _on_done(self, event: dict[str, Any]) -> None:
        self._flying.discard(event["requestId"])
        self._last_traffic = time.monotonic()

    def _on_failed(self, event: dict[str, Any]) -> None:
        self._flying.discard(event["requestId"])
        self._last_traffic = time.monotonic()
        if len(self.failed) < 200:
            self.failed.append({"type": str(event.get("type")), "why": str(event.get("errorText"))})

    def _on_frame(self, way: str, event: dict[str, Any]) -> None:
        if len(self.frames) >= self._limits.max_frames:
            return
        payload = str(event["response"].get("payloadData", ""))
        self.frames.append(
            {
                "at": iso(self._clock.now()),
                "url": self._websockets.get(event["requestId"], ""),
                "way": way,
                "opcode": int(event["response"].get("opcode", 0)),
                "chars": len(payload),
                "sha256": hashlib.sha256(payload.encode("utf-8", "replace")).hexdigest(),
                "start": payload[:500],
            }
        )

    # — one paused answer —

    async def _take(self, event: dict[str, Any]) -> None:
        paused = event["requestId"]
        if "responseStatusCode" not in event:
            await self._go_on(paused)
            return
        body, missing, fulfil = await self._body(event)
        exchange = self._exchange(event, body, missing)
        if self.count < self._limits.max_exchanges:
            self.count += 1
            self._total += len(body)
            self._keep(exchange)
            self._recorded[(exchange.method, exchange.url)] += 1
        else:
            self.notes.append(f"超过 {self._limits.max_exchanges} 个应答,未记录:{exchange.url[:200]}")
        if self._leaves_page(event):
            self.notes.append(f"页面试图跳转,已阻止:{exchange.url[:500]}")
            await self._send("Fetch.failRequest", {"requestId": paused, "errorReason": "Aborted"})
        elif fulfil:
            headers = [h for h in event.get("responseHeaders", []) if h["name"].lower() not in _RECODED]
            answer = {
                "requestId": paused,
                "responseCode": exchange.status,
                "responseHeaders": headers,
                "body": base64.b64encode(body).decode(),
            }
            await self._send("Fetch.fulfillRequest", answer)
        else:
            await self._go_on(paused)
        self._flying.discard(event.get("networkId", ""))  # its end is not always told (beacons, workers)

    def _leaves_page(self, event: dict[str, Any]) -> bool:
        return self._frozen and event.get("resourceType") == "Document" and event.get("frameId") == self._main_frame

    async def _body(self, event: dict[str, Any]) -> tuple[bytes, str, bool]:
        """Body, why it is missing, whether the page must be given it back by us."""
        headers = {h["name"].lower(): h["value"] for h in event.get("responseHeaders", [])}
        status = event["responseStatusCode"]
        if status in REDIRECTS and "location" in headers:
            return b"", "redirect", False
        if "text/event-stream" in headers.get("content-type", ""):
            return b"", "stream", False
        if event["request"]["method"] == "HEAD" or status in (204, 304):
            return b"", "", False
        length = headers.get("content-length", "")
        announced = int(length) if length.isdigit() else 0
        if announced > self._limits.max_body or self._total > self._limits.max_total:
            self.notes.append(f"正文过大,未记录:{event['request']['url'][:500]}")
            return b"", "too-large", False
        try:
            async with asyncio.timeout(self._limits.body_timeout_s):
                if announced > self._limits.stream_above:
                    return await self._streamed(event)
                answer = await self._session.send("Fetch.getResponseBody", {"requestId": event["requestId"]})
        except (Error, TimeoutError) as error:
            self.notes.append(
                f"正文读取失败:{event['request']['url'][:500]}({type(error).__name__} {str(error)[:120]})"
            )
            return b"", "unreadable", False
        text = answer["body"]
        return (base64.b64decode(text) if answer["base64Encoded"] else text.encode()), "", False

    async def _streamed(self, event: dict[str, Any]) -> tuple[bytes, str, bool]:
        paused = {"requestId": event["requestId"]}
        stream = (await self._session.send("Fetch.takeResponseBodyAsStream", paused))["stream"]
        parts: list[bytes] = []
        size = 0
        while True:
            piece = await self._session.send("IO.read", {"handle": stream, "size": _READ})
            data = piece.get("data", "")
            parts.append(base64.b64decode(data) if piece.get("base64Encoded") else data.encode())
            size += len(parts[-1])
            if piece.get("eof") or size > self._limits.max_body:
                break
        await self._session.send("IO.close", {"handle": stream})
        if size > self._limits.max_body:
            self.notes.append(f"正文过大,未记录:{event['request']['url'][:500]}")
            return b"", "too-large", True
        return b"".join(parts), "", True

    def _exchange(self, event: dict[str, Any], body: bytes, missing: str) -> Exchange:
        request = event["request"]
        posted = b"".join(base64.b64decode(entry.get("bytes", "")) for entry in request.get("postDataEntries", []))
        headers: Headers = tuple((h["name"], h["value"]) for h in event.get("responseHeaders", []))
        return Exchange(
            url=request["url"],
            method=request["method"],
            request_headers=tuple((str(k), str(v)) for k, v in request["headers"].items()),
            request_body=posted or request.get("postData", "").encode("utf-8", "replace"),
            status=event["responseStatusCode"],
            reason=event.get("responseStatusText", ""),
            response_headers=headers,
            response_body=body,
            at=self._clock.now(),
            redirected_from=self._redirects.get(event.get("networkId", ""), ""),
            body_missing=missing,
        )

    async def _go_on(self, paused: str) -> None:
        await self._send("Fetch.continueRequest", {"requestId": paused})

    async def _send(self, method: str, params: dict[str, Any]) -> None:
        try:
            await self._session.send(method, params)
        except Error:
            return  # the page cancelled the request meanwhile; what came is recorded


_RECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _plain(value: Any) -> Any:
    """Numbers as integers or strings, so that they can stand in a canonical manifest."""
    if isinstance(value, float):
        return int(value)
    if isinstance(value, list):
        return [str(item) for item in value[:50]]
    return value
