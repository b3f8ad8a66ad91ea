"""What is remembered of a sentence changes no answer: a library that has read everything says what a fresh one says."""

from __future__ import annotations

import random
from datetime import date

import pytest

from contracts.finding import Detection
from contracts.page import Passage, Region
from semantic_lib.library import Library
from semantic_lib.load import ROOT, build, library, read_shelf
from semantic_lib.recall import Memory, Sentence

DAY = date(2026, 10, 1)


def fresh() -> Library:
    return build(read_shelf(ROOT))


def sentences() -> list[str]:
    dice = random.Random(4)
    examples = sorted({e.text for rule in library().rules.values() for e in rule.examples})
    return dice.sample(examples, min(160, len(examples)))


def pages() -> list[list[Passage]]:
    """The same sentences in ever new company, regions and labels."""
    dice = random.Random(9)
    texts = sentences()
    regions = [None, Region.BODY, Region.TITLE, Region.REVIEW, Region.NOTICE, Region.TERMS]
    return [
        [
            Passage(
                dice.choice("。\n ！").join(dice.choice(texts) for _ in range(dice.randrange(1, 4))),
                dice.choice(regions),
                lang=dice.choice([None, "zh"]),
            )
            for _ in range(dice.randrange(1, 9))
        ]
        for _ in range(60)
    ]


def test_a_warmed_library_answers_as_a_fresh_one() -> None:
    warm, cold = fresh(), fresh()
    every = pages()
    for goods in (None, "food"):
        for page in every:
            warm.read(page, at=DAY, goods=goods)
    for page in every:
        for goods, day in ((None, DAY), ("cosmetic", DAY), (None, date(2025, 1, 1))):
            cold._memory = Memory()
            assert warm.read(page, at=day, goods=goods) == cold.read(page, at=day, goods=goods)


def test_the_second_look_evaluates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    known = fresh()
    page = [Passage("好评返现5元，联系客服。本活动最终解释权归本店所有。", Region.NOTICE)]
    first = known.read(page, at=DAY)
    assert first.findings

    def refuse(*_: object) -> Sentence:
        raise AssertionError("looked again")

    monkeypatch.setattr(known, "_sentence", refuse)
    monkeypatch.setattr(known._judge, "_outcome", refuse)
    again = known.read([Passage("ab cd"), *page], at=DAY)
    assert [f.quote for f in again.findings] == [f.quote for f in first.findings]
    assert {p.passage for f in again.findings for p in f.evidence} == {1}


@pytest.mark.parametrize(
    "hostile",
    [
        "最佳",
        "好评返现，",
        "好 ",
        "原价1元",
        "第一品牌",
        "女子xian",
        "蕞\u200b",
        "返现。",
        "a.b ",
        "不",
        "（最",
        "全网第一！好评反xian",
    ],
)
def test_work_grows_with_the_text_and_no_faster(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: letters given to searches, sentences looked at, hits judged."""
    counted = {"letters": 0, "sentences": 0, "judged": 0}
    known = fresh()
    sentence, outcome = known._sentence, known._judge._outcome

    def counting_sentence(place: object, anchors: tuple[int, ...]) -> Sentence:
        counted["sentences"] += 1
        counted["letters"] += place.right - place.left  # type: ignore[attr-defined]
        return sentence(place, anchors)  # type: ignore[arg-type]

    def counting_outcome(*given: object) -> object:
        counted["judged"] += 1
        return outcome(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(known, "_sentence", counting_sentence)
    monkeypatch.setattr(known._judge, "_outcome", counting_outcome)

    def work(repeats: int) -> dict[str, int]:
        counted.update(letters=0, sentences=0, judged=0)
        known._memory = Memory()
        assert isinstance(known.read([Passage(hostile * repeats)], at=DAY), Detection)
        return dict(counted)

    small, large = work(500), work(4_000)
    for what in counted:
        assert large[what] <= 9 * small[what] + 400, (what, small, large)
    assert large["judged"] <= 60 * len(known.rules)
