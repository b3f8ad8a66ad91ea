"""Times as shops and consumers write them. Our own forms first; month-day forms get their year from the capture time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.clock import SHANGHAI, aware

_DIGIT = re.compile(r"\d")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?")
_YMD = re.compile(
    r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:\s*[T ]?\s*(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
)
_ROC = re.compile(r"民[国國]\s*(\d{2,3})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_MD = re.compile(r"(?<!\d)(\d{1,2})\s*[-/月]\s*(\d{1,2})\s*日?(?:\s+(\d{1,2}):(\d{2}))?(?!\d)")
_AGO = re.compile(
    r"(\d{1,3}|一|两|二|三|半|几|an?)\s*(秒|分钟|分鐘|小时|小時|个小时|天|日|周|星期|个?月|個月|年|seconds?|minutes?|hours?|days?|weeks?|months?|years?)\s*(?:之?前|ago)",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"(上上?|本|这|這)?(?:周|星期|礼拜|禮拜)([一二三四五六日天])(?:\s*(\d{1,2}):(\d{2}))?")
_DAY: Final = {
    "刚刚": 0,
    "剛剛": 0,
    "今天": 0,
    "今日": 0,
    "昨天": 1,
    "昨日": 1,
    "前天": 2,
    "大前天": 3,
    "today": 0,
    "yesterday": 1,
}
_UNITS: Final = {
    "秒": 1, "second": 1, "分": 60, "minute": 60, "小": 3600, "个小": 3600, "hour": 3600, "天": 86400, "日": 86400, "day": 86400, "周": 604800, "星": 604800, "week": 604800,
    "月": 2592000, "个月": 2592000, "個月": 2592000, "month": 2592000, "年": 31536000, "year": 31536000,
}  # fmt: skip
_NUMBERS: Final = {"一": 1, "二": 2, "两": 2, "三": 3, "半": 0.5, "几": 3, "a": 1, "an": 1}
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_DAY_NUMBER = re.compile(r"(?<![\d:])([0-3]?\d)(?![\d:])")
#: The first three letters tell the month in English, German, French, Spanish, Italian, Portuguese, Polish, Dutch.
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan ene gen jän sty led", "feb fév fev lut", "mar mär mrt", "apr avr abr kwi", "may mai mag maj mei", "jun giu cze", "jul jui lug lip",
         "aug aoû ago sie", "sep set wrz", "oct okt ott out paź", "nov lis", "dec dez déc dic gru"), 1
    )
    for name in (n[:3] for n in names.split())
}  # fmt: skip
_MONTH = re.compile(r"(?<![^\W\d_])(?:" + "|".join(_MONTHS) + r")[^\W\d_]{0,8}")
_EPOCH = re.compile(r"1[5-9]\d{8}(?:\d{3})?")


def parse_time(text: str, at: datetime | None = None) -> datetime | None:
    """Aware UTC, or None when nothing can be read for sure. A time without an offset is Asia/Shanghai.

    Relative and year-less forms need `at`, the capture time; without it they are not guessed.
    """
    text = text.strip()[:80]
    if not text or not (at or _DIGIT.search(text)):
        return None
    try:
        return _absolute(text) or (_relative(text, aware(at)) if at else None)
    except (ValueError, OverflowError):
        return None


def _absolute(text: str) -> datetime | None:
    if m := _ISO.search(text):
        moment = datetime(int(m[1]), int(m[2]), int(m[3]), int(m[4]), int(m[5]), int(m[6] or 0), tzinfo=SHANGHAI)
        if m[7]:
            moment = datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{'+00:00' if m[7] == 'Z' else m[7]}")
        return moment.astimezone(UTC)
    if m := _ROC.search(text):
        return datetime(int(m[1]) + 1911, int(m[2]), int(m[3]), tzinfo=SHANGHAI).astimezone(UTC)
    if m := _YMD.search(text):
        hour, minute, second = (int(m[i] or 0) for i in (4, 5, 6))
        return datetime(int(m[1]), int(m[2]), int(m[3]), hour, minute, second, tzinfo=SHANGHAI).astimezone(UTC)
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    return _worded(text)


def _worded(text: str) -> datetime | None:
    """A day, a month's name and a year, in whichever order, in the larger European languages."""
    year, month = _YEAR.search(text), _MONTH.search(text.lower())
    if not year or not month:
        return None
    day = _DAY_NUMBER.search(text.replace(year[0], " "))
    moment = datetime(
        int(year[0]),
        6 if month[0].startswith("juin") else _MONTHS[month[0][:3]],
        int(day[1]) if day else 1,
        tzinfo=SHANGHAI,
    )
    return moment.astimezone(UTC)


def _relative(text: str, at: datetime) -> datetime | None:
    here = at.astimezone(SHANGHAI)
    if m := _AGO.search(text):
        word = m[2].lower()
        unit = next((s for k, s in sorted(_UNITS.items(), key=lambda x: -len(x[0])) if word.startswith(k)), 0)
        number = _NUMBERS.get(m[1].lower(), 0) or int(m[1])
        return at - timedelta(seconds=unit * number) if unit else None
    for word, days in _DAY.items():
        if word in text.lower():
            clock = re.search(r"(\d{1,2}):(\d{2})", text)
            day = here - timedelta(days=days)
            return (day.replace(hour=int(clock[1]), minute=int(clock[2]), second=0) if clock else day).astimezone(UTC)
    if m := _WEEKDAY.search(text):
        wanted = "一二三四五六日".find("日" if m[2] == "天" else m[2])
        back = here.weekday() - wanted + 7 * {"上": 1, "上上": 2}.get(m[1] or "", 0)
        day = here - timedelta(days=back if back >= 0 else back + 7)
        return day.replace(hour=int(m[3] or 0), minute=int(m[4] or 0), second=0, microsecond=0).astimezone(UTC)
    if m := _MD.search(text):
        moment = datetime(here.year, int(m[1]), int(m[2]), int(m[3] or 0), int(m[4] or 0), tzinfo=SHANGHAI)
        return (moment if moment <= here + timedelta(days=1) else moment.replace(year=here.year - 1)).astimezone(UTC)
    return None
