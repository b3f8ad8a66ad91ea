"""What a page said, to and from the compressed JSON that is stored, and findings to and from JSON.

The JSON is canonical (sorted keys), so that the same reading always has the same digest and is stored once.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from contracts.finding import Basis, Element, Finding, Method, Pointer, Severity, Tested
from contracts.page import Fact, Link, Obstacle, PageKind, PageReading, Passage, Rect, Region, Review

#: A stored reading larger than this when unpacked is refused: nothing we wrote is (32 MiB).
MAX_UNPACKED = 32 << 20


def plain(value: Any) -> Any:
    """A frozen value as JSON types; fields that are empty are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        told = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return {name: item for name, item in told.items() if item not in (None, "", [], {})}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        # NUL and lone surrogates from a hostile page would be refused by PostgreSQL.
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if hasattr(value, "items"):
        return {str(plain(str(name))): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def pack(reading: PageReading) -> tuple[str, bytes, int]:
    """(SHA-256 of the canonical JSON, the JSON compressed by zlib, its size in bytes)."""
    told = json.dumps(plain(reading), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(told).hexdigest(), zlib.compress(told, 6), len(told)


def unpack(body: bytes) -> PageReading:
    """The reading that `pack` packed."""
    unpacker = zlib.decompressobj()
    told = json.loads(unpacker.decompress(body, MAX_UNPACKED))
    return PageReading(
        kind=PageKind(told["kind"]),
        passages=tuple(_passage(item) for item in told.get("passages", ())),
        facts={
            name: Fact(item.get("value", ""), item.get("source", ""), item.get("confidence", 0.0))
            for name, item in told.get("facts", {}).items()
        },
        reviews=tuple(_review(item) for item in told.get("reviews", ())),
        links=tuple(
            Link(item.get("url", ""), item.get("text", ""), _region(item.get("region")))
            for item in told.get("links", ())
        ),
        images=tuple(told.get("images", ())),
        lang=told.get("lang"),
        title=told.get("title", ""),
        obstacle=Obstacle(told["obstacle"]) if told.get("obstacle") else None,
        notes=tuple(told.get("notes", ())),
    )


def finding_of(told: dict[str, Any]) -> Finding:
    """The finding that `plain` told."""
    return Finding(
        rule=told["rule"],
        version=told.get("version", 0),
        category=told["category"],
        severity=Severity(told["severity"]),
        confidence=told.get("confidence", 0.0),
        evidence=tuple(pointer_of(item) for item in told.get("evidence", ())),
        claim=told.get("claim", ""),
        title=told.get("title", ""),
        why=told.get("why", ""),
        basis=tuple(
            Basis(
                item.get("law", ""),
                item.get("article", ""),
                item.get("mark", ""),
                item.get("title", ""),
                item.get("summary", ""),
                item.get("penalty", False),
            )
            for item in told.get("basis", ())
        ),
        elements=tuple(
            Element(item.get("name", ""), item.get("met"), item.get("by", "")) for item in told.get("elements", ())
        ),
        tested=tuple(
            Tested(item.get("exemption", ""), item.get("title", ""), item.get("applies"), item.get("why", ""))
            for item in told.get("tested", ())
        ),
        needs=tuple(told.get("needs", ())),
        method=Method(told.get("method", Method.RULE)),
        advice=told.get("advice", ""),
    )


def pointer_of(told: dict[str, Any]) -> Pointer:
    """The pointer that `plain` told."""
    at = told.get("captured_at")
    return Pointer(
        snapshot_id=told.get("snapshot_id", ""),
        region=_region(told.get("region")),
        selector=told.get("selector", ""),
        passage=told.get("passage"),
        start=told.get("start", 0),
        end=told.get("end", 0),
        quote=told.get("quote", ""),
        context=told.get("context", ""),
        captured_at=datetime.fromisoformat(at) if at else None,
    )


def _passage(told: dict[str, Any]) -> Passage:
    return Passage(
        text=told.get("text", ""),
        region=_region(told.get("region")),
        selector=told.get("selector", ""),
        lang=told.get("lang"),
        hidden=told.get("hidden"),
        rects=tuple(Rect(item["x"], item["y"], item["width"], item["height"]) for item in told.get("rects", ())),
        frame=told.get("frame", ""),
    )


def _review(told: dict[str, Any]) -> Review:
    at = told.get("at")
    return Review(
        id=told.get("id", ""),
        text=told.get("text", ""),
        author_hash=told.get("author_hash", ""),
        at=datetime.fromisoformat(at) if at else None,
        rating=told.get("rating"),
        selector=told.get("selector", ""),
        variant=told.get("variant", ""),
        reply=told.get("reply", ""),
    )


def _region(word: str | None) -> Region | None:
    return Region(word) if word else None
