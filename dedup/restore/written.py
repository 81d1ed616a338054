"""What a filter run has written, to read records back from.

Enters: the lines of a manifest. Leaves: the bytes of records as they came. Nothing is taken on trust: each is hashed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from mmap import mmap
from typing import Any, NamedTuple

from .. import manifest
from ..errors import InputError
from ..manifest import Line, Summing
from ..model import Skipped, Source
from ..read import Input, Options, Record, content, entries, formats, records
from ..read.reasons import UnreadableError, reason
from ..read.record import parts
from ..read.stream import Stream, opened
from ..write import edit
from ..write.edit import Edit
from ..write.pieces import Place, Slices
from ..write.sides import STDOUT, packing_of_file
from .outcome import Restored

Raw = bytes | mmap
_BYTES = Record(b"", Source())  # stands for records that are told as bytes


class Piece(NamedTuple):
    """A record as it came, the format that it is in, and, of a table, the row that it is in an output."""

    raw: Raw
    format: str
    record: Record = _BYTES


class Written:
    """The two outputs of one run. To be closed.

    ``run`` is the manifest's first line, ``moved`` says by side where an output is now, if it is not where it was.
    """

    def __init__(self, path: str, run: Line, moved: dict[str, str | None], options: Options) -> None:
        self._beside = os.path.dirname(os.path.realpath(path))
        self._outputs: dict[str, Any] = run["outputs"]
        self._moved = moved
        self._options = options
        self._open = ExitStack()
        self._slices: dict[str, Slices] = {}
        self._rows: dict[str, Rows] = {}
        self._entries: dict[str, Entries] = {}

    def piece(self, row: Line, found: Line, done: Restored) -> Piece | None:
        """The record of a line, which is of the input ``found``. None, and a problem told, where it is not there."""
        name = f"{row['path']}:{row['line']}" if row["line"] else row["path"]
        if len(row["output"]) == 1:
            done.problems.append(f"{name}: was not written anywhere")
            return None
        side = row["output"]["side"]
        path = self.path(side)
        if path is None:
            raise InputError(f"what was {side} went to standard output; say with --{side} where it is now")
        if "file" in row["output"]:
            path = os.path.join(path, *row["output"]["file"].split("/"))
        try:
            piece = self._read(path, row["output"], found)
        except OSError as error:
            done.problems.append(f"{name}: {path}: {reason(error)}")
            return None
        if "edits" in row:
            piece = piece._replace(raw=edit.undone(piece.raw, map(_edit, row["edits"])))
        sum = Summing()
        for part in parts(piece.raw):
            sum.add(part)
        if sum.sum() != (row["length"], row["sha256"]):
            done.problems.append(f"{name}: is not in {path} as it was written there")
            return None
        done.records += 1
        done.bytes += row["length"]
        return piece

    def path(self, side: str) -> str | None:
        """Where an output is; None for what went to standard output, and was not told of since."""
        name = self._outputs[side]
        if self._moved[side] is not None or name in (None, STDOUT):
            return self._moved[side]
        return os.path.join(self._beside, name)

    def begin(self) -> None:
        """Outputs are read from their beginning."""
        self._open.close()
        self._slices.clear()
        self._rows.clear()
        self._entries.clear()

    def end_input(self) -> None:
        """Closes the files of a tree, of which there may be very many."""
        if self._outputs["tree"]:
            self.begin()

    def close(self) -> None:
        """Closes what is open."""
        self._open.close()

    def _read(self, path: str, output: Line, found: Line) -> Piece:
        """What stands at a place. Raises OSError where there is nothing."""
        file = Input(path, found["format"], self._packing(path, output, found))
        if "entry" in output:
            if path not in self._entries:
                self._entries[path] = Entries(file, self._options, self._open)
            return self._entries[path].read(output)
        if "number" in output:
            if path not in self._rows:
                with open(path, "rb"):  # which tells why it cannot be
                    self._rows[path] = Rows(lambda: records(file, self._options))
            return _row(self._rows[path], output["number"], file.format)
        if path not in self._slices:
            stream = self._open.enter_context(opened(file._replace(format=formats.OTHER), self._options))
            self._slices[path] = Slices(stream)
        raw = self._slices[path].read(Place(output["offset"], output["length"]))
        return Piece(raw, file.format)

    def _packing(self, path: str, output: Line, found: Line) -> str:
        """The compression of an output: in a tree that of the input, else by the name that it was written under.

        If that is not known, or it has another name now that says what it is, then by the name it has.
        """
        if "file" in output:
            return str(found["packing"])
        name = self._outputs[output["side"]]
        speaks = formats.by_name(path, Options(), is_given=False).format != formats.OTHER
        return packing_of_file(path if name == STDOUT or speaks else name, found["format"])


class Rows:
    """Reads the records of a file by number, fastest in order. ``opened`` gives them all."""

    def __init__(self, opened: Callable[[], Iterator[Record | Skipped]]) -> None:
        self._opened = opened
        self._rest: Iterator[Record] = iter(())
        self._next = 0
        self._begin()

    def read(self, number: int) -> Record | None:
        """A record, or None where there are not so many."""
        if number < self._next:
            self._begin()
        skip, self._next = number - self._next, number + 1
        return next(itertools.islice(self._rest, skip, None), None)

    def _begin(self) -> None:
        self._next = 0
        self._rest = (item for item in self._opened() if isinstance(item, Record) and not item.is_frame)


class Entries:
    """Reads records of an archive by the number of their entry and their place in it, fastest in order."""

    def __init__(self, found: Input, options: Options, stack: ExitStack) -> None:
        self._found = found
        self._options = options
        self._next = 0
        self._rest = entries(found, options)
        stack.callback(self.close)

    def read(self, output: Line) -> Piece:
        """What stands at a place. Raises OSError where there are not so many entries."""
        if output["entry"] < self._next - 1:
            self.close()
            self._next, self._rest = 0, entries(self._found, self._options)
        while self._next <= output["entry"]:
            self._enter(*next(self._rest, (None, None)))
        if "number" in output:
            return _row(self._rows, output["number"], self._format)
        if "offset" in output:
            return Piece(self._slices.read(Place(output["offset"], output["length"])), self._format)
        return Piece(b"", self._format)

    def close(self) -> None:
        """Closes the archive."""
        self._rest.close()

    def _enter(self, found: Input | None, stream: Stream | None) -> None:
        if found is None or stream is None:
            raise UnreadableError("has fewer entries than were written")
        self._next += 1
        self._format = found.format
        self._slices = Slices(stream)
        self._rows = Rows(lambda: content(found, stream, self._options))


def _row(rows: Rows, number: int, format: str) -> Piece:
    record = rows.read(number)
    return Piece(b"", format) if record is None else Piece(record.raw, format, record)


def _edit(change: Line) -> Edit:
    """An edit as the manifest tells it; of what was put in, only the length counts."""
    return Edit(change["at"], manifest.bytes_of(change), bytes(change["inserted"]))
