"""What evidence costs: CPU of a full capture against its floor, bytes of a revisit, milliseconds of an append.

    python -m benchmarks.evidence [--rounds 3] [--jpeg] [--pdf]

Ratios are taken in one run, rounds interleaved, because machines differ. CPU counts this process and every process of the
browser and its driver. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import statistics
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
from evidence import behaviour
from evidence.behaviour import Worlds
from evidence.capture import LAUNCH_ARGS, CaptureRequest, CaptureSettings, capture_full
from evidence.exchange import Exchange
from evidence.seal import digest
from evidence.vault import Vault

CLOCK = SystemClock()
PICTURES = 40


def picture(seed: int) -> bytes:
    """A product photo of about 60 kB: a smooth field with grain."""
    grain = Image.effect_noise((1000, 620), 18 + seed % 9).convert("RGB")
    field = Image.linear_gradient("L").resize((1000, 620)).convert("RGB")
    out = io.BytesIO()
    Image.blend(grain, field, 0.55).save(out, "JPEG", quality=78)
    return out.getvalue()


def page() -> str:
    """A tall Chinese product page: 5 eager, 20 lazy, 15 observer-driven pictures, fetched price, posted reviews, beacon."""
    eager = "".join(f"<img src='/p/{n}.jpg' width=1000 height=620>" for n in range(5))
    lazy = "".join(f"<img loading=lazy src='/p/{n}.jpg' width=1000 height=620>" for n in range(5, 25))
    observed = "".join(f"<img class=w data-src='/p/{n}.jpg' width=1000 height=620>" for n in range(25, PICTURES))
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
        while not self._stop.wait(0.3):
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
        with Peak() as peak:
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
        "browser_peak_pss_mb": peak.bytes >> 20,
    }


def _exchange(body: bytes, number: int) -> Exchange:
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Server", "nginx"),
        ("Set-Cookie", f"sid={number}"),
        ("Date", "Sat, 21 Nov 2026 10:00:00 GMT"),
    )
    return Exchange(f"http://shop{number % 40}.test/item/{number}.html", "GET", (("User-Agent", "Wangxun"), ("Accept", "text/html")), b"", 200, "OK", headers, body, CLOCK.now())  # fmt: skip


def http_level(folder: Path, pages: int = 1500) -> dict[str, Any]:
    """Milliseconds of CPU an append of a 60 kB page, commits of 50 included; bytes of a revisit; seal of the batch."""
    row = "<li class='sku-item' data-id='{0}'><a href='/item/{0}.html'><span class=name>高山绿茶 第{0}号 礼盒装 250克</span></a><em class=price>¥{1}.90</em><i>已售{2}件</i></li>\n"
    bodies = []
    for number in range(20):
        rows = "".join(row.format(number * 977 + i * 31, i * 7 % 400, i * i * 13 % 9999) for i in range(430))
        bodies.append(("<html>" + rows).encode()[:60_000])
    vault = Vault.open(folder / "http", keys=folder / "http-keys", clock=CLOCK)
    run = vault.open_run("bench", {})
    before = time.process_time()
    for number in range(pages):
        run.append(_exchange(bodies[number % 20], number))
        if number % 50 == 49:
            run.commit()
    append = (time.process_time() - before) / pages
    before = time.process_time()
    run.seal()
    seal = time.process_time() - before
    first = [run.append(_exchange(body, number)) for number, body in enumerate(bodies)]
    before = time.process_time()
    again = [run.append(_exchange(body, n), earlier=first[n].evidence_id) for n, body in enumerate(bodies)]
    revisit = (time.process_time() - before) / len(again)
    assert all(record.revisit for record in again)
    run.close()
    size = sum(r.length + len(r.line) + 1 for r in first), sum(r.length + len(r.line) + 1 for r in again)
    return {
        "append_ms": round(append * 1000, 3),
        "revisit_ms": round(revisit * 1000, 3),
        "seal_ms_per_record": round(seal / pages * 1000, 3),
        "page_bytes_stored": size[0] // 20,
        "revisit_bytes": size[1] // 20,
        "revisit_share_of_page": round(size[1] / 20 / 60_000, 4),
        "revisit_share_of_stored": round(size[1] / size[0], 4),
    }


def sealing(folder: Path) -> dict[str, Any]:
    """Sign + log of one capture's manifest (the digests of its files apart), and digests per MB."""
    vault = Vault.open(folder / "seal", keys=folder / "seal-keys", clock=CLOCK)
    entry = {"bytes": 1, "sha256": "0" * 64, "sm3": "0" * 64, "mime": "x", "role": "original"}
    count = 40
    paths = [vault.new_capture_folder(f"{number:032x}") / "manifest.json" for number in range(count)]
    before = time.process_time()
    for number, path in enumerate(paths):
        vault.seal_manifest(
            path, {"id": f"{number:032x}", "kind": "capture", "files": {f"f{i}": entry for i in range(12)}}
        )
    spent = (time.process_time() - before) / count
    block = os.urandom(8 << 20)
    before = time.process_time()
    digest(block)
    return {
        "sign_log_ms": round(spent * 1000, 2),
        "digests_ms_per_mb": round((time.process_time() - before) * 1000 / 8, 2),
    }


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--rounds", type=int, default=3)
    rounds = words.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result: dict[str, Any] = {"load": os.getloadavg()[0], "http": http_level(folder), "seal": sealing(folder)}
        if rounds:
            server, url = serve()
            result["capture"] = asyncio.run(captures(url, rounds, folder))
            server.shutdown()
    print(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
