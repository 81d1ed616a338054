"""What makes Markdown safe, and short enough: code spans, fences, and as many blocks as there is room for.

Names and texts stand in code spans and fences only: there nothing is markup, and no @name or #123 in them reaches
anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .visible import visible

LIMIT = 64_000  # bytes: GitHub takes 65,536 characters, and some are for who marks the comment as its own


def code(text: str) -> str:
    """A text as a code span, its delimiters longer than any run of backquotes in it.

    >>> code("a.md:3"), code("`b`")
    ('`a.md:3`', '`` `b` ``')
    """
    inside = visible(text) or " "
    ticks = "`" * (_longest_run(inside) + 1)
    space = " " if inside[0] == "`" or inside[-1] == "`" or inside != inside.strip() else ""
    return f"{ticks}{space}{inside}{space}{ticks}"


def cell(text: str) -> str:
    """A code span in a table, where a bar ends the cell wherever it stands unless it is escaped."""
    return code(text).replace("|", r"\|")


def fenced(lines: Iterable[str]) -> str:
    """Lines as a code block, its fence longer than any run of backquotes in them."""
    text = "\n".join(visible(line) for line in lines)
    fence = "`" * max(_longest_run(text) + 1, 3)
    return f"{fence}text\n{text}\n{fence}\n"


def folded(title: str, body: str) -> str:
    """A part that opens with a click, under a title that is Markdown of ours."""
    return f"\n<details>\n<summary>{title}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def short(text: str, length: int) -> str:
    """The text, or so many of its first characters."""
    return text if len(text) <= length else f"{text[:length]} …"


def size(text: str) -> int:
    """Bytes of a text as UTF-8."""
    return len(text.encode())


def fitting(blocks: Iterable[str], room: int) -> list[str]:
    """The first of the blocks, as many as there is room for, in bytes."""
    taken = []
    for block in blocks:
        room -= size(block)
        if room < 0:
            break
        taken.append(block)
    return taken


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
