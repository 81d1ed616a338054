"""The members of a JSON object, by where they stand in the line that it is written in.

Enters: a line that was read as an object. Leaves: keys, and from where to where their values go. However deep it nests
and however long its numbers are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_PART = re.compile(rf"""[\s,:]*+({_STRING.pattern}|[\[\]{{}}]|[^\s,:\[\]{{}}"]++)""", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")


def members(line: str) -> Iterator[tuple[str, int, int]]:
    """The keys of the outermost object, and where their values begin and end."""
    at = _space(line, 1 if line.startswith("\ufeff") else 0) + 1
    while True:
        at = _space(line, at)
        if line[at] == "}":
            break
        if line[at] == ",":
            at = _space(line, at + 1)
        key = _STRING.match(line, at)
        assert key is not None
        at = _space(line, _space(line, key.end()) + 1)
        end = _value_end(line, at)
        yield json.loads(key[0], strict=False), at, end
        at = end


def _value_end(line: str, at: int) -> int:
    """Where a value ends; however deep it nests and however long its numbers are."""
    depth = 0
    while True:
        part = _PART.match(line, at)
        assert part is not None
        at = part.end()
        depth += (part[1] in "[{") - (part[1] in "]}")
        if not depth:
            return at


def _space(line: str, at: int) -> int:
    match = _SPACE.match(line, at)
    return match.end() if match else at
