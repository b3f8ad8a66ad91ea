"""Objects in a bucket: created once, fetched back by their digest, never believed unseen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import EnvironmentFault, Unverifiable
from evidence import retention
from evidence.remote import RemoteStore
from evidence.seal import digest
from evidence.vault import Vault
from evidence.verify import verify_vault

obstore = pytest.importorskip("obstore", reason="optional extra s3 is not installed")


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    (tmp_path / "bucket").mkdir()
    return tmp_path / "bucket"


def test_objects_lie_in_both_places_and_come_back(tmp_path: Path, bucket: Path) -> None:
    store = RemoteStore(tmp_path / "o", bucket.as_uri())
    name = store.put(b"page" * 1000)
    assert store.put(b"page" * 1000) == name
    assert store.size(name) == 4000
    assert list(store) == [name]
    elsewhere = RemoteStore(tmp_path / "other machine", bucket.as_uri())
    assert elsewhere.has(name)
    assert elsewhere.get(name) == b"page" * 1000
    assert elsewhere.place(name).exists()
    assert not elsewhere.has("0" * 64)
    assert not elsewhere.path("0" * 64).exists()


def test_what_the_bucket_holds_is_never_written_over(tmp_path: Path) -> None:
    memory = obstore.store.MemoryStore()
    store = RemoteStore(tmp_path / "o", "", bucket=memory)
    sums = digest(b"original")
    key = f"objects/{sums.sha256[:2]}/{sums.sha256[2:]}"
    obstore.put(memory, key, b"planted earlier")
    with pytest.raises(Unverifiable, match="长度不符"):
        store.put(b"original")
    assert bytes(obstore.get(memory, key).bytes()) == b"planted earlier"
    elsewhere = RemoteStore(tmp_path / "p", "", bucket=memory)
    with pytest.raises(Unverifiable, match="内容与摘要不符"):
        elsewhere.get(sums.sha256)
    assert not elsewhere.place(sums.sha256).exists()


def test_vault_on_a_bucket_verifies_deletes_and_names_what_was_changed(tmp_path: Path, bucket: Path) -> None:
    vault = Vault.open(tmp_path / "evidence", keys=tmp_path / "keys", clock=SystemClock(), store_url=bucket.as_uri())
    for number in ("a" * 32, "b" * 32):
        content = number.encode()
        vault.store.put(content)
        entry = {**digest(content).as_json(), "mime": "text/plain", "role": "original"}
        path = vault.capture_folder(number) / "manifest.json"
        vault.seal_manifest(path, {"id": number, "kind": "capture", "files": {"own.txt": entry}})
    shutil.rmtree(tmp_path / "evidence" / "objects")
    (tmp_path / "evidence" / "objects" / "tmp").mkdir(parents=True)
    report = verify_vault(tmp_path / "evidence", store=vault.store)
    assert report.ok, report.failures
    assert report.checked["files"] == 2
    retention.delete(vault, "a" * 32, officer="张三", ground="期满")
    assert len(list(vault.store)) == 1
    shutil.rmtree(tmp_path / "evidence" / "objects")
    (tmp_path / "evidence" / "objects" / "tmp").mkdir(parents=True)
    (left,) = (p for p in bucket.rglob("*") if p.is_file())
    left.chmod(0o644)
    left.write_bytes(b"changed")
    report = verify_vault(tmp_path / "evidence", store=vault.store)
    assert any("内容与摘要不符" in f.what for f in report.failures)


def test_unusable_address_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="对象存储地址"):
        RemoteStore(tmp_path / "o", "nonsense://x")
