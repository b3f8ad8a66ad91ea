"""The queue as officers and programs see it: filters, keyset pages, the fixed JSON of a clue, saved views, counts."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import Session

from cases import audit, counters, search
from cases import models as t
from cases.access import Action, Officer, in_area, may, require
from cases.detail import ClueDetail, clue_detail
from cases.masking import mask
from cases.states import ClueState
from contracts.clock import aware, iso
from contracts.errors import InputError, UsageError
from contracts.finding import Severity
from contracts.ids import new_id
from contracts.page import Region

__all__ = [
    "ClueDetail",
    "CluePage",
    "ClueRow",
    "Filters",
    "clue_detail",
    "clue_json",
    "clue_row",
    "counts",
    "list_clues",
    "save_view",
    "saved_views",
    "viewed",
]

MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show. Empty means no restriction, except that without `states` only open clues are shown (`everything`: all)."""

    states: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    area: str = ""
    text: str = ""
    assignee: str = ""  #: officer id
    uscc: str = ""
    listing: str = ""  #: listing id
    overdue: bool = False
    everything: bool = False

    @classmethod
    def of(
        cls,
        *,
        state: str | None = None,
        severity: str | None = None,
        category: str | None = None,
        site: str | None = None,
        rule: str | None = None,
        area: str | None = None,
        text: str | None = None,
        overdue: bool = False,
        everything: bool = False,
    ) -> Filters:
        """From single words, each possibly several parted by commas. Raises UsageError for an unknown state or severity."""
        states, severities = _words(state), _words(severity)
        for given, known, what in ((states, ClueState, "状态"), (severities, Severity, "严重程度")):
            for word in given:
                if word not in [str(member) for member in known]:
                    raise UsageError("没有“{word}”这种{what}", word=word, what=what, hint="可用：" + "、".join(known))
        return cls(
            states=states,
            severities=severities,
            categories=_words(category),
            sites=_words(site),
            rules=_words(rule),
            area=area or "",
            text=text or "",
            overdue=overdue,
            everything=everything,
        )


@dataclass(frozen=True, slots=True)
class ClueRow:
    """One line of the queue. `quote` has personal data masked; `evidence` lists evidence ids, `listing` is the title."""

    id: str
    category: str
    rule: str
    title: str
    severity: str
    confidence: float
    method: str
    score: float
    state: str
    site: str
    url: str
    listing: str
    listing_id: str | None
    quote: str
    captured_at: datetime
    first_seen: datetime
    last_seen: datetime
    operator: str | None
    uscc: str | None
    jurisdiction: str | None
    area: str
    seen: int
    reopened: int
    needs: tuple[str, ...]
    assignee_id: str | None
    assignee: str | None
    claim_expires: datetime | None
    due: date | None
    muted_until: datetime | None
    version: int
    site_name: str = ""
    law: str = ""  #: the first duty it may break: name of the law and article
    context: str = ""  #: the sentence around the quote, masked
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CluePage:
    """Some rows; `next` goes into `after` for those that follow, None at the end."""

    rows: tuple[ClueRow, ...]
    next: str | None


def list_clues(
    session: Session,
    filters: Filters = Filters(),
    *,
    officer: Officer | None = None,
    after: str | None = None,
    limit: int = 50,
    at: datetime | None = None,
) -> CluePage:
    """Clues by score, highest first, then newest. `officer` restricts to his area; `at` (now) is needed for `overdue`.

    Three queries whatever the page size. Raises UsageError for a mark `after` we did not give.
    """
    if officer is not None:
        require(officer, Action.VIEW)
    limit = min(max(limit, 1), MAX_PAGE)
    wanted = _rows().where(*_conditions(session, filters, officer, at))
    if after:
        score, last = _unmark(after)
        wanted = wanted.where(tuple_(t.Clue.score, t.Clue.id) < tuple_(score, last))  # a row value walks the index
    wanted = wanted.order_by(t.Clue.score.desc(), t.Clue.id.desc()).limit(limit + 1)
    found = session.execute(wanted).all()
    rows = _with_evidence(session, [_row(each) for each in found[:limit]])
    return CluePage(rows, _mark(rows[-1]) if len(found) > limit else None)


def clue_row(session: Session, clue_id: str, *, officer: Officer | None = None) -> ClueRow:
    """Raises InputError when there is none, or none the officer may see."""
    found = session.execute(_rows().where(t.Clue.id == clue_id.strip())).first()
    if found is None or (officer is not None and not may(officer, Action.VIEW, found.area)):
        raise InputError("没有编号为 {id} 的线索", id=clue_id, hint="用 wangxun clues list 查看")
    return _with_evidence(session, [_row(found)])[0]


def next_after(
    session: Session, filters: Filters, row: ClueRow, *, officer: Officer | None = None, at: datetime | None = None
) -> str | None:
    """The id of the clue that opens after `row` was decided; the first of the queue when `row` was the last."""
    page = list_clues(session, filters, officer=officer, after=_mark(row), limit=1, at=at)
    page = page if page.rows else list_clues(session, filters, officer=officer, limit=1, at=at)
    return next((each.id for each in page.rows if each.id != row.id), None)


def clue_json(row: ClueRow) -> dict[str, Any]:
    """The line `wangxun clues list --json` prints: fixed names (design), unknown is null."""
    return {
        "id": row.id,
        "category": row.category,
        "rule": row.rule,
        "severity": row.severity,
        "score": row.score,
        "state": row.state,
        "site": row.site,
        "url": row.url,
        "listing": row.listing or None,
        "quote": row.quote,
        "captured_at": iso(row.captured_at),
        "evidence": list(row.evidence),
        "operator": row.operator,
        "uscc": row.uscc,
        "jurisdiction": row.jurisdiction,
        "seen": row.seen,
        "needs": list(row.needs),
        "title": row.title or None,
        "confidence": row.confidence,
        "first_seen": iso(row.first_seen),
        "last_seen": iso(row.last_seen),
        "due": row.due.isoformat() if row.due else None,
        "assignee": row.assignee,
    }


def viewed(session: Session, clue_id: str, *, officer: Officer, at: datetime) -> None:
    """Writes down that an officer looked at a clue. Raises like `clue_row`."""
    row = clue_row(session, clue_id, officer=officer)
    audit.record(session, officer.name, "clue.viewed", "clue", row.id, at=at)


def counts(session: Session, officer: Officer | None = None) -> Mapping[str, int]:
    """`state:<state>` and `open:<severity>`, from counters kept by event; names that never counted are absent."""
    return counters.totals(session, officer)


def save_view(
    session: Session,
    name: str,
    filters: Filters,
    *,
    officer: Officer,
    shared: bool = False,
    default: bool = False,
    at: datetime,
) -> None:
    """Saves a filter under a name, in place of the earlier one. Shared views are a supervisor's to make."""
    if not name.strip() or len(name) > 64:
        raise InputError("视图名称应为 1 至 64 个字")
    if shared:
        require(officer, Action.DISPATCH)
    owner = None if shared else officer.id
    mine = t.SavedView.officer_id.is_(None) if shared else t.SavedView.officer_id == officer.id
    row = session.scalar(select(t.SavedView).where(mine, t.SavedView.name == name.strip()))
    if row is None:
        row = t.SavedView(id=new_id(at), officer_id=owner, name=name.strip(), filters={})
        session.add(row)
    if default:
        for other in session.scalars(select(t.SavedView).where(mine)):
            other.is_default = False
    row.filters, row.is_default = {key: value for key, value in asdict(filters).items() if value}, default
    session.flush()


def saved_views(session: Session, officer: Officer) -> Sequence[tuple[str, Filters, bool]]:
    """(name, filters, is default) of one's own views and the shared ones, by name."""
    rows = session.scalars(
        select(t.SavedView)
        .where(or_(t.SavedView.officer_id == officer.id, t.SavedView.officer_id.is_(None)))
        .order_by(t.SavedView.name)
    )
    return [(row.name, _filters(row.filters), row.is_default and row.officer_id == officer.id) for row in rows]


_COLUMNS = (
    t.Clue.id,
    t.Clue.category,
    t.Clue.rule,
    t.Clue.title,
    t.Clue.severity,
    t.Clue.confidence,
    t.Clue.method,
    t.Clue.score,
    t.Clue.state,
    t.Clue.site_id,
    t.Clue.url,
    t.Clue.listing_title,
    t.Clue.listing_id,
    t.Clue.region,
    t.Clue.quote,
    t.Clue.context,
    t.Clue.captured_at,
    t.Clue.first_seen,
    t.Clue.last_seen,
    t.Clue.operator,
    t.Clue.uscc,
    t.Clue.jurisdiction,
    t.Clue.area,
    t.Clue.seen,
    t.Clue.reopened,
    t.Clue.needs,
    t.Clue.assignee_id,
    t.Clue.claim_expires,
    t.Clue.due,
    t.Clue.muted_until,
    t.Clue.version,
)


def _rows() -> Any:
    """Only the columns a line shows: of the eight parts the first article alone."""
    return (
        select(
            *_COLUMNS,
            t.Officer.name.label("assignee"),
            t.Site.name.label("site_name"),
            t.Clue.parts["norm"]["basis"][0].label("law"),
        )
        .join(t.Site, t.Site.id == t.Clue.site_id)
        .outerjoin(t.Officer, t.Officer.id == t.Clue.assignee_id)
    )


def _row(found: Any) -> ClueRow:
    told = dict(found._mapping)
    region = told.pop("region")
    told["site"], told["listing"] = told.pop("site_id"), told.pop("listing_title")
    told["needs"] = tuple(told["needs"])
    # A quote without a region comes from bare text of the shop's page; consumers' words always carry theirs.
    where = Region(region) if region else Region.BODY
    told["quote"], told["context"] = mask(told["quote"], where).text, mask(told["context"][:500], where).text
    basis = told["law"] or {}
    told["law"] = f"{basis.get('title') or basis.get('law', '')} {basis.get('article', '')}".strip()
    return ClueRow(**told)


def _with_evidence(session: Session, rows: list[ClueRow]) -> tuple[ClueRow, ...]:
    held: dict[str, list[str]] = {row.id: [] for row in rows}
    proofs = (
        select(t.ClueEvidence.clue_id, t.ClueEvidence.evidence_id)
        .where(t.ClueEvidence.clue_id.in_(held), t.ClueEvidence.evidence_id != "")
        .order_by(t.ClueEvidence.at, t.ClueEvidence.id)
    )
    for clue_id, evidence_id in session.execute(proofs):
        if evidence_id not in held[clue_id]:
            held[clue_id].append(evidence_id)
    return tuple(replace(row, evidence=tuple(held[row.id])) for row in rows)


def _conditions(
    session: Session, filters: Filters, officer: Officer | None, at: datetime | None
) -> list[ColumnElement[bool]]:
    out: list[ColumnElement[bool]] = []
    for column, values in (
        (t.Clue.state, filters.states),
        (t.Clue.severity, filters.severities),
        (t.Clue.category, filters.categories),
        (t.Clue.site_id, filters.sites),
        (t.Clue.rule, filters.rules),
    ):
        if values:
            out.append(column == values[0] if len(values) == 1 else column.in_(values))
    if not filters.states and not filters.everything:
        out.append(t.Clue.open.is_(True))
    for exact, value in (
        (t.Clue.assignee_id, filters.assignee),
        (t.Clue.uscc, filters.uscc),
        (t.Clue.listing_id, filters.listing),
    ):
        if value:
            out.append(exact == value)
    if filters.area:
        out.append(t.Clue.area.startswith(filters.area, autoescape=True))
    if officer is not None and officer.area:
        out.append(in_area(officer, t.Clue.area))
    if filters.overdue:
        if at is None:
            raise UsageError("筛选逾期线索须给出当前时间")
        out.append(t.Clue.due < aware(at).date())
    if filters.text.strip():
        hits = search.match(session, filters.text)
        if hits is not None:
            out.append(t.Clue.id.in_(hits))
    return out


def _mark(row: ClueRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.score, row.id]).encode()).decode().rstrip("=")


def _unmark(mark: str) -> tuple[float, str]:
    try:
        score, last = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        return float(score), str(last)
    except (binascii.Error, ValueError, TypeError):
        raise UsageError("翻页标记无效", hint="请回到第一页") from None


def _words(given: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (given or "").split(",") if word.strip())


def _filters(stored: Mapping[str, Any]) -> Filters:
    known: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in stored.items() if name in Filters.__slots__
    }
    return Filters(**known)
