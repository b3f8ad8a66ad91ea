"""`wangxun patrol` — patrols addresses or registered sites, with live progress on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from contracts.site import Render
from wangxun.cli.words import one_of

INTERRUPTED = 130


@contextmanager
def live(enabled: bool) -> Iterator[tuple[Callable[[Any], None], Callable[[Any], None]]]:
    """Two callbacks that keep one line of figures up to date on a terminal; silent elsewhere."""
    if not enabled:
        yield (lambda _: None), (lambda _: None)
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("准备巡查…") as status:

        def crawl(p: Any) -> None:
            status.update(
                f"已取 {p.fetched} · 未变 {p.not_modified} · 渲染 {p.rendered} · 失败 {p.failed} · 待取 {p.queued}"
                f" · 主机 {p.hosts}  {escape(p.url[-60:])}"
            )

        def picture(p: Any) -> None:
            status.update(f"完整固证 {p.taken} · 失败 {p.failed}  {escape(p.url[-60:])}")

        yield crawl, picture


def patrol(
    urls: Annotated[list[str] | None, typer.Argument(metavar="[URL]…", help="起始网址;未登记的按主机临时登记")] = None,
    site: Annotated[list[str] | None, typer.Option(help="已登记网站的编号,可给多次")] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, help="每个网站的页数上限")] = None,
    render: Annotated[str | None, typer.Option(help="auto|always|never")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
) -> int:
    """巡查,留存页面,产生线索。中断后执行同一命令即从断点继续。"""
    from wangxun.patrolling import run_patrol
    from wangxun.runtime import runtime

    wanted = one_of(Render, render, "--render") if render else None
    with runtime() as line, live(sys.stderr.isatty() and not as_json) as (on_progress, on_picture):
        report = run_patrol(
            line,
            urls=urls or (),
            site_ids=site or (),
            max_pages=max_pages,
            render=wanted,
            on_progress=on_progress,
            on_picture=on_picture,
        )
    print(json.dumps(report.as_json(), ensure_ascii=False) if as_json else words(report))
    if report.tally.interrupted:
        print(
            f"wangxun: 已中断。保留 {report.counts.snapshots} 页、{report.counts.new} 条新线索;还有 {report.tally.left} 页待取,执行同一命令继续",
            file=sys.stderr,
        )
        return INTERRUPTED
    if not report.reached:
        why = report.as_json()["failed"][0]["why"] if report.tally.failed else "robots.txt 不允许"
        from wangxun.patrolling import label_of

        print(
            f"wangxun: 没有一个起始网址能打开: {label_of(why)} — 检查网址和网络,或运行 wangxun doctor", file=sys.stderr
        )
        return 2
    return 0


def words(report: Any) -> str:
    """The report for a person."""
    from wangxun.patrolling import label_of

    found = report.as_json()
    lines = [
        (
            f"巡查 {found['run']}: {found['pages']} 页(未变 {found['unchanged']},渲染 {found['rendered']}),"
            f"商品 {found['listings']},快照 {found['snapshots']},用时 {found['seconds']:.1f} 秒"
        ),
        f"线索: 新 {found['clues']['new']},再次发现 {found['clues']['seen']}",
        f"完整固证: {found['pictures']['taken']} 页,失败 {found['pictures']['failed']},待做 {found['pictures']['left']}",
    ]
    if found["obstacles"]:
        lines.append("未能看到内容: " + ",".join(f"{k} {n}" for k, n in found["obstacles"].items()))
    if found["robots"]:
        lines.append(f"robots.txt 不允许: {found['robots']} 页")
    if found["gone"]:
        lines.append(f"站内死链: {len(found['gone'])} 个")
    lines += [f"失败: {f['url']} — {label_of(f['why'])}" for f in found["failed"][:20]]
    if len(found["failed"]) > 20:
        lines.append(f"另有 {len(found['failed']) - 20} 页失败,见 --json")
    return "\n".join(lines)
