"""Our own style sheets and modules, and the few files taken from the browser packages that set-up installs."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

HERE = Path(__file__).parent
#: Served name → file in node_modules. Nothing else of a package is reachable.
INSTALLED = {"htmx.js": "htmx.org/dist/htmx.min.js"}
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

router = APIRouter(include_in_schema=False)


@cache
def own_files() -> dict[str, bytes]:
    """Name → bytes of everything in static/, read once."""
    return {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir()) if path.suffix in TYPES}


def installed(name: str) -> Path | None:
    """The file behind /assets/<name>, or None when the package is not installed: the pages work without it."""
    path = HERE / "node_modules" / INSTALLED.get(name, "\0")
    return path if name in INSTALLED and path.is_file() else None


@cache
def version() -> str:
    """Changes whenever one of our files does; put behind their addresses so that a browser may keep them for a year."""
    digest = hashlib.sha256()
    for name, body in own_files().items():
        digest.update(name.encode() + b"\0" + body)
    return digest.hexdigest()[:12]


@router.get("/static/{version}/{name}")
def static(version: str, name: str) -> Response:  # noqa: ARG001 - the version only makes the address new
    body = own_files().get(name)
    if body is None:
        raise HTTPException(404)
    return _lasting(body, TYPES[Path(name).suffix])


@router.get("/assets/{name}")
def asset(name: str) -> Response:
    path = installed(name)
    if path is None:
        raise HTTPException(404)
    return _lasting(path.read_bytes(), TYPES[path.suffix], seconds=3600)


@router.get("/favicon.ico")
def favicon() -> Response:
    return _lasting(own_files()["seal.svg"], TYPES[".svg"], seconds=86_400)


def _lasting(body: bytes, media_type: str, *, seconds: int = 31_536_000) -> Response:
    return Response(body, media_type=media_type, headers={"cache-control": f"public, max-age={seconds}"})
