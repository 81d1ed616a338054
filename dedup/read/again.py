"""Texts read again when they are asked for, so that they need not be held.

Enters: where a document came from. Leaves: its text. That its words are still the same is for the caller to
prove.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from ..errors import InputError
from ..model import Document, Skipped, Source
from . import documents, formats, jsonl, plain
from .options import Options

Key = tuple[str, Source]  # a document, by its id and where it came from

_DEFAULT = Options()
_SUFFIXES = {
    formats.TEXT: "txt",
    formats.HTML: "html",
    formats.JSONL: "jsonl",
    formats.CSV: "csv",
    formats.TSV: "tsv",
}  # of which earlier versions are read
_FILES = (formats.TEXT, formats.JSONL, formats.OTHER)  # other: read under another name, as the line says


class Again:
    """Reads records a second time, from regular files that are not compressed. To be closed, or used with ``with``."""

    def __init__(self, options: Options = _DEFAULT) -> None:
        self._options = options
        self._still: dict[str, bool] = {}
        self._path: str | None = None
        self._stream: BinaryIO | None = None

    def can(self, source: Source) -> bool:
        """Whether this document's bytes stand in a file at a place that can be gone to."""
        if source.path is None or source.path == formats.STDIN or source.archived is not None:
            return False
        if source.path not in self._still:
            is_regular = False
            with suppress(OSError):
                is_regular = stat.S_ISREG(os.stat(source.path).st_mode)
            _, format, packing = formats.named(source.path, self._options)
            self._still[source.path] = is_regular and not packing and format in _FILES
        return self._still[source.path]

    def text(self, source: Source) -> str:
        """The document's text. Raises InputError where it does not stand there any more."""
        if source.archived is not None:
            raise InputError(f"{source.path}: is archived, and is not looked for there")
        try:
            stream = self._opened(source)
            found: Document | Skipped | None
            if source.line is None:
                found = plain.document(str(source.path), stream.read())
            else:
                with _room_to_nest():
                    found = next(jsonl.documents(str(source.path), [stream.readline()], self._options), None)
        except OSError as error:
            raise InputError(f"{source.path}: cannot be read again: {error.strerror or error}") from error
        if not isinstance(found, Document):
            raise InputError(f"{source.path}: changed while it was read")
        return found.text

    def reads_earlier(self, path: str) -> bool:
        """Whether :meth:`earlier` reads what a file of this name held."""
        _, format, packing = formats.named(path, self._options)
        return format in _SUFFIXES and not packing

    def earlier(self, path: str, content: bytes) -> Iterator[Document]:
        """The documents in what a file held once, as if it were standard input; what cannot be read is passed over."""
        options = self._options._replace(input_format=_SUFFIXES[formats.named(path, self._options).format])
        for item in documents([formats.STDIN], options, stdin=io.BytesIO(content)):
            if isinstance(item, Document):
                yield item

    def _opened(self, source: Source) -> BinaryIO:
        if self._stream is None or self._path != source.path:
            self.close()
            self._path = source.path
            self._stream = io.BufferedReader(io.FileIO(str(source.path), "rb", opener=_at_once))
            if not stat.S_ISREG(os.fstat(self._stream.fileno()).st_mode):
                raise InputError(f"{source.path}: changed while it was read")
        self._stream.seek(source.byte_offset or 0)
        return self._stream

    def __enter__(self) -> Again:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file that was read last."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class Texts:
    """The texts of documents, by id and source: read again, or held where that is not possible.

    ``keys`` are those of all documents that have passed, ``lengths`` their code points.
    """

    def __init__(self, again: Again) -> None:
        self._again = again
        self.keys: list[Key] = []
        self.lengths = array("q")
        self._held: dict[Key, str] = {}
        self._last: tuple[Key | None, str] = (None, "")

    def passing(
        self, items: Iterable[Document | Skipped], look: Callable[[Document], None] = lambda document: None
    ) -> Iterator[Document | Skipped]:
        """Passes everything on; each document is looked at, and its text held where it cannot be read again."""
        for item in items:
            if isinstance(item, Document):
                look(item)
                self.keys.append((item.id, item.source))
                self.lengths.append(len(item.text))
                if not self._again.can(item.source):
                    self._held[self.keys[-1]] = item.text
            yield item

    def hold(self, documents: Iterable[Document]) -> None:
        """Takes documents that have not passed: archived ones."""
        self._held.update(((document.id, document.source), document.text) for document in documents)

    def get(self, document: str, source: Source) -> str | None:
        """A document's text; None where it has changed meanwhile."""
        try:
            return self.text((document, source))
        except InputError:
            return None

    def reads_earlier(self, path: str) -> bool:
        """Whether :meth:`earlier` reads what a file of this name held."""
        return self._again.reads_earlier(path)

    def earlier(self, path: str, content: bytes) -> Iterator[Document]:
        """The documents in what a file held once, as :meth:`Again.earlier` gives them."""
        return self._again.earlier(path, content)

    def close(self) -> None:
        """Closes the file that was read last."""
        self._again.close()

    def measured(self) -> Iterator[tuple[Key, int]]:
        """All documents that have passed, and their lengths in code points."""
        return zip(self.keys, self.lengths, strict=True)

    def text(self, key: Key) -> str:
        """A document's text. Raises InputError where it has changed meanwhile."""
        if key in self._held:
            return self._held[key]
        if key != self._last[0]:
            self._last = (key, self._again.text(key[1]))
        return self._last[1]


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting for anyone: the file may have become a named pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def _room_to_nest() -> Iterator[None]:
    """The standard JSON module nests as deep as the stack allows, which is higher here than where it read first."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 200)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
