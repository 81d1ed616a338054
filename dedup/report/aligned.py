"""Two texts laid upon each other: runs of words that are the same, and of words that differ.

Enters: two texts. Leaves: runs, shortened where they are long, and pieces for a page that show both in one text.
White space counts as one space, as in :mod:`dedup.report.excerpt`; punctuation and case count as they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..match import long_differences
from .excerpt import MARKED, SAME, Word, flat, forms, joined, words
from .figures import count
from .page import Piece
from .visible import visible

WORDS = 200_000  # words of each text that are compared
CHANGES = 200  # changes that are shown


class Run(NamedTuple):
    """Words of both texts. ``note`` is None, or stands for words, the same in both, that are not shown."""

    is_same: bool
    old: list[Word]
    new: list[Word]
    note: str | None = None


def runs(first: str, second: str) -> list[Run]:
    """The runs of two texts, all of them and whole, as far as WORDS."""
    old, new = (words(visible(flat(text)), WORDS) for text in (first, second))
    steps = long_differences(forms(word.text for word in old), forms(word.text for word in new))
    found = [Run(tag == "equal", old[a:b], new[c:d]) for tag, a, b, c, d in steps]
    if WORDS in (len(old), len(new)):
        if found and not found[-1].is_same:
            found.pop()  # an effect of the cut
        found.append(_note(f"… compared as far as word {WORDS:,} …"))
    return found


def shortened(found: list[Run]) -> list[Run]:
    """The runs with SAME words on each side of a change, and no more than CHANGES of these; all of short texts."""
    if max(sum(len(run.old) for run in found), sum(len(run.new) for run in found)) <= MARKED:
        return found
    out: list[Run] = []
    changes = 0
    for number, run in enumerate(found):
        if not run.is_same and changes == CHANGES:
            left = sum(not later.is_same for later in found[number:])
            return [*out, _note(f"… {count(left, 'more change')} …")]
        changes += not run.is_same
        if run.note is not None:
            out.append(run)
        elif run.is_same:
            out += _ends(run, SAME if number else 0, SAME if number < len(found) - 1 else 0)
        else:
            out.append(run._replace(old=_short(run.old), new=_short(run.new)))
    return out


def _note(text: str) -> Run:
    return Run(True, [], [], text)


def _ends(run: Run, head: int, tail: int) -> list[Run]:
    """The beginning and the end of a run that is the same in both; of a whole text both ends."""
    if not head and not tail:
        head = tail = SAME
    left_out = len(run.old) - head - tail
    if left_out <= SAME:  # leaving out a handful of words saves nothing
        return [run]
    first = Run(True, run.old[:head], run.new[:head])
    last = Run(True, run.old[len(run.old) - tail :], run.new[len(run.new) - tail :])
    parts = [first, _note(_more(run.old[head : len(run.old) - tail])), last]
    return [part for part in parts if part.note or part.old]


def _short(run: list[Word]) -> list[Word]:
    """The words of a change, of a long one both ends."""
    left_out = len(run) - 2 * SAME
    if left_out <= SAME:
        return run
    return [*run[:SAME], Word(_more(run[SAME:-SAME]), True), *run[-SAME:]]


def _more(run: list[Word]) -> str:
    """What stands for words that are not shown; marks are not counted."""
    return f"… {count(sum(word.text[0].isalnum() for word in run), 'word')} …"


def unified(found: Iterable[Run], *, color: bool) -> list[Piece]:
    """Both texts in one: ``[-old-]{+new+}``, or by style in colour."""
    pieces: list[Piece] = []
    for run in found:
        first = [words[0] for words in (run.old, run.new) if words]
        if pieces and (run.note or any(word.spaced for word in first)):
            pieces.append(Piece(" "))
        if run.note:
            pieces.append(Piece(run.note, "faint"))
        elif run.is_same:
            pieces.append(Piece(joined(run.new)))
        else:
            pieces += _change(run, color)
    return pieces


def _change(run: Run, color: bool) -> Iterator[Piece]:
    if run.old:
        yield Piece(joined(run.old) if color else f"[-{joined(run.old)}-]", "old")
    if color and run.old and run.new:
        yield Piece(" ")
    if run.new:
        yield Piece(joined(run.new) if color else f"{{+{joined(run.new)}+}}", "new")
