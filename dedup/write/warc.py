"""Records that a filter adds to a web archive: a note on a record, and the stand-in for one that is set aside.

Enters: the bytes of a record as they came, gzipped or not. Leaves: the bytes of another one, gzipped likewise; the same
bytes for the same record. (ISO 28500:2017, sections 6.6 ``metadata``, 6.7 ``revisit``.) fastwarc reads and writes them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import uuid
from collections.abc import Mapping
from importlib import import_module
from mmap import mmap
from typing import Any, NamedTuple

_GZIP = b"\x1f\x8b"
_HEADER = 1 << 20  # bytes of a header, at most
_END = b"\r\n\r\n"  # of a header, and of a record
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]+)", re.IGNORECASE | re.MULTILINE)
_PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


class Capture(NamedTuple):
    """What a later record with the same payload has to say of this one. ``digest``: SHA-1 of the payload as stored."""

    uri: str
    date: str
    id: str
    digest: str
    http: bytes


def capture(raw: bytes) -> Capture | None:
    """The capture in a record; None where it is no HTTP response with a target and a date."""
    record = _parsed(raw)
    if record is None or str(record.record_type) != "response" or not record.is_http:
        return None
    uri = (record.headers.get("WARC-Target-URI") or "").strip(" <>")
    date = record.headers.get("WARC-Date") or ""
    http, separator, payload = record.reader.read().partition(_END)
    if not (uri and date and separator):
        return None
    digest = base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode("ascii")
    return Capture(uri, date, record.record_id, f"sha1:{digest}", http + separator)


def missing_end(raw: bytes | mmap) -> bytes:
    """What has to be written behind a record before the next one: the line ends that it lacks.

    Nothing where it has them, or is gzipped, or has no header that tells where its block ends.
    """
    begin = raw.find(_END, 0, _HEADER)
    length = _LENGTH.search(raw[:begin]) if begin >= 0 and raw[: len(_GZIP)] != _GZIP else None
    if length is None:
        return b""
    end = begin + len(_END) + int(length[1])
    tail = raw[end : end + len(_END)]
    return _END[len(tail) :] if _END.startswith(tail) else b""


def is_cut(raw: bytes | mmap) -> bool:
    """Whether what stands there is no record, or one that ends before its header or its block does, or behind it."""
    header = raw[:_HEADER]
    end = _HEADER_END.search(header)
    if end is None or not header.startswith(b"WARC/"):
        return bool(header.strip())
    length = _LENGTH.search(header[: end.start()])
    if length is None:
        return False
    behind = end.end() + int(length[1])
    return len(raw) < behind or bool(raw[behind : behind + _HEADER].strip(b"\r\n"))


def revisit(raw: bytes, twin: Capture, place: str) -> bytes | None:
    """A revisit record that stands for this one beside its twin; None where their payloads are not the same.

    ``place`` tells the record from others of the same bytes.
    """
    found = capture(raw)
    if found is None or found.digest != twin.digest:
        return None
    headers = {
        "WARC-Target-URI": found.uri,
        "WARC-Date": found.date,
        "WARC-Profile": _PROFILE,
        "WARC-Refers-To": twin.id,
        "WARC-Refers-To-Target-URI": twin.uri,
        "WARC-Refers-To-Date": twin.date,
        "WARC-Payload-Digest": found.digest,
        "Content-Type": "application/http; msgtype=response",
    }
    return _written("revisit", headers, found.http, (raw, place))


def metadata(raw: bytes, note: Mapping[str, Any], place: str) -> bytes:
    """A metadata record that tells the note of the record. ``place`` tells that one from others of the same bytes."""
    record = _parsed(raw)
    headers = {"Content-Type": "application/warc-fields"}
    if record is not None:
        told = record.headers.to_dict()
        headers |= {name: told[name] for name in ("WARC-Target-URI", "WARC-Date") if name in told}
        headers["WARC-Refers-To"] = record.record_id
    fields = "".join(f"dedup-{name.replace('_', '-')}: {value}\r\n" for name, value in note.items())
    return _written("metadata", headers, fields.encode("utf-8"), (raw, place))


def _parsed(raw: bytes) -> Any:
    content = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    archive = import_module("fastwarc.warc").ArchiveIterator(
        io.BytesIO(content), parse_http=False, quirks_mode=True
    )
    return next(iter(archive), None)


def _written(kind: str, headers: Mapping[str, str], block: bytes, about: tuple[bytes, str]) -> bytes:
    """A record about another, which is told by its bytes and its place."""
    raw, place = about
    warc = import_module("fastwarc.warc")
    record = warc.WarcRecord()
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {hashlib.sha256(raw).hexdigest()} {place}")
    record.init_headers(record_type=getattr(warc.WarcRecordType, kind), record_urn=f"uuid:{name}".encode())
    for header, value in headers.items():
        if value:  # a record without an id cannot be named
            record.headers[header] = value
    record.set_bytes_content(block)
    out = io.BytesIO()
    record.write(out, checksum_data=True)
    return gzip.compress(out.getvalue(), 6, mtime=0) if raw.startswith(_GZIP) else out.getvalue()
