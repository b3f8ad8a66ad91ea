"""What a rule author is told, and where."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from contracts.errors import InputError
from semantic_lib.lint import lint
from semantic_lib.literals import danger, required
from semantic_lib.load import ROOT, library

RULE = Path("rules/C-reputation/reward-for-praise.yaml")
WRITTEN = """\
id: reward-for-praise
title: {zh: 以报酬换好评, en: Reward for praise}
category: rep-incentivised-review
version: 1
scope:
  regions: [page, qa]
detect:
  any:
    - terms: [好评返现, 好评返红包]
    - near: [$fivestar, $reward]
      within: 14
    - pattern: '(?:leave|post) a (?:5|five).star review'
exempt: [refusing]
examples:
  hit:
    - {text: 好评返现5元, span: 好评返现}
    - {text: 五星晒图领红包, span: 五星晒图领红包}
    - {text: Just leave a 5-star review, span: leave a 5-star review}
  miss:
    - {text: 任何评价都有积分, why: 没有指定好评}
    - {text: 本店拒绝好评返现, why: 拒绝}
    - {text: 感谢好评, why: 没有报酬}
"""
LEXICON = "fivestar: [五星]\nreward: [领红包, 返现]\n"
EXEMPTIONS = """\
refusing:
  title: {zh: 拒绝, en: Refusal}
  when:
    - before: [拒绝, 从不]
      within: 6
  examples:
    exempt:
      - {text: 本店拒绝好评返现, hit: 好评返现}
    keep:
      - {text: 好评返现, hit: 好评返现}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small library with one rule, free to break."""
    shutil.copytree(ROOT / "law", tmp_path / "law")
    shutil.copy(ROOT / "categories.yaml", tmp_path)
    for name, text in {"lexicon/words.yaml": LEXICON, "exemptions/own.yaml": EXEMPTIONS, str(RULE): WRITTEN}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def broken(root: Path, old: str, new: str) -> list[str]:
    text = (root / RULE).read_text(encoding="utf-8")
    assert old in text
    (root / RULE).write_text(text.replace(old, new, 1), encoding="utf-8")
    return [str(problem) for problem in lint(root)]


def test_sound_copy(root: Path) -> None:
    assert lint(root) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("category: rep-incentivised-review", "category: rep-nothing", 3, "不在 categories.yaml"),
        ("exempt: [refusing", "exempt: [refusel", 0, "豁免“refusel”不存在"),
        ("terms: [好评返现", "terms: [评, 好评返现", 0, "单个字“评”"),
        ("span: 好评返现}", "span: 好评返现5}", 0, "不是“好评返现5”"),
        ("why: 没有报酬", "whi: 没有报酬", 0, "没有“whi”"),
        ("near: [$fivestar, $reward]", "near: [$fivestars, $reward]", 0, "词组“$fivestars”不存在"),
        ("version: 1", "version: 0", 4, "version"),
        ("id: reward-for-praise", "id: reward_praise", 1, "id"),
        ("within: 14", "within: often", 0, "within"),
        ("regions: [page, qa]", "regions: [page, attic]", 0, "区域“attic”不认识"),
        ("(?:leave|post)", "(?:le.*ave|post)", 0, "没有上限"),
        ("title: {zh:", "title: {zh: [", 2, "YAML"),
    ],
)  # fmt: skip
def test_names_file_and_line(root: Path, old: str, new: str, line: int, words: str) -> None:
    place = (root / RULE).read_text(encoding="utf-8")[: (root / RULE).read_text(encoding="utf-8").index(old)]
    expected = line or place.count("\n") + 1
    problems = broken(root, old, new)
    assert any(p.startswith(f"{RULE.as_posix()}:{expected}: ") and words in p for p in problems), problems


def test_loading_a_broken_library_raises_one_clear_line(root: Path) -> None:
    broken(root, "version: 1", "version: x")
    with pytest.raises(InputError, match=rf"{RULE.as_posix()}:4: .*version"):
        library(root)


@pytest.mark.parametrize("pattern", ["(a+)+", "x.*y", r"(?:a{1,20}b){1,30}", r"(a)\1", "(?<=a{1,3})b", "(?!(a+)+)b"])
def test_refuses_patterns_that_may_run_away(pattern: str) -> None:
    assert danger(pattern)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("全(?:网|国)第一", {"全网第一", "全国第一"}),
        ("最[好佳].{0,3}", {"最好", "最佳"}),
        ("月入.{0,2}万", {"月入"}),
        (r"\s+", None),
        ("(?:好评|五星)?返现", {"返现"}),
    ],
)
def test_finds_what_a_pattern_must_contain(pattern: str, literals: set[str] | None) -> None:
    assert required(pattern) == (frozenset(literals) if literals else None)
