"""The compiled kernel: buffers in, bytes out. ``native.py`` gives it the signatures of the reference."""

from collections.abc import Callable, Sequence

from .types import Array

class Tokeniser:
    def __init__(
        self, tables: Callable[[bytes], tuple[Array, Array, Array]], spans: bool, jobs: int
    ) -> None: ...
    def add(self, texts: Sequence[str]) -> None: ...
    def finish(self) -> tuple[bytes, bytes]: ...
    def gather(self, column: int, order: Array, offsets: Array) -> bytes: ...

def locate(
    texts: Sequence[str],
    tables: Callable[[bytes], tuple[Array, Array, Array]],
    bounds: Array,
    spans: Array,
    jobs: int,
) -> bytes: ...
def sign(
    tokens: Array, offsets: Array, ngram: int, multipliers: Array, increments: Array, lowest: int, jobs: int
) -> tuple[bytes, bytes]: ...
def shingles(tokens: Array, offsets: Array, ngram: int, jobs: int) -> tuple[bytes, bytes]: ...
def overlaps(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int) -> bytes: ...
def explained(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int, marks: Array) -> None: ...
def places(tokens: Array, offsets: Array, ngram: int, sought: Array, jobs: int) -> bytes: ...
def band_pairs(signatures: Array, num_perm: int, bands: int, rows: int, bucket: int, jobs: int) -> bytes: ...
def contained_pairs(
    tokens: Array,
    offsets: Array,
    sketches: Array,
    sought: Array,
    ngram: int,
    minimum: int,
    needed: int,
    bucket: int,
    jobs: int,
) -> bytes: ...
def recurrences(tokens: Array, spans: Array, bounds: Array, length: int, jobs: int) -> bytes: ...
def periods(tokens: Array, offsets: Array, minimum: int, jobs: int) -> bytes: ...
def seed_index(
    tokens: Array, offsets: Array, quiet: Array, cap: int, jobs: int
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
