"""`make demo`: the whole line on the sample market, ending in a console one can use.

Two market days are patrolled under a simulated clock (everything it captures says 模拟时间). Then: a table of the market's
truth against what was found, the queue, one case opened, exported and verified, and the console's address and account.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cases.access import Role
from contracts.errors import WangxunError
from sample_market.clock import clock_of
from sample_market.server import MarketServer
from wangxun.runtime import Runtime
from wangxun.settings import Settings

if TYPE_CHECKING:
    from cases.queue import ClueRow
    from sample_market.model import Market, Truth

ROOT = Path(__file__).resolve().parent.parent
OFFICER = "示范办案员"
DAYS = (1, 2)
#: Full captures made in the demo itself; the rest waits in the queue, as on a working day.
CAPTURES = 12
out = Console()


def fresh_settings(market: MarketServer, folder: Path) -> Settings:
    """Settings of the demo alone: its own data folder, thrown away at the next demo, and leave to reach its own addresses."""
    shutil.rmtree(folder, ignore_errors=True)
    return Settings(
        data_dir=folder,
        delay=Decimal("0.02"),
        allow_private=tuple(market.allow_private.split(",")),
        agency="示例市场监督管理局",
        contact="demo@example.invalid",
        port=0,
    )


@contextmanager
def opened(config: Settings, day: int) -> Iterator[Runtime]:
    line = Runtime(config, clock_of(day))
    try:
        yield line
    finally:
        line.close()


def register(line: Runtime, market: MarketServer, password: str) -> None:
    from cases.officers import create
    from cases.registry import add_site

    with line.session() as session:
        create(session, OFFICER, Role.SUPERVISOR, password, at=line.clock.now())
        for site in sorted(market.sites(), key=lambda s: s.platform_id is not None):
            add_site(session, site, at=line.clock.now())


def patrol_day(config: Settings, market: MarketServer, day: int) -> None:
    from wangxun.patrolling import run_patrol

    market.set_day(day)
    with opened(config, day) as line, out.status(f"第 {day} 天巡查…") as status:
        report = run_patrol(
            line,
            site_ids=[s.id for s in market.sites()],
            most_pictures=CAPTURES,
            on_progress=lambda p: status.update(f"第 {day} 天: 已取 {p.fetched},渲染 {p.rendered},待取 {p.queued}"),
            on_picture=lambda p: status.update(f"第 {day} 天: 完整固证 {p.taken}"),
        )
    told = report.as_json()
    out.print(
        f"第 {day} 天: {told['pages']} 页(渲染 {told['rendered']},未变 {told['unchanged']}),商品 {told['listings']},"
        f"新线索 {told['clues']['new']},再次发现 {told['clues']['seen']},失败 {len(told['failed'])},"
        f"完整固证 {told['pictures']['taken']}(待做 {told['pictures']['left']}),{told['seconds']:.0f} 秒"
    )


def clues_of(line: Runtime) -> list[ClueRow]:
    from cases.queue import Filters, list_clues

    rows: list[ClueRow] = []
    after = None
    with line.session(read_only=True) as session:
        while True:
            page = list_clues(session, Filters.of(everything=True), after=after, limit=200)
            rows += page.rows
            if page.next is None:
                return rows
            after = page.next


@dataclass
class Tally:
    """How the market's truth and the clues compare, in planted categories; `false` are categories nobody planted."""

    found: int = 0
    missed: int = 0
    waiting: int = 0
    false: int = 0


def address(url: str) -> str:
    return url.partition("?")[0].rstrip("/")


def compare(
    table: Table, tally: Tally, name: str, truth: Sequence[Truth], found: set[str], said: Callable[[str], str]
) -> None:
    """One row: planted, found, and a verdict. `said` is the market's word on a category found (arguable ones count neither way)."""
    expected: dict[str, bool] = {}  # category → may the page alone show it
    for planted in truth:
        expected[planted.category] = expected.get(planted.category, False) or planted.needs == "none"
    hit = found & expected.keys()
    extra = {c for c in found - expected.keys() if said(c) in ("innocent", "unplanned")}
    waiting = {c for c in expected.keys() - hit if not expected[c]}
    missed = expected.keys() - hit - waiting
    tally.found += len(hit)
    tally.waiting += len(waiting)
    tally.missed += len(missed)
    tally.false += len(extra)
    verdict = "[red]多报[/]" if extra else "[red]漏[/]" if missed else "[yellow]待数据[/]" if waiting else "[green]✓[/]"
    planted_words = ", ".join(f"{c}{'' if expected[c] else '°'}" for c in sorted(expected)) or "—"
    found_words = ", ".join([*sorted(hit), *(f"[red]+{c}[/]" for c in sorted(extra))]) or "—"
    table.add_row(name, planted_words, found_words, verdict)


def verdict_at(plan: Market, site: str, path: str, category: str) -> str:
    return plan.verdict(site, path, category, DAYS[-1])


def truth_table(market: MarketServer, rows: Sequence[ClueRow]) -> tuple[Table, Tally]:
    """Each listing of the market, then each site: what was planted by the last day, and what was found."""
    table = Table(title="示例市场: 埋设与发现", caption="° 需要历史、登记信息或第二次固证才能成立")
    for name in ("商品 / 网站", "埋设", "发现", ""):
        table.add_column(name, overflow="fold")
    tally, last = Tally(), DAYS[-1]
    by_address: dict[str, set[str]] = {}
    for row in rows:
        by_address.setdefault(address(row.url), set()).add(row.category)
    plan = market.market
    for listing in plan.listings:
        found = by_address.pop(address(market.url_of(listing.id)), set())
        compare(
            table,
            tally,
            f"{listing.id} {listing.title[:16]}",
            [t for t in listing.truth if t.from_day <= last],
            found,
            partial(verdict_at, plan, listing.site, listing.path),
        )
    for site in plan.sites:
        base = market.base_urls[site.id]
        paths = {
            url.removeprefix(base) or "/": categories for url, categories in by_address.items() if url.startswith(base)
        }
        truth = [t for t in (*site.truth, *(t for p in plan.pages_of(site.id) for t in p.truth)) if t.from_day <= last]

        def said(category: str, at: str = site.id, where: Mapping[str, set[str]] = paths) -> str:
            words = {plan.verdict(at, path, category, last) for path, found in where.items() if category in found}
            return next((w for w in ("planted", "arguable") if w in words), "unplanned")

        compare(table, tally, f"\\[{site.id}] {site.name[:16]}", truth, set().union(*paths.values()), said)
    return table, tally


def queue_table(rows: Sequence[ClueRow], most: int = 20) -> Table:
    table = Table(title=f"线索队列: {len(rows)} 条(分值最高的 {min(most, len(rows))} 条)")
    for name in ("编号", "程度", "分值", "类别", "原话", "网站"):
        table.add_column(name, overflow="fold" if name == "原话" else "ellipsis", no_wrap=name != "原话")
    names = {"low": "低", "medium": "中", "high": "高", "critical": "危急"}
    for row in rows[:most]:
        table.add_row(
            row.id[-8:],
            names[row.severity],
            f"{row.score:.2f}",
            row.category,
            row.quote[:48] or row.title,
            row.site,
        )
    return table


def prove(config: Settings, rows: Sequence[ClueRow]) -> Path:
    """One case from the strongest clue that has a full capture: opened, exported, verified."""
    from cases.casefile import open_case
    from evidence.verify import verify
    from wangxun.export import export_case

    with opened(config, DAYS[-1]) as line:
        with line.session() as session:
            officer = line.officer(session, OFFICER)
            chosen = next((r for r in rows if any(not e.startswith("http.") for e in r.evidence)), rows[0])
            case_id = open_case(session, [chosen.id], officer=officer, at=line.clock.now())
        package = export_case(line, case_id, config.data_dir / "exports")
    report = verify(package)
    out.print(f"证据包: {package}")
    out.print(
        f"校验 (wangxun verify): {sum(report.checked.values())} 项,失败 {len(report.failures)},提示 {len(report.warnings)}"
    )
    for failure in report.failures:
        out.print(f"[red]  {failure.where}: {failure.what}[/]")
    if report.failures:
        raise SystemExit(1)
    return package


def serve(config: Settings, password: str) -> None:
    import uvicorn

    from wangxun.cli.serve import listening
    from wangxun.web import console_app

    with opened(config, DAYS[-1]) as line:
        sock = listening(config.host, 8600) if port_free(config.host, 8600) else listening(config.host, 0)
        address = f"http://{config.host}:{sock.getsockname()[1]}/"
        out.rule("控制台 console")
        out.print(f"地址 {address}   账号 {OFFICER}   密码 {password}   (Ctrl-C 停止)")
        app = console_app(line, simulated=True, notice=f"示例账号: {OFFICER} / {password}")
        uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=5)).run(
            sockets=[sock]
        )


def shoot(config: Settings, password: str, folder: Path) -> None:
    """The pictures of the documentation, from this very market."""
    import threading

    import uvicorn
    from playwright.sync_api import sync_playwright

    from console import screens
    from crawler.browser.launch import find_chromium
    from wangxun.cli.serve import listening
    from wangxun.web import console_app

    with opened(config, DAYS[-1]) as line:
        sock = listening(config.host, 0)
        server = uvicorn.Server(uvicorn.Config(console_app(line, simulated=True), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            base = f"http://{config.host}:{sock.getsockname()[1]}"
            made = screens.shoot(browser, base, folder, name=OFFICER, password=password)
            browser.close()
        server.should_exit = True
        thread.join(timeout=10)
    out.print(f"截图 {len(made)} 张: {folder}")


def port_free(host: str, port: int) -> bool:
    from wangxun.cli.serve import listening

    try:
        listening(host, port).close()
    except WangxunError:
        return False
    return True


def main() -> int:
    words = argparse.ArgumentParser(prog="make demo", description=__doc__)
    words.add_argument("--once", action="store_true", help="跑完即停,不打开控制台")
    words.add_argument("--screens", type=Path, metavar="目录", help="另存控制台截图到该目录 (文档用)")
    words.add_argument("--data", type=Path, default=ROOT / ".demo", help="示范数据目录(每次清空)")
    asked = words.parse_args()
    password = secrets.token_urlsafe(9)
    with MarketServer(day=1) as market:
        for note in market.notes:
            out.print(f"[yellow]{note}[/]")
        config = fresh_settings(market, asked.data)
        with opened(config, 1) as line:
            register(line, market, password)
        out.print(f"示例市场: {len(market.base_urls)} 个网站,{len(market.market.listings)} 件商品")
        for day in DAYS:
            patrol_day(config, market, day)
        with opened(config, DAYS[-1]) as line:
            rows = clues_of(line)
        table, tally = truth_table(market, rows)
        out.print(table)
        out.print(
            f"埋设项: 发现 {tally.found},漏 {tally.missed},待数据 {tally.waiting};"
            f"无辜商品 {sum(x.innocent for x in market.market.listings)}/{len(market.market.listings)},多报 {tally.false} 项"
        )
        out.print(queue_table(rows))
        prove(config, rows)
        if asked.screens:
            shoot(config, password, asked.screens)
        if asked.once:
            out.print(f"账号 {OFFICER} 密码 {password} — 打开控制台: make demo (不带 --once)")
        else:
            try:
                serve(config, password)
            except KeyboardInterrupt:
                out.print("已停止")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except WangxunError as error:
        print(f"demo: {error.text()}", file=sys.stderr)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
