"""Pictures of captured pages with the hit boxed. The box is drawn over the original by the page; the file stays untouched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contracts.errors import WangxunError
from contracts.page import Rect

if TYPE_CHECKING:
    from evidence.vault import Vault

#: Height of the part that is shown, as a share of the picture's width, and how much stands above the first hit.
WINDOW, ABOVE = 0.62, 0.2
#: Space left between words and their box, in CSS pixels.
PAD = 4


@dataclass(frozen=True, slots=True)
class Shot:
    """A window of `height` CSS pixels from `top` on a full-page picture, with boxes in document coordinates."""

    evidence_id: str
    href: str
    captured_at: datetime | None
    width: int
    full_height: int
    top: int
    height: int
    boxes: tuple[Rect, ...]


def shots(vault: Vault, proofs: Iterable[tuple[str, str]], quotes: Iterable[tuple[str, str]] = ()) -> list[Shot]:
    """The pictures among `proofs` (evidence id, snapshot id), oldest first; `quotes` are (rule, words) to box, empty: all.

    What cannot be read is left out.
    """
    wanted = set(quotes)
    found = []
    for evidence_id, snapshot_id in proofs:
        if evidence_id.startswith("http."):
            continue
        try:
            manifest = vault.manifest(evidence_id)
        except (WangxunError, OSError, ValueError):
            continue
        shot = _shot(evidence_id, f"/snapshots/{snapshot_id}/evidence/{evidence_id}", manifest, wanted)
        if shot:
            found.append(shot)
    return sorted(found, key=lambda shot: shot.captured_at.timestamp() if shot.captured_at else 0.0)


def _shot(evidence_id: str, place: str, manifest: dict[str, Any], wanted: set[tuple[str, str]]) -> Shot | None:
    picture = manifest.get("picture") or {}
    width, height = int(picture.get("width", 0)), int(picture.get("height", 0))
    if not width or not height:
        return None
    boxes = tuple(
        Rect(x - PAD, y - PAD, w + 2 * PAD, h + 2 * PAD)
        for hit in manifest.get("hits", ())
        if not wanted or (hit.get("rule"), hit.get("quote")) in wanted
        for x, y, w, h in hit.get("rects", ())
        if y < height
    )
    window = min(height, max(round(width * WINDOW), 1))
    first = min((box.y for box in boxes), default=0.0)
    top = round(min(max(0.0, first - window * ABOVE), height - window))
    at = manifest.get("captured_at")
    return Shot(
        evidence_id,
        f"{place}/{picture.get('name', 'page.png')}",
        datetime.fromisoformat(at) if at else None,
        width,
        height,
        top,
        window,
        boxes,
    )
