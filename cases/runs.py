"""Patrol runs as rows: begun, ended, or interrupted and taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cases import audit
from cases import models as t
from contracts.errors import InputError
from contracts.ids import new_id


@dataclass(frozen=True, slots=True)
class Run:
    """巡查任务. `state` running | done | interrupted; `tallies` and `failed` as the patrol reported them."""

    id: str
    site_id: str | None
    plan_id: str | None
    seeds: tuple[str, ...]
    state: str
    simulated: bool
    tallies: Mapping[str, Any]
    failed: tuple[Mapping[str, Any], ...]
    started_at: datetime
    finished_at: datetime | None


def start_run(
    session: Session,
    *,
    seeds: Sequence[str] = (),
    site_id: str | None = None,
    plan_id: str | None = None,
    simulated: bool = False,
    area: str = "",
    at: datetime,
    run_id: str | None = None,
) -> str:
    """A new run's id; `run_id` when the caller already has one (then starting it twice is once)."""
    if run_id and session.get(t.PatrolRun, run_id) is not None:
        return run_id
    row = t.PatrolRun(
        id=run_id or new_id(at),
        site_id=site_id,
        plan_id=plan_id,
        seeds=list(seeds),
        simulated=simulated,
        tallies={},
        failed=[],
        started_at=at,
        area=area,
    )
    session.add(row)
    session.flush()
    return row.id


def resumable_run(session: Session, seeds: Sequence[str], *, site_id: str | None = None) -> Run | None:
    """The newest run of the same seeds and site that did not end: what a repeated command takes up again."""
    wanted = (
        select(t.PatrolRun)
        .where(
            t.PatrolRun.state.in_(("running", "interrupted")),
            t.PatrolRun.site_id.is_(site_id) if site_id is None else t.PatrolRun.site_id == site_id,
        )
        .order_by(t.PatrolRun.started_at.desc())
        .limit(50)
    )
    return next((_run(row) for row in session.scalars(wanted) if row.seeds == list(seeds)), None)


def finish_run(
    session: Session,
    run_id: str,
    *,
    tallies: Mapping[str, Any],
    failed: Sequence[Mapping[str, Any]] = (),
    interrupted: bool = False,
    at: datetime,
) -> None:
    """Ends a run, or marks it interrupted. Raises InputError when there is none."""
    row = session.get(t.PatrolRun, run_id)
    if row is None:
        raise InputError("没有编号为 {id} 的巡查任务", id=run_id)
    row.tallies, row.failed = dict(tallies), [dict(item) for item in failed]
    row.interrupted, row.state = interrupted, "interrupted" if interrupted else "done"
    row.finished_at = at
    audit.record(session, audit.SYSTEM, f"patrol.{row.state}", "run", run_id, {"failed": len(failed)}, at=at)


def list_runs(session: Session, *, site_id: str | None = None, limit: int = 50) -> Sequence[Run]:
    """Newest first."""
    wanted = select(t.PatrolRun).order_by(t.PatrolRun.started_at.desc()).limit(min(limit, 1000))
    if site_id:
        wanted = wanted.where(t.PatrolRun.site_id == site_id)
    return [_run(row) for row in session.scalars(wanted)]


def _run(row: t.PatrolRun) -> Run:
    return Run(
        id=row.id,
        site_id=row.site_id,
        plan_id=row.plan_id,
        seeds=tuple(row.seeds),
        state=row.state,
        simulated=row.simulated,
        tallies=row.tallies,
        failed=tuple(row.failed),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
