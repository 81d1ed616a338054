"""A segment: documents that were added together, in one file that is never changed.

Its arrays, one item a document where nothing else is said, documents ascending by the hash of their id and then by
version, which is the same order in every index that holds them:

========================  ============================================================================
``keys``                  uint64, the hash of the id
``versions``              16 bytes, the first of the SHA-256 of the text in UTF-8
``ids``, ``ids.ends``     the ids in UTF-8, end to end, and where each ends
``paths``, ``paths.ends``  the distinct paths that documents came from, likewise
``path``                  uint32, which of them, or NONE
``line``, ``offset``      uint32 from 1, 0 for none; int64, -1 for none
``signatures``            without texts: four bits of each minimum, two to a byte
``place``                 with texts: uint32, the number of the text
``texts``                 blocks of texts, compressed by zlib
``blocks``                where each block ends in ``texts``; ``blocks.first``, the number of its first text
``sketch.*``, ``seed.*``  postings
========================  ============================================================================
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import kernel, sketch
from ..kernel.types import Array, threads
from ..model import Document, Source
from ..text import version
from . import keys, postings
from .pages import Pages, PagesWriter
from .postings import Postings
from .shape import FORMAT, Shape
from .strings import Strings

VERSION = 16  # bytes of a version
MOST = 1 << 24  # documents of a segment
NONE = 0xFFFFFFFF
BLOCK = 1 << 14  # bytes of text that are compressed together, at least
_LEVEL = 4  # of zlib, measured on 12 MB of articles: .47 at 53 MB/s; level 1 .50 at 87, level 6 .46 at 28
# Blocks that a thread unpacks before it takes others: one by one they cost more than their unpacking.
_AT_ONCE = 64


def key_of(document: str) -> int:
    """The hash of an id."""
    return int.from_bytes(blake2b(_encoded(document), digest_size=8).digest(), "little")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _told(line: int | None) -> int:
    """A line as it is stored: 0 for none, and for one that four bytes have no room for."""
    return line if line is not None and line < 1 << 32 else 0


class Columns(NamedTuple):
    """What is told of documents apart from what they are found by, in the order of a segment; see there."""

    keys: Array
    versions: Array
    ids: Strings
    paths: Strings
    path: Array
    line: Array
    offset: Array

    @classmethod
    def of(cls, keys: Array, versions: Array, documents: Sequence[Document]) -> Columns:
        """The columns of documents, with their keys and versions."""
        sources = [document.source for document in documents]
        numbers: dict[str, int] = {}
        for source in sources:
            if source.path is not None:
                numbers.setdefault(source.path, len(numbers))
        return cls(
            keys,
            versions,
            Strings.of([_encoded(document.id) for document in documents]),
            Strings.of([_encoded(path) for path in numbers]),
            np.array([NONE if source.path is None else numbers[source.path] for source in sources], "u4"),
            np.array([_told(source.line) for source in sources], "u4"),
            np.array([-1 if source.byte_offset is None else source.byte_offset for source in sources], "i8"),
        )

    @classmethod
    def joined(cls, parts: Sequence[Columns], order: Array) -> Columns:
        """The documents of all parts that ``order`` names, by their place when one part stands after the other."""
        paths: dict[bytes, int] = {}
        named = []
        for part in parts:
            numbers = [paths.setdefault(path, len(paths)) for path in part.paths.values()]
            table = np.array([*numbers, NONE], "i8")
            named.append(table[np.minimum(part.path, len(numbers))])
        return cls(
            np.concatenate([part.keys for part in parts])[order],
            np.concatenate([part.versions for part in parts])[order],
            Strings.joined(part.ids for part in parts).take(order),
            Strings.of(list(paths)),
            np.concatenate(named)[order],
            np.concatenate([part.line for part in parts])[order],
            np.concatenate([part.offset for part in parts])[order],
        )


class Entry(NamedTuple):
    """A document with the hash of its id and its version."""

    key: int
    version: bytes
    document: Document

    @classmethod
    def of(cls, document: Document) -> Entry:
        """The entry of a document."""
        return cls(key_of(document.id), version(document.text), document)


def write(path: Path, entries: Sequence[Entry], shape: Shape, jobs: int = 0) -> tuple[int, int]:
    """Writes a segment of documents whose ids, or else whose texts, differ; the file's size and checksum."""
    order = sorted(range(len(entries)), key=entries.__getitem__)
    keys_column = np.array([entries[i].key for i in order], "u8")
    versions_column = np.frombuffer(b"".join(entries[i].version for i in order), f"V{VERSION}")
    ranked = [entries[i].document for i in order]
    columns = Columns.of(keys_column, versions_column, ranked)
    tokens = kernel.tokenise([document.text for document in ranked], jobs=jobs)
    with PagesWriter(path) as writer:
        write_columns(writer, columns)
        if shape.text:
            writer.array("place", np.array(order), "<u4")
            write_texts(writer, pack([entry.document.text for entry in entries], threads(jobs)))
        else:
            signed, _ = sketch.sign(
                tokens.hashes, tokens.offsets, shape.ngram, shape.num_perm, shape.seed, jobs
            )
            writer.array("signatures", halved(signed.values), "u1")
        found = {"sketch": keys.sketch(tokens.hashes, tokens.offsets, shape.ngram, jobs)}
        if shape.passages:
            found["seed"] = keys.seeds(tokens.hashes, tokens.offsets, jobs)
        shift = postings.bits(len(entries))
        for name, (wanted, owners) in found.items():
            postings.write(writer, name, [postings.combined(wanted, owners, shift, jobs)], len(entries))
        return finish(writer, len(entries), shape)


def finish(writer: PagesWriter, documents: int, shape: Shape) -> tuple[int, int]:
    """Ends a segment's file; its size and checksum."""
    return writer.finish({"format": FORMAT, "documents": documents, "shape": shape._asdict()})


def write_columns(writer: PagesWriter, columns: Columns) -> None:
    """Writes what is told of the documents."""
    writer.array("keys", columns.keys, "<u8")
    writer.array("versions", columns.versions, f"V{VERSION}")
    for name in ("ids", "paths"):
        strings: Strings = getattr(columns, name)
        writer.array(name, strings.data, "u1")
        writer.array(f"{name}.ends", strings.ends, "<u8")
    for name, dtype in (("path", "<u4"), ("line", "<u4"), ("offset", "<i8")):
        writer.array(name, getattr(columns, name), dtype)


def halved(signatures: Array) -> Array:
    """The lowest four bits of each minimum, two in a byte."""
    low = (signatures & np.uint32(15)).astype("u1")
    packed: Array = low[:, ::2] << 4 | low[:, 1::2]
    return packed


def pack(texts: Sequence[str], workers: int) -> Iterator[tuple[int, bytes]]:
    """Texts in compressed blocks: how many are in one, and its bytes."""

    def gathered() -> Iterator[list[bytes]]:
        block: list[bytes] = []
        size = 0
        for text in texts:
            block.append(_encoded(text))
            size += len(block[-1])
            if size >= BLOCK:
                yield block
                block, size = [], 0
        if block:
            yield block

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(packed, gathered())


def packed(block: list[bytes]) -> tuple[int, bytes]:
    """A block of texts, compressed: their lengths (uint32), then the texts."""
    lengths = np.array([len(block), *map(len, block)], "<u4").tobytes()
    return len(block), zlib.compress(lengths + b"".join(block), _LEVEL)


def unpacked(data: Array, wanted: Array) -> list[bytes]:
    """The texts of a block whose numbers in it are wanted."""
    whole = zlib.decompress(data.data)
    count = int.from_bytes(whole[:4], "little")
    ends = np.cumsum([4 * count + 4, *np.frombuffer(whole, "<u4", count, 4).tolist()]).tolist()
    return [whole[ends[i] : ends[i + 1]] for i in wanted.tolist()]


def write_texts(writer: PagesWriter, blocks: Iterable[tuple[int, bytes | Array]]) -> None:
    """Writes blocks of texts, which :func:`packed` gives."""
    firsts, ends = [0], [0]
    writer.begin("texts", "u1")
    for count, data in blocks:
        writer.append(data)
        firsts.append(firsts[-1] + count)
        ends.append(ends[-1] + len(data))
    writer.array("blocks", np.array(ends[1:]), "<u8")
    writer.array("blocks.first", np.array(firsts), "<u4")


class Segment:
    """A segment as it lies there. Everything that is read is checked."""

    def __init__(self, path: Path, size: int | None = None, check: int | None = None) -> None:
        self.pages = Pages(path, size, check)
        facts = self.pages.facts
        self.documents: int = facts["documents"]
        self.shape = Shape.read(facts["shape"], str(path))
        self.sketch = Postings(self.pages, "sketch", self.documents)
        self.seed = Postings(self.pages, "seed", self.documents) if self.shape.passages else None

    def keys(self) -> Array:
        """The hashes of all ids, ascending."""
        return self.pages.whole("keys")

    def versions(self, numbers: Array) -> Array:
        """The versions of documents, uint8 (n, VERSION)."""
        return self.pages.at("versions", numbers).view("u1").reshape(-1, VERSION)

    def columns(self) -> Columns:
        """What is told of all documents."""
        pages = self.pages
        strings = [
            Strings(pages.whole(name), pages.whole(f"{name}.ends").astype("i8")) for name in ("ids", "paths")
        ]
        path, line, offset = (pages.whole(name) for name in ("path", "line", "offset"))
        return Columns(self.keys(), pages.whole("versions"), strings[0], strings[1], path, line, offset)

    def ids(self, numbers: Array) -> list[bytes]:
        """The ids of documents."""
        return self._strings("ids", numbers)

    def sources(self, numbers: Array) -> list[Source]:
        """Where documents came from."""
        path = self.pages.at("path", numbers)
        wanted = np.unique(path[path != NONE])
        paths = [
            string.decode("utf-8", "surrogatepass") for string in self._strings("paths", wanted.astype("i8"))
        ]
        names: dict[int, str | None] = {NONE: None, **dict(zip(wanted.tolist(), paths, strict=True))}
        lines, offsets = self.pages.at("line", numbers), self.pages.at("offset", numbers)
        return [
            Source(names[number], line or None, None if offset < 0 else offset)
            for number, line, offset in zip(path.tolist(), lines.tolist(), offsets.tolist(), strict=True)
        ]

    def _strings(self, name: str, numbers: Array) -> list[bytes]:
        ends = self.pages.at(f"{name}.ends", numbers).astype("i8")
        starts = np.zeros(len(numbers), "i8")
        starts[numbers > 0] = self.pages.at(f"{name}.ends", numbers[numbers > 0] - 1)
        self.pages.check(name, starts, ends)
        data = self.pages.view(name)
        return [data[start:end].tobytes() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def signatures(self, numbers: Array) -> Array:
        """The signatures of documents, as :func:`halved` gives them."""
        width = self.shape.num_perm // 2
        self.pages.check("signatures", numbers * width, (numbers + 1) * width)
        found: Array = self.pages.view("signatures").reshape(-1, width)[numbers]
        return found

    def texts(self, numbers: Array, jobs: int = 0) -> list[str]:
        """The texts of documents, in their order; each block is unpacked once."""
        places = self.pages.at("place", numbers).astype("i8")
        firsts = self.pages.whole("blocks.first").astype("i8")
        blocks = np.searchsorted(firsts, places, side="right") - 1
        found = [""] * len(numbers)
        order = np.argsort(places, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1) if len(order) else []
        owners = np.array([blocks[group[0]] for group in groups], "i8")
        wanted = [places[group] - firsts[block] for group, block in zip(groups, owners.tolist(), strict=True)]
        stored = self.blocks(owners)

        def fill(begin: int) -> None:
            lot = slice(begin, begin + _AT_ONCE)
            for group, data, inside in zip(groups[lot], stored[lot], wanted[lot], strict=True):
                for i, text in zip(group.tolist(), unpacked(data, inside), strict=True):
                    found[i] = text.decode("utf-8", "surrogatepass")

        with ThreadPoolExecutor(threads(jobs)) as pool:
            list(pool.map(fill, range(0, len(groups), _AT_ONCE)))
        return found

    def blocks(self, numbers: Array) -> list[Array]:
        """Blocks of texts as they lie there."""
        ends = self.pages.at("blocks", numbers).astype("i8")
        starts = np.zeros(len(numbers), "i8")
        starts[numbers > 0] = self.pages.at("blocks", numbers[numbers > 0] - 1)
        self.pages.check("texts", starts, ends)
        data = self.pages.view("texts")
        return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
