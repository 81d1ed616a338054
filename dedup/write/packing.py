"""Compression of outputs: the one that the name says, as the readers unpack it.

Enters: a stream of packed bytes. Leaves: a stream to write the content to; closing it ends the compression and leaves
the other stream open. Nothing of the machine or the moment goes into the bytes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import BinaryIO, cast

from ..errors import DependencyError

#: Compressions by the suffix of a name.
PACKINGS = {".gz": "gzip", ".tgz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".lzma": "lzma", ".zst": "zstd"}

_GZIP_LEVEL = 6


def packing_of(path: str) -> str:
    """The compression that a name asks for, or nothing."""
    lower = path.lower()
    return next((kind for suffix, kind in PACKINGS.items() if lower.endswith(suffix)), "")


def packed(stream: BinaryIO, packing: str) -> BinaryIO:
    """The stream to write content to. Raises DependencyError where a package is missing."""
    if packing == "gzip":
        return cast(BinaryIO, gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0))
    if packing == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(stream, "wb"))
    if packing in ("xz", "lzma"):
        form = lzma.FORMAT_XZ if packing == "xz" else lzma.FORMAT_ALONE
        return cast(BinaryIO, lzma.LZMAFile(stream, "wb", format=form))
    if packing == "zstd":
        return _zstd(stream)
    return cast(BinaryIO, _Open(stream))


def _zstd(stream: BinaryIO) -> BinaryIO:
    try:
        import zstandard
    except ImportError:
        raise DependencyError("writing zstd needs zstandard; pip install 'dedup-spans[zstd]'") from None
    return cast(BinaryIO, zstandard.ZstdCompressor().stream_writer(stream, closefd=False))


class _Open:
    """A stream that stays open when this is closed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write
        self.flush = stream.flush

    def close(self) -> None:
        self.flush()
