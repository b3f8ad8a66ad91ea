"""From words found to findings: goods, exemptions, elements, basis, confidence; then doubles are folded together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
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
from semantic_lib.recall import Heard, Place, Said, Sentence, Verdict

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


Outcome = Finding | Exempted | Need


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule's words in a place."""

    said: Said
    place: Place
    sentence: Sentence

    @property
    def rule(self) -> Rule:
        return self.said.rule

    @property
    def hit(self) -> Hit:
        said = self.said
        return Hit(self.place.segment, said.detector, said.start, said.end, said.parts, said.values)


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
        self, page: Page, heard: Sequence[Heard], *, on: date, goods: str | None, title: str,
        cross_border: bool | None,
    ) -> Detection:  # fmt: skip
        case = _Case(page, on, goods, title, cross_border, [])
        ordered = sorted(heard, key=lambda one: one.place.source)
        plain = [one for one in ordered if one.place.view.guess is None]
        if _crowded(plain):
            outcomes = self._judged_one_by_one(case, ordered)
        else:
            outcomes = self._judged(case, plain)
            if len(plain) < len(ordered):
                outcomes += self._judged_one_by_one(case, ordered, guessed_only=True)
                outcomes.sort(key=_position)
        findings = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
        exempted = [outcome for outcome in outcomes if isinstance(outcome, Exempted)]
        needs = [outcome for outcome in outcomes if isinstance(outcome, Need)]
        return Detection(_merged(findings), _distinct(exempted), _distinct(needs))

    def _judged(self, case: _Case, heard: Sequence[Heard]) -> list[Outcome]:
        """Sentence by sentence, remembered or worked out."""
        made: list[Outcome] = []
        for one in heard:
            place, verdict = one.place, one.sentence.verdict
            if verdict is None or not self._still_holds(case, place, verdict):
                verdict = self._verdict(case, one)
            for said, outcome in verdict.outcomes:
                made.append(_moved(outcome, _pointer(case.page, said, place)))
        return made

    def _still_holds(self, case: _Case, place: Place, verdict: Verdict) -> bool:
        return (
            verdict.on == case.on
            and (not verdict.absent or verdict.absent.isdisjoint(case.page.present(place.passage)))
            and (verdict.goods is None or verdict.goods == self.goods_of(case))
            and (not verdict.voice or self._tester.consumer(case.page, place.passage) is None)
        )

    def _verdict(self, case: _Case, one: Heard, *, surest: bool = True) -> Verdict:
        """All that was said in a sentence, judged; kept with it when it rests on nothing that cannot be checked again.

        `surest`: of one category's overlapping findings only the surest, as the whole page will have it.
        """
        trace = case.page.tracing()
        outcomes = [
            (said, outcome)
            for said in one.sentence.said
            if (
                outcome := self._outcome(
                    case, Spoken(said, one.place, one.sentence), _pointer(case.page, said, one.place)
                )
            )
        ]
        told = {id(outcome) for outcome in _surest([o for _, o in outcomes if isinstance(o, Finding)])}
        verdict = Verdict(
            tuple((s, o) for s, o in outcomes if not (surest and isinstance(o, Finding)) or id(o) in told),
            case.on,
            frozenset(trace.absent),
            self.goods_of(case) if trace.goods else None,
            trace.voice,
        )
        if not trace.more:
            one.sentence.verdict = verdict
        return verdict

    def _judged_one_by_one(self, case: _Case, heard: Sequence[Heard], *, guessed_only: bool = False) -> list[Outcome]:
        """Where sentences overlap (guessed spellings, windows) or say very much: the longest first, and only so many."""
        made: list[Outcome] = []
        counted: dict[str, int] = {}
        for one in _longest(heard):
            counted[one.rule.id] = counted.get(one.rule.id, 0) + 1
            if guessed_only and one.place.view.guess is None:
                continue
            if counted[one.rule.id] <= 3 * MAX_PER_RULE:
                outcome = self._recalled(case, one) if guessed_only else self._outcome(case, one, _at(case, one))
                if outcome is not None:
                    made.append(outcome)
        return made

    def _recalled(self, case: _Case, one: Spoken) -> Outcome | None:
        """The outcome of one of a sentence's words, by the verdict on them all."""
        verdict = one.sentence.verdict
        if verdict is None or not self._still_holds(case, one.place, verdict):
            verdict = self._verdict(case, Heard(one.place, one.sentence), surest=False)
        return next((_moved(o, _at(case, one)) for said, o in verdict.outcomes if said is one.said), None)

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
        case.page.trace.goods = True
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


def _pointer(page: Page, said: Said, place: Place) -> Pointer:
    passage = page.passages[place.passage]
    text, begin = passage.text, page.passage_start(place.passage)
    base = place.source[0] - begin
    left, right = said.source[0] + base, min(said.source[1] + base, len(text))
    context = text[max(base, 0) : min(place.source[1] - begin, len(text))].strip()
    return Pointer("", passage.region, passage.selector, place.passage, left, right, text[left:right], context[:500])


def _at(case: _Case, one: Spoken) -> Pointer:
    return _pointer(case.page, one.said, one.place)


def _moved(outcome: Outcome, pointer: Pointer) -> Outcome:
    """The same outcome at another place of the same words."""
    if isinstance(outcome, Finding):
        f = outcome
        return Finding(
            f.rule, f.version, f.category, f.severity, f.confidence, (pointer,), f.claim, f.title, f.why, f.basis,
            f.elements, f.tested, f.needs, f.method, f.advice,
        )  # fmt: skip
    return replace(outcome, pointer=pointer)


def _position(outcome: Outcome) -> tuple[int, int]:
    pointer = outcome.evidence[0] if isinstance(outcome, Finding) else outcome.pointer
    return pointer.passage or 0, pointer.start


def _crowded(ordered: Sequence[Heard]) -> bool:
    """Do sentences overlap, or is so much said that bounds count?"""
    done = total = 0
    for one in ordered:
        total += len(one.sentence.said)
        if one.place.source[0] < done or total > 2 * MAX_PER_RULE:
            return True
        done = one.place.source[1]
    return False


def _longest(heard: Sequence[Heard]) -> list[Spoken]:
    """Of one rule's overlapping hits the longest; plain spelling before guessed. Order of the page."""
    kept: list[tuple[int, Spoken]] = []
    taken: dict[tuple[str, int], list[tuple[int, int]]] = {}
    ranked: list[tuple[bool, int, int, Spoken]] = []
    for one in heard:
        guessed, base = one.place.view.guess is not None, one.place.source[0]
        for said in one.sentence.said:
            left, right = said.source
            ranked.append((guessed, left - right, base + left, Spoken(said, one.place, one.sentence)))
    ranked.sort(key=itemgetter(0, 1))
    for _, size, start, spoken in ranked:
        spans = taken.setdefault((spoken.rule.id, spoken.place.passage), [])
        end = start - size
        if len(spans) < 4 * MAX_PER_RULE and all(end <= s or start >= e for s, e in spans):
            spans.append((start, end))
            kept.append((start, spoken))
    return [spoken for _, spoken in sorted(kept, key=itemgetter(0))]


def _surest(findings: Sequence[Finding]) -> list[Finding]:
    """Of one category's overlapping findings the surest, surest first."""
    best: list[Finding] = []
    taken: dict[tuple[str, int | None], list[tuple[int, int, str]]] = {}
    for finding in sorted(findings, key=lambda f: (-f.confidence, -_SEVERITIES.index(f.severity))):
        pointer = finding.evidence[0]
        others = taken.setdefault((finding.category, pointer.passage), [])
        if not any(rule != finding.rule and s < pointer.end and pointer.start < e for s, e, rule in others):
            best.append(finding)
            others.append((pointer.start, pointer.end, finding.rule))
    return best


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """One finding a claim, with all its places; of one category's overlapping findings the surest."""
    best = _surest(findings)
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
