"""The register of what a bureau answers for: sites, operators, patrol plans."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cases import audit
from cases import models as t
from cases.access import Action, Officer, in_area, require
from cases.calendar import RowError
from contracts.codes import check_uscc
from contracts.errors import InputError
from contracts.ids import new_id
from contracts.site import Render, RobotsPolicy, Site, SiteKind

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
#: Shortest distance between two rounds of a plan: one hour keeps a district's patrols polite.
MIN_INTERVAL_S = 3600


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import kept and what it could not use."""

    added: int
    updated: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Operator:
    """经营者. `uscc` None: not known."""

    id: str
    name: str
    uscc: str | None
    address: str
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A patrol plan: `sites`, and all sites of `areas` and `kinds`; due again `interval_s` seconds after each round."""

    id: str
    name: str
    sites: tuple[str, ...]
    areas: tuple[str, ...]
    kinds: tuple[str, ...]
    interval_s: int
    next_due: datetime
    enabled: bool = True
    max_pages: int | None = None
    render: Render = Render.AUTO


def add_site(session: Session, site: Site, *, at: datetime, by: Officer | None = None) -> Site:
    """Registers `site`, or changes the one of that id. An empty id is made from the host.

    Raises InputError for a bad URL, id, credit code or area; NotAllowed.
    """
    if by is not None:
        require(by, Action.SITES, site.area)
    for url in site.entry_urls:
        host_of(url)
    if not site.entry_urls:
        raise InputError("网站缺少入口网址")
    if site.uscc and not (checked := check_uscc(site.uscc)).valid:
        raise InputError("统一社会信用代码无效：{why}", why=checked.why)
    if site.area and not (site.area.isdigit() and len(site.area) <= 12):
        raise InputError("辖区应为行政区划代码（数字）：{area}", area=site.area)
    if site.platform_id and session.get(t.Site, site.platform_id) is None:
        raise InputError("没有编号为 {id} 的平台", id=site.platform_id)
    site_id = site.id or _free_id(session, host_of(site.entry_urls[0]))
    if not _ID.match(site_id):
        raise InputError("网站编号不可用：{id}", id=site_id, hint="字母、数字、点、横线，最长 64 位")
    row = session.get(t.Site, site_id)
    if row is None:
        row = t.Site(id=site_id, created_at=at, officer=by.name if by else None, data_class="public")
        session.add(row)
    elif by is not None:
        require(by, Action.SITES, row.area)
    row.name, row.kind, row.entry_urls = site.name or site_id, site.kind.value, list(site.entry_urls)
    row.area, row.render, row.robots = site.area, site.render.value, site.robots.value
    row.delay_s, row.max_pages, row.platform_id = site.delay_s, site.max_pages, site.platform_id
    row.operator_name, row.uscc, row.active = site.operator, site.uscc or None, True
    session.flush()
    session.execute(delete(t.SiteHost).where(t.SiteHost.site_id == site_id))
    session.add_all(t.SiteHost(host=host, site_id=site_id) for host in {host_of(url) for url in site.entry_urls})
    if site.operator:
        note_operator(session, site.operator, site.uscc, source="officer" if by else "site", at=at, area=site.area)
    audit.record(
        session, by.name if by else audit.SYSTEM, "site.registered", "site", site_id, {"name": row.name}, at=at
    )
    return _site(row)


def get_site(session: Session, site_id: str) -> Site:
    """Raises InputError when there is none."""
    row = session.get(t.Site, site_id)
    if row is None:
        raise InputError("没有编号为 {id} 的网站", id=site_id, hint="用 wangxun site list 查看")
    return _site(row)


def list_sites(session: Session, officer: Officer | None = None) -> Sequence[Site]:
    """Active sites by id; those an officer may see when one is given."""
    wanted = select(t.Site).where(t.Site.active).order_by(t.Site.id)
    if officer is not None:
        wanted = wanted.where(in_area(officer, t.Site.area))
    return [_site(row) for row in session.scalars(wanted)]


def site_of_url(session: Session, url: str) -> Site | None:
    """The registered site whose entry lies on the same host, the longest common path first."""
    rows = session.scalars(
        select(t.Site)
        .join(t.SiteHost, t.SiteHost.site_id == t.Site.id)
        .where(t.SiteHost.host == host_of(url), t.Site.active)
    ).all()
    path = urlsplit(url).path

    def fit(row: t.Site) -> tuple[int, str]:
        folders = (urlsplit(entry).path.rpartition("/")[0] + "/" for entry in row.entry_urls)
        return max((len(folder) for folder in folders if path.startswith(folder)), default=0), row.id

    return _site(max(rows, key=fit)) if rows else None


def ensure_site(session: Session, url: str, *, at: datetime) -> Site:
    """The site of `url`, registered on the spot as a self-built one when nobody did before."""
    found = site_of_url(session, url)
    return found or add_site(session, Site("", host_of(url), SiteKind.SELF_BUILT, (url,)), at=at)


COLUMNS = ("id", "name", "kind", "url", "area", "render", "delay_s", "max_pages", "platform_id", "operator", "uscc")


def import_sites(session: Session, text: str, *, at: datetime, by: Officer | None = None) -> Imported:
    """Imports CSV with a heading of COLUMNS (only `url` must be there; several URLs parted by blanks).

    A bad row is named with its line and reason, good rows are kept. Raises InputError when `url` has no column.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if not reader.fieldnames or "url" not in reader.fieldnames:
        raise InputError("网站清单缺少列 url", hint="可用列：" + ",".join(COLUMNS))
    added, updated, errors = 0, 0, []
    for row in reader:
        told = {
            name: (value or "").strip()
            for name, value in row.items()
            if isinstance(name, str) and not isinstance(value, list)
        }
        known = bool(told.get("id")) and session.get(t.Site, told["id"]) is not None
        try:
            with session.begin_nested():
                add_site(session, _from_row(told), at=at, by=by)
        except InputError as fault:
            errors.append(RowError(reader.line_num, str(fault)))
            continue
        updated, added = updated + known, added + (not known)
    return Imported(added, updated, tuple(errors))


def _from_row(told: dict[str, str]) -> Site:
    def number(name: str, kind: type[float | int]) -> Any:
        try:
            return kind(told[name]) if told.get(name) else None
        except ValueError:
            raise InputError("{name} 应为数字：{value}", name=name, value=told[name]) from None

    try:
        kind, render = SiteKind(told.get("kind") or "self-built"), Render(told.get("render") or "auto")
    except ValueError as fault:
        raise InputError("kind 或 render 的取值无效：{why}", why=str(fault).split(" ")[0]) from None
    return Site(
        id=told.get("id", ""),
        name=told.get("name", ""),
        kind=kind,
        entry_urls=tuple(told.get("url", "").split()),
        area=told.get("area", ""),
        render=render,
        delay_s=number("delay_s", float),
        max_pages=number("max_pages", int),
        platform_id=told.get("platform_id") or None,
        operator=told.get("operator") or None,
        uscc=told.get("uscc") or None,
    )


def note_operator(
    session: Session, name: str, uscc: str | None, *, source: str, at: datetime, address: str = "", area: str = ""
) -> Operator:
    """The operator of that credit code (or, without one, of that name), added when new. An invalid code is not kept."""
    code = uscc if uscc and check_uscc(uscc).valid else None
    wanted = t.Operator.uscc == code if code else (t.Operator.name == name) & t.Operator.uscc.is_(None)
    row = session.scalar(select(t.Operator).where(wanted).limit(1))
    if row is None:
        row = t.Operator(
            id=new_id(at),
            name=name,
            uscc=code,
            address=address,
            source=source,
            first_seen=at,
            area=area,
            data_class="public",
        )
        session.add(row)
        session.flush()
    return Operator(row.id, row.name, row.uscc, row.address, row.source)


def add_plan(session: Session, plan: Plan, *, at: datetime, by: Officer | None = None) -> Plan:
    """Adds a plan, or changes the one of that name. Raises InputError for an unknown site or too short an interval."""
    if by is not None:
        require(by, Action.SITES)
    if plan.interval_s < MIN_INTERVAL_S:
        raise InputError("巡查间隔太短：{seconds} 秒", seconds=plan.interval_s, hint=f"至少 {MIN_INTERVAL_S} 秒")
    for site_id in plan.sites:
        get_site(session, site_id)
    row = session.scalar(select(t.Plan).where(t.Plan.name == plan.name))
    if row is None:
        row = t.Plan(id=new_id(at), name=plan.name)
        session.add(row)
    row.scope = {"sites": list(plan.sites), "areas": list(plan.areas), "kinds": list(plan.kinds)}
    row.interval_s, row.next_due, row.enabled = plan.interval_s, plan.next_due, plan.enabled
    row.max_pages, row.render = plan.max_pages, plan.render.value
    session.flush()
    audit.record(session, by.name if by else audit.SYSTEM, "plan.saved", "plan", row.id, {"name": plan.name}, at=at)
    return _plan(row)


def list_plans(session: Session) -> Sequence[Plan]:
    """All plans by name."""
    return [_plan(row) for row in session.scalars(select(t.Plan).order_by(t.Plan.name))]


def due_plans(session: Session, at: datetime) -> Sequence[Plan]:
    """Enabled plans whose time has come, the longest waiting first."""
    wanted = select(t.Plan).where(t.Plan.enabled, t.Plan.next_due <= at).order_by(t.Plan.next_due)
    return [_plan(row) for row in session.scalars(wanted)]


def advance_plan(session: Session, plan_id: str, *, at: datetime) -> None:
    """Sets the next time, counted from now: rounds that were missed are not made up for."""
    row = session.get(t.Plan, plan_id)
    if row is not None:
        row.next_due = at + timedelta(seconds=row.interval_s)


def plan_sites(session: Session, plan: Plan) -> Sequence[Site]:
    """The sites a plan means today."""
    return [
        site
        for site in list_sites(session)
        if site.id in plan.sites
        or (
            (plan.areas or plan.kinds)
            and (not plan.areas or any(site.area.startswith(area) for area in plan.areas))
            and (not plan.kinds or site.kind.value in plan.kinds)
        )
    ]


def host_of(url: str) -> str:
    """host[:port], small letters. Raises InputError when `url` is not http(s) with a host."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise InputError("网址无法识别：{url}", url=url[:200]) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError("网址无法识别：{url}", url=url[:200], hint="须以 http:// 或 https:// 开头")
    default = 443 if parts.scheme == "https" else 80
    return parts.hostname.lower() + (f":{port}" if port and port != default else "")


def _free_id(session: Session, host: str) -> str:
    base = re.sub(r"[^A-Za-z0-9._-]", "-", host)[:56].strip("-.") or "site"
    taken = set(session.scalars(select(t.Site.id).where(t.Site.id.startswith(base, autoescape=True))))
    return base if base not in taken else next(f"{base}-{n}" for n in range(2, 10_000) if f"{base}-{n}" not in taken)


def _site(row: t.Site) -> Site:
    return Site(
        id=row.id,
        name=row.name,
        kind=SiteKind(row.kind),
        entry_urls=tuple(row.entry_urls),
        area=row.area,
        render=Render(row.render),
        robots=RobotsPolicy(row.robots),
        delay_s=row.delay_s,
        max_pages=row.max_pages,
        platform_id=row.platform_id,
        operator=row.operator_name,
        uscc=row.uscc,
    )


def _plan(row: t.Plan) -> Plan:
    return Plan(
        id=row.id,
        name=row.name,
        sites=tuple(row.scope.get("sites", ())),
        areas=tuple(row.scope.get("areas", ())),
        kinds=tuple(row.scope.get("kinds", ())),
        interval_s=row.interval_s,
        next_due=row.next_due,
        enabled=row.enabled,
        max_pages=row.max_pages,
        render=Render(row.render),
    )
