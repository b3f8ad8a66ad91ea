"""Reads `shops/*.yaml` into a Market. One file a site; the truth stands with the listing it is about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import EnvironmentFault
from contracts.site import SiteKind
from sample_market.model import Dated, ListingPlan, Market, PagePlan, SitePlan, Truth

FOLDER = Path(__file__).parent
#: Registers that know the market's invented brands, operators and permits, ready for import.
REGISTERS = FOLDER / "registers"


@lru_cache(maxsize=1)
def load() -> Market:
    """The market as written in the data files.

    Raises EnvironmentFault when a data file is missing or cannot be understood.
    """
    files = sorted((FOLDER / "shops").glob("*.yaml"))
    if not files:
        raise EnvironmentFault("样本市场的数据文件缺失: {folder}", folder=str(FOLDER / "shops"))
    sites: list[SitePlan] = []
    pages: list[PagePlan] = []
    listings: list[ListingPlan] = []
    for file in files:
        try:
            raw = yaml.safe_load(file.read_text("utf-8"))
            site = _site(raw["site"])
            sites.append(site)
            pages += [_page(site, p) for p in raw.get("pages", [])]
            listings += [_listing(site, item) for item in raw.get("listings", [])]
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as fault:
            raise EnvironmentFault(
                "样本市场的数据文件 {file} 读不懂: {why}", file=file.name, why=f"{type(fault).__name__} {fault}"
            ) from fault
    dated = [*(item.fields for item in listings), *(page.fields for page in pages), *(site.fields for site in sites)]
    last = max((day for fields in dated for day in fields.overlays), default=1)
    return Market(tuple(sites), tuple(listings), tuple(pages), last)


def _site(raw: Mapping[str, Any]) -> SitePlan:
    return SitePlan(
        id=raw["id"],
        name=raw["name"],
        kind=SiteKind(raw["kind"]),
        host=raw["host"],
        entry_path=raw.get("entry_path", "/"),
        lang=raw.get("lang", "zh-Hans"),
        look=raw["look"],
        area=str(raw.get("area", "")),
        operator=raw.get("operator"),
        uscc=raw.get("uscc"),
        uscc_valid=raw.get("uscc_valid", True),
        platform_id=raw.get("platform_id"),
        encoding=raw.get("encoding", "utf-8"),
        delay_s=raw.get("delay_s"),
        fields=_dated(raw),
        truth=_truths(raw, raw.get("entry_path", "/")),
        innocent_of=tuple(raw.get("innocent_of", ())),
    )


def _page(site: SitePlan, raw: Mapping[str, Any]) -> PagePlan:
    return PagePlan(
        site=site.id,
        path=raw["path"],
        title=raw["title"],
        fields=_dated(raw),
        truth=_truths(raw, raw["path"]),
        innocent_of=tuple(raw.get("innocent_of", ())),
    )


def _listing(site: SitePlan, raw: Mapping[str, Any]) -> ListingPlan:
    path = raw.get("path") or site.fields.base.get("item_path", "/item/{id}.html").format(id=raw["id"])
    shared = {"currency": raw.get("currency") or site.fields.base.get("currency", "CNY")}
    if site.operator and not site.fields.base.get("operator_hidden"):
        shared["operator"] = site.operator
    if site.uscc and not site.fields.base.get("operator_hidden"):
        shared["uscc"] = site.uscc
    return ListingPlan(
        id=raw["id"],
        site=site.id,
        path=path,
        title=raw["title"],
        lang=raw.get("lang", site.lang),
        fields=_dated(raw),
        truth=_truths(raw, path),
        innocent_of=tuple(raw.get("innocent_of", ())),
        arguable_of=tuple(raw.get("arguable_of", ())),
        shared_facts=shared,
    )


_PLAN_KEYS = frozenset({"truth", "innocent_of", "arguable_of", "days"})
_TRUTH_KEYS = frozenset({"category", "where", "path", "quote", "absent", "needs", "from", "until", "note"})


def _dated(raw: Mapping[str, Any]) -> Dated:
    return Dated({k: v for k, v in raw.items() if k not in _PLAN_KEYS}, raw.get("days") or {})


def _truths(raw: Mapping[str, Any], path: str) -> tuple[Truth, ...]:
    for t in raw.get("truth", ()):
        if strange := set(t) - _TRUTH_KEYS:
            raise ValueError(f"truth of {raw.get('id', path)}: {sorted(map(str, strange))}")
    return tuple(
        Truth(
            category=t["category"],
            where=t["where"],
            path=t.get("path", path),
            quote=t.get("quote", ""),
            absent=tuple(t.get("absent", ())),
            needs=t.get("needs", "none"),
            from_day=t.get("from", 1),
            until_day=t.get("until"),
            note=t.get("note", ""),
        )
        for t in raw.get("truth", ())
    )
