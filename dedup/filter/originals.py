"""Inputs that cannot be put together again from their records alone are kept as they are, beside the manifest.

Enters: inputs, while they are read. Leaves: copies of those that are compressed, tables or archives. To compress the
same content again gives other bytes wherever another program or version has made the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from ..errors import InputError, OutputError
from ..manifest import ORIGINALS, Sum, Summing
from ..read import STDIN, Input, Options, is_passing
from ..read.formats import CSV, HTML, JSONL, OTHER, TEXT, TSV, WARC, WARC_GZ
from ..read.options import AUTO
from ..read.reasons import reason
from ..read.stream import opened
from ..write.layout import Names
from ..write.outputs import Outputs
from ..write.rehearsal import Rehearsal
from ..write.sides import ARCHIVES
from .plan import Plan

_CHUNK = 1 << 20  # bytes

#: Formats whose records, one after the other, are the file.
PIECEWISE = (TEXT, HTML, OTHER, JSONL, CSV, TSV, WARC, WARC_GZ)


def is_sum(found: Input) -> bool:
    """Whether an input is its records, one after the other, also where it is damaged."""
    return found.format in PIECEWISE and not found.packing


class Originals:
    """The folder of such copies, which there is only if it holds one, or takes the place of an earlier run's."""

    def __init__(self, plan: Plan, outputs: Outputs | Rehearsal) -> None:
        given = plan.options.input_format
        self.names = Names(plan.paths, f"stdin.{JSONL if given == AUTO else given}")
        self._path = f"{plan.manifest}{ORIGINALS}" if plan.manifest else None
        self._wanted = plan.originals
        self._outputs = outputs
        is_there = self._path is not None and os.path.isdir(self._path)
        self._folder = outputs.folder(str(self._path)) if is_there else None

    @contextmanager
    def copy(self, found: Input) -> Iterator[BinaryIO | None]:
        """A file for a copy of this input, if it is one of those."""
        name = self.name_of(found)
        if name is None or isinstance(self._outputs, Rehearsal):
            yield None
            return
        with self._copy(name) as copy:
            yield copy

    @contextmanager
    def _copy(self, name: str) -> Iterator[BinaryIO]:
        assert self._path is not None
        if self._folder is None:
            self._folder = self._outputs.folder(self._path)
        try:
            path = os.path.join(self._folder, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as stream:
                yield cast(BinaryIO, _Copy(stream, self._path))
        except OSError as error:
            raise OutputError.of(self._path, error) from error

    def keep(self, found: Input, sum: Sum) -> str | None:
        """Copies an input after it was read: one that is damaged, so that its records do not make it up.

        Gives the name of the copy; None where there is no folder for it. Raises OutputError where the input cannot be
        read again.
        """
        if self._path is None:
            return None
        if found.path == STDIN or is_passing(found.path):
            raise OutputError(
                f"{found.path}: is damaged, and cannot be put together again; leave out --no-originals"
            )
        if isinstance(self._outputs, Rehearsal):
            return None
        name, again = self.names.of(found.path), Summing()
        try:
            with (
                opened(found._replace(format=OTHER, packing=""), Options()) as stream,
                self._copy(name) as copy,
            ):
                while chunk := stream.read(_CHUNK):
                    again.add(chunk)
                    copy.write(chunk)
        except OSError as error:
            raise InputError(f"{found.path}: {reason(error)}") from error
        if again.sum() != sum:
            raise InputError(f"{found.path}: changed while it was read")
        return name

    def name_of(self, found: Input) -> str | None:
        """The name of the copy of an input, if there is one."""
        is_wanted = self._wanted or found.format in ARCHIVES  # which could not be put together without
        return None if is_sum(found) or self._path is None or not is_wanted else self.names.of(found.path)


class _Copy:
    """A file that is written while an input is read: what goes wrong with it is not the input's fault."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, chunk: bytes | memoryview) -> int:
        try:
            return self._stream.write(chunk)
        except OSError as error:
            raise OutputError.of(self._name, error) from error
