"""A second signature with the Chinese commercial algorithm SM2 (GB/T 32918) over SM3, beside Ed25519.

Needs the optional extra `gm` (tongsuopy). Its key is handled like the other: made once, readable by its owner alone, never in a
package. Anyone checks it with `openssl dgst -sm3 -verify … -sigopt distid:1234567812345678`.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
from pathlib import Path
from typing import Any

from contracts.errors import EnvironmentFault
from evidence.seal import write_new

PRIVATE_KEY = "sm2-signing-key.private.pem"


def _part(name: str) -> Any:
    try:
        return importlib.import_module(f"tongsuopy.crypto.{name}")
    except ImportError as error:
        raise EnvironmentFault("SM2 签名需要可选组件 gm", hint="pip install 'wangxun[gm]'") from error


def sm2_key_id(pem: bytes) -> str:
    """`sm2-` and the first 16 hex digits of the SHA-256 of the public key's DER."""
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-----")))
    return "sm2-" + hashlib.sha256(der).hexdigest()[:16]


class Sm2Signer:
    """The institution's SM2 key."""

    def __init__(self, private: Any) -> None:
        self._private = private
        serialization = _part("serialization")
        self.public_pem: bytes = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.id = sm2_key_id(self.public_pem)

    @classmethod
    def open(cls, folder: Path, public_folder: Path) -> tuple[Sm2Signer, bool]:
        """The signer, and whether its key was made just now. Raises EnvironmentFault (no extra, others may read the key)."""
        serialization, ec = _part("serialization"), _part("asymciphers.ec")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / PRIVATE_KEY
        made = False
        if not path.exists():
            form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            made = write_new(path, ec.generate_private_key(ec.SM2()).private_bytes(*form), mode=0o600)
        if path.stat().st_mode & 0o077:
            raise EnvironmentFault("签名私钥 {path} 可被他人读取", hint="请执行 chmod 600 {path}", path=path)
        signer = cls(serialization.load_pem_private_key(path.read_bytes(), password=None))
        write_new(public_folder / f"{signer.id}.pem", signer.public_pem)
        return signer, made

    def sign(self, data: bytes) -> bytes:
        """DER signature with the default identity; differs from call to call."""
        signature: bytes = self._private.sign(data, _part("asymciphers.ec").ECDSA(_part("hashes").SM3()))
        return signature
