"""The native tokeniser behind the signatures of :mod:`dedup.kernel.tokens`, which documents them.

In a file of its own because texts are read before NumPy is there: its import takes as long as the tokens of 10 MB,
and is done while the tokeniser's threads are at work.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import _native
from .characters import Characters
from .types import Array, Tokens, threads

_characters = Characters.none()


def tables(missing: bytes) -> Characters:
    """The tables, those of the missing pages too (one byte a page)."""
    global _characters
    if any(missing):
        _characters = _characters.with_pages([page for page, is_missing in enumerate(missing) if is_missing])
    return _characters


class Tokeniser:
    def __init__(self, spans: bool = False, jobs: int = 0) -> None:
        self._native = _native.Tokeniser(tables, spans, threads(jobs))
        self._columns = 3 if spans else 1
        self._counts: Array | None = None

    def add(self, texts: Iterable[str]) -> None:
        self._native.add(texts)

    def finish(self) -> tuple[Array, Array]:
        import numpy as np

        counts, digests = self._native.finish()
        self._counts = np.frombuffer(counts, "i8")
        return self._counts, np.frombuffer(digests, "u8")

    def tokens(self, order: Array) -> Tokens:
        import numpy as np

        order = np.ascontiguousarray(order, "i8")
        if self._counts is None:
            raise ValueError("finish() has not been called")
        if len(order) and order.min() < 0:
            raise IndexError("a place is out of range")
        offsets = np.concatenate([[0], np.cumsum(self._counts[order])]).astype("i8")
        columns = [
            np.frombuffer(self._native.gather(column, order, offsets), "u4")
            for column in range(self._columns)
        ]
        nothing = np.zeros(0, "u4")
        hashes, starts, ends = columns if self._columns == 3 else (*columns, nothing, nothing)
        return Tokens(hashes, offsets, starts, ends)
