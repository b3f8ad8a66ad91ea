"""Comparisons a rule makes with captured amounts: "prize > 50000", "abs(was * rate / 10 - now) > 1". No other Python."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation

_BINARY: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_COMPARE: Mapping[type[ast.cmpop], Callable[[Decimal, Decimal], bool]] = {
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_CALLS: Mapping[str, Callable[..., Decimal]] = {"abs": abs, "min": min, "max": max}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A parsed comparison. `names` are the captured groups it speaks of."""

    source: str
    names: frozenset[str]
    _tree: ast.Compare

    @classmethod
    def parse(cls, source: str) -> Comparison:
        """Raises ValueError (Chinese) for anything but a comparison of names, numbers, + - * / abs min max."""
        try:
            tree = ast.parse(source, mode="eval").body
        except (SyntaxError, RecursionError) as fault:
            raise ValueError(f"条件“{source}”读不懂") from fault
        if not isinstance(tree, ast.Compare):
            raise ValueError(f"条件“{source}”应为比较式,如 prize > 50000")
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(_CALLS)
        comparison = cls(source, frozenset(names), tree)
        comparison.holds(dict.fromkeys(names, Decimal(1)))
        return comparison

    def holds(self, values: Mapping[str, Decimal]) -> bool:
        """False when a name has no value or a division by zero occurs."""
        if not self.names <= values.keys():
            return False
        try:
            sides = [self._value(node, values) for node in (self._tree.left, *self._tree.comparators)]
        except (DivisionByZero, InvalidOperation):
            return False
        return all(
            _COMPARE[type(sign)](left, right)
            for sign, left, right in zip(self._tree.ops, sides, sides[1:], strict=False)
        )

    def _value(self, node: ast.expr, values: Mapping[str, Decimal]) -> Decimal:
        match node:
            case ast.Constant(value=int() | float() as number):
                return Decimal(str(number))
            case ast.Name(id=name) if name in values:
                return values[name]
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
                return _BINARY[type(sign)](self._value(left, values), self._value(right, values))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand, values)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
                return _CALLS[name](*(self._value(arg, values) for arg in args))
        raise ValueError(f"条件“{self.source}”只能用数、捕获的名字、+ - * / 和 abs/min/max")
