"""Small sketches of texts, by which an edited text is known again when only its sketch is at hand.

Enters: texts. Leaves: the SIZE smallest hashes of a text's word pairs, 32 bits each (bottom-k sketches: Broder
1997, "On the resemblance and containment of documents"; Beyer et al. 2007, "On synopses for distinct-value
estimation"). Word pairs, because one edited word costs a text of twelve only two of its eleven.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import numpy as np

from .. import kernel

SIZE = 64  # the standard error of a containment is at most .06
PAIR = 2

Sketch = tuple[int, ...]  # ascending; fewer than SIZE: all that there are


def sketches(texts: Sequence[str], jobs: int = 0) -> list[Sketch]:
    """A sketch of each text."""
    tokens = kernel.tokenise(texts, jobs=jobs)
    pairs, starts = kernel.shingles(tokens.hashes, np.asarray(tokens.offsets), PAIR, jobs)
    short = (pairs >> np.uint64(32)).tolist()
    return [
        tuple(dict.fromkeys(short[start : min(end, start + SIZE)]))
        for start, end in pairwise(starts.tolist())
    ]


def pairs(text: str) -> set[int]:
    """The hashes of all word pairs of a text."""
    tokens = kernel.tokenise([text], jobs=1)
    found, _ = kernel.shingles(tokens.hashes, np.asarray(tokens.offsets), PAIR, 1)
    return set((found >> np.uint64(32)).tolist())


def held(sketch: Sketch, words: Collection[int]) -> float:
    """The share of a sketch that is among hashes of word pairs: estimates how much of its text is there."""
    return sum(map(words.__contains__, sketch)) / len(sketch) if sketch else 0.0


def contained(text: Sketch, others: Iterable[Sketch], held: Collection[int]) -> float:
    """Estimates the share of a text's word pairs that are ``held`` of those that the others hold, in [0, 1].

    Counted are the hashes up to the largest one that all sketches reach: of those, none is missing anywhere.
    Where no hash of the text lies so low the share is 0: nothing is known in its favour.
    """
    reach = min(_reach(sketch) for sketch in [text, *others])
    counted = [value for value in text if value <= reach]
    return sum(value in held for value in counted) / len(counted) if counted else 0.0


def _reach(sketch: Sketch) -> int:
    """Up to which hash a sketch holds everything."""
    return sketch[-1] if len(sketch) >= SIZE else 2**32


def encoded(sketch: Sketch) -> str:
    """A sketch as text: base64 of little-endian numbers."""
    return b64encode(np.array(sketch, "<u4").tobytes()).decode()


def is_encoded(text: str) -> bool:
    """Whether this is a sketch as text."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return False
    return len(data) % 4 == 0 and len(data) <= 4 * SIZE


def decoded(text: str) -> Sketch:
    """The sketch that :func:`encoded` wrote; whatever else it is, it is in order."""
    return tuple(sorted(np.frombuffer(b64decode(text), "<u4").tolist()))
