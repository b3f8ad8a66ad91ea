"""What the market is made of: sites, pages, listings, and the truth about each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from contracts.errors import UsageError
from contracts.site import SiteKind

#: What must be known beyond the page itself before the suspicion may be uttered.
Needs = Literal["none", "history", "register", "second-capture"]
#: How a suspicion is judged: planted; a careful officer could raise it; a planted temptation; nothing was meant there.
Verdict = Literal["planted", "arguable", "innocent", "unplanned"]
#: Free fields of a page or listing as written in the data file; keys are documented in `shops/README.md`.
State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """One planted violation.

    Visible on market days `from_day` to `until_day` (None: never mended). `where` is a value of contracts.page.Region.
    `quote` are the exact words planted, "" when the violation is an absence: then `absent` lists words the page lacks.
    `path` is the page on which it shows.
    """

    category: str
    where: str
    path: str
    quote: str = ""
    absent: tuple[str, ...] = ()
    needs: Needs = "none"
    from_day: int = 1
    until_day: int | None = None
    note: str = ""

    def shows_on(self, day: int) -> bool:
        return self.from_day <= day and (self.until_day is None or day <= self.until_day)


@dataclass(frozen=True, slots=True)
class Dated:
    """Fields as on day 1, and what each later day changes."""

    base: State
    overlays: Mapping[int, State] = field(default_factory=dict)

    def on(self, day: int) -> dict[str, Any]:
        """The fields in force on market day `day`; overlays of all earlier days are kept.

        `reviews_gone`, `reviews_deleted_by_user` (lists of ids) and `reviews_new` (list of reviews) work on `reviews`,
        every other key replaces.
        """
        state = dict(self.base)
        for step in sorted(d for d in self.overlays if d <= day):
            change = dict(self.overlays[step])
            gone = change.pop("reviews_gone", [])
            reviews = [r for r in state.get("reviews", []) if r["id"] not in gone]
            deleted = change.pop("reviews_deleted_by_user", [])
            reviews = [{**r, "deleted": True} if r["id"] in deleted else r for r in reviews]
            state["reviews"] = [*change.pop("reviews_new", []), *reviews]
            state.update(change)
        return state


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A page that is no listing: rules, licence, notice, article."""

    site: str
    path: str
    title: str
    fields: Dated
    truth: tuple[Truth, ...] = ()
    innocent_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListingPlan:
    """One product or service of a site. `lang` is a BCP 47 tag: zh-Hans, zh-Hant-TW, zh-Hant-HK or en.

    `innocent_of` are categories its words tempt to and that do not apply; `arguable_of` are those a careful officer
    could raise as well: neither counted as missed nor as false.
    """

    id: str
    site: str
    path: str
    title: str
    lang: str
    fields: Dated
    truth: tuple[Truth, ...] = ()
    innocent_of: tuple[str, ...] = ()
    arguable_of: tuple[str, ...] = ()
    #: Facts of the site that hold for each of its listings: currency, operator, uscc.
    shared_facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def innocent(self) -> bool:
        return not self.truth

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts as planted on day 1."""
        return self.facts_on(1)

    def facts_on(self, day: int) -> dict[str, str]:
        """What a reader should find on the page that day; names as in contracts.page.PageReading, money as decimal string."""
        state = self.fields.on(day)
        facts = {"name": str(state["title"]), **self.shared_facts}
        for fact, key in _FACT_FIELDS.items():
            if state.get(key) not in (None, ""):
                facts[fact] = str(state[key])
        if "price" not in facts:
            facts.pop("currency", None)
        facts["review_count"] = str(review_total(state))
        average = rating(state)
        if average:
            facts["rating"] = average
        return facts


_FACT_FIELDS = {
    "price": "price",
    "original_price": "was",
    "sku": "sku",
    "brand": "brand",
    "sales_count": "sold",
    "stock": "stock",
    "origin": "origin",
}


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site of the market and its own loopback address. `delay_s` is the Crawl-delay of its robots.txt, if any."""

    id: str
    name: str
    kind: SiteKind
    host: str
    entry_path: str
    lang: str
    look: str
    area: str
    operator: str | None
    uscc: str | None
    fields: Dated
    uscc_valid: bool = True
    platform_id: str | None = None
    encoding: str = "utf-8"
    delay_s: float | None = None
    truth: tuple[Truth, ...] = ()
    innocent_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Market:
    """The whole market. `pages` are all pages that are no listings, in the order of the data."""

    sites: tuple[SitePlan, ...]
    listings: tuple[ListingPlan, ...]
    pages: tuple[PagePlan, ...]
    last_day: int  #: the last market day on which anything changes

    def site(self, site_id: str) -> SitePlan:
        """Raises UsageError for an unknown id."""
        found = next((s for s in self.sites if s.id == site_id), None)
        if found is None:
            raise UsageError("样本市场没有站点 {id}", id=site_id)
        return found

    def listing(self, listing_id: str) -> ListingPlan:
        """Raises UsageError for an unknown id."""
        found = next((item for item in self.listings if item.id == listing_id), None)
        if found is None:
            raise UsageError("样本市场没有商品 {id}", id=listing_id)
        return found

    def listings_of(self, site_id: str) -> tuple[ListingPlan, ...]:
        return tuple(item for item in self.listings if item.site == site_id)

    def pages_of(self, site_id: str) -> tuple[PagePlan, ...]:
        return tuple(page for page in self.pages if page.site == site_id)

    def truths(self, day: int | None = None) -> Iterator[tuple[str, str | None, Truth]]:
        """(site id, listing id or None, truth), all of them or those that show on `day`."""
        holders: list[tuple[str, str | None, tuple[Truth, ...]]] = [(s.id, None, s.truth) for s in self.sites]
        holders += [(p.site, None, p.truth) for p in self.pages]
        holders += [(item.site, item.id, item.truth) for item in self.listings]
        for site, listing, truths in holders:
            for truth in truths:
                if day is None or truth.shows_on(day):
                    yield site, listing, truth

    def verdict(self, site_id: str, path: str, category: str, day: int) -> Verdict:
        """How a suspicion of `category` on a page is to be judged on a market day.

        Faults of licence and platform duty count on each page of their site. Fronts and lists repeat the words of goods, so there
        the truths of all goods of the site (of a platform: of the market) count.
        """
        own = [t for s, _, t in self.truths(day) if s == site_id and t.path == path]
        own += [
            t for t in self.site(site_id).truth if t.category.startswith(("licence", "platform")) and t.shows_on(day)
        ]
        holders: list[SitePlan | ListingPlan | PagePlan] = [self.site(site_id)]
        holders += [item for item in self.listings_of(site_id) if item.path == path]
        holders += [page for page in self.pages_of(site_id) if page.path == path]
        if path in {"/", "/list", "/search"}:
            platform = self.site(site_id).kind is SiteKind.PLATFORM
            goods = self.listings if platform else self.listings_of(site_id)
            own += [t for item in goods for t in item.truth if t.shows_on(day)]
            holders += goods
        if any(truth.category == category for truth in own):
            return "planted"
        if any(isinstance(plan, ListingPlan) and category in plan.arguable_of for plan in holders):
            return "arguable"
        return "innocent" if any(category in plan.innocent_of for plan in holders) else "unplanned"


def review_total(state: State) -> int:
    """The number of reviews the page states."""
    stated = state.get("review_total")
    return int(stated) if stated is not None else len(shown_reviews(state))


def shown_reviews(state: State) -> list[Mapping[str, Any]]:
    return [r for r in state.get("reviews", []) if not r.get("deleted")]


def rating(state: State) -> str | None:
    """Mean of the stars shown, one decimal; None without reviews."""
    stars = [int(r["stars"]) for r in shown_reviews(state)]
    return f"{sum(stars) / len(stars):.1f}" if stars else None
