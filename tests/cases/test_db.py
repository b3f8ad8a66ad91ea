"""One schema on both databases, up and down; faults in one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from cases import db
from cases.models import Base, Counter
from contracts.errors import EnvironmentFault, UsageError


def test_migrates_up_and_down_and_up_again(database: str) -> None:
    engine = db.connect(database)
    assert not db.health(engine).ready
    db.upgrade(engine)
    assert db.health(engine).ready
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    db.downgrade(engine, "base")
    left = {name for name in inspect(engine).get_table_names() if not name.startswith("sqlite_")}
    assert left == {"alembic_version"}
    db.upgrade(engine)
    assert db.health(engine).ready
    engine.dispose()


def test_migrations_make_what_the_models_say(database: str) -> None:
    engine = db.connect(database)
    db.upgrade(engine)
    with engine.connect() as connection:
        seen = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            one
            for one in compare_metadata(seen, Base.metadata)
            if "clue_search" not in repr(one) and "ix_clue_terms_search" not in repr(one)
        ]
    engine.dispose()
    assert differences == []


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(db.MIGRATIONS)).get_heads()) == 1


def test_upgrading_twice_changes_nothing(database: str) -> None:
    engine = db.connect(database)
    db.upgrade(engine)
    with db.session(engine) as session:
        session.add(Counter(area="", name="kept", value=7))
    db.upgrade(engine)
    with db.session(engine) as session:
        assert session.get(Counter, ("", "kept")).value == 7  # type: ignore[union-attr]
    engine.dispose()


def test_a_session_that_fails_leaves_nothing(database: str) -> None:
    engine = db.connect(database)
    db.upgrade(engine)

    class Broken(Exception):
        pass

    def fail() -> None:
        with db.session(engine) as session:
            session.add(Counter(area="", name="lost", value=1))
            session.flush()
            raise Broken

    with pytest.raises(Broken):
        fail()
    with db.session(engine) as session:
        assert session.get(Counter, ("", "lost")) is None
    engine.dispose()


def test_a_reading_session_cannot_hold_up_a_writer(tmp_path: Path) -> None:
    engine = db.connect(f"sqlite:///{tmp_path}/a.db")
    db.upgrade(engine)
    with db.session(engine, read_only=True) as reader:
        reader.execute(text("SELECT count(*) FROM clue")).one()
        with db.session(engine) as writer:
            writer.add(Counter(area="", name="x", value=1))
    engine.dispose()


def test_foreign_keys_hold(database: str) -> None:
    engine = db.connect(database)
    db.upgrade(engine)
    with pytest.raises(IntegrityError), db.session(engine) as session:
        session.execute(text("INSERT INTO site_host (host, site_id) VALUES ('h', 'nobody')"))
    engine.dispose()


def test_unreachable_server_is_one_clear_line() -> None:
    engine = db.connect("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(EnvironmentFault) as caught:
        db.health(engine)
    assert "连不上数据库（127.0.0.1:1）" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_full_disk_is_one_clear_line_and_nothing_is_half_written(tmp_path: Path) -> None:
    engine = db.connect(f"sqlite:///{tmp_path}/a.db")
    db.upgrade(engine)

    def fill() -> None:
        with db.session(engine) as session:
            pages = session.execute(text("PRAGMA page_count")).scalar_one()
            session.execute(text(f"PRAGMA max_page_count = {pages + 2}"))  # how SQLite itself says the disk is full
            session.add_all(Counter(area="", name=f"{n}" + "x" * 40, value=1) for n in range(5000))
            session.flush()

    with pytest.raises(EnvironmentFault, match="磁盘已满"):
        fill()
    with db.session(engine) as session:
        assert session.execute(text("SELECT count(*) FROM counter")).scalar_one() == 0
    engine.dispose()


def test_not_a_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(EnvironmentFault, match="不是可用的数据库文件"):
        db.health(db.connect(f"sqlite:///{tmp_path}/a.db"))


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "foo://bar"])
def test_bad_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        db.connect(url)
