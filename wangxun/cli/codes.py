"""`wangxun codes check CODE…` — check digits of unified social credit codes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from contracts.codes import check_uscc

app = typer.Typer(help="校验统一社会信用代码", no_args_is_help=True)


@app.callback()
def codes() -> None:
    """校验统一社会信用代码(GB 32100-2015)"""


@app.command()
def check(code: Annotated[list[str], typer.Argument(help="统一社会信用代码,可给多个")]) -> int:
    """逐个校验;每行一个 JSON。只给一个代码且无效时退出码为 1。"""
    results = [check_uscc(one) for one in code]
    for result in results:
        print(
            json.dumps(
                {"code": result.code, "kind": result.kind, "valid": result.valid, "why": result.why or None},
                ensure_ascii=False,
            )
        )
    return 1 if len(results) == 1 and not results[0].valid else 0
