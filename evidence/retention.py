"""保存期限与留置: what may be deleted, by whom, on what ground. A deletion is an event; the manifest stays for ever.

What is deleted are the files; their digests remain provable by manifest, signature, stamp and log.
"""

from __future__ import annotations

import json
from pathlib import Path

from contracts.errors import InputError, NotAllowed
from evidence.seal import fsync_folder, write_new
from evidence.vault import Vault

PARTS = ("segment", "records", "revisits")  #: files of a network-level batch, by their entry in its manifest


def hold(vault: Vault, evidence_id: str, *, officer: str, ground: str) -> None:
    """Legal hold: nothing of this evidence may be deleted until `release`. Raises InputError when it is unknown."""
    _named(officer, ground)
    manifest = vault.manifest(evidence_id)
    vault.record("evidence.held", {"id": manifest["id"], "officer": officer, "ground": ground})
    write_new(_mark(vault, manifest["id"]), ground.encode(), mode=0o644)


def release(vault: Vault, evidence_id: str, *, officer: str, ground: str) -> None:
    """Ends a hold. Raises NotAllowed when there is none."""
    _named(officer, ground)
    manifest = vault.manifest(evidence_id)
    if not held(vault, evidence_id):
        raise NotAllowed("证据 {id} 未被留置", id=evidence_id)
    vault.record("evidence.released", {"id": manifest["id"], "officer": officer, "ground": ground})
    _mark(vault, manifest["id"]).unlink()


def held(vault: Vault, evidence_id: str) -> bool:
    return _mark(vault, vault.manifest(evidence_id)["id"]).exists()


def delete(vault: Vault, evidence_id: str, *, officer: str, ground: str) -> list[str]:
    """Deletes the files of a full capture, or a whole network-level batch (by any of its records); answers their names.

    Files that other evidence shares stay. Raises NotAllowed under a hold, InputError when it is unknown or without ground.
    The event comes first: a kill in between leaves files that the log says are gone, never the other way round.
    """
    _named(officer, ground)
    path = vault.manifest_path(evidence_id)
    manifest = vault.manifest(evidence_id)
    if held(vault, evidence_id):
        raise NotAllowed("证据 {id} 已被留置,不得删除", id=evidence_id)
    if manifest["kind"] == "capture":
        shared = _shared(vault, path)
        objects = {n: e["sha256"] for n, e in manifest["files"].items() if e["sha256"] not in shared}
        files: dict[str, Path] = {}
    else:
        objects = {}
        files = {manifest[part]["name"]: path.with_name(manifest[part]["name"]) for part in PARTS if part in manifest}
    names = sorted({*objects, *files})
    vault.record("evidence.deleted", {"id": manifest["id"], "officer": officer, "ground": ground, "files": names})
    for sha256 in objects.values():
        vault.store.remove(sha256)
    for file in files.values():
        file.unlink(missing_ok=True)
        fsync_folder(file.parent)
    return names


def _shared(vault: Vault, but: Path) -> set[str]:
    """Digests that other captures rest on."""
    found: set[str] = set()
    for path in vault.all_manifests():
        if path != but:
            files = json.loads(path.read_bytes()).get("files", {})
            found |= {entry["sha256"] for entry in files.values()}
    return found


def _mark(vault: Vault, identity: str) -> Path:
    return vault.root / "holds" / identity


def _named(officer: str, ground: str) -> None:
    if not officer.strip() or not ground.strip():
        raise InputError("须写明执法人员和理由")
