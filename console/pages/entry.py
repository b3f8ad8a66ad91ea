"""登录 — signing in and out, and the two choices everybody has: language and theme."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cases import officers
from cases.db import session
from console.desk import (
    DENSITY_COOKIE,
    LANG_COOKIE,
    THEME_COOKIE,
    THEMES,
    House,
    go,
    house_of,
    own_path,
    reader_of,
    render,
)
from console.i18n import LANGUAGES, N_
from contracts.errors import NotAllowed

router = APIRouter(include_in_schema=False)
YEAR_S = 365 * 86_400
_REFUSED = N_("账号或口令不正确")
_TOO_MANY = N_("此地址尝试次数过多，请五分钟后再试")


@router.get("/login")
def login_form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    return _form(request, own_path(next))


@router.post("/login")
def login(
    request: Request,
    name: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    house, ui = house_of(request), reader_of(request)
    address = request.client.host if request.client else ""
    if house.throttle.closed(address, ui.now):
        return _form(request, next, name, ui(_TOO_MANY), 429)
    try:
        with session(house.engine) as opened:
            signed = officers.sign_in(opened, name, password, at=ui.now, address=address)
    except NotAllowed as refusal:
        house.throttle.failed(address, ui.now)
        return _form(request, next, name, refusal.text(ui.translate), 403)
    if signed is None:
        house.throttle.failed(address, ui.now)
        return _form(request, next, name, ui(_REFUSED), 401)
    answer = go(own_path(next))
    _set_session(answer, house, signed.token)
    return answer


@router.post("/logout")
def logout(request: Request) -> Response:
    house, ui = house_of(request), reader_of(request)
    token = request.cookies.get(house.cookie, "")
    if token:
        with session(house.engine) as opened:
            officers.sign_out(opened, token, at=ui.now)
    answer = go("/login")
    answer.delete_cookie(house.cookie, secure=house.config.secure_cookies, httponly=True, samesite="lax")
    return answer


@router.post("/preferences")
def preferences(
    request: Request,
    lang: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
    rows: Annotated[str, Form()] = "",
    back: Annotated[str, Form(max_length=4000)] = "/",
) -> Response:
    answer = go(own_path(back))
    secure = house_of(request).config.secure_cookies
    for cookie, value, known in (
        (LANG_COOKIE, lang, tuple(LANGUAGES)),
        (THEME_COOKIE, theme, THEMES),
        (DENSITY_COOKIE, rows, ("wide", "compact")),
    ):
        if value in known:
            answer.set_cookie(cookie, value, max_age=YEAR_S, secure=secure, httponly=True, samesite="lax")
    return answer


def _form(request: Request, next_path: str, name: str = "", error: str = "", status: int = 200) -> Response:
    return render(
        request, "login.html", status, ui=reader_of(request), next=own_path(next_path), name=name[:64], error=error
    )


def _set_session(answer: Response, house: House, token: str) -> None:
    answer.set_cookie(house.cookie, token, path="/", httponly=True, samesite="lax", secure=house.config.secure_cookies)
