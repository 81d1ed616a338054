"""From documents to a corpus: tokens of all texts, in an order that does not depend on how they came.

Enters: the documents that were collected. Leaves: a :class:`Corpus`. Texts that are equal to the letter stand once in
the token array, so that what follows is as fast for a million copies as for one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol

import numpy as np

from . import kernel
from .collect import Collector, Documents, Lot
from .errors import InputError
from .kernel.types import Array
from .model import Document, Source


def version(text: str) -> bytes:
    """What tells one text under an id from another: the first 16 bytes of the SHA-256 of its UTF-8."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


class Guess(NamedTuple):
    """An archived document whose text is not known, and what it seems to share with a new text.

    ``jaccard`` is estimated from signatures. Where that is below the threshold it is None, and passages seem to
    lie in the tokens ``start`` to ``end`` of the new text.
    """

    text: int
    archived: str
    source: Source
    jaccard: float | None
    start: int
    end: int


class Candidates(NamedTuple):
    """Archived documents that are worth a comparison, and with which new texts they are: ``pairs``, int64 (n, 2), of a
    new text and a place in ``documents``."""

    documents: list[Document]
    pairs: Array


class Archive(Protocol):
    """Documents of earlier days; :class:`dedup.index.memory.Memory` is one.

    ``alone`` is whether nothing else is asked for: copies among the new documents are then left out.
    """

    alone: bool

    def near(self, tokens: Array, offsets: Array) -> Candidates:
        """Those that may be copies of new texts or share passages with them, whose tokens these are."""

    def guesses(self, tokens: Array, offsets: Array) -> list[Guess] | None:
        """What the archive seems to hold where it has no texts; None where it has them."""


class Corpus(NamedTuple):
    """All texts as tokens.

    Text i, ``tokens[offsets[i]:offsets[i + 1]]`` (uint32, never empty), is that of document ``holders[i][0]``
    and, letter for letter, of the other holders. Texts stand longest first (in tokens), equally long ones by a
    hash of their tokens: an order that shuffled input leaves as it is. Of holders archived ones come first. ``empty``
    are the documents without a word.
    """

    documents: Documents
    holders: list[tuple[int, ...]]
    tokens: Array
    offsets: Array
    empty: list[int]

    @property
    def lengths(self) -> Array:
        """Tokens of each text."""
        return np.diff(self.offsets)

    def text(self, index: int) -> str:
        """The original text that stands at ``index``."""
        return self.documents.text(self.holders[index][0])

    @property
    def archived(self) -> frozenset[int]:
        """The texts that an archived document has."""
        read = self.documents.read
        if read == len(self.documents):
            return frozenset()
        return frozenset(text for text, holders in enumerate(self.holders) if holders[0] >= read)

    def read_holders(self) -> Array:
        """Of each text, how many of the documents that were read have it (int64)."""
        read = self.documents.read
        if read == len(self.documents):
            return np.fromiter(map(len, self.holders), "i8", len(self.holders))
        return np.array([sum(holder < read for holder in holders) for holders in self.holders], "i8")


def corpus(collector: Collector, distinct: bool) -> Corpus:
    """The corpus of all documents taken; equal texts stand once if ``distinct``."""
    collector.send()
    lots = collector.lots
    counts, digests = (np.concatenate(both) for both in zip(*(lot.finished for lot in lots), strict=True))
    order = np.lexsort((digests, -counts))  # stable: equal texts stay in the order of the input
    order = order[: int((counts > 0).sum())]
    documents = collector.documents
    holders = list(_holders(documents, order, counts, digests, distinct))
    tokens, offsets = _tokens(lots, np.array([group[0] for group in holders], "i8"), counts)
    empty = np.flatnonzero(counts[: documents.read] == 0).tolist()
    return Corpus(documents, holders, tokens, offsets, empty)


def _tokens(lots: list[Lot], order: Array, counts: Array) -> tuple[Array, Array]:
    """Tokens of documents, in that order, and where each one's begin."""
    if len(lots) == 1:
        tokens = lots[0].tokeniser.tokens(order)
        return tokens.hashes, tokens.offsets
    offsets = np.append(0, np.cumsum(counts[order]))
    flat = np.empty(int(offsets[-1]), "u4")
    before = 0
    for lot in lots:
        size = len(lot.finished[0])
        mine = np.flatnonzero((order >= before) & (order < before + size))
        tokens = lot.tokeniser.tokens(order[mine] - before)
        starts = np.repeat(offsets[mine] - tokens.offsets[:-1], counts[order[mine]])
        flat[np.arange(len(tokens.hashes)) + starts] = tokens.hashes
        before += size
    return flat, offsets


def _holders(
    documents: Documents, order: Array, counts: Array, digests: Array, distinct: bool
) -> Iterable[tuple[int, ...]]:
    """Groups of documents with one text, in corpus order."""
    same = (np.diff(counts[order]) == 0) & (np.diff(digests[order]) == 0)
    bounds = [0, *(np.flatnonzero(~same) + 1).tolist(), len(order)] if len(order) else []
    ranked = order.tolist()
    for start, end in itertools.pairwise(bounds):
        if end - start == 1:
            yield (ranked[start],)
            continue
        texts: dict[str, list[int]] = {}
        for i in ranked[start:end]:
            texts.setdefault(documents.text(i), []).append(i)
        for group in texts.values():
            group.sort(key=lambda i: (i < documents.read, i))
        if documents.again is not None:
            _check_unchanged(documents, texts, int(digests[ranked[start]]))
        for text in sorted(texts):
            if distinct:
                yield tuple(texts[text])
            else:
                yield from ((i,) for i in texts[text])


def _check_unchanged(documents: Documents, texts: dict[str, list[int]], digest: int) -> None:
    """Raises InputError if one of the texts, read again, has not the tokens that it had at first."""
    tokeniser = kernel.Tokeniser(jobs=1)
    tokeniser.add(list(texts))
    _, found = tokeniser.finish()
    for now, holders in zip(found.tolist(), texts.values(), strict=True):
        if now != digest:
            raise InputError(f"{documents.sources[holders[0]].path}: changed while it was read")
