"""The vault: one door to store, log, signer and timestamper.

    root/objects/     content-addressed files        root/warc/       http level, segments by run
    root/captures/    full captures: manifests       root/log/        events, checkpoints
    root/keys/        public keys ever used          root/pending/    what still waits for its log entry or its stamp

Sealing a manifest goes: markers in pending/ → manifest and signature in place → log entry → stamp. Each step is durable
before the next; `recover` finishes whatever a kill interrupted.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.clock import Clock, iso
from contracts.errors import InputError, Unverifiable
from evidence import revisits, warc
from evidence.exchange import Exchange
from evidence.http_level import HttpRun, Place, RunBusy
from evidence.log import Checkpoint, Event, Log
from evidence.merkle import Tree, leaf_hash
from evidence.seal import Signer, canonical, digest, fsync_folder, load_public, write_new
from evidence.store import Store
from evidence.timestamp import Pending, Stamp, Timestamper

CHECKPOINT_EVERY = timedelta(days=1)
UNPACKED_KEPT = 3  #: files of revisits kept unpacked, each the pages of one batch


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed manifest. `timestamp` is "stamped" or "pending"; `reasons` say why it is pending."""

    id: str
    path: Path
    timestamp: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordSpan:
    """A record's place among the leaves of its batch's tree, and that tree."""

    index: int
    line: bytes
    tree: Tree


class Vault:
    """See the module. Several processes may hold the same vault; within one, use it from one thread at a time."""

    def __init__(self, root: Path, signer: Signer, clock: Clock, timestamper: Timestamper) -> None:
        self.root = root
        self.clock = clock
        self.signer = signer
        self.timestamper = timestamper
        self.warc = root / "warc"
        self.captures = root / "captures"
        self._pending = root / "pending"
        self._unpacked: dict[tuple[Path, int, int], dict[int, warc.Record]] = {}
        for folder in (self.warc, self.captures, self._pending):
            folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(root / "objects")
        self.log = Log(root / "log", clock)

    @classmethod
    def open(
        cls, root: Path, *, keys: Path, clock: Clock, tsa_urls: tuple[str, ...] = (), tsa_ca: Path | None = None
    ) -> Vault:
        """Opens or makes a vault; makes the signing key on the first run. Raises EnvironmentFault when it cannot."""
        root.mkdir(parents=True, exist_ok=True)
        signer, made = Signer.open(keys, root / "keys")
        vault = cls(root, signer, clock, Timestamper(tsa_urls, tsa_ca))
        if made:
            vault.log.append("key.made", {"key": signer.id, "public_pem": signer.public_pem.decode()})
        return vault

    def close(self) -> None:
        """Nothing is buffered: every act was durable when it returned."""

    def open_run(self, run_id: str, about: Mapping[str, Any]) -> HttpRun:
        """The writer of a patrol run's exchanges; opening an interrupted run cuts its torn tail and goes on."""
        return HttpRun(self, run_id, about)

    # — sealing —

    def seal_manifest(self, path: Path, manifest: Mapping[str, Any], *, stamp: bool = True) -> Sealed:
        """Signs, logs and stamps a manifest at `path` (inside the vault). The key's id is added to it."""
        content = canonical({**manifest, "key": self.signer.id})
        relative = str(path.relative_to(self.root))
        identity = str(manifest["id"])
        for marker in (f"{identity}.log", f"{identity}.stamp"):
            write_new(self._pending / marker, f"{relative}\n{os.getpid()}\n".encode(), mode=0o644)
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            for parent in (path.parent.parent, path.parent.parent.parent):
                fsync_folder(parent)
        if not path.exists():
            path.with_suffix(".sig").unlink(missing_ok=True)  # left by a kill before its manifest was written
        write_new(path.with_suffix(".sig"), self.signer.sign(content))
        if not write_new(path, content):
            raise InputError("{path} 已封存,不得改写", path=relative)
        self._log_sealed(identity, path)
        if not stamp:
            return Sealed(identity, path, "pending", ("留待批量加盖",))
        return self._stamp(identity, path)

    def new_capture_folder(self, evidence_id: str) -> Path:
        """The folder that a full capture will have; `seal_manifest` makes it, so that a kill leaves no empty one."""
        return self.capture_folder(evidence_id)

    def capture_folder(self, evidence_id: str) -> Path:
        if not evidence_id.isalnum():
            raise InputError("不是完整级证据编号:{id}", id=evidence_id[:100])
        return self.captures / evidence_id[:6] / evidence_id

    def _log_sealed(self, identity: str, path: Path) -> None:
        sums = digest(path)
        data = {"id": identity, "manifest_sha256": sums.sha256, "manifest_sm3": sums.sm3, "key": self.signer.id}
        self.log.append("evidence.sealed", data)
        (self._pending / f"{identity}.log").unlink()

    def _stamp(self, identity: str, path: Path) -> Sealed:
        with self._stamping():
            if path.with_suffix(".tsr").exists():  # another was faster
                (self._pending / f"{identity}.stamp").unlink(missing_ok=True)
                return Sealed(identity, path, "stamped")
            return self._ask(identity, path)

    @contextmanager
    def _stamping(self) -> Iterator[None]:
        """One asks at a time, over all threads and processes: a request and its answer must stay together."""
        with (self._pending / "stamping.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ask(self, identity: str, path: Path) -> Sealed:
        content = path.read_bytes()
        result = self.timestamper.stamp(content)
        if isinstance(result, Pending):
            return Sealed(identity, path, "pending", result.reasons)
        self._keep_stamp(path, result)
        drift = round((result.at - self.clock.now()).total_seconds())
        self.log.append(
            "evidence.stamped",
            {"id": identity, "at": iso(result.at), "authority": result.authority, "authority_minus_clock_s": drift},
        )
        (self._pending / f"{identity}.stamp").unlink(missing_ok=True)
        return Sealed(identity, path, "stamped")

    @staticmethod
    def _keep_stamp(path: Path, stamp: Stamp) -> None:
        path.with_suffix(".tsq").unlink(missing_ok=True)  # a request whose answer a kill lost
        write_new(path.with_suffix(".tsq"), stamp.request)
        write_new(path.with_suffix(".tsr"), stamp.response)

    def pending(self) -> list[str]:
        """Identities that still wait for a time stamp, oldest first."""
        return sorted(path.stem for path in self._pending.glob("*.stamp"))

    def stamp_pending(self) -> list[Sealed]:
        """Tries again for all that wait, and for the newest checkpoint. Stops asking after the first failure: the next
        call tries again."""
        done: list[Sealed] = []
        for marker in sorted(self._pending.glob("*.stamp")):
            try:
                path, _ = self._marked(marker)
            except FileNotFoundError:
                continue  # stamped by another meanwhile
            if not path.exists() or marker.with_suffix(".log").exists():
                continue  # being sealed, or `recover` decides about it
            sealed = self._stamp(marker.stem, path)
            done.append(sealed)
            if sealed.timestamp == "pending":
                return done
        self._daily_checkpoint()
        return done

    def _daily_checkpoint(self) -> None:
        """Stamps the newest head of the log; makes a new one when that is older than a day."""
        newest = max(self.log.checkpoints.glob("*.txt"), default=None)
        if newest is not None:
            head = self.log.load_checkpoint(newest)
            made = datetime.fromisoformat(head.text.decode().splitlines()[3])
            if self.clock.now() - made < CHECKPOINT_EVERY:
                self._stamp_head(head)
                return
        if len(self.log):
            self.checkpoint()

    def checkpoint(self, *, stamp: bool = True) -> Checkpoint:
        """The signed head of the log, stamped when an authority answers (tried again on each call)."""
        checkpoint = self.log.checkpoint(self.signer)
        if stamp:
            self._stamp_head(checkpoint)
        return checkpoint

    def _stamp_head(self, head: Checkpoint) -> None:
        with self._stamping():
            if not head.stamped and isinstance(stamp := self.timestamper.stamp(head.text), Stamp):
                self._keep_stamp(head.path, stamp)

    def rotate_key(self) -> str:
        """A new signing key; the change is in the log, vouched for by the old key. Returns the new key's id."""
        self.signer, event = self.signer.rotate(self.clock)
        self.log.append("key.rotated", event)
        return self.signer.id

    def recover(self) -> list[str]:
        """Finishes what a kill interrupted: log entries, unsealed segments of runs nobody writes. Returns what it did."""
        done = []
        logged: set[str] | None = None
        for marker in sorted(self._pending.glob("*.log")):
            path, writer = self._marked(marker)
            if writer != os.getpid() and Path("/proc", str(writer)).exists():
                continue  # being sealed at this moment by another process
            if not path.exists():  # killed before the manifest was in place: nothing was sealed
                self._undo(marker, path)
                done.append(f"{marker.stem}:封存未完成,已撤销")
                continue
            if logged is None:
                logged = {str(e.data.get("id")) for e in self.log.events() if e.kind == "evidence.sealed"}
            if marker.stem in logged:
                marker.unlink()
            else:
                self._log_sealed(marker.stem, path)
                done.append(f"{marker.stem}:已补记日志")
        self._sweep_staging()
        return done + self._recover_runs()

    def _marked(self, marker: Path) -> tuple[Path, int]:
        """The manifest a marker stands for, and the process that seals it."""
        relative, _, writer = marker.read_text().partition("\n")
        return self.root / relative, int(writer.strip() or 0)

    def _undo(self, marker: Path, path: Path) -> None:
        """Takes back a sealing that had not yet a manifest."""
        path.with_suffix(".sig").unlink(missing_ok=True)
        if path.name == "manifest.json":
            for left in path.parent.glob(".*.tmp"):
                left.unlink()
            with suppress(OSError):  # never made, or not empty after all
                path.parent.rmdir()
        (self._pending / f"{marker.stem}.stamp").unlink(missing_ok=True)
        marker.unlink()

    def _sweep_staging(self) -> None:
        """Removes files under way of processes that are no more."""
        for folder in (self.root / "staging").glob("*-*"):
            if not Path("/proc", folder.name.partition("-")[0]).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def _recover_runs(self) -> list[str]:
        done = []
        for segment in sorted(self.warc.glob("*/*.warc.gz")):
            if segment.with_name(segment.name[:4] + ".manifest.json").exists():
                continue
            try:
                run = self.open_run(segment.parent.name, {"recovered": "中断后封存"})
            except RunBusy:
                continue
            with run:
                if run.seal(stamp=False):
                    done.append(f"{run.run_id}/{segment.name[:4]}:中断的证据段已封存")
        return done

    # — reading —

    def original(self, evidence_id: str) -> warc.Original:
        """The record that holds a page's body, followed through a revisit. Raises InputError or Unverifiable."""
        for _ in range(2):
            head = self._head(Place.parse(evidence_id))
            if head.get("warc-type") == "response":
                return warc.Original(
                    evidence_id,
                    head.get("warc-record-id", ""),
                    head.get("warc-target-uri", ""),
                    head.get("warc-date", ""),
                    head.get("warc-payload-digest", ""),
                )
            evidence_id = warc.evidence_of(head.get("warc-refers-to", ""))
        raise Unverifiable("证据 {id} 未指向原始记录", id=evidence_id)

    def _head(self, place: Place) -> Mapping[str, str]:
        if place.revisit:
            return self._revisit(place).headers
        with self._segment(place).open("rb") as file:
            return warc.read_head(file, place.offset)

    def _segment(self, place: Place) -> Path:
        path = self.warc / f"{place.stem}.{'revisits' if place.revisit else 'warc'}.gz"
        if not path.exists():
            raise InputError("证据段 {name} 不存在", name=place.stem)
        return path

    def _revisit(self, place: Place) -> warc.Record:
        """A revisit's record. The last files read are kept unpacked: a patrol asks for page after page of one batch."""
        path = self._segment(place)
        state = path.stat()
        known = (path, state.st_size, state.st_mtime_ns)
        if known not in self._unpacked:
            while len(self._unpacked) >= UNPACKED_KEPT:
                self._unpacked.pop(next(iter(self._unpacked)))
            plain = revisits.unpacked(path, torn=True)
            self._unpacked[known] = {r.offset: r for r in revisits.plain_records(plain, torn=True)}
        try:
            return self._unpacked[known][place.offset]
        except KeyError as error:
            raise InputError("没有这份证据:{id}", id=place.evidence_id) from error

    def record_span(self, evidence_id: str) -> RecordSpan:
        """Where a committed http record stands in its batch. Raises InputError when it is unknown."""
        place = Place.parse(evidence_id)
        lines = self._lines(place)
        for index, line in enumerate(lines):
            if json.loads(line)["offset"] == place.offset:
                return RecordSpan(index, line, Tree(leaf_hash(one) for one in lines))
        raise InputError("没有这份证据:{id}", id=evidence_id)

    def _lines(self, place: Place) -> list[bytes]:
        """The lines that the batch's tree is made of."""
        if place.revisit:
            return revisits.lines_of(revisits.unpacked(self._segment(place), torn=True))
        path = self.warc / f"{place.stem}.records.jsonl"
        return path.read_bytes().splitlines() if path.exists() else []

    def record_bytes(self, evidence_id: str) -> bytes:
        """The sealed bytes of an http record as one WARC file; those of a revisit are packed again, alone."""
        place = Place.parse(evidence_id)
        fields = json.loads(self.record_span(evidence_id).line)
        start, end = place.offset, place.offset + fields["length"]
        if place.revisit:
            return gzip.compress(revisits.unpacked(self._segment(place), torn=True)[start:end], 9, mtime=0)
        with self._segment(place).open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def exchange(self, evidence_id: str) -> Exchange:
        """An exchange of the http level with its full body, revisits followed."""
        response, request = self._records(evidence_id)
        if response.kind != "revisit":
            return warc.read_exchange(response, request)
        held, asked = self._records(warc.evidence_of(response.headers.get("warc-refers-to", "")))
        if (
            response.headers.get("warc-profile") == warc.NOT_MODIFIED
        ):  # a bare 304 shows nothing; the page was as before
            shown = warc.read_exchange(held, request or asked)
            return replace(shown, at=datetime.fromisoformat(response.headers["warc-date"]))
        return warc.read_exchange(response, request or asked, held.payload)

    def _records(self, evidence_id: str) -> tuple[warc.Record, warc.Record | None]:
        place = Place.parse(evidence_id)
        if place.revisit:
            return self._revisit(place), None
        fields = json.loads(self.record_span(evidence_id).line)
        with self._segment(place).open("rb") as file:
            found = list(warc.read_records(file, place.offset, place.offset + fields["length"]))
        return found[0], (found[1] if len(found) > 1 else None)

    def manifest_path(self, evidence_id: str) -> Path:
        """The manifest that seals an evidence, full or http. Raises InputError when it is unknown or not sealed yet."""
        if evidence_id.startswith("http."):
            path = self.warc / f"{Place.parse(evidence_id).stem}.manifest.json"
        else:
            path = self.capture_folder(evidence_id) / "manifest.json"
        if not path.exists():
            raise InputError("证据 {id} 不存在或尚未封存", id=evidence_id)
        return path

    def manifest(self, evidence_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.manifest_path(evidence_id).read_bytes())
        return found

    def stamped(self, evidence_id: str) -> bool:
        return self.manifest_path(evidence_id).with_suffix(".tsr").exists()

    def file(self, evidence_id: str, name: str) -> Path:
        """A file of a full capture, by its name in the manifest ("page.png", "dom.html", …)."""
        entry = self.manifest(evidence_id)["files"].get(name)
        if entry is None:
            raise InputError("证据 {id} 中没有文件 {name}", id=evidence_id, name=name)
        return self.store.path(entry["sha256"])

    def all_manifests(self) -> Iterator[Path]:
        """Every sealed manifest, captures first, in a fixed order."""
        for bucket in sorted(self.captures.iterdir()):
            for folder in sorted(bucket.iterdir()):
                if (folder / "manifest.json").exists():
                    yield folder / "manifest.json"
        for run in sorted(self.warc.iterdir()):
            yield from sorted(run.glob("*.manifest.json"))

    def public_key(self, key: str) -> bytes:
        """PEM of a public key ever used. Raises InputError when it is unknown."""
        if len(key) != 16 or not key.isalnum():
            raise InputError("不是密钥编号:{key}", key=key[:40])
        path = self.root / "keys" / f"{key}.pem"
        if not path.exists():
            raise InputError("没有编号为 {key} 的公钥", key=key)
        load_public(path.read_bytes())
        return path.read_bytes()

    def record(self, kind: str, data: Mapping[str, Any]) -> Event:
        """An act on evidence by another part (opened, exported, annotated), into the log."""
        return self.log.append(kind, data)

    def staging(self) -> Path:
        """A fresh private folder for files under way; the caller removes it."""
        folder = self.root / "staging" / f"{os.getpid()}-{secrets.token_hex(8)}"
        folder.mkdir(parents=True, mode=0o700)
        return folder
