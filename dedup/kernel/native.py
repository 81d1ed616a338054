"""The native kernel behind the signatures of :mod:`dedup.kernel.reference`, which documents them.

This file only turns arrays into buffers and bytes into arrays; arrays that come out are read-only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import _native
from .native_tokeniser import Tokeniser, tables
from .types import Array, ContainedParameters, SeedIndex, Tokens, threads


def _as(values: Array, dtype: str) -> Array:
    return np.ascontiguousarray(values, dtype)


def _texts(tokens: Array, offsets: Array) -> tuple[Array, Array]:
    return _as(tokens, "u4"), _as(offsets, "i8")


def _pairs(packed: bytes) -> Array:
    values = np.frombuffer(packed, "u8")
    return np.stack([values >> 32, values & 0xFFFFFFFF], 1).astype("i8")


def tokenise(texts: Sequence[str], spans: bool = False, jobs: int = 0) -> Tokens:
    tokeniser = Tokeniser(spans, jobs)
    tokeniser.add(texts)
    counts, _ = tokeniser.finish()
    return tokeniser.tokens(np.arange(len(counts)))


def locate(texts: Sequence[str], bounds: Array, spans: Array, jobs: int = 0) -> Array:
    flat = _native.locate(texts, tables, _as(bounds, "i8"), _as(spans, "i8"), threads(jobs))
    return np.frombuffer(flat, "i8").reshape(-1, 4)


def sign(
    tokens: Array,
    offsets: Array,
    ngram: int,
    multipliers: Array,
    increments: Array,
    lowest: int = 0,
    jobs: int = 0,
) -> tuple[Array, Array]:
    signatures, sketches = _native.sign(
        *_texts(tokens, offsets), ngram, _as(multipliers, "u4"), _as(increments, "u4"), lowest, threads(jobs)
    )
    count = len(offsets) - 1
    return (
        np.frombuffer(signatures, "u4").reshape(count, len(multipliers)),
        np.frombuffer(sketches, "u8").reshape(count, lowest),
    )


def shingles(tokens: Array, offsets: Array, ngram: int, jobs: int = 0) -> tuple[Array, Array]:
    flat, counts = _native.shingles(*_texts(tokens, offsets), ngram, threads(jobs))
    return np.frombuffer(flat, "u8"), np.concatenate([[0], np.cumsum(np.frombuffer(counts, "i8"))]).astype(
        "i8"
    )


def overlaps(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int = 0) -> Array:
    flat = _native.overlaps(*_texts(tokens, offsets), ngram, _as(pairs, "i8"), threads(jobs))
    return np.frombuffer(flat, "i8").reshape(-1, 3)


def explained(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int = 0) -> Array:
    marks = np.zeros(len(tokens), bool)  # memory that nobody writes to costs nothing
    _native.explained(*_texts(tokens, offsets), ngram, _as(pairs, "i8"), threads(jobs), marks)
    return marks


def band_pairs(signatures: Array, bands: int, rows: int, bucket: int, jobs: int = 0) -> Array:
    signatures = _as(signatures, "u4")
    return _pairs(_native.band_pairs(signatures, signatures.shape[1], bands, rows, bucket, threads(jobs)))


def contained_pairs(
    tokens: Array,
    offsets: Array,
    sketches: Array,
    sought: Array,
    parameters: ContainedParameters,
    jobs: int = 0,
) -> Array:
    return _pairs(
        _native.contained_pairs(
            *_texts(tokens, offsets), _as(sketches, "u8"), _as(sought, "u1"), *parameters, threads(jobs)
        )
    )


def sampled(tokens: Array, offsets: Array, ngram: int, pairs: Array, count: int, jobs: int = 0) -> Array:
    flat = _native.sampled(*_texts(tokens, offsets), ngram, _as(pairs, "i8"), count, threads(jobs))
    return np.frombuffer(flat, "i8").reshape(-1, 2)


def places(tokens: Array, offsets: Array, ngram: int, sought: Array, jobs: int = 0) -> Array:
    return np.frombuffer(
        _native.places(*_texts(tokens, offsets), ngram, _as(sought, "u8"), threads(jobs)), "i8"
    )


def recurrences(tokens: Array, spans: Array, bounds: Array, length: int, jobs: int = 0) -> Array:
    flat = _native.recurrences(_as(tokens, "u4"), _as(spans, "i8"), _as(bounds, "i8"), length, threads(jobs))
    return np.frombuffer(flat, "i8")


def periods(tokens: Array, offsets: Array, minimum: int, jobs: int = 0) -> Array:
    return np.frombuffer(_native.periods(*_texts(tokens, offsets), minimum, threads(jobs)), "i8").reshape(
        -1, 4
    )


def seed_index(tokens: Array, offsets: Array, quiet: Array, cap: int, jobs: int = 0) -> SeedIndex:
    members, slots, starts = _native.seed_index(
        *_texts(tokens, offsets), _as(quiet, "u1"), cap, threads(jobs)
    )
    return SeedIndex(np.frombuffer(members, "u4"), np.frombuffer(slots, "u4"), np.frombuffer(starts, "u4"))


def passages(
    tokens: Array,
    offsets: Array,
    families: Array,
    index: SeedIndex,
    similarity: float,
    minimum: int,
    jobs: int = 0,
) -> Array:
    flat = _native.passages(
        *_texts(tokens, offsets), _as(families, "i4"), *index, similarity, minimum, threads(jobs)
    )
    return np.frombuffer(flat, "i8").reshape(-1, 7)


def common(tokens: Array, spans: Array, jobs: int = 0) -> Array:
    return np.frombuffer(_native.common(_as(tokens, "u4"), _as(spans, "i8"), threads(jobs)), "i8")
