"""What a full capture is asked for and what it yields."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.clock import Clock, iso
from contracts.errors import WangxunError
from contracts.page import Rect
from evidence.people import Officer
from evidence.recorder import RecorderLimits


class CaptureFailed(WangxunError):
    """Nothing was sealed: the page could not be had. A page that answers with an error status is sealed all the same."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A quotation to find on the rendered page and to box on a derived picture."""

    quote: str
    selector: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """Who captures, why, for which matter."""

    officers: tuple[Officer, ...] = ()
    purpose: str = ""
    case_number: str = ""
    run_id: str = ""
    hits: tuple[Hit, ...] = ()
    notes: Mapping[str, str] = field(
        default_factory=dict
    )  #: more for the manifest: unit, allow-list, user agent rule, …


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How. Times in seconds, sizes in CSS pixels."""

    picture: str = "png"  #: png | jpeg (quality 90; for routine patrols)
    pdf: bool = False
    mhtml: bool = True
    width: int = 1280
    height: int = 800
    max_height: int = 60_000  #: taller pages are cut there, and the manifest says so
    total_timeout_s: float = 240.0
    load_timeout_s: float = 45.0
    settle_timeout_s: float = 20.0
    scroll_steps: int = 120
    scroll_pause_ms: int = 40
    expand: int = 12  #: controls unfolded at most
    ntp_servers: tuple[str, ...] = ()
    user_agent: str | None = None
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    limits: RecorderLimits = field(default_factory=RecorderLimits)


@dataclass(frozen=True, slots=True)
class FoundHit:
    """Where a hit stands on the picture; `picture` is the derived file, empty when the quote is not on the sealed page."""

    hit: Hit
    rects: tuple[Rect, ...]
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """A sealed capture. `timestamp` is "stamped" or "pending" (then `pending_why`). `text` is that of text.txt, `dom` the
    rendered page: detection is run again on these. `missing` counts pictures that did not load; `unrecorded` names
    requests without a record; `popups` are windows the page wanted to open, for captures of their own."""

    evidence_id: str
    level: str
    timestamp: str
    pending_why: tuple[str, ...]
    manifest: Mapping[str, Any]
    files: Mapping[str, str]  #: name → SHA-256, readable by `vault.file`
    final_url: str
    status: int
    text: str
    dom: str
    hits: tuple[FoundHit, ...]
    missing: int
    unrecorded: tuple[str, ...]
    popups: tuple[str, ...]


class Steps:
    """The process log: every step with its time and the milliseconds since the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = time.monotonic()
        self.lines: list[dict[str, Any]] = []

    def log(self, step: str, **detail: Any) -> None:
        elapsed = round((time.monotonic() - self._started) * 1000)
        self.lines.append({"at": iso(self._clock.now()), "ms": elapsed, "step": step, **detail})
