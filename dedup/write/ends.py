"""Whether a record ends where its bytes do, so that another may follow it in one file.

Enters: the last record of an input, as it is written. Leaves: whether whoever reads on would take what follows for a
part of it: a file that is cut off amid a quoted field, a record of a web archive or a gzip member.
"""

from __future__ import annotations

import csv
import io
import zlib
from mmap import mmap

from ..read.formats import CSV, TSV, WARC, WARC_GZ
from ..read.record import parts
from .edit import DELIMITERS
from .warc import is_cut

_CHUNK = 1 << 20  # bytes that are unpacked at once
_MEMBER = 16 + zlib.MAX_WBITS  # with the header of gzip

#: Formats of which a record may be left open.
OPEN = (CSV, TSV, WARC, WARC_GZ)


def is_open(format: str, raw: bytes | mmap, separator: str = "") -> bool:
    """Whether what follows would be taken for a part of this record. ``separator`` is that of its fields."""
    if not len(raw):
        return False
    if format in DELIMITERS:
        return _is_open_row(raw, separator or DELIMITERS[format])
    if format == WARC_GZ:
        return _is_open_member(raw)
    return format == WARC and is_cut(raw)


def _is_open_row(raw: bytes | mmap, separator: str) -> bool:
    if not isinstance(raw, bytes):  # too large for the CSV reader: by its quotes, as it was read
        return sum(part.count(b'"') for part in parts(raw)) % 2 == 1
    lines = io.StringIO(raw.decode("utf-8", "replace") + "\nx", newline="")
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error:  # no field is open where the reader stops
        return False
    return rows[-1] != ["x"]


def _is_open_member(raw: bytes | mmap) -> bool:
    inflate = zlib.decompressobj(_MEMBER)
    for part in parts(raw):
        data = part
        while data:
            if inflate.eof:
                inflate = zlib.decompressobj(_MEMBER)
            try:
                inflate.decompress(data, _CHUNK)
            except zlib.error:
                return True
            data = inflate.unconsumed_tail or inflate.unused_data
    while not inflate.eof and inflate.decompress(b"", _CHUNK):  # what was held back
        pass
    return not inflate.eof
