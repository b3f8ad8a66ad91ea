"""规则 — the library as officers may read it: what each rule looks for, what it lets pass, and examples of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from cases import queue as clues
from cases.queue import Filters
from console import labels
from console.book import book, category_title, said
from console.desk import Desk, signed_in
from console.rows import clue_rows
from console.sheet import article
from contracts.clock import SHANGHAI

if TYPE_CHECKING:
    from semantic_lib.model import Rule

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: str
    title: str
    category: str
    severity: str
    basis: str
    version: int


@dataclass(frozen=True, slots=True)
class Item:
    text: str
    why: str = ""


@router.get("/rules")
@signed_in(writes=False)
def rules(desk: Desk) -> Response:
    rows = [
        RuleRow(
            r.id,
            said(r.title, desk.ui),
            category_title(r.category, desk.ui),
            r.severity.value,
            articles(r, desk),
            r.version,
        )
        for r in _rules().values()
    ]
    return desk.page("rules.html", rows=sorted(rows, key=lambda row: (row.category, row.id)))


@router.get("/rules/{rule_id}")
@signed_in(writes=False)
def rule(desk: Desk, rule_id: str) -> Response:
    found, ui = _rules().get(rule_id), desk.ui
    if found is None:
        raise HTTPException(404)
    page = clues.list_clues(desk.session, Filters(rules=(rule_id,)), officer=desk.officer, limit=50, at=desk.now)
    return desk.page(
        "rule.html",
        rule={
            "id": found.id,
            "title": said(found.title, ui),
            "version": found.version,
            "category": category_title(found.category, ui),
            "severity": found.severity.value,
            "facts": [
                (ui("依据"), articles(found, desk, penalties=True) or "—"),
                (ui("状态"), found.status.value),
                (ui("在哪些区域"), "、".join(ui.label(labels.REGION, r.value) for r in sorted(found.regions))),
                (ui("还需要"), "、".join(ui.label(labels.NEED, n) for n in found.needs) or "—"),
                (ui("说明"), found.why or "—"),
            ],
            "lists": [
                (ui("要件"), [Item(said(e.name, ui), e.by) for e in found.elements]),
                (ui("豁免"), [Item(e) for e in found.exempt] + [Item(said(e.title, ui), e.why) for e in found.own]),
                (ui("应当命中"), [Item(e.text, e.why) for e in found.examples if e.hit]),
                (ui("不应命中"), [Item(e.text, e.why) for e in found.examples if not e.hit]),
                (ui("已知误报"), [Item(text) for text in found.falsepositives]),
            ],
        },
        clues=clue_rows(page.rows, ui),
    )


def articles(rule: Rule, desk: Desk, *, penalties: bool = False) -> str:
    """The articles a rule rests on today, by name; its provisions as they are written when none is in force."""
    held = book()
    today = desk.now.astimezone(SHANGHAI).date()
    found = [b for b in held.law.resolve(rule.basis, today) if penalties or not b.penalty] if held else []
    return "；".join(article(one, desk.ui).name for one in found) or "、".join(rule.basis)


def _rules() -> Mapping[str, Rule]:
    held = book()
    return held.rules if held else {}
