"""Derived pictures and what a report may print."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from contracts.errors import InputError
from contracts.page import Rect
from evidence.annotate import COLOUR, annotate
from evidence.dossier import CaseFile, mask
from evidence.report import Font, printable


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (1280, 3000), "white").save(tmp_path / "page.png")
    return tmp_path / "page.png"


def test_hit_is_boxed_and_the_original_is_untouched(picture: Path) -> None:
    before = picture.read_bytes()
    made = annotate(picture, [Rect(100, 2000, 50, 20)])
    assert annotate(picture, [Rect(100, 2000, 50, 20)]) == made
    assert picture.read_bytes() == before
    with Image.open(io.BytesIO(made)) as cut:
        assert cut.size == (630, 420)
        assert cut.getpixel((97, 210)) == COLOUR
        assert cut.getpixel((125, 210)) == (255, 255, 255)


@pytest.mark.parametrize("rect", [Rect(0, 5000, 10, 10), Rect(10, 10, 0, 0)])
def test_place_outside_the_picture(picture: Path, rect: Rect) -> None:
    with pytest.raises(InputError, match="不在图片之内"):
        annotate(picture, [rect])


def test_hostile_picture(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n not a picture")
    with pytest.raises(InputError, match="无法读取"):
        annotate(tmp_path / "x.png", [Rect(0, 0, 5, 5)])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678。", "电话138****5678。"),
        ("身份证 11010519491231002X", "身份证 110105***********X"),
        ("邮箱 zhang.san@mail.example.cn 联系", "邮箱 z***@mail.example.cn 联系"),
        ("信用代码 91110000600037341L", "信用代码 91110000600037341L"),
        ("订单 2026112113812345678901", "订单 2026112113812345678901"),
    ],
)
def test_personal_numbers_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_what_the_operator_publishes_stays() -> None:
    assert mask("客服 13812345678", frozenset({"13812345678"})) == "客服 13812345678"


def test_characters_without_a_glyph_are_spelt_out_and_tokens_may_break() -> None:
    font = Font("f", (), (range(0x20, 0x7F), range(0x4E00, 0xA000)))
    assert printable("中🎉", font) == "中[U+1F389]"
    assert printable("a" * 17, font) == "aaaaaaaa\u200baaaaaaaa\u200ba"


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "案件"])
def test_case_ids_that_cannot_name_a_folder(name: str) -> None:
    with pytest.raises(InputError):
        CaseFile(name, "t")
