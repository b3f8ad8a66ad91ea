"""The frontier: which addresses of a run wait, are under way, are done. SQLite in WAL mode, nothing in memory but
what is being worked on.

A kill at any moment leaves a consistent file; what was leased goes back to waiting when the run is opened again.
Writes come in batches, one synced transaction each: enqueuing one by one costs a hundred times more.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.errors import EnvironmentFault

PENDING, LEASED, DONE = 0, 1, 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS host (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS site (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS url (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    site INTEGER NOT NULL,
    host INTEGER NOT NULL,
    state INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    fetched INTEGER NOT NULL DEFAULT 0,  -- 1: done with content
    key BLOB NOT NULL,
    url TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS url_key ON url (run, key);
CREATE INDEX IF NOT EXISTS url_waiting ON url (run, host, depth, id) WHERE state = 0;
CREATE INDEX IF NOT EXISTS url_leased ON url (run) WHERE state = 1;
CREATE TABLE IF NOT EXISTS template (
    run INTEGER NOT NULL,
    shape INTEGER NOT NULL,  -- 64-bit digest of site and template
    urls INTEGER NOT NULL,
    PRIMARY KEY (run, shape)
) WITHOUT ROWID;
"""
_INSERT = "INSERT OR IGNORE INTO url (run, site, host, state, depth, key, url) VALUES (?, ?, ?, 0, ?, ?, ?)"
_COUNT = (
    "INSERT INTO template (run, shape, urls) VALUES (?, ?, ?)"
    " ON CONFLICT (run, shape) DO UPDATE SET urls = urls + excluded.urls"
)


@dataclass(frozen=True, slots=True)
class Queued:
    """An address to put into the frontier. `site` is the site's id, `key` from `urls.key_of`."""

    url: str
    key: bytes
    site: str
    host: str
    depth: int
    template: str


@dataclass(frozen=True, slots=True)
class Leased:
    """An address taken out of it. `row` is what `done` and `give_back` want."""

    row: int
    url: str
    key: bytes
    site: str
    depth: int


class Frontier:
    """The addresses of one run. Not for two threads; another process may hold another run in the same file."""

    def __init__(self, path: Path, run: str) -> None:
        """Opens or makes the file. Raises EnvironmentFault when it cannot be written or is not a frontier."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # links must outlive a power cut once the sink has committed
            self._db.execute("PRAGMA cache_size = -16384")  # KiB: the keys' index of a million addresses
            self._db.execute("PRAGMA wal_autocheckpoint = 4000")  # pages of 4 KiB
            self._db.executescript(_SCHEMA)
            self._run = self._number("run", run)
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentFault("巡查队列“{path}”无法使用：{why}", path=path, why=error) from error
        self._hosts: dict[str, int] = dict(self._db.execute("SELECT name, id FROM host"))
        self._sites: dict[str, int] = dict(self._db.execute("SELECT name, id FROM site"))
        self._site_names = {number: name for name, number in self._sites.items()}
        self.queued = sum(self.waiting().values())  #: addresses waiting in this run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def recover(self, known: Callable[[str], bool]) -> None:
        """After a kill: what was leased is done when `known` (hexadecimal key) says so, else it waits again."""
        rows = self._db.execute("SELECT id, key FROM url WHERE run = ? AND state = 1", (self._run,)).fetchall()
        settled = [(DONE, 1, row) if known(key.hex()) else (PENDING, 0, row) for row, key in rows]
        self._batch([("UPDATE url SET state = ?, fetched = ? WHERE id = ?", settled)])
        self.queued = sum(self.waiting().values())

    def push(self, batch: Sequence[Queued], *, template_limit: int | None = None) -> tuple[set[str], int]:
        """Adds the addresses not yet in this run, in one transaction.

        Returns the hosts that got something and how many were left out because their template was full.
        """
        if not batch:
            return set(), 0
        for table, numbers, names in (
            ("host", self._hosts, {item.host for item in batch}),
            ("site", self._sites, {item.site for item in batch}),
        ):
            for name in names - numbers.keys():
                numbers[name] = self._number(table, name)
                if table == "site":
                    self._site_names[numbers[name]] = name
        shapes = {(item.site, item.template): 0 for item in batch}
        for site, template in shapes:
            shapes[site, template] = _shape(site, template)
        held = self._held(shapes.values())
        added: Counter[int] = Counter()
        rows: list[tuple[object, ...]] = []
        hosts: set[str] = set()
        trapped = 0
        fresh = self._fresh([item.key for item in batch])
        for item in batch:
            if item.key not in fresh:
                continue
            fresh.discard(item.key)
            shape = shapes[item.site, item.template]
            if template_limit is not None and held[shape] + added[shape] >= template_limit:
                trapped += 1
                continue
            added[shape] += 1
            hosts.add(item.host)
            rows.append((self._run, self._sites[item.site], self._hosts[item.host], item.depth, item.key, item.url))
        if rows:
            self._batch([(_INSERT, rows), (_COUNT, [(self._run, *count) for count in added.items()])])
            self.queued += len(rows)
        return hosts, trapped

    def _fresh(self, keys: list[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            # S608: only question marks are joined into the statement
            found.update(
                row[0]
                for row in self._db.execute(
                    f"SELECT key FROM url WHERE run = ? AND key IN ({marks})",  # noqa: S608
                    (self._run, *part),
                )
            )
        return set(keys) - found

    def _held(self, shapes: Iterable[int]) -> dict[int, int]:
        counted = "SELECT urls FROM template WHERE run = ? AND shape = ?"
        return {shape: (self._db.execute(counted, (self._run, shape)).fetchone() or (0,))[0] for shape in set(shapes)}

    def lease(self, host: str, count: int, *, without: Collection[str] = ()) -> list[Leased]:
        """Takes up to `count` addresses of `host`, entry pages and shallow pages first, none of the sites `without`."""
        barred = [self._sites[site] for site in without if site in self._sites]
        marks = f" AND site NOT IN ({','.join('?' * len(barred))})" if barred else ""
        try:
            rows = self._db.execute(
                # S608: only question marks are joined into the statement
                "UPDATE url SET state = 1 WHERE id IN (SELECT id FROM url WHERE run = ? AND host = ? AND state = 0"  # noqa: S608
                f"{marks} ORDER BY depth, id LIMIT ?) RETURNING id, url, key, site, depth",
                (self._run, self._hosts.get(host, -1), *barred, count),
            ).fetchall()
        except sqlite3.OperationalError as error:
            raise _unwritable(error) from error
        rows.sort(key=lambda row: (row[4], row[0]))
        self.queued -= len(rows)
        return [Leased(row, url, key, self._site_names[site], depth) for row, url, key, site, depth in rows]

    def done(self, rows: Iterable[tuple[int, bool]]) -> None:
        """(row, with content) in one transaction."""
        self._batch([("UPDATE url SET state = 2, fetched = ? WHERE id = ?", [(int(ok), row) for row, ok in rows])])

    def give_back(self, rows: Iterable[int]) -> None:
        """Leased addresses that were not worked on wait again."""
        returned = [(row,) for row in rows]
        self._batch([("UPDATE url SET state = 0 WHERE id = ? AND state = 1", returned)])
        self.queued += len(returned)

    def waiting(self) -> dict[str, int]:
        """Host → addresses waiting."""
        return dict(
            self._db.execute(
                "SELECT host.name, count(*) FROM url JOIN host ON host.id = url.host"
                " WHERE run = ? AND state = 0 GROUP BY url.host",
                (self._run,),
            )
        )

    def waiting_by_site(self) -> dict[str, int]:
        """Site id → addresses waiting."""
        return {
            self._site_names[site]: count
            for site, count in self._db.execute(
                "SELECT site, count(*) FROM url WHERE run = ? AND state = 0 GROUP BY site", (self._run,)
            )
        }

    def fetched(self) -> dict[str, int]:
        """Site id → pages of this run done with content."""
        return {
            self._site_names[site]: count
            for site, count in self._db.execute(
                "SELECT site, count(*) FROM url WHERE run = ? AND state = 2 AND fetched = 1 GROUP BY site", (self._run,)
            )
        }

    def done_keys(self, keys: Sequence[bytes]) -> int:
        """How many of these addresses are done with content."""
        return sum(
            self._db.execute(
                "SELECT count(*) FROM url WHERE run = ? AND key = ? AND state = 2 AND fetched = 1", (self._run, key)
            ).fetchone()[0]
            for key in keys
        )

    def forget(self) -> None:
        """Drops all addresses of this run: a finished run need not be kept."""
        self._db.execute("DELETE FROM url WHERE run = ?", (self._run,))
        self._db.execute("DELETE FROM template WHERE run = ?", (self._run,))
        self.queued = 0

    def _number(self, table: str, name: str) -> int:
        self._db.execute(f"INSERT OR IGNORE INTO {table} (name) VALUES (?)", (name,))  # noqa: S608  table is ours
        row = self._db.execute(f"SELECT id FROM {table} WHERE name = ?", (name,)).fetchone()  # noqa: S608
        return int(row[0])

    def _batch(self, statements: Sequence[tuple[str, Sequence[tuple[object, ...]]]]) -> None:
        if not any(rows for _, rows in statements):
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in statements:
                    self._db.executemany(statement, rows)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise _unwritable(error) from error


def _unwritable(error: sqlite3.Error) -> EnvironmentFault:
    return EnvironmentFault("巡查队列写入失败：{why}", why=error, hint="请检查磁盘空间与写权限")


def _shape(site: str, template: str) -> int:
    digest = blake2b(f"{site}\n{template}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
