"""Candidates: pairs of texts worth a comparison. Nothing here is proven.

Enters: signatures, tokens. Leaves: pairs (int64, (n, 2), the longer text first, each once, ascending). Near
copies come from bands of the signatures, texts inside longer ones from probes into all shingles.
"""

from __future__ import annotations

from math import comb

import numpy as np

from . import kernel
from .kernel.types import Array, ContainedParameters

#: The share of pairs exactly at the threshold that the bands may miss.
MISS = 2e-4

#: Texts in one bucket up to which all pairs are compared. Above it, each is compared with the first and the
#: one before it: a bucket of 100,000 stays linear.
BUCKET = 16


def shape(threshold: float, num_perm: int) -> tuple[int, int]:
    """Bands and rows for a Jaccard threshold: as many rows as miss at most MISS of the pairs at the threshold.

    A pair of Jaccard j meets in one of b bands of r rows with probability 1 - (1 - j^r)^b (Leskovec, Rajaraman,
    Ullman, *Mining of Massive Datasets*, section 3.4.2).

    >>> shape(0.8, 128), shape(0.7, 128)
    ((25, 5), (32, 4))
    """
    for rows in range(num_perm, 1, -1):
        bands = num_perm // rows
        if (1 - threshold**rows) ** bands <= MISS:
            return bands, rows
    return num_perm, 1


def near_pairs(signatures: Array, threshold: float, jobs: int = 0) -> Array:
    """Pairs whose Jaccard index may reach the threshold; ``signatures`` uint32, (texts, permutations)."""
    bands, rows = shape(threshold, signatures.shape[1])
    return kernel.band_pairs(signatures, bands, rows, BUCKET, jobs)


#: Shingles of a text in the sample by which pairs are ruled out where there are more of them than texts, and the
#: chance that a pair at the threshold may have of being ruled out by it.
SAMPLE, DOUBT = 48, 1e-9


def least(threshold: float, asked: int) -> int:
    """How many of ``asked`` sampled shingles the longer text must hold for a pair not to be ruled out.

    The most that a pair at the threshold stays below with a probability under DOUBT, by the binomial distribution,
    summed up term by term. (A sample holds no shingle twice: so few hits are rarer still.)

    >>> least(0.8, 48), least(0.999, 48), least(1.0, 48), least(0.8, 12)
    (19, 43, 48, 0)
    """
    below = 0.0
    for held in range(asked):
        below += comb(asked, held) * threshold**held * (1 - threshold) ** (asked - held)
        if below >= DOUBT:
            return held
    return asked


def contained_pairs(
    tokens: Array,
    offsets: Array,
    smallest: Array,
    sought: Array,
    parameters: ContainedParameters,
    threshold: float,
    jobs: int = 0,
) -> Array:
    """Pairs (longer, shorter) in which the shorter text may lie inside the longer; only texts marked in ``sought``.

    ``smallest`` are the smallest shingle hashes of each text, as :func:`dedup.sketch.sign` gives them.
    """
    if not np.any(sought):
        return np.zeros((0, 2), "i8")
    pairs = kernel.contained_pairs(tokens, offsets, smallest, sought, parameters, jobs)
    return likely(tokens, offsets, parameters.ngram, pairs, threshold, jobs)


def likely(tokens: Array, offsets: Array, ngram: int, pairs: Array, threshold: float, jobs: int = 0) -> Array:
    """Pairs (longer, shorter) without those in which the longer text surely holds too little of the shorter.

    Where there are more pairs than texts, SAMPLE of the shorter text's shingles are looked for in the longer one. Too
    few of them there, see :func:`least`, and the pair is left out.
    """
    if len(pairs) >= len(offsets):
        held, asked = kernel.sampled(tokens, offsets, ngram, pairs, SAMPLE, jobs).T
        enough = np.array([least(threshold, count) for count in range(SAMPLE + 1)])
        pairs = pairs[held >= enough[asked]]
    return pairs
