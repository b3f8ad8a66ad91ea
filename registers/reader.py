"""Reads a register from CSV: good rows become entries, a bad row is named with its line and reason."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.codes import check_uscc
from contracts.errors import InputError
from contracts.finding import RegisterEntry

#: Longest file in characters and longest field kept.
MAX_FILE, MAX_FIELD = 500_000_000, 4000


class RegisterKind(StrEnum):
    """The registers that can be imported."""

    OPERATORS = "operators"  #: key: credit code
    PERMITS = "permits"  #: key: permit or registration number
    TRADEMARKS = "trademarks"  #: key: the mark's text, small letters without blanks
    COMPLAINTS = "complaints"  #: key: complaint number
    PENALTIES = "penalties"  #: key: credit code, else the operator's name


@dataclass(frozen=True, slots=True)
class BadRow:
    """Line in the file (the heading is line 1) and why the row cannot be used."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held."""

    entries: tuple[RegisterEntry, ...]
    errors: tuple[BadRow, ...]


def mark_key(text: str) -> str:
    """How a trademark's text is looked up: small letters, no blanks."""
    return re.sub(r"\s+", "", text).casefold()


def read_csv(kind: str, text: str, *, as_of: date | None = None) -> Reading:
    """Entries of a CSV file with a heading; `as_of` is the day the register was drawn up.

    Raises InputError for an unknown kind, no heading, or a heading without the columns the kind needs.
    """
    try:
        shape = _SHAPES[RegisterKind(kind)]
    except ValueError:
        raise InputError("没有“{kind}”这种登记簿", kind=kind, hint="可用：" + "、".join(RegisterKind)) from None
    if len(text) > MAX_FILE:
        raise InputError("登记簿文件过大")
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), restkey="")
    missing = [name for name in shape.columns if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            "登记簿缺少列：{columns}", columns="、".join(missing), hint="首行须有列名 " + ",".join(shape.columns)
        )
    entries, errors = [], []
    try:
        for row in reader:
            if "" in row:
                errors.append(BadRow(reader.line_num, "列数多于表头"))
                continue
            fields = {name: (value or "").strip()[:MAX_FIELD] for name, value in row.items()}
            if why := shape.fault(fields):
                errors.append(BadRow(reader.line_num, why))
                continue
            entries.append(RegisterEntry(str(kind), shape.key(fields), fields, as_of))
    except csv.Error as fault:
        errors.append(BadRow(reader.line_num, f"此行起无法读取：{fault}"))
    return Reading(tuple(entries), tuple(errors))


@dataclass(frozen=True, slots=True)
class _Shape:
    columns: tuple[str, ...]
    key: Callable[[Mapping[str, str]], str]
    check: Callable[[Mapping[str, str]], str] = lambda _fields: ""

    def fault(self, fields: Mapping[str, str]) -> str:
        if why := self.check(fields):
            return why
        return "" if self.key(fields) else f"{self.columns[0]} 为空"


def _code_fault(fields: Mapping[str, str]) -> str:
    code = fields.get("uscc", "")
    if not code:
        return ""
    checked = check_uscc(code)
    return "" if checked.valid else f"统一社会信用代码无效：{checked.why}"


#: Status words of a trademark row.
MARK_STATUS = frozenset({"registered", "pending", "expired", "invalid", "cancelled"})


def _mark_fault(fields: Mapping[str, str]) -> str:
    if fields["status"] and fields["status"] not in MARK_STATUS:
        return f"status 无法识别：{fields['status']}"
    classes = [part.strip() for part in fields["class"].split(";") if part.strip()]
    if not all(part.isdigit() and 1 <= int(part) <= 45 for part in classes):
        return f"class 应为 1–45，多个以分号相隔：{fields['class']}"
    for name in ("from", "to"):
        try:
            date.fromisoformat(fields[name] or "2000-01-01")
        except ValueError:
            return f"{name} 不是日期：{fields[name]}"
    return ""


_SHAPES = {
    RegisterKind.OPERATORS: _Shape(
        ("uscc", "name"), lambda f: check_uscc(f["uscc"]).code if f["uscc"] else "", _code_fault
    ),
    RegisterKind.PERMITS: _Shape(("number",), lambda f: re.sub(r"\s+", "", f["number"]).upper(), _code_fault),
    RegisterKind.TRADEMARKS: _Shape(
        ("mark", "class", "owner", "number", "status", "from", "to"), lambda f: mark_key(f["mark"]), _mark_fault
    ),
    RegisterKind.COMPLAINTS: _Shape(("number", "content"), lambda f: f["number"], _code_fault),
    RegisterKind.PENALTIES: _Shape(("name",), lambda f: f.get("uscc") or f["name"], _code_fault),
}
