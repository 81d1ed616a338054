"""A record: one unit of an input as it came, and the document in it, if there is one.

Formats make records; ``scan`` takes the documents, ``filter`` carries the bytes on. The bytes of all records of an
input, one after the other, are its (unpacked) content, whole: what stands between two records belongs to one of
them or is a record of its own. Tables and archives are the exception: theirs are rows and members.
"""

from __future__ import annotations

import mmap as mmap_module
from collections.abc import Iterator
from mmap import mmap
from typing import Any, NamedTuple

from ..model import Document, Skipped, Source
from .aside import Long


class Record(NamedTuple):
    """One record.

    ``raw`` are its bytes; where they are more than was allowed they lie in a file that is mapped into memory (and they
    are not there where nobody wants them, see ``Stream.keeps``).
    ``document`` is None for what holds no text. Then ``reason`` says why, where that is worth a word to the user, and
    is None where it is in the record's nature (a blank line, a request in a WARC file). ``is_frame`` marks what
    every file of this format needs: the header of a CSV file. ``place`` is for the writer of the same format: the
    archive's entry, the table's batch and row.
    """

    raw: bytes | mmap
    source: Source
    document: Document | None = None
    reason: str | None = None
    is_frame: bool = False
    place: Any = None

    @classmethod
    def of(
        cls, raw: bytes | Long, source: Source, item: Document | Skipped | None = None, **more: Any
    ) -> Record:
        """A record with the document in it, or with the reason why there is none."""
        data = raw if isinstance(raw, bytes) else raw.raw
        if isinstance(item, Document):
            return cls(data, source, item, **more) if more else cls(data, source, item)
        return cls(data, source, None, item and item.reason, **more)

    @property
    def skipped(self) -> Skipped | None:
        """The entry in the skipped list, where there is something to say; it names the line, or the byte offset."""
        if self.reason is None:
            return None
        path, line, offset, _ = self.source
        if line is not None:
            return Skipped(f"{path}:{line}", self.reason)
        return Skipped(f"{path}@{offset}" if offset else str(path), self.reason)


_PART = 1 << 24  # bytes of a map looked at before they are let go


def parts(raw: bytes | mmap, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a record, piece by piece; of one that lies in a file little is in memory at a time."""
    if isinstance(raw, bytes):
        yield raw[start:end]
        return
    stop = len(raw) if end is None else end
    for at in range(start, stop, _PART):
        yield raw[at : min(at + _PART, stop)]
        if hasattr(raw, "madvise") and hasattr(mmap_module, "MADV_DONTNEED"):
            raw.madvise(mmap_module.MADV_DONTNEED)
