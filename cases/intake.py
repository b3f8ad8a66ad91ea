"""From what the detectors said about one snapshot to rows and deduplicated clues, in the caller's one transaction.

Recording the same page of the same run twice changes nothing, so a patrol killed at any moment simply runs again.
"""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from cases import audit, counters, pages, search
from cases import models as t
from cases.captures import queue_capture
from cases.keys import digest, fingerprint, listing_id_of, normal_claim, url_key
from cases.pages import history, validators
from cases.parts import eight_parts, jurisdiction_of, subject_of
from cases.readings import plain
from cases.registry import get_site, note_operator
from cases.runs import finish_run, resumable_run, start_run
from cases.score import SEVERITY_WEIGHT, count_of, score
from cases.states import OPEN_STATES, ClueState, Move, next_clue_state
from contracts.finding import Detection, Finding, Severity
from contracts.ids import new_id
from contracts.page import CONSUMER_VOICE
from contracts.site import Site, Snapshot

__all__ = [
    "Intake",
    "finish_run",
    "history",
    "listing_id_of",
    "record",
    "record_unchanged",
    "resumable_run",
    "start_run",
    "url_key",
    "validators",
]

_ACTED = ("confirmed", "dispatched", "order", "case", "transferred", "closed")


@dataclass(frozen=True, slots=True)
class Intake:
    """What one snapshot brought. `new` and `seen` count clues; `clue_ids` are all the snapshot shows.
    `repeated`: this run had recorded the page before, and nothing was changed."""

    snapshot_id: str
    new: int = 0
    seen: int = 0
    reopened: int = 0
    clue_ids: tuple[str, ...] = ()
    repeated: bool = False


def record(
    session: Session,
    snapshot: Snapshot,
    detection: Detection,
    run_id: str,
    *,
    at: datetime,
    page_key: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    capture: bool = True,
) -> Intake:
    """Writes the snapshot, what it showed, and its clues.

    `page_key` is the crawler's key of the page (else made from the URL). `capture` queues a full capture for each
    page with a new or reopened clue. Raises InputError when the site is not registered.
    """
    key = page_key or url_key(snapshot.url)
    _one_at_a_time(session, snapshot.site_id)
    if before := pages.recorded(session, run_id, key):
        return Intake(before.id, clue_ids=_clues_of(session, before.id), repeated=True)
    site = get_site(session, snapshot.site_id)
    kept = pages.keep(session, snapshot, site, run_id, url_key=key, etag=etag, last_modified=last_modified)
    if kept.changed:
        for hit in detection.exempted:
            session.add(t.Exempted(snapshot_id=snapshot.id, rule=hit.rule, category=hit.category, body=plain(hit)))
        for need in detection.needs:
            session.add(t.Need(snapshot_id=snapshot.id, rule=need.rule, category=need.category, body=plain(need)))
    taking = _Taking(session, replace(snapshot, listing_id=kept.row.listing_id), site, at, capture)
    for finding in detection.findings:
        taking.take(finding)
    return taking.done()


def record_unchanged(
    session: Session,
    site_id: str,
    url: str,
    run_id: str,
    *,
    snapshot_id: str,
    captured_at: datetime,
    at: datetime,
    page_key: str | None = None,
    evidence: tuple[str, ...] = (),
) -> Intake | None:
    """A page that answered 304, or whose bytes are the same: it shows what it showed, and its clues are seen again.

    None when the page is not known; it then has to be fetched whole.
    """
    key = page_key or url_key(url)
    _one_at_a_time(session, site_id)
    if before := pages.recorded(session, run_id, key):
        return Intake(before.id, clue_ids=_clues_of(session, before.id), repeated=True)
    last = pages.validators(session, site_id, url, url_key=key)
    earlier = pages.snapshot_of(session, last.snapshot_id) if last and last.snapshot_id else None
    if last is None or earlier is None:
        return None
    site = get_site(session, site_id)
    again = replace(earlier, id=snapshot_id, captured_at=captured_at, evidence=evidence)
    pages.keep(session, again, site, run_id, url_key=key, etag=last.etag, last_modified=last.last_modified)
    taking = _Taking(session, again, site, at, capture=False)
    for clue_id in _clues_of(session, earlier.id):
        row = session.get(t.Clue, clue_id)
        if row is not None and row.live:
            taking.see(row, None)
    return taking.done()


class _Taking:
    """One snapshot's findings on their way to clues; several findings of one meaning count once."""

    def __init__(self, session: Session, snapshot: Snapshot, site: Site, at: datetime, capture: bool) -> None:
        self._session, self._snapshot, self._site, self._at, self._capture = session, snapshot, site, at, capture
        self._subject = subject_of(snapshot, site)
        self._changes: counters.Changes = Tally()
        self._taken: dict[str, str] = {}
        self._new: list[str] = []
        self._reopened: list[str] = []

    def take(self, finding: Finding) -> None:
        """A new clue, or one more sighting of the one that means the same."""
        mark = fingerprint(self._site.id, self._snapshot.listing_id, finding.rule, finding.claim or finding.quote)
        if mark in self._taken:
            self._session.add(self._finding_row(finding, self._taken[mark]))
            return
        row = self._session.scalar(select(t.Clue).where(t.Clue.fingerprint == mark, t.Clue.live).with_for_update())
        if row is None:
            row = self._make(finding, mark)
        else:
            self.see(row, finding)
        self._taken[mark] = row.id

    def see(self, row: t.Clue, finding: Finding | None) -> None:
        """Counts a sighting; reopens a judged clue when something that matters is different, or its silence is over."""
        row.seen += 1
        row.last_seen = max(row.last_seen, self._snapshot.captured_at)
        self._taken.setdefault(row.fingerprint, row.id)
        self._prove(row.id)
        why = _material(row, finding, self._subject.uscc) if finding else ""
        if row.state == ClueState.MUTED and row.muted_until and row.muted_until <= self._at:
            why = why or "静默期满，仍在展示"
        if not why:
            return
        assert finding is None or finding.rule == row.rule
        before, fields = row.state, self._described(finding) if finding else {}
        if finding:
            self._session.add(self._finding_row(finding, row.id))
        reopen = row.state in {ClueState.DISMISSED, ClueState.DUPLICATE, ClueState.MUTED}
        # Its old counters first: severity is one of them.
        self._changes[row.area, f"state:{before}"] -= 1
        self._changes[row.area, f"open:{row.severity}"] -= before in OPEN_STATES
        for name, value in fields.items():
            setattr(row, name, value)
        if reopen:
            row.state, row.open = next_clue_state(row.state, Move.REOPEN).value, True
            row.reopened, row.muted_until, row.duplicate_of = row.reopened + 1, None, None
            row.assignee_id, row.claim_expires = None, None
            self._reopened.append(row.id)
        row.version += 1
        self._changes[row.area, f"state:{row.state}"] += 1
        self._changes[row.area, f"open:{row.severity}"] += row.state in OPEN_STATES
        audit.record(
            self._session,
            audit.SYSTEM,
            "clue.reopened" if reopen else "clue.changed",
            "clue",
            row.id,
            {"why": why},
            at=self._at,
        )
        if self._capture:
            queue_capture(
                self._session, self._snapshot.id, row.id, self._snapshot.final_url or self._snapshot.url, at=self._at
            )

    def done(self) -> Intake:
        """Writes the counters and one audit line; what came of it all."""
        counters.apply(self._session, self._changes)
        if self._new:
            audit.record(
                self._session,
                audit.SYSTEM,
                "clue.found",
                "snapshot",
                self._snapshot.id,
                {"clues": self._new},
                at=self._at,
            )
        self._session.flush()
        ids = tuple(self._taken.values())
        return Intake(self._snapshot.id, len(self._new), len(ids) - len(self._new), len(self._reopened), ids)

    def _make(self, finding: Finding, mark: str) -> t.Clue:
        session, snapshot = self._session, self._snapshot
        if self._subject.operator:
            note_operator(
                session, self._subject.operator, self._subject.uscc, source="page", at=self._at, area=self._site.area
            )
        row = t.Clue(
            id=new_id(self._at),
            fingerprint=mark,
            area=self._site.area,
            first_seen=snapshot.captured_at,
            last_seen=snapshot.captured_at,
            site_id=self._site.id,
            listing_id=snapshot.listing_id,
            claim=plain(finding.claim),
            claim_digest=digest(normal_claim(finding.claim or finding.quote)),
            state=ClueState.NEW.value,
            seen=1,
            reopened=0,
            version=1,
            live=True,
            open=True,
            **self._described(finding),
        )
        row.previous_id = session.scalar(
            select(t.Clue.id).where(t.Clue.fingerprint == mark).order_by(t.Clue.id.desc()).limit(1)
        )
        if until := self._muted_until(finding.rule, row.claim_digest):
            row.state, row.open, row.muted_until = ClueState.MUTED.value, False, until
        session.add(row)
        session.flush()
        session.add(self._finding_row(finding, row.id))
        self._prove(row.id)
        search.index(session, row.id, row.quote, row.listing_title, row.context, row.title, row.operator or "", row.url)
        counters.moved(self._changes, row, None)
        self._new.append(row.id)
        if self._capture and row.open:
            queue_capture(session, snapshot.id, row.id, snapshot.final_url or snapshot.url, at=self._at)
        return row

    def _described(self, finding: Finding) -> dict[str, Any]:
        """The columns of a clue that tell what was found now."""
        snapshot, reading = self._snapshot, self._snapshot.reading
        where = jurisdiction_of(snapshot, self._site, self._subject, finding.category)
        buyers = max(count_of(reading.value("sales_count")), count_of(reading.value("review_count")))
        rated = score(finding.severity, finding.confidence, buyers=buyers, earlier=self._earlier())
        first = finding.evidence[0] if finding.evidence else None
        return {
            "category": finding.category,
            "rule": finding.rule,
            "rule_version": finding.version,
            "method": finding.method.value,
            "title": plain(finding.title),
            "severity": finding.severity.value,
            "confidence": finding.confidence,
            "score": rated.value,
            "addends": list(rated.addends),
            "listing_title": plain(reading.value("name") or reading.title)[:500],
            "snapshot_id": snapshot.id,
            "url": plain(snapshot.final_url or snapshot.url),
            "region": first.region.value if first and first.region else None,
            "quote": plain(finding.quote)[:2000],
            "context": plain(first.context)[:4000] if first else "",
            "captured_at": snapshot.captured_at,
            "operator": plain(self._subject.operator) if self._subject.operator else None,
            "uscc": self._subject.uscc if self._subject.uscc_valid else None,
            "jurisdiction": plain(where.place) if where.place else None,
            "jurisdiction_reason": where.reason,
            "needs": list(finding.needs),
            "parts": plain_parts(eight_parts(snapshot, self._site, finding, self._subject, where)),
        }

    def _earlier(self) -> int:
        """Clues of the same operator, or without one of the same site, that officers acted on."""
        who = (
            t.Clue.uscc == self._subject.uscc
            if self._subject.uscc and self._subject.uscc_valid
            else t.Clue.site_id == self._site.id
        )
        limited = select(t.Clue.id).where(who, t.Clue.state.in_(_ACTED)).limit(4).subquery()
        return self._session.scalar(select(func.count()).select_from(limited)) or 0

    def _muted_until(self, rule: str, claim_digest: str) -> datetime | None:
        wanted = select(func.max(t.Mute.until)).where(
            t.Mute.rule == rule,
            t.Mute.until > self._at,
            or_(t.Mute.site_id.is_(None), t.Mute.site_id == self._site.id),
            or_(t.Mute.claim_digest.is_(None), t.Mute.claim_digest == claim_digest),
        )
        return self._session.scalar(wanted)

    def _finding_row(self, finding: Finding, clue_id: str) -> t.Finding:
        return t.Finding(
            snapshot_id=self._snapshot.id,
            clue_id=clue_id,
            rule=finding.rule,
            version=finding.version,
            body=plain(finding),
        )

    def _prove(self, clue_id: str) -> None:
        """The sighting itself (evidence "": the row history reads), and each sealed evidence of the snapshot."""
        for evidence_id in ("", *self._snapshot.evidence):
            self._session.add(
                t.ClueEvidence(
                    clue_id=clue_id,
                    snapshot_id=self._snapshot.id,
                    evidence_id=evidence_id,
                    at=self._snapshot.captured_at,
                )
            )


def plain_parts(parts: dict[str, Any]) -> dict[str, Any]:
    """The eight parts with every string made storable; unknown stays null, for an officer must see that it is unknown."""
    return {name: _storable(part) for name, part in parts.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return plain(value) if isinstance(value, str) else value


def _material(row: t.Clue, finding: Finding, uscc: str | None) -> str:
    """Why a sighting differs in something that matters, in Chinese; "" when it does not."""
    if SEVERITY_WEIGHT[finding.severity] > SEVERITY_WEIGHT[Severity(row.severity)]:
        return "严重程度上升"
    if uscc and row.uscc and uscc != row.uscc:
        return "经营主体变化"
    if set(row.needs) - set(finding.needs):
        return "此前缺少的数据已取得"
    here = finding.evidence[0].region if finding.evidence else None
    if row.region in CONSUMER_VOICE and here is not None and here not in CONSUMER_VOICE:
        return "由消费者言论变为商家表述"
    laws = {(item.get("law"), item.get("article")) for item in row.parts.get("norm", {}).get("basis", ())}
    if {(basis.law, basis.article) for basis in finding.basis} - laws:
        return "适用条款变化"
    return ""


def _clues_of(session: Session, snapshot_id: str) -> tuple[str, ...]:
    return tuple(
        session.scalars(
            select(t.ClueEvidence.clue_id)
            .where(t.ClueEvidence.snapshot_id == snapshot_id, t.ClueEvidence.evidence_id == "")
            .order_by(t.ClueEvidence.id)
        )
    )


def _one_at_a_time(session: Session, site_id: str) -> None:
    """Two patrols of one site must not both find a clue new. SQLite's write lock sees to it by itself."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(7260003, hashtext(:site))").bindparams(site=site_id))
