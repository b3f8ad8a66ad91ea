"""What a command needs, opened once from the settings: clock, database, evidence vault, rule library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.clock import Clock, SystemClock
from contracts.errors import EnvironmentFault
from wangxun.settings import Settings, settings

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from cases.access import Officer
    from evidence.vault import Vault
    from semantic_lib.library import Library


@dataclass
class Runtime:
    """One process's view of the bureau's data. Parts are opened when first asked for."""

    config: Settings
    clock: Clock

    @cached_property
    def engine(self) -> Engine:
        from cases.db import connect, upgrade

        if self.config.database.startswith("sqlite"):
            make_folder(self.config.data_dir)
        engine = connect(self.config.database)
        upgrade(engine)
        return engine

    @cached_property
    def vault(self) -> Vault:
        from evidence.vault import Vault

        make_folder(self.config.data_dir)
        return Vault.open(
            self.config.evidence_dir,
            keys=self.config.keys_dir,
            clock=self.clock,
            tsa_urls=self.config.tsa_url,
            tsa_ca=self.config.tsa_ca,
            store_url=self.config.store_url,
            sm2=self.config.sm2,
        )

    @cached_property
    def library(self) -> Library:
        from semantic_lib.load import library

        return library()

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        from cases.db import session

        with session(self.engine, read_only=read_only) as opened:
            yield opened

    def officer(self, session: Session, name: str) -> Officer:
        from cases.officers import officer_named

        return officer_named(session, name)

    def close(self) -> None:
        """Closes what was opened."""
        opened = self.__dict__
        if "vault" in opened:
            self.vault.close()
        if "engine" in opened:
            self.engine.dispose()


def make_folder(folder: Path) -> None:
    """The data folder, readable by its owner alone. Raises EnvironmentFault in one line when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise EnvironmentFault(
            "数据目录 {folder} 建不了: {why}",
            hint="用 WANGXUN_DATA_DIR 指向可写目录",
            folder=folder,
            why=error.strerror,
        ) from error


@contextmanager
def runtime(clock: Clock | None = None, config: Settings | None = None) -> Iterator[Runtime]:
    """The runtime of one command, closed behind it."""
    opened = Runtime(config or settings(), clock or SystemClock())
    try:
        yield opened
    finally:
        opened.close()
