"""A small shop on loopback that writes down every answer it gives: the judge of what was recorded."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import ssl
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from PIL import Image

SHELL = "<!doctype html><html lang='zh'><meta charset='utf-8'><title>{title}</title><body style='margin:0'>{body}</body></html>"


def jpeg(seed: int, width: int = 320, height: int = 200) -> bytes:
    """A small picture that differs by seed."""
    picture = Image.effect_noise((width, height), 40 + seed % 40).convert("RGB")
    picture.putpixel((0, 0), (seed % 256, (seed >> 8) % 256, 7))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


VIDEO = bytes(range(256)) * 2000
BIG = bytes(range(251)) * 48_000  # about 12 MB: above the limit from which bodies are streamed
HUGE = 60 << 20  #: bytes of /huge.bin
CACHED = {"Cache-Control": "max-age=86400", "ETag": '"1"'}  #: a browser would answer from its own memory
#: Loads itself anew once everything is there, as shops do after choosing a city.
RELOADS = """<img src='/img/1.jpg'><script src='/cached.js'></script><p>城市 <b id=city></b></p><script>
if (!sessionStorage.city) { sessionStorage.city = '杭州'; onload = () => location.reload(); } else city.textContent = sessionStorage.city;
</script>"""
#: Sets a cookie and loads itself anew before anything else: the first answer is a gate, the second the page.
GATE = "<script>document.cookie = 'pass=1'; location.reload();</script>"


def listing(other: str, pictures: int, *, price_by: str = "blob") -> str:
    """The product page: lazy pictures, observer pictures, blob fetch, POST, beacon, worker, cross-site frame, video."""
    lazy = "".join(f"<p><img loading=lazy src='/img/{n}.jpg' width=320 height=200>" for n in range(pictures))
    observed = "".join(
        "<p><img class=watch src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==' "
        f"data-src='/img/{n}.jpg' width=320 height=200>"
        for n in range(100, 100 + pictures)
    )
    body = f"""
<h1 id=title>全网销量第一 养生茶 &#127881;</h1><p>价格 <b id=price>…</b></p>
<div id=more hidden>更多说明:七天无理由退货</div><button id=unfold>查看更多</button>
<a href='/terms'>用户协议</a> <a href='/away' target=_blank id=pop>弹窗</a>
{lazy}{observed}
<iframe src='http://{other}/frame' width=400 height=120></iframe>
<video src='/video.mp4' preload=auto width=100 height=60></video>
<div style='position:fixed;bottom:0;background:#eee'>固定页脚</div>
<div style="height:40px;background:url('/moved.jpg')"></div>
<script>
unfold.onclick = () => {{ more.hidden = false; fetch('/unfolded'); window.open('/popup.html'); }};
fetch('/price').then(r => r.{price_by}()).then(b => b.text ? b.text() : b).then(t => price.textContent = JSON.parse(t).price);
fetch('/comments', {{method: 'POST', headers: {{'content-type': 'application/json'}}, body: JSON.stringify({{page: 1, word: '好评'}})}});
navigator.sendBeacon('/beacon', 'seen=1');
new Worker('/worker.js');
fetch('/big.bin').then(r => r.arrayBuffer());
const eye = new IntersectionObserver(es => es.forEach(e => {{ if (e.isIntersecting) {{ e.target.src = e.target.dataset.src; eye.unobserve(e.target); }} }}));
document.querySelectorAll('img.watch').forEach(i => eye.observe(i));
</script>"""
    return SHELL.format(title="养生茶 旗舰店", body=body)


@dataclass
class Shop:
    """`served` counts (method, host, path, status, SHA-256 of the body as sent), redirects included."""

    pictures: int = 4
    certificate: Path | None = None  #: PEM with key: served by https
    served: Counter[tuple[str, str, str, int, str]] = field(default_factory=Counter)
    posts: list[bytes] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _servers: list[ThreadingHTTPServer] = field(default_factory=list)

    def __enter__(self) -> Self:
        for address in ("127.0.0.1", "127.0.0.2"):
            server = ThreadingHTTPServer((address, 0), self._handler())
            server.daemon_threads = True
            if self.certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate)
                server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._servers.append(server)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def host(self) -> str:
        return "{}:{}".format(*self._servers[0].server_address)

    @property
    def other(self) -> str:
        return "{}:{}".format(*self._servers[1].server_address)

    def url(self, path: str) -> str:
        return f"http{'s' if self.certificate else ''}://{self.host}{path}"

    def page(self, path: str) -> tuple[int, str, bytes, dict[str, str]]:
        """Status, type, body, further headers."""
        if path.startswith("/img/"):
            return 200, "image/jpeg", jpeg(int(path[5:-4])), CACHED if path == "/img/1.jpg" else {}
        if path == "/huge.bin":
            return 200, "application/octet-stream", (b"%064d" % 7) * (HUGE // 64), {}
        table = {
            "/listing": (200, "text/html; charset=utf-8", listing(self.other, self.pictures).encode(), {}),
            "/plain": (200, "text/html; charset=utf-8", SHELL.format(title="p", body="<p>国家级 好茶</p>").encode(), {}),
            "/gate": (200, "text/html; charset=utf-8", SHELL.format(title="g", body="<p>门内商品</p><img src='/img/1.jpg'>").encode(), {}),
            "/start": (302, "text/html", b"", {"Location": "/middle", "Set-Cookie": "a=1"}),
            "/middle": (301, "text/html", b"gone", {"Location": "/listing"}),
            "/price": (200, "application/json", '{"price": "¥39.90"}'.encode(), {}),
            "/comments": (200, "application/json", json.dumps([{"text": "不错"}] * 3).encode(), {}),
            "/beacon": (204, "text/plain", b"", {}),
            "/unfolded": (200, "text/plain", b"ok", {}),
            "/worker.js": (200, "text/javascript", b"fetch('/from-worker').then(r => r.text());", {}),
            "/from-worker": (200, "text/plain", "来自 worker".encode(), {}),
            "/frame": (200, "text/html", b"<img src='/img/77.jpg'><script>fetch('/in-frame')</script>frame text", {}),
            "/in-frame": (200, "text/plain", b"inner", {}),
            "/moved.jpg": (302, "text/html", b"", {"Location": "/img/55.jpg"}),
            "/big.bin": (200, "application/octet-stream", BIG, {}),
            "/broken": (200, "text/html", SHELL.format(title="b", body="<img src='/nothing.jpg' width=90 height=90>").encode(), {}),
            "/leaves": (200, "text/html", SHELL.format(title="l", body="<p>留下</p><script>addEventListener('scroll',()=>location='/away');</script><div style='height:4000px'></div>").encode(), {}),
            "/reloads": (200, "text/html; charset=utf-8", SHELL.format(title="r", body=RELOADS).encode(), CACHED),
            "/cached.js": (200, "text/javascript", b"var kept = 1;", CACHED),
            "/huge": (200, "text/html; charset=utf-8", SHELL.format(title="g", body="<p id=p></p><script>fetch('/huge.bin').then(r => r.blob()).then(b => p.textContent = b.size)</script>").encode(), {}),
            "/hangs": (200, "text/html", SHELL.format(title="h", body="<script>onload=()=>setTimeout(()=>{for(;;);},50)</script>").encode(), {}),
            "/asks": (200, "text/html", SHELL.format(title="a", body="<script>alert('你好');console.log('说明')</script><p>答</p>").encode(), {}),
        }  # fmt: skip
        return table.get(path, (404, "text/plain", b"not found", {}))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                shop.posts.append(self.rfile.read(int(self.headers.get("content-length", 0))))
                self.answer()

            def answer(self) -> None:
                status, kind, body, more = (
                    (200, "video/mp4", VIDEO, {}) if self.path == "/video.mp4" else shop.page(self.path)
                )
                asked = self.headers.get("range", "")
                if self.path == "/video.mp4" and asked.startswith("bytes="):
                    start = int(asked[6:].split("-")[0])
                    body, status = VIDEO[start:], 206
                    more = {"Content-Range": f"bytes {start}-{len(VIDEO) - 1}/{len(VIDEO)}", "Accept-Ranges": "bytes"}
                if self.path == "/gate" and "pass=1" not in self.headers.get("cookie", ""):
                    status, kind, body = 200, "text/html; charset=utf-8", GATE.encode()
                key = (self.command, self.headers["host"], self.path, status, hashlib.sha256(body).hexdigest())
                with shop._lock:
                    shop.served[key] += 1
                self.send_response(status)
                self.send_header("Content-Type", kind)
                for name, value in more.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
