"""Keys by which replay tools look an exchange up in a CDXJ index.

The address is turned round so that hosts of one domain sort together (SURT: `cn,example,shop)/p?a=1`). A request with a
body is keyed by it too, as query parameters after `__wb_method`, by the rules of webrecorder's request-body
canonicalisation, so that a replayed form or fetch finds its answer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

MAX_QUERY = 4096  #: characters of a body's query that take part in the key
_DEFAULT_PORTS = {"http": 80, "https": 443}


def sort_key(url: str) -> str:
    """`url` as a SURT: reversed host without www, small letters, sorted query, neither scheme nor fragment."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except (ValueError, UnicodeError):
        return url.lower().replace(" ", "%20")
    labels = host.removeprefix("www.").split(".")
    key = ",".join(reversed(labels))
    if port and port != _DEFAULT_PORTS.get(parts.scheme):
        key += f":{port}"
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._").lower()
    query = (
        "&".join(sorted(quote(parts.query, safe="%=&/:@!$'()*+,;?~-._[]").lower().split("&"))) if parts.query else ""
    )
    return f"{key}){path.rstrip('/') or '/'}" + (f"?{query}" if query else "")


def with_body(url: str, method: str, content_type: str, body: bytes) -> tuple[str, str]:
    """(query made of the body, `url` with method and that query added)."""
    query = (
        "".join(_body_query(content_type.lower(), content_type, body))[:MAX_QUERY] if method in ("POST", "PUT") else ""
    )
    added = f"__wb_method={method}" + (f"&{query}" if query else "")
    return query, url + ("&" if "?" in url else "?") + added


def _body_query(kind: str, content_type: str, body: bytes) -> Iterator[str]:
    if not body:
        return
    try:
        if kind.startswith("application/x-www-form-urlencoded"):
            yield unquote_plus(body.decode("utf-8"))
        elif kind.startswith("multipart/"):
            yield urlencode(list(_fields(content_type, body)))
        elif kind.startswith(("application/json", "text/plain")):
            yield urlencode(_flat(json.loads(body)))
        else:
            yield _binary(body)
    except ValueError:  # not what its type says: keyed by its bytes
        yield _binary(body)


def _binary(body: bytes) -> str:
    return "__wb_post_data=" + base64.b64encode(body).decode()


def _fields(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    message = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise ValueError("no boundary")
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            yield name, payload


def _flat(value: Any) -> dict[str, str]:
    """Scalars of a JSON value by their own key; a repeated key counts up: a, a.2_, a.3_."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, item = waiting.pop()
        if isinstance(item, dict):
            waiting += reversed([(str(k), v) for k, v in item.items()])
        elif isinstance(item, list):
            waiting += reversed([(name, v) for v in item])
        elif name:
            counts[name] = counts.get(name, 0) + 1
            found[name if counts[name] == 1 else f"{name}.{counts[name]}_"] = str(item)
    return found
