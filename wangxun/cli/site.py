"""`wangxun site add|list|import` — the registry of what a bureau answers for."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.errors import InputError
from contracts.ids import new_id
from contracts.site import Render, RobotsPolicy, Site, SiteKind
from wangxun.cli.site_try import site_try
from wangxun.cli.words import one_of, web_address
from wangxun.runtime import runtime

app = typer.Typer(help="登记、列出、导入网站", no_args_is_help=True)


app.command("try")(site_try)


@app.callback()
def site() -> None:
    """网站登记"""


def site_json(site: Site) -> dict[str, Any]:
    return {
        "id": site.id,
        "name": site.name,
        "kind": site.kind.value,
        "entry_urls": list(site.entry_urls),
        "area": site.area or None,
        "render": site.render.value,
        "robots": site.robots.value,
        "delay": None if site.delay_s is None else str(Decimal(str(site.delay_s))),
        "max_pages": site.max_pages,
        "platform": site.platform_id,
        "operator": site.operator,
        "uscc": site.uscc,
    }


@app.command()
def add(
    url: Annotated[list[str], typer.Argument(help="入口网址,可给多个")],
    name: Annotated[str, typer.Option(help="名称;空: 用主机名")] = "",
    kind: Annotated[str, typer.Option(help="platform|shop|self-built|company")] = SiteKind.SELF_BUILT.value,
    site_id: Annotated[str, typer.Option("--id", help="网站编号;空: 自动")] = "",
    area: Annotated[str, typer.Option(help="辖区行政区划代码")] = "",
    render: Annotated[str, typer.Option(help="auto|always|never")] = Render.AUTO.value,
    robots: Annotated[str, typer.Option(help="obey|record (例外抓取须审批,不在此设置)")] = RobotsPolicy.OBEY.value,
    delay: Annotated[float | None, typer.Option(help="同一主机两次请求的间隔,秒;空: 用总设置")] = None,
    max_pages: Annotated[int | None, typer.Option(help="一次巡查的页数上限")] = None,
    platform: Annotated[str | None, typer.Option(help="所属平台的网站编号")] = None,
    operator: Annotated[str | None, typer.Option(help="经营者名称")] = None,
    uscc: Annotated[str | None, typer.Option(help="统一社会信用代码")] = None,
) -> int:
    """登记一个网站;打印一个 JSON 对象。"""
    from cases.registry import add_site, host_of

    urls = tuple(web_address(one) for one in url)
    with runtime() as line, line.session() as session:
        at = line.clock.now()
        added = add_site(
            session,
            Site(
                id=site_id or new_id(at),
                name=name or host_of(urls[0]),
                kind=one_of(SiteKind, kind, "--kind"),
                entry_urls=urls,
                area=area,
                render=one_of(Render, render, "--render"),
                robots=one_of(RobotsPolicy, robots, "--robots", but=(RobotsPolicy.OVERRIDE,)),
                delay_s=delay,
                max_pages=max_pages,
                platform_id=platform,
                operator=operator,
                uscc=uscc,
            ),
            at=at,
        )
    print(json.dumps(site_json(added), ensure_ascii=False))
    return 0


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON 对象")] = False) -> int:
    """列出已登记的网站。"""
    from cases.registry import list_sites

    with runtime() as line, line.session(read_only=True) as session:
        for found in list_sites(session):
            if as_json:
                print(json.dumps(site_json(found), ensure_ascii=False))
            else:
                print(f"{found.id}\t{found.kind.value}\t{found.area or '-'}\t{found.name}\t{found.entry_urls[0]}")
    return 0


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="CSV,首行为列名 (name,kind,entry_urls,area,…)")]) -> int:
    """从 CSV 登记;坏行逐行指出,好行保留。有坏行时退出码为 2。"""
    from cases.registry import import_sites

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("{file} 不是 UTF-8 编码", hint="另存为“CSV UTF-8”后重试", file=file) from error
    with runtime() as line, line.session() as session:
        done = import_sites(session, text, at=line.clock.now())
    for fault in done.errors:
        print(f"wangxun: {file} 第 {fault.line} 行: {fault.why}", file=sys.stderr)
    print(json.dumps({"added": done.added, "updated": done.updated, "errors": len(done.errors)}, ensure_ascii=False))
    return 2 if done.errors else 0
