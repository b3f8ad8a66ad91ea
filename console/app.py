"""The console as an ASGI application: the one place that joins pages, programming interface, assets and hardening."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from console import assets
from console.api import v1
from console.config import ConsoleConfig
from console.desk import House, SignedOut, go, house_of, reader_of, render, templates
from console.i18n import N_
from console.pages import audit, casefiles, clue, entry, patrols, queue, rules, snapshot
from console.security import Hardened
from contracts.errors import InputError, NotAllowed, UsageError, WangxunError

if TYPE_CHECKING:
    from evidence.vault import Vault

log = logging.getLogger("console")

API = "/api/v1"
_STATUS: dict[type[WangxunError], int] = {NotAllowed: 403, InputError: 404, UsageError: 422}
_WORDS = {
    400: N_("请求有误"),
    401: N_("请先登录"),
    403: N_("无权进行此操作"),
    404: N_("没有这个页面，或已不在您的辖区"),
    405: N_("此处不接受这种请求"),
    422: N_("提交的内容有误"),
}
_BROKEN = N_("系统出错，未完成本次操作")


def create_app(engine: Engine, vault: Vault, config: ConsoleConfig | None = None) -> FastAPI:
    """The console over a database whose schema is current and an evidence vault. Opens no connection by itself."""
    config = config or ConsoleConfig()
    app = FastAPI(title="网巡 Wangxun", version="1", docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json")
    app.state.house = House(engine, vault, config, templates())
    for pages in (entry, queue, clue, casefiles, snapshot, patrols, rules, audit, assets):
        app.include_router(pages.router)
    app.include_router(v1.router, prefix=API)
    app.add_exception_handler(SignedOut, _signed_out)
    app.add_exception_handler(WangxunError, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Hardened, https=config.secure_cookies, trusted_origins=config.trusted_origins)
    return app


def _signed_out(request: Request, _error: Exception) -> Response:
    if _for_program(request):
        return _problem(request, 401, reader_of(request)(_WORDS[401]))
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return go("/login" if request.method != "GET" or target == "/" else f"/login?next={_quoted(target)}")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, WangxunError)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    return _problem(request, status, error.text(reader_of(request).translate))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _problem(request, error.status_code, reader_of(request)(_WORDS.get(error.status_code, _WORDS[400])))


def _invalid(request: Request, _error: Exception) -> Response:
    return _problem(request, 422, reader_of(request)(_WORDS[422]))


def _broken(request: Request, error: Exception) -> Response:
    """No trace leaves the house: the log has it under the number that the person sees."""
    number = secrets.token_hex(4)
    log.error("request.broken number=%s path=%s", number, request.url.path, exc_info=error)
    return _problem(request, 500, f"{reader_of(request)(_BROKEN)}（{number}）")


def _problem(request: Request, status: int, words: str) -> Response:
    if _for_program(request):
        return JSONResponse({"error": {"status": status, "message": words}}, status)
    return render(request, "problem.html", status, ui=reader_of(request), status=status, words=words)


def _for_program(request: Request) -> bool:
    return request.url.path.startswith(API)


def _quoted(target: str) -> str:
    from urllib.parse import quote

    return quote(target, safe="")


__all__ = ["API", "create_app", "house_of"]
