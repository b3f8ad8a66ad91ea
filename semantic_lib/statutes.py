"""The bureau's own copy of statutes, beside our summaries. Our library quotes no statute; the bureau brings its own text.

A row: law (key of an instrument in law/), article, text, from and to (days, may be empty). Read from a CSV, JSON, JSON Lines or YAML
file, or from every such file of a folder; bad rows are named with file and line, good ones are kept. Stored as one JSON file in the data
directory: statutes.json.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from contracts.errors import InputError
from semantic_lib.law import LawBook
from semantic_lib.source import Problem, Rows, parse_yaml

FILE = "statutes.json"
KINDS = (".csv", ".json", ".jsonl", ".yaml", ".yml")
MAX_TEXT = 20_000  #: characters of one article
MAX_FILE = 8 * 1024 * 1024
MAX_FILES = 2_000
_FIELDS = ("law", "article", "text")


@dataclass(frozen=True, slots=True)
class Statute:
    """One article's wording, as the bureau imported it, in force between two days (inclusive, None: open)."""

    law: str
    article: str
    text: str
    since: date | None = None
    until: date | None = None

    def in_force(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


class Statutes:
    """All imported articles."""

    def __init__(self, rows: Iterable[Statute] = ()) -> None:
        self._rows = {(row.law, row.article, row.since): row for row in rows}

    def __len__(self) -> int:
        return len(self._rows)

    def count(self, law: str) -> int:
        """How many articles of a law were imported."""
        return sum(row.law == law for row in self._rows.values())

    def wording(self, law: str, article: str, on: date) -> str | None:
        """The article's own wording on that day, None when the bureau has not imported it. "9(1)" also finds article 9."""
        whole = article.partition("(")[0].strip()
        for wanted in dict.fromkeys((article, whole)):
            for row in self._rows.values():
                if row.law == law and row.article == wanted and row.in_force(on):
                    return row.text
        return None

    def with_(self, rows: Iterable[Statute]) -> Statutes:
        """These and `rows`; a row for the same law, article and first day replaces the older one."""
        return Statutes([*self._rows.values(), *rows])

    def save(self, folder: Path) -> None:
        """Writes the data directory's file whole or not at all."""
        rows = [
            {
                "law": row.law, "article": row.article, "text": row.text,
                "from": row.since.isoformat() if row.since else None, "to": row.until.isoformat() if row.until else None,
            }
            for row in self._rows.values()
        ]  # fmt: skip
        handle, name = tempfile.mkstemp(dir=folder, prefix=".statutes-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(rows, stream, ensure_ascii=False, indent=1)
            Path(name).replace(folder / FILE)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def of(cls, folder: Path) -> Statutes:
        """What was imported into a data directory; empty when nothing was. Raises InputError when the file is damaged."""
        path = folder / FILE
        if not path.is_file():
            return cls()
        try:
            rows = json.loads(path.read_bytes())
            return cls(_statute(row, None) for row in rows)
        except (OSError, ValueError, TypeError) as fault:
            raise InputError("法规文本库 {file} 读不了", hint="重新运行 wangxun law import", file=str(path)) from fault


def read_statutes(path: Path, law: LawBook) -> tuple[list[Statute], list[Problem]]:
    """(good rows, what is wrong with the others) of a file, or of all files of a folder. Raises InputError when there is none."""
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in KINDS and p.is_file())[:MAX_FILES]
    else:
        files = [path]
    if not files:
        raise InputError("文件夹 {folder} 里没有 {kinds} 文件", folder=str(path), kinds=" ".join(KINDS))
    good: list[Statute] = []
    problems: list[Problem] = []
    for file in files:
        for line, record in _records(file, problems):
            try:
                good.append(_statute(record, law))
            except (ValueError, TypeError) as fault:
                problems.append(Problem(file.name, line, str(fault)))
    return good, problems


def _records(file: Path, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    """(line, record) of one file."""
    kind = file.suffix.lower()
    try:
        raw = file.read_bytes()
    except OSError as fault:
        raise InputError("读不了文件 {file}:{why}", file=str(file), why=fault.strerror or str(fault)) from fault
    if len(raw) > MAX_FILE or kind not in KINDS:
        why = (
            f"不认识的文件类型;可用 {' '.join(KINDS)}"
            if kind not in KINDS
            else f"文件超过 {MAX_FILE // 1024 // 1024} MB"
        )
        problems.append(Problem(file.name, 1, why))
    elif kind in (".yaml", ".yml"):
        yield from _yaml(raw, file.name, problems)
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            problems.append(Problem(file.name, 1, "不是 UTF-8 编码;另存为 UTF-8 后重试"))
            return
        yield from {".csv": _csv, ".jsonl": _json_lines, ".json": _json}[kind](text, file.name, problems)


def _yaml(raw: bytes, name: str, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    try:
        rows = parse_yaml(raw, name).get("articles")
    except InputError as fault:
        line = fault.params.get("line")
        problems.append(Problem(name, line if isinstance(line, int) else 1, str(fault.params.get("problem") or fault)))
        return
    if isinstance(rows, Rows):
        yield from zip(rows.lines, rows, strict=True)
    else:
        problems.append(Problem(name, 1, "YAML 文件应有 articles: [ … ]"))


def _csv(text: str, _name: str, _problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for record in reader:
        yield reader.line_num, record


def _json_lines(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                problems.append(Problem(name, number, "JSON 有误"))


def _json(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    """A list of records, {"articles": […]}, or one record; "line" is the record's number."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        problems.append(Problem(name, 1, "JSON 有误"))
        return
    if isinstance(rows, dict):
        rows = rows.get("articles", [rows])
    yield from enumerate(rows if isinstance(rows, list) else [rows], 1)


def _statute(record: Any, law: LawBook | None) -> Statute:
    """A record as a statute. Raises ValueError (Chinese). With `law` the key must be one of its instruments."""
    if not isinstance(record, dict):
        raise ValueError("不是一条记录(应有 law、article、text)")
    values = {name: str(record.get(name) or "").strip() for name in _FIELDS}
    for name in _FIELDS:
        if not values[name]:
            raise ValueError(f"缺少 {name}")
    if len(values["text"]) > MAX_TEXT:
        raise ValueError(f"text 超过 {MAX_TEXT} 字")
    if law is not None and values["law"] not in law.instruments:
        raise ValueError(f"law“{values['law']}”不在本库的法律文件里;见 wangxun law list")
    since, until = _day(record.get("from"), "from"), _day(record.get("to"), "to")
    if since and until and until < since:
        raise ValueError("to 早于 from")
    return Statute(values["law"], values["article"], values["text"], since, until)


def _day(value: object, name: str) -> date | None:
    if value is None or value == "":
        return None
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{name}“{value}”应为日期,如 2025-10-15") from None
