"""Compression of outputs: the one that the name says, as the readers unpack it.

Enters: a stream of packed bytes. Leaves: a stream to write the content to, until the end of the block; the other stream
stays open. Nothing of the machine or the moment goes into the bytes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from importlib import import_module
from typing import Any, BinaryIO

from ..errors import DependencyError
from ..read.compression import BZIP2, GZIP, LZ4, XZ, ZSTD
from ..read.formats import PACKINGS, SHORT

_GZIP_LEVEL = 6


def packing_of(path: str) -> str:
    """The compression that a name asks for, or nothing."""
    lower = path.lower()
    for short, long in SHORT.items():
        if lower.endswith(short):
            lower = long
    return next((kind for suffix, kind in PACKINGS.items() if lower.endswith(suffix)), "")


class Members:
    """Gzip, a member for each record."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def add(self, pieces: Iterable[bytes]) -> None:
        """The bytes of a record, piece by piece; there is no member of nothing."""
        member: gzip.GzipFile | None = None
        for piece in filter(None, pieces):
            member = member or gzip.GzipFile("", "wb", _GZIP_LEVEL, self._stream, mtime=0)
            member.write(piece)
        if member is not None:
            member.close()


@contextmanager
def packed(stream: BinaryIO, packing: str, members: bool = False) -> Iterator[BinaryIO | Members]:
    """The stream to write content to. Raises DependencyError where a package is missing.

    With ``members`` each record becomes a member of gzip, as web archives want it.
    """
    if not packing:
        yield stream
    elif members and packing == GZIP:
        yield Members(stream)
    else:
        with closing(_OPENED[packing](stream)) as whole:
            yield whole


def _module(*names: str, extra: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise DependencyError(f"writing {extra} needs {names[-1]}; pip install 'dedup-spans[{extra}]'")


def _begun(file: Any) -> Any:
    """A file of zstd in which a frame is begun: of nothing, too, it would hold none otherwise."""
    file.write(b"")
    file.flush(file.FLUSH_BLOCK)
    return file


_OPENED: dict[str, Callable[[BinaryIO], Any]] = {
    GZIP: lambda stream: gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0),
    BZIP2: lambda stream: bz2.BZ2File(stream, "wb"),
    XZ: partial(lzma.LZMAFile, mode="wb"),
    ZSTD: lambda stream: _begun(
        _module("compression.zstd", "backports.zstd", extra="zstd").ZstdFile(stream, "wb")
    ),
    LZ4: lambda stream: _module("lz4.frame", extra="lz4").LZ4FrameFile(stream, "wb"),
}
