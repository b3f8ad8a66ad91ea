"""Derived pictures: a cut of the original with the hit boxed. The original is never touched; its digest goes along."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from contracts.errors import InputError
from contracts.page import Rect

MARGIN = (480, 200)  #: pixels kept beside and above the hit, so that a reader sees where on the page it stands
COLOUR = (214, 32, 32)
Image.MAX_IMAGE_PIXELS = 400_000_000  # a full page 1280 wide may be 300 000 high; beyond it is an attack


def annotate(original: Path, rects: Sequence[Rect], *, scale: float = 1.0, margin: tuple[int, int] = MARGIN) -> bytes:
    """PNG of the part of `original` around `rects` (CSS pixels of the document), each boxed in red.

    `scale` is device pixels a CSS pixel. The same input gives the same bytes. Raises InputError when no rectangle lies
    on the picture or the picture cannot be read.
    """
    try:
        with Image.open(original) as picture:
            boxes = [_box(rect, scale, picture.size) for rect in rects]
            boxes = [box for box in boxes if box[0] < box[2] and box[1] < box[3]]
            if not boxes:
                raise InputError("标注区域不在图片之内")
            around = (
                max(0, min(b[0] for b in boxes) - margin[0]),
                max(0, min(b[1] for b in boxes) - margin[1]),
                min(picture.width, max(b[2] for b in boxes) + margin[0]),
                min(picture.height, max(b[3] for b in boxes) + margin[1]),
            )
            cut = picture.crop(around).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise InputError("图片无法读取:{why}", why=str(error)) from error
    draw = ImageDraw.Draw(cut)
    for left, top, right, bottom in boxes:
        frame = (left - around[0] - 3, top - around[1] - 3, right - around[0] + 3, bottom - around[1] + 3)
        draw.rectangle(frame, outline=COLOUR, width=3)
    out = io.BytesIO()
    cut.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _box(rect: Rect, scale: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    return (
        max(0, round(rect.x * scale)),
        max(0, round(rect.y * scale)),
        min(size[0], round((rect.x + rect.width) * scale)),
        min(size[1], round((rect.y + rect.height) * scale)),
    )
