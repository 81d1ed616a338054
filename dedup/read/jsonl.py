"""JSON lines (``.jsonl``, ``.ndjson``, standard input): a document a line.

Enters: a path and its lines as bytes. Leaves: a ``Document`` for each record, a ``Skipped`` named
``path:line`` for each line that holds none, and one named ``path`` where the file itself cannot be read on. Or
records: a line each, the blank lines between two others together.

Every line first meets orjson. What it refuses or cannot tell exactly (lone surrogates, NaN, whole numbers
above 64 bits, a byte order mark) is looked at again by the standard module, which is slower and takes more.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import tee
from typing import Any

import orjson

from ..model import Document, Skipped, Source
from .aside import Long
from .formats import Input
from .lines import Blank, Line, Lines
from .options import Options
from .plain import not_utf8, too_large
from .reasons import reason
from .record import Record
from .stream import Stream

_KEYS_NAMED = 8
_ID_TYPES = frozenset((str, int, type(None)))  # not float: orjson makes one of a whole number above 64 bits
_NO_ID = (None, "")
_BLANK = Skipped("", "a blank line")
_BLANKS = 1 << 16  # lines that make one record, at most


class _Whole(str):
    """A whole number as it is written, of any length; of its own type, so that it is no text."""


def documents(
    path: str, lines: Iterable[Line], options: Options, blank: Skipped | None = None
) -> Iterator[Document | Skipped]:
    """The documents of one file or stream. A record without an id of its own is called ``path:line``.

    In place of every blank line comes ``blank``, if there is one.
    """
    text_field, id_field = options.text_field, options.id_field
    loads: Any = orjson.loads  # also of a line that is set aside, which it refuses
    new = tuple.__new__  # what the classes themselves call, at half the cost
    number = offset = 0
    item: Document | Skipped | None
    try:
        for line in lines:
            number += 1
            try:
                record = loads(line)
                text = record[text_field]
                name = record.get(id_field)
            except (ValueError, TypeError, KeyError):
                text = name = None
            if type(text) is str and type(name) in _ID_TYPES:
                if name.__class__ is not str or not name:
                    name = f"{path}:{number}" if name in _NO_ID else str(name)
                yield new(Document, (name, text, new(Source, (path, number, offset, None))))
            else:
                if isinstance(line, Blank):
                    item, number = blank, number + line.lines - 1
                else:
                    item = _look_again(line, Source(path, number, offset), options) or blank
                if item is not None:
                    yield item
            offset += len(line)
    except OSError as error:
        yield Skipped(path, _as_far_as(error, number))


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """Every line as a record; blank lines in a row are one together, unless they are very many."""
    lines = Lines(stream, options)
    number, offset = 1, 0  # where the next record begins
    blank: list[bytes] = []
    count = 0  # of the lines in it
    error: OSError | None = None
    for line, item in _with_lines(found.path, lines, options):
        if blank and (item is not _BLANK or count >= _BLANKS):
            raw = b"".join(blank)
            yield Record(raw, Source(found.path, number, offset))
            number, offset = number + count, offset + len(raw)
            blank, count = [], 0
        if isinstance(item, OSError):
            error = item
        elif isinstance(line, Blank):
            blank.append(line.raw)
            count += line.lines
        elif item is _BLANK and isinstance(line, bytes):
            blank.append(line)
            count += 1
        elif item is not None:
            source = item.source if isinstance(item, Document) else Source(found.path, number, offset)
            yield Record.of(line, source, item)
            number, offset = number + 1, offset + len(line)
    if error is not None:
        if len(lines.rest):
            yield Record.of(lines.rest, Source(found.path, number, offset))
        yield Skipped(found.path, _as_far_as(error, number - 1))


def _with_lines(
    path: str, lines: Iterable[Line], options: Options
) -> Iterator[tuple[Line, Document | Skipped | OSError | None]]:
    """Each line and what is in it; then the error at which the lines ended, or nothing."""
    one, other = tee(lines)
    try:
        yield from zip(one, documents(path, other, options, _BLANK), strict=False)
    except OSError as error:
        yield b"", error
    else:
        yield b"", None


def _look_again(line: bytes | Long, source: Source, options: Options) -> Document | Skipped | None:
    """The record in a line that orjson did not settle; None for a blank line."""
    where = f"{source.path}:{source.line}"
    if not isinstance(line, bytes):
        return Skipped(where, too_large(len(line), options))
    begin = source.byte_offset or 0
    if source.line == 1 and line.startswith(codecs.BOM_UTF8):
        line = line[len(codecs.BOM_UTF8) :]
        begin += len(codecs.BOM_UTF8)
    if not line.strip():
        return None
    try:
        record = json.loads(line.decode("utf-8").rstrip(), parse_int=_Whole)
    except UnicodeDecodeError as error:
        return Skipped(where, not_utf8(error, begin))
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        return Skipped(where, f"not JSON: {what[:1].lower()}{what[1:]} at column {error.colno}")
    except RecursionError:
        return Skipped(where, "not JSON that can be read: nested too deeply")
    problem = _problem(record, options.text_field)
    if problem:
        return Skipped(where, problem)
    name = record.get(options.id_field)
    ident = str(name) if isinstance(name, str) and name else where
    return Document(ident, record[options.text_field], source)


def _problem(record: Any, field: str) -> str | None:
    """What keeps a decoded record from being a document, or None."""
    if type(record) is not dict:
        return f"{_kind(record)}; expected an object with the field {field!r}"
    if field not in record:
        names = [repr(name) for name in record]
        more = ", …" if len(names) > _KEYS_NAMED else ""
        found = f"found {', '.join(names[:_KEYS_NAMED])}{more}" if names else "the object is empty"
        return f"no field {field!r}; {found}"
    if type(record[field]) is not str:
        return f"the field {field!r} holds {_kind(record[field])}; expected a string"
    return None


def _kind(value: Any) -> str:
    """A JSON value's kind, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, _Whole | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def values(raw: bytes) -> Mapping[str, Any]:
    """The fields of the record in a line; none where it is no object."""
    line = raw.removeprefix(codecs.BOM_UTF8)
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return {}
    return record if isinstance(record, dict) else {}


def _as_far_as(error: OSError, number: int) -> str:
    return f"{reason(error)}; read as far as line {number}"
