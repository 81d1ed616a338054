"""The fastest form that datasketch documents: ``MinHash.generator`` with xxHash, an insertion session; one process.

Duplicate keys are not looked for, and each document is queried before it is inserted, so that every pair turns
up once.
"""

import xxhash
from datasketch import MinHash, MinHashLSH
from rival import NUM_PERM, Job, shingle_bytes


def main() -> None:
    """Sign, query, insert; a pair counts when its estimated Jaccard reaches the threshold."""
    job = Job.from_command_line()
    ids, texts = job.read()
    lsh = MinHashLSH(threshold=job.threshold, num_perm=NUM_PERM)
    signatures: list[MinHash] = []
    pairs: list[tuple[int, int]] = []
    grams = map(shingle_bytes, texts)
    with lsh.insertion_session() as session:
        for place, signature in enumerate(
            MinHash.generator(grams, num_perm=NUM_PERM, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)
        ):
            pairs.extend(
                (found, place)
                for found in lsh.query(signature)
                if signature.jaccard(signatures[found]) >= job.threshold
            )
            session.insert(place, signature, check_duplication=False)
            signatures.append(signature)
    job.write(ids, pairs, "datasketch", bands=lsh.b, rows=lsh.r, hash="xxh32", processes=1)


if __name__ == "__main__":
    main()
