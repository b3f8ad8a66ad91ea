"""Running what the authors promised: every example of every rule and exemption."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from contracts.finding import Detection
from contracts.page import Passage
from semantic_lib.detect import Hit
from semantic_lib.library import Library
from semantic_lib.matcher import Finder, Term
from semantic_lib.model import Detector, Example, Exemption, Rule
from semantic_lib.page import Page
from semantic_lib.source import Problem

#: The day examples are read on, unless a test of the law says otherwise: after the 2025 switch, before the 2027 one.
EXAMPLE_DAY = date(2026, 10, 1)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """How a rule's examples went."""

    rule: str
    hits: int
    misses: int
    problems: tuple[Problem, ...]


def check_rule(library: Library, rule: Rule) -> RuleResult:
    """Runs the rule's examples with this rule alone. A hit must be found with exactly its span."""
    alone = library.only([rule.id])
    problems = [
        Problem(rule.file, example.line, why)
        for example in rule.examples
        if (why := _example_fault(alone, rule, example)) is not None
    ]
    hits = sum(example.hit for example in rule.examples)
    return RuleResult(rule.id, hits, len(rule.examples) - hits, tuple(problems))


def read_example(library: Library, example: Example) -> Detection:
    passage = Passage(example.text, example.region)
    return library.read(
        [passage], at=EXAMPLE_DAY, goods=example.goods, title=example.title, cross_border=example.cross_border
    )


def _example_fault(alone: Library, rule: Rule, example: Example) -> str | None:
    found = read_example(alone, example)
    quotes = [p.quote for f in found.findings for p in f.evidence]
    if rule.result == "need":
        quotes = [need.pointer.quote for need in found.needs]
    text = example.text if len(example.text) <= 40 else example.text[:40] + "…"
    if example.hit:
        if example.span in quotes:
            return None
        if quotes:
            return f"例子“{text}”命中了,但位置是“{'”“'.join(quotes)}”,不是“{example.span}”"
        if found.exempted:
            return f"例子“{text}”应命中,却被豁免:{found.exempted[0].why}"
        if found.needs:
            return f"例子“{text}”应命中,却只给出待查:{'、'.join(found.needs[0].needs)}"
        return f"例子“{text}”应命中,没有命中"
    return f"例子“{text}”不应命中,却命中“{quotes[0]}”" if quotes else None


def check_exemption(library: Library, exemption: Exemption) -> list[Problem]:
    """Runs the exemption's own cases: `exempt` must be silenced, `keep` must not."""
    problems: list[Problem] = []
    for case in exemption.cases:
        if not case.text:
            continue
        hit = _hit_at(case.hit, Passage(case.text, case.region))
        if hit is None:
            problems.append(Problem(exemption.file, case.line, f"例子里找不到“{case.hit}”"))
            continue
        cue = library.tester.applies(hit, exemption)
        if (cue is not None) is not case.exempt:
            how = f"却被“{cue}”豁免" if cue is not None else "却没有豁免"
            want = "应豁免" if case.exempt else "不应豁免"
            problems.append(Problem(exemption.file, case.line, f"{exemption.id}:“{case.text}”{want},{how}"))
    return problems


def _hit_at(words: str, passage: Passage) -> Hit | None:
    finder = Finder([Term.of(words)])
    page = Page([passage])
    found = finder.find(page.view.text)
    if not found:
        return None
    segment = page.view.segment(*found[0].span)
    if segment is None:
        return None
    start, end = found[0].start - segment.start, found[0].end - segment.start
    return Hit(segment, Detector((finder,), 0), start, end, ((start, end),))


def check_all(library: Library, rule_ids: Iterable[str] | None = None) -> tuple[list[RuleResult], list[Problem]]:
    """(a result a rule, problems of exemptions). Exemptions are checked only when all rules are."""
    chosen = list(rule_ids) if rule_ids is not None else list(library.rules)
    results = [check_rule(library, library.rules[rule_id]) for rule_id in chosen]
    problems: list[Problem] = []
    if rule_ids is None:
        for exemption in library.exemptions.values():
            problems.extend(check_exemption(library, exemption))
    return results, problems
