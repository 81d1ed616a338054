"""Two texts as pieces for a page: what is the same, what differs, how much is left out.

Enters: flowing texts. Leaves: pieces. A piece is a text that both share, or a pair of what stands in the first and
in the other in its place, or the number of words left out that both share. Words are as in ``excerpt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ...match import differences
from ..excerpt import COMPARED, COUNTED, WORD, forms
from .shown import seen

Piece = str | tuple[str, str] | int
Words = list[tuple[str, str]]  # of each word or mark the white space before it, and itself

WHOLE = 260  # words of a text that is shown whole
SAME = 24  # words shown on each side of a change in a longer one, and of the ends of a long change
HEAD, TAIL = 160, 60  # words shown of a longer text without changes
MARKED = 500  # words shown of a longer one with changes

_SPACED = re.compile(rf"(\s*)({WORD.pattern})")


class Compared(NamedTuple):
    """The pieces, and whether they stop before the texts do.

    ``before`` and ``after`` stand round them in the first text, where they are a part of it.
    """

    pieces: list[Piece]
    is_cut: bool
    before: str = ""
    after: str = ""


def alone(text: str) -> Compared:
    """A text with nothing to compare it with."""
    total = sum(1 for _ in COUNTED.finditer(text))
    if total <= WHOLE:
        return Compared([seen(text)], False)
    head = next(islice(COUNTED.finditer(text), HEAD - 1, None)).end()
    tail = next(islice(COUNTED.finditer(text), total - TAIL, None)).start()
    return Compared([seen(text[:head]), total - HEAD - TAIL, seen(text[tail:])], False)


def compared(first: str, other: str) -> Compared:
    """How the first text becomes the other."""
    old, new = _words(first), _words(other)
    steps = differences(forms(word for _, word in old), forms(word for _, word in new))
    is_cut = COMPARED in (len(old), len(new))
    if is_cut and steps and steps[-1][0] != "equal":
        del steps[-1]  # an effect of the cut
    if len(steps) == 1 and steps[0][0] == "equal" and not is_cut:
        return alone(other)
    is_long = len(new) > WHOLE and len(steps) > 1
    pieces: list[Piece] = []
    shown = 0
    for tag, a_start, a_end, b_start, b_end in steps:
        if tag == "equal":
            run = new[b_start:b_end]
            pieces += _abridged(run) if is_long else [_joined(run)]
            shown += min(len(run), 2 * SAME)
        elif is_long and shown > MARKED:
            return Compared(pieces, True)
        else:
            gone, come = old[a_start:a_end], new[b_start:b_end]
            space = next((run[0][0] for run in (come, gone) if run), "")
            if pieces and isinstance(pieces[-1], str):
                pieces[-1] += space
            elif pieces:
                pieces.append(space)
            pieces.append((_brief(gone), _brief(come)))
            shown += len(gone) + len(come)
    return Compared(pieces, is_cut)


def first_side(pieces: list[Piece]) -> Iterator[str]:
    """The texts that stand in the first."""
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        elif isinstance(piece, tuple):
            yield piece[0]


def _words(text: str) -> Words:
    found = _SPACED.findall(text)
    return found[:COMPARED]


def _joined(run: Words) -> str:
    return seen("".join(part for word in run for part in word))


def _abridged(run: Words) -> list[Piece]:
    left_out = len(run) - 2 * SAME
    if left_out <= SAME:  # leaving out a handful of words saves nothing
        return [_joined(run)]
    return [_joined(run[:SAME]), left_out, _joined(run[-SAME:])]


def _brief(run: Words) -> str:
    """The words of a change, without the space before the first."""
    if len(run) <= 3 * SAME:
        return _joined(run).lstrip()
    left_out = len(run) - 2 * SAME
    return f"{_joined(run[:SAME]).lstrip()} … {left_out:,} words … {_joined(run[-SAME:]).lstrip()}"
