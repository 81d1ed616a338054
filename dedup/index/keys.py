"""What a document is found by: keys of 32 bits, made of its shingles.

- *Sketch* keys stand for a document as a whole: of its distinct shingles the LOWEST smallest hashes, and all that are
  below a bound which one in SHARE of them is. A near copy holds most of them (of eight at a Jaccard index of .8, none
  but in three cases of a million: .2^8), and so does a longer text that contains the document; and of a text that lies
  in it the document holds what was sampled there. (Broder 1997, "On the resemblance and containment of documents".)
- *Seed* keys are all its distinct runs of GRAM tokens, by which passages are found.

Neither depends on what else is in the index.
"""

from __future__ import annotations

import numpy as np

from .. import kernel
from ..kernel.types import Array

LOWEST, SHARE = 8, 8
GRAM = 3

#: Tokens of the windows in which seeds must keep company, and how far these lie apart.
WINDOW, STEP = 48, 24


def sketch(tokens: Array, offsets: Array, ngram: int, jobs: int = 0) -> tuple[Array, Array]:
    """Sketch keys (uint32) of each document, end to end, and the document of each (int64)."""
    hashes, at = kernel.shingles(tokens, offsets, ngram, jobs)
    documents = np.repeat(np.arange(len(at) - 1), np.diff(at))
    rank = np.arange(len(hashes)) - at[documents]
    chosen = (rank < LOWEST) | (hashes < np.uint64((1 << 64) // SHARE))
    return hashes[chosen].astype("u4"), documents[chosen]


def shingles(tokens: Array, offsets: Array, ngram: int, jobs: int = 0) -> tuple[Array, Array]:
    """Keys (uint32) of all distinct shingles of each document, and the document of each (int64)."""
    hashes, at = kernel.shingles(tokens, offsets, ngram, jobs)
    return hashes.astype("u4"), np.repeat(np.arange(len(at) - 1), np.diff(at))


def seeds(tokens: Array, offsets: Array, jobs: int = 0) -> tuple[Array, Array]:
    """Seed keys (uint32) of each document, and the document of each (int64)."""
    return shingles(tokens, offsets, GRAM, jobs)


def windows(tokens: Array, offsets: Array) -> tuple[Array, Array, Array, Array]:
    """Tokens in windows: the tokens, where each window begins among them, the document that it is of, and at which of
    its tokens it begins.

    Every run of up to WINDOW - STEP tokens lies in one window whole.
    """
    lengths = np.diff(offsets)
    counts = np.maximum(1, -(-(lengths - (WINDOW - STEP)) // STEP))
    owners = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = offsets[owners] + number * STEP
    sizes = np.minimum(starts + WINDOW, offsets[owners + 1]) - starts
    bounds = np.append(0, np.cumsum(sizes))
    places = np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], sizes)
    return tokens[places], bounds, owners, number * STEP
