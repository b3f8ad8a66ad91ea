"""The small parts of data files: texts, numbers, regions, goods, words and patterns, each read with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.page import Region
from semantic_lib.literals import Facts, facts
from semantic_lib.matcher import Finder, Term
from semantic_lib.model import REGION_SETS, Bilingual, GoodsScope, Unknown
from semantic_lib.normalise import folded
from semantic_lib.numbers import NUMBER
from semantic_lib.source import Block, Problem, Rows

_META = frozenset(".^$*+?{}[]\\|()")


@dataclass
class Words:
    """Named word groups ($organs) and the regional forms that every term is expanded by."""

    groups: dict[str, Finder] = field(default_factory=dict)
    regional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    goods: frozenset[str] = frozenset()
    exemption_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)  #: of every pattern met so far
    forms: dict[str, tuple[Term, ...]] = field(default_factory=dict)  #: of every word met so far
    expanded: dict[str, str] = field(default_factory=dict)  #: of every pattern as written

    def facts_of(self, pattern: str) -> Facts:
        known = self.facts.get(pattern)
        if known is None:
            known = self.facts[pattern] = facts(pattern)
        return known


class Fields:
    """Reads one file's values; problems are collected in `problems`, never raised."""

    def __init__(self, file: str, words: Words, problems: list[Problem]) -> None:
        self.file = file
        self.words = words
        self.problems = problems

    # -- small parts ---------------------------------------------------------------------------------------------

    def wrong(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.file, line, text))

    def only_keys(self, block: Block, known: Iterable[str], what: str) -> None:
        for key in block:
            if key not in known:
                self.wrong(block.at(key), f"{what}里没有“{key}”这一项;可用:{'、'.join(sorted(known))}")

    def bilingual(self, value: Any, line: int, what: str) -> Bilingual:
        if isinstance(value, str) and value.strip():
            return Bilingual(value.strip())
        if isinstance(value, Block) and isinstance(value.get("zh"), str):
            return Bilingual(value["zh"].strip(), str(value.get("en") or "").strip())
        self.wrong(line, f"{what}应写中文,或 {{zh: …, en: …}}")
        return Bilingual("?")

    def one_of(self, value: Any, enum: Callable[[str], Any], line: int, what: str, default: Any) -> Any:
        if value is None:
            return default
        try:
            return enum(str(value))
        except ValueError:
            known = "、".join(member.value for member in enum)  # type: ignore[attr-defined]
            self.wrong(line, f"{what}“{value}”不认识;可用:{known}")
            return default

    def strings(self, value: Any, line: int, what: str) -> tuple[str, ...]:
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, Rows) and all(isinstance(item, (str, int, float)) for item in value):
            return tuple(str(item) for item in value)
        self.wrong(line, f"{what}应为文字或文字列表")
        return ()

    def number(self, value: Any, line: int, what: str, default: float) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if value is not None:
            self.wrong(line, f"{what}应为数字")
        return default

    def regions(self, value: Any, line: int) -> frozenset[Region]:
        found: set[Region] = set()
        for name in self.strings(value, line, "区域"):
            if name in REGION_SETS:
                found |= REGION_SETS[name]
            elif name in Region.__members__.values():
                found.add(Region(name))
            else:
                known = "、".join((*REGION_SETS, *(region.value for region in Region)))
                self.wrong(line, f"区域“{name}”不认识;可用:{known}")
        return frozenset(found)

    def goods_scope(self, value: Any, line: int) -> GoodsScope | None:
        if value is None:
            return None
        if isinstance(value, (str, Rows)):
            return GoodsScope(only=self.goods_names(value, line))
        if not isinstance(value, Block):
            self.wrong(line, "goods 应为商品类别,或 {only: […], except: […], unknown: fire|needs|silent}")
            return None
        self.only_keys(value, ("only", "except", "unknown", "cross_border"), "goods ")
        crossing = value.get("cross_border")
        if crossing is not None and not isinstance(crossing, bool):
            self.wrong(value.at("cross_border"), "cross_border 应为 true 或 false")
        return GoodsScope(
            self.goods_names(value.get("only"), value.at("only")),
            self.goods_names(value.get("except"), value.at("except")),
            self.one_of(value.get("unknown"), Unknown, value.at("unknown"), "unknown ", Unknown.FIRE),
            crossing if isinstance(crossing, bool) else None,
        )

    def goods_names(self, value: Any, line: int) -> frozenset[str]:
        names = frozenset(self.strings(value, line, "商品类别"))
        for name in sorted(names - self.words.goods) if self.words.goods else ():
            self.wrong(line, f"商品类别“{name}”不在 goods_data 里;可用:{'、'.join(sorted(self.words.goods))}")
        return names

    # -- words and patterns --------------------------------------------------------------------------------------

    def terms(self, values: Any, line: int) -> tuple[Term, ...]:
        """Literal terms; `$name` inserts a word group's terms."""
        terms: list[Term] = []
        lines = values.lines if isinstance(values, Rows) else []
        for number, written in enumerate(self.strings(values, line, "terms")):
            at = lines[number] if number < len(lines) else line
            if written.startswith("$"):
                group = self.group(written, at)
                terms.extend(group.terms if group else ())
                if group and group.sources:
                    self.wrong(at, f"词组 {written} 含正则,只能写在 any/near/all 里")
                continue
            terms.extend(self.term_forms(written, at))
        return tuple(terms)

    def term_forms(self, written: str, line: int) -> tuple[Term, ...]:
        known = self.words.forms.get(written)
        if known is None:
            known = self._term_forms(written, line)
            if known:
                self.words.forms[written] = known
        return known

    def _term_forms(self, written: str, line: int) -> tuple[Term, ...]:
        term = Term.of(written)
        if not term.text:
            self.wrong(line, f"“{written}”折叠后什么也不剩")
            return ()
        forms = [term]
        for plain, others in self.words.regional.items():
            if plain in term.text:
                forms.extend(Term(term.text.replace(plain, other), term.open_end) for other in others)
        return tuple(forms)

    def group(self, name: str, line: int) -> Finder | None:
        finder = self.words.groups.get(name[1:])
        if finder is None:
            self.wrong(line, f"词组“{name}”不存在;词组写在 semantic_lib/lexicon/*.yaml")
        return finder

    def pattern(self, source: str, line: int, *, anchors: Any = None) -> tuple[str, frozenset[str]] | None:
        """A regular expression over folded text. {num} is an amount, {$name} a word group's terms."""
        text = self.expand(source, line)
        if re.search(r"(?<!\\)[A-Z]", text.replace("?P<", "")):
            self.wrong(line, "正则作用于折叠后的文本,英文字母请写小写")
        known = self.words.facts_of(text)
        if known.danger:
            self.wrong(line, known.danger)
            return None
        given = frozenset(folded(a) for a in self.strings(anchors, line, "anchors"))
        found = given or known.required
        if not found:
            self.wrong(line, "正则里没有必定出现的文字,预筛无从下手;请改写,或写 anchors: […]")
            return None
        return text, frozenset(found)

    def expand(self, source: str, line: int) -> str:
        known = self.words.expanded.get(source)
        if known is None:
            before = len(self.problems)
            known = self._expand(source, line)
            if len(self.problems) == before:
                self.words.expanded[source] = known
        return known

    def _expand(self, source: str, line: int) -> str:
        def group(match: re.Match[str]) -> str:
            finder = self.group("$" + match[1], line)
            words = sorted({t.text for t in finder.terms}, key=len, reverse=True) if finder else []
            return "(?:" + "|".join(map(re.escape, words)) + ")" if words else "(?!)"

        def number(match: re.Match[str]) -> str:
            return f"(?P<{match[1][1:]}>{NUMBER})" if match[1] else NUMBER

        text = "".join(self._fold_char(char) for char in source)
        text = re.sub(r"\{\$([\w-]+)\}", group, text)
        return re.sub(r"\{num(:[a-z]+)?\}", number, text)

    @staticmethod
    def _fold_char(char: str) -> str:
        """Chinese characters and signs fold as text does; what folds to a sign of regular expressions is escaped."""
        if char.isascii():
            return char
        form = folded(char)
        return "".join("\\" + c if c in _META else c for c in form)

    def finder(self, value: Any, line: int) -> Finder:
        """`$name`, a list of terms, {terms: …}, {pattern: …} or {any: [ … ]}."""
        terms: list[Term] = []
        patterns: list[tuple[str, frozenset[str]]] = []
        self._gather(value, line, terms, patterns)
        if not terms and not patterns:
            self.wrong(line, "这里没有任何词或正则")
        return Finder(terms, patterns)

    def _gather(self, value: Any, line: int, terms: list[Term], patterns: list[tuple[str, frozenset[str]]]) -> None:
        if isinstance(value, str) and value.startswith("$"):
            group = self.group(value, line)
            if group:
                terms.extend(group.terms)
                patterns.extend((pattern, group.anchors) for pattern in group.sources)
        elif isinstance(value, str):
            terms.extend(self.term_forms(value, line))
        elif isinstance(value, Rows):
            for item, at in zip(value, value.lines, strict=True):
                self._gather(item, at, terms, patterns)
        elif isinstance(value, Block):
            if "terms" in value:
                self._gather(value["terms"], value.at("terms"), terms, patterns)
            if "any" in value:
                self._gather(value["any"], value.at("any"), terms, patterns)
            for source, at in listed(value, "pattern"):
                made = self.pattern(str(source), at, anchors=value.get("anchors"))
                if made:
                    patterns.append(made)
        elif value is not None:
            self.wrong(line, "应为词、$词组、{terms: …} 或 {pattern: …}")


def listed(block: Block, key: str) -> list[tuple[Any, int]]:
    """The value of `key` as a list of (item, line); a single value is a list of one."""
    value = block.get(key)
    if value is None:
        return []
    if isinstance(value, Rows):
        return list(zip(value, value.lines, strict=True))
    return [(value, value.line if isinstance(value, Block) else block.at(key))]
