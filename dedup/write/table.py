"""Rows of a table as they came: Parquet and Arrow IPC, the schema and the order of rows kept.

Enters: rows, each as a place in the batch that it was read in. Leaves: a file of the same schema, with notes one of
four columns more. pyarrow writes it.
"""

from __future__ import annotations

import itertools
import json
from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

from ..read import Record
from .edit import NOTES, PREFIX

_ROWS = 1 << 14  # collected before they are written

ADD, DROP = "add", "drop"


class _Row(NamedTuple):
    """A row: its batch (a pyarrow ``RecordBatch``), its place in that, its cells as they are to be, if changed."""

    batch: Any
    place: int
    cells: dict[str, Any] | None


class Table:
    """Writes rows, of the text column as ``field`` says. ``notes``: columns for them are to be added, or dropped."""

    def __init__(self, stream: BinaryIO, format: str, field: str, notes: str = "") -> None:
        self._stream = stream
        self._format = format
        self._field = field
        self._notes = notes
        self._arrow = import_module("pyarrow")
        self._writer: Any = None
        self._schema: Any = None
        self._waiting: list[_Row] = []
        self._count = 0

    def write(self, record: Record, raw: Any) -> dict[str, int]:
        """Takes one row; ``raw`` is how it is told, changed or not. Gives its number in the file."""
        _, place, batch = record.place
        cells = None if raw is record.raw else json.loads(bytes(raw))
        self._waiting.append(_Row(batch, place, cells))
        if len(self._waiting) >= _ROWS:
            self._flush()
        self._count += 1
        return {"number": self._count - 1}

    def frame(self, record: Record) -> None:
        """The schema, which is that of the batches, if there are some."""
        self._schema = record.place

    def close(self) -> None:
        """Writes what waits, and the end of the file."""
        self._flush()
        if self._writer is None and self._schema is not None:
            nothing = self._arrow.Table.from_batches([], self._schema)
            self._writer = self._opened(self._noted(nothing, []).schema)
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        parts, start = [], 0
        for end in range(1, len(rows) + 1):
            if end == len(rows) or rows[end].batch is not rows[start].batch:
                parts += self._taken(rows[start].batch, [row.place for row in rows[start:end]])
                start = end
        table = self._arrow.Table.from_batches(parts)
        table = self._noted(self._retold(table, rows), rows)
        if self._writer is None:
            self._writer = self._opened(table.schema)
        self._writer.write_table(table)

    def _taken(self, batch: Any, places: list[int]) -> list[Any]:
        """Rows of a batch; by slices where it holds columns that pyarrow cannot take rows of (``string_view``)."""
        try:
            return [batch.take(self._arrow.array(places))]
        except self._arrow.ArrowNotImplementedError:
            begins = [0, *(i for i in range(1, len(places)) if places[i] != places[i - 1] + 1), len(places)]
            return [batch.slice(places[i], j - i) for i, j in itertools.pairwise(begins)]

    def _retold(self, table: Any, rows: list[_Row]) -> Any:
        """The table with the texts that were changed."""
        if self._field not in table.column_names or not any(row.cells for row in rows):
            return table
        place = table.schema.get_field_index(self._field)
        column = table.column(place)
        texts = column.to_pylist()
        for number, row in enumerate(rows):
            if row.cells is not None and isinstance(texts[number], str):
                texts[number] = row.cells[self._field]
        return table.set_column(place, table.schema.field(place), self._arrow.array(texts, column.type))

    def _noted(self, table: Any, rows: list[_Row]) -> Any:
        names = [f"{PREFIX}{name}" for name in NOTES]
        if self._notes == DROP:
            return table.drop_columns(names)
        if self._notes != ADD:
            return table
        for name in names:
            kind = (
                self._arrow.float64() if name.endswith(("jaccard", "containment")) else self._arrow.string()
            )
            values = [(row.cells or {}).get(name) for row in rows]
            table = table.append_column(name, self._arrow.array(values, kind))
        return table

    def _opened(self, schema: Any) -> Any:
        if self._format == "parquet":
            return import_module("pyarrow.parquet").ParquetWriter(self._stream, schema)
        return import_module("pyarrow.ipc").new_file(self._stream, schema)
