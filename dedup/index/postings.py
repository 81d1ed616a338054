"""Which documents hold a key: sorted lists in two arrays, read where they lie.

A key has 32 bits. Of a segment with up to 2^b documents, its upper b bits say in which bucket a posting stands, and the
posting (uint32) is the lower bits followed by the number of the document; in a bucket they ascend. So a posting takes
four bytes whatever the size of a segment, and what is found depends on the keys alone.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from ..kernel.types import Array, threads
from .pages import Pages, PagesWriter

KEY = 32  # bits of a key
_FEWEST = 6  # bits of a document's number, at least
_CHUNK = 1 << 22  # postings that are merged at a time


def bits(documents: int) -> int:
    """Bits of a document's number in a segment of so many."""
    return max(_FEWEST, max(documents - 1, 1).bit_length())


def write(writer: PagesWriter, name: str, lots: Iterable[Array], documents: int) -> None:
    """Writes the postings ``name``. Each lot, ascending and behind the one before, holds key << bits | document
    (uint64).
    """
    shift = bits(documents)
    counts = np.zeros(1 << shift, "i8")
    writer.begin(f"{name}.postings", "<u4")
    for lot in lots:
        if len(lot):
            distinct = lot[np.append(True, lot[1:] != lot[:-1])]
            first, last = int(distinct[0] >> np.uint64(KEY)), int(distinct[-1] >> np.uint64(KEY))
            buckets = (distinct >> np.uint64(KEY)).astype("i8") - first
            counts[first : last + 1] += np.bincount(buckets, minlength=last - first + 1)
            writer.append(distinct.astype("<u4"))
    writer.array(f"{name}.buckets", np.append(0, np.cumsum(counts)), "<u4")


def combined(keys: Array, documents: Array, shift: int, jobs: int = 0) -> Array:
    """Keys (uint32) and documents as the sorted numbers that :func:`write` takes."""
    both: Array = keys.astype("u8") << np.uint64(shift)
    both |= documents.astype("u8")
    parts = np.array_split(both, threads(jobs))
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(np.ndarray.sort, parts))
    return _in_order(both)


def _in_order(runs: Array) -> Array:
    """Sorts what consists of few ascending runs: NumPy's stable sort merges them, six times as fast as it sorts."""
    runs.sort(kind="stable")
    return runs


class Found(NamedTuple):
    """Postings: which of the keys asked for, and which document; by key, then document."""

    keys: Array
    documents: Array


class Postings:
    """The postings ``name`` of a segment with so many documents."""

    def __init__(self, pages: Pages, name: str, documents: int) -> None:
        self._pages = pages
        self._postings, self._buckets = f"{name}.postings", f"{name}.buckets"
        self.bits = bits(documents)

    def __len__(self) -> int:
        return self._pages.length(self._postings)

    def find(self, keys: Array, limit: int, is_live: Array | None) -> Found:
        """For each of the ascending keys (uint32) the first ``limit`` documents that ``is_live`` marks."""
        starts, ends = self._ranges(keys)
        if is_live is None:
            ends = np.minimum(ends, starts + limit)
            return self._flat(starts, ends)
        found = self._flat(starts, ends)
        live = is_live[found.documents]
        which, documents = found.keys[live], found.documents[live]
        rank = np.arange(len(which)) - np.searchsorted(which, which)
        return Found(which[rank < limit], documents[rank < limit])

    def _ranges(self, keys: Array) -> tuple[Array, Array]:
        """Where the postings of each key begin and end."""
        low = KEY - self.bits
        buckets = (keys >> np.uint32(low)).astype("i8") if low < KEY else np.zeros(len(keys), "i8")
        first, last = self._pages.at(self._buckets, buckets), self._pages.at(self._buckets, buckets + 1)
        first, last = first.astype("i8"), last.astype("i8")
        self._pages.check(self._postings, first, last)
        wanted = (keys.astype("u8") & np.uint64((1 << low) - 1)) << np.uint64(self.bits)
        return self._lower(first, last, wanted), self._lower(first, last, wanted + np.uint64(1 << self.bits))

    def _lower(self, first: Array, last: Array, wanted: Array) -> Array:
        """For each key the first place between ``first`` and ``last`` whose posting is not below ``wanted``."""
        postings, low, high = self._pages.view(self._postings), first.copy(), last.copy()
        while (going := np.flatnonzero(low < high)).size:
            middle = (low[going] + high[going]) >> 1
            below = postings[middle] < wanted[going]
            low[going[below]] = middle[below] + 1
            high[going[~below]] = middle[~below]
        return low

    def _flat(self, starts: Array, ends: Array) -> Found:
        counts = ends - starts
        which = np.repeat(np.arange(len(starts)), counts)
        places = np.arange(len(which)) + np.repeat(starts - np.append(0, np.cumsum(counts)[:-1]), counts)
        documents = self._pages.view(self._postings)[places] & np.uint32((1 << self.bits) - 1)
        return Found(which, documents.astype("i8"))

    def between(self, first: int, last: int) -> tuple[Array, Array]:
        """All postings of the buckets of ``first`` up to those of ``last``, which begin there: keys and documents."""
        low = KEY - self.bits
        buckets = self._pages.slice(self._buckets, first >> low, (last >> low) + 1).astype("i8")
        postings = self._pages.slice(self._postings, int(buckets[0]), int(buckets[-1]))
        numbers = np.repeat(np.arange(first >> low, last >> low), np.diff(buckets))
        keys = numbers.astype("u8") << np.uint64(low) | (postings >> np.uint32(self.bits))
        return keys.astype("u4"), (postings & np.uint32((1 << self.bits) - 1)).astype("i8")


def merged(parts: Sequence[tuple[Postings, Array]], documents: int) -> Iterator[Array]:
    """The postings of several segments as lots for :func:`write`; beside each, int64, the new number of every
    document of it, -1 for one that is left out."""
    shift = bits(documents)
    total = sum(len(postings) for postings, _ in parts)
    coarse = min([shift, *(postings.bits for postings, _ in parts)])
    steps = min(1 << coarse, max(1, -(-total // _CHUNK)))
    bounds = [((1 << coarse) * step // steps) << (KEY - coarse) for step in range(steps + 1)]

    def lot(first: int, last: int) -> Array:
        found = [np.zeros(0, "u8")]
        for postings, numbers in parts:
            keys, old = postings.between(first, last)
            new = numbers[old]
            stays = new >= 0
            found.append(keys[stays].astype("u8") << np.uint64(shift) | new[stays].astype("u8"))
        return _in_order(np.concatenate(found))

    waiting: deque[Future[Array]] = deque()
    with ThreadPoolExecutor(2) as pool:  # one is made while the other is written
        for first, last in itertools.pairwise(bounds):
            waiting.append(pool.submit(lot, first, last))
            if len(waiting) > 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
