"""Files of named arrays, written once and read through memory maps, with a checksum on every page.

A file is its magic, the arrays one after the other, the checksums of all pages before them, and a footer that says what
lies where. What is read is checked, page by page, the first time that it is looked at: a flipped byte is an error and
never an answer. ``docs/format.md`` gives the layout.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import orjson

from ..errors import DamagedIndexError, DedupIndexError
from ..kernel.types import Array

MAGIC = b"dedup-index/1\n\0\0"
PAGE = 1 << 16  # bytes under one checksum
_ALIGNED = 64  # where arrays begin
# Where checksums and footer begin, the footer's bytes and its CRC-32, the magic.
_TRAILER = struct.Struct("<QQQI4x16s")


class PagesWriter:
    """Writes one file. To be finished, or abandoned; with ``with`` an exception abandons it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb")
        self._size = 0
        self._sums: list[int] = []
        self._sum = 0
        self._arrays: dict[str, list[Any]] = {}
        self._put(MAGIC)

    def __enter__(self) -> PagesWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._file.close()
        if kind is not None:
            with suppress(OSError):
                self.path.unlink()

    def begin(self, name: str, dtype: str) -> None:
        """What is appended from now on is the array ``name``."""
        self._put(bytes(-self._size % _ALIGNED))
        self._arrays[name] = [self._size, 0, np.dtype(dtype).str]

    def append(self, values: Array | bytes) -> None:
        """More items of the array that was begun last."""
        last = list(self._arrays.values())[-1]
        dtype = np.dtype(last[2])
        data = (
            np.frombuffer(values, dtype) if isinstance(values, bytes) else np.ascontiguousarray(values, dtype)
        )
        last[1] += data.size
        self._put(data.reshape(-1).view("u1").data)

    def array(self, name: str, values: Array | bytes, dtype: str) -> None:
        """A whole array."""
        self.begin(name, dtype)
        self.append(values)

    def _put(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while len(view):
            part = view[: PAGE - self._size % PAGE]
            self._sum = zlib.crc32(part, self._sum)
            self._file.write(part)
            self._size += len(part)
            view = view[len(part) :]
            if self._size % PAGE == 0:
                self._sums.append(self._sum)
                self._sum = 0

    def finish(self, facts: dict[str, Any]) -> tuple[int, int]:
        """Ends the file, with ``facts`` in its footer; its size and the footer's checksum. To be synced."""
        if self._size % PAGE:
            self._sums.append(self._sum)
        sums = np.array(self._sums, "<u4").tobytes()
        footer = orjson.dumps({"facts": facts, "arrays": self._arrays, "page": PAGE})
        check = zlib.crc32(footer, zlib.crc32(sums))
        trailer = _TRAILER.pack(self._size, self._size + len(sums), len(footer), check, MAGIC)
        self._file.write(sums + footer + trailer)
        self._file.flush()
        return self._size + len(sums) + len(footer) + len(trailer), check


def synced(path: Path) -> None:
    """Makes sure that a file's content is on disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


class Pages:
    """One file, mapped. ``size`` and ``check``, where given, are what the catalogue says of it."""

    def __init__(self, path: Path, size: int | None = None, check: int | None = None) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or "it is empty"
            raise DamagedIndexError(f"{path}: cannot be read: {what.lower()}") from error
        self._bytes = np.frombuffer(self._map, "u1")
        if size is not None and size != len(self._bytes):
            raise DamagedIndexError(f"{path}: has {len(self._bytes):,} bytes; the catalogue says {size:,}")
        footer = self._footer(check)
        self.facts: dict[str, Any] = footer["facts"]
        self._arrays: dict[str, tuple[int, int, str]] = footer["arrays"]
        self._good = np.zeros(len(self._sums), bool)
        self._all_good = False

    def _footer(self, check: int | None) -> dict[str, Any]:
        size = len(self._bytes)
        trailer = self._map[-_TRAILER.size :] if size >= _TRAILER.size + len(MAGIC) else b""
        if not trailer or not trailer.endswith(MAGIC):
            self._refuse_version()
            raise DamagedIndexError(f"{self.path}: is damaged: its end is not that of a segment")
        sums_at, footer_at, length, found, magic = _TRAILER.unpack(trailer)
        # What lies between is to be zero, too.
        is_exact = trailer == _TRAILER.pack(sums_at, footer_at, length, found, magic)
        if not is_exact or not sums_at <= footer_at <= footer_at + length == size - _TRAILER.size:
            raise DamagedIndexError(f"{self.path}: is damaged: its last bytes do not say what lies where")
        sums, footer = self._map[sums_at:footer_at], self._map[footer_at : footer_at + length]
        if zlib.crc32(footer, zlib.crc32(sums)) != found or found != (found if check is None else check):
            raise DamagedIndexError(f"{self.path}: is damaged: the checksum of its footer is another one")
        self._end, self._sums = sums_at, np.frombuffer(sums, "<u4")
        whole: dict[str, Any] = orjson.loads(footer)
        return whole

    def _refuse_version(self) -> None:
        ours = MAGIC.split(b"\n")[0]
        version = self._map[: len(MAGIC)].split(b"\n")[0]
        if version.startswith(ours.split(b"/")[0]) and version != ours and version.isascii():
            raise DedupIndexError(
                f"{self.path}: is of version {version.decode()!r}; this program reads {ours.decode()!r}"
            )

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def length(self, name: str) -> int:
        """Items of an array."""
        return self._arrays[name][1]

    def view(self, name: str) -> Array:
        """An array as it lies there, unchecked: :meth:`check` what is looked at."""
        at, count, dtype = self._arrays[name]
        size = count * np.dtype(dtype).itemsize
        return self._bytes[at : at + size].view(dtype)

    def whole(self, name: str) -> Array:
        """An array, checked from end to end."""
        return self.slice(name, 0, self.length(name))

    def slice(self, name: str, start: int, end: int) -> Array:
        """Items ``start`` to ``end`` of an array, checked."""
        self.check(name, np.array([start]), np.array([end]))
        return self.view(name)[start:end]

    def at(self, name: str, places: Array) -> Array:
        """The items at ``places``, checked."""
        if not self._all_good:
            at, _, dtype = self._arrays[name]
            self._look((at + places * np.dtype(dtype).itemsize) // PAGE)  # no item lies in two pages
        return self.view(name)[places]

    def check(self, name: str, starts: Array, ends: Array) -> None:
        """Checks the pages in which items ``starts[i]`` to ``ends[i]`` lie. Raises DamagedIndexError."""
        if self._all_good:
            return
        at, _, dtype = self._arrays[name]
        size = np.dtype(dtype).itemsize
        some = ends > starts
        first = (at + starts[some].astype("i8") * size) // PAGE
        last = (at + ends[some].astype("i8") * size - 1) // PAGE
        long = np.flatnonzero(last - first > 1).tolist()
        self._look(np.concatenate([first, last, *(np.arange(first[i], last[i]) for i in long)]))

    def _look(self, pages: Array) -> None:
        touched = np.zeros(len(self._good), bool)
        touched[pages] = True
        for page in np.flatnonzero(touched & ~self._good).tolist():
            if not self._is_good(page):
                start, end = page * PAGE, min((page + 1) * PAGE, self._end)
                raise DamagedIndexError(
                    f"{self.path}: is damaged: bytes {start:,} to {end:,} are not those that were written; "
                    "see dedup index verify and dedup index rebuild"
                )
            self._good[page] = True
        self._all_good = bool(self._good.all())

    def _is_good(self, page: int) -> bool:
        part = self._bytes[page * PAGE : min((page + 1) * PAGE, self._end)]
        return zlib.crc32(part.data) == int(self._sums[page])

    def damaged(self) -> Iterator[tuple[int, int]]:
        """Goes through all pages: the bytes of those that are damaged, from where to where."""
        for page in range(len(self._sums)):
            if not self._is_good(page):
                yield page * PAGE, min((page + 1) * PAGE, self._end)
            if page % 1024 == 1023:
                self.let_go()
        self.let_go()

    def let_go(self) -> None:
        """Lets the system have the memory of what was looked at."""
        if hasattr(mmap, "MADV_DONTNEED") and hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)
