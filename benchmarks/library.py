"""How fast is the reading? `python -m benchmarks.library` — ratios matter, machines differ; CPU time, one core, best of N.

Prints: throughput of the raw prefilter engine over folded text, of the same engine with the folding it needs, of
`Library.read` on pages without hits, at 3 % hit sentences and on dense pages; p50/p95 of an 8 KB page; time from process
start to the first result; memory of a scan.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.page import Passage
from semantic_lib.library import Library
from semantic_lib.load import sound_part
from semantic_lib.normalise import fold

DAY = date(2026, 10, 1)
PAGE_BYTES = 8 * 1024
#: Everyday shop sentences; those that wake a rule are dropped at run time, so that the plain pages stay plain.
_PLAIN = [
    "这款外套采用加厚面料，版型宽松，适合日常通勤穿着。", "颜色分类：米白、浅灰、藏青，尺码见详情页表格。", "下单后四十八小时内发出，偏远地区时效略长。",
    "洗涤时请翻面，水温不超过三十度，避免暴晒。", "内胆为三零四不锈钢，杯盖可拆洗，容量五百毫升。", "收到包裹请先核对数量，如有缺件及时联系客服处理。",
    "桌面厚度两厘米，支脚可调节高度，安装说明随货附送。", "支持电子发票，抬头可在订单备注中填写。", "本款为单人尺寸，双人请选择另一规格。",
    "面料成分：棉六成，聚酯纤维四成。", "包装内含主机一台、电源线一根、说明书一份。", "Soft cotton blend, machine washable, regular fit.",
    "屏幕分辨率与刷新率请见参数表，图片仅作展示。", "產品規格與尺寸請參考下方表格。",
]  # fmt: skip
#: Floors of the design, printed beside what was measured.
_FLOORS = {"clean": 0.5, "sparse": 0.2, "page": 20.0, "start": 2.5, "memory": 500.0}


def hit_sentences(known: Library) -> list[str]:
    """What the rules' authors promise to find, as text of unknown region: many kinds of hits, not the same few."""
    return sorted({e.text for rule in known.rules.values() for e in rule.examples if e.hit and e.region is None})


def pages(
    sentences: Sequence[str], count: int, *, hits: Sequence[str] = (), hit_share: float = 0.0, seed: int = 7
) -> list[list[Passage]]:
    """`count` pages of about 8 KB, of passages of three sentences."""
    dice = random.Random(seed)
    made: list[list[Passage]] = []
    for _ in range(count):
        passages: list[Passage] = []
        size = 0
        while size < PAGE_BYTES:
            text = "".join(dice.choice(hits if dice.random() < hit_share else sentences) for _ in range(3))
            passages.append(Passage(text))
            size += len(text.encode())
        made.append(passages)
    return made


def best(work: Callable[[], object], times: int = 3) -> float:
    """Least CPU seconds of several runs."""
    spent: list[float] = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def size_of(sets: Sequence[Sequence[Passage]]) -> int:
    return sum(len(p.text.encode()) for page in sets for p in page)


def per_page(known: Library, sets: Sequence[Sequence[Passage]]) -> tuple[float, float]:
    """(median, 95th percentile) milliseconds of CPU a page."""
    spent: list[float] = []
    for page in sets:
        start = time.process_time()
        known.read(page, at=DAY)
        spent.append((time.process_time() - start) * 1000)
    spent.sort()
    return spent[len(spent) // 2], spent[int(len(spent) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=300)
    options = parser.parse_args()
    known, _ = sound_part()
    plain_sentences = [s for s in _PLAIN if not known.prefilter.hits(fold(s).text)[0]]
    hits = hit_sentences(known)
    plain = pages(plain_sentences, options.pages)
    sparse = pages(plain_sentences, options.pages, hits=hits, hit_share=0.03)
    dense = pages(plain_sentences, max(options.pages // 10, 5), hits=hits, hit_share=0.3)
    automaton = known.prefilter.automaton
    assert automaton is not None
    # The sentence pipeline and the regular expressions are built on first need; that is start-up, measured below.
    for page in pages(plain_sentences, 10, hits=hits, hit_share=0.3, seed=8):
        known.read(page, at=DAY)
    clean, sparse_share = _shares(known, plain), _shares(known, sparse)
    print(f"rules {len(known.rules)}   anchors {len(known.prefilter)}   pages {len(plain)} × {PAGE_BYTES // 1024} KB")
    print("raw engine: the prefilter's own automaton over text that is folded already, all overlapping hits")
    for name, shares, floor in (("no hits", clean, "clean"), ("3 % hit sentences", sparse_share, "sparse")):
        print(
            f"{name:<18} raw {shares.raw:6.1f} MB/s   folding alone {shares.folding:6.1f}   read {shares.read:6.1f}"
            f"   = {shares.read / shares.raw:.2f} of raw (floor {_FLOORS[floor]}), {shares.of_both:.2f} of raw with its folding"
        )
    fresh = pages(plain_sentences, options.pages, hits=hits, hit_share=0.03, seed=11)
    first_sight = size_of(fresh) / 1e6 / best(lambda: [known.read(page, at=DAY) for page in fresh], 1)
    print(
        f"3 % hit sentences, pages never read before: read {first_sight:.1f} MB/s = {first_sight / sparse_share.raw:.2f} of raw"
    )
    for name, sets in (("without hits", plain), ("3 % hit sentences", sparse), ("30 % hit sentences", dense)):
        middle, high = per_page(known, sets)
        print(f"page {name:<20} p50 {middle:6.2f} ms   p95 {high:6.2f} ms   (floor {_FLOORS['page']:.0f} ms)")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of this process         {memory:8.0f} MB   (floor {_FLOORS['memory']:.0f} MB)")
    _start_up()


@dataclass(frozen=True, slots=True)
class Shares:
    """MB/s of UTF-8, one core."""

    raw: float
    folding: float
    read: float

    @property
    def of_both(self) -> float:
        return self.read * (1 / self.raw + 1 / self.folding)


def _shares(known: Library, sets: Sequence[Sequence[Passage]]) -> Shares:
    """The three on the same pages, turn by turn, so that a busy machine is unjust to none."""
    automaton = known.prefilter.automaton
    assert automaton is not None
    texts = ["\n".join(p.text for p in page) for page in sets]
    folded_texts = [fold(text).text for text in texts]
    megabytes = size_of(sets) / 1e6
    spent: dict[str, list[float]] = {"raw": [], "folding": [], "read": []}
    for _ in range(5):
        spent["raw"].append(
            best(lambda: [automaton.find_matches_as_indexes(text, overlapping=True) for text in folded_texts], 1)
        )
        spent["folding"].append(best(lambda: [fold(text) for text in texts], 1))
        spent["read"].append(best(lambda: [known.read(page, at=DAY) for page in sets], 1))
    return Shares(**{name: megabytes / min(times) for name, times in spent.items()})


def _start_up() -> None:
    """Fresh processes that scan one line with a hit and a negation, first without and then with what is kept; wall and CPU."""
    program = (
        "import resource;from wangxun.cli.scan import scan_row;from contracts.clock import SystemClock;"
        "scan_row({'id':1,'text':'本店从不刷单,但好评返现5元,不根治高血压'},now=SystemClock().now());"
        "u=resource.getrusage(resource.RUSAGE_SELF);"
        "print(f'{u.ru_utime+u.ru_stime:.2f} s CPU, {u.ru_maxrss/1024:.0f} MB',end='')"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first ever", "with cache"):
            start = time.perf_counter()
            answer = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=False,
                env={**os.environ, "XDG_CACHE_HOME": folder},
            )  # fmt: skip
            said = answer.stdout or (answer.stderr.strip().splitlines() or ["?"])[-1]
            print(
                f"start to first result, {name:<10} {time.perf_counter() - start:6.2f} s wall, {said}   (floor {_FLOORS['start']} s)"
            )


if __name__ == "__main__":
    main()
