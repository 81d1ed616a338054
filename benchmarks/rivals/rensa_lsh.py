"""rensa: ``RMinHash.from_token_sets`` as its README begins, then its LSH index.

All signatures are made, inserted and queried in one call each, the forms that rensa offers for batches.

The number of bands is the one that rensa's own LSH benchmark takes: the divisor of the number of
permutations for which a pair at the threshold is found with the probability nearest to one half.
"""

from rensa import RMinHash, RMinHashLSH
from rival import NUM_PERM, Job, shingles

SEED = 42


def bands(threshold: float) -> int:
    """The divisor of NUM_PERM whose curve passes nearest to one half at the threshold."""
    divisors = [count for count in range(1, NUM_PERM + 1) if NUM_PERM % count == 0]
    return min(divisors, key=lambda count: abs(0.5 - (1 - threshold ** (NUM_PERM // count)) ** count))


def main() -> None:
    """Sign, insert, query; a pair counts when its estimated Jaccard reaches the threshold."""
    job = Job.from_command_line()
    ids, texts = job.read()
    signatures = RMinHash.from_token_sets(map(shingles, texts), num_perm=NUM_PERM, seed=SEED)
    lsh = RMinHashLSH(threshold=job.threshold, num_perm=NUM_PERM, num_bands=bands(job.threshold))
    lsh.insert_many(signatures)
    pairs = [
        (place, found)
        for place, candidates in enumerate(lsh.query_all(signatures))
        for found in set(candidates)
        if place < found and signatures[place].jaccard(signatures[found]) >= job.threshold
    ]
    count = lsh.get_num_bands()
    job.write(ids, pairs, "rensa", bands=count, rows=NUM_PERM // count, threads=1)


if __name__ == "__main__":
    main()
