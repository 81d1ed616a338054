"""What is compressed is unpacked as it is read.

Enters: a stream of packed bytes and the name of the compression. Leaves: a stream of what was packed, which raises
OSError where that is damaged or ends too soon.

The standard modules drop the block in which they meet an error, so that records which are whole are lost with those
that are damaged. Here what stands before the damage is delivered first, and the error is raised after: for gzip to
the byte, for the others, whose state cannot be copied, up to the last few thousand bytes before it. Output is taken
by parts, however much of it a little input makes.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from .reasons import UnreadableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP, BZIP2, XZ, ZSTD = "gzip", "bzip2", "xz", "zstd"

GZIP, BZIP2, XZ, ZSTD, LZ4 = "gzip", "bzip2", "xz", "zstd", "lz4"

_PACKED = 1 << 16  # compressed bytes read at a time
_GZIP = 16 + zlib.MAX_WBITS  # a gzip header and trailer round the deflate stream
BOMB = 200  # to 1; text that people write is packed 2 to 20 to 1, a crawled page seldom above 100 to 1
_XZ_MEMORY = 1 << 29  # bytes; the highest preset of xz needs an eighth of that


class _Decoder(Protocol):
    """What the decoders of bz2, lzma and compression.zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class DamagedError(Exception):
    """Packed bytes make no sense; ``salvage`` is what came out before them."""

    def __init__(self, text: str, salvage: bytes) -> None:
        super().__init__(text)
        self.salvage = salvage


class _Kind(NamedTuple):
    """A compression: what makes its decoder, what that raises, how many bytes go in and out at most in one call.

    What comes out of a call that fails is lost; small calls lose little.
    """

    new: Callable[[], _Decoder]
    errors: tuple[type[Exception], ...]
    fed: int = 1 << 10
    taken: int = 1 << 13


class Watched(io.RawIOBase):
    """A file that keeps an eye on the length of records."""

    def begin(self) -> None:
        """To be called where a record begins, give or take a buffer."""


class Unpack(Watched):
    """The bytes inside a compressed stream of one or more members, between which there may be zeros.

    Truncation and corruption raise ``UnreadableError``, after all that could be unpacked has been read. So does a
    record that is longer than ``limit`` (0: no limit) and was packed to less than a 200th. ``packed`` and ``unpacked``
    count the bytes so far, on either side.
    """

    def __init__(self, file: io.RawIOBase | BinaryIO, packing: str, limit: int = 0) -> None:
        self.packed = self.unpacked = 0
        self._limit = limit
        self._begun = (0, 0)  # both counts where the present record began, about
        self._file = file
        self._packing = packing
        self._kind = kind(packing)
        self._decoder = self._kind.new()
        self._input = memoryview(b"")
        self._output = memoryview(b"")
        self._between = False  # a member has ended and no other has begun
        self._damage: str | None = None
        self._ended = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def begin(self) -> None:
        self._begun = (self.unpacked, self.packed)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and not (filled and self._would_wait()):
            if not self._output and not self._ended:
                self._output = memoryview(self._unpack())
                self.unpacked += len(self._output)
                self._look_for_a_bomb()
            if not self._output and self._ended:
                break
            size = min(len(view) - filled, len(self._output))
            view[filled : filled + size] = self._output[:size]
            self._output = self._output[size:]
            filled += size
        if not filled and len(view) and self._damage:
            raise UnreadableError(f"{self._damage} after {self.unpacked:,} bytes of its content")
        return filled

    def _would_wait(self) -> bool:
        """Whether the next byte out needs more of the file, which may be a pipe that is slow."""
        return not (self._output or self._input or self._ended) and (
            self._between or self._decoder.needs_input
        )

    def _unpack(self) -> bytes:
        """The next bytes out; empty where none came yet, or at the end."""
        if not self._input and (self._between or self._decoder.needs_input):
            self._input = memoryview(self._file.read(_PACKED) or b"")
            if not self._input:
                return self._finish()
        if self._between:
            self._skip_padding()
            if not self._input:
                return b""
            self._decoder = self._kind.new()
            self._between = False
        fed = bytes(self._input[: self._kind.fed]) if self._decoder.needs_input else b""
        self._input = self._input[len(fed) :]
        self.packed += len(fed)
        try:
            output = self._decoder.decompress(fed, self._kind.taken)
        except self._kind.errors as error:
            self._ended = True
            self._damage = f"damaged {self._packing} data ({str(error).lower()}), seen"
            return error.salvage if isinstance(error, DamagedError) else b""
        if self._decoder.eof:
            self._between = True
            rest = self._decoder.unused_data or b""  # None where lz4 has none
            self.packed -= len(rest)
            self._input = memoryview(rest + bytes(self._input)) if rest else self._input
        return output

    def _look_for_a_bomb(self) -> None:
        length = self.unpacked - self._begun[0]
        share = length // (self.packed - self._begun[1] or 1)
        if self._limit and length > self._limit and share > BOMB and not self._damage:
            self._ended = True
            self._damage = (
                f"looks like a decompression bomb ({share:,} to 1, and no end of a record), stopped"
            )

    def _skip_padding(self) -> None:
        rest = bytes(self._input).lstrip(b"\0")  # as gzip and xz themselves allow
        self.packed += len(self._input) - len(rest)
        self._input = memoryview(rest)

    def _finish(self) -> bytes:
        self._ended = True
        if not self._between:
            self._damage = f"truncated {self._packing} data: it ends"
            if isinstance(self._decoder, Inflate):
                return self._decoder.flush()
        return b""


def kind(packing: str) -> _Kind:
    """The compression of this name. Raises ImportError where the package that it needs is missing."""
    if packing == GZIP:
        return _Kind(Inflate, (DamagedError,), _PACKED, 1 << 20)
    if packing == BZIP2:
        import bz2

        return _Kind(bz2.BZ2Decompressor, (OSError, ValueError, EOFError))
    if packing == XZ:
        import lzma

        return _Kind(lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY), (lzma.LZMAError, EOFError))
    if packing == ZSTD:
        zstd = zstandard()
        return _Kind(zstd.ZstdDecompressor, (zstd.ZstdError, EOFError))
    if packing == LZ4:
        return _Kind(import_module("lz4.frame").LZ4FrameDecompressor, (RuntimeError, EOFError))
    raise ValueError(packing)


def zstandard() -> Any:
    """The standard library's module for zstd, or for Python before 3.14 the package that it was made from."""
    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("backports.zstd")


class Inflate:
    """A gzip decoder like those of the other modules, but for one thing: nothing before damage is lost."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail and not self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def flush(self) -> bytes:
        """What is left where the data ends too soon."""
        return self._inflate.flush()

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        data = self._inflate.unconsumed_tail + data
        before = self._inflate.copy()
        try:
            return self._inflate.decompress(data, max(max_length, 0))
        except zlib.error as error:
            raise DamagedError(str(error).rpartition(": ")[2], _salvage(before, data)) from error


def _salvage(inflate: Any, packed: bytes) -> bytes:
    """What comes out before the error: byte by byte, since zlib drops the output of a failing call."""
    output = []
    for position in range(len(packed)):
        try:
            output.append(inflate.decompress(packed[position : position + 1]))
        except zlib.error:
            break
    return b"".join(output)
