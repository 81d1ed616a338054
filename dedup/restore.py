"""Restore: what a filter run took apart is put together again, byte for byte.

Enters: a manifest, and the outputs that it names. Leaves: the inputs under their own names, or single records; or,
where something is missing or was changed, what that is. Nothing is taken on trust: every record is hashed on the way,
and every file once more as a whole.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from mmap import mmap
from typing import TYPE_CHECKING, Any, BinaryIO

from . import manifest
from .errors import InputError, OutputError
from .manifest import Line
from .model import Source
from .read import Input, Options, Record, formats, records
from .read.reasons import reason
from .read.record import parts
from .read.stream import opened
from .write import edit
from .write.atomic import whole_file
from .write.edit import Edit
from .write.packing import packed
from .write.pieces import Pieces, Place, Slices
from .write.sides import ARCHIVES, LINES, STDOUT, TABLES, Form, packing_of_file, sink
from .write.table import DROP

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CHUNK = 1 << 20

Raw = bytes | mmap
_BYTES = Record(b"", Source())  # stands for records that are written as bytes


@dataclass
class Restored:
    """What was put together (or, to verify, found whole), and what is wrong, a line each."""

    inputs: int = 0
    records: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Archive:
    """The outputs of one run. To be closed, or used with ``with``.

    ``kept`` and ``rejects`` say where those outputs are now, if they were moved or went to standard output. Raises
    ManifestError for a manifest that is damaged.
    """

    def __init__(self, path: str, kept: str | None = None, rejects: str | None = None) -> None:
        self.path = path
        self._inputs: dict[int, Line] = {}
        self._open = ExitStack()
        self._slices: dict[str, Slices] = {}
        self._numbered: dict[str, Numbered] = {}
        self._options = Options()
        self._is_marked = False
        self._moved = {"kept": kept, "rejects": rejects}
        self._own: dict[str, str] | None = (
            None  # the files and folders that are read, by where they really are
        )
        for line in manifest.read(path):
            if line["type"] == "run":
                self._outputs: dict[str, Any] = line["outputs"]
                self._is_marked = line["policy"]["action"] == "mark"
                # What was written once may be read again, however large it is.
                self._options = Options(**line["options"])._replace(max_record_size=0)
            elif line["type"] == "input":
                self._inputs[line["input"]] = line

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def verify(self) -> Restored:
        """Reads everything and writes nothing."""
        self._begin()
        done = Restored()
        for line, rows in self._walk():
            count = len(done.problems)
            if line["problem"]:
                done.problems.append(_not_whole(line))
            for row in rows:
                self._piece(row, done)
            if line["original"]:
                with suppress(_MissingError):
                    self._copy(line, None, done)
            done.inputs += len(done.problems) == count
        return done

    def is_whole(self) -> bool:
        """Whether all that was written is there as it was; what could not be read then, nobody misses now."""
        known = [_not_whole(line) for _, line in sorted(self._inputs.items()) if line["problem"]]
        return self.verify().problems == known

    def restore(self, folder: str, force: bool = False) -> Restored:
        """Puts all inputs together below a folder. An input of which something is missing is not written.

        Raises OutputError where a file is in the way (unless ``force``) or cannot be written.
        """
        targets = {
            number: os.path.join(folder, *line["name"].split("/")) for number, line in self._inputs.items()
        }
        for target in targets.values():
            self.check(target)
        if not force:
            for target in targets.values():
                if os.path.lexists(target):
                    raise OutputError(
                        f"{target}: is there already; restore elsewhere, or replace it with --force"
                    )
        self._begin()
        done = Restored()
        with _folders() as made:
            for line, rows in self._walk():
                target = targets[line["input"]]
                try:
                    made(os.path.dirname(target))
                    with whole_file(target) as stream:
                        self._put_together(line, rows, stream, done)
                    done.inputs += 1
                except _MissingError:
                    pass
                except OSError as error:
                    what = (error.strerror or str(error)).lower()
                    raise OutputError(f"{target}: cannot be written: {what}") from error
        return done

    def check(self, target: str) -> None:
        """Raises OutputError where a file of this name would take the place of what is read to restore it."""
        if self._own is None:
            beside = os.path.dirname(os.path.realpath(self.path))
            outputs = [
                self._moved[side] or os.path.join(beside, self._outputs[side])
                for side in self._moved
                if self._moved[side] or self._outputs[side] not in (None, STDOUT)
            ]
            own = (self.path, f"{self.path}{manifest.ORIGINALS}", *outputs)
            self._own = {os.path.realpath(path): path for path in own}
        real = os.path.realpath(target)
        for own_real, path in self._own.items():
            if real == own_real or real.startswith(os.path.join(own_real, "")):
                where = "is" if real == own_real else "lies inside"
                raise OutputError(f"{target}: {where} {path}, from which is restored; restore elsewhere")

    def records(self, ids: Collection[str], stream: BinaryIO) -> Restored:
        """Writes the records with these ids as they came, one after the other, in the order of the input.

        Lines begin on a line of their own, and so do rows of tables, which are told as JSON.
        """
        self._begin()
        done = Restored()
        missing = dict.fromkeys(ids)
        is_open_line = False
        for row in manifest.lines(self.path):
            if row["type"] == "record" and row["id"] in ids:
                missing.pop(row["id"], None)
                piece = self._piece(row, done)
                if piece is not None:
                    record, data = piece
                    if is_open_line:
                        stream.write(b"\n")
                    for part in parts(data):
                        stream.write(part)
                    is_line = self._format_of(row, record) in (*LINES, *TABLES)
                    is_open_line = is_line and data[-1:] != b"\n"
                self._close_files()
        if is_open_line and len(ids) > 1:
            stream.write(b"\n")
        done.problems += [f"{name}: no record of that id is in the manifest" for name in missing]
        return done

    def _format_of(self, row: Line, record: Record | None) -> str:
        """The format of a record; in an archive, that of the entry."""
        format = str(self._inputs[row["input"]]["format"])
        return str(record.place.input.format) if record is not None and format in ARCHIVES else format

    # ---- inputs

    def _walk(self) -> Iterator[tuple[Line, Iterator[Line]]]:
        """Each input, and the lines about what was in it, to be gone through before the next."""
        lines = manifest.lines(self.path)
        for number, line in sorted(self._inputs.items()):
            rows = itertools.takewhile(partial(_goes_on, number), lines)
            yield line, (row for row in rows if row["type"] in ("record", "frame"))
            for _ in rows:  # those that nobody asked for
                pass
            self._close_files()

    def _put_together(self, line: Line, rows: Iterator[Line], stream: BinaryIO, done: Restored) -> None:
        if line["problem"]:
            done.problems.append(_not_whole(line))
            raise _MissingError
        if line["original"]:
            self._copy(line, stream, done)
            done.records += sum(row["type"] == "record" for row in rows)
            return
        content, file = _Sum(), _Sum()
        missing = 0
        through = io.BufferedWriter(_Through(stream, file), _CHUNK)
        form = Form(self._options.text_field, DROP if self._is_marked else "")
        with (
            through,
            packed(through, line["packing"]) as inner,
            closing(sink(inner, line["format"], form, [])) as target,
        ):
            for row in rows:
                piece = self._piece(row, done)
                missing += piece is None
                if piece is not None and (row["type"] == "record" or isinstance(target, Pieces)):
                    content.add(piece[1])
                    target.write(piece[0] or _BYTES, piece[1])
        if missing:
            raise _MissingError
        if line["format"] in TABLES:
            done.remarks.append(
                f"{line['path']}: its rows are as they were; the file was written anew, to other bytes"
            )
            return
        if content.told() != (line["content"]["size"], line["content"]["sha256"]):
            done.problems.append(
                f"{line['path']}: all its records are there, and they do not make up what it was"
            )
            raise _MissingError
        if file.told() != (line["size"], line["sha256"]):
            done.remarks.append(
                f"{line['path']}: its content is as it was; it was compressed anew, to other bytes"
            )

    def _copy(self, line: Line, stream: BinaryIO | None, done: Restored) -> None:
        """The copy of an input that was kept as it is."""
        path = os.path.join(self.path + manifest.ORIGINALS, *line["original"].split("/"))
        file = _Sum()
        try:
            original = opened(Input(path, formats.OTHER, ""), self._options)
        except FileNotFoundError:
            done.problems.append(f"{line['path']}: {path} is missing")
            raise _MissingError from None
        except OSError as error:
            done.problems.append(f"{line['path']}: {path}: {reason(error)}")
            raise _MissingError from None
        with original:
            while chunk := self._read(original, line, path, done):
                file.add(chunk)
                if stream is not None:
                    stream.write(chunk)
        if file.told() != (line["size"], line["sha256"]):
            done.problems.append(f"{line['path']}: {path} is not as it was written")
            raise _MissingError

    def _read(self, original: BinaryIO, line: Line, path: str, done: Restored) -> bytes:
        try:
            return original.read(_CHUNK)
        except OSError as error:
            done.problems.append(f"{line['path']}: {path}: {reason(error)}")
            raise _MissingError from None

    # ---- records

    def _piece(self, row: Line, done: Restored) -> tuple[Record | None, Raw] | None:
        """A record of an output, where it is told by number, and its bytes as they came, or those of a header.

        None, and a problem told, where they are not there.
        """
        if row["type"] == "frame":
            return None, manifest.bytes_of(row)
        name = f"{row['path']}:{row['line']}" if row["line"] else row["path"]
        output = row["output"]
        if len(output) == 1:
            done.problems.append(f"{name}: was not written anywhere")
            return None
        path = self._path_of(output)
        try:
            record, data = self._found(path, row)
        except OSError as error:
            done.problems.append(f"{name}: {path}: {reason(error)}")
            return None
        if "edits" in row:
            data = edit.undone(bytes(data), [_edit(change) for change in row["edits"]])
        whole = _Sum()
        whole.add(data)
        if whole.told() != (row["length"], row["sha256"]):
            done.problems.append(f"{name}: is not in {path} as it was written there")
            return None
        done.records += 1
        done.bytes += len(data)
        return record, data

    def _found(self, path: str, row: Line) -> tuple[Record | None, Raw]:
        output, found = row["output"], self._input_at(path, row)
        if "number" not in output:
            if path not in self._slices:
                self._slices[path] = Slices(self._open.enter_context(opened(found, self._options)))
            return None, self._slices[path].read(Place(output["offset"], output["length"]))
        if path not in self._numbered:
            self._numbered[path] = Numbered(found, self._options)
        record = self._numbered[path].read(output["number"])
        return record, b"" if record is None else record.raw

    def _input_at(self, path: str, row: Line) -> Input:
        """An output as something to read: by records if it is a table or an archive, else as bytes."""
        line, output = self._inputs[row["input"]], row["output"]
        packing = line["packing"] if "file" in output else packing_of_file(path, line["format"])
        return Input(path, line["format"] if "number" in output else formats.OTHER, packing)

    def _path_of(self, output: Line) -> str:
        side = output["side"]
        path = self._moved[side]
        if path is None:
            path = self._outputs[side]
            if path == STDOUT:
                raise InputError(
                    f"what was {side} went to standard output; say with --{side} where it is now"
                )
            path = os.path.join(os.path.dirname(os.path.realpath(self.path)), path)
        return os.path.join(path, *output["file"].split("/")) if "file" in output else path

    def _close_files(self) -> None:
        """Those of a tree: there may be very many of them."""
        if self._outputs["tree"]:
            self._begin()

    def _begin(self) -> None:
        """Outputs are read from their beginning."""
        self._open.close()
        self._slices.clear()
        self._numbered.clear()


class Numbered:
    """Reads the records of a file by number, fastest in order."""

    def __init__(self, found: Input, options: Options) -> None:
        self._found = found
        self._options = options
        self._rest: Iterator[Record] = iter(())
        self._next = 0
        self._begin()

    def read(self, number: int) -> Record | None:
        """A record, or None where there are not so many. Raises OSError where the file cannot be opened."""
        if number < self._next:
            self._begin()
        skip, self._next = number - self._next, number + 1
        return next(itertools.islice(self._rest, skip, None), None)

    def _begin(self) -> None:
        with open(self._found.path, "rb"):
            self._next = 0
        self._rest = (
            item
            for item in records(self._found, self._options)
            if isinstance(item, Record) and not item.is_frame
        )


@contextmanager
def _folders() -> Iterator[Callable[[str], None]]:
    """Makes folders; of those made here the ones in which nothing is at the end are removed."""
    found: list[str] = []

    def made(folder: str) -> None:
        missing = []
        while folder and not os.path.lexists(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(missing):
            os.makedirs(path, exist_ok=True)
            found.append(path)

    try:
        yield made
    finally:
        for path in reversed(found):
            with suppress(OSError):
                os.rmdir(path)


class _MissingError(Exception):
    """Something of an input is missing; what, is among the problems."""


class _Sum:
    """Size and hash of what was added."""

    def __init__(self) -> None:
        self._size = 0
        self._sha = hashlib.sha256()

    def add(self, data: Raw) -> None:
        for part in parts(data):
            self._size += len(part)
            self._sha.update(part)

    def told(self) -> tuple[int, str]:
        return self._size, self._sha.hexdigest()


class _Through(io.RawIOBase):
    """Writes to a stream, and adds up what goes by."""

    def __init__(self, stream: BinaryIO, sum: _Sum) -> None:
        self._stream = stream
        self._sum = sum

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        chunk = bytes(data)
        self._sum.add(chunk)
        return self._stream.write(chunk)


def _not_whole(line: Line) -> str:
    return f"{line['path']}: was not read whole when it was filtered: {line['problem']}"


def _goes_on(number: int, row: Line) -> bool:
    """Whether this is not the line that ends an input."""
    return not (row["type"] == "input" and row["input"] == number)


def _edit(change: Line) -> Edit:
    """An edit as the manifest tells it; of what was put in, only the length counts."""
    return Edit(change["at"], manifest.bytes_of(change), bytes(change["inserted"]))
