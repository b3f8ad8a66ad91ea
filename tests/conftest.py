"""What all tests share: a data folder of their own, settings read afresh, and what this machine can run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A busy machine is no fault of the code: nothing here is judged by the clock.
hypothesis_settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test has its own data folder; no test sees the developer's settings."""
    for name in list(os.environ):
        if name.startswith("WANGXUN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WANGXUN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WANGXUN_DELAY", "0")
    yield tmp_path
    from wangxun.settings import settings

    settings.cache_clear()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium, or a skip that says how to get one."""
    from shutil import which

    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    pytest.skip("no Chromium on this machine; apt-get install chromium")
