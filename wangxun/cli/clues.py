"""`wangxun clues list|show|decide` — the queue on the command line."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer

from wangxun.runtime import runtime

app = typer.Typer(help="查看和处置线索", no_args_is_help=True)
#: Undefended against mistypes otherwise: a mute without an end would hide a shop for ever.
MUTE_DAYS = 30


@app.callback()
def clues() -> None:
    """线索队列"""


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="只看某状态: new, claimed, confirmed, …;空: 待处理")] = None,
    severity: Annotated[str | None, typer.Option(help="low|medium|high|critical")] = None,
    category: Annotated[str | None, typer.Option(help="违法行为类别编号")] = None,
    site: Annotated[str | None, typer.Option(help="网站编号")] = None,
    everything: Annotated[bool, typer.Option("--all", help="含已处理的")] = False,
    limit: Annotated[int, typer.Option(min=1, help="最多几条")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON 对象")] = False,
) -> int:
    """列出线索,分值高的在前。"""
    from cases.queue import Filters, clue_json, list_clues

    wanted = Filters.of(state=state, severity=severity, category=category, site=site, everything=everything)
    with runtime() as line, line.session(read_only=True) as session:
        after, left = None, limit
        while left > 0:
            page = list_clues(session, wanted, after=after, limit=min(left, 200))
            for row in page.rows:
                if as_json:
                    print(json.dumps(clue_json(row), ensure_ascii=False))
                else:
                    print(
                        f"{row.id}\t{row.severity}\t{row.score:.2f}\t{row.state}\t×{row.seen}\t{row.category}\t“{row.quote[:40]}”\t{row.listing or ''}"
                    )
            left -= len(page.rows)
            after = page.next
            if after is None:
                break
    return 0


@app.command()
def show(
    clue: Annotated[list[str], typer.Argument(help="线索编号")],
    as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON 对象")] = False,
) -> int:
    """一条线索的全部:原话、依据、要件、已排除的情形、还缺什么、证据。"""
    from cases.queue import clue_detail, clue_json, clue_row

    with runtime() as line, line.session(read_only=True) as session:
        for one in clue:
            if as_json:
                detail = clue_detail(session, one, at=line.clock.now())
                print(
                    json.dumps(
                        {**clue_json(clue_row(session, one)), "parts": detail.parts}, ensure_ascii=False, default=str
                    )
                )
            else:
                from wangxun.cli.clue_sheet import sheet

                print(sheet(clue_detail(session, one, at=line.clock.now())))
    return 0


@app.command()
def decide(
    words: Annotated[
        list[str],
        typer.Argument(help="线索编号…,最后一个词是决定: 立案 补证 移送 责令改正 不予处理 误报 重复 静默 (或英文名)"),
    ],
    officer: Annotated[str, typer.Option("--as", help="署名的执法人员")],
    reason: Annotated[str, typer.Option(help="理由:列表中的词,可接说明")] = "",
    days: Annotated[int, typer.Option(help="静默的天数")] = MUTE_DAYS,
) -> int:
    """以执法人员名义处置;打印批次编号,可据此撤销。"""
    from cases.decisions import Decision, parse_decision
    from cases.review import decide as decide_clues
    from contracts.errors import UsageError

    if len(words) < 2:
        raise UsageError("先写线索编号,最后写决定", hint="例: wangxun clues decide ID 立案 --as 张三")
    *ids, word = words
    decision = parse_decision(word)
    with runtime() as line, line.session() as session:
        at = line.clock.now()
        done = decide_clues(
            session,
            ids,
            decision,
            reason=reason,
            officer=line.officer(session, officer),
            at=at,
            until=at + timedelta(days=days) if decision is Decision.MUTE else None,
        )
    print(
        json.dumps(
            {
                "batch": done.batch_id,
                "clues": list(done.clue_ids),
                "decision": done.decision.value,
                "reason": done.reason or None,
            },
            ensure_ascii=False,
        )
    )
    return 0


@app.command()
def undo(
    batch: Annotated[str, typer.Argument(help="decide 打印的批次编号")],
    officer: Annotated[str, typer.Option("--as", help="署名的执法人员")],
) -> int:
    """撤销一个批次的处置。"""
    from cases.review import undo as undo_batch

    with runtime() as line, line.session() as session:
        restored = undo_batch(session, batch, officer=line.officer(session, officer), at=line.clock.now())
    print(json.dumps({"batch": batch, "clues": list(restored)}, ensure_ascii=False))
    return 0
