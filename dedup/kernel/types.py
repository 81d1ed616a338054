"""What the kernels take and give: flat arrays, the same from both."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
else:
    Array = Any  # texts are tokenised before NumPy is there


def threads(jobs: int) -> int:
    """How many threads ``jobs`` stands for: 0 for all cores that this process may use, where the system tells."""
    if jobs:
        return jobs
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Tokens(NamedTuple):
    """Tokens of many texts, end to end; text i holds ``offsets[i]`` to ``offsets[i + 1]``.

    ``hashes`` uint32: the normalised form, the lowest bit 1 for a character of an unspaced script.
    ``starts``, ``ends`` uint32: code points in the text, empty where spans were not asked for.
    """

    hashes: Array
    offsets: Array
    starts: Array
    ends: Array


class ContainedParameters(NamedTuple):
    """How short documents are looked for inside longer ones.

    ``minimum`` tokens a short document must have; ``needed`` of its probes must meet in one longer document; a
    probe in more than ``bucket`` documents is followed into the longest of them only.
    """

    ngram: int
    minimum: int
    needed: int = 3
    bucket: int = 64


class SeedIndex(NamedTuple):
    """Where a short token sequence recurs.

    ``members`` uint32: token positions, group after group, the top bit set on the last of a group.
    ``slots`` uint32, one a token: its place in ``members``, 0xFFFFFFFF where it has none.
    ``starts`` uint32, 9: where in ``members`` the seeds of 2, 3, … 8 tokens begin, then the hot groups, which
    are sorted and where a place stands for its two neighbours only, then the end.
    """

    members: Array
    slots: Array
    starts: Array


#: Eighths of a word that a token weighs: a character of an unspaced script is 1/1.6 of a word.
WORD_WEIGHT, CHARACTER_WEIGHT = 8, 5

#: In ``SeedIndex.members``: the last of a group. In ``SeedIndex.slots``: no seed here.
LAST, NONE = 1 << 31, 0xFFFFFFFF
