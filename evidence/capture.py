"""Evidence level `full`: what a person saw on a page, and everything that came over the wire to show it.

One fresh browser context a capture; nothing of it survives. Steps are logged with their times so that another
person can do the same again; what could not be had is named in the manifest, never passed over.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Response,
)

from contracts.clock import Clock, iso
from contracts.errors import EnvironmentFault, InputError
from contracts.ids import new_id
from contracts.page import Rect
from evidence import behaviour, environment
from evidence.annotate import annotate
from evidence.behaviour import Worlds
from evidence.capture_manifest import MIME, capture_manifest, write_text
from evidence.capture_values import (
    Capture,
    CaptureFailed,
    CaptureRequest,
    CaptureSettings,
    FoundHit,
    Hit,
    Steps,
)
from evidence.people import Officer
from evidence.recorder import REDIRECTS, Recorder
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
#: Bound of a picture: 25 000 CSS pixels of a page 1280 wide are 32 million.
MAX_PIXELS = 100_000_000

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


async def capture_full(
    browser: Browser,
    url: str,
    *,
    vault: Vault,
    clock: Clock,
    about: CaptureRequest,
    settings: CaptureSettings | None = None,
) -> Capture:
    """Captures and seals one page. Raises InputError (no http address), CaptureFailed (no page), EnvironmentFault."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise InputError("只能对 http 或 https 网址取证:{url}", url=url[:200])
    folder = vault.staging()
    try:
        return await _Session(browser, url, vault, clock, about, settings or CaptureSettings(), folder).run()
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
        self._console: list[dict[str, Any]] = []
        self._answer: Response | None = None

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
            async with asyncio.timeout(self._settings.total_timeout_s):
                shown = await self._show(context, writer)
        except TimeoutError as error:
            limit = round(self._settings.total_timeout_s)
            raise CaptureFailed("取证超时({limit} 秒):{url}", url=self._url, limit=limit) from error
        except Error as error:
            raise CaptureFailed("取证未完成:{url}({why})", url=self._url, why=str(error).splitlines()[0]) from error
        finally:
            writer.abandon()
            await _close(context)
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
        page.on("dialog", self._on_dialog)
        page.on("console", self._on_console)
        await self._watch_popups(context, session)
        worlds = Worlds(session)
        main = (await worlds.frames())[0][0]
        await recorder.start(main)
        page.on("response", self._on_answer)
        await self._goto(page, recorder)
        await recorder.quiet(0.2, 5.0)  # shops load themselves anew: after a gate's cookie, after choosing a city
        recorder.freeze()
        response = self._answer
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

    async def _on_dialog(self, dialog: Dialog) -> None:
        self._steps.log("dialog-dismissed", kind=dialog.type, text=dialog.message[:500])
        await dialog.dismiss()

    def _on_console(self, message: ConsoleMessage) -> None:
        if len(self._console) < 500:
            self._console.append({"at": iso(self._clock.now()), "type": message.type, "text": message.text[:1000]})

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

    def _on_answer(self, response: Response) -> None:
        """Keeps the last answer that the page itself was made from."""
        request = response.request
        if request.is_navigation_request() and request.frame.parent_frame is None and response.status not in REDIRECTS:
            self._answer = response

    async def _goto(self, page: Page, recorder: Recorder) -> None:
        timeout = self._settings.load_timeout_s * 1000
        try:
            response = await page.goto(self._url, wait_until="load", timeout=timeout)
        except Error as error:
            why = str(error).splitlines()[0]
            if "Timeout" not in why or not recorder.count:
                raise CaptureFailed("页面无法打开:{url}({why})", url=self._url, why=why[:300]) from error
            self._steps.log("load-timeout", seconds=round(self._settings.load_timeout_s))
            recorder.notes.append("页面在限时内未触发 load 事件,按已到内容固定")
            return
        self._steps.log("loaded", url=page.url, status=response.status if response else 0)

    async def _settle(self, worlds: Worlds, recorder: Recorder) -> dict[str, Any]:
        settings = self._settings
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
        text = write_text(self._folder, blocks)
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
        height = min(height, MAX_PIXELS // width)
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
        self._steps.log("sealing")
        for name, lines in (
            ("websocket", recorder.frames),
            ("console", self._console),
            ("process", self._steps.lines),
        ):
            if lines:
                (self._folder / f"{name}.jsonl").write_bytes(b"".join(canonical(line) + b"\n" for line in lines))
        files: dict[str, Any] = {}
        for path in sorted(self._folder.iterdir()):
            sums: Digests = digest(path)
            self._vault.store.adopt(path, sums.sha256)
            files[path.name] = {
                **sums.as_json(),
                "mime": MIME.get(path.suffix, "application/octet-stream"),
                "role": "original",
            }
            files[path.name] |= self._derived.get(path.name, {})
        manifest = capture_manifest(
            evidence_id=self._id,
            url=self._url,
            started=self._started,
            clock=self._clock,
            about=self._about,
            popups=self._popups,
            shown=shown,
            before=before,
            files=files,
        )
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


def _picture_size(path: Path) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError):
        return (0, 0)


async def _close(context: BrowserContext) -> None:
    """A page that hangs must not keep the patrol from going on."""
    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(20):
            await context.close()


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
    if not url.startswith("https:"):
        return []
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    try:
        names = (await session.send("Network.getCertificate", {"origin": origin}))["tableNames"]
    except Error:
        return []
    return [hashlib.sha256(base64.b64decode(name)).hexdigest() for name in names]
