"""The console put together from one runtime."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from cases.casefile import Dossier
from wangxun.runtime import Runtime


def console_app(line: Runtime, *, simulated: bool = False, notice: str = "") -> FastAPI:
    from console.app import create_app
    from console.config import ConsoleConfig
    from wangxun.export import export_dossier

    def export(dossier: Dossier, officer: str, folder: Path) -> Path:
        return export_dossier(line, dossier, folder, officer=officer)

    config = ConsoleConfig(
        language=line.config.language, simulated=simulated, clock=line.clock, export=export, notice=notice
    )
    return create_app(line.engine, line.vault, config)
