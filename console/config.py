"""What the console must be told by whoever starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cases.casefile import Dossier
from contracts.clock import Clock, SystemClock

#: (dossier, officer's name, folder) → the package's path inside the folder. It also writes the export into the audit log.
Exporter = Callable[[Dossier, str, Path], Path]


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """Settings of one console process. The defaults suit a loopback address without TLS."""

    language: str = "zh"  #: shown until a person chooses; a key of console.i18n.LANGUAGES
    secure_cookies: bool = False  #: True behind https: Secure cookies with the __Host- prefix, and HSTS
    simulated: bool = False  #: the data comes from the sample market: every screen says 模拟时间
    clock: Clock = field(default_factory=SystemClock)
    page_rows: int = 50  #: rows of a list page
    export: Exporter | None = None  #: builds a case's package; given by the composition root, None: no export button
    trusted_origins: tuple[str, ...] = ()  #: "https://host" seen by browsers when a proxy rewrites Host
    notice: str = ""  #: one line under the log-in form (the demo names its account here)
