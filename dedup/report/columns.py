"""Two texts side by side, so that what is the same stands in the same row.

Enters: runs of words, the width of a column. Leaves: rows, each with pieces for the left and for the right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

from .aligned import Run
from .excerpt import Word
from .page import UNSPACED, Piece, fitting

Row = tuple[list[Piece], list[Piece]]

_CHARACTER = re.compile(f"[{UNSPACED}]")


class _Column:
    """Rows of pieces that are filled one after another."""

    def __init__(self, width: int) -> None:
        self.rows: list[list[Piece]] = [[]]
        self._width = width
        self._used = 0

    def has_room(self, text: str, spaced: bool) -> bool:
        return self._used + (spaced and self._used > 0) + cell_len(text) <= self._width

    def put(self, text: str, spaced: bool, style: str = "") -> None:
        """A stretch of text that is not broken unless it is wider than the column."""
        if self._used and not self.has_room(text, spaced):
            self.go_on(len(self.rows))
        for number, (start, end) in enumerate(fitting(text, 0, len(text), self._width)):
            if number:
                self.go_on(len(self.rows))
            if self._used and spaced and not number:
                # The space belongs to a stroke or an underline that goes on.
                last = self.rows[-1][-1].style
                self._write(Piece(" ", style if style == last else ""))
            self._write(Piece(text[start:end], style))

    def go_on(self, row: int) -> None:
        """Goes on at the beginning of a row."""
        while len(self.rows) <= row:
            self.rows.append([])
            self._used = 0

    def _write(self, piece: Piece) -> None:
        self.rows[-1].append(piece)
        self._used += cell_len(piece.text)


def beside(found: Iterable[Run], width: int, *, color: bool) -> Iterator[Row]:
    """The rows of both texts, each no wider than ``width``; marks stand round what differs unless there is colour."""
    left, right = _Column(width), _Column(width)
    for run in found:
        if run.note:
            _both(left, right, run.note, run.note, (True, True), "faint")
        elif run.is_same:
            for old, new in _units(run.old, run.new):
                _both(left, right, _text(old), _text(new), (old[0].spaced, new[0].spaced))
        else:
            _change(left, run.old, "old", "" if color else "[-", "" if color else "-]")
            _change(right, run.new, "new", "" if color else "{+", "" if color else "+}")
            row = max(len(left.rows), len(right.rows)) - 1
            left.go_on(row)
            right.go_on(row)
    for one, other in zip_longest(left.rows, right.rows, fillvalue=None):
        yield one or [], other or []


def _both(
    left: _Column, right: _Column, old: str, new: str, spaced: tuple[bool, bool], style: str = ""
) -> None:
    """What is the same in both begins in the same row."""
    if not left.has_room(old, spaced[0]) or not right.has_room(new, spaced[1]):
        row = max(len(left.rows), len(right.rows))
        left.go_on(row)
        right.go_on(row)
    left.put(old, spaced[0], style)
    right.put(new, spaced[1], style)
    row = max(len(left.rows), len(right.rows)) - 1
    left.go_on(row)
    right.go_on(row)


def _change(column: _Column, run: Sequence[Word], style: str, before: str, after: str) -> None:
    units = [old for old, _ in _units(run, run)]
    for number, unit in enumerate(units):
        text = (before if number == 0 else "") + _text(unit) + (after if number == len(units) - 1 else "")
        column.put(text, unit[0].spaced, style)


def _units(old: Sequence[Word], new: Sequence[Word]) -> Iterator[tuple[list[Word], list[Word]]]:
    """Words of both texts that stay together on a line: a word or an unspaced character, and marks."""
    start = 0
    for i in range(1, len(old) + 1):
        if i == len(old) or old[i].spaced or new[i].spaced or _is_loose(old[i - 1].text, old[i].text):
            yield list(old[start:i]), list(new[start:i])
            start = i


def _is_loose(before: str, word: str) -> bool:
    """Whether a line may end between two words without a space: beside a character of a script without spaces."""
    return bool(_CHARACTER.match(word) or (_CHARACTER.match(before) and word[0].isalnum()))


def _text(unit: Sequence[Word]) -> str:
    return "".join(word.text for word in unit)
