"""快照与证据 — what was captured, shown inert: text by region with its marks, pictures, and the sealed files as downloads."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import FileResponse, Response

from cases import access, audit, masking
from cases import pages as store
from cases import queue as clues
from cases.queue import Filters
from cases.registry import get_site
from console.desk import Desk, signed_in
from console.exhibit import page_passages, review_views
from console.pictures import shots
from console.security import INERT_CSP
from contracts.errors import InputError, WangxunError
from contracts.site import Site, Snapshot

router = APIRouter(include_in_schema=False)
#: Pictures are the only captured bytes a browser may draw; all else is handed over as a file it cannot run.
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg"}
#: Most clues of one page that are looked up for its marks.
_CLUES = 100


def snapshot_at(desk: Desk, snapshot_id: str) -> tuple[Snapshot, Site]:
    """A snapshot the officer may see. Raises InputError (unknown, or in another area: not said which)."""
    found = store.snapshot_of(desk.session, snapshot_id)
    site = get_site(desk.session, found.site_id) if found else None
    if found is None or site is None or not desk.may(access.Action.VIEW, site.area):
        raise InputError("没有编号为 {id} 的快照", id=snapshot_id[:64])
    return found, site


@router.get("/snapshots/{snapshot_id}")
@signed_in()
def snapshot(desk: Desk, snapshot_id: str) -> Response:
    return _show(desk, snapshot_id, masked=True)


@router.post("/snapshots/{snapshot_id}/reveal")
@signed_in()
def reveal(desk: Desk, snapshot_id: str, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """The same page with consumers' personal data, after it was written down who looked and why."""
    _, site = snapshot_at(desk, snapshot_id)
    masking.reveal(
        desk.session, desk.officer, "snapshot", snapshot_id, ("reviews",), reason, area=site.area, at=desk.now
    )
    return _show(desk, snapshot_id, masked=False)


def _show(desk: Desk, snapshot_id: str, *, masked: bool) -> Response:
    shot, site = snapshot_at(desk, snapshot_id)
    audit.record(desk.session, desk.officer.name, "snapshot.viewed", "snapshot", snapshot_id, at=desk.now)
    details = _clues_of(desk, shot)
    hits = [one for detail in details for one in detail.finding.evidence if one.snapshot_id in ("", shot.id)]
    silenced = details[0].exempted if details else ()
    return desk.page(
        "snapshot.html",
        shot=_told(shot, site),
        clues=details,
        page=page_passages(shot.reading, hits, silenced, desk.ui, masked=masked),
        reviews=review_views(shot.reading.reviews, masked=masked),
        masked=masked,
        may_reveal=desk.may(access.Action.REVEAL, site.area),
        pictures=shots(desk.house.vault, [(one, shot.id) for one in shot.evidence]),
    )


def _clues_of(desk: Desk, shot: Snapshot) -> list[clues.ClueDetail]:
    filters = Filters(listing=shot.listing_id or "", sites=(shot.site_id,), everything=True)
    rows = clues.list_clues(desk.session, filters, officer=desk.officer, limit=_CLUES, at=desk.now).rows
    details = [clues.clue_detail(desk.session, row.id, officer=desk.officer, at=desk.now) for row in rows[:12]]
    return [one for one in details if shot.id in [seen.snapshot_id for seen in one.sightings]]


def _told(shot: Snapshot, site: Site) -> dict[str, Any]:
    return {
        "id": shot.id,
        "title": shot.reading.value("name") or shot.reading.title,
        "url": shot.url,
        "final_url": shot.final_url,
        "kind": shot.reading.kind.value,
        "simulated": shot.simulated,
        "site_id": site.id,
        "site_name": site.name,
        "captured_at": shot.captured_at,
        "status": shot.status,
        "rendered": shot.rendered,
        "obstacle": shot.reading.obstacle.value if shot.reading.obstacle else None,
        "digest": shot.digest,
        "evidence": shot.evidence,
    }


@router.get("/snapshots/{snapshot_id}/evidence/{evidence_id}")
@signed_in(writes=False)
def evidence(desk: Desk, snapshot_id: str, evidence_id: str) -> Response:
    _held(desk, snapshot_id, evidence_id)
    try:
        manifest = desk.house.vault.manifest(evidence_id)
        stamped = desk.house.vault.stamped(evidence_id)
    except (WangxunError, OSError):
        manifest, stamped = {}, False
    return desk.page(
        "evidence.html",
        id=evidence_id,
        snapshot_id=snapshot_id,
        level="http" if evidence_id.startswith("http.") else "full",
        stamped=stamped,
        why_not=manifest.get("not_formal_because", ()),
        files=[
            {"name": name, "size": told.get("size"), "sha256": told.get("sha256", ""), "sm3": told.get("sm3", "")}
            for name, told in sorted((manifest.get("files") or {}).items())
        ],
    )


@router.get("/snapshots/{snapshot_id}/evidence/{evidence_id}/{name}")
@signed_in()
def sealed_file(desk: Desk, snapshot_id: str, evidence_id: str, name: str) -> Response:
    """A sealed file. Pictures are drawn; everything else is saved, never opened: it is a suspect's page."""
    _held(desk, snapshot_id, evidence_id)
    try:
        path = desk.house.vault.file(evidence_id, name)
    except (WangxunError, OSError, KeyError):
        raise HTTPException(404) from None
    if not path.is_file():
        raise HTTPException(404)
    kind = _PICTURES.get(PurePosixPath(name).suffix)
    headers = {"content-security-policy": INERT_CSP, "cache-control": "private, max-age=3600"}
    if kind:
        return FileResponse(path, media_type=kind, headers=headers)
    audit.record(
        desk.session, desk.officer.name, "evidence.opened", "evidence", evidence_id, {"file": name}, at=desk.now
    )
    safe = re.sub(r"[^\w.\-]", "_", f"{evidence_id}-{PurePosixPath(name).name}")[:120]
    return FileResponse(path, media_type="application/octet-stream", filename=safe, headers=headers)


def _held(desk: Desk, snapshot_id: str, evidence_id: str) -> None:
    """Raises unless this evidence holds this snapshot, which the officer may see."""
    shot, _ = snapshot_at(desk, snapshot_id)
    if evidence_id not in shot.evidence:
        raise HTTPException(404)
