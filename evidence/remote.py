"""Objects in an S3-compatible bucket, created once and never written over; the local folder keeps what passed through here.

Needs the optional extra `s3` (obstore). The bucket's credentials and endpoint come from the usual `AWS_*` variables; they
are no settings of ours and stand in no file. A put is durable in both places at return: two copies on different media.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.errors import EnvironmentFault, Unverifiable
from evidence.store import Store


def _obstore() -> Any:
    try:
        return importlib.import_module("obstore")
    except ImportError as error:
        raise EnvironmentFault("对象存储需要可选组件 s3", hint="pip install 'wangxun[s3]'") from error


class RemoteStore(Store):
    """`url`: s3://BUCKET/PREFIX (or file:///FOLDER). Raises EnvironmentFault when it cannot be used."""

    def __init__(self, root: Path, url: str, *, bucket: Any = None) -> None:
        super().__init__(root)
        self._library = _obstore()
        self._failed: type[Exception] = self._library.exceptions.BaseError
        self._bucket = bucket
        if bucket is None:
            try:
                self._bucket = importlib.import_module("obstore.store").from_url(url)
            except (self._failed, ValueError) as error:
                raise EnvironmentFault("对象存储地址 {url} 不能用:{why}", url=url, why=_short(error)) from error

    def put(self, content: bytes | Path) -> str:
        sha256 = super().put(content)
        self._send(sha256)
        return sha256

    def adopt(self, path: Path, sha256: str) -> None:
        super().adopt(path, sha256)
        self._send(sha256)

    def path(self, sha256: str) -> Path:
        """The object as a local file, fetched when it is not here. Where it would lie, when the bucket has none either."""
        place = self.place(sha256)
        if not place.exists():
            self._fetch(sha256)
        return place

    def has(self, sha256: str) -> bool:
        return self.place(sha256).exists() or self.size(sha256) is not None

    def size(self, sha256: str) -> int | None:
        """Bytes the bucket holds; None when it holds none."""
        try:
            return int(self._library.head(self._bucket, _key(sha256))["size"])
        except FileNotFoundError:
            return None
        except self._failed as error:
            raise self._unreachable(error) from error

    def remove(self, sha256: str) -> None:
        """Deletes both copies. Only for a deletion that has its ground in the log."""
        super().remove(sha256)
        try:
            self._library.delete(self._bucket, _key(sha256))
        except FileNotFoundError:
            return
        except self._failed as error:
            raise self._unreachable(error) from error

    def __iter__(self) -> Iterator[str]:
        """Digests of all objects of the bucket, sorted."""
        try:
            found = [item["path"] for batch in self._library.list(self._bucket, prefix="objects") for item in batch]
        except self._failed as error:
            raise self._unreachable(error) from error
        yield from sorted("".join(path.split("/")[-2:]) for path in found)

    def _send(self, sha256: str) -> None:
        place = self.place(sha256)
        try:
            self._library.put(self._bucket, _key(sha256), place, mode="create")
        except self._library.exceptions.AlreadyExistsError as error:
            if self.size(sha256) != place.stat().st_size:
                raise Unverifiable("对象存储中的 {digest} 长度不符", digest=sha256) from error
        except self._failed as error:
            raise self._unreachable(error) from error

    def _fetch(self, sha256: str) -> None:
        temp = self._temp / secrets.token_hex(16)
        sha = hashlib.sha256()
        try:
            with temp.open("xb") as out:
                for chunk in self._library.get(self._bucket, _key(sha256)).stream():
                    sha.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            if sha.hexdigest() != sha256:
                raise Unverifiable("对象存储中的 {digest} 内容与摘要不符", digest=sha256)
            temp.chmod(0o444)
            self._link(temp, sha256)
        except FileNotFoundError:
            return
        except self._failed as error:
            raise self._unreachable(error) from error
        finally:
            temp.unlink(missing_ok=True)

    def _unreachable(self, error: Exception) -> EnvironmentFault:
        return EnvironmentFault("对象存储不可用:{why}", why=_short(error), hint="检查网络与 AWS_* 变量后重试")


def _key(sha256: str) -> str:
    return f"objects/{sha256[:2]}/{sha256[2:]}"


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
