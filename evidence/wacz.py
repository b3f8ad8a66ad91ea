"""WACZ 1.1.1: WARC, index, page list and data package in one zip that replays by itself.

Exchanges are written as they come; `finish` packs. Everything inside the zip is STORED: the WARC is compressed already.
With fixed ids and times the same exchanges give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from contracts.clock import iso
from contracts.errors import InputError
from evidence import SOFTWARE, warc
from evidence.exchange import Exchange
from evidence.seal import chunks
from evidence.searchkey import sort_key, with_body

WARC_NAME = "data.warc.gz"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  #: the zip's own times say nothing; the manifest's do


class WaczWriter:
    """Collects exchanges into `folder/data.warc.gz` and their index lines in memory (about 300 bytes each)."""

    def __init__(self, folder: Path, at: datetime, *, url: str, seed: str = "") -> None:
        self._folder = folder
        self._at = at
        self._url = url
        self._seed = seed  #: when given, record ids derive from it
        self._lines: list[str] = []
        self._file = (folder / WARC_NAME).open("wb")
        info = {"software": SOFTWARE, "format": "WARC File Format 1.1", "seed": url}
        record_id = warc.named_record_id(seed, "info") if seed else None
        self._end = self._file.write(warc.warcinfo(at, info, WARC_NAME, record_id))
        self.count = 0

    def add(self, exchange: Exchange) -> None:
        """Appends one exchange; not for several threads at once."""
        ids = None
        if self._seed:
            ids = (
                warc.named_record_id(self._seed, str(self.count), "response"),
                warc.named_record_id(self._seed, str(self.count), "request"),
            )
        response, request, payload = warc.exchange_members(exchange, ids=ids)
        self._lines.append(_index_line(exchange, payload, self._end, len(response)))
        self._end += self._file.write(response) + self._file.write(request)
        self.count += 1

    def finish(self, target: Path, *, title: str = "") -> Path:
        """Writes the zip and removes the loose WARC."""
        self._file.close()
        stamp = warc.warc_date(self._at)
        page = {
            "id": hashlib.sha256(self._url.encode()).hexdigest()[:32],
            "url": self._url,
            "ts": stamp,
            "title": title,
        }
        pages = [{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}, page]
        small = {
            "indexes/index.cdxj": "".join(sorted(self._lines)).encode(),
            "pages/pages.jsonl": b"".join(_json(line) + b"\n" for line in pages),
        }
        loose = self._folder / WARC_NAME
        resources = [_resource(f"archive/{WARC_NAME}", *_sha256(loose))]
        resources += [_resource(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in small.items()]
        package = _json(
            {
                "profile": "data-package",
                "wacz_version": "1.1.1",
                "title": title or self._url,
                "software": SOFTWARE,
                "created": iso(self._at),
                "mainPageUrl": self._url,
                "mainPageDate": stamp,
                "resources": resources,
            }
        )
        digest = _json({"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(package).hexdigest()}"})
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            with loose.open("rb") as file:
                zip_stream(archive, f"archive/{WARC_NAME}", file)
            for name, data in [*small.items(), ("datapackage.json", package), ("datapackage-digest.json", digest)]:
                zip_stream(archive, name, io.BytesIO(data))
        loose.unlink()
        return target

    def abandon(self) -> None:
        self._file.close()


def zip_stream(archive: zipfile.ZipFile, name: str, source: BinaryIO) -> None:
    """Stores a file in a zip with a fixed time and mode.

    The size is told beforehand: a forced ZIP64 field stands in the local header alone, and replay software that finds
    members by the central directory then reads 20 bytes beside them.
    """
    info = zipfile.ZipInfo(name, ZIP_TIME)
    info.external_attr = 0o644 << 16
    info.create_system = 3
    info.file_size = source.seek(0, io.SEEK_END)
    source.seek(0)
    with archive.open(info, "w") as out:
        for chunk in chunks(source):
            out.write(chunk)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _sha256(path: Path) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for chunk in chunks(file):
            sha.update(chunk)
            size += len(chunk)
    return sha.hexdigest(), size


def _resource(path: str, sha256: str, size: int) -> dict[str, object]:
    return {"name": path.rpartition("/")[2].lower(), "path": path, "hash": f"sha256:{sha256}", "bytes": size}


def _index_line(exchange: Exchange, payload: str, offset: int, length: int) -> str:
    """One CDXJ line; requests with a body are keyed by it, as replay looks them up."""
    fields = {
        "url": exchange.url,
        "mime": exchange.mime or "unk",
        "status": str(exchange.status),
        "digest": payload,
        "length": str(length),
        "offset": str(offset),
        "filename": WARC_NAME,
    }
    key = exchange.url
    if exchange.method not in ("GET", "HEAD"):
        kind = next((v for k, v in exchange.request_headers if k.lower() == "content-type"), "")
        query, key = with_body(key, exchange.method, kind, exchange.request_body)
        fields |= {"method": exchange.method, "requestBody": query}
    date = "".join(c for c in warc.warc_date(exchange.at) if c.isdigit())[:14]
    return f"{sort_key(key)} {date} {json.dumps(fields, ensure_ascii=False)}\n"


def read_wacz(path: Path) -> Iterator[warc.Record]:
    """Records of the WARCs inside. Raises InputError when it is no WACZ, Unverifiable when a record is broken."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError("{path} 不是 WACZ:{why}", path=path, why=str(error)) from error
    with archive:
        for name in archive.namelist():
            if name.startswith("archive/") and name.endswith(".warc.gz"):
                with archive.open(name) as file:
                    yield from warc.read_records(file)  # type: ignore[arg-type]  # seekable since Python 3.7
