"""Parts: what becomes an output, aside until then, under a name that nobody else has.

Enters: the path that an output is to have, and the number of a run. Leaves: an empty file or folder in the same folder,
locked for as long as the run is alive. Its name, ``.dedup-OUTPUT-RUN.part``, tells the output, by a hash of its name,
and the run, by a random number. So nothing that is there already is ever written to, and what a run that was killed has
left is found by the next one with the same output, and removed if nobody holds its lock.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ..errors import OutputError

if sys.platform != "win32":
    import fcntl

#: What a name beside an output stands for: what becomes it, a folder that it replaces, the journal of all outputs of
#: a run, and that while it is written.
PART, BEFORE, JOURNAL, DRAFT = "part", "before", "journal", "draft"

_NAME = re.compile(rf"\.dedup-([0-9a-f]{{16}})-([0-9a-f]{{16}})\.({PART}|{BEFORE}|{JOURNAL}|{DRAFT})")
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# No link is followed, no pipe waited for.
_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Found(NamedTuple):
    """What lies in a folder under such a name; ``output`` is the hash of an output's name."""

    path: str
    output: str
    run: str
    kind: str


def new_run() -> str:
    """The number of a run, as it stands in names."""
    return os.urandom(8).hex()


def beside(target: str, run: str, kind: str) -> str:
    """The path beside an output that stands for this."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".dedup-{_hash(name)}-{run}.{kind}")


def found(target: str) -> list[Found]:
    """What lies beside an output under such names, its own and others'; nothing where the folder cannot be listed."""
    folder = os.path.dirname(target)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    return [Found(os.path.join(folder, match[0]), match[1], match[2], match[3]) for match in matches]


def is_of(found: Found, target: str) -> bool:
    """Whether something that lies beside an output is of that one, and not of another."""
    return found.output == _hash(os.path.basename(target))


def is_within(path: str, target: str) -> bool:
    """Whether a path is, or lies below, a name that stands for something beside an output. Both are real paths."""
    folder = os.path.join(os.path.dirname(target), "")
    return path.startswith(folder) and _NAME.fullmatch(path[len(folder) :].split(os.sep)[0]) is not None


def check_folder(path: str) -> None:
    """Raises OutputError where a folder would take the place of a device or a pipe."""
    if os.path.exists(path) and not (os.path.isdir(path) or os.path.isfile(path)):
        raise OutputError(f"{path}: is no folder, and is not replaced by one; write elsewhere")


def claim(target: str, run: str, path: str, is_folder: bool = False) -> int:
    """Makes the part of an output; what it is held open and locked by. ``path`` is the output as the user named it.

    Raises OutputError where another run is writing this output, or has begun to give it its name.
    """
    part = beside(target, run, PART)
    handle = _made(part, path, is_folder)
    try:
        if lock(handle) is False or not _is_still(handle, part):
            raise busy(path)  # one that began at the same moment took this one for a part that was left
        clear(target, run, path)
    except BaseException:
        with suppress(OSError):
            remove(part)
        os.close(handle)
        raise
    return handle


def _made(part: str, path: str, is_folder: bool) -> int:
    if not is_folder:
        return os.open(part, _NEW, 0o666)
    os.mkdir(part)
    try:
        return os.open(part, os.O_RDONLY)
    except FileNotFoundError:
        raise busy(path) from None  # as in :func:`claim`
    except BaseException:
        remove(part)
        raise


def clear(target: str, run: str, path: str) -> None:
    """Removes what runs that are no more have left of this output, and all that lies beside it of these runs.

    Raises OutputError where a run other than this one is alive, or can still be finished.
    """
    for part in found(target):
        if part.kind != PART or part.run == run or not is_of(part, target):
            continue
        with held(part.path) as is_held:
            if is_held is False:
                raise busy(path)
            if is_held:
                _clear_run(part, target, path)


def _clear_run(part: Found, target: str, path: str) -> None:
    left = [other for other in found(target) if other.run == part.run and other != part]
    for other in left:
        if other.kind == JOURNAL:
            raise unfinished(path, other.path)
    for other in left:
        if other.kind in (PART, DRAFT):
            with held(other.path) as is_held:
                if is_held:
                    remove(other.path)
    remove(part.path)  # last: by this one the others are found


def check_alone(target: str, run: str) -> None:
    """Raises OutputError where a run other than this one is writing the output."""
    for part in found(target):
        if part.kind == PART and part.run != run and is_of(part, target):
            with held(part.path) as is_held:
                if is_held is False:
                    raise busy(target)


@contextmanager
def held(path: str) -> Iterator[bool | None]:
    """Holds the lock of a file or folder; False if somebody else does.

    None, and nothing is held, if there is nothing, or what is no file or folder (a link, too), or no lock to be had.
    """
    try:
        handle = _opened(path)
    except OSError:
        yield None
        return
    try:
        mode = os.fstat(handle).st_mode
        is_held = lock(handle) if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else None
        yield None if is_held and not _is_still(handle, path) else is_held
    finally:
        os.close(handle)


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | _AS_IT_IS)  # some file systems lock only what may be written
    except (IsADirectoryError, PermissionError):
        return os.open(path, os.O_RDONLY | _AS_IT_IS)


def lock(handle: int) -> bool | None:
    """Locks an open file for as long as it is open; False if somebody else holds it, None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without them
        return None
    return True


def busy(path: str) -> OutputError:
    """What is told of an output that another run has."""
    return OutputError(f"{path}: another dedup is writing it; wait for that one to end")


def unfinished(path: str, journal: str) -> OutputError:
    """What is told of an output that a run which was cut off has still to finish."""
    return OutputError(
        f"{path}: is an output of an earlier run that was cut off, and can be finished; run that one again, "
        f"or give it up and remove {journal}"
    )


def remove(path: str) -> None:
    """Removes a file or a folder with all that is in it, if it is there."""
    with suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


@contextmanager
def named(path: str) -> Iterator[None]:
    """An OSError becomes an OutputError that names the output."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError.of(path, error) from error


def _hash(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _is_still(handle: int, path: str) -> bool:
    """Whether the open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False
