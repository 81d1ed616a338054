"""gaoya: ``MinHashStringIndex`` with its own word shingles, filled and queried by its parallel bulk calls.

Tokens are what stands between spaces, lower-cased: gaoya splits by itself, which is where its speed comes
from. Bands follow from the threshold and 128 hashes; buckets that hold few ids are the kind its
documentation advises.
"""

import os

from gaoya.minhash import MinHashStringIndex
from rival import NGRAM, NUM_PERM, Job

HASH_BITS = 32


def main() -> None:
    """Insert all, query all; gaoya itself drops candidates below the threshold."""
    job = Job.from_command_line()
    os.environ["RAYON_NUM_THREADS"] = str(job.jobs)  # read when the first parallel call is made
    ids, texts = job.read()
    index = MinHashStringIndex(
        hash_size=HASH_BITS,
        jaccard_threshold=job.threshold,
        num_bands=None,
        band_size=None,
        num_hashes=NUM_PERM,
        analyzer="word",
        lowercase=True,
        ngram_range=(NGRAM, NGRAM),
        id_container="smallvec",
    )
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    pairs = [
        (place, found)
        for place, matches in enumerate(index.par_bulk_query(texts))
        for found in matches
        if place < found
    ]
    bands, rows = _bands(repr(index))
    job.write(ids, pairs, "gaoya", bands=bands, rows=rows, threads=job.jobs)


def _bands(shown: str) -> tuple[int, int]:
    """Bands and rows; gaoya tells them only in its ``repr``: ``… bands = 32, rows_per_band = 4, …``."""
    values = dict(part.split(" = ") for part in shown.replace("{", ",").split(", ") if part.count(" = ") == 1)
    return int(values["bands"]), int(values["rows_per_band"])


if __name__ == "__main__":
    main()
