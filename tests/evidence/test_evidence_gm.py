"""SM2 beside Ed25519: openssl accepts it, a changed or missing one is named, the private key stays at home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from evidence_case import exchange, unzip

from contracts.clock import SystemClock
from contracts.errors import EnvironmentFault
from evidence.dossier import CaseFile
from evidence.gm import PRIVATE_KEY
from evidence.package import export_case
from evidence.vault import Vault
from evidence.verify import verify, verify_vault

pytest.importorskip("tongsuopy", reason="optional extra gm is not installed")
CLOCK = SystemClock()


def opened(folder: Path) -> Vault:
    return Vault.open(folder / "evidence", keys=folder / "keys", clock=CLOCK, sm2=True)


def test_second_signature_travels_with_the_package(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    with vault.open_run("r", {}) as run:
        record = run.append(exchange(b"page", CLOCK))
        run.seal()
    assert verify_vault(tmp_path / "evidence").checked["sm2_signatures"] == 1
    top = unzip(
        export_case(CaseFile("CASE-1", "t", captures=(record.evidence_id,)), vault=vault, out_dir=tmp_path),
        tmp_path / "bag",
    )
    report = verify(top)
    assert report.ok, report.failures
    assert report.checked["sm2_signatures"] == 1
    folder = top / "data" / "captures" / record.evidence_id
    (pem,) = (top / "data" / "certs").glob("sm2-*.pem")
    command = ["openssl", "dgst", "-sm3", "-verify", str(pem), "-sigopt", "distid:1234567812345678", "-signature", str(folder / "manifest.sm2"), str(folder / "manifest.json")]  # fmt: skip
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert not any(b"PRIVATE" in p.read_bytes() for p in top.rglob("*") if p.is_file())
    signature = folder / "manifest.sm2"
    whole = signature.read_bytes()
    signature.chmod(0o644)
    signature.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert any("SM2 签名不成立" in f.what for f in verify(top).failures)
    done = subprocess.run([sys.executable, "-I", "-S", "data/verify/verify.py"], cwd=top, capture_output=True, text=True, check=False)  # fmt: skip
    assert "SM2 签名不成立" in done.stdout
    signature.unlink()
    assert any("缺少 SM2 签名文件" in f.what for f in verify(top).failures)


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, again = opened(tmp_path), opened(tmp_path)
    assert first.sm2 is not None
    assert again.sm2 is not None
    assert first.sm2.id == again.sm2.id
    assert [e.data["key"] for e in again.log.events() if e.kind == "key.made"] == [first.signer.id, first.sm2.id]
    path = tmp_path / "keys" / PRIVATE_KEY
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(EnvironmentFault, match="可被他人读取"):
        opened(tmp_path)
