"""datasketch with ``update_batch`` and xxHash, as its README advises; one process."""

import xxhash
from datasketch import MinHash, MinHashLSH
from rival import NUM_PERM, Job, shingle_bytes


def main() -> None:
    """Sign, insert, query; a pair counts when its estimated Jaccard reaches the threshold."""
    job = Job.from_command_line()
    ids, texts = job.read()
    lsh = MinHashLSH(threshold=job.threshold, num_perm=NUM_PERM)
    signatures = []
    for place, text in enumerate(texts):
        signature = MinHash(num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest)
        signature.update_batch(shingle_bytes(text))
        lsh.insert(place, signature)
        signatures.append(signature)
    pairs = [
        (place, found)
        for place, signature in enumerate(signatures)
        for found in lsh.query(signature)
        if place < found and signature.jaccard(signatures[found]) >= job.threshold
    ]
    job.write(ids, pairs, "datasketch", bands=lsh.b, rows=lsh.r, hash="xxh32", processes=1)


if __name__ == "__main__":
    main()
