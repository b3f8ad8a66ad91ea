"""What every answer carries and what every unsafe request must show.

Cross-site requests are refused by `Sec-Fetch-Site`, or by `Origin` where a browser does not send it, as Go's
`http.CrossOriginProtection` and OWASP's cheat sheet on cross-site request forgery describe; SameSite=Lax cookies stand behind.
There is no token to lose when a part of a page is swapped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("console")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: For captured bytes: nothing may run, load or be submitted, and the document has an origin of its own.
INERT_CSP = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Bodies are forms and small JSON; nothing is uploaded yet.
MAX_BODY = 256 * 1024


class Hardened:
    """ASGI: refuses cross-site and oversized requests, sets the headers of every answer."""

    def __init__(self, app: ASGIApp, *, https: bool = False, trusted_origins: Iterable[str] = ()) -> None:
        self.app = app
        self.https = https
        self.trusted = frozenset(trusted_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        headers = Headers(scope=scope)
        refusal = None
        if scope["method"] not in SAFE_METHODS and not self.same_site(headers, scope["scheme"]):
            refusal = PlainTextResponse("403 跨站请求已拒绝 · cross-site request refused\n", 403)
            log.warning("request.cross-site path=%s", scope["path"])
        elif _too_large(headers):
            refusal = PlainTextResponse("413 请求过大 · request too large\n", 413)
        if refusal:
            await refusal(scope, receive, send_hardened)
        else:
            await self.app(scope, _bounded(receive), send_hardened)

    def same_site(self, headers: Headers, scheme: str) -> bool:
        """True when our own page, or a program that is no browser, sent the request."""
        origin = headers.get("origin")
        if origin and origin in self.trusted:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        if origin is None:
            return True  # no browser: it cannot be tricked into sending a person's cookie
        return origin == f"{'https' if self.https else scheme}://{headers.get('host', '')}"

    def _set_headers(self, headers: MutableHeaders, path: str) -> None:
        headers.setdefault("content-security-policy", CSP)
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "no-referrer"
        headers["x-frame-options"] = "DENY"
        headers["cross-origin-opener-policy"] = "same-origin"
        headers["cross-origin-resource-policy"] = "same-origin"
        headers["permissions-policy"] = "camera=(), geolocation=(), microphone=()"
        if not path.startswith(("/static/", "/assets/")):
            headers.setdefault("cache-control", "no-store")
        if self.https:
            headers["strict-transport-security"] = "max-age=31536000"


def _too_large(headers: Headers) -> bool:
    length = headers.get("content-length", "0")
    return not length.isdecimal() or int(length) > MAX_BODY


def _bounded(receive: Receive) -> Receive:
    """`receive` that ends the request when a body without a length grows beyond MAX_BODY."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MAX_BODY else message

    return bounded
