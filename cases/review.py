"""What officers do to clues: claim, decide, undo, note. Whole lists of ids in one transaction, or nothing at all."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cases import audit, counters
from cases import models as t
from cases.access import Action, Officer, require
from cases.calendar import CHECK_DAYS, load
from cases.captures import SEALED_PROOF
from cases.decisions import DECISIONS, Decision, Label, label_of, parse_reason
from cases.states import FINAL_STATES, OPEN_STATES, ClueState, Move, next_clue_state
from contracts.clock import SHANGHAI
from contracts.errors import InputError, NotAllowed, UsageError
from contracts.ids import new_id

CLAIM_LASTS = timedelta(minutes=15)
UNDO_WITHIN = timedelta(minutes=30)
MUTE_LASTS = timedelta(days=30)
MAX_BULK = 5000

#: What undo puts back.
_RESTORED = ("state", "open", "live", "due", "duplicate_of", "assignee_id")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was written. `batch_id` undoes it whole; `due` is the deadline it set, `note` how that was counted."""

    batch_id: str
    clue_ids: tuple[str, ...]
    decision: Decision
    reason: str
    comment: str
    label: Label
    due: date | None = None
    note: str = ""


def decide(
    session: Session,
    clue_ids: Sequence[str],
    decision: Decision,
    *,
    reason: str = "",
    officer: Officer,
    at: datetime,
    versions: Mapping[str, int] | None = None,
    until: datetime | None = None,
    duplicate_of: str | None = None,
    due: date | None = None,
) -> Decided:
    """Writes `decision` on exactly these clues.

    `versions`: the version of each clue the officer saw; NotAllowed when another acted on it since. `until`: end of a
    mute. `duplicate_of`: the clue these repeat. `due`: date of an order. 建议立案 starts the 15-working-day clock.
    Raises InputError (unknown clue), UsageError (reason), NotAllowed (role, area, state, claimed by another).
    """
    kind = DECISIONS[decision]
    code, comment = parse_reason(decision, reason)
    rows = _locked(session, clue_ids)
    for row in rows:
        require(officer, kind.action, row.area)
        _check_untouched(session, row, officer, at, versions)
    if decision is Decision.DUPLICATE:
        _check_original(session, duplicate_of, {row.id for row in rows})
    if decision is Decision.MUTE and until is not None and until <= at:
        raise UsageError("静默的期限须晚于现在")
    batch, label, changes = new_id(at), label_of(decision, code), counters.Changes()
    deadline, note = _due(session, decision, due, at)
    for row in rows:
        before = {name: _told(getattr(row, name)) for name in (*_RESTORED, "muted_until")}
        state = row.state
        _move(row, kind.move)
        row.due = deadline
        if decision is Decision.MUTE:
            row.muted_until = until or at + MUTE_LASTS
        if decision is Decision.DUPLICATE:
            row.duplicate_of = duplicate_of
        if decision is Decision.ORDER:
            assert deadline is not None
            session.add(
                t.RectifyOrder(
                    id=new_id(at),
                    clue_id=row.id,
                    due=deadline,
                    before_snapshot_id=row.snapshot_id,
                    created_at=at,
                    area=row.area,
                    officer=officer.name,
                )
            )
        counters.moved(changes, row, state)
        session.add(
            t.Disposition(
                id=new_id(at),
                batch_id=batch,
                clue_id=row.id,
                decision=decision.value,
                reason=code,
                comment=comment[:2000],
                label=label.value,
                rule=row.rule,
                rule_version=row.rule_version,
                claim_digest=row.claim_digest,
                officer_id=officer.id,
                at=at,
                before=before,
                version_after=row.version,
            )
        )
    counters.apply(session, changes)
    ids = tuple(row.id for row in rows)
    told = {"decision": decision.value, "reason": code, "label": label.value, "clues": list(ids)}
    audit.record(session, officer.name, "clue.decided", *_subject(ids, batch), told, at=at)
    return Decided(batch, ids, decision, code, comment, label, deadline, note)


def undo(
    session: Session, batch_id: str, *, officer: Officer, at: datetime, within: timedelta = UNDO_WITHIN
) -> tuple[str, ...]:
    """Takes a decision back on all its clues; the ids. The dispositions stay and say they were undone.

    Raises InputError when there is none, NotAllowed when it is another's, too long ago, or a clue moved on since.
    """
    given = session.scalars(
        select(t.Disposition).where(t.Disposition.batch_id == batch_id, t.Disposition.undone_at.is_(None))
    ).all()
    if not given:
        raise InputError("没有可撤销的处置：{batch}", batch=batch_id)
    if any(one.officer_id != officer.id for one in given):
        raise NotAllowed("只能撤销本人作出的处置")
    if given[0].at + within < at:
        raise NotAllowed("已超过可撤销的时限", hint="请另行作出处置")
    rows = {row.id: row for row in _locked(session, [one.clue_id for one in given])}
    changes: counters.Changes = Tally()
    for one in given:
        row = rows[one.clue_id]
        if row.version != one.version_after:
            raise NotAllowed("线索 {id} 此后已有变化，不能撤销", id=row.id)
        state, restored = row.state, one.before
        for name in ("state", "open", "live", "duplicate_of", "assignee_id"):
            setattr(row, name, restored[name])
        row.due = date.fromisoformat(restored["due"]) if restored["due"] else None
        row.muted_until = datetime.fromisoformat(restored["muted_until"]) if restored["muted_until"] else None
        row.claim_expires = None
        if row.state == ClueState.CLAIMED:
            row.state, row.assignee_id = ClueState.NEW.value, None
        row.version += 1
        one.undone_at, one.undone_by = at, officer.id
        counters.moved(changes, row, state)
        for order in session.scalars(
            select(t.RectifyOrder).where(t.RectifyOrder.clue_id == row.id, t.RectifyOrder.created_at == one.at)
        ):
            order.state = "withdrawn"
    counters.apply(session, changes)
    audit.record(session, officer.name, "clue.undone", *_subject(tuple(rows), batch_id), {"clues": list(rows)}, at=at)
    return tuple(rows)


def claim(
    session: Session, clue_id: str, *, officer: Officer, at: datetime, lasts: timedelta = CLAIM_LASTS
) -> datetime:
    """Takes a clue for a while, so that two do not judge it at once; when the claim ends. One's own claim is renewed.

    Raises NotAllowed when another holds it.
    """
    (row,) = _locked(session, [clue_id])
    require(officer, Action.DECIDE, row.area)
    _check_untouched(session, row, officer, at, None)
    state, fresh = row.state, row.assignee_id != officer.id
    row.state = next_clue_state(row.state, Move.CLAIM).value
    row.assignee_id, row.claim_expires = officer.id, at + lasts
    changes: counters.Changes = Tally()
    counters.moved(changes, row, state)
    counters.apply(session, changes)
    if fresh:
        audit.record(session, officer.name, "clue.claimed", "clue", clue_id, at=at)
    session.flush()
    return row.claim_expires


def release(session: Session, clue_id: str, *, officer: Officer, at: datetime) -> None:
    """Gives a claimed clue back. Raises NotAllowed when it is another's."""
    (row,) = _locked(session, [clue_id])
    if row.assignee_id != officer.id:
        raise NotAllowed("该线索不由您审核")
    state = row.state
    row.state = next_clue_state(row.state, Move.RELEASE).value
    row.assignee_id, row.claim_expires = None, None
    changes: counters.Changes = Tally()
    counters.moved(changes, row, state)
    counters.apply(session, changes)
    audit.record(session, officer.name, "clue.released", "clue", clue_id, at=at)


def assign(session: Session, clue_ids: Sequence[str], to: Officer, *, by: Officer, why: str = "", at: datetime) -> None:
    """Dispatches confirmed clues to an officer whose area they lie in, with a hand-over note.

    Raises NotAllowed for role, area or state, and for a clue whose words the sealed page did not show.
    """
    changes: counters.Changes = Tally()
    rows = _locked(session, clue_ids)
    for row in rows:
        require(by, Action.DISPATCH, row.area)
        require(to, Action.DECIDE, row.area)
        if SEALED_PROOF in row.needs:
            raise NotAllowed("线索 {id} 的原文未见于封存页面，不能派发", id=row.id, hint="请重新取证或改作其他处置")
        state = row.state
        _move(row, Move.DISPATCH)
        row.assignee_id = to.id
        counters.moved(changes, row, state)
        if why.strip():
            note(session, why, officer=by, at=at, clue_id=row.id)
    counters.apply(session, changes)
    ids = tuple(row.id for row in rows)
    audit.record(session, by.name, "clue.dispatched", *_subject(ids, ""), {"to": to.name, "clues": list(ids)}, at=at)


def note(
    session: Session,
    words: str,
    *,
    officer: Officer,
    at: datetime,
    clue_id: str | None = None,
    case_id: str | None = None,
) -> str:
    """A remark on a clue or a case; its id. Raises InputError when empty or the thing is unknown."""
    if not words.strip():
        raise InputError("备注为空")
    about = session.get(t.Clue, clue_id) if clue_id else session.get(t.CaseFile, case_id) if case_id else None
    if about is None:
        raise InputError("没有这条线索或案件：{id}", id=clue_id or case_id or "")
    require(officer, Action.VIEW, about.area)
    row = t.Note(
        id=new_id(at), clue_id=clue_id, case_id=case_id, officer_id=officer.id, at=at, body=words.strip()[:10_000]
    )
    session.add(row)
    kind = "clue" if clue_id else "case"
    audit.record(session, officer.name, "note.added", kind, about.id, {"note": row.id}, at=at)
    return row.id


def _locked(session: Session, clue_ids: Sequence[str]) -> list[t.Clue]:
    """The clues in the order asked, locked for this transaction. Raises InputError naming the first unknown one."""
    ids = list(dict.fromkeys(one.strip() for one in clue_ids))
    if not ids:
        raise InputError("未指定线索")
    if len(ids) > MAX_BULK:
        raise InputError("一次最多处理 {most} 条线索，现为 {given} 条", most=MAX_BULK, given=len(ids))
    found: dict[str, t.Clue] = {}
    for start in range(0, len(ids), 500):
        wanted = select(t.Clue).where(t.Clue.id.in_(ids[start : start + 500])).order_by(t.Clue.id).with_for_update()
        found.update({row.id: row for row in session.scalars(wanted.execution_options(populate_existing=True))})
    for one in ids:
        if one not in found:
            raise InputError("没有编号为 {id} 的线索", id=one, hint="用 wangxun clues list 查看")
    return [found[one] for one in ids]


def _check_untouched(
    session: Session, row: t.Clue, officer: Officer, at: datetime, versions: Mapping[str, int] | None
) -> None:
    if versions is not None and versions.get(row.id, row.version) != row.version:
        raise NotAllowed("线索 {id} 刚被他人处理过", id=row.id, hint="请刷新后再作决定，您写的内容不会丢失")
    held = row.claim_expires is not None and row.claim_expires > at and row.state == ClueState.CLAIMED
    if held and row.assignee_id not in (None, officer.id):
        holder = session.get(t.Officer, row.assignee_id)
        raise NotAllowed("线索 {id} 正由 {holder} 审核", id=row.id, holder=holder.name if holder else "他人")


def _check_original(session: Session, original: str | None, repeated: set[str]) -> None:
    if original is None:
        return
    if original in repeated:
        raise UsageError("线索不能与自身重复：{id}", id=original)
    if session.get(t.Clue, original) is None:
        raise InputError("没有编号为 {id} 的线索", id=original)


def _due(session: Session, decision: Decision, due: date | None, at: datetime) -> tuple[date | None, str]:
    """The deadline a decision sets. The officer's confirmation starts the clock of 15 working days."""
    if decision not in (Decision.FILE, Decision.ORDER):
        return None, ""
    today = at.astimezone(SHANGHAI).date()
    if decision is Decision.ORDER and due is not None:
        if due < today:
            raise UsageError("改正期限已过：{due}", due=due.isoformat())
        return due, ""
    counted = load(session).add(today, CHECK_DAYS)
    return counted.day, counted.note


def _move(row: t.Clue, move: Move) -> None:
    state = next_clue_state(row.state, move)
    row.state = state.value
    row.open, row.live = state in OPEN_STATES, state not in FINAL_STATES
    row.claim_expires = None
    row.version += 1


def _subject(ids: tuple[str, ...], batch: str) -> tuple[str, str]:
    """One audit line a batch, found by the clue when there is only one."""
    return ("clue", ids[0]) if len(ids) == 1 else ("batch", batch)


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
