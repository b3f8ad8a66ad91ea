"""Evidence as rows, and the queue of full captures that pages with a clue wait in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from cases import audit
from cases import models as t
from contracts.ids import new_id

#: A capture whose worker has not reported for this long is given to another.
LEASE = timedelta(minutes=10)
MAX_TRIES = 3
#: What a clue needs whose words the sealed page did not show.
SEALED_PROOF = "sealed-proof"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the evidence store says it keeps. `level` http | full; `path` relative to the evidence folder."""

    id: str
    level: str
    url: str
    sealed_at: datetime
    snapshot_id: str | None = None
    path: str = ""
    digest: str = ""
    timestamp_state: str = "pending"
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class CaptureTask:
    """A full capture to make now."""

    id: str
    snapshot_id: str
    clue_id: str
    site_id: str
    url: str
    tries: int


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that prove a clue, to be found again on the sealed page."""

    quote: str
    selector: str
    rule: str


def add_evidence(session: Session, sealed: Sealed, *, area: str = "", officer: str | None = None) -> None:
    """Notes sealed evidence, once; and joins it to every clue its snapshot shows."""
    row = session.get(t.Evidence, sealed.id)
    if row is None:
        row = t.Evidence(id=sealed.id, level=sealed.level, sealed_at=sealed.sealed_at, area=area, officer=officer)
        session.add(row)
    row.url, row.path, row.digest = sealed.url, sealed.path, sealed.digest
    row.timestamp_state, row.simulated = sealed.timestamp_state, sealed.simulated
    known = session.get(t.Snapshot, sealed.snapshot_id) if sealed.snapshot_id else None
    if known is not None:
        row.snapshot_id, row.area = known.id, row.area or known.area
        if sealed.id not in known.evidence_ids:
            known.evidence_ids = [*known.evidence_ids, sealed.id]
        shown = t.ClueEvidence.snapshot_id == known.id
        have = set(
            session.scalars(select(t.ClueEvidence.clue_id).where(shown, t.ClueEvidence.evidence_id == sealed.id))
        )
        for clue_id in sorted(set(session.scalars(select(t.ClueEvidence.clue_id).where(shown))) - have):
            session.add(
                t.ClueEvidence(clue_id=clue_id, snapshot_id=known.id, evidence_id=sealed.id, at=sealed.sealed_at)
            )
    session.flush()


def set_timestamp(session: Session, evidence_id: str, state: str) -> None:
    """pending → stamped | failed."""
    row = session.get(t.Evidence, evidence_id)
    if row is not None:
        row.timestamp_state = state


def evidence_of(session: Session, snapshot_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Evidence ids by snapshot; a snapshot that is not known is left out."""
    found: dict[str, tuple[str, ...]] = {}
    wanted = list(dict.fromkeys(snapshot_ids))
    for at in range(0, len(wanted), 500):  # SQLite bounds the values of one statement
        query = select(t.Snapshot.id, t.Snapshot.evidence_ids).where(t.Snapshot.id.in_(wanted[at : at + 500]))
        found |= {snapshot_id: tuple(ids) for snapshot_id, ids in session.execute(query)}
    return found


def unstamped(session: Session, *, limit: int = 20_000) -> Sequence[str]:
    """Evidence whose row does not say yet that it is stamped, newest first."""
    wanted = select(t.Evidence.id).where(t.Evidence.timestamp_state == "pending")
    return session.scalars(wanted.order_by(t.Evidence.sealed_at.desc()).limit(limit)).all()


def queue_capture(session: Session, snapshot_id: str, clue_id: str, url: str, *, at: datetime) -> None:
    """One capture a snapshot, however many clues it shows."""
    session.flush()
    if session.scalar(select(t.CaptureJob.id).where(t.CaptureJob.snapshot_id == snapshot_id)) is None:
        session.add(
            t.CaptureJob(
                id=new_id(at), snapshot_id=snapshot_id, clue_id=clue_id, url=url, state="queued", created_at=at
            )
        )
        session.flush()


def capture_next(session: Session, *, at: datetime, site_id: str | None = None) -> CaptureTask | None:
    """Takes the next capture under a lease; None when none waits. Most urgent clue first."""
    wanted = (
        select(t.CaptureJob, t.Clue.site_id)
        .join(t.Clue, t.Clue.id == t.CaptureJob.clue_id)
        .where(
            or_(
                t.CaptureJob.state == "queued",
                and_(t.CaptureJob.state == "leased", t.CaptureJob.lease_until < at),
            ),
        )
        .order_by(t.CaptureJob.tries, t.Clue.score.desc(), t.CaptureJob.id)
        .limit(1)
        .with_for_update(of=t.CaptureJob, skip_locked=True)
    )
    if site_id:
        wanted = wanted.where(t.Clue.site_id == site_id)
    found = session.execute(wanted).first()
    if found is None:
        return None
    job, site = found
    job.state, job.lease_until, job.tries = "leased", at + LEASE, job.tries + 1
    session.flush()
    return CaptureTask(job.id, job.snapshot_id, job.clue_id, site, job.url, job.tries)


def capture_done(session: Session, task_id: str, sealed: Sealed) -> None:
    """The capture was made; its evidence proves the snapshot's clues."""
    job = session.get(t.CaptureJob, task_id)
    if job is not None:
        job.state, job.evidence_id, job.why, job.lease_until = "done", sealed.id, "", None
    add_evidence(session, sealed)


def capture_failed(session: Session, task_id: str, why: str) -> None:
    """Back into the queue, or given up after MAX_TRIES."""
    job = session.get(t.CaptureJob, task_id)
    if job is not None:
        job.state = "failed" if job.tries >= MAX_TRIES else "queued"
        job.why, job.lease_until = why[:500], None


def waiting(session: Session) -> int:
    """Captures queued or under way."""
    left = select(func.count()).select_from(t.CaptureJob).where(t.CaptureJob.state.in_(("queued", "leased")))
    return session.scalar(left) or 0


def quotes_of(session: Session, snapshot_id: str) -> Sequence[Quote]:
    """The words that the clues of a snapshot rest on, each once."""
    found: dict[tuple[str, str], Quote] = {}
    for rule, body in session.execute(
        select(t.Finding.rule, t.Finding.body).where(t.Finding.snapshot_id == snapshot_id)
    ):
        for pointer in body.get("evidence", ()):
            if pointer.get("quote") and pointer.get("snapshot_id", snapshot_id) == snapshot_id:
                found.setdefault((rule, pointer["quote"]), Quote(pointer["quote"], pointer.get("selector", ""), rule))
    return tuple(found.values())[:100]


def note_unproven(session: Session, snapshot_id: str, rules: Sequence[str], *, at: datetime) -> None:
    """The sealed page did not show what these rules had found: said in the audit, and the clue needs a sealed proof.

    Seen again by a later patrol, the clue is captured and judged again; the need goes when it then holds.
    """
    wanted = select(t.Clue).where(t.Clue.snapshot_id == snapshot_id, t.Clue.rule.in_(rules))
    for row in session.scalars(wanted):
        audit.record(session, audit.SYSTEM, "clue.unproven", "clue", row.id, {"snapshot": snapshot_id}, at=at)
        if SEALED_PROOF not in row.needs:
            row.needs = [*row.needs, SEALED_PROOF]
            row.version += 1
