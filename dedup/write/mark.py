"""Notes on records that stay although they are copies.

Enters: a record's bytes, and what to note on it. Leaves: :class:`~dedup.write.edit.Edit` s; the header of a CSV
file with columns for notes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..errors import OutputError
from ..read.formats import ARROW, JSONL, PARQUET
from . import warc
from .edit import DELIMITERS, WARCS, Edit, Raw, Source, applied
from .members import members

#: The member of a JSON line that a note is, and what the columns of other formats begin with.
MEMBER, PREFIX = "_dedup", "dedup_"

#: What a note tells.
NOTES = ("duplicate_of", "kind", "jaccard", "containment")


_MARKED_BEFORE = "has {} already, which a note would be mistaken for; take it out first, or divert copies"
_NOT_MARKED = "{} cannot be marked; mark JSON lines, CSV, tables or WARC, or divert copies"

Note = Mapping[str, Any]


def check(path: str, format: str) -> None:
    """Raises OutputError where records of a format cannot be marked."""
    if format not in _MARKS:
        raise OutputError(f"{path}: {_NOT_MARKED.format(format)}")


def mark(source: Source, raw: Raw, note: Note | None) -> list[Edit]:
    """Writes a note on the record: a member of the JSON object, the last columns of a CSV file; on a record of a WARC
    file nothing, see :func:`metadata`. Without a note, columns stay empty.

    What UTF-8 cannot hold is told as an escape. Raises OutputError for a format in which that cannot be, and for a JSON
    line that has such a member.
    """
    if source.format not in _MARKS:
        raise OutputError(_NOT_MARKED.format(source.format))
    return _MARKS[source.format](source, raw, note)


def _mark_line(source: Source, raw: Raw, note: Note | None) -> list[Edit]:
    line = bytes(raw).decode("utf-8")
    if (MEMBER in line or "\\u" in line) and any(key == MEMBER for key, *_ in members(line)):
        raise OutputError(_MARKED_BEFORE.format(f"a member {MEMBER}"))
    if note is None:
        return []
    inner = line.rstrip()[:-1]
    separator = "" if inner.rstrip().endswith("{") else ", "
    member = json.dumps({MEMBER: note}, ensure_ascii=True)[1:-1]
    return [Edit(len(inner.encode()), b"", f"{separator}{member}".encode("ascii"))]


def _mark_row(source: Source, raw: Raw, note: Note | None) -> list[Edit]:
    end = _line_end(raw)
    cells = [_writable((note or {}).get(name, "")) for name in NOTES]
    return [Edit(end, b"", _cells(cells, source.delimiter or DELIMITERS[source.format]))] if end else []


def _mark_cells(source: Source, raw: Raw, note: Note | None) -> list[Edit]:
    """As a row of a table is told when it is read with the columns for notes."""
    if raw[-1:] != b"}":
        raise OutputError("a row of columns that share a name cannot be marked; divert copies")
    told = {f"{PREFIX}{name}": _writable((note or {}).get(name)) for name in NOTES}
    member = json.dumps(told, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return [Edit(len(raw) - 1, b"", f",{member}".encode())]


def metadata(source: Source, raw: bytes, note: Note) -> bytes:
    """The note on a record of a WARC file: a record of its own, to follow that one."""
    return warc.metadata(raw, {name: _writable(value) for name, value in note.items()}, source.place)


_MARKS: dict[str, Callable[[Source, Raw, Note | None], list[Edit]]] = {
    JSONL: _mark_line,
    **dict.fromkeys(DELIMITERS, _mark_row),
    **dict.fromkeys((PARQUET, ARROW), _mark_cells),
    **dict.fromkeys(WARCS, lambda source, raw, note: []),
}


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
    return bytes(applied(header, [Edit(_line_end(header), b"", cells)]))


def _line_end(raw: Raw) -> int:
    """Where the ends of lines at the end begin."""
    end = len(raw)
    while end and raw[end - 1] in b"\r\n":
        end -= 1
    return end


def _writable(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _cells(values: list[Any], delimiter: str) -> bytes:
    """Further cells of a row."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(["", *values])
    return out.getvalue().encode("utf-8")
