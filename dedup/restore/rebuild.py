"""One input put together again: from its records, or from the copy that was kept of it.

Enters: a manifest's line about the input, and its records. Leaves: the file, hashed as a whole.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from ..manifest import Line, Summing
from ..read import Input, Options, formats
from ..read.reasons import reason
from ..read.record import parts
from ..read.stream import opened
from ..write.packing import Members, packed
from ..write.sides import TABLES
from ..write.table import Table
from .outcome import MissingError, Restored
from .written import Piece

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CHUNK = 1 << 20


def put_together(
    line: Line, pieces: Iterator[Piece | None], stream: BinaryIO, table: tuple[str, str], done: Restored
) -> None:
    """Writes the input of a line from its pieces, None for those that are missing.

    ``table`` says of tables the text column, and what becomes of columns for notes. Raises MissingError where it is not
    what it was.
    """
    content, file = Summing(), Summing()
    is_table = line["format"] in TABLES
    missing = 0
    through = io.BufferedWriter(_Through(stream, file), _CHUNK)
    with through, packed(through, line["packing"]) as inner:
        assert not isinstance(inner, Members)
        if is_table:
            with closing(Table(inner, line["format"], *table)) as target:
                for piece in pieces:
                    missing += piece is None
                    if piece is not None and piece.record.place is not None:
                        target.write(piece.record, piece.raw)
        else:
            for piece in pieces:
                missing += piece is None
                for part in parts(piece.raw) if piece else ():
                    content.add(part)
                    inner.write(part)
    if missing:
        raise MissingError
    if is_table:
        done.remarks.append(
            f"{line['path']}: its rows are as they were; the file was written anew, to other bytes"
        )
        return
    if content.sum() != (line["content"]["size"], line["content"]["sha256"]):
        done.problems.append(
            f"{line['path']}: all its records are there, and they do not make up what it was"
        )
        raise MissingError
    if file.sum() != (line["size"], line["sha256"]):
        done.remarks.append(
            f"{line['path']}: its content is as it was; it was compressed anew, to other bytes"
        )


def copied(line: Line, path: str, stream: BinaryIO | None, done: Restored) -> None:
    """Reads the copy of an input that was kept at ``path``, into a stream if there is one. Raises MissingError."""
    file = Summing()
    try:
        original = opened(Input(path, formats.OTHER, ""), Options())
    except FileNotFoundError:
        done.problems.append(f"{line['path']}: {path} is missing")
        raise MissingError from None
    except OSError as error:
        done.problems.append(f"{line['path']}: {path}: {reason(error)}")
        raise MissingError from None

    def chunk() -> bytes:
        try:
            return original.read(_CHUNK)
        except OSError as error:
            done.problems.append(f"{line['path']}: {path}: {reason(error)}")
            raise MissingError from None

    with original:
        for data in iter(chunk, b""):
            file.add(data)
            if stream is not None:
                stream.write(data)
    if file.sum() != (line["size"], line["sha256"]):
        done.problems.append(f"{line['path']}: {path} is not as it was written")
        raise MissingError


@contextmanager
def folders() -> Iterator[Callable[[str], None]]:
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


class _Through(io.RawIOBase):
    """Writes to a stream, and adds up what goes by."""

    def __init__(self, stream: BinaryIO, sum: Summing) -> None:
        self._stream = stream
        self._sum = sum

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        chunk = bytes(data)
        self._sum.add(chunk)
        return self._stream.write(chunk)
