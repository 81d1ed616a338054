"""What is compressed is unpacked as it is read.

Enters: a stream of packed bytes and the name of the compression. Leaves: a stream of what was packed, which raises
OSError where that is damaged or ends too soon.

The standard modules drop the block in which they meet an error, so that records which are whole are lost with those
that are damaged. Here everything before the damage is delivered first, and the error is raised after.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER = 1 << 20
_PACKED = 1 << 16  # compressed bytes taken at a time
_GZIP = 16 + zlib.MAX_WBITS  # a gzip header and trailer round the deflate stream


class UnreadableError(OSError):
    """An input cannot be read, or not further; its text is the whole reason."""


class Gunzip(io.RawIOBase):
    """The bytes inside a gzip stream of one or more members.

    Truncation and corruption raise ``UnreadableError``, after all that could be unpacked has been read.
    """

    def __init__(self, packed: io.RawIOBase | BinaryIO) -> None:
        self._packed = packed
        self._inflate = zlib.decompressobj(_GZIP)
        self._input = b""
        self._output = memoryview(b"")
        self._between = False  # a member has ended and no other has begun
        self._count = 0
        self._damage: str | None = None
        self._ended = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._packed.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._output and not self._ended:
            self._output = memoryview(self._unpack())
            self._count += len(self._output)
        if not self._output and self._damage:
            raise UnreadableError(f"{self._damage} after {self._count:,} bytes of its content")
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._output))
        view[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _unpack(self) -> bytes:
        """The next bytes out; empty where none came yet, or at the end."""
        if not self._input:
            self._input = self._packed.read(_PACKED) or b""
            if not self._input:
                return self._finish()
        if self._between:
            self._input = self._input.lstrip(b"\0")  # padding, as gzip itself allows
            if not self._input:
                return b""
            self._inflate = zlib.decompressobj(_GZIP)
            self._between = False
        before = self._inflate.copy()
        try:
            output = self._inflate.decompress(self._input, _BUFFER)
        except zlib.error as error:
            self._ended = True
            self._damage = f"damaged gzip data ({str(error).rpartition(': ')[2]}), seen"
            return _salvage(before, self._input)
        self._between = self._inflate.eof
        self._input = self._inflate.unused_data if self._between else self._inflate.unconsumed_tail
        return output

    def _finish(self) -> bytes:
        self._ended = True
        if self._between:
            return b""
        self._damage = "truncated gzip data: it ends"
        return self._inflate.flush()


def _salvage(inflate: zlib._Decompress, packed: bytes) -> bytes:
    """What comes out before the error: byte by byte, since zlib drops the output of a failing call."""
    output = []
    for position in range(len(packed)):
        try:
            output.append(inflate.decompress(packed[position : position + 1]))
        except zlib.error:
            break
    return b"".join(output)
