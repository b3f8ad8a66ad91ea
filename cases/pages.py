"""What was seen: rows for one snapshot (page, reading, listing, observations, reviews), and the history detectors ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, aliased

from cases import models as t
from cases.keys import digest, listing_id_of, listing_key
from cases.keys import url_key as key_of
from cases.readings import pack, plain, unpack
from contracts.ids import new_id
from contracts.page import PageReading
from contracts.site import History, Observation, Site, SiteKind, Snapshot

#: Most facts kept of a snapshot, longest value kept, most reviews noted, most observations given as history.
#: What only a later look can answer.
TIME_NEEDS = frozenset({"history", "history:price", "history:reviews", "history:counts", "second-capture"})
MAX_FACTS, MAX_VALUE, MAX_REVIEWS, MAX_HISTORY = 100, 2000, 2000, 20_000


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes the next visit of a page conditional, and what it showed last."""

    etag: str | None
    last_modified: str | None
    digest: str | None
    snapshot_id: str | None
    seen_at: datetime
    rendered: bool = False  #: a browser had to show it, so its own bytes do not tell whether it changed


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot's row. `changed` False: its page said word for word the same the time before."""

    row: t.Snapshot
    changed: bool


def validators(session: Session, site_id: str, url: str, *, url_key: str | None = None) -> Validators | None:
    """None when the page was never recorded."""
    row = _page(session, site_id, url_key or key_of(url))
    if row is None:
        return None
    last = session.get(t.Snapshot, row.snapshot_id) if row.snapshot_id else None
    rendered = last is not None and last.rendered
    return Validators(row.etag, row.last_modified, row.digest, row.snapshot_id, row.seen_at, rendered)


def waits_for_time(session: Session, snapshot_id: str) -> bool:
    """Whether a rule asked for a further look at what this snapshot showed, or at an earlier one that said the same.

    The needs of a page are written when it first says something, not each time it says it again.
    """
    now, then = aliased(t.Snapshot), aliased(t.Snapshot)
    told = (
        select(t.Need.body)
        .join(then, then.id == t.Need.snapshot_id)
        .join(now, (now.page_id == then.page_id) & (now.reading_digest == then.reading_digest))
        .where(now.id == snapshot_id)
    )
    return any(set(body.get("needs", ())) & TIME_NEEDS for body in session.scalars(told))


def recorded(session: Session, run_id: str, url_key: str) -> t.Snapshot | None:
    """The snapshot this run already has of this page."""
    return session.scalar(select(t.Snapshot).where(t.Snapshot.run_id == run_id, t.Snapshot.url_key == url_key))


def keep(
    session: Session,
    snapshot: Snapshot,
    site: Site,
    run_id: str,
    *,
    url_key: str,
    etag: str | None,
    last_modified: str | None,
) -> Kept:
    """Writes everything about `snapshot` but its findings, in the caller's transaction."""
    reading, at = snapshot.reading, snapshot.captured_at
    page = _page(session, site.id, url_key)
    if page is None:
        page = t.Page(id=new_id(at), site_id=site.id, url_key=url_key, url=_clean(snapshot.url), seen_at=at)
        session.add(page)
    name, body, size = pack(reading)
    earlier = session.get(t.Snapshot, page.snapshot_id) if page.snapshot_id else None
    page.etag, page.last_modified, page.digest = etag, last_modified, snapshot.digest
    page.snapshot_id, page.status, page.seen_at = snapshot.id, snapshot.status, at
    _insert_new(session, t.Reading, {"digest": name, "body": body, "size": size, "data_class": "personal"})
    listing = _listing(session, snapshot, site)
    session.flush()
    row = t.Snapshot(
        id=snapshot.id,
        run_id=run_id,
        site_id=site.id,
        page_id=page.id,
        listing_id=listing.id if listing else None,
        url_key=url_key,
        url=_clean(snapshot.url),
        final_url=_clean(snapshot.final_url),
        status=snapshot.status,
        kind=reading.kind.value,
        title=_clean(reading.title)[:500],
        obstacle=reading.obstacle.value if reading.obstacle else None,
        rendered=snapshot.rendered,
        simulated=snapshot.simulated,
        digest=snapshot.digest,
        reading_digest=name,
        evidence_ids=list(snapshot.evidence),
        captured_at=at,
        area=site.area,
        data_class="public",
    )
    session.add(row)
    session.flush()
    if listing and not reading.obstacle:
        _observe(session, listing.id, reading, row)
        _note_reviews(session, listing.id, reading, row)
    return Kept(row, changed=earlier is None or earlier.reading_digest != name)


def history(session: Session, listing_id: str | None, before: datetime) -> History:
    """Everything observed of a listing before that instant, oldest first; empty for None.

    Besides the facts, fact "review" holds one observation a review ever seen: value its id, `at` when it was last
    shown, `snapshot_id` the snapshot that showed it last. `claims` holds the quotes of earlier findings and needs by rule.
    """
    if listing_id is None:
        return History()
    observations: dict[str, list[Observation]] = defaultdict(list)
    newest = (
        select(t.Observation)
        .where(t.Observation.listing_id == listing_id, t.Observation.at < before)
        .order_by(t.Observation.at.desc(), t.Observation.id.desc())
        .limit(MAX_HISTORY)
    )
    for seen in reversed(session.scalars(newest).all()):
        observations[seen.fact].append(Observation(listing_id, seen.fact, seen.value, seen.at, seen.snapshot_id))
    reviews = (
        select(t.ReviewSeen)
        .where(t.ReviewSeen.listing_id == listing_id, t.ReviewSeen.last_seen < before)
        .order_by(t.ReviewSeen.last_seen, t.ReviewSeen.review_id)
    )
    for review in session.scalars(reviews):
        observations["review"].append(
            Observation(listing_id, "review", review.review_id, review.last_seen, review.snapshot_id)
        )
    claims: dict[str, list[Observation]] = defaultdict(list)
    sightings = (
        select(t.Clue.rule, t.Clue.quote, t.ClueEvidence.at, t.ClueEvidence.snapshot_id)
        .join(t.ClueEvidence, t.ClueEvidence.clue_id == t.Clue.id)
        .where(t.Clue.listing_id == listing_id, t.ClueEvidence.at < before, t.ClueEvidence.evidence_id == "")
        .order_by(t.ClueEvidence.at)
    )
    for rule, quote, at, snapshot_id in session.execute(sightings):
        claims[rule].append(Observation(listing_id, rule, quote, at, snapshot_id))
    asked = (
        select(t.Need.rule, t.Need.body, t.Snapshot.captured_at, t.Snapshot.id)
        .join(t.Snapshot, t.Snapshot.id == t.Need.snapshot_id)
        .where(t.Snapshot.listing_id == listing_id, t.Snapshot.captured_at < before)
        .order_by(t.Snapshot.captured_at)
        .limit(MAX_HISTORY)
    )
    for rule, body, at, snapshot_id in session.execute(asked):
        if quote := body.get("pointer", {}).get("quote"):  # empty fields are not stored
            claims[rule].append(Observation(listing_id, rule, quote, at, snapshot_id))
    captures = session.scalars(
        select(t.Snapshot.captured_at)
        .where(t.Snapshot.listing_id == listing_id, t.Snapshot.captured_at < before, t.Snapshot.obstacle.is_(None))
        .order_by(t.Snapshot.captured_at)
    ).all()
    return History(dict(observations), dict(claims), captures[0] if captures else None, tuple(captures))


def reading_of(session: Session, snapshot_id: str) -> PageReading | None:
    """What a snapshot said; None when it is not known."""
    body = session.scalar(
        select(t.Reading.body)
        .join(t.Snapshot, t.Snapshot.reading_digest == t.Reading.digest)
        .where(t.Snapshot.id == snapshot_id)
    )
    return unpack(body) if body is not None else None


def snapshot_of(session: Session, snapshot_id: str) -> Snapshot | None:
    """The stored snapshot as the value everybody speaks in."""
    row = session.get(t.Snapshot, snapshot_id)
    reading = reading_of(session, snapshot_id)
    if row is None or reading is None:
        return None
    kind = session.scalar(select(t.Site.kind).where(t.Site.id == row.site_id))
    return Snapshot(
        id=row.id,
        site_id=row.site_id,
        site_kind=SiteKind(kind or "self-built"),
        url=row.url,
        captured_at=row.captured_at,
        reading=reading,
        final_url=row.final_url,
        status=row.status,
        rendered=row.rendered,
        digest=row.digest,
        listing_id=row.listing_id,
        evidence=tuple(row.evidence_ids),
        simulated=row.simulated,
    )


def _page(session: Session, site_id: str, url_key: str) -> t.Page | None:
    return session.scalar(select(t.Page).where(t.Page.site_id == site_id, t.Page.url_key == url_key))


def _insert_new(session: Session, table: type[t.Base], values: Mapping[str, object]) -> None:
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    session.execute(insert(table).values(values).on_conflict_do_nothing())


def _listing(session: Session, snapshot: Snapshot, site: Site) -> t.Listing | None:
    found = snapshot.listing_id or listing_id_of(site.id, snapshot.url, snapshot.reading)
    if found is None:
        return None
    at, title = snapshot.captured_at, _clean(snapshot.reading.value("name") or snapshot.reading.title)[:500]
    row = session.get(t.Listing, found)
    if row is None:
        key = listing_key(snapshot.url, snapshot.reading) or found
        row = t.Listing(id=found, site_id=site.id, key=key, first_seen=at, area=site.area, data_class="public")
        session.add(row)
    row.title, row.url, row.last_seen = title or row.title or "", _clean(snapshot.final_url or snapshot.url), at
    return row


def _observe(session: Session, listing_id: str, reading: PageReading, row: t.Snapshot) -> None:
    """One observation a fact shown, and one without value for each fact that the time before still was shown."""
    shown = {
        name[:64]: _clean(fact.value)[:MAX_VALUE]
        for name, fact in list(reading.facts.items())[:MAX_FACTS]
        if fact.value
    }
    before = session.execute(
        select(t.Snapshot.id)
        .where(t.Snapshot.listing_id == listing_id, t.Snapshot.id != row.id, t.Snapshot.obstacle.is_(None))
        .order_by(t.Snapshot.captured_at.desc())
        .limit(1)
    ).scalar()
    gone: set[str] = set()
    if before is not None:
        told = select(t.Observation.fact).where(
            t.Observation.snapshot_id == before,
            t.Observation.listing_id == listing_id,
            t.Observation.value.is_not(None),
        )
        gone = set(session.scalars(told)) - shown.keys()
    session.add_all(
        t.Observation(listing_id=listing_id, fact=fact, value=value, at=row.captured_at, snapshot_id=row.id)
        for fact, value in [*shown.items(), *((fact, None) for fact in sorted(gone))]
    )


def _note_reviews(session: Session, listing_id: str, reading: PageReading, row: t.Snapshot) -> None:
    known = {
        seen.review_id: seen
        for seen in session.scalars(select(t.ReviewSeen).where(t.ReviewSeen.listing_id == listing_id))
    }
    for review in reading.reviews[:MAX_REVIEWS]:
        review_id = _clean(review.id) or digest(review.author_hash, review.text)[:32]
        review_id = review_id if len(review_id) <= 128 else digest(review_id)
        seen = known.get(review_id)
        if seen is None:
            seen = known[review_id] = t.ReviewSeen(
                listing_id=listing_id, review_id=review_id, first_seen=row.captured_at, rating=review.rating
            )
            session.add(seen)
        seen.digest, seen.last_seen, seen.snapshot_id = digest(review.text), row.captured_at, row.id


def _clean(words: str) -> str:
    return str(plain(words))
