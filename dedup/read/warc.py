"""Web archives (``.warc``, ``.wet``): the page or text in a record is the document.

Enters: the stream. Leaves: every record with all its bytes, header and line ends included; bytes between two records
belong to the one before. Documents are in responses, resources and conversions: the main text of HTML, plain text as
it is, after any transfer and content encoding. Their id is the target URI.

fastwarc finds and reads the records, and goes on behind bytes that make none.
"""

from __future__ import annotations

import io
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from ..model import Document, Skipped, Source
from .aside import Growing
from .formats import Input
from .html import DeepError, decoded, main_text
from .options import Options
from .plain import too_large
from .reasons import reason, told
from .record import Record
from .stream import BUFFER, Stream

_HEADER = 1 << 20  # bytes of a header, at most
_PAGES = ("text/html", "application/xhtml+xml")
_TEXTS = ("text/plain",)
_KINDS = ("response", "resource", "conversion")  # of records that hold documents
_GZIP = b"\x1f\x8b"


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """Every record; bytes before the first one are a record of their own."""
    tee = _Tee(stream, options)
    begin, count = 0, 0
    item: Document | Skipped | None = Skipped("", "no WARC record")
    archive = parsed(tee)
    problem = None
    while True:
        try:
            record = next(archive, None)
            if record is None:
                break
            if record.stream_pos > begin:
                yield Record.of(
                    tee.bytes.cut(record.stream_pos - begin), Source(found.path, None, begin), item
                )
                begin = record.stream_pos
            stream.begin()
            count += 1
            item = document(record, Source(found.path, None, begin), options)
        except OSError as error:
            problem = reason(tee.error) if tee.error else damaged(error)
            item = None
            tee.read_all()
            break
    if len(tee.bytes):
        yield Record.of(tee.bytes.cut(len(tee.bytes)), Source(found.path, None, begin), item)
    if problem:
        yield Skipped(found.path, f"{problem}; read as far as record {count}")


def values(raw: bytes) -> Mapping[str, Any]:
    """The WARC headers of a record, which may be gzipped; none where it is damaged."""
    try:
        content = (
            zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(raw, _HEADER) if raw.startswith(_GZIP) else raw
        )
        record = next(parsed(io.BytesIO(content)), None)
    except (OSError, zlib.error):
        return {}
    headers: dict[str, str] = record.headers.to_dict() if record is not None else {}
    return headers


def parsed(file: Any) -> Iterator[Any]:
    """The records in a file as fastwarc's; raises OSError where it reads no further."""
    archive = import_module("fastwarc.warc").ArchiveIterator(
        file, parse_http=False, quirks_mode=True, stream_detect=False, max_header_len=_HEADER
    )
    return iter(archive)


def damaged(error: OSError) -> str:
    """The reason for what fastwarc makes nothing of."""
    return f"damaged WARC data ({told(error)})"


def document(record: Any, source: Source, options: Options) -> Document | Skipped | None:
    """The document in a record, why there is none, or None for a record whose kind holds none.

    Raises OSError where the file cannot be read on.
    """
    limit = options.max_record_size or sys.maxsize
    length = record.content_length
    pieces = []
    size = 0
    while piece := record.reader.read(BUFFER):
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
    kind = str(record.record_type)
    if not (record.headers.get("Content-Length") or "").strip().isdigit():
        return Skipped("", "damaged WARC data (a header without Content-Length)")
    if size < length:
        return Skipped("", f"truncated WARC data: {size:,} of the record's {length:,} bytes")
    if kind not in _KINDS:
        return None
    if size > limit:
        return Skipped("", too_large(size, options))
    try:
        text = _text(record, b"".join(pieces), options)
    except (_PayloadError, DeepError) as error:
        return Skipped("", str(error))
    name = (record.headers.get("WARC-Target-URI") or "").strip(" <>") or record.record_id
    return None if text is None else Document(name or f"{source.path}@{source.byte_offset}", text, source)


class _PayloadError(ValueError):
    """A payload cannot be read; its text is the reason."""


def _text(record: Any, block: bytes, options: Options) -> str | None:
    """The text in a record's block; None where its type is not one of text."""
    media = record.headers.get("Content-Type") or ""
    if record.is_http and str(record.record_type) == "response":
        payload, media = _payload(block, options)
    else:
        payload = block
    kind, _, parameters = media.partition(";")
    kind = kind.strip().lower()
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", parameters, re.IGNORECASE)
    if not kind and b"<html" in payload[:2048].lower():
        kind = _PAGES[0]
    if kind in _PAGES:
        return main_text(decoded(payload, charset and charset[1]), options)
    return decoded(payload, charset and charset[1]) if kind in _TEXTS else None


def _payload(block: bytes, options: Options) -> tuple[bytes, str]:
    """The body of an HTTP response without its encodings, and its content type.

    Crawlers store bodies that they have decoded under the headers as they came: what cannot be decoded and does not
    look packed is taken as it is.
    """
    try:
        return _decoded_payload(block, "all", options)
    except OSError as error:
        body, media = _decoded_payload(block, "none", options)
        if body.startswith(_GZIP):
            raise _PayloadError(f"damaged payload ({told(error)})") from error
        return body, media


def _decoded_payload(block: bytes, encodings: str, options: Options) -> tuple[bytes, str]:
    warc = import_module("fastwarc.warc")
    record = warc.WarcRecord()
    record.init_headers(warc.response)
    record.set_bytes_content(block)
    record.is_http = True
    record.parse_http(auto_decode=encodings, quirks_mode=True)
    if record.http_headers.status_code is None:
        raise _PayloadError("no HTTP header in the response")
    limit = options.max_record_size
    body: bytes = record.reader.read(limit + 1 if limit else -1)
    if limit and len(body) > limit:
        raise _PayloadError(f"a payload of more than the {limit:,} bytes that --max-record-size allows")
    return body, record.http_headers.get("Content-Type") or ""


class _Tee:
    """A stream as fastwarc wants it, whose bytes are kept from where the present record begins."""

    def __init__(self, stream: Stream, options: Options) -> None:
        self.bytes = Growing(stream.keeps, options.max_record_size)
        self.error: OSError | None = None
        self._stream = stream
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read1(size if size > 0 else BUFFER)
        except OSError as error:
            self.error = error
            raise
        self.bytes.add(data)
        self._place += len(data)
        return data

    def tell(self) -> int:
        return self._place

    def read_all(self) -> None:
        """Takes what is left, if it can be read at all."""
        with suppress(OSError):
            while self.error is None and self.read(BUFFER):
                pass
