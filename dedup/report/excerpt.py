"""What of a text is shown: a long one shortened in its middle, a copy with the words marked that differ.

Enters: texts of a passage's copies. Leaves: pieces for a page. Runs of white space count as one space here
and are never a difference; the exact text is in the other formats.

Words stand here for what a reader sees as one. They are found by a plain rule, good enough to show; nothing
that is measured depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from unicodedata import category, normalize

from ..match import Difference, differences
from .page import UNSPACED, Piece

HEAD = 60  # words shown of the beginning of a long text
TAIL = 30  # and of its end
COMPARED = 4000  # words of each text compared: a bit matrix of 2 MB at most
SAME = 12  # words shown on each side of a change, and of each end of a long one
MARKED = 150  # words shown of a text with marks; one that is no longer is shown whole

# What belongs to the letter before it and is no \w: combining marks, and the joiners of Persian and Indic scripts.
# Where marks are, in the first plane.
_PLACES = (*range(0x300, 0x3100), *range(0xA66F, 0xAC00), *range(0xFB1E, 0xFE30))
_MARKS = "\u200c\u200d" + "".join(c for c in map(chr, _PLACES) if category(c)[0] == "M")
_WORD = rf"[{UNSPACED}][{_MARKS}]*|[^\W{UNSPACED}]+(?:[{_MARKS}]+[^\W{UNSPACED}]*)*"
COUNTED = re.compile(_WORD)
WORD = re.compile(rf"{_WORD}|[^\w\s]")


class Word(NamedTuple):
    """A word or a mark, and whether white space stands before it."""

    text: str
    spaced: bool


def flat(text: str) -> str:
    """The text on one line: every run of white space as one space."""
    return " ".join(text.split())


def shortened(text: str) -> list[Piece]:
    """A flat text, or its beginning and end with the number of words left out between."""
    total = sum(1 for _ in COUNTED.finditer(text))
    if total <= HEAD + TAIL + 10:  # leaving out a handful of words saves nothing
        return [Piece(text)]
    head = next(islice(COUNTED.finditer(text), HEAD - 1, None)).end()
    tail = next(islice(COUNTED.finditer(text), total - TAIL, None)).start()
    left_out = Piece(f" … {total - HEAD - TAIL:,} words … ", "faint")
    return [Piece(text[:head]), left_out, Piece(text[tail:])]


def marked(first: str, other: str, *, color: bool) -> list[Piece]:
    """Flat ``other``, its changes against ``first`` marked: ``[-old-]{+new+}``, or by style in colour."""
    old, new = words(first), words(other)
    steps = differences(forms(word.text for word in old), forms(word.text for word in new))
    is_cut = COMPARED in (len(old), len(new))
    if is_cut and steps[-1][0] != "equal":
        del steps[-1]  # an effect of the cut
    pieces: list[Piece] = []
    shown = 0
    for number, step in enumerate(steps):
        if step[0] == "equal":
            if number and (old[step[1]].spaced or new[step[3]].spaced):
                pieces.append(Piece(" "))
            around = (SAME if number else 0, SAME if number < len(steps) - 1 else 0)
            run = new[step[3] : step[4]]
            pieces.append(Piece(joined(run) if len(new) <= MARKED else _abridged(run, *around)))
            shown += min(len(run), sum(around))
        elif shown > MARKED:
            left = sum(later[0] != "equal" for later in steps[number:])
            pieces.append(Piece(f" … {left:,} more {'change' if left == 1 else 'changes'} …", "faint"))
            break
        else:
            pieces += _change(old, new, step, color)
            shown += step[2] - step[1] + step[4] - step[3]
    if is_cut:
        pieces.append(Piece(f" … compared as far as word {COMPARED:,} …", "faint"))
    return pieces


def _change(old: list[Word], new: list[Word], step: Difference, color: bool) -> Iterator[Piece]:
    """The words of one difference, each side with its mark."""
    _, a_start, a_end, b_start, b_end = step
    removed, added = old[a_start:a_end], new[b_start:b_end]
    if any(run and run[0].spaced for run in (removed, added)):
        yield Piece(" ")
    if removed:
        text = _abridged(removed, SAME, SAME)
        yield Piece(text if color else f"[-{text}-]", "old")
    if color and removed and added:
        yield Piece(" ")
    if added:
        text = _abridged(added, SAME, SAME)
        yield Piece(text if color else f"{{+{text}+}}", "new")


def _abridged(run: list[Word], head: int, tail: int) -> str:
    """The words, or so many of the first and the last with the number left out between."""
    left_out = len(run) - head - tail
    if left_out <= SAME:  # leaving out a handful of words saves nothing
        return joined(run)
    parts = (joined(run[:head]), f"… {left_out:,} words …", joined(run[len(run) - tail :]))
    return " ".join(part for part in parts if part)


def words(text: str, most: int = COMPARED) -> list[Word]:
    """The first words of a flat text, ``most`` of them."""
    found = islice(WORD.finditer(text), most)
    return [Word(match[0], match.start() > 0 and text[match.start() - 1] == " ") for match in found]


def forms(words: Iterable[str]) -> list[str]:
    """What words are compared by: those that are canonically equal (Unicode, NFC) look the same and are the same."""
    return [word if word.isascii() else normalize("NFC", word) for word in words]


def joined(words: list[Word]) -> str:
    """Words as the text that they are from, without white space before the first."""
    return "".join(f" {word.text}" if word.spaced else word.text for word in words).lstrip(" ")
