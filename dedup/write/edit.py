"""Changes inside a record that leave every other byte as it is, and can be undone.

Enters: a record's bytes, and what to take out of its text or to note on it. Leaves: :class:`Edit` s; the changed bytes
(:func:`applied`), and from those the first ones again (:func:`undone`).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import OutputError

#: What follows the last word of a sentence and goes with it.
_STOPS = re.compile(r"[.,;:!?…。！？；，、]*[\"'’”»)\]]*")
_BEGINS = re.compile(r"(?:^|[\n.!?…。！？])[\s\"'“‘«([]*\Z")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]*")
_SPACE = re.compile(r"[ \t\r\n]*")

#: One code point of a JSON string as it is written.
_WRITTEN = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)


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


def cut(format: str, raw: bytes, text: str, spans: Iterable[tuple[int, int]], field: str) -> list[Edit]:
    """Takes spans of code points out of the record's text. Raises OutputError for a format in which that cannot be."""
    places = sorted(spans)
    if format == "text":
        return _from_plain(raw, text, places)
    if format == "jsonl":
        return _from_json(raw, places, field)
    raise OutputError(
        f"passages cannot be cut out of {format}; cut text files or JSON lines, or divert copies"
    )


def mark(format: str, raw: bytes, note: dict[str, Any], name: str) -> list[Edit]:
    """Adds a member ``name`` to the record. Raises OutputError for a format in which that cannot be."""
    if format != "jsonl":
        raise OutputError(f"records of {format} cannot be marked; mark JSON lines, or divert copies")
    end = raw.rstrip().rfind(b"}")
    is_first = raw[:end].rstrip().endswith(b"{")
    member = json.dumps({name: note}, ensure_ascii=True)[1:-1].encode("ascii")
    return [Edit(end, b"", (b"" if is_first else b", ") + member)]


def _from_plain(raw: bytes, text: str, places: list[tuple[int, int]]) -> list[Edit]:
    edits = []
    done, at = 0, len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    for start, end in places:
        at += len(text[done:start].encode())
        gone = text[start:end].encode()
        edits.append(Edit(at, gone, b""))
        done, at = end, at + len(gone)
    return edits


def _from_json(raw: bytes, places: list[tuple[int, int]], field: str) -> list[Edit]:
    line = raw.decode("utf-8")
    begin, end = _literal(line, field)
    wanted = sorted({place for span in places for place in span})
    found: dict[int, int] = {}
    count = 0
    at = begin
    ahead = iter(wanted)
    target = next(ahead, None)
    while target is not None:
        if count == target:
            found[target] = at
            target = next(ahead, None)
            continue
        step = _WRITTEN.match(line, at, end)
        assert step is not None
        at, count = step.end(), count + 1
    edits = []
    done, offset = 0, 0
    for first, last in places:
        offset += len(line[done : found[first]].encode())
        gone = line[found[first] : found[last]].encode()
        edits.append(Edit(offset, gone, b""))
        done, offset = found[last], offset + len(gone)
    return edits


def _literal(line: str, field: str) -> tuple[int, int]:
    """Where the string under a key of the outermost object stands, without quotes; the last of equal keys counts."""
    decoder = json.JSONDecoder(strict=False)
    at = _space(line, 1 if line.startswith("\ufeff") else 0) + 1
    found = None
    while True:
        at = _space(line, at)
        if line[at] == "}":
            break
        if line[at] == ",":
            at = _space(line, at + 1)
        key, at = decoder.raw_decode(line, at)
        at = _space(line, _space(line, at) + 1)
        _, end = decoder.raw_decode(line, at)
        if key == field:
            found = at + 1, end - 1
        at = end
    assert found is not None
    return found


def _space(line: str, at: int) -> int:
    match = _SPACE.match(line, at)
    return match.end() if match else at
