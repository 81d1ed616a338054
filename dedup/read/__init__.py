"""Read: paths and streams become documents, and what could not be read becomes a reason.

Enters: paths as a user gives them. Leaves: a stream of ``Document`` and ``Skipped``, in an order that
depends on the names alone; or, for who carries the bytes on, the inputs and the records in each. One file a
format; ``walk`` finds the files, ``formats`` tells what they are, ``stream`` opens and unpacks them.

Every format may be gzipped (``.gz`` added to its suffix). Text is UTF-8, with or without a byte order mark.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, BinaryIO

from ..errors import DependencyError, InputError
from ..model import Document, Skipped
from . import formats, jsonl, plain, remote, walk, warcgz
from .formats import (
    ARROW,
    CSV,
    HTML,
    JSONL,
    NOT_READ,
    OTHER,
    PARQUET,
    STDIN,
    TAR,
    TEXT,
    TSV,
    WARC,
    WARC_GZ,
    ZIP,
    Input,
)
from .ignored import Excluded
from .lines import Lines
from .options import Options
from .reasons import reason
from .record import Record
from .remote import is_remote
from .stream import Stream, Tap, opened
from .walk import CACHE, is_passing

__all__ = [
    "CACHE", "NOT_READ", "STDIN", "Excluded", "Input", "Options", "Record", "Tap",
    "content", "documents", "entries", "inputs", "is_passing", "is_readable_name", "is_remote", "records", "values",
]  # fmt: skip

_DEFAULT = Options()
#: The module that reads a format, loaded when there is something to read.
_READERS = {
    TEXT: "plain",
    HTML: "html",
    JSONL: "jsonl",
    CSV: "csv",
    TSV: "csv",
    WARC: "warc",
    WARC_GZ: "warcgz",
    PARQUET: "table",
    ARROW: "table",
}


def inputs(
    paths: Sequence[str], options: Options = _DEFAULT, excluded: Excluded | None = None
) -> Iterator[Input | Skipped]:
    """Every file under ``paths``, and a ``Skipped`` for everything that is none or cannot be looked at.

    A path is a file, a directory (read recursively, in the order of its names), a URL, or ``-`` for JSON lines on
    standard input. A file that is reached twice, by two paths or through a link, is there once. Version control
    directories (``.git``, ``.hg``, ``.svn``) and caches (``.dedup_cache``) inside a directory are not entered. What is
    ``excluded`` is left out without a word, a path that is given like any other; without it, everything is read.

    Raises, before anything is read: InputError when a path does not exist or ``-`` is given twice, SettingsError
    for an option out of range, DependencyError when a file that is given needs a package that is missing.
    """
    names = [paths] if isinstance(paths, str) else [os.fspath(path) for path in paths]
    if not names:
        raise InputError("no input; expected files, directories or - for standard input")
    if names.count(STDIN) > 1:
        raise InputError("-: given twice; standard input can be read only once")
    local = [name for name in names if name != STDIN and not is_remote(name)]
    missing = [name for name in local if walk.is_missing(name)]
    if missing:
        raise InputError(f"{', '.join(missing)}: no such file or directory")
    formats.check(options)
    if excluded is not None:
        names = [name for name in names if name == STDIN or is_remote(name) or not excluded.path(name)]
    for name in names:
        if is_remote(name):
            remote.check(name)
    given = {name for name in names if not os.path.isdir(name)}
    for name in given:
        lack = formats.lack(formats.by_name(name, options), options)
        if lack:
            raise DependencyError(f"{name}: {lack}")
    return (
        found
        if isinstance(found, Skipped)
        else warcgz.shaped(formats.named(found, options, found in given), options)
        for found in walk.files(names, STDIN, excluded)
    )


def documents(
    paths: Sequence[str],
    options: Options = _DEFAULT,
    *,
    stdin: BinaryIO | None = None,
    excluded: Excluded | None = None,
) -> Iterator[Document | Skipped]:
    """Every document under ``paths``, one at a time, and a ``Skipped`` for everything that is passed over.

    The paths and what is ``excluded`` are those of :func:`inputs`, which raises what it raises here; ``stdin`` stands
    for standard input.
    """
    return _documents(inputs(paths, options, excluded), options, stdin)


def records(
    found: Input, options: Options = _DEFAULT, tap: Tap | None = None, stdin: BinaryIO | None = None
) -> Iterator[Record | Skipped]:
    """The records of one input, and a ``Skipped`` where the input itself cannot be read, or not further.

    When it ends, ``tap`` has been given the whole file as it is, every byte once and in order.
    """
    try:
        stream = opened(found, options, tap=tap, stdin=stdin)
    except OSError as error:
        yield Skipped(found.path, reason(error))
        return
    with stream:
        yield from content(found, stream, options)
        try:
            if tap is not None:
                stream.drain()
        except OSError as error:
            yield Skipped(found.path, reason(error))


def values(record: Record, found: Input, options: Options = _DEFAULT) -> Mapping[str, Any]:
    """The fields of a record by name: of a JSON object, the columns of a row, the WARC headers, ``mtime`` of a file.

    The time is in seconds since 1970. There are none in a record that cannot be read.
    """
    if found.format in (ZIP, TAR):
        return _entry_values(record, options)
    if found.format == JSONL:
        return jsonl.values(record.raw) if isinstance(record.raw, bytes) else {}
    if found.format in (CSV, TSV, PARQUET, ARROW):
        fields: Mapping[str, Any] = _reader(found.format).values(record)
        return fields
    if found.format in (WARC, WARC_GZ):
        return _reader(WARC).values(record.raw) if isinstance(record.raw, bytes) else {}
    try:
        return {"mtime": os.stat(found.path).st_mtime}
    except OSError:
        return {}


def _entry_values(record: Record, options: Options) -> Mapping[str, Any]:
    from .archive import Place, mtime

    if not isinstance(record.place, Place):
        return {}
    entry, found, place = record.place
    if found.format not in (TEXT, HTML, OTHER):
        return values(record._replace(place=place), found, options)
    changed = mtime(entry)
    return {} if changed is None else {"mtime": changed}


def entries(found: Input, options: Options = _DEFAULT) -> Generator[tuple[Input, Stream], None, None]:
    """The entries of an archive in their order, each as an input and its unpacked bytes, good until the next is asked
    for. Raises OSError."""
    from . import archive

    return archive.entries(found, options)


def is_readable_name(path: str) -> bool:
    """Whether a file of this name, met in a directory, would be read."""
    return formats.named(path, _DEFAULT, is_given=False).format != OTHER


def _documents(
    found: Iterator[Input | Skipped], options: Options, stdin: BinaryIO | None
) -> Iterator[Document | Skipped]:
    for item in found:
        if isinstance(item, Skipped):
            yield item
        elif item.format == OTHER:
            yield Skipped(item.path, formats.why_not(item.path, options))
        elif item.format == TEXT and not (item.packing or item.path == STDIN or is_remote(item.path)):
            yield plain.file(item.path, options)
        else:
            yield from _file(item, options, stdin)


def _file(found: Input, options: Options, stdin: BinaryIO | None) -> Iterator[Document | Skipped]:
    try:
        stream = opened(found, options, stdin=stdin, keeps=False)
    except OSError as error:
        yield Skipped(found.path, reason(error))
        return
    with stream:
        if found.format == JSONL:
            yield from jsonl.documents(found.path, Lines(stream, options), options)
            return
        for item in content(found, stream, options):
            told = item if isinstance(item, Skipped) else item.document or item.skipped
            if told is not None:
                yield told


def content(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """The records in the unpacked bytes of an input."""
    if found.format in (ZIP, TAR):
        from . import archive  # its modules take as long to load as all others here

        read = archive.zip_records if found.format == ZIP else archive.tar_records
        return read(found, stream, options, content)
    if found.format == OTHER:
        return plain.unread(found, stream, options, formats.why_not(found.path, options))
    items: Iterator[Record | Skipped] = _reader(found.format).records(found, stream, options)
    return items


def _reader(format: str) -> Any:
    return import_module(f".{_READERS[format]}", __name__)
