"""What the tests of the readers share: a file is read as documents and as records, and the two must agree."""

from __future__ import annotations

from pathlib import Path

from dedup.model import Document, Skipped
from dedup.read import Input, Options, Record, documents, inputs, records

DEFAULT = Options()


def put(name: str, data: bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def found(name: str, data: bytes, options: Options = DEFAULT) -> tuple[Input, list[Record | Skipped]]:
    """A file with these bytes as an input, and its records.

    The tap must have seen the file, and what is read without records must be what is in them.
    """
    (entry,) = inputs([put(name, data)], options)
    assert isinstance(entry, Input)
    seen: list[bytes] = []
    items = list(records(entry, options, lambda chunk: seen.append(bytes(chunk))))
    assert b"".join(seen) == data
    told = [item if isinstance(item, Skipped) else item.document or item.skipped for item in items]
    assert [item for item in told if item is not None] == list(documents([name], options))
    return entry, items


def taken(name: str, data: bytes, options: Options = DEFAULT) -> list[Record]:
    """The records of a file in which nothing ends the reading."""
    items = found(name, data, options)[1]
    assert all(isinstance(item, Record) for item in items)
    return [item for item in items if isinstance(item, Record)]


def content(items: list[Record]) -> bytes:
    """The bytes of all records; each begins where it says."""
    whole = b""
    for item in items:
        assert item.source.byte_offset == len(whole)
        whole += bytes(item.raw)
    return whole


def texts(items: list[Record] | list[Document | Skipped]) -> list[str]:
    """The texts of all documents."""
    told = [item.document if isinstance(item, Record) else item for item in items]
    return [item.text for item in told if isinstance(item, Document)]
