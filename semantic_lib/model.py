"""The library's nouns as frozen values: category, rule, detector, exemption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.finding import Severity
from contracts.page import CONSUMER_VOICE, SHOP_VOICE, Region
from semantic_lib.arithmetic import Comparison
from semantic_lib.matcher import Finder

#: Names a rule may use for sets of regions.
REGION_SETS: Mapping[str, frozenset[Region]] = {
    "shop": SHOP_VOICE,
    "consumer": CONSUMER_VOICE,
    "page": SHOP_VOICE | {Region.FOOTER, Region.NAV},
    "any": frozenset(Region),
}


class Status(StrEnum):
    """How far a rule may be trusted."""

    DRAFT = "draft"  #: linted and tested, but never speaks
    TEST = "test"  #: speaks; no field experience yet
    STABLE = "stable"  #: speaks; officers have reviewed its field hits
    RETIRED = "retired"  #: kept so that its id is never reused


class Within(StrEnum):
    """How far the parts of a detector may stand apart, and where a guard looks."""

    SENTENCE = "sentence"
    PASSAGE = "passage"
    PAGE = "page"


class Unknown(StrEnum):
    """What a goods condition does when nobody knows what is sold."""

    FIRE = "fire"
    NEEDS = "needs"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Bilingual:
    """What a person reads, in Chinese and English."""

    zh: str
    en: str = ""

    def text(self, lang: str = "zh") -> str:
        return self.en if lang == "en" and self.en else self.zh


@dataclass(frozen=True, slots=True)
class GoodsScope:
    """Which goods a rule or detector is about. Empty `only` means any goods but `except_`."""

    only: frozenset[str] = frozenset()
    except_: frozenset[str] = frozenset()
    unknown: Unknown = Unknown.FIRE
    cross_border: bool | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A group of words that must, or must not, stand in some neighbourhood of a hit."""

    finder: Finder
    where: Within | int  #: a number: that many characters
    side: str = "both"  #: before | after | both
    absent: bool = True


@dataclass(frozen=True, slots=True)
class Detector:
    """One way a rule finds its words. All `parts` must stand together; one part is a plain search."""

    parts: tuple[Finder, ...]
    anchor: int  #: the part that the prefilter looks for
    within: Within | int = Within.SENTENCE
    ordered: bool = False
    where: tuple[Comparison, ...] = ()
    guards: tuple[Guard, ...] = ()
    regions: frozenset[Region] | None = None
    bare: bool = True
    languages: frozenset[str] = frozenset()
    goods: GoodsScope | None = None
    confidence: float | None = None
    name: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """One way an exemption applies: words at a place relative to the hit, a region, or a context component."""

    place: str  #: covers | before | after | near | sentence | passage | page | region | component
    finder: Finder | None = None
    within: int = 12
    across: bool = False  #: may a clause border (comma) lie between the words and the hit?
    regions: frozenset[Region] = frozenset()
    component: str = ""
    bare: bool | None = None  #: True: only where the region is unknown


@dataclass(frozen=True, slots=True)
class ExemptionCase:
    """A text in which `hit` must (not) be exempt; the test of an exemption."""

    text: str
    hit: str
    exempt: bool
    region: Region | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Exemption:
    """What the law or the sense of the words allows, as a named and tested piece."""

    id: str
    title: Bilingual
    ways: tuple[Way, ...]
    why: str = ""  #: may hold {cue}
    cases: tuple[ExemptionCase, ...] = ()
    file: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class ElementOf:
    """要件 of a category or rule and what proves it: detect | region | goods | exempt | operator | evidence | register:… | …"""

    name: Bilingual
    by: str


@dataclass(frozen=True, slots=True)
class Category:
    """One of the 52 categories of violation."""

    id: str
    family: str
    title: Bilingual
    severity: Severity
    elements: tuple[ElementOf, ...]
    basis: tuple[str, ...]
    needs: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Raise:
    """Something in the surroundings that makes a hit weigh more (or less), or more severe."""

    guard: Guard | None
    regions: frozenset[Region]
    goods: frozenset[str]
    by: float
    severity: Severity | None
    why: str


@dataclass(frozen=True, slots=True)
class Example:
    """A test of a rule, with its setting."""

    text: str
    hit: bool
    span: str = ""  #: the exact quote expected (hit only)
    why: str = ""
    region: Region | None = None
    goods: str | None = None
    title: str | None = None
    cross_border: bool | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as its author wrote it, compiled."""

    id: str
    title: Bilingual
    category: str
    severity: Severity
    status: Status
    version: int
    basis: tuple[str, ...]
    detectors: tuple[Detector, ...]
    exempt: tuple[str, ...]  #: ids of shared exemptions
    own: tuple[Exemption, ...]
    elements: tuple[ElementOf, ...]
    examples: tuple[Example, ...]
    regions: frozenset[Region]
    bare: bool  #: also text whose region is unknown
    languages: frozenset[str]
    goods: GoodsScope | None
    base: float
    raises: tuple[Raise, ...]
    result: str  #: finding | need
    needs: tuple[str, ...]
    why: str
    advice: str
    falsepositives: tuple[str, ...]
    notes: str = ""
    guesses: bool = True  #: may it speak on candidate spellings?
    file: str = ""
    line: int = 1
