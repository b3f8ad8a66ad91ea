"""The joints around a capture: words proved again on what was sealed, stamps that come later, collection by two officers."""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from local_tsa import Authority

from cases import captures, officers, review
from cases.decisions import Decision
from cases.detail import clue_detail
from contracts.clock import SystemClock
from contracts.errors import NotAllowed
from contracts.site import Render
from evidence.verify import verify_vault
from wangxun.__main__ import main
from wangxun.export import _proofs
from wangxun.patrolling import run_patrol
from wangxun.pictures import take_pictures
from wangxun.runtime import Runtime
from wangxun.settings import Settings, settings
from wangxun.stamping import note_stamps, stamp_waiting

CLAIM = "国家级好茶,全国销量第一"
PAGE = """<!doctype html><html lang=zh><meta charset=utf-8><title>高山茶</title><body><h1>高山绿茶 250克</h1>
<p class=price>¥39.90</p><button>加入购物车</button><div class=detail>{claim}</div></body></html>"""


@dataclass
class Stall:
    """One page whose words can change between two looks."""

    claim: str = CLAIM
    looks: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def stall() -> Iterator[Stall]:
    stall = Stall()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/item/1.html"
            body = PAGE.format(claim=stall.claim).encode() if found else b""
            stall.looks.append(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stall.url = "http://{}:{}/item/1.html".format(*server.server_address)
    yield stall
    server.shutdown()
    server.server_close()


@pytest.fixture
def line(tmp_path: Path, authority: Authority) -> Iterator[Runtime]:
    authority.mode = "ok"
    config = Settings(
        data_dir=tmp_path / "data",
        allow_private=("127.0.0.1",),
        delay="0",
        tsa_url=(authority.url,),
        tsa_ca=authority.ca,
    )
    opened = Runtime(config, SystemClock())
    yield opened
    opened.close()
    authority.mode = "ok"


def patrolled(line: Runtime, stall: Stall) -> None:
    report = run_patrol(line, urls=[stall.url], max_pages=1, render=Render.NEVER)
    assert report.counts.snapshots == 1


def clues(line: Runtime) -> list[Any]:
    from sqlalchemy import select

    from cases import models as t

    with line.session(read_only=True) as session:
        ids = session.scalars(select(t.Clue.id).order_by(t.Clue.id)).all()
        return [clue_detail(session, one, at=line.clock.now()) for one in ids]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("shown_later", "why"),
    [
        (CLAIM, ""),
        ("普通的茶", "封存的页面上没有这些字"),
        (f"根据广告法,不得使用“{CLAIM}”等绝对化用语", "未再命中"),
    ],
)
def test_what_was_detected_is_judged_again_on_what_was_sealed(
    line: Runtime, stall: Stall, chromium: str, shown_later: str, why: str
) -> None:
    patrolled(line, stall)
    assert clues(line)
    stall.claim = shown_later
    done = take_pictures(line, browser=chromium)
    assert (done.taken, done.failed) == (1, 0)
    unproven = [clue for clue in clues(line) if captures.SEALED_PROOF in clue.needs]
    if not why:
        assert done.unproven == []
        assert unproven == []
        return
    assert done.unproven
    assert all(why in told and stall.url in told for told in done.unproven)
    assert {clue.rule for clue in unproven} == {told.split()[0] for told in done.unproven}
    with line.session() as session:
        chief = officers.create(session, "科长", "supervisor", "correct horse battery", at=line.clock.now())
        ids = [unproven[0].id]
        review.decide(session, ids, Decision.FILE, officer=chief, at=line.clock.now())
        with pytest.raises(NotAllowed, match="未见于封存页面"):
            review.assign(session, ids, chief, by=chief, at=line.clock.now())


@pytest.mark.browser
def test_capture_that_died_waits_for_its_lease_and_is_made_by_the_next(
    line: Runtime, stall: Stall, chromium: str
) -> None:
    """A worker is killed with a capture in hand: nothing is lost, nothing is made twice."""
    patrolled(line, stall)
    with line.session() as session:
        taken = captures.capture_next(session, at=line.clock.now())
    assert taken is not None
    idle = take_pictures(line, browser=chromium)
    assert (idle.taken, idle.left) == (0, 1)  # leased: named as waiting, taken by nobody else
    with line.session() as session:
        again = captures.capture_next(session, at=line.clock.now() + 2 * captures.LEASE)
        assert again is not None
        assert (again.id, again.tries) == (taken.id, 2)
        captures.capture_failed(session, again.id, "中断")
    done = take_pictures(line, browser=chromium)
    assert (done.taken, done.left) == (1, 0)
    full = {exhibit.id for clue in clues(line) for exhibit in clue.evidence if exhibit.level == "full"}
    assert len(full) == 1


def states(line: Runtime) -> set[str]:
    return {exhibit.timestamp_state for clue in clues(line) for exhibit in clue.evidence}


def test_batch_of_a_patrol_is_stamped_and_its_rows_say_so(line: Runtime, stall: Stall) -> None:
    patrolled(line, stall)
    assert states(line) == {"stamped"}
    assert line.vault.pending() == []


def test_stamp_that_comes_later_reaches_the_rows(line: Runtime, stall: Stall, authority: Authority) -> None:
    authority.mode = "down"
    patrolled(line, stall)
    assert states(line) == {"pending"}
    assert stamp_waiting(line) == 0
    authority.mode = "ok"
    line.vault.stamp_pending()  # killed before the rows were told
    assert states(line) == {"pending"}
    assert note_stamps(line) > 0
    assert states(line) == {"stamped"}
    assert note_stamps(line) == 0
    report = verify_vault(line.config.evidence_dir, tsa_ca=authority.ca, require_timestamp=True)
    assert report.ok, report.failures


def test_points_of_a_history_lead_to_sealed_evidence(line: Runtime, stall: Stall) -> None:
    from dataclasses import dataclass as value

    @value
    class Told:
        method: str
        series: dict[str, Any]

    @value
    class Whole:
        clues: list[Told]

    patrolled(line, stall)
    stall.claim += "。"
    patrolled(line, stall)
    series = clues(line)[0].series
    assert series["price"]
    proofs = _proofs(line, Whole([Told("history", series)]))  # type: ignore[arg-type]
    for observed in series["price"]:
        assert line.vault.exchange(proofs[observed.snapshot_id]).url == stall.url
    assert _proofs(line, Whole([Told("rule", series)])) == {}  # type: ignore[arg-type]


# — collection by hand —


@pytest.fixture
def time_server() -> Iterator[str]:
    """An SNTP server that tells this machine's own time."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            packet, sender = sock.recvfrom(512)
            if packet == b"over":
                return
            seconds = struct.pack("!II", int(time.time()) + 2_208_988_800, int(time.time() % 1 * 2**32))
            sock.sendto(bytes([0x24, 1]) + bytes(30) + seconds + seconds, sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield "{}:{}".format(*sock.getsockname())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"over", sock.getsockname())
    thread.join()
    sock.close()


@pytest.fixture
def desk(tmp_path: Path, authority: Authority, time_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in {
        "DATA_DIR": str(tmp_path / "data"),
        "ALLOW_PRIVATE": "127.0.0.1",
        "TSA_URL": authority.url,
        "TSA_CA": str(authority.ca),
        "NTP": time_server,
        "AGENCY": "某市市场监督管理局",
    }.items():
        monkeypatch.setenv(f"WANGXUN_{name}", value)
    settings.cache_clear()
    for name, role in (("张三", "case"), ("李四", "patrol"), ("赵审计", "auditor")):
        monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
        assert main(["user", "add", name, "--role", role, "--password-stdin"]) == 0
    yield tmp_path
    settings.cache_clear()


@pytest.mark.browser
def test_two_officers_collect_formal_evidence(
    desk: Path, stall: Stall, chromium: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    words = [
        "capture",
        stall.url,
        "--as",
        "张三",
        "--as",
        "李四",
        "--certificate",
        "执法001",
        "--certificate",
        "执法002",
    ]
    words += [
        "--case",
        "某市监〔2026〕12号",
        "--purpose",
        "核查绝对化用语",
        "--place",
        "本局电子取证室",
        "-o",
        str(desk / "out"),
    ]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["level"], told["timestamp"], told["formal"], told["why_not_formal"]) == ("full", "stamped", True, [])
    record = Document(told["record"])
    assert "草稿" in record.sections[0].header.paragraphs[0].text
    cells = [cell.text for table in record.tables for row in table.rows for cell in row.cells]
    for wanted in (
        "某市监〔2026〕12号",
        "张三 执法001",
        "李四 执法002",
        "本局电子取证室",
        "核查绝对化用语",
        "可",
        stall.url,
    ):
        assert wanted in cells, wanted
    with Runtime(settings(), SystemClock()).session(read_only=True) as session:
        (row,) = captures.unstamped(session) or (None,)
    assert row is None
    opened = Runtime(settings(), SystemClock())
    manifest = opened.vault.manifest(told["evidence"])
    assert [o["role"] for o in manifest["officers"]] == ["operator", "witness"]
    assert manifest["notes"]["unit"] == "某市市场监督管理局"
    assert "page.pdf" in manifest["files"]
    assert any(told["evidence"] and "page.pdf" in cell for cell in cells)
    opened.close()


@pytest.mark.browser
def test_without_second_officer_it_says_why_it_is_not_formal(
    desk: Path, stall: Stall, chromium: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["capture", stall.url, "--as", "张三"]) == 0
    out = capsys.readouterr().out
    assert "尚不能作正式证据" in out
    assert "取证人员不足二名或未填执法证号" in out
    assert "未填取证目的" in out
    assert "提取笔录草稿" in out
    assert list((desk / "data" / "exports").glob("extraction-record-*.docx"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--as", "王五"], "王五"),
        (["--as", "赵审计"], "无权"),
        (["--as", "张三", "--as", "张三"], "署名两次"),
        (["--as", "张三", "--certificate", "1", "--certificate", "2"], "证号多于"),
    ],
)
def test_wrong_officers_are_one_line_and_nothing_is_fetched(
    desk: Path, stall: Stall, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    capsys.readouterr()
    assert main(["capture", stall.url, *words]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert why in told[0]
    assert stall.looks == []
