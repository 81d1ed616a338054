"""Which file an output record goes into.

Enters: the paths that were given and the name of the output. Leaves: for each input the name of the file that its
records go into: one file for all where the inputs are files of one format, a tree of the same names otherwise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from ..read import is_remote
from ..read.formats import STDIN


class Names:
    """Names of inputs as they stand in an output folder and in a restored one: relative, and never outside of it."""

    def __init__(self, paths: Sequence[str], stdin: str) -> None:
        self._stdin = stdin
        self._base = _common([path for path in paths if path != STDIN and not is_remote(path)])
        self._taken: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The name of an input: its path below the folder that holds all the paths given."""
        if path == STDIN:
            name = self._stdin
        elif is_remote(path):
            name = re.sub(r"^[a-z][a-z0-9+.-]*://", "", path, flags=re.IGNORECASE)
        else:
            name = os.path.relpath(os.path.abspath(path), self._base)
        parts = [
            part for part in PurePosixPath(name.replace(os.sep, "/")).parts if part not in ("/", ".", "..")
        ]
        name = "/".join(parts)
        taken, count = name, 1
        while self._taken.get(taken, path) != path:  # two inputs of one name, one of them remote
            count += 1
            taken = f"{count}/{name}"
        self._taken[taken] = path
        return taken


def _common(paths: Sequence[str]) -> str:
    """The folder that holds all of them."""
    folders = [os.path.dirname(os.path.abspath(path)) for path in paths]
    if not folders:
        return os.getcwd()
    try:
        return os.path.commonpath(folders)
    except ValueError:  # on several drives
        return os.sep
