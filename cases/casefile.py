"""Case files: opened by an officer from clues or evidence, and told whole for export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cases import audit, counters, review
from cases import models as t
from cases.access import Action, Officer, in_area, may, require
from cases.decisions import Decision
from cases.detail import ClueDetail, Exhibit, Remark, clue_detail, exhibit
from cases.officers import officer_named
from cases.states import FINAL_STATES, OPEN_STATES, CaseState, ClueState, Move, next_case_state, next_clue_state
from contracts.errors import InputError, NotAllowed, UsageError
from contracts.ids import new_id


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the list of cases; `clues` and `evidence` are how many."""

    id: str
    title: str
    state: str
    officer: str
    operator: str | None
    uscc: str | None
    area: str
    opened_at: datetime
    due: date | None
    clues: int
    evidence: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case, whole, for the screen and the package. `evidence` holds that of the clues and that put in by itself.

    `log` is the audit's entries about the case, oldest first. `simulated`: some of it was captured under 模拟时间 and can
    never be formal evidence.
    """

    id: str
    title: str
    state: str
    version: int
    officer: str
    area: str
    operator: str | None
    uscc: str | None
    jurisdiction: str | None
    opened_at: datetime
    due: date | None
    closed_at: datetime | None
    clues: tuple[ClueDetail, ...]
    evidence: tuple[Exhibit, ...]
    notes: tuple[Remark, ...]
    log: tuple[audit.Entry, ...]
    simulated: bool


def open_case(session: Session, ids: Sequence[str], *, officer: Officer, at: datetime, title: str = "") -> str:
    """Opens a case from clue and evidence ids; its id.

    A clue nobody judged yet is thereby judged 建议立案 by this officer, and so recorded. Clues of several operators
    need several cases. Raises InputError for an unknown id, NotAllowed for role, area or state.
    """
    asked = list(dict.fromkeys(one.strip() for one in ids if one.strip()))
    if not asked:
        raise InputError("未指定线索或证据")
    clues, evidence = _sorted_out(session, asked)
    areas = [row.area for row in clues] + [item.area for item in evidence]
    for one in areas:
        require(officer, Action.CASE, one)
    known = {row.uscc for row in clues if row.uscc}
    if len(known) > 1:
        raise UsageError("线索分属不同经营者，须分别立卷：{codes}", codes="、".join(sorted(known)))
    waiting = [row.id for row in clues if row.state in OPEN_STATES]
    if waiting:
        review.decide(session, waiting, Decision.FILE, officer=officer, at=at)
    first = clues[0] if clues else None
    area = next(filter(None, areas), "")
    case = t.CaseFile(
        id=new_id(at),
        title=title.strip()[:200] or _title(first, evidence),
        state=CaseState.OPEN.value,
        operator=next((row.operator for row in clues if row.operator), None),
        uscc=next(iter(known), None),
        jurisdiction=first.jurisdiction if first else None,
        officer_id=officer.id,
        opened_at=at,
        due=min((row.due for row in clues if row.due), default=None),
        area=area,
        officer=officer.name,
    )
    session.add(case)
    session.flush()
    changes = counters.Changes()
    for row in clues:
        state = row.state
        row.state, row.open = next_clue_state(row.state, Move.OPEN_CASE).value, False
        row.version += 1
        counters.moved(changes, row, state)
        session.add(t.CaseClue(case_id=case.id, clue_id=row.id, attached_at=at))
    session.add_all(t.CaseEvidence(case_id=case.id, evidence_id=item.id, attached_at=at) for item in evidence)
    counters.apply(session, changes)
    told = {"clues": [row.id for row in clues], "evidence": [item.id for item in evidence]}
    audit.record(session, officer.name, "case.opened", "case", case.id, told, at=at)
    session.flush()
    return case.id


def decided_by(session: Session, ids: Sequence[str]) -> Officer:
    """The one officer whose standing decisions these clues carry: who a case opened without a name is opened by.

    Raises UsageError when nobody, or several, decided: then the officer must be named.
    """
    names = set(
        session.scalars(
            select(t.Officer.name)
            .join(t.Disposition, t.Disposition.officer_id == t.Officer.id)
            .where(t.Disposition.clue_id.in_(list(ids)), t.Disposition.undone_at.is_(None))
        )
    )
    if len(names) != 1:
        raise UsageError("须写明承办的执法人员", hint="加上 --as 姓名")
    return officer_named(session, names.pop())


def list_cases(session: Session, officer: Officer | None = None, *, limit: int = 200) -> Sequence[CaseRow]:
    """Newest first; those of the officer's area when one is given."""
    clues = select(t.CaseClue.case_id, func.count().label("n")).where(t.CaseClue.detached_at.is_(None))
    clues_of = clues.group_by(t.CaseClue.case_id).subquery()
    evidence_of = select(t.CaseEvidence.case_id, func.count().label("n")).group_by(t.CaseEvidence.case_id).subquery()
    wanted = (
        select(t.CaseFile, t.Officer.name, func.coalesce(clues_of.c.n, 0), func.coalesce(evidence_of.c.n, 0))
        .join(t.Officer, t.Officer.id == t.CaseFile.officer_id)
        .outerjoin(clues_of, clues_of.c.case_id == t.CaseFile.id)
        .outerjoin(evidence_of, evidence_of.c.case_id == t.CaseFile.id)
        .order_by(t.CaseFile.opened_at.desc(), t.CaseFile.id.desc())
        .limit(min(limit, 1000))
    )
    if officer is not None:
        require(officer, Action.VIEW)
        wanted = wanted.where(in_area(officer, t.CaseFile.area))
    return [
        CaseRow(
            id=row.id,
            title=row.title,
            state=row.state,
            officer=name,
            operator=row.operator,
            uscc=row.uscc,
            area=row.area,
            opened_at=row.opened_at,
            due=row.due,
            clues=n_clues,
            evidence=n_evidence,
        )
        for row, name, n_clues, n_evidence in session.execute(wanted)
    ]


def dossier(session: Session, case_id: str, *, officer: Officer | None = None, at: datetime) -> Dossier:
    """Reads only. Raises InputError when there is none, or none the officer may see."""
    case = _case(session, case_id, officer)
    leader = session.get(t.Officer, case.officer_id)
    assert leader is not None
    clues = tuple(
        clue_detail(session, clue_id, at=at)
        for clue_id in session.scalars(
            select(t.CaseClue.clue_id)
            .where(t.CaseClue.case_id == case.id, t.CaseClue.detached_at.is_(None))
            .order_by(t.CaseClue.clue_id)
        )
    )
    alone = session.scalars(
        select(t.Evidence)
        .join(t.CaseEvidence, t.CaseEvidence.evidence_id == t.Evidence.id)
        .where(t.CaseEvidence.case_id == case.id)
        .order_by(t.Evidence.sealed_at, t.Evidence.id)
    )
    held: dict[str, Exhibit] = {item.id: item for clue in clues for item in clue.evidence}
    held.update({row.id: exhibit(row) for row in alone})
    notes = session.execute(
        select(t.Note, t.Officer.name)
        .join(t.Officer, t.Officer.id == t.Note.officer_id)
        .where(t.Note.case_id == case.id)
        .order_by(t.Note.at)
    )
    log = audit.entries(session, subject_kind="case", subject_id=case.id, limit=1000)
    return Dossier(
        id=case.id,
        title=case.title,
        state=case.state,
        version=case.version,
        officer=leader.name,
        area=case.area,
        operator=case.operator,
        uscc=case.uscc,
        jurisdiction=case.jurisdiction,
        opened_at=case.opened_at,
        due=case.due,
        closed_at=case.closed_at,
        clues=clues,
        evidence=tuple(held.values()),
        notes=tuple(Remark(name, row.at, row.body) for row, name in notes),
        log=tuple(reversed(log)),
        simulated=any(item.simulated for item in held.values())
        or any(sighting.simulated for clue in clues for sighting in clue.sightings),
    )


def exported(session: Session, case_id: str, digest: str, *, officer: Officer, at: datetime) -> None:
    """Checks that the officer may export, and writes the package's SHA-256 into the audit log."""
    case = _case(session, case_id, officer)
    require(officer, Action.EXPORT, case.area)
    audit.record(session, officer.name, "case.exported", "case", case.id, {"sha256": digest}, at=at)


def move_case(
    session: Session, case_id: str, state: CaseState, *, officer: Officer, at: datetime, version: int
) -> None:
    """Takes a case to another state; closing it closes its clues. Raises NotAllowed."""
    case = _case(session, case_id, officer)
    require(officer, Action.CASE, case.area)
    if case.version != version:
        raise NotAllowed("案件刚被他人处理过", hint="请刷新后再试")
    before, case.state = case.state, next_case_state(case.state, state).value
    case.version += 1
    if state is CaseState.CLOSED:
        case.closed_at = at
        changes = counters.Changes()
        for row in session.scalars(
            select(t.Clue)
            .join(t.CaseClue, t.CaseClue.clue_id == t.Clue.id)
            .where(
                t.CaseClue.case_id == case.id, t.CaseClue.detached_at.is_(None), t.Clue.state == ClueState.CASE.value
            )
            .with_for_update(of=t.Clue)
        ):
            row.state = next_clue_state(row.state, Move.CLOSE).value
            row.open, row.live, row.version = False, row.state not in FINAL_STATES, row.version + 1
            counters.moved(changes, row, ClueState.CASE.value)
        counters.apply(session, changes)
    audit.record(session, officer.name, "case.moved", "case", case.id, {"from": before, "to": state.value}, at=at)


def detach(session: Session, case_id: str, clue_id: str, *, officer: Officer, at: datetime) -> None:
    """Takes a clue out of a case, back to 建议立案; the row keeps that it was in. Raises InputError, NotAllowed."""
    case = _case(session, case_id, officer)
    require(officer, Action.CASE, case.area)
    link, row = session.get(t.CaseClue, (case.id, clue_id)), session.get(t.Clue, clue_id)
    if link is None or row is None or link.detached_at is not None:
        raise InputError("案件中没有线索 {id}", id=clue_id)
    state = row.state
    row.state = next_clue_state(row.state, Move.DETACH).value
    row.version += 1
    link.detached_at = at
    changes = counters.Changes()
    counters.moved(changes, row, state)
    counters.apply(session, changes)
    audit.record(session, officer.name, "case.detached", "case", case.id, {"clue": clue_id}, at=at)


def _case(session: Session, case_id: str, officer: Officer | None) -> t.CaseFile:
    row = session.get(t.CaseFile, case_id.strip())
    if row is None or (officer is not None and not may(officer, Action.VIEW, row.area)):
        raise InputError("没有编号为 {id} 的案件", id=case_id, hint="用 wangxun case list 查看")
    return row


def _sorted_out(session: Session, asked: list[str]) -> tuple[list[t.Clue], list[t.Evidence]]:
    clues, evidence = [], []
    for one in asked:
        row: Any = session.scalar(select(t.Clue).where(t.Clue.id == one).with_for_update())
        if row is not None:
            clues.append(row)
            continue
        row = session.get(t.Evidence, one)
        if row is None:
            raise InputError("没有编号为 {id} 的线索或证据", id=one, hint="用 wangxun clues list 查看")
        evidence.append(row)
    return clues, evidence


def _title(first: t.Clue | None, evidence: list[t.Evidence]) -> str:
    """Says 涉嫌: no machine sentence asserts a violation."""
    if first is None:
        return f"对 {evidence[0].url[:120]} 的核查"
    return f"{first.operator or first.site_id}涉嫌{first.title or first.category}"[:200]
