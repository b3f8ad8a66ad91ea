"""WARC 1.1 (ISO 28500:2017), written and read.

One gzip member a record. Bodies are stored as the client handed them over; when that was decoded, the wire's
`Content-Encoding` and `Transfer-Encoding` stand as `X-Orig-*` and `Content-Length` is the stored length.
Digests are SHA-256 in base32, the form every reader understands.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from contracts.clock import aware
from contracts.errors import Unverifiable
from evidence.exchange import Exchange, Headers

REVISIT = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
URN = "urn:x-wangxun:"
_CODED = frozenset({"content-encoding", "transfer-encoding"})
#: Bodies of these types are compressed already; deflating them again costs time and gains nothing.
_DENSE = ("image/", "video/", "audio/", "font/", "application/zip", "application/gzip", "application/pdf")
_MAX_MEMBER = 512 << 20  #: bytes of one record, unpacked


@dataclass(frozen=True, slots=True)
class Original:
    """The record a revisit refers to."""

    evidence_id: str
    record_id: str
    url: str
    date: str
    payload_digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read. `offset` and `length` are those of its gzip member."""

    offset: int
    length: int
    headers: Mapping[str, str]  #: names in lower case
    block: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("warc-type", "")

    @property
    def http_head(self) -> bytes:
        return self.block.partition(b"\r\n\r\n")[0]

    @property
    def payload(self) -> bytes:
        return self.block.partition(b"\r\n\r\n")[2]


def base32_digest(data: bytes) -> str:
    return "sha256:" + base64.b32encode(hashlib.sha256(data).digest()).decode()


def payload_hex(labelled: str) -> str:
    """Hexadecimal form of a `sha256:BASE32` digest."""
    return base64.b32decode(labelled.removeprefix("sha256:")).hex()


def warc_date(at: datetime) -> str:
    return aware(at).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def named_record_id(*parts: str) -> str:
    """A record id that is the same for the same parts: exports must be byte-stable."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, '|'.join(parts))}>"


def evidence_record_id(evidence_id: str) -> str:
    """The id of a record of the http level says where it lies: a revisit's `WARC-Refers-To` is the evidence id itself."""
    return f"<{URN}{evidence_id}>"


def evidence_of(record_id: str) -> str:
    """Evidence id of a record id of the http level, empty for any other."""
    inner = record_id.strip("<>")
    return inner.removeprefix(URN) if inner.startswith(URN) else ""


def one_line(text: str) -> str:
    """A header value cannot smuggle another header."""
    return text.replace("\r", "%0D").replace("\n", "%0A")


def member(headers: Iterable[tuple[str, str]], block: bytes, *, dense: bool = False, level: int = 1) -> bytes:
    """The record as one gzip member. `dense` blocks are stored, not deflated."""
    head = _record_head(headers, block)
    packer = zlib.compressobj(0 if dense else level, zlib.DEFLATED, 31)
    return b"".join((packer.compress(head), packer.compress(block), packer.compress(b"\r\n\r\n"), packer.flush()))


def _record_head(headers: Iterable[tuple[str, str]], block: bytes) -> bytes:
    head = "WARC/1.1\r\n" + "".join(f"{name}: {one_line(value)}\r\n" for name, value in headers)
    return (head + f"Content-Length: {len(block)}\r\n\r\n").encode("utf-8", "replace")


def warcinfo(at: datetime, fields: Mapping[str, str], filename: str, record_id: str | None = None) -> bytes:
    block = "".join(f"{name}: {one_line(value)}\r\n" for name, value in fields.items()).encode()
    return member(
        [
            ("WARC-Type", "warcinfo"),
            ("WARC-Record-ID", record_id or new_record_id()),
            ("WARC-Date", warc_date(at)),
            ("WARC-Filename", filename),
            ("WARC-Block-Digest", base32_digest(block)),
            ("Content-Type", "application/warc-fields"),
        ],
        block,
    )


def response_head(exchange: Exchange) -> bytes:
    """Status line and headers as stored, ending in the blank line."""
    kept: list[tuple[str, str]] = []
    for name, value in exchange.response_headers:
        lower = name.lower()
        recoded = exchange.decoded and lower in _CODED
        if recoded or (lower == "content-length" and value != str(len(exchange.response_body))):
            kept.append((f"X-Orig-{name}", value))
        else:
            kept.append((name, value))
    if not any(name.lower() == "content-length" for name, _ in kept):
        kept.append(("Content-Length", str(len(exchange.response_body))))
    return _http_head(f"HTTP/1.1 {exchange.status} {one_line(exchange.reason)}", kept)


def _http_head(first: str, headers: Headers | list[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {one_line(value)}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def request_block(exchange: Exchange) -> bytes:
    parts = urlsplit(exchange.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = list(exchange.request_headers)
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
    return _http_head(f"{exchange.method} {target} HTTP/1.1", headers) + exchange.request_body


def exchange_members(
    exchange: Exchange, *, ids: tuple[str, str] | None = None, level: int = 1
) -> tuple[bytes, bytes, str]:
    """Response member, request member, payload digest (`sha256:BASE32`)."""
    response_id, request_id = ids or (new_record_id(), new_record_id())
    payload = base32_digest(exchange.response_body)
    block = response_head(exchange) + exchange.response_body
    headers = _answer_headers("response", exchange, response_id, payload)
    headers.append(("WARC-Block-Digest", base32_digest(block)))
    asked = request_block(exchange)
    request = [
        ("WARC-Type", "request"),
        ("WARC-Record-ID", request_id),
        ("WARC-Target-URI", exchange.url),
        ("WARC-Date", warc_date(exchange.at)),
        ("WARC-Concurrent-To", response_id),
        ("WARC-Block-Digest", base32_digest(asked)),
        ("Content-Type", "application/http; msgtype=request"),
    ]
    dense = exchange.mime.startswith(_DENSE)
    return member(headers, block, dense=dense, level=level), member(request, asked, level=level), payload


def revisit_record(exchange: Exchange, original: Original, record_id: str) -> tuple[bytes, str]:
    """The record of a page that shows what `original` holds, uncompressed, and its payload digest.

    Its block is the answer's headers alone, and the request is as the original's: small is its purpose. The batch has
    its digest.
    """
    not_modified = exchange.status == 304
    payload = original.payload_digest if not_modified else base32_digest(exchange.response_body)
    headers = _answer_headers("revisit", exchange, record_id, payload)
    headers += [
        ("WARC-Profile", NOT_MODIFIED if not_modified else REVISIT),
        ("WARC-Refers-To", original.record_id),
        ("WARC-Refers-To-Target-URI", original.url),
        ("WARC-Refers-To-Date", original.date),
    ]
    block = response_head(exchange)
    return _record_head(headers, block) + block + b"\r\n\r\n", payload


def _answer_headers(kind: str, exchange: Exchange, record_id: str, payload: str) -> list[tuple[str, str]]:
    headers = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", record_id),
        ("WARC-Target-URI", exchange.url),
        ("WARC-Date", warc_date(exchange.at)),
        ("WARC-Payload-Digest", payload),
        ("Content-Type", "application/http; msgtype=response"),
    ]
    if exchange.ip:
        headers.append(("WARC-IP-Address", exchange.ip))
    if exchange.body_missing:
        headers.append(("WARC-Truncated", "unspecified"))
        headers.append(("X-Wangxun-Body-Missing", exchange.body_missing))
    return headers


def named_fields(head: bytes) -> dict[str, str]:
    """Header values by lower-case name of a record's head, the version line left out."""
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def read_records(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Record]:
    """Records of a .warc.gz from byte `start`, one at a time. Raises Unverifiable naming the offset of a broken one."""
    file.seek(start)
    offset, buffer = start, b""
    while end is None or offset < end:
        block, used, buffer = _inflate(file, buffer, offset)
        if not used:
            return
        head, gap, body = block.partition(b"\r\n\r\n")
        if not gap or not head.startswith(b"WARC/1."):
            raise Unverifiable("WARC 第 {offset} 字节处不是记录", offset=offset)
        headers = named_fields(head)
        length = headers.get("content-length", "")
        if not length.isdigit() or body[int(length) :] != b"\r\n\r\n":
            raise Unverifiable("WARC 第 {offset} 字节处的记录长度不符", offset=offset)
        yield Record(offset, used, headers, body[: int(length)])
        offset += used


def _inflate(file: BinaryIO, buffer: bytes, offset: int) -> tuple[bytes, int, bytes]:
    """One gzip member: its content, its compressed length, what was read beyond it."""
    unpacker = zlib.decompressobj(31)
    parts: list[bytes] = []
    used = size = 0
    while not unpacker.eof:
        buffer = buffer or file.read(1 << 16)
        if not buffer:
            if used:
                raise Unverifiable("WARC 第 {offset} 字节处的记录不完整", offset=offset)
            return b"", 0, b""
        used += len(buffer)
        try:
            parts.append(unpacker.decompress(buffer, _MAX_MEMBER))
        except zlib.error as error:
            raise Unverifiable("WARC 第 {offset} 字节处的压缩数据损坏:{why}", offset=offset, why=str(error)) from error
        buffer = b""
        size += len(parts[-1])
        if size > _MAX_MEMBER or unpacker.unconsumed_tail:
            raise Unverifiable("WARC 第 {offset} 字节处的记录过大", offset=offset)
    return b"".join(parts), used - len(unpacker.unused_data), unpacker.unused_data


def check_record(record: Record) -> str:
    """Empty when the record's digests hold, else what does not."""
    stated = record.headers.get("warc-block-digest", "")
    if stated.startswith("sha256:") and base32_digest(record.block) != stated:
        return "块摘要不符"
    stated = record.headers.get("warc-payload-digest", "")
    if record.kind == "response" and stated.startswith("sha256:") and base32_digest(record.payload) != stated:
        return "正文摘要不符"
    return ""


def read_head(file: BinaryIO, offset: int) -> Mapping[str, str]:
    """WARC headers (lower-case names) of the record at `offset`, without unpacking its body."""
    file.seek(offset)
    try:
        start = zlib.decompressobj(31).decompress(file.read(4096), 16384)
    except zlib.error as error:
        raise Unverifiable("WARC 第 {offset} 字节处的压缩数据损坏:{why}", offset=offset, why=str(error)) from error
    if not start.startswith(b"WARC/1."):
        raise Unverifiable("WARC 第 {offset} 字节处不是记录", offset=offset)
    return named_fields(start.partition(b"\r\n\r\n")[0])


def read_exchange(response: Record, request: Record | None, body: bytes | None = None) -> Exchange:
    """The exchange two records hold; `body` is that of the original when the response is a revisit."""
    first, *lines = response.http_head.decode("utf-8", "replace").split("\r\n")
    _, status, reason = [*first.split(" ", 2), "", ""][:3]
    asked, *asked_lines = (request.http_head if request else b"GET").decode("utf-8", "replace").split("\r\n")
    return Exchange(
        url=response.headers.get("warc-target-uri", ""),
        method=asked.split(" ", 1)[0],
        request_headers=_pairs(asked_lines),
        request_body=request.payload if request else b"",
        status=int(status) if status.isdigit() else 0,
        reason=reason,
        response_headers=_pairs(lines),
        response_body=response.payload if body is None else body,
        at=datetime.fromisoformat(response.headers.get("warc-date", "")),
        ip=response.headers.get("warc-ip-address", ""),
        decoded=False,  # the stored headers already fit the stored body
        body_missing=response.headers.get("x-wangxun-body-missing", ""),
    )


def _pairs(lines: list[str]) -> Headers:
    split = (line.partition(":") for line in lines if line)
    return tuple((name.strip(), value.strip()) for name, _, value in split)
