"""Folding and guessing always lead back to the original."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_lib.load import library
from semantic_lib.normalise import fold


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＡＢ１２３", "ab123"), ("最\u200b佳", "最佳"), ("第①名", "第1名"), ("㎡", "m2"), ("🅥信", "v信"), ("療效顯著", "疗效显著"),
        ("臺灣馳名商標", "台湾驰名商标"), ("１️⃣", "1"), ("「最佳」", "“最佳”"), ("Was\u00a0$9", "was $9"), ("a\r\nb", "a\n\nb"),
    ],
)  # fmt: skip
def test_folds(written: str, folded: str) -> None:
    assert fold(written).text == folded


@settings(deadline=None)
@given(st.text(max_size=80))
def test_every_folded_character_points_into_the_original(text: str) -> None:
    page = fold(text)
    previous = 0
    for at in range(len(page.text)):
        start, end = page.span(at, at + 1)
        assert previous <= start < end <= len(text)
        previous = start
    assert len(page.codes) == len(page.kinds) == len(page.text)


@settings(deadline=None)
@given(st.text(alphabet="好评返现 *·，蕞xianfg女子\n最佳a1", max_size=60))
def test_every_guess_points_into_the_fold(text: str) -> None:
    page = fold(text)
    for view in (library()._speller.joined(page), library()._speller.guessed(page)):
        if view is None:
            continue
        for at in range(len(view.text)):
            start, end = view.span(at, at + 1)
            assert 0 <= start <= end <= len(page.text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("全 网 最 低", "全网最低"),
        ("好*评*返*现", "好评返现"),
        ("蕞佳", "最佳"),
        ("女子评返现", "好评返现"),
        ("好评反xian", "好评返现"),
    ],
)
def test_undoes_evasion(written: str, meant: str) -> None:
    view = library()._speller.guessed(fold(written))
    assert view is not None
    assert view.text == meant
    assert view.touched(0, len(meant))
    assert view.span(0, len(meant)) == (0, len(written))


@pytest.mark.parametrize("innocent", ["女 装", "白色,黑色", "男款 女款", "price: 12.50"])
def test_joins_nothing_that_reads_as_words(innocent: str) -> None:
    view = library()._speller.joined(fold(innocent))
    assert view is None or innocent == "女 装"
