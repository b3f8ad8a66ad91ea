"""电子数据提取笔录, drafted for one capture made by hand, before there is any case file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from evidence.dossier import CaseFile
from evidence.dossier_view import View
from evidence.forms import make_form
from evidence.people import Officer
from evidence.vault import Vault


def extraction_record(
    vault: Vault, evidence_id: str, *, unit: str = "", place: str = "", templates: Path | None = None
) -> bytes:
    """The draft (.docx), prefilled from the sealed manifest. Raises InputError when the evidence is unknown.

    `place` is where the officers sat: 提取地点. Whether the capture may count as formal stands in it, with the reasons.
    """
    manifest = vault.manifest(evidence_id)
    files: dict[str, bytes | Path] = {name: vault.file(evidence_id, name) for name in manifest["files"]}
    files["manifest.json"] = vault.manifest_path(evidence_id)
    if vault.stamped(evidence_id):
        files["manifest.tsr"] = vault.manifest_path(evidence_id).with_suffix(".tsr")
    officers = tuple(Officer(o["name"], o["certificate"], o["role"]) for o in manifest["officers"])
    case = CaseFile(
        evidence_id, f"对 {manifest['url']} 的网络在线提取", unit=unit, officers=officers, captures=(evidence_id,)
    )
    at = datetime.fromisoformat(manifest["sealed_at"])
    fields, rows = View(case, [(evidence_id, manifest, files)], None, at, masked=True).form("extraction-record")
    known = dict(fields)
    known["案件编号"] = str(manifest["case_number"])
    known["提取地点"] = place
    known["可否作正式证据"] = "可" if manifest["formal"] else "否:" + "；".join(manifest["not_formal_because"])
    return make_form("extraction-record", list(known.items()), rows, at, templates)
