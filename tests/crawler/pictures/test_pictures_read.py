"""Words, codes and hashes of pictures drawn here; bombs and broken files are named, never raised."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from collections.abc import Sequence

import pytest
from PIL import Image, ImageDraw, ImageFont

from contracts.page import Rect, Region
from crawler.pictures import Limits, read_picture
from crawler.pictures.hashes import dhash, distance, phash
from crawler.pictures.recognise import Word, available

needs_ocr = pytest.mark.skipif(bool(available()), reason="the extra `ocr` is not installed")


def png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def written(
    *lines: str, size: tuple[int, int] = (600, 240), ink: str = "white", ground: str = "#b3122a"
) -> Image.Image:
    answer = subprocess.run(
        ["fc-match", "-f", "%{file}\n%{index}", "Noto Sans CJK SC:lang=zh-cn"],
        capture_output=True,
        text=True,
        check=True,
    )
    file, index = answer.stdout.split("\n")
    font = ImageFont.truetype(file, 40, index=int(index) & 0xFFFF)
    picture = Image.new("RGB", size, ground)
    for place, line in enumerate(lines):
        ImageDraw.Draw(picture).text((30, 30 + 52 * place), line, font=font, fill=ink)
    return picture


def no_words(_: Image.Image) -> Sequence[Word]:
    return []


def header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@needs_ocr
def test_words_become_passages_of_the_picture() -> None:
    said = read_picture(png(written("全国销量第一", "国家级品质")))
    assert [w.text for w in said.words] == ["全国销量第一", "国家级品质"]
    assert all(w.x in range(20, 50) and w.height in range(30, 70) and w.confidence > 0.8 for w in said.words)
    (passage,) = said.passages(selector="img", shown=Rect(100, 1000, 300, 120))
    assert passage.text == "全国销量第一\n国家级品质"
    assert passage.region is Region.IMAGE
    assert passage.lang == "zh"
    first = passage.rects[0]
    assert 110 <= first.x <= 125  # half the size, moved to where the picture stands
    assert 1015 <= first.y <= 1025


@needs_ocr
def test_a_licence_in_a_picture_says_who_answers() -> None:
    licence = written(
        "统一社会信用代码:91460000MA5T0AAA0P", "名称:南屿日用品有限公司", size=(900, 200), ink="black", ground="white"
    )
    facts = read_picture(png(licence)).facts()
    assert facts["uscc"].value == "91460000MA5T0AAA0P"
    assert facts["uscc"].source == "ocr"
    assert facts["operator"].value == "南屿日用品有限公司"


def test_a_code_with_a_letter_misread_is_repaired() -> None:
    def misread(_: Image.Image) -> Sequence[Word]:
        return [Word("统一社会信用代码:9146OOOOMA5TOAAAOP", 10, 10, 300, 30, 0.9)]

    facts = read_picture(png(Image.new("RGB", (400, 200))), recognise=misread).facts()
    assert facts["uscc"].value == "91460000MA5T0AAA0P"
    assert facts["uscc"].confidence < 0.7


def test_codes_are_read() -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    code = zxingcpp.create_barcode("https://trace.example/t/8801", zxingcpp.BarcodeFormat.QRCode).to_image(scale=6)
    picture = Image.new("RGB", (500, 400), "white")
    picture.paste(Image.fromarray(code.__array__() if hasattr(code, "__array__") else code), (60, 50))
    said = read_picture(png(picture), recognise=no_words)
    (found,) = said.codes
    assert (found.kind.replace(" ", ""), found.text) == ("QRCode", "https://trace.example/t/8801")
    assert said.facts()["code_url"].value == "https://trace.example/t/8801"


@needs_ocr
def test_a_long_picture_is_read_in_strips_and_no_line_twice() -> None:
    long = Image.new("RGB", (600, 4200), "white")
    for top in (0, 1500, 3000, 3900):
        long.paste(written(f"第{top}号说明", size=(600, 120), ink="black", ground="white"), (0, top))
    said = read_picture(png(long))
    assert [w.text for w in said.words] == ["第0号说明", "第1500号说明", "第3000号说明", "第3900号说明"]
    assert [w.y // 100 for w in said.words] == [0, 15, 30, 39]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (header_only(50_000, 50_000), "像素过多"),
        (header_only(70_000, 10), "像素过多"),
        (header_only(20_000, 20_000), "像素过多"),
        (header_only(4_000, 4_000), "损坏"),
        (png(Image.new("RGB", (32, 32))), "图标"),
        (b"GIF89a\x10\x00", "损坏"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "不是能读取的图片"),
        (b"", "不是能读取的图片"),
        (png(Image.new("RGB", (400, 400)))[:200], "损坏"),
        (b"\xff\xd8\xff" * 5_000_000, "图片过大"),
    ],
    ids=range(10),
)
def test_what_cannot_be_read_is_named(data: bytes, why: str) -> None:
    said = read_picture(data, recognise=no_words)
    assert why in "".join(said.notes)
    assert not said.words


def test_a_picture_of_50000_pixels_is_read_as_far_as_the_limits_go() -> None:
    seen: list[int] = []

    def note(part: Image.Image) -> Sequence[Word]:
        seen.append(part.height)
        return []

    said = read_picture(png(Image.new("RGB", (100, 50_000))), recognise=note)
    assert len(seen) == Limits().max_strips
    assert max(seen) <= Limits().strip
    assert "图片过长" in said.notes[0]


def test_transparent_and_animated_pictures() -> None:
    clear = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    assert read_picture(png(clear), recognise=no_words).width == 200
    moving = io.BytesIO()
    frames = [Image.new("P", (200, 200), n) for n in range(3)]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    assert read_picture(moving.getvalue(), recognise=no_words).width == 200


def test_hashes_are_near_for_the_same_picture_and_far_for_another() -> None:
    one, other = written("全国销量第一"), Image.radial_gradient("L").convert("RGB").resize((600, 240))
    small = one.resize((300, 120))
    squeezed = io.BytesIO()
    small.save(squeezed, "JPEG", quality=40)
    again = Image.open(squeezed)
    for made in (phash, dhash):
        assert len(made(one)) == 16
        assert distance(made(one), made(again)) <= 8
        assert distance(made(one), made(other)) > 12
