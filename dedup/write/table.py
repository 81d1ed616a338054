"""Rows of a table as they came: Parquet and Arrow IPC, the schema and the order of rows kept.

Enters: rows, each as a place in the batch that it was read in. Leaves: a file of the same schema, with notes one of
four columns more. pyarrow writes it.
"""

from __future__ import annotations

import itertools
import json
from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

from ..errors import OutputError
from ..read import Record
from ..read.formats import ARROW, PARQUET
from .mark import NOTES, PREFIX

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
        self._categories: dict[int, Any] = {}  # of dictionary columns of an Arrow file, all that were met
        self._count = 0

    def write(self, record: Record, raw: Any) -> dict[str, int]:
        """Takes one row; ``raw`` is how it is told, changed or not. Gives its number in the file.

        A record without a place stands for a table without rows.
        """
        if record.place is None:
            return {}
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
        try:
            table = self._arrow.Table.from_batches(parts)
            table = self._noted(self._retold(table, rows), rows)
            if self._format == ARROW:
                table = self._with_all_categories(table)
            if self._writer is None:
                self._writer = self._opened(table.schema)
            self._writer.write_table(table)
        except self._arrow.ArrowException as error:
            told = " ".join(str(error).split())
            raise OutputError(
                f"rows up to the {self._count:,}th cannot go into one {self._format} file: {told}; "
                f"name a folder: -o new/, or take the file out"
            ) from error

    def _taken(self, batch: Any, places: list[int]) -> list[Any]:
        """Rows of a batch; by slices where it holds columns that pyarrow cannot take rows of (``string_view``)."""
        try:
            return [batch.take(self._arrow.array(places))]
        except self._arrow.ArrowNotImplementedError:
            begins = [0, *(i for i in range(1, len(places)) if places[i] != places[i - 1] + 1), len(places)]
            return [batch.slice(places[i], j - i) for i, j in itertools.pairwise(begins)]

    def _retold(self, table: Any, rows: list[_Row]) -> Any:
        """The table with the texts that were changed; notes change none, and what did not change is not looked at."""
        changed = [] if self._notes else [number for number, row in enumerate(rows) if row.cells]
        if not changed:
            return table
        place = table.schema.get_field_index(self._field)
        column = table.column(place)
        chunks, done = [], 0
        for number in changed:
            text = (rows[number].cells or {})[self._field]
            chunks += [*column.slice(done, number - done).chunks, self._arrow.array([text], column.type)]
            done = number + 1
        chunks += column.slice(done).chunks
        retold = self._arrow.chunked_array(chunks, column.type)
        return table.set_column(place, table.schema.field(place), retold)

    def _with_all_categories(self, table: Any) -> Any:
        """The table with dictionaries that only ever grow: an Arrow file cannot hold others."""
        compute = import_module("pyarrow.compute")
        table = table.unify_dictionaries()
        for place, field in enumerate(table.schema):
            if not self._arrow.types.is_dictionary(field.type):
                continue
            column = table.column(place)
            met = column.chunk(0).dictionary
            known = self._categories.get(place, met)
            known = self._arrow.concat_arrays(
                [known, met.filter(compute.is_null(compute.index_in(met, known)))]
            )
            self._categories[place] = known
            codes = compute.index_in(met, known)
            chunks = [
                self._arrow.DictionaryArray.from_arrays(
                    codes.take(chunk.indices).cast(field.type.index_type), known, ordered=field.type.ordered
                )
                for chunk in column.chunks
            ]
            table = table.set_column(place, field, self._arrow.chunked_array(chunks, field.type))
        return table

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
        if self._format == PARQUET:
            return import_module("pyarrow.parquet").ParquetWriter(self._stream, schema)
        ipc = import_module("pyarrow.ipc")
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        return ipc.new_file(self._stream, schema, options=options)
