"""The event log: every act on evidence, appended, hash-chained for people and Merkle-treed for proofs.

Files of the folder:
    events.jsonl         one canonical JSON line an event: seq, at, kind, data, prev (SHA-256 of the line before)
    index.bin            40 bytes an event: offset of its line, its RFC 6962 leaf hash; derived, rebuilt when wrong
    checkpoints/N.txt    signed tree heads (size, root, time, key), with .sig and, once stamped, .tsq and .tsr
    lock                 one writer at a time, over all processes

An append is durable at return. A line torn by a kill is cut at the next append, and the cut is itself an event.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.clock import Clock, iso
from contracts.errors import Unverifiable
from evidence.merkle import Tree, leaf_hash
from evidence.seal import Signer, canonical, write_new

_INDEX = struct.Struct(">Q32s")
ORIGIN = "wangxun-evidence-log"
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `line` are its exact bytes without the line break; `seq` counts from 0."""

    seq: int
    at: str
    kind: str
    data: Mapping[str, Any]
    line: bytes

    @classmethod
    def parse(cls, line: bytes) -> Event:
        fields = json.loads(line)
        return cls(fields["seq"], fields["at"], fields["kind"], fields["data"], line)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed tree head: what the log was when it had `size` events. `text` is what was signed."""

    size: int
    root: bytes
    text: bytes
    signature: bytes
    path: Path

    @property
    def stamped(self) -> bool:
        return self.path.with_suffix(".tsr").exists()


def checkpoint_text(size: int, root: bytes, at: str, key: str) -> bytes:
    """Five lines: origin, size, base64 root, time, key id."""
    return f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n{at}\n{key}\n".encode()


class Log:
    """See the module. Safe for several processes; one instance is for one thread at a time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._events = folder / "events.jsonl"
        self._index = folder / "index.bin"
        self.checkpoints = folder / "checkpoints"
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        self.tree = Tree()
        self._offsets: list[int] = []
        self._end = 0  # bytes of events.jsonl that the tree covers
        self._last = GENESIS
        with self._locked():
            self._events.touch()
            self._load_index()
            self._cut = self._catch_up()

    def __len__(self) -> int:
        return len(self._offsets)

    def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        """Adds one event; durable at return."""
        with self._locked():
            self._cut += self._catch_up()
            if self._cut:
                self._write("log.torn-line-cut", {"bytes": self._cut})
                self._cut = 0
            return self._write(kind, data)

    def refresh(self) -> None:
        """Reads what other processes appended."""
        with self._locked():
            self._cut += self._catch_up()

    def events(self, start: int = 0, end: int | None = None) -> Iterator[Event]:
        """Events start ≤ seq < end, streamed from the file."""
        end = len(self) if end is None else min(end, len(self))
        if start >= end:
            return
        with self._events.open("rb") as file:
            file.seek(self._offsets[start])
            for _ in range(start, end):
                yield Event.parse(file.readline().rstrip(b"\n"))

    def lines(self) -> Iterator[bytes]:
        """The exact bytes of every event, without line breaks, unparsed."""
        with self._events.open("rb") as file:
            for _ in range(len(self)):
                yield file.readline().rstrip(b"\n")

    def checkpoint(self, signer: Signer) -> Checkpoint:
        """The signed head of the log as it stands; the same one when nothing was appended since."""
        self.refresh()
        size = len(self)
        path = self.checkpoints / f"{size:012d}.txt"
        if not path.exists():
            text = checkpoint_text(size, self.tree.root(), iso(self._clock.now()), signer.id)
            write_new(path.with_suffix(".sig"), signer.sign(text))
            write_new(path, text)  # last: a checkpoint without its signature is never seen
        return self.load_checkpoint(path)

    def load_checkpoint(self, path: Path) -> Checkpoint:
        """Raises Unverifiable when the file is malformed."""
        text = path.read_bytes()
        try:
            origin, size, root, _, _ = text.decode("ascii").rstrip("\n").split("\n")
            head = base64.b64decode(root, validate=True)
            if origin != ORIGIN:
                raise ValueError(origin)
            return Checkpoint(int(size), head, text, path.with_suffix(".sig").read_bytes(), path)
        except (ValueError, OSError) as error:
            raise Unverifiable("日志检查点 {path} 无法读取:{why}", path=path.name, why=str(error)) from error

    def all_checkpoints(self) -> list[Checkpoint]:
        """Oldest first."""
        return [self.load_checkpoint(path) for path in sorted(self.checkpoints.glob("*.txt"))]

    # — inside —

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fd = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _load_index(self) -> None:
        """Takes the index on trust only as far as its last entry agrees with the events file; `verify` recomputes all."""
        raw = self._index.read_bytes() if self._index.exists() else b""
        entries = [_INDEX.unpack_from(raw, at) for at in range(0, len(raw) - _INDEX.size + 1, _INDEX.size)]
        if not entries:
            return
        with self._events.open("rb") as file:
            file.seek(entries[-1][0])
            line = file.readline()
        if not line.endswith(b"\n") or leaf_hash(line[:-1]) != entries[-1][1]:
            self._index.unlink()
            return
        for offset, value in entries:
            self._offsets.append(offset)
            self.tree.append(value)
        self._end = entries[-1][0] + len(line)
        self._last = hashlib.sha256(line[:-1]).hexdigest()

    def _catch_up(self) -> int:
        """Reads lines beyond what the tree covers; cuts a torn last one and returns its bytes."""
        size = self._events.stat().st_size
        if size == self._end:
            return 0
        if size < self._end:
            raise Unverifiable("事件日志比已读部分短:应不少于 {want} 字节,现为 {have}", want=self._end, have=size)
        with self._events.open("r+b") as file:
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):
                    file.truncate(self._end)
                    os.fsync(file.fileno())
                    return len(line)
                self._adopt(line)
        return 0

    def _adopt(self, line: bytes) -> None:
        value = leaf_hash(line[:-1])
        with self._index.open("ab") as index:
            index.seek(_INDEX.size * len(self._offsets))
            index.truncate()
            index.write(_INDEX.pack(self._end, value))
        self._offsets.append(self._end)
        self.tree.append(value)
        self._end += len(line)
        self._last = hashlib.sha256(line[:-1]).hexdigest()

    def _write(self, kind: str, data: Mapping[str, Any]) -> Event:
        fields = {"seq": len(self), "at": iso(self._clock.now()), "kind": kind, "data": data, "prev": self._last}
        if self._clock.simulated:
            fields["clock"] = "模拟时间"
        line = canonical(fields)
        with self._events.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._adopt(line + b"\n")
        return Event.parse(line)
