"""Changes inside a record that leave every other byte as it is, and can be undone.

Enters: a record's bytes and :class:`Edit` s, which ``cut`` and ``mark`` make. Leaves: the changed bytes
(:func:`applied`), and from those the first ones again (:func:`undone`). A record that lies in a file goes by in pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from mmap import mmap
from typing import NamedTuple

from ..read.aside import aside
from ..read.formats import ARROW, CSV, JSONL, PARQUET, TSV, WARC, WARC_GZ
from ..read.record import parts

#: Formats whose records are JSON objects: lines, and the rows of tables as they are told.
JSON_LIKE = (JSONL, PARQUET, ARROW)
DELIMITERS = {CSV: ",", TSV: "\t"}
WARCS = (WARC, WARC_GZ)

Raw = bytes | mmap


class Source(NamedTuple):
    """What has to be known of where a record stands: its format, the field of its text, and of a CSV file the header
    and what separates fields (if it is not what the format is named after). ``place`` tells it from all others."""

    format: str
    field: str
    header: bytes = b""
    delimiter: str = ""
    place: str = ""


class Edit(NamedTuple):
    """At byte ``at`` of the record as it came, ``removed`` went and ``inserted`` came in its place."""

    at: int
    removed: bytes
    inserted: bytes


def applied(raw: Raw, edits: Iterable[Edit]) -> Raw:
    """The record with its edits, which stand in order and do not overlap."""
    return _changed(raw, ((edit.at, len(edit.removed), edit.inserted) for edit in edits))


def undone(data: Raw, edits: Iterable[Edit]) -> Raw:
    """The record as it came."""
    changes, shift = [], 0
    for edit in edits:
        changes.append((edit.at + shift, len(edit.inserted), edit.removed))
        shift += len(edit.inserted) - len(edit.removed)
    return _changed(data, changes)


def _changed(data: Raw, changes: Iterable[tuple[int, int, bytes]]) -> Raw:
    """The data with other bytes in the place of some: from where, how many, which."""

    def pieces() -> Iterator[bytes]:
        done = 0
        for at, length, other in changes:
            yield from parts(data, done, at)
            yield other
            done = at + length
        yield from parts(data, done)

    return b"".join(pieces()) if isinstance(data, bytes) else aside(filter(None, pieces()), True).raw
