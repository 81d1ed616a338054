"""Where a finding of the gate stands: what its place is called, and which lines of it to point at.

Enters: findings. Leaves: names as ``path:line``, and regions within the lines that version control calls added.
"""

from __future__ import annotations

from typing import NamedTuple

from ..verdict import Finding, Place


class Region(NamedTuple):
    """Lines from 1, inclusive; columns from 1 in code points, the end exclusive, both None where not known."""

    line: int
    column: int | None
    end_line: int
    end_column: int | None


def where(path: str, line: int | None, column: int | None = None) -> str:
    """``path:line:column``, as far as it is known; editors and terminals open it with a click.

    >>> where("a.md", 3, 7), where("b.jsonl", 4), where("c.parquet", None)
    ('a.md:3:7', 'b.jsonl:4', 'c.parquet')
    """
    if line is None:
        return path
    return f"{path}:{line}" if column is None else f"{path}:{line}:{column}"


def name(place: Finding | Place) -> str:
    """``path:line``, and behind it the id that a record has of its own.

    >>> name(Place("sub/a.md", "docs/sub/a.md", 3)), name(Place("w-7", "b.jsonl", 4, archived=True))
    ('docs/sub/a.md:3', 'b.jsonl:4 w-7 (archived)')
    """
    named = where(place.path, place.line)
    if not _is_named_after(place.document, place):
        named = f"{named} {place.document}"
    return f"{named} (archived)" if isinstance(place, Place) and place.archived else named


def _is_named_after(document: str, place: Finding | Place) -> bool:
    """Whether a document has no id of its own: it is called after its path, seen from wherever."""
    file = document.removesuffix(f":{place.line}").removeprefix("./")
    return file == place.path or place.path.endswith(f"/{file}") or file.endswith(f"/{place.path}")


def region(finding: Finding) -> Region:
    """The part of a finding that was added, or all of it where nothing is known of that.

    GitHub shows an alert in a pull request only if all its lines are in the change. A place in a file without
    lines is at line 1.
    """
    line = finding.line or 1
    end_line = max(finding.end_line or line, line)
    first, last = max(line, finding.added[0]) if finding.added else line, end_line
    if finding.added:
        last = min(end_line, finding.added[1])
    if first > last:
        first, last = line, end_line
    if finding.column is None or finding.end_column is None:
        return Region(first, None, last, None)
    column = finding.column if first == line else 1
    end_column = finding.end_column if last == end_line else _end(finding, last - line)
    return Region(first, column, last, max(end_column, column + 1) if first == last else end_column)


def _end(finding: Finding, row: int) -> int:
    """The column behind the last character of a line of the finding's text, counted from 0."""
    rows = finding.text.split("\n")
    length = len(rows[row].removesuffix("\r")) if row < len(rows) else 0
    return length + ((finding.column or 1) if row == 0 else 1)
