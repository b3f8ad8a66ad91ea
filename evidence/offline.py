#!/usr/bin/env python3
"""离线核验 — checks an evidence package, or a WACZ, with Python's own library and the `openssl` program alone.

    python3 verify.py            checks the package this file lies in
    python3 verify.py PATH       a package (zip or folder) or a .wacz
    … --require-timestamp        a missing time stamp counts as a failure
    … --tsa-ca root.pem          trusts this root instead of the chain that came with the package

Every link is checked: BagIt digests → package signature → manifest signature and time stamp → every file's SHA-256 and SM3
→ WACZ data package, index and WARC records → log entry, Merkle proof, signed checkpoint → custody chain.
Ends 0 when everything holds, 1 when something does not, 2 when the input cannot be used.

This one file is copied into every package; the product's own `verify` runs the same checks with another engine.
It imports nothing of the product.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO, Protocol

CHUNK = 1 << 20
MAX_SMALL = 64 << 20  # bytes of a file that is read whole (manifests, proofs, custody)
MAX_RECORD = 512 << 20  # bytes of one WARC record, unpacked
MAX_UNPACKED = 64 << 30  # bytes of a whole package
LATEST_SKEW = timedelta(minutes=5)
ORIGIN = "wangxun-evidence-log"
GENESIS = "0" * 64


class Unusable(Exception):
    """The input is no package and no WACZ."""


@dataclass
class Findings:
    """What was counted, what does not hold (where, what), what deserves a remark."""

    checked: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + number

    def fail(self, where: str, what: str) -> None:
        self.failures.append((where, what))

    def warn(self, where: str, what: str) -> None:
        self.warnings.append((where, what))


class Engine(Protocol):
    """Signatures and time stamps. Each answers an empty string, or what is wrong."""

    def signature(self, public_pem: bytes, data: bytes, signature: bytes) -> str: ...

    def sm2(self, public_pem: bytes, data: bytes, signature: bytes) -> str: ...

    def stamp(self, data: bytes, answer: bytes, query: bytes, chain_pem: bytes) -> tuple[str, datetime | None]:
        """What is wrong, and the stamped time."""
        ...


class OpenSSL:
    """The engine of the offline verifier: the `openssl` program."""

    def _run(self, *arguments: str) -> tuple[bool, str]:
        try:
            done = subprocess.run(  # noqa: S603 - fixed program, our own temporary files
                ["openssl", *arguments],  # noqa: S607 - the reader's own openssl, wherever it is
                capture_output=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Unusable(f"openssl 无法运行:{error}") from error
        return done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")

    def signature(self, public_pem: bytes, data: bytes, signature: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            key, content, sig = (Path(folder) / name for name in ("key.pem", "data", "sig"))
            key.write_bytes(public_pem)
            content.write_bytes(data)
            sig.write_bytes(signature)
            command = (
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                str(key),
                "-rawin",
                "-in",
                str(content),
                "-sigfile",
                str(sig),
            )
            return "" if self._run(*command)[0] else "签名不成立"

    def sm2(self, public_pem: bytes, data: bytes, signature: bytes) -> str:
        """SM2 over SM3 with the default identity."""
        with tempfile.TemporaryDirectory() as folder:
            key, content, sig = (Path(folder) / name for name in ("key.pem", "data", "sig"))
            key.write_bytes(public_pem)
            content.write_bytes(data)
            sig.write_bytes(signature)
            identity = ("-sigopt", "distid:1234567812345678")
            command = ("dgst", "-sm3", "-verify", str(key), *identity, "-signature", str(sig), str(content))
            return "" if self._run(*command)[0] else "SM2 签名不成立"

    def stamp(self, data: bytes, answer: bytes, query: bytes, chain_pem: bytes) -> tuple[str, datetime | None]:
        with tempfile.TemporaryDirectory() as folder:
            content, reply, asked, chain = (Path(folder) / name for name in ("data", "tsr", "tsq", "chain.pem"))
            content.write_bytes(data)
            reply.write_bytes(answer)
            asked.write_bytes(query)
            chain.write_bytes(chain_pem)
            _, text = self._run("ts", "-reply", "-in", str(reply), "-text")
            at = _openssl_time(text)
            if at is None:
                return "时间戳应答无法读取或被拒绝", None
            common = ("-in", str(reply), "-CAfile", str(chain), "-attime", str(int(at.timestamp())))
            held, text = self._run("ts", "-verify", "-data", str(content), *common)
            if not held:
                why = "时间戳不是盖在该文件上的(摘要不符)" if "imprint" in text else "时间戳签名或证书链不成立"
                return why, at
            if query and not self._run("ts", "-verify", "-queryfile", str(asked), *common)[0]:
                return "时间戳应答与请求不符(随机数)", at
            return "", at


def _openssl_time(text: str) -> datetime | None:
    found = re.search(r"Time stamp: (\w{3}) +(\d+) (\d+):(\d+):(\d+)(?:\.\d+)? (\d{4}) GMT", text)
    if not found:
        return None
    month, day, hour, minute, second, year = found.groups()
    names = "JanFebMarAprMayJunJulAugSepOctNovDec"
    number = names.index(month) // 3 + 1
    return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=timezone.utc)  # noqa: UP017 - runs on older Pythons too


# — digests —


def _sm3() -> Any:
    try:
        return hashlib.new("sm3")
    except ValueError:
        return None


def digests(path: Path) -> tuple[str, str, int]:
    """SHA-256, SM3 ("" where this machine has none) and size of a file, streamed."""
    sha, sm3, size = hashlib.sha256(), _sm3(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
            if sm3 is not None:
                sm3.update(chunk)
            size += len(chunk)
    return sha.hexdigest(), sm3.hexdigest() if sm3 is not None else "", size


def small(path: Path) -> bytes:
    """A file read whole. Raises OSError when absent or absurdly large."""
    if path.stat().st_size > MAX_SMALL:
        raise OSError(f"文件过大:{path.name}")
    return path.read_bytes()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def inclusion_holds(leaf: bytes, index: int, size: int, path: Iterable[bytes], root: bytes) -> bool:
    """RFC 9162 §2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, value = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            value = hashlib.sha256(b"\x01" + step + value).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = hashlib.sha256(b"\x01" + value + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == root


def consistency_holds(old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 §2.1.4.2: the tree of `new` leaves begins with the tree of `old` leaves."""
    if old == new:
        return not path and old_root == new_root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not 0 < old < new or not steps:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first = hashlib.sha256(b"\x01" + step + first).digest()
            second = hashlib.sha256(b"\x01" + step + second).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = hashlib.sha256(b"\x01" + second + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root


# — manifests: signature and stamp —


@dataclass
class Trust:
    """Keys by id, the certificate chain that stamps must lead to, and whether a stamp is demanded."""

    engine: Engine
    keys: dict[str, bytes]
    chain: bytes
    require_timestamp: bool = False


def check_sealed(path: Path, where: str, trust: Trust, out: Findings, *, key: str = "") -> None:
    """Signature and time stamp beside a signed file (`.sig`, `.tsq`, `.tsr`)."""
    data = small(path)
    key = key or str(json.loads(data).get("key", ""))
    pem = trust.keys.get(key)
    if pem is None:
        out.fail(where, f"没有签名所用的公钥 {key[:40]}")
    else:
        try:
            wrong = trust.engine.signature(pem, data, small(path.with_suffix(".sig")))
        except OSError:
            wrong = "缺少签名文件"
        if wrong:
            out.fail(where, wrong)
        out.count("signatures")
    if data.startswith(b"{") and (second := str(json.loads(data).get("sm2_key", ""))):
        _check_sm2(path, where, second, trust, out, data)
    check_stamp(path, where, trust, out, data)


def _check_sm2(path: Path, where: str, key: str, trust: Trust, out: Findings, data: bytes) -> None:
    """A manifest that names an SM2 key must bear its signature: one that was taken away is noticed."""
    pem = trust.keys.get(key)
    if pem is None:
        out.fail(where, f"没有签名所用的公钥 {key[:40]}")
        return
    try:
        wrong = trust.engine.sm2(pem, data, small(path.with_suffix(".sm2")))
    except OSError:
        wrong = "缺少 SM2 签名文件"
    if wrong:
        out.fail(where, wrong)
    out.count("sm2_signatures")


def check_stamp(path: Path, where: str, trust: Trust, out: Findings, data: bytes) -> None:
    answer = path.with_suffix(".tsr")
    if not answer.exists():
        (out.fail if trust.require_timestamp else out.warn)(where, "未加盖可信时间戳")
        return
    if not trust.chain:
        (out.fail if trust.require_timestamp else out.warn)(where, "有时间戳而未给出根证书,未核验")
        return
    query = path.with_suffix(".tsq")
    wrong, at = trust.engine.stamp(data, small(answer), small(query) if query.exists() else b"", trust.chain)
    if wrong:
        out.fail(f"{where} ({answer.name})", wrong)
    elif at is not None:
        _compare_clock(data, at, where, out)
    out.count("timestamps")


def _compare_clock(data: bytes, at: datetime, where: str, out: Findings) -> None:
    """A stamp earlier than our own time means our clock was ahead."""
    try:
        claimed = datetime.fromisoformat(json.loads(data)["sealed_at"])
    except (ValueError, KeyError, TypeError):
        return
    if claimed - at > LATEST_SKEW:
        out.warn(where, f"本机时钟比时间戳快 {int((claimed - at).total_seconds())} 秒,应以时间戳为准")


# — full captures —


def check_capture(folder: Path, where: str, trust: Trust, out: Findings) -> dict[str, Any]:
    """A capture's folder: manifest, signature, stamp, every file named in it, the WACZ. Answers the manifest."""
    path = folder / "manifest.json"
    manifest: dict[str, Any] = json.loads(small(path))
    check_sealed(path, f"{where}/manifest.json", trust, out)
    if manifest.get("kind") == "http-batch":
        check_http_record(folder, where, manifest, out)
        return manifest
    for name, entry in manifest.get("files", {}).items():
        check_file(folder / name, f"{where}/{name}", entry, out)
    if manifest.get("clock") == "模拟时间":
        out.warn(where, "模拟时间,永不得作为正式证据")
    if (folder / "evidence.wacz").exists():
        check_wacz(folder / "evidence.wacz", f"{where}/evidence.wacz", out)
    return manifest


def check_file(path: Path, where: str, entry: dict[str, Any], out: Findings) -> None:
    """One file against its entry {bytes, sha256, sm3}."""
    if not path.is_file():
        out.fail(where, "清单所列文件不存在")
        return
    sha256, sm3, size = digests(path)
    if size != entry["bytes"]:
        out.fail(where, f"长度不符:清单 {entry['bytes']},实际 {size}")
    if sha256 != entry["sha256"]:
        out.fail(where, "SHA-256 不符")
    if not sm3:
        out.warn(where, "本机无 SM3,未核验")
    elif sm3 != entry["sm3"]:
        out.fail(where, "SM3 不符")
    out.count("files")


def check_http_record(folder: Path, where: str, manifest: dict[str, Any], out: Findings) -> None:
    """Network level: the record's bytes lead by a Merkle proof to the sealed batch, and the replay file shows just that body."""
    proof = json.loads(small(folder / "record.json"))
    line = str(proof["line"]).encode()
    part = manifest[proof.get("part", "records")]
    root, count = bytes.fromhex(part["root"]), int(part["count"])
    path = [bytes.fromhex(step) for step in proof["proof"]]
    if not inclusion_holds(leaf_hash(line), int(proof["index"]), count, path, root):
        out.fail(f"{where}/record.json", "记录不在该批次之内(Merkle 证明不成立)")
    span = json.loads(line)
    raw = small(folder / "record.warc.gz")
    if proof.get("part") == "revisits":  # sealed unpacked: many share one compression window
        raw = _unzipped(raw)
    if len(raw) != span["length"] or hashlib.sha256(raw).hexdigest() != span["sha256"]:
        out.fail(f"{where}/record.warc.gz", "记录字节与批次所记摘要不符")
    with (folder / "record.warc.gz").open("rb") as file:
        sealed = next(read_records(file), None)
    wanted = sealed.headers.get("warc-payload-digest", "") if sealed else ""
    if sealed and sealed.headers.get("warc-target-uri") != proof["url"]:
        out.fail(f"{where}/record.json", "网址与封存记录不符")
    shown = check_wacz(folder / "evidence.wacz", f"{where}/evidence.wacz", out)
    if not wanted or wanted not in shown:
        out.fail(f"{where}/evidence.wacz", "可回放文件的正文与封存记录不符")
    if sealed and sealed.kind == "revisit":
        original = sealed.headers.get("warc-refers-to", "").strip("<>").rpartition(":")[2]
        if not (folder.parent / original / "record.warc.gz").exists():
            out.fail(where, f"缺少首次记录 {original[:100]}")
    out.count("http_records")


def _unzipped(raw: bytes) -> bytes:
    unpacker = zlib.decompressobj(31)
    try:
        return unpacker.decompress(raw, MAX_SMALL)
    except zlib.error as error:
        raise Broken(f"record.warc.gz 压缩数据损坏({error})") from error


# — WACZ and WARC —


@dataclass
class Record:
    """One WARC record; `offset`, `length` of its gzip member."""

    offset: int
    length: int
    headers: dict[str, str]
    block: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("warc-type", "")


class Broken(Exception):
    """A WARC that cannot be read further; says where."""


def read_records(file: BinaryIO) -> Iterator[Record]:
    """Records of a .warc.gz, one gzip member each. Raises Broken naming the offset."""
    offset, rest = 0, b""
    while True:
        block, used, rest = _member(file, rest, offset)
        if not used:
            return
        head, gap, body = block.partition(b"\r\n\r\n")
        if not gap or not head.startswith(b"WARC/1."):
            raise Broken(f"第 {offset} 字节处不是 WARC 记录")
        headers = {}
        for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "")
        if not length.isdigit() or body[int(length) :] != b"\r\n\r\n":
            raise Broken(f"第 {offset} 字节处的记录长度不符")
        yield Record(offset, used, headers, body[: int(length)])
        offset += used


def _member(file: BinaryIO, rest: bytes, offset: int) -> tuple[bytes, int, bytes]:
    unpacker = zlib.decompressobj(31)
    parts, used, size = [], 0, 0
    while not unpacker.eof:
        rest = rest or file.read(1 << 16)
        if not rest:
            if used:
                raise Broken(f"第 {offset} 字节处的记录不完整")
            return b"", 0, b""
        used += len(rest)
        try:
            parts.append(unpacker.decompress(rest, MAX_RECORD))
        except zlib.error as error:
            raise Broken(f"第 {offset} 字节处的压缩数据损坏({error})") from error
        rest = b""
        size += len(parts[-1])
        if size > MAX_RECORD or unpacker.unconsumed_tail:
            raise Broken(f"第 {offset} 字节处的记录过大")
    return b"".join(parts), used - len(unpacker.unused_data), unpacker.unused_data


def _base32(data: bytes) -> str:
    return "sha256:" + base64.b32encode(hashlib.sha256(data).digest()).decode()


def check_record(record: Record) -> str:
    """Empty when the record's own digests hold."""
    stated = record.headers.get("warc-block-digest", "")
    if stated.startswith("sha256:") and _base32(record.block) != stated:
        return "块摘要不符"
    stated = record.headers.get("warc-payload-digest", "")
    payload = record.block.partition(b"\r\n\r\n")[2]
    wrong = record.kind == "response" and stated.startswith("sha256:") and _base32(payload) != stated
    return "正文摘要不符" if wrong else ""


def check_wacz(path: Path, where: str, out: Findings) -> set[str]:
    """Data package, index, pages, every WARC record. Answers the payload digests of its responses."""
    payloads: set[str] = set()
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        out.fail(where, f"不是 WACZ:{error}")
        return payloads
    with archive:
        names = set(archive.namelist())
        for needed, pattern in (("WARC", r"archive/.+\.warc(\.gz)?"), ("索引", r"indexes/.+\.(cdxj?|idx)(\.gz)?"), ("页面清单", r"pages/pages\.jsonl"), ("datapackage.json", r"datapackage\.json")):  # fmt: skip
            if not any(re.fullmatch(pattern, name) for name in names):
                out.fail(where, f"缺少{needed}")
        try:
            _check_datapackage(archive, names, where, out)
            index = _read_index(archive, names)
            for name in sorted(n for n in names if n.startswith("archive/") and n.endswith(".warc.gz")):
                payloads |= _check_warc(archive, name, index, where, out)
        except (Broken, KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
            out.fail(where, f"{error}" if isinstance(error, Broken) else f"无法读取:{type(error).__name__} {error}")
    out.count("wacz")
    return payloads


def _member_sha256(archive: zipfile.ZipFile, name: str) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    with archive.open(name) as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
            size += len(chunk)
    return sha.hexdigest(), size


def _bounded(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MAX_SMALL:
        raise OSError(f"{name} 过大")
    return archive.read(name)


def _check_datapackage(archive: zipfile.ZipFile, names: set[str], where: str, out: Findings) -> None:
    if "datapackage.json" not in names:
        return
    raw = _bounded(archive, "datapackage.json")
    listed = set()
    for resource in json.loads(raw)["resources"]:
        name = resource["path"]
        listed.add(name)
        if name not in names:
            out.fail(where, f"datapackage 所列 {name} 不存在")
            continue
        sha256, size = _member_sha256(archive, name)
        if resource["hash"] != f"sha256:{sha256}" or resource["bytes"] != size:
            out.fail(where, f"{name} 的摘要或长度与 datapackage 不符")
    for name in sorted(names - listed - {"datapackage.json", "datapackage-digest.json"}):
        out.fail(where, f"{name} 未列入 datapackage")
    if "datapackage-digest.json" not in names:
        out.fail(where, "缺少 datapackage-digest.json")
    elif (
        json.loads(_bounded(archive, "datapackage-digest.json"))["hash"] != f"sha256:{hashlib.sha256(raw).hexdigest()}"
    ):
        out.fail(where, "datapackage-digest.json 的 hash 与 datapackage.json 不符")


def _read_index(archive: zipfile.ZipFile, names: set[str]) -> dict[tuple[str, int], dict[str, Any]]:
    """Index lines by WARC name and offset."""
    found = {}
    for name in (n for n in names if n.startswith("indexes/") and n.endswith((".cdxj", ".cdx"))):
        for line in _bounded(archive, name).decode("utf-8").splitlines():
            fields = json.loads(line.split(" ", 2)[2])
            found[(fields["filename"], int(fields["offset"]))] = fields
    return found


def _check_warc(
    archive: zipfile.ZipFile, name: str, index: dict[tuple[str, int], dict[str, Any]], where: str, out: Findings
) -> set[str]:
    payloads, revisits, seen = set(), [], set()
    short = name.rpartition("/")[2]
    with archive.open(name) as file:
        for record in read_records(file):  # type: ignore[arg-type]  # a readable binary stream
            out.count("warc_records")
            place = f"{where} {short} 第 {record.offset} 字节 {record.headers.get('warc-record-id', '')}"
            if wrong := check_record(record):
                out.fail(place, wrong)
            if record.kind not in ("response", "revisit"):
                continue
            payload = record.headers.get("warc-payload-digest", "")
            payloads.add(payload) if record.kind == "response" else revisits.append((place, payload))
            line = index.get((short, record.offset))
            seen.add((short, record.offset))
            if line is None:
                out.fail(place, "记录不在索引中")
            elif (line["url"], line["digest"], int(line["length"])) != (
                record.headers.get("warc-target-uri"),
                payload,
                record.length,
            ):
                out.fail(place, "索引与记录不符")
    for key in sorted(k for k in index if k[0] == short and k not in seen):
        out.fail(where, f"索引指向不存在的记录:{short} 第 {key[1]} 字节")
    for place, payload in revisits:
        if payload not in payloads:
            out.fail(place, "复访记录的正文不在包内,不能单独回放")
    return payloads


# — log and custody —


def check_log(data: Path, trust: Trust, manifests: dict[str, str], out: Findings) -> None:
    """Checkpoint, custody chain, inclusion of every log line, and that each manifest was logged. `manifests`: id → SHA-256."""
    path = data / "log" / "checkpoint.txt"
    text = small(path)
    origin, size, root, _, key = text.decode("ascii").rstrip("\n").split("\n")
    check_sealed(path, "log/checkpoint.txt", trust, out, key=key)
    if origin != ORIGIN:
        out.fail("log/checkpoint.txt", "不是本系统的日志检查点")
    proofs = json.loads(small(data / "log" / "proofs.json"))
    if proofs["size"] != int(size):
        out.fail("log/proofs.json", "证明所对的日志长度与检查点不符")
    for older in proofs["consistency"]:
        _check_older(older, int(size), base64.b64decode(root), trust, out)
    paths = {entry["seq"]: [bytes.fromhex(step) for step in entry["proof"]] for entry in proofs["events"]}
    logged = set()
    for number, entry in check_custody(data, out):
        if entry.get("source") != "log":
            continue
        line = str(entry["line"]).encode()
        event = json.loads(line)
        where = f"custody.jsonl 第 {number} 行"
        if not inclusion_holds(
            leaf_hash(line), event["seq"], int(size), paths.get(event["seq"], []), base64.b64decode(root)
        ):
            out.fail(where, f"日志第 {event['seq']} 条不在检查点之内(Merkle 证明不成立)")
        out.count("log_events")
        if event["kind"] == "evidence.sealed":
            logged.add((event["data"]["id"], event["data"]["manifest_sha256"]))
    for identity, sha256 in manifests.items():
        if (identity, sha256) not in logged:
            out.fail(f"captures/{identity}", "日志中没有该清单的封存记录")


def _check_older(older: dict[str, Any], size: int, root: bytes, trust: Trust, out: Findings) -> None:
    """An earlier signed head: the log has only grown since."""
    where = f"log/proofs.json 检查点 {older['from']}"
    text = str(older["checkpoint"])
    _, old_size, old_root, _, key = text.rstrip("\n").split("\n")
    wrong = trust.engine.signature(trust.keys.get(key, b""), text.encode(), bytes.fromhex(older["signature"]))
    if wrong:
        out.fail(where, wrong)
    path = [bytes.fromhex(step) for step in older["proof"]]
    if not consistency_holds(int(old_size), size, base64.b64decode(old_root), root, path):
        out.fail(where, "前后检查点不一致(日志曾被改写)")
    out.count("signatures")


def check_custody(data: Path, out: Findings) -> list[tuple[int, dict[str, Any]]]:
    """The hash chain of custody.jsonl against its head in case.json."""
    entries, prev = [], GENESIS
    for number, line in enumerate(small(data / "custody.jsonl").splitlines(), 1):
        entry = json.loads(line)
        if entry["prev"] != prev or entry["n"] != number:
            out.fail(f"custody.jsonl 第 {number} 行", "与前一行不相接(有改动、删除或调换)")
        prev = hashlib.sha256(line).hexdigest()
        entries.append((number, entry))
    head = json.loads(small(data / "case.json"))["custody"]
    if (head["events"], head["head"]) != (len(entries), prev):
        out.fail("custody.jsonl", f"与 case.json 所记不符:应有 {head['events']} 条,实有 {len(entries)} 条,或末条被改")
    out.count("custody_events", len(entries))
    return entries


# — the whole package —


def check_package(root: Path, engine: Engine, *, require_timestamp: bool = False, tsa_ca: bytes = b"") -> Findings:
    """An unzipped package. Raises Unusable when it is none."""
    out = Findings()
    if not (root / "bagit.txt").is_file():
        raise Unusable("不是证据包:缺少 bagit.txt")
    check_bag(root, out)
    data = root / "data"
    part = "certs"
    try:
        keys = {_key_id(pem): pem for pem in (small(p) for p in sorted((data / "certs").glob("signing-key*.pem")))}
        keys |= {f"sm2-{_key_id(pem)}": pem for pem in (small(p) for p in sorted((data / "certs").glob("sm2-*.pem")))}
        chain = data / "certs" / "tsa-chain.pem"
        trust = Trust(engine, keys, tsa_ca or (small(chain) if chain.exists() else b""), require_timestamp)
        part = "package.sig"
        wrong = engine.signature(
            small(data / "certs" / "signing-key.pem"), small(root / "manifest-sha256.txt"), small(root / "package.sig")
        )
        if wrong:
            out.fail("package.sig", f"证据包整体{wrong}")
        out.count("signatures")
        part = "case.json"
        stated = sorted(json.loads(small(data / "case.json"))["captures"])
        folders = sorted(path.name for path in (data / "captures").iterdir()) if (data / "captures").is_dir() else []
        if stated != folders:
            out.fail("case.json", "所列证据与 captures 目录不一致")
        manifests = {}
        for name in folders:
            part = f"captures/{name}"
            manifest = check_capture(data / "captures" / name, part, trust, out)
            manifests[str(manifest["id"])] = digests(data / "captures" / name / "manifest.json")[0]
            out.count("captures")
        if out.checked.get("timestamps") and not tsa_ca:
            out.warn(
                "certs/tsa-chain.pem", "时间戳按包内自带的证书链核验,未与您信任的根证书比对(--tsa-ca 或 WANGXUN_TSA_CA)"
            )
        part = "log"
        check_log(data, trust, manifests, out)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Broken) as error:
        out.fail(part, f"无法读取:{type(error).__name__} {error}")
    return out


def _key_id(pem: bytes) -> str:
    """First 16 hex digits of the SHA-256 of the key's DER."""
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-----")))
    return hashlib.sha256(der).hexdigest()[:16]


def check_bag(root: Path, out: Findings) -> None:
    """BagIt 1.0 (RFC 8493): every payload and tag file against each manifest, nothing unlisted."""
    payload = {path.relative_to(root).as_posix() for path in (root / "data").rglob("*") if path.is_file()}
    tags = {p.name for p in root.iterdir() if p.is_file() and not p.name.startswith("tagmanifest-")}
    for kind, wanted in (("manifest", payload), ("tagmanifest", tags)):
        for algorithm in ("sha256", "sha512"):
            name = f"{kind}-{algorithm}.txt"
            try:
                _check_bag_manifest(root, name, algorithm, wanted, out)
            except (OSError, ValueError) as error:
                out.fail(name, f"无法读取:{error}")


def _check_bag_manifest(root: Path, name: str, algorithm: str, wanted: set[str], out: Findings) -> None:
    listed = {}
    for line in small(root / name).decode("utf-8").splitlines():
        digest, _, path = line.partition("  ")
        listed[path] = digest
    for path in sorted(wanted - set(listed)):
        out.fail(path, f"未列入 {name}")
    for path, digest in sorted(listed.items()):
        if path not in wanted:
            out.fail(path, f"{name} 所列文件不存在")
            continue
        sha = hashlib.new(algorithm)
        with (root / path).open("rb") as file:
            while chunk := file.read(CHUNK):
                sha.update(chunk)
        if sha.hexdigest() != digest:
            out.fail(path, f"{algorithm.upper()} 与 {name} 不符")
        out.count("bag_digests")


def unzip(path: Path, folder: Path) -> tuple[Path, list[str]]:
    """Unpacks a package; answers its top folder and the members that are damaged (left out).

    Raises Unusable on names that lead outside, absurd sizes, or a zip without a readable list of members.
    """
    damaged = []
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > MAX_UNPACKED or len(infos) > 500_000:
                raise Unusable("证据包过大")
            for info in infos:
                if info.filename.startswith("/") or ".." in info.filename.split("/") or "\\" in info.filename:
                    raise Unusable(f"证据包内有越界文件名:{info.filename[:100]!r}")
            for info in infos:
                try:
                    archive.extract(info, folder)
                except (zipfile.BadZipFile, zlib.error, EOFError):
                    damaged.append(info.filename)
                    (folder / info.filename).unlink(missing_ok=True)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise Unusable(f"无法解包:{error}") from error
    tops = [p for p in folder.iterdir() if p.is_dir()]
    if len(tops) != 1:
        raise Unusable("不是证据包:应只有一个顶层目录")
    return tops[0], damaged


def check_path(path: Path, engine: Engine, *, require_timestamp: bool = False, tsa_ca: bytes = b"") -> Findings:
    """A package as zip or folder, or a WACZ. Raises Unusable."""
    if path.is_dir():
        return check_package(path, engine, require_timestamp=require_timestamp, tsa_ca=tsa_ca)
    if not path.is_file():
        raise Unusable(f"没有这个文件:{path}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise Unusable(f"既不是证据包也不是 WACZ:{error}") from error
    if path.suffix == ".wacz" or any(name.startswith("archive/") for name in names):
        out = Findings()
        check_wacz(path, path.name, out)
        return out
    with tempfile.TemporaryDirectory() as folder:
        top, damaged = unzip(path, Path(folder))
        out = check_package(top, engine, require_timestamp=require_timestamp, tsa_ca=tsa_ca)
        for name in damaged:
            out.fail(name.partition("/")[2], "压缩包内容损坏,无法解出")
        return out


def main(arguments: list[str]) -> int:
    """See the module."""
    words = [a for a in arguments if not a.startswith("--")]
    ca = b""
    if "--tsa-ca" in arguments:
        at = arguments.index("--tsa-ca") + 1
        if at >= len(arguments):
            print("--tsa-ca 之后应为根证书文件", file=sys.stderr)
            return 2
        ca = Path(arguments[at]).read_bytes()
        words.remove(arguments[at])
    here = Path(__file__).resolve()
    path = Path(words[0]) if words else here.parents[2]
    try:
        out = check_path(path, OpenSSL(), require_timestamp="--require-timestamp" in arguments, tsa_ca=ca)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    print("已核验:" + ",".join(f"{name} {number}" for name, number in sorted(out.checked.items())))
    for where, what in out.warnings:
        print(f"注意  {where}:{what}")
    for where, what in out.failures:
        print(f"不符  {where}:{what}")
    print("结论:" + ("全部相符" if not out.failures else f"{len(out.failures)} 处不符"))
    return 1 if out.failures else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
