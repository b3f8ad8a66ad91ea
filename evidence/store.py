"""Content-addressed, write-once store: a file's name is its SHA-256, and nothing is ever written over.

A put is durable at return: temporary file, fsync, hard link, fsync of the folder. A kill at any moment leaves either
the whole object or a temporary file that nobody refers to.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from contracts.errors import EnvironmentFault, InputError
from evidence.seal import chunks, fsync_folder


class Store:
    """Objects under `root/ab/cdef…`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._temp = root / "tmp"
        self._temp.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """The object as a file, or where it would lie. Raises InputError on anything that is no digest."""
        return self.place(sha256)

    def place(self, sha256: str) -> Path:
        """Where an object lies in this folder or would lie."""
        if len(sha256) != 64 or not all(c in "0123456789abcdef" for c in sha256):
            raise InputError("不是 SHA-256 摘要:{digest}", digest=sha256[:80])
        return self.root / sha256[:2] / sha256[2:]

    def put(self, content: bytes | Path) -> str:
        """Keeps bytes or a copy of a file; returns its SHA-256. Raises EnvironmentFault when the disk refuses."""
        temp = self._temp / secrets.token_hex(16)
        try:
            sha256 = self._write(temp, content)
            self._link(temp, sha256)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            temp.unlink(missing_ok=True)
        return sha256

    def adopt(self, path: Path, sha256: str) -> None:
        """Keeps a file of the same disk under its digest without copying it. The caller vouches for the digest, may not
        write to the file again, and removes its own name of it."""
        try:
            path.chmod(0o444)
            with path.open("rb") as file:
                os.fsync(file.fileno())
            self._link(path, sha256)
        except OSError as error:
            raise self._refused(error) from error

    def _link(self, source: Path, sha256: str) -> None:
        target = self.place(sha256)
        if target.exists():
            return
        made = not target.parent.exists()
        target.parent.mkdir(exist_ok=True)
        with suppress(FileExistsError):  # another writer was faster with the same bytes
            os.link(source, target)
        fsync_folder(target.parent)
        if made:
            fsync_folder(self.root)

    def _refused(self, error: OSError) -> EnvironmentFault:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return EnvironmentFault("证据库所在磁盘已满:{path}", hint="请清出空间后重试", path=self.root)
        return EnvironmentFault("证据库无法写入:{why}", why=str(error))

    @staticmethod
    def _write(temp: Path, content: bytes | Path) -> str:
        sha = hashlib.sha256()
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(fd, "wb") as out:
            if isinstance(content, bytes):
                sha.update(content)
                out.write(content)
            else:
                with content.open("rb") as source:
                    for chunk in chunks(source):
                        sha.update(chunk)
                        out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        return sha.hexdigest()

    def has(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def open(self, sha256: str) -> BinaryIO:
        """The object as a stream. Raises InputError when it is not there."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise InputError("证据库中没有 {digest}", digest=sha256) from error

    def get(self, sha256: str) -> bytes:
        with self.open(sha256) as file:
            return file.read()

    def remove(self, sha256: str) -> None:
        """Deletes an object. Only for a deletion that has its ground in the log."""
        place = self.place(sha256)
        if place.exists():
            place.unlink()
            fsync_folder(place.parent)

    def __iter__(self) -> Iterator[str]:
        """Digests of all objects, sorted, one folder at a time."""
        for folder in sorted(self.root.glob("??")):
            for path in sorted(folder.iterdir()):
                yield folder.name + path.name

    def intact(self, sha256: str) -> bool:
        """Whether the object's bytes still are what its name says. Streams."""
        sha = hashlib.sha256()
        with self.open(sha256) as file:
            for chunk in chunks(file):
                sha.update(chunk)
        return sha.hexdigest() == sha256
