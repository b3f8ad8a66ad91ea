"""Officers and their log-ins: argon2 hashes, opaque sessions that can be revoked at once, lock-out after wrong tries."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cases import audit
from cases import models as t
from cases.access import ROLE_NAMES, Action, Officer, Role, require
from contracts.errors import InputError, NotAllowed
from contracts.ids import new_id

#: Shorter passwords are refused (NIST SP 800-63B §5.1.1.2 asks for at least eight).
MIN_PASSWORD = 8
SESSION_LASTS = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=2)
TRIES_BEFORE_LOCK = 5
LOCK_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A log-in that succeeded. `token` goes into the cookie and is never stored."""

    officer: Officer
    token: str
    expires_at: datetime


def parse_role(word: str) -> Role:
    """Role of its English or Chinese name. Raises InputError naming them all."""
    for role, zh in ROLE_NAMES.items():
        if word.strip().casefold() in (role.value, zh, *zh.split("/")):
            return role
    known = "、".join(f"{role.value}({zh})" for role, zh in ROLE_NAMES.items())
    raise InputError("没有“{word}”这种角色", word=word, hint="可用：" + known)


def create(
    session: Session, name: str, role: str, password: str, *, at: datetime, area: str = "", by: Officer | None = None
) -> Officer:
    """A new officer. `by` None is the command line on this machine (the first administrator). Raises InputError, NotAllowed."""
    if by is not None:
        require(by, Action.USERS, area)
    name = name.strip()
    if not name or len(name) > 64 or name == audit.SYSTEM or not name.isprintable():
        raise InputError("姓名不可用：{name}", name=name, hint="1 至 64 个字，不得为 system")
    if len(password) < MIN_PASSWORD:
        raise InputError("口令太短", hint=f"至少 {MIN_PASSWORD} 位")
    if area and not (area.isdigit() and len(area) <= 12):
        raise InputError("辖区应为行政区划代码（数字）：{area}", area=area)
    if session.scalar(select(t.Officer.id).where(t.Officer.name == name)):
        raise InputError("已有名为“{name}”的账号", name=name)
    row = t.Officer(
        id=new_id(at),
        name=name,
        password_hash=_hasher().hash(password),
        role=parse_role(role).value,
        area=area,
        created_at=at,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        by.name if by else audit.SYSTEM,
        "officer.created",
        "officer",
        row.id,
        {"role": row.role, "area": area},
        at=at,
    )
    return _officer(row)


def officer_named(session: Session, name: str) -> Officer:
    """The active officer of that name. Raises InputError when there is none, NotAllowed when inactive."""
    row = session.scalar(select(t.Officer).where(t.Officer.name == name.strip()))
    if row is None:
        raise InputError("没有名为“{name}”的账号", name=name, hint="用 wangxun user add 建立")
    if not row.active:
        raise NotAllowed("账号“{officer}”已停用", officer=name)
    return _officer(row)


def listed(session: Session) -> Sequence[Officer]:
    """All officers by name, inactive ones too."""
    return [_officer(row) for row in session.scalars(select(t.Officer).order_by(t.Officer.name))]


def set_active(session: Session, officer_id: str, active: bool, *, by: Officer, at: datetime) -> None:
    """Switches an account on or off; off also ends its sessions."""
    require(by, Action.USERS)
    row = session.get(t.Officer, officer_id)
    if row is None:
        raise InputError("没有这个账号：{id}", id=officer_id)
    row.active = active
    if not active:
        revoke_all(session, officer_id, by=by, at=at)
    audit.record(session, by.name, "officer.active" if active else "officer.inactive", "officer", officer_id, at=at)


def sign_in(session: Session, name: str, password: str, *, at: datetime, address: str = "") -> SignIn | None:
    """A log-in, or None when name or password is wrong (not said which).

    None is a return value, not an error, so that the caller's transaction keeps the count of wrong tries.
    Raises NotAllowed while the account is locked.
    """
    row = session.scalar(select(t.Officer).where(t.Officer.name == name.strip()))
    if row is None:
        _matches(_dummy_hash(), password)  # an unknown name takes as long as a wrong password
        return None
    if row.locked_until and row.locked_until > at:
        raise NotAllowed("口令错误次数过多，账号暂时锁定", hint="请 15 分钟后再试，或请管理员处理")
    if not _matches(row.password_hash, password) or not row.active:
        row.failed_logins += 1
        if row.failed_logins >= TRIES_BEFORE_LOCK:
            row.failed_logins, row.locked_until = 0, at + LOCK_LASTS
            audit.record(session, audit.SYSTEM, "officer.locked", "officer", row.id, at=at)
        return None
    row.failed_logins, row.locked_until = 0, None
    if _hasher().check_needs_rehash(row.password_hash):
        row.password_hash = _hasher().hash(password)
    token = secrets.token_urlsafe(32)
    expires = at + SESSION_LASTS
    session.add(
        t.OfficerSession(
            id=new_id(at),
            token_hash=_token_hash(token),
            officer_id=row.id,
            created_at=at,
            last_used_at=at,
            expires_at=expires,
            address=address[:64],
        )
    )
    audit.record(session, row.name, "officer.signed-in", "officer", row.id, at=at)
    return SignIn(_officer(row), token, expires)


def officer_of(session: Session, token: str, *, at: datetime) -> Officer | None:
    """Who holds this token; None when unknown, expired, idle too long, revoked, or the officer is inactive. Reads only."""
    found = session.execute(
        select(t.OfficerSession, t.Officer)
        .join(t.Officer, t.Officer.id == t.OfficerSession.officer_id)
        .where(t.OfficerSession.token_hash == _token_hash(token), t.OfficerSession.revoked_at.is_(None))
    ).first()
    if found is None:
        return None
    login, row = found
    if login.expires_at <= at or login.last_used_at + SESSION_IDLE <= at or not row.active:
        return None
    return _officer(row)


def touch(session: Session, token: str, *, at: datetime) -> None:
    """Notes that a session was used; writes at most once a minute."""
    session.execute(
        update(t.OfficerSession)
        .where(
            t.OfficerSession.token_hash == _token_hash(token),
            t.OfficerSession.last_used_at < at - timedelta(minutes=1),
        )
        .values(last_used_at=at)
    )


def sign_out(session: Session, token: str, *, at: datetime) -> None:
    """Ends one session."""
    session.execute(
        update(t.OfficerSession)
        .where(t.OfficerSession.token_hash == _token_hash(token), t.OfficerSession.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def revoke_all(session: Session, officer_id: str, *, by: Officer, at: datetime) -> int:
    """Ends all sessions of an officer (one's own, or with the right to manage officers); how many there were."""
    if by.id != officer_id:
        require(by, Action.USERS)
    wanted = (t.OfficerSession.officer_id == officer_id, t.OfficerSession.revoked_at.is_(None))
    ended = len(session.scalars(select(t.OfficerSession.id).where(*wanted)).all())
    session.execute(update(t.OfficerSession).where(*wanted).values(revoked_at=at))
    audit.record(session, by.name, "officer.sessions-revoked", "officer", officer_id, {"ended": ended}, at=at)
    return ended


def _officer(row: t.Officer) -> Officer:
    return Officer(row.id, row.name, Role(row.role), row.area, row.active)


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id, RFC 9106 low-memory profile


@cache
def _dummy_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
