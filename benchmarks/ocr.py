"""How well and at what cost words in pictures are read, on banners of our own making.

    python -m benchmarks.ocr [--banners 200] [--engine rapidocr|rapidocr-onnxruntime] [--cls]

Each banner shows two to five advertising lines in one of several faces, sizes and colours, on plain, graded or noisy
ground, some turned by a few degrees, some compressed hard. Recall: share of planted lines found whole (blanks and
punctuation aside); characters: 1 − edit distance / length. CPU is this process's, one thread.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio

PARTS = (
    ["全网", "今日", "冬季", "老字号", "本店", "限时", "新品", "家用", "原产地", "工厂", "直播间", "会员"],
    ["特惠", "直降", "秒杀", "热卖", "首发", "上新", "清仓", "返场", "预售", "甄选", "优选", "尝鲜"],
    [
        "第一品牌",
        "国家级品质",
        "根治失眠",
        "七天见效",
        "买一送三",
        "满199减50",
        "原价899",
        "到手价¥129",
        "月销10万+",
        "无效退款",
        "零添加",
        "医生推荐",
        "史上最低价",
        "仅剩3件",
        "100%纯棉",
        "24小时发货",
    ],
)
FACES = ("Noto Sans CJK SC:bold", "Noto Sans CJK SC", "Noto Serif CJK SC:bold", "Noto Serif CJK SC")
SIZES = ((800, 420), (790, 600), (750, 1000), (1200, 400), (480, 480))


def face(pattern: str) -> tuple[str, int]:
    """File and index of a font that fontconfig finds."""
    answer = subprocess.run(
        ["fc-match", "-f", "%{file}\n%{index}", pattern], capture_output=True, text=True, check=True
    )
    file, index = answer.stdout.split("\n")
    return file, int(index) & 0xFFFF


def banner(seed: int, faces: list[tuple[str, int]]) -> tuple[bytes, list[str]]:
    """One picture's bytes and the lines planted in it; the same for a seed."""
    rng = random.Random(seed)
    width, height = rng.choice(SIZES)
    ground = np.array([rng.randrange(256) for _ in range(3)], dtype=float)
    field = np.ones((height, width, 3)) * ground
    kind = rng.choice(("plain", "graded", "noisy"))
    if kind == "graded":
        field += np.linspace(-60, 60, height)[:, None, None]
    elif kind == "noisy":
        field += np.random.default_rng(seed).normal(0, 18, field.shape)
    picture = Image.fromarray(field.clip(0, 255).astype("uint8"))
    dark = ground @ np.array([0.299, 0.587, 0.114]) > 128
    lines: list[str] = []
    top = height // 12
    for _ in range(rng.randint(2, 5)):
        line = rng.choice(PARTS[0]) + rng.choice(PARTS[1]) + rng.choice(PARTS[2])
        size = rng.choice((18, 24, 32, 44, 60))
        file, index = rng.choice(faces)
        font = ImageFont.truetype(file, size, index=index)
        if font.getlength(line) > width * 0.92 or top + size * 1.4 > height or line in lines:
            continue
        ink = tuple(rng.randrange(0, 70) if dark else rng.randrange(190, 256) for _ in range(3))
        ImageDraw.Draw(picture).text(
            (rng.randint(8, int(width - font.getlength(line)) - 4), top), line, font=font, fill=ink
        )
        lines.append(line)
        top += int(size * 1.5) + rng.randint(6, 40)
    if seed % 5 == 0:
        picture = picture.rotate(rng.uniform(-6, 6), fillcolor=tuple(int(v) for v in ground), expand=True)
    if seed % 7 == 0:
        picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=rng.choice((40, 70, 90)))
    return data.getvalue(), lines


def engine_of(name: str, *, cls: bool) -> Callable[[np.ndarray[Any, Any]], list[str]]:
    if name == "rapidocr":
        from rapidocr import RapidOCR

        params = {
            "Global.log_level": "error",
            "Global.use_cls": cls,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        newer: Any = RapidOCR(params=params)
        return lambda picture: list(newer(picture).txts or ())
    from rapidocr_onnxruntime import RapidOCR as OlderOCR

    older: Any = OlderOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    return lambda picture: [text for _, text, _ in older(picture, use_cls=cls)[0] or ()]


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c in "%¥+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banners", type=int, default=200)
    parser.add_argument("--engine", choices=("rapidocr", "rapidocr-onnxruntime"), default="rapidocr")
    parser.add_argument("--cls", action="store_true", help="also tell lines that stand on their head")
    options = parser.parse_args()
    faces = [face(pattern) for pattern in FACES]
    read = engine_of(options.engine, cls=options.cls)
    whole = planted = 0
    alike: list[float] = []
    cpu: list[float] = []
    for seed in range(options.banners):
        data, lines = banner(seed, faces)
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[:, :, ::-1].copy()
        began = time.process_time()
        found = read(pixels)
        cpu.append(time.process_time() - began)
        everything = letters("".join(found))
        for line in lines:
            wanted = letters(line)
            planted += 1
            whole += wanted in everything
            best = max((1 - Levenshtein.normalized_distance(wanted, letters(f)) for f in found), default=0.0)
            alike.append(max(best, partial_ratio(wanted, everything) / 100 if wanted in everything else best))
        if seed % 25 == 24:
            print(f"{seed + 1} banners …", file=sys.stderr)
    print(
        f"{options.engine}{' +cls' if options.cls else ''}: banners {options.banners}, lines {planted}, recall {whole / planted:.3f}, characters {statistics.mean(alike):.3f}, "
        f"CPU s/picture median {statistics.median(cpu[1:]):.2f}, mean {statistics.mean(cpu[1:]):.2f}"
    )


if __name__ == "__main__":
    main()
