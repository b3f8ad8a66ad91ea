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


def _rule_problems(rule: Rule, shelf: Shelf) -> list[Problem]:
    block = shelf.blocks[rule.id]
    found: list[Problem] = []

    def wrong(key: str, text: str) -> None:
        found.append(Problem(rule.file, block.at(key), text))

    if not rule.title.en:
        wrong("title", "缺少英文标题 title.en")
    for hit, word in ((True, "hit"), (False, "miss")):
        count = sum(example.hit is hit for example in rule.examples)
        if count < MIN_EXAMPLES:
            wrong("examples", f"{word} 例子只有 {count} 个,至少 {MIN_EXAMPLES} 个")
    if not rule.detectors:
        wrong("detect", "没有可用的 detect")
    for day in _DAYS:
        if not shelf.law.resolve(rule.basis, day):
            wrong("basis", f"依据在 {day} 没有有效条款")
    for need in rule.needs:
        if need.partition(":")[0] not in (
            "register",
            "history",
            "second-capture",
            "flow",
            "page",
            "goods",
            "test",
            "ocr",
        ):
            wrong("needs", f"needs“{need}”不认识;可用 register:… history:… page:… second-capture flow goods test ocr")
    if rule.status is Status.STABLE and not rule.falsepositives:
        wrong("status", "stable 的规则应写明 falsepositives")
    if not 0 < rule.base <= 0.95:
        wrong("confidence", "可信度应在 0 与 0.95 之间")
    texts = [example.text for example in rule.examples]
    for example in rule.examples:
        if texts.count(example.text) > 1:
            found.append(Problem(rule.file, example.line, f"例子重复:“{example.text[:30]}”"))
    for own in rule.own:
        if not own.ways:
            found.append(Problem(rule.file, own.line, f"豁免“{own.id}”没有 when"))
    return found


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
