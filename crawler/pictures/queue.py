"""The pictures that wait to be read, in a file of their own: noting them is quick, reading them is for later.

A kill loses nothing: what was under way waits again. A picture is recognised once however many pages show it.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from contracts.errors import EnvironmentFault
from crawler.pictures.decode import Limits
from crawler.pictures.picture import PictureText, read_picture
from crawler.pictures.recognise import Code, Recogniser, Word, recogniser

MAX_PER_PAGE: Final = 40
MAX_TRIES: Final = 3
#: Names of pictures that hold no words of the shop's.
_FURNITURE = re.compile(
    r"(?:^|[/_\-.])(?:icons?|logo|sprites?|avatar|blank|pixel|spacer|loading|placeholder|favicon|arrow|star|btn|button)(?:[/_\-.\d]|$)",
    re.IGNORECASE,
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS wanted (
    id INTEGER PRIMARY KEY,
    page TEXT NOT NULL,
    url TEXT NOT NULL,
    rank INTEGER NOT NULL,               -- lower is read first
    state INTEGER NOT NULL DEFAULT 0,    -- 0 waits, 1 under way, 2 done, 3 given up
    tries INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS wanted_once ON wanted (page, url);
CREATE INDEX IF NOT EXISTS wanted_next ON wanted (rank, id) WHERE state = 0;
CREATE TABLE IF NOT EXISTS reading (digest TEXT PRIMARY KEY, said TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one run of the worker may cost."""

    pictures: int = 2_000  #: recognised anew; pictures known by their digest cost nothing
    seconds: float = 1_800.0  #: wall time after which no further picture is begun


@dataclass(slots=True)
class Worked:
    """What one run of the worker did. `same`: pictures whose bytes had been read before."""

    read: int = 0
    same: int = 0
    failed: int = 0
    left: int = 0


class PictureQueue:
    """Pictures by the page that shows them (any id the caller likes: a snapshot's). Not for two threads."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Raises EnvironmentFault when it cannot be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
            self._db.execute("UPDATE wanted SET state = 0 WHERE state = 1")
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentFault("图片队列“{path}”无法使用:{why}", path=path, why=error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def add(self, page: str, pictures: Sequence[str], *, first: Collection[str] = ()) -> int:
        """Note a page's pictures in document order, at most MAX_PER_PAGE; those in `first` (a licence) are read before others.

        Returns how many are new. Icons and the like are told by their names and left out.
        """
        chosen = [u for u in dict.fromkeys([*first, *pictures]) if u in first or not _FURNITURE.search(u)]
        rows = [(page, url, 0 if url in first else 1 + place) for place, url in enumerate(chosen[:MAX_PER_PAGE])]
        before = self._db.total_changes
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR IGNORE INTO wanted (page, url, rank) VALUES (?, ?, ?)", rows)
        return self._db.total_changes - before

    def waiting(self) -> int:
        """Pictures not yet read."""
        row = self._db.execute("SELECT count(*) FROM wanted WHERE state = 0 AND tries < ?", (MAX_TRIES,)).fetchone()
        return int(row[0])

    def reading(self, digest: str) -> PictureText | None:
        """What a picture said, by the SHA-256 of its bytes; None when it was never read."""
        row = self._db.execute("SELECT said FROM reading WHERE digest = ?", (digest,)).fetchone()
        return _load(row[0]) if row else None

    def work(
        self,
        fetch: Callable[[str], bytes | None],
        on_read: Callable[[str, str, PictureText], None],
        *,
        budget: Budget | None = None,
        limits: Limits | None = None,
        recognise: Recogniser | None = None,
    ) -> Worked:
        """Read what waits, licences first, until nothing does or the budget is used; KeyboardInterrupt ends it cleanly.

        `fetch` gives a picture's bytes (None or OSError: not to be had, tried at most three times in all). `on_read`
        gets page, address and text; after a kill it may get the same again. Raises EnvironmentFault when the
        recogniser is not installed.
        """
        budget, limits, done = budget or Budget(), limits or Limits(), Worked()
        recognise = recognise or recogniser()
        until = time.monotonic() + budget.seconds
        fetched: dict[str, str] = {}  # address → digest, within this run
        while done.read < budget.pictures and time.monotonic() < until and (task := self._next()):
            row, page, url = task
            try:
                said = self._read(url, fetch, fetched, limits, recognise, done)
                on_read(page, url, said)
            except OSError as error:
                done.failed += 1
                self._settle(row, 0, str(error)[:200])
            except KeyboardInterrupt:
                self._db.execute("UPDATE wanted SET state = 0, tries = tries - 1 WHERE id = ?", (row,))
                break
            except Exception as error:  # noqa: BLE001 — one hostile picture must not end the reading of thousands
                done.failed += 1
                self._settle(row, 3, f"{type(error).__name__}: {error}"[:200])
            else:
                self._settle(row, 2, "; ".join(said.notes)[:200])
        done.left = self.waiting()
        return done

    def _next(self) -> tuple[int, str, str] | None:
        row = self._db.execute(
            "UPDATE wanted SET state = 1, tries = tries + 1 WHERE id = "
            "(SELECT id FROM wanted WHERE state = 0 AND tries < ? ORDER BY rank, tries, id LIMIT 1) RETURNING id, page, url",
            (MAX_TRIES,),
        ).fetchone()
        return (int(row[0]), str(row[1]), str(row[2])) if row else None

    def _settle(self, row: int, state: int, why: str) -> None:
        self._db.execute(
            "UPDATE wanted SET state = CASE WHEN ? = 0 AND tries >= ? THEN 3 ELSE ? END, why = ? WHERE id = ?",
            (state, MAX_TRIES, state, why, row),
        )

    def _read(
        self,
        url: str,
        fetch: Callable[[str], bytes | None],
        fetched: dict[str, str],
        limits: Limits,
        recognise: Recogniser,
        done: Worked,
    ) -> PictureText:
        if url in fetched and (known := self.reading(fetched[url])):
            done.same += 1
            return known
        data = fetch(url)
        if data is None:
            raise FileNotFoundError("图片未取到")
        digest = fetched[url] = sha256(data).hexdigest()
        if known := self.reading(digest):
            done.same += 1
            return known
        said = read_picture(data, limits=limits, recognise=recognise)
        done.read += 1
        row = (digest, json.dumps(asdict(said), ensure_ascii=False))
        self._db.execute("INSERT OR REPLACE INTO reading (digest, said) VALUES (?, ?)", row)
        return said


def _load(text: str) -> PictureText:
    values = json.loads(text)
    return PictureText(
        **{
            **values,
            "words": tuple(Word(**w) for w in values["words"]),
            "codes": tuple(Code(**c) for c in values["codes"]),
            "notes": tuple(values["notes"]),
        }
    )
