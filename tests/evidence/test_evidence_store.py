"""Write-once, content-addressed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from contracts.errors import EnvironmentFault, InputError
from evidence.store import Store


def test_what_is_put_is_got_and_put_twice_is_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "o")
    (tmp_path / "f").write_bytes(b"same" * 100_000)
    first, second = store.put(b"same" * 100_000), store.put(tmp_path / "f")
    assert first == second == hashlib.sha256(b"same" * 100_000).hexdigest()
    assert store.get(first) == b"same" * 100_000
    assert list(store) == [first]
    assert not any((tmp_path / "o" / "tmp").iterdir())
    assert store.path(first).stat().st_mode & 0o222 == 0


def test_change_is_seen(tmp_path: Path) -> None:
    store = Store(tmp_path)
    name = store.put(b"original")
    assert store.intact(name)
    store.path(name).chmod(0o644)
    store.path(name).write_bytes(b"0riginal")
    assert not store.intact(name)
    store.put(b"original")  # never written over, not even to mend
    assert not store.intact(name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "ab", "G" * 64, "A" * 64])
def test_names_that_are_no_digest(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        Store(tmp_path).path(name)


def test_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.has("0" * 64)
    with pytest.raises(InputError, match="没有"):
        store.get("0" * 64)


def test_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "o")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="已满"):
        store.put(b"x")
    assert list(store) == []
    assert not any((tmp_path / "o" / "tmp").iterdir())
