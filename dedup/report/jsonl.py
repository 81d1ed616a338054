"""The result as JSON lines: one object a line, told apart by ``type``, written one after another.

``header`` (schema, tool, settings) comes first, then ``skipped`` and ``empty_document`` inputs, then each
``document_cluster``, ``passage_cluster`` and ``estimate``, and ``summary`` last: a file without it is not whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from ..model import SCHEMA, Report, shallow, told
from .json import encode


def write(report: Report, stream: BinaryIO) -> None:
    """Write the report line by line; no more than one line is held encoded."""
    for line in _lines(report):
        stream.write(encode(line))


def _lines(report: Report) -> Iterator[dict[str, Any]]:
    tool = {"name": "dedup", "version": report.version}
    yield {"type": "header", "schema": SCHEMA, "tool": tool, "settings": report.settings.to_dict()}
    for kind, entries in (("skipped", report.skipped), ("empty_document", report.empty_documents)):
        for entry in entries:
            yield {"type": kind, **shallow(entry)}
    for kind, clusters in (
        ("document_cluster", report.document_clusters),
        ("passage_cluster", report.passage_clusters),
    ):
        for cluster in clusters:
            yield {"type": kind, **shallow(told(cluster))}
    for estimate in report.estimates or ():
        yield {"type": "estimate", **shallow(estimate)}
    yield {"type": "summary", **shallow(report.summary)}
