"""The http level, the log and the vault: nothing lost, nothing half-sealed, each state named."""

from __future__ import annotations

import base64
import errno
import gzip
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from evidence_case import exchange
from fastwarc.warc import ArchiveIterator
from local_tsa import Authority

from contracts.clock import SimulatedClock, SystemClock
from contracts.errors import EnvironmentFault, InputError, NotAllowed, Unverifiable
from evidence import retention
from evidence.http_level import BATCH_LIMIT, RunBusy
from evidence.log import Log
from evidence.merkle import consistency_holds, inclusion_holds, leaf_hash
from evidence.seal import digest
from evidence.vault import Vault
from evidence.verify import Report, verify_vault

PAGE = "<html><p>原价 999,现价 9.9</p></html>".encode() * 1200
CLOCK = SystemClock()


def opened(folder: Path, authority: Authority | None = None) -> Vault:
    urls = (authority.url,) if authority else ()
    return Vault.open(
        folder / "evidence",
        keys=folder / "keys",
        clock=CLOCK,
        tsa_urls=urls,
        tsa_ca=authority.ca if authority else None,
    )


# — http level —


def test_exchange_comes_back_as_it_went_in(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    sent = replace(
        exchange(PAGE, CLOCK), method="POST", request_body=b"q=1", at=datetime(2026, 3, 4, 5, 6, 7, 89000, UTC)
    )
    with vault.open_run("r", {}) as run:
        record = run.append(sent)
        assert run.commit() == record.offset + record.length
        run.seal()
    back = vault.exchange(record.evidence_id)
    assert (back.url, back.method, back.status, back.response_body, back.request_body, back.at, back.ip) == (
        sent.url, "POST", 200, PAGE, b"q=1", sent.at, "203.0.113.9")  # fmt: skip
    assert [v for k, v in back.response_headers if k == "Set-Cookie"] == ["a=1", "b=2"]
    assert ("X-Orig-Content-Encoding", "gzip") in back.response_headers
    assert record.payload_digest == hashlib.sha256(PAGE).hexdigest()


def test_page_cannot_smuggle_headers_into_the_record(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    bad = exchange(b"x", CLOCK, url="http://a.test/\r\nWARC-Type: metadata")
    with vault.open_run("r", {}) as run:
        record = run.append(replace(bad, reason="OK\r\nX-Forged: 1"))
        run.seal()
    back = vault.exchange(record.evidence_id)
    assert back.url == "http://a.test/%0D%0AWARC-Type: metadata"
    assert not any(name == "X-Forged" for name, _ in back.response_headers)


def test_unchanged_page_is_a_small_revisit_of_the_first(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        first = run.append(exchange(os.urandom(20_000) + PAGE, CLOCK))
        body = vault_body = None
        run.seal()
        body = vault.exchange(first.evidence_id).response_body
        second = run.append(exchange(body, CLOCK), earlier=first.evidence_id)
        third = run.append(exchange(body, CLOCK), earlier=second.evidence_id)
        changed = run.append(exchange(body + b"!", CLOCK), earlier=third.evidence_id)
        bare = run.append(exchange(b"", CLOCK, status=304), earlier=third.evidence_id)
        unknown = run.append(exchange(body, CLOCK), earlier="http.gone.0001.5")
        run.seal()
    assert [r.revisit for r in (first, second, third, changed, bare, unknown)] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
    assert vault.original(third.evidence_id).evidence_id == first.evidence_id
    for record in (second, third, bare):
        vault_body = vault.exchange(record.evidence_id)
        assert vault_body.response_body == body
        assert vault_body.status == 200


def realistic_page(number: int, size: int = 60_000) -> bytes:
    """A shop page as real ones are: about a fifth of its bytes remain when packed."""
    row = "<li class='sku-item' data-id='{0}'><a href='/item/{0}.html?spm={1}'><span>{2}</span></a><em class='price'>¥{3}.90</em><i class='sold'>已售{1}件</i><button class='add-cart' type='button'>加入购物车</button></li>"
    rows, length = [], 0
    chance = random.Random(number)
    while length < size:
        words = "".join(chr(chance.randrange(0x4E00, 0x4E00 + 1500)) for _ in range(9))
        rows.append(row.format(chance.randrange(10**9), f"{chance.getrandbits(32):x}", words, chance.randrange(999)))
        length += len(rows[-1].encode())
    return "".join(rows).encode()[:size]


@pytest.mark.parametrize(("size", "pages_a_commit"), [(60_000, 1), (60_000, 20), (20_000, 1)])
def test_unchanged_pages_store_three_hundredths_of_the_first_visit(
    tmp_path: Path, size: int, pages_a_commit: int
) -> None:
    """All files of the run are counted, the journal of commits among them."""
    vault = opened(tmp_path)
    bodies = {number: realistic_page(number, size) for number in range(40)}

    def visit(name: str, earlier: dict[int, str]) -> dict[int, str]:
        ids = {}
        with vault.open_run(name, {}) as run:
            for number, body in bodies.items():
                page = exchange(body, CLOCK, url=f"http://shop.test/item/{number * 977}.html")
                ids[number] = run.append(page, earlier=earlier.get(number)).evidence_id
                if number % pages_a_commit == 0:
                    run.commit()
            run.commit()
            stored[name] = sum(p.stat().st_size for p in (vault.warc / name).iterdir())
            run.seal()
        return ids

    stored: dict[str, int] = {}
    first = visit("a", {})
    second = visit("b", first)
    third = visit("c", second)
    assert stored["a"] < 0.27 * size * len(bodies)  # packed as real pages are
    assert stored["b"] <= 0.03 * stored["a"]
    assert stored["c"] <= 0.03 * stored["a"]
    assert all(vault.exchange(third[number]).response_body == body for number, body in bodies.items())
    assert vault.original(third[7]).evidence_id == first[7]
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures


def test_public_reader_agrees_with_every_record(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {"unit": "局"}) as run:
        first = run.append(exchange(PAGE, CLOCK))
        again = [run.append(exchange(PAGE, CLOCK), earlier=first.evidence_id) for _ in range(3)]
        run.seal()
    content = (vault.warc / "r" / "0001.warc.gz").read_bytes()
    kinds = []
    for record in ArchiveIterator(io.BytesIO(content), parse_http=False):
        kinds.append(record.headers["WARC-Type"])
        assert record.verify_block_digest(consume=True)
        if kinds[-1] == "response":
            named = record.record_id
    assert kinds == ["warcinfo", "response", "request"]
    plain = gzip.decompress((vault.warc / "r" / "0001.revisits.gz").read_bytes())
    records = [(r.headers["WARC-Type"], r.headers["WARC-Refers-To"], r.record_id) for r in ArchiveIterator(io.BytesIO(plain), parse_http=False)]  # fmt: skip
    assert [kind for kind, _, _ in records] == ["revisit"] * 3
    assert {to.strip("<>") for _, to, _ in records} == {named.strip("<>")}
    assert [i.strip("<>").rpartition(":")[2] for _, _, i in records] == [record.evidence_id for record in again]


def test_torn_revisits_are_cut_at_the_last_whole_one(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        first = run.append(exchange(PAGE, CLOCK))
        kept = [run.append(exchange(PAGE, CLOCK), earlier=first.evidence_id) for _ in range(4)]
    path = vault.warc / "r" / "0001.revisits.gz"
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x4d\xd0torn in the middle of a block")
    with opened(tmp_path).open_run("r", {}) as run:
        more = run.append(exchange(PAGE, CLOCK), earlier=kept[-1].evidence_id)
        run.seal()
    again = opened(tmp_path)
    for record in (*kept, more):
        assert again.exchange(record.evidence_id).response_body == PAGE
    assert len({record.evidence_id for record in (*kept, more)}) == 5
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures


def test_batch_is_due_after_ten_minutes_and_not_before(tmp_path: Path) -> None:
    clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=UTC))
    vault = Vault.open(tmp_path / "e", keys=tmp_path / "k", clock=clock)
    with vault.open_run("r", {}) as run:
        assert not run.due
        run.append(exchange(b"x", clock))
        clock.advance(BATCH_LIMIT - timedelta(seconds=1))
        assert not run.due
        clock.advance(timedelta(seconds=1))
        assert run.due
        sealed = run.seal()
        assert sealed is not None
        assert not run.due
        assert run.seal() is None
    manifest = json.loads(sealed.path.read_bytes())
    assert (manifest["clock"], manifest["formal"]) == ("模拟时间", False)
    assert manifest["records"]["count"] == 2


def test_one_writer_a_run(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}), pytest.raises(RunBusy):
        opened(tmp_path).open_run("r", {})


def test_uncommitted_tail_is_cut_and_named(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        record = run.append(exchange(PAGE, CLOCK))
        end = run.commit()
        path = run.path
    with path.open("ab") as file:
        file.write(b"torn tail")
    with path.with_name("0001.records.jsonl").open("ab") as file:
        file.write(b'{"length":5')
    with opened(tmp_path).open_run("r", {}) as run:
        assert run.cut_bytes == 9
        assert path.stat().st_size == end
        after = run.append(exchange(b"next", CLOCK))
        run.seal()
    assert after.offset == end
    assert any(e.kind == "run.torn-tail-cut" for e in opened(tmp_path).log.events())
    assert opened(tmp_path).exchange(record.evidence_id).response_body == PAGE
    assert verify_vault(tmp_path / "evidence").ok


def test_segment_shorter_than_committed_is_never_passed_over(tmp_path: Path) -> None:
    with opened(tmp_path).open_run("r", {}) as run:
        run.append(exchange(PAGE, CLOCK))
        run.commit()
        path = run.path
    os.truncate(path, 100)
    with pytest.raises(Unverifiable, match="短于已提交长度"):
        opened(tmp_path).open_run("r", {})


WRITER = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from evidence_case import exchange
from contracts.clock import SystemClock
from evidence.vault import Vault
clock = SystemClock()
vault = Vault.open(Path({folder!r}) / "evidence", keys=Path({folder!r}) / "keys", clock=clock)
run = vault.open_run("r", {{}})
number = 0
while True:
    for _ in range(3):
        record = run.append(exchange(b"page %d" % number * 500, clock))
        number += 1
    again = run.append(exchange(b"page %d" % (number - 1) * 500, clock), earlier=record.evidence_id)
    assert again.revisit
    run.commit()
    print(number, record.evidence_id, again.evidence_id, flush=True)
    if number % 12 == 0:
        run.seal(stamp=False)
"""


def test_kill_while_appending_loses_nothing_committed(tmp_path: Path) -> None:
    """A real kill -9 in the middle of appending and sealing, several times over the same run."""
    tests = Path(__file__).parent
    script = WRITER.format(root=str(tests.parents[1]), tests=str(tests), folder=str(tmp_path))
    told: list[str] = []
    for lines in (3, 7, 12):
        command = [sys.executable, "-W", "ignore", "-c", script]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            told += [word for _ in range(lines) for word in child.stdout.readline().split()[1:]]
            child.send_signal(signal.SIGKILL)
            rest = [line.split() for line in child.stdout.read().splitlines()]
        told += [w for words in rest[:-1] for w in words[1:]]  # the last line may be torn
    vault = opened(tmp_path)
    vault.recover()
    assert len(told) >= 44
    assert len(set(told)) == len(told)
    for evidence_id in told:
        assert vault.exchange(evidence_id).response_body.startswith(b"page ")
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures
    assert vault.recover() == []


# — sealing, stamps, recovery —


def test_stamp_when_the_authority_answers_and_pending_until_then(tmp_path: Path, authority: Authority) -> None:
    vault = opened(tmp_path, authority)
    authority.mode = "down"
    with vault.open_run("r", {}) as run:
        run.append(exchange(b"1", CLOCK))
        first = run.seal()
        run.append(exchange(b"2", CLOCK))
        run.seal(stamp=False)
    assert first is not None
    assert first.timestamp == "pending"
    assert "503" in first.reasons[0]
    assert vault.pending() == ["batch.r.0001", "batch.r.0002"]
    assert [s.timestamp for s in vault.stamp_pending()] == ["pending"]  # asks once, not for each
    relaxed = verify_vault(tmp_path / "evidence", tsa_ca=authority.ca)
    assert relaxed.ok
    assert sum("未加盖" in w.what for w in relaxed.warnings) == 2
    assert not verify_vault(tmp_path / "evidence", tsa_ca=authority.ca, require_timestamp=True).ok
    authority.mode = "ok"
    assert [s.timestamp for s in opened(tmp_path, authority).stamp_pending()] == ["stamped", "stamped"]
    assert vault.pending() == []
    done = verify_vault(tmp_path / "evidence", tsa_ca=authority.ca, require_timestamp=True)
    assert done.ok, done.failures
    assert done.checked["timestamps"] == 3  # two batches and the newest head of the log
    assert [e.data["id"] for e in opened(tmp_path).log.events() if e.kind == "evidence.stamped"] == [
        "batch.r.0001",
        "batch.r.0002",
    ]


@pytest.mark.parametrize("mode", ["nonce", "hash", "garbage"])
def test_lying_authority_never_stamps(tmp_path: Path, authority: Authority, mode: str) -> None:
    vault = opened(tmp_path, authority)
    authority.mode = mode
    try:
        with vault.open_run("r", {}) as run:
            run.append(exchange(b"1", CLOCK))
            sealed = run.seal()
    finally:
        authority.mode = "ok"
    assert sealed is not None
    assert sealed.timestamp == "pending"
    assert not sealed.path.with_suffix(".tsr").exists()


def test_clock_that_runs_ahead_is_named(tmp_path: Path, authority: Authority) -> None:
    ahead = SimulatedClock(datetime.now(UTC) + timedelta(minutes=6))
    vault = Vault.open(
        tmp_path / "evidence", keys=tmp_path / "keys", clock=ahead, tsa_urls=(authority.url,), tsa_ca=authority.ca
    )
    with vault.open_run("r", {}) as run:
        run.append(exchange(b"1", ahead))
        run.seal()
    event = next(e for e in vault.log.events() if e.kind == "evidence.stamped")
    assert event.data["authority_minus_clock_s"] <= -359
    report = verify_vault(tmp_path / "evidence", tsa_ca=authority.ca)
    assert any("时钟比时间戳快" in w.what for w in report.warnings)


@pytest.mark.parametrize("point", ["before manifest", "before log", "before marker"])
def test_kill_while_sealing_is_finished_or_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """Wherever the power fails between the steps, recovery leaves a vault that verifies, and nothing twice in the log."""
    vault = opened(tmp_path)
    run = vault.open_run("r", {})
    run.append(exchange(PAGE, CLOCK))
    run.commit()

    class PowerCut(Exception):
        pass

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    if point == "before manifest":
        monkeypatch.setattr(vault.signer, "sign", cut)
    elif point == "before log":
        monkeypatch.setattr(vault.log, "append", cut)
    else:
        whole = vault.log.append

        def logged_then_cut(*args: object) -> None:
            whole(*args)  # type: ignore[arg-type]
            raise PowerCut

        monkeypatch.setattr(vault.log, "append", logged_then_cut)
    with pytest.raises(PowerCut):
        run.seal()
    monkeypatch.undo()
    run._close_files()
    run._lock.close()
    again = opened(tmp_path)
    again.recover()
    assert again.recover() == []
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures
    assert report.checked["batches"] == 1
    assert [e.data["id"] for e in again.log.events() if e.kind == "evidence.sealed"] == ["batch.r.0001"]


def test_sealed_is_never_rewritten(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        run.append(exchange(b"1", CLOCK))
        sealed = run.seal()
    assert sealed is not None
    before = sealed.path.read_bytes()
    with pytest.raises(InputError, match="不得改写"):
        vault.seal_manifest(sealed.path, {"id": "batch.r.0001", "kind": "other"})
    assert sealed.path.read_bytes() == before


def test_unknown_evidence(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    for wrong in ("http.r.0001.0", "http.../x.1.2", "../../x", "f" * 32, "http.r"):
        with pytest.raises((InputError, Unverifiable)):
            vault.manifest(wrong)
    with vault.open_run("r", {}) as run:
        record = run.append(exchange(b"1", CLOCK))
        run.commit()
        with pytest.raises(InputError, match="尚未封存"):
            vault.manifest(record.evidence_id)


# — log —


def log_of(folder: Path) -> Log:
    return Log(folder, CLOCK)


def test_log_survives_a_torn_line_and_says_so(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    for number in range(5):
        log.append("x", {"n": number})
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"seq":5,"torn')
    again = log_of(tmp_path)
    assert len(again) == 5
    again.append("y", {})
    kinds = [e.kind for e in again.events()]
    assert kinds == ["x"] * 5 + ["log.torn-line-cut", "y"]


def test_two_writers_share_one_chain(tmp_path: Path) -> None:
    a, b = log_of(tmp_path), log_of(tmp_path)
    for number in range(6):
        (a if number % 2 else b).append("x", {"n": number})
    prev = "0" * 64
    for event in log_of(tmp_path).events():
        assert json.loads(event.line)["prev"] == prev
        prev = hashlib.sha256(event.line).hexdigest()
    a.refresh()
    assert [e.data["n"] for e in a.events()] == list(range(6))
    assert a.tree.root() == log_of(tmp_path).tree.root()


def test_lost_index_is_rebuilt(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    for number in range(9):
        log.append("x", {"n": number})
    root = log.tree.root()
    (tmp_path / "index.bin").unlink()
    assert log_of(tmp_path).tree.root() == root
    (tmp_path / "index.bin").write_bytes(b"\x00" * 400)
    assert log_of(tmp_path).tree.root() == root


def test_checkpoints_prove_inclusion_and_consistency(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    heads = []
    for number in range(7):
        vault.record("x", {"n": number})
        heads.append(vault.checkpoint())
    assert vault.checkpoint() == heads[-1]
    tree = vault.log.tree
    for old in heads:
        for new in heads[heads.index(old) :]:
            assert consistency_holds(old.size, new.size, old.root, new.root, tree.consistency(old.size, new.size))
    for event in vault.log.events(0, 3):
        head = heads[3]
        assert inclusion_holds(
            leaf_hash(event.line), event.seq, head.size, tree.inclusion(event.seq, head.size), head.root
        )
    assert base64.b64encode(heads[0].root) in heads[0].text


# — verify the whole store —


def named(report: Report, where: str, what: str) -> bool:
    return any(where in f.where and re.search(what, f.what) for f in report.failures)


def change(path: Path, how: Callable[[bytes], bytes]) -> None:
    path.chmod(0o644)
    path.write_bytes(how(path.read_bytes()))


def flipped(at: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def swapped(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([lines[0], lines[2], lines[1], *lines[3:]])


VAULT_CHANGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "segment byte": (lambda e: change(e / "warc/r/0001.warc.gz", flipped(700)), "0001.warc.gz", "SHA-256 不符"),
    "segment cut": (lambda e: change(e / "warc/r/0001.warc.gz", lambda c: c[:-50]), "0001.warc.gz", "长度不符"),
    "record line": (lambda e: change(e / "warc/r/0001.records.jsonl", flipped(-5)), "0001.warc.gz", "Merkle"),
    "revisit byte": (lambda e: change(e / "warc/r/0002.revisits.gz", flipped(60)), "0002.revisits.gz", "SHA-256 不符"),
    "revisits gone": (lambda e: (e / "warc/r/0002.revisits.gz").unlink(), "0002.revisits.gz", "不存在"),
    "manifest": (lambda e: change(e / "warc/r/0001.manifest.json", flipped(-30)), "0001.manifest.json", "签名不成立"),
    "signature": (lambda e: change(e / "warc/r/0001.manifest.sig", flipped(9)), "0001.manifest.json", "签名不成立"),
    "log reordered": (lambda e: change(e / "log/events.jsonl", swapped), "events.jsonl 第 2 行", "不相接"),
    "log rewritten": (lambda e: change(e / "log/events.jsonl", flipped(20)), "checkpoints", "历史被改写"),
    "log cut": (
        lambda e: change(e / "log/events.jsonl", lambda c: c[: c.rstrip(b"\n").rfind(b"\n") + 1]),
        "checkpoints",
        "截短",
    ),
    "batch gone": (lambda e: (e / "warc/r/0002.manifest.json").unlink(), "batch.r.0002", "证据不存在"),
    "object": (lambda e: change(next((e / "objects").glob("??/*")), flipped(0)), "objects/", "内容与摘要不符"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    vault = opened(folder)
    with vault.open_run("r", {}) as run:
        first = run.append(exchange(b"0" * 3000, CLOCK))
        run.seal()
        run.append(exchange(b"1" * 3000, CLOCK))
        run.append(exchange(b"0" * 3000, CLOCK), earlier=first.evidence_id)
        run.seal()
    vault.store.put(b"an object")
    vault.record("x", {})
    vault.checkpoint()
    return folder / "evidence"


@pytest.mark.parametrize("name", VAULT_CHANGES)
def test_change_in_the_store_is_found_and_named(whole: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "evidence"
    shutil.copytree(whole, copy)
    assert verify_vault(copy).ok
    how, where, what = VAULT_CHANGES[name]
    how(copy)
    report = verify_vault(copy)
    assert named(report, where, what), report.failures


def test_verify_says_how_far_it_is(whole: Path) -> None:
    told: list[tuple[str, int]] = []
    verify_vault(whole, progress=lambda what, count: told.append((what, count)))
    assert ("网络级批次", 2) in told
    with pytest.raises(InputError):
        verify_vault(whole / "nothing")


def test_interrupted_check_goes_on_and_never_passes_a_change_over(whole: Path, tmp_path: Path) -> None:
    copy, note = tmp_path / "evidence", tmp_path / "note"
    shutil.copytree(whole, copy)
    clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=UTC))

    def check(stop_at: str = "") -> Report:
        def progress(what: str, count: int) -> None:
            if what == stop_at:
                raise KeyboardInterrupt

        return verify_vault(copy, progress=progress, resume=note, clock=clock)

    for _ in range(2):  # stopped at the first batch, and again: the first batch is not looked at twice
        with pytest.raises(KeyboardInterrupt):
            check("网络级批次")
    change(copy / "warc/r/0002.warc.gz", flipped(300))
    again = check()
    assert again.checked["resumed"] == 1
    assert named(again, "0002.warc.gz", "SHA-256 不符")
    assert not note.exists()  # a check that came to its end is begun anew
    assert "resumed" not in check().checked
    with pytest.raises(KeyboardInterrupt):
        check("网络级批次")
    change(copy / "warc/r/0001.warc.gz", flipped(300))  # passed before, changed since
    assert named(check(), "0001.warc.gz", "SHA-256 不符")
    with pytest.raises(KeyboardInterrupt):
        check("网络级批次")
    clock.advance(timedelta(days=1))
    assert "resumed" not in check().checked


def test_other_process_may_not_read_the_key(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "keys" / "signing-key.private.pem").chmod(0o640)
    with pytest.raises(EnvironmentFault, match="chmod 600"):
        opened(tmp_path)


def test_rotated_key_still_verifies_what_the_old_one_signed(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        run.append(exchange(b"1", CLOCK))
        run.seal()
        old = vault.signer.id
        new = vault.rotate_key()
        run.append(exchange(b"2", CLOCK))
        run.seal()
    assert old != new
    vault.checkpoint()
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures
    assert any(e.kind == "key.rotated" for e in vault.log.events())


# — retention —


def test_deletion_needs_a_ground_respects_a_hold_and_stays_provable(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        record = run.append(exchange(b"1", CLOCK))
        run.seal()
    with pytest.raises(InputError, match="理由"):
        retention.delete(vault, record.evidence_id, officer="张三", ground=" ")
    retention.hold(vault, record.evidence_id, officer="张三", ground="行政复议")
    with pytest.raises(NotAllowed, match="留置"):
        retention.delete(vault, record.evidence_id, officer="张三", ground="保存期满")
    retention.release(vault, record.evidence_id, officer="张三", ground="复议终结")
    assert retention.delete(vault, record.evidence_id, officer="张三", ground="保存期满") == [
        "0001.records.jsonl",
        "0001.warc.gz",
    ]
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures
    assert report.checked["deleted"] == 1
    kinds = [e.kind for e in vault.log.events()]
    assert kinds[-3:] == ["evidence.held", "evidence.released", "evidence.deleted"]
    assert list(vault.log.events())[-1].data["ground"] == "保存期满"


def test_shared_files_of_a_capture_stay(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    entries = {}
    for name, content in {"own.txt": b"own", "shared.txt": b"shared"}.items():
        entries[name] = {**digest(content).as_json(), "mime": "text/plain", "role": "original"}
        vault.store.put(content)
    for number, files in (("a" * 32, entries), ("b" * 32, {"shared.txt": entries["shared.txt"]})):
        vault.seal_manifest(
            vault.new_capture_folder(number) / "manifest.json", {"id": number, "kind": "capture", "files": files}
        )
    assert retention.delete(vault, "a" * 32, officer="张三", ground="期满") == ["own.txt"]
    assert vault.file("b" * 32, "shared.txt").read_bytes() == b"shared"
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures


def test_newest_checkpoint_is_stamped_daily(tmp_path: Path, authority: Authority) -> None:
    clock = SimulatedClock(datetime.now(UTC))
    vault = Vault.open(tmp_path / "e", keys=tmp_path / "k", clock=clock, tsa_urls=(authority.url,), tsa_ca=authority.ca)
    vault.stamp_pending()
    vault.record("x", {})
    vault.stamp_pending()
    assert [c.size for c in vault.log.all_checkpoints()] == [1]
    clock.advance(timedelta(days=1))
    vault.stamp_pending()
    assert [(c.size, c.stamped) for c in vault.log.all_checkpoints()] == [(1, True), (2, True)]


def test_full_disk_while_committing_is_named_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        kept = run.append(exchange(b"kept", CLOCK))
        run.commit()
        run.append(exchange(b"late", CLOCK))

        def full(fd: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(EnvironmentFault, match="已满"):
                run.commit()
        run.seal()
    assert vault.exchange(kept.evidence_id).response_body == b"kept"
    assert verify_vault(tmp_path / "evidence").ok
