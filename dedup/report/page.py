"""A page of styled lines on a binary stream: titles, lines, wrapped paragraphs, with colour or without.

Enters: pieces, each a text and the name of a style. Leaves: UTF-8 lines no wider than asked, counted in
terminal columns (a Han character takes two). Every text passes ``visible``. rich gives the styles and the
widths; its console is not used, since it lays out some thousand lines a second and a large report has a
million.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import BinaryIO, NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from .visible import visible

# Scripts that are written without spaces: Thai, Lao, Burmese, Khmer, kana, bopomofo, Han.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# What stays on one line: a character of such a script with the marks and the punctuation after it, or a word.
_UNBROKEN = re.compile(rf"[{UNSPACED}][^\w\s]*|[^\s{UNSPACED}]+")

_STYLES = {
    "title": "bold cyan",
    "place": "bold",
    "faint": "dim",
    "old": "red strike",
    "new": "bold underline green",
    "warning": "yellow",
}


class Piece(NamedTuple):
    """A stretch of text in one style (a key of ``_STYLES``, or nothing)."""

    text: str
    style: str = ""


class Page:
    """Writes lines; knows the width and whether there is colour."""

    def __init__(self, stream: BinaryIO, *, color: bool, width: int) -> None:
        self._stream = stream
        self.color = color
        self.width = max(width, 40)

    def line(self, *pieces: Piece, indent: int = 0) -> None:
        """One line, however long: names are not broken, so that they can be copied."""
        self._write([Piece(visible(text), style) for text, style in pieces], indent)

    def title(self, text: str) -> None:
        """A title on a rule, after an empty line."""
        shown = visible(text)
        rest = max(self.width - cell_len(shown) - 4, 2)
        self._write([], 0)
        self._write([Piece("── ", "faint"), Piece(shown, "title"), Piece(" " + "─" * rest, "faint")], 0)

    def beside(self, left: Sequence[Piece], right: Sequence[Piece], width: int) -> None:
        """A line in two columns, of which the first takes so much room; ``left`` and ``right`` are visible already."""
        gap = " " * max(width - sum(cell_len(piece.text) for piece in left), 0)
        self._write([*left, Piece(f"{gap} "), Piece("│", "faint"), Piece(" "), *right], 0)

    def entry(self, name: str, text: str, indent: int) -> None:
        """A name, and behind it a text over as many lines as it needs."""
        shown, head = visible(text), name.ljust(indent)
        for start, end in _lines(shown, self.width - indent):
            self._write([Piece(head, "faint"), Piece(shown[start:end])], 0)
            head = " " * indent

    def paragraph(self, pieces: Sequence[Piece], indent: int) -> None:
        """A text over as many lines as it needs."""
        shown = [Piece(visible(text), style) for text, style in pieces]
        flat = "".join(piece.text for piece in shown)
        for start, end in _lines(flat, self.width - indent):
            self._write(_cut(shown, start, end), indent)

    def _write(self, pieces: Iterable[Piece], indent: int) -> None:
        text = "".join(_painted(text, style) if self.color else text for text, style in pieces)
        self._stream.write(f"{' ' * indent}{text}".rstrip(" ").encode("utf-8") + b"\n")


@cache
def _style(name: str) -> Style:
    return Style.parse(_STYLES[name])


def _painted(text: str, style: str) -> str:
    return _style(style).render(text, color_system=ColorSystem.STANDARD) if style and text else text


def _lines(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where each line of a wrapped text starts and ends."""
    start = end = column = 0
    for found in _UNBROKEN.finditer(text):
        for first, last in fitting(text, found.start(), found.end(), width):
            wide = cell_len(text[first:last])
            gap = first - end
            if column and column + gap + wide > width:
                yield start, end
                column = 0
            start, column = (start, column + gap + wide) if column else (first, wide)
            end = last
    if column:
        yield start, end


def fitting(text: str, start: int, end: int, width: int) -> Iterator[tuple[int, int]]:
    """A stretch without spaces, in parts that each fit on a line."""
    if (end - start) * 2 <= width or cell_len(text[start:end]) <= width:
        yield start, end
        return
    column = 0
    for position in range(start, end):
        wide = cell_len(text[position])
        if column + wide > width:
            yield start, position
            start, column = position, 0
        column += wide
    yield start, end


def _cut(pieces: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    """The part of the pieces between two positions of their joined text."""
    position = 0
    for text, style in pieces:
        part = text[max(start - position, 0) : max(end - position, 0)]
        if part:
            yield Piece(part, style)
        position += len(text)
