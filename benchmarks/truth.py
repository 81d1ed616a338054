r"""All pairs of documents that are alike, found exactly.

``python -m benchmarks.truth CORPUS.jsonl --out TRUTH.tsv [--minimum .5]``. In: JSON lines ``{"id",
"text"}``. Out: tab-separated ``id``, ``id``, Jaccard of the two sets of word 5-grams, for every pair at or
above ``--minimum``; tokens are ``\w+`` of the lower-cased text. Documents of fewer than five tokens have no
shingle and are in no pair.

Why it is exact. Jaccard ``J >= t`` needs a common part of at least ``t / (1 + t)`` of the two sizes
together. Shared shingles that stand in at most FREQUENT documents are counted for every pair (an inverted
index over sorted shingles). Of the frequent ones a pair can share at most the smaller of the two documents'
counts; a pair whose sum of both stays below the need is dismissed, every other one is intersected in full.
A pair that shares nothing but frequent shingles escapes the count; but the common part is at least ``t`` of
the larger document, so a share ``t`` of each of the two is then frequent shingles, and all pairs of such
documents are intersected as well. The one reservation: shingles are 64-bit hashes (for 10^8 of them, one
chance in 4,000 that any two collide).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

NGRAM = 5
MINIMUM = 0.5
FREQUENT = 200
PAIRS_AT_ONCE = 20_000_000

_WORDS = re.compile(r"\w+")
_MIX = np.uint64(0x9E3779B97F4A7C15)

IntArray = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Shingles:
    """Distinct shingles of all documents: those of ``d`` are ``hashes[start[d] : start[d + 1]]``, sorted."""

    ids: list[str]
    hashes: Hashes
    start: IntArray

    def __len__(self) -> int:
        """Count the documents."""
        return len(self.ids)

    @property
    def sizes(self) -> IntArray:
        """Distinct shingles per document."""
        return np.diff(self.start)

    def of(self, document: int) -> Hashes:
        """The sorted distinct shingles of one document."""
        return self.hashes[self.start[document] : self.start[document + 1]]


def shingle(records: Iterable[tuple[str, str]]) -> Shingles:
    """Token numbers, five in a row mixed into 64 bits, distinct within each document."""
    numbers: dict[str, int] = {}
    ids: list[str] = []
    sets: list[Hashes] = []
    for name, text in records:
        tokens = [numbers.setdefault(word, len(numbers)) for word in _WORDS.findall(text.lower())]
        ids.append(name)
        sets.append(np.unique(_hash(np.array(tokens, np.uint64))))
    start = np.concatenate([[0], np.cumsum([len(part) for part in sets])]).astype(np.int64)
    return Shingles(ids, np.concatenate(sets) if sets else np.empty(0, np.uint64), start)


def _hash(tokens: Hashes) -> Hashes:
    count = max(0, len(tokens) - NGRAM + 1)
    mixed = np.zeros(count, np.uint64)
    for place in range(NGRAM):
        mixed = (mixed ^ (tokens[place : place + count] + np.uint64(1))) * _MIX
        mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))


def alike(shingles: Shingles, minimum: float = MINIMUM) -> Iterator[tuple[int, int, float]]:
    """Pairs ``(a, b, jaccard)`` with ``a < b`` and Jaccard at or above ``minimum``, in order.

    >>> words = "one two three four five six seven eight".split()
    >>> docs = [("a", " ".join(words)), ("b", " ".join(words[1:])), ("c", "words that stand quite alone")]
    >>> list(alike(shingle(docs)))
    [(0, 1, 0.75)]
    """
    sizes = shingles.sizes
    documents = np.repeat(np.arange(len(shingles)), sizes)
    order = np.argsort(shingles.hashes, kind="stable")
    keys, documents = shingles.hashes[order], documents[order]
    bounds = (
        np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]]))
        if keys.size
        else np.zeros(1, int)
    )
    begins, counts = bounds[:-1], np.diff(bounds)
    del keys, order

    frequent = np.zeros(len(shingles), np.int64)
    for begin, count in zip(begins[counts > FREQUENT], counts[counts > FREQUENT], strict=True):
        frequent[documents[begin : begin + count]] += 1
    rare = (counts > 1) & (counts <= FREQUENT)
    pairs, shared = _count(documents, begins[rare], counts[rare], len(shingles))
    first, second = np.divmod(pairs, len(shingles))
    need = minimum / (1 + minimum) * (sizes[first] + sizes[second])
    candidates = pairs[shared + np.minimum(frequent[first], frequent[second]) >= need - 1e-9]
    steeped = np.flatnonzero((frequent > 0) & (frequent >= minimum * sizes - 1e-9))
    candidates = np.union1d(candidates, _all_pairs(steeped, len(shingles)))
    yield from _verify(shingles, candidates, minimum)


def _count(documents: IntArray, begins: IntArray, counts: IntArray, total: int) -> tuple[IntArray, IntArray]:
    """Pairs of documents that share a shingle, as ``a * total + b``, and how many they share."""
    pairs, shared = np.empty(0, np.int64), np.empty(0, np.int64)
    waiting: list[IntArray] = []
    size = 0
    for chunk in _pair_chunks(documents, begins, counts, total):
        waiting.append(chunk)
        size += len(chunk)
        if size >= PAIRS_AT_ONCE:
            pairs, shared = _merge(pairs, shared, waiting)
            waiting, size = [], 0
    return _merge(pairs, shared, waiting)


def _pair_chunks(documents: IntArray, begins: IntArray, counts: IntArray, total: int) -> Iterator[IntArray]:
    """All pairs within each group of documents, groups of one size together."""
    for count in np.unique(counts).tolist():
        left, right = np.triu_indices(count, 1)
        groups = begins[counts == count]
        rows = max(1, PAIRS_AT_ONCE // len(left))
        for place in range(0, len(groups), rows):
            members = documents[groups[place : place + rows, None] + np.arange(count)]
            yield (members[:, left] * total + members[:, right]).ravel()


def _merge(pairs: IntArray, shared: IntArray, waiting: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Add the waiting pairs to those counted already."""
    if not waiting:
        return pairs, shared
    new, times = np.unique(np.concatenate(waiting), return_counts=True)
    every, place = np.unique(np.concatenate([pairs, new]), return_inverse=True)
    return every, np.bincount(place, np.concatenate([shared, times]), len(every)).astype(np.int64)


def _all_pairs(documents: IntArray, total: int) -> IntArray:
    """Every pair of the given documents."""
    parts = [documents[i] * total + documents[i + 1 :] for i in range(len(documents))]
    return np.concatenate([np.empty(0, np.int64), *parts])


def _verify(shingles: Shingles, candidates: IntArray, minimum: float) -> Iterator[tuple[int, int, float]]:
    """Intersect the full sets of each candidate pair."""
    for pair in candidates.tolist():
        first, second = divmod(pair, len(shingles))
        one, two = shingles.of(first), shingles.of(second)
        both = len(np.intersect1d(one, two, assume_unique=True))
        jaccard = both / (len(one) + len(two) - both)
        if jaccard >= minimum - 1e-12:
            yield first, second, jaccard


def read_corpus(path: Path) -> Iterator[tuple[str, str]]:
    """``(id, text)`` of every line."""
    with path.open("rb") as lines:
        for record in map(orjson.loads, lines):
            yield record["id"], record["text"]


def write(corpus: Path, out: Path, minimum: float = MINIMUM) -> Path:
    """Find the pairs of ``corpus`` and write them to ``out``."""
    shingles = shingle(read_corpus(corpus))
    partial = out.with_name(out.name + ".partial")
    with partial.open("w", encoding="utf-8") as lines:
        for first, second, jaccard in alike(shingles, minimum):
            lines.write(f"{shingles.ids[first]}\t{shingles.ids[second]}\t{jaccard:.9f}\n")
    partial.replace(out)
    return out


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.truth", description="Exact pairs of a corpus."
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minimum", type=float, default=MINIMUM)
    options = parser.parse_args(arguments)
    write(options.corpus, options.out, options.minimum)


if __name__ == "__main__":
    main()
