"""CSS selectors over our own tree: tag, #id, .class, [attr], [attr=value], [attr*=value], descendant and child, comma.

Small on purpose: a profile needs no more, and every step is bounded by the number of nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from contracts.errors import InputError
from crawler.extract.tree import Node, Tree

_STEP = re.compile(
    r"(?P<tag>\*|[A-Za-z][\w-]*)?(?P<rest>(?:[.#][\w\u00a0-\uffff-]+|\[[\w:-]+(?:\*?=(?:\"[^\"\]]*\"|[\w-]+))?\])*)"
)
_PART = re.compile(
    r"(?P<mark>[.#])(?P<name>[\w\u00a0-\uffff-]+)|\[(?P<attr>[\w:-]+)(?:(?P<how>\*?=)(?:\"(?P<quoted>[^\"\]]*)\"|(?P<plain>[\w-]+)))?\]"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One compound: what an element itself must be; `child`: it must stand right inside what the step before matched."""

    tag: str
    tests: tuple[tuple[str, str, str], ...]  #: (attribute, how, value): how is "has", "=", "*=" or "word"
    child: bool

    def fits(self, node: Node) -> bool:
        if self.tag not in {"", "*", node.tag}:
            return False
        for name, how, value in self.tests:
            own = node.attrs.get(name)
            if own is None or (how == "=" and own != value) or (how == "*=" and value not in own):
                return False
            if how == "word" and value not in own.split():
                return False
        return True


@lru_cache(maxsize=2_000)
def compiled(selector: str) -> tuple[tuple[Step, ...], ...]:
    """The alternatives of a selector, each a path of steps. Raises InputError for what it does not understand."""
    paths = []
    for part in selector.split(","):
        steps, child = [], False
        for word in part.replace(">", " > ").split():
            if word == ">":
                child = True
                continue
            match = _STEP.fullmatch(word)
            if match is None or not word:
                raise InputError(
                    "选择器“{selector}”不能识别",
                    hint="可用:标签、#id、.class、[属性]、[属性=值]、空格、>、逗号",
                    selector=selector,
                )
            tests = []
            for piece in _PART.finditer(match["rest"] or ""):
                if piece["mark"]:
                    tests.append(
                        ("id", "=", piece["name"]) if piece["mark"] == "#" else ("class", "word", piece["name"])
                    )
                else:
                    tests.append((piece["attr"], piece["how"] or "has", piece["quoted"] or piece["plain"] or ""))
            steps.append(Step((match["tag"] or "").lower(), tuple(tests), child))
            child = False
        if not steps or child:
            raise InputError("选择器“{selector}”不完整", hint="在 > 后面写出元素", selector=selector)
        paths.append(tuple(steps))
    return tuple(paths)


def select(tree: Tree, selector: str, *, most: int = 1_000) -> list[int]:
    """Elements that fit, in document order, at most `most`."""
    found: list[int] = []
    paths = compiled(selector)
    for i in tree.elements:
        if any(path[-1].fits(tree.nodes[i]) and _leads(tree, i, path) for path in paths):
            found.append(i)
            if len(found) >= most:
                break
    return found


def _leads(tree: Tree, i: int, path: tuple[Step, ...]) -> bool:
    """The steps before the last fit elements around `i`, nearest first; a child step must fit the very next one."""
    nodes, at, child = tree.nodes, _above(tree, i), path[-1].child
    for step in reversed(path[:-1]):
        while at >= 0 and not step.fits(nodes[at]):
            if child:
                return False
            at = _above(tree, at)
        if at < 0:
            return False
        at, child = _above(tree, at), step.child
    return True


def _above(tree: Tree, i: int) -> int:
    return tree.nodes[i].parent
