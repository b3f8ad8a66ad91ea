"""The eight parts of a usable clue (violations.md §1), each with its pointer. Pure.

A part that is not known says so; nothing is left out silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cases.readings import plain
from contracts.clock import iso
from contracts.codes import check_uscc
from contracts.finding import Finding, Pointer
from contracts.site import Site, SiteKind, Snapshot

PART_NAMES = {
    "subject": "主体",
    "object": "客体",
    "act": "行为",
    "norm": "依据",
    "exemptions": "排除",
    "evidence": "证据",
    "jurisdiction": "管辖",
    "handling": "处置",
}
_LENIENCY = (
    "轻微并及时改正、未造成危害后果的不予处罚；初次违法且危害后果轻微并及时改正的可以不予处罚（行政处罚法第三十三条）"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who answers for the page, and how we know. `displayed` False: the page itself does not say."""

    operator: str | None
    uscc: str | None
    uscc_valid: bool | None
    how: str


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Where the clue belongs, as far as the page tells; always to be checked by an officer."""

    place: str | None
    reason: str


def subject_of(snapshot: Snapshot, site: Site) -> Subject:
    """As displayed on the page, else as registered for the site."""
    name, code = snapshot.reading.value("operator"), snapshot.reading.value("uscc")
    if name or code:
        how = "页面公示"
    elif site.operator or site.uscc:
        name, code, how = site.operator, site.uscc, "网站登记信息（本页未公示）"
    else:
        how = "未公示"
    return Subject(name or site.operator, code or None, check_uscc(code).valid if code else None, how)


def jurisdiction_of(snapshot: Snapshot, site: Site, subject: Subject, category: str) -> Jurisdiction:
    """Platform: its domicile; shop inside one: its actual place of business; self-built site: domicile (proc-rules Art 10 [S]).

    Advertising: the publisher's place, or the advertiser's when self-published (ad-internet Art 20 [V]).
    """
    rule = {
        SiteKind.PLATFORM: "平台经营者由其住所地管辖",
        SiteKind.SHOP: "平台内经营者由其实际经营地管辖",
    }.get(site.kind, "自建网站经营者由其住所地管辖")
    if category.startswith("ad-"):
        rule += "；自行发布广告的，广告主所在地亦可管辖"
    if address := snapshot.reading.value("address"):
        return Jurisdiction(address, f"{rule}；地址为页面公示，须核实")
    if subject.uscc and subject.uscc_valid:
        return Jurisdiction(subject.uscc[2:8], f"{rule}；按信用代码第 3–8 位登记机关区划码推定，须核实")
    if site.area:
        return Jurisdiction(site.area, f"{rule}；页面未公示地址，暂按网站登记辖区")
    return Jurisdiction(None, f"{rule}；页面未公示地址与有效信用代码，须另行查明")


def eight_parts(
    snapshot: Snapshot, site: Site, finding: Finding, subject: Subject, jurisdiction: Jurisdiction
) -> dict[str, Any]:
    """The parts as JSON, by the names of PART_NAMES."""
    reading, first = snapshot.reading, finding.evidence[0] if finding.evidence else Pointer()
    at = {"snapshot": snapshot.id, "url": snapshot.final_url or snapshot.url}
    return {
        "subject": {
            "shop": site.name,
            "site": site.id,
            "operator": subject.operator,
            "uscc": subject.uscc,
            "uscc_valid": subject.uscc_valid,
            "how": subject.how,
            "pointer": at,
        },
        "object": {
            "title": reading.value("name") or reading.title,
            "listing": snapshot.listing_id,
            "sku": reading.value("sku"),
            "price": reading.value("price"),
            "currency": reading.value("currency"),
            "goods": reading.value("goods"),
            "pointer": at,
        },
        "act": {
            "category": finding.category,
            "quote": finding.quote,
            "context": first.context,
            "region": plain(first.region),
            "why": finding.why,
            "pointer": [plain(pointer) for pointer in finding.evidence],
        },
        "norm": {
            "basis": [plain(basis) for basis in finding.basis],
            "elements": [{"name": e.name, "met": e.met, "by": e.by} for e in finding.elements],
            "as_of": iso(snapshot.captured_at),
        },
        "exemptions": [
            {"exemption": test.exemption, "title": test.title, "applies": test.applies, "why": test.why}
            for test in finding.tested
        ],
        "evidence": {
            "ids": list(snapshot.evidence),
            "digest": snapshot.digest,
            "captured_at": iso(snapshot.captured_at),
            "url": at["url"],
            "simulated": snapshot.simulated,
        },
        "jurisdiction": {"place": jurisdiction.place, "reason": jurisdiction.reason},
        "handling": {"advice": finding.advice or "review", "leniency": _LENIENCY, "needs": list(finding.needs)},
    }
