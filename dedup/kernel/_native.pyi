"""The compiled kernel: buffers in, bytes out. ``native.py`` gives it the signatures of the reference."""

from collections.abc import Sequence

from .types import Array

def tokenise(
    texts: Sequence[str], index: Array, entries: Array, pool: Array, spans: bool, jobs: int
) -> tuple[bytes | None, bytes, bytes, bytes, bytes]: ...
def digests(tokens: Array, offsets: Array, jobs: int) -> bytes: ...
def sign(
    tokens: Array, offsets: Array, ngram: int, multipliers: Array, increments: Array, jobs: int
) -> bytes: ...
def shingles(tokens: Array, offsets: Array, ngram: int, jobs: int) -> tuple[bytes, bytes]: ...
def overlaps(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int) -> bytes: ...
def explained(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int) -> bytes: ...
def places(tokens: Array, offsets: Array, ngram: int, sought: Array, jobs: int) -> bytes: ...
def band_pairs(signatures: Array, num_perm: int, bands: int, rows: int, bucket: int, jobs: int) -> bytes: ...
def contained_pairs(
    tokens: Array,
    offsets: Array,
    sought: Array,
    ngram: int,
    minimum: int,
    probes: int,
    needed: int,
    bucket: int,
    jobs: int,
) -> bytes: ...
def periods(tokens: Array, offsets: Array, minimum: int, jobs: int) -> bytes: ...
def seed_index(
    tokens: Array, offsets: Array, posting: Array, cap: int, jobs: int
) -> tuple[bytes, bytes, bytes]: ...
def passages(
    tokens: Array,
    offsets: Array,
    families: Array,
    members: Array,
    slots: Array,
    starts: Array,
    similarity: float,
    minimum: int,
    jobs: int,
) -> bytes: ...
def common(tokens: Array, spans: Array, jobs: int) -> bytes: ...
