"""What is wrong with an index, and what can be saved of one that is damaged."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DamagedIndexError, DedupIndexError
from ..kernel.types import Array
from ..model import Document, Skipped
from ..text import version
from . import catalogue
from .catalogue import FOLDER, NAME, Row
from .segment import Segment
from .shape import Shape
from .snapshot import NUMBER, Part, Snapshot


def problems(folder: Path) -> Iterator[str]:
    """Reads all of an index and names what is not as it was written, a line each; nothing if all is in order."""
    try:
        with catalogue.reading(folder) as found:
            told = found.contradictions()
            parts = [_opened(row, folder) for row in found.segments()]
    except DamagedIndexError as error:
        yield str(error)
        return
    yield from (f"{folder / NAME}: {problem}" for problem in told)
    for part in parts:
        if isinstance(part, str):
            yield part
            continue
        pages = part.segment.pages
        damaged = list(pages.damaged())
        for start, end in damaged:
            yield f"{pages.path}: bytes {start:,} to {end:,} are not those that were written"
        if not damaged:
            yield from _contradictions(part.segment)


def _opened(row: Row, folder: Path) -> Part | str:
    try:
        return Part.of(row, folder)
    except DedupIndexError as error:
        return str(error)


def _contradictions(segment: Segment) -> Iterator[str]:
    keys = segment.keys()
    lengths = {len(keys), segment.documents, segment.pages.length("ids.ends")}
    if len(lengths) > 1 or (keys[1:] < keys[:-1]).any():
        yield f"{segment.pages.path}: what it says of its documents does not fit together"


def missing(folder: Path, items: Iterable[Document | Skipped]) -> tuple[list[tuple[str, str]], list[Skipped]]:
    """Documents that the index remembers and an archive does not hold, as id and version; and what was not readable
    of the archive."""
    there: set[str] = set()
    skipped = []
    for item in items:
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            there.add(version(item.text).hex())
    snapshot = Snapshot.of(folder)
    names = [
        (document, str(source.archived))
        for place, part in enumerate(snapshot.parts)
        for document, source in snapshot.names(part.numbers() | place << NUMBER)
    ]
    return sorted(name for name in names if name[1] not in there), skipped


class Lost(NamedTuple):
    """A document, or a whole segment, that cannot be read any more."""

    what: str


def salvaged(folder: Path) -> tuple[Shape, Iterator[Document | Lost]]:
    """The shape of a damaged index, and all live documents whose texts can still be read, the others as lost.

    Where the catalogue itself is damaged all segments are gone through, and what was removed or pending may come back.
    Raises DedupIndexError where no texts are stored or nothing is left.
    """
    rows, lost = _rows(folder)
    parts: list[Part] = []
    for row in rows:
        found = _opened(row, folder) if row.size else _alone(row, folder)
        if isinstance(found, Part):
            parts.append(found)
        else:
            lost.append(Lost(found))
    if not parts:
        raise DedupIndexError(f"{folder}: no segment can be read; build the index anew from the archive")
    shape = parts[0].segment.shape
    if not shape.text:
        raise DedupIndexError(f"{folder}: holds no texts; build the index anew from the archive")
    return shape, _documents(parts, lost)


def _rows(folder: Path) -> tuple[list[Row], list[Lost]]:
    try:
        with catalogue.reading(folder) as found:
            return [row for row in found.segments() if row.run is None], []
    except DedupIndexError as error:
        files = sorted((folder / FOLDER).glob("*.segment"))
        is_wrong = isinstance(error, DamagedIndexError) or error.__cause__ is None
        if not files or not is_wrong:  # there is no index, or the catalogue cannot be read now
            raise
        none = np.zeros(0, "u4")
        return [Row(int(file.stem), 0, 0, 0, None, none) for file in files if file.stem.isdigit()], [
            Lost(str(error))
        ]


def _alone(row: Row, folder: Path) -> Part | str:
    """A segment of which the catalogue says nothing."""
    try:
        segment = Segment(row.file(folder))
    except DedupIndexError as error:
        return str(error)
    return Part(row._replace(documents=segment.documents), segment, None)


def _documents(parts: list[Part], lost: list[Lost]) -> Iterator[Document | Lost]:
    yield from lost
    for part in parts:
        numbers = part.numbers()
        for at in range(0, len(numbers), _TOGETHER):
            yield from _readable(part.segment, numbers[at : at + _TOGETHER])


_TOGETHER = 1024  # documents that are read at a time; where that fails, one by one


def _readable(segment: Segment, numbers: Array) -> Iterator[Document | Lost]:
    try:
        texts, ids, sources = segment.texts(numbers), segment.ids(numbers), segment.sources(numbers)
    except (DamagedIndexError, zlib.error):
        if len(numbers) > 1:
            for number in numbers.tolist():
                yield from _readable(segment, np.array([number]))
        else:
            yield Lost(_told(segment, numbers))
        return
    for name, text, source in zip(ids, texts, sources, strict=True):
        yield Document(name.decode("utf-8", "surrogatepass"), text, source)


def _told(segment: Segment, number: Array) -> str:
    try:
        return segment.ids(number)[0].decode("utf-8", "surrogatepass")
    except DamagedIndexError:
        return f"document {int(number[0])} of {segment.pages.path}"
