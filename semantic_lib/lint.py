"""What `rules lint` says: every fault of every data file, each with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from semantic_lib.library import Library
from semantic_lib.load import ROOT, Shelf, build, read_shelf
from semantic_lib.model import Exemption, Rule, Status
from semantic_lib.source import Problem
from semantic_lib.testing import EXAMPLE_DAY, check_all

MIN_EXAMPLES = 3
#: What may be needed beyond the page; the first four are written with what exactly (register:trademarks).
_NEEDS = ("register", "history", "page", "ocr", "second-capture", "flow", "goods", "test")
#: Days on which every rule's basis must resolve: around both switches of law.
_DAYS = (date(2025, 10, 14), date(2025, 10, 15), EXAMPLE_DAY, date(2027, 1, 1))


def lint(root: Path | None = None, *, only: Iterable[str] = ()) -> list[Problem]:
    """All problems, in order of file and line; empty when the library is sound. `only` narrows to rule ids."""
    shelf = read_shelf(root or ROOT)
    chosen = set(only)
    problems = list(shelf.problems)
    library = build(shelf)
    for rule in shelf.rules.values():
        if not chosen or rule.id in chosen:
            problems.extend(_rule_problems(rule, shelf))
    if not chosen:
        for exemption in shelf.exemptions.values():
            problems.extend(_exemption_problems(exemption))
        problems.extend(_unused(shelf))
    problems.extend(_examples(library, shelf, chosen))
    if chosen:
        files = {shelf.rules[rule_id].file for rule_id in chosen if rule_id in shelf.rules}
        problems = [p for p in problems if p.file in files]
        problems.extend(Problem("rules", 1, f"没有规则“{rule_id}”") for rule_id in sorted(chosen - set(shelf.rules)))
    return sorted(set(problems))


def doubtful(root: Path | None = None, only: Iterable[str] = ()) -> list[str]:
    """Notes, no faults: articles that rest on a fact still to be confirmed (M), and the rules that rest on them."""
    shelf = read_shelf(root or ROOT)
    chosen = set(only)
    resting: dict[str, list[str]] = {}
    for rule in shelf.rules.values():
        if chosen and rule.id not in chosen:
            continue
        found = {f"{b.title} {b.article}" for day in _DAYS for b in shelf.law.resolve(rule.basis, day) if b.mark == "M"}
        for article in found:
            resting.setdefault(article, []).append(rule.id)
    return [
        f"提示: {article} 尚待核实(M),据此的规则 {len(rules)} 条:{'、'.join(sorted(rules)[:5])}{'…' if len(rules) > 5 else ''}"
        for article, rules in sorted(resting.items())
    ]


def _rule_problems(rule: Rule, shelf: Shelf) -> list[Problem]:
    block = shelf.blocks[rule.id]
    faults = [*_text_faults(rule), *_norm_faults(rule, shelf)]
    found = [Problem(rule.file, block.at(key), text) for key, text in faults]
    texts = [example.text for example in rule.examples]
    found += [
        Problem(rule.file, example.line, f"例子重复:“{example.text[:30]}”")
        for example in rule.examples
        if texts.count(example.text) > 1
    ]
    found += [Problem(rule.file, own.line, f"豁免“{own.id}”没有 when") for own in rule.own if not own.ways]
    return found


def _text_faults(rule: Rule) -> list[tuple[str, str]]:
    """(key of the rule's file, what is wrong there)."""
    faults: list[tuple[str, str]] = []
    if not rule.title.en:
        faults.append(("title", "缺少英文标题 title.en"))
    for hit, word in ((True, "hit"), (False, "miss")):
        count = sum(example.hit is hit for example in rule.examples)
        if count < MIN_EXAMPLES:
            faults.append(("examples", f"{word} 例子只有 {count} 个,至少 {MIN_EXAMPLES} 个"))
    if not rule.detectors:
        faults.append(("detect", "没有可用的 detect"))
    if rule.status is Status.STABLE and not rule.falsepositives:
        faults.append(("status", "stable 的规则应写明 falsepositives"))
    if not 0 < rule.base <= 0.95:
        faults.append(("confidence", "可信度应在 0 与 0.95 之间"))
    return faults


def _norm_faults(rule: Rule, shelf: Shelf) -> list[tuple[str, str]]:
    faults = [("basis", f"依据在 {day} 没有有效条款") for day in _DAYS if not shelf.law.resolve(rule.basis, day)]
    faults += [
        ("needs", f"needs“{need}”不认识;可用 {' '.join(_NEEDS)}")
        for need in rule.needs
        if need.partition(":")[0] not in _NEEDS
    ]
    return faults


def _exemption_problems(exemption: Exemption) -> list[Problem]:
    found: list[Problem] = []
    if not exemption.ways:
        found.append(Problem(exemption.file, exemption.line, f"豁免“{exemption.id}”没有 when"))
    for exempt, word in ((True, "exempt"), (False, "keep")):
        if not any(case.exempt is exempt for case in exemption.cases):
            found.append(Problem(exemption.file, exemption.line, f"豁免“{exemption.id}”没有 {word} 例子"))
    return found


def _unused(shelf: Shelf) -> list[Problem]:
    """Articles must say what they mean; a summary-less article helps no officer."""
    return [
        Problem(article.file, article.line, f"{article.law} {article.number} 没有 summary(我们的摘要)")
        for instrument in shelf.law.instruments.values()
        for article in instrument.articles
        if not article.summary
    ]


def _examples(library: Library, shelf: Shelf, chosen: set[str]) -> list[Problem]:
    known = [rule_id for rule_id in shelf.rules if not chosen or rule_id in chosen]
    results, problems = check_all(library, known if chosen else None)
    for result in results:
        problems.extend(result.problems)
    return problems
