"""From documents to a corpus: tokens of all texts, in an order that does not depend on how they came.

Enters: documents as they are read. Leaves: a :class:`Corpus`. Texts that are equal to the letter stand once in
the token array, so that what follows is as fast for a million copies as for one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cached_property, partial
from hashlib import sha256
from typing import NamedTuple, Protocol

import numpy as np

from . import kernel
from .errors import InputError
from .kernel.types import Array
from .model import Document, Source

BATCH = 1 << 17  # code points handed to the kernel at a time


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


class Archive(Protocol):
    """Documents of earlier days; :class:`dedup.index.memory.Memory` is one.

    ``alone`` is whether nothing else is asked for: copies among the new documents are then left out.
    """

    alone: bool

    def near(self, tokens: Array, offsets: Array) -> list[Document]:
        """Those that may be copies of new ones or share passages with them, whose tokens these are."""

    def guesses(self, tokens: Array, offsets: Array) -> list[Guess] | None:
        """What the archive seems to hold where it has no texts; None where it has them."""


class Reread(Protocol):
    """Reads the text of a document again; :class:`dedup.read.again.Again` is one."""

    def can(self, source: Source) -> bool:
        """Whether it can be read again."""

    def text(self, source: Source) -> str:
        """The text. Raises InputError where it is not there any more."""


class Documents:
    """What is known of the documents, in the order of the input: names, and texts, held or read again.

    ``read`` and ``characters`` count those that were read; the others are archived ones.
    """

    def __init__(self, again: Reread | None = None) -> None:
        self.ids: list[str] = []
        self.sources: list[Source] = []
        self.characters = 0
        self.read = 0
        self._texts: list[str | None] = []
        self.again = again

    def extend(self, documents: list[Document], archived: bool = False) -> None:
        """Takes more documents; the texts of those that can be read again are not held. Archived ones come last."""
        ids, texts, sources = zip(*documents, strict=True)
        self.ids += ids
        self.sources += sources
        if not archived:
            self.characters += sum(map(len, texts))
            self.read += len(documents)
        again = self.again
        self._texts += texts if again is None else map(partial(_held, again), texts, sources)

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, index: int) -> str:
        """The text of one document. Raises InputError where it is to be read again and is not there any more."""
        text = self._texts[index]
        if text is None:
            assert self.again is not None
            text = self.again.text(self.sources[index])
        return text


def _held(again: Reread, text: str, source: Source) -> str | None:
    return None if again.can(source) else text


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

    def read_holders(self) -> list[int]:
        """Of each text, how many of the documents that were read have it."""
        read = self.documents.read
        if read == len(self.documents):
            return [len(holders) for holders in self.holders]
        return [sum(holder < read for holder in holders) for holders in self.holders]


class Collector:
    """Takes documents one by one; they are tokenised on other threads while more are read.

    Texts that ``again`` can read again are not held. To be let go of once the corpus is there.
    """

    def __init__(self, jobs: int, again: Reread | None = None) -> None:
        self.documents = Documents(again)
        self._jobs = jobs
        self._lots = [_Lot(jobs)]
        self._batch: list[Document] = []
        self._filled = 0

    def add(self, document: Document) -> None:
        """Takes one more document."""
        self._batch.append(document)
        self._filled += len(document.text)
        if self._filled >= BATCH:
            self._send()

    def archived(self, documents: list[Document]) -> None:
        """Takes archived documents, once all others are there."""
        self._send()
        self._lots.append(_Lot(self._jobs))
        if documents:
            self.documents.extend(documents, archived=True)
            self._lots[-1].add(documents)

    def _send(self) -> None:
        if self._batch:
            self.documents.extend(self._batch)
            self._lots[-1].add(self._batch)
        self._batch, self._filled = [], 0

    def corpus(self, distinct: bool) -> Corpus:
        """The corpus of all documents taken; equal texts stand once if ``distinct``."""
        self._send()
        counts, digests = (
            np.concatenate(both) for both in zip(*(lot.finished for lot in self._lots), strict=True)
        )
        order = np.lexsort((digests, -counts))  # stable: equal texts stay in the order of the input
        order = order[: int((counts > 0).sum())]
        holders = list(_holders(self.documents, order, counts, digests, distinct))
        tokens, offsets = self._tokens(np.array([group[0] for group in holders], "i8"), counts)
        empty = np.flatnonzero(counts[: self.documents.read] == 0).tolist()
        return Corpus(self.documents, holders, tokens, offsets, empty)

    def _tokens(self, order: Array, counts: Array) -> tuple[Array, Array]:
        """Tokens of documents, in that order, and where each one's begin."""
        if len(self._lots) == 1:
            tokens = self._lots[0].tokeniser.tokens(order)
            return tokens.hashes, tokens.offsets
        offsets = np.append(0, np.cumsum(counts[order]))
        flat = np.empty(int(offsets[-1]), "u4")
        before = 0
        for lot in self._lots:
            size = len(lot.finished[0])
            mine = np.flatnonzero((order >= before) & (order < before + size))
            tokens = lot.tokeniser.tokens(order[mine] - before)
            flat[
                np.arange(len(tokens.hashes))
                + np.repeat(offsets[mine] - tokens.offsets[:-1], counts[order[mine]])
            ] = tokens.hashes
            before += size
        return flat, offsets


class _Lot:
    """Documents that were tokenised together."""

    def __init__(self, jobs: int) -> None:
        self.tokeniser = kernel.Tokeniser(jobs=jobs)

    def add(self, documents: list[Document]) -> None:
        self.tokeniser.add([document.text for document in documents])

    @cached_property
    def finished(self) -> tuple[Array, Array]:
        """Of each text the number of tokens and a hash of them all; no more can be added then."""
        return self.tokeniser.finish()


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
