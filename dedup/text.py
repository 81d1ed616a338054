"""From documents to a corpus: tokens of all texts, in an order that does not depend on how they came.

Enters: documents as they are read. Leaves: a :class:`Corpus`. Tokenising runs in the background while the
caller reads on. Texts that are equal to the letter stand once in the token array, so that what follows is as
fast for a million copies as for one.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np

from . import kernel
from .kernel.types import Array
from .model import Document

BATCH = 1 << 22  # code points handed to the kernel at a time, at most: the first batches are smaller


@dataclass(frozen=True, slots=True)
class Corpus:
    """All texts as tokens.

    ``documents`` are in the order of the input. Text i, ``tokens[offsets[i]:offsets[i + 1]]`` (uint32, never
    empty), is that of ``documents[holders[i][0]]`` and, letter for letter, of the other holders. Texts stand
    longest first (in tokens), equally long ones by a hash of their tokens: an order that shuffled input
    leaves as it is. ``empty`` are the documents without a word.
    """

    documents: list[Document]
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
        return self.documents[self.holders[index][0]].text


class Batch(NamedTuple):
    tokens: Array
    offsets: Array
    digests: Array


class Collector:
    """Takes documents one by one and tokenises them, batch by batch, on another thread."""

    def __init__(self, jobs: int) -> None:
        self.documents: list[Document] = []
        self._jobs = jobs
        self._texts: list[str] = []
        self._filled = 0
        self._full = BATCH >> 5
        self._waiting: SimpleQueue[list[str] | None] = SimpleQueue()
        self._batches: list[Batch] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="dedup-tokenise", daemon=True)
        self._thread.start()

    def add(self, document: Document) -> None:
        """Takes one more document."""
        self.documents.append(document)
        self._texts.append(document.text)
        self._filled += len(document.text)
        if self._filled >= self._full:
            self._send()
            self._full = min(2 * self._full, BATCH)

    def _send(self) -> None:
        self._waiting.put(self._texts)
        self._texts, self._filled = [], 0

    def _work(self) -> None:
        while self._failure is None and (texts := self._waiting.get()) is not None:
            try:
                self._batches.append(_batch(texts, self._jobs))
            except BaseException as failure:  # raised again where the corpus is asked for
                self._failure = failure

    def corpus(self, distinct: bool) -> Corpus:
        """The corpus of all documents taken; equal texts stand once if ``distinct``."""
        self._send()
        self._waiting.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return _corpus(self.documents, self._batches, distinct, self._jobs)

    def close(self) -> None:
        """Stops the thread; waits for the batch it is at."""
        while not self._waiting.empty():
            self._waiting.get()
        self._waiting.put(None)
        self._thread.join()


def _batch(texts: list[str], jobs: int) -> Batch:
    tokens = kernel.tokenise(texts, jobs=jobs)
    return Batch(tokens.hashes, tokens.offsets, kernel.digests(tokens.hashes, tokens.offsets, jobs))


def _corpus(documents: list[Document], batches: list[Batch], distinct: bool, jobs: int) -> Corpus:
    counts = np.concatenate([np.diff(batch.offsets) for batch in batches])
    digests = np.concatenate([batch.digests for batch in batches])
    order = np.lexsort((digests, -counts))  # stable: equal texts stay in the order of the input
    order = order[: int((counts > 0).sum())]
    holders = list(_holders(documents, order, counts, digests, distinct))
    kept = np.array([group[0] for group in holders], "i8")
    starts = np.cumsum(counts) - counts
    tokens = kernel.gather([batch.tokens for batch in batches], starts[kept], counts[kept], jobs)
    offsets = np.concatenate([[0], np.cumsum(counts[kept])]).astype("i8")
    return Corpus(documents, holders, tokens, offsets, np.flatnonzero(counts == 0).tolist())


def _holders(
    documents: list[Document], order: Array, counts: Array, digests: Array, distinct: bool
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
            texts.setdefault(documents[i].text, []).append(i)
        for text in sorted(texts):
            if distinct:
                yield tuple(texts[text])
            else:
                yield from ((i,) for i in texts[text])
