"""The vault: one door to store, log, signer and timestamper.

    root/objects/     content-addressed files        root/warc/       http level, segments by run
    root/captures/    full captures: manifests       root/log/        events, checkpoints
    root/keys/        public keys ever used          root/pending/    what still waits for its log entry or its stamp

Sealing a manifest goes: markers in pending/ → manifest and signature in place → log entry → stamp. Each step is durable
before the next; `recover` finishes whatever a kill interrupted.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.clock import Clock, iso
from contracts.errors import InputError
from evidence import warc
from evidence.exchange import Exchange
from evidence.gm import Sm2Signer
from evidence.http_level import HttpRun, Place, RunBusy
from evidence.http_reading import HttpReader
from evidence.log import Checkpoint, Event, Log
from evidence.seal import Signer, canonical, digest, fsync_folder, load_public, write_new
from evidence.store import Store
from evidence.timestamp import Pending, Stamp, Timestamper

CHECKPOINT_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed manifest. `timestamp` is "stamped" or "pending"; `reasons` say why it is pending."""

    id: str
    path: Path
    timestamp: str
    reasons: tuple[str, ...] = ()


def open_store(root: Path, url: str = "") -> Store:
    """The store of objects: a local folder, with a bucket behind it when `url` names one."""
    if not url:
        return Store(root)
    from evidence.remote import RemoteStore

    return RemoteStore(root, url)


class Vault:
    """See the module. Several processes may hold the same vault; within one, use it from one thread at a time."""

    def __init__(
        self,
        root: Path,
        signer: Signer,
        clock: Clock,
        timestamper: Timestamper,
        store: Store | None = None,
        sm2: Sm2Signer | None = None,
    ) -> None:
        self.root = root
        self.clock = clock
        self.signer = signer
        self.sm2 = sm2
        self.timestamper = timestamper
        self.warc = root / "warc"
        self.captures = root / "captures"
        self._pending = root / "pending"
        self.http = HttpReader(self.warc)
        for folder in (self.warc, self.captures, self._pending):
            folder.mkdir(parents=True, exist_ok=True)
        self.store = store or Store(root / "objects")
        self.log = Log(root / "log", clock)

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        keys: Path,
        clock: Clock,
        tsa_urls: tuple[str, ...] = (),
        tsa_ca: Path | None = None,
        store_url: str = "",
        sm2: bool = False,
    ) -> Vault:
        """Opens or makes a vault; makes the signing key on the first run. `store_url` (s3://BUCKET/PREFIX) keeps the objects
        there too, see `remote`; `sm2` signs manifests with SM2 as well, see `gm`. Raises EnvironmentFault when it cannot."""
        root.mkdir(parents=True, exist_ok=True)
        store = open_store(root / "objects", store_url)
        signer, made = Signer.open(keys, root / "keys")
        second, second_made = Sm2Signer.open(keys, root / "keys") if sm2 else (None, False)
        vault = cls(root, signer, clock, Timestamper(tsa_urls, tsa_ca), store, second)
        if made:
            vault.log.append("key.made", {"key": signer.id, "public_pem": signer.public_pem.decode()})
        if second and second_made:
            vault.log.append("key.made", {"key": second.id, "public_pem": second.public_pem.decode()})
        return vault

    def close(self) -> None:
        """Nothing is buffered: every act was durable when it returned."""

    def open_run(self, run_id: str, about: Mapping[str, Any]) -> HttpRun:
        """The writer of a patrol run's exchanges; opening an interrupted run cuts its torn tail and goes on."""
        return HttpRun(self, run_id, about)

    # — sealing —

    def seal_manifest(self, path: Path, manifest: Mapping[str, Any], *, stamp: bool = True) -> Sealed:
        """Signs, logs and stamps a manifest at `path` (inside the vault). The key's id is added to it."""
        keys = {"key": self.signer.id} | ({"sm2_key": self.sm2.id} if self.sm2 else {})
        content = canonical({**manifest, **keys})
        relative = str(path.relative_to(self.root))
        identity = str(manifest["id"])
        for marker in (f"{identity}.log", f"{identity}.stamp"):
            write_new(self._pending / marker, f"{relative}\n{os.getpid()}\n".encode(), mode=0o644)
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            for parent in (path.parent.parent, path.parent.parent.parent):
                fsync_folder(parent)
        if not path.exists():
            for suffix in (".sig", ".sm2"):  # left by a kill before its manifest was written
                path.with_suffix(suffix).unlink(missing_ok=True)
        write_new(path.with_suffix(".sig"), self.signer.sign(content))
        if self.sm2:
            write_new(path.with_suffix(".sm2"), self.sm2.sign(content))
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
        for suffix in (".sig", ".sm2"):
            path.with_suffix(suffix).unlink(missing_ok=True)
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
        """See `HttpReader.original`."""
        return self.http.original(evidence_id)

    def exchange(self, evidence_id: str) -> Exchange:
        """An exchange of the http level with its full body, revisits followed."""
        return self.http.exchange(evidence_id)

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

    def sm2_key(self, key: str) -> bytes:
        """PEM of an SM2 public key ever used. Raises InputError when it is unknown."""
        path = self.root / "keys" / f"{key}.pem"
        if not key.removeprefix("sm2-").isalnum() or not path.exists():
            raise InputError("没有编号为 {key} 的公钥", key=key[:40])
        return path.read_bytes()

    def record(self, kind: str, data: Mapping[str, Any]) -> Event:
        """An act on evidence by another part (opened, exported, annotated), into the log."""
        return self.log.append(kind, data)

    def staging(self) -> Path:
        """A fresh private folder for files under way; the caller removes it."""
        folder = self.root / "staging" / f"{os.getpid()}-{secrets.token_hex(8)}"
        folder.mkdir(parents=True, mode=0o700)
        return folder
