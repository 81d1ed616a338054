"""Data frames and tables: anything with the Arrow C stream interface, a document a row.

Enters: a polars, pandas (2.2 on) or pyarrow table, a DuckDB relation, a record batch reader; column names.
Leaves: a ``Document`` for each row, a ``Skipped`` for each row without a text. The data is taken over batch
by batch through pyarrow, which is needed for nothing else. (nanoarrow 0.9 is much smaller, but reading a
``string_view`` column, which is what polars hands out, ends the process with an invalid pointer.)
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ..errors import DependencyError, InputError
from ..model import Document, Skipped

_TEXT_TYPES = ("null", "string", "large_string", "string_view")
_ID_TYPES = (*_TEXT_TYPES, *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))


def frame_documents(frame: object, text: str, id: str | None = None) -> Iterator[Document | Skipped]:
    """The rows of a frame as documents; ``row:N``, N counted from 0, is the id where there is no other.

    Raises, before the first row: InputError for a column that is not there or of an unfit type (strings for
    ``text``, strings or whole numbers for ``id``), DependencyError without pyarrow.
    """
    if not hasattr(frame, "__arrow_c_stream__"):
        raise InputError(
            f"{type(frame).__name__}: no Arrow C stream; expected a polars, pandas (2.2) or pyarrow table, "
            "a DuckDB relation, or documents as (id, text)"
        )
    try:
        pyarrow = import_module("pyarrow")
    except ImportError:
        raise DependencyError("a data frame needs pyarrow, which is missing; pip install pyarrow") from None
    reader = pyarrow.RecordBatchReader.from_stream(frame)
    places = [column(reader.schema, text, is_id=False)]
    if id is not None:
        places.append(column(reader.schema, id, is_id=True))
    return _rows(reader, places)


def column(schema: Any, name: str, is_id: bool) -> int:
    """Where a column stands in a ``pyarrow.Schema``. Raises InputError unless it is there and its type is fit."""
    if name not in schema.names:
        columns = ", ".join(map(repr, schema.names)) or "none"
        raise InputError(f"no column {name!r}; the columns are {columns}")
    place: int = schema.names.index(name)
    kind = schema.field(place).type
    kind = kind.value_type if str(kind).startswith("dictionary") else kind
    if str(kind) not in (_ID_TYPES if is_id else _TEXT_TYPES):
        expected = "strings or whole numbers" if is_id else "strings"
        raise InputError(f"the column {name!r} holds {kind}; expected {expected}")
    return place


def _rows(reader: Any, places: list[int]) -> Iterator[Document | Skipped]:
    number = 0
    for batch in reader:
        texts, *names = (batch.column(place).to_pylist() for place in places)
        for text, name in zip(texts, names[0] if names else [None] * len(texts), strict=True):
            row = f"row:{number}"
            number += 1
            if text is None:
                yield Skipped(row, "the text is null")
            else:
                yield Document(row if name is None or name == "" else str(name), text)
