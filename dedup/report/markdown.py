"""The gate's verdict as Markdown, for a comment on a pull request or the summary of a build.

Enters: a ``Verdict``, and how long the text may be. Leaves: GitHub-flavoured Markdown: the outcome, a table of
the findings, their texts folded away.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ..verdict import NEW, PASSAGE, Verdict
from . import place
from .figures import count, percent
from .finding import RULES, Shown, Texts, outcome, remedy, shown, tally
from .markup import LIMIT, cell, code, fenced, fitting, folded, short, size
from .page import Page

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
    room = limit - _RESERVED - size(head) - size(lists)
    table = _table(entries, int(room * _TABLE))
    texts = _texts(verdict, entries, room - size(table))
    return "".join((head, table, texts, lists)).encode()


def _head(verdict: Verdict) -> str:
    if verdict.gate.passed:
        return f"## dedup check passed\n\n{tally(verdict.gate)}\n"
    reasons = fenced([short(outcome(verdict), 10 * LINE)])
    return f"## dedup check failed\n\n{tally(verdict.gate)}\n\n{reasons}\n{remedy(verdict, '`')}\n"


def _table(entries: list[Shown], room: int) -> str:
    if not entries:
        return ""
    rows = fitting((_row(entry) for entry in entries), room)
    left = len(entries) - len(rows)
    more = f"\n… and {count(left, 'more finding')}.\n" if left else ""
    header = (
        "| place | what | repeats | length | alike | fingerprint |\n| --- | --- | --- | ---: | ---: | --- |\n"
    )
    return f"\n{header}{''.join(rows)}{more}"


def _row(entry: Shown) -> str:
    finding = entry.finding
    what = RULES[finding.rule].title.lower()
    other = cell(place.name(finding.others[0])) if finding.others else "itself"
    if finding.all_others > 1:
        other += f" and {finding.all_others - 1:,} more"
    cells = (
        cell(place.name(finding)),
        what if finding.status == NEW else f"{what}, {finding.status}",
        other,
        count(finding.tokens, "word"),
        "" if finding.similarity is None else percent(finding.similarity),
        cell(finding.fingerprint),
    )
    return f"| {' | '.join(cells)} |\n"


def _texts(verdict: Verdict, entries: list[Shown], room: int) -> str:
    """The passages' texts, words marked that differ, as many as there is room for."""
    passages = [entry for entry in entries if entry.finding.rule == PASSAGE]
    blocks = fitting(_excerpts(verdict, passages), room)
    left = len(passages) - len(blocks)
    more = f"… and {count(left, 'more text')}.\n" if left else ""
    title = "What is repeated, and the words that differ"
    return folded(title, "".join((*blocks, more))) if passages else ""


def _excerpts(verdict: Verdict, entries: list[Shown]) -> Iterator[str]:
    texts = Texts(verdict.report)
    for entry in entries:
        stream = io.BytesIO()
        page = Page(stream, color=False, width=_WIDTH)
        page.paragraph(texts.excerpt(entry.finding, color=False), 0)
        lines = stream.getvalue().decode().splitlines()
        yield f"{code(place.name(entry.finding))}\n\n{fenced(lines)}\n"


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
    named = [short(line, LINE) for line in lines[:LISTED]]
    return folded(title, fenced(named + ([f"and {left:,} more"] if left > 0 else []))) if lines else ""
