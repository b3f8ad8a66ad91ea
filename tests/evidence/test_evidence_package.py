"""An exported package: public tools accept it, every change to it is found and named."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from evidence_case import Sealed, exchange, unzip
from local_tsa import Authority

from contracts.clock import SystemClock
from evidence import offline
from evidence.dossier import CaseFile
from evidence.package import export_case
from evidence.verify import Report, verify

pytestmark = pytest.mark.browser
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def bag(sealed: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unzip(sealed.package, tmp_path_factory.mktemp("bag"))


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def data(bag: Path) -> Path:
    return bag / "data"


# — acceptance: the commands a stranger runs —


def test_bagit_accepts(bag: Path) -> None:
    done = run(sys.executable, "-W", "ignore", "-m", "bagit", "--validate", ".", cwd=bag)
    assert done.returncode == 0, done.stderr


def test_wacz_and_both_warc_readers_accept_every_capture(sealed: Sealed, bag: Path, tmp_path: Path) -> None:
    for folder in sorted((data(bag) / "captures").iterdir()):
        done = run(str(BIN / "wacz"), "validate", "-f", str(folder / "evidence.wacz"), cwd=bag)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Failed" not in done.stdout
        out = tmp_path / folder.name
        with zipfile.ZipFile(folder / "evidence.wacz") as archive:
            archive.extractall(out)
        warc = str(out / "archive" / "data.warc.gz")
        shown = run(str(BIN / "warcio"), "check", "-v", warc, cwd=bag).stdout
        assert not re.search("fail|error", shown, re.IGNORECASE)
        done = run(str(BIN / "fastwarc"), "check", warc, cwd=bag)
        assert done.returncode == 0, done.stdout + done.stderr
        index = (out / "indexes" / "index.cdxj").read_text().splitlines()
        assert shown.count("digest pass") == 1 + 2 * len(index)


def test_openssl_accepts_signature_stamp_and_digests(sealed: Sealed, bag: Path) -> None:
    for folder in sorted((data(bag) / "captures").iterdir()):
        c = str(folder)
        chain = ("-CAfile", "data/certs/tsa-chain.pem")
        for command in (
            ("openssl", "ts", "-verify", "-data", f"{c}/manifest.json", "-in", f"{c}/manifest.tsr", *chain),
            ("openssl", "ts", "-verify", "-queryfile", f"{c}/manifest.tsq", "-in", f"{c}/manifest.tsr", *chain),
            ("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "data/certs/signing-key.pem", "-rawin", "-in", f"{c}/manifest.json", "-sigfile", f"{c}/manifest.sig"),
        ):  # fmt: skip
            done = run(*command, cwd=bag)
            assert done.returncode == 0, done.stderr
    picture = data(bag) / "captures" / sealed.capture.evidence_id / "page.png"
    shown = run("openssl", "dgst", "-sm3", str(picture), cwd=bag).stdout
    assert sealed.capture.manifest["files"]["page.png"]["sm3"] in shown


def test_report_is_sound_pdf(bag: Path) -> None:
    content = (data(bag) / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"pdfaid" in content or b"PDF/A" in content


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")
def test_qpdf_accepts_the_report(bag: Path) -> None:
    assert run("qpdf", "--check", "data/report.pdf", cwd=bag).returncode == 0


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="pdffonts (poppler-utils) is not installed")
def test_all_fonts_are_embedded(bag: Path) -> None:
    rows = run("pdffonts", "data/report.pdf", cwd=bag).stdout.splitlines()[2:]
    assert rows
    assert all(" yes " in row and "Type 3" not in row for row in rows)


def test_the_verifier_in_the_package_runs_alone(bag: Path) -> None:
    """No third-party module, no network: an isolated Python and openssl."""
    done = run(sys.executable, "-I", "-S", "data/verify/verify.py", "--require-timestamp", cwd=bag)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "全部相符" in done.stdout


def test_layout_and_no_private_key(bag: Path) -> None:
    names = {p.relative_to(bag).as_posix() for p in bag.rglob("*") if p.is_file()}
    for name in ("report.pdf", "case.json", "custody.jsonl", "log/checkpoint.txt", "log/checkpoint.sig", "log/checkpoint.tsr", "log/proofs.json", "certs/signing-key.pem", "certs/tsa-chain.pem", "verify/verify.py", "verify/README.txt", "records/evidence-list.docx", "records/extraction-record.docx", "records/transfer-letter.docx", "records/case-source-register.docx"):  # fmt: skip
        assert f"data/{name}" in names
    assert all(name.isascii() for name in names)
    assert not any(b"PRIVATE KEY" in (bag / name).read_bytes() for name in names)


def test_forms_are_marked_as_drafts_and_prefilled(bag: Path) -> None:
    from docx import Document

    document = Document(str(data(bag) / "records" / "extraction-record.docx"))
    assert "草稿" in document.sections[0].header.paragraphs[0].text
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert "CASE-2026-0123" in cells
    assert any("张三" in cell for cell in cells)


def test_third_persons_are_masked_but_originals_are_not_touched(sealed: Sealed, bag: Path) -> None:
    case = (data(bag) / "case.json").read_text()
    assert "13812345678" not in case
    assert "138****5678" in case
    assert "11010519491231002X" not in case
    assert "010-12345678" in case
    original = data(bag) / "captures" / sealed.capture.evidence_id / "dom.html"
    assert hashlib.sha256(original.read_bytes()).hexdigest() == sealed.capture.files["dom.html"]


def test_our_verify_accepts_zip_folder_and_wacz(sealed: Sealed, bag: Path) -> None:
    for path in (sealed.package, bag):
        report = verify(path, require_timestamp=True, tsa_ca=sealed.authority.ca)
        assert report.ok, report.failures
        assert report.checked["captures"] == 4  # two full, a revisit, and the record it refers to
        assert report.checked["timestamps"] == 5
    assert verify(data(bag) / "captures" / sealed.capture.evidence_id / "evidence.wacz").ok


def test_export_is_byte_stable_and_enters_the_log(sealed: Sealed, tmp_path: Path) -> None:
    again = export_case(sealed.case, vault=sealed.vault, out_dir=tmp_path)
    assert again.read_bytes() == sealed.package.read_bytes()
    last = list(sealed.vault.log.events())[-1]
    assert last.kind == "case.exported"
    assert last.data["package_sha256"] == hashlib.sha256(again.read_bytes()).hexdigest()
    assert [p.name for p in tmp_path.iterdir()] == ["CASE-2026-0123.zip"]


def test_failed_export_leaves_nothing(sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contracts.errors import EnvironmentFault
    from evidence import report

    def no_font() -> None:
        raise EnvironmentFault("系统没有可用的中文字体")

    monkeypatch.setattr(report, "chinese_font", no_font)
    with pytest.raises(EnvironmentFault, match="中文字体"):
        export_case(sealed.case, vault=sealed.vault, out_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_older_checkpoint_is_proved_to_be_the_beginning_of_this_one(sealed: Sealed, tmp_path: Path) -> None:
    """A second case, exported later: its package shows that the log only grew since the first head."""
    sealed.vault.record("x", {})
    with sealed.vault.open_run("run2", {}) as patrol:
        record = patrol.append(exchange(b"later", SystemClock()))
        patrol.seal()
    later = CaseFile("CASE-2", "后案", captures=(record.evidence_id,))
    top = unzip(export_case(later, vault=sealed.vault, out_dir=tmp_path / "out"), tmp_path / "bag")
    assert verify(top, require_timestamp=True).ok
    proofs = top / "data" / "log" / "proofs.json"
    value = json.loads(proofs.read_bytes())
    assert len(value["consistency"]) == 1
    value["consistency"][0]["proof"][0] = "00" * 32
    proofs.chmod(0o644)
    proofs.write_text(json.dumps(value))
    assert named(verify(top), "log/proofs.json 检查点", "不一致")
    done = run(sys.executable, "-I", "-S", "data/verify/verify.py", cwd=top)
    assert "前后检查点不一致" in done.stdout


EXPORTER = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from contracts.clock import SystemClock
from evidence import package
from evidence import offline
from evidence.dossier import CaseFile
from evidence.vault import Vault
whole = package.zip_stream
def told(*arguments):
    print("zipping", flush=True)
    whole(*arguments)
    sys.stdin.read()
package.zip_stream = told
vault = Vault.open(Path({folder!r}) / "evidence", keys=Path({folder!r}) / "keys", clock=SystemClock())
package.export_case(CaseFile("CASE-9", "t", captures=({capture!r},)), vault=vault, out_dir=Path({out!r}))
"""


def test_kill_while_exporting_leaves_no_package(sealed: Sealed, tmp_path: Path) -> None:
    tests = Path(__file__).parent
    words = {"root": str(tests.parents[1]), "tests": str(tests), "folder": str(sealed.root), "out": str(tmp_path)}
    script = EXPORTER.format(**words, capture=sealed.second)
    command = [sys.executable, "-W", "ignore", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "zipping\n"
        child.kill()
    assert not (tmp_path / "CASE-9.zip").exists()
    case = CaseFile("CASE-9", "t", captures=(sealed.second,))
    assert verify(export_case(case, vault=sealed.vault, out_dir=tmp_path)).ok
    assert [p.name for p in tmp_path.iterdir()] == ["CASE-9.zip"]  # what the killed one left is swept


# — negative controls —


def rebag(bag: Path) -> None:
    """What a careful forger does: fit the BagIt digests to the change. The signature over them he cannot make."""
    payload = sorted(p.relative_to(bag).as_posix() for p in (bag / "data").rglob("*") if p.is_file())
    tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt", "package.sig"]
    for kind, names in (("manifest", payload), ("tagmanifest", tags)):
        for algorithm in ("sha256", "sha512"):
            lines = [f"{hashlib.new(algorithm, (bag / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
            (bag / f"{kind}-{algorithm}.txt").write_text("".join(lines))


def flip(path: Path, at: int = -30) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def rewrite_wacz(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def change_lines(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def drop_index(members: dict[str, bytes]) -> None:
    del members["indexes/index.cdxj"]
    package = json.loads(members["datapackage.json"])
    package["resources"] = [r for r in package["resources"] if not r["path"].startswith("indexes/")]
    members["datapackage.json"] = json.dumps(package).encode()
    fit_digest(members)


def fit_digest(members: dict[str, bytes]) -> None:
    sha = hashlib.sha256(members["datapackage.json"]).hexdigest()
    members["datapackage-digest.json"] = json.dumps({"path": "datapackage.json", "hash": f"sha256:{sha}"}).encode()


def flip_warc(members: dict[str, bytes]) -> None:
    """One byte of a stored record, the package's own digests fitted: only the record's digest is left to tell."""
    warc = bytearray(members["archive/data.warc.gz"])
    warc[len(warc) // 2] ^= 1
    members["archive/data.warc.gz"] = bytes(warc)
    package = json.loads(members["datapackage.json"])
    for resource in package["resources"]:
        if resource["path"].startswith("archive/"):
            resource["hash"] = f"sha256:{hashlib.sha256(bytes(warc)).hexdigest()}"
    members["datapackage.json"] = json.dumps(package).encode()
    fit_digest(members)


def wrong_digest_file(members: dict[str, bytes]) -> None:
    members["datapackage-digest.json"] = json.dumps({"path": "datapackage.json", "hash": "sha256:" + "0" * 64}).encode()


def swap_stamps(a: Path, b: Path) -> None:
    left, right = (a / "manifest.tsr").read_bytes(), (b / "manifest.tsr").read_bytes()
    (a / "manifest.tsr").write_bytes(right)
    (b / "manifest.tsr").write_bytes(left)


Tamper = Callable[[Path, Path, Path], object]  # data folder, capture folder, http folder
NEGATIVE: dict[str, tuple[Tamper, str, str]] = {
    "picture": (lambda d, c, h: flip(c / "page.png"), "page.png", "SHA-256 不符"),
    "warc in wacz": (lambda d, c, h: rewrite_wacz(c / "evidence.wacz", flip_warc), "evidence.wacz", "压缩数据损坏|摘要不符"),
    "manifest": (lambda d, c, h: flip(c / "manifest.json", 60), "manifest.json", "签名不成立|无法读取"),
    "custody byte": (lambda d, c, h: flip(d / "custody.jsonl"), "custody.jsonl", "不符|不相接|无法读取"),
    "log lines reordered": (lambda d, c, h: change_lines(d / "custody.jsonl", lambda x: [x[1], x[0], *x[2:]]), "custody.jsonl 第 1 行", "不相接"),
    "log truncated": (lambda d, c, h: change_lines(d / "custody.jsonl", lambda x: x[:-1]), "custody.jsonl", "与 case.json 所记不符"),
    "log line dropped inside": (lambda d, c, h: change_lines(d / "custody.jsonl", lambda x: [x[0], *x[2:]]), "custody.jsonl 第 2 行", "不相接"),
    "stamps swapped": (lambda d, c, h: swap_stamps(c, h), "manifest.tsr", "摘要不符"),
    "digest file changed": (lambda d, c, h: rewrite_wacz(c / "evidence.wacz", wrong_digest_file), "evidence.wacz", "datapackage-digest.json 的 hash"),
    "index deleted": (lambda d, c, h: rewrite_wacz(c / "evidence.wacz", drop_index), "evidence.wacz", "缺少索引"),
    "record bytes": (lambda d, c, h: flip(h / "record.warc.gz", 100), "record.warc.gz", "摘要不符|损坏"),
    "file deleted": (lambda d, c, h: (c / "page.mhtml").unlink(), "page.mhtml", "不存在"),
    "file added": (lambda d, c, h: (c / "extra.txt").write_text("x"), "package.sig", "签名不成立"),
    "signature": (lambda d, c, h: flip(c / "manifest.sig"), "manifest.json", "签名不成立"),
    "checkpoint": (lambda d, c, h: change_lines(d / "log" / "checkpoint.txt", lambda x: [x[0], b"99\n", *x[2:]]), "log/checkpoint.txt", "签名不成立"),
    "capture removed": (lambda d, c, h: shutil.rmtree(c), "case.json", "不一致"),
    "case facts": (lambda d, c, h: (d / "case.json").write_text((d / "case.json").read_text().replace("某茶叶店", "某咖啡店")), "package.sig", "签名不成立"),
}  # fmt: skip


@pytest.fixture
def forged(sealed: Sealed, bag: Path, tmp_path: Path) -> Path:
    copy = tmp_path / bag.name
    shutil.copytree(bag, copy)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


def named(report: Report, where: str, what: str) -> bool:
    return any(where in f.where and re.search(what, f.what) for f in report.failures)


@pytest.mark.parametrize("name", NEGATIVE)
def test_change_is_found_and_named(sealed: Sealed, forged: Path, name: str) -> None:
    tamper, where, what = NEGATIVE[name]
    inside = forged / "data" / "captures"
    tamper(forged / "data", inside / sealed.capture.evidence_id, inside / sealed.http[0])
    plain = verify(forged)
    assert not plain.ok
    rebag(forged)
    report = verify(forged)
    assert named(report, where, what), report.failures
    assert named(report, "package.sig", "签名不成立")


def test_offline_verifier_finds_a_change_too(sealed: Sealed, forged: Path) -> None:
    flip(forged / "data" / "captures" / sealed.capture.evidence_id / "page.png")
    swap_stamps(*((forged / "data" / "captures" / i) for i in (sealed.capture.evidence_id, sealed.second)))
    done = run(sys.executable, "-I", "-S", "data/verify/verify.py", cwd=forged)
    assert done.returncode == 1
    assert "page.png:SHA-256 不符" in done.stdout
    assert "时间戳不是盖在该文件上的" in done.stdout


def test_stamp_of_another_root_is_refused(sealed: Sealed, bag: Path, forged: Path, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    stranger.make()
    report = verify(bag, tsa_ca=stranger.ca)
    assert named(report, "manifest.tsr", "证书链")
    folder = forged / "data" / "captures" / sealed.capture.evidence_id
    query = (folder / "manifest.tsq").read_bytes()
    (folder / "manifest.tsr").write_bytes(stranger.reply(query))
    assert named(verify(forged), f"{folder.name}/manifest.json (manifest.tsr)", "证书链")
    done = run(sys.executable, "-I", "-S", "data/verify/verify.py", cwd=forged)
    assert "证书链不成立" in done.stdout


def test_missing_stamp_warns_and_fails_only_when_demanded(sealed: Sealed, forged: Path) -> None:
    folder = forged / "data" / "captures" / sealed.capture.evidence_id
    for name in ("manifest.tsr", "manifest.tsq"):
        (folder / name).unlink()
    rebag(forged)
    relaxed = verify(forged)
    assert any("未加盖" in w.what and folder.name in w.where for w in relaxed.warnings)
    assert {f.where for f in relaxed.failures} == {"package.sig"}
    assert named(verify(forged, require_timestamp=True), folder.name, "未加盖可信时间戳")


def test_damaged_member_of_the_zip_is_a_failure_that_names_it(sealed: Sealed, tmp_path: Path) -> None:
    """One byte of the zip itself: the member cannot be unpacked, everything else is still checked."""
    package = tmp_path / "CASE.zip"
    name = f"{sealed.case.case_id}/data/captures/{sealed.capture.evidence_id}/page.png"
    with zipfile.ZipFile(sealed.package) as archive:
        at = archive.getinfo(name).header_offset + 5000
    content = bytearray(sealed.package.read_bytes())
    content[at] ^= 1
    package.write_bytes(content)
    report = verify(package, tsa_ca=sealed.authority.ca)
    inside = name.partition("/")[2]
    assert {(f.where, f.what) for f in report.failures} >= {(inside, "压缩包内容损坏,无法解出")}
    assert all("page.png" in f.where for f in report.failures), report.failures
    assert report.checked["captures"] == 4
    checker = tmp_path / "verify.py"
    checker.write_bytes(Path(offline.__file__).read_bytes())
    done = run(sys.executable, "-I", "-S", str(checker), str(package), cwd=tmp_path)
    assert done.returncode == 1
    assert f"{inside}:压缩包内容损坏" in done.stdout


def test_package_of_a_revisit_proves_the_revisit(sealed: Sealed, bag: Path, forged: Path) -> None:
    """The second visit is proved by its own sealed record, the body by the first; a change to either is found."""
    first, again = sealed.http
    folder = bag / "data" / "captures" / again
    record = gzip.decompress((folder / "record.warc.gz").read_bytes())
    assert b"WARC-Type: revisit" in record
    assert f"<urn:x-wangxun:{first}>".encode() in record
    changed = record.replace(b"Date: ", b"Date: 1", 1)
    assert changed != record
    (forged / "data" / "captures" / again / "record.warc.gz").write_bytes(gzip.compress(changed))
    shutil.rmtree(forged / "data" / "captures" / first)
    report = verify(forged)
    assert named(report, f"{again}/record.warc.gz", "摘要不符")
    assert named(report, again, f"缺少首次记录 {first}")


def test_command_line(sealed: Sealed, bag: Path, forged: Path) -> None:
    root = Path(__file__).parents[2]

    def wangxun(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "WANGXUN_DATA_DIR": str(sealed.root), "WANGXUN_TSA_CA": str(sealed.authority.ca)}
        command = [sys.executable, "-m", "wangxun", "verify", *words]
        return subprocess.run(command, capture_output=True, text=True, env=env, cwd=root, check=False, timeout=120)

    good = wangxun(str(sealed.package), "--require-timestamp")
    assert good.returncode == 0, good.stderr
    assert "全部相符" in good.stdout
    flip(forged / "data" / "captures" / sealed.capture.evidence_id / "page.png")
    bad = wangxun(str(forged), "--json")
    assert bad.returncode == 1
    assert any("page.png" in f["where"] for f in json.loads(bad.stdout)["failures"])
    whole = wangxun("--all", "--json")
    assert whole.returncode == 0, whole.stdout
    assert json.loads(whole.stdout)["checked"]["captures"] == 2
    for words in ((), (str(bag), "--all"), ("/nowhere.zip",), (str(Path(__file__)),)):
        unusable = wangxun(*words)
        assert unusable.returncode == 2, words
        assert len(unusable.stderr.strip().splitlines()) == 1
