"""Two documents beside each other, for a person: the verdict, the figures, and the passages that both hold.

Enters: a ``Comparison``. Leaves: lines on a binary stream; passages in two columns where the page is wide enough, else
in one text. What is cut for length is counted where it is cut; ``json`` holds everything.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from ..comparison import LABELS, Comparison, SharedMember, SharedPassage, Side
from ..model import PassageMember
from .aligned import runs, shortened, unified
from .columns import beside
from .excerpt import flat
from .excerpt import shortened as of_one
from .explain import reasons, verdict
from .figures import count, percent
from .page import Page, Piece
from .text import more, named, placed

WIDE = 100  # columns of a page from which on texts stand side by side
PASSAGES = 100  # passages shown
PLACES = 20  # further places of a passage that are named

_INDENT = 14
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def write(found: Comparison, stream: BinaryIO, *, color: bool, width: int) -> None:
    """Write the comparison. Colour never carries meaning alone: without it, marks stand in its place."""
    page = Page(stream, color=color, width=width)
    for label, side in zip(LABELS, found.sides, strict=True):
        extent = f"{count(side.tokens, 'word')} · {count(side.characters, 'character')}"
        page.line(
            Piece(f"{label}  ", "title"), *named(side.source, side.document), Piece(f"  {extent}", "faint")
        )
    page.line()
    page.paragraph([Piece(verdict(found))], 0)
    page.line()
    for name, told in facts(found):
        page.entry(name, told, _INDENT)
    for number, passage in enumerate(found.passages[:PASSAGES], 1):
        page.title(f"passage {number} · {extent_of(passage)}")
        _passage(page, found, passage)
    if len(found.passages) > PASSAGES:
        page.line()
    more(page, len(found.passages) - PASSAGES, "more passage", "more passages")


def facts(found: Comparison) -> list[tuple[str, str]]:
    """The figures, what each step made of the pair, and the settings: each a name and a line."""
    a, b = found.sides
    shared = f"{found.shared_shingles:,} shared of {found.distinct_shingles:,}"
    settings = ", ".join(
        f"{name.replace('_', '-')} {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in found.settings.to_dict().items()
    )
    return [
        ("shingles", f"{shared} · A has {a.shingles:,}, B has {b.shingles:,}"),
        ("jaccard", "none: there are no shingles" if found.jaccard is None else percent(found.jaccard)),
        ("containment", f"{_share(a)} of A in B · {_share(b)} of B in A"),
        *reasons(found),
        ("settings", settings),
    ]


def _share(side: Side) -> str:
    return "none" if side.containment is None else percent(side.containment)


def extent_of(passage: SharedPassage) -> str:
    """What a title says of a passage: how long, how alike, in how many places."""
    parts = [count(passage.tokens, "word")]
    if passage.period is not None:
        parts.append(f"period of {count(passage.period, 'word')}")
    parts.append(f"{percent(passage.similarity)} alike")
    if len(passage.members) > 2:
        parts.append(count(len(passage.members), "place"))
    return " · ".join(parts)


def _passage(page: Page, found: Comparison, passage: SharedPassage) -> None:
    a, b = passage.pair
    for member in (a, b):
        is_told = len(passage.members) > 2 and member.similarity is not None
        note = f"  {percent(member.similarity or 0)} alike" if is_told else ""
        page.line(Piece(f"{LABELS[member.side]}  ", "title"), *place(found, member), Piece(note, "faint"))
    aligned = shortened(runs(a.text, b.text))
    if all(run.is_same for run in aligned):
        page.paragraph(of_one(flat(a.text)), 3)
    elif page.width >= WIDE and not _RIGHT_TO_LEFT.search(a.text + b.text):
        column = (page.width - 3) // 2
        for left, right in beside(aligned, column, color=page.color):
            page.beside(left, right, column)
    else:
        page.paragraph(unified(aligned, color=page.color), 3)
    others = [member for member in passage.members if member not in (a, b)]
    for member in others[:PLACES]:
        page.line(Piece("also in ", "faint"), Piece(f"{LABELS[member.side]}  "), *place(found, member))
    more(page, len(others) - PLACES, "more place", "more places")


def place(found: Comparison, member: SharedMember) -> list[Piece]:
    """Where a member stands, as ``path:line``."""
    side = found.sides[member.side]
    return placed(
        PassageMember(
            side.document,
            side.source,
            member.start,
            member.end,
            member.line,
            member.end_line,
            member.similarity,
            member.text,
        )
    )
