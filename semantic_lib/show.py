"""A rule as a lawyer would read it: duty, elements, what is looked for, what is allowed, examples."""

from __future__ import annotations

from datetime import date

from semantic_lib.law import SUMMARY_LABEL
from semantic_lib.library import Library
from semantic_lib.load import FAMILIES
from semantic_lib.model import Detector, Exemption, GoodsScope, Guard, Rule, Within
from semantic_lib.statutes import Statutes

_ZH = {
    "category": "类别", "severity": "严重程度", "status": "状态", "basis": "依据", "elements": "要件", "scope": "适用范围",
    "detect": "如何发现", "exempt": "不报的情形", "needs": "还须查明", "false": "易误报", "examples": "例子", "advice": "处置建议",
    "penalty": "罚则", "duty": "义务", "sentence": "同一句", "passage": "同一段", "page": "同一页", "absent": "而且没有", "present": "而且有",
    "within": "相距不超过", "chars": "字", "and": "与", "hit": "应报", "miss": "不应报", "goods_only": "只限", "goods_except": "除外",
    "regions": "页面区域", "pattern": "句式", "own": "本规则", "version": "版本", "confirm": "(待核实)", "secondary": "(二手来源)",
    "result": "结果", "need": "只列为待查", "finding": "列为疑似", "conf": "可信度", "bare": "来源不明的文字", "wording": "本单位导入的条文",
}  # fmt: skip
_EN = {
    "category": "Category", "severity": "Severity", "status": "Status", "basis": "Basis", "elements": "Elements",
    "scope": "Scope", "detect": "How it is found", "exempt": "Not reported when", "needs": "Still to be established",
    "false": "Known false alarms", "examples": "Examples", "advice": "Advice", "penalty": "penalty", "duty": "duty",
    "sentence": "in one sentence", "passage": "in one passage", "page": "on one page", "absent": "and without",
    "present": "and with", "within": "at most", "chars": "characters apart", "and": "with", "hit": "reported",
    "miss": "not reported", "goods_only": "only", "goods_except": "except", "regions": "Regions", "pattern": "pattern",
    "own": "own", "version": "version", "confirm": "(to be confirmed)", "secondary": "(secondary source)",
    "result": "Result", "need": "listed as needing more", "finding": "listed as suspected", "conf": "confidence",
    "bare": "text of unknown region", "wording": "wording imported by the bureau",
}  # fmt: skip
_MAX_WORDS = 24


def show(library: Library, rule: Rule, on: date, lang: str = "zh", statutes: Statutes | None = None) -> str:
    """Plain text, several lines. `on` decides which articles are quoted; `statutes` is the bureau's own copy, if it has one."""
    say = _EN if lang == "en" else _ZH
    category = library.categories[rule.category]
    family = f"{category.family} {FAMILIES[category.family]}" if lang != "en" else category.family
    lines = [
        f"{rule.title.text(lang)}  [{rule.id} · {say['version']} {rule.version}]",
        "",
        f"{say['category']}:{category.title.text(lang)} ({category.id}, {family})",
        (
            f"{say['severity']}:{rule.severity.value}   {say['status']}:{rule.status.value}   {say['advice']}:{rule.advice}"
            f"   {say['result']}:{say[rule.result]}   {say['conf']}:{rule.base}"
        ),
        "",
        f"{say['basis']} ({on.isoformat()}; {SUMMARY_LABEL})",
        *_basis(library, rule, on, say, statutes or Statutes()),
        "",
        say["elements"],
        *(f"  {n}. {element.name.text(lang)} — {element.by}" for n, element in enumerate(rule.elements, 1)),
        "",
        f"{say['scope']}:{_scope(rule, say)}",
        "",
        say["detect"],
        *(f"  {n}. {_detector(d, say)}" for n, d in enumerate(rule.detectors, 1)),
        "",
        say["exempt"],
        *_exemptions(library, rule, say, lang),
    ]
    if rule.needs:
        lines += ["", f"{say['needs']}:{', '.join(rule.needs)}"]
    if rule.falsepositives:
        lines += ["", say["false"], *(f"  - {text}" for text in rule.falsepositives)]
    lines += ["", say["examples"]]
    for example in rule.examples:
        verdict = f"✓ {say['hit']} “{example.span}”" if example.hit else f"✗ {say['miss']}"
        lines.append(f"  {verdict}:{example.text}" + (f"  ({example.why})" if example.why else ""))
    return "\n".join(lines)


def _basis(library: Library, rule: Rule, on: date, say: dict[str, str], statutes: Statutes) -> list[str]:
    marks = {"V": "", "S": say["secondary"], "M": say["confirm"]}
    lines: list[str] = []
    for b in library.law.resolve(rule.basis, on):
        lines.append(
            f"  - {b.title} {b.article} [{say['penalty'] if b.penalty else say['duty']}] {b.summary}{marks[b.mark]}"
        )
        wording = statutes.wording(b.law, b.article, on)
        if wording:
            lines.append(f"    {say['wording']}: {wording}")
    return lines


def _scope(rule: Rule, say: dict[str, str]) -> str:
    regions = ", ".join(sorted(region.value for region in rule.regions))
    text = f"{say['regions']} {regions}" + (f" + {say['bare']}" if rule.bare else "")
    return text + (f"; {_goods(rule.goods, say)}" if rule.goods else "")


def _goods(scope: GoodsScope, say: dict[str, str]) -> str:
    parts = []
    if scope.only:
        parts.append(f"{say['goods_only']} {', '.join(sorted(scope.only))}")
    if scope.except_:
        parts.append(f"{say['goods_except']} {', '.join(sorted(scope.except_))}")
    return "; ".join(parts) + f" (unknown: {scope.unknown.value})"


def _detector(detector: Detector, say: dict[str, str]) -> str:
    parts = [_words(part, say) for part in detector.parts]
    text = f" + {say['and']} + ".join(parts)
    if len(parts) > 1:
        text += f" [{_distance(detector.within, say)}]"
    if detector.where:
        text += " [" + "; ".join(comparison.source for comparison in detector.where) + "]"
    for guard in detector.guards:
        text += f" {_guard(guard, say)}"
    return text


def _guard(guard: Guard, say: dict[str, str]) -> str:
    return f"[{say['absent' if guard.absent else 'present']} {_words(guard.finder, say)} {_distance(guard.where, say)}]"


def _distance(where: Within | int, say: dict[str, str]) -> str:
    return f"{say['within']} {where} {say['chars']}" if isinstance(where, int) else say[where.value]


def _words(finder: object, say: dict[str, str]) -> str:
    from semantic_lib.matcher import Finder

    assert isinstance(finder, Finder)
    words = [term.text + ("*" if term.open_end else "") for term in finder.terms]
    shown = "、".join(words[:_MAX_WORDS]) + (f" …({len(words)})" if len(words) > _MAX_WORDS else "")
    patterns = " | ".join(f"{say['pattern']} /{source[:160]}/" for source in finder.sources)
    return " | ".join(part for part in (shown, patterns) if part)


def _exemptions(library: Library, rule: Rule, say: dict[str, str], lang: str) -> list[str]:
    known: list[Exemption] = [library.exemptions[name] for name in rule.exempt]
    return [f"  - {e.title.text(lang)} ({e.id})" for e in known] + [
        f"  - {e.title.text(lang)} ({say['own']}: {e.id})" for e in rule.own
    ]
