"""`wangxun capture URL` — one-click evidence: everything one page shows, sealed."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from contracts.errors import EnvironmentFault
from wangxun.cli.words import web_address
from wangxun.runtime import Runtime, runtime


async def take(
    line: Runtime, url: str, officers: tuple[str, ...], purpose: str, case_number: str
) -> tuple[str, str, str]:
    from cases import captures
    from crawler.browser.launch import launch
    from evidence.capture import LAUNCH_ARGS, CaptureRequest, CaptureSettings, Officer, capture_full

    config = line.config
    program = str(config.browser) if config.browser else None
    async with launch(program, allow_private=config.allow_private, extra=LAUNCH_ARGS) as started:
        made = await capture_full(
            started.browser,
            url,
            vault=line.vault,
            clock=line.clock,
            about=CaptureRequest(
                officers=tuple(
                    Officer(name, role="operator" if not i else "witness") for i, name in enumerate(officers)
                ),
                purpose=purpose,
                case_number=case_number,
                notes={"allow_private": ", ".join(config.allow_private)} if config.allow_private else {},
            ),
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
                timestamp_state=made.timestamp,
                simulated=line.clock.simulated,
            ),
            officer=officers[0] if officers else None,
        )
    return made.evidence_id, made.level, made.timestamp


def capture(
    url: Annotated[str, typer.Argument(help="网址")],
    officer: Annotated[list[str] | None, typer.Option("--as", help="署名的执法人员,正式取证须两名")] = None,
    purpose: Annotated[str, typer.Option(help="取证目的")] = "",
    case_number: Annotated[str, typer.Option("--case", help="案号")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
) -> int:
    """对一个网址一键固证;打印证据编号和时间戳状态。"""
    address = web_address(url)
    with runtime() as line:
        names = tuple(officer or ())
        with line.session(read_only=True) as session:
            for name in names:
                line.officer(session, name)
        try:
            evidence, level, timestamp = asyncio.run(take(line, address, names, purpose, case_number))
        except KeyboardInterrupt as stop:
            raise EnvironmentFault("固证已中止,没有留下半成品") from stop
    if as_json:
        print(json.dumps({"evidence": evidence, "level": level, "timestamp": timestamp}, ensure_ascii=False))
    else:
        stamp = "已加盖可信时间戳" if timestamp == "stamped" else "未加盖可信时间戳(待补)"
        print(f"{evidence}\t{level}\t{stamp}")
    return 0
