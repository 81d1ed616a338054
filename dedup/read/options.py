"""What a reader has to be told: field names, the extractor of text from HTML, the largest record."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import SettingsError

AUTO = "auto"
EXTRACTORS = ("resiliparse", "trafilatura", "none")
_UNITS = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "KI": 2**10,
    "MI": 2**20,
    "GI": 2**30,
    "TI": 2**40,
}


class Options(NamedTuple):
    """How inputs are read.

    ``text_field`` and ``id_field`` name the field or column of a record. ``max_record_size`` is in bytes; 0 lifts the
    limit. ``input_format`` is the format of standard input and of named files whose suffix says nothing, ``auto``
    where names decide (and JSON lines come on standard input).
    """

    text_field: str = "text"
    id_field: str = "id"
    html_extractor: str = "resiliparse"
    max_record_size: int = 100 * 10**6
    input_format: str = AUTO


def size(text: str) -> int:
    """A number of bytes as people write it. Raises SettingsError for anything else.

    >>> size("100MB"), size("1 GB"), size("64KiB"), size("0")
    (100000000, 1000000000, 65536, 0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", text.upper())
    if match is None or match[2] not in _UNITS:
        raise SettingsError(f"{text!r} is no size; expected bytes, or a number with KB, MB, GB")
    return int(float(match[1]) * _UNITS[match[2]])
