"""线索 — one clue on one screen, the decision always in sight, the next clue opening by itself."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form
from fastapi.responses import Response

from cases import queue as clues
from cases import review
from cases.access import Action
from cases.decisions import parse_decision
from cases.detail import ClueDetail
from cases.registry import get_site
from console.desk import Desk, go, signed_in
from console.i18n import N_
from console.pages.queue import asked, undo_of
from console.sheet import ClueSheet, clue_sheet
from console.words import allowed, decision_words, reason_words
from contracts.errors import WangxunError

router = APIRouter(include_in_schema=False)
_TABS = {"picture": N_("图片"), "page": N_("页面"), "data": N_("数据"), "history": N_("历史")}


def sheet_of(desk: Desk, clue_id: str) -> tuple[ClueDetail, ClueSheet]:
    """A clue the officer may see. Raises InputError."""
    detail = clues.clue_detail(desk.session, clue_id, officer=desk.officer, at=desk.now)
    site = get_site(desk.session, detail.site_id)
    return detail, clue_sheet(detail, site, desk.house.vault, desk.ui)


@router.get("/clues/{clue_id}")
@signed_in()
def clue(desk: Desk, clue_id: str, within: str = "", tab: str = "picture") -> Response:
    """Looking at a clue is written down."""
    clues.viewed(desk.session, clue_id, officer=desk.officer, at=desk.now)
    return _show(desk, clue_id, within[:2000], tab)


def _show(
    desk: Desk, clue_id: str, within: str, tab: str = "picture", *, problem: str = "", comment: str = ""
) -> Response:
    detail, sheet = sheet_of(desk, clue_id)
    following = _next(desk, clue_id, within)
    query = dict(parse_qsl(within))
    return desk.page(
        "clue.html",
        409 if problem else 200,
        sheet=sheet,
        within=within,
        queue_href=f"/clues?{urlencode(query)}#{clue_id}" if query else f"/clues#{clue_id}",
        next_href=f"/clues/{following}?{urlencode({'within': within})}" if following else None,
        decisions=decision_words(desk.ui),
        reasons=reason_words(desk.ui),
        allowed=allowed(desk.officer, detail.state, detail.area),
        may_case=desk.may(Action.CASE, detail.area) and not detail.cases,
        tabs=[(key, desk.ui(word)) for key, word in _TABS.items()],
        tab=tab if tab in _TABS else "picture",
        tab_query=lambda key: urlencode({"within": within, "tab": key} if within else {"tab": key}),
        undo=undo_of(desk),
        problem=problem,
        comment=comment,
    )


@router.get("/clues/{clue_id}/preview")
@signed_in()
def preview(desk: Desk, clue_id: str) -> Response:
    """The queue's right pane: looking there is looking too."""
    clues.viewed(desk.session, clue_id, officer=desk.officer, at=desk.now)
    _, sheet = sheet_of(desk, clue_id)
    return desk.page("preview.html", sheet=sheet)


@router.post("/clues/{clue_id}/decide")
@signed_in()
def decide(
    desk: Desk,
    clue_id: str,
    decision: Annotated[str, Form(max_length=20)],
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=30)] = "",
    comment: Annotated[str, Form(max_length=2000)] = "",
    within: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Writes the decision and opens the next clue. What was typed survives a refusal."""
    chosen = parse_decision(decision)
    kind = next(word for word in decision_words(desk.ui) if word.id == chosen.value)
    if kind.asks and not reason:  # without JavaScript the reason is asked for on a page of its own
        return desk.page(
            "reason.html",
            kind=kind,
            clue_id=clue_id,
            version=version,
            within=within,
            comment=comment,
            reasons=reason_words(desk.ui),
        )
    following = _next(desk, clue_id, within)
    try:
        done = review.decide(
            desk.session,
            [clue_id],
            chosen,
            reason=f"{reason} {comment}".strip(),
            officer=desk.officer,
            at=desk.now,
            versions={clue_id: version},
        )
    except WangxunError as refusal:
        desk.session.rollback()
        return _show(desk, clue_id, within, problem=refusal.text(desk.ui.translate), comment=comment)
    told = {"done": done.batch_id, "did": chosen.value}
    if following is None:
        return go(f"/clues?{urlencode([*parse_qsl(within), *told.items()])}")
    return go(f"/clues/{following}?{urlencode({'within': within, **told})}")


@router.post("/clues/{clue_id}/note")
@signed_in()
def note(
    desk: Desk,
    clue_id: str,
    comment: Annotated[str, Form(max_length=2000)] = "",
    within: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    review.note(desk.session, comment, officer=desk.officer, at=desk.now, clue_id=clue_id)
    return go(f"/clues/{clue_id}?{urlencode({'within': within})}")


def _next(desk: Desk, clue_id: str, within: str) -> str | None:
    """The clue that follows in the queue this one was opened from; None when it is the last that waits."""
    filters, _, _ = asked(desk, dict(parse_qsl(within)))
    row = clues.clue_row(desk.session, clue_id, officer=desk.officer)
    return clues.next_after(desk.session, filters, row, officer=desk.officer, at=desk.now)
