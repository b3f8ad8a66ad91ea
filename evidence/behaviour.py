"""What is done to a page before its picture is taken, and what is read from it: scroll, expand, completeness, text.

Scripts run in an isolated world: the page's own scripts can neither see them nor change what they are told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from playwright.async_api import CDPSession, Error

from evidence.recorder import Recorder

WORLD = "wangxun-evidence"

#: Scrolls to the foot in steps, waiting a frame each, until the page grows no more. Answers steps and heights.
SCROLL = """async ({maxSteps, maxHeight, pauseMs}) => {
  const root = document.scrollingElement || document.documentElement;
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const started = performance.now(), log = [];
  let at = 0, steps = 0, ended = '';
  for (; steps < maxSteps; steps++) {
    const high = root.scrollHeight;
    if (at >= maxHeight) { ended = 'height'; break; }
    if (at + innerHeight >= high) { ended = 'foot'; break; }
    at = Math.min(at + Math.floor(innerHeight * 0.9), high - innerHeight);
    scrollTo(0, at);
    await wait(pauseMs);
    log.push([Math.round(performance.now() - started), at, root.scrollHeight]);
  }
  return {steps: log, ended: ended || 'steps', height: root.scrollHeight};
}"""

#: Clicks controls that unfold text in place, never one that leads elsewhere. Answers what was clicked.
EXPAND = """({most}) => {
  const words = /^(查看更多|查看全部|展开|展开全部|展开全文|展开更多|更多详情|阅读全文|显示全部|显示更多|点击展开|查看詳情|顯示更多|show more|read more|see more|view more|expand)[\\s▼﹀∨>»…\\.]*$/i;
  const clicked = [];
  const controls = document.querySelectorAll('button, summary, [role=button], a:not([href]), a[href="#"], a[href^="javascript:"], span, div');
  let looked = 0;
  for (const node of controls) {
    if (clicked.length >= most || ++looked > 20000) break;
    if (node.childElementCount > 2) continue;
    const text = (node.textContent || '').trim();
    if (text.length > 14 || !words.test(text)) continue;
    if (node.closest('form') && node.type !== 'button') continue;
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || node.closest('a[href]:not([href="#"]):not([href^="javascript:"])')) continue;
    if (clicked.some(c => c.node.contains(node) || node.contains(c.node))) continue;
    clicked.push({node, text, x: Math.round(box.x + scrollX), y: Math.round(box.y + scrollY)});
    node.click();
  }
  return clicked.map(({text, x, y}) => ({text, x, y}));
}"""

#: Which pictures are shown, which are not, and why (trap: `complete` and 1×1 placeholders lie).
PICTURES = """() => {
  const found = {total: 0, shown: 0, pixels: 0, waiting: 0, missing: []};
  const lazy = node => node.getAttribute('data-src') || node.getAttribute('data-original') || node.getAttribute('data-lazy-src') || node.getAttribute('data-lazy') || '';
  const visit = root => {
    for (const node of root.querySelectorAll('img')) {
      found.total++;
      const box = node.getBoundingClientRect();
      const wanted = lazy(node), src = node.currentSrc || node.src || '';
      if (node.naturalWidth > 1) { found.shown++; continue; }
      if (!wanted && !src) { found.pixels++; continue; }
      if (!wanted && node.naturalWidth === 1 && box.width <= 2 && box.height <= 2) { found.pixels++; continue; }
      if (!node.complete) found.waiting++;
      const why = !node.complete ? '未加载完' : node.naturalWidth === 1 ? '仍是占位图' : '加载失败';
      if (found.missing.length < 200)
        found.missing.push({src: (wanted || src).slice(0, 2000), why, x: Math.round(box.x + scrollX), y: Math.round(box.y + scrollY)});
    }
    for (const node of root.querySelectorAll('*')) if (node.shadowRoot) visit(node.shadowRoot);
  };
  visit(document);
  return found;
}"""

#: Brings each picture that is still missing into view once.
REVISIT_MISSING = """async ({most, pauseMs}) => {
  let visited = 0;
  for (const node of document.querySelectorAll('img')) {
    if (node.naturalWidth > 1 || visited >= most) continue;
    node.scrollIntoView({block: 'center'});
    visited++;
    await new Promise(done => setTimeout(done, pauseMs));
  }
  scrollTo(0, 0);
  return visited;
}"""

#: Text as shown, block by block, with the place of each block.
TEXT = """({most, mostChars}) => {
  const blocks = [];
  const skip = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD']);
  const path = node => {
    const parts = [];
    for (let at = node; at && at.nodeType === 1 && parts.length < 12; at = at.parentElement) {
      if (at.id && /^[A-Za-z][\\w-]*$/.test(at.id)) { parts.unshift('#' + at.id); break; }
      let n = 1;
      for (let s = at.previousElementSibling; s; s = s.previousElementSibling) if (s.tagName === at.tagName) n++;
      parts.unshift(at.tagName.toLowerCase() + ':nth-of-type(' + n + ')');
    }
    return parts.join('>');
  };
  let chars = 0, cut = false;
  const blockOf = new Map();
  const holder = node => {
    for (let at = node.parentElement; at; at = at.parentElement) {
      let display = blockOf.get(at);
      if (display === undefined) { display = getComputedStyle(at).display; blockOf.set(at, display); }
      if (!display.startsWith('inline') && display !== 'contents') return at;
    }
    return document.body;
  };
  const visit = root => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, {
      acceptNode: n => n.nodeType === 1 ? (skip.has(n.tagName) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT) : NodeFilter.FILTER_ACCEPT});
    let last = null, current = null;
    for (let n = walker.nextNode(); n; n = walker.nextNode()) {
      if (n.nodeType === 1) { if (n.shadowRoot) visit(n.shadowRoot); continue; }
      if (!n.data.trim()) continue;
      if (blocks.length >= most || chars >= mostChars) { cut = true; return; }
      const box = holder(n);
      if (box !== last) {
        const style = getComputedStyle(n.parentElement);
        const r = box.getBoundingClientRect();
        current = {text: '', selector: path(box), shown: style.visibility !== 'hidden' && r.width > 0 && r.height > 0,
          rect: [r.x + scrollX, r.y + scrollY, r.width, r.height].map(Math.round)};
        blocks.push(current);
        last = box;
      }
      current.text += n.data.replace(/\\s+/g, ' ');
      chars += n.data.length;
    }
  };
  visit(document);
  for (const b of blocks) b.text = b.text.trim();
  return {blocks, cut};
}"""

#: Rectangles of a quotation on the page, white space apart; within `selector` when that finds something.
LOCATE = """({quote, selector}) => {
  const squeeze = s => s.replace(/\\s+/g, '');
  const wanted = squeeze(quote);
  if (!wanted) return [];
  let root = null;
  try { root = selector ? document.querySelector(selector) : null; } catch (e) { root = null; }
  for (const scope of root ? [root, document.body] : [document.body]) {
    const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
    const at = [];
    let text = '';
    for (let n = walker.nextNode(); n; n = walker.nextNode()) {
      if (['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(n.parentElement?.tagName)) continue;
      for (let i = 0; i < n.data.length; i++) if (!/\\s/.test(n.data[i])) { text += n.data[i]; at.push([n, i]); }
      if (text.length > 2000000) break;
    }
    const start = text.indexOf(wanted);
    if (start < 0) continue;
    const range = document.createRange();
    range.setStart(...at[start]);
    const [node, index] = at[start + wanted.length - 1];
    range.setEnd(node, index + 1);
    return [...range.getClientRects()].slice(0, 20).map(r => [r.x + scrollX, r.y + scrollY, r.width, r.height].map(Math.round));
  }
  return null;
}"""

#: Size of the document, foreign frames outside the window (`hidden`: the browser does not paint them), and links to licences and terms worth a capture of their own.
LAYOUT = """() => {
  const root = document.documentElement, body = document.body || root;
  const links = [];
  for (const a of document.querySelectorAll('a[href]')) {
    const text = (a.textContent || '').trim();
    if (text.length <= 20 && /营业执照|營業執照|证照|亮照|资质|许可证|协议|条款|规则|隐私|退换|terms|policy|licen[cs]e/i.test(text) && /^https?:/.test(a.href))
      links.push({text, url: a.href.slice(0, 2000)});
    if (links.length >= 30) break;
  }
  let hidden = 0;
  for (const frame of document.querySelectorAll('iframe')) {
    let inner = null;
    try { inner = frame.contentDocument; } catch (e) { inner = null; }
    const box = frame.getBoundingClientRect();
    if (!inner && box.width > 20 && box.height > 20 && (box.bottom > innerHeight || box.top < 0)) hidden++;
  }
  return {width: Math.max(root.scrollWidth, body.scrollWidth), height: Math.max(root.scrollHeight, body.scrollHeight),
    ratio: String(devicePixelRatio), title: document.title.slice(0, 500), url: location.href, agent: navigator.userAgent,
    language: navigator.language, zone: Intl.DateTimeFormat().resolvedOptions().timeZone, charset: document.characterSet, hidden, links};
}"""

#: Two painted frames from now.
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(document.documentElement.scrollHeight))))"

#: In the page's own world, before its scripts: a window it wants to open is written down and not opened.
NO_POPUPS = """(() => {
  const tell = globalThis.__wangxun_window;
  delete globalThis.__wangxun_window;
  const href = u => { try { return new URL(u, document.baseURI).href; } catch (e) { return String(u); } };
  window.open = u => { try { tell && tell(href(u || 'about:blank')); } catch (e) { /* the page may break it */ } return null; };
  addEventListener('click', e => {
    const a = e.composedPath().find(n => n && n.tagName === 'A' && n.target && n.target !== '_self' && n.href);
    if (a) { e.preventDefault(); try { tell && tell(a.href); } catch (x) { /* as above */ } }
  }, true);
})()"""


class Worlds:
    """Runs scripts in isolated worlds of a page's frames."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def run(
        self, script: str, argument: Mapping[str, Any] | None = None, *, frame: str = "", timeout_s: float = 60
    ) -> Any:
        """Answer of `script(argument)` in the frame (the main one by default). Raises Error or TimeoutError."""
        if not frame:
            frame = (await self._session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = {"frameId": frame, "worldName": WORLD}
        context = (await self._session.send("Page.createIsolatedWorld", world))["executionContextId"]
        call = {
            "functionDeclaration": script,
            "executionContextId": context,
            "arguments": [{"value": dict(argument or {})}],
            "returnByValue": True,
            "awaitPromise": True,
        }
        async with asyncio.timeout(timeout_s):
            answer = await self._session.send("Runtime.callFunctionOn", call)
        if "exceptionDetails" in answer:
            raise Error(str(answer["exceptionDetails"].get("text", ""))[:300])
        return answer["result"].get("value")

    async def frames(self) -> list[tuple[str, str]]:
        """Id and URL of every frame, main frame first, at most 60."""
        tree = (await self._session.send("Page.getFrameTree"))["frameTree"]
        found: list[tuple[str, str]] = []
        waiting = [tree]
        while waiting and len(found) < 60:
            node = waiting.pop(0)
            found.append((node["frame"]["id"], node["frame"]["url"]))
            waiting += node.get("childFrames", [])
        return found


async def pictures(worlds: Worlds, frames: list[tuple[str, str]]) -> dict[str, Any]:
    """Counts of all frames together: total, shown, pixels, waiting, missing (each with its frame)."""
    total: dict[str, Any] = {"total": 0, "shown": 0, "pixels": 0, "waiting": 0, "missing": []}
    for frame, url in frames:
        try:
            found = await worlds.run(PICTURES, frame=frame, timeout_s=20)
        except (Error, TimeoutError):
            continue  # a frame that went away
        for key in ("total", "shown", "pixels", "waiting"):
            total[key] += int(found[key])
        total["missing"] += [{**miss, "frame": url[:500]} for miss in found["missing"]]
    total["missing"] = total["missing"][:200]
    return total


async def complete(worlds: Worlds, recorder: Recorder, timeout_s: float) -> dict[str, Any]:
    """The completeness gate: waits for pictures, brings laggards into view once, answers the last count."""
    deadline = time.monotonic() + timeout_s
    frames = await worlds.frames()
    visited = False
    while True:
        await recorder.quiet(0.15, max(0.2, min(5.0, deadline - time.monotonic())))
        found = await pictures(worlds, frames)
        if not found["missing"] or time.monotonic() > deadline:
            return found
        if not found["waiting"] and visited:
            return found
        if not found["waiting"]:
            await worlds.run(REVISIT_MISSING, {"most": 60, "pauseMs": 40}, timeout_s=20)
            visited = True
