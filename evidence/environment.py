"""环境与清洁性: what the machine was like when it captured, in raw outputs, not only "passed".

Follows the checklist of electronic evidence B.4–B.7: machine, system, tool versions and their own digest, fonts,
hosts file, resolver, proxies, addresses of the target, clock offset before and after.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from contracts.clock import Clock, iso

_NTP_EPOCH = 2_208_988_800  #: seconds from 1900 to 1970 (RFC 5905)
OFFSET_LIMIT_MS = 1000  #: beyond it the time of a capture counts as unverified


@cache
def tool_digest() -> str:
    """SHA-256 over the names and bytes of this package's own source files."""
    sha = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        content = path.read_bytes()
        sha.update(f"{path.name}:{len(content)}:".encode() + content)
    return sha.hexdigest()


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("wangxun", "playwright", "cryptography", "rfc3161-client", "asn1crypto", "pillow", "typst"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "未安装为软件包"
    return found


@cache
def _fonts() -> dict[str, Any]:
    program = shutil.which("fc-list")
    if program is None:
        return {"count": None, "note": "系统无 fc-list"}
    answer = subprocess.run(  # noqa: S603 - fixed program, no argument from outside
        [program, "--format", "%{file}:%{family}\n"], capture_output=True, timeout=20, check=False
    )
    lines = sorted(answer.stdout.splitlines())
    chinese = subprocess.run(  # noqa: S603 - as above
        [program, ":lang=zh", "--format", "%{family}\n"], capture_output=True, timeout=20, check=False
    )
    families = sorted({line.decode("utf-8", "replace") for line in chinese.stdout.splitlines()})
    return {"count": len(lines), "sha256": hashlib.sha256(b"\n".join(lines)).hexdigest(), "chinese": families[:20]}


def _text(path: str, most: int = 20_000) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")[:most]
    except OSError:
        return None


def machine() -> dict[str, Any]:
    """Everything about this machine that does not depend on the page."""
    hosts = _text("/etc/hosts") or ""
    return {
        "system": platform.platform(),
        "os_release": _text("/etc/os-release", 2000),
        "machine": platform.machine(),
        "hostname_sha256": hashlib.sha256(platform.node().encode()).hexdigest(),
        "python": sys.version,
        "versions": _versions(),
        "tool_sha256": tool_digest(),
        "fonts": _fonts(),
        "hosts_file": hosts,
        "resolv_conf": _text("/etc/resolv.conf"),
        "proxy_variables": sorted(k for k in os.environ if k.lower().endswith("_proxy")),
    }


def resolve(host: str) -> dict[str, Any]:
    """The resolver's answers for a host, asked by ourselves (the browser may go through a proxy and ask again)."""
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return {"host": host, "addresses": [], "error": str(error)}
    return {"host": host, "addresses": sorted({str(answer[4][0]) for answer in answers})}


def clock_offset(servers: Sequence[str], clock: Clock, timeout_s: float = 2.0) -> dict[str, Any]:
    """Offset of this machine's clock by SNTP (RFC 4330): offset and round trip in milliseconds per server.

    `verified` is True when at least one server answered and no offset exceeds OFFSET_LIMIT_MS.
    """
    answers = [_ask(server, clock, timeout_s) for server in servers[:4]]
    offsets = [answer["offset_ms"] for answer in answers if "offset_ms" in answer]
    near = bool(offsets) and max(abs(offset) for offset in offsets) <= OFFSET_LIMIT_MS
    return {"at": iso(clock.now()), "servers": answers, "verified": near and not clock.simulated}


def _ask(server: str, clock: Clock, timeout_s: float) -> dict[str, Any]:
    host, _, port = server.partition(":")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout_s)
            sock.connect((host, int(port or 123)))
            sent, started = clock.now().timestamp(), time.monotonic()
            sock.send(b"\x23" + bytes(47))
            packet = sock.recv(512)
            round_trip = time.monotonic() - started
        if len(packet) < 48 or not 1 <= packet[1] <= 15:
            raise ValueError("应答无效")
        received, answered = (_ntp_time(packet, at) for at in (32, 40))
    except (OSError, ValueError) as error:
        return {"server": server, "error": f"{type(error).__name__} {error}"[:200]}
    offset = ((received - sent) + (answered - (sent + round_trip))) / 2
    return {"server": server, "offset_ms": round(offset * 1000), "round_trip_ms": round(round_trip * 1000)}


def _ntp_time(packet: bytes, at: int) -> float:
    seconds, fraction = struct.unpack_from("!II", packet, at)
    return float(seconds - _NTP_EPOCH + fraction / 2**32)
