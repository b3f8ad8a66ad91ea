"""A case as the queue knows it, turned into the dossier that evidence packages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from cases import captures
from cases.access import Action, require
from cases.casefile import Dossier, dossier, exported
from cases.detail import ClueDetail
from contracts.errors import InputError
from evidence.capture import Officer
from evidence.dossier import CaseClue, CaseFile, CustodyEvent, Party, Point, Series
from evidence.package import export_case as pack
from wangxun.runtime import Runtime

SERIES_TITLES = {
    "price": ("标价", "元"),
    "original_price": ("比较价", "元"),
    "review_count": ("评价数", "条"),
    "sales_count": ("销量", "件"),
    "stock": ("库存", "件"),
}


def export_case(line: Runtime, case_id: str, folder: Path, *, officer: str | None = None) -> Path:
    """Packs a case into folder/ID.zip. Raises InputError when there is no such case, NotAllowed for role or area."""
    with line.session(read_only=True) as session:
        who = line.officer(session, officer) if officer else None
        whole = dossier(session, case_id, officer=who, at=line.clock.now())
    return export_dossier(line, whole, folder, officer=officer or whole.officer)


def export_dossier(line: Runtime, whole: Dossier, folder: Path, *, officer: str) -> Path:
    """The package of a dossier already read; the export is an event of the vault's log and of the audit."""
    if not whole.clues and not whole.evidence:
        raise InputError("案卷 {id} 里没有线索和证据", id=whole.id)
    with line.session(read_only=True) as session:
        who = line.officer(session, officer)
    require(who, Action.EXPORT, whole.area)
    package = pack(case_file(line, whole, officer), vault=line.vault, out_dir=folder)
    with line.session() as session, package.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        exported(session, whole.id, sha256, officer=who, at=line.clock.now())
    return package


def case_file(line: Runtime, whole: Dossier, officer: str) -> CaseFile:
    party = Party(name=whole.operator or "", uscc=whole.uscc or "")
    proofs = _proofs(line, whole)
    return CaseFile(
        case_id=whole.id,
        title=whole.title,
        unit=line.config.agency,
        reason="网络交易巡查发现涉嫌违法线索",
        opened_at=whole.opened_at,
        officers=(Officer(officer),),
        party=party,
        clues=tuple(_clue(detail) for detail in whole.clues),
        captures=tuple(exhibit.id for exhibit in whole.evidence),
        history=tuple(series for detail in whole.clues for series in _series(detail, proofs)),
        custody=tuple(
            CustodyEvent(at=entry.at, actor=entry.actor, act=entry.action, detail=entry.subject_id)
            for entry in whole.log
        ),
        notes={"模拟时间": "本案卷含模拟时间下采集的内容,不得作为正式证据"} if whole.simulated else {},
    )


def _clue(detail: ClueDetail) -> CaseClue:
    finding = detail.finding
    standing = next((d for d in reversed(detail.decisions) if d.undone_at is None), None)
    return CaseClue(
        id=detail.id,
        category=detail.category,
        title=detail.title,
        severity=detail.severity,
        quote=detail.quote,
        url=detail.url,
        captured_at=detail.captured_at,
        evidence=tuple(exhibit.id for exhibit in detail.evidence),
        rule=detail.rule,
        site=detail.site_name,
        listing=detail.listing_title,
        why=finding.why,
        basis=finding.basis,
        elements=finding.elements,
        tested=finding.tested,
        decision=standing.decision if standing else "",
        decided_by=standing.officer if standing else "",
        decided_at=standing.at if standing else None,
        advice=finding.advice,
    )


def _proofs(line: Runtime, whole: Dossier) -> dict[str, str]:
    """The sealed network-level evidence of each snapshot that a history rests on (a full capture where there is no other)."""
    observed = [
        o.snapshot_id for d in whole.clues if d.method == "history" for points in d.series.values() for o in points
    ]
    with line.session(read_only=True) as session:
        held = captures.evidence_of(session, observed)
    proofs: dict[str, str] = {}
    for snapshot_id, ids in held.items():
        for evidence_id in sorted(ids, key=lambda one: not one.startswith("http.")):
            with suppress(InputError):  # its batch is still being written: not sealed yet, so it proves nothing yet
                line.vault.manifest_path(evidence_id)
                proofs[snapshot_id] = evidence_id
                break
    return proofs


def _series(detail: ClueDetail, proofs: Mapping[str, str]) -> Iterator[Series]:
    """The history charts of clues that rest on history, each point with its evidence; others need none."""
    if detail.method != "history":
        return
    for fact, (title, unit) in SERIES_TITLES.items():
        points = detail.series.get(fact, ())
        if len(points) > 1:
            yield Series(
                title=f"{detail.listing_title[:40]} {title}",
                unit=unit,
                points=tuple(Point(at=o.at, value=o.value, evidence=proofs.get(o.snapshot_id, "")) for o in points),
            )
