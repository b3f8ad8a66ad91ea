"""The audit log: append-only and hash-chained. Who decided, who exported — and who looked.

Each row's digest is SHA-256 over its canonical JSON and the digest before it, so a row changed, removed or put in
between is found by `verify`. The newest rows cut off are found by comparing with a `head` written down elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cases import models as t
from contracts.clock import aware

GENESIS = "0" * 64
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `body` names what changed, never page text or personal data."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    body: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What `verify` found. `head` is the newest digest: write it down elsewhere to notice a cut-off end."""

    checked: int
    broken: tuple[Break, ...]
    head: str

    @property
    def whole(self) -> bool:
        return not self.broken


def record(
    session: Session,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    body: dict[str, Any] | None = None,
    *,
    at: datetime,
) -> int:
    """Appends one entry in the caller's transaction; returns its number."""
    if session.get_bind().dialect.name == "postgresql":
        # One writer at a time, or two would follow the same row. SQLite's write lock does the same by itself.
        session.execute(text("SELECT pg_advisory_xact_lock(7260002)"))
    last = session.execute(select(t.Audit.seq, t.Audit.digest).order_by(t.Audit.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.digest) if last else (1, GENESIS)
    at, body = aware(at), body or {}
    digest = _digest(seq, at, actor, action, subject_kind, subject_id, body, previous)
    session.add(
        t.Audit(
            seq=seq,
            at=at,
            actor=actor,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            body=body,
            previous=previous,
            digest=digest,
        )
    )
    session.flush()
    return seq


def verify(session: Session) -> ChainReport:
    """Walks the whole chain; names every row that was changed and every gap."""
    broken: list[Break] = []
    previous, expected, checked = GENESIS, 1, 0
    rows = session.scalars(select(t.Audit).order_by(t.Audit.seq).execution_options(yield_per=1000))
    for row in rows:
        checked += 1
        if row.seq != expected:
            broken.append(Break(row.seq, f"第 {expected} 条至第 {row.seq - 1} 条缺失"))
        elif row.previous != previous:
            broken.append(Break(row.seq, "与前一条不相连"))
        told = _digest(row.seq, row.at, row.actor, row.action, row.subject_kind, row.subject_id, row.body, row.previous)
        if told != row.digest:
            broken.append(Break(row.seq, "内容与其摘要不符"))
        previous, expected = row.digest, row.seq + 1
    return ChainReport(checked, tuple(broken), previous)


def entries(
    session: Session,
    *,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    actor: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Entry]:
    """Newest first, keyset by `before` (a seq)."""
    wanted = select(t.Audit).order_by(t.Audit.seq.desc()).limit(min(limit, 1000))
    for column, value in (
        (t.Audit.subject_kind, subject_kind),
        (t.Audit.subject_id, subject_id),
        (t.Audit.actor, actor),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(t.Audit.seq < before)
    return [
        Entry(r.seq, r.at, r.actor, r.action, r.subject_kind, r.subject_id, r.body, r.digest)
        for r in session.scalars(wanted)
    ]


def _digest(seq: int, at: datetime, *rest: object) -> str:
    told = json.dumps([seq, aware(at).isoformat(timespec="microseconds"), *rest], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
