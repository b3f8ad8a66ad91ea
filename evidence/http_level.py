"""Evidence level `http`: every exchange of a patrol, in WARC segments, sealed in batches.

Files of a run, under `warc/RUN/`:
    NNNN.warc.gz          the segment
    NNNN.records.jsonl    one line a committed record (offset, length, SHA-256 of its bytes); the journal of commits
    NNNN.revisits.gz      pages that showed what they had shown before (see `revisits`), where there were any
    NNNN.manifest.json    the batch manifest, with .sig, and .tsq and .tsr once stamped

A record counts from `commit` on. What a kill leaves behind the last committed record is cut when the run is opened again.
The batch manifest carries the RFC 6962 roots over the lines of records and revisits: one is proved without showing the others.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from contracts.clock import iso
from contracts.errors import EnvironmentFault, InputError, Unverifiable, WangxunError
from evidence import SOFTWARE, warc
from evidence.exchange import Exchange
from evidence.merkle import Tree, leaf_hash
from evidence.revisits import LIMIT as REVISIT_LIMIT
from evidence.revisits import RevisitFile, record_line
from evidence.seal import digest, fsync_folder

if TYPE_CHECKING:
    from evidence.vault import Sealed, Vault

BATCH_LIMIT = timedelta(minutes=10)  #: design §8: one time stamp a batch, at most this long
SEGMENT_LIMIT = 256 << 20  #: bytes; a segment must stay easy to copy and re-hash


class RunBusy(EnvironmentFault):
    """Another process writes this run."""


@dataclass(frozen=True, slots=True)
class HttpRecord:
    """Where one exchange lies. `sha256` covers bytes offset ≤ i < offset + length of the file `warc` (relative to the
    vault); `payload_digest` is the hexadecimal SHA-256 of the answer's body; `revisit`: the body stands in an earlier
    record, and the offset counts in the unpacked file of revisits."""

    evidence_id: str
    warc: str
    offset: int
    length: int
    sha256: str
    payload_digest: str
    revisit: bool

    @property
    def line(self) -> bytes:
        return record_line(self.offset, self.length, self.sha256)


@dataclass(frozen=True, slots=True)
class Place:
    """What an evidence id of this level says: run, segment number, offset; `revisit`: an offset among the revisits."""

    run_id: str
    segment: int
    offset: int
    revisit: bool = False

    @classmethod
    def parse(cls, evidence_id: str) -> Place:
        """Raises InputError when it is no id of this level."""
        try:
            kind, run_id, segment, offset = evidence_id.split(".")
            if kind != "http" or not run_id.replace("-", "").replace("_", "").isalnum():
                raise ValueError(kind)
            return cls(run_id, int(segment), int(offset.removeprefix("r")), offset.startswith("r"))
        except ValueError as error:
            raise InputError("不是网络级证据编号:{id}", id=evidence_id[:100]) from error

    @property
    def stem(self) -> str:
        return f"{self.run_id}/{self.segment:04d}"

    @property
    def evidence_id(self) -> str:
        return f"http.{self.run_id}.{self.segment:04d}.{'r' if self.revisit else ''}{self.offset}"


class HttpRun:
    """Writer of one patrol run. One process, one thread at a time. Open it by `Vault.open_run`."""

    def __init__(self, vault: Vault, run_id: str, about: Mapping[str, Any]) -> None:
        Place.parse(f"http.{run_id}.0.0")
        self._vault = vault
        self._about = dict(about)
        self.run_id = run_id
        self._folder = vault.warc / run_id
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise RunBusy("巡查 {run} 的证据段正由另一进程写入", run=run_id) from error
        sealed = sorted(self._folder.glob("*.manifest.json"))
        self.cut_bytes = 0  #: bytes of a torn tail cut at opening
        try:
            self._begin(int(sealed[-1].name[:4]) + 1 if sealed else 1)
        except WangxunError:
            self._close_files()
            self._lock.close()
            raise

    @property
    def path(self) -> Path:
        return self._folder / f"{self._segment:04d}.warc.gz"

    @property
    def _journal_path(self) -> Path:
        return self._folder / f"{self._segment:04d}.records.jsonl"

    @property
    def _revisits_path(self) -> Path:
        return self._folder / f"{self._segment:04d}.revisits.gz"

    def _begin(self, segment: int) -> None:
        self._segment = segment
        self._opened_at = self._vault.clock.now()
        self._waiting: list[bytes] = []
        self._tree = Tree()
        self._file = self.path.open("ab")
        self._journal = self._journal_path.open("ab")
        held = self._revisits_path.exists()
        self._revisits = RevisitFile(self._revisits_path) if held else None
        end = self._recover()
        size = self.path.stat().st_size
        if size < end:
            raise Unverifiable("{path} 短于已提交长度:应为 {end} 字节,现为 {size}", path=self.path, end=end, size=size)
        if size > end:
            self.cut_bytes += size - end
            os.ftruncate(self._file.fileno(), end)
            self._vault.log.append("run.torn-tail-cut", {"run": self.run_id, "segment": segment, "bytes": size - end})
        self._end = end
        fsync_folder(self._folder)

    def _recover(self) -> int:
        """Reads the journal, cuts a torn last line, returns the committed end of the segment."""
        raw = self._journal_path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):
            os.ftruncate(self._journal.fileno(), len(whole))
        end = 0
        for line in whole.splitlines():
            fields = json.loads(line)
            end = fields["offset"] + fields["length"]
            self._tree.append(leaf_hash(line))
        return end

    @property
    def records(self) -> int:
        """Committed records of the present segment, revisits included."""
        return len(self._tree) + (len(self._revisits.spans) if self._revisits else 0)

    @property
    def due(self) -> bool:
        """Whether the batch has reached its age or size and should be sealed."""
        if not self.records and not self._waiting:
            return False
        if self._revisits and self._revisits.end >= REVISIT_LIMIT // 2:
            return True
        return self._vault.clock.now() - self._opened_at >= BATCH_LIMIT or self._end >= SEGMENT_LIMIT

    def append(self, exchange: Exchange, *, earlier: str | None = None) -> HttpRecord:
        """Writes one exchange; it counts after `commit`.

        `earlier` is the evidence id of an earlier record of the same page: when the body is the same (or the status is
        304), only a revisit is written. An unreadable `earlier` is ignored: the body is then written in full.
        """
        if self._end == 0:
            self._write_info()
        plain = exchange.method == "GET" and not exchange.request_body
        original = self._original(exchange, earlier) if earlier and plain else None
        if original is not None:
            return self._append_revisit(exchange, original)
        evidence_id = Place(self.run_id, self._segment, self._end).evidence_id
        ids = warc.evidence_record_id(evidence_id), warc.evidence_record_id(f"{evidence_id}.request")
        response, request, payload = warc.exchange_members(exchange, ids=ids)
        block = response + request
        record = HttpRecord(
            evidence_id=evidence_id,
            warc=f"warc/{self.run_id}/{self.path.name}",
            offset=self._end,
            length=len(block),
            sha256=hashlib.sha256(block).hexdigest(),
            payload_digest=warc.payload_hex(payload),
            revisit=False,
        )
        self._write(block)
        self._waiting.append(record.line)
        return record

    def _append_revisit(self, exchange: Exchange, original: warc.Original) -> HttpRecord:
        try:
            if self._revisits is None:
                self._revisits = RevisitFile(self._revisits_path)
                fsync_folder(self._folder)
            evidence_id = Place(self.run_id, self._segment, self._revisits.end, revisit=True).evidence_id
            raw, payload = warc.revisit_record(exchange, original, warc.evidence_record_id(evidence_id))
            span = self._revisits.append(raw)
        except OSError as error:
            raise _disk_fault(error, self._revisits_path) from error
        return HttpRecord(
            evidence_id=evidence_id,
            warc=f"warc/{self.run_id}/{self._revisits_path.name}",
            offset=span.offset,
            length=span.length,
            sha256=span.sha256,
            payload_digest=warc.payload_hex(payload),
            revisit=True,
        )

    def _write_info(self) -> None:
        fields = {"software": SOFTWARE, "format": "WARC File Format 1.1", "run": self.run_id}
        fields |= {f"about-{key}": str(value) for key, value in self._about.items()}
        block = warc.warcinfo(self._opened_at, fields, self.path.name)
        self._write(block)
        self._waiting.append(record_line(0, len(block), hashlib.sha256(block).hexdigest()))

    def _write(self, block: bytes) -> None:
        try:
            self._file.write(block)
        except OSError as error:
            raise _disk_fault(error, self.path) from error
        self._end += len(block)

    def _original(self, exchange: Exchange, earlier: str) -> warc.Original | None:
        try:
            if Place.parse(earlier).run_id == self.run_id:
                self._file.flush()
                if self._revisits:
                    self._revisits.flush()
            original = self._vault.original(earlier)
        except (InputError, Unverifiable):
            return None
        if exchange.status == 304 or warc.base32_digest(exchange.response_body) == original.payload_digest:
            return original
        return None

    def commit(self) -> int:
        """Makes everything appended durable; returns the committed end of the segment in bytes."""
        try:
            if self._waiting:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._journal.write(b"".join(line + b"\n" for line in self._waiting))
                self._journal.flush()
                os.fsync(self._journal.fileno())
            if self._revisits:
                self._revisits.commit()
        except OSError as error:
            raise _disk_fault(error, self.path) from error
        for line in self._waiting:
            self._tree.append(leaf_hash(line))
        self._waiting.clear()
        return self._end

    def seal(self, *, stamp: bool = True) -> Sealed | None:
        """Closes the batch: manifest, signature, log, time stamp; the next append begins a new segment.

        None when nothing was recorded. With `stamp` False the stamp is left to `Vault.stamp_pending`, so that a patrol
        never waits for a time-stamp authority.
        """
        self.commit()
        if not self.records:
            return None
        clock = self._vault.clock
        segment = digest(self.path)
        journal = digest(self._journal_path)
        manifest: dict[str, Any] = {
            "kind": "http-batch",
            "version": 1,
            "id": f"batch.{self.run_id}.{self._segment:04d}",
            "run": self.run_id,
            "about": {key: str(value) for key, value in self._about.items()},
            "software": SOFTWARE,
            "opened_at": iso(self._opened_at),
            "sealed_at": iso(clock.now()),
            "clock": "模拟时间" if clock.simulated else "系统时间",
            "formal": False,
            "segment": {"name": self.path.name, **segment.as_json()},
            "records": {
                "name": self._journal_path.name,
                "count": len(self._tree),
                "root": self._tree.root().hex(),
                **journal.as_json(),
            },
        }
        if self._revisits:
            manifest["revisits"] = self._finish_revisits(self._revisits)
        sealed = self._vault.seal_manifest(
            self.path.with_name(f"{self._segment:04d}.manifest.json"), manifest, stamp=stamp
        )
        self._close_files()
        self._begin(self._segment + 1)
        return sealed

    def _finish_revisits(self, revisits: RevisitFile) -> dict[str, Any]:
        try:
            revisits.finish()
        except OSError as error:
            raise _disk_fault(error, revisits.path) from error
        return {
            "name": revisits.path.name,
            "count": len(revisits.spans),
            "root": Tree(leaf_hash(span.line) for span in revisits.spans).root().hex(),
            **digest(revisits.path).as_json(),
        }

    def _close_files(self) -> None:
        self._file.close()
        self._journal.close()
        if self._revisits:
            self._revisits.close()

    def close(self) -> None:
        """Commits and lets go; an unsealed batch stays open for the next `open_run` or `Vault.recover`."""
        if self._file.closed:
            return
        self.commit()
        self._close_files()
        if not self._revisits_path.exists():
            for path in (self.path, self._journal_path):
                if path.stat().st_size == 0:
                    path.unlink()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _disk_fault(error: OSError, path: Path) -> EnvironmentFault:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFault("证据库所在磁盘已满:{path}", hint="请清出空间后重试", path=path)
    return EnvironmentFault("证据段无法写入:{why}", why=str(error))
