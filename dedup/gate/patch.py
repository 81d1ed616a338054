"""What git prints of a change: which files it touched and how, and which lines it added.

Enters: the output of ``git diff``, once with ``--raw --numstat -z`` and once as a patch without context. Leaves: a
state and :class:`Edits` for each file.
"""

from __future__ import annotations

import io
import os
import re
from typing import NamedTuple

from .git import records

Run = tuple[int, int]  # the first and the last of lines one after another, from 1


class Edits(NamedTuple):
    """What was done to a file: runs of added lines in order, and the lines behind which others were deleted.

    ``runs`` is None where every line counts as added, as in a file that ``is_new``.
    """

    runs: tuple[Run, ...] | None = ()
    cuts: tuple[int, ...] = ()
    is_new: bool = False


_HUNK = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+(?P<first>\d+)(?:,(?P<new>\d+))? @@")
_ESCAPE = re.compile(rb'\\(?:([0-7]{3})|([abtnvfr"\\]))')
_LETTERS = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


def states_of(output: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """What happened to each changed file, and new paths by old ones.

    What happened is A, D, M, R, T, U as git says, and B for a binary file that is modified.
    """
    states: dict[str, str] = {}
    renames: dict[str, str] = {}
    left = iter(records(output))
    for record in left:
        if record.startswith(b":"):
            state = record.rsplit(b" ", 1)[-1][:1].decode()
            path = os.fsdecode(next(left))
            if state == "R":
                old, path = path, os.fsdecode(next(left))
                renames[old] = path
            states[path] = state
        else:
            is_binary = record.startswith(b"-\t-\t")
            path = os.fsdecode(record.split(b"\t", 2)[2])
            if not path:  # of a renamed file the old name and the new one follow
                next(left)
                path = os.fsdecode(next(left))
            if is_binary:
                states[path] = "B" if states.get(path, "B") in "MR" else states.get(path, "B")
    return states, renames


def lines_of(patch: bytes) -> dict[str, Edits]:
    """What was done to each file in a patch without context."""
    runs: dict[str, list[Run]] = {}
    cuts: dict[str, list[int]] = {}
    path, content = "", 0
    for line in io.BytesIO(patch):  # one after the other: there may be millions
        if content and line[:1] in (b"+", b"-"):
            content -= 1
        elif line.startswith(b"+++ "):
            path = _path(line[4:].removesuffix(b"\n"))
            runs[path], cuts[path] = [], []
        elif (hunk := _HUNK.match(line)) is not None:
            old, new = (1 if count is None else int(count) for count in hunk.group("old", "new"))
            first = int(hunk["first"])  # of a deletion, the line before it
            content = old + new
            if new:
                runs[path].append((first, first + new - 1))
            else:
                cuts[path].append(first)
    return {path: Edits(tuple(runs[path]), tuple(cuts[path])) for path in runs}


def _path(name: bytes) -> str:
    """The path in a patch's ``b/path``: quoted where it is odd, with a tab behind where it holds a space."""
    name = name.removesuffix(b"\t")
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_unescaped, name[1:-1])
    return os.fsdecode(name.removeprefix(b"b/"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8) if match[1] else _LETTERS[match[2][0]]])
