"""The words of documents, as hashes of windows: by them accepted text is known again, wherever it stands.

Enters: texts. Leaves: for each token the hash of the WINDOW tokens that begin there, BITS wide, and where they stand.
A window of four words hardly ever recurs by chance, and an edited word breaks four of them only.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .. import kernel
from ..kernel.tokens import mix64, polynomials
from ..kernel.types import CHARACTER_WEIGHT, WORD_WEIGHT, Array

WINDOW = 4
BITS = 24

_BATCH = 1 << 22  # code points of the texts tokenised at a time


class Words(NamedTuple):
    """The tokens of a text, arrays of one length.

    ``windows`` (uint32): what begins at each token; for the last ones, with which none begins, 0. A text of fewer than
    WINDOW tokens is one window. ``starts``, ``ends``: code points. ``weights``: eighths of a word.
    """

    windows: Array
    starts: Array
    ends: Array
    weights: Array

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The tokens that lie in ``[start, end)``: the first, and the end."""
        first = int(np.searchsorted(self.starts, start))
        return first, max(first, int(np.searchsorted(self.ends, end, side="right")))

    def within(self, first: int, end: int) -> slice:
        """The windows that lie within the tokens ``[first, end)``."""
        is_short = end - first == len(self.starts) < WINDOW
        return slice(first, min(first + 1, end) if is_short else max(end - WINDOW + 1, first))


def words(texts: Iterable[str]) -> Iterator[Words]:
    """The words of each text."""
    batch: list[str] = []
    filled = 0
    for text in texts:
        batch.append(text)
        filled += len(text)
        if filled >= _BATCH:
            yield from _words(batch)
            batch, filled = [], 0
    yield from _words(batch)


def _words(texts: list[str]) -> Iterator[Words]:
    tokens = kernel.tokenise(texts, spans=True)
    bounds = tokens.offsets.tolist()
    for first, end in pairwise(bounds):
        hashes = tokens.hashes[first:end]
        windows = np.zeros(end - first, "u4")
        if end > first:
            runs = polynomials(hashes.astype("u8"), min(WINDOW, end - first))
            windows[: len(runs)] = mix64(runs) >> np.uint64(64 - BITS)
        yield Words(
            windows,
            tokens.starts[first:end],
            tokens.ends[first:end],
            np.where(hashes & 1, CHARACTER_WEIGHT, WORD_WEIGHT).astype("u1"),
        )


def encoded(windows: Array) -> str:
    """Hashes as text: base64 of three bytes each, in ascending order."""
    return b64encode(np.sort(windows).astype("<u4").view("u1").reshape(-1, 4)[:, :3].tobytes()).decode()


def size(text: str) -> int:
    """How many hashes :func:`encoded` has written."""
    return len(text) // 4


def is_encoded(text: str) -> bool:
    """Whether this is what :func:`encoded` writes."""
    try:
        return len(b64decode(text, validate=True)) % 3 == 0
    except ValueError:
        return False


def decoded(texts: Iterable[str]) -> Array:
    """The hashes (uint32) in what :func:`encoded` wrote, one text after another."""
    parts = np.frombuffer(b64decode("".join(texts)), "u1").reshape(-1, 3).astype("u4")
    windows: Array = parts[:, 0] | parts[:, 1] << np.uint32(8) | parts[:, 2] << np.uint32(16)
    return windows


def among(values: Array, others: Array) -> Array:
    """Which of the values are among others. Sorted search: hashing is slow where many values are alike."""
    known = np.sort(others)
    if not len(known):
        return np.zeros(len(values), bool)
    found: Array = known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
    return found


def ordinals(keys: Array) -> Array:
    """Of each of sorted keys, how many equal ones stand before it."""
    places = np.arange(len(keys))
    is_first = np.ones(len(keys), bool)
    is_first[1:] = keys[1:] != keys[:-1]
    found: Array = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return found


def looked_up(keys: Array, known: Array, values: Array) -> Array:
    """The value of each key, 0 for one that is not known; ``known`` is sorted."""
    if not len(known):
        return np.zeros(len(keys), "i8")
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: Array = np.where(known[at] == keys, values[at], 0)
    return found
