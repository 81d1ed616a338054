"""Match: what proves that two texts are copies, and how they differ. The only file that imports rapidfuzz.

Enters: candidate pairs of texts. Leaves: :class:`DocumentMatches`, exact figures over all distinct shingles.
"""

from __future__ import annotations

from bisect import bisect_left
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


#: Two lengths multiplied up to which differences are the fewest; a bit matrix of 2 MB.
ROOM = 4000 * 4000

#: Equal words in a row, standing once in either sequence, by which longer ones are cut.
ANCHOR = 4


def long_differences(a: Sequence[str], b: Sequence[str]) -> list[Difference]:
    """Differences as :func:`differences` gives them, of sequences of any length, in about linear time.

    Long ones are cut where the same ANCHOR words stand once in either (Bram Cohen's patience diff), and are compared
    in between. What has no such place within ROOM is replaced as a whole.
    """
    steps: list[Difference] = []
    i = j = 0
    for x, y in [*(_anchors(a, b) if len(a) * len(b) > ROOM else ()), (len(a), len(b))]:
        if (x - i) * (y - j) > ROOM:
            _append(steps, ("replace", i, x, j, y))
        else:
            for tag, a_start, a_end, b_start, b_end in differences(a[i:x], b[j:y]):
                _append(steps, (tag, i + a_start, i + a_end, j + b_start, j + b_end))
        i, j = x, y
    return steps


def _append(steps: list[Difference], step: Difference) -> None:
    """One more step, joined with the last if both are equal or both differ."""
    if steps and (steps[-1][0] == "equal") == (step[0] == "equal"):
        _, a_start, _, b_start, _ = steps.pop()
        a_end, b_end = step[2], step[4]
        tag = step[0] if step[0] == "equal" else "replace"
        if tag == "replace" and (a_start == a_end or b_start == b_end):
            tag = "insert" if a_start == a_end else "delete"
        step = (tag, a_start, a_end, b_start, b_end)
    steps.append(step)


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Places where the same ANCHOR words begin, each standing once in either sequence, as many as are in order."""
    there = _once(b)
    pairs = [(i, there[gram]) for gram, i in _once(a).items() if gram in there]  # by the first, as dicts are
    ends: list[int] = []  # the lowest end of a chain of each length
    tops: list[int] = []  # and which pair that is
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(tops[length - 1] if length else -1)
        ends[length : length + 1], tops[length : length + 1] = [j], [number]
    chain: list[tuple[int, int]] = []
    number = tops[-1] if tops else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Where each run of ANCHOR words stands that stands once, in order."""
    grams: dict[tuple[str, ...], int] = {}
    for i, gram in enumerate(zip(*(words[k:] for k in range(ANCHOR)), strict=False)):
        grams[gram] = -1 if gram in grams else i
    return {gram: i for gram, i in grams.items() if i >= 0}


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
