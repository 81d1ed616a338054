"""The result as JSON lines: one object a line, told apart by ``type``, written one after another.

``header`` (schema, tool, settings) comes first, then ``skipped`` and ``empty_document`` inputs, then each
``document_cluster`` and ``passage_cluster``, and ``summary`` last: a file without it is not whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from ..model import SCHEMA, Report, shallow
from .json import encode


def write(report: Report, stream: BinaryIO) -> None:
    """Write the report line by line; no more than one line is held encoded."""
    for line in _lines(report):
        stream.write(encode(line))


def _lines(report: Report) -> Iterator[dict[str, Any]]:
    tool = {"name": "dedup", "version": report.version}
    yield {"type": "header", "schema": SCHEMA, "tool": tool, "settings": report.settings.to_dict()}
    for kind, entries in (
        ("skipped", report.skipped),
        ("empty_document", report.empty_documents),
        ("document_cluster", report.document_clusters),
        ("passage_cluster", report.passage_clusters),
    ):
        for entry in entries:
            yield {"type": kind, **shallow(entry)}
    yield {"type": "summary", **shallow(report.summary)}
