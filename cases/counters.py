"""Counts kept by event: `state:<state>` and `open:<severity>` by area, so that no screen counts a million rows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from cases import models as t
from cases.access import Officer, in_area
from cases.states import OPEN_STATES

Changes = Tally[tuple[str, str]]


def moved(changes: Changes, row: t.Clue, before: str | None) -> None:
    """Notes into `changes` that `row` came from state `before` (None: it is new) to where it stands now."""
    if before is not None:
        changes[row.area, f"state:{before}"] -= 1
        changes[row.area, f"open:{row.severity}"] -= before in OPEN_STATES
    changes[row.area, f"state:{row.state}"] += 1
    changes[row.area, f"open:{row.severity}"] += row.state in OPEN_STATES


def apply(session: Session, changes: Changes) -> None:
    """Writes the changes, always in the same order so that two writers never wait for each other in a circle."""
    for (area, name), by in sorted(changes.items()):
        if not by:
            continue
        here = (t.Counter.area == area) & (t.Counter.name == name)
        if session.execute(update(t.Counter).where(here).values(value=t.Counter.value + by)).rowcount:  # type: ignore[attr-defined]
            continue
        session.execute(insert(t.Counter).values(area=area, name=name, value=by))


def totals(session: Session, officer: Officer | None = None) -> Mapping[str, int]:
    """Sum of each counter over the officer's areas."""
    wanted = select(t.Counter.name, func.sum(t.Counter.value)).group_by(t.Counter.name)
    if officer is not None:
        wanted = wanted.where(in_area(officer, t.Counter.area))
    return {name: int(value) for name, value in session.execute(wanted)}


def recount(session: Session) -> Changes:
    """What counting every row gives; for `doctor` and tests."""
    changes: Changes = Tally()
    for area, state, severity, many in session.execute(
        select(t.Clue.area, t.Clue.state, t.Clue.severity, func.count()).group_by(
            t.Clue.area, t.Clue.state, t.Clue.severity
        )
    ):
        changes[area, f"state:{state}"] += many
        changes[area, f"open:{severity}"] += many if state in OPEN_STATES else 0
    return changes
