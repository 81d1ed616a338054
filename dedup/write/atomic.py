"""Output files that appear whole or not at all.

Enters: a path. Leaves: a stream to write to; when the block ends well the file stands under its name,
complete and on the disk, and when it does not, whatever stood there before is untouched.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from ..errors import OutputError

_PART = re.compile(r"\.dedup\.[0-9a-f]{8}\.part")


def check(path: str) -> None:
    """Raise OutputError if no file could be written under this name; asked before long work begins."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise OutputError(f"{path}: is a directory; expected the name of a file to write")
    if not os.path.isdir(folder):
        raise OutputError(f"{path}: cannot be written: its directory does not exist")
    needed = [folder] if _is_replaceable(path) else []
    needed += [path] if os.path.exists(path) else []
    if not all(os.access(place, os.W_OK) for place in needed):
        raise OutputError(f"{path}: cannot be written: permission denied")


@contextmanager
def whole_file(path: str, lasting: bool = True) -> Iterator[BinaryIO]:
    """A stream that becomes the file ``path`` when the block ends without an exception.

    It is written aside, in the same directory, flushed to the disk and then renamed. A link is followed, an
    existing file keeps its mode, and what is no regular file (``/dev/null``, a named pipe) is written to
    directly. Unless it is to be ``lasting``, nobody waits for the disk, and a crash of the system may damage it.
    """
    if not _is_replaceable(path):
        with open(path, "wb") as stream:
            yield stream
        return
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    aside = os.path.join(folder, f".dedup.{os.urandom(4).hex()}.part")
    try:
        with open(aside, "xb") as stream:
            with suppress(FileNotFoundError):
                os.chmod(aside, stat.S_IMODE(os.stat(target).st_mode))
            yield stream
            stream.flush()
            if lasting:
                os.fsync(stream.fileno())
        os.replace(aside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise
    if lasting:
        settle(folder)


def is_part(name: str) -> bool:
    """Whether a file is called like one that is being written here, or that an interrupted process left."""
    return _PART.fullmatch(name) is not None


def _is_replaceable(path: str) -> bool:
    """Whether the name is free, or stands for a regular file."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True


def settle(folder: str) -> None:
    """Brings what was named or renamed in a folder to the disk, where the system lets a folder be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
