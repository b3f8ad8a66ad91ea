"""Everything one screen needs to judge one clue, gathered in a bounded number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from cases import models as t
from cases.access import Action, Officer, may
from cases.masking import mask
from cases.pages import reading_of
from cases.readings import finding_of
from contracts.errors import InputError
from contracts.finding import Finding
from contracts.page import PageReading, Region
from contracts.site import Observation

#: Most earlier decisions, sightings and points of a series shown.
MAX_SIMILAR, MAX_SIGHTINGS, MAX_SERIES = 10, 50, 500
#: Facts whose course over time is shown.
SERIES = ("price", "original_price", "review_count", "sales_count", "rating", "stock", "countdown_end")


@dataclass(frozen=True, slots=True)
class Silenced:
    """A hit of the same page that an exemption silenced, with its reason."""

    rule: str
    category: str
    quote: str
    why: str
    exemption: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """What another rule would have to know to speak about this page."""

    rule: str
    category: str
    needs: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """An officer's decision, on this clue or one like it. `undone_at` set: it was taken back."""

    clue_id: str
    batch_id: str
    decision: str
    reason: str
    comment: str
    officer: str
    at: datetime
    undone_at: datetime | None = None
    site: str = ""
    listing: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A snapshot that shows the clue."""

    snapshot_id: str
    at: datetime
    url: str
    rendered: bool
    simulated: bool


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Sealed evidence of the clue."""

    id: str
    level: str
    snapshot_id: str | None
    path: str
    digest: str
    timestamp_state: str
    sealed_at: datetime
    simulated: bool


@dataclass(frozen=True, slots=True)
class Remark:
    """A note."""

    officer: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class ClueDetail:
    """One clue, whole. `context` and the passages of `reading` are as captured (unmasked): mask them by region before showing.

    `parts` are the eight parts. `capture` is the state of the full capture: queued, leased, done, failed or "".
    """

    id: str
    version: int
    state: str
    title: str
    category: str
    rule: str
    severity: str
    method: str
    confidence: float
    score: float
    addends: tuple[dict[str, Any], ...]
    site_id: str
    site_name: str
    area: str
    url: str
    listing_id: str | None
    listing_title: str
    snapshot_id: str
    captured_at: datetime
    quote: str
    context: str
    region: str | None
    operator: str | None
    uscc: str | None
    jurisdiction: str | None
    jurisdiction_reason: str
    needs: tuple[str, ...]
    parts: dict[str, Any]
    seen: int
    reopened: int
    first_seen: datetime
    last_seen: datetime
    assignee: str | None
    claim_expires: datetime | None
    due: Any
    muted_until: datetime | None
    duplicate_of: str | None
    previous_id: str | None
    finding: Finding
    reading: PageReading | None
    exempted: tuple[Silenced, ...]
    missing: tuple[Missing, ...]
    decisions: tuple[Decision, ...]
    similar: tuple[Decision, ...]
    sightings: tuple[Sighting, ...]
    evidence: tuple[Exhibit, ...]
    series: dict[str, tuple[Observation, ...]]
    notes: tuple[Remark, ...]
    cases: tuple[str, ...]
    capture: str
    capture_why: str

    @property
    def masked_quote(self) -> str:
        return mask(self.quote, Region(self.region) if self.region else Region.BODY).text


def clue_detail(session: Session, clue_id: str, *, officer: Officer | None = None, at: datetime) -> ClueDetail:
    """Reads only: the caller notes the look with `queue.viewed`. Raises InputError when there is none to see.

    `at` is now: a claim that ran out is not shown.
    """
    row = session.get(t.Clue, clue_id.strip())
    if row is None or (officer is not None and not may(officer, Action.VIEW, row.area)):
        raise InputError("没有编号为 {id} 的线索", id=clue_id, hint="用 wangxun clues list 查看")
    site = session.get(t.Site, row.site_id)
    holder = session.get(t.Officer, row.assignee_id) if row.assignee_id else None
    job = session.scalar(select(t.CaptureJob).where(t.CaptureJob.snapshot_id == row.snapshot_id))
    body = session.scalar(
        select(t.Finding.body).where(t.Finding.clue_id == row.id).order_by(t.Finding.id.desc()).limit(1)
    )
    assert site is not None
    assert body is not None
    like = (t.Disposition.rule == row.rule, t.Disposition.clue_id != row.id, t.Disposition.undone_at.is_(None))
    return ClueDetail(
        id=row.id,
        version=row.version,
        state=row.state,
        title=row.title,
        category=row.category,
        rule=row.rule,
        severity=row.severity,
        method=row.method,
        confidence=row.confidence,
        score=row.score,
        addends=tuple(row.addends),
        site_id=row.site_id,
        site_name=site.name,
        area=row.area,
        url=row.url,
        listing_id=row.listing_id,
        listing_title=row.listing_title,
        snapshot_id=row.snapshot_id,
        captured_at=row.captured_at,
        quote=row.quote,
        context=row.context,
        region=row.region,
        operator=row.operator,
        uscc=row.uscc,
        jurisdiction=row.jurisdiction,
        jurisdiction_reason=row.jurisdiction_reason,
        needs=tuple(row.needs),
        parts=row.parts,
        seen=row.seen,
        reopened=row.reopened,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        assignee=holder.name if holder else None,
        claim_expires=row.claim_expires if row.claim_expires and row.claim_expires > at else None,
        due=row.due,
        muted_until=row.muted_until,
        duplicate_of=row.duplicate_of,
        previous_id=row.previous_id,
        finding=finding_of(body),
        reading=reading_of(session, row.snapshot_id),
        exempted=_silenced(session, row.snapshot_id),
        missing=_missing(session, row.snapshot_id),
        decisions=_decisions(session, t.Disposition.clue_id == row.id),
        # The same claim first, then the same rule.
        similar=(
            _decisions(session, *like, t.Disposition.claim_digest == row.claim_digest)
            + _decisions(session, *like, t.Disposition.claim_digest != row.claim_digest)
        )[:MAX_SIMILAR],
        sightings=_sightings(session, row.id),
        evidence=_exhibits(session, row.id),
        series=_series(session, row.listing_id),
        notes=_notes(session, row.id),
        cases=tuple(
            session.scalars(
                select(t.CaseClue.case_id).where(t.CaseClue.clue_id == row.id, t.CaseClue.detached_at.is_(None))
            )
        ),
        capture=job.state if job else "",
        capture_why=job.why if job else "",
    )


def _same(snapshot_id: str) -> Select[str]:
    """Snapshots of the same page that say word for word the same: what is common to them is kept with the first."""
    one, other = aliased(t.Snapshot), aliased(t.Snapshot)
    return (
        select(other.id)
        .join(one, (one.page_id == other.page_id) & (one.reading_digest == other.reading_digest))
        .where(one.id == snapshot_id)
    )


def _silenced(session: Session, snapshot_id: str) -> tuple[Silenced, ...]:
    rows = session.scalars(
        select(t.Exempted).where(t.Exempted.snapshot_id.in_(_same(snapshot_id))).order_by(t.Exempted.id)
    )
    return tuple(
        Silenced(
            row.rule,
            row.category,
            row.body.get("quote", ""),
            row.body.get("why", ""),
            row.body.get("exemption", ""),
            row.body.get("pointer", {}).get("region"),
        )
        for row in rows
    )


def _missing(session: Session, snapshot_id: str) -> tuple[Missing, ...]:
    rows = session.scalars(select(t.Need).where(t.Need.snapshot_id.in_(_same(snapshot_id))).order_by(t.Need.id))
    return tuple(Missing(r.rule, r.category, tuple(r.body.get("needs", ())), r.body.get("why", "")) for r in rows)


def _decisions(session: Session, *where: Any) -> tuple[Decision, ...]:
    wanted = (
        select(t.Disposition, t.Officer.name, t.Clue.site_id, t.Clue.listing_title)
        .join(t.Officer, t.Officer.id == t.Disposition.officer_id)
        .join(t.Clue, t.Clue.id == t.Disposition.clue_id)
        .where(*where)
        .order_by(t.Disposition.at.desc(), t.Disposition.id.desc())
        .limit(MAX_SIMILAR)
    )
    return tuple(
        Decision(
            row.clue_id, row.batch_id, row.decision, row.reason, row.comment, name, row.at, row.undone_at, site, listing
        )
        for row, name, site, listing in session.execute(wanted)
    )


def _sightings(session: Session, clue_id: str) -> tuple[Sighting, ...]:
    wanted = (
        select(t.Snapshot)
        .join(t.ClueEvidence, t.ClueEvidence.snapshot_id == t.Snapshot.id)
        .where(t.ClueEvidence.clue_id == clue_id, t.ClueEvidence.evidence_id == "")
        .order_by(t.Snapshot.captured_at.desc())
        .limit(MAX_SIGHTINGS)
    )
    return tuple(
        Sighting(row.id, row.captured_at, row.final_url or row.url, row.rendered, row.simulated)
        for row in session.scalars(wanted)
    )


def _exhibits(session: Session, clue_id: str) -> tuple[Exhibit, ...]:
    wanted = (
        select(t.Evidence)
        .where(t.Evidence.id.in_(select(t.ClueEvidence.evidence_id).where(t.ClueEvidence.clue_id == clue_id)))
        .order_by(t.Evidence.sealed_at, t.Evidence.id)
    )
    return tuple(exhibit(row) for row in session.scalars(wanted))


def exhibit(row: t.Evidence) -> Exhibit:
    """The value of an evidence row."""
    return Exhibit(
        row.id, row.level, row.snapshot_id, row.path, row.digest, row.timestamp_state, row.sealed_at, row.simulated
    )


def _series(session: Session, listing_id: str | None) -> dict[str, tuple[Observation, ...]]:
    if listing_id is None:
        return {}
    wanted = (
        select(t.Observation)
        .where(t.Observation.listing_id == listing_id, t.Observation.fact.in_(SERIES))
        .order_by(t.Observation.at.desc(), t.Observation.id.desc())
        .limit(MAX_SERIES)
    )
    out: dict[str, list[Observation]] = {}
    for row in reversed(session.scalars(wanted).all()):
        out.setdefault(row.fact, []).append(Observation(listing_id, row.fact, row.value, row.at, row.snapshot_id))
    return {name: tuple(points) for name, points in out.items()}


def _notes(session: Session, clue_id: str) -> tuple[Remark, ...]:
    wanted = (
        select(t.Note, t.Officer.name)
        .join(t.Officer, t.Officer.id == t.Note.officer_id)
        .where(t.Note.clue_id == clue_id)
        .order_by(t.Note.at)
    )
    return tuple(Remark(name, row.at, row.body) for row, name in session.execute(wanted))
