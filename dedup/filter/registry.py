"""What has to be known of a document when a copy of it comes.

Enters: documents, numbered in the order in which they come. Leaves: what the manifest says of a twin, and its text,
which lies on the disk meanwhile.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import Any, BinaryIO, cast

from ..errors import InputError, OutputError
from ..model import Document, Source
from ..read.again import Again

_BUFFER = 1 << 20  # bytes


@contextmanager
def temporary(what: str) -> Iterator[BinaryIO]:
    """An open file without a name, for ``what``. Raises OutputError where none can be made."""
    with ExitStack() as stack:
        with room(what):
            file = stack.enter_context(tempfile.TemporaryFile(buffering=_BUFFER, prefix="dedup-"))
        try:
            yield cast(BinaryIO, file)
        finally:
            with suppress(OSError):  # what is still to be written nobody needs any more
                file.close()


@contextmanager
def room(what: str) -> Iterator[None]:
    """An OSError becomes an OutputError that says what there is no room for."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{what} cannot be put into a temporary file: {reason}") from error


class Registry:
    """All documents that came; the first ``references`` of them are of the protected collection.

    Archived ones, which an index names, have numbers below zero.

    ``texts`` is an open file for the texts, to write and to read, but for those that ``again`` can read again.
    """

    def __init__(self, texts: BinaryIO, again: Again) -> None:
        self.ids: list[str] = []
        self.stays = bytearray()
        self.references = 0
        self._sources: list[Source] = []
        self._shas: list[bytes] = []
        self._file = texts
        self._lock = Lock()  # texts are put by one thread and read by another
        self._again = again
        self._hashes: dict[int, int] = {}  # of texts that are read again
        self._texts: dict[int, tuple[int, int]] = {}
        self._end = 0
        self._archived: list[Document] = []

    def archived(self, documents: Sequence[Document]) -> list[int]:
        """Numbers for archived documents; the texts are held."""
        before = len(self._archived)
        self._archived += documents
        return [-1 - place for place in range(before, len(self._archived))]

    def id(self, number: int) -> str:
        """The id of a document."""
        return self._archived[-1 - number].id if number < 0 else self.ids[number]

    def is_kept(self, number: int) -> bool:
        """Whether a document stays."""
        return number < 0 or bool(self.stays[number])

    def document(self, number: int) -> Document:
        """A document whose text was put."""
        return Document(self.ids[number], self.text(number), self._sources[number])

    def named(self, number: int) -> bytes:
        """What tells a document that came from others: its id, and the hash of its record."""
        return self.ids[number].encode("utf-8", "surrogatepass") + b"\0" + self._shas[number]

    def add(self, documents: Sequence[Document], shas: Iterable[bytes]) -> range:
        """Their numbers. They are taken to stay."""
        before = len(self.ids)
        self.ids += [document.id for document in documents]
        self._sources += [document.source for document in documents]
        self._shas += shas
        self.stays += b"\1" * len(documents)
        return range(before, len(self.ids))

    def put_texts(self, texts: Iterable[tuple[int, str]]) -> None:
        """Remembers texts by number. Raises OutputError where there is no room for them."""
        for number, text in texts:
            if self._again.can(self._sources[number]):
                self._hashes[number] = hash(text)
                continue
            data = text.encode("utf-8", "surrogatepass")
            with self._lock, room("texts that stay"):
                self._file.seek(self._end)
                self._file.write(data)
            self._texts[number] = (self._end, len(data))
            self._end += len(data)

    def text(self, number: int) -> str:
        """A text that was put. Raises InputError where its file has changed since."""
        if number < 0:
            return self._archived[-1 - number].text
        if number in self._hashes:
            text = self._again.text(self._sources[number])
            if hash(text) != self._hashes[number]:
                raise InputError(f"{self._sources[number].path}: changed while it was read")
            return text
        start, length = self._texts[number]
        with self._lock, room("texts that stay"):  # what was put is written now, at the latest
            self._file.flush()
            if hasattr(os, "pread"):  # past the buffer, which would read far more
                data = os.pread(self._file.fileno(), length, start)
            else:
                self._file.seek(start)
                data = self._file.read(length)
        return data.decode("utf-8", "surrogatepass")

    def twin(self, number: int) -> dict[str, Any]:
        """A document that stays, for the manifest."""
        if number < 0:
            document = self._archived[-1 - number]
            path, line, offset, version = document.source
            place = {"path": path, "line": line, "byte_offset": offset}
            return {"id": document.id, **place, "sha256": None, "archived": version}
        source = self._sources[number]
        found = {
            "id": self.ids[number],
            "path": source.path,
            "line": source.line,
            "byte_offset": source.byte_offset,
            "sha256": self._shas[number].hex(),
        }
        return {**found, "reference": True} if number < self.references else found
