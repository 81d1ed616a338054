"""JSON lines (``.jsonl``, ``.ndjson``, standard input): a document a line.

Enters: a path and its lines as bytes. Leaves: a ``Document`` for each record, a ``Skipped`` named
``path:line`` for each line that holds none, and one named ``path`` where the file itself cannot be read on.

Every line first meets orjson. What it refuses or cannot tell exactly (lone surrogates, NaN, whole numbers
above 64 bits, a byte order mark) is looked at again by the standard module, which is slower and takes more.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from ..model import Document, Skipped, Source
from .plain import not_utf8
from .stream import reason

_KEYS_NAMED = 8
_ID_TYPES = frozenset((str, int, type(None)))  # not float: orjson makes one of a whole number above 64 bits
_NO_ID = (None, "")


class Fields(NamedTuple):
    """The names under which a record holds its text and its id."""

    text: str
    id: str


class _Whole(str):
    """A whole number as it is written, of any length; of its own type, so that it is no text."""


def documents(path: str, lines: Iterable[bytes], fields: Fields) -> Iterator[Document | Skipped]:
    """The records of one file or stream. A record without an id of its own is called ``path:line``."""
    text_field, id_field = fields
    loads = orjson.loads
    new = tuple.__new__  # what the classes themselves call, at half the cost
    number = offset = 0
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
                yield new(Document, (name, text, new(Source, (path, number, offset))))
            else:
                item = _look_again(line, Source(path, number, offset), fields)
                if item is not None:
                    yield item
            offset += len(line)
    except OSError as error:
        yield Skipped(path, f"{reason(error)}; read as far as line {number}")


def _look_again(line: bytes, source: Source, fields: Fields) -> Document | Skipped | None:
    """The record in a line that orjson did not settle; None for a blank line."""
    where = f"{source.path}:{source.line}"
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
    problem = _problem(record, fields.text)
    if problem:
        return Skipped(where, problem)
    name = record.get(fields.id)
    ident = str(name) if isinstance(name, str) and name else where
    return Document(ident, record[fields.text], source)


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
