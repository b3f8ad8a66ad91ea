"""The corpus keeps its own promises: shape of a row, counts, balance, languages, families, no near-duplicates."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rapidfuzz import fuzz, process

from contracts.page import Region

HERE = Path(__file__).parent
EXPECTED_ID_DIGITS = 4
SAMPLE = 2_500
NEAR_DUPLICATE = 90
FAMILIES: dict[str, frozenset[str]] = {
    name: frozenset(categories.split())
    for name, categories in {
        "a_ads": "ad-absolute-terms ad-unsupported-citation ad-medical-claim-food ad-health-food ad-cosmetic-medical "
        "ad-false-efficacy ad-ai-endorser ad-false-honour-cert ad-false-origin ad-well-known-mark ad-state-organ "
        "ad-not-identifiable ad-income-guarantee ad-disparagement",
        "b_price": "price-fictitious-original price-raise-then-discount promo-endless-limited-time "
        "promo-fake-countdown promo-fake-stock promo-rules-mismatch promo-prize-draw price-false-lowest "
        "price-not-marked price-personalised group-buy-fraud",
        "c_reputation": "rep-brushing rep-incentivised-review rep-review-suppression rep-review-templated "
        "rep-malicious-review",
        "d_marks": "ip-counterfeit-listing ip-unregistered-as-registered ip-confusion goods-mismatch",
        "e_terms": "unfair-terms return-right-denied forced-tying auto-renewal platform-exclusive-dealing",
        "f_identity": "licence-not-displayed licence-invalid permit-not-displayed platform-rules-not-published "
        "platform-rule-change platform-duties",
        "g_goods": "goods-prohibited goods-restricted-no-permit cbec-notice-missing label-missing-general-import "
        "cbec-resale",
        "h_data": "pi-abuse pi-sale",
        "z_ordinary": "",
    }.items()
}
CATEGORIES = frozenset().union(*FAMILIES.values())
REQUIRED = {"id", "text", "lang", "region", "kind", "truth", "arguable", "near", "technique", "why"}
OPTIONAL = {"goods", "needs"}
NEEDS = {"history", "register", "second-capture"}
EVASIVE = {
    "full-width", "zero-width", "look-alike", "split-characters", "inserted-signs", "emoji", "pinyin-mix", "homophone",
}  # fmt: skip


@cache
def rows() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every row as (file stem, row), in file order."""
    return tuple(
        (path.stem, json.loads(line))
        for path in sorted(HERE.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    )


def test_every_row_has_the_agreed_shape() -> None:
    regions = {str(region) for region in Region}
    for stem, row in rows():
        where = (stem, row.get("id"))
        assert REQUIRED <= set(row) <= REQUIRED | OPTIONAL, where
        assert row["id"][0] == "c", where
        assert row["id"][1:].isdigit(), where
        assert len(row["id"]) == EXPECTED_ID_DIGITS + 1, where
        assert row["text"].strip(), where
        assert len(row["text"]) <= 600, where
        assert row["lang"] in {"zh-Hans", "zh-Hant", "en"}, where
        assert row["region"] in regions, where
        assert row["technique"], where
        assert row["why"].endswith("."), where
        assert set(row.get("needs", [])) <= NEEDS, where


def test_labels_are_known_and_do_not_contradict_each_other() -> None:
    for stem, row in rows():
        where = (stem, row["id"])
        truth, arguable, near = set(row["truth"]), set(row["arguable"]), set(row["near"])
        assert truth | arguable | near <= CATEGORIES, where
        assert len(row["truth"]) == len(truth), where
        assert not truth & arguable, where
        assert row["kind"] in {"positive", "innocent"}, where
        if row["kind"] == "positive":
            assert truth, where
            assert not near, where
        else:
            assert not truth, where
            assert "needs" not in row, where


def test_ids_and_texts_are_unique() -> None:
    ids = Counter(row["id"] for _, row in rows())
    texts = Counter(row["text"] for _, row in rows())
    assert max(ids.values()) == 1, ids.most_common(3)
    assert max(texts.values()) == 1, texts.most_common(3)


def test_size_balance_and_languages() -> None:
    total = len(rows())
    kinds = Counter(row["kind"] for _, row in rows())
    languages = Counter(row["lang"] for _, row in rows())
    assert total >= 800
    assert 0.45 <= kinds["innocent"] / total <= 0.60
    assert languages["zh-Hans"] / total >= 0.45
    assert languages["zh-Hant"] / total >= 0.15
    assert languages["en"] / total >= 0.18
    evasive = sum(row["technique"] in EVASIVE for _, row in rows())
    assert evasive / total >= 0.06


@pytest.mark.parametrize("stem", FAMILIES)
def test_each_family_has_its_file(stem: str) -> None:
    mine = [row for name, row in rows() if name == stem]
    assert len(mine) >= 50
    labels = {label for row in mine for label in (*row["truth"], *row["near"])}
    assert FAMILIES[stem] <= labels
    if stem == "z_ordinary":
        assert all(row["kind"] == "innocent" for row in mine)


def test_each_category_has_positives_and_temptations_in_every_language() -> None:
    positives = Counter((label, row["lang"]) for _, row in rows() for label in row["truth"])
    tempted = Counter(label for _, row in rows() for label in row["near"])
    for category in sorted(CATEGORIES):
        for lang in ("zh-Hans", "zh-Hant", "en"):
            assert positives[category, lang], (category, lang)
        assert tempted[category] >= 3, category


def test_invisible_characters_are_written_as_escapes() -> None:
    for path in HERE.glob("*.jsonl"):
        text = path.read_text(encoding="utf-8").replace("\n", "")
        hidden = {f"U+{ord(char):04X}" for char in text if unicodedata.category(char) in {"Cf", "Cc", "Zl", "Zp"}}
        assert not hidden, (path.name, hidden)


def test_no_near_duplicates_in_a_bounded_sample() -> None:
    """Texts of 12 signs or more, evenly thinned to SAMPLE, each against all others (short badges may well agree)."""
    candidates = [row for _, row in rows() if len(row["text"]) >= 12]
    sample = candidates[:: -(-len(candidates) // SAMPLE)]
    texts = [unicodedata.normalize("NFKC", row["text"]).casefold() for row in sample]
    scores = process.cdist(texts, texts, scorer=fuzz.ratio, score_cutoff=NEAR_DUPLICATE)
    pairs = [(sample[i]["id"], sample[j]["id"]) for i, j in np.argwhere(scores) if i < j]
    assert not pairs, pairs
