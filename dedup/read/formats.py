"""Which format a name stands for.

Enters: a path. Leaves: an ``Input``: the path, the format of the content, the compression round it. Names alone
decide; nothing is opened.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import SettingsError
from .options import AUTO, Options

STDIN = "-"
TEXT, JSONL, OTHER = "text", "jsonl", "other"
SUFFIXES = {".txt": TEXT, ".md": TEXT, ".jsonl": JSONL, ".ndjson": JSONL}
PACKINGS = {".gz": "gzip"}
NOT_READ = "not a format that dedup reads (.txt .md .jsonl .ndjson, optionally .gz)"


class Input(NamedTuple):
    """One file or stream. ``format`` is that of its content, ``packing`` the compression round it, or empty.

    For ``other``, which is not read, the packing is empty: the file is carried as it is.
    """

    path: str
    format: str
    packing: str


def named(path: str, options: Options, is_given: bool = True) -> Input:
    """The input of this name. ``input_format`` counts for standard input and for odd names that a user gave."""
    found = Input(path, JSONL, "") if path == STDIN else _by_name(path, path)
    if options.input_format == AUTO or not is_given or (path != STDIN and found.format != OTHER):
        return found
    return _by_name(path, f".{options.input_format}")


def check(options: Options) -> None:
    """Raises SettingsError for an input format that there is not."""
    if options.input_format != AUTO and _by_name("", f".{options.input_format}").format == OTHER:
        known = " ".join(suffix[1:] for suffix in SUFFIXES)
        packed = " ".join(PACKINGS)
        raise SettingsError(
            f"input_format is {options.input_format!r}; expected auto or a suffix: {known}, optionally with {packed}"
        )


def _by_name(path: str, name: str) -> Input:
    stem, packing = name.lower(), ""
    for suffix, kind in PACKINGS.items():
        if stem.endswith(suffix):
            stem, packing = stem.removesuffix(suffix), kind
            break
    dot = stem.rfind(".")
    format = SUFFIXES.get(stem[dot:], OTHER) if dot >= 0 else OTHER
    return Input(path, format, packing) if format != OTHER else Input(path, OTHER, "")
