"""Which segments an index consists of: a small SQLite database, changed in one transaction or not at all.

SQLite's rollback journal gives what is needed: one writer, who holds the write lock from beginning to end; readers
who see what was there before until the moment it is done; and nobody needs to repair anything after a crash. (SQLite
documentation, "File Locking And Concurrency In SQLite Version 3".) A checksum over all rows tells what SQLite does not.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DamagedIndexError, DedupIndexError
from ..kernel.types import Array
from .shape import FORMAT, Shape

NAME = "catalogue.sqlite"
FOLDER = "segments"

_APPLICATION = 0x64647870  # "ddxp"
_READING = 30.0  # seconds that a reader waits for the moment in which a writer commits

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    documents INTEGER NOT NULL,
    size INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    run TEXT,
    removed BLOB NOT NULL
);
"""


class Row(NamedTuple):
    """A segment: its number, documents, the size and checksum of its file; the run that it waits for, None where it is
    live; and the numbers of the documents in it that were removed (uint32, ascending)."""

    number: int
    documents: int
    size: int
    checksum: int
    run: str | None
    removed: Array

    def file(self, folder: Path) -> Path:
        """Its file, in the folder of an index."""
        return folder / FOLDER / f"{self.number:08}.segment"


class Catalogue:
    """What the catalogue says, inside a transaction of ``connection``."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, shape: Shape) -> None:
        self.folder, self.shape = folder, shape
        self.named: set[int] = set()  # segments whose files were named for this transaction
        self._connection = connection

    @classmethod
    def read(cls, folder: Path, connection: sqlite3.Connection) -> Catalogue:
        """The catalogue that stands there. Raises DamagedIndexError, and DedupIndexError for one of another version."""
        found, where = cls(folder, connection, Shape()), folder / NAME
        application = found._one("PRAGMA application_id")
        facts = dict(found._rows("SELECT name, value FROM facts")) if application == _APPLICATION else {}
        if "format" not in facts:
            raise DamagedIndexError(f"{where}: is no catalogue of an index")
        if facts["format"] != FORMAT:
            raise DedupIndexError(
                f"{where}: is of version {facts['format']!r}; this program reads {FORMAT!r}"
            )
        if facts.get("checksum") != found._checksum():
            raise DamagedIndexError(f"{where}: is damaged: its checksum is another one")
        found.shape = Shape.read(json.loads(facts["shape"]), str(where))
        return found

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: str) -> Any:
        return self._rows(query)[0][0]

    def _checksum(self) -> str:
        whole = blake2b(digest_size=16)
        for row in self._rows("SELECT * FROM segments ORDER BY number"):
            whole.update(repr(row).encode())
        for row in self._rows("SELECT * FROM facts WHERE name != 'checksum' ORDER BY name"):
            whole.update(repr(row).encode())
        return whole.hexdigest()

    def segments(self) -> list[Row]:
        """All segments, the oldest first."""
        rows = self._rows(
            "SELECT number, documents, size, checksum, run, removed FROM segments ORDER BY number"
        )
        return [
            Row(number, documents, size, checksum, run, np.frombuffer(removed, "<u4"))
            for number, documents, size, checksum, run, removed in rows
        ]

    def contradictions(self) -> list[str]:
        """What SQLite finds wrong with the file, and that it is cut short where SQLite does not mind, a line each."""
        found = [str(line) for (line,) in self._rows("PRAGMA integrity_check") if line != "ok"]
        size, wanted = (
            (self.folder / NAME).stat().st_size,
            self._one("PRAGMA page_count") * self._one("PRAGMA page_size"),
        )
        return found if size == wanted else [*found, f"has {size:,} bytes; its header says {wanted:,}"]

    # ---- changes, by who holds the write lock

    def next(self, after: int = 0) -> Path:
        """The file of the segment that is added next, or so many after that."""
        last = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'segments'")
        number = (last[0][0] if last else 0) + 1 + after
        self.named.add(number)
        return Row(number, 0, 0, 0, None, _NOTHING).file(self.folder)

    def add(self, documents: int, size: int, checksum: int, run: str | None) -> None:
        """Adds the segment whose file :meth:`next` named."""
        self._rows(
            "INSERT INTO segments (documents, size, checksum, run, removed) VALUES (?, ?, ?, ?, x'')",
            documents, size, checksum, run,
        )  # fmt: skip

    def drop(self, number: int) -> None:
        """Forgets a segment."""
        self._rows("DELETE FROM segments WHERE number = ?", number)

    def remove(self, number: int, removed: Array) -> None:
        """Says which documents of a segment are removed."""
        data = np.unique(removed).astype("<u4").tobytes()
        self._rows("UPDATE segments SET removed = ? WHERE number = ?", data, number)

    def publish(self, run: str) -> None:
        """Makes the segments of a run live."""
        self._rows("UPDATE segments SET run = NULL WHERE run = ?", run)

    def seal(self) -> None:
        """Writes the checksum, before the transaction is committed."""
        self._rows("INSERT OR REPLACE INTO facts VALUES ('checksum', ?)", self._checksum())


_NOTHING = np.zeros(0, "<u4")


def check_vacant(folder: Path) -> None:
    """Raises DedupIndexError where there is an index already, or something else."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise DedupIndexError(f"{folder}: is there already, and is not an empty folder; name another one")


def not_made(folder: Path, error: OSError | sqlite3.Error) -> DedupIndexError:
    """The error that says why an index cannot be made there."""
    return DedupIndexError(
        f"{folder}: cannot be made: {(getattr(error, 'strerror', None) or str(error)).lower()}"
    )


def create(folder: Path, shape: Shape) -> None:
    """Makes an empty index. Raises DedupIndexError where there is one, or something else."""
    check_vacant(folder)
    try:
        (folder / FOLDER).mkdir(parents=True)
    except OSError as error:
        raise not_made(folder, error) from error
    with _told(folder), closing(sqlite3.connect(folder / NAME, isolation_level=None)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {_APPLICATION}; PRAGMA synchronous = EXTRA; BEGIN; {_TABLES}"
        )
        facts = {"format": FORMAT, "shape": json.dumps(shape._asdict(), sort_keys=True)}
        connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
        Catalogue(folder, connection, shape).seal()
        connection.execute("COMMIT")


def _connected(folder: Path, wait: float) -> sqlite3.Connection:
    if not (folder / NAME).is_file():
        if (folder / FOLDER).is_dir():
            raise DamagedIndexError(f"{folder / NAME}: is not there; dedup index rebuild saves what is left")
        raise DedupIndexError(f"{folder}: is no index; `dedup index build` makes one")
    name = (folder / NAME).absolute().as_uri()
    with suppress(sqlite3.OperationalError):  # nobody may write here: reading must do
        connection = sqlite3.connect(f"{name}?mode=rw", uri=True, timeout=wait, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = EXTRA")
        except BaseException:
            connection.close()
            raise
        return connection
    return sqlite3.connect(f"{name}?mode=ro", uri=True, timeout=wait, isolation_level=None)


@contextmanager
def reading(folder: Path) -> Iterator[Catalogue]:
    """The catalogue as it is; segments that it names stay where they are until the end of the ``with``."""
    with _told(folder), closing(_connected(folder, _READING)) as connection:
        connection.execute("BEGIN")
        yield Catalogue.read(folder, connection)


@contextmanager
def writing(folder: Path, wait: float) -> Iterator[Catalogue]:
    """The catalogue for one who changes it; what was changed is there, all of it, after the ``with``, unless that
    ended with an exception. Raises DedupIndexError if another one still writes after ``wait`` seconds."""
    with _told(folder, ", or wait for it with --wait"), closing(_connected(folder, wait)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        catalogue = Catalogue.read(folder, connection)
        # No segment has this number. SQLite tells only at a change that it may not write, and has locked nothing then.
        catalogue.drop(0)
        before = {row.number for row in catalogue.segments()}
        _delete(folder, _files(folder) - before)  # of a run that was killed
        try:
            yield catalogue
            after = {row.number for row in catalogue.segments()}
            catalogue.seal()
            connection.execute(f"PRAGMA busy_timeout = {int(_READING * 1000)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # while nobody else can write: the next one takes the same numbers
                _delete(folder, catalogue.named)
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        _delete(folder, (before | catalogue.named) - after)  # numbers that nobody takes again


def _files(folder: Path) -> set[int]:
    """The segments whose files are there."""
    with suppress(OSError):
        names = os.listdir(folder / FOLDER)
        return {int(name[:-8]) for name in names if name.endswith(".segment") and name[:-8].isdecimal()}
    return set()


def _delete(folder: Path, segments: set[int]) -> None:
    for number in segments:
        with suppress(OSError):  # where somebody still reads it: the next writer will
            Row(number, 0, 0, 0, None, _NOTHING).file(folder).unlink()


@contextmanager
def _told(folder: Path, hint: str = "") -> Iterator[None]:
    """What SQLite and the system complain of, as errors of an index; with what else can be done where it is busy."""
    try:
        yield
    except OSError as error:
        raise DedupIndexError(f"{folder}: {(error.strerror or str(error)).lower()}") from error
    except sqlite3.OperationalError as error:
        # The upper bits say more of it.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DedupIndexError(
                f"{folder}: another process is writing; try again when it is done{hint}"
            ) from error
        if code != sqlite3.SQLITE_ERROR:  # which a table or column is that is not there
            raise DedupIndexError(f"{folder}: {error}") from error
        raise _damaged(folder, error) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> DamagedIndexError:
    return DamagedIndexError(f"{folder / NAME}: is damaged: {' '.join(str(error).split())}")
