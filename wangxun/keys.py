"""The key under which reviewers' names are hashed: made once, readable by its owner alone, never leaves the machine."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from contracts.errors import EnvironmentFault


def review_key(folder: Path) -> bytes:
    """32 bytes. Two processes that make it at once end with the same one (the link can be made only once)."""
    path = folder / "review.key"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            made = folder / f"review.{os.getpid()}.{secrets.token_hex(4)}"
            made.touch(mode=0o600)
            made.write_bytes(secrets.token_bytes(32))
            with suppress(FileExistsError):  # another process was first: its key counts
                os.link(made, path)
            made.unlink()
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentFault("密钥目录 {folder} 用不了: {why}", folder=folder, why=error.strerror) from error
