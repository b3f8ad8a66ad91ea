"""巡查与站点 — what was looked at, what could not be, and where we look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from cases import registry, runs
from cases.queue import Filters, list_clues
from console.desk import Desk, signed_in
from console.i18n import N_
from console.reader import Reader
from console.rows import clue_rows
from contracts.errors import InputError

router = APIRouter(include_in_schema=False)
#: Runs on one page; older ones are reached from their clues and the audit log.
RUNS_SHOWN = 200
_STATES = {"running": N_("进行中"), "done": N_("完成"), "interrupted": N_("中断，可续")}


@dataclass(frozen=True, slots=True)
class RunView:
    """A patrol run in the words of the screen."""

    id: str
    word: str
    simulated: bool
    started_at: datetime
    finished_at: datetime | None
    pages: int
    listings: int
    snapshots: int
    new: int
    seen: int
    failed: tuple[Mapping[str, Any], ...]
    failed_count: int
    took: str
    seed_list: tuple[str, ...]

    @property
    def seeds(self) -> str:
        return "，".join(self.seed_list[:3])


def run_view(run: runs.Run, ui: Reader) -> RunView:
    """`tallies` are those of `wangxun patrol --json`; a name that is missing counts zero."""

    def tally(name: str) -> int:
        value = run.tallies.get(name, 0)
        return value if isinstance(value, int) else 0

    clues = run.tallies.get("clues")
    new, seen = (clues.get("new", 0), clues.get("seen", 0)) if isinstance(clues, dict) else (0, 0)
    took = run.finished_at - run.started_at if run.finished_at else None
    return RunView(
        id=run.id,
        word=ui.label(_STATES, run.state),
        simulated=run.simulated,
        started_at=run.started_at,
        finished_at=run.finished_at,
        pages=tally("pages"),
        listings=tally("listings"),
        snapshots=tally("snapshots"),
        new=new,
        seen=seen,
        failed=run.failed,
        failed_count=len(run.failed),
        took=_span(took, ui),
        seed_list=run.seeds,
    )


def last_patrol(desk: Desk) -> RunView | None:
    """The newest run, for screens that have nothing else to show."""
    newest = runs.list_runs(desk.session, limit=1)
    return run_view(newest[0], desk.ui) if newest else None


def _span(took: timedelta | None, ui: Reader) -> str:
    if took is None:
        return "—"
    seconds = int(took.total_seconds())
    return ui("{n} 秒", n=seconds) if seconds < 120 else ui("{n} 分钟", n=seconds // 60)


@router.get("/patrols")
@signed_in(writes=False)
def patrols(desk: Desk) -> Response:
    rows = [run_view(run, desk.ui) for run in runs.list_runs(desk.session, limit=RUNS_SHOWN)]
    return desk.page("patrols.html", rows=rows, patrol=None)


@router.get("/patrols/{run_id}")
@signed_in(writes=False)
def patrol(desk: Desk, run_id: str) -> Response:
    found = next((run for run in runs.list_runs(desk.session, limit=1000) if run.id == run_id), None)
    if found is None:
        raise InputError("没有编号为 {id} 的巡查任务", id=run_id)
    return desk.page("patrol.html", run=run_view(found, desk.ui))


@router.get("/sites")
@signed_in(writes=False)
def sites(desk: Desk) -> Response:
    return desk.page("sites.html", rows=registry.list_sites(desk.session, desk.officer))


@router.get("/sites/{site_id}")
@signed_in(writes=False)
def site(desk: Desk, site_id: str) -> Response:
    found = registry.get_site(desk.session, site_id)
    if found.area and not found.area.startswith(desk.officer.area):
        raise InputError("没有编号为 {id} 的站点", id=site_id)
    page = list_clues(desk.session, Filters(sites=(site_id,)), officer=desk.officer, limit=50, at=desk.now)
    return desk.page("site.html", site=found, clues=clue_rows(page.rows, desk.ui), more=page.next is not None)
