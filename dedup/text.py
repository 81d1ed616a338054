"""From documents to a corpus: tokens of all texts, in an order that does not depend on how they came.

Enters: documents as they are read. Leaves: a :class:`Corpus`. Texts that are equal to the letter stand once in
the token array, so that what follows is as fast for a million copies as for one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from . import kernel
from .errors import InputError
from .kernel.types import Array
from .model import Document, Source

BATCH = 1 << 17  # code points handed to the kernel at a time


class Reread(Protocol):
    """Reads the text of a document again; :class:`dedup.read.again.Again` is one."""

    def can(self, source: Source) -> bool:
        """Whether it can be read again."""

    def text(self, source: Source) -> str:
        """The text. Raises InputError where it is not there any more."""


class Documents:
    """What is known of the documents, in the order of the input: names, and texts, held or read again."""

    def __init__(self, again: Reread | None = None) -> None:
        self.ids: list[str] = []
        self.sources: list[Source] = []
        self.characters = 0
        self._texts: list[str | None] = []
        self.again = again

    def extend(self, documents: list[Document]) -> None:
        """Takes more documents; the texts of those that can be read again are not held."""
        ids, texts, sources = zip(*documents, strict=True)
        self.ids += ids
        self.sources += sources
        self.characters += sum(map(len, texts))
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
    hash of their tokens: an order that shuffled input leaves as it is. ``empty`` are the documents without a
    word.
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


class Collector:
    """Takes documents one by one; they are tokenised on other threads while more are read.

    Texts that ``again`` can read again are not held. To be let go of once the corpus is there.
    """

    def __init__(self, jobs: int, again: Reread | None = None) -> None:
        self.documents = Documents(again)
        self._tokeniser = kernel.Tokeniser(jobs=jobs)
        self._batch: list[Document] = []
        self._filled = 0

    def add(self, document: Document) -> None:
        """Takes one more document."""
        self._batch.append(document)
        self._filled += len(document.text)
        if self._filled >= BATCH:
            self._send()

    def _send(self) -> None:
        if self._batch:
            self.documents.extend(self._batch)
            self._tokeniser.add([document.text for document in self._batch])
        self._batch, self._filled = [], 0

    def corpus(self, distinct: bool) -> Corpus:
        """The corpus of all documents taken; equal texts stand once if ``distinct``."""
        self._send()
        counts, digests = self._tokeniser.finish()
        order = np.lexsort((digests, -counts))  # stable: equal texts stay in the order of the input
        order = order[: int((counts > 0).sum())]
        holders = list(_holders(self.documents, order, counts, digests, distinct))
        tokens = self._tokeniser.tokens(np.array([group[0] for group in holders], "i8"))
        empty = np.flatnonzero(counts == 0).tolist()
        return Corpus(self.documents, holders, tokens.hashes, tokens.offsets, empty)


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
