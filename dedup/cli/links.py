"""From a report to the files that it names: relative URLs, so that both may be moved together.

Enters: the file that a report goes to, and paths as the user gave them. Leaves: URLs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import PurePath
from urllib.parse import quote

from .options import STDOUT


def links(file: str) -> Callable[[str], str | None]:
    """Turns a path into the URL of that file as seen from ``file``; None where there is no such file."""
    folder = os.curdir if file == STDOUT else os.path.dirname(file) or os.curdir

    def link(path: str) -> str | None:
        # What is on a share (Windows) is not looked at: a result may name any, and the system would sign in there.
        if path == STDOUT or os.path.splitdrive(path)[0][:2] in ("\\\\", "//") or not os.path.isfile(path):
            return None
        try:
            relative = PurePath(os.path.relpath(path, folder)).as_posix()
        except ValueError:  # on another drive
            return None
        return quote(os.fsencode(f"./{relative}"))  # "./": no part of a name can be read as a scheme

    return link
