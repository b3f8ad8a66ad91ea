"""队列 — what waits for a judgement: saved views, dense rows, a preview, and decisions on one or many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from cases import queue as clues
from cases import registry, review
from cases.decisions import Decision, parse_decision
from cases.queue import ClueRow, Filters
from cases.states import OPEN_STATES, ClueState
from console.desk import Desk, go, own_path, signed_in
from console.i18n import N_
from console.pages.patrols import last_patrol
from console.rows import clue_rows
from console.words import decision_word, decision_words, reason_words, state_word
from contracts.errors import InputError, WangxunError
from contracts.finding import Severity

router = APIRouter(include_in_schema=False)

_SEVERITY = {
    "critical": N_("危急"),
    "high": N_("高风险"),
    "medium": N_("中风险"),
    "low": N_("低风险"),
}
_DONE = (
    ClueState.CONFIRMED,
    ClueState.ORDER,
    ClueState.CASE,
    ClueState.TRANSFERRED,
    ClueState.DISMISSED,
    ClueState.DUPLICATE,
    ClueState.MUTED,
)
#: Words of the address that choose clues; anything else is ignored.
_ASKED = ("view", "state", "severity", "category", "site", "rule", "q")


@dataclass(frozen=True, slots=True)
class View:
    """An entry of the left pane."""

    title: str
    href: str
    count: int | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """The decision just made, and what takes it back."""

    batch: str
    text: str


def asked(desk: Desk, query: Mapping[str, str]) -> tuple[Filters, str, str]:
    """What an address asks for: filters, the view's title, and the query in one spelling (for `within`)."""
    kept = {name: query[name] for name in _ASKED if query.get(name)}
    filters = Filters.of(
        state=kept.get("state"),
        severity=kept.get("severity"),
        category=kept.get("category"),
        site=kept.get("site"),
        rule=kept.get("rule"),
        text=kept.get("q", "")[:200],
        everything=kept.get("view") == "all",
    )
    title = desk.ui("待审线索")
    match kept.get("view"):
        case "mine":
            filters, title = replace(filters, assignee=desk.officer.id), desk.ui("我的待办")
        case "overdue":
            acted = tuple(str(state) for state in (ClueState.CONFIRMED, ClueState.DISPATCHED, ClueState.ORDER))
            filters, title = replace(filters, overdue=True, states=acted), desk.ui("已超期")
        case "all":
            title = desk.ui("全部线索")
        case str() as name:
            for saved, stored, _default in clues.saved_views(desk.session, desk.officer):
                if saved == name:
                    filters, title = stored, saved
    if len(filters.states) == 1:
        title = state_word(desk.ui, filters.states[0])
    elif len(filters.severities) == 1:
        title = desk.ui.label(_SEVERITY, filters.severities[0])
    return filters, title, urlencode(kept)


def views(desk: Desk, within: str) -> list[tuple[str, list[View]]]:
    """The left pane. Counts come from counters kept by event."""
    counts = clues.counts(desk.session, desk.officer)
    ui = desk.ui

    def view(title: str, query: str, count: int | None = None) -> View:
        return View(title, f"/clues?{query}" if query else "/clues", count, current=query == within)

    waiting = sum(counts.get(f"state:{state}", 0) for state in OPEN_STATES)
    saved = [view(name, urlencode({"view": name})) for name, _, _ in clues.saved_views(desk.session, desk.officer)]
    groups = [
        (
            ui("待办"),
            [
                view(ui("待审线索"), "", waiting),
                view(ui("我的待办"), "view=mine"),
                view(ui("需补证"), "state=evidence", counts.get("state:evidence", 0)),
                view(ui("已超期"), "view=overdue"),
            ],
        ),
        (
            ui("轻重"),
            [view(ui(_SEVERITY[s]), f"severity={s}", counts.get(f"open:{s}", 0)) for s in reversed(list(Severity))],
        ),
        (
            ui("已定"),
            [view(state_word(ui, s), f"state={s}", counts.get(f"state:{s}", 0)) for s in _DONE],
        ),
        (ui("我的视图"), saved),
    ]
    return [(title, items) for title, items in groups if items]


def undo_of(desk: Desk) -> Undo | None:
    """The decision that the address says was just made."""
    query = desk.request.query_params
    batch, decision = query.get("done", ""), query.get("did", "")
    if not batch.isalnum() or len(batch) > 40:
        return None
    count = query.get("n", "1")
    word = decision_word(desk.ui, decision if decision in [d.value for d in Decision] else Decision.FILE.value)
    many = desk.ui("（{n} 条）", n=count) if count.isdecimal() and count != "1" else ""
    return Undo(batch, desk.ui("已作“{word}”", word=word) + many)


@router.get("/")
def home() -> Response:
    return RedirectResponse("/clues", 303)


@router.get("/clues")
@signed_in(writes=False)
def queue(desk: Desk, after: str = "") -> Response:
    query = desk.request.query_params
    filters, title, within = asked(desk, query)
    rows = clues.list_clues(
        desk.session,
        filters,
        officer=desk.officer,
        after=after[:300] or None,
        limit=desk.house.config.page_rows,
        at=desk.now,
    )
    names = {site.id: site.name for site in registry.list_sites(desk.session, desk.officer)}
    onward = urlencode([*parse_qsl(within), ("after", rows.next)]) if rows.next else ""
    return desk.page(
        "queue.html",
        view=View(title, ""),
        views=views(desk, within),
        rows=clue_rows(rows.rows, desk.ui, within=within or "view=", sites=names),
        next_page=f"/clues?{onward}" if onward else None,
        search_words=query.get("q", "")[:200],
        decisions=decision_words(desk.ui),
        undo=undo_of(desk),
        patrol=None if rows.rows else last_patrol(desk),
    )


@router.post("/clues/decide")
@signed_in()
def decide(
    desk: Desk,
    decision: Annotated[str, Form(max_length=20)],
    id: Annotated[list[str] | None, Form()] = None,  # noqa: A002 - the form's word
    reason: Annotated[str, Form(max_length=30)] = "",
    comment: Annotated[str, Form(max_length=2000)] = "",
    confirmed: Annotated[str, Form(max_length=4)] = "",
    back: Annotated[str, Form(max_length=4000)] = "/clues",
) -> Response:
    """A decision on the frozen list of ids that the form carries. More than one is confirmed first, by count."""
    chosen = parse_decision(decision)
    seen = versions_of(id or ())
    kind = next(word for word in decision_words(desk.ui) if word.id == chosen.value)
    if (len(seen) > 1 and not confirmed) or (kind.asks and not reason):
        return _confirm(desk, kind.id, list(seen), back)
    try:
        done = review.decide(
            desk.session,
            list(seen),
            chosen,
            reason=f"{reason} {comment}".strip(),
            officer=desk.officer,
            at=desk.now,
            versions=seen,
        )
    except WangxunError as refusal:
        desk.session.rollback()
        return _confirm(desk, kind.id, list(seen), back, refusal.text(desk.ui.translate))
    path, _, query = own_path(back).partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name not in ("done", "did", "n")]
    told = [("done", done.batch_id), ("did", chosen.value), ("n", str(len(done.clue_ids)))]
    return go(f"{path}?{urlencode([*kept, *told])}")


def versions_of(ids: Sequence[str]) -> dict[str, int]:
    """ "id:version" of each chosen clue. Raises InputError for anything else."""
    out = {}
    for one in ids:
        clue, _, version = one.partition(":")
        if not clue.isalnum() or not version.isdecimal():
            raise InputError("没有编号为 {id} 的线索", id=one[:60])
        out[clue] = int(version)
    return out


def _confirm(desk: Desk, decision: str, ids: list[str], back: str, error: str = "") -> Response:
    rows: list[ClueRow] = [clues.clue_row(desk.session, one, officer=desk.officer) for one in ids[:500]]
    return desk.page(
        "bulk.html",
        409 if error else 200,
        kind=next(word for word in decision_words(desk.ui) if word.id == decision),
        rows=clue_rows(rows, desk.ui),
        reasons=reason_words(desk.ui),
        back=own_path(back),
        error=error,
    )


@router.post("/clues/undo")
@signed_in()
def undo(
    desk: Desk,
    batch: Annotated[str, Form(max_length=40)],
    within: Annotated[str, Form(max_length=2000)] = "",
    back: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    ids = review.undo(desk.session, batch, officer=desk.officer, at=desk.now)
    if back or len(ids) != 1:
        path, _, query = own_path(back or "/clues").partition("?")
        return go(f"{path}?{urlencode([p for p in parse_qsl(query) if p[0] not in ('done', 'did', 'n')])}#{ids[0]}")
    return go(f"/clues/{ids[0]}?{urlencode({'within': within})}")
