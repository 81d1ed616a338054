"""Passages taken out of the text of a record, however that is written there.

Enters: a record's bytes, its text, and spans of that in code points. Leaves: :class:`~dedup.write.edit.Edit` s.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..read.formats import TEXT
from .edit import DELIMITERS, JSON_LIKE, Edit, Source
from .members import members

#: What follows the last word of a sentence and goes with it.
_STOPS = re.compile(r"[.,;:!?…。！？；，、]*[\"'’”»)\]]*")
_BEGINS = re.compile(r"(?:^|[\n.!?…。！？])[\s\"'“‘«([]*\Z")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]*")

#: One code point as it is written: in a JSON string, in a quoted cell of a CSV file.
_JSON = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_QUOTED = re.compile(r'""|.', re.DOTALL)


def widened(text: str, start: int, end: int) -> tuple[int, int]:
    """A span and what would be left of it: the stop of a sentence that goes whole, one of two blanks."""
    before = text[max(0, start - 80) : start]
    if start == 0 or _BEGINS.search(before):
        stop = _STOPS.match(text, end)
        end = stop.end() if stop else end
    if start == 0 or text[start - 1].isspace():
        blank = _BLANKS.match(text, end)
        end = blank.end() if blank else end
    return start, end


def cut(source: Source, raw: bytes, text: str, spans: Iterable[tuple[int, int]]) -> list[Edit]:
    """Takes spans of code points out of the record's text.

    None is taken where that cannot be: in formats whose records are not the text, in a cell that is quoted in part.
    """
    if source.format not in (TEXT, *JSON_LIKE, *DELIMITERS):
        return []
    line, places = raw.decode("utf-8"), sorted(spans)
    written = _written(source, line)
    if written is None:
        return []
    found = _found(line, written, sorted({place for span in places for place in span}))
    edits: list[Edit] = []
    done = offset = 0
    for start, end in places:
        gone = line[found[start] : found[end]]
        if written.read(gone) != text[start:end]:  # what was read is written otherwise, or elsewhere
            return []
        offset += len(line[done : found[start]].encode())
        edits.append(Edit(offset, gone.encode(), b""))
        done, offset = found[end], offset + len(edits[-1].removed)
    return edits


class _Written(NamedTuple):
    """How a text is written in its record: from where to where, one code point as ``unit`` (None: as it is), and what
    reads it."""

    begin: int
    end: int
    unit: re.Pattern[str] | None
    read: Callable[[str], str]


def _written(source: Source, line: str) -> _Written | None:
    """None where the text does not stand in one piece."""
    if source.format == TEXT:
        return _Written(int(line.startswith("\ufeff")), len(line), None, str)
    if source.format in JSON_LIKE:
        return _Written(*_literal(line, source.field), _JSON, _from_json)
    delimiter = source.delimiter or DELIMITERS[source.format]
    begin, end, is_quoted = _cell(line, _column(source, delimiter), delimiter)
    if not is_quoted:
        return _Written(begin, end, None, str)
    if end + 1 < len(line) and line[end + 1] not in f"{delimiter}\r\n":
        return None
    return _Written(begin, end, _QUOTED, _from_quoted)


def _from_json(written: str) -> str:
    return str(json.loads(f'"{written}"', strict=False))


def _from_quoted(written: str) -> str:
    return written.replace('""', '"')


def _found(line: str, written: _Written, places: list[int]) -> dict[int, int]:
    """Where code points of the text stand in the line; beyond its end, at the end."""
    if written.unit is None:
        return {place: written.begin + place for place in places}
    found: dict[int, int] = {}
    at, count = written.begin, 0
    for place in places:
        while count < place and (step := written.unit.match(line, at, written.end)):
            at, count = step.end(), count + 1
        found[place] = at
    return found


def _column(source: Source, delimiter: str) -> int:
    """The column of the text; the last of those that share its name, as it is read."""
    header = io.StringIO(source.header.decode("utf-8-sig"), newline="")
    names = next(csv.reader(header, delimiter=delimiter))
    return len(names) - 1 - names[::-1].index(source.field)


def _cell(line: str, column: int, delimiter: str) -> tuple[int, int, bool]:
    """Where a cell of a row is written, without its quotes, and whether it has some."""
    at = 1 if line.startswith("\ufeff") else 0
    while True:
        is_quoted = line.startswith('"', at)
        begin = at + is_quoted
        if is_quoted:
            end = begin
            while not (line.startswith('"', end) and not line.startswith('""', end)):
                end += 2 if line.startswith('""', end) else 1
            at = end + 1
        else:
            end = at
        while at < len(line) and line[at] != delimiter and line[at] not in "\r\n":
            at += 1
        end = end if is_quoted else at
        if not column:
            return begin, end, is_quoted
        column, at = column - 1, at + 1


def _literal(line: str, field: str) -> tuple[int, int]:
    """Where the string under a key of the outermost object stands, without quotes; the last of equal keys counts."""
    found = None
    for key, begin, end in members(line):
        if key == field:
            found = begin + 1, end - 1
    assert found is not None
    return found
