"""Texts as a page may show them: in paragraphs, every character seen, nothing that grows without end.

Enters: any text. Leaves: text that a browser lays out quietly. What is cut is counted where it is cut.
"""

from __future__ import annotations

import re
from itertools import groupby
from unicodedata import category

from ..page import UNSPACED
from ..visible import visible

MARKS = 8  # combining marks left on one character; no script needs more
LETTERS = 120  # letters shown of a word that has more than twice as many

_PARAGRAPHS = re.compile(r"\n\s*\n")
_PILE = re.compile(rf"[^\w\s]{{{MARKS + 1},}}")  # marks are no word characters
_LONG = re.compile(rf"[^\W{UNSPACED}]{{{2 * LETTERS + 1},}}")


def flowing(text: str) -> str:
    r"""The text with every run of white space as one space, or as an empty line where it had one.

    >>> flowing("One\nline.\n\nAnother\t one.\n")
    'One line.\n\nAnother one.'
    """
    return "\n\n".join(" ".join(part.split()) for part in _PARAGRAPHS.split(text.strip()))


def folded(text: str) -> str:
    r"""The same with the white space at the ends, if there is any.

    >>> folded("One\nline.\n\n")
    'One line.\n\n'
    """
    begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return f"{_gap(text[:begin])}{flowing(text)}{_gap(text[end:]) if begin < end else ''}"


def _gap(space: str) -> str:
    return ("\n\n" if space.count("\n") > 1 else " ") if space else ""


def seen(text: str) -> str:
    r"""Flowing text without anything that hides, reorders, piles up or has no end.

    >>> print(seen("e" + 100_000 * "\u0301" + " \x00")[9:])
    … 99,992 more marks … \x00
    >>> print(seen("a" * 1000)[110:])
    aaaaaaaa … 880 more letters … aa
    """
    return "\n\n".join(map(one_line, text.split("\n\n")))


def one_line(text: str) -> str:
    """The same for a name: a line end is shown, too."""
    return visible(_LONG.sub(_brief, _PILE.sub(_low, text)))


def _brief(word: re.Match[str]) -> str:
    return f"{word[0][: LETTERS - 2]} … {len(word[0]) - LETTERS:,} more letters … {word[0][-2:]}"


def _low(pile: re.Match[str]) -> str:
    parts = []
    for is_mark, run in groupby(pile[0], lambda character: category(character)[0] == "M"):
        marks = "".join(run)
        if is_mark and len(marks) > MARKS:
            marks = f"{marks[:MARKS]}… {len(marks) - MARKS:,} more marks … "
        parts.append(marks)
    return "".join(parts).rstrip()
