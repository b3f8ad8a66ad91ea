"""`wangxun case open|list|export` — clues an officer pursues, and the package that proves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from wangxun.runtime import runtime

app = typer.Typer(help="立案卷、导出证据包", no_args_is_help=True)


@app.callback()
def case() -> None:
    """案卷"""


@app.command("open")
def open_(
    ids: Annotated[list[str], typer.Argument(help="线索编号或证据编号,可给多个")],
    officer: Annotated[str | None, typer.Option("--as", help="署名的执法人员;空: 由处置这些线索的人署名")] = None,
    title: Annotated[str, typer.Option(help="案卷名称;空: 由线索拟定")] = "",
) -> int:
    """把线索或证据立为一个案卷。"""
    from cases.casefile import decided_by, open_case

    with runtime() as line, line.session() as session:
        who = line.officer(session, officer) if officer else decided_by(session, ids)
        case_id = open_case(session, ids, officer=who, at=line.clock.now(), title=title)
    print(json.dumps({"case": case_id}, ensure_ascii=False))
    return 0


@app.command("list")
def list_() -> int:
    """列出案卷。"""
    from cases.casefile import list_cases

    with runtime() as line, line.session(read_only=True) as session:
        for found in list_cases(session):
            print(f"{found.id}\t{found.state}\t{found.clues}\t{found.title}")
    return 0


@app.command()
def export(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="案卷编号")],
    folder: Annotated[Path, typer.Option("-o", "--output", help="放证据包的目录")],
    officer: Annotated[str | None, typer.Option("--as", help="署名的执法人员;空: 案卷承办人")] = None,
) -> int:
    """导出可独立校验的证据包 目录/ID.zip。"""
    from wangxun.export import export_case

    with runtime() as line:
        package = export_case(line, case_id, folder, officer=officer)
    print(json.dumps({"case": case_id, "package": str(package)}, ensure_ascii=False))
    return 0
