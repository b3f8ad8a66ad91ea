"""Who is watched and what was seen of it over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.page import PageReading


class SiteKind(StrEnum):
    """What sort of site a bureau answers for."""

    PLATFORM = "platform"  #: many operators sell there; has platform duties
    SHOP = "shop"  #: one operator's shop inside a platform
    SELF_BUILT = "self-built"  #: one operator's own web shop
    COMPANY = "company"  #: company site without ordering


class Render(StrEnum):
    """When a browser is used."""

    AUTO = "auto"  #: only where the static page shows less
    ALWAYS = "always"
    NEVER = "never"


class RobotsPolicy(StrEnum):
    """How robots.txt is treated; an override needs a number and an approver and is audited."""

    OBEY = "obey"
    RECORD = "record"  #: obey, and record what was disallowed
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Site:
    """A registered place on the web and how it may be patrolled."""

    id: str
    name: str
    kind: SiteKind
    entry_urls: tuple[str, ...]
    area: str = ""  #: division code of the bureau's area that answers for it
    render: Render = Render.AUTO
    robots: RobotsPolicy = RobotsPolicy.OBEY
    delay_s: float | None = None  #: None: the setting's delay
    max_pages: int | None = None
    platform_id: str | None = None
    operator: str | None = None
    uscc: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one URL showed at one instant. `digest` is the SHA-256 of the body as received."""

    id: str
    site_id: str
    site_kind: SiteKind
    url: str
    captured_at: datetime
    reading: PageReading
    final_url: str = ""
    status: int = 200
    rendered: bool = False
    digest: str = ""
    listing_id: str | None = None
    evidence: tuple[str, ...] = ()  #: evidence ids that hold the bytes
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact of a listing at an instant, and the snapshot that proves it. `value` is None when it was no longer shown."""

    listing_id: str
    fact: str
    value: str | None
    at: datetime
    snapshot_id: str


@dataclass(frozen=True, slots=True)
class History:
    """Earlier observations of one listing by fact name, oldest first, the present snapshot not included.
    `claims` holds earlier quotes by rule id, as observations whose fact is the rule id."""

    observations: Mapping[str, Sequence[Observation]] = field(default_factory=dict)
    claims: Mapping[str, Sequence[Observation]] = field(default_factory=dict)
    first_seen: datetime | None = None
    captures: Sequence[datetime] = ()  #: times of all earlier snapshots of this listing

    def of(self, fact: str) -> Sequence[Observation]:
        return self.observations.get(fact, ())
