"""Report: a result becomes bytes, in one of several formats, one file each.

Enters: a ``Report`` and a binary stream. Leaves: UTF-8 on that stream, the same bytes for the same report
(with ``text``, for the same width and colour too). Nothing is imported before a format is asked for.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from ..errors import SettingsError
from ..model import Report

FORMATS = ("text", "json", "jsonl")
WIDTH = 100


def write(report: Report, format: str, stream: BinaryIO, *, color: bool = False, width: int = WIDTH) -> None:
    """Write a report. ``color`` and ``width`` (in terminal columns) matter to ``text`` only."""
    if format == "text":
        from . import text

        text.write(report, stream, color=color, width=width)
    elif format == "json":
        from . import json

        json.write(report, stream)
    elif format == "jsonl":
        from . import jsonl

        jsonl.write(report, stream)
    else:
        raise SettingsError(f"format is {format!r}; expected one of {', '.join(FORMATS)}")


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every ``json`` result meets."""
    import json as standard_json
    from importlib.resources import files

    text = files(__package__).joinpath("schema.json").read_text("utf-8")
    loaded: dict[str, Any] = standard_json.loads(text)
    return loaded
