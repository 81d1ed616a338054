"""Read: paths and streams become documents, and what could not be read becomes a reason.

Enters: paths as a user gives them. Leaves: a stream of ``Document`` and ``Skipped``, in an order that
depends on the names alone. One file a format; ``walk`` finds the files, ``stream`` opens and unpacks them.

Every format may be gzipped (``.gz`` added to its suffix). Text is UTF-8, with or without a byte order mark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ..errors import InputError
from ..model import Document, Skipped
from . import jsonl, plain, walk
from .stream import opened, reason

STDIN = "-"
PLAIN = (".txt", ".md")
RECORDS = (".jsonl", ".ndjson")
NOT_READ = "not a format that dedup reads (.txt .md .jsonl .ndjson, optionally .gz)"


def documents(
    paths: Sequence[str], *, text_field: str = "text", id_field: str = "id", stdin: BinaryIO | None = None
) -> Iterator[Document | Skipped]:
    """Every document under ``paths``, one at a time, and a ``Skipped`` for everything that is passed over.

    A path is a file, a directory (read recursively, in the order of its names) or ``-`` for JSON lines on
    standard input (``stdin`` where given). A file that is reached twice, by two paths or through a link, is
    read once. Version control directories (``.git``, ``.hg``, ``.svn``) inside a directory are not entered.

    Raises InputError, before anything is read, when a path does not exist or ``-`` is given twice.
    """
    names = [paths] if isinstance(paths, str) else [os.fspath(path) for path in paths]
    if not names:
        raise InputError("no input; expected files, directories or - for standard input")
    if names.count(STDIN) > 1:
        raise InputError("-: given twice; standard input can be read only once")
    missing = [name for name in names if name != STDIN and walk.is_missing(name)]
    if missing:
        raise InputError(f"{', '.join(missing)}: no such file or directory")
    return _documents(names, jsonl.Fields(text_field, id_field), stdin)


def is_readable_name(path: str) -> bool:
    """Whether a file of this name, met in a directory, would be read."""
    return _suffix(path) in PLAIN + RECORDS


def _documents(
    names: list[str], fields: jsonl.Fields, stdin: BinaryIO | None
) -> Iterator[Document | Skipped]:
    for found in walk.files(names, STDIN):
        if isinstance(found, Skipped):
            yield found
        elif found != STDIN:
            yield from _file(found, fields)
        elif stdin is None and sys.stdin is None:
            yield Skipped(found, "standard input is closed")
        else:
            yield from jsonl.documents(found, stdin or sys.stdin.buffer, fields)


def _file(path: str, fields: jsonl.Fields) -> Iterator[Document | Skipped]:
    if not is_readable_name(path):
        yield Skipped(path, NOT_READ)
        return
    try:
        stream = opened(path)
    except OSError as error:
        yield Skipped(path, reason(error))
        return
    with stream:
        if _suffix(path) in PLAIN:
            yield plain.document(path, stream)
        else:
            yield from jsonl.documents(path, stream, fields)


def _suffix(path: str) -> str:
    """The suffix that names the format, in lower case, without ``.gz``."""
    return os.path.splitext(path.lower().removesuffix(".gz"))[1]
