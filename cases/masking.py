"""Personal data of third persons, masked wherever a screen or an export does not need it; unmasking is logged.

What a consumer wrote (reviews, questions) and text of unknown origin is masked whole: phones, identity and bank card numbers, e-mails,
chat ids, names. In the shop's own words the shop's landline, 400 number and e-mail stay, since they identify the operator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from cases import audit
from cases import models as t
from cases.access import Action, Officer, require
from contracts.errors import InputError
from contracts.ids import new_id
from contracts.page import CONSUMER_VOICE, Region


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` has as many code points as the original, so that offsets still hold; `hidden` counts by kind."""

    text: str
    hidden: dict[str, int]


_DIGIT = r"[0-9０-９]"
_GAP = r"[\s\-‐–—.·]?"
_ID = re.compile(rf"(?<!{_DIGIT})[1-8１-８]{_DIGIT}{{16}}[0-9０-９XxＸｘ](?!{_DIGIT})")
_MOBILE = re.compile(rf"(?<!{_DIGIT})(?:\+?86{_GAP})?([1１][3-9３-９]{_DIGIT}(?:{_GAP}{_DIGIT}){{8}})(?!{_DIGIT})")
_LANDLINE = re.compile(rf"(?<!{_DIGIT})(?:\(?0{_DIGIT}{{2,3}}\)?[\s\-—]?{_DIGIT}{{7,8}})(?!{_DIGIT})")
_CARD = re.compile(
    rf"(?<!{_DIGIT})[3-6]{_DIGIT}{{3}}(?:[ \-]?{_DIGIT}{{4}}){{2,3}}(?:[ \-]?{_DIGIT}{{1,3}})?(?!{_DIGIT})"
)
_MAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,4}")
_CHAT = re.compile(r"(?:微信号?|微信|wechat|VX|vx|QQ|qq|扣扣)[\s:：是为]{0,3}([A-Za-z0-9_\-]{5,20})")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范"
    "汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)
_CALLED = re.compile(
    rf"(?:我叫|我是|姓名|收货人|收件人|联系人|买家|名字叫)[\s:：是]{{0,2}}([{_SURNAMES}][一-龥]{{1,2}})(?![一-龥]*(?:店|牌|家的))"
)
_ADDRESSED = re.compile(rf"([{_SURNAMES}][一-龥]{{0,2}})(?=先生|女士|小姐|阿姨|大叔|同学|老师|师傅|医生)")


def mask(text: str, region: Region | None = None) -> Masked:
    """`text` with personal data starred out, code point for code point. `region` None is treated like a consumer's words."""
    consumer = region is None or region in CONSUMER_VOICE
    out, hidden = list(text), dict[str, int]()

    def hide(
        kind: str, pattern: re.Pattern[str], keep: int, group: int = 0, sure: Callable[[str], bool] = bool
    ) -> None:
        for found in pattern.finditer("".join(out)):
            if not sure(found[group]):
                continue
            start, end = found.span(group)
            for place in range(start + keep, end):
                if out[place] not in " -–—":
                    out[place] = "*"
            hidden[kind] = hidden.get(kind, 0) + 1

    hide("id", _ID, 3, sure=_is_identity_number)
    hide("mobile", _MOBILE, 3, group=1)
    hide("card", _CARD, 4, sure=_luhn)
    if consumer:
        hide("landline", _LANDLINE, 3)
        hide("mail", _MAIL, 1)
        hide("chat", _CHAT, 1, group=1)
        hide("name", _CALLED, 1, group=1)
        hide("name", _ADDRESSED, 1, group=1)
    return Masked("".join(out), hidden)


def reveal(
    session: Session,
    officer: Officer,
    subject_kind: str,
    subject_id: str,
    fields: tuple[str, ...],
    reason: str,
    *,
    area: str = "",
    at: datetime,
) -> None:
    """Writes down that an officer unmasks `fields` of a thing, and why. Raises NotAllowed, or InputError without a reason."""
    require(officer, Action.REVEAL, area)
    if not reason.strip():
        raise InputError("查看个人信息须写明理由")
    session.add(
        t.AccessLog(
            id=new_id(at),
            officer_id=officer.id,
            at=at,
            subject_kind=subject_kind,
            subject_id=subject_id,
            fields=list(fields),
            reason=reason.strip()[:500],
        )
    )
    audit.record(session, officer.name, "personal.revealed", subject_kind, subject_id, {"fields": list(fields)}, at=at)


def _ascii(text: str) -> str:
    return "".join(chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else char for char in text)


def _is_identity_number(text: str) -> bool:
    """居民身份证号 by its own arithmetic (GB 11643-1999), so that a credit code or order number is left alone."""
    code = _ascii(text).upper()
    try:
        date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    return "10X98765432"[sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(code[:17])) % 11] == code[17]


def _luhn(text: str) -> bool:
    digits = [int(char) for char in _ascii(text) if char.isdigit()]
    doubled = [
        digit if i % 2 else (digit * 2 - 9 if digit > 4 else digit * 2) for i, digit in enumerate(reversed(digits), 1)
    ]
    return 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0
