"""Every promise an author wrote down: examples of rules and exemptions, and the lint itself."""

from __future__ import annotations

from functools import cache

import pytest

from semantic_lib.library import Library
from semantic_lib.lint import lint
from semantic_lib.load import FAMILIES, ROOT, sound_part
from semantic_lib.testing import check_exemption, check_rule

RULES = sorted(path.stem for path in (ROOT / "rules").rglob("*.yaml"))


@cache
def known() -> Library:
    return sound_part()[0]


def test_library_is_sound() -> None:
    assert [str(problem) for problem in lint()] == []


@pytest.mark.parametrize("rule_id", RULES)
def test_examples_of(rule_id: str) -> None:
    assert rule_id in known().rules, "the rule does not load; see wangxun rules lint"
    assert [str(p) for p in check_rule(known(), known().rules[rule_id]).problems] == []


def test_exemptions_keep_their_promises() -> None:
    assert [str(p) for e in known().exemptions.values() for p in check_exemption(known(), e)] == []


def test_every_family_has_a_rule_with_exemptions() -> None:
    families = {known().categories[r.category].family for r in known().rules.values() if r.exempt}
    assert families == set(FAMILIES)
    assert len(known().categories) == 52
