"""Every promise an author wrote down: examples of rules and exemptions, and the lint itself."""

from __future__ import annotations

import pytest

from semantic_lib.lint import lint
from semantic_lib.load import FAMILIES, library
from semantic_lib.testing import check_exemption, check_rule


def test_library_is_sound() -> None:
    assert [str(problem) for problem in lint()] == []


@pytest.mark.parametrize("rule_id", sorted(library().rules))
def test_examples_of(rule_id: str) -> None:
    known = library()
    assert [str(p) for p in check_rule(known, known.rules[rule_id]).problems] == []


@pytest.mark.parametrize("exemption_id", sorted(library().exemptions))
def test_exemption(exemption_id: str) -> None:
    known = library()
    assert [str(p) for p in check_exemption(known, known.exemptions[exemption_id])] == []


def test_every_family_has_a_rule_with_exemptions() -> None:
    known = library()
    families = {known.categories[r.category].family for r in known.rules.values() if r.exempt}
    assert families == set(FAMILIES)
    assert len(known.categories) == 52
