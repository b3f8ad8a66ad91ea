"""The manifest of a full capture, its text file, and whether it may count as formal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.clock import Clock, iso
from evidence import SOFTWARE, environment
from evidence.capture_values import CaptureRequest
from evidence.recorder import Recorder

MIME = {
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


def capture_manifest(
    *,
    evidence_id: str,
    url: str,
    started: datetime,
    clock: Clock,
    about: CaptureRequest,
    popups: Sequence[str],
    shown: Mapping[str, Any],
    before: Mapping[str, Any],
    files: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything sealed about one capture, ready for canonical form. `shown` is what the browser yielded, `before` the
    environment record, `files` name → digests."""
    recorder: Recorder = shown["recorder"]
    why_not = why_not_formal(about, clock, before)
    layout = {key: value for key, value in shown["layout"].items() if key not in ("links", "agent")}
    return {
        "kind": "capture",
        "version": 1,
        "id": evidence_id,
        "level": "full",
        "software": SOFTWARE,
        "tool_sha256": environment.tool_digest(),
        "url": url,
        "final_url": str(shown["layout"]["url"]),
        "redirects": shown["redirects"],
        "status": shown["status"],
        "server_time_headers": [
            h for h in shown["headers"] if h["name"].lower() in ("date", "age", "last-modified", "expires")
        ],
        "captured_at": iso(started),
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
            "popups_not_opened": list(popups),
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
                "rects": [[round(v) for v in (r.x, r.y, r.width, r.height)] for r in rects],
            }
            for hit, rects in shown["hits"]
        ],
        "files": files,
    }


def why_not_formal(about: CaptureRequest, clock: Clock, before: Mapping[str, Any]) -> list[str]:
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


def write_text(folder: Path, blocks: list[dict[str, Any]]) -> str:
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
