"""Which format a name stands for, and which package that needs.

Enters: a path. Leaves: an ``Input``: the path, the format of the content, the compression round it. Names alone
decide; nothing is opened.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from ..errors import SettingsError
from .compression import BZIP2, GZIP, LZ4, XZ, ZSTD
from .options import AUTO, EXTRACTORS, Options

STDIN = "-"
TEXT, HTML, JSONL, CSV, TSV, OTHER = "text", "html", "jsonl", "csv", "tsv", "other"
PARQUET, ARROW = "parquet", "arrow"
ZIP, TAR = "zip", "tar"
WARC, WARC_GZ = "warc", "warc.gz"  # the second: a gzip member for each record, and not unpacked
SUFFIXES = {
    ".txt": TEXT, ".md": TEXT, ".html": HTML, ".htm": HTML,
    ".jsonl": JSONL, ".ndjson": JSONL, ".csv": CSV, ".tsv": TSV,
    ".warc": WARC, ".wet": WARC,
    ".parquet": PARQUET, ".arrow": ARROW, ".feather": ARROW,
    ".zip": ZIP, ".tar": TAR,
}  # fmt: skip
PACKINGS = {".gz": GZIP, ".bz2": BZIP2, ".xz": XZ, ".lzma": XZ, ".zst": ZSTD, ".lz4": LZ4}
SHORT = {".tgz": ".tar.gz", ".tbz2": ".tar.bz2", ".txz": ".tar.xz", ".tzst": ".tar.zst"}
NOT_READ = f"not a format that dedup reads ({' '.join(SUFFIXES)}, optionally {' '.join(PACKINGS)})"


class Input(NamedTuple):
    """One file or stream. ``format`` is that of its content, ``packing`` the compression round it, or empty.

    For ``other``, which is not read, the packing is empty: the file is carried as it is.
    """

    path: str
    format: str
    packing: str


class _Need(NamedTuple):
    """What a format is called, the modules of which it needs one, the package and the extra that bring it."""

    what: str
    modules: tuple[str, ...]
    package: str
    extra: str


_NEEDS = {
    ZSTD: _Need("zstd", ("compression.zstd", "backports.zstd"), "backports.zstd", "zstd"),
    WARC: _Need("WARC", ("fastwarc",), "fastwarc", "warc"),
    PARQUET: _Need("Parquet", ("pyarrow",), "pyarrow", "parquet"),
    ARROW: _Need("Arrow", ("pyarrow",), "pyarrow", "parquet"),
    LZ4: _Need("LZ4", ("lz4.frame",), "lz4", "lz4"),
}


_PAGES = (HTML, WARC)  # formats that hold HTML
_EXTRACTORS = {
    "resiliparse": _Need("HTML", ("resiliparse",), "resiliparse", "html"),
    "trafilatura": _Need("HTML", ("trafilatura",), "trafilatura", "trafilatura"),
}


def named(path: str, options: Options, is_given: bool = True) -> Input:
    """The input of this name, ``other`` where it cannot be read.

    ``input_format`` counts for standard input, and for names that a user gave and that say nothing.
    """
    found = by_name(path, options, is_given)
    return Input(path, OTHER, "") if lack(found, options) else found


def by_name(path: str, options: Options, is_given: bool = True) -> Input:
    """The input of this name, whether or not the packages that it needs are there."""
    found = Input(path, JSONL, "") if path == STDIN else _suffixed(path, path)
    if options.input_format == AUTO or not is_given or (path != STDIN and found.format != OTHER):
        return found
    return _suffixed(path, f".{options.input_format}")


def check(options: Options) -> None:
    """Raises SettingsError for an input format or an extractor that there is not."""
    if options.html_extractor not in EXTRACTORS:
        raise SettingsError(
            f"html_extractor is {options.html_extractor!r}; expected one of {', '.join(EXTRACTORS)}"
        )
    if options.input_format != AUTO and _suffixed("", f".{options.input_format}").format == OTHER:
        known = " ".join(suffix[1:] for suffix in SUFFIXES)
        packed = " ".join(PACKINGS)
        raise SettingsError(
            f"input_format is {options.input_format!r}; expected auto or a suffix: {known}, optionally with {packed}"
        )


def lack(found: Input, options: Options) -> str | None:
    """The package that is missing for an input, and how to get it; None if it can be read."""
    for need in _needs(found, options):
        if not any(map(_is_there, need.modules)):
            return f"reading {need.what} needs {need.package}; pip install 'dedup-spans[{need.extra}]'"
    return None


def why_not(path: str, options: Options) -> str:
    """Why a file of this name is not read."""
    return lack(by_name(path, options), options) or NOT_READ


def _needs(found: Input, options: Options) -> list[_Need]:
    needs = [_NEEDS[name] for name in (found.format, found.packing) if name in _NEEDS]
    if found.format in _PAGES and options.html_extractor in _EXTRACTORS:
        needs.append(_EXTRACTORS[options.html_extractor])
    return needs


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # of the package above it
        return False


def _suffixed(path: str, name: str) -> Input:
    stem = name.lower()
    format = _format(stem)
    if format != OTHER:
        return Input(path, format, "")
    for short, long in SHORT.items():
        if stem.endswith(short):
            stem = stem.removesuffix(short) + long
    for suffix, packing in PACKINGS.items():
        if stem.endswith(suffix):
            format = _format(stem.removesuffix(suffix))
            return Input(path, format, packing if format != OTHER else "")
    return Input(path, OTHER, "")


def _format(stem: str) -> str:
    dot = stem.rfind(".")
    return SUFFIXES.get(stem[dot:], OTHER) if dot >= 0 else OTHER
