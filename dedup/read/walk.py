"""Find the files under paths, each once, in an order that depends on the names alone.

Enters: paths. Leaves: the paths of files, as given or joined to the given directory with ``/``, and a
``Skipped`` for every directory that cannot be listed, every link that leads nowhere or back, everything
that is no file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..model import Skipped
from . import remote
from .ignored import Excluded
from .reasons import reason

CACHE = ".dedup_cache"  # where this package keeps results

#: Directories that are not entered: those of version control, and the cache of this package.
LEFT_OUT = (".git", ".hg", ".svn", CACHE)

#: A file and a directory that an index of this package consists of. What holds both is not entered.
INDEX = ("catalogue.sqlite", "segments")


class _Level(NamedTuple):
    """A directory that is being listed: the path to show, where it really is, the entries still to come.

    Both paths end with a separator.
    """

    path: str
    real: str
    entries: Iterator[os.DirEntry[str]]


def files(paths: Sequence[str], stdin: str, excluded: Excluded | None = None) -> Iterator[str | Skipped]:
    """Every file under ``paths`` once, however many ways lead to it; ``stdin`` is passed on as it is.

    What is ``excluded`` in a directory is not yielded; the paths themselves are not asked for.
    """
    seen: set[str] = set()
    for path in paths:
        if path == stdin:
            yield path
            continue
        if remote.is_remote(path):
            for item in remote.files(path):
                key = remote.key(item) if isinstance(item, str) else item.source
                if key not in seen:
                    seen.add(key)
                    yield item
            continue
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            yield Skipped(path, reason(error))
            continue
        if is_folder:
            yield from _tree(path, real, seen, excluded)
        else:
            yield path


def is_missing(path: str) -> bool:
    """Whether nothing is there under this name; a file that may not be looked at is not missing."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    except ValueError:  # a NUL in the name: no file can be called so
        return True
    return False


def is_passing(path: str) -> bool:
    """Whether what stands under this name can be read only once: a pipe, a terminal."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _tree(top: str, real: str, seen: set[str], excluded: Excluded | None) -> Iterator[str | Skipped]:
    """All files below a directory, depth first, the names of each directory sorted."""
    found = False
    levels: list[_Level] = []
    start = _listed(top, real)
    if isinstance(start, Skipped):
        yield start
        return
    levels.append(start)
    while levels:
        level = levels[-1]
        entry = next(level.entries, None)
        if entry is None:
            levels.pop()
            continue
        item = _visit(entry, levels, seen, excluded)
        if isinstance(item, _Level):
            levels.append(item)
            continue
        found = found or item is not None or entry.name not in LEFT_OUT
        if item is not None:
            yield item
    if not found:
        yield Skipped(top, "no readable files")


def _visit(
    entry: os.DirEntry[str], levels: list[_Level], seen: set[str], excluded: Excluded | None
) -> _Level | str | Skipped | None:
    """A directory to enter, a file, a reason, or None for what is known already or left out by rule."""
    above = levels[-1]
    path = f"{above.path}{entry.name}"
    is_link = entry.is_symlink()
    real = os.path.realpath(path) if is_link else f"{above.real}{entry.name}"
    mode, failure = 0, ""
    try:
        # Of most entries the directory itself tells that they are files; nothing else need be asked.
        mode = stat.S_IFREG if entry.is_file(follow_symlinks=False) else entry.stat().st_mode
    except OSError as error:
        is_dangling = is_link and isinstance(error, FileNotFoundError)
        failure = "a link that leads nowhere" if is_dangling else reason(error)
    is_folder = stat.S_ISDIR(mode)
    if is_folder and entry.name in LEFT_OUT:
        return None
    if excluded is not None and excluded.entry(f"{above.real}{entry.name}", is_folder):
        return None
    if failure:
        return Skipped(path, failure)
    if is_folder and _is_index(path):
        return None
    if is_folder and any(os.path.join(real, "") == level.real for level in levels):
        return Skipped(path, "a link back to a directory that holds it; not entered again")
    if not is_folder and not stat.S_ISREG(mode):
        return Skipped(path, "not a regular file")
    new = _once(path, real, seen)
    return _listed(path, real) if new is not None and is_folder else new


def _is_index(path: str) -> bool:
    return os.path.isfile(os.path.join(path, INDEX[0])) and os.path.isdir(os.path.join(path, INDEX[1]))


def _once(path: str, real: str, seen: set[str]) -> str | None:
    """The path of what has not been seen yet."""
    if real in seen:
        return None
    seen.add(real)
    return path


def _listed(path: str, real: str) -> _Level | Skipped:
    try:
        with os.scandir(path) as entries:
            listing = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        return Skipped(path, reason(error))
    shown = path.replace(os.sep, "/").rstrip("/")
    return _Level(f"{shown}/", os.path.join(real, ""), iter(listing))
