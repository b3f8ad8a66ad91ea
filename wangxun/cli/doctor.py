"""`wangxun doctor` — what this machine has, what it lacks, and what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from contracts.clock import SystemClock
from contracts.errors import WangxunError
from wangxun.settings import Settings, settings

#: A patrol of a thousand pages with pictures keeps about this much.
ROOM_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """`state`: ok; missing (needed for all work); limited (only some work is not possible)."""

    name: str
    state: str
    found: str
    do: str = ""


def check_python(_: Settings) -> Check:
    import platform

    return Check("Python", "ok", platform.python_version())


def check_data_dir(config: Settings) -> Check:
    folder = config.data_dir.resolve()
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Check("数据目录", "missing", f"{folder} 不可写", "修改目录权限,或用 WANGXUN_DATA_DIR 指向可写目录")
    free = shutil.disk_usage(nearest).free
    if free < ROOM_BYTES:
        return Check("数据目录", "limited", f"{folder} 仅余 {free / 1024**3:.1f} GB", "清理磁盘或换到更大的磁盘")
    return Check("数据目录", "ok", f"{folder} (余 {free / 1024**3:.0f} GB)")


def check_database(config: Settings) -> Check:
    from cases.db import connect, health

    if config.database.startswith("sqlite") and not config.data_dir.exists():
        return Check("数据库", "ok", "SQLite,首次使用时建立")
    try:
        engine = connect(config.database)
        found = health(engine)
        engine.dispose()
    except WangxunError as error:
        return Check("数据库", "missing", error.text(), "检查 WANGXUN_DATABASE_URL 和数据库服务")
    return Check("数据库", "ok", f"{found.dialect} {found.version}" + ("" if found.ready else ",首次使用时升级"))


def check_browser(config: Settings) -> Check:
    from crawler.browser.launch import find_chromium

    try:
        program = find_chromium(str(config.browser) if config.browser else None)
    except WangxunError as error:
        do = "改正 WANGXUN_BROWSER" if config.browser else "apt-get install chromium"
        return Check("浏览器", "limited", f"{error.text()};不能渲染、截图和完整固证", do)
    words = [program, "--version"]
    shown = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stdout  # noqa: S603 — the browser itself
    return Check("浏览器", "ok", f"{shown.strip() or program} ({program})")


def check_fonts(_: Settings) -> Check:
    if not shutil.which("fc-list"):
        return Check("中文字体", "limited", "没有 fontconfig,无法确认", "apt-get install fontconfig fonts-noto-cjk")
    words = ["fc-list", ":lang=zh-cn", "family"]
    families = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stdout.splitlines()  # noqa: S603 — the system's own
    if not families:
        return Check("中文字体", "limited", "没有: 截图与报告缺字", "apt-get install fonts-noto-cjk")
    return Check("中文字体", "ok", min(families).split(",")[0])


def check_clock(config: Settings) -> Check:
    from evidence.environment import clock_offset

    if not config.ntp:
        return Check("时钟偏差", "limited", "未设置 NTP 服务器,无法核对", "设置 WANGXUN_NTP=服务器[,服务器]")
    answers = clock_offset(config.ntp, SystemClock())
    offsets = [a["offset_ms"] for a in answers["servers"] if "offset_ms" in a]
    if not offsets:
        return Check("时钟偏差", "limited", "NTP 服务器没有应答", "检查网络或 WANGXUN_NTP")
    shown = f"{max(offsets, key=abs):+d} 毫秒"
    if not answers["verified"]:
        return Check("时钟偏差", "limited", shown, "校准系统时钟后再取证")
    return Check("时钟偏差", "ok", shown)


def check_time_stamp(config: Settings) -> Check:
    if not config.tsa_url:
        return Check("可信时间戳", "limited", "未设置: 证据标为“时间戳待补”", "设置 WANGXUN_TSA_URL 和 WANGXUN_TSA_CA")
    if config.tsa_ca is None or not config.tsa_ca.exists():
        return Check("可信时间戳", "limited", "没有时间戳服务的根证书", "设置 WANGXUN_TSA_CA 为 PEM 文件")
    return Check("可信时间戳", "ok", ", ".join(config.tsa_url))


def check_keys(config: Settings) -> Check:
    loose = [p for p in config.keys_dir.glob("*") if p.stat().st_mode & 0o077] if config.keys_dir.exists() else []
    if loose:
        return Check("签名密钥", "missing", f"{loose[0]} 他人可读", f"chmod 600 {loose[0]}")
    return Check("签名密钥", "ok", str(config.keys_dir) if config.keys_dir.exists() else "首次固证时生成")


def check_assets(_: Settings) -> Check:
    import console

    script = Path(console.__file__).parent / "node_modules" / "htmx.org"
    if not script.exists():
        return Check("控制台前端", "limited", "htmx 未安装: 以普通表单工作", "make setup FORCE=1")
    return Check("控制台前端", "ok", "htmx")


CHECKS: tuple[Callable[[Settings], Check], ...] = (
    check_python,
    check_data_dir,
    check_database,
    check_browser,
    check_fonts,
    check_clock,
    check_time_stamp,
    check_keys,
    check_assets,
)


def examine(config: Settings) -> Iterator[Check]:
    for check in CHECKS:
        yield check(config)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False) -> int:
    """检查本机:缺什么、影响什么、怎么办。缺少必需项时退出码为 1。"""
    checks = list(examine(settings()))
    if as_json:
        print(json.dumps({"checks": [asdict(c) for c in checks]}, ensure_ascii=False))
    else:
        signs = {"ok": "✓", "limited": "△", "missing": "✗"}
        for c in checks:
            print(f"{signs[c.state]} {c.name}: {c.found}" + (f"\n    → {c.do}" if c.do else ""))
    return 1 if any(c.state == "missing" for c in checks) else 0
