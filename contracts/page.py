"""What one page showed: passages of text, facts of a listing, reviews, links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Region(StrEnum):
    """Where on the page a text stands. The same words weigh differently in each (violations.md §2.3)."""

    TITLE = "title"  #: name of the goods, main heading
    PRICE = "price"  #: price area, with struck-through price and its note
    BADGE = "badge"  #: short promotional marks beside title, price or picture
    BODY = "body"  #: description, details, attributes
    IMAGE = "image"  #: words inside a picture (OCR, alt)
    TERMS = "terms"  #: agreements, return policy, conditions
    NOTICE = "notice"  #: shop notice, announcement, consumer notice
    REVIEW = "review"  #: a consumer's words
    REPLY = "reply"  #: the shop's answer to a consumer
    QA = "qa"  #: consumers' questions and answers
    NAV = "nav"  #: menus, breadcrumbs, lists of other goods
    FOOTER = "footer"  #: foot of the page: licence, contact, links
    CHROME = "chrome"  #: the platform's own furniture, not the shop's words


#: Regions in which the shop (not a consumer, not the platform) speaks.
SHOP_VOICE = frozenset(
    {Region.TITLE, Region.PRICE, Region.BADGE, Region.BODY, Region.IMAGE, Region.TERMS, Region.NOTICE, Region.REPLY}
)
#: Regions in which a consumer speaks: never a claim of the shop, but may support a finding as a witness.
CONSUMER_VOICE = frozenset({Region.REVIEW, Region.QA})


class PageKind(StrEnum):
    """What a page is for."""

    LISTING = "listing"  #: one product or service offered
    SHOP = "shop"  #: a shop's own front page inside a platform
    HOME = "home"  #: front page of a site
    LIST = "list"  #: many listings: category, search result
    TERMS = "terms"  #: rules, agreements, licences, notices
    OTHER = "other"  #: none of these


class Obstacle(StrEnum):
    """Why a fetched page shows nothing of use. Named, counted, never bypassed."""

    LOGIN = "login"  #: log-in wall
    CAPTCHA = "captcha"  #: slider, puzzle or other proof of being human
    EMPTY_SHELL = "empty-shell"  #: script-built page fetched without a browser
    SOFT_404 = "soft-404"  #: status 200, text says not found
    ERROR = "error"  #: error page


@dataclass(frozen=True, slots=True)
class Rect:
    """CSS pixels from the document's top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Passage:
    """One block of text as shown.

    `text` is the original, unnormalised; every offset anywhere counts code points into it.
    `selector` finds the element again (CSS). `region` is None for bare text of unknown origin.
    `hidden` says why a person would not see it ("display", "off-screen", "same-colour", …), None when visible.
    `rects` are known only for rendered pages.
    """

    text: str
    region: Region | None = None
    selector: str = ""
    lang: str | None = None
    hidden: str | None = None
    rects: tuple[Rect, ...] = ()
    frame: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing read about a listing, a shop or a page.

    `value` is a string (money as a decimal string, numbers likewise). `source` says how it was read:
    "json-ld", "microdata", "opengraph", "state:<name>", "dom:<selector>", "profile:<site>", "ocr".
    `confidence` lies in 0–1.
    """

    value: str
    source: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Review:
    """One consumer's review. `author_hash` is a keyed hash; the name stands only in the sealed original."""

    id: str
    text: str
    author_hash: str = ""
    at: datetime | None = None
    rating: float | None = None
    selector: str = ""
    variant: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An outgoing link: absolute URL, its visible text, the region it stands in."""

    url: str
    text: str
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class PageReading:
    """Everything read from one page. Fact names are those of the `extract` command (design §6) and
    `sales_count`, `origin`, `goods`, `unit`, `address`, `icp`, `licence_url`, `permit`, `countdown_end`, `stock`, `mode`."""

    kind: PageKind
    passages: tuple[Passage, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()
    links: tuple[Link, ...] = ()
    images: tuple[str, ...] = ()
    lang: str | None = None
    title: str = ""
    obstacle: Obstacle | None = None
    notes: tuple[str, ...] = ()  #: what was bounded or could not be read, named

    def value(self, name: str) -> str | None:
        fact = self.facts.get(name)
        return fact.value if fact else None
