"""What a regular expression must contain, and whether it can run away.

The prefilter searches literals; a pattern takes part only when every match of it contains one of a known set of literals.
The idea follows RE2's prefilter: exact sets multiply along a sequence, unions along branches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MAX_SET = 256  #: more alternatives than this are not multiplied further
_UNBOUNDED = 80  #: a repeat beyond this counts as unbounded: our windows are a few hundred characters


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of a pattern before it may take part: is it dangerous, and what does every match contain?"""

    danger: str | None
    required: frozenset[str] | None


def facts(pattern: str) -> Facts:
    """Both facts from one parse."""
    try:
        nodes = list(parser.parse(pattern))
    except (re.error, RecursionError, OverflowError) as fault:
        return Facts(f"正则表达式有误:{fault}", None)
    why = _danger(nodes, inside=False)
    if why:
        return Facts(why, None)
    best = _scan(nodes)[1]
    return Facts(None, frozenset(best) if best and all(best) else None)


def required(pattern: str) -> frozenset[str] | None:
    """Literals of which every match contains at least one; None when there is no such set."""
    return facts(pattern).required


def danger(pattern: str) -> str | None:
    """Why the pattern may take more than linear time, in Chinese; None when it may not."""
    return facts(pattern).danger


Node = tuple[Any, Any]


def _scan(nodes: Sequence[Node]) -> tuple[set[str] | None, set[str] | None]:
    """(exact set of what the sequence matches or None, best required set or None)."""
    exact: set[str] | None = {""}
    run: set[str] | None = {""}
    best: set[str] | None = None
    for one_exact, one_best in _parts(nodes):
        best = _better(best, one_best)
        if one_exact is not None and run is not None and len(run) * len(one_exact) <= _MAX_SET:
            run = {a + b for a in run for b in one_exact}
            exact = run if exact is not None else None
        else:
            best = _better(best, run)
            run = one_exact if one_exact is not None and len(one_exact) <= _MAX_SET else {""}
            exact = None
    best = _better(best, run)
    return exact, best


def _parts(nodes: Sequence[Node]) -> Iterator[tuple[set[str] | None, set[str] | None]]:
    """`_node` of each node, literals that follow one another taken together."""
    word = ""
    for node in nodes:
        if node[0] is op.LITERAL:
            word += chr(node[1])
            continue
        if word:
            yield {word}, {word}
            word = ""
        yield _node(node)
    if word:
        yield {word}, {word}


def _node(node: Node) -> tuple[set[str] | None, set[str] | None]:
    kind, value = node
    if kind is op.LITERAL:
        return {chr(value)}, {chr(value)}
    if kind is op.IN:
        chars = _charset(value)
        return chars, chars
    if kind is op.BRANCH:
        return _branch([list(branch) for branch in value[1]])
    if kind is op.SUBPATTERN:
        return _scan(list(value[3]))
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return _repeat(value)
    if kind is op.AT or kind in (op.ASSERT, op.ASSERT_NOT):
        return {""}, None
    return None, None


def _repeat(value: tuple[int, Any, Any]) -> tuple[set[str] | None, set[str] | None]:
    low, high, body = value
    exact, best = _scan(list(body))
    if low == 0:
        return ({"", *exact}, None) if high == 1 and exact is not None else (None, None)
    return (exact, best) if low == high == 1 else (None, best)


def _branch(branches: list[list[Node]]) -> tuple[set[str] | None, set[str] | None]:
    results = [_scan(branch) for branch in branches]
    exact: set[str] | None = set()
    best: set[str] | None = set()
    for one_exact, one_best in results:
        exact = None if exact is None or one_exact is None else exact | one_exact
        best = None if best is None or not one_best or not all(one_best) else best | one_best
    if exact is not None and len(exact) > _MAX_SET:
        exact = None
    return exact, best


def _charset(items: Sequence[Node]) -> set[str] | None:
    chars: set[str] = set()
    for kind, value in items:
        if kind is op.LITERAL:
            chars.add(chr(value))
        elif kind is op.RANGE and value[1] - value[0] < 40:
            chars.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return chars


def _better(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    """The rarer of two required sets: the longer shortest literal, then the fewer literals."""

    def rank(candidate: set[str]) -> tuple[int, int]:
        return min(map(len, candidate)), -len(candidate)

    usable = [c for c in (one, other) if c and all(c)]
    return max(usable, key=rank) if usable else None


def _danger(nodes: Sequence[Node], *, inside: bool) -> str | None:
    loose = 0
    for kind, value in nodes:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            loose += value[1] > _UNBOUNDED
            why = _repeat_danger(value, inside=inside, loose=loose)
        elif kind is op.SUBPATTERN:
            why = _danger(list(value[3]), inside=inside)
        elif kind is op.BRANCH:
            why = next((w for branch in value[1] if (w := _danger(list(branch), inside=inside))), None)
        elif kind in (op.GROUPREF, op.GROUPREF_EXISTS):
            why = "不能使用反向引用"
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            why = _look_danger(value, inside=inside)
        else:
            why = None
        if why:
            return why
    return None


def _look_danger(value: tuple[int, Any], *, inside: bool) -> str | None:
    """Look-around: backwards only over a fixed length, which `re` would otherwise say at its first use."""
    direction, body = value
    low, high = body.getwidth()
    if direction < 0 and low != high:
        return "向后看 (?<=…) (?<!…) 的内容长度必须固定"
    return _danger(list(body), inside=inside)


def _repeat_danger(value: tuple[int, Any, Any], *, inside: bool, loose: int) -> str | None:
    """`loose`: how many unbounded repeats stand in this sequence up to and including this one."""
    low, high, body = value
    if high > _UNBOUNDED:
        if inside or loose > 1:
            return f"无上限的重复(* + 或 {{,{_UNBOUNDED}}} 以上)不能嵌套,也不能出现两次;请写明上限,如 .{{0,12}}"
        if any(node[0] is op.ANY for node in body):
            return "“.*”“.+”没有上限;请写明上限,如 .{0,12}"
    many = high > 1 and low != high
    if many and inside and high > 8:
        return "重复里套重复(上限大于 8)可能耗时过长;请拆开或缩小上限"
    return _danger(list(body), inside=inside or many)
