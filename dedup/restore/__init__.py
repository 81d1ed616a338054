"""Restore: what a filter run took apart is put together again, byte for byte.

Enters: a manifest, and the outputs that it names. Leaves: the inputs under their own names, or single records; or,
where something is missing or was changed, what that is. Nothing is taken on trust: every record is hashed on the way,
and every file once more as a whole.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial
from typing import BinaryIO

from .. import manifest
from ..errors import OutputError
from ..manifest import Line
from ..read import Options
from ..read.record import parts
from ..write.atomic import whole_file
from ..write.sides import LINES, TABLES
from ..write.table import DROP
from .outcome import MissingError, Restored, not_whole
from .rebuild import copied, folders, put_together
from .written import Piece, Written

__all__ = ["Archive", "Restored"]


class Archive:
    """The outputs of one run. To be closed, or used with ``with``.

    ``kept`` and ``rejects`` say where those outputs are now, if they were moved or went to standard output. Raises
    ManifestError for a manifest that is damaged.
    """

    def __init__(self, path: str, kept: str | None = None, rejects: str | None = None) -> None:
        self.path = path
        self._inputs: dict[int, Line] = {}
        self._own: dict[str, str] | None = None  # files and folders that are read, by where they really are
        for line in manifest.read(path):
            if line["type"] == "run":
                # What was written once may be read again, however large it is.
                options = Options(**line["options"])._replace(max_record_size=0)
                notes = DROP if line["policy"]["action"] == "mark" else ""
                self._table = options.text_field, notes
                self._written = Written(path, line, {"kept": kept, "rejects": rejects}, options)
            elif line["type"] == "input":
                self._inputs[line["input"]] = line

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._written.close()

    def verify(self) -> Restored:
        """Reads everything and writes nothing."""
        done = Restored()
        for line, rows in self._walk():
            count = len(done.problems)
            if line["problem"]:
                done.problems.append(not_whole(line))
            for row in rows:
                self._piece(row, done)
            if line["original"]:
                with suppress(MissingError):
                    copied(line, self._original(line), None, done)
            done.inputs += len(done.problems) == count
        return done

    def is_whole(self) -> bool:
        """Whether all that was written is there as it was; what could not be read then, nobody misses now."""
        known = [not_whole(line) for _, line in sorted(self._inputs.items()) if line["problem"]]
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
            if os.path.lexists(target) and not force:
                raise OutputError(
                    f"{target}: is there already; restore elsewhere, or replace it with --force"
                )
        done = Restored()
        with folders() as made:
            for line, rows in self._walk():
                target = targets[line["input"]]
                try:
                    made(os.path.dirname(target))
                    with whole_file(target) as stream:
                        self._rebuild(line, rows, stream, done)
                    done.inputs += 1
                except MissingError:
                    pass
                except OSError as error:
                    raise OutputError.of(target, error) from error
        return done

    def check(self, target: str) -> None:
        """Raises OutputError where a file of this name would take the place of what is read to restore it."""
        if self._own is None:
            outputs = [self._written.path(side) for side in ("kept", "rejects")]
            own = (self.path, f"{self.path}{manifest.ORIGINALS}", *outputs)
            self._own = {os.path.realpath(path): path for path in own if path is not None}
        real = os.path.realpath(target)
        for own_real, path in self._own.items():
            if real == own_real or real.startswith(os.path.join(own_real, "")):
                where = "is" if real == own_real else "lies inside"
                raise OutputError(f"{target}: {where} {path}, from which is restored; restore elsewhere")

    def records(self, ids: Collection[str], stream: BinaryIO) -> Restored:
        """Writes the records with these ids as they came, one after the other, in the order of the input.

        Lines begin on a line of their own, and so do rows of tables, which are told as JSON.
        """
        self._written.begin()
        done = Restored()
        missing = dict.fromkeys(ids)
        is_open_line = False
        for row in manifest.lines(self.path):
            if row["type"] == "record" and row["id"] in ids:
                missing.pop(row["id"], None)
                piece = self._piece(row, done)
                if piece is not None:
                    if is_open_line:
                        stream.write(b"\n")
                    for part in parts(piece.raw):
                        stream.write(part)
                    is_open_line = piece.format in (*LINES, *TABLES) and piece.raw[-1:] != b"\n"
                self._written.end_input()
        if is_open_line and len(ids) > 1:
            stream.write(b"\n")
        done.problems += [f"{name}: no record of that id is in the manifest" for name in missing]
        return done

    def _walk(self) -> Iterator[tuple[Line, Iterator[Line]]]:
        """Each input, and the lines about what was in it, to be gone through before the next."""
        self._written.begin()
        lines = manifest.lines(self.path)
        for number, line in sorted(self._inputs.items()):
            rows = itertools.takewhile(partial(_goes_on, number), lines)
            yield line, (row for row in rows if row["type"] in ("record", "frame"))
            for _ in rows:  # those that nobody asked for
                pass
            self._written.end_input()

    def _rebuild(self, line: Line, rows: Iterator[Line], stream: BinaryIO, done: Restored) -> None:
        if line["problem"]:
            done.problems.append(not_whole(line))
            raise MissingError
        if line["original"]:
            copied(line, self._original(line), stream, done)
            done.records += sum(row["type"] == "record" for row in rows)
            return
        put_together(line, (self._piece(row, done) for row in rows), stream, self._table, done)

    def _original(self, line: Line) -> str:
        """Where the copy of an input is that was kept as it is."""
        return os.path.join(self.path + manifest.ORIGINALS, *line["original"].split("/"))

    def _piece(self, row: Line, done: Restored) -> Piece | None:
        """The bytes of a record, or of a header; None, and a problem told, where they are not there."""
        found = self._inputs[row["input"]]
        if row["type"] == "frame":
            return Piece(manifest.bytes_of(row), found["format"])
        return self._written.piece(row, found, done)


def _goes_on(number: int, row: Line) -> bool:
    """Whether this is not the line that ends an input."""
    return not (row["type"] == "input" and row["input"] == number)
