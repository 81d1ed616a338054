"""Web archives with a gzip member for each record (``.warc.gz`` as the standard wants them).

Enters: the stream, still packed. Leaves: every member as a record, by its packed bytes: these, one after the other,
are the file, and any choice of them is again a file with a member for each record. ``byte_offset`` is the member's
place in the file, as an index of a web archive gives it.

Files that are packed otherwise (as one member) are read as WARC in gzip; the first member decides.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ..model import Document, Skipped, Source
from .aside import Growing, Long
from .compression import BOMB, GZIP
from .formats import WARC, WARC_GZ, Input
from .options import Options
from .plain import too_large
from .reasons import UnreadableError, reason
from .record import Record
from .stream import BUFFER, Stream, opened
from .warc import damaged, document, parsed

_TAKEN = 1 << 16  # packed bytes taken at a time
_GZIP = 16 + zlib.MAX_WBITS


class _Member(NamedTuple):
    """One gzip member: its bytes, its content unless that is too large, the content's length."""

    raw: bytes | Long
    content: bytes | None
    length: int


def shaped(found: Input, options: Options) -> Input:
    """The input as it is to be read: a gzipped WARC file whose first member is one record is read by members."""
    if (found.format, found.packing) != (WARC, GZIP):
        return found
    try:
        if not stat.S_ISREG(os.stat(found.path).st_mode):
            return found
        with opened(Input(found.path, WARC_GZ, ""), options) as stream:
            first = next(iter(_Members(stream, options)), None)
        is_one = first is not None and first.content is not None and _count(first.content) == 1
    except OSError:
        return found  # whoever reads it will tell
    return Input(found.path, WARC_GZ, "") if is_one else found


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """Every member as a record."""
    offset = count = 0
    members = _Members(stream, options)
    try:
        for member in members:
            source = Source(found.path, None, offset)
            yield Record.of(member.raw, source, _item(member, source, options))
            offset += len(member.raw)
            count += 1
    except OSError as error:
        rest = members.rest()
        if len(rest):
            yield Record.of(rest, Source(found.path, None, offset))
        yield Skipped(found.path, f"{reason(error)}; read as far as record {count}")


def _item(member: _Member, source: Source, options: Options) -> Document | Skipped | None:
    if member.content is None:
        return Skipped("", too_large(member.length, options))
    try:
        archive = parsed(io.BytesIO(member.content))
        record = next(archive, None)
        if record is None:
            return Skipped("", "no WARC record") if member.content.strip() else None
        item = document(record, source, options)
        more = sum(1 for _ in archive)
    except OSError as error:
        return Skipped("", damaged(error))
    if more:
        return Skipped("", f"{1 + more:,} records in one gzip member, and those before it have one each")
    return item


def _count(content: bytes) -> int:
    return sum(1 for _ in parsed(io.BytesIO(content)))


class _Members:
    """The gzip members of a stream, each with the zeros that may follow it. Raises OSError where there is damage."""

    def __init__(self, stream: Stream, options: Options) -> None:
        self._stream = stream
        self._limit = options.max_record_size or sys.maxsize
        self._raw = Growing(stream.keeps, options.max_record_size)

    def __iter__(self) -> Iterator[_Member]:
        data = self._read()
        while data:
            inflate = zlib.decompressobj(_GZIP)
            pieces: list[bytes] | None = []
            length = packed = 0
            while not inflate.eof:
                before = len(data)
                try:
                    output = inflate.decompress(data, BUFFER)
                except zlib.error as error:
                    raise UnreadableError(f"damaged gzip data ({str(error).rpartition(': ')[2]})") from error
                data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                packed += before - len(data)
                length += len(output)
                pieces = self._kept(pieces, output, length, packed)
                if not data and not inflate.eof:
                    data = self._read()
                    if not data and not output:
                        raise UnreadableError("truncated gzip data")
            data = self._behind_padding(data)
            content = None if pieces is None else b"".join(pieces)
            yield _Member(self._raw.cut(len(self._raw) - len(data)), content, length)

    def rest(self) -> bytes | Long:
        """What has been read of the member in which there was an error, and all behind it."""
        with suppress(OSError):
            while self._read():
                pass
        return self._raw.cut(len(self._raw))

    def _read(self) -> bytes:
        data = self._stream.read1(_TAKEN)
        self._raw.add(data)
        return data

    def _kept(
        self, pieces: list[bytes] | None, output: bytes, length: int, packed: int
    ) -> list[bytes] | None:
        if pieces is not None and length <= self._limit:
            pieces.append(output)
            return pieces
        share = length // (packed or 1)
        if share > BOMB:
            raise UnreadableError(f"looks like a decompression bomb ({share:,} to 1, and no end of a record)")
        return None

    def _behind_padding(self, data: bytes) -> bytes:
        data = data.lstrip(b"\0")
        while not data:
            data = self._read()
            if not data:
                break
            data = data.lstrip(b"\0")
        return data
