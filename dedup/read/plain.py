"""Plain text (``.txt``, ``.md``), and files that are not read: the file is the record.

Enters: a path and its bytes. Leaves: one ``Document`` whose id is the path, or the reason why there is none.
Line ends stay as they are; a byte order mark is not part of the text.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from ..model import Document, Skipped, Source
from .aside import Long, aside
from .formats import Input
from .options import Options
from .reasons import reason
from .record import Record
from .stream import BUFFER, Stream

_PIECE = 1 << 16  # bytes read at a time where there is no buffer: room for all of most files


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """The file as one record."""
    return whole(found, stream, options, document)


def whole(
    found: Input, stream: Stream, options: Options, document: Callable[[str, bytes], Document | Skipped]
) -> Iterator[Record | Skipped]:
    """The file as one record, with the document in it. Of a damaged file there is none: half a text is not the text."""
    raw, error = _taken(stream.read1, BUFFER, options, stream.keeps)
    source = Source(found.path, None, 0)
    if error is not None:
        yield Record.of(raw, source)
        yield Skipped(found.path, reason(error))
    elif isinstance(raw, bytes):
        yield Record.of(raw, source, document(found.path, raw))
    else:
        yield Record.of(raw, source, Skipped(found.path, too_large(len(raw), options)))


def file(path: str, options: Options) -> Document | Skipped:
    """The document of a local file that is not packed, without the cost of a stream, which outweighs a small file's."""
    try:
        with io.FileIO(path, "rb") as opened:
            raw, error = _taken(opened.read, _PIECE, options, keeps=False)
    except OSError as failed:
        return Skipped(path, reason(failed))
    if error is not None:
        return Skipped(path, reason(error))
    return document(path, raw) if isinstance(raw, bytes) else Skipped(path, too_large(len(raw), options))


def unread(found: Input, stream: Stream, options: Options, why: str) -> Iterator[Record | Skipped]:
    """The file as one record without a document, for the reason given."""
    raw, error = _taken(stream.read1, BUFFER, options, stream.keeps)
    yield Record.of(raw, Source(found.path, None, 0), Skipped(found.path, why))
    if error is not None:
        yield Skipped(found.path, reason(error))


def document(path: str, data: bytes) -> Document | Skipped:
    """The text of a file as a document."""
    begin = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        text = data[begin:].decode("utf-8") if begin else data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Skipped(path, not_utf8(error, begin))
    return Document(path, text, Source(path, None, 0))


def not_utf8(error: UnicodeDecodeError, begin: int) -> str:
    """The reason for bytes that are not UTF-8, with the place of the first one in the (decompressed) file."""
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at byte offset {begin + error.start}"


def too_large(length: int, options: Options) -> str:
    """The reason for a record that is larger than allowed."""
    return f"{length:,} bytes, and --max-record-size allows {options.max_record_size:,}"


def _taken(
    read: Callable[[int], bytes], size: int, options: Options, keeps: bool
) -> tuple[bytes | Long, OSError | None]:
    """All bytes, or those before an error, and the error."""
    limit = options.max_record_size
    pieces: list[bytes] = []
    held = 0
    try:
        while piece := read(size):
            pieces.append(piece)
            held += len(piece)
            if limit and held > limit:
                long = aside(chain(pieces, iter(partial(read, size), b"")), keeps)
                return long, long.error
    except OSError as error:
        return b"".join(pieces), error
    return b"".join(pieces), None
