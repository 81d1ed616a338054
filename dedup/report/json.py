"""The result as one JSON document, schema ``dedup-report/1`` (``schema.json`` beside this file)."""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO

import orjson

from ..model import Report, plain, shallow

_SURROGATE = re.compile("[\ud800-\udfff]")


def write(report: Report, stream: BinaryIO) -> None:
    """Write the whole report, indented by two."""
    stream.write(encode(report.outline(), indent=True))


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
