"""Passages: pairs of spans whose tokens align, within a text and across, and periodic text.

Enters: a corpus' tokens, and what is known already: which texts are copies of each other and which of their
tokens that explains. Leaves: :class:`Repeats`, verified pairs of spans and periods, not yet grouped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import kernel
from .kernel.types import WORD_WEIGHT, Array

#: How often a seed may occur. The prototype measured 20 against 10 on 2.8 M tokens: recall of 15-token passages
#: at 30 % edits .79 against .71, everything else equal within .01, at half the seeds. Large corpora take the
#: cheaper one.
CAP, LARGE_CAP, LARGE = 20, 10, 1 << 24


class Repeats(NamedTuple):
    """What repeats. Positions are places in the token array.

    ``pairs``: int64, (n, 8): text a, start, end, text b, start, end, matched tokens, evidence.
    ``periods``: int64, (m, 4): text, start, end, period.
    """

    pairs: Array
    periods: Array


def find(
    tokens: Array, offsets: Array, families: Array, known: Array, settings: tuple[float, int], jobs: int = 0
) -> Repeats:
    """All repeats of texts whose ``families`` differ (int32, negative: none).

    Tokens marked in ``known`` (bool) start no repeat of their own; ``settings`` are the lowest similarity and
    the fewest tokens of a passage. Cost: about linear in the tokens.
    """
    similarity, min_tokens = settings
    minimum = min_tokens * WORD_WEIGHT
    periods = kernel.periods(tokens, offsets, minimum, jobs)
    posting = ~known
    for _, start, end, period in periods.tolist():
        posting[start + period : end] = False
    index = kernel.seed_index(tokens, offsets, posting, CAP if len(tokens) < LARGE else LARGE_CAP, jobs)
    pairs = kernel.passages(tokens, offsets, families, index, similarity, minimum, jobs)
    spoken_for = np.array([known[start] for start in periods[:, 1].tolist()], bool)
    return Repeats(pairs, periods[~spoken_for])
