"""Paths as the gate names them: from the top, with ``/``; ``archive.zip!name`` for what lies in an archive.

Enters: paths as a user gave them, or as the baseline holds them. Leaves: their names, and what is known of the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from ..read import STDIN, is_remote


def relative_to(top: str) -> Callable[[str], str]:
    """Turns a path, as a user gave it, into one from ``top`` (a real path), with ``/``.

    Links on the way are followed: version control knows files by the directories that hold them. A path outside stays
    as it is, and so do URLs and ``-``.
    """
    here = os.path.realpath(os.getcwd())
    below = os.path.join(top, "")
    real = cache(os.path.realpath)

    def relative(path: str) -> str:
        if path == STDIN or is_remote(path):
            return path
        folder, name = os.path.split(os.path.normpath(os.path.join(here, path)))
        whole = os.path.join(real(folder), name)
        whole = real(whole) if os.path.islink(whole) else whole
        if whole == top:
            return "."
        inside = whole[len(below) :] if whole.startswith(below) else path
        return inside.replace(os.sep, "/")

    return relative


def archives(path: str) -> Iterator[str]:
    """The files that may hold a path as an archive holds its members: all before each ``!``.

    >>> list(archives("docs/a.zip!b.tar!c.md"))
    ['docs/a.zip', 'docs/a.zip!b.tar']
    """
    return (path[: mark.start()] for mark in re.finditer("!", path))


class Scope:
    """Which files were looked at: those under ``paths``, as they were given, seen from the directory ``top``."""

    def __init__(self, top: str, paths: Sequence[str]) -> None:
        self.top = os.path.realpath(top)
        self.relative = relative_to(self.top)
        self._paths = [
            self.relative(os.path.realpath(path) if os.path.isdir(path) else path) for path in paths
        ]

    def holds(self, path: str) -> bool:
        """Whether a file of this name, relative to the top, was looked at, if it is there at all."""
        return any(
            path == given
            or path.startswith((f"{given}/", f"{given}!"))
            or (given == "." and _is_inside(path))
            for given in self._paths
        )

    def is_gone(self, path: str) -> bool:
        """Whether there is no such file any more; of standard input and URLs that is not known."""
        if path == STDIN or is_remote(path):
            return False
        return not any(os.path.lexists(os.path.join(self.top, file)) for file in (path, *archives(path)))


def _is_inside(path: str) -> bool:
    """Whether a name is that of a file below the top."""
    return path != STDIN and not is_remote(path) and not path.startswith("../") and not os.path.isabs(path)
