"""Outputs that take their names together: all of them, complete and on the disk, or none.

Enters: the names of files and folders. Leaves: streams and folders to write into, which lie aside as ``parts`` until
:meth:`Outputs.commit`, which gives them their names by way of a ``journal``. A run that is killed before that leaves
only parts, which the next one removes; one that is killed after it is finished by the next one.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from typing import BinaryIO

from ..errors import OutputError
from . import atomic, journal, parts
from .journal import Entry, State, state, state_within
from .parts import JOURNAL, PART, beside, named, remove

_BUFFER = 1 << 20


class Outputs:
    """The outputs of one run, known to the next one by the name ``principal``, which is one of them.

    Unless ``replace``, what has taken the name of an output by the time it is to take it itself stays there.
    ``undisturbed`` is entered where nothing may come between two steps, for moments only.
    """

    def __init__(
        self, principal: str, replace: bool = True, undisturbed: AbstractContextManager[object] | None = None
    ) -> None:
        self._principal = os.path.realpath(principal)
        self._replace = replace
        self._undisturbed = undisturbed or nullcontext()
        self._run = parts.new_run()
        self._targets: dict[str, State | None] = {}  # and what stood there when the run began
        self._streams: list[tuple[str, BinaryIO]] = []  # with the name that the user gave
        self._open = ExitStack()
        self._is_done = False

    def file(self, path: str) -> BinaryIO:
        """A stream that becomes the file ``path``; what is no regular file is written to directly."""
        with named(path):
            if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
                stream: BinaryIO = self._open.enter_context(io.BufferedWriter(io.FileIO(path, "wb"), _BUFFER))
                self._streams.append((path, stream))
                return stream
            target = os.path.realpath(path)
            before = state(target)  # which also fails for a name that no file can have
            journal.check_free(target, path)
            with self._undisturbed:
                handle = parts.claim(target, self._run, path)
                stream = self._open.enter_context(os.fdopen(handle, "wb", buffering=_BUFFER))
                self._targets[target] = before
                self._streams.append((path, stream))
            with suppress(FileNotFoundError):
                os.chmod(self._aside(target), stat.S_IMODE(os.stat(target).st_mode))
        return stream

    def folder(self, path: str) -> str:
        """An empty folder that becomes ``path``; the path it has until then."""
        target = os.path.realpath(path)
        parts.check_folder(path)
        with named(path):
            before = state_within(target)
            journal.check_free(target, path)
            with self._undisturbed:
                self._open.callback(os.close, parts.claim(target, self._run, path, is_folder=True))
                self._targets[target] = before
        return self._aside(target)

    def commit(self) -> None:
        """Brings everything to the disk, then to its name.

        Raises OutputError. Then nothing has a new name, unless the journal is still there: some names could be taken
        and others not, and :func:`journal.recover` goes on with them.
        """
        for path, stream in self._streams:
            with named(path):
                stream.flush()
                if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    os.fsync(stream.fileno())
        if any(os.path.isdir(self._aside(target)) for target in self._targets):
            _sync_all()
        for folder in {os.path.dirname(target) for target in self._targets}:
            atomic.settle(folder)
        with self._undisturbed:
            if self._targets:
                journal.commit(self._principal, self._run, [self._entry(target) for target in self._targets])
            self._is_done = True
            self._close()

    @property
    def has_begun(self) -> bool:
        """Whether an output has its name, or will have it when the next run goes on."""
        return self._is_done or os.path.lexists(beside(self._principal, self._run, JOURNAL))

    def _entry(self, target: str) -> Entry:
        """What is to take a name. Raises OutputError where something has come to stand there since the run began."""
        with named(target):
            before, part = state_within(target), state(self._aside(target))
        if before is not None and not self._replace:
            raise OutputError(
                f"{target}: has appeared during the run; write elsewhere, or replace it with --force"
            )
        if before is not None and not (os.path.isfile(target) or os.path.isdir(target)):
            raise OutputError(f"{target}: has appeared during the run, and is no file; it is not replaced")
        if before != self._targets[target] and os.path.isdir(target):
            raise OutputError(f"{target}: a folder that was changed during the run; it is not replaced")
        if part is None:
            raise OutputError(f"{target}: was removed while it was written, as {self._aside(target)}")
        return Entry(target, part, before)

    def abandon(self) -> None:
        """Leaves nothing behind; but for a run whose outputs began to take their names, which the next one finishes."""
        with self._undisturbed:
            if not self.has_begun:
                for target in self._targets:
                    with suppress(OSError):
                        remove(self._aside(target))
            self._close()

    def _close(self) -> None:
        with suppress(OSError):  # what could not be written has been reported, or is given up
            self._open.close()
        self._targets, self._streams = {}, []

    def _aside(self, target: str) -> str:
        return beside(target, self._run, PART)


def _sync_all() -> None:
    """Brings everything that any program has written to the disk: for many small files faster than one by one."""
    if hasattr(os, "sync"):
        os.sync()
