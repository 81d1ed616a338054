"""The fastest form that datasketch documents: ``MinHash.generator`` with xxHash, an insertion session; one process."""

from collections.abc import Iterable

import xxhash
from datasketch import LeanMinHash, MinHash, MinHashLSH
from rival import NUM_PERM, Job, shingle_bytes


def matches(
    signed: Iterable[MinHash | LeanMinHash], lsh: MinHashLSH, threshold: float
) -> list[tuple[int, int]]:
    """Pairs of signatures whose estimated Jaccard reaches the threshold, by their places.

    Duplicate keys are not looked for, and each is queried before it is inserted, so that every pair turns up once.
    """
    signatures: list[MinHash | LeanMinHash] = []
    pairs: list[tuple[int, int]] = []
    with lsh.insertion_session() as session:
        for place, signature in enumerate(signed):
            pairs.extend(
                (found, place)
                for found in lsh.query(signature)
                if signature.jaccard(signatures[found]) >= threshold
            )
            session.insert(place, signature, check_duplication=False)
            signatures.append(signature)
    return pairs


def main() -> None:
    """Sign, query, insert."""
    job = Job.from_command_line()
    ids, texts = job.read()
    lsh = MinHashLSH(threshold=job.threshold, num_perm=NUM_PERM)
    grams = map(shingle_bytes, texts)
    signed = MinHash.generator(grams, num_perm=NUM_PERM, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)
    pairs = matches(signed, lsh, job.threshold)
    job.write(ids, pairs, "datasketch", bands=lsh.b, rows=lsh.r, hash="xxh32", processes=1)


if __name__ == "__main__":
    main()
