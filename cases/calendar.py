"""Working days. The calendar of public holidays and 调休 is imported data with its source; none is invented.

Without imported days for a year, Monday to Friday count as working days and the answer says so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cases import audit
from cases import models as t
from cases.access import Action, Officer, require
from contracts.errors import InputError

#: 核查与立案决定的期限（proc-rules Art 18 [M]）, in working days; a setting of the bureau may differ.
CHECK_DAYS = 15


@dataclass(frozen=True, slots=True)
class Deadline:
    """`certain` is False when some year in between has no imported calendar; `note` says it in Chinese."""

    day: date
    certain: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that could not be used: its line in the file (the heading is line 1) and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days that are not as their weekday says, and the years for which such days were imported."""

    days: Mapping[date, bool] = field(default_factory=dict)

    def working(self, day: date) -> bool:
        """True on a working day."""
        return self.days.get(day, day.weekday() < 5)

    def add(self, start: date, working_days: int) -> Deadline:
        """The day that is `working_days` working days after `start`; the day of `start` itself does not count."""
        day, left = start, working_days
        while left > 0:
            day += timedelta(days=1)
            left -= self.working(day)
        known = {known.year for known in self.days}
        missing = [year for year in range(start.year, day.year + 1) if year not in known]
        if missing:
            years = "、".join(map(str, missing))
            return Deadline(day, certain=False, note=f"未导入 {years} 年工作日历，按周一至周五推算")
        return Deadline(day, certain=True)


def load(session: Session) -> Calendar:
    """The imported calendar."""
    return Calendar({row.day: row.working for row in session.scalars(select(t.CalendarDay))})


def import_days(
    session: Session, text: str, *, source: str, by: Officer, at: datetime
) -> tuple[int, tuple[RowError, ...]]:
    """Imports CSV rows `day,working[,name]` (working: 1/0, 工作日/休息). Returns (rows kept, bad rows named).

    Raises InputError when the heading is missing, NotAllowed without the right.
    """
    require(by, Action.REGISTERS)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if not reader.fieldnames or not {"day", "working"} <= set(reader.fieldnames):
        raise InputError("日历文件缺少列 day、working", hint="首行写 day,working,name")
    kept, errors = 0, []
    for row in reader:
        word = (row["working"] or "").strip().casefold()
        try:
            day = date.fromisoformat((row["day"] or "").strip())
        except ValueError:
            errors.append(RowError(reader.line_num, f"日期无法识别：{row['day']}"))
            continue
        if word not in _WORDS:
            errors.append(RowError(reader.line_num, f"working 应为 1/0 或 工作日/休息：{row['working']}"))
            continue
        session.merge(t.CalendarDay(day=day, working=_WORDS[word], name=(row.get("name") or "").strip(), source=source))
        kept += 1
    audit.record(session, by.name, "calendar.imported", "calendar", source[:96], {"rows": kept}, at=at)
    return kept, tuple(errors)


_WORDS = {"1": True, "true": True, "工作日": True, "0": False, "false": False, "休息": False, "节假日": False}
