"""Writes Markdown tables and result files."""

from __future__ import annotations

from datetime import date
from pathlib import Path


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns; the first is flush left, the others flush right.

    >>> print(markdown(["tool", "wall"], [["a", "1.0"]]))
    | tool | wall |
    |:-----|-----:|
    | a    |  1.0 |
    """
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    rules = [":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])]
    lines = [_line(header, widths), "|" + "|".join(rules) + "|", *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _line(cells: list[str], widths: list[int]) -> str:
    first = cells[0].ljust(widths[0])
    others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *others]) + " |"


def decimal(value: float | None, places: int = 1) -> str:
    """A number with so many places, or a dash."""
    return "-" if value is None else f"{value:.{places}f}"


def share(value: float | None) -> str:
    """A share of one with three places and no leading zero, never rounded up to 1.

    >>> share(1.0), share(0.99996), share(0.5), share(None)
    ('1.000', '.999', '.500', '-')
    """
    if value is None:
        return "-"
    return "1.000" if value == 1 else f"{int(value * 1000) / 1000:.3f}".lstrip("0")


def record(folder: Path, name: str, text: str) -> Path:
    """Write a result file named by date; an earlier one of the same name and day is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{date.today().isoformat()}-{name}.md"
    path.write_text(text, encoding="utf-8")
    return path
