"""A profile as staff write it, checked when it is loaded: a wrong key or selector is named with its file.

id: my-shop                     title: 某某商城
status: tested | 未验证          source: where its selectors come from (a template, a saved page) and when
hosts: [shop.example, "*.shop.example"]      marks: [selectors, one of which the program's pages match]
render: auto|always|never       login: none|needed|partial
reviews: {pages: 5, next: "a.next"}          how many pages of reviews, and the link to the next
kinds: {listing: "^/item/"}     page kind → regular expression on path and query
facts: {price: ["p.price ins", "p.price"]}   fact → selectors, the first that finds something wins
regions: {review: ["#reviews li"]}           region → selectors
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from contracts.errors import InputError
from contracts.page import PageKind, Region
from contracts.site import Render
from crawler.extract.tree import Tree
from crawler.profiles.select import compiled, select

FACTS: Final = frozenset(
    [
        "name",
        "price",
        "original_price",
        "currency",
        "availability",
        "sku",
        "brand",
        "gtin",
        "mpn",
        "rating",
        "review_count",
        "sales_count",
        "stock",
        "unit",
        "origin",
        "operator",
        "category",
    ]
)
_KEYS: Final = frozenset(
    [
        "id",
        "title",
        "status",
        "source",
        "hosts",
        "marks",
        "render",
        "login",
        "reviews",
        "kinds",
        "facts",
        "regions",
        "notes",
    ]
)
MAX_REVIEW_PAGES: Final = 50


@dataclass(frozen=True, slots=True)
class Profile:
    """One site or shop program. `tested` is false for 未验证: its facts weigh less and the officer is told."""

    id: str
    title: str
    tested: bool = False
    source: str = ""
    hosts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    render: Render = Render.AUTO
    login: str = "none"
    review_pages: int = 1
    review_next: str = ""
    kinds: Mapping[PageKind, re.Pattern[str]] = field(default_factory=dict)
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: Mapping[Region, tuple[str, ...]] = field(default_factory=dict)
    notes: str = ""

    def covers(self, url: str) -> bool:
        """The address lies on one of its hosts."""
        host = (urlsplit(url).hostname or "").lower()
        return any(fnmatchcase(host, pattern) for pattern in self.hosts)

    def fits(self, tree: Tree) -> bool:
        """The page bears one of the program's marks."""
        return any(select(tree, mark, most=1) for mark in self.marks)

    def kind_of(self, url: str) -> PageKind | None:
        """The kind that the address alone tells."""
        split = urlsplit(url)
        path = (f"{split.path}?{split.query}" if split.query else split.path)[:2000]
        return next((kind for kind, pattern in self.kinds.items() if pattern.search(path)), None)


class Profiles:
    """The profiles in use; the first that covers an address wins, a site's own before a program's."""

    def __init__(self, those: Iterable[Profile]) -> None:
        self.all = tuple(those)

    def of(self, url: str) -> Profile | None:
        return next((p for p in self.all if p.covers(url)), None)

    def guess(self, tree: Tree) -> Profile | None:
        """The shop program whose marks the page bears."""
        return next((p for p in self.all if p.fits(tree)), None)


@cache
def shipped() -> Profiles:
    """The shop programs that come with us."""
    folder = resources.files("crawler.profiles").joinpath("platforms")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return Profiles(load_profile(f.read_text("utf-8"), f.name) for f in files)


def load_profile(text: str, name: str) -> Profile:
    """A profile from its YAML. Raises InputError that names the file (`name`) and what is wrong in it."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError("{file}:不是正确的 YAML({why})", file=name, why=str(error).replace("\n", " ")) from error
    if not isinstance(raw, dict):
        raise InputError("{file}:应为键值表", file=name)
    if unknown := sorted(map(str, raw.keys() - _KEYS)):
        raise InputError(
            "{file}:不认识的键 {keys}",
            hint="可用:{known}",
            file=name,
            keys=", ".join(unknown),
            known=", ".join(sorted(_KEYS)),
        )
    try:
        return _profile(raw)
    except (ValueError, TypeError, AttributeError, KeyError, re.error) as error:
        raise InputError("{file}:{why}", file=name, why=error) from error
    except InputError as error:
        raise InputError("{file}:{why}", file=name, why=error.text()) from error


def _profile(raw: Mapping[str, Any]) -> Profile:
    reviews = raw.get("reviews") or {}
    facts = {str(k): _selectors(v) for k, v in (raw.get("facts") or {}).items()}
    if unknown := facts.keys() - FACTS:
        raise ValueError(f"facts 中不认识的事实 {', '.join(sorted(unknown))}")
    if raw.get("status") not in {"tested", "未验证"}:
        raise ValueError("status 应为 tested 或 未验证")
    if (login := str(raw.get("login", "none"))) not in {"none", "needed", "partial"}:
        raise ValueError("login 应为 none、needed 或 partial")
    return Profile(
        id=str(raw["id"]),
        title=str(raw.get("title") or raw["id"]),
        tested=raw["status"] == "tested",
        source=str(raw.get("source", "")),
        hosts=tuple(str(h).lower() for h in raw.get("hosts") or ()),
        marks=_selectors(raw.get("marks") or ()),
        render=Render(raw.get("render", "auto")),
        login=login,
        review_pages=max(1, min(MAX_REVIEW_PAGES, int(reviews.get("pages", 1)))),
        review_next="".join(_selectors(reviews.get("next") or ())),
        kinds={PageKind(k): re.compile(str(v)) for k, v in (raw.get("kinds") or {}).items()},
        facts=facts,
        regions={Region(k): _selectors(v) for k, v in (raw.get("regions") or {}).items()},
        notes=str(raw.get("notes", "")),
    )


def _selectors(value: Any) -> tuple[str, ...]:
    found = tuple(str(v) for v in ([value] if isinstance(value, str) else value))
    for selector in found:
        compiled(selector)
    return found
