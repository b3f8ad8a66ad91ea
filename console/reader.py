"""One person's way of reading: language, present instant, and the words for times, days and codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from console.i18n import N_, Translate, translator
from contracts.clock import SHANGHAI, aware, iso

#: Below so many seconds, counted in so many, said so.
_SPANS = ((3600, 60, N_("{n} 分钟前")), (86_400, 3600, N_("{n} 小时前")), (7 * 86_400, 86_400, N_("{n} 天前")))


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline in words; `late` when it is today or past."""

    text: str
    day: date
    late: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """What templates call `ui`; calling it translates: ui("共 {n} 条", n=3)."""

    lang: str
    now: datetime

    def __call__(self, message: str, /, **params: object) -> str:
        text = self.translate(message)
        return text.format(**params) if params else text

    @property
    def translate(self) -> Translate:
        return translator(self.lang)

    @property
    def html_lang(self) -> str:
        return {"zh": "zh-CN"}.get(self.lang, self.lang)

    def label(self, words: Mapping[str, str], code: str | None) -> str:
        """The word for a code, translated; an unknown code is shown as it is."""
        found = words.get(code or "")
        return self.translate(found) if found else (code or "—")

    def ago(self, at: datetime | None) -> str:
        """How long before now, in one unit; a day and month beyond a week."""
        if at is None:
            return "—"
        seconds = (self.now - aware(at)).total_seconds()
        if seconds < 60:
            return self("刚刚")
        for span, unit, message in _SPANS:
            if seconds < span:
                return self(message, n=int(seconds // unit))
        return self.day(aware(at).astimezone(SHANGHAI).date())

    def exact(self, at: datetime | None) -> str:
        """2026-11-21 21:44:05 in Asia/Shanghai."""
        return iso(at).replace("T", " ")[:19] if at else "—"

    def iso(self, at: datetime) -> str:
        return iso(at)

    def day(self, day: date) -> str:
        if day.year == aware(self.now).astimezone(SHANGHAI).year:
            return self("{m} 月 {d} 日", m=day.month, d=day.day)
        return self("{y} 年 {m} 月 {d} 日", y=day.year, m=day.month, d=day.day)

    def due(self, day: date | None) -> Due | None:
        if day is None:
            return None
        left = (day - aware(self.now).astimezone(SHANGHAI).date()).days
        if left < 0:
            return Due(self("已超期 {n} 天", n=-left), day, late=True)
        return Due(self("今天到期") if left == 0 else self("还有 {n} 天", n=left), day, late=left == 0)
