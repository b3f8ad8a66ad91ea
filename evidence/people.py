"""Who captures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Officer:
    """执法人员. `certificate` is the number of the enforcement certificate."""

    name: str
    certificate: str = ""
    role: str = "operator"  #: operator | witness
