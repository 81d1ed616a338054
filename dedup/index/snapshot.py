"""An index as it is at one moment, for those who ask it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DamagedIndexError, DedupIndexError
from ..kernel.types import Array
from ..model import Document, Source
from . import catalogue
from .catalogue import Row
from .postings import Found
from .segment import VERSION, Segment, key_of
from .shape import Shape

#: Documents that one key leads to, at most: those whose ids have the least hashes.
LIMIT = 64

#: A document is told by one number: the place of its segment << NUMBER | its own.
NUMBER = 24


def by_version(document: Document) -> tuple[str, str]:
    """What documents are ordered by that are told."""
    return document.id, document.source.archived or ""


class Part(NamedTuple):
    """A segment, what the catalogue says of it, and which of its documents are live (bool), None for all."""

    row: Row
    segment: Segment
    live: Array | None

    @classmethod
    def of(cls, row: Row, folder: Path) -> Part:
        """The part that a row of the catalogue names. Raises DamagedIndexError."""
        segment = Segment(row.file(folder), row.size, row.checksum)
        if segment.documents != row.documents or (row.removed >= row.documents).any():
            raise DamagedIndexError(f"{segment.pages.path}: the catalogue speaks of other documents")
        live = None
        if len(row.removed):
            live = np.ones(row.documents, bool)
            live[row.removed] = False
        return cls(row, segment, live)

    def numbers(self) -> Array:
        """The numbers of its live documents."""
        return np.arange(self.row.documents) if self.live is None else np.flatnonzero(self.live)


class Snapshot:
    """The live documents of an index. Later changes are not seen."""

    def __init__(self, folder: Path, shape: Shape, parts: list[Part]) -> None:
        self.folder, self.shape, self.parts = folder, shape, parts

    @classmethod
    def of(cls, folder: Path) -> Snapshot:
        """The index in a folder. Raises DedupIndexError where there is none, DamagedIndexError."""
        with catalogue.reading(folder) as found:
            return cls(
                folder, found.shape, [Part.of(row, folder) for row in found.segments() if row.run is None]
            )

    def __len__(self) -> int:
        return sum(part.row.documents - len(part.row.removed) for part in self.parts)

    # ---- documents, by their numbers

    def _by_part(self, documents: Array) -> Iterator[tuple[Part, Array, Array]]:
        """Each part that documents lie in, the places of these in ``documents``, and their numbers in the part."""
        owners = documents >> NUMBER
        for i in np.unique(owners).tolist():
            places = np.flatnonzero(owners == i)
            yield self.parts[i], places, documents[places] & ((1 << NUMBER) - 1)

    def ranks(self, documents: Array) -> tuple[Array, Array]:
        """What orders documents: the hashes of their ids, and the beginnings of their versions, uint64 both."""
        keys, versions = np.zeros(len(documents), "u8"), np.zeros(len(documents), "u8")
        for part, places, numbers in self._by_part(documents):
            keys[places] = part.segment.pages.at("keys", numbers)
            versions[places] = np.ascontiguousarray(part.segment.versions(numbers)[:, :8]).view(">u8")[:, 0]
        return keys, versions

    def names(self, documents: Array) -> list[tuple[str, Source]]:
        """Ids of documents, and where they came from, the version told."""
        found: list[tuple[str, Source]] = [("", Source())] * len(documents)
        for part, places, numbers in self._by_part(documents):
            told = zip(
                places.tolist(), part.segment.ids(numbers), part.segment.sources(numbers),
                part.segment.versions(numbers), strict=True,
            )  # fmt: skip
            for place, document, source, version in told:
                name = document.decode("utf-8", "surrogatepass")
                found[place] = name, source._replace(archived=version.tobytes().hex())
        return found

    def texts(self, documents: Array, jobs: int = 0) -> list[str]:
        """The stored texts of documents."""
        found = [""] * len(documents)
        for part, places, numbers in self._by_part(documents):
            for place, text in zip(places.tolist(), part.segment.texts(numbers, jobs), strict=True):
                found[place] = text
        return found

    def signatures(self, documents: Array) -> Array:
        """The halved signatures of documents."""
        found = np.zeros((len(documents), self.shape.num_perm // 2), "u1")
        for part, places, numbers in self._by_part(documents):
            found[places] = part.segment.signatures(numbers)
        return found

    def documents(self, wanted: Array, jobs: int = 0) -> list[Document]:
        """Documents with their texts."""
        named = zip(self.names(wanted), self.texts(wanted, jobs), strict=True)
        return [Document(document, text, source) for (document, source), text in named]

    # ---- documents, by what they hold

    def holds(self, versions: Collection[bytes]) -> bool:
        """Whether any document has one of these texts, which are told by their versions."""
        wanted = np.array(sorted(versions), f"S{VERSION}")
        return any(
            np.isin(part.segment.versions(part.numbers()).view(f"S{VERSION}"), wanted).any()
            for part in self.parts
        )

    def named(self, name: str) -> list[Document]:
        """The documents of an id, all its versions, or of ``id@version`` that one; with their texts, where these are
        stored. Raises DedupIndexError where they are not."""
        if not self.shape.text:
            raise DedupIndexError(f"{self.folder}: holds no texts")
        found = [place << NUMBER | number for place, number in named(self.parts, name)]
        return sorted(self.documents(np.array(found, "i8")), key=by_version)

    def find(self, family: str, keys: Array) -> tuple[Found, Array]:
        """For each of the ascending keys (uint32) the documents that hold it, at most LIMIT, by key; and
        whether there are more (bool, one a key)."""
        which, documents = [np.zeros(0, "i8")], [np.zeros(0, "i8")]
        for place, part in enumerate(self.parts):
            postings = part.segment.sketch if family == "sketch" else part.segment.seed
            assert postings is not None
            found = postings.find(keys, LIMIT + 1, part.live)
            which.append(found.keys)
            documents.append(found.documents | place << NUMBER)
            part.segment.pages.let_go()
        found = Found(np.concatenate(which), np.concatenate(documents))
        often = np.bincount(found.keys, minlength=len(keys)) > LIMIT
        return self._first(found, often), often

    def _first(self, found: Found, often: Array) -> Found:
        """The first LIMIT documents of the keys that so many hold ``often``, in the order of their ranks."""
        crowded = often[found.keys]
        keys, documents = found.keys[crowded], found.documents[crowded]
        if len(self.parts) > 1:  # in one part they stand in this order
            hashes, versions = self.ranks(documents)
            order = np.lexsort((versions, hashes, keys))
            keys, documents = keys[order], documents[order]
        first = np.arange(len(keys)) - np.searchsorted(keys, keys) < LIMIT
        keys = np.concatenate([found.keys[~crowded], keys[first]])
        documents = np.concatenate([found.documents[~crowded], documents[first]])
        order = np.argsort(keys, kind="stable")
        return Found(keys[order], documents[order])


def named(parts: list[Part], name: str) -> list[tuple[int, int]]:
    """Where parts hold an id, in all its versions, or ``id@version``: the place of the part, and the number in it."""
    every = [(place, number) for place, number, _ in _held(parts, name)]
    document, at, wanted = name.rpartition("@")
    if every or not at:
        return every
    return [(place, number) for place, number, has in _held(parts, document) if has.hex() == wanted.lower()]


def _held(parts: list[Part], document: str) -> Iterator[tuple[int, int, bytes]]:
    """Where parts hold an id: the place of the part, the number in it, the version."""
    key, name = np.uint64(key_of(document)), document.encode("utf-8", "surrogatepass")
    for place, part in enumerate(parts):
        keys = part.segment.keys()
        numbers = np.arange(np.searchsorted(keys, key), np.searchsorted(keys, key, side="right"))
        if part.live is not None:
            numbers = numbers[part.live[numbers]]
        versions = part.segment.versions(numbers)
        for number, found, version in zip(numbers.tolist(), part.segment.ids(numbers), versions, strict=True):
            if found == name:
                yield place, number, version.tobytes()[:VERSION]
