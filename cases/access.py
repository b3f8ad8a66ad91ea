"""Who may do what, where: roles × actions, and areas. Asked by every service, and turned into row filters by queries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from contracts.errors import NotAllowed


class Role(StrEnum):
    """What an officer is for."""

    PATROL = "patrol"  #: 巡查员
    REVIEWER = "reviewer"  #: 审核员
    CASE = "case"  #: 办案员
    RULES = "rules"  #: 规则员
    SUPERVISOR = "supervisor"  #: 科长/法制
    AUDITOR = "auditor"  #: 审计员
    ADMIN = "admin"  #: 管理员


class Action(StrEnum):
    """What may be done."""

    VIEW = "view"  #: see clues, cases, snapshots
    SITES = "sites"  #: register sites and operators, plan patrols
    CAPTURE = "capture"  #: keep a page by hand
    DECIDE = "decide"  #: judge a clue
    DISPATCH = "dispatch"  #: hand a clue to an officer
    ORDER = "order"  #: order rectification, remind
    CASE = "case"  #: open and lead a case
    EXPORT = "export"  #: export a case package
    REVEAL = "reveal"  #: unmask personal data (logged)
    RULES = "rules"  #: change rules
    REGISTERS = "registers"  #: import registers and the calendar
    AUDIT = "audit"  #: read the audit log
    USERS = "users"  #: make and change officers


_A = Action
#: The table.
GRANTS: dict[Role, frozenset[Action]] = {
    Role.PATROL: frozenset({_A.VIEW, _A.SITES, _A.CAPTURE}),
    Role.REVIEWER: frozenset({_A.VIEW, _A.CAPTURE, _A.DECIDE, _A.ORDER, _A.REVEAL}),
    Role.CASE: frozenset({_A.VIEW, _A.CAPTURE, _A.DECIDE, _A.ORDER, _A.CASE, _A.EXPORT, _A.REVEAL}),
    Role.RULES: frozenset({_A.VIEW, _A.RULES}),
    Role.SUPERVISOR: frozenset(_A) - {_A.USERS},
    Role.AUDITOR: frozenset({_A.VIEW, _A.AUDIT}),
    Role.ADMIN: frozenset(_A),
}

ROLE_NAMES = {
    Role.PATROL: "巡查员",
    Role.REVIEWER: "审核员",
    Role.CASE: "办案员",
    Role.RULES: "规则员",
    Role.SUPERVISOR: "科长/法制",
    Role.AUDITOR: "审计员",
    Role.ADMIN: "管理员",
}


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts. `area` is a division code; "" answers for the whole bureau, "3301" for all areas that begin so."""

    id: str
    name: str
    role: Role
    area: str = ""
    active: bool = True


def may(officer: Officer, action: Action, area: str = "") -> bool:
    """True when the role grants `action` and `area` lies in the officer's. What has no area belongs to everybody."""
    return officer.active and action in GRANTS[officer.role] and (not area or area.startswith(officer.area))


def require(officer: Officer, action: Action, area: str = "") -> None:
    """Raises NotAllowed, naming the role or the area that is missing."""
    if not officer.active:
        raise NotAllowed("账号“{officer}”已停用", officer=officer.name)
    if action not in GRANTS[officer.role]:
        raise NotAllowed(
            "{officer}（{role}）无权进行此操作：{action}",
            officer=officer.name,
            role=ROLE_NAMES[officer.role],
            action=action.value,
        )
    if area and not area.startswith(officer.area):
        raise NotAllowed("辖区 {area} 不在 {officer} 的辖区内", area=area, officer=officer.name)


def in_area(officer: Officer, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The row filter: rows of the officer's area, and rows without one."""
    return or_(column == "", column.startswith(officer.area, autoescape=True)) if officer.area else true()
