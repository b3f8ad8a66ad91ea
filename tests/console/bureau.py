"""A console over a seeded database and a real vault, served on a loopback address."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from cases import db
from console.app import create_app
from console.config import ConsoleConfig
from contracts.clock import SimulatedClock
from evidence.vault import Vault

sys.path.insert(0, str(Path(__file__).parent))
import seed

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@dataclass
class Bureau:
    engine: Engine
    vault: Vault
    clock: SimulatedClock
    app: FastAPI
    clues: list[str]

    def client(self, name: str = "张警官", **headers: str) -> TestClient:
        """Signed in, as a browser on our own pages."""
        client = TestClient(
            self.app,
            base_url="http://console.test",
            follow_redirects=False,
            headers={"sec-fetch-site": "same-origin", **headers},
        )
        if name:
            answer = client.post("/login", data={"name": name, "password": seed.PASSWORD})
            assert answer.status_code == 303, answer.text
        return client


def build(folder: Path, now: datetime = NOW, **config: object) -> Bureau:
    """A bureau with its week behind it, in `folder`; one that stands there already is opened."""
    clock = SimulatedClock(now)
    engine = db.connect(f"sqlite:///{folder}/wangxun.db")
    made = not (folder / "wangxun.db").exists()
    db.upgrade(engine)
    vault = Vault.open(folder / "evidence", keys=folder / "keys", clock=clock)
    clues = seed.fill(engine, now, shots=seed.photograph(vault, now)) if made else []
    app = create_app(engine, vault, ConsoleConfig(clock=clock, simulated=True, **config))  # type: ignore[arg-type]
    return Bureau(engine, vault, clock, app, clues)


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bureau, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("week")
    build(folder).engine.dispose()
    return folder


@pytest.fixture
def bureau(week: Path, tmp_path: Path) -> Iterator[Bureau]:
    folder = tmp_path / "bureau"
    shutil.copytree(week, folder)
    made = build(folder)
    yield made
    made.engine.dispose()


@pytest.fixture
def officer(bureau: Bureau) -> TestClient:
    return bureau.client()


class Served:
    """uvicorn in a thread on a free loopback port."""

    def __init__(self, app: FastAPI) -> None:
        import uvicorn

        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            self.thread.join(0.01)
            assert self.thread.is_alive()
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
