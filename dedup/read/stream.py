"""Open an input as a buffered stream of bytes: unpacked, watched over, and passed by whoever wants to see it.

Enters: an ``Input``. Leaves: a binary stream that raises OSError where the input cannot be read on, or where it looks
like a decompression bomb. On the way from the file to the reader the bytes go by the tap, then they are unpacked.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from . import remote
from .aside import Spool
from .compression import Unpack, Watched
from .formats import STDIN, Input
from .options import Options
from .reasons import UnreadableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Is given the bytes of a file as they are read, before they are unpacked, and none where it ends. A view is good for
#: the call only.
Tap = Callable[[bytes | memoryview], object]

BUFFER = 1 << 20


class Stream(io.BufferedReader):
    """The unpacked bytes of an input, for the caller to close.

    ``keeps`` says whether the bytes of records are wanted, or only the documents in them.
    """

    def __init__(
        self, file: io.RawIOBase, packing: str, options: Options, tap: Tap | None = None, keeps: bool = True
    ) -> None:
        self._file = file
        self._seekable: BinaryIO | None = None
        self._is_drained = tap is None
        self._packed = Tapped(file, tap) if tap else file
        self._unpack = Unpack(self._packed, packing, options.max_record_size) if packing else None
        self._watched = [part for part in (file, self._unpack) if isinstance(part, Watched)]
        super().__init__(self._unpack or self._packed, BUFFER)
        self.keeps = keeps

    def begin(self) -> None:
        """To be called where a record begins, for an eye to be kept on its length."""
        for part in self._watched:
            part.begin()

    def drain(self) -> None:
        """Reads the file to its end, past any damage, for the tap to see. Raises OSError."""
        while not self._is_drained and self._packed.read(BUFFER):
            pass
        self._is_drained = True

    def seekable_file(self) -> BinaryIO:
        """The content as a file that can be gone about in, closed with the stream; before anything is read.

        Where it is packed or comes through a pipe that is a temporary file. Raises OSError, and OutputError where
        there is no room for that.
        """
        if self._unpack is None and self._file.seekable():
            self.drain()
            self._file.seek(0)
            self._seekable = io.BufferedReader(self._file, BUFFER)
            return self._seekable
        spool = Spool()
        while piece := self.read1(BUFFER):
            spool.write(piece)
        self._seekable = spool.reader()
        return self._seekable

    def close(self) -> None:
        if self._seekable is not None:
            self._seekable.close()
        super().close()


class Tapped(io.RawIOBase):
    """A file that shows its bytes to ``tap`` as they are read."""

    def __init__(self, file: io.RawIOBase, tap: Tap) -> None:
        self._file = file
        self._tap = tap

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        view = memoryview(buffer).cast("B")
        size = self._file.readinto(view)
        if size is not None:
            self._tap(view[:size])
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


class _Given(io.RawIOBase):
    """A stream that someone else opened, and will close."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = getattr(stream, "read1", stream.read)  # read1 does not wait for more than there is

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read(len(view))
        view[: len(data)] = data
        return len(data)


def opened(
    found: Input,
    options: Options,
    *,
    tap: Tap | None = None,
    stdin: BinaryIO | None = None,
    keeps: bool = True,
) -> Stream:
    """The input's bytes, unpacked. Raises OSError."""
    file: io.RawIOBase
    if remote.is_remote(found.path):
        file = remote.opened(found.path)
    elif found.path != STDIN:
        file = io.FileIO(found.path, "rb")
    elif stdin is None and sys.stdin is None:
        raise UnreadableError("standard input is closed")
    else:
        file = _Given(stdin or sys.stdin.buffer)
    return Stream(file, found.packing, options, tap, keeps)
