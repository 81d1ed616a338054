"""Changes inside a record that leave every other byte as it is, and can be undone.

Enters: a record's bytes, and what to take out of its text or to note on it. Leaves: :class:`Edit` s; the changed bytes
(:func:`applied`), and from those the first ones again (:func:`undone`).
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import OutputError
from . import warc

#: What follows the last word of a sentence and goes with it.
_STOPS = re.compile(r"[.,;:!?…。！？；，、]*[\"'’”»)\]]*")
_BEGINS = re.compile(r"(?:^|[\n.!?…。！？])[\s\"'“‘«([]*\Z")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]*")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_PART = re.compile(rf"""[\s,:]*+({_STRING.pattern}|[\[\]{{}}]|[^\s,:\[\]{{}}"]++)""", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")

#: One code point as it is written: in a JSON string, in a quoted cell of a CSV file, in any other.
_JSON = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_QUOTED = re.compile(r'""|.', re.DOTALL)
_PLAIN = re.compile(".", re.DOTALL)

#: Formats whose records are JSON objects: lines, and the rows of tables as they are told.
JSON_LIKE = ("jsonl", "parquet", "arrow")
DELIMITERS = {"csv": ",", "tsv": "\t"}
WARCS = ("warc", "warc.gz")

#: The member of a JSON line that a note is, and what the columns of other formats begin with.
MEMBER, PREFIX = "_dedup", "dedup_"

#: What a note tells.
NOTES = ("duplicate_of", "kind", "jaccard", "containment")


_MARKED_BEFORE = "has {} already, which a note would be mistaken for; take it out first, or divert copies"
_NOT_MARKED = "{} cannot be marked; mark JSON lines, CSV, tables or WARC, or divert copies"


class Edit(NamedTuple):
    """At byte ``at`` of the record as it came, ``removed`` went and ``inserted`` came in its place."""

    at: int
    removed: bytes
    inserted: bytes


def applied(raw: bytes, edits: Iterable[Edit]) -> bytes:
    """The record with its edits, which stand in order and do not overlap."""
    parts, done = [], 0
    for edit in edits:
        parts += [raw[done : edit.at], edit.inserted]
        done = edit.at + len(edit.removed)
    return b"".join([*parts, raw[done:]])


def undone(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The record as it came."""
    parts, done, shift = [], 0, 0
    for edit in edits:
        at = edit.at + shift
        parts += [data[done:at], edit.removed]
        done = at + len(edit.inserted)
        shift += len(edit.inserted) - len(edit.removed)
    return b"".join([*parts, data[done:]])


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """A span and what would be left of it: the stop of a sentence that goes whole, one of two blanks."""
    before = text[max(0, start - 80) : start]
    if start == 0 or _BEGINS.search(before):
        stop = _STOPS.match(text, end)
        end = stop.end() if stop else end
    if start == 0 or text[start - 1].isspace():
        blank = _BLANKS.match(text, end)
        end = blank.end() if blank else end
    return start, end


class Source(NamedTuple):
    """What has to be known of where a record stands: its format, the field of its text, and of a CSV file the header
    and what separates fields (if it is not what the format is named after)."""

    format: str
    field: str
    header: bytes = b""
    delimiter: str = ""


def check(path: str, format: str, action: str) -> None:
    """Raises OutputError where records of a format cannot be changed as the action demands."""
    if action == "mark" and format not in (*JSON_LIKE, *DELIMITERS, *WARCS):
        raise OutputError(f"{path}: {_NOT_MARKED.format(format)}")


def cut(source: Source, raw: bytes, text: str, spans: Iterable[tuple[int, int]]) -> list[Edit]:
    """Takes spans of code points out of the record's text.

    None is taken where that cannot be: in formats whose records are not the text, in a cell that is quoted in part.
    """
    places = sorted(spans)
    if source.format == "text":
        return _from_plain(raw, text, places)
    if source.format in JSON_LIKE:
        line = raw.decode("utf-8")
        begin, end = _literal(line, source.field)
        return _from_written(line, begin, end, places, _JSON)
    if source.format in DELIMITERS:
        line = raw.decode("utf-8")
        delimiter = source.delimiter or DELIMITERS[source.format]
        begin, end, is_quoted = _cell(line, _column(source, delimiter), delimiter)
        if is_quoted and end + 1 < len(line) and line[end + 1] not in f"{delimiter}\r\n":
            return []
        return _from_written(line, begin, end, places, _QUOTED if is_quoted else _PLAIN)
    return []


def mark(source: Source, raw: bytes, note: dict[str, Any] | None) -> list[Edit]:
    """Writes a note on the record: a member of the JSON object, the last columns of a CSV file, a metadata record after
    the one in a WARC file. Without a note, columns stay empty.

    What UTF-8 cannot hold is told as an escape. Raises OutputError for a format in which that cannot be, and for a JSON
    line that has such a member.
    """
    format = source.format
    if note is not None and format != "jsonl":
        note = {name: _writable(value) for name, value in note.items()}
    if format in DELIMITERS:
        end = len(raw.rstrip(b"\r\n"))
        if not end:
            return []
        cells = [(note or {}).get(name, "") for name in NOTES]
        return [Edit(end, b"", _cells(cells, source.delimiter or DELIMITERS[format]))]
    if format in WARCS:
        return [Edit(len(raw), b"", warc.metadata(raw, note))] if note else []
    if format not in JSON_LIKE:
        raise OutputError(_NOT_MARKED.format(format))
    end = len(raw.rstrip()) - 1
    if raw[end : end + 1] != b"}":
        raise OutputError("a row of columns that share a name cannot be marked; divert copies")
    if format != "jsonl":  # as such a row is told when it is read with the columns for notes
        told = {f"{PREFIX}{name}": (note or {}).get(name) for name in NOTES}
        member = json.dumps(told, ensure_ascii=False, separators=(",", ":"))[1:-1]
        return [Edit(end, b"", f",{member}".encode())]
    if MEMBER.encode() in raw and any(key == MEMBER for key, *_ in _members(raw.decode("utf-8"))):
        raise OutputError(_MARKED_BEFORE.format(f"a member {MEMBER}"))
    if note is None:
        return []
    is_first = raw[:end].rstrip().endswith(b"{")
    member = json.dumps({MEMBER: note}, ensure_ascii=True)[1:-1]
    return [Edit(end, b"", (b"" if is_first else b", ") + member.encode("ascii"))]


def marked_header(source: Source, columns: Collection[str]) -> bytes:
    """The header of a CSV file with the columns for notes. Raises OutputError where one of these is there, of tables,
    too."""
    names = [f"{PREFIX}{name}" for name in NOTES]
    before = [name for name in names if name in columns]
    if before:
        raise OutputError(_MARKED_BEFORE.format(f"a column {before[0]}"))
    header = source.header
    if source.format not in DELIMITERS:
        return header
    cells = _cells(names, source.delimiter or DELIMITERS[source.format])
    return applied(header, [Edit(len(header.rstrip(b"\r\n")), b"", cells)])


def _writable(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _from_plain(raw: bytes, text: str, places: list[tuple[int, int]]) -> list[Edit]:
    edits = []
    done, at = 0, len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    for start, end in places:
        at += len(text[done:start].encode())
        gone = text[start:end].encode()
        edits.append(Edit(at, gone, b""))
        done, at = end, at + len(gone)
    return edits


def _from_written(
    line: str, begin: int, end: int, places: list[tuple[int, int]], unit: re.Pattern[str]
) -> list[Edit]:
    """Takes code points out of a text as it is written from ``begin`` to ``end``, one ``unit`` each."""
    found: dict[int, int] = {}
    at, count = begin, 0
    for target in sorted({place for span in places for place in span}):
        while count < target:
            step = unit.match(line, at, end)
            assert step is not None
            at, count = step.end(), count + 1
        found[target] = at
    edits = []
    done = offset = 0
    for first, last in places:
        offset += len(line[done : found[first]].encode())
        gone = line[found[first] : found[last]].encode()
        edits.append(Edit(offset, gone, b""))
        done, offset = found[last], offset + len(gone)
    return edits


def _column(source: Source, delimiter: str) -> int:
    header = io.StringIO(source.header.decode("utf-8-sig"), newline="")
    names = next(csv.reader(header, delimiter=delimiter))
    return names.index(source.field)


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


def _cells(values: list[Any], delimiter: str) -> bytes:
    """Further cells of a row."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(["", *values])
    return out.getvalue().encode("utf-8")


def _literal(line: str, field: str) -> tuple[int, int]:
    """Where the string under a key of the outermost object stands, without quotes; the last of equal keys counts."""
    found = None
    for key, begin, end in _members(line):
        if key == field:
            found = begin + 1, end - 1
    assert found is not None
    return found


def _members(line: str) -> Iterator[tuple[str, int, int]]:
    """The keys of the outermost object, and where their values begin and end."""
    at = _space(line, 1 if line.startswith("\ufeff") else 0) + 1
    while True:
        at = _space(line, at)
        if line[at] == "}":
            break
        if line[at] == ",":
            at = _space(line, at + 1)
        key = _STRING.match(line, at)
        assert key is not None
        at = _space(line, _space(line, key.end()) + 1)
        end = _value_end(line, at)
        yield json.loads(key[0], strict=False), at, end
        at = end


def _value_end(line: str, at: int) -> int:
    """Where a value ends; however deep it nests and however long its numbers are."""
    depth = 0
    while True:
        part = _PART.match(line, at)
        assert part is not None
        at = part.end()
        depth += (part[1] in "[{") - (part[1] in "]}")
        if not depth:
            return at


def _space(line: str, at: int) -> int:
    match = _SPACE.match(line, at)
    return match.end() if match else at
