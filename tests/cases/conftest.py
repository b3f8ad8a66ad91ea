"""A database of each kind for every test that asks for one, and a small shop page to record."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shop_page import NOW, reading
from sqlalchemy import Engine, text

from cases import db, officers, registry, runs
from cases.access import Officer
from contracts.ids import new_id
from contracts.page import PageReading
from contracts.site import Site, SiteKind, Snapshot


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL of our own on a free port, ended afterwards."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL server program under /usr/lib/postgresql; apt-get install postgresql")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to become postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="wx-pg-"))
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    subprocess.run(
        [
            *as_user,
            str(programs[-1] / "initdb"),
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "wx",
            "-E",
            "UTF8",
            "--locale=C",
        ],
        check=True,
        capture_output=True,
        cwd="/",
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    ctl = [*as_user, str(programs[-1] / "pg_ctl"), "-D", str(data), "-w"]
    # Its output goes to a file: a pipe would stay open as long as the server lives.
    subprocess.run(
        [*ctl, "-l", str(folder / "log"), "-o", options, "start"], check=True, cwd="/", stdout=subprocess.DEVNULL
    )
    try:
        yield f"postgresql://wx@127.0.0.1:{port}"
    finally:
        subprocess.run([*ctl, "-m", "immediate", "stop"], check=True, capture_output=True, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our tables and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "wangxun.db"
    opened = db.connect(f"sqlite:///{path}")
    db.upgrade(opened)
    opened.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """Name of a PostgreSQL database with our tables and nothing in it."""
    _create(postgres_server, "migrated")
    opened = db.connect(f"{postgres_server}/migrated")
    db.upgrade(opened)
    opened.dispose()
    return "migrated"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database, SQLite or PostgreSQL: with our tables when `engine` is asked for too, else empty."""
    tables = "engine" in request.fixturenames
    if request.param == "sqlite":
        if tables:
            shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "wangxun.db")
        return f"sqlite:///{tmp_path}/wangxun.db"
    server = request.getfixturevalue("postgres_server")
    name = f"t{new_id(datetime.now(UTC))}"
    _create(server, name, request.getfixturevalue("migrated_template") if tables else "template1")
    return f"{server}/{name}"


def _create(server: str, name: str, template: str = "template1") -> None:
    admin = db.connect(f"{server}/postgres").execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """A database with our tables."""
    opened = db.connect(database)
    yield opened
    opened.dispose()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever asks for a database runs on both."""
    if "database" in metafunc.fixturenames:
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
        metafunc.parametrize("database", both, indirect=True)


@pytest.fixture
def people(engine: Engine) -> dict[str, Officer]:
    """Officers of several roles and areas. Hashing is what takes time here, so the rows are made with one cheap hash."""
    made = {}
    with db.session(engine) as session:
        officers._hasher.cache_clear()
        for name, role, area in (
            ("审核甲", "reviewer", ""),
            ("审核乙", "reviewer", "3301"),
            ("办案丙", "case", ""),
            ("科长丁", "supervisor", ""),
            ("巡查戊", "patrol", ""),
            ("审计己", "auditor", ""),
            ("外区庚", "reviewer", "5101"),
        ):
            made[name] = officers.create(session, name, role, "long enough password", area=area, at=NOW)
    return made


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with its smallest cost."""
    from argon2 import PasswordHasher

    small = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    def hasher() -> PasswordHasher:
        return small

    hasher.cache_clear = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setattr(officers, "_hasher", hasher)


@pytest.fixture
def shop(engine: Engine) -> Site:
    """A registered shop."""
    with db.session(engine) as session:
        site = Site("shop", "杭州小店", SiteKind.SELF_BUILT, ("http://shop.example/",), area="330106")
        return registry.add_site(session, site, at=NOW)


@pytest.fixture
def snap(shop: Site) -> Callable[..., Snapshot]:
    """Makes snapshots of the shop's pages, each at a later minute when asked."""

    def make(
        url: str = "http://shop.example/tea", *, page: PageReading | None = None, minutes: int = 0, **changes: object
    ) -> Snapshot:
        at = NOW + timedelta(minutes=minutes)
        made = Snapshot(
            id=new_id(at),
            site_id=shop.id,
            site_kind=shop.kind,
            url=url,
            captured_at=at,
            reading=page or reading(),
            final_url=url,
            digest="0" * 64,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def new_run(engine: Engine) -> Callable[[], str]:
    """Starts a run."""

    def start() -> str:
        with db.session(engine) as session:
            return runs.start_run(session, at=NOW)

    return start
