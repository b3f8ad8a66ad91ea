"""Evidence level `full`: what a person saw on a page, and everything that came over the wire to show it.

One fresh browser context a capture; nothing of it survives. Steps are logged with their times so that another
person can do the same again; what could not be had is named in the manifest, never passed over.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Page, Response

from contracts.clock import Clock, iso
from contracts.errors import EnvironmentFault, InputError, WangxunError
from contracts.ids import new_id
from contracts.page import Rect
from evidence import SOFTWARE, behaviour, environment
from evidence.annotate import annotate
from evidence.behaviour import Worlds
from evidence.people import Officer
from evidence.recorder import Recorder, RecorderLimits
from evidence.seal import Digests, canonical, digest
from evidence.vault import Sealed, Vault
from evidence.wacz import WaczWriter

#: Flags the browser should be launched with. Without the first two, what a cross-site frame loads is not recorded
#: (and is then named in the manifest); lazy pictures load sooner with the third; tall pictures need no GPU.
LAUNCH_ARGS = (
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process,LazyImageLoading,LazyFrameLoading",
    "--disable-lazy-loading",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_MIME = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".mhtml": "multipart/related",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".wacz": "application/wacz",
}


__all__ = [
    "LAUNCH_ARGS",
    "Capture",
    "CaptureFailed",
    "CaptureRequest",
    "CaptureSettings",
    "FoundHit",
    "Hit",
    "Officer",
    "capture_full",
]


class CaptureFailed(WangxunError):
    """Nothing was sealed: the page could not be had. A page that answers with an error status is sealed all the same."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A quotation to find on the rendered page and to box on a derived picture."""

    quote: str
    selector: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """Who captures, why, for which matter."""

    officers: tuple[Officer, ...] = ()
    purpose: str = ""
    case_number: str = ""
    run_id: str = ""
    hits: tuple[Hit, ...] = ()
    notes: Mapping[str, str] = field(
        default_factory=dict
    )  #: more for the manifest: unit, allow-list, user agent rule, …


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How. Times in seconds, sizes in CSS pixels."""

    picture: str = "png"  #: png | jpeg (quality 90; for routine patrols)
    pdf: bool = False
    mhtml: bool = True
    width: int = 1280
    height: int = 800
    max_height: int = 60_000  #: taller pages are cut there, and the manifest says so
    load_timeout_s: float = 45.0
    settle_timeout_s: float = 20.0
    scroll_steps: int = 120
    scroll_pause_ms: int = 40
    expand: int = 12  #: controls unfolded at most
    ntp_servers: tuple[str, ...] = ()
    user_agent: str | None = None
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    limits: RecorderLimits = field(default_factory=RecorderLimits)


@dataclass(frozen=True, slots=True)
class FoundHit:
    """Where a hit stands on the picture; `picture` is the derived file, empty when the quote is not on the sealed page."""

    hit: Hit
    rects: tuple[Rect, ...]
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """A sealed capture. `timestamp` is "stamped" or "pending" (then `pending_why`). `text` is that of text.txt, `dom` the
    rendered page: detection is run again on these. `missing` counts pictures that did not load; `unrecorded` names
    requests without a record; `popups` are windows the page wanted to open, for captures of their own."""

    evidence_id: str
    level: str
    timestamp: str
    pending_why: tuple[str, ...]
    manifest: Mapping[str, Any]
    files: Mapping[str, str]  #: name → SHA-256, readable by `vault.file`
    final_url: str
    status: int
    text: str
    dom: str
    hits: tuple[FoundHit, ...]
    missing: int
    unrecorded: tuple[str, ...]
    popups: tuple[str, ...]


class Steps:
    """The process log: every step with its time and the milliseconds since the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = time.monotonic()
        self.lines: list[dict[str, Any]] = []

    def log(self, step: str, **detail: Any) -> None:
        elapsed = round((time.monotonic() - self._started) * 1000)
        self.lines.append({"at": iso(self._clock.now()), "ms": elapsed, "step": step, **detail})


async def capture_full(
    browser: Browser,
    url: str,
    *,
    vault: Vault,
    clock: Clock,
    about: CaptureRequest,
    settings: CaptureSettings = CaptureSettings(),
) -> Capture:
    """Captures and seals one page. Raises InputError (no http address), CaptureFailed (no page), EnvironmentFault."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise InputError("只能对 http 或 https 网址取证:{url}", url=url[:200])
    folder = vault.staging()
    try:
        return await _Session(browser, url, vault, clock, about, settings, folder).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Session:
    """One capture under way."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        vault: Vault,
        clock: Clock,
        about: CaptureRequest,
        settings: CaptureSettings,
        folder: Path,
    ) -> None:
        self._browser = browser
        self._url = url
        self._vault = vault
        self._clock = clock
        self._about = about
        self._settings = settings
        self._folder = folder
        self._steps = Steps(clock)
        self._started = clock.now()
        self._id = new_id(self._started)
        self._popups: list[str] = []
        self._derived: dict[str, dict[str, Any]] = {}

    async def run(self) -> Capture:
        self._steps.log("start", url=self._url)
        before = await asyncio.to_thread(self._surroundings)
        writer = WaczWriter(self._folder, self._started, url=self._url)
        try:
            context = await self._browser.new_context(
                viewport={"width": self._settings.width, "height": self._settings.height},
                locale="zh-CN",
                timezone_id="Asia/Shanghai",
                service_workers="block",
                accept_downloads=False,
                user_agent=self._settings.user_agent,
                extra_http_headers=dict(self._settings.extra_headers) or None,
            )
        except Error as error:
            writer.abandon()
            raise EnvironmentFault("浏览器无法新建会话:{why}", why=str(error).splitlines()[0]) from error
        try:
            cookies = await context.cookies()
            shown = await self._show(context, writer)
        except Error as error:
            raise CaptureFailed("取证未完成:{url}({why})", url=self._url, why=str(error).splitlines()[0]) from error
        finally:
            writer.abandon()
            await context.close()
        self._steps.log("context-closed")
        before["cleanliness"] = {
            "fresh_context": True,
            "cookies_before": len(cookies),
            "extensions": "以 --disable-extensions 启动",
            "service_workers": "blocked",
            "http_cache": "disabled",
        }
        return await asyncio.to_thread(self._seal, shown, before)

    def _surroundings(self) -> dict[str, Any]:
        host = urlsplit(self._url).hostname or ""
        return {
            **environment.machine(),
            "browser": self._browser.version,
            "dns": environment.resolve(host),
            "clock_before": environment.clock_offset(self._settings.ntp_servers, self._clock),
        }

    # — in the browser —

    async def _show(self, context: BrowserContext, writer: WaczWriter) -> dict[str, Any]:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        recorder = Recorder(session, self._clock, writer.add, self._settings.limits)
        page.on("requestfinished", recorder.witness)
        await self._watch_popups(context, session)
        worlds = Worlds(session)
        main = (await worlds.frames())[0][0]
        await recorder.start(main)
        response = await self._goto(page, recorder)
        recorder.freeze()
        shown = await self._settle(worlds, recorder)
        shown |= await self._read(page, worlds)
        shown |= await self._pictures(page, session, worlds, shown["layout"])
        await self._print(page, session)
        await recorder.drain(10.0)
        shown["tls_chain"] = await _certificates(session, self._url)
        shown["status"] = response.status if response else 0
        shown["headers"] = await response.headers_array() if response else []
        shown["redirects"] = await _redirects(response)
        shown["recorder"] = recorder
        title = str(shown["layout"]["title"])
        await asyncio.to_thread(writer.finish, self._folder / "evidence.wacz", title=title)
        self._steps.log("recorded", exchanges=recorder.count)
        return shown

    async def _watch_popups(self, context: BrowserContext, session: CDPSession) -> None:
        def wanted(event: dict[str, Any]) -> None:
            if event.get("name") == "__wangxun_window" and len(self._popups) < 50:
                self._popups.append(str(event.get("payload"))[:2000])
                self._steps.log("popup-not-opened", url=self._popups[-1])

        session.on("Runtime.bindingCalled", wanted)
        await session.send("Runtime.enable")
        await session.send("Runtime.addBinding", {"name": "__wangxun_window"})
        await session.send("Page.enable")
        await context.add_init_script(behaviour.NO_POPUPS)

    async def _goto(self, page: Page, recorder: Recorder) -> Response | None:
        timeout = self._settings.load_timeout_s * 1000
        try:
            response = await page.goto(self._url, wait_until="load", timeout=timeout)
        except Error as error:
            why = str(error).splitlines()[0]
            if "Timeout" not in why or not recorder.count:
                raise CaptureFailed("页面无法打开:{url}({why})", url=self._url, why=why[:300]) from error
            self._steps.log("load-timeout", seconds=round(self._settings.load_timeout_s))
            recorder.notes.append("页面在限时内未触发 load 事件,按已到内容固定")
            return None
        self._steps.log("loaded", url=page.url, status=response.status if response else 0)
        return response

    async def _settle(self, worlds: Worlds, recorder: Recorder) -> dict[str, Any]:
        settings = self._settings
        await recorder.quiet(0.2, 5.0)
        scroll = {
            "maxSteps": settings.scroll_steps,
            "maxHeight": settings.max_height,
            "pauseMs": settings.scroll_pause_ms,
        }
        try:
            scrolled = await worlds.run(behaviour.SCROLL, scroll, timeout_s=settings.settle_timeout_s + 30)
            for ms, top, height in scrolled["steps"]:
                self._steps.log("scrolled", after_ms=int(ms), top=int(top), height=int(height))
            self._steps.log("scroll-ended", why=scrolled["ended"], height=int(scrolled["height"]))
            clicked = await worlds.run(behaviour.EXPAND, {"most": settings.expand}, timeout_s=20)
        except (Error, TimeoutError) as error:
            recorder.notes.append(f"滚动或展开未完成:{str(error)[:200]}")
            clicked = []
        for control in clicked:
            self._steps.log("expanded", **control)
        found = await behaviour.complete(worlds, recorder, settings.settle_timeout_s)
        await worlds.run("() => { scrollTo(0, 0); }")
        self._steps.log("complete", images=found["total"], shown=found["shown"], missing=len(found["missing"]))
        return {"images": found, "expanded": len(clicked)}

    async def _read(self, page: Page, worlds: Worlds) -> dict[str, Any]:
        layout = await worlds.run(behaviour.LAYOUT)
        dom = await page.content()
        (self._folder / "dom.html").write_text(dom, encoding="utf-8", errors="replace")
        self._steps.log("dom", chars=len(dom))
        blocks: list[dict[str, Any]] = []
        cut = False
        for frame, url in await worlds.frames():
            try:
                answer = await worlds.run(
                    behaviour.TEXT, {"most": 20_000, "mostChars": 2_000_000}, frame=frame, timeout_s=30
                )
            except (Error, TimeoutError):
                continue  # a frame that went away
            cut = cut or answer["cut"]
            blocks += [
                {**block, "frame": url[:500] if len(blocks) and url != page.url else ""} for block in answer["blocks"]
            ]
        text = _write_text(self._folder, blocks)
        self._steps.log("text", blocks=len(blocks), chars=len(text), cut=bool(cut))
        hits = []
        for hit in self._about.hits[:20]:
            where = await worlds.run(behaviour.LOCATE, {"quote": hit.quote[:2000], "selector": hit.selector[:500]})
            hits.append((hit, tuple(Rect(*map(float, rect)) for rect in where or ())))
        return {"layout": layout, "dom": dom, "text": text, "hits": hits}

    async def _pictures(
        self, page: Page, session: CDPSession, worlds: Worlds, layout: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The window as it stands, then the whole page. Foreign frames outside the window are painted only in a window
        as tall as the page: it is made so when there are any, if the page keeps its shape."""
        settings = self._settings
        height = min(max(settings.height, int(layout["height"])), settings.max_height)
        width = min(max(settings.width, int(layout["width"])), 4 * settings.width)
        suffix = "png" if settings.picture == "png" else "jpg"
        await self._shoot(session, f"viewport.{suffix}", settings.width, settings.height, {})
        if layout["hidden"]:
            await page.set_viewport_size({"width": settings.width, "height": height})
            kept = int(await worlds.run(behaviour.PAINTED, timeout_s=20)) == int(layout["height"])
            self._steps.log("window-enlarged", frames=int(layout["hidden"]), height=height, kept_shape=kept)
            if not kept:
                await page.set_viewport_size({"width": settings.width, "height": settings.height})
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        await self._shoot(session, f"page.{suffix}", width, height, {"captureBeyondViewport": True, "clip": clip})
        cut = int(layout["height"]) > height
        return {"picture": {"width": width, "height": height, "cut": cut, "name": f"page.{suffix}"}}

    async def _shoot(self, session: CDPSession, name: str, width: int, height: int, more: Mapping[str, Any]) -> None:
        shape = {"format": "png", "optimizeForSpeed": True}
        if self._settings.picture == "jpeg":
            shape = {"format": "jpeg", "quality": 90}
        answer = await session.send("Page.captureScreenshot", {**shape, **more})
        path = self._folder / name
        path.write_bytes(base64.b64decode(answer["data"]))
        if (size := _picture_size(path)) != (width, height):
            raise CaptureFailed("截图尺寸不符:应为 {want},现为 {have}", want=f"{width}x{height}", have=size)
        self._steps.log("picture", name=name, width=width, height=height)

    async def _print(self, page: Page, session: CDPSession) -> None:
        if self._settings.mhtml:
            answer = await session.send("Page.captureSnapshot", {"format": "mhtml"})
            (self._folder / "page.mhtml").write_bytes(answer["data"].encode("utf-8", "replace"))
            self._steps.log("mhtml")
        if self._settings.pdf:
            await page.pdf(path=self._folder / "page.pdf", print_background=True, format="A4")
            self._steps.log("pdf")

    # — sealing —

    def _seal(self, shown: dict[str, Any], before: dict[str, Any]) -> Capture:
        recorder: Recorder = shown["recorder"]
        found = self._annotate(shown)
        before["clock_after"] = environment.clock_offset(self._settings.ntp_servers, self._clock)
        before["agent"] = shown["layout"]["agent"]
        before["servers"] = recorder.servers
        before["tls"] = {"details": recorder.tls, "chain_sha256": shown["tls_chain"]}
        (self._folder / "environment.json").write_bytes(canonical(before))
        if recorder.frames:
            (self._folder / "websocket.jsonl").write_bytes(b"".join(canonical(f) + b"\n" for f in recorder.frames))
        self._steps.log("sealing")
        (self._folder / "process.jsonl").write_bytes(b"".join(canonical(line) + b"\n" for line in self._steps.lines))
        files: dict[str, Any] = {}
        for path in sorted(self._folder.iterdir()):
            sums: Digests = digest(path)
            self._vault.store.put(path)
            files[path.name] = {
                **sums.as_json(),
                "mime": _MIME.get(path.suffix, "application/octet-stream"),
                "role": "original",
            }
            files[path.name] |= self._derived.get(path.name, {})
        manifest = self._manifest(shown, before, files)
        target = self._vault.new_capture_folder(self._id) / "manifest.json"
        sealed: Sealed = self._vault.seal_manifest(target, manifest)
        return Capture(
            evidence_id=self._id,
            level="full",
            timestamp=sealed.timestamp,
            pending_why=sealed.reasons,
            manifest=manifest,
            files={name: entry["sha256"] for name, entry in files.items()},
            final_url=manifest["final_url"],
            status=shown["status"],
            text=shown["text"],
            dom=shown["dom"],
            hits=tuple(found),
            missing=len(shown["images"]["missing"]),
            unrecorded=tuple(recorder.unrecorded),
            popups=tuple(self._popups),
        )

    def _annotate(self, shown: Mapping[str, Any]) -> list[FoundHit]:
        """Boxes each hit on a cut of the full picture."""
        original = self._folder / shown["picture"]["name"]
        found = []
        for number, (hit, rects) in enumerate(shown["hits"], 1):
            name = f"hit-{number:02d}.png"
            try:
                (self._folder / name).write_bytes(annotate(original, rects))
            except InputError:
                found.append(FoundHit(hit, rects))
                continue
            self._derived[name] = {
                "role": "derived",
                "derived_from": original.name,
                "quote": hit.quote[:2000],
                "rule": hit.rule,
            }
            self._steps.log("annotated", name=name)
            found.append(FoundHit(hit, rects, name))
        return found

    def _manifest(
        self, shown: Mapping[str, Any], before: Mapping[str, Any], files: Mapping[str, Any]
    ) -> dict[str, Any]:
        recorder: Recorder = shown["recorder"]
        about, clock = self._about, self._clock
        why_not = _why_not_formal(about, clock, before)
        layout = {key: value for key, value in shown["layout"].items() if key not in ("links", "agent")}
        return {
            "kind": "capture",
            "version": 1,
            "id": self._id,
            "level": "full",
            "software": SOFTWARE,
            "tool_sha256": environment.tool_digest(),
            "url": self._url,
            "final_url": str(shown["layout"]["url"]),
            "redirects": shown["redirects"],
            "status": shown["status"],
            "server_time_headers": [
                h for h in shown["headers"] if h["name"].lower() in ("date", "age", "last-modified", "expires")
            ],
            "captured_at": iso(self._started),
            "sealed_at": iso(clock.now()),
            "clock": "模拟时间" if clock.simulated else "系统时间",
            "time_verified": bool(before["clock_before"]["verified"] and before["clock_after"]["verified"]),
            "formal": not why_not,
            "not_formal_because": why_not,
            "officers": [{"name": o.name, "certificate": o.certificate, "role": o.role} for o in about.officers],
            "purpose": about.purpose,
            "case_number": about.case_number,
            "run": about.run_id,
            "notes": {key: str(value) for key, value in about.notes.items()},
            "browser": before["browser"],
            "agent": before["agent"],
            "servers": dict(recorder.servers),
            "dns": before["dns"],
            "layout": layout,
            "picture": shown["picture"],
            "completeness": {
                "exchanges": recorder.count,
                "unrecorded": recorder.unrecorded,
                "failed_requests": recorder.failed,
                "images": shown["images"],
                "popups_not_opened": self._popups,
                "websocket_frames": len(recorder.frames),
                "notes": recorder.notes[:200],
                "bodies": "正文为浏览器解码后的内容,非网络原始编码;原编码头以 X-Orig- 保存",
                "cookies": "请求头中的 Cookie 未写入",
            },
            "related_links": shown["layout"]["links"],
            "hits": [
                {
                    "quote": hit.quote,
                    "rule": hit.rule,
                    "on_page": bool(rects),
                    "rects": [[round(v) for v in _four(r)] for r in rects],
                }
                for hit, rects in shown["hits"]
            ],
            "files": files,
        }


def _four(rect: Rect) -> tuple[float, float, float, float]:
    return rect.x, rect.y, rect.width, rect.height


def _why_not_formal(about: CaptureRequest, clock: Clock, before: Mapping[str, Any]) -> list[str]:
    """Reasons why this capture cannot be formal evidence as it stands (electronic evidence A.1, B.7)."""
    why = []
    if clock.simulated:
        why.append("使用模拟时间,永不得作为正式证据")
    if sum(1 for officer in about.officers if officer.certificate) < 2:
        why.append("取证人员不足二名或未填执法证号")
    if not about.purpose:
        why.append("未填取证目的")
    if not before["clock_before"]["verified"]:
        why.append("时钟未经校时服务器核验")
    return why


def _write_text(folder: Path, blocks: list[dict[str, Any]]) -> str:
    """text.txt, and text.json with the code-point offsets, selector, rectangle and frame of every block. Answers the text."""
    parts: list[str] = []
    index: list[dict[str, Any]] = []
    at = 0
    for block in blocks:
        text = str(block["text"]).encode("utf-8", "replace").decode()
        if not text:
            continue
        entry = {key: block[key] for key in ("selector", "rect", "shown", "frame")}
        index.append({"start": at, "end": at + len(text), **entry})
        parts.append(text)
        at += len(text) + 1
    whole = "\n".join(parts)
    (folder / "text.txt").write_text(whole, encoding="utf-8", newline="")
    (folder / "text.json").write_bytes(
        json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    )
    return whole


def _picture_size(path: Path) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError):
        return (0, 0)


async def _redirects(response: Response | None) -> list[dict[str, Any]]:
    """Each hop that led to the page: address, status, Location."""
    hops: list[dict[str, Any]] = []
    request = response.request.redirected_from if response else None
    while request is not None and len(hops) < 30:
        answer = await request.response()
        hops.append(
            {
                "url": request.url,
                "status": answer.status if answer else 0,
                "location": (await answer.header_value("location") or "") if answer else "",
            }
        )
        request = request.redirected_from
    return hops[::-1]


async def _certificates(session: CDPSession, url: str) -> list[str]:
    """SHA-256 fingerprints of the certificate chain of an https origin, leaf first."""
    import hashlib

    if not url.startswith("https:"):
        return []
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    try:
        names = (await session.send("Network.getCertificate", {"origin": origin}))["tableNames"]
    except Error:
        return []
    return [hashlib.sha256(base64.b64decode(name)).hexdigest() for name in names]
