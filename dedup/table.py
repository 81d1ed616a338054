"""A report as a table: one row for each member of each cluster.

Enters: a ``Report``. Leaves: rows as dicts, or an Arrow C stream, which polars, pandas, pyarrow and DuckDB take over.
The columns are those of ``--format csv``; docs/result.md describes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import DependencyError

if TYPE_CHECKING:
    from .model import Report

#: The columns, and the type that pyarrow calls by this name.
COLUMNS = {
    "cluster": "string",
    "kind": "string",
    "kept": "bool_",
    "document": "string",
    "path": "string",
    "record": "int64",
    "line": "int64",
    "end_line": "int64",
    "start": "int64",
    "end": "int64",
    "jaccard": "float64",
    "containment": "float64",
    "similarity": "float64",
    "copies": "int64",
    "text": "string",
}

BATCH = 8192  # rows of an Arrow batch


def rows(report: Report) -> Iterator[dict[str, Any]]:
    """A dict for each member, with every column; None where a column says nothing of it."""
    blank = dict.fromkeys(COLUMNS)
    for documents in report.document_clusters:
        for number, copy in enumerate(documents.members):
            yield blank | {
                "cluster": documents.id,
                "kind": documents.kind,
                "kept": number == 0,
                "document": copy.document,
                "path": copy.source.path,
                "record": copy.source.line,
                "jaccard": copy.jaccard,
                "containment": copy.containment,
            }
    for passages in report.passage_clusters:
        for number, member in enumerate(passages.members):
            yield {
                "cluster": passages.id,
                "kind": "passage",
                "kept": number == 0,
                "document": member.document,
                "path": member.source.path,
                "record": member.source.line,
                "line": member.line,
                "end_line": member.end_line,
                "start": member.start,
                "end": member.end,
                "jaccard": None,
                "containment": None,
                "similarity": member.similarity,
                "copies": member.copies,
                "text": member.text,
            }


def stream(report: Report, requested_schema: object = None) -> object:
    """The rows as a PyCapsule with an ``ArrowArrayStream``; they are made batch by batch.

    A lone surrogate, which Arrow's UTF-8 cannot hold, becomes its ``\\u`` escape. Raises DependencyError without
    pyarrow.
    """
    try:
        pyarrow = import_module("pyarrow")
    except ImportError:
        raise DependencyError("a data frame needs pyarrow, which is missing; pip install pyarrow") from None
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in COLUMNS.items()])
    batches = (pyarrow.RecordBatch.from_pylist(part, schema) for part in _batches(report))
    return pyarrow.RecordBatchReader.from_batches(schema, batches).__arrow_c_stream__(requested_schema)


def _batches(report: Report) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows(report):
        part.append({name: _utf8(value) if isinstance(value, str) else value for name, value in row.items()})
        if len(part) == BATCH:
            yield part
            part = []
    yield part


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
