"""One request and its answer, as they were on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

Headers = tuple[tuple[str, str], ...]  #: in order, duplicates kept (two Set-Cookie stay two)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange.

    `at` is the instant the answer began, aware. `response_body` is what the client handed over; when `decoded` it is
    no longer content-encoded, and the WARC record then carries the wire's coding headers as `X-Orig-*`.
    `ip` is the address the answer came from, empty when a proxy hid it. `body_missing` says why there is no body
    ("redirect", "stream", "too-large", …), empty when the body is complete.
    """

    url: str
    method: str
    request_headers: Headers
    request_body: bytes
    status: int
    reason: str
    response_headers: Headers
    response_body: bytes
    at: datetime
    ip: str = ""
    redirected_from: str = ""
    decoded: bool = True
    body_missing: str = ""

    def response_header(self, name: str) -> str:
        """First value of a response header, empty when absent."""
        wanted = name.lower()
        return next((value for key, value in self.response_headers if key.lower() == wanted), "")

    @property
    def mime(self) -> str:
        return self.response_header("content-type").partition(";")[0].strip().lower()
