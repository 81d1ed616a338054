"""Tables of text (``.csv``, ``.tsv``): a document a row, in the columns that the first row names.

Enters: the stream. Leaves: the first row as the frame, then a record for each row, whose bytes are those of its
lines as they are: a quoted field may hold line ends. Fields are separated by commas (or by semicolons, tabs or
vertical bars, if only with one of these the first row holds the text column), in ``.tsv`` by tabs. Text is UTF-8.
"""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from ..model import Document, Skipped, Source
from .aside import Long, aside
from .formats import Input
from .lines import Blank, Line, Lines
from .options import Options
from .plain import not_utf8, too_large
from .reasons import reason
from .record import Record
from .stream import BUFFER, Stream

_SEPARATORS = {"csv": ",;\t|", "tsv": "\t"}
_COLUMNS_NAMED = 8


class Row(NamedTuple):
    """What a row is read by, in the place of its record: the names of the columns, and what separates fields."""

    columns: tuple[str, ...]
    separator: str


class _AsideError(Exception):
    """What comes is not for the CSV reader: a row beyond the largest record, or blank lines by the thousand."""


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """The first row as the frame, then every row; blank lines in between are records of their own.

    Without the text column the rows hold no documents, and the reason stands with the frame.
    """
    csv.field_size_limit(sys.maxsize)  # of the whole process; here the largest record is the limit
    lines = _RowLines(Lines(stream, options), options, stream.keeps)
    separator = _separator(lines.first(), found, options)
    rows = csv.reader(lines, delimiter=separator)
    frame: Row | None = None
    number, offset = 1, 0
    while lines.error is None:
        row, problem = _next(rows, lines)
        if not len(lines.raw) or (lines.error and not lines.long):
            break
        source = Source(found.path, number, offset)
        number, offset = number + lines.count, offset + len(lines.raw)
        if row == [] and problem is None:
            yield Record.of(lines.raw, source)
        elif frame is None:
            frame = Row(tuple(row or ()), separator)
            problem = problem or _lacking(frame, options)
            item = Skipped("", problem) if problem else None
            yield Record.of(lines.raw, source, item, is_frame=True, place=frame)
            if problem:
                frame = Row((), separator)
        elif not frame.columns:
            yield Record.of(lines.raw, source)
        else:
            problem = problem or _ragged(row or [], frame)
            document = Skipped("", problem) if problem else _document(row or [], frame, source, options)
            yield Record.of(lines.raw, source, document, place=frame)
    if lines.error is not None:
        rest = lines.rest()
        if len(rest):
            yield Record.of(rest, Source(found.path, number, offset))
        yield Skipped(found.path, f"{reason(lines.error)}; read as far as line {number - 1}")


def values(record: Record) -> Mapping[str, str]:
    """The fields of a row by the names of their columns; none where it is not whole."""
    if not isinstance(record.place, Row) or not isinstance(record.raw, bytes) or record.document is None:
        return {}
    row = next(csv.reader([record.raw.decode("utf-8")], delimiter=record.place.separator))
    return dict(zip(record.place.columns, row, strict=True))


def _next(rows: Iterator[list[str]], lines: _RowLines) -> tuple[list[str] | None, str | None]:
    """The next row, or what is wrong with it; its bytes are in ``lines.raw``, which is empty at the end."""
    lines.begin()
    try:
        row = next(rows, None)
        return row, lines.problem()
    except csv.Error as error:
        return None, f"not CSV: {str(error).partition(' - ')[0]}"
    except _AsideError:
        return [], lines.problem()
    except OSError as error:
        lines.error = error
        return None, None


def _document(row: list[str], frame: Row, source: Source, options: Options) -> Document:
    fields = dict(zip(frame.columns, row, strict=True))
    name = fields.get(options.id_field) or f"{source.path}:{source.line}"
    return Document(name, fields[options.text_field], source)


def _lacking(frame: Row, options: Options) -> str | None:
    if options.text_field in frame.columns:
        return None
    more = ", …" if len(frame.columns) > _COLUMNS_NAMED else ""
    names = ", ".join(map(repr, frame.columns[:_COLUMNS_NAMED]))
    return f"no column {options.text_field!r}; the first row has {names}{more}"


def _ragged(row: list[str], frame: Row) -> str | None:
    if len(row) == len(frame.columns):
        return None
    fields = "1 field" if len(row) == 1 else f"{len(row):,} fields"
    return f"{fields}, and the first row has {len(frame.columns):,}"


def _separator(line: bytes, found: Input, options: Options) -> str:
    """What separates the fields of this first line."""
    text = line.decode("utf-8-sig", "replace")
    separators = _SEPARATORS[found.format]
    for separator in separators:
        with suppress(csv.Error):
            if options.text_field in next(csv.reader([text.rstrip("\r\n")], delimiter=separator), ()):
                return separator
    return separators[0]


class _RowLines:
    """Hands lines to the CSV reader, and remembers those of the present row.

    ``raw`` are their bytes, ``count`` is their number; ``error`` is what ended the lines.
    """

    def __init__(self, lines: Lines, options: Options, keeps: bool) -> None:
        self.error: OSError | None = None
        self.long: Long | None = None
        self.count = 0
        self._all = lines
        self._lines = iter(lines)
        self._options = options
        self._keeps = keeps
        self._taken: list[bytes] = []
        self._length = 0  # of those in bytes
        self._offset = 0  # of the next line in the content
        self._wrong: str | None = None

    def first(self) -> bytes:
        """The first line, which is not taken with that; empty where there is none that could be looked at."""
        try:
            line = next(self._lines, None)
        except OSError as error:
            self.error = error
            return b""
        if line is not None:
            self._lines = chain((line,), self._lines)
        return line if isinstance(line, bytes) else b""

    @property
    def raw(self) -> bytes | Long:
        """All bytes of the present row."""
        return self.long or b"".join(self._taken)

    def begin(self) -> None:
        """To be called where a row begins."""
        self.long = self._wrong = None
        self.count = self._length = 0
        self._taken = []

    def __iter__(self) -> _RowLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            if self._taken:
                self._wrong = self._wrong or "a quoted field that begins in this row does not end"
            raise StopIteration
        if isinstance(line, Long) or (self._taken and self._length + len(line) > self._limit):
            self._set_aside(line)
            raise _AsideError
        if isinstance(line, Blank) and not self._taken:
            self._take(line.raw, line.lines)
            raise _AsideError
        data = line.raw if isinstance(line, Blank) else line
        begin = self._offset
        self._take(data, line.lines if isinstance(line, Blank) else 1)
        if not begin and data.startswith(codecs.BOM_UTF8):
            begin, data = len(codecs.BOM_UTF8), data[len(codecs.BOM_UTF8) :]
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            self._wrong = self._wrong or not_utf8(error, begin)
            return data.decode("utf-8", "replace")

    def problem(self) -> str | None:
        """What is wrong with the present row."""
        return too_large(len(self.long), self._options) if self.long else self._wrong

    def rest(self) -> bytes | Long:
        """What came of the row in which the lines ended in an error."""
        if self.long is not None:
            return b""  # it was taken there
        rest = self._all.rest
        if isinstance(rest, bytes):
            return b"".join((*self._taken, rest))
        return aside(chain(self._taken, _pieces(rest)), self._keeps)

    @property
    def _limit(self) -> int:
        return self._options.max_record_size or sys.maxsize

    def _take(self, data: bytes, count: int) -> None:
        self._taken.append(data)
        self._length += len(data)
        self._offset += len(data)
        self.count += count

    def _set_aside(self, line: Line) -> None:
        """Takes a row that is too large; it ends with the first line after which all quotes are closed."""
        taken, self._taken = self._taken, []
        begin = self._offset - self._length
        quotes = sum(part.count(b'"') for part in taken)

        def pieces() -> Iterator[bytes]:
            nonlocal line, quotes
            yield from taken
            while len(line):
                self._offset += len(line)
                self.count += line.lines if isinstance(line, Blank) else 1
                quotes += line.quotes if isinstance(line, Long) else _bytes(line).count(b'"')
                yield from _pieces(line)
                line = self._line_or_rest() if quotes % 2 else b""

        raw = aside(pieces(), self._keeps).raw
        self.long = Long(self._offset - begin, raw)

    def _line_or_rest(self) -> Line:
        """The next line; at an error what came of it, and nothing at the end."""
        if self.error is not None:
            return b""
        try:
            return next(self._lines, b"")
        except OSError as error:
            self.error = error
            return self._all.rest


def _bytes(line: bytes | Blank) -> bytes:
    return line.raw if isinstance(line, Blank) else line


def _pieces(line: Line) -> Iterator[bytes]:
    """The bytes of a line by parts."""
    raw = line if isinstance(line, bytes) else line.raw
    return (raw[begin : begin + BUFFER] for begin in range(0, len(raw), BUFFER))
