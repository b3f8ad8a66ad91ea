"""report.pdf: the package in words, as PDF/A-3b with embedded fonts, by typst.

Fonts are found by fontconfig and passed explicitly; characters they lack are written as [U+XXXX], never as an empty box.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from contracts.errors import EnvironmentFault

TEMPLATE = Path(__file__).with_name("report.typ")
#: Families asked for, best first.
FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "Source Han Sans SC", "WenQuanYi Zen Hei")


@dataclass(frozen=True, slots=True)
class Font:
    """A font that can write Chinese. `covered` are its code points, as ranges."""

    family: str
    files: tuple[Path, ...]
    covered: tuple[range, ...]

    def writes(self, char: str) -> bool:
        code = ord(char)
        return any(code in span for span in self.covered)


@cache
def chinese_font() -> Font:
    """Raises EnvironmentFault when fontconfig knows no Chinese font."""
    hint = "请安装 fonts-noto-cjk 与 fontconfig"
    if shutil.which("fc-match") is None:
        raise EnvironmentFault("缺少 fc-match,无法为报告查找中文字体", hint=hint)
    for family in FAMILIES:
        files, name = [], ""
        for style in ("Regular", "Bold"):
            line = _ask("fc-match", "--format", "%{file}|%{family[0]}", f"{family}:style={style}:lang=zh-cn")
            path, _, found = line.partition("|")
            if found == family:
                name = found
                files.append(Path(path))
        if name:
            return Font(name, tuple(dict.fromkeys(files)), _charset(files[0]))
    raise EnvironmentFault("系统没有可用的中文字体,无法生成报告", hint=hint)


def _ask(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)  # noqa: S603 - fixed programs
    return done.stdout.decode("utf-8", "replace")


def _charset(path: Path) -> tuple[range, ...]:
    spans = []
    for word in _ask("fc-query", "--index", "0", "--format", "%{charset}", str(path)).split():
        low, _, high = word.partition("-")
        spans.append(range(int(low, 16), int(high or low, 16) + 1))
    return tuple(spans)


def printable(text: str, font: Font) -> str:
    """Text the font can write; breaks allowed inside long tokens (typst never breaks a digest or an address)."""
    out: list[str] = []
    run = 0
    for char in text:
        if char in "\n\t ":
            out.append(" ")
            run = 0
        elif not font.writes(char):
            out.append(f"[U+{ord(char):04X}]" if char not in "\u200b\u200d\ufe0f\ufeff" else "")
        else:
            out.append(char)
            run = run + 1 if char.isascii() else 0
            if run and run % 8 == 0:
                out.append("\u200b")
    return "".join(out)


def _each(value: Any, font: Font) -> Any:
    if isinstance(value, str):
        return printable(value, font)
    if isinstance(value, Mapping):
        return {key: (_each(v, font) if key != "path" else v) for key, v in value.items()}
    if isinstance(value, Sequence):
        return [_each(v, font) for v in value]
    return value


def render(data: Mapping[str, Any], pictures: Mapping[str, bytes], at: datetime, template: Path = TEMPLATE) -> bytes:
    """PDF bytes, the same for the same data, pictures, fonts and `at`. Raises EnvironmentFault (font, template)."""
    import typst

    font = chinese_font()
    filled = _each(data, font)
    filled["fonts"] = [font.family]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fonts = folder / "fonts"
        fonts.mkdir()
        for path in font.files:
            (fonts / path.name).symlink_to(path)
        for picture, content in pictures.items():
            (folder / picture).write_bytes(content)
        main = folder / "report.typ"
        shutil.copyfile(template, main)
        try:
            made = typst.compile(
                main,
                root=folder,
                font_paths=[fonts],
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=["a-3b"],
                sys_inputs={"data": json.dumps(filled, ensure_ascii=False)},
                timestamp=int(at.timestamp()),
            )
        except typst.TypstError as error:
            raise EnvironmentFault("报告无法排版:{why}", why=str(error)[:500]) from error
    assert isinstance(made, bytes)
    return made


def for_print(path: Path, *, width: int = 1100, most_height: int = 1600) -> bytes:
    """A picture reduced for the report: JPEG, top part when it is very tall. The same bytes for the same picture."""
    from PIL import Image

    with Image.open(path) as picture:
        width = min(width, picture.width)
        cut = picture.crop((0, 0, picture.width, min(picture.height, most_height * picture.width // width)))
        small = cut.convert("RGB").resize((width, max(1, cut.height * width // cut.width)))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=82)
    return out.getvalue()
