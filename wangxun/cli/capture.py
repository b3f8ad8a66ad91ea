"""`wangxun capture URL` — one-click evidence: everything one page shows, sealed; with two officers, formal collection by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import EnvironmentFault, UsageError
from wangxun.cli.words import web_address
from wangxun.runtime import Runtime, runtime

if TYPE_CHECKING:
    from evidence.capture import Capture, Officer


async def take(line: Runtime, url: str, officers: tuple[Officer, ...], purpose: str, case_number: str) -> Capture:
    """The sealed capture, made in a browser started for it alone, and its row."""
    from cases import captures
    from crawler.browser.launch import launch
    from evidence.capture import LAUNCH_ARGS, CaptureRequest, CaptureSettings, capture_full

    config = line.config
    notes = {"unit": config.agency, "browser_profile": "为本次取证新启动的浏览器和空白配置,用后即弃"}
    if config.allow_private:
        notes["allow_private"] = ", ".join(config.allow_private)
    program = str(config.browser) if config.browser else None
    async with launch(program, allow_private=config.allow_private, extra=LAUNCH_ARGS) as started:
        made = await capture_full(
            started.browser,
            url,
            vault=line.vault,
            clock=line.clock,
            about=CaptureRequest(officers=officers, purpose=purpose, case_number=case_number, notes=notes),
            settings=CaptureSettings(picture=config.picture, pdf=True, ntp_servers=config.ntp),
        )
    with line.session() as session:
        captures.add_evidence(
            session,
            captures.Sealed(
                id=made.evidence_id,
                level=made.level,
                url=url,
                sealed_at=line.clock.now(),
                path=f"captures/{made.evidence_id[:6]}/{made.evidence_id}",
                digest=made.files.get("evidence.wacz", ""),
                timestamp_state=made.timestamp,
                simulated=line.clock.simulated,
            ),
            area=line.officer(session, officers[0].name).area if officers else "",
            officer=officers[0].name if officers else None,
        )
    return made


def named_officers(line: Runtime, names: Sequence[str], certificates: Sequence[str]) -> tuple[Officer, ...]:
    """Who collects: the first operates, the others witness. Raises UsageError, InputError (unknown), NotAllowed (role)."""
    from cases.access import Action, require
    from evidence.capture import Officer

    if len(certificates) > len(names):
        raise UsageError("执法证号多于署名的执法人员", hint="--certificate 与 --as 按顺序一一对应")
    if len(set(names)) < len(names):
        raise UsageError("同一执法人员署名两次", hint="正式取证须二名不同的执法人员")
    numbers = (*certificates, *[""] * len(names))
    with line.session(read_only=True) as session:
        for name in names:
            require(line.officer(session, name), Action.CAPTURE)
    return tuple(
        Officer(name, number.strip(), "operator" if not place else "witness")
        for place, (name, number) in enumerate(zip(names, numbers, strict=False))
    )


def write_record(line: Runtime, made: Capture, place: str, folder: Path | None) -> Path:
    """The draft of the extraction record, beside other exports unless told where. Raises EnvironmentFault."""
    from evidence.extraction import extraction_record

    target = folder or line.config.data_dir / "exports"
    path = target / f"extraction-record-{made.evidence_id}.docx"
    try:
        target.mkdir(parents=True, exist_ok=True)
        path.write_bytes(extraction_record(line.vault, made.evidence_id, unit=line.config.agency, place=place))
    except OSError as error:
        raise EnvironmentFault("笔录草稿无法写入 {path}: {why}", path=path, why=error.strerror) from error
    return path


def capture(
    url: Annotated[str, typer.Argument(help="网址")],
    officer: Annotated[list[str] | None, typer.Option("--as", help="署名的执法人员,正式取证须两名")] = None,
    certificate: Annotated[
        list[str] | None, typer.Option("--certificate", help="执法证号,与 --as 按顺序对应;正式取证须填")
    ] = None,
    purpose: Annotated[str, typer.Option(help="取证目的;正式取证须填")] = "",
    case_number: Annotated[str, typer.Option("--case", help="案号")] = "",
    place: Annotated[str, typer.Option(help="提取地点,写入笔录草稿")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="放笔录草稿的目录;空: 数据目录下的 exports")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
) -> int:
    """对一个网址一键固证;打印证据编号、时间戳状态、可否作正式证据。署名时另写提取笔录草稿。"""
    address = web_address(url)
    with runtime() as line:
        officers = named_officers(line, officer or (), certificate or ())
        line.vault.recover()
        try:
            made = asyncio.run(take(line, address, officers, purpose, case_number))
        except KeyboardInterrupt as stop:
            raise EnvironmentFault("固证已中止,没有留下半成品") from stop
        record = write_record(line, made, place, output) if officers else None
    _show(made, record, as_json=as_json)
    return 0


def _show(made: Capture, record: Path | None, *, as_json: bool) -> None:
    formal, why_not = bool(made.manifest["formal"]), list(made.manifest["not_formal_because"])
    if as_json:
        told = {"evidence": made.evidence_id, "level": made.level, "timestamp": made.timestamp, "formal": formal}
        told |= {"why_not_formal": why_not, "pending_why": list(made.pending_why)}
        told |= {"missing_images": made.missing, "record": str(record) if record else None}
        print(json.dumps(told, ensure_ascii=False))
        return
    stamp = "已加盖可信时间戳" if made.timestamp == "stamped" else "未加盖可信时间戳(待补)"
    print(f"{made.evidence_id}\t{made.level}\t{stamp}\t{'可作正式证据' if formal else '尚不能作正式证据'}")
    for why in why_not:
        print(f"  不作正式证据的原因:{why}")
    for why in made.pending_why:
        print(f"  时间戳:{why}")
    if made.missing:
        print(f"  {made.missing} 张图片未能加载,清单中逐一列明")
    if record:
        print(f"  提取笔录草稿:{record}")
