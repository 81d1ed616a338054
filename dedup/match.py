"""Match: what proves that two texts are copies, and how they differ. The only file that imports rapidfuzz.

Enters: candidate pairs of texts. Leaves: :class:`DocumentMatches`, exact figures over all distinct shingles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import kernel
from .kernel.types import Array

Difference = tuple[str, int, int, int, int]


class DocumentMatches(NamedTuple):
    """Pairs that are copies: ``pairs`` int64 (n, 2), the longer text first, and exact figures, float64 (n,).

    ``inside`` is the share of the second text's shingles that the first holds, ``around`` that of the first's
    that the second holds.
    """

    pairs: Array
    jaccard: Array
    inside: Array
    around: Array

    def joined(self, other: DocumentMatches) -> DocumentMatches:
        """These and the others, by pair, each once."""
        columns = [np.concatenate(both) for both in zip(self, other, strict=True)]
        keys = columns[0][:, 0] << 32 | columns[0][:, 1]
        order = np.argsort(keys, kind="stable")
        once = order[np.diff(keys[order], prepend=-1) > 0]
        return DocumentMatches(*(column[once] for column in columns))


def documents(
    tokens: Array,
    offsets: Array,
    ngram: int,
    pairs: Array,
    threshold: float,
    minimum: int = 0,
    jobs: int = 0,
) -> DocumentMatches:
    """The pairs whose Jaccard index, or whose containment of the second in the first, is at least ``threshold``.

    Containment counts only of a second text of at least ``minimum`` tokens, whatever brought the pair here.
    """
    shared, first, second = kernel.overlaps(tokens, offsets, ngram, pairs, jobs).T
    figures = DocumentMatches(pairs, shared / (first + second - shared), shared / second, shared / first)
    is_long = np.diff(offsets)[pairs[:, 1]] >= minimum
    good = (figures.jaccard >= threshold) | (figures.inside >= threshold) & is_long
    return DocumentMatches(*(column[good] for column in figures))


def span_similarities(tokens: Array, spans: Array, jobs: int = 0) -> Array:
    """2·LCS/(a+b) of pairs of spans, int64 (n, 4): a start, a end, b start, b end. Float64, (n,)."""
    lengths = spans[:, 1] - spans[:, 0] + spans[:, 3] - spans[:, 2]
    similarities: Array = 2.0 * kernel.common(tokens, spans, jobs) / lengths
    return similarities


def differences(a: Sequence[str], b: Sequence[str]) -> list[Difference]:
    """How ``a`` becomes ``b``: ``(tag, a_start, a_end, b_start, b_end)``, in order, without a gap in either.

    ``tag`` is ``equal``, ``replace``, ``delete`` or ``insert``; no two neighbours differ both. With the fewest
    words changed (Levenshtein). Time and memory grow with ``len(a) · len(b) / 64``.
    """
    from rapidfuzz.distance import Levenshtein

    result: list[Difference] = []
    for step in Levenshtein.opcodes(a, b):
        if result and result[-1][0] != "equal" and step.tag != "equal":
            _, a_start, _, b_start, _ = result.pop()
            result.append(("replace", a_start, step.src_end, b_start, step.dest_end))
        else:
            result.append((step.tag, step.src_start, step.src_end, step.dest_start, step.dest_end))
    return result


#: Equal tokens in a row below which they say little, where there are longer runs.
STRAY = 3


def aligned(a: Array, b: Array, gap: int) -> list[tuple[int, int, int, int]]:
    """Where two token sequences say the same: ``(a_start, a_end, b_start, b_end)``, in order, in both.

    Runs of equal tokens in a longest common subsequence, joined where at most ``gap`` tokens on either side lie
    between them; of what is left, runs of fewer than STRAY tokens do not count beside longer ones. Never empty where
    the two share a token. Of parts that changed places only the longer is told.
    """
    from rapidfuzz.distance import LCSseq

    begin, end = _same_ends(a, b)
    blocks = [(0, begin, 0, begin)] if begin else []
    blocks += (
        (begin + step.src_start, begin + step.src_end, begin + step.dest_start, begin + step.dest_end)
        for step in LCSseq.opcodes(a[begin : len(a) - end].tolist(), b[begin : len(b) - end].tolist())
        if step.tag == "equal"
    )
    blocks += [(len(a) - end, len(a), len(b) - end, len(b))] if end else []
    runs: list[tuple[int, int, int, int]] = []
    for a_start, a_end, b_start, b_end in blocks:
        if runs and a_start - runs[-1][1] <= gap and b_start - runs[-1][3] <= gap:
            a_start, _, b_start, _ = runs.pop()
        runs.append((a_start, a_end, b_start, b_end))
    return [run for run in runs if run[1] - run[0] >= STRAY] or runs


def _same_ends(a: Array, b: Array) -> tuple[int, int]:
    """How many tokens are the same at the beginning, and of the others at the end; these are in any alignment."""
    shorter = min(len(a), len(b))
    other = np.flatnonzero(a[:shorter] != b[:shorter])
    begin = int(other[0]) if len(other) else shorter
    left = shorter - begin
    other = np.flatnonzero(a[len(a) - left :][::-1] != b[len(b) - left :][::-1])
    return begin, int(other[0]) if len(other) else left
