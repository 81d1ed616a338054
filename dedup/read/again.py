"""Texts read again when they are asked for, so that they need not be held.

Enters: where a document came from. Leaves: its text. That the text is still the same is for the caller to
prove.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import BinaryIO

from ..errors import InputError
from ..model import Document, Skipped, Source
from . import jsonl, plain


class Again:
    """Reads records a second time, from regular files that are not compressed. To be closed, or used with ``with``."""

    def __init__(self, text_field: str = "text", id_field: str = "id") -> None:
        self._fields = jsonl.Fields(text_field, id_field)
        self._still: dict[str, bool] = {}
        self._path: str | None = None
        self._stream: BinaryIO | None = None

    def can(self, source: Source) -> bool:
        """Whether this document's bytes stand in a file at a place that can be gone to."""
        if source.path is None:
            return False
        if source.path not in self._still:
            is_regular = False
            with suppress(OSError):  # standard input has no file of its name
                is_regular = stat.S_ISREG(os.stat(source.path).st_mode)
            self._still[source.path] = is_regular and not source.path.lower().endswith(".gz")
        return self._still[source.path]

    def text(self, source: Source) -> str:
        """The document's text. Raises InputError where it does not stand there any more."""
        try:
            stream = self._opened(source)
            found: Document | Skipped | None
            if source.line is None:
                found = plain.document(str(source.path), stream)
            else:
                line = stream.readline()
                found = next(jsonl.documents(str(source.path), [line], self._fields), None)
        except OSError as error:
            raise InputError(f"{source.path}: cannot be read again: {error.strerror or error}") from error
        if not isinstance(found, Document):
            raise InputError(f"{source.path}: changed while it was read")
        return found.text

    def _opened(self, source: Source) -> BinaryIO:
        if self._stream is None or self._path != source.path:
            self.close()
            self._path, self._stream = source.path, open(str(source.path), "rb")  # noqa: SIM115 - closed by close()
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
