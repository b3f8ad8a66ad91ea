"""`wangxun scan [FILE…|-]` — the operator's self-check: text in, suspicions, exempted hits and needs out, one JSON line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from contracts.clock import SystemClock, aware
from contracts.errors import InputError, UsageError
from contracts.finding import Detection
from contracts.page import Passage, Region

MAX_LINE_BYTES = 8 * 1024 * 1024  #: longer lines are refused by number
MAX_FILE_BYTES = 32 * 1024 * 1024  #: of a text or HTML file
FORMATS = ("jsonl", "text", "html")


def scan(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE…|-]", help="文件;- 或不写为标准输入")] = None,
    format: Annotated[str, typer.Option("--format", help="jsonl、text 或 html")] = "jsonl",  # noqa: A002
    likeness: Annotated[
        bool, typer.Option("--likeness", help="另列“凭相似”的低可信度提示(模型提出,须人工判断)")
    ] = False,
) -> int:
    """用语义库检查文本、JSON Lines 或网页文件(合规体检)。只有疑似,没有认定。"""
    if format not in FORMATS:
        raise UsageError("不认识的格式 {format};可用 jsonl、text、html", format=format)
    bad = 0
    for name in files or ["-"]:
        with _opened(name) as stream:
            if format == "jsonl":
                bad += _scan_lines(name, stream, likeness=likeness)
            else:
                _print(_scan_whole(name, stream, html=format == "html", likeness=likeness))
    return 2 if bad else 0


def scan_row(row: dict[str, Any], *, now: datetime, likeness: bool = False) -> dict[str, Any]:
    """The answer to one input row {"id","text","region"?,"lang"?,"goods"?,"captured_at"?}. Raises ValueError (Chinese)."""
    from semantic_lib.load import library

    text = row.get("text")
    if not isinstance(text, str):
        raise ValueError("缺少 text,或 text 不是文字")
    passage = Passage(text, _region(row.get("region")), lang=_optional(row, "lang"))
    found = library().read(
        [passage], at=_instant(row.get("captured_at"), now), goods=_optional(row, "goods"),
        title=_optional(row, "title"), likeness=likeness,
    )  # fmt: skip
    return {"id": row.get("id"), **shape(found)}


def shape(found: Detection) -> dict[str, Any]:
    """The fixed JSON shape of a detection."""
    return {
        "findings": [
            {
                "rule": f.rule, "category": f.category, "severity": f.severity.value, "confidence": f.confidence,
                "start": p.start, "end": p.end, "quote": p.quote,
                "basis": [{"law": b.law, "article": b.article, "mark": b.mark, "penalty": b.penalty} for b in f.basis],
                "title": f.title, "why": f.why, "version": f.version, "method": f.method.value,
                "needs": list(f.needs), "passage": p.passage, "region": p.region.value if p.region else None,
                "tested": [t.exemption for t in f.tested],
            }
            for f in found.findings
            for p in f.evidence
        ],
        "exempted": [
            {
                "rule": e.rule, "category": e.category, "quote": e.quote, "why": e.why, "exemption": e.exemption,
                "start": e.pointer.start, "end": e.pointer.end, "passage": e.pointer.passage,
            }
            for e in found.exempted
        ],
        "needs": [
            {
                "rule": n.rule, "category": n.category, "needs": list(n.needs), "why": n.why, "quote": n.pointer.quote,
                "start": n.pointer.start, "end": n.pointer.end, "passage": n.pointer.passage,
            }
            for n in found.needs
        ],
    }  # fmt: skip


def _opened(name: str) -> Any:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    path = Path(name)
    try:
        return path.open("rb")
    except OSError as fault:
        raise InputError("读不了文件 {file}:{why}", file=name, why=fault.strerror or str(fault)) from fault


def _scan_lines(name: str, stream: IO[bytes], *, likeness: bool) -> int:
    """Answers every good line; names every bad one. Returns how many were bad."""
    now = SystemClock().now()
    bad = 0
    for number, raw in _numbered(stream):
        if not raw.strip():
            continue
        try:
            if len(raw) > MAX_LINE_BYTES:
                raise ValueError(f"超过 {MAX_LINE_BYTES // 1024 // 1024} MB")
            row = json.loads(raw)
            if not isinstance(row, dict):
                raise ValueError("不是 JSON 对象")
            _print(scan_row(row, now=now, likeness=likeness))
        except (ValueError, RecursionError) as fault:
            bad += 1
            print(f"wangxun: {name} 第 {number} 行不能用:{_one_line(fault)}", file=sys.stderr)
    return bad


def _numbered(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; of an over-long line only its beginning is held in memory."""
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 2):
        number += 1
        if not raw.endswith(b"\n") and len(raw) > MAX_LINE_BYTES:
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
        yield number, raw


def _scan_whole(name: str, stream: IO[bytes], *, html: bool, likeness: bool) -> dict[str, Any]:
    from semantic_lib.load import library

    raw = stream.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise InputError("文件 {file} 超过 {limit} MB", file=name, limit=MAX_FILE_BYTES // 1024 // 1024)
    now = SystemClock().now()
    if not html:
        found = library().read([Passage(raw.decode("utf-8", "replace"))], at=now, likeness=likeness)
        return {"id": name, **shape(found)}
    try:
        from crawler.extract import read_page
    except ImportError as fault:
        raise InputError("本版本还不能读网页文件,请用 --format text") from fault
    reading = read_page(raw, url=f"file:///{Path(name).name}", at=now)
    goods = " ".join(v for key in ("goods", "name") if (v := reading.value(key)))
    found = library().read(
        reading.passages, at=now, goods=goods or None, title=reading.title or reading.value("name"), likeness=likeness
    )
    return {"id": name, **shape(found)}


def _region(value: object) -> Region | None:
    if value is None or value == "":
        return None
    try:
        return Region(str(value))
    except ValueError:
        known = "、".join(region.value for region in Region)
        raise ValueError(f"region“{value}”不认识;可用:{known}") from None


def _optional(row: dict[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise ValueError(f"{key} 应为文字")


def _instant(value: object, now: datetime) -> datetime:
    if value is None or value == "":
        return now
    try:
        return aware(datetime.fromisoformat(str(value)))
    except ValueError:
        raise ValueError(f"captured_at“{value}”不是 ISO 8601 时间") from None


def _one_line(fault: Exception) -> str:
    if isinstance(fault, json.JSONDecodeError):
        return f"JSON 有误(第 {fault.colno} 列)"
    if isinstance(fault, UnicodeDecodeError):
        return "不是 UTF-8"
    return str(fault).replace("\n", " ")[:300] or type(fault).__name__


def _print(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def answers(rows: Iterable[dict[str, Any]], *, now: datetime) -> Iterator[dict[str, Any]]:
    """The same for rows in memory; a bad row raises ValueError."""
    for row in rows:
        yield scan_row(row, now=now)
