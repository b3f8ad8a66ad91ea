"""The tables: one schema for SQLite and PostgreSQL.

Identifiers are UUIDv7 in 32 hexadecimal digits, times are aware UTC, lists and mappings are JSON. Rows that a
bureau answers for carry `area` (division code), `officer` (name of who answers for the row, null: the machine),
`data_class` and `retain_until` (null: no term set yet) from the first migration on.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from contracts.clock import aware

#: Constraint names are fixed so that a migration can name what it drops, on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """An aware instant: `timestamptz` on PostgreSQL, naive UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        at = aware(value)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: A big integer that SQLite still accepts as its own row number.
Serial = BigInteger().with_variant(Integer, "sqlite")
Json = dict[str, Any]
JsonList = list[Any]


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        Json: JSON,
        JsonList: JSON,
        str: Text,
    }


class Governed:
    """Who answers for a row, what kind of data it is, and how long it is kept."""

    area: Mapped[str] = mapped_column(String(12), default="")
    officer: Mapped[str | None] = mapped_column(String(64))
    data_class: Mapped[str] = mapped_column(String(16), default="official")  #: public | official | personal | secret
    retain_until: Mapped[datetime | None]


def _id() -> Mapped[str]:
    return mapped_column(String(32), primary_key=True)


# ---------------------------------------------------------------------------------------------- people


class Officer(Base):
    """执法人员. Signs in, decides, is audited. Never deleted, only made inactive."""

    __tablename__ = "officer"
    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))
    area: Mapped[str] = mapped_column(String(12), default="")  #: "" answers for the whole bureau
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    data_class: Mapped[str] = mapped_column(String(16), default="personal")
    retain_until: Mapped[datetime | None]


class OfficerSession(Base):
    """A log-in. Only the SHA-256 of the opaque id is kept."""

    __tablename__ = "officer_session"
    id: Mapped[str] = _id()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"), index=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="")


# ------------------------------------------------------------------------------- who and what is watched


class Operator(Base, Governed):
    """经营者, as displayed or as registered."""

    __tablename__ = "operator"
    id: Mapped[str] = _id()
    name: Mapped[str]
    uscc: Mapped[str | None] = mapped_column(String(18), unique=True)
    address: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")  #: how we know: displayed, register, officer
    first_seen: Mapped[datetime]


class Site(Base, Governed):
    """网站/店铺: a registered place on the web."""

    __tablename__ = "site"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    entry_urls: Mapped[JsonList]
    render: Mapped[str] = mapped_column(String(8), default="auto")
    robots: Mapped[str] = mapped_column(String(8), default="obey")
    delay_s: Mapped[float | None]
    max_pages: Mapped[int | None]
    platform_id: Mapped[str | None] = mapped_column(ForeignKey("site.id"))
    operator_name: Mapped[str | None]
    uscc: Mapped[str | None] = mapped_column(String(18), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class SiteHost(Base):
    """host[:port] → site, to find the registered site of a URL."""

    __tablename__ = "site_host"
    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, index=True)


class Plan(Base, Governed):
    """巡查计划: which sites, how often, when next. `scope` is {"sites": […]} and/or {"areas": […], "kinds": […]}."""

    __tablename__ = "plan"
    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(String(128), unique=True)
    scope: Mapped[Json]
    interval_s: Mapped[int]
    next_due: Mapped[datetime] = mapped_column(index=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    max_pages: Mapped[int | None]
    render: Mapped[str] = mapped_column(String(8), default="auto")


class PatrolRun(Base, Governed):
    """巡查任务: one run. `state` running | done | interrupted; `tallies` as the patrol reported them."""

    __tablename__ = "patrol_run"
    id: Mapped[str] = _id()
    site_id: Mapped[str | None] = mapped_column(ForeignKey("site.id"), index=True)
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("plan.id"))
    seeds: Mapped[JsonList]
    state: Mapped[str] = mapped_column(String(12), default="running")
    interrupted: Mapped[bool] = mapped_column(default=False)
    simulated: Mapped[bool] = mapped_column(default=False)
    tallies: Mapped[Json]
    failed: Mapped[JsonList]
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]


class Page(Base):
    """One URL of a site over time, with what lets the next visit be conditional."""

    __tablename__ = "page"
    __table_args__ = (UniqueConstraint("site_id", "url_key"),)
    id: Mapped[str] = _id()
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    url_key: Mapped[str]
    url: Mapped[str]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    snapshot_id: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[datetime]


class Reading(Base):
    """What a page said, as zlib-compressed JSON under the SHA-256 of that JSON: an unchanged page is kept once."""

    __tablename__ = "reading"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    data_class: Mapped[str] = mapped_column(String(16), default="personal")  # reviews are people's words
    retain_until: Mapped[datetime | None]


class Listing(Base, Governed):
    """One product or service over time."""

    __tablename__ = "listing"
    __table_args__ = (UniqueConstraint("site_id", "key"),)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    key: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class Snapshot(Base, Governed):
    """页面快照. One a run and URL key: recording it twice changes nothing."""

    __tablename__ = "snapshot"
    __table_args__ = (
        UniqueConstraint("run_id", "url_key"),
        Index("ix_snapshot_listing_id_captured_at", "listing_id", "captured_at"),
        Index("ix_snapshot_site_id_captured_at", "site_id", "captured_at"),
    )
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("patrol_run.id"))
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    page_id: Mapped[str] = mapped_column(ForeignKey("page.id"), index=True)
    listing_id: Mapped[str | None] = mapped_column(ForeignKey("listing.id"))
    url_key: Mapped[str]
    url: Mapped[str]
    final_url: Mapped[str] = mapped_column(default="")
    status: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(default="")
    obstacle: Mapped[str | None] = mapped_column(String(16))
    rendered: Mapped[bool]
    simulated: Mapped[bool]
    digest: Mapped[str] = mapped_column(String(64))
    reading_digest: Mapped[str] = mapped_column(ForeignKey("reading.digest"))
    evidence_ids: Mapped[JsonList]
    captured_at: Mapped[datetime]


class Observation(Base):
    """A fact of a listing at an instant. `value` null: it was shown before and no longer is."""

    __tablename__ = "observation"
    __table_args__ = (UniqueConstraint("listing_id", "fact", "at", "snapshot_id"),)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"))
    fact: Mapped[str] = mapped_column(String(64))
    value: Mapped[str | None]
    at: Mapped[datetime]
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))


class ReviewSeen(Base):
    """That a review was shown, by id and digest; never its words, never its author."""

    __tablename__ = "review_seen"
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    review_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    rating: Mapped[float | None]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))  #: the last that showed it
    data_class: Mapped[str] = mapped_column(String(16), default="personal")
    retain_until: Mapped[datetime | None]


# --------------------------------------------------------------------------------- what the machine says


class Clue(Base, Governed):
    """线索: findings that mean the same, for one person to judge.

    `live` marks the one row that takes further sightings of its fingerprint (all but closed and transferred).
    `parts` holds the eight parts of a usable clue, `version` rises with every act on the clue.
    """

    __tablename__ = "clue"
    __table_args__ = (
        Index(
            "uq_clue_live_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=text("live"),
            postgresql_where=text("live"),
        ),
        Index("ix_clue_fingerprint", "fingerprint"),
        Index("ix_clue_open_score_id", "open", "score", "id"),
        Index("ix_clue_score_id", "score", "id"),
        Index("ix_clue_state_score_id", "state", "score", "id"),
        Index("ix_clue_area_open_score_id", "area", "open", "score", "id"),
        Index("ix_clue_site_id_score_id", "site_id", "score", "id"),
        Index("ix_clue_category_score_id", "category", "score", "id"),
        Index("ix_clue_severity_score_id", "severity", "open", "score", "id"),
        Index("ix_clue_assignee_id_due", "assignee_id", "due"),
        Index("ix_clue_rule_claim", "rule", "claim_digest"),
    )
    id: Mapped[str] = _id()
    fingerprint: Mapped[str] = mapped_column(String(64))
    live: Mapped[bool] = mapped_column(default=True)
    open: Mapped[bool] = mapped_column(default=True)  #: still waits for an officer's judgement
    category: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(96))
    rule_version: Mapped[int]
    method: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(default="")
    severity: Mapped[str] = mapped_column(String(8))
    confidence: Mapped[float]
    score: Mapped[float] = mapped_column(Float)
    addends: Mapped[JsonList]
    state: Mapped[str] = mapped_column(String(12), default="new")
    seen: Mapped[int] = mapped_column(default=1)
    reopened: Mapped[int] = mapped_column(default=0)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    listing_id: Mapped[str | None] = mapped_column(ForeignKey("listing.id"), index=True)
    listing_title: Mapped[str] = mapped_column(default="")
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), index=True)  #: the one it was made from
    url: Mapped[str]
    region: Mapped[str | None] = mapped_column(String(8))
    claim: Mapped[str]
    claim_digest: Mapped[str] = mapped_column(String(64))
    quote: Mapped[str]
    context: Mapped[str] = mapped_column(default="")
    captured_at: Mapped[datetime]
    operator: Mapped[str | None]
    uscc: Mapped[str | None] = mapped_column(String(18), index=True)
    jurisdiction: Mapped[str | None]
    jurisdiction_reason: Mapped[str] = mapped_column(default="")
    needs: Mapped[JsonList]
    parts: Mapped[Json]
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))
    claim_expires: Mapped[datetime | None]
    due: Mapped[date | None]
    muted_until: Mapped[datetime | None]
    duplicate_of: Mapped[str | None] = mapped_column(ForeignKey("clue.id"))
    previous_id: Mapped[str | None] = mapped_column(ForeignKey("clue.id"))
    version: Mapped[int] = mapped_column(default=1)


class Finding(Base):
    """命中, as the detectors said it; `body` is the whole value."""

    __tablename__ = "finding"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), index=True)
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id"), index=True)
    rule: Mapped[str] = mapped_column(String(96))
    version: Mapped[int]
    body: Mapped[Json]


class Exempted(Base):
    """A hit an exemption silenced."""

    __tablename__ = "exempted"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), index=True)
    rule: Mapped[str] = mapped_column(String(96))
    category: Mapped[str] = mapped_column(String(64))
    body: Mapped[Json]


class Need(Base):
    """What would have to be known before a rule may speak."""

    __tablename__ = "need"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), index=True)
    rule: Mapped[str] = mapped_column(String(96))
    category: Mapped[str] = mapped_column(String(64))
    body: Mapped[Json]


class ClueTerms(Base):
    """The words of a clue as code-point bigrams, for search. See cases/search.py."""

    __tablename__ = "clue_terms"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id", ondelete="CASCADE"), unique=True)
    terms: Mapped[str]


# -------------------------------------------------------------------------------------------- evidence


class Evidence(Base, Governed):
    """电子证据: where sealed bytes lie. The bytes themselves are the evidence store's."""

    __tablename__ = "evidence"
    id: Mapped[str] = mapped_column(String(96), primary_key=True)
    level: Mapped[str] = mapped_column(String(8))  #: http | full
    snapshot_id: Mapped[str | None] = mapped_column(ForeignKey("snapshot.id"), index=True)
    url: Mapped[str] = mapped_column(default="")
    path: Mapped[str] = mapped_column(default="")  #: relative to the evidence folder
    digest: Mapped[str] = mapped_column(String(64), default="")
    timestamp_state: Mapped[str] = mapped_column(String(12), default="pending")  #: pending | stamped | failed
    simulated: Mapped[bool] = mapped_column(default=False)
    sealed_at: Mapped[datetime]


class ClueEvidence(Base):
    """Which evidence and snapshot proves which clue."""

    __tablename__ = "clue_evidence"
    __table_args__ = (UniqueConstraint("clue_id", "snapshot_id", "evidence_id"),)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id"))
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), index=True)
    evidence_id: Mapped[str] = mapped_column(String(96), default="", index=True)
    at: Mapped[datetime]


class CaptureJob(Base):
    """A full capture waiting to be made. `state` queued | leased | done | failed."""

    __tablename__ = "capture_job"
    __table_args__ = (UniqueConstraint("snapshot_id"), Index("ix_capture_job_state_created_at", "state", "created_at"))
    id: Mapped[str] = _id()
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id"), index=True)
    url: Mapped[str]
    state: Mapped[str] = mapped_column(String(8), default="queued")
    tries: Mapped[int] = mapped_column(default=0)
    why: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    evidence_id: Mapped[str | None] = mapped_column(String(96))
    created_at: Mapped[datetime]


# ------------------------------------------------------------------------------------ what officers do


class Disposition(Base):
    """处置: an officer's decision on a clue. Undone, it stays and says so."""

    __tablename__ = "disposition"
    __table_args__ = (Index("ix_disposition_rule_at", "rule", "at"),)
    id: Mapped[str] = _id()
    batch_id: Mapped[str] = mapped_column(String(32), index=True)
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id"), index=True)
    decision: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(24), default="")
    comment: Mapped[str] = mapped_column(default="")
    label: Mapped[str] = mapped_column(String(8), default="unknown")  #: training label: true | false | unknown
    rule: Mapped[str] = mapped_column(String(96))
    rule_version: Mapped[int]
    claim_digest: Mapped[str] = mapped_column(String(64))
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"), index=True)
    at: Mapped[datetime]
    before: Mapped[Json]  #: what undo restores
    version_after: Mapped[int]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))


class Mute(Base):
    """静默 with an expiry, for a rule on a site or one claim of it."""

    __tablename__ = "mute"
    __table_args__ = (Index("ix_mute_rule_until", "rule", "until"),)
    id: Mapped[str] = _id()
    rule: Mapped[str] = mapped_column(String(96))
    site_id: Mapped[str | None] = mapped_column(ForeignKey("site.id"))
    claim_digest: Mapped[str | None] = mapped_column(String(64))
    until: Mapped[datetime]
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"))
    created_at: Mapped[datetime]


class RectifyOrder(Base, Governed):
    """责令改正 with its date; revisited then, before and after kept. `state` waiting | corrected | not-corrected | withdrawn."""

    __tablename__ = "rectify_order"
    id: Mapped[str] = _id()
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id"), index=True)
    due: Mapped[date] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    before_snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))
    after_snapshot_id: Mapped[str | None] = mapped_column(ForeignKey("snapshot.id"))
    created_at: Mapped[datetime]


class CaseFile(Base, Governed):
    """案件: clues an officer decided to pursue."""

    __tablename__ = "case_file"
    __table_args__ = (Index("ix_case_file_state_opened_at", "state", "opened_at"),)
    id: Mapped[str] = _id()
    title: Mapped[str]
    state: Mapped[str] = mapped_column(String(12), default="open")
    operator: Mapped[str | None]
    uscc: Mapped[str | None] = mapped_column(String(18), index=True)
    jurisdiction: Mapped[str | None]
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"), index=True)
    opened_at: Mapped[datetime]
    due: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class CaseClue(Base):
    """A clue in a case; detached, the row stays."""

    __tablename__ = "case_clue"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    clue_id: Mapped[str] = mapped_column(ForeignKey("clue.id"), primary_key=True, index=True)
    attached_at: Mapped[datetime]
    detached_at: Mapped[datetime | None]


class CaseEvidence(Base):
    """Evidence put into a case by itself."""

    __tablename__ = "case_evidence"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    evidence_id: Mapped[str] = mapped_column(ForeignKey("evidence.id"), primary_key=True)
    attached_at: Mapped[datetime]


class Note(Base):
    """A remark on a clue or a case."""

    __tablename__ = "note"
    id: Mapped[str] = _id()
    clue_id: Mapped[str | None] = mapped_column(ForeignKey("clue.id"), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"))
    at: Mapped[datetime]
    body: Mapped[str]
    data_class: Mapped[str] = mapped_column(String(16), default="official")
    retain_until: Mapped[datetime | None]


class SavedView(Base):
    """A saved filter of the queue. `officer_id` null: shared by all."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("officer_id", "name"),)
    id: Mapped[str] = _id()
    officer_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))
    name: Mapped[str] = mapped_column(String(64))
    filters: Mapped[Json]
    is_default: Mapped[bool] = mapped_column(default=False)


# ------------------------------------------------------------------------------------ answerable for all


class Audit(Base):
    """Append-only, hash-chained. Triggers refuse UPDATE and DELETE; the chain finds what got past them."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject_kind", "subject_id"),)
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))  #: officer's name, or "system"
    action: Mapped[str] = mapped_column(String(48))
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(96))
    body: Mapped[Json]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)


class AccessLog(Base):
    """Who unmasked whose personal data, and why."""

    __tablename__ = "access_log"
    id: Mapped[str] = _id()
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(96))
    fields: Mapped[JsonList]
    reason: Mapped[str]
    retain_until: Mapped[datetime | None]


class Counter(Base):
    """Counts kept by event, since counting a million rows takes a third of a second."""

    __tablename__ = "counter"
    area: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class CalendarDay(Base):
    """An imported day that is not as its weekday says: 节假日 or 调休. `source` names the notice it came from."""

    __tablename__ = "calendar_day"
    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")


class RegisterRow(Base):
    """One row of an imported register (trademarks, operators, permits, complaints, penalties)."""

    __tablename__ = "register_row"
    __table_args__ = (Index("ix_register_row_kind_key", "kind", "key"),)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(128))
    fields: Mapped[Json]
    as_of: Mapped[date | None]
    data_class: Mapped[str] = mapped_column(String(16), default="official")
    retain_until: Mapped[datetime | None]


class Setting(Base):
    """A small value the bureau set while running."""

    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Json]
