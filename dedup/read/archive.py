"""Archives (``.zip``, ``.tar``): the records of every member of a format that is read, under ``archive!member``.

Enters: the stream. Leaves: at least one record for each entry, in their order, whose place holds the entry, the entry
as an input, and the record's place in that. Directories, links and devices are frames without bytes. Names are shown
and never used as paths; a member with one that leads outside is not read, nor is an archive in an archive.

A tar is read as it comes, a ZIP by its directory, which stands at its end.
"""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from ..model import Skipped, Source
from .compression import BOMB, Watched
from .formats import OTHER, STDIN, TAR, ZIP, Input, named
from .options import Options
from .plain import unread
from .reasons import UnreadableError, reason, told
from .record import Record
from .stream import BUFFER, Stream, opened
from .walk import is_passing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_OUTSIDE = "a name that leads outside the archive; not read"
_NESTED = "an archive in an archive; not entered"
_ENCRYPTED = "encrypted"
_SPARSE = "a sparse file; not read"
_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
)

Read = Callable[[Input, Stream, Options], Iterator[Record | Skipped]]


class Place(NamedTuple):
    """Where a record of an archive is: its ``ZipInfo`` or ``TarInfo``, that entry as an input, its place in there."""

    entry: Any
    input: Input
    place: Any = None


def zip_records(found: Input, stream: Stream, options: Options, read: Read) -> Iterator[Record | Skipped]:
    """The records of a ZIP file; ``read`` reads a member."""
    members = _Members(found, stream, options, read)
    try:
        with zipfile.ZipFile(stream.seekable_file()) as archive:
            for entry in archive.infolist():
                if entry.is_dir():
                    yield members.empty(entry, entry.filename, is_frame=True)
                elif entry.flag_bits & 1:
                    yield members.empty(entry, entry.filename, reason=_ENCRYPTED)
                else:
                    file = _Entry(partial(archive.open, entry), "ZIP", entry.compress_size)
                    yield from members.records(entry, entry.filename, file)
    except (*_ERRORS, OSError) as error:
        yield Skipped(found.path, _told("ZIP", error))


def tar_records(found: Input, stream: Stream, options: Options, read: Read) -> Iterator[Record | Skipped]:
    """The records of a tar file; ``read`` reads a member."""
    members = _Members(found, stream, options, read)
    count = 0
    try:
        with tarfile.open(
            fileobj=cast(BinaryIO, _AsItComes(stream)), mode="r|", bufsize=BUFFER
        ) as opened_archive:
            archive: Any = opened_archive
            while (entry := archive.next()) is not None:
                archive.members = []  # which otherwise holds all of them
                stream.begin()
                if not entry.isfile():
                    yield members.empty(entry, entry.name, is_frame=True)
                elif entry.issparse():  # may stand for terabytes of zeros
                    yield members.empty(entry, entry.name, reason=_SPARSE)
                else:
                    file = _Entry(partial(archive.extractfile, entry), "tar", 0, stream.begin)
                    yield from members.records(entry, entry.name, file)
                count += 1
    except (*_ERRORS, OSError) as error:
        yield Skipped(found.path, f"{_told('tar', error)}; read as far as entry {count}")


def entries(found: Input, options: Options) -> Generator[tuple[Input, Stream], None, None]:
    """The entries of an archive in their order, each as an input and its unpacked bytes, good until the next is asked
    for. Links and folders count, and hold nothing. Raises OSError."""
    with opened(found, options) as stream:
        members = _Members(found, stream, options, lambda *_: iter(()))
        walk = _zip_files if found.format == ZIP else _tar_files
        try:
            for name, file in walk(stream):
                member, _ = members.input(name)
                with Stream(file, member.packing, options) as content:
                    yield member, content
        except _ERRORS as error:
            raise UnreadableError(_told(found.format, error)) from error


def _zip_files(stream: Stream) -> Iterator[tuple[str, _Entry]]:
    with zipfile.ZipFile(stream.seekable_file()) as archive:
        for entry in archive.infolist():
            yield entry.filename, _Entry(partial(archive.open, entry), "ZIP", entry.compress_size)


def _tar_files(stream: Stream) -> Iterator[tuple[str, _Entry]]:
    with tarfile.open(fileobj=cast(BinaryIO, _AsItComes(stream)), mode="r|", bufsize=BUFFER) as whole:
        archive: Any = whole
        while (entry := archive.next()) is not None:
            archive.members = []  # which otherwise holds all of them
            yield entry.name, _Entry(partial(archive.extractfile, entry), "tar", 0)


def locked(found: Input, options: Options) -> str | None:
    """Why the entries of a ZIP file cannot all be passed on: one is encrypted, or it is damaged. None if they can.

    Of what can be read only once (standard input, a pipe) that is not known.
    """
    if found.format != ZIP or found.path == STDIN or is_passing(found.path):
        return None
    try:
        with opened(found, options) as stream, zipfile.ZipFile(stream.seekable_file()) as archive:
            entry = next((entry for entry in archive.infolist() if entry.flag_bits & 1), None)
    except _ERRORS as error:
        return _told("ZIP", error)
    except OSError:  # whoever reads it will tell
        return None
    return None if entry is None else f"{entry.filename} in it is encrypted; not taken apart"


def mtime(entry: Any) -> float | None:
    """When an entry was changed last, in seconds since 1970; of a ZIP file, which names no zone, as if in UTC.

    None where that is no date.
    """
    if not isinstance(entry, zipfile.ZipInfo):
        return float(entry.mtime)
    try:
        return datetime(*entry.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return None


class _Members(NamedTuple):
    """The entries of one archive as records."""

    archive: Input
    stream: Stream
    options: Options
    read: Read

    def empty(self, entry: Any, name: str, reason: str | None = None, is_frame: bool = False) -> Record:
        """The record of an entry without bytes, or whose bytes cannot be read."""
        found = Input(f"{self.archive.path}!{name}", OTHER, "")
        return Record(b"", Source(found.path, None, 0), None, reason, is_frame, Place(entry, found))

    def input(self, name: str) -> tuple[Input, str | None]:
        """An entry as an input, and why it is not read, if it is not."""
        found = named(f"{self.archive.path}!{name}", self.options, is_given=False)
        why = _OUTSIDE if leads_outside(name) else _NESTED if found.format in (ZIP, TAR) else None
        return (found, why) if why is None else (Input(found.path, OTHER, ""), why)

    def records(self, entry: Any, name: str, file: _Entry) -> Iterator[Record | Skipped]:
        """The records of a file in the archive, at least one."""
        found, why = self.input(name)
        file.limit = self.options.max_record_size
        is_empty, has_frame = True, False
        try:
            with Stream(file, found.packing, self.options, keeps=self.stream.keeps) as stream:
                items = (
                    unread(found, stream, self.options, why)
                    if why
                    else self.read(found, stream, self.options)
                )
                for item in items:
                    is_empty = is_empty and (isinstance(item, Skipped) or item.is_frame)
                    has_frame = has_frame or not isinstance(item, Skipped)
                    yield (
                        item
                        if isinstance(item, Skipped)
                        else item._replace(place=Place(entry, found, item.place))
                    )
        except OSError as error:
            yield Skipped(found.path, reason(error))
        if is_empty and has_frame:  # for the header to go somewhere
            yield Record(b"", Source(found.path, None, 0), place=Place(entry, found))
        elif is_empty:
            yield self.empty(entry, name)


def leads_outside(name: str) -> bool:
    """Whether the name of an entry, taken for a path, would not stay below the directory it is put in."""
    parts = re.split(r"[/\\\\]", name)
    return ".." in parts or not parts[0] or bool(re.match(r"[A-Za-z]:", name)) or "\0" in name


class _AsItComes:
    """A stream for tarfile, which takes what there is: to wait for more would lose it where damage comes next."""

    def __init__(self, stream: Stream) -> None:
        self.read = stream.read1


class _Entry(Watched):
    """The bytes of a member, opened when they are asked for; all errors of the archive's modules become OSErrors.

    ``packed`` is how many bytes they are in the archive, 0 where that is not known, to tell a bomb by.
    """

    def __init__(
        self,
        opened: Callable[[], IO[bytes] | None],
        what: str,
        packed: int,
        begin: Callable[[], None] | None = None,
    ) -> None:
        self._opened = opened
        self._what = what
        self._packed = packed
        self._begin = begin
        self._file: IO[bytes] | None = None
        self._count = self._begun = 0
        self.limit = 0

    def readable(self) -> bool:
        return True

    def begin(self) -> None:
        self._begun = self._count
        if self._begin is not None:
            self._begin()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            if self._file is None:
                self._file = self._opened()
            data = self._file.read(len(view)) if self._file is not None else b""
        except _ERRORS as error:
            raise UnreadableError(_told(self._what, error)) from error
        view[: len(data)] = data
        self._count += len(data)
        if self._packed and self.limit and self._count - self._begun > self.limit:
            share = self._count // self._packed
            if share > BOMB:
                raise UnreadableError(
                    f"looks like a decompression bomb ({share:,} to 1, and no end of a record)"
                )
        return len(data)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def _told(what: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return reason(error)
    return f"damaged {what} data ({told(error)})"
