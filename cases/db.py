"""The database: connecting, sessions, migrations from code, and faults told in one line.

One schema on SQLite (default: a file in the data directory) and PostgreSQL (psycopg 3). On SQLite a session that
writes takes the write lock at once (BEGIN IMMEDIATE), so that it waits for its turn instead of failing half-way;
readers never wait (write-ahead log).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from contracts.errors import EnvironmentFault, UsageError

#: How long a writer waits for another on SQLite, in milliseconds. Transactions here last milliseconds, bulk ones seconds.
BUSY_TIMEOUT_MS = 15_000
MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class Health:
    """What `doctor` wants to know. `current` and `head` are migration ids; the schema is ready when they are equal."""

    dialect: str
    version: str
    current: str | None
    head: str

    @property
    def ready(self) -> bool:
        return self.current == self.head


def connect(url: str) -> Engine:
    """An engine on `url` (SQLAlchemy form; `postgresql://` means psycopg 3). Opens no connection yet.

    Raises UsageError for a URL that cannot be understood, EnvironmentFault when the SQLite folder cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ValueError) as fault:
        raise UsageError("数据库地址无法识别", hint="形如 sqlite:///路径 或 postgresql://用户@主机/库名") from fault
    raise UsageError("不支持的数据库：{name}", name=parsed.get_backend_name(), hint="可用 SQLite 或 PostgreSQL")


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise EnvironmentFault("无法建立数据目录 {folder}：{why}", folder=folder, why=fault.strerror) from fault
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
        ):
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("wangxun_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def session(engine: Engine, *, read_only: bool = False) -> Iterator[Session]:
    """A session that commits at the end and rolls back on any error. Database faults become EnvironmentFault.

    `read_only` takes no write lock on SQLite and is READ ONLY on PostgreSQL.
    """
    bound = engine.execution_options(wangxun_read_only=True) if read_only else engine
    with told(engine), Session(bound, expire_on_commit=False) as opened:
        if read_only and engine.dialect.name == "postgresql":
            opened.execute(text("SET TRANSACTION READ ONLY"))
        try:
            yield opened
            opened.commit()
        except BaseException:
            opened.rollback()
            raise


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Turns driver errors into an EnvironmentFault of one clear line; other errors pass."""
    try:
        yield
    except OperationalError as fault:
        raise _explained(fault, engine) from fault
    except DBAPIError as fault:
        if type(fault) is DatabaseError:  # what SQLite says of a file that is no database
            raise _explained(fault, engine) from fault
        if fault.connection_invalidated:
            raise EnvironmentFault("数据库连接已中断", hint="请检查数据库服务后重试") from fault
        raise


def _explained(fault: DBAPIError, engine: Engine) -> EnvironmentFault:
    words = str(fault.orig).lower()
    where = engine.url.database if engine.dialect.name == "sqlite" else f"{engine.url.host}:{engine.url.port or 5432}"
    first = str(fault.orig).strip().splitlines()[0] if str(fault.orig).strip() else ""
    for signs, message, hint in _FAULTS:
        if any(sign in words for sign in signs):
            return EnvironmentFault(message, where=where, hint=hint)
    return EnvironmentFault("数据库出错（{where}）：{why}", where=where, why=first, hint="运行 wangxun doctor 查看原因")


_FAULTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("disk is full", "disk full", "no space left", "disk i/o error"),
        "磁盘已满，数据库无法写入（{where}），本次操作未保存",
        "请清理磁盘或扩大空间后重试",
    ),
    (("locked", "busy", "lock timeout"), "数据库正被其他进程占用（{where}）", "请稍后重试"),
    (("unable to open", "permission denied"), "无法打开数据库文件 {where}", "请检查目录是否存在、是否有写权限"),
    (("readonly", "read-only"), "数据库只读，无法写入（{where}）", "请检查文件与目录的写权限"),
    (("not a database", "malformed"), "{where} 不是可用的数据库文件", "请从备份恢复，或另指定 WANGXUN_DATABASE_URL"),
    (("no such table", "no such column"), "数据库尚未建表或版本不符（{where}）", "请重新运行命令以升级数据库结构"),
    (("password authentication", "role "), "数据库拒绝登录（{where}）", "请检查 WANGXUN_DATABASE_URL 中的用户与密码"),
    (
        ("connection refused", "could not connect", "connection failed", "timeout expired", "name or service"),
        "连不上数据库（{where}）",
        "请检查数据库服务是否启动、地址是否正确",
    ),
)


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the schema to `revision`; quick when it is there already. Raises EnvironmentFault when the database refuses."""
    from alembic import command

    if revision == "head" and health(engine).ready:
        return
    with told(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes starting at once: the second waits, then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(7260001)"))
        command.upgrade(_alembic(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the schema back to `revision` ("base": nothing left)."""
    from alembic import command

    with told(engine), engine.begin() as connection:
        command.downgrade(_alembic(connection), revision)


def health(engine: Engine) -> Health:
    """Connects, and compares the schema with the newest migration. Raises EnvironmentFault when unreachable."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(_alembic(None)).get_current_head()
    assert head is not None
    with told(engine), engine.execution_options(wangxun_read_only=True).connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        version = ".".join(str(part) for part in engine.dialect.server_version_info or ())
    return Health(engine.dialect.name, version, current, head)


def _alembic(connection: Connection | None) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
