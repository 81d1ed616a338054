"""Files elsewhere (``s3://``, ``https://``, any ``scheme://``), by way of fsspec.

Enters: a URL. Leaves: the URLs of the files under it, and a file. Credentials and endpoints are those that fsspec finds
in its own configuration and environment.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import DependencyError, InputError
from ..model import Skipped
from .reasons import UnreadableError, reason, told

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_WEB = ("http://", "https://")  # where a directory is only a page that links to files


def is_remote(path: str) -> bool:
    """Whether a path is a URL. (On Windows one letter and a colon are a drive.)"""
    return _SCHEME.match(path) is not None


def check(path: str) -> None:
    """Raises DependencyError without the packages that a URL needs, InputError where nothing is there."""
    system, place = _system(path)
    try:
        exists = system.exists(place)
    except Exception as error:  # each file system has errors of its own
        raise InputError(f"{path}: {_told(error)}") from error
    if not exists:
        raise InputError(f"{path}: no such file or directory")


def files(path: str) -> Iterator[str | Skipped]:
    """The URLs of all files under a URL, in the order of their names; itself where it is a file."""
    system, place = _system(path)
    try:
        names = sorted(system.find(place)) if not path.startswith(_WEB) and system.isdir(place) else None
    except Exception as error:
        yield Skipped(path, _told(error))
        return
    if names is None:
        yield path
    elif not names:
        yield Skipped(path, "no readable files")
    else:
        yield from (str(system.unstrip_protocol(name)) for name in names)


def opened(path: str) -> io.RawIOBase:
    """The file's bytes. Raises OSError."""
    system, place = _system(path)
    try:
        if path.startswith(_WEB):  # servers need not know how to give parts of a file: it is read as it comes
            return _Remote(system.open(place, "rb", block_size=0), is_seekable=False)
        return _Remote(system.open(place, "rb"), is_seekable=True)
    except Exception as error:
        raise UnreadableError(_told(error)) from error


def key(path: str) -> str:
    """What to know one file by: the URL as its file system writes it, on this machine where the file really is."""
    system, place = _system(path)
    if "file" in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol):
        return os.path.realpath(place)
    return str(system.unstrip_protocol(place))


def on_this_machine(path: str) -> list[str]:
    """The files and folders of this machine that a URL speaks of, also as the source of another one (``zip://…::…``)."""
    core, local = _fsspec(path, "core"), _fsspec(path, "implementations.local")
    found = []
    for part in path.split("::"):
        protocol, _ = core.split_protocol(part)
        if protocol is None or protocol in local.LocalFileSystem.protocol:
            found.append(str(core.url_to_fs(part)[1]))
    return found


class _Remote(io.RawIOBase):
    """A file of fsspec, all of whose errors become OSErrors."""

    def __init__(self, file: Any, is_seekable: bool) -> None:
        self._file = file
        self._is_seekable = is_seekable

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._is_seekable

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._file.read(len(view))
        except Exception as error:
            raise UnreadableError(_told(error)) from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _system(path: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    core = _fsspec(path, "core")
    try:
        system, place = core.url_to_fs(path)
    except ImportError as error:
        raise DependencyError(f"{path}: {' '.join(str(error).split())}") from error
    except ValueError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from error
    return system, place


def _fsspec(path: str, name: str) -> Any:
    """A module of fsspec."""
    if find_spec("fsspec") is None:
        raise DependencyError(f"{path}: reading URLs needs fsspec; pip install 'dedup-spans[remote]'")
    return import_module(f"fsspec.{name}")


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return reason(error)
    text = "no such file or directory" if isinstance(error, FileNotFoundError) else told(error)
    return f"cannot be read: {text}"
