"""Records as they came, one after the other: text, JSON lines, CSV, WARC.

Enters: the bytes of records. Leaves: a file of them, and for each the place where it stands in its unpacked content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from mmap import mmap
from typing import BinaryIO, NamedTuple

from ..read import Record
from ..read.aside import aside
from ..read.record import parts
from .packing import Members

_CHUNK = 1 << 20
_LARGE = 1 << 27  # bytes of a record that are not held in memory


class Place(NamedTuple):
    """Where a record stands: ``length`` bytes from ``offset`` on."""

    offset: int
    length: int


def _nothing(raw: bytes | mmap) -> bytes:
    return b""


class Pieces:
    """Writes records end to end. ``lines``: each begins on a line of its own, whatever stood before it.

    ``missing_end`` gives what has to follow a record and does not; it stands behind the record's place. The stream is
    for the caller to close.
    """

    def __init__(
        self,
        stream: BinaryIO | Members,
        lines: bool,
        missing_end: Callable[[bytes | mmap], bytes] = _nothing,
    ) -> None:
        self._stream = stream
        self._lines = lines
        self._missing_end = missing_end
        self._offset = 0
        self._is_open_line = False

    def write(self, record: Record, raw: bytes | mmap) -> dict[str, int]:
        """Puts one record at the end, as ``raw`` says, and tells its place."""
        offset, length = self.add(raw)
        return {"offset": offset, "length": length}

    def frame(self, record: Record) -> None:
        """Writes a header."""
        self.add(record.raw)

    def close(self) -> None:
        """There is nothing left to write."""

    def add(self, raw: bytes | mmap) -> Place:
        """Puts bytes at the end."""
        length = len(raw)
        if self._lines and length:
            if self._is_open_line:
                self._put([b"\n"])
                self._offset += 1
            self._is_open_line = raw[-1:] != b"\n"
        end = self._missing_end(raw)
        if isinstance(raw, bytes) and not isinstance(self._stream, Members):
            self._stream.write(raw + end if end else raw)
        else:
            self._put(chain(parts(raw), [end]))
        place = Place(self._offset, length)
        self._offset += length + len(end)
        return place

    def _put(self, pieces: Iterable[bytes]) -> None:
        if isinstance(self._stream, Members):
            self._stream.add(pieces)
        else:
            for piece in pieces:
                self._stream.write(piece)


class Slices:
    """Reads records back, fastest in the order in which they were written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._offset = 0

    def read(self, place: Place) -> bytes | mmap:
        """The bytes at a place; fewer where the content ends before. Very many lie in a file that is mapped."""
        self._go(place.offset)
        if place.length > _LARGE:
            pieces = self._parts(place.length)
            first = next(pieces, b"")
            return aside(chain([first], pieces), True).raw if first else b""
        data = self._stream.read(place.length)
        self._offset += len(data)
        return data

    def _parts(self, length: int) -> Iterator[bytes]:
        while length and (part := self._stream.read(min(_CHUNK, length))):
            self._offset += len(part)
            length -= len(part)
            yield part

    def _go(self, offset: int) -> None:
        if offset < self._offset or (offset != self._offset and self._stream.seekable()):
            self._stream.seek(offset)
            self._offset = offset
        while self._offset < offset:
            passed = self._stream.read(min(_CHUNK, offset - self._offset))
            if not passed:
                break
            self._offset += len(passed)
