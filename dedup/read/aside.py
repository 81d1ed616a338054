"""Records that are too large to hold: their bytes go into a temporary file, which is mapped into memory.

Enters: bytes, piece by piece. Leaves: a read-only map, or nothing but the length where the bytes are of no use. The
file has no name and is gone with the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap

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
    import tempfile  # brings much along that is seldom needed

    try:
        with tempfile.TemporaryFile(prefix="dedup-") if keeps else nullcontext() as file:
            length = quotes = 0
            error = None
            while piece := _next(pieces):
                if isinstance(piece, OSError):
                    error = piece
                    break
                length += len(piece)
                quotes += piece.count(b'"')
                if file is not None:
                    file.write(piece)
            raw: bytes | mmap = b""
            if file is not None:
                file.flush()
                raw = mmap(file.fileno(), 0, access=ACCESS_READ)  # holds a descriptor of its own
            return Long(length, raw, error, quotes)
    except OSError as full:
        text = (full.strerror or str(full)).lower()
        place = tempfile.gettempdir()
        raise OutputError(f"{place}: cannot hold a record that is too large for memory: {text}") from full


def _next(pieces: Iterator[bytes]) -> bytes | OSError | None:
    """The next piece, or the reader's error, so that it is not taken for the writer's."""
    try:
        return next(pieces, None)
    except OSError as error:
        return error
