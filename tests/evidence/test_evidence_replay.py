"""The WACZ replays in replaywebpage (npm package, test only): everything is there, nothing is asked of the outside.

Needs the unpacked package: in console/node_modules, or where REPLAYWEBPAGE says.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from evidence_case import Sealed
from playwright.async_api import Error, async_playwright

ROOT = Path(__file__).parents[2]
PLAYER = Path(os.environ.get("REPLAYWEBPAGE", ROOT / "console" / "node_modules" / "replaywebpage"))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (PLAYER / "ui.js").exists(), reason="npm package replaywebpage is not installed"),
]


class Ranges(SimpleHTTPRequestHandler):
    """Files with Range support, as the player needs it."""

    def do_GET(self) -> None:
        asked, path = self.headers.get("range"), Path(self.translate_path(self.path))
        if not asked or not path.is_file():
            super().do_GET()
            return
        content = path.read_bytes()
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else len(content) - int(last)
        end = min(int(last), len(content) - 1) if first and last else len(content) - 1
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.send_header("Content-Length", str(end - start + 1))
        self.end_headers()
        self.wfile.write(content[start : end + 1])

    def log_message(self, *_: object) -> None:
        pass


def site(folder: Path, wacz: Path) -> None:
    with zipfile.ZipFile(wacz) as archive:
        url = json.loads(archive.read("pages/pages.jsonl").splitlines()[1])["url"]
    (folder / "replay").mkdir(parents=True)
    for place in (folder, folder / "replay"):
        shutil.copy(PLAYER / "ui.js", place / "ui.js")
        shutil.copy(PLAYER / "sw.js", place / "sw.js")
    shutil.copy(wacz, folder / "evidence.wacz")
    head = "<!doctype html><meta charset=utf-8><body style='margin:0'><script src='/ui.js'></script>"
    player = f"<replay-web-page source='/evidence.wacz' url='{url}' replayBase='/replay/' embed='replayonly' style='height:100vh'>"
    (folder / "index.html").write_text(f"{head}{player}</replay-web-page>")
    (folder / "replay" / "index.html").write_text(f"{head}<replay-app-main></replay-app-main>")


async def replay(program: str, base: str, price: str) -> dict[str, Any]:
    """What the replayed page shows, and what was asked outside."""
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        context.on("request", lambda request: asked.append(request.url))
        page = await context.new_page()
        await page.goto(base)
        shown: dict[str, Any] = {}
        for _ in range(240):
            await asyncio.sleep(0.25)
            frames = [frame for frame in page.frames if "mp_/" in frame.url]
            try:
                if frames and price in await frames[0].inner_text("body"):
                    await frames[0].evaluate(
                        "async () => { for (let y = 0; y < document.body.scrollHeight; y += 400) "
                        "{ scrollTo(0, y); await new Promise(r => setTimeout(r, 60)); } }"
                    )
                    shown = await frames[0].evaluate("() => ({widths: [...document.images].map(i => i.naturalWidth)})")
                    if min(shown["widths"]) > 1:
                        break
            except Error:
                continue  # the frame is still loading
        await browser.close()
    return {**shown, "outside": [u for u in asked if not u.startswith((base, "blob:", "data:"))]}


def test_replay_shows_everything_and_asks_nothing_outside(sealed: Sealed, chromium: str, tmp_path: Path) -> None:
    site(tmp_path / "site", sealed.vault.file(sealed.capture.evidence_id, "evidence.wacz"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=str(tmp_path / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        shown = asyncio.run(replay(chromium, f"http://127.0.0.1:{server.server_address[1]}/", "¥39.90"))
    finally:
        server.shutdown()
        server.server_close()
    assert len(shown["widths"]) == 2 * sealed.shop.pictures
    assert all(width > 1 for width in shown["widths"])
    assert shown["outside"] == []
