"""Outputs of a run that only tells what would come of it.

Enters: what :class:`~dedup.write.outputs.Outputs` is asked for. Leaves: streams that lead nowhere; or the error that
the run would end with, as far as it can be known without taking a name.
"""

from __future__ import annotations

import errno
import io
import os
from contextlib import suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from ..errors import OutputError
from .parts import check_folder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Rehearsal:
    """Stands for the outputs of a run. Nothing is there afterwards."""

    def file(self, path: str) -> BinaryIO:
        """A stream that leads nowhere. Raises OutputError where the file could not be written."""
        if os.path.isdir(path):
            raise OutputError.of(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
        if not os.path.exists(path) or os.path.isfile(path):
            _try(path, os.path.dirname(os.path.realpath(path)))
        return nowhere()

    def folder(self, path: str) -> str:
        """The path. Raises OutputError where the folder could not be written."""
        check_folder(path)
        _try(path, os.path.dirname(os.path.realpath(path)))
        return path

    def commit(self) -> None:
        """There is nothing to bring to its name."""

    def abandon(self) -> None:
        """There is nothing to remove."""


def nowhere() -> BinaryIO:
    """A stream of which nothing is kept."""
    return io.BufferedWriter(_Nowhere())


class _Nowhere(io.RawIOBase):
    """Like a file, it knows how far it was written, and can be gone back in."""

    def __init__(self) -> None:
        self._place = self._end = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        return self._place

    def write(self, data: ReadableBuffer, /) -> int:
        length = memoryview(data).nbytes
        self._place += length
        self._end = max(self._end, self._place)
        return length


def _try(path: str, folder: str) -> None:
    """Whether there can be such a file, and whether one can be in the folder."""
    try:
        with suppress(FileNotFoundError):
            os.stat(path)  # there are names that are too long, and links that lead to themselves
        with TemporaryFile(dir=folder):  # without a name
            pass
    except OSError as error:
        raise OutputError.of(path, error) from error
