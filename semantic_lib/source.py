"""Reading data files so that every complaint can say file and line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from contracts.errors import InputError

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


def parse_yaml(raw: bytes, name: str) -> Block:
    """The top mapping of a file's contents. Raises InputError with file:line. `name` is what people see."""
    import yaml

    if len(raw) > MAX_BYTES:
        raise Problem(name, 1, f"文件超过 {MAX_BYTES // 1024} KB,不读").error()
    try:
        data = yaml.load(raw, Loader=_loader())  # noqa: S506 — a subclass of the safe loader
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


@lru_cache(maxsize=1)
def _loader() -> Any:
    """Safe YAML (no objects, no tags of its own) whose mappings and sequences know their lines."""
    import yaml

    try:
        from yaml import CSafeLoader as SafeLoader
    except ImportError:  # a PyYAML built without libyaml: slower, the same result
        from yaml import SafeLoader  # type: ignore[assignment]

    def mapping(loader: Any, node: Any) -> Block:
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

    def sequence(loader: Any, node: Any) -> Rows:
        rows = Rows(loader.construct_object(item, deep=True) for item in node.value)
        rows.line = node.start_mark.line + 1
        rows.lines = [item.start_mark.line + 1 for item in node.value]
        return rows

    class Loader(SafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_constructor("tag:yaml.org,2002:seq", sequence)
    return Loader


def packed(value: Any) -> Any:
    """A parsed value, lines and all, as plain JSON: mappings [0, line, keys, lines, values], sequences [1, line, lines, items].

    Raises TypeError for what we do not pack (a time of day).
    """
    if isinstance(value, Block):
        return [0, value.line, list(value), list(value.lines.values()), [packed(v) for v in value.values()]]
    if isinstance(value, Rows):
        return [1, value.line, value.lines, [packed(v) for v in value]]
    if type(value) is date:
        return [2, value.isoformat()]
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(type(value).__name__)


def unpacked(value: Any) -> Any:
    """What `packed` packed."""
    if type(value) is not list:
        return value
    if value[0] == 0:
        _, line, keys, lines, values = value
        block = Block(zip(keys, [unpacked(v) if type(v) is list else v for v in values], strict=True))
        block.line, block.lines = line, dict(zip(keys, lines, strict=True))
        return block
    if value[0] == 1:
        rows = Rows([unpacked(v) if type(v) is list else v for v in value[3]])
        rows.line, rows.lines = value[1], value[2]
        return rows
    return date.fromisoformat(value[1])
