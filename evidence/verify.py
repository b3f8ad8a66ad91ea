"""`verify`: a package, a WACZ, or the whole vault; every link, each failure with its place and cause.

The checks of packages are those of `evidence.offline` (the file every package carries), run here with the
cryptography and RFC 3161 libraries as engine. A vault is checked as a stream.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from contracts.clock import Clock, SystemClock
from contracts.errors import InputError, Unverifiable, WangxunError
from evidence import offline, revisits, warc
from evidence.log import GENESIS
from evidence.merkle import Tree, leaf_hash
from evidence.resume import Passed
from evidence.retention import PARTS
from evidence.seal import load_public
from evidence.store import Store
from evidence.timestamp import check_stamp

Progress = Callable[[str, int], None]  #: what is being checked, how many so far


@dataclass(frozen=True, slots=True)
class Failure:
    """`where` it is (file, record, offset) and `what` does not hold."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """`checked` counts by kind. `ok` when nothing failed; warnings do not count."""

    checked: Mapping[str, int]
    failures: tuple[Failure, ...]
    warnings: tuple[Failure, ...]

    @property
    def ok(self) -> bool:
        return not self.failures

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "checked": dict(self.checked),
            "failures": [{"where": f.where, "what": f.what} for f in self.failures],
            "warnings": [{"where": f.where, "what": f.what} for f in self.warnings],
        }


class Libraries:
    """Engine: cryptography for Ed25519, rfc3161-client for stamps."""

    def signature(self, public_pem: bytes, data: bytes, signature: bytes) -> str:
        try:
            load_public(public_pem).verify(signature, data)
        except (InvalidSignature, InputError, ValueError):
            return "签名不成立"
        return ""

    def sm2(self, public_pem: bytes, data: bytes, signature: bytes) -> str:
        """By the openssl program: the library knows SM3 but not SM2."""
        try:
            return offline.OpenSSL().sm2(public_pem, data, signature)
        except offline.Unusable as error:
            return f"SM2 签名无法核验:{error}"

    def stamp(self, data: bytes, answer: bytes, query: bytes, chain_pem: bytes) -> tuple[str, datetime | None]:
        try:
            chain = x509.load_pem_x509_certificates(chain_pem)
            roots = [c for c in chain if c.issuer == c.subject] or chain
            return "", check_stamp(data, answer, roots, query or None).at
        except Unverifiable as error:
            return error.text(), None
        except ValueError as error:
            return f"时间戳或根证书无法读取:{error}", None


def verify(path: Path, *, require_timestamp: bool = False, tsa_ca: Path | None = None) -> Report:
    """A package (zip or unzipped) or a WACZ. Raises InputError when it is neither."""
    try:
        root = tsa_ca.read_bytes() if tsa_ca else b""
        found = offline.check_path(path, Libraries(), require_timestamp=require_timestamp, tsa_ca=root)
    except (offline.Unusable, OSError) as error:
        raise InputError("{why}", why=str(error)) from error
    return _report(found)


def _report(found: offline.Findings) -> Report:
    return Report(
        dict(sorted(found.checked.items())),
        tuple(Failure(*f) for f in found.failures),
        tuple(Failure(*f) for f in found.warnings),
    )


def verify_vault(
    root: Path,
    *,
    require_timestamp: bool = False,
    tsa_ca: Path | None = None,
    progress: Progress | None = None,
    resume: Path | None = None,
    clock: Clock | None = None,
    store: Store | None = None,
) -> Report:
    """The whole store, read only: log, checkpoints, every manifest with its stamp, every object, every segment.

    Memory stays small whatever the size. `resume` is a file outside the vault in which what passed is noted, so that the same
    call after an interruption goes on; log, signatures and stamps are always checked anew. `store` brings back objects that lie
    in a bucket alone. Raises InputError when there is no vault.
    """
    if not (root / "log").is_dir():
        raise InputError("{path} 不是证据库", path=root)
    out = offline.Findings()
    keys = {path.stem: path.read_bytes() for path in (root / "keys").glob("*.pem")}
    chain = tsa_ca.read_bytes() if tsa_ca else b""
    with Passed(resume, clock or SystemClock()) as passed:
        check = _VaultCheck(root, out, progress or (lambda _what, _count: None), passed, store)
        check.trust = offline.Trust(Libraries(), keys, chain, require_timestamp)
        check.log()
        check.checkpoints()
        check.captures()
        check.batches()
        check.objects()
    return _report(out)


class _VaultCheck:
    """The steps of `verify_vault`."""

    trust: offline.Trust

    def __init__(
        self, root: Path, out: offline.Findings, progress: Progress, passed: Passed, store: Store | None
    ) -> None:
        self._root = root
        self._store = store or Store(root / "objects")
        self._passed = passed
        self._out = out
        self._progress = progress
        self._tree = Tree()
        self._sealed: dict[str, str] = {}
        self._deleted: set[str] = set()
        self._checked: set[str] = set()  # digests of objects that a manifest led to

    def log(self) -> None:
        """Chain, sequence, readable lines; recomputes the tree from the lines themselves."""
        prev, last_at, seq = GENESIS, "", 0
        path = self._root / "log" / "events.jsonl"
        with path.open("rb") as file:
            for seq, raw in enumerate(file):
                where = f"log/events.jsonl 第 {seq + 1} 行"
                if not raw.endswith(b"\n"):
                    self._out.warn(where, "末行不完整(写入时中断),下次写入时截去")
                    break
                line = raw[:-1]
                self._tree.append(leaf_hash(line))
                try:
                    event = json.loads(line)
                    if event["seq"] != seq or event["prev"] != prev:
                        self._out.fail(where, "与前一行不相接(有改动、删除或调换)")
                    self._note(event)
                    if last_at and datetime.fromisoformat(event["at"]) < datetime.fromisoformat(last_at):
                        self._out.warn(where, "时刻早于前一行(时钟曾回拨)")
                    last_at = event["at"]
                except (ValueError, KeyError, TypeError):
                    self._out.fail(where, "无法读取")
                prev = hashlib.sha256(line).hexdigest()
                self._out.count("log_events")
                if seq % 5000 == 0:
                    self._progress("日志", seq)

    def _note(self, event: Mapping[str, Any]) -> None:
        if event["kind"] == "evidence.sealed":
            self._sealed[event["data"]["id"]] = event["data"]["manifest_sha256"]
        if event["kind"] == "evidence.deleted":
            self._deleted.add(event["data"]["id"])

    def checkpoints(self) -> None:
        """Each signed head must be the root of the log as it stands: a rewritten past contradicts it."""
        for path in sorted((self._root / "log" / "checkpoints").glob("*.txt")):
            where = f"log/checkpoints/{path.name}"
            try:
                _, size, root, _, key = path.read_text("ascii").rstrip("\n").split("\n")
                if int(size) > len(self._tree):
                    self._out.fail(where, f"日志被截短:检查点有 {size} 条,现只有 {len(self._tree)} 条")
                elif self._tree.root(int(size)) != base64.b64decode(root):
                    self._out.fail(where, "日志与已签名的检查点不符(历史被改写)")
                offline.check_sealed(path, where, self.trust, self._out, key=key)
            except (ValueError, OSError) as error:
                self._out.fail(where, f"无法读取:{error}")
            self._out.count("checkpoints")

    def _manifest(self, path: Path, where: str) -> dict[str, Any] | None:
        try:
            manifest: dict[str, Any] = json.loads(path.read_bytes())
            identity = str(manifest["id"])
            offline.check_sealed(path, where, self.trust, self._out)
        except (ValueError, KeyError, OSError) as error:
            self._out.fail(where, f"无法读取:{error}")
            return None
        logged = self._sealed.pop(identity, None)
        if logged is None:
            self._out.fail(where, "日志中没有该清单的封存记录")
        elif logged != offline.digests(path)[0]:
            self._out.fail(where, "与日志所记摘要不符")
        return manifest

    def captures(self) -> None:
        for number, path in enumerate(sorted(self._root.glob("captures/*/*/manifest.json"))):
            where = str(path.relative_to(self._root))
            manifest = self._manifest(path, where)
            if manifest and manifest["id"] in self._deleted:
                self._out.count("deleted")
                continue
            entries = dict((manifest or {}).get("files", {}))
            held = {name: self._object(str(entry["sha256"])) for name, entry in entries.items()}
            self._checked |= {str(entry["sha256"]) for entry in entries.values()}
            with self._once(where, [path, *held.values()]) as needed:
                if needed:
                    self._capture_files(path.parent.name, entries, held)
            self._out.count("captures")
            self._progress("完整级证据", number + 1)

    def _object(self, sha256: str) -> Path:
        try:
            return self._store.path(sha256)
        except Unverifiable as error:
            self._out.fail(f"objects/{sha256[:2]}/{sha256[2:]}", error.text())
            return self._store.place(sha256)

    def _capture_files(self, identity: str, entries: Mapping[str, Any], held: Mapping[str, Path]) -> None:
        for name, entry in entries.items():
            offline.check_file(held[name], f"{identity}/{name}", entry, self._out)
            if name == "evidence.wacz" and held[name].exists():
                offline.check_wacz(held[name], f"{identity}/{name}", self._out)

    @contextmanager
    def _once(self, part: str, files: list[Path]) -> Iterator[bool]:
        """Whether a part must be looked at; notes it when it passed."""
        if self._passed.holds(part, files):
            self._out.count("resumed")
            yield False
            return
        before = len(self._out.failures)
        yield True
        if len(self._out.failures) == before:
            self._passed.note(part, files)

    def batches(self) -> None:
        for number, path in enumerate(sorted(self._root.glob("warc/*/*.manifest.json"))):
            where = str(path.relative_to(self._root))
            manifest = self._manifest(path, where)
            if manifest and manifest["id"] in self._deleted:
                self._out.count("deleted")
                continue
            if manifest:
                files = {part: path.with_name(manifest[part]["name"]) for part in PARTS if part in manifest}
                with self._once(where, [path, *files.values()]) as needed:
                    if needed:
                        for part, file in files.items():
                            offline.check_file(file, f"{path.parent.name}/{file.name}", manifest[part], self._out)
                        self._segment(path, manifest)
            self._out.count("batches")
            self._progress("网络级批次", number + 1)
        for path in sorted(self._root.glob("warc/*/*.warc.gz")):
            if not path.with_name(path.name[:4] + ".manifest.json").exists():
                self._out.warn(str(path.relative_to(self._root)), "尚未封存的证据段")
        for identity in sorted(set(self._sealed) - self._deleted):
            self._out.fail(identity, "日志有封存记录而证据不存在")

    def _segment(self, path: Path, manifest: Mapping[str, Any]) -> None:
        """Record lines against the root, and each WARC record's own digests."""
        where = f"{path.parent.name}/{manifest['segment']['name']}"
        try:
            tree = Tree()
            with path.with_name(manifest["records"]["name"]).open("rb") as lines:
                for line in lines:
                    tree.append(leaf_hash(line.rstrip(b"\n")))
            if tree.root().hex() != manifest["records"]["root"] or len(tree) != manifest["records"]["count"]:
                self._out.fail(where, "记录清单与批次的 Merkle 根不符")
            if "revisits" in manifest:
                self._revisits(path.with_name(manifest["revisits"]["name"]), manifest["revisits"], where)
            with path.with_name(manifest["segment"]["name"]).open("rb") as file:
                for record in warc.read_records(file):
                    if wrong := warc.check_record(record):
                        self._out.fail(f"{where} 第 {record.offset} 字节", wrong)
                    self._out.count("warc_records")
        except (OSError, WangxunError) as error:
            self._out.fail(where, str(error))

    def _revisits(self, path: Path, stated: Mapping[str, Any], where: str) -> None:
        lines = revisits.lines_of(revisits.unpacked(path))
        if Tree(leaf_hash(line) for line in lines).root().hex() != stated["root"] or len(lines) != stated["count"]:
            self._out.fail(where, "复访记录与批次的 Merkle 根不符")
        self._out.count("warc_records", len(lines))

    def objects(self) -> None:
        """Objects no manifest led to: their names still are their digests."""
        number = 0
        for folder in sorted((self._root / "objects").glob("??")):
            for path in sorted(folder.iterdir()):
                number += 1
                if folder.name + path.name in self._checked:
                    continue
                where = f"objects/{folder.name}/{path.name}"
                with self._once(where, [path]) as needed:
                    if needed and offline.digests(path)[0] != folder.name + path.name:
                        self._out.fail(where, "内容与摘要不符")
                self._out.count("objects")
                if number % 50 == 0:
                    self._progress("对象", number)
