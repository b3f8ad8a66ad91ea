"""Draws the market's pictures from its data: simple still lifes, and banners and cards with words in them.

Words need a Chinese font, asked of fontconfig (`fc-match`). Without one the pictures stay wordless and
`font_note()` says so; nothing else depends on it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Rgb = tuple[int, int, int]
_SCALE = 2  #: shapes are drawn larger and reduced, which smooths their edges


@lru_cache(maxsize=1)
def font_file() -> tuple[Path, int] | None:
    """File and face index of a font with Chinese glyphs; None when the system has none."""
    program = shutil.which("fc-match")
    if program is None:
        return None
    pattern = "Noto Sans CJK SC,Source Han Sans SC,WenQuanYi Zen Hei:lang=zh-cn:weight=bold"
    answer = subprocess.run(  # noqa: S603 - fontconfig's own program, fixed arguments
        [program, "-f", "%{file}\n%{index}\n%{lang}", pattern], capture_output=True, text=True, timeout=20, check=False
    ).stdout.splitlines()
    if len(answer) < 3 or "zh" not in answer[2] or not Path(answer[0]).is_file():
        return None
    # fontconfig keeps the named instance of a variable font in the upper half of the index.
    return Path(answer[0]), int(answer[1]) & 0xFFFF


def font_note() -> str:
    """ "" when words can be drawn, else one sentence for a person."""
    return "" if font_file() else "未找到中文字体,样本市场的图片不含文字(可安装 fonts-noto-cjk)"


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | None:
    found = font_file()
    return ImageFont.truetype(str(found[0]), size, index=found[1]) if found else None


def _palette(seed: str) -> tuple[Rgb, Rgb, Rgb]:
    """Background top, background bottom, and the colour of the thing: quiet, and always the same for a seed."""
    hue = int.from_bytes(sha256(seed.encode()).digest()[:2], "big") % 360
    parts = ((hue, 5, 98), (hue + 14, 12, 92), (hue + 4, 38, 62))
    top, bottom, thing = (Image.new("HSV", (1, 1), _hsv(*p)).convert("RGB").getpixel((0, 0)) for p in parts)
    return top, bottom, thing  # type: ignore[return-value] # an RGB image has triples for pixels


def _hsv(hue: int, saturation: int, value: int) -> Rgb:
    return hue % 360 * 255 // 360, saturation * 255 // 100, value * 255 // 100


def draw(spec: Mapping[str, Any], *, seed: str) -> bytes:
    """A PNG or JPEG (`format` png|jpg) of `size`, with `shape`, `lines` of words, `fill` and `ink` colours."""
    return _draw(json.dumps(spec, sort_keys=True), seed)


@lru_cache(maxsize=512)
def _draw(written: str, seed: str) -> bytes:
    spec: Mapping[str, Any] = json.loads(written)
    width, height = spec.get("size") or [750, 120 + 86 * max(1, len(spec.get("lines", [])))]
    top, bottom, thing = _palette(seed)
    if spec.get("fill"):
        image = Image.new("RGB", (width, height), spec["fill"])
    else:
        ramp = Image.linear_gradient("L").resize((width, height))
        image = Image.composite(Image.new("RGB", (width, height), bottom), Image.new("RGB", (width, height), top), ramp)
    if spec.get("shape"):
        _still_life(image, spec["shape"], thing)
    if spec.get("lines"):
        _words(image, spec)
    out = BytesIO()
    if spec.get("format") == "jpg":
        image.save(out, "JPEG", quality=88)
    else:
        image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _words(image: Image.Image, spec: Mapping[str, Any]) -> None:
    lines: list[str] = [str(line) for line in spec["lines"]]
    room = image.height / (len(lines) + 0.6)
    pen = ImageDraw.Draw(image)
    top = room * 0.3
    for number, line in enumerate(lines):
        size = int(min(room * 0.62, 54 if number == 0 else 40))
        while size > 12 and (font := _font(size)) and font.getlength(line) > image.width - 60:
            size -= 2
        face = _font(size)
        if face is None:
            return
        left = (image.width - face.getlength(line)) / 2
        ink = spec.get("ink", "#a3161c") if number == 0 else spec.get("ink2", spec.get("ink", "#3a3230"))
        pen.text((left, top + (room - size) / 2), line, font=face, fill=ink)
        top += room


#: Shapes on a 100 × 100 field: (kind, points, lightness factor).
_SHAPES: Mapping[str, tuple[tuple[str, tuple[float, ...], float], ...]] = {
    "dot": (("ellipse", (12, 12, 88, 88), 1),),
    "buds": (("ellipse", (26, 26, 48, 48), 1), ("round", (36, 40, 45, 76), 1), ("ellipse", (52, 26, 74, 48), 1), ("round", (55, 40, 64, 76), 1),
             ("ellipse", (30, 31, 39, 40), 0.6), ("ellipse", (61, 31, 70, 40), 0.6)),
    "fan": (("ellipse", (24, 14, 76, 66), 0.75), ("ellipse", (28, 18, 72, 62), 1.6), ("poly", (50, 40, 38, 22, 54, 20), 1), ("poly", (50, 40, 70, 44, 64, 56), 1),
            ("poly", (50, 40, 32, 46, 40, 58), 1), ("ellipse", (45, 35, 55, 45), 0.6), ("rect", (48, 66, 52, 78), 0.6), ("round", (34, 77, 66, 84), 0.6)),
    "knife": (("poly", (14, 46, 62, 40, 62, 56, 26, 56), 1.4), ("round", (62, 42, 88, 54), 0.5)),
    "cream": (("round", (26, 32, 74, 46), 0.6), ("round", (29, 46, 71, 82), 1), ("rect", (29, 55, 71, 70), 1.5)),
    "rug": (("poly", (24, 34, 76, 34, 88, 78, 12, 78), 1), ("poly", (30, 40, 70, 40, 79, 73, 21, 73), 1.5), ("poly", (38, 47, 62, 47, 68, 66, 32, 66), 0.8)),
    "coat": (("poly", (38, 20, 62, 20, 84, 44, 74, 54, 66, 46, 68, 86, 32, 86, 34, 46, 26, 54, 16, 44), 1), ("poly", (42, 20, 58, 20, 50, 34), 1.5), ("rect", (49, 34, 51, 86), 0.6)),
    "box": (("poly", (26, 40, 50, 28, 74, 40, 74, 70, 50, 82, 26, 70), 1), ("poly", (26, 40, 50, 28, 74, 40, 50, 52), 1.25),
            ("poly", (50, 52, 74, 40, 74, 70, 50, 82), 0.8)),
    "bottle": (("rect", (44, 18, 56, 30), 0.6), ("round", (36, 30, 64, 82), 1), ("rect", (36, 50, 64, 68), 1.45)),
    "jar": (("round", (32, 26, 68, 36), 0.6), ("round", (29, 36, 71, 80), 1), ("rect", (29, 48, 71, 68), 1.4)),
    "cup": (("ellipse", (60, 42, 82, 64), 0.8), ("ellipse", (65, 47, 77, 59), 1.5), ("round", (26, 34, 68, 76), 1),
            ("ellipse", (26, 29, 68, 41), 0.55)),
    "bag": (("arc", (36, 18, 64, 56), 0.6), ("poly", (26, 40, 74, 40, 80, 82, 20, 82), 1), ("rect", (44, 52, 56, 58), 1.5)),
    "sack": (("poly", (30, 26, 70, 26, 76, 82, 24, 82), 1), ("rect", (30, 22, 70, 28), 0.7), ("round", (36, 42, 64, 66), 1.45)),
    "shirt": (("poly", (36, 24, 64, 24, 86, 40, 77, 52, 68, 46, 68, 82, 32, 82, 32, 46, 23, 52, 14, 40), 1),
              ("ellipse", (42, 19, 58, 31), 1.5)),
    "phone": (("round", (35, 18, 65, 84), 0.5), ("rect", (38, 25, 62, 76), 1.5), ("ellipse", (47, 78, 53, 82), 1.4)),
    "lamp": (("poly", (36, 20, 64, 20, 76, 50, 24, 50), 1.3), ("rect", (48, 50, 52, 76), 0.6), ("round", (34, 76, 66, 82), 0.6)),
    "ring": (("ellipse", (26, 32, 74, 80), 1), ("ellipse", (34, 40, 66, 72), 2), ("poly", (42, 30, 50, 18, 58, 30, 50, 38), 1.5)),
    "fruit": (("ellipse", (24, 44, 54, 74), 1), ("ellipse", (48, 50, 78, 80), 0.85), ("arc", (38, 16, 72, 70), 0.5)),
    "flower": (("ellipse", (37, 10, 63, 36), 1.1), ("ellipse", (51, 21, 77, 47), 1.1), ("ellipse", (46, 38, 72, 64), 1.1),
               ("ellipse", (28, 38, 54, 64), 1.1), ("ellipse", (23, 21, 49, 47), 1.1), ("rect", (48, 50, 52, 88), 0.5),
               ("ellipse", (42, 30, 58, 46), 1.6)),
    "pan": (("ellipse", (18, 36, 66, 78), 0.55), ("ellipse", (24, 41, 60, 72), 0.85), ("poly", (62, 50, 90, 42, 90, 50, 63, 60), 0.45)),
    "chair": (("round", (34, 18, 66, 52), 1), ("round", (28, 52, 72, 62), 0.85), ("rect", (31, 62, 36, 86), 0.55), ("rect", (64, 62, 69, 86), 0.55)),
    "beads": tuple(
        ("ellipse", (50 + dx - 7, 50 + dy - 7, 50 + dx + 7, 50 + dy + 7), 1.0 if n % 2 else 1.2)
        for n, (dx, dy) in enumerate(((0, -27), (13, -23), (23, -13), (27, 0), (23, 13), (13, 23), (0, 27), (-13, 23),
                                      (-23, 13), (-27, 0), (-23, -13), (-13, -23)))
    ),
    "paper": (("round", (28, 18, 72, 84), 1.6), ("rect", (35, 30, 65, 34), 0.8), ("rect", (35, 42, 65, 45), 1), ("rect", (35, 52, 58, 55), 1)),
    "face": (("round", (30, 22, 70, 80), 1), ("ellipse", (38, 32, 62, 56), 1.5), ("rect", (38, 62, 62, 66), 1.4)),
}  # fmt: skip


def _shade(colour: Rgb, light: float) -> tuple[int, ...]:
    """Darker by multiplication below 1, mixed with white above it, so that no channel saturates."""
    if light <= 1:
        return tuple(int(c * light) for c in colour)
    return tuple(int(c + (255 - c) * min(1.0, light - 1)) for c in colour)


def _still_life(image: Image.Image, shape: str, colour: Rgb) -> None:
    """A thing and its shadow in the middle of `image`."""
    side = min(image.size) * _SCALE
    layer = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(layer)
    unit = side / 100
    pen.ellipse((22 * unit, 77 * unit, 78 * unit, 89 * unit), fill=(60, 50, 45, 38))
    for kind, points, light in _SHAPES.get(shape, _SHAPES["box"]):
        at = [p * unit for p in points]
        fill = _shade(colour, light)
        if kind == "ellipse":
            pen.ellipse(at, fill=fill)
        elif kind == "rect":
            pen.rectangle(at, fill=fill)
        elif kind == "round":
            pen.rounded_rectangle(at, radius=5 * unit, fill=fill)
        elif kind == "arc":
            pen.arc(at, 180, 360, fill=fill, width=int(3 * unit))
        else:
            pen.polygon(at, fill=fill)
    layer = layer.resize((side // _SCALE, side // _SCALE), Image.Resampling.LANCZOS)
    image.paste(layer, ((image.width - layer.width) // 2, (image.height - layer.height) // 2), layer)
