"""A saved result, read again: the JSON of ``dedup scan`` and ``dedup check`` becomes the report that it was.

Enters: a file. Leaves: a ``Report``, or a ``Verdict`` where the gate has spoken; written as JSON again, either gives
the same bytes. Every value is checked against what docs/result.md says of it: a result may come from anywhere.
"""

from __future__ import annotations

import json
import os
from typing import Any, BinaryIO, NoReturn

import orjson

from ..errors import DependencyError, ResultError
from ..model import Report
from ..read.formats import JSONL, PACKINGS, Input, lack
from ..read.options import Options
from ..read.reasons import reason
from ..read.stream import opened
from ..verdict import Verdict
from .decode import decoded
from .values import EXPECTED, WrongError

#: Bytes beyond which a compressed result that was packed to less than a 200th is taken for a decompression bomb.
BOMB = 10**9


def load(path: str | os.PathLike[str]) -> Report:
    """The report in a file that ``--format json`` wrote; of ``dedup check``, the report that its findings are in.

    The file may be compressed, as its suffix says. Raises ResultError for anything else. A file of 100 MB takes
    about two seconds.
    """
    found = read(os.fspath(path))
    return found.report if isinstance(found, Verdict) else found


def read(path: str, stdin: BinaryIO | None = None) -> Report | Verdict:
    """What a file holds, or standard input for ``-``. Raises ResultError, and DependencyError for a missing package."""
    options = Options(max_record_size=BOMB)
    found = Input(path, JSONL, PACKINGS.get(os.path.splitext(path)[1].lower(), ""))
    if lacking := lack(found, options):
        raise DependencyError(f"{path}: {lacking}")
    try:
        with opened(found, options, stdin=stdin) as stream:
            data = stream.read()
    except OSError as error:
        raise ResultError(f"{path}: {reason(error)}") from error
    try:
        return decoded(_parsed(data))
    except WrongError as error:
        raise ResultError(f"{path}: {error}") from None


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        first = error
    try:  # the standard module reads lone surrogates, which orjson refuses
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass
    if not data.strip():
        raise WrongError(f"is empty; {EXPECTED}")
    if data.startswith(b'{"type":"header"'):
        raise WrongError(f"is a result in JSON lines; {EXPECTED}")
    raise WrongError(f"is damaged or not JSON: {first.msg} at line {first.lineno}; {EXPECTED}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
