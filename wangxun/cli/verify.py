"""`wangxun verify PATH | --all` — does the evidence still hold?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import EnvironmentFault, UsageError
from wangxun.settings import settings

if TYPE_CHECKING:
    from evidence.verify import Report

#: What the counts of a report are called.
_COUNTED = {
    "bag_digests": "BagIt 摘要",
    "batches": "网络级批次",
    "captures": "证据",
    "checkpoints": "日志检查点",
    "custody_events": "保管记录",
    "files": "文件",
    "http_records": "网络级记录",
    "log_events": "日志条目",
    "objects": "库存对象",
    "resumed": "沿用中断前的结果",
    "signatures": "签名",
    "sm2_signatures": "SM2 签名",
    "timestamps": "时间戳",
    "wacz": "WACZ",
    "warc_records": "WARC 记录",
}


def verify(
    path: Annotated[Path | None, typer.Argument(help="证据包(.zip 或目录)或 .wacz 文件")] = None,
    all_: Annotated[bool, typer.Option("--all", help="核验整个证据库")] = False,
    require_timestamp: Annotated[bool, typer.Option(help="未加盖时间戳也算不符")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="不接着上次中断的核验,从头开始")] = False,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> int:
    """核验证据包、WACZ 或整个证据库。退出码:0 全部相符,1 有不符,2 无法核验。"""
    if (path is None) != all_:
        raise UsageError("请给出一个证据包或 WACZ,或用 --all 核验整个证据库")
    report = _verify(path, require_timestamp, quiet=json_, restart=restart)
    if json_:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _show(report)
    return 0 if report.ok else 1


def _verify(path: Path | None, require_timestamp: bool, *, quiet: bool, restart: bool) -> Report:
    from evidence.vault import open_store
    from evidence.verify import verify as verify_path
    from evidence.verify import verify_vault

    config = settings()
    if path is not None:
        return verify_path(path, require_timestamp=require_timestamp, tsa_ca=config.tsa_ca)
    tell = None if quiet or not sys.stderr.isatty() else _progress
    note = config.data_dir / "verify.progress"
    if restart:
        note.unlink(missing_ok=True)
    try:
        return verify_vault(
            config.evidence_dir,
            require_timestamp=require_timestamp,
            tsa_ca=config.tsa_ca,
            progress=tell,
            resume=note,
            store=open_store(config.evidence_dir / "objects", config.store_url),
        )
    except KeyboardInterrupt as stop:
        raise EnvironmentFault("核验已中止", hint="一天之内再次执行 wangxun verify --all 将接着核验") from stop
    finally:
        if tell:
            print("\r\x1b[K", end="", file=sys.stderr)


def _progress(what: str, count: int) -> None:
    print(f"\r\x1b[K{what} {count}", end="", file=sys.stderr, flush=True)


def _show(report: Report) -> None:
    counted = ",".join(f"{_COUNTED.get(name, name)} {number}" for name, number in report.checked.items())
    print(f"已核验:{counted or '无'}")
    for warning in report.warnings:
        print(f"注意  {warning.where}:{warning.what}")
    for failure in report.failures:
        print(f"不符  {failure.where}:{failure.what}")
    print("结论:全部相符" if report.ok else f"结论:{len(report.failures)} 处不符")
