"""`/api/v1`: clues listed, shown and decided, with the same services and rights as the screens. Signed in by the session."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from cases import queue as clues
from cases import review
from cases.decisions import parse_decision
from cases.queue import Filters
from console.desk import Desk, signed_in

router = APIRouter(tags=["clues"])


class Fault(BaseModel):
    """Every refusal: {"error": {"status", "message"}}."""

    error: dict[str, Any]


class CluesPage(BaseModel):
    """`clues` as `wangxun clues list --json` prints them; `next` goes into `after` for those that follow."""

    clues: list[dict[str, Any]]
    next: str | None


class DecisionIn(BaseModel):
    """A decision on exactly these clues. `versions` guards against another's act in between."""

    ids: list[str] = Field(min_length=1, max_length=5000)
    decision: str = Field(max_length=20)
    reason: str = Field(default="", max_length=2100)
    versions: dict[str, int] | None = None


class DecisionOut(BaseModel):
    """`batch` undoes the decision as a whole."""

    batch: str
    ids: list[str]
    decision: str
    reason: str
    label: str


_FAULTS: dict[int | str, dict[str, Any]] = {code: {"model": Fault} for code in (401, 403, 404, 413, 422, 503)}


@router.get("/clues", response_model=CluesPage, responses=_FAULTS)
@signed_in(writes=False)
def list_clues(
    desk: Desk,
    state: Annotated[str | None, Query(max_length=200)] = None,
    severity: Annotated[str | None, Query(max_length=100)] = None,
    category: Annotated[str | None, Query(max_length=500)] = None,
    site: Annotated[str | None, Query(max_length=500)] = None,
    rule: Annotated[str | None, Query(max_length=500)] = None,
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    filters = Filters.of(state=state, severity=severity, category=category, site=site, rule=rule, text=q)
    page = clues.list_clues(desk.session, filters, officer=desk.officer, after=after, limit=limit, at=desk.now)
    return JSONResponse({"clues": [_told(row) for row in page.rows], "next": page.next})


@router.get("/clues/{clue_id}", responses=_FAULTS)
@signed_in()
def show_clue(desk: Desk, clue_id: str) -> Response:
    """One clue. The look is written down."""
    clues.viewed(desk.session, clue_id, officer=desk.officer, at=desk.now)
    row = clues.clue_row(desk.session, clue_id, officer=desk.officer)
    return JSONResponse(_told(row))


@router.post("/decisions", response_model=DecisionOut, responses=_FAULTS)
@signed_in()
def decide(desk: Desk, told: DecisionIn) -> Response:
    done = review.decide(
        desk.session,
        told.ids,
        parse_decision(told.decision),
        reason=told.reason,
        officer=desk.officer,
        at=desk.now,
        versions=told.versions,
    )
    return JSONResponse(
        {
            "batch": done.batch_id,
            "ids": list(done.clue_ids),
            "decision": done.decision.value,
            "reason": done.reason,
            "label": done.label.value,
        }
    )


@router.delete("/decisions/{batch}", responses=_FAULTS)
@signed_in()
def undo(desk: Desk, batch: str) -> Response:
    """Takes a decision back on all its clues."""
    return JSONResponse({"ids": list(review.undo(desk.session, batch, officer=desk.officer, at=desk.now))})


def _told(row: clues.ClueRow) -> dict[str, Any]:
    return {**clues.clue_json(row), "version": row.version}
