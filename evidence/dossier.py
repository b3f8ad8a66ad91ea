"""What a case hands over to be packaged: plain values, no database rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.errors import InputError
from contracts.finding import Basis, Element, Tested
from evidence.people import Officer

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Party:
    """经营者, as far as known."""

    name: str = ""
    uscc: str = ""
    address: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class CaseClue:
    """One clue of the case, in words. `evidence` are the ids that prove it."""

    id: str
    category: str
    title: str
    severity: str
    quote: str
    url: str
    captured_at: datetime
    evidence: tuple[str, ...]
    rule: str = ""
    site: str = ""
    listing: str = ""
    why: str = ""
    basis: tuple[Basis, ...] = ()
    elements: tuple[Element, ...] = ()
    tested: tuple[Tested, ...] = ()
    decision: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One observation. `value` is None when it was no longer shown."""

    at: datetime
    value: str | None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A history: price, sales count, number of reviews."""

    title: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class CustodyEvent:
    """An act of a person on the case: who, when, what."""

    at: datetime
    actor: str
    act: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case as it is to be exported. `captures` may hold full captures and network-level records.

    Raises InputError on an id that cannot name a folder.
    """

    case_id: str
    title: str
    unit: str = ""
    reason: str = ""
    opened_at: datetime | None = None
    officers: tuple[Officer, ...] = ()
    party: Party = Party()
    clues: tuple[CaseClue, ...] = ()
    captures: tuple[str, ...] = ()
    history: tuple[Series, ...] = ()
    custody: tuple[CustodyEvent, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _SAFE_NAME.fullmatch(self.case_id):
            raise InputError("案件编号只能含字母、数字、点、横线:{id}", id=self.case_id[:100])

    @property
    def evidence(self) -> tuple[str, ...]:
        """Every evidence id the case rests on, each once, in order of first mention."""
        named = [*self.captures]
        named += [e for clue in self.clues for e in clue.evidence]
        named += [point.evidence for series in self.history for point in series.points if point.evidence]
        return tuple(dict.fromkeys(named))


_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_IDENTITY = re.compile(
    r"(?<!\d)([1-9]\d{5})(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}([\dXx])(?![\dA-Za-z])"
)
_MAIL = re.compile(r"\b([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9.-]+\.[A-Za-z]{2,})")


def mask(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Personal numbers of third persons made unreadable: mobile numbers, identity numbers, mail addresses.

    Strings of `keep` (what the operator itself publishes) stay.
    """

    def hide(shape: str) -> Callable[[re.Match[str]], str]:
        return lambda found: found[0] if found[0] in keep else shape.format(*found.groups())

    for pattern, shape in ((_IDENTITY, "{0}***********{1}"), (_PHONE, "{0}****{1}"), (_MAIL, "{0}***@{1}")):
        text = pattern.sub(hide(shape), text)
    return text
