"""`wangxun site try URL` — reads one page as a patrol would and shows each fact beside where it was read. Nothing is recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import InputError, UsageError
from contracts.ids import new_id
from contracts.page import PageReading, Region
from contracts.site import Render, Site, SiteKind
from crawler.values import FetchedPage, Verdict
from wangxun.cli.words import one_of, web_address
from wangxun.runtime import Runtime, runtime

if TYPE_CHECKING:
    from crawler.profiles import Profile

_SHOWN = 60  #: characters of a value in the table


def site_try(
    url: Annotated[str, typer.Argument(help="网址;与 --file 同用时只作该页原来的网址")],
    file: Annotated[Path | None, typer.Option("--file", help="不访问网络,读取保存的网页文件")] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="网站配置:YAML 文件,或自带配置的编号;空: 按网址和页面特征判断")
    ] = "",
    render: Annotated[str, typer.Option(help="auto|always|never")] = Render.AUTO.value,
    picture: Annotated[Path | None, typer.Option("--picture", help="同时用浏览器拍整页图片,存为此 PNG")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="打印一个 JSON 对象")] = False,
) -> int:
    """试读一页:读到了什么、从哪里读到、有多大把握;不留记录,不产生线索。"""
    address = web_address(url)
    wanted = one_of(Render, render, "--render")
    with runtime() as line:
        page = None if file else fetch_one(line, address, wanted)
        body = file_of(file) if file else page_body(page)
        chosen = profile_of(profile, address, body)
        if (
            page is not None
            and not page.rendered
            and wanted is Render.AUTO
            and chosen
            and chosen.render is Render.ALWAYS
        ):
            page = fetch_one(line, address, Render.ALWAYS)
            body = page_body(page)
        reading = read(body, page.final_url if page else address, page, chosen)
        if picture is not None:
            take_picture(line, address, picture)
    if as_json:
        from crawler.extract import describe

        told = describe(reading, str(file or address))
        print(json.dumps(told | {"profile": chosen.id if chosen else None}, ensure_ascii=False))
    else:
        show(reading, page, chosen, picture)
    return 0


@dataclass
class OnePage:
    """A sink that keeps the last page it was given, and reads nothing into any table."""

    page_: FetchedPage | None = None

    def page(self, page: FetchedPage) -> Verdict:
        from wangxun.line import wants_browser

        self.page_ = page
        return Verdict(render=wants_browser(page, read(page_body(page), page.final_url, page, None)))

    def failed(self, *_: object) -> None:
        """Named by the tally."""

    def known(self, _: str) -> bool:
        return False

    def validators(self, *_: object) -> tuple[str | None, str | None]:
        return None, None

    def commit(self) -> None:
        """Nothing is kept."""


def fetch_one(line: Runtime, url: str, render: Render) -> FetchedPage:
    """The page as a patrol would get it: same guard, robots.txt and pace. Raises InputError when it cannot be had."""
    from crawler.patrol import patrol
    from wangxun.patrolling import policy_of

    sink = OnePage()
    site = Site(id="try", name="-", kind=SiteKind.SELF_BUILT, entry_urls=(url,), render=render)
    with TemporaryDirectory() as folder:
        tally = patrol(
            [site],
            run_id=new_id(line.clock.now()),
            policy=policy_of(line.config, max_pages=1, render=render),
            sink=sink,
            frontier=Path(folder) / "try.db",
            clock=line.clock,
        )
    if sink.page_ is None:
        why = "; ".join(why for _, why in tally.failed[:1]) or "robots.txt 不允许"
        raise InputError("{url} 未取到:{why}", url=url, why=why)
    return sink.page_


def page_body(page: FetchedPage | None) -> bytes | str:
    if page is None:
        return b""
    return page.dom if page.rendered and page.dom is not None else page.body


def file_of(file: Path) -> bytes:
    from wangxun.cli.extract import read_file

    return read_file(file)


def profile_of(name: str, url: str, body: bytes | str) -> Profile | None:
    """The profile asked for, else the one that covers the address or whose marks the page bears."""
    from crawler.extract.decode import decode
    from crawler.extract.tree import parse
    from crawler.profiles import load_profile, shipped

    known = shipped()
    if not name:
        return known.of(url) or known.guess(parse(decode(body, "").text))
    if found := next((p for p in known.all if p.id == name), None):
        return found
    try:
        return load_profile(Path(name).read_text("utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "没有网站配置 {name}",
            hint="给出 YAML 文件,或: {all}",
            name=name,
            all=", ".join(p.id for p in known.all),
        ) from error


def read(body: bytes | str, url: str, page: FetchedPage | None, profile: Profile | None) -> PageReading:
    from crawler.extract import read_page

    kind = next((v for k, v in page.headers if k.lower() == "content-type"), "") if page else ""
    return read_page(body, url, content_type=kind, at=page.fetched_at if page else None, profile=profile)


def take_picture(line: Runtime, url: str, path: Path) -> None:
    """A picture of the whole page for the eye to compare; no evidence."""
    import asyncio

    from playwright.async_api import Error

    from crawler.browser.launch import launch

    async def shoot() -> None:
        program = str(line.config.browser) if line.config.browser else None
        async with launch(program, allow_private=line.config.allow_private) as started:
            opened = await started.browser.new_page(viewport={"width": 1280, "height": 900})
            await opened.goto(url, timeout=float(line.config.timeout) * 1000)
            await opened.screenshot(path=str(path), full_page=True)

    try:
        asyncio.run(shoot())
    except Error as error:
        raise InputError("{url} 的图片未拍成:{why}", url=url, why=str(error).splitlines()[0]) from error


def _short(source: str) -> str:
    """A source's own end: the last steps of a selector say more than the first."""
    return source if len(source) <= _SHOWN else "dom:… > " + " > ".join(source.split(" > ")[-2:])


def show(reading: PageReading, page: FetchedPage | None, profile: Profile | None, picture: Path | None) -> None:
    """The table: fact, what was read, from where, how sure; and what stands around it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    screen = Console()
    status = "" if profile is None else ("" if profile.tested else "(未验证)")
    how = "浏览器渲染" if page and page.rendered else "静态网页"
    facts = [
        f"类型 {reading.kind.value}",
        f"阻碍 {reading.obstacle.value}" if reading.obstacle else "",
        how,
        f"配置 {profile.id}{status}" if profile else "无配置,通用读取",
        f"登录 {profile.login}" if profile and profile.login != "none" else "",
        f"评价最多翻 {profile.review_pages} 页" if profile and profile.review_next else "",
    ]
    screen.print(escape(" · ".join(f for f in facts if f)))
    table = Table("事实", "读到的值", "来源", "把握")
    for name, fact in sorted(reading.facts.items()):
        table.add_row(name, escape(fact.value[:_SHOWN]), escape(_short(fact.source)), f"{fact.confidence:.2f}")
    screen.print(table)
    parts = {region: [p for p in reading.passages if p.region is region and p.hidden is None] for region in Region}
    table = Table("区域", "块数", "第一块")
    for region, those in parts.items():
        if those:
            table.add_row(region.value, str(len(those)), escape(those[0].text[:_SHOWN].replace("\n", " ")))
    screen.print(table)
    hidden = sum(p.hidden is not None for p in reading.passages)
    screen.print(
        f"评价 {len(reading.reviews)} · 链接 {len(reading.links)} · 图片 {len(reading.images)} · 隐藏文字 {hidden} 块"
    )
    for note in reading.notes:
        screen.print(escape(f"注意: {note}"))
    if picture is not None:
        screen.print(escape(f"图片: {picture}"))
