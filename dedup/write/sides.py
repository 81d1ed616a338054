"""The two sides of a filter: what stays, and what is set aside.

Enters: records of one input after the other. Leaves: each in its side's file, and the place where it stands there.
"""

from __future__ import annotations

import gzip
import io
import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from mmap import mmap
from typing import Any, BinaryIO, NamedTuple, Protocol

from ..errors import OutputError
from ..read import Input, Options, Record
from ..read.compression import GZIP
from ..read.csv import Row
from ..read.formats import ARROW, CSV, JSONL, OTHER, PARQUET, TAR, TSV, WARC, WARC_GZ, ZIP, by_name
from .archive import Entries
from .ends import OPEN, is_open
from .outputs import Outputs
from .packing import Members, packed, packing_of
from .pieces import Pieces
from .rehearsal import Rehearsal, nowhere
from .table import Table
from .warc import missing_end

STDOUT = "-"
LINES = (JSONL, CSV, TSV)
TABLES = (PARQUET, ARROW)
ARCHIVES = (ZIP, TAR)

#: How a message tells formats that inputs of one suffix may have.
_TOLD = {WARC: "records that are not gzipped one by one", WARC_GZ: "records that are gzipped one by one"}

Place = dict[str, Any]


class Arrival(NamedTuple):
    """The input that records come from: its name in a folder, and what a reader says of it."""

    name: str
    format: str
    packing: str


class Form(NamedTuple):
    """How records are written. ``field`` is that of the text, ``notes`` says whether tables get columns for notes."""

    field: str
    notes: str = ""


class Sink(Protocol):
    """Writes records of one format."""

    def frame(self, record: Record) -> None:
        """Writes what stands among the records and is none."""

    def write(self, record: Record, raw: bytes | mmap) -> dict[str, int]:
        """Writes a record, as ``raw`` says; tells its place."""

    def close(self) -> None:
        """Ends the file; its stream is for the caller to close."""


def sink(stream: BinaryIO | Members, format: str, form: Form, frame: Record | None) -> Sink:
    """What writes a format; to be closed. ``frame`` is what the file begins with, of a table the schema."""
    if format in ARCHIVES:
        return Entries(_whole(stream), format, partial(_entry, form=form))
    if format in TABLES:
        target: Sink = Table(_whole(stream), format, form.field, form.notes)
    elif format == WARC:
        target = Pieces(stream, False, missing_end)
    else:
        target = Pieces(stream, format in LINES)
    if frame is not None:
        target.frame(frame)
    return target


def _whole(stream: BinaryIO | Members) -> BinaryIO:
    assert not isinstance(stream, Members), "only web archives are packed record by record"
    return stream


@contextmanager
def _entry(stream: BinaryIO, found: Input, frame: Record | None, form: Form) -> Iterator[Sink]:
    """What writes an entry of an archive."""
    with (
        packed(stream, found.packing, members=found.format == WARC) as content,
        closing(sink(content, found.format, form, frame)) as target,
    ):
        yield target


@dataclass
class _Begun:
    """A file that something stands in: what writes it, the format that it was begun for, its header or schema."""

    sink: Sink
    format: str
    frame: Record | None


class Side:
    """One of the two: a file (``-``: ``stdout``), a folder with a file for each input, or None: nowhere."""

    def __init__(
        self,
        outputs: Outputs | Rehearsal,
        target: str | None,
        is_folder: bool,
        stdout: BinaryIO | None,
        form: Form,
    ) -> None:
        self._is_rehearsal = isinstance(outputs, Rehearsal)
        self._folder = outputs.folder(target) if target is not None and is_folder else None
        self._target = target
        self._form = form
        self._stream: BinaryIO | None = None
        if target == STDOUT:
            self._stream = stdout
        elif target is not None and not is_folder:
            self._stream = outputs.file(target)
        self._open = ExitStack()
        self._arrival: Arrival | None = None
        self._frame: Record | None = None  # of the input that records come from
        self._first: Record | None = None  # the first frame of any
        self._begun: _Begun | None = None
        self._last: tuple[Arrival, bytes | mmap] | None = None  # of a format whose records may be left open

    def begin(self, arrival: Arrival) -> None:
        """What is written from now on comes from this input."""
        self._arrival, self._frame = arrival, None

    def frame(self, record: Record) -> None:
        """What the file needs before the first of the records that follow. Raises OutputError where it has another."""
        assert self._arrival is not None
        if self._arrival.format in ARCHIVES:
            if self._is_there:
                (self._begun or self._begin_file()).sink.frame(record)
            return
        self._frame = record
        self._first = self._first or record
        begun = self._begun
        if begun is None:
            return
        if begun.frame is None:  # what stood before the header was blank
            begun.frame = record
            begun.sink.frame(record._replace(raw=bytes(record.raw).removeprefix(BOM_UTF8)))
        elif _header(record) != _header(begun.frame):
            raise OutputError(
                f"{self._arrival.name}: has another header than the files before it, and all go into one file; "
                f"name a folder: -o new/"
            )

    def write(self, record: Record, raw: bytes | mmap) -> Place:
        """Puts one record down; empty where the side is nowhere."""
        if not self._is_there:
            return {}
        self._check_format()
        self._check_end(raw)
        try:
            place = (self._begun or self._begin_file()).sink.write(record, raw)
        except OSError as error:
            raise self._failed(error) from error
        if self._folder is None or self._arrival is None:
            return place
        return {"file": self._arrival.name, **place}

    def _check_format(self) -> None:
        """Raises OutputError where the file was begun for records that are packed in another way."""
        if self._folder is not None or self._begun is None or self._arrival is None:
            return
        name, format, _ = self._arrival
        before = self._begun.format
        if format != before:
            raise OutputError(
                f"{name}: has {_TOLD.get(format, format)}, the files before it have "
                f"{_TOLD.get(before, before)}, and all go into one file; name a folder: -o new/"
            )

    def _check_end(self, raw: bytes | mmap) -> None:
        """Raises OutputError where a record would be taken for a part of the one before it, of another input."""
        if self._folder is not None or self._arrival is None or self._arrival.format not in OPEN:
            return
        if self._last is not None and self._last[0] is not self._arrival:
            before, last = self._last
            place = self._begun.frame.place if self._begun and self._begun.frame else None
            if is_open(before.format, last, getattr(place, "separator", "")):
                raise OutputError(
                    f"{before.name}: is cut off amid its last record, which {self._arrival.name} would be read as a "
                    f"part of, and all go into one file; name a folder: -o new/"
                )
        self._last = self._arrival, raw

    @property
    def is_begun(self) -> bool:
        """Whether something stands in the file that the next record goes to."""
        return self._begun is not None

    @property
    def _is_there(self) -> bool:
        return self._stream is not None or self._folder is not None

    def end(self) -> None:
        """There is no more from this input."""
        if self._folder is not None:
            self.close()

    def close(self) -> None:
        """There is no more at all."""
        try:
            if self._begun is None and self._stream is not None and self._arrival is not None:
                self._end_of_nothing(self._stream, self._arrival)
            self._begun = None
            self._open.close()
        except OSError as error:
            raise self._failed(error) from error

    def _end_of_nothing(self, stream: BinaryIO, arrival: Arrival) -> None:
        """Without a record, too, a table, an archive and what is compressed are some bytes."""
        if arrival.format == OTHER:  # of an archive that is not taken apart there is still the name
            arrival = arrival._replace(format=by_name(str(self._target), Options(), is_given=False).format)
        self._arrival, self._frame = arrival, self._first
        self._begin_file()
        if arrival.format in (WARC, WARC_GZ) and packing_of(str(self._target)) == GZIP:
            stream.write(gzip.compress(b"", mtime=0))  # there is no member of a record

    def abandon(self) -> None:
        """What was written does not count any more."""
        self._begun = None
        with suppress(Exception):  # another error has ended the run
            self._open.close()

    def flush(self) -> None:
        """Hands on what was written, where somebody reads while it is written."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OSError | OutputError:
        """What to raise; that nobody reads any more is no error to tell of."""
        if isinstance(error, BrokenPipeError):
            return error
        name = "standard output" if self._target == STDOUT else self._target
        return OutputError.of(str(name), error)

    def _begin_file(self) -> _Begun:
        assert self._arrival is not None
        name, format, packing = self._arrival
        if self._folder is None:
            assert self._stream is not None
            assert self._target is not None
            stream, packing = self._stream, packing_of_file(self._target, format)
        else:
            path = os.path.join(self._folder, *name.split("/"))
            stream = self._open.enter_context(nowhere() if self._is_rehearsal else _created(path))
        content = self._open.enter_context(packed(stream, packing, members=format == WARC))
        target = self._open.enter_context(closing(sink(content, format, self._form, self._frame)))
        self._begun = _Begun(target, format, self._frame)
        return self._begun


def _created(path: str) -> BinaryIO:
    """A new file of a folder."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return io.BufferedWriter(io.FileIO(path, "xb"))


def _header(frame: Record) -> bytes:
    """A header by what it says: without a byte order mark, and without the end of its line."""
    raw = bytes(frame.raw)
    return raw.removeprefix(BOM_UTF8).rstrip(b"\r\n") if isinstance(frame.place, Row) else raw


def check_name(target: str | None, format: str) -> None:
    """Raises OutputError where the name of a file for all inputs says something else than what would be in it."""
    if target is None or target == STDOUT:
        return
    named = by_name(target, Options(), is_given=False).format
    wanted = WARC if format == WARC_GZ else format
    if OTHER not in (named, format) and named != wanted:
        raise OutputError(
            f"{target}: is the name of a {named} file, and the records are {wanted}; name it so"
        )
    if format == WARC_GZ and not target.lower().endswith(".gz") and (named == WARC or packing_of(target)):
        raise OutputError(f"{target}: the records are gzipped one by one; expected a name in .warc.gz")


def packing_of_file(path: str, format: str) -> str:
    """The compression of a file of records by its name; of records that are packed one by one there is none besides."""
    return "" if format == WARC_GZ else packing_of(path)
