"""The gate's verdict as Markdown, for a comment on a pull request or the summary of a build.

Enters: a ``Verdict``, and how long the text may be. Leaves: GitHub-flavoured Markdown: the outcome, a table of
the findings, their texts folded away. Names and texts stand in code spans and fences only: there nothing is
markup, and no @name or #123 in them reaches anybody.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from ..verdict import NEW, PASSAGE, Verdict
from . import place
from .figures import count, percent
from .finding import RULES, Shown, Texts, hint, outcome, shown, tally
from .page import Page
from .visible import visible

LIMIT = 64_000  # bytes: GitHub takes 65,536 characters, and some are for who marks the comment as its own
LISTED = 20  # notes, stale entries and skipped inputs named
LINE = 150  # characters of each of them

_WIDTH = 100  # columns of a text
_RESERVED = 1000  # bytes for the words that tell what was left out
_TABLE = 0.6  # share of the room that the table may take; the texts get the rest


def write(verdict: Verdict, stream: BinaryIO, *, known: bool) -> None:
    """Write it in no more than ``LIMIT`` bytes."""
    stream.write(rendered(verdict, LIMIT, known=known))


def rendered(verdict: Verdict, limit: int, *, known: bool) -> bytes:
    """The verdict in no more than so many bytes, 50,000 or more; what is left out is counted."""
    entries = shown(verdict, known=known)
    head, lists = _head(verdict), _lists(verdict)
    room = limit - _RESERVED - _size(head) - _size(lists)
    table = _table(entries, int(room * _TABLE))
    texts = _texts(verdict, entries, room - _size(table))
    return "".join((head, table, texts, lists)).encode()


def _head(verdict: Verdict) -> str:
    if verdict.gate.passed:
        return f"## dedup check passed\n\n{tally(verdict.gate)}\n"
    reasons = _fenced([_short(outcome(verdict), 10 * LINE)])
    return f"## dedup check failed\n\n{tally(verdict.gate)}\n\n{reasons}\n{hint('`')}\n"


def _table(entries: list[Shown], room: int) -> str:
    if not entries:
        return ""
    rows = _fitting((_row(entry) for entry in entries), room)
    left = len(entries) - len(rows)
    more = f"\n… and {count(left, 'more finding')}.\n" if left else ""
    header = (
        "| place | what | repeats | length | alike | fingerprint |\n| --- | --- | --- | ---: | ---: | --- |\n"
    )
    return f"\n{header}{''.join(rows)}{more}"


def _row(entry: Shown) -> str:
    finding = entry.finding
    what = RULES[finding.rule].title.lower()
    other = _cell(place.name(finding.others[0])) if finding.others else "itself"
    if finding.all_others > 1:
        other += f" and {finding.all_others - 1:,} more"
    cells = (
        _cell(place.name(finding)),
        what if finding.status == NEW else f"{what}, {finding.status}",
        other,
        count(finding.tokens, "word"),
        "" if finding.similarity is None else percent(finding.similarity),
        _cell(finding.fingerprint),
    )
    return f"| {' | '.join(cells)} |\n"


def _texts(verdict: Verdict, entries: list[Shown], room: int) -> str:
    """The passages' texts, words marked that differ, as many as there is room for."""
    passages = [entry for entry in entries if entry.finding.rule == PASSAGE]
    blocks = _fitting(_excerpts(verdict, passages), room)
    left = len(passages) - len(blocks)
    more = f"… and {count(left, 'more text')}.\n" if left else ""
    title = "What is repeated, and the words that differ"
    return _folded(title, "".join((*blocks, more))) if passages else ""


def _excerpts(verdict: Verdict, entries: list[Shown]) -> Iterator[str]:
    texts = Texts(verdict.report)
    for entry in entries:
        stream = io.BytesIO()
        page = Page(stream, color=False, width=_WIDTH)
        page.paragraph(texts.excerpt(entry.finding, color=False), 0)
        lines = stream.getvalue().decode().splitlines()
        yield f"{code(place.name(entry.finding))}\n\n{_fenced(lines)}\n"


def _lists(verdict: Verdict) -> str:
    stale = [f"{entry.path} {entry.rule} {entry.fingerprint}" for entry in verdict.stale]
    skipped = [f"{entry.source}: {entry.reason}" for entry in verdict.report.skipped]
    return "".join(
        (
            _listed(count(len(verdict.notes), "note"), verdict.notes),
            _listed(
                count(len(stale), "entry of the baseline", "entries of the baseline") + " without a copy",
                stale,
            ),
            _listed(count(len(skipped), "input") + " skipped", skipped),
        )
    )


def _listed(title: str, lines: Sequence[str]) -> str:
    """Lines folded away, the first of many; nothing if there are none."""
    left = len(lines) - LISTED
    named = [_short(line, LINE) for line in lines[:LISTED]]
    return _folded(title, _fenced(named + ([f"and {left:,} more"] if left > 0 else []))) if lines else ""


# ---- what makes Markdown safe ----------------------------------------------------------------------------------


def code(text: str) -> str:
    """A text as a code span, its delimiters longer than any run of backquotes in it.

    >>> code("a.md:3"), code("`b`")
    ('`a.md:3`', '`` `b` ``')
    """
    inside = visible(text) or " "
    ticks = "`" * (_longest_run(inside) + 1)
    space = " " if inside[0] == "`" or inside[-1] == "`" or inside != inside.strip() else ""
    return f"{ticks}{space}{inside}{space}{ticks}"


def _cell(text: str) -> str:
    """A code span in a table, where a bar ends the cell wherever it stands unless it is escaped."""
    return code(text).replace("|", r"\|")


def _fenced(lines: Iterable[str]) -> str:
    """Lines as a code block, its fence longer than any run of backquotes in them."""
    text = "\n".join(visible(line) for line in lines)
    fence = "`" * max(_longest_run(text) + 1, 3)
    return f"{fence}text\n{text}\n{fence}\n"


def _folded(title: str, body: str) -> str:
    return f"\n<details>\n<summary>{title}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]} …"


def _size(text: str) -> int:
    return len(text.encode())


def _fitting(blocks: Iterable[str], room: int) -> list[str]:
    """The first of the blocks, as many as there is room for."""
    taken = []
    for block in blocks:
        room -= _size(block)
        if room < 0:
            break
        taken.append(block)
    return taken
