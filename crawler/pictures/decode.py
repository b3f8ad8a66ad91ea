"""Picture bytes → pixels, bounded before anything is unpacked.

What a file claims of its size is read from its header; only then is it decided whether its pixels are worth having.
Long pictures, the manner in which shops show their goods' details, are cut into strips of a readable height.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one picture may cost. Pixels are counted over width × height."""

    max_bytes: int = 12 * 1024 * 1024
    max_pixels: int = 40_000_000  #: unpacked; a detail picture of 790 × 50,000 just passes
    max_side: int = 60_000
    min_side: int = 64  #: smaller ones are icons
    min_area: int = 12_000
    strip: int = 1_600  #: height in pixels of what is recognised in one go
    max_strips: int = 24


class Unreadable(ValueError):
    """The bytes are no picture we read, or one beyond the limits; the text names why, in Chinese."""


def open_picture(data: bytes, limits: Limits) -> Image.Image:
    """The picture in RGB, turned upright, its first frame only. Raises Unreadable; never unpacks more than the limits."""
    if len(data) > limits.max_bytes:
        raise Unreadable(f"图片过大({len(data) // 1024} KB,上限 {limits.max_bytes // 1024} KB)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is checked just below
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = picture.size
            if width * height > limits.max_pixels or max(width, height) > limits.max_side:
                raise Unreadable(f"图片像素过多({width}×{height}),未解码")
            if min(width, height) < limits.min_side or width * height < limits.min_area:
                raise Unreadable(f"图片过小({width}×{height}),按图标略过")
            return _flat(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError as error:
        raise Unreadable("图片像素过多,未解码") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error, zlib.error, EOFError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("不是能读取的图片,或文件已损坏") from error


def _flat(picture: Image.Image) -> Image.Image:
    """RGB; what is transparent shows the white page behind it."""
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    return picture.convert("RGB")


def strips(picture: Image.Image, limits: Limits) -> Iterator[tuple[int, Image.Image]]:
    """(top, part) of a picture from its top down; neighbours share 80 pixels so that no line is cut in two."""
    width, height = picture.size
    if height <= limits.strip * 1.25:
        yield 0, picture
        return
    top = 0
    for _ in range(limits.max_strips):
        bottom = min(height, top + limits.strip)
        yield top, picture.crop((0, top, width, bottom))
        if bottom == height:
            return
        top = bottom - 80
