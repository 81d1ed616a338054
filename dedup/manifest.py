"""The manifest of a filter run: what came, where it went and why, line by line; enough to put all of it back.

Enters: lines as dicts. Leaves: JSON lines, the last of which holds the SHA-256 of all before it. The form of each
is in ``manifest.schema.json`` and in docs/manifest.md.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from .errors import ManifestError, OutputError

SCHEMA = "dedup-manifest/1"

#: What is added to the manifest's name for the folder of inputs that are kept as they came.
ORIGINALS = ".originals"

Line = dict[str, Any]


class Sum(NamedTuple):
    """Size in bytes and SHA-256 of some content."""

    size: int
    sha256: str


class Summing:
    """Adds up the bytes of some content."""

    def __init__(self) -> None:
        self._size = 0
        self._sha = hashlib.sha256()

    def add(self, data: bytes | memoryview) -> None:
        """The bytes that come next."""
        self._size += len(data)
        self._sha.update(data)

    def sum(self) -> Sum:
        """Of what was added."""
        return Sum(self._size, self._sha.hexdigest())


class Writer:
    """Writes lines and adds up their hash."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def line(self, line: Line) -> None:
        """One more line."""
        if self._stream is not None:
            self._put(line)

    def end(self) -> None:
        """The last line."""
        if self._stream is not None:
            self._put({"type": "end", "sha256": self._hash.hexdigest()})

    def _put(self, line: Line) -> None:
        assert self._stream is not None
        data = _packed(line)
        self._hash.update(data)
        try:
            self._stream.write(data)
        except OSError as error:
            raise OutputError.of("the manifest", error) from error


def read(path: str) -> Iterator[Line]:
    """The lines of a manifest that is whole. Raises ManifestError, before the first line, where it is not."""
    _check(path)
    yield from lines(path)


def lines(path: str) -> Iterator[Line]:
    """The lines of a manifest that was found whole before."""
    with open(path, "rb") as stream:
        for data in stream:
            line = _unpacked(data)
            if line["type"] == "input":
                _check_names(path, line)
            yield line


def _check_names(path: str, line: Line) -> None:
    """Raises ManifestError where a name could lead out of the folder that it is one in."""
    for name in (line["name"], line["original"]):
        if name is not None and (
            {"", ".", ".."} & {*name.split("/")} or "\0" in name or os.path.splitdrive(name)[0]
        ):
            raise ManifestError(f"{path}: names an input {name!r}; expected a path below a folder")


def text_of(data: bytes) -> Line:
    """Bytes as a member of a line: ``text`` where they are UTF-8, else ``base64``."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def bytes_of(line: Line) -> bytes:
    """The bytes that :func:`text_of` has put there."""
    return line["text"].encode("utf-8") if "text" in line else base64.b64decode(line["base64"])


def schema() -> Line:
    """The JSON Schema of a line."""
    found: Line = orjson.loads(Path(__file__).with_name("manifest.schema.json").read_bytes())
    return found


def _packed(line: Line) -> bytes:
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate in an id, a whole number above 64 bits
        import json

        return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def _unpacked(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:  # what orjson could not write it does not read
        import json

        return json.loads(data)


def _check(path: str) -> None:
    sha = hashlib.sha256()
    last = first = b""
    try:
        with open(path, "rb") as stream:
            for line in stream:
                sha.update(last)
                first = first or line
                last = line
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        begin, end = _unpacked(first), _unpacked(last)
        found = begin["schema"]
    except (ValueError, TypeError, KeyError):
        raise ManifestError(f"{path}: not a manifest of dedup, or cut off") from None
    if found != SCHEMA:
        raise ManifestError(f"{path}: is of {found}; this dedup reads {SCHEMA}")
    if not isinstance(end, dict) or end.get("type") != "end":
        raise ManifestError(f"{path}: is cut off: its last line is missing")
    if end.get("sha256") != sha.hexdigest():
        raise ManifestError(
            f"{path}: was changed after it was written: its SHA-256 is not the one in its last line"
        )
