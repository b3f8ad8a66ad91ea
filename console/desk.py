"""What every page is given: who is signed in, an open session, how they read, and how to answer.

A desk is opened for each request and its work committed before the answer leaves, so that what a page says was done
has been done.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cases import access, officers, queue
from cases.db import session
from cases.states import OPEN_STATES
from console import assets, labels, passage
from console.config import ConsoleConfig
from console.i18n import LANGUAGES
from console.reader import Reader
from console.throttle import Throttle
from console.words import role_word

THEMES = ("auto", "light", "dark")
LANG_COOKIE, THEME_COOKIE, DENSITY_COOKIE = "wx_lang", "wx_theme", "wx_rows"


class SignedOut(Exception):
    """Nobody is signed in; the answer is the log-in page, or 401 where a program asks."""


@dataclass(frozen=True, slots=True)
class House:
    """What one console process holds; stands in `app.state.house`."""

    engine: Engine
    vault: Any
    config: ConsoleConfig
    templates: Environment
    throttle: Throttle = field(default_factory=Throttle)
    used: dict[str, datetime] = field(default_factory=dict)  #: when a session was last noted as used

    @property
    def cookie(self) -> str:
        return "__Host-wx" if self.config.secure_cookies else "wx"

    def keep_alive(self, token: str, now: datetime) -> None:
        """Notes the use of a session, at most once a minute, in a transaction of its own."""
        key = hashlib.sha256(token.encode()).hexdigest()
        if key in self.used and now - self.used[key] < timedelta(minutes=1):
            return
        if len(self.used) > 10_000:
            self.used.clear()
        self.used[key] = now
        with session(self.engine) as opened:
            officers.touch(opened, token, at=now)


@dataclass(frozen=True, slots=True)
class Desk:
    """One request of one signed-in officer."""

    request: Request
    house: House
    session: Session
    officer: access.Officer
    ui: Reader

    @property
    def now(self) -> datetime:
        return self.ui.now

    def may(self, action: access.Action, area: str = "") -> bool:
        return access.may(self.officer, action, area)

    def page(self, template: str, status: int = 200, /, **values: object) -> HTMLResponse:
        counts = queue.counts(self.session, self.officer)
        nav = {
            "clues": sum(counts.get(f"state:{state}", 0) for state in OPEN_STATES),
            "audit": self.may(access.Action.AUDIT),
        }
        role = role_word(self.ui, self.officer)
        return render(self.request, template, status, ui=self.ui, officer=self.officer, nav=nav, role=role, **values)


def templates() -> Environment:
    """Every value is escaped; an unknown name is an error, never a blank."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(
        static=lambda name: f"/static/{assets.version()}/{name}",
        htmx=assets.installed("htmx.js") is not None,
        labels=labels,
        line=passage.line,
        pieces=passage.pieces,
        LANGUAGES=LANGUAGES,
        THEMES=THEMES,
    )
    return env


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def reader_of(request: Request) -> Reader:
    """Language by the person's choice, else by the console's setting."""
    config = house_of(request).config
    chosen = request.cookies.get(LANG_COOKIE, "")
    return Reader(chosen if chosen in LANGUAGES else config.language, config.clock.now())


def render(request: Request, template: str, status: int = 200, /, *, ui: Reader, **values: object) -> HTMLResponse:
    """A page or a part of one."""
    house = house_of(request)
    theme = request.cookies.get(THEME_COOKIE, "")
    context: Mapping[str, object] = {
        "ui": ui,
        "_": ui,
        "theme": theme if theme in THEMES else "auto",
        "compact": request.cookies.get(DENSITY_COOKIE) == "compact",
        "path": request.url.path,
        "here": own_path(str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")),
        "config": house.config,
        "officer": None,
        "nav": {},
        **values,
    }
    return HTMLResponse(house.templates.get_template(template).render(context), status)


P = ParamSpec("P")


def signed_in(*, writes: bool = True) -> Callable[[Callable[Concatenate[Desk, P], Response]], Callable[..., Response]]:
    """Makes an endpoint of `act(desk, …)`: one request, one thread, one transaction, committed before the answer leaves.

    (A dependency that yields would hold the database's write lock while waiting for a second thread.) Raises SignedOut.
    `writes=False` takes no lock and cannot write.
    """

    def endpoint(act: Callable[Concatenate[Desk, P], Response]) -> Callable[..., Response]:
        signature = inspect.signature(act, eval_str=True)
        asked = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)

        @wraps(act)
        def served(request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
            house, ui = house_of(request), reader_of(request)
            token = request.cookies.get(house.cookie, "")
            with session(house.engine, read_only=not writes) as opened:
                officer = officers.officer_of(opened, token, at=ui.now) if token else None
                if officer is None:
                    raise SignedOut
                answer = act(Desk(request, house, opened, officer, ui), *args, **kwargs)
            house.keep_alive(token, ui.now)
            return answer

        others = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in list(signature.parameters.values())[1:]]
        served.__signature__ = signature.replace(parameters=[asked, *others])  # type: ignore[attr-defined]
        return served

    return endpoint


def own_path(target: str | None) -> str:
    """`target` when it is a path of ours, else "/": nobody is sent to another site after signing in."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(c) < 33 for c in target):
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target


def go(path: str) -> Response:
    """303 to a path of ours."""
    return RedirectResponse(quote(own_path(path), safe="/?&=%#,:;@+~!*'()-._"), 303)
