"""``datasketch_generator`` spread over the cores, which datasketch leaves to its users: a process a core.

The workers read their slice of the lines, shingle and sign; signatures come back as one matrix a slice. The
parent keeps them as ``LeanMinHash``, and goes on as the other script does.
"""

from collections.abc import Iterator
from itertools import islice
from multiprocessing import Pool

import numpy as np
import orjson
import xxhash
from datasketch import LeanMinHash, MinHash, MinHashLSH
from datasketch_generator import matches
from numpy.typing import NDArray
from rival import NUM_PERM, Job, shingle_bytes

LINES_AT_ONCE = 250
SEED = 1
SCHEME = "affine32"


def sign(lines: list[bytes]) -> tuple[list[str], NDArray[np.uint32]]:
    """Ids and signatures (documents by NUM_PERM) of some lines."""
    records = [orjson.loads(line) for line in lines]
    grams = (shingle_bytes(record["text"]) for record in records)
    signatures = MinHash.generator(
        grams, num_perm=NUM_PERM, seed=SEED, scheme=SCHEME, hashfunc=xxhash.xxh32_intdigest
    )
    return [record["id"] for record in records], np.stack([signature.hashvalues for signature in signatures])


def signed(job: Job) -> Iterator[tuple[str, NDArray[np.uint32]]]:
    """Id and signature of every document, in the order of the file."""
    with job.corpus.open("rb") as lines, Pool(job.jobs) as pool:
        slices = iter(lambda: list(islice(lines, LINES_AT_ONCE)), [])
        for ids, matrix in pool.imap(sign, slices):
            yield from zip(ids, matrix, strict=True)


def main() -> None:
    """Have them signed, query, insert."""
    job = Job.from_command_line()
    lsh = MinHashLSH(threshold=job.threshold, num_perm=NUM_PERM)
    ids: list[str] = []

    def signatures() -> Iterator[LeanMinHash]:
        for name, values in signed(job):
            ids.append(name)
            yield LeanMinHash(seed=SEED, hashvalues=values, scheme=SCHEME)

    pairs = matches(signatures(), lsh, job.threshold)
    job.write(ids, pairs, "datasketch", bands=lsh.b, rows=lsh.r, hash="xxh32", processes=job.jobs)


if __name__ == "__main__":
    main()
