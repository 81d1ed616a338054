"""The native kernel behind the signatures of :mod:`dedup.kernel.reference`, which documents them.

This file only turns arrays into buffers and bytes into arrays; arrays that come out are read-only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from . import _native
from .characters import Characters
from .types import Array, ContainedParameters, SeedIndex, Tokens

_characters = Characters.none()


def _jobs(jobs: int) -> int:
    if jobs:
        return jobs
    if hasattr(os, "sched_getaffinity"):  # the cores that this process may use, where the system tells
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _as(values: Array, dtype: str) -> Array:
    return np.ascontiguousarray(values, dtype)


def _texts(tokens: Array, offsets: Array) -> tuple[Array, Array]:
    return _as(tokens, "u4"), _as(offsets, "i8")


def _pairs(packed: bytes) -> Array:
    values = np.frombuffer(packed, "u8")
    return np.stack([values >> 32, values & 0xFFFFFFFF], 1).astype("i8")


def tokenise(texts: Sequence[str], spans: bool = False, jobs: int = 0) -> Tokens:
    global _characters
    texts, tables = tuple(texts), _characters
    while True:
        missing, *arrays = _native.tokenise(
            texts, tables.index, tables.entries, tables.pool, spans, _jobs(jobs)
        )
        if missing is None:
            break
        _characters = tables = tables.with_pages(np.flatnonzero(np.frombuffer(missing, "u1")).tolist())
    hashes, counts, starts, ends = (
        np.frombuffer(a, t) for a, t in zip(arrays, ("u4", "i8", "u4", "u4"), strict=True)
    )
    return Tokens(hashes, np.concatenate([[0], np.cumsum(counts)]).astype("i8"), starts, ends)


def digests(tokens: Array, offsets: Array, jobs: int = 0) -> Array:
    return np.frombuffer(_native.digests(*_texts(tokens, offsets), _jobs(jobs)), "u8")


def gather(parts: Sequence[Array], starts: Array, counts: Array, jobs: int = 0) -> Array:
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype("i8")
    arrays = tuple(_as(part, "u4") for part in parts)
    return np.frombuffer(_native.gather(arrays, _as(starts, "i8"), offsets, _jobs(jobs)), "u4")


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
        *_texts(tokens, offsets), ngram, _as(multipliers, "u4"), _as(increments, "u4"), lowest, _jobs(jobs)
    )
    count = len(offsets) - 1
    return (
        np.frombuffer(signatures, "u4").reshape(count, len(multipliers)),
        np.frombuffer(sketches, "u8").reshape(count, lowest),
    )


def shingles(tokens: Array, offsets: Array, ngram: int, jobs: int = 0) -> tuple[Array, Array]:
    flat, counts = _native.shingles(*_texts(tokens, offsets), ngram, _jobs(jobs))
    return np.frombuffer(flat, "u8"), np.concatenate([[0], np.cumsum(np.frombuffer(counts, "i8"))]).astype(
        "i8"
    )


def overlaps(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int = 0) -> Array:
    flat = _native.overlaps(*_texts(tokens, offsets), ngram, _as(pairs, "i8"), _jobs(jobs))
    return np.frombuffer(flat, "i8").reshape(-1, 3)


def explained(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int = 0) -> Array:
    flat = _native.explained(*_texts(tokens, offsets), ngram, _as(pairs, "i8"), _jobs(jobs))
    return np.frombuffer(flat, "u1").astype(bool)


def band_pairs(signatures: Array, bands: int, rows: int, bucket: int, jobs: int = 0) -> Array:
    signatures = _as(signatures, "u4")
    return _pairs(_native.band_pairs(signatures, signatures.shape[1], bands, rows, bucket, _jobs(jobs)))


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
            *_texts(tokens, offsets), _as(sketches, "u8"), _as(sought, "u1"), *parameters, _jobs(jobs)
        )
    )


def places(tokens: Array, offsets: Array, ngram: int, sought: Array, jobs: int = 0) -> Array:
    return np.frombuffer(
        _native.places(*_texts(tokens, offsets), ngram, _as(sought, "u8"), _jobs(jobs)), "i8"
    )


def periods(tokens: Array, offsets: Array, minimum: int, jobs: int = 0) -> Array:
    return np.frombuffer(_native.periods(*_texts(tokens, offsets), minimum, _jobs(jobs)), "i8").reshape(-1, 4)


def seed_index(tokens: Array, offsets: Array, posting: Array, cap: int, jobs: int = 0) -> SeedIndex:
    members, slots, starts = _native.seed_index(
        *_texts(tokens, offsets), _as(posting, "u1"), cap, _jobs(jobs)
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
        *_texts(tokens, offsets), _as(families, "i4"), *index, similarity, minimum, _jobs(jobs)
    )
    return np.frombuffer(flat, "i8").reshape(-1, 8)


def common(tokens: Array, spans: Array, jobs: int = 0) -> Array:
    return np.frombuffer(_native.common(_as(tokens, "u4"), _as(spans, "i8"), _jobs(jobs)), "i8")
