"""审计 — who did what, who looked, and whether the record is whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from cases import access
from cases import audit as book
from console.desk import Desk, signed_in
from console.i18n import N_

router = APIRouter(include_in_schema=False)
ROWS = 100

_ACTS = {
    "officer.created": N_("建立账号"),
    "officer.active": N_("启用账号"),
    "officer.inactive": N_("停用账号"),
    "officer.locked": N_("账号被锁定"),
    "officer.signed-in": N_("登录"),
    "officer.sessions-revoked": N_("收回登录"),
    "site.added": N_("登记站点"),
    "site.changed": N_("修改站点"),
    "sites.imported": N_("导入站点"),
    "plan.added": N_("建立巡查计划"),
    "patrol.done": N_("巡查完成"),
    "patrol.interrupted": N_("巡查中断"),
    "clue.viewed": N_("查看线索"),
    "clue.decided": N_("决定"),
    "clue.undone": N_("撤销决定"),
    "clue.claimed": N_("认领线索"),
    "clue.released": N_("放回线索"),
    "clue.noted": N_("写备注"),
    "snapshot.viewed": N_("查看快照"),
    "case.opened": N_("开案"),
    "case.viewed": N_("查看案件"),
    "case.moved": N_("案件流转"),
    "case.detached": N_("移出案件"),
    "case.exported": N_("导出案件包"),
    "evidence.opened": N_("取用证据"),
    "personal.revealed": N_("显示个人信息"),
}
_PLACES = {"clue": "/clues/", "case": "/cases/", "snapshot": "/snapshots/", "run": "/patrols/", "site": "/sites/"}


@dataclass(frozen=True, slots=True)
class Line:
    seq: int
    at: datetime
    actor: str
    word: str
    subject: str
    href: str
    body: str


@router.get("/audit")
@signed_in(writes=False)
def audit(desk: Desk, before: int | None = None, check: bool = False) -> Response:
    access.require(desk.officer, access.Action.AUDIT)
    entries = book.entries(desk.session, before=before, limit=ROWS)
    rows = [
        Line(
            entry.seq,
            entry.at,
            entry.actor,
            act_word(desk, entry.action),
            f"{entry.subject_kind} {entry.subject_id[:12]}",
            _PLACES[entry.subject_kind] + entry.subject_id if entry.subject_kind in _PLACES else "",
            json.dumps(entry.body, ensure_ascii=False) if entry.body else "",
        )
        for entry in entries
    ]
    return desk.page(
        "audit.html",
        rows=rows,
        chain=book.verify(desk.session) if check else None,
        next_page=f"/audit?before={rows[-1].seq}" if len(rows) == ROWS else None,
    )


def act_word(desk: Desk, action: str) -> str:
    """The word for an audited act; one without a word is shown by its code."""
    return desk.ui.label(_ACTS, action)
