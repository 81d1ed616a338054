"""Records that are too large to hold: their bytes go into a temporary file, which is mapped into memory.

Enters: bytes, piece by piece. Leaves: a read-only map, or nothing but the length where the bytes are of no use. The
file has no name and is gone with the map.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import IO, BinaryIO

from ..errors import OutputError


@dataclass(frozen=True, slots=True)
class Long:
    """A long record: its length in bytes, its bytes (none where they were not wanted), the error that ended them.

    ``quotes`` is how many double quotes it holds, by which a row of a CSV file knows where it ends.
    """

    length: int
    raw: bytes | mmap = b""
    error: OSError | None = None
    quotes: int = 0

    def __len__(self) -> int:
        return self.length


def aside(pieces: Iterator[bytes], keeps: bool) -> Long:
    """The pieces, of which the first is not empty, as one. Raises OutputError where there is no room for them."""
    length = quotes = 0
    error = None
    file = Spool() if keeps else None
    while piece := _next(pieces):
        if isinstance(piece, OSError):
            error = piece
            break
        length += len(piece)
        quotes += piece.count(b'"')
        if file is not None:
            file.write(piece)
    return Long(length, file.mapped(length) if file else b"", error, quotes)


def _next(pieces: Iterator[bytes]) -> bytes | OSError | None:
    """The next piece, or the reader's error, so that it is not taken for the writer's."""
    try:
        return next(pieces, None)
    except OSError as error:
        return error


class Spool:
    """A temporary file without a name, closed when nobody holds it any more.

    Its methods raise OutputError where there is no room for it.
    """

    def __init__(self) -> None:
        with _told_if_full():
            self.file = _temporary()

    def __del__(self) -> None:
        if hasattr(self, "file"):
            self.file.close()

    def write(self, piece: bytes) -> None:
        """Adds to the file."""
        with _told_if_full():
            self.file.write(piece)

    def reader(self) -> BinaryIO:
        """Another handle on the file, at its begin, for the caller to close."""
        with _told_if_full():
            self.file.flush()
            file = os.fdopen(os.dup(self.file.fileno()), "rb")
            file.seek(0)
            return file

    def mapped(self, length: int) -> mmap:
        """The first bytes, of which there is at least one; the map holds a descriptor of its own."""
        with _told_if_full():
            self.file.flush()
            return mmap(self.file.fileno(), length, access=ACCESS_READ)


def _temporary() -> IO[bytes]:
    import tempfile  # brings much along that is seldom needed

    return tempfile.TemporaryFile(prefix="dedup-")


@contextmanager
def _told_if_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        import tempfile

        text = (error.strerror or str(error)).lower()
        raise OutputError(
            f"{tempfile.gettempdir()}: no room for what is too large for memory: {text}"
        ) from error


class Growing:
    """The bytes of a stream from where the present record begins: in memory, or aside once there are too many."""

    def __init__(self, keeps: bool, limit: int) -> None:
        self._keeps = keeps
        self._limit = limit
        self._pieces: list[bytes] = []
        self._spool: Spool | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, piece: bytes) -> None:
        """Takes the bytes that come next. Raises OutputError where there is no room for them."""
        self._length += len(piece)
        if self._spool is not None:
            self._spool.write(piece)
        elif self._keeps:
            self._pieces.append(piece)
            if self._limit and self._length > self._limit:
                self._spool = Spool()
                for piece in self._pieces:
                    self._spool.write(piece)
                self._pieces = []

    def cut(self, length: int) -> bytes | Long:
        """The first ``length`` bytes, which are not here any more after that."""
        self._length -= length
        if not self._keeps:
            return Long(length) if length else b""
        if self._spool is None:
            whole = b"".join(self._pieces)
            self._pieces = [whole[length:]]
            return whole[:length]
        spool, self._spool = self._spool, None
        raw = spool.mapped(length) if length else b""
        with _told_if_full():
            spool.file.seek(length)
            self._pieces = [spool.file.read()]
        return Long(length, raw) if length else b""
