"""From words found to findings: goods, exemptions, elements, basis, confidence; then doubles are folded together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from contracts.finding import (
    Basis,
    Detection,
    Element,
    Exempted,
    Finding,
    Method,
    Need,
    Pointer,
    Severity,
    Tested,
)  # fmt: skip
from contracts.page import Region
from semantic_lib.detect import Hit, guard_words
from semantic_lib.exempting import Tester
from semantic_lib.goods import Classifier, Goods
from semantic_lib.law import LawBook
from semantic_lib.model import Category, ElementOf, Exemption, GoodsScope, Rule, Unknown
from semantic_lib.normalise import folded
from semantic_lib.page import Page

MAX_PER_RULE = 20  #: findings of one rule on one page; a page that says it more often says nothing new
MAX_EVIDENCE = 10  #: places kept for one and the same claim
_GUESS_WEIGHT = 0.85  #: a hit that rests on a guessed spelling
#: The same words weigh less where people read them less as an offer.
_REGION_WEIGHT: Mapping[Region | None, float] = {
    None: 0.95, Region.TERMS: 0.95, Region.NOTICE: 0.95, Region.FOOTER: 0.85, Region.NAV: 0.7, Region.QA: 0.85,
    Region.REVIEW: 0.8, Region.CHROME: 0.5,
}  # fmt: skip
_SEVERITIES = tuple(Severity)
_T = TypeVar("_T", Exempted, Need)
NEED_GOODS = "goods"
#: What an element that one page cannot prove waits for, as officers read it.
_WAITS = {
    "operator": "须核对经营者主体", "evidence": "见取证材料", "register": "须查登记信息", "history": "须有历次页面",
    "second-capture": "须再次固定页面", "test": "须检测或购样", "flow": "须走到下单页核对", "officer": "须人工核对",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule's words in a place."""

    rule: Rule
    hit: Hit


@dataclass(frozen=True, slots=True)
class _Case:
    """One call's setting; goods are looked up once, on first need."""

    page: Page
    on: date
    goods: str | None
    title: str
    cross_border: bool | None
    known_goods: list[Goods]


class Judge:
    """Turns spoken hits into a Detection."""

    def __init__(
        self, categories: Mapping[str, Category], exemptions: Mapping[str, Exemption], law: LawBook,
        classifier: Classifier, tester: Tester,
    ) -> None:  # fmt: skip
        self._categories = categories
        self._exemptions = exemptions
        self._law = law
        self._classifier = classifier
        self._tester = tester
        self._basis_memo: dict[tuple[tuple[str, ...], date], tuple[Basis, ...]] = {}

    def detection(
        self, page: Page, spoken: Iterable[Spoken], *, on: date, goods: str | None, title: str,
        cross_border: bool | None,
    ) -> Detection:  # fmt: skip
        case = _Case(page, on, goods, title, cross_border, [])
        placed = _longest([(one, _pointer(page, one.hit)) for one in spoken])
        findings: list[Finding] = []
        exempted: list[Exempted] = []
        needs: list[Need] = []
        counted: dict[str, int] = {}
        for one, pointer in placed:
            counted[one.rule.id] = counted.get(one.rule.id, 0) + 1
            if counted[one.rule.id] > 3 * MAX_PER_RULE:
                continue
            outcome = self._outcome(case, one, pointer)
            if isinstance(outcome, Finding):
                findings.append(outcome)
            elif isinstance(outcome, Exempted):
                exempted.append(outcome)
            elif outcome is not None:
                needs.append(outcome)
        return Detection(_merged(findings), _distinct(exempted), _distinct(needs))

    def _outcome(self, case: _Case, one: Spoken, pointer: Pointer) -> Finding | Exempted | Need | None:
        rule, hit = one.rule, one.hit
        for scope in (rule.goods, hit.detector.goods):
            if scope is not None:
                verdict = self._goods_verdict(case, scope, rule, pointer)
                if verdict is not None:
                    return verdict[0]
        exemptions = [*rule.own, *(self._exemptions[name] for name in rule.exempt)]
        verdict_of_law = self._tester.verdict(hit, exemptions)
        if verdict_of_law.exemption is not None:
            return Exempted(
                rule.id, rule.category, pointer.quote, verdict_of_law.why, verdict_of_law.exemption.id, pointer
            )
        if rule.result == "need":
            return Need(rule.id, rule.category, rule.needs, _told(rule, pointer), pointer)
        return self._finding(case, one, pointer, verdict_of_law.tested)

    # -- goods ---------------------------------------------------------------------------------------------------

    def goods_of(self, case: _Case) -> Goods:
        if not case.known_goods:
            page = case.page
            titles = " ".join(p.text[:200] for p in page.passages[:80] if p.region is Region.TITLE)
            case.known_goods.append(
                self._classifier.classify(
                    title=folded(f"{case.title} {titles}"[:600]),
                    text=page.folded.text[:4000],
                    given=folded(case.goods[:300]) if case.goods else None,
                    cross_border=case.cross_border,
                )
            )
        return case.known_goods[0]

    def _goods_verdict(
        self, case: _Case, scope: GoodsScope, rule: Rule, pointer: Pointer
    ) -> tuple[Exempted | Need | None] | None:
        """None: the rule may go on. Otherwise what comes of the hit (a tuple of one; None inside: nothing)."""
        goods = self.goods_of(case)
        if scope.cross_border is not None and bool(goods.cross_border) is not scope.cross_border:
            return (None,)
        if not scope.only and not scope.except_:
            return None
        if not goods.known:
            if scope.unknown is Unknown.FIRE:
                return None
            if scope.unknown is Unknown.SILENT:
                return (None,)
            return (Need(rule.id, rule.category, (NEED_GOODS,), f"须先知道所售为何物:{_told(rule, pointer)}", pointer),)
        if goods.any_of(scope.except_):
            names = "、".join(self._classifier.kinds[k].title for k in goods.kinds if k in scope.except_)
            why = f"所售为{names},不在本规则范围({goods.why})"
            return (Exempted(rule.id, rule.category, pointer.quote, why, NEED_GOODS, pointer),)
        if scope.only and not goods.any_of(scope.only):
            return (None,)
        return None

    # -- the finding ---------------------------------------------------------------------------------------------

    def _finding(self, case: _Case, one: Spoken, pointer: Pointer, tested: tuple[Tested, ...]) -> Finding:
        rule, hit = one.rule, one.hit
        weight, severity, reasons = self._weight(case, one)
        guessed = hit.segment.view.guess is not None
        basis = self._basis(rule, case.on)
        told = _told(rule, pointer)
        if reasons:
            told += f"；{'、'.join(reasons)}"
        if guessed:
            told += "；按变体写法还原"
        if any(b.mark == "M" for b in basis):
            told += "；所引条款尚待核实"
        return Finding(
            rule=rule.id,
            version=rule.version,
            category=rule.category,
            severity=severity,
            confidence=round(min(0.99, max(0.05, weight * (_GUESS_WEIGHT if guessed else 1.0))), 2),
            evidence=(pointer,),
            claim=_claim(rule, pointer.quote),
            title=rule.title.zh,
            why=told,
            basis=basis,
            elements=tuple(self._element(case, element, one, pointer) for element in rule.elements),
            tested=tested,
            needs=rule.needs,
            method=Method.RULE,
            advice=rule.advice,
        )

    def _weight(self, case: _Case, one: Spoken) -> tuple[float, Severity, list[str]]:
        rule, hit = one.rule, one.hit
        weight = hit.detector.confidence if hit.detector.confidence is not None else rule.base
        weight *= _REGION_WEIGHT.get(hit.segment.region, 1.0)
        severity = rule.severity
        reasons: list[str] = []
        for extra in rule.raises:
            if extra.guard is not None and not guard_words(extra.guard, hit.segment, hit.start, hit.end):
                continue
            if extra.regions and hit.segment.region not in extra.regions:
                continue
            if extra.goods and not self.goods_of(case).any_of(extra.goods):
                continue
            weight += extra.by
            if extra.severity is not None and _SEVERITIES.index(extra.severity) > _SEVERITIES.index(severity):
                severity = extra.severity
            if extra.why:
                reasons.append(extra.why)
        return weight, severity, reasons

    def _basis(self, rule: Rule, on: date) -> tuple[Basis, ...]:
        key = (rule.basis, on)
        if key not in self._basis_memo:
            if len(self._basis_memo) > 5000:
                self._basis_memo.clear()
            self._basis_memo[key] = self._law.resolve(rule.basis, on)
        return self._basis_memo[key]

    def _element(self, case: _Case, element: ElementOf, one: Spoken, pointer: Pointer) -> Element:
        name = element.name.zh
        kind = element.by.partition(":")[0]
        if kind == "detect":
            return Element(name, met=True, by=f"“{pointer.quote[:60]}”")
        if kind == "exempt":
            return Element(name, met=True, by="已逐项检查,均不适用")
        if kind == "region":
            region = one.hit.segment.region
            return Element(name, met=True if region else None, by=region.value if region else "区域不明")
        if kind == "goods":
            goods = self.goods_of(case)
            return Element(name, met=True if goods.known else None, by=goods.why or "商品类别不明")
        return Element(name, met=None, by=_WAITS.get(kind, element.by))


def _pointer(page: Page, hit: Hit) -> Pointer:
    start, end = hit.segment.source(hit.start, hit.end)
    number = page.passage_at(start)
    passage = page.passages[number]
    base = page.passage_start(number)
    left, right = start - base, min(end - base, len(passage.text))
    around_left, around_right = hit.segment.source(0, len(hit.segment.text))
    context = passage.text[max(around_left - base, 0) : min(around_right - base, len(passage.text))].strip()
    return Pointer(
        region=passage.region, selector=passage.selector, passage=number, start=left, end=right,
        quote=passage.text[left:right], context=context[:500],
    )  # fmt: skip


def _longest(placed: Sequence[tuple[Spoken, Pointer]]) -> list[tuple[Spoken, Pointer]]:
    """Of one rule's overlapping hits the longest; plain spelling before guessed. Order of the page."""
    kept: list[tuple[Spoken, Pointer]] = []
    taken: dict[tuple[str, int | None], list[tuple[int, int]]] = {}
    ranked = sorted(placed, key=lambda item: (item[0].hit.segment.view.guess is not None, item[1].start - item[1].end))
    for one, pointer in ranked:
        spans = taken.setdefault((one.rule.id, pointer.passage), [])
        if len(spans) < 4 * MAX_PER_RULE and all(pointer.end <= s or pointer.start >= e for s, e in spans):
            spans.append((pointer.start, pointer.end))
            kept.append((one, pointer))
    return sorted(kept, key=lambda item: (item[1].passage or 0, item[1].start))


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """One finding a claim, with all its places; of one category's overlapping findings the surest."""
    best: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (-f.confidence, -_SEVERITIES.index(f.severity))):
        pointer = finding.evidence[0]
        if not any(
            other.category == finding.category and other.rule != finding.rule and _overlap(other.evidence[0], pointer)
            for other in best
        ):
            best.append(finding)
    best.sort(key=lambda f: (f.evidence[0].passage or 0, f.evidence[0].start))
    by_claim: dict[tuple[str, str], Finding] = {}
    counted: dict[str, int] = {}
    for finding in best:
        known = by_claim.get((finding.rule, finding.claim))
        if known is not None:
            if len(known.evidence) < MAX_EVIDENCE:
                by_claim[finding.rule, finding.claim] = replace(known, evidence=known.evidence + finding.evidence)
            continue
        counted[finding.rule] = counted.get(finding.rule, 0) + 1
        if counted[finding.rule] <= MAX_PER_RULE:
            by_claim[finding.rule, finding.claim] = finding
    return tuple(by_claim.values())


def _overlap(one: Pointer, other: Pointer) -> bool:
    return one.passage == other.passage and one.start < other.end and other.start < one.end


def _distinct(items: Sequence[_T]) -> tuple[_T, ...]:
    """One a rule and quote."""
    seen: dict[tuple[str, str], _T] = {}
    for item in items:
        seen.setdefault((item.rule, item.pointer.quote), item)
    return tuple(seen.values())


def _told(rule: Rule, pointer: Pointer) -> str:
    return (rule.why or f"{rule.title.zh}:“{{quote}}”").replace("{quote}", pointer.quote[:80])


def _claim(rule: Rule, quote: str) -> str:
    words = "".join(char for char in folded(quote) if char.isalnum() or char in "%®")
    return f"{rule.category}:{words[:120]}"
