"""A small forward proxy on loopback through which the browser goes, so that the guard sees every connection it makes.

Chromium resolves names by itself and connects where a page tells it to; behind a proxy it does neither. Plain http
comes in absolute form, everything else by CONNECT (RFC 9110 §9.3.6). Nothing is cached, nothing is read but heads.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from crawler.guard import Guard, Refused

_HEAD_LIMIT = 64 * 1024  #: bytes of a request or response head
_CHUNK = 64 * 1024
_IDLE_S = 60.0  #: seconds without a byte in either direction after which a connection is closed
_CONNECT_S = 15.0
_HOP_BY_HOP = (b"connection:", b"proxy-connection:", b"keep-alive:", b"proxy-authorization:")
_CLIENT_SENDS = re.compile(rb"^(\S+) (\S+) (HTTP/1\.[01])$")


class GuardProxy:
    """`async with GuardProxy(guard) as proxy: … proxy.url`. `reached` maps host → address last connected to."""

    def __init__(self, guard: Guard, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        self.guard = guard
        self.max_bytes = max_bytes  #: bytes towards the browser on one connection
        self.reached: dict[str, str] = {}
        self.refused: deque[str] = deque(maxlen=1000)  #: "host → address" of what was refused, latest last
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None, "the proxy is not running"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_HEAD_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the patrol ends; asyncio's stream server would log a cancelled handler as an error
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_IDLE_S):
            head = await reader.readuntil(b"\r\n\r\n")
        first, *fields = head[:-4].split(b"\r\n")
        match = _CLIENT_SENDS.match(first)
        if match is None:
            return
        method, target, version = match.groups()
        tunnel = method == b"CONNECT"
        parts = urlsplit(f"//{target.decode('ascii')}" if tunnel else target.decode("ascii"))
        if not parts.hostname or (not tunnel and parts.scheme != "http"):
            return
        upstream = await self._connect(parts.hostname, parts.port or (443 if tunnel else 80))
        if upstream is None:
            if tunnel:
                writer.write(b"HTTP/1.1 403 Refused\r\nConnection: close\r\n\r\n")
                await writer.drain()
            return  # plain http: no answer at all, so that no answer of ours is taken for the site's
        server_reads, server = upstream
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                await self._both_ways(reader, writer, server_reads, server)
            else:
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                server.write(_one_way(b"%s %s %s" % (method, path.encode("ascii"), version), fields))
                await _copy_body(reader, server, fields)
                await self._answer(server_reads, writer)
        finally:
            server.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            addresses = await self.guard.resolve(host)
        except Refused as refused:
            self.refused.append(str(refused))
            return None
        for address in addresses[:3]:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_S):
                    pair = await asyncio.open_connection(str(address), port, limit=_HEAD_LIMIT)
                self.reached[host] = str(address)
                return pair
        return None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One response, its connection closed after it: the browser never sends a second request down this one."""
        while True:
            async with asyncio.timeout(_IDLE_S):
                head = await reader.readuntil(b"\r\n\r\n")
            first, *fields = head[:-4].split(b"\r\n")
            writer.write(_one_way(first, fields))
            if not re.match(rb"^HTTP/1\.[01] 1\d\d", first):
                break
        await self._pour(reader, writer, self.max_bytes)

    async def _both_ways(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reads: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        pours = [
            asyncio.ensure_future(self._pour(reader, server, self.max_bytes)),
            asyncio.ensure_future(self._pour(server_reads, writer, self.max_bytes)),
        ]
        try:
            await asyncio.wait(pours, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pour in pours:
                pour.cancel()
            await asyncio.gather(*pours, return_exceptions=True)

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int) -> None:
        while limit > 0:
            async with asyncio.timeout(_IDLE_S):
                chunk = await reader.read(_CHUNK)
            if not chunk:
                return
            limit -= len(chunk)
            writer.write(chunk)
            await writer.drain()


def _one_way(first: bytes, fields: list[bytes]) -> bytes:
    """A head that says the connection ends with this message."""
    kept = [field for field in fields if not field.lower().startswith(_HOP_BY_HOP)]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + b"\r\n\r\n"


async def _copy_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fields: list[bytes]) -> None:
    """Content-Length bytes of a request body; browsers send no other kind over HTTP/1.1."""
    left = 0
    for field in fields:
        name, _, value = field.partition(b":")
        if name.lower() == b"content-length":
            left = int(value)
    while left > 0:
        chunk = await reader.read(min(left, _CHUNK))
        if not chunk:
            return
        left -= len(chunk)
        writer.write(chunk)
        await writer.drain()
    await writer.drain()
