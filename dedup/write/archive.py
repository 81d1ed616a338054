"""Archives (ZIP, tar): their entries in the order they came, with the records that go on.

Enters: records, each with the entry that it stands in. Leaves: an archive of the same entries, less those of which no
record is left. What is known of an entry (name, time, mode, compression) goes on; zipfile and tarfile write it.
"""

from __future__ import annotations

import copy
import io
import shutil
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from mmap import mmap
from typing import IO, Any, BinaryIO, Protocol, cast

from ..errors import OutputError
from ..read import Input, Record
from ..read.formats import ZIP

# So much of it is held in memory.
_spool = partial(tempfile.SpooledTemporaryFile, 1 << 24, prefix="dedup-")


class Inner(Protocol):
    """Writes the records of one entry."""

    def write(self, record: Record, raw: bytes | mmap) -> dict[str, int]:
        """Writes one record; tells its place in the entry."""


#: Gives what writes records into a stream, for an entry as an input and what its file begins with.
Opened = Callable[[BinaryIO, Input, Record | None], AbstractContextManager[Inner]]


class Entries:
    """Writes records. ``opened`` gives what writes those of one entry."""

    def __init__(self, stream: BinaryIO, format: str, opened: Opened) -> None:
        self._target = _Zip(stream) if format == ZIP else _Tar(stream)
        self._opened = opened
        self._count = 0  # of entries that were written
        self._entry: Any = None
        self._frame: Record | None = None
        self._inner: Inner | None = None
        self._closing = ExitStack()

    def frame(self, record: Record) -> None:
        """Writes a directory or a link; keeps the header of a file until there is a record for it."""
        entry = record.place.entry
        self._begin(entry)
        if len(record.raw):
            self._frame = record._replace(place=record.place.place)
        else:
            self._add(entry, None)

    def write(self, record: Record, raw: bytes | mmap) -> dict[str, int]:
        """Puts one record into its entry, as ``raw`` says; tells the entry's number, and the place in there."""
        entry, found, place = record.place
        if record.reason is not None and not len(raw) and self._target.size(entry):
            raise OutputError(
                f"{found.path}: {record.reason}; it cannot go on, take it out of the archive first"
            )
        self._begin(entry)
        if self._inner is None:
            self._inner = self._collected(entry, found)
        return {"entry": self._count, **self._inner.write(record._replace(place=place), raw)}

    def close(self) -> None:
        """Ends the archive."""
        self._begin(None)
        self._target.close()

    def _begin(self, entry: Any) -> None:
        """Another entry: what was collected of the one before is written."""
        if entry is not self._entry:
            self._closing.close()
            self._entry, self._inner, self._frame = entry, None, None

    def _collected(self, entry: Any, found: Input) -> Inner:
        """Collects the records of an entry aside; when it is closed, the entry is written."""
        spool = self._closing.enter_context(_spool())
        self._closing.callback(self._add, entry, spool)
        return self._closing.enter_context(self._opened(cast(BinaryIO, spool), found, self._frame))

    def _add(self, entry: Any, content: IO[bytes] | None) -> None:
        self._target.add(entry, content)
        self._count += 1


class _Zip:
    def __init__(self, stream: BinaryIO) -> None:
        # Into what is compressed besides, nothing can be filled in later.
        target = stream if isinstance(stream, io.BufferedWriter) else _Forward(stream)
        self._archive = zipfile.ZipFile(cast(BinaryIO, target), "w")

    def size(self, entry: zipfile.ZipInfo) -> int:
        return entry.file_size

    def add(self, entry: zipfile.ZipInfo, content: IO[bytes] | None) -> None:
        told = zipfile.ZipInfo(entry.filename, entry.date_time)
        for name in ("compress_type", "comment", "create_system", "external_attr", "internal_attr"):
            setattr(told, name, getattr(entry, name))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Duplicate name", UserWarning)  # they go on as they came
            with self._archive.open(told, "w", force_zip64=content is not None) as target:
                if content is not None:
                    content.seek(0)
                    shutil.copyfileobj(content, target, 1 << 20)

    def close(self) -> None:
        self._archive.close()


class _Forward:
    """A stream that is written from its beginning to its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write
        self.flush = stream.flush


class _Tar:
    def __init__(self, stream: BinaryIO) -> None:
        self._archive = tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)

    def size(self, entry: tarfile.TarInfo) -> int:
        return entry.size

    def add(self, entry: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        told = copy.copy(entry)
        told.pax_headers = {name: value for name, value in entry.pax_headers.items() if name != "size"}
        if content is None:
            self._archive.addfile(told)
            return
        told.size = content.seek(0, 2)
        content.seek(0)
        self._archive.addfile(told, content)

    def close(self) -> None:
        self._archive.close()
