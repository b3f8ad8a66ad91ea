"""Revisits of a segment: pages that showed what they had shown before, a hundred bytes each.

`NNNN.revisits.gz` unpacks to a plain WARC 1.1 file. Its records share one compression window, so that what all of them say
(profile, names of headers, addresses) is stored once; every commit ends in a flush, so that all committed records
can be unpacked although the stream is not finished. Records are addressed by their offset in the unpacked file.
A stream that a kill left unfinished is written anew, record for record, when the run is opened again.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import Unverifiable
from evidence import warc
from evidence.seal import canonical, fsync_folder

LIMIT = 256 << 20  #: bytes of one file, unpacked
_PIECE = 4096  #: bytes unpacked at a time
_LEVEL = 9  #: records are small and rare: density is worth the time


@dataclass(frozen=True, slots=True)
class Span:
    """Where a record lies in the unpacked file; `sha256` covers its bytes."""

    offset: int
    length: int
    sha256: str

    @property
    def line(self) -> bytes:
        """Leaf of the batch's Merkle tree."""
        return record_line(self.offset, self.length, self.sha256)


def record_line(offset: int, length: int, sha256: str) -> bytes:
    """What a batch's tree says of one record."""
    return canonical({"length": length, "offset": offset, "sha256": sha256})


class RevisitFile:
    """Appends to one file. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spans: list[Span] = []
        self._end = 0
        self._unflushed = self._unsynced = False
        self._out = bytearray()  # packed, not yet written: a write that fails may be tried again
        if path.exists():
            held = unpacked(path, torn=True)
            whole = [held[r.offset : r.offset + r.length] for r in plain_records(held, torn=True)]
            self._rewrite(whole)
        else:
            self._packer = _packer()
            self._file = path.open("xb", buffering=0)

    def _rewrite(self, records: list[bytes]) -> None:
        temp = self.path.with_suffix(".new")
        self._packer = _packer()
        self._file = temp.open("wb", buffering=0)
        for raw in records:
            self.append(raw)
        self.commit()
        temp.replace(self.path)
        fsync_folder(self.path.parent)

    @property
    def end(self) -> int:
        """Offset that the next record will have."""
        return self._end

    def append(self, raw: bytes) -> Span:
        """Adds one record; durable after `commit`."""
        span = Span(self._end, len(raw), hashlib.sha256(raw).hexdigest())
        self._out += self._packer.compress(raw)
        self._end += len(raw)
        self._unflushed = True
        self.spans.append(span)
        return span

    def flush(self) -> None:
        """Lets readers see everything appended."""
        if self._unflushed:
            self._out += self._packer.flush(zlib.Z_SYNC_FLUSH)
            self._unflushed, self._unsynced = False, True
        while self._out:
            del self._out[: self._file.write(self._out)]

    def commit(self) -> None:
        """Makes everything appended durable."""
        self.flush()
        if self._unsynced:
            os.fsync(self._file.fileno())
            self._unsynced = False

    def finish(self) -> None:
        """Ends the stream: the file is a whole gzip from now on."""
        self._out += self._packer.flush(zlib.Z_FINISH)
        self._unflushed, self._unsynced = False, True
        self.commit()
        self._file.close()

    def close(self) -> None:
        """Commits and lets go; an empty file is removed."""
        if self._file.closed:
            return
        self.commit()
        self._file.close()
        if not self.spans:
            self.path.unlink()


def _packer() -> zlib._Compress:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)


def unpacked(path: Path, *, torn: bool = False) -> bytes:
    """The plain WARC. Raises Unverifiable when it cannot be unpacked; with `torn`, what can be is answered."""
    unpacker = zlib.decompressobj(31)
    parts: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            before = unpacker.copy() if torn else unpacker
            try:
                parts.append(unpacker.decompress(piece, LIMIT))
            except zlib.error as error:
                if not torn:
                    raise Unverifiable("{path} 压缩数据损坏:{why}", path=path.name, why=str(error)) from error
                return b"".join((*parts, *_until_torn(before, piece)))
            size += len(parts[-1])
            if size > LIMIT or unpacker.unconsumed_tail:
                raise Unverifiable("{path} 过大", path=path.name)
    return b"".join(parts)


def _until_torn(unpacker: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    """What a damaged piece yields before the damage: an unpacker that fails gives nothing back of what it was fed."""
    with suppress(zlib.error):
        for at in range(len(piece)):
            yield unpacker.decompress(piece[at : at + 1])


def plain_records(plain: bytes, *, torn: bool = False) -> Iterator[warc.Record]:
    """Records of an uncompressed WARC. Raises Unverifiable naming the offset; with `torn`, ends there instead."""
    at = 0
    while at < len(plain):
        head_end = plain.find(b"\r\n\r\n", at)
        headers = warc.named_fields(plain[at:head_end]) if head_end > 0 else {}
        length = headers.get("content-length", "")
        block_at = head_end + 4
        end = block_at + int(length) if length.isdigit() else -1
        if end < 0 or not plain.startswith(b"WARC/1.", at) or plain[end : end + 4] != b"\r\n\r\n":
            if torn:
                return
            raise Unverifiable("WARC 第 {offset} 字节处不是完整记录", offset=at)
        yield warc.Record(at, end + 4 - at, headers, plain[block_at:end])
        at = end + 4


def lines_of(plain: bytes) -> list[bytes]:
    """The tree's lines of an unpacked file, in order."""
    raws = ((r.offset, plain[r.offset : r.offset + r.length]) for r in plain_records(plain, torn=True))
    return [record_line(offset, len(raw), hashlib.sha256(raw).hexdigest()) for offset, raw in raws]
