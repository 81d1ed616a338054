"""Outputs that take their names together: all of them, complete and on the disk, or none.

Enters: the names of files and folders. Leaves: streams and folders to write into, which lie aside under a name of
their own (``.NAME.dedup-part``) until :meth:`Outputs.commit`. No system renames several files at once, so what is
to be renamed is first written down in a journal. A run that is killed before that leaves only parts, which the next
one takes over; one that is killed after it is finished by the next one (:func:`recover`).
"""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from ..errors import OutputError
from . import atomic

if sys.platform != "win32":
    import fcntl

_BUFFER = 1 << 20


class Outputs:
    """The outputs of one run, known to the next one by the name ``principal``, which is one of them or their like.

    Unless ``replace``, what has taken the name of an output by the time it is to take it itself stays there.
    """

    def __init__(self, principal: str, replace: bool = True) -> None:
        self._journal = _journal(principal)
        self._replace = replace
        self._targets: list[str] = []
        self._claiming: str | None = None  # a file that may be there, and be ours, and not be known yet
        self._streams: list[BinaryIO] = []
        self._open = ExitStack()

    def file(self, path: str) -> BinaryIO:
        """A stream that becomes the file ``path``; what is no regular file is written to directly."""
        with _named(path):
            if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
                stream: BinaryIO = self._open.enter_context(io.BufferedWriter(io.FileIO(path, "wb"), _BUFFER))
            else:
                target = os.path.realpath(path)
                self._claiming = _aside(target)
                handle = _claimed(_aside(target), path)
                self._targets.append(target)
                self._claiming = None
                stream = self._open.enter_context(os.fdopen(handle, "wb", buffering=_BUFFER))
                with suppress(FileNotFoundError):
                    os.chmod(_aside(target), stat.S_IMODE(os.stat(target).st_mode))
        self._streams.append(stream)
        return stream

    def folder(self, path: str) -> str:
        """An empty folder that becomes ``path``; the path it has until then."""
        target = os.path.realpath(path)
        aside = _aside(target)
        with _named(path):
            os.makedirs(aside, exist_ok=True)
            if sys.platform != "win32":
                handle = os.open(aside, os.O_RDONLY)
                self._open.callback(os.close, handle)
                _lock(handle, path)
            self._targets.append(target)
            for entry in os.scandir(aside):
                _remove(entry.path)
        return aside

    def commit(self) -> None:
        """Brings everything to the disk, then to its name.

        Raises OutputError. Then nothing has a new name, unless the journal is still there: some names could be taken
        and others not, and :func:`recover` goes on with them.
        """
        for stream in self._streams:
            with _named(str(stream.name)):
                stream.flush()
                if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    os.fsync(stream.fileno())
        if any(os.path.isdir(_aside(target)) for target in self._targets):
            _sync_all()
        if self._targets:
            for folder in {os.path.dirname(target) for target in self._targets}:
                atomic.settle(folder)
            self._take_names()
        self._close()

    def _take_names(self) -> None:
        """Writes the journal, and does what it says. The journal is locked all the while: this run is alive."""
        path, part = self._journal, _aside(self._journal)
        with _named(path), os.fdopen(_claimed(part, path), "wb") as journal:
            try:
                self._look_again()
                journal.write(json.dumps([_seen(target, path) for target in self._targets]).encode())
                journal.flush()
                os.fsync(journal.fileno())
                os.replace(part, path)
            except BaseException:
                _remove(part)
                raise
            atomic.settle(os.path.dirname(path))
            folders = [target for target in self._targets if os.path.isdir(_aside(target))]
            try:
                _carry_out(path, self._targets)
            except BaseException:
                _take_back(path, folders, [target for target in self._targets if target not in folders])
                raise

    def _look_again(self) -> None:
        """Raises OutputError where something has come to stand under a name since the run began."""
        for target in self._targets:
            if not self._replace and os.path.lexists(target):
                raise OutputError(
                    f"{target}: has appeared during the run; write elsewhere, or replace it with --force"
                )

    def abandon(self) -> None:
        """Leaves nothing behind; but for a run whose outputs began to take their names, which the next one finishes."""
        if self._claiming is not None:
            _dropped(self._claiming)
        if not os.path.lexists(self._journal):
            for target in self._targets:
                with suppress(OSError):
                    _remove(_aside(target))
        self._close()

    def _close(self) -> None:
        with suppress(OSError):  # what could not be written has been reported, or is given up
            self._open.close()
        self._targets, self._streams = [], []


def recover(principal: str) -> bool:
    """Finishes what a run that was killed while its outputs took their names left undone; whether there was any."""
    journal = _journal(principal)
    with _named(journal):
        try:
            file = io.FileIO(journal, "rb")
        except FileNotFoundError:
            return False
        with file as stream:
            _lock(stream.fileno(), principal)
            if not _is_still(stream.fileno(), journal):  # whose it was has just finished
                return False
            targets = _told(journal, stream.read())
            try:
                _carry_out(journal, targets)
            except OutputError as error:
                raise OutputError(
                    f"{error}: it is an output of an earlier run, which goes on when this is mended; to give that run "
                    f"up, remove {journal}"
                ) from error
    return True


def _told(journal: str, data: bytes) -> list[str]:
    """The targets that a journal names. Raises OutputError where it is none."""
    try:
        names = json.loads(data)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(name and isinstance(name, str) for name in names):
        raise OutputError(
            f"{journal}: is not the journal of a run that was cut off, or is damaged; remove it"
        )
    folder = os.path.dirname(journal)
    return [os.path.normpath(os.path.join(folder, name)) for name in names]


def _carry_out(journal: str, targets: list[str]) -> None:
    """Renames all that is not renamed yet; may be begun again at any step.

    Folders come first: it is they that may not be renamed (one on which a disk is mounted), and that can be renamed
    back (:func:`_take_back`).
    """
    for target in sorted(targets, key=lambda target: not os.path.isdir(_aside(target))):
        aside, before = _aside(target), _before(target)
        with _named(target):
            if os.path.isdir(aside):
                if os.path.lexists(target):
                    if os.path.isdir(target):
                        os.chmod(aside, stat.S_IMODE(os.stat(target).st_mode))
                    if not os.path.lexists(before):
                        os.rename(target, before)
                    else:  # the folder was renamed once already, and something else has taken its name
                        _remove(target)
                os.rename(aside, target)
            elif os.path.exists(aside):
                os.replace(aside, target)
    for folder in {os.path.dirname(target) for target in targets}:
        atomic.settle(folder)
    for target in targets:
        _remove(_before(target))
    with suppress(FileNotFoundError):
        os.unlink(journal)


def _take_back(journal: str, folders: list[str], files: list[str]) -> None:
    """Gives folders back the names that they had, and removes the journal: where no file has taken its name yet."""
    if not os.path.lexists(journal) or not all(os.path.lexists(_aside(target)) for target in files):
        return
    with suppress(OSError):  # the journal stays then, and what it says can be done later
        for target in folders:
            if not os.path.lexists(_aside(target)):
                os.rename(target, _aside(target))
            if os.path.lexists(_before(target)) and not os.path.lexists(target):
                os.rename(_before(target), target)
        if not any(os.path.lexists(_before(target)) for target in folders):
            os.unlink(journal)


def _journal(principal: str) -> str:
    folder, name = os.path.split(os.path.realpath(principal))
    return os.path.join(folder, f".{name}.dedup-commit")


def _seen(target: str, journal: str) -> str:
    """A target as the journal names it: from its own folder, which may be moved with all that is in it."""
    try:
        return os.path.relpath(target, os.path.dirname(journal))
    except ValueError:  # on another drive
        return target


def _aside(target: str) -> str:
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}.dedup-part")


def _before(target: str) -> str:
    """Where a folder lies that gives its name away."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}.dedup-old")


def _claimed(aside: str, path: str) -> int:
    """An open, empty file that no other run writes to; one that was left behind is taken over."""
    while True:
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _lock(handle, path)
            if _is_still(handle, aside):  # else, whose it was has just finished
                os.ftruncate(handle, 0)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _dropped(aside: str) -> None:
    """Removes a file that was about to be claimed when something came between, unless it is another run's."""
    with suppress(OSError, OutputError):
        handle = os.open(aside, os.O_RDWR)
        try:
            _lock(handle, aside)
            os.unlink(aside)
        finally:
            os.close(handle)


def _is_still(handle: int, path: str) -> bool:
    """Whether the open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(handle: int, path: str) -> None:
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"{path}: another dedup is writing it; wait for that one to end") from None


def _remove(path: str) -> None:
    """Removes a file or a folder with all that is in it, if it is there."""
    with suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def _sync_all() -> None:
    """Brings everything that any program has written to the disk: for many small files faster than one by one."""
    if hasattr(os, "sync"):
        os.sync()


@contextmanager
def _named(path: str) -> Iterator[None]:
    """An OSError becomes an OutputError that names the output."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error
