"""Trusted time that comes later: batches sealed during a patrol are stamped beside it, and the rows are told.

A patrol never waits for a time-stamp authority. What no authority stamps stays 待补 and is tried again on the next
occasion; nothing is ever stamped by ourselves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cases import captures
from contracts.errors import InputError, WangxunError
from evidence.vault import Vault
from wangxun.runtime import Runtime

#: Seconds between two looks at what waits. A batch is closed after ten minutes at the latest and stamped within these.
LOOK_EVERY_S = 20.0


@contextmanager
def stamping(runtime: Runtime, *, every_s: float = LOOK_EVERY_S) -> Iterator[None]:
    """While the block runs, sealed batches are stamped as they come; at its end all that wait are tried once more and the
    rows of what is stamped are set. Does nothing where no authority is configured."""
    if not runtime.config.tsa_url:
        yield
        return
    vault = runtime.vault
    # A vault is for one thread at a time: this thread has its own.
    beside = Vault(vault.root, vault.signer, runtime.clock, vault.timestamper, vault.store, vault.sm2)
    over = threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            try:
                if beside.pending():
                    beside.stamp_pending()
            except (WangxunError, OSError):
                continue  # the next look, or the end, tries again

    thread = threading.Thread(target=look, name="stamping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        stamp_waiting(runtime)


def stamp_waiting(runtime: Runtime) -> int:
    """Tries all that wait for a stamp and sets the rows of what has one; how many rows were set."""
    if runtime.config.tsa_url:
        runtime.vault.stamp_pending()
    return note_stamps(runtime)


def note_stamps(runtime: Runtime) -> int:
    """Rows that still say pending while the vault holds their stamp are set; how many."""
    with runtime.session(read_only=True) as session:
        waiting = captures.unstamped(session)
    known: dict[Path, bool] = {}
    stamped = []
    for evidence_id in waiting:
        try:
            path = runtime.vault.manifest_path(evidence_id)
        except InputError:
            continue  # not sealed yet
        if path not in known:
            known[path] = path.with_suffix(".tsr").exists()
        if known[path]:
            stamped.append(evidence_id)
    if stamped:
        with runtime.session() as session:
            for evidence_id in stamped:
                captures.set_timestamp(session, evidence_id, "stamped")
    return len(stamped)
