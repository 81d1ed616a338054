"""The clusters as CSV (RFC 4180), for a spreadsheet: a row for each member, the columns of :mod:`dedup.table`.

Enters: a ``Report``. Leaves: UTF-8 with a header row. A text that a spreadsheet would take for a formula has an
apostrophe before it (OWASP, "CSV injection"); the texts are whole, and otherwise as they are.
"""

from __future__ import annotations

import csv
import io
from typing import Any, BinaryIO

from ..model import Report
from ..table import COLUMNS, rows

#: Characters at which spreadsheets begin a formula, or pass over white space and then do; wide forms, too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write(report: Report, stream: BinaryIO) -> None:
    """Write the rows; a lone surrogate becomes its ``\\u`` escape."""
    text = io.TextIOWrapper(stream, "utf-8", errors="backslashreplace", newline="", write_through=True)
    try:
        table = csv.writer(text)
        table.writerow(COLUMNS)
        for row in rows(report):
            table.writerow([_cell(value) for value in row.values()])
    finally:
        text.detach()  # the stream is not ours to close


def _cell(value: Any) -> Any:
    """A value as it is written: nothing for None, ``true`` and ``false``, numbers with all their digits."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
