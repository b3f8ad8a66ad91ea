"""Which Chromium this machine offers: the setting, a program of the system, or Playwright's own download."""

from __future__ import annotations

from pathlib import Path
from shutil import which

from contracts.errors import EnvironmentFault

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser(chosen: Path | None = None) -> Path | None:
    """The program to start, or None. A chosen one that is missing is an EnvironmentFault, never silently replaced."""
    if chosen is not None:
        if not chosen.exists():
            raise EnvironmentFault(
                "设置的浏览器 {path} 不存在", hint="改正 WANGXUN_BROWSER 或留空自动查找", path=chosen
            )
        return chosen
    for name in PROGRAMS:
        if found := which(name):
            return Path(found)
    downloads = Path.home() / ".cache" / "ms-playwright"
    return next(iter(sorted(downloads.glob("chromium-*/chrome-linux*/chrome"))), None)
