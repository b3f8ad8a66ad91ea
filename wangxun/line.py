"""The line: page after page from the patrol through evidence, reading and detection into rows and clues.

    crawler.patrol ─FetchedPage─> evidence (WARC) ─> read_page ─> detect ─> cases.intake ─> queue of full captures

A batch is made durable in this order: the WARC records, then the rows that point at them, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from cases import captures, intake, pages
from contracts.finding import Detection, NoRegisters, Registers
from contracts.ids import new_id
from contracts.page import Obstacle, PageKind, PageReading
from contracts.site import History, Site, Snapshot
from crawler.extract import read_page
from crawler.urls import key_of, normalise
from crawler.values import FetchedPage, Verdict
from detectors.registry import Detectors
from evidence.exchange import Exchange
from wangxun.runtime import Runtime

#: A page hands on at most so many links: ten thousand are a trap, not a shop.
MAX_LINKS = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """A page that waits for its batch to be made durable. `detection` None: it shows what it showed before."""

    snapshot: Snapshot
    detection: Detection | None
    key: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass
class Counts:
    """What one patrol brought, of this session."""

    snapshots: int = 0
    listings: set[str] = field(default_factory=set)
    new: int = 0
    seen: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    obstacles: Counter[str] = field(default_factory=Counter)
    unreadable: list[dict[str, str]] = field(default_factory=list)  #: kept as evidence, but their reading broke


class Line:
    """The patrol's sink (`crawler.values.Sink`): records every page of one run."""

    def __init__(self, runtime: Runtime, run_id: str, *, review_key: bytes, registers: Registers | None = None) -> None:
        self._runtime = runtime
        self._run_id = run_id
        self._review_key = review_key
        self._registers = registers or NoRegisters()
        self._detectors = Detectors(runtime.library)
        self._http = runtime.vault.open_run(run_id, {"agency": runtime.config.agency or "-"})
        self._batch: list[Taken] = []
        self.counts = Counts()

    # -- crawler.values.Sink -------------------------------------------------------------------------------------

    def known(self, url_key: str) -> bool:
        with self._runtime.session(read_only=True) as session:
            return pages.recorded(session, self._run_id, url_key) is not None

    def validators(self, site: Site, url: str) -> tuple[str | None, str | None]:
        """None for a page that a browser had to show: its own bytes say nothing of what scripts fetch."""
        with self._runtime.session(read_only=True) as session:
            held = pages.validators(session, site.id, url, url_key=key_of(normalise(url) or url).hex())
        return (None, None) if held is None or held.rendered else (held.etag, held.last_modified)

    def failed(self, site: Site, url: str, why: str) -> None:
        """Counted and named by the patrol's own tally."""

    def page(self, page: FetchedPage) -> Verdict:
        before = self._same_as_before(page)
        if before is not None:
            if before.rendered and not page.rendered and not page.render_error:
                return Verdict(render=True)
            return self._unchanged(page, before)
        reading = self._read(page)
        if wants_browser(page, reading):
            return Verdict(render=True)
        for hop in hops_of(page):
            self._http.append(hop)
        record = self._http.append(exchange_of(page))
        snapshot = Snapshot(
            id=new_id(page.fetched_at),
            site_id=page.site.id,
            site_kind=page.site.kind,
            url=page.url,
            captured_at=page.fetched_at,
            reading=reading,
            final_url=page.final_url,
            status=page.status,
            rendered=page.rendered,
            digest=digest_of(page),
            listing_id=intake.listing_id_of(page.site.id, page.url, reading),
            evidence=(record.evidence_id,),
            simulated=self._runtime.clock.simulated,
        )
        taken = Taken(snapshot, self._detect(snapshot), page.key, header(page, "etag"), header(page, "last-modified"))
        return self._take(taken)

    def commit(self) -> None:
        """WARC first, then the rows that point at it; a full disk raises before any row points at nothing."""
        self._http.commit()
        batch, self._batch = self._batch, []
        with self._runtime.session() as session:
            for taken in batch:
                self._record(session, taken)
        if self._http.due:
            self._http.seal(stamp=False)

    def close(self) -> None:
        """Seals the last batch and has it stamped where an authority answers."""
        self._http.seal()
        self._http.close()

    # -- one page ------------------------------------------------------------------------------------------------

    def _same_as_before(self, page: FetchedPage) -> Snapshot | None:
        """What this address showed last, when it answers 304 or with the same bytes."""
        if page.rendered:
            return None
        with self._runtime.session(read_only=True) as session:
            held = pages.validators(session, page.site.id, page.url, url_key=page.key)
            if held is None or held.snapshot_id is None or not (page.not_modified or held.digest == digest_of(page)):
                return None
            return pages.snapshot_of(session, held.snapshot_id)

    def _unchanged(self, page: FetchedPage, before: Snapshot) -> Verdict:
        """The same again is news only to rules that wait for a second look (a sale that was to end yesterday)."""
        held = next((e for e in before.evidence if e.startswith("http.")), None)
        record = self._http.append(exchange_of(page), earlier=held)
        again = replace(
            before,
            id=new_id(page.fetched_at),
            captured_at=page.fetched_at,
            evidence=(record.evidence_id,),
            simulated=self._runtime.clock.simulated,
        )
        with self._runtime.session(read_only=True) as session:
            waits = pages.waits_for_time(session, before.id)
        detection = self._detect(again) if waits else None
        return self._take(Taken(again, detection, page.key, header(page, "etag"), header(page, "last-modified")))

    def _read(self, page: FetchedPage) -> PageReading:
        """The reading; a page that breaks the reader is kept as evidence, counted and named, and the patrol goes on."""
        body: bytes | str = page.dom if page.rendered and page.dom is not None else page.body
        try:
            return read_page(
                body,
                page.final_url,
                content_type=header(page, "content-type") or "",
                at=page.fetched_at,
                review_key=self._review_key,
            )
        except Exception as error:  # noqa: BLE001 — one hostile page must not end a patrol of a thousand shops
            self.counts.unreadable.append({"url": page.url, "why": f"{type(error).__name__}: {error}"[:200]})
            return PageReading(kind=PageKind.OTHER, notes=(f"读取出错: {type(error).__name__}",))

    def _detect(self, snapshot: Snapshot) -> Detection:
        with self._runtime.session(read_only=True) as session:
            history = (
                intake.history(session, snapshot.listing_id, snapshot.captured_at) if snapshot.listing_id else History()
            )
        detection, broken = self._detectors(snapshot, history, self._registers, snapshot.captured_at)
        self.counts.unreadable.extend({"url": snapshot.url, "why": why} for why in broken)
        return detection

    def _take(self, taken: Taken) -> Verdict:
        self._batch.append(taken)
        return Verdict(links=tuple(link.url for link in taken.snapshot.reading.links[:MAX_LINKS]))

    def _record(self, session: Session, taken: Taken) -> None:
        snapshot, at = taken.snapshot, self._runtime.clock.now()
        if taken.detection is None:
            done = intake.record_unchanged(
                session,
                snapshot.site_id,
                snapshot.url,
                self._run_id,
                snapshot_id=snapshot.id,
                captured_at=snapshot.captured_at,
                at=at,
                page_key=taken.key,
                evidence=snapshot.evidence,
            )
        else:
            done = intake.record(
                session,
                snapshot,
                taken.detection,
                self._run_id,
                at=at,
                page_key=taken.key,
                etag=taken.etag,
                last_modified=taken.last_modified,
            )
        if done is None or done.repeated:
            return
        if done.clue_ids:
            self._note_evidence(session, snapshot)
        self._count(snapshot, done)

    def _note_evidence(self, session: Session, snapshot: Snapshot) -> None:
        """Rows for the evidence of pages that carry a clue; of the others the snapshot itself holds the id."""
        for evidence_id in snapshot.evidence:
            captures.add_evidence(
                session,
                captures.Sealed(
                    id=evidence_id,
                    level="http",
                    url=snapshot.url,
                    sealed_at=snapshot.captured_at,
                    snapshot_id=snapshot.id,
                    digest=snapshot.digest,
                    simulated=snapshot.simulated,
                ),
            )

    def _count(self, snapshot: Snapshot, done: intake.Intake) -> None:
        counts, reading = self.counts, snapshot.reading
        counts.snapshots += 1
        counts.new += done.new
        counts.seen += done.seen
        counts.kinds[reading.kind.value] += 1
        if snapshot.listing_id:
            counts.listings.add(snapshot.listing_id)
        if reading.obstacle:
            counts.obstacles[reading.obstacle.value] += 1


def wants_browser(page: FetchedPage, reading: PageReading) -> bool:
    """Whether the static page shows less than a browser would: a script's empty shell, or goods without their price."""
    if page.rendered or page.render_error:
        return False
    return reading.obstacle is Obstacle.EMPTY_SHELL or (
        reading.kind is PageKind.LISTING and "price" not in reading.facts
    )


def digest_of(page: FetchedPage) -> str:
    """SHA-256 of the body as received."""
    return hashlib.sha256(page.body).hexdigest()


def header(page: FetchedPage, name: str) -> str | None:
    return next((value for key, value in page.headers if key.lower() == name), None)


def hops_of(page: FetchedPage) -> list[Exchange]:
    """The redirects on the way, each with its status and headers."""
    return [
        Exchange(
            url=hop.url,
            method="GET",
            request_headers=page.request_headers,
            request_body=b"",
            status=hop.status,
            reason="",
            response_headers=hop.headers,
            response_body=b"",
            at=page.fetched_at,
            redirected_from=page.redirects[number - 1].url if number else "",
            body_missing="redirect",
        )
        for number, hop in enumerate(page.redirects)
    ]


def exchange_of(page: FetchedPage) -> Exchange:
    """The page's last exchange as evidence keeps it."""
    return Exchange(
        url=page.final_url,
        method="GET",
        request_headers=page.request_headers,
        request_body=b"",
        status=page.status,
        reason="",
        response_headers=page.headers,
        response_body=page.body,
        at=page.fetched_at,
        ip=page.ip or "",
        redirected_from=page.redirects[-1].url if page.redirects else "",
    )
