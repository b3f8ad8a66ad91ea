"""Reading data files so that every complaint can say file and line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import InputError

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # a PyYAML built without libyaml: slower, the same result
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MAX_BYTES = 512 * 1024  #: no data file of ours comes near it


class Block(dict[str, Any]):
    """A YAML mapping that knows its line and the line of each key (1-based)."""

    line: int = 1
    lines: dict[str, int]

    def at(self, key: str) -> int:
        return self.lines.get(key, self.line)


class Rows(list[Any]):
    """A YAML sequence that knows the line of each item (1-based)."""

    line: int = 1
    lines: list[int]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a data file, in Chinese, with its place."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"

    def error(self) -> InputError:
        return InputError("{file}:{line}: {problem}", file=self.file, line=self.line, problem=self.text)


class _Loader(_SafeLoader):
    """Safe YAML (no objects, no tags of its own) whose mappings and sequences know their lines."""


def _mapping(loader: Any, node: yaml.MappingNode) -> Block:
    block = Block()
    block.line = node.start_mark.line + 1
    block.lines = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            key = str(key)
        if key in block:
            raise yaml.constructor.ConstructorError(None, None, f"重复的键“{key}”", key_node.start_mark)
        block[key] = loader.construct_object(value_node, deep=True)
        block.lines[key] = key_node.start_mark.line + 1
    return block


def _sequence(loader: Any, node: yaml.SequenceNode) -> Rows:
    rows = Rows(loader.construct_object(item, deep=True) for item in node.value)
    rows.line = node.start_mark.line + 1
    rows.lines = [item.start_mark.line + 1 for item in node.value]
    return rows


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)


def read_yaml(path: Path, name: str) -> Block:
    """The file's top mapping. Raises InputError with file:line. `name` is what people see instead of the full path."""
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise InputError("读不了规则文件 {file}:{why}", file=name, why=fault.strerror or str(fault)) from fault
    if len(raw) > MAX_BYTES:
        raise Problem(name, 1, f"文件超过 {MAX_BYTES // 1024} KB,不读").error()
    try:
        data = yaml.load(raw, Loader=_Loader)  # noqa: S506 — a subclass of the safe loader
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise Problem(name, line, f"YAML 格式错误:{getattr(fault, 'problem', None) or fault}").error() from fault
    except UnicodeDecodeError as fault:
        raise Problem(name, 1, "不是 UTF-8 文件").error() from fault
    except ValueError as fault:  # an impossible date, for one
        raise Problem(name, 1, f"值无法读取:{fault}").error() from fault
    if not isinstance(data, Block):
        raise Problem(name, 1, "文件顶层应为“键: 值”").error()
    return data
