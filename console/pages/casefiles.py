"""案件 — what officers pursue: clues, evidence, what happened, and the package that goes out."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from cases import casefile
from cases.access import Action
from console.desk import Desk, go, signed_in
from console.i18n import N_
from console.pages.audit import act_word
from console.passage import Piece, line, pieces
from contracts.errors import EnvironmentFault

router = APIRouter(include_in_schema=False)
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
    from console.pages.patrols import last_patrol

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
            "、".join(f"《{b.title or b.law}》{b.article}" for b in one.finding.basis if not b.penalty),
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
@signed_in()
def export(desk: Desk, case_id: str) -> Response:
    """Builds the package and hands it over; its digest goes into the audit log with the officer's name."""
    build = desk.house.config.export
    if build is None:
        raise EnvironmentFault("本机未配置案件包导出")
    file = casefile.dossier(desk.session, case_id, officer=desk.officer, at=desk.now)
    folder = Path(tempfile.mkdtemp(prefix="wangxun-export-"))
    try:
        package = build(file, desk.officer.name, folder)
        with package.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        casefile.exported(desk.session, case_id, digest, officer=desk.officer, at=desk.now)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        package,
        media_type="application/zip",
        filename=f"{file.id}.zip",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
