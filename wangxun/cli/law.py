"""`wangxun law list|import` — the instruments our rules rest on, and the bureau's own copy of their wording."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="法律文件:列出、导入本单位的法规文本", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_law(as_json: Annotated[bool, typer.Option("--json", help="输出 JSON Lines")] = False) -> int:
    """列出规则所依据的法律文件(标识即导入文件里的 law)和已导入的条文数。"""
    from semantic_lib.load import library
    from semantic_lib.statutes import Statutes
    from wangxun.settings import settings

    own = Statutes.of(settings().data_dir)
    for instrument in library().law.instruments.values():
        imported = own.count(instrument.key)
        row = {
            "law": instrument.key, "title": instrument.title, "mark": instrument.mark,
            "from": instrument.since.isoformat() if instrument.since else None,
            "to": instrument.until.isoformat() if instrument.until else None, "imported": imported,
        }  # fmt: skip
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(
                f"{instrument.key:<28} {row['from'] or '…'} – {row['to'] or '…'}  已导入 {imported} 条  {instrument.title}"
            )
    return 0


@app.command("import")
def import_law(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|FOLDER", help="CSV、JSON、JSON Lines、YAML 文件,或放这些文件的文件夹")
    ],
) -> int:
    """导入本单位的法规文本(列: law, article, text, from, to)。坏行逐行指出,好行保留。有坏行时退出码为 2。"""
    from contracts.errors import InputError
    from semantic_lib.load import library
    from semantic_lib.statutes import Statutes, read_statutes
    from wangxun.runtime import make_folder
    from wangxun.settings import settings

    if not path.exists():
        raise InputError("没有 {file}", file=str(path))
    rows, problems = read_statutes(path, library().law)
    folder = settings().data_dir
    make_folder(folder)
    if rows:
        Statutes.of(folder).with_(rows).save(folder)
    for problem in problems:
        print(f"wangxun: {problem}", file=sys.stderr)
    print(json.dumps({"imported": len(rows), "bad": len(problems)}))
    return 2 if problems else 0
