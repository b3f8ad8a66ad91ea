"""证据包: a case as a BagIt 1.0 zip that anyone can check offline.

    CASE/bagit.txt bag-info.txt manifest-sha256.txt manifest-sha512.txt tagmanifest-*.txt package.sig
    CASE/data/report.pdf case.json custody.jsonl
             log/checkpoint.txt .sig .tsq .tsr proofs.json      certs/signing-key.pem tsa-chain.pem
             captures/ID/…      records/*.docx      verify/README.txt verify.py

Byte-stable: the same dossier over the same vault at the same log checkpoint gives the same zip. The export itself is an
event after that checkpoint. A zip appears under its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from contracts.clock import iso
from contracts.errors import Unverifiable
from evidence import SOFTWARE, dossier_view, offline, report
from evidence.dossier import CaseFile
from evidence.forms import FORMS, make_form
from evidence.http_level import Place
from evidence.log import GENESIS, Checkpoint, Event
from evidence.seal import canonical, chunks, fsync_folder
from evidence.timestamp import load_roots, read_stamp
from evidence.vault import Vault
from evidence.wacz import WaczWriter, zip_stream

Content = bytes | Path


@dataclass(frozen=True, slots=True)
class _Sealed:
    """One evidence in the package: its id, the id its manifest is logged under, its files by name."""

    evidence_id: str
    manifest_id: str
    manifest: dict[str, Any]
    files: dict[str, Content]


def export_case(
    case: CaseFile, *, vault: Vault, out_dir: Path, mask_third_persons: bool = True, templates: Path | None = None
) -> Path:
    """Writes `out_dir/CASE_ID.zip` and answers its path.

    Raises InputError when an evidence is unknown or not sealed yet, EnvironmentFault when a font or the disk fails.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    for left in out_dir.glob(f".{case.case_id}.*.export"):  # by an export that was killed
        if not Path("/proc", left.name.split(".")[-2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{case.case_id}.", suffix=f".{os.getpid()}.export", dir=out_dir))
    try:
        temp = work / "package.zip"
        files = _Builder(case, vault, work, mask_third_persons, templates).files()
        sha256 = _write_zip(case.case_id, files, vault, temp)
        target = out_dir / f"{case.case_id}.zip"
        temp.replace(target)
        fsync_folder(out_dir)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    vault.record("case.exported", {"case": case.case_id, "package_sha256": sha256, "evidence": list(case.evidence)})
    return target


class _Builder:
    """Gathers the payload: path under data/ → content."""

    def __init__(self, case: CaseFile, vault: Vault, work: Path, masked: bool, templates: Path | None) -> None:
        self._case = case
        self._vault = vault
        self._work = work
        self._masked = masked
        self._templates = templates

    def files(self) -> dict[str, Content]:
        sealed = [self._sealed(evidence_id) for evidence_id in self._with_originals()]
        events = self._events({item.manifest_id for item in sealed})
        checkpoint = self._checkpoint(events)
        events = [event for event in events if event.seq < checkpoint.size]
        at = datetime.fromisoformat(checkpoint.text.decode().splitlines()[3])
        custody = self._custody(events)
        view = dossier_view.View(
            self._case, [(s.evidence_id, s.manifest, s.files) for s in sealed], checkpoint, at, self._masked
        )
        files: dict[str, Content] = {"custody.jsonl": custody}
        files["case.json"] = view.case_json(custody)
        for item in sealed:
            files |= {f"captures/{item.evidence_id}/{name}": content for name, content in item.files.items()}
        files |= self._log_files(checkpoint, events)
        files |= self._certificates(files)
        files["report.pdf"] = report.render(view.report(custody, self._vault.signer.id), view.pictures(), at)
        for name in FORMS:
            fields, table = view.form(name)
            files[f"records/{name}.docx"] = make_form(name, fields, table, at, self._templates)
        files["verify/verify.py"] = Path(offline.__file__).read_bytes()
        files["verify/README.txt"] = dossier_view.README.encode()
        return files

    def _with_originals(self) -> list[str]:
        """The case's evidence, and the first records that revisits among them refer to."""
        found = dict.fromkeys(self._case.evidence)
        for evidence_id in list(found):
            if evidence_id.startswith("http."):
                self._vault.manifest_path(evidence_id)
                found[self._vault.original(evidence_id).evidence_id] = None
        return list(found)

    def _sealed(self, evidence_id: str) -> _Sealed:
        path = self._vault.manifest_path(evidence_id)
        manifest = self._vault.manifest(evidence_id)
        files: dict[str, Content] = {}
        for suffix in (".json", ".sig", ".sm2", ".tsq", ".tsr"):
            part = path.with_suffix(suffix)
            if suffix == ".sm2" and "sm2_key" not in manifest:
                continue
            if suffix in (".tsq", ".tsr") and not path.with_suffix(".tsr").exists():
                continue
            files[f"manifest{suffix}"] = part.read_bytes()
        if manifest["kind"] == "capture":
            files |= {name: self._vault.file(evidence_id, name) for name in manifest["files"]}
        else:
            files |= self._http_files(evidence_id)
        return _Sealed(evidence_id, str(manifest["id"]), manifest, files)

    def _http_files(self, evidence_id: str) -> dict[str, Content]:
        """A network-level record: its sealed bytes, its proof within the batch, and a WACZ that replays alone."""
        span = self._vault.http.record_span(evidence_id)
        exchange = self._vault.exchange(evidence_id)
        proof = {
            "evidence_id": evidence_id,
            "url": exchange.url,
            "at": iso(exchange.at),
            "part": "revisits" if Place.parse(evidence_id).revisit else "records",
            "index": span.index,
            "count": len(span.tree),
            "line": span.line.decode(),
            "proof": [step.hex() for step in span.tree.inclusion(span.index)],
        }
        raw = self._vault.http.record_bytes(evidence_id)
        folder = self._work / evidence_id
        folder.mkdir()
        writer = WaczWriter(folder, exchange.at, url=exchange.url, seed=evidence_id)
        writer.add(exchange)
        wacz = writer.finish(folder / "evidence.wacz", title=exchange.url)
        return {"record.json": canonical(proof), "record.warc.gz": raw, "evidence.wacz": wacz}

    def _events(self, identities: set[str]) -> list[Event]:
        """Log events about these manifests and about keys; lines that cannot matter are not parsed."""
        self._vault.log.refresh()
        wanted = [identity.encode() for identity in identities]
        found = []
        for event in self._vault.log.lines():
            if b'"kind":"key.' in event or any(identity in event for identity in wanted):
                parsed = Event.parse(event)
                if parsed.kind.startswith("key.") or parsed.data.get("id") in identities:
                    found.append(parsed)
        return found

    def _checkpoint(self, events: list[Event]) -> Checkpoint:
        """The oldest head that covers the sealing of everything in the package, else a new one."""
        needed = max((event.seq for event in events if event.kind == "evidence.sealed"), default=0)
        for checkpoint in self._vault.log.all_checkpoints():
            if checkpoint.size > needed:
                return checkpoint
        return self._vault.checkpoint()

    def _custody(self, events: list[Event]) -> bytes:
        """Log lines word for word, then the persons' acts, each line naming the digest of the one before."""
        lines: list[bytes] = []
        prev = GENESIS
        entries: list[dict[str, Any]] = [{"source": "log", "seq": e.seq, "line": e.line.decode()} for e in events]
        entries += [
            {"source": "case", "at": iso(act.at), "actor": act.actor, "act": act.act, "detail": act.detail}
            for act in self._case.custody
        ]
        for number, entry in enumerate(entries, 1):
            line = canonical({"n": number, "prev": prev, **entry})
            prev = hashlib.sha256(line).hexdigest()
            lines.append(line + b"\n")
        return b"".join(lines)

    def _log_files(self, checkpoint: Checkpoint, events: list[Event]) -> dict[str, Content]:
        tree = self._vault.log.tree
        if tree.root(checkpoint.size) != checkpoint.root:
            raise Unverifiable("事件日志与已签名的检查点不符,不能导出")
        older = [c for c in self._vault.log.all_checkpoints() if c.size < checkpoint.size][-1:]
        proofs = {
            "size": checkpoint.size,
            "events": [
                {"seq": e.seq, "proof": [s.hex() for s in tree.inclusion(e.seq, checkpoint.size)]} for e in events
            ],
            "consistency": [
                {
                    "from": c.size,
                    "checkpoint": c.text.decode(),
                    "signature": c.signature.hex(),
                    "proof": [s.hex() for s in tree.consistency(c.size, checkpoint.size)],
                }
                for c in older
            ],
        }
        files: dict[str, Content] = {"log/proofs.json": canonical(proofs), "log/checkpoint.txt": checkpoint.text}
        files["log/checkpoint.sig"] = checkpoint.signature
        if checkpoint.stamped:
            files["log/checkpoint.tsq"] = checkpoint.path.with_suffix(".tsq").read_bytes()
            files["log/checkpoint.tsr"] = checkpoint.path.with_suffix(".tsr").read_bytes()
        return files

    def _certificates(self, files: dict[str, Content]) -> dict[str, Content]:
        """The public keys that signed anything here, and the chain of the stamps."""
        signer = self._vault.signer
        out: dict[str, Content] = {"certs/signing-key.pem": signer.public_pem}
        manifests = [json.loads(_bytes(content)) for name, content in files.items() if name.endswith("/manifest.json")]
        keys = {manifest["key"] for manifest in manifests}
        for key in sorted({manifest["sm2_key"] for manifest in manifests if "sm2_key" in manifest}):
            out[f"certs/{key}.pem"] = self._vault.sm2_key(key)
        keys.add(_bytes(files["log/checkpoint.txt"]).decode().splitlines()[4])
        for older in json.loads(_bytes(files["log/proofs.json"]))["consistency"]:
            keys.add(older["checkpoint"].splitlines()[4])
        out |= {f"certs/signing-key-{key}.pem": self._vault.public_key(key) for key in sorted(keys - {signer.id})}
        chain: dict[bytes, None] = {}
        stamps = [_bytes(content) for name, content in sorted(files.items()) if name.endswith(".tsr")]
        if stamps and self._vault.timestamper.ca:
            for root in load_roots(self._vault.timestamper.ca):
                chain[root.public_bytes(Encoding.PEM)] = None
            for stamp in stamps:
                for der in read_stamp(stamp)[1].certificates:
                    chain[x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)] = None
            out["certs/tsa-chain.pem"] = b"".join(chain)
        return out


def _bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _open(content: Content) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _write_zip(case_id: str, payload: dict[str, Content], vault: Vault, target: Path) -> str:
    """The bag around the payload, zipped and durable; answers the zip's SHA-256."""
    sums = {f"data/{name}": _sums(content) for name, content in sorted(payload.items())}
    size = sum(total for _, _, total in sums.values())
    tags: dict[str, bytes] = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": (
            f"Bag-Software-Agent: {SOFTWARE}\nExternal-Identifier: {case_id}\nPayload-Oxum: {size}.{len(sums)}\n"
        ).encode(),
        "manifest-sha256.txt": "".join(f"{sha256}  {name}\n" for name, (sha256, _, _) in sums.items()).encode(),
        "manifest-sha512.txt": "".join(f"{sha512}  {name}\n" for name, (_, sha512, _) in sums.items()).encode(),
    }
    tags["package.sig"] = vault.signer.sign(tags["manifest-sha256.txt"])
    tag_sums = {name: _sums(content) for name, content in sorted(tags.items())}
    for place, algorithm in enumerate(("sha256", "sha512")):
        tags[f"tagmanifest-{algorithm}.txt"] = "".join(f"{s[place]}  {name}\n" for name, s in tag_sums.items()).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in [*sorted(tags.items()), *((f"data/{n}", c) for n, c in sorted(payload.items()))]:
            with _open(content) as source:
                zip_stream(archive, f"{case_id}/{name}", source)
    with target.open("rb") as file:
        os.fsync(file.fileno())
        return _sums_of(chunks(file))[0]


def _sums(content: Content) -> tuple[str, str, int]:
    with _open(content) as source:
        return _sums_of(chunks(source))


def _sums_of(parts: Iterator[bytes]) -> tuple[str, str, int]:
    sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
    for chunk in parts:
        sha256.update(chunk)
        sha512.update(chunk)
        size += len(chunk)
    return sha256.hexdigest(), sha512.hexdigest(), size
