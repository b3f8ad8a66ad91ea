"""How fast is the reading? `python -m benchmarks.library` — ratios matter, machines differ; CPU time, one core, best of N.

Prints: throughput of the raw prefilter engine over folded text, of the same engine with the folding it needs, of
`Library.read` on pages without hits, at 3 % hit sentences and on dense pages; p50/p95 of an 8 KB page; time from process
start to the first result; memory of a scan.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
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
_HITS = [
    "好评返现5元，联系客服。",
    "全网销量第一的选择。",
    "每天一杯，根治高血压。",
    "本活动最终解释权归本店所有。",
    "稳赚不赔，轻松月入过万。",
]


def pages(sentences: Sequence[str], count: int, *, hit_share: float = 0.0, seed: int = 7) -> list[list[Passage]]:
    """`count` pages of about 8 KB, of passages of three sentences."""
    dice = random.Random(seed)
    made: list[list[Passage]] = []
    for _ in range(count):
        passages: list[Passage] = []
        size = 0
        while size < PAGE_BYTES:
            text = "".join(dice.choice(_HITS if dice.random() < hit_share else sentences) for _ in range(3))
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
    plain = pages(plain_sentences, options.pages)
    sparse = pages(plain_sentences, options.pages, hit_share=0.03)
    dense = pages(plain_sentences, max(options.pages // 10, 5), hit_share=0.3)
    known.read(sparse[0], at=DAY)  # the sentence pipeline is built on first need; that is start-up, measured below
    megabytes = size_of(plain) / 1e6
    texts = ["\n".join(p.text for p in page) for page in plain]
    folded_texts = [fold(text).text for text in texts]
    automaton = known.prefilter.automaton
    assert automaton is not None
    raw = best(lambda: [automaton.find_matches_as_indexes(text, overlapping=True) for text in folded_texts])
    folding = best(lambda: [fold(text) for text in texts])
    clean = best(lambda: [known.read(page, at=DAY) for page in plain])
    some = best(lambda: [known.read(page, at=DAY) for page in sparse])
    print(f"rules {len(known.rules)}   anchors {len(known.prefilter)}   pages {len(plain)} × {PAGE_BYTES // 1024} KB")
    print(f"raw engine on folded text      {megabytes / raw:8.1f} MB/s")
    print(f"folding alone                  {megabytes / folding:8.1f} MB/s")
    print(f"raw engine with its folding    {megabytes / (raw + folding):8.1f} MB/s")
    print(
        f"read, pages without hits       {megabytes / clean:8.1f} MB/s   {raw / clean:.2f} of raw, {(raw + folding) / clean:.2f} of raw with folding"
    )
    scale = size_of(sparse) / size_of(plain)
    print(
        f"read, 3 % hit sentences        {megabytes * scale / some:8.1f} MB/s   {raw * scale / some:.2f} of raw, {(raw + folding) * scale / some:.2f} of raw with folding"
    )
    for name, sets in (("without hits", plain), ("3 % hit sentences", sparse), ("30 % hit sentences", dense)):
        middle, high = per_page(known, sets)
        print(f"page {name:<20} p50 {middle:6.2f} ms   p95 {high:6.2f} ms")
    print(f"memory of this process         {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")
    _start_up()


def _start_up() -> None:
    """A fresh process that scans one line with a hit; wall and CPU."""
    program = (
        "import resource,time,sys;from wangxun.cli.scan import scan_row;from contracts.clock import SystemClock;"
        "scan_row({'id':1,'text':'本店从不刷单，但好评返现5元'},now=SystemClock().now());u=resource.getrusage(resource.RUSAGE_SELF);"
        "print(f'{u.ru_utime+u.ru_stime:.2f} s CPU, {u.ru_maxrss/1024:.0f} MB',end='')"
    )
    start = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    print(f"start to first result          {time.perf_counter() - start:8.2f} s wall, {answer.stdout}")


if __name__ == "__main__":
    main()
