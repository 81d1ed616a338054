"""What the kernels take and give: flat arrays, the same from both."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


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

    ``minimum`` tokens a short document must have; the ``sketch`` smallest of its shingles are looked up
    everywhere; of those the ``probes`` rarest are used, ``needed`` of them must meet in one longer document;
    a shingle in more than ``bucket`` documents is followed into that many only.
    """

    ngram: int
    minimum: int
    sketch: int = 16
    probes: int = 8
    needed: int = 3
    bucket: int = 64


class SeedIndex(NamedTuple):
    """Where a short token sequence recurs.

    ``members`` uint32: token positions, group after group, the top bit set on the last of a group.
    ``slots`` uint32, one a token: its place in ``members``, 0xFFFFFFFF where it has none.
    ``levels`` uint8, one a token: the tokens of its seed (2 to 8), 0 for none, 255 for a place in a hot group,
    which is sorted and stands for its two neighbours only.
    """

    members: Array
    slots: Array
    levels: Array


#: Eighths of a word that a token weighs: a character of an unspaced script is 1/1.6 of a word.
WORD_WEIGHT, CHARACTER_WEIGHT = 8, 5
