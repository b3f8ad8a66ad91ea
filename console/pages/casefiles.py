"""案件 — what officers pursue: clues, evidence, what happened, and the package that goes out."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from cases import casefile
from cases.access import Action, require
from console.desk import Desk, go, signed_in
from console.i18n import N_
from console.pages.audit import act_word
from console.pages.patrols import last_patrol
from console.passage import Piece, line, pieces
from console.sheet import article

router = APIRouter(include_in_schema=False)
#: The vault is used from one thread at a time.
_one_at_a_time = Lock()
_STATES = {"open": N_("办理中"), "review": N_("法制审核"), "transferred": N_("已移送"), "closed": N_("已结案")}


@dataclass(frozen=True, slots=True)
class Held:
    """A clue in a case."""

    id: str
    severity: str
    words: list[Piece]
    title: str
    law: str
    captured_at: datetime


@router.get("/cases")
@signed_in(writes=False)
def case_list(desk: Desk) -> Response:
    rows = casefile.list_cases(desk.session, desk.officer)
    names = {row.id: desk.ui.label(_STATES, row.state) for row in rows}
    return desk.page("cases.html", rows=rows, names=names, patrol=None if rows else last_patrol(desk))


@router.post("/cases")
@signed_in()
def open_case(desk: Desk, clue: Annotated[str, Form(max_length=40)]) -> Response:
    return go(f"/cases/{casefile.open_case(desk.session, [clue], officer=desk.officer, at=desk.now)}")


@router.get("/cases/{case_id}")
@signed_in(writes=False)
def case(desk: Desk, case_id: str) -> Response:
    file = casefile.dossier(desk.session, case_id, officer=desk.officer, at=desk.now)
    held = [
        Held(
            one.id,
            one.severity,
            pieces(line(one.masked_quote, 120)),
            one.title,
            "；".join(article(b, desk.ui).name for b in one.finding.basis if not b.penalty),
            one.captured_at,
        )
        for one in file.clues
    ]
    return desk.page(
        "case.html",
        file=file,
        state_name=desk.ui.label(_STATES, file.state),
        clues=held,
        history=[{"at": e.at, "actor": e.actor, "word": act_word(desk, e.action)} for e in file.log],
        may_export=desk.house.config.export is not None and desk.may(Action.EXPORT, file.area),
    )


@router.post("/cases/{case_id}/export")
@signed_in(writes=False)
def export(desk: Desk, case_id: str) -> Response:
    """Builds the package and hands it over. The exporter writes it into the audit log: it has a transaction of its own."""
    build = desk.house.config.export
    if build is None:
        raise HTTPException(404)
    file = casefile.dossier(desk.session, case_id, officer=desk.officer, at=desk.now)
    require(desk.officer, Action.EXPORT, file.area)
    folder = Path(tempfile.mkdtemp(prefix="wangxun-export-"))
    try:
        with _one_at_a_time:
            package = build(file, desk.officer.name, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        package,
        media_type="application/zip",
        filename=f"{file.id}.zip",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
