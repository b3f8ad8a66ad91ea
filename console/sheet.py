"""One clue as its screen shows it: the shop's words first, then why, then why not exempt, then proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cases.detail import ClueDetail
from cases.detail import Decision as Decided
from console import labels
from console.book import category_title, rule_title
from console.exhibit import PassageView, page_passages, pointed
from console.i18n import N_
from console.pictures import Shot, shots
from console.reader import Due, Reader
from console.words import decision_word, reason_word, state_word
from contracts.codes import CodeCheck, check_uscc
from contracts.finding import Basis, Element, Tested
from contracts.page import Fact
from contracts.site import Observation, Site

if TYPE_CHECKING:
    from evidence.vault import Vault

_ADDENDS = {"severity": N_("严重程度与置信"), "reach": N_("波及面"), "operator": N_("经营者风险")}
#: The price chart, in units of its view box.
_LEFT, _RIGHT, _TOP, _BASE, _HEIGHT = 40, 630, 24, 150, 160


@dataclass(frozen=True, slots=True)
class Article:
    """A basis as one line; `mark` says how surely we know the number."""

    name: str
    mark: str
    summary: str
    penalty: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """A decision on this clue or one like it, in words."""

    clue_id: str
    batch: str
    word: str
    reason: str
    officer: str
    at: datetime
    comment: str
    undone: bool


@dataclass(frozen=True, slots=True)
class Addend:
    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    value: str
    at: datetime
    snapshot_id: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The price the page says it cost before."""

    y: float
    value: str


@dataclass(frozen=True, slots=True)
class Chart:
    height: int
    base: int
    path: str
    dots: list[Dot]
    claim: Claimed | None


@dataclass(frozen=True, slots=True)
class Proof:
    id: str
    href: str
    level: str
    sealed_at: datetime
    digest: str
    stamped: bool
    simulated: bool


@dataclass(frozen=True, slots=True)
class ClueSheet:
    """Everything `clue.html` reads."""

    id: str
    version: int
    state: str
    state_name: str
    severity: str
    title: str
    category_title: str
    rule: str
    rule_version: int
    method: str
    confidence: float
    score: float
    addends: list[Addend]
    why: str
    advice: str
    passages: list[PassageView]
    page: list[PassageView]
    page_title: str
    pictures: list[Shot]
    capture: str
    site: Site
    listing_title: str
    url: str
    operator: str | None
    uscc: str | None
    uscc_check: CodeCheck
    subject_how: str
    jurisdiction: str | None
    jurisdiction_reason: str
    basis: list[Article]
    elements: tuple[Element, ...]
    tested: tuple[Tested, ...]
    exempted: tuple[Any, ...]
    needs: list[str]
    facts: list[tuple[str, Fact]]
    history: list[Observation]
    chart: Chart | None
    earlier: list[Earlier]
    last: Earlier | None
    evidence: list[Proof]
    notes: tuple[Any, ...]
    cases: tuple[str, ...]
    snapshot_id: str
    captured_at: datetime
    first_seen: datetime
    seen: int
    due: Due | None


def clue_sheet(detail: ClueDetail, site: Site, vault: Vault, ui: Reader) -> ClueSheet:
    """The sheet of a clue that the officer may see."""
    finding, reading = detail.finding, detail.reading
    decisions = [_earlier(one, ui) for one in (*detail.decisions, *detail.similar)]
    series = [point for points in detail.series.values() for point in points]
    proofs = [(exhibit.id, exhibit.snapshot_id or detail.snapshot_id) for exhibit in detail.evidence]
    return ClueSheet(
        id=detail.id,
        version=detail.version,
        state=detail.state,
        state_name=state_word(ui, detail.state),
        severity=detail.severity,
        title=rule_title(detail.rule, detail.title, ui),
        category_title=category_title(detail.category, ui),
        rule=detail.rule,
        rule_version=finding.version,
        method=detail.method,
        confidence=detail.confidence,
        score=detail.score,
        addends=[_addend(one, ui) for one in detail.addends],
        why=finding.why,
        advice=finding.advice,
        passages=[pointed(one, reading, detail.exempted, ui) for one in finding.evidence],
        page=page_passages(reading, finding.evidence, detail.exempted, ui),
        page_title=reading.title if reading else "",
        pictures=shots(vault, proofs, [(detail.rule, one.quote) for one in finding.evidence]),
        capture=detail.capture,
        site=site,
        listing_title=detail.listing_title,
        url=detail.url,
        operator=detail.operator,
        uscc=detail.uscc,
        uscc_check=check_uscc(detail.uscc or ""),
        subject_how=str(detail.parts.get("subject", {}).get("how", "")),
        jurisdiction=detail.jurisdiction,
        jurisdiction_reason=detail.jurisdiction_reason,
        basis=[article(one, ui) for one in finding.basis],
        elements=finding.elements,
        tested=finding.tested,
        exempted=detail.exempted,
        needs=_needs(detail, ui),
        facts=sorted(reading.facts.items(), key=_fact_order) if reading else [],
        history=sorted(series, key=lambda point: (point.at, point.fact), reverse=True),
        chart=price_chart(detail),
        earlier=decisions,
        last=next((one for one in decisions if one.clue_id == detail.id and not one.undone), None),
        evidence=[
            Proof(
                one.id,
                f"/snapshots/{one.snapshot_id or detail.snapshot_id}/evidence/{one.id}",
                one.level,
                one.sealed_at,
                one.digest,
                one.timestamp_state == "stamped",
                one.simulated,
            )
            for one in detail.evidence
        ],
        notes=detail.notes,
        cases=detail.cases,
        snapshot_id=detail.snapshot_id,
        captured_at=detail.captured_at,
        first_seen=detail.first_seen,
        seen=detail.seen,
        due=ui.due(detail.due),
    )


def article(basis: Basis, ui: Reader) -> Article:
    """A basis as an officer names it: 《广告法》第九条."""
    law, number = basis.title or basis.law, basis.article
    if number and number[0].isdigit():
        number = ui("第 {article} 条", article=number)
    return Article(f"《{law}》{number}", basis.mark, basis.summary, basis.penalty)


def _earlier(one: Decided, ui: Reader) -> Earlier:
    return Earlier(
        one.clue_id,
        one.batch_id,
        decision_word(ui, one.decision),
        reason_word(ui, one.reason),
        one.officer,
        one.at,
        one.comment,
        one.undone_at is not None,
    )


def _addend(told: dict[str, Any], ui: Reader) -> Addend:
    return Addend(ui.label(_ADDENDS, str(told.get("name"))), f"＋{told.get('points', 0)}", str(told.get("why", "")))


def _needs(detail: ClueDetail, ui: Reader) -> list[str]:
    """What this rule, then what other rules would have to know of the page; each once."""
    out = [ui.label(labels.NEED, need) for need in detail.needs]
    out += [f"{ui.label(labels.NEED, need)}（{one.why}）" for one in detail.missing for need in one.needs]
    return list(dict.fromkeys(out))


def _fact_order(item: tuple[str, Fact]) -> tuple[int, str]:
    names = list(labels.FACT)
    return (names.index(item[0]) if item[0] in names else len(names), item[0])


def price_chart(detail: ClueDetail) -> Chart | None:
    """The prices seen, a dot a capture, and the claimed earlier price as a line of its own. None below two captures."""
    points = [(p, v) for p in detail.series.get("price", ()) if (v := _amount(p.value)) is not None]
    if len(points) < 2:
        return None
    claimed = _amount(next((p.value for p in reversed(detail.series.get("original_price", ()))), None))
    values = [value for _, value in points] + ([claimed] if claimed is not None else [])
    low, high = min(values), max(values)
    begin, end = points[0][0].at, points[-1][0].at
    span, length = float(high - low) or 1.0, (end - begin).total_seconds() or 1.0

    def y(value: Decimal) -> float:
        return round(_BASE - 12 - (float(value - low) / span) * (_BASE - 12 - _TOP), 1)

    dots = [
        Dot(
            round(_LEFT + (point.at - begin).total_seconds() / length * (_RIGHT - _LEFT), 1),
            y(value),
            str(value),
            point.at,
            point.snapshot_id,
        )
        for point, value in points
    ]
    path = f"M{dots[0].x} {dots[0].y}" + "".join(f"H{dot.x}V{dot.y}" for dot in dots[1:])
    return Chart(_HEIGHT, _BASE, path, dots, Claimed(y(claimed), str(claimed)) if claimed is not None else None)


def _amount(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal(10) ** 12 else None
