"""The learned model: small, never pickled, bounded, reasoned, apart, and off unless asked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import InputError
from contracts.finding import Detection, Method
from contracts.page import Passage, Region
from semantic_lib import likeness
from semantic_lib.likeness import BUCKETS, CEILING, NOTHING, NUDGE, PATH, Likeness, Model, features, model
from semantic_lib.load import library

DAY = date(2026, 10, 1)
CATEGORY = "rep-brushing"
TEXT = "小店起步求带量，真实买家号慢慢做起来"


def certain(category: str, threshold: float = 0.5) -> Model:
    """A model that calls everything `category`."""
    weights = np.zeros((2, BUCKETS), dtype=np.int8)
    return Model((NOTHING, category), weights, np.ones(2, np.float32), np.array([0, 9], np.float32), threshold)


def applied(found: Detection, passages: list[Passage], silent: tuple[int, ...] = ()) -> Detection:
    known = library()
    return Likeness(certain(CATEGORY), known.rules.values(), known.categories, known.law).applied(
        found, passages, DAY, silent
    )


def test_file_is_small_and_plain() -> None:
    assert PATH.stat().st_size < 1_500_000
    learned = model()
    assert learned is not None
    assert set(learned.labels) - {NOTHING} <= library().categories.keys()
    assert 0 < learned.threshold <= 1


def test_a_pickled_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, labels=np.array([object()], dtype=object), weights=np.zeros(1))
    with pytest.raises(InputError):
        model(path)
    assert model(tmp_path / "none.npz") is None


@settings(deadline=None)
@given(st.text(max_size=60))
def test_features_are_of_length_one_and_shares_of_sum_one(text: str) -> None:
    buckets, weights = features(text)
    assert np.isclose((weights**2).sum(), 1)
    assert buckets.size == len(set(buckets.tolist()))
    learned = model()
    assert learned is not None
    assert np.isclose(learned.shares(text).sum(), 1)


def test_proposal_is_low_marked_and_reasoned() -> None:
    found = applied(Detection(), [Passage(TEXT, Region.BODY)])
    (finding,) = found.findings
    assert finding.method is Method.LIKENESS
    assert finding.confidence <= CEILING
    assert "凭相似" in finding.why
    nearest = [e.text for r in library().rules.values() if r.category == CATEGORY for e in r.examples if e.hit]
    assert any(text[:60] in finding.why for text in nearest)
    pointer = finding.evidence[0]
    assert TEXT[pointer.start : pointer.end] == pointer.quote
    assert finding.basis


def test_proposes_nothing_where_a_rule_spoke_a_consumer_speaks_or_an_exemption_held() -> None:
    for text, region in (("好评返现5元联系客服", None), ("谨防高仿包诈骗", Region.NOTICE)):
        passages = [Passage(text, region)]
        found = library().read(passages, at=DAY)
        assert found.findings or found.exempted
        assert not [f for f in applied(found, passages).findings if f.method is Method.LIKENESS]
    assert applied(Detection(), [Passage(TEXT, Region.REVIEW)]) == Detection()
    assert applied(Detection(), [Passage(TEXT)], silent=(0,)) == Detection()


def test_ranking_moves_confidence_within_bounds() -> None:
    passages = [Passage("好评返现5元联系客服")]
    found = library().read(passages, at=DAY)
    for before, after in zip(found.findings, applied(found, passages).findings, strict=True):
        assert abs(after.confidence - before.confidence) <= NUDGE + 0.005
        assert (after.rule, after.evidence, after.severity) == (before.rule, before.evidence, before.severity)


def test_off_by_default_and_without_a_model_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "model", lambda: certain(CATEGORY))
    passages = [Passage(TEXT)]
    assert library().read(passages, at=DAY) == Detection()
    monkeypatch.setattr(likeness, "model", lambda: None)
    assert library().read(passages, at=DAY, likeness=True) == Detection()
