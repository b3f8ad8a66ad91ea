"""A check of the whole vault that was interrupted goes on where it stopped.

What passed is noted with the state of its files (inode, size, times to the nanosecond); it is taken as checked only when all
of these are as they were, and only within a day. Failures are never noted: they are looked at again. The note is a
convenience of this machine, never part of the evidence; a full check begins by putting it away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from contracts.clock import Clock, aware

KEPT_FOR = timedelta(days=1)


class Passed:
    """What passed so far. Without a path nothing is remembered."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._known: set[str] = set()
        if path is None:
            return
        began = clock.now()
        if path.exists():
            first, *lines = path.read_text("utf-8", errors="replace").split("\n")
            if (at := _instant(first)) and timedelta() <= began - at < KEPT_FOR:
                began, self._known = at, set(lines[:-1])  # a torn last line does not count
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._file = path.open("w", encoding="utf-8")
        self._file.writelines(f"{line}\n" for line in (began.isoformat(), *sorted(self._known)))
        self._file.flush()

    def holds(self, part: str, files: Iterable[Path]) -> bool:
        """Whether this part passed before, on files that are what they were."""
        return bool(self._known) and _state(part, files) in self._known

    def note(self, part: str, files: Iterable[Path]) -> None:
        """This part passed."""
        if self._path is not None:
            self._file.write(_state(part, files) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """A check that came to its end is begun anew the next time."""
        if self._path is not None:
            self._file.close()
            if kind is None:
                self._path.unlink(missing_ok=True)


def _instant(line: str) -> datetime | None:
    try:
        return aware(datetime.fromisoformat(line))
    except ValueError:
        return None


def _state(part: str, files: Iterable[Path]) -> str:
    told: list[object] = [part]
    for path in files:
        try:
            found = path.stat()
        except OSError:
            told.append([str(path), None])
            continue
        told.append([str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
