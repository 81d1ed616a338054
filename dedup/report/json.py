"""The result as one JSON document, schema ``dedup-report/1`` (``schema.json`` beside this file).

That of the gate has ``gate``, ``findings``, ``stale_entries`` and ``notes`` at its end.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from ..model import Report, plain, shallow

if TYPE_CHECKING:
    from ..verdict import Finding, Verdict

_SURROGATE = re.compile("[\ud800-\udfff]")


def write(report: Report, stream: BinaryIO) -> None:
    """Write the whole report, indented by two."""
    stream.write(encode(report.outline(), indent=True))


def write_verdict(verdict: Verdict, stream: BinaryIO) -> None:
    """Write the whole report with the gate's answer behind it: all findings, whatever their status."""
    answer = {
        "gate": {**shallow(verdict.gate), "reasons": verdict.reasons},
        "findings": [_finding(finding) for finding in verdict.findings],
        "stale_entries": [entry._asdict() for entry in verdict.stale],
        "notes": verdict.notes,
    }
    stream.write(encode({**verdict.report.outline(), **answer}, indent=True))


def _finding(finding: Finding) -> dict[str, Any]:
    others = [
        {"document": document, "line": line, "path": path, **({"archived": True} if archived else {})}
        for document, path, line, archived in finding.others
    ]
    return {
        "rule": finding.rule,
        "status": finding.status,
        "document": finding.document,
        "start": finding.start,
        "end": finding.end,
        "line": finding.line,
        "end_line": finding.end_line,
        "fingerprint": finding.fingerprint,
        "others": others,
        "more_others": finding.more,
        "path": finding.path,
        "column": finding.column,
        "end_column": finding.end_column,
        "cluster": finding.cluster,
        "tokens": finding.tokens,
        "similarity": finding.similarity,
        "added": finding.added,
        "reason": finding.reason,
    }


def encode(value: Any, *, indent: bool = False) -> bytes:
    """A value, model objects in it too, as UTF-8 JSON and a line end.

    A lone surrogate, which UTF-8 cannot hold, is written as its ``\\u`` escape.

    orjson is fast and refuses lone surrogates; the standard module takes over then, in the same layout.
    """
    options = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        return orjson.dumps(value, default=shallow, option=options)
    except orjson.JSONEncodeError:
        separators = (",", ": ") if indent else (",", ":")
        text = json.dumps(
            plain(value), ensure_ascii=False, indent=2 if indent else None, separators=separators
        )
        return _SURROGATE.sub(_escaped, text).encode("utf-8") + b"\n"


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
