"""A full capture holds every exchange of the page, what a person saw, and says what it could not have."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from evidence_case import Sealed, captured
from PIL import Image
from shop_server import BIG, VIDEO, Shop

from contracts.clock import SimulatedClock, SystemClock
from contracts.errors import InputError
from evidence import warc
from evidence.capture import CaptureFailed, CaptureRequest, CaptureSettings, Hit
from evidence.exchange import Exchange
from evidence.vault import Vault
from evidence.wacz import read_wacz

pytestmark = pytest.mark.browser


def exchanges(path: Path) -> list[Exchange]:
    records = [r for r in read_wacz(path) if r.kind in ("response", "request")]
    return [warc.read_exchange(a, b) for a, b in zip(records[::2], records[1::2], strict=True)]


def test_every_exchange_on_the_wire_is_recorded_with_its_bytes(sealed: Sealed) -> None:
    """Redirects, blob fetch, POST, beacon, worker, cross-site frame, 206 video, a large streamed body, lazy pictures."""
    found: Counter[tuple[str, str, str, int, str]] = Counter()
    for one in exchanges(sealed.vault.file(sealed.capture.evidence_id, "evidence.wacz")):
        parts = urlsplit(one.url)
        found[(one.method, parts.netloc, parts.path, one.status, hashlib.sha256(one.response_body).hexdigest())] += 1
    gone = ("GET", sealed.shop.host, "/middle", 301)  # a browser never exposes the body of a redirect
    served = Counter({k: n for k, n in sealed.shop.served.items() if k[:4] != gone and k[2] != "/plain"})
    assert {k: n for k, n in found.items() if k[:4] != gone} == dict(served)
    assert sum(n for k, n in found.items() if k[:4] == gone) == 1
    paths = {(k[2], k[3]) for k in found}
    assert {("/start", 302), ("/from-worker", 200), ("/in-frame", 200), ("/beacon", 204), ("/unfolded", 200)} <= paths
    assert any(k[2] == "/video.mp4" and k[3] == 206 for k in found)
    assert hashlib.sha256(BIG).hexdigest() in {k[4] for k in found}
    assert len(VIDEO) > 0
    assert sealed.capture.unrecorded == ()


def test_posted_bodies_are_recorded(sealed: Sealed) -> None:
    posted = [
        e.request_body
        for e in exchanges(sealed.vault.file(sealed.capture.evidence_id, "evidence.wacz"))
        if e.method == "POST"
    ]
    assert sorted(posted) == sorted(sealed.shop.posts)
    assert any("好评".encode() in body for body in posted)


def test_lazy_pictures_are_there_and_counted(sealed: Sealed) -> None:
    images = sealed.capture.manifest["completeness"]["images"]
    assert images["missing"] == []
    assert images["shown"] == images["total"] == 2 * sealed.shop.pictures + 1


def test_what_was_unfolded_is_in_the_text_and_in_the_process_log(sealed: Sealed) -> None:
    assert "七天无理由退货" in sealed.capture.text
    assert "¥39.90" in sealed.capture.text
    assert "frame text" in sealed.capture.text
    lines = sealed.vault.file(sealed.capture.evidence_id, "process.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    assert {"start", "loaded", "scrolled", "expanded", "complete", "picture", "recorded"} <= {s["step"] for s in steps}
    assert all(s["at"] and s["ms"] >= 0 for s in steps)


def test_text_offsets_count_code_points(sealed: Sealed) -> None:
    text = sealed.vault.file(sealed.capture.evidence_id, "text.txt").read_text(encoding="utf-8")
    blocks = json.loads(sealed.vault.file(sealed.capture.evidence_id, "text.json").read_bytes())
    heading = next(b for b in blocks if b["selector"].endswith("#title"))
    assert text[heading["start"] : heading["end"]] == "全网销量第一 养生茶 🎉"
    after = blocks[blocks.index(heading) + 1]
    assert text[after["start"] : after["end"]].startswith("价格")


def test_a_window_is_named_not_opened(sealed: Sealed) -> None:
    assert sealed.capture.popups == (sealed.shop.url("/popup.html"),)


def test_hit_is_boxed_on_a_derived_picture_and_absent_words_are_reported(sealed: Sealed) -> None:
    there, absent = sealed.capture.hits
    assert there.rects
    assert there.picture == "hit-01.png"
    assert absent.rects == ()
    assert absent.picture == ""
    entry = sealed.capture.manifest["files"]["hit-01.png"]
    assert (entry["role"], entry["derived_from"]) == ("derived", "page.png")
    with Image.open(sealed.vault.file(sealed.capture.evidence_id, "hit-01.png")) as cut:
        assert (214, 32, 32) in {cut.getpixel((x, y)) for x in range(cut.width) for y in range(0, cut.height, 2)}
    assert [h["on_page"] for h in sealed.capture.manifest["hits"]] == [True, False]


def test_pictures_have_the_size_of_the_page(sealed: Sealed) -> None:
    picture = sealed.capture.manifest["picture"]
    with Image.open(sealed.vault.file(sealed.capture.evidence_id, "page.png")) as whole:
        assert whole.size == (picture["width"], picture["height"])
        assert whole.height > 1500
    with Image.open(sealed.vault.file(sealed.capture.evidence_id, "viewport.png")) as first:
        assert first.size == (1280, 800)


def test_frame_of_another_site_below_the_fold_is_painted(sealed: Sealed) -> None:
    """The browser leaves foreign frames outside the window blank; the picture must not."""
    frames = [
        b for b in json.loads(sealed.vault.file(sealed.capture.evidence_id, "text.json").read_bytes()) if b["frame"]
    ]
    assert frames
    with Image.open(sealed.vault.file(sealed.capture.evidence_id, "page.png")) as whole:
        inside = whole.crop((340, 1830, 640, 1930)).convert("L")
    assert len(inside.getcolors()) > 200


def test_redirects_and_status_stand_in_the_manifest(sealed: Sealed) -> None:
    manifest = sealed.capture.manifest
    assert [hop["status"] for hop in manifest["redirects"]] == [302, 301]
    assert manifest["final_url"] == sealed.shop.url("/listing")
    assert manifest["status"] == 200
    assert any(h["name"].lower() == "date" for h in manifest["server_time_headers"])


def test_environment_holds_raw_outputs(sealed: Sealed) -> None:
    record = json.loads(sealed.vault.file(sealed.capture.evidence_id, "environment.json").read_bytes())
    assert record["cleanliness"]["cookies_before"] == 0
    assert record["browser"]
    assert len(record["tool_sha256"]) == 64
    assert "hosts_file" in record
    assert record["dns"]["addresses"] == ["127.0.0.1"]


def test_unverified_clock_or_missing_officers_keep_a_capture_from_being_formal(sealed: Sealed) -> None:
    assert sealed.capture.manifest["formal"] is False
    assert sealed.capture.manifest["not_formal_because"] == ["时钟未经校时服务器核验"]


def test_wacz_holds_no_picture_of_ours(sealed: Sealed) -> None:
    """Screenshots are stored beside the WACZ, never deflated inside it."""
    with zipfile.ZipFile(sealed.vault.file(sealed.capture.evidence_id, "evidence.wacz")) as archive:
        assert sorted(archive.namelist()) == [
            "archive/data.warc.gz",
            "datapackage-digest.json",
            "datapackage.json",
            "indexes/index.cdxj",
            "pages/pages.jsonl",
        ]
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())


def test_members_lie_where_the_central_directory_says(sealed: Sealed) -> None:
    """Replay software reads a WACZ by range from its central directory: the two headers must have equal extra fields."""
    path = sealed.vault.file(sealed.capture.evidence_id, "evidence.wacz")
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename) + len(info.extra)
            assert content[start : start + info.file_size] == archive.read(info.filename)


def test_other_pages(chromium: str, tmp_path: Path) -> None:
    """A missing picture is named; a page may not run away; a closed port seals nothing; a made-up clock says so; JPEG."""
    from datetime import UTC, datetime

    clock = SimulatedClock(datetime(2026, 1, 2, tzinfo=UTC))
    vault = Vault.open(tmp_path / "evidence", keys=tmp_path / "keys", clock=clock)
    with Shop() as shop:
        broken, leaves, asks = captured(
            chromium,
            vault,
            clock,
            shop.url("/broken"),
            shop.url("/leaves"),
            shop.url("/asks"),
            about=CaptureRequest(hits=(Hit("留下"),)),
            settings=CaptureSettings(picture="jpeg", settle_timeout_s=2),
        )
        with pytest.raises(CaptureFailed, match="无法打开"):
            captured(chromium, vault, clock, "http://127.0.0.1:9/")
        with pytest.raises(CaptureFailed, match="超时"):
            captured(chromium, vault, clock, shop.url("/hangs"), settings=CaptureSettings(total_timeout_s=3))
    missing = broken.manifest["completeness"]["images"]["missing"]
    assert [m["why"] for m in missing] == ["加载失败"]
    assert missing[0]["src"].endswith("/nothing.jpg")
    assert broken.missing == 1
    assert leaves.final_url.endswith("/leaves")
    assert leaves.hits[0].rects
    assert any("试图跳转" in note for note in leaves.manifest["completeness"]["notes"])
    assert leaves.manifest["clock"] == "模拟时间"
    assert any("永不得作为正式证据" in why for why in leaves.manifest["not_formal_because"])
    with Image.open(BytesIO(vault.file(leaves.evidence_id, "page.jpg").read_bytes())) as picture:
        assert picture.format == "JPEG"
    assert "你好" in vault.file(asks.evidence_id, "process.jsonl").read_text()
    assert "说明" in vault.file(asks.evidence_id, "console.jsonl").read_text()
    assert len(list(vault.all_manifests())) == 3
    assert not any((vault.root / "staging").iterdir())


def test_only_web_addresses(tmp_path: Path) -> None:
    import asyncio

    from evidence.capture import capture_full

    vault = Vault.open(tmp_path / "e", keys=tmp_path / "k", clock=SystemClock())
    with pytest.raises(InputError):
        asyncio.run(capture_full(None, "file:///etc/passwd", vault=vault, clock=SystemClock(), about=CaptureRequest()))  # type: ignore[arg-type]
