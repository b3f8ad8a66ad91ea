"""What evidence costs: CPU of a full capture against its floor, bytes of a revisit, milliseconds of sealing, the report.

    python -m benchmarks.evidence [--rounds 3]      0 rounds: without a browser

Ratios are taken in one run, rounds interleaved, because machines differ. CPU counts this process and every process of the
browser and its driver. Prints one JSON object; `floors` sets each figure beside what it must not exceed. Ends 1 when one does.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from typing import Any, Self

import psutil
from PIL import Image
from playwright.async_api import Browser, async_playwright

from contracts.clock import SystemClock
from evidence import behaviour, report
from evidence.behaviour import Worlds
from evidence.capture import LAUNCH_ARGS, CaptureRequest, CaptureSettings, capture_full
from evidence.exchange import Exchange
from evidence.seal import digest
from evidence.vault import Vault

CLOCK = SystemClock()
PICTURES = 40
#: Figure → most allowed (design §10, issue of evidence). Memory is that of the browser tree, proportional set size.
FLOORS = {
    "capture.ratio_to_floor.full": 1.35,
    "http.revisit_share_of_raw": 0.03,
    "http.revisit_share_of_stored": 0.03,
    "seal.sign_stamp_log_ms": 20.0,
    "report.seconds": 2.0,
    "memory.one_context_mb": 1200,
    "memory.each_further_mb": 600,
}


def picture(seed: int) -> bytes:
    """A product photo of about 60 kB: a smooth field with grain."""
    grain = Image.effect_noise((1000, 560), 18 + seed % 9).convert("RGB")
    field = Image.linear_gradient("L").resize((1000, 560)).convert("RGB")
    out = io.BytesIO()
    Image.blend(grain, field, 0.55).save(out, "JPEG", quality=78)
    return out.getvalue()


def page() -> str:
    """A tall Chinese product page: 5 eager, 20 lazy, 15 observer-driven pictures, fetched price, posted reviews, beacon."""
    eager = "".join(f"<img src='/p/{n}.jpg' width=1000 height=560>" for n in range(5))
    lazy = "".join(f"<img loading=lazy src='/p/{n}.jpg' width=1000 height=560>" for n in range(5, 25))
    observed = "".join(f"<img class=w data-src='/p/{n}.jpg' width=1000 height=560>" for n in range(25, PICTURES))
    words = "<p>本品精选高山原叶,手工采摘,七天无理由退货,详情请见商品参数与服务承诺。</p>" * 60
    return (
        f"<!doctype html><meta charset=utf-8><title>茶</title><h1>高山绿茶</h1><b id=price></b>{eager}{lazy}{observed}{words}"
        "<ul id=c></ul><div style='position:fixed;bottom:0'>加入购物车</div><script>"
        "fetch('/price').then(r=>r.json()).then(j=>price.textContent=j.price);"
        "fetch('/comments',{method:'POST',body:'p=1'}).then(r=>r.json()).then(l=>l.forEach(t=>c.append(t)));"
        "navigator.sendBeacon('/b','1');"
        "const o=new IntersectionObserver(e=>e.forEach(x=>{if(x.isIntersecting){x.target.src=x.target.dataset.src;o.unobserve(x.target)}}));"
        "document.querySelectorAll('.w').forEach(i=>o.observe(i));</script>"
    )


def serve() -> tuple[ThreadingHTTPServer, str]:
    photos = [picture(n) for n in range(PICTURES)]
    html = page().encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            path = self.path
            kind, body = "text/html", html
            if path.startswith("/p/"):
                kind, body = "image/jpeg", photos[int(path[3:-4])]
            elif path in ("/price", "/comments"):
                kind, body = (
                    "application/json",
                    b'{"price":"39.90"}' if path == "/price" else json.dumps(["好"] * 30).encode(),
                )
            elif path == "/b":
                kind, body = "text/plain", b"ok"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.answer()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, "http://{}:{}/".format(*server.server_address)


def tree_cpu() -> float:
    """CPU seconds of this process and all living descendants (the browser stays open between rounds)."""
    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class Peak:
    """Peak proportional memory of the browser, sampled."""

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.15):
            total = 0
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_full_info().pss
            self.bytes = max(self.bytes, total)


async def floor(browser: Browser, url: str, settings: CaptureSettings) -> None:
    """goto + the same scroll and wait + the same picture; nothing kept."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    tab = await context.new_page()
    session = await context.new_cdp_session(tab)
    await tab.goto(url, wait_until="load")
    worlds = Worlds(session)
    await worlds.run(
        behaviour.SCROLL,
        {"maxSteps": settings.scroll_steps, "maxHeight": settings.max_height, "pauseMs": settings.scroll_pause_ms},
    )
    for _ in range(100):
        if not (await worlds.run(behaviour.PICTURES))["missing"]:
            break
        await asyncio.sleep(0.1)
    size = await worlds.run(behaviour.LAYOUT)
    shape: dict[str, Any] = {"format": "png", "optimizeForSpeed": True}
    if settings.picture == "jpeg":
        shape = {"format": "jpeg", "quality": 90}
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    answer = await session.send("Page.captureScreenshot", {**shape, "captureBeyondViewport": True, "clip": clip})
    assert len(base64.b64decode(answer["data"])) > 100_000
    await context.close()


async def captures(url: str, rounds: int, folder: Path) -> dict[str, Any]:
    vault = Vault.open(folder / "evidence", keys=folder / "keys", clock=CLOCK)
    full, jpeg = CaptureSettings(), CaptureSettings(picture="jpeg")
    made: dict[str, Any] = {}

    async def take(name: str, settings: CaptureSettings) -> None:
        made[name] = await capture_full(
            browser, url, vault=vault, clock=CLOCK, about=CaptureRequest(), settings=settings
        )

    runs: dict[str, Callable[[], Awaitable[None]]] = {
        "floor": lambda: floor(browser, url, full),
        "full": lambda: take("full", full),
        "full_pdf": lambda: take("full_pdf", CaptureSettings(pdf=True)),
        "full_jpeg": lambda: take("full_jpeg", jpeg),
    }
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    program = which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *LAUNCH_ARGS])
        await take("warm", full)
        for _ in range(rounds):
            for name, run in runs.items():
                before, started = tree_cpu(), time.monotonic()
                await run()
                wall[name].append(time.monotonic() - started)
                await asyncio.sleep(1.0)  # a closed context's processes still work a little: theirs is counted too
                cpu[name].append(tree_cpu() - before)
        await browser.close()
    shown = made["full"].manifest
    median = {name: statistics.median(values) for name, values in cpu.items()}
    return {
        "page": {"height": shown["picture"]["height"], "exchanges": shown["completeness"]["exchanges"]},
        "images": {k: v for k, v in shown["completeness"]["images"].items() if k != "missing"},
        "unrecorded": len(made["full"].unrecorded),
        "cpu_s": {name: round(value, 2) for name, value in median.items()},
        "wall_s": {name: round(statistics.median(values), 2) for name, values in wall.items()},
        "ratio_to_floor": {name: round(value / median["floor"], 3) for name, value in median.items()},
        "bytes": {n: sum(e["bytes"] for e in made[n].manifest["files"].values()) for n in ("full", "full_jpeg")},
    }


def _exchange(body: bytes, number: int) -> Exchange:
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Server", "nginx"),
        ("Set-Cookie", f"sid={number}"),
        ("Date", "Sat, 21 Nov 2026 10:00:00 GMT"),
    )
    return Exchange(f"http://shop{number % 40}.test/item/{number}.html", "GET", (("User-Agent", "Wangxun"), ("Accept", "text/html")), b"", 200, "OK", headers, body, CLOCK.now())  # fmt: skip


def shop_page(number: int, size: int = 60_000) -> bytes:
    """A list of goods that packs to about a fifth, as the pages of real shops do."""
    row = (
        "<li class='sku-item' data-id='{0}'><a href='/item/{0}.html?spm={1}'><span>{2}</span></a><em class='price'>¥{3}.90"
        "</em><i class='sold'>已售{1}件</i><button class='add-cart' type='button'>加入购物车</button></li>"
    )
    chance, rows, length = random.Random(number), ["<html>"], 0
    while length < size:
        words = "".join(chr(chance.randrange(0x4E00, 0x4E00 + 1500)) for _ in range(9))
        rows.append(row.format(chance.randrange(10**9), f"{chance.getrandbits(32):x}", words, chance.randrange(999)))
        length += len(rows[-1].encode())
    return "".join(rows).encode()[:size]


def http_level(folder: Path, pages: int = 1500, kinds: int = 60) -> dict[str, Any]:
    """CPU of an append of a 60 kB page, commits included; bytes of all files of a run that finds the same pages again,
    a commit a page (the politest patrol) and 50 pages a commit, over those of the first visit."""
    bodies = [shop_page(number) for number in range(kinds)]
    vault = Vault.open(folder / "http", keys=folder / "http-keys", clock=CLOCK)

    def visit(name: str, count: int, a_commit: int, earlier: list[str]) -> tuple[list[str], int, float, float]:
        run = vault.open_run(name, {})
        ids = []
        before = time.process_time()
        for number in range(count):
            held = earlier[number] if earlier else None
            record = run.append(_exchange(bodies[number % kinds], number), earlier=held)
            assert record.revisit is bool(earlier)
            ids.append(record.evidence_id)
            if number % a_commit == a_commit - 1:
                run.commit()
        run.commit()
        spent = (time.process_time() - before) / count
        stored = sum(path.stat().st_size for path in (vault.warc / name).iterdir())
        before = time.process_time()
        run.seal(stamp=False)
        run.close()
        return ids, stored, spent, (time.process_time() - before) / count

    _, _, append, seal = visit("long", pages, 50, [])
    first, stored, _, _ = visit("first", kinds, 50, [])
    _, single, revisit, _ = visit("single", kinds, 1, first)
    again, batched, _, _ = visit("batched", kinds, 50, first)
    _, third, chained, _ = visit("third", kinds, 1, again)
    raw = sum(map(len, bodies))
    return {
        "append_ms": round(append * 1000, 3),
        "revisit_ms": round(revisit * 1000, 3),
        "revisit_of_a_revisit_ms": round(chained * 1000, 3),
        "seal_ms_per_record": round(seal * 1000, 3),
        "stored_share_of_raw": round(stored / raw, 4),
        "revisit_bytes": single // kinds,
        "revisit_bytes_batched": batched // kinds,
        "revisit_share_of_raw": round(max(single, third) / raw, 5),
        "revisit_share_of_stored": round(max(single, third) / stored, 5),
    }


def sealing(folder: Path) -> dict[str, Any]:
    """Sign + time stamp + log of one capture's manifest (digests of its files apart), CPU of this thread alone, so without
    the network and without the authority, which answers from another one; digests per MB."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "evidence"))
    from local_tsa import Authority

    entry = {"bytes": 1, "sha256": "0" * 64, "sm3": "0" * 64, "mime": "x", "role": "original"}
    count = 40
    with Authority(folder / "tsa") as authority:
        vault = Vault.open(
            folder / "seal", keys=folder / "seal-keys", clock=CLOCK, tsa_urls=(authority.url,), tsa_ca=authority.ca
        )
        spent = []
        for number in range(count):
            manifest = {"id": f"{number:032x}", "kind": "capture", "files": {f"f{i}": entry for i in range(12)}}
            before = time.thread_time()
            sealed = vault.seal_manifest(vault.capture_folder(f"{number:032x}") / "manifest.json", manifest)
            spent.append(time.thread_time() - before)
            assert sealed.timestamp == "stamped", sealed.reasons
    block = os.urandom(8 << 20)
    before = time.process_time()
    digest(block)
    return {
        "sign_stamp_log_ms": round(statistics.median(spent) * 1000, 2),
        "sign_stamp_log_ms_max": round(max(spent) * 1000, 2),
        "digests_ms_per_mb": round((time.process_time() - before) * 1000 / 8, 2),
    }


def report_of_60(rounds: int = 3) -> dict[str, Any]:
    """Seconds of report.pdf with 60 clues, 60 pieces of evidence and three photos."""
    facts = [("网址", "http://shop.test/item/123456789.html"), ("原文", "“全网销量第一,国家级品质”"), ("时间戳", "已加盖")] * 3  # fmt: skip
    clue = {"title": "绝对化用语", "facts": facts, "basis": [("《中华人民共和国广告法》", "第九条", "已核原文", "不得使用绝对化用语")], "elements": [("商业广告", "是", "商品标题")], "tested": [("与自身比较", "否", "未见比较对象")]}  # fmt: skip
    digests = [("page.png", "1234567", "ab" * 32, "cd" * 32), ("evidence.wacz", "1234567", "ab" * 32, "cd" * 32)]
    photos = {f"p{n}.jpg": picture(n) for n in range(3)}
    evidence = [{"id": f"{n:032x}", "facts": facts, "pictures": [{"path": f"p{n}.jpg", "caption": "首屏"}] if n < 3 else [], "files": digests} for n in range(60)]  # fmt: skip
    data = {"case_id": "CASE-2026-0123", "title": "某茶叶店涉嫌虚假宣传", "unit": "某市市场监督管理局", "checkpoint": {"size": "123", "at": "2026-11-21T10:00:00+08:00"}, "warnings": [], "cover": facts, "clues": [clue] * 60, "evidence": evidence, "history": [{"title": "标价", "unit": "元", "rows": [("2026", "9.90", "x")] * 20, "line": [(n, n) for n in range(20)]}], "custody": [("1", "2026", "张三", "确认")] * 60, "assessment": facts, "howto": ["核验"]}  # fmt: skip
    seconds, pdf = [], b""
    report.chinese_font()  # found once a process
    for _ in range(rounds):
        started = time.monotonic()
        pdf = report.render(data, photos, CLOCK.now())
        seconds.append(time.monotonic() - started)
    return {"seconds": round(min(seconds), 2), "seconds_each": [round(s, 2) for s in seconds], "bytes": len(pdf)}


async def memory(url: str, folder: Path) -> dict[str, Any]:
    """Peak of a fresh browser with one capture, and with two at once."""
    peaks = []
    for contexts in (1, 2):
        vaults = [Vault.open(folder / f"m{contexts}{n}", keys=folder / f"k{contexts}{n}", clock=CLOCK) for n in range(contexts)]  # fmt: skip
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=which("chromium"), args=["--no-sandbox", *LAUNCH_ARGS]
            )
            with Peak() as peak:
                takes = [capture_full(browser, url, vault=v, clock=CLOCK, about=CaptureRequest()) for v in vaults]
                made = await asyncio.gather(*takes)
            await browser.close()
        assert all(one.missing == 0 for one in made)
        peaks.append(peak.bytes >> 20)
    height = made[0].manifest["picture"]["height"]
    return {"page_height": height, "one_context_mb": peaks[0], "each_further_mb": peaks[1] - peaks[0]}


def beside(result: dict[str, Any]) -> dict[str, Any]:
    """Each measured figure with the most it may be."""
    told = {}
    for name, most in FLOORS.items():
        value: Any = result
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            told[name] = {"measured": value, "most": most, "holds": value <= most}
    return told


def main() -> int:
    words = argparse.ArgumentParser()
    words.add_argument("--rounds", type=int, default=3)
    rounds = words.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result: dict[str, Any] = {"load": os.getloadavg()[0], "http": http_level(folder), "seal": sealing(folder)}
        result["report"] = report_of_60()
        if rounds:
            server, url = serve()
            result["memory"] = asyncio.run(memory(url, folder))
            result["capture"] = asyncio.run(captures(url, rounds, folder))
            server.shutdown()
    result["floors"] = beside(result)
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return 0 if all(one["holds"] for one in result["floors"].values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
