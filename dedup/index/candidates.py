"""Which archived documents are worth a comparison with new ones. Nothing here is proven.

Enters: the tokens of new documents. Leaves: pairs of a new document and an archived one. A pair depends on the two, and
where a key is held by more than :data:`dedup.index.snapshot.LIMIT` documents on these, but never on how the index came
about.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from ..kernel.types import Array
from . import keys
from .snapshot import Snapshot


class Company(NamedTuple):
    """How much two documents must share. A key that more than LIMIT documents hold weighs one, any other ``rare``;
    together they must weigh ``needed``. For fewer than ``few`` keys one in common is enough."""

    rare: int
    needed: int
    few: int


#: Of the shingles of a new document with the sketch of an archived one; of the seeds in one window of a new document.
#: Measured on the passages that one scan of 1,400 to 10,000 articles finds between a tenth of them and the rest: .9916
#: to .9999 are met; with 9 instead of 8 .9888 at worst, with half the LIMIT .9832.
SKETCH, SEED = Company(2, 4, 16), Company(3, 8, 1)

_TOKENS = 1 << 16  # of new documents that are looked up at a time; where many are like them, 5 kB each


class Pairs(NamedTuple):
    """New documents, by their place, and archived ones, by their number in a snapshot; int64, ascending, each pair
    once.

    ``stretches`` gives for pairs with seeds in common the tokens of the new document in which these lie, about.
    """

    new: Array
    archived: Array
    stretches: dict[tuple[int, int], tuple[int, int]]


def near(snapshot: Snapshot, tokens: Array, offsets: Array, passages: Company | None, jobs: int = 0) -> Pairs:
    """Candidates for new documents, ``tokens[offsets[i] : offsets[i + 1]]`` those of document i.

    With ``passages`` also those that share so many seeds.
    """
    new, archived = [np.zeros(0, "i8")], [np.zeros(0, "i8")]
    stretches: dict[tuple[int, int], tuple[int, int]] = {}
    starts = np.searchsorted(offsets, np.arange(0, int(offsets[-1]) + 1, _TOKENS))
    bounds = np.unique(np.append(starts, len(offsets) - 1)).tolist()
    for first, last in itertools.pairwise(bounds):
        part = tokens[offsets[first] : offsets[last]]
        found = _near(snapshot, part, offsets[first : last + 1] - offsets[first], passages, jobs)
        new.append(found.new + first)
        archived.append(found.archived)
        stretches.update({(text + first, number): at for (text, number), at in found.stretches.items()})
    return Pairs(np.concatenate(new), np.concatenate(archived), stretches)


def _near(snapshot: Snapshot, tokens: Array, offsets: Array, passages: Company | None, jobs: int) -> Pairs:
    wanted, owners = keys.shingles(tokens, offsets, snapshot.shape.ngram, jobs)
    new, archived = _shared(snapshot, "sketch", wanted, owners, SKETCH)
    stretches: dict[tuple[int, int], tuple[int, int]] = {}
    if passages is not None:
        words, bounds, documents, starts = keys.windows(tokens, offsets)
        wanted, owners = keys.seeds(words, bounds, jobs)
        inside, numbers = _shared(snapshot, "seed", wanted, owners, passages)
        new, archived = np.append(new, documents[inside]), np.append(archived, numbers)
        if not snapshot.shape.text:  # with texts, the exact place is found
            ends = starts + np.diff(bounds)
            columns = (documents[inside], numbers, starts[inside], ends[inside])
            for text, number, start, end in zip(*(column.tolist() for column in columns), strict=True):
                first, last = stretches.get((text, number), (start, end))
                stretches[text, number] = min(first, start), max(last, end)
    both = np.unique(np.stack([new, archived]), axis=1)
    return Pairs(both[0], both[1], stretches)


def _shared(
    snapshot: Snapshot, family: str, wanted: Array, owners: Array, company: Company
) -> tuple[Array, Array]:
    """Pairs of an owner of keys and an archived document that share enough of them."""
    distinct, inverse = np.unique(wanted, return_inverse=True)
    found, often = snapshot.find(family, distinct)
    counts = np.bincount(found.keys, minlength=len(distinct))
    firsts = (np.cumsum(counts) - counts)[inverse]
    sizes = counts[inverse]
    documents, dense = np.unique(found.documents, return_inverse=True)
    places = np.arange(int(sizes.sum())) + np.repeat(firsts - np.cumsum(sizes) + sizes, sizes)
    # The owner, the document, and in the lowest bit whether many hold the key: one number each, to be sorted.
    both = np.repeat(owners.astype("u8") << np.uint64(32) | often[inverse], sizes)
    both |= (dense.astype("u8") << np.uint64(1))[places]
    both.sort()
    pairs = both >> np.uint64(1)
    first = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])) if len(pairs) else np.zeros(0, "i8")
    total = np.diff(np.append(first, len(pairs)))
    common = np.add.reduceat((both & np.uint64(1)).astype("i8"), first) if len(pairs) else total
    owner = (pairs[first] >> np.uint64(31)).astype("i8")
    few = np.bincount(owners) < company.few
    enough = (company.rare * (total - common) + common >= company.needed) | few[owner]
    number = (pairs[first] & np.uint64((1 << 31) - 1)).astype("i8")
    return owner[enough], documents[number[enough]]
