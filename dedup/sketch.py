"""MinHash signatures: short sketches whose agreement estimates the Jaccard index of two shingle sets.

Enters: a corpus' tokens. Leaves: :class:`Signatures`, bit for bit those of ``datasketch.MinHash`` with scheme
``affine32``, the same seed and number of permutations, over the low 32 bits of the shingle hashes; they go
there and come back with :meth:`Signatures.to_datasketch` and :meth:`Signatures.from_datasketch`. (Broder 1997,
"On the resemblance and containment of documents".)
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import kernel
from .errors import SettingsError
from .kernel.types import Array

if TYPE_CHECKING:
    from datasketch import MinHash

SCHEME = "affine32"

#: Changes whenever a token's hash or a shingle's does: older signatures cannot be compared with newer ones.
SHINGLES = "dedup-shingles/1"

#: Smallest shingle hashes of a text, by which it is looked for inside longer ones.
PROBES = 8


class Signatures(NamedTuple):
    """Signatures of many texts and all that shaped them.

    ``values``: uint32, (texts, num_perm). Signatures compare only if everything else about them is equal.
    """

    values: Array
    seed: int
    ngram: int
    shingles: str = SHINGLES

    @property
    def num_perm(self) -> int:
        """Permutations of a signature."""
        return int(self.values.shape[1])

    def check_comparable(self, other: Signatures) -> None:
        """Raises SettingsError, naming what differs, if the two were shaped differently."""
        for name in ("num_perm", "seed", "ngram", "shingles"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise SettingsError(
                    f"signatures differ in {name}: {mine!r} and {theirs!r}; make both with the same"
                )

    def estimated_jaccard(self, a: int, b: int) -> float:
        """The share of permutations in which texts a and b agree; standard error at most 0.5/√num_perm."""
        return float((self.values[a] == self.values[b]).mean())

    def to_datasketch(self) -> list[MinHash]:
        """A ``datasketch.MinHash`` for every text, for use in ``datasketch.MinHashLSH`` and its kin."""
        from datasketch import MinHash

        shape = MinHash(self.num_perm, self.seed, scheme=SCHEME)
        return [
            MinHash(seed=self.seed, hashvalues=row, permutations=shape.permutations, scheme=SCHEME)
            for row in self.values
        ]

    @classmethod
    def from_datasketch(cls, hashes: Sequence[MinHash], ngram: int, shingles: str = SHINGLES) -> Signatures:
        """Signatures from datasketch's, which do not say what their shingles were: ``ngram`` and ``shingles`` do."""
        for minhash in hashes:
            if minhash.scheme != SCHEME:
                raise SettingsError(f"a MinHash has scheme {minhash.scheme}; expected {SCHEME}")
            if (minhash.seed, len(minhash)) != (hashes[0].seed, len(hashes[0])):
                raise SettingsError(
                    "the MinHashes differ in seed or number of permutations; make all with the same"
                )
        seed = hashes[0].seed if hashes else 1
        values = np.array([minhash.hashvalues for minhash in hashes], "u4")
        return cls(values if hashes else values.reshape(0, 0), seed, ngram, shingles)


def permutations(num_perm: int, seed: int) -> tuple[Array, Array]:
    """Multipliers (odd) and increments, uint32 each, that datasketch draws for ``affine32`` from this seed.

    It draws them with ``numpy.random.RandomState``, whose generator the standard library has too: MT19937, here with
    the seeding of its authors (Matsumoto and Nishimura 2002, ``init_genrand``). To import the former takes 5 ms.
    """
    state = [seed]
    for place in range(1, 624):
        state.append((1812433253 * (state[-1] ^ state[-1] >> 30) + place) & 0xFFFFFFFF)
    draw = Random()
    draw.setstate((3, (*state, len(state)), None))
    numbers = np.array([draw.getrandbits(32) for _ in range(2 * num_perm)], "u4")
    return numbers[:num_perm] << np.uint32(1) | np.uint32(1), numbers[num_perm:]


def sign(
    tokens: Array, offsets: Array, ngram: int, num_perm: int, seed: int, jobs: int = 0
) -> tuple[Signatures, Array]:
    """Signatures of all texts, and their PROBES smallest shingle hashes; cost: tokens x num_perm multiplications.

    The hashes are uint64, (texts, PROBES), ascending, all one bits where a text has fewer shingles.

    >>> from dedup.kernel import tokenise
    >>> hashes, offsets, *_ = tokenise(["one fine day in May", "One fine day, in May!"])
    >>> signatures, smallest = sign(hashes, offsets, ngram=2, num_perm=64, seed=1)
    >>> signatures.estimated_jaccard(0, 1), bool((smallest[0] == smallest[1]).all())
    (1.0, True)
    """
    values, smallest = kernel.sign(tokens, offsets, ngram, *permutations(num_perm, seed), PROBES, jobs)
    return Signatures(values, seed, ngram), smallest
