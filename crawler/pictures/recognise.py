"""The two recognisers behind a picture: words (rapidocr on onnxruntime) and codes (zxing-cpp). Both optional, both offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image

from contracts.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class Word:
    """A line of text in a picture: its box in the picture's own pixels, from the top left, and how sure (0–1)."""

    text: str
    x: int
    y: int
    width: int
    height: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Code:
    """A QR or bar code: what kind ("QRCode", "EAN13", …), what it says, where it stands."""

    kind: str
    text: str
    x: int
    y: int
    width: int
    height: int


Recogniser = Callable[[Image.Image], Sequence[Word]]


def available() -> list[str]:
    """What is missing to read pictures, as names of packages; empty when nothing is."""
    return [name for name in ("rapidocr", "onnxruntime", "zxingcpp") if find_spec(name) is None]


@cache
def recogniser() -> Recogniser:
    """The recogniser of words, loaded once. Raises EnvironmentFault when its packages are not installed."""
    if missing := [name for name in available() if name != "zxingcpp"]:
        raise EnvironmentFault(
            "读取图片文字需要的组件未安装:{missing}", hint="安装:pip install 'wangxun[ocr]'", missing=", ".join(missing)
        )
    from rapidocr import RapidOCR

    threads = "EngineConfig.onnxruntime.intra_op_num_threads", "EngineConfig.onnxruntime.inter_op_num_threads"
    engine = RapidOCR(params={"Global.log_level": "error", "Global.use_cls": False, **dict.fromkeys(threads, 1)})
    return lambda picture: _words(engine(np.asarray(picture)[:, :, ::-1]))


def _words(answer: Any) -> list[Word]:
    if answer.boxes is None or answer.txts is None:
        return []
    found = []
    for box, text, sure in zip(answer.boxes, answer.txts, answer.scores, strict=True):
        left, top = (int(v) for v in box.min(axis=0))
        right, bottom = (int(v) for v in box.max(axis=0))
        if text.strip():
            found.append(Word(text.strip(), left, top, right - left, bottom - top, round(float(sure), 3)))
    return found


def read_codes(picture: Image.Image, *, most: int = 20) -> list[Code]:
    """QR and bar codes; none when zxing-cpp is not installed."""
    if find_spec("zxingcpp") is None:
        return []
    import zxingcpp

    found = []
    for code in zxingcpp.read_barcodes(picture)[:most]:
        place = code.position
        corners = [place.top_left, place.top_right, place.bottom_right, place.bottom_left]
        left, top = min(c.x for c in corners), min(c.y for c in corners)
        width, height = max(c.x for c in corners) - left, max(c.y for c in corners) - top
        found.append(Code(str(code.format).rpartition(".")[2], code.text[:2000], left, top, width, height))
    return found
