"""`wangxun rules lint|test|list|show` — the rule author's tools."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from contracts.clock import SHANGHAI, SystemClock
from contracts.errors import InputError, UsageError

rules_app = typer.Typer(help="检查、测试、列出、查看规则", no_args_is_help=True, add_completion=False)

_Root = Annotated[Path | None, typer.Option("--root", help="规则库文件夹(默认:随程序的规则库)")]
_Ids = Annotated[list[str] | None, typer.Argument(metavar="[RULE…]", help="规则 id;不写为全部")]


@rules_app.command("lint")
def lint_rules(rules: _Ids = None, root: _Root = None) -> int:
    """检查规则库:格式、例子、豁免、条款、正则。每个问题一行:文件:行号: 说明。有问题时退出码为 1。"""
    from semantic_lib.lint import doubtful, lint
    from semantic_lib.load import ROOT, read_shelf

    _existing(root)
    problems = lint(root, only=rules or ())
    for problem in problems:
        print(f"{problem}")
    for note in doubtful(root, rules or ()):
        print(note)
    if not problems:
        count = len(read_shelf(root or ROOT).rules)
        print(f"{len(rules) if rules else count} 条规则,没有问题")
    return 1 if problems else 0


@rules_app.command("test")
def run_examples(
    rules: _Ids = None, root: _Root = None, as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False
) -> int:
    """运行每条规则的例子,列表显示。有例子不符时退出码为 1。"""
    from semantic_lib.load import sound_part
    from semantic_lib.testing import check_all

    _existing(root)
    known, faulty = sound_part(root)
    for problem in faulty:
        if rules and any(problem.file.endswith(f"/{rule_id}.yaml") for rule_id in rules):
            raise problem.error()
    unknown = [rule_id for rule_id in rules or () if rule_id not in known.rules]
    if unknown:
        raise UsageError("没有规则 {rule}", hint="运行 wangxun rules list 查看全部规则", rule=unknown[0])
    results, problems = check_all(known, rules or None)
    faults = [problem for result in results for problem in result.problems] + problems
    faults += faulty if not rules else []
    if as_json:
        rows = [
            {"rule": r.rule, "hit": r.hits, "miss": r.misses, "problems": [str(p) for p in r.problems]} for r in results
        ]
        print(json.dumps({"rules": rows, "problems": [str(p) for p in problems]}, ensure_ascii=False))
        return 1 if faults else 0
    width = max((len(result.rule) for result in results), default=4)
    for result in results:
        verdict = "通过" if not result.problems else f"{len(result.problems)} 处不符"
        print(f"{result.rule:<{width}}  应报 {result.hits:>2}  不应报 {result.misses:>2}  {verdict}")
    for fault in faults:
        print(fault)
    print(f"{len(results)} 条规则,{sum(r.hits + r.misses for r in results)} 个例子,{len(faults)} 处不符")
    return 1 if faults else 0


@rules_app.command("list")
def list_rules(
    category: Annotated[str | None, typer.Option("--category", help="只列某一类别")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON Lines")] = False,
    basis: Annotated[bool, typer.Option("--basis", help="列出可引用的条款标识")] = False,
    exemptions: Annotated[bool, typer.Option("--exemptions", help="列出共用的豁免")] = False,
    root: _Root = None,
) -> int:
    """列出规则;或可引用的条款、共用的豁免。"""
    from semantic_lib.load import library

    _existing(root)
    known = library(root)
    if basis:
        for provision in known.law.provisions:
            now = known.law.resolve([provision], _today())
            print(f"{provision}  " + "; ".join(f"{b.title} {b.article}" for b in now))
        return 0
    if exemptions:
        for exemption in known.exemptions.values():
            print(f"{exemption.id}  {exemption.title.zh}")
        return 0
    for rule in sorted(known.rules.values(), key=lambda r: (known.categories[r.category].family, r.category, r.id)):
        if category and rule.category != category:
            continue
        row = {
            "rule": rule.id, "family": known.categories[rule.category].family, "category": rule.category,
            "severity": rule.severity.value, "status": rule.status.value, "version": rule.version,
            "result": rule.result, "title": rule.title.zh,
        }  # fmt: skip
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(f"{row['family']}  {rule.category:<28} {rule.id:<30} {rule.severity.value:<9} {rule.title.zh}")
    return 0


@rules_app.command("show")
def show_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE")],
    lang: Annotated[str, typer.Option("--lang", help="zh 或 en")] = "zh",
    on: Annotated[str | None, typer.Option("--on", help="按哪一天的法律(如 2027-01-01),默认今天")] = None,
    root: _Root = None,
) -> int:
    """像给法制人员看的那样显示一条规则。"""
    from semantic_lib.load import library
    from semantic_lib.show import show
    from semantic_lib.statutes import Statutes
    from wangxun.settings import settings

    _existing(root)
    known = library(root)
    if rule not in known.rules:
        from difflib import get_close_matches

        near = get_close_matches(rule, known.rules, n=1)
        raise UsageError(
            "没有规则 {rule}", hint="是否想看 {near}?" if near else "", rule=rule, near=near[0] if near else ""
        )
    try:
        day = date.fromisoformat(on) if on else _today()
    except ValueError:
        raise UsageError("日期 {day} 应写成 2027-01-01", day=on) from None
    print(show(known, known.rules[rule], day, lang, Statutes.of(settings().data_dir)))
    return 0


def _today() -> date:
    return SystemClock().now().astimezone(SHANGHAI).date()


def _existing(root: Path | None) -> None:
    if root is not None and not root.is_dir():
        raise InputError("没有文件夹 {folder}", folder=str(root))
