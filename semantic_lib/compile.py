"""From YAML blocks to compiled rules and exemptions. Every complaint carries file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from contracts.finding import Severity
from contracts.page import SHOP_VOICE, Region
from semantic_lib.arithmetic import Comparison
from semantic_lib.fields import Fields, listed
from semantic_lib.matcher import Finder
from semantic_lib.model import (
    Detector,
    ElementOf,
    Example,
    Exemption,
    ExemptionCase,
    Guard,
    Raise,
    Rule,
    Status,
    Way,
    Within,
)  # fmt: skip
from semantic_lib.source import Block, Rows

RULE_KEYS = frozenset({
    "id", "title", "category", "severity", "status", "version", "since", "basis", "elements", "scope", "result", "needs",
    "why", "advice", "confidence", "detect", "exempt", "falsepositives", "examples", "notes", "guesses", "references",
})  # fmt: skip
_DETECT_KEYS = frozenset({
    "terms", "pattern", "any", "near", "all", "within", "ordered", "where", "absent", "present", "not_near", "regions",
    "lang", "goods", "confidence", "name", "anchors", "bare",
})  # fmt: skip
_GUARD_KEYS = frozenset({"terms", "pattern", "any", "within", "side", "in", "anchors"})
_WAY_KEYS = frozenset({
    "covers", "before", "after", "near", "sentence", "passage", "page", "region", "component", "within", "across", "bare",
})  # fmt: skip
_PLACES = ("covers", "before", "after", "near", "sentence", "passage", "page")
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


class Compiler(Fields):
    """Compiles one file's blocks; problems are collected in `problems`, never raised."""

    # -- detectors -----------------------------------------------------------------------------------------------

    def detectors(self, value: Any, line: int) -> tuple[Detector, ...]:
        if isinstance(value, Block) and set(value) == {"any"}:
            value = value["any"]
        if isinstance(value, Block):
            return self._detector_list([value], [value.line])
        if isinstance(value, Rows):
            return self._detector_list(value, value.lines)
        self.wrong(line, "detect 应为 any: [ … ]")
        return ()

    def _detector_list(self, blocks: list[Any], lines: list[int]) -> tuple[Detector, ...]:
        made: list[Detector] = []
        for block, line in zip(blocks, lines, strict=True):
            if not isinstance(block, Block):
                self.wrong(line, "detect 的每一条应为 terms / pattern / near / all")
                continue
            detector = self.detector(block)
            if detector:
                made.append(detector)
        return tuple(made)

    def detector(self, block: Block) -> Detector | None:
        self.only_keys(block, _DETECT_KEYS, "detect ")
        ways = [key for key in ("near", "all") if key in block]
        if ways:
            items = block[ways[0]]
            if not isinstance(items, Rows) or len(items) < 2:
                self.wrong(block.at(ways[0]), f"{ways[0]} 应为至少两组词的列表")
                return None
            parts = tuple(self.finder(item, at) for item, at in zip(items, items.lines, strict=True))
        else:
            parts = (self.finder(block, block.line),)
        if not all(part.anchors for part in parts):
            return None
        anchor = max(range(len(parts)), key=lambda n: _rarity(parts[n]))
        bare = sorted(a for a in parts[anchor].anchors if len(a) < 2 and a.isalnum())
        if bare:
            self.wrong(block.line, f"单个字“{'”“'.join(bare[:5])}”不能作触发词;请写成两字以上,或与别的词组成 near")
            return None
        default: Within | int = 12 if "near" in block else Within.SENTENCE
        return Detector(
            parts=parts,
            anchor=anchor,
            within=self.distance(block.get("within"), block.at("within"), default),
            ordered=bool(block.get("ordered", False)),
            where=self.comparisons(block.get("where"), block.at("where")),
            guards=self.guards(block),
            regions=self.regions(block["regions"], block.at("regions")) if "regions" in block else None,
            bare=bool(block.get("bare", True)),
            languages=frozenset(self.strings(block.get("lang"), block.at("lang"), "lang")),
            goods=self.goods_scope(block.get("goods"), block.at("goods")),
            confidence=self.number(block["confidence"], block.at("confidence"), "confidence", 0.5)
            if "confidence" in block
            else None,
            name=str(block.get("name") or ""),
            line=block.line,
        )

    def distance(self, value: Any, line: int, default: Within | int) -> Within | int:
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 200:
            return value
        if value in ("sentence", "passage", "page"):
            return Within(value)
        self.wrong(line, "within 应为 0–200 的字数,或 sentence、passage、page")
        return default

    def comparisons(self, value: Any, line: int) -> tuple[Comparison, ...]:
        made: list[Comparison] = []
        for source in self.strings(value, line, "where"):
            try:
                made.append(Comparison.parse(source))
            except ValueError as fault:
                self.wrong(line, str(fault))
        return tuple(made)

    def guards(self, block: Block) -> tuple[Guard, ...]:
        made: list[Guard] = []
        for key in ("absent", "present", "not_near"):
            for value, line in listed(block, key):
                made.append(self.guard(value, line, key))
        return tuple(made)

    def guard(self, value: Any, line: int, key: str) -> Guard:
        absent = key != "present"
        where: Within | int = 6 if key == "not_near" else Within.PASSAGE
        side = "both"
        if isinstance(value, Block):
            self.only_keys(value, _GUARD_KEYS, f"{key} ")
            where = self.distance(value.get("in", value.get("within")), line, where)
            side = str(value.get("side", "both"))
            if side not in ("before", "after", "both"):
                self.wrong(value.at("side"), "side 应为 before、after 或 both")
        return Guard(self.finder(value, line), where, side, absent)

    # -- exemptions ----------------------------------------------------------------------------------------------

    def exemption(self, block: Block, exemption_id: str) -> Exemption:
        cases: list[ExemptionCase] = []
        examples = block.get("examples")
        if isinstance(examples, Block):
            for key, is_exempt in (("exempt", True), ("keep", False)):
                for value, line in listed(examples, key):
                    cases.append(self.exemption_case(value, line, exempt=is_exempt))
        return Exemption(
            exemption_id,
            self.bilingual(block.get("title"), block.at("title"), "title "),
            tuple(self.way(value, line) for value, line in listed(block, "when")),
            str(block.get("why") or ""),
            tuple(cases),
            self.file,
            block.line,
        )

    def exemption_case(self, value: Any, line: int, *, exempt: bool) -> ExemptionCase:
        if not isinstance(value, Block) or not value.get("text") or str(value.get("hit")) not in str(value["text"]):
            self.wrong(line, "豁免的例子应为 {text: …, hit: text 里的一段}")
            return ExemptionCase("", "", exempt, line=line)
        region = self.one_of(value.get("region"), Region, line, "区域", None)
        return ExemptionCase(str(value["text"]), str(value["hit"]), exempt, region, line)

    def way(self, value: Any, line: int) -> Way:
        if not isinstance(value, Block):
            self.wrong(
                line,
                "when 的每一条应为 covers / before / after / near / sentence / passage / page / region / component",
            )
            return Way("region")
        self.only_keys(value, _WAY_KEYS, "when ")
        within = int(self.number(value.get("within"), value.at("within"), "within", 12))
        bare = value.get("bare")
        for place in _PLACES:
            if place in value:
                finder = self.finder(value[place], value.at(place))
                regions = self.regions(value.get("region"), value.at("region"))
                return Way(place, finder, within, bool(value.get("across", False)), regions, bare=bare)
        if "component" in value:
            from semantic_lib.context import COMPONENT_NAMES as COMPONENTS

            name = str(value["component"])
            if name not in COMPONENTS:
                self.wrong(value.at("component"), f"没有语境组件“{name}”;可用:{'、'.join(sorted(COMPONENTS))}")
            regions = self.regions(value.get("region"), value.at("region"))
            return Way("component", component=name, within=within, regions=regions, bare=bare)
        return Way("region", regions=self.regions(value.get("region"), value.at("region")), bare=bare)

    # -- the rule ------------------------------------------------------------------------------------------------

    def rule(self, block: Block, categories: Mapping[str, Any], exemptions: Iterable[str]) -> Rule | None:
        """The compiled rule, or None when it is too wrong to compile. Problems are in `problems`."""
        self.only_keys(block, RULE_KEYS, "规则")
        for key in ("id", "title", "category", "version", "detect", "examples"):
            if key not in block:
                self.wrong(block.line, f"缺少“{key}”")
        rule_id = str(block.get("id") or "")
        if not _ID.fullmatch(rule_id):
            self.wrong(block.at("id"), f"id“{rule_id}”应为小写字母、数字和连字符,至少两段")
        category = categories.get(str(block.get("category")))
        if category is None:
            self.wrong(block.at("category"), f"类别“{block.get('category')}”不在 categories.yaml 里")
            return None
        scope = block.get("scope")
        scope = scope if isinstance(scope, Block) else Block()
        if isinstance(scope, Block) and scope:
            self.only_keys(scope, ("regions", "languages", "goods", "bare"), "scope ")
        shared, own = self.exempts(block, frozenset(exemptions))
        base, raises = self.confidence(block)
        version = block.get("version")
        if not isinstance(version, int) or version < 1:
            self.wrong(block.at("version"), "version 应为从 1 起的整数")
            version = 1
        result = str(block.get("result", "finding"))
        needs = self.strings(block.get("needs"), block.at("needs"), "needs")
        if result not in ("finding", "need"):
            self.wrong(block.at("result"), "result 应为 finding 或 need")
        if result == "need" and not needs:
            self.wrong(block.line, "result: need 的规则必须写 needs")
        line = scope.line if scope else block.line
        return Rule(
            id=rule_id,
            title=self.bilingual(block.get("title"), block.at("title"), "title "),
            category=category.id,
            severity=self.one_of(block.get("severity"), Severity, block.at("severity"), "severity ", category.severity),
            status=self.one_of(block.get("status"), Status, block.at("status"), "status ", Status.TEST),
            version=version,
            basis=self.strings(block.get("basis"), block.at("basis"), "basis") or category.basis,
            detectors=self.detectors(block.get("detect"), block.at("detect")),
            exempt=shared,
            own=own,
            elements=self.elements(block) or category.elements,
            examples=self.examples(block),
            regions=self.regions(scope["regions"], scope.at("regions")) if "regions" in scope else SHOP_VOICE,
            bare=bool(scope.get("bare", True)),
            languages=frozenset(self.strings(scope.get("languages"), line, "languages")),
            goods=self.goods_scope(scope.get("goods"), line),
            base=base,
            raises=raises,
            result=result,
            needs=needs,
            why=str(block.get("why") or ""),
            advice=str(block.get("advice") or category.advice),
            falsepositives=self.strings(block.get("falsepositives"), block.at("falsepositives"), "falsepositives"),
            notes=str(block.get("notes") or ""),
            guesses=bool(block.get("guesses", True)),
            file=self.file,
            line=block.line,
        )

    def exempts(self, block: Block, known: frozenset[str]) -> tuple[tuple[str, ...], tuple[Exemption, ...]]:
        shared: list[str] = []
        own: list[Exemption] = []
        for value, line in listed(block, "exempt"):
            if isinstance(value, Block):
                own_id = str(value.get("own") or "")
                if not own_id:
                    self.wrong(line, "规则自己的豁免应写 own: 名称、title 和 when")
                own.append(self.exemption(value, own_id))
            elif str(value).startswith("$"):
                group = self.words.exemption_sets.get(str(value)[1:])
                if group is None:
                    self.wrong(line, f"豁免组“{value}”不存在;见 exemptions/sets.yaml")
                shared.extend(group or ())
            else:
                if value in known:
                    shared.append(str(value))
                else:
                    self.wrong(line, f"豁免“{value}”不存在;见 semantic_lib/exemptions/")
        return tuple(dict.fromkeys(shared)), tuple(own)

    def confidence(self, block: Block) -> tuple[float, tuple[Raise, ...]]:
        value = block.get("confidence", 0.7)
        line = block.at("confidence")
        if not isinstance(value, Block):
            return self.number(value, line, "confidence", 0.7), ()
        raises: list[Raise] = []
        for item, at in listed(value, "raise"):
            if not isinstance(item, Block):
                self.wrong(at, "raise 的每一条应为 {terms|pattern|regions|goods: …, by: 0.1, why: …}")
                continue
            has_words = any(key in item for key in ("terms", "pattern", "any"))
            words = Block({k: v for k, v in item.items() if k in _GUARD_KEYS})
            words.line, words.lines = item.line, item.lines
            raises.append(
                Raise(
                    self.guard(words, at, "present") if has_words else None,
                    self.regions(item.get("regions"), at),
                    self.goods_names(item.get("goods"), at),
                    self.number(item.get("by"), at, "by", 0.0),
                    self.one_of(item.get("severity"), Severity, at, "severity ", None),
                    str(item.get("why") or ""),
                )
            )
        return self.number(value.get("base"), line, "base", 0.7), tuple(raises)

    def elements(self, block: Block) -> tuple[ElementOf, ...]:
        made: list[ElementOf] = []
        for value, line in listed(block, "elements"):
            if isinstance(value, Block) and "by" in value:
                made.append(ElementOf(self.bilingual(value.get("name"), line, "要件"), str(value["by"])))
            else:
                self.wrong(line, "要件应为 {name: …, by: detect|region|goods|exempt|operator|evidence|register:…}")
        return tuple(made)

    def examples(self, block: Block) -> tuple[Example, ...]:
        value = block.get("examples")
        if not isinstance(value, Block):
            self.wrong(block.at("examples"), "examples 应为 {hit: […], miss: […]}")
            return ()
        made: list[Example] = []
        for key in ("hit", "miss"):
            for item, line in listed(value, key):
                made.append(self.example(item, line, hit=key == "hit"))
        return tuple(made)

    def example(self, item: Any, line: int, *, hit: bool) -> Example:
        if not isinstance(item, Block) or not isinstance(item.get("text"), str):
            self.wrong(line, "例子应为 {text: …, span: …} 或 {text: …, why: …}")
            return Example("", hit, line=line)
        self.only_keys(item, ("text", "span", "why", "region", "goods", "title", "cross_border"), "例子")
        span = str(item.get("span") or "")
        if hit and (not span or span not in item["text"]):
            self.wrong(line, "hit 例子要写 span,且 span 必须是 text 里原样的一段")
        if not hit and not item.get("why"):
            self.wrong(line, "miss 例子要写 why(为什么不该报)")
        region = self.one_of(item.get("region"), Region, line, "区域", None)
        return Example(
            item["text"], hit, span, str(item.get("why") or ""), region, item.get("goods"), item.get("title"),
            item.get("cross_border"), line,
        )  # fmt: skip


def _rarity(finder: Finder) -> tuple[int, int]:
    """The rarer part leads: longer shortest anchor first, then fewer anchors."""
    return min((min(len(a), 3) for a in finder.anchors), default=0), -len(finder.anchors)
