"""What a machine suspects, and on what grounds. It never decides: a Finding is 疑似."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from contracts.page import Region
from contracts.site import History, Snapshot


class Severity(StrEnum):
    """How soon a person must look (violations.md §1)."""

    LOW = "low"  #: remind
    MEDIUM = "medium"  #: review, then rectify
    HIGH = "high"  #: investigate
    CRITICAL = "critical"  #: the same day: life, health, wildlife, personal data


class Method(StrEnum):
    """How the suspicion arose."""

    RULE = "rule"  #: a rule's words, pattern or structure
    LIKENESS = "likeness"  #: 凭相似: a learned model; low confidence, reported apart
    HISTORY = "history"  #: several captures over time
    REGISTER = "register"  #: compared with what the State knows
    STRUCTURE = "structure"  #: page structure: something absent or contradictory


@dataclass(frozen=True, slots=True)
class Basis:
    """An article in force on the capture day. `mark` is V (read in the instrument), S (secondary), M (to be confirmed)."""

    law: str
    article: str
    mark: str = "V"
    title: str = ""
    summary: str = ""  #: our summary, shown as 摘要，非法条原文
    penalty: bool = False  #: the article sets the penalty, not the duty


@dataclass(frozen=True, slots=True)
class Element:
    """要件: one thing that must be proved. `met` is None when it could not be tested (see `by`)."""

    name: str
    met: bool | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """An exemption that was looked at: `applies` True exempt, False not exempt, None could not be tested."""

    exemption: str
    title: str
    applies: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the proof of a finding stands: a span of a passage of a snapshot."""

    snapshot_id: str = ""
    region: Region | None = None
    selector: str = ""
    passage: int | None = None  #: index into PageReading.passages
    start: int = 0
    end: int = 0
    quote: str = ""
    context: str = ""  #: the sentence around it
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Rule × place, with its reasons. `claim` is the normalised claim that deduplication goes by, never a position."""

    rule: str
    version: int
    category: str
    severity: Severity
    confidence: float
    evidence: tuple[Pointer, ...]
    claim: str
    title: str = ""
    why: str = ""
    basis: tuple[Basis, ...] = ()
    elements: tuple[Element, ...] = ()
    tested: tuple[Tested, ...] = ()
    needs: tuple[str, ...] = ()
    method: Method = Method.RULE
    advice: str = ""  #: handling advice: remind | rectify | investigate | transfer

    @property
    def quote(self) -> str:
        return self.evidence[0].quote if self.evidence else ""


@dataclass(frozen=True, slots=True)
class Exempted:
    """A hit that an exemption silenced; shown to the officer with its reason."""

    rule: str
    category: str
    quote: str
    why: str
    exemption: str = ""
    pointer: Pointer = Pointer()


@dataclass(frozen=True, slots=True)
class Need:
    """What would have to be known before a rule may speak: "register:trademarks", "history:price", "second-capture", …"""

    rule: str
    category: str
    needs: tuple[str, ...]
    why: str
    pointer: Pointer = Pointer()


@dataclass(frozen=True, slots=True)
class Detection:
    """All that one look yields."""

    findings: tuple[Finding, ...] = ()
    exempted: tuple[Exempted, ...] = ()
    needs: tuple[Need, ...] = ()

    def __add__(self, other: Detection) -> Detection:
        return Detection(self.findings + other.findings, self.exempted + other.exempted, self.needs + other.needs)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One row of a register, as imported, with the day it was looked up."""

    kind: str
    key: str
    fields: Mapping[str, str] = field(default_factory=dict)
    as_of: date | None = None


class Registers(Protocol):
    """Port: what the State knows. None means the register is not installed (→ `needs`), an empty tuple: looked up, absent."""

    def operator(self, uscc: str) -> tuple[RegisterEntry, ...] | None: ...
    def trademark(self, text: str) -> tuple[RegisterEntry, ...] | None: ...
    def permit(self, number: str) -> tuple[RegisterEntry, ...] | None: ...


class NoRegisters:
    """No register installed: every look-up answers None."""

    def operator(self, uscc: str) -> None: ...
    def trademark(self, text: str) -> None: ...
    def permit(self, number: str) -> None: ...


class Detector(Protocol):
    """Pure: no I/O, no clock. `at` is the capture time; the law in force is resolved by it."""

    def __call__(self, snapshot: Snapshot, history: History, registers: Registers, at: datetime) -> Detection: ...
