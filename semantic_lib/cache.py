"""What was worked out from the data files, kept between processes: parsed files, facts about patterns, spellings.

A kept answer lies under a key made of everything it depends on (contents of the data files, our code, library versions), so it
cannot be stale: anything changed is another key. It is JSON behind its own SHA-256; whatever does not read back whole is
worked out anew. Nothing depends on the folder: absent, read-only or full, reading is only slower.

Folder: $XDG_CACHE_HOME/wangxun, else ~/.cache/wangxun; used only when it belongs to us and nobody else may write to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

_MAX_BYTES = 64 * 1024 * 1024  #: a kept file larger than this is not ours
_KEPT = 6  #: files of one kind that stay; older ones go
#: Our code that a kept answer depends on.
_SOURCES = ("cache.py", "source.py", "literals.py", "normalise.py")


def key_of(parts: Iterable[bytes]) -> str:
    """A key of `parts`, our code and the interpreter; 40 hex digits."""
    digest = hashlib.sha256(_engine())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:40]


@lru_cache(maxsize=1)
def _engine() -> bytes:
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(sys.version.encode())
    for name in _SOURCES:
        with suppress(OSError):
            digest.update((here / name).read_bytes())
    return digest.digest()


def kept(kind: str, key: str) -> Any | None:
    """What was kept under `key`, None when nothing sound is."""
    folder = _folder()
    if folder is None:
        return None
    try:
        with _file(folder, kind, key).open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError:
        return None
    check, _, body = raw.partition(b"\n")
    if len(raw) > _MAX_BYTES or check != _check(key, body):
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def keep(kind: str, key: str, answer: Any) -> None:
    """Keeps `answer` (JSON values) for later processes; two that write the same at once write the same."""
    folder = _folder()
    if folder is None:
        return
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_check(key, body) + b"\n" + body)
            Path(name).replace(_file(folder, kind, key))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        for old in sorted(folder.glob(f"{kind}-*.json"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)


def _file(folder: Path, kind: str, key: str) -> Path:
    return folder / f"{kind}-{key}.json"


def _check(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + body).hexdigest().encode()


def _folder() -> Path | None:
    """The cache folder (perhaps not made yet); None when there is none that is ours alone."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(given) if given and Path(given).is_absolute() else Path.home() / ".cache"
        folder = base / "wangxun"
        if not folder.exists():
            return folder
        state = folder.stat()
    except (OSError, RuntimeError):
        return None
    ours = not hasattr(os, "geteuid") or (state.st_uid == os.geteuid() and not state.st_mode & 0o022)
    return folder if ours else None
