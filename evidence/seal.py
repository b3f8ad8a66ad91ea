"""What makes a file unchangeable unseen: two digests, one canonical form, one signature.

Digests: SHA-256 (FIPS 180-4) and SM3 (GB/T 32905). Canonical JSON: RFC 8785. Signature: Ed25519 (RFC 8032).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contracts.clock import Clock, iso
from contracts.errors import EnvironmentFault, InputError

CHUNK = 1 << 20  #: bytes read at a time
PRIVATE_KEY = "signing-key.private.pem"


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _CryptographySm3:
    """SM3 where the OpenSSL linked to hashlib lacks it."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import hashes

        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def hexdigest(self) -> str:
        return self._hash.copy().finalize().hex()


@cache
def _sm3_maker() -> Callable[[], _Hash]:
    try:
        hashlib.new("sm3")
    except ValueError:
        return _CryptographySm3
    return lambda: hashlib.new("sm3")


@dataclass(frozen=True, slots=True)
class Digests:
    """Lower-case hexadecimal digests and the number of bytes they cover."""

    sha256: str
    sm3: str
    size: int

    def as_json(self) -> dict[str, Any]:
        return {"bytes": self.size, "sha256": self.sha256, "sm3": self.sm3}


def digest_chunks(chunks: Iterable[bytes]) -> Digests:
    sha, sm3, size = hashlib.sha256(), _sm3_maker()(), 0
    for chunk in chunks:
        sha.update(chunk)
        sm3.update(chunk)
        size += len(chunk)
    return Digests(sha.hexdigest(), sm3.hexdigest(), size)


def digest(source: bytes | Path) -> Digests:
    """Both digests of bytes or of a file, the latter streamed."""
    if isinstance(source, bytes):
        return digest_chunks((source,))
    with source.open("rb") as file:
        return digest_chunks(chunks(file))


def chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of plain JSON. Raises InputError on a float (its text form differs between languages): write a string."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _ordered(value: Any) -> Any:
    if isinstance(value, float):
        raise InputError("清单中不得出现浮点数:{value}", value=value)
    if isinstance(value, Mapping):
        return {k: _ordered(value[k]) for k in sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))}
    if isinstance(value, (list, tuple)):
        return [_ordered(v) for v in value]
    if isinstance(value, str):  # a lone surrogate from a hostile page has no UTF-8 form
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def fsync_folder(folder: Path) -> None:
    """Makes the folder's entries durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_new(path: Path, content: bytes, *, mode: int = 0o444) -> bool:
    """Writes a file that did not exist, durably, never overwriting. False when it was there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temp, path)
        except FileExistsError:
            return False
    finally:
        temp.unlink()
    fsync_folder(path.parent)
    return True


def key_id(public: Ed25519PublicKey) -> str:
    """First 16 hex digits of the SHA-256 of the key's SubjectPublicKeyInfo."""
    return hashlib.sha256(_spki(public)).hexdigest()[:16]


def _spki(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_pem(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_public(pem: bytes) -> Ed25519PublicKey:
    """Raises InputError when it is no Ed25519 public key."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise InputError("公钥无法读取:{why}", why=str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("公钥不是 Ed25519")
    return key


class Signer:
    """The institution's signing key: a file only its owner can read, made on the first run.

    The private key never leaves its folder. `rotate` makes a new one, vouched for by the old, and destroys the old
    private half; every public half ever used stays readable in `public_folder`.
    """

    def __init__(self, private: Ed25519PrivateKey, folder: Path, public_folder: Path) -> None:
        self._private = private
        self._folder = folder
        self._public_folder = public_folder
        self.id = key_id(private.public_key())

    @classmethod
    def open(cls, folder: Path, public_folder: Path) -> tuple[Signer, bool]:
        """The signer, and whether its key was made just now. Raises EnvironmentFault when others may read the key."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / PRIVATE_KEY
        made = not path.exists() and write_new(path, _private_pem(Ed25519PrivateKey.generate()), mode=0o600)
        if path.stat().st_mode & 0o077:
            raise EnvironmentFault("签名私钥 {path} 可被他人读取", hint="请执行 chmod 600 {path}", path=path)
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise EnvironmentFault("签名私钥 {path} 不是 Ed25519", path=path)
        signer = cls(private, folder, public_folder)
        signer._publish()
        return signer, made

    def _publish(self) -> None:
        path = self._public_folder / f"{self.id}.pem"
        if not path.exists():
            write_new(path, self.public_pem)

    @property
    def public_pem(self) -> bytes:
        return public_pem(self._private.public_key())

    def sign(self, data: bytes) -> bytes:
        """64-byte Ed25519 signature; the same for the same data and key."""
        return self._private.sign(data)

    def rotate(self, clock: Clock) -> tuple[Signer, dict[str, Any]]:
        """A new key in the old one's place, and the event that says so, signed by the old key."""
        fresh = Ed25519PrivateKey.generate()
        successor = Signer(fresh, self._folder, self._public_folder)
        statement = canonical({"at": iso(clock.now()), "new_key": successor.id, "old_key": self.id})
        event = {"statement": statement.decode(), "old_signature": self.sign(statement).hex(), "new_key": successor.id}
        successor._publish()
        temp = self._folder / f".{PRIVATE_KEY}.new"
        temp.unlink(missing_ok=True)
        write_new(temp, _private_pem(fresh), mode=0o600)
        temp.replace(self._folder / PRIVATE_KEY)
        fsync_folder(self._folder)
        return successor, event


def _private_pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
