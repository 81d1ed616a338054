"""Exact truth about documents, and reported document clusters judged by it.

Enters: documents (id, text), a threshold, Findings. Leaves: all pairs whose Jaccard over word 5-grams reaches
the threshold, all pairs of which one contains the other, and a Judgement.

All pairs are found exactly, without comparing all: a pair that reaches the threshold shares a shingle within
the rarest ``n - ceil(t·n) + 1`` shingles of each (prefix filter; Bayardo, Ma and Srikant 2007). Candidates
are then verified on the shingle sets themselves. Shingles are runs of 5 naive tokens; a shorter text is one
shingle.

- *Linked*: share of the true pairs whose documents are members of one cluster. Clusters form round the
  document that is kept, so two copies of different kept ones may be alike without being linked: below 1 on
  natural text.
- *Settled*: share of the true pairs of which at least one is a copy (any member but the kept one). At 1, no
  two documents that remain when all copies are set aside reach the threshold: nothing was overlooked.
- *Precision*: share of the (kept, member) pairs that are true: Jaccard at or above the threshold or, in a
  contained cluster, at least the threshold of the member's shingles in the kept document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import ceil

import numpy as np

from .findings import Findings
from .tokens import Hashes, shingles, tokenise

NGRAM = 5
ROUNDING = 1e-9

Pair = tuple[str, str]


@dataclass
class Shingled:
    """Documents as sorted sets of shingles; ``groups`` holds the ids behind each distinct set."""

    sets: dict[str, Hashes]
    groups: dict[bytes, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.groups = defaultdict(list)
        for document, values in self.sets.items():
            if len(values):
                self.groups[values.tobytes()].append(document)

    def figures(self, left: str, right: str) -> tuple[float, float]:
        """Jaccard of two documents, and the share of ``left``'s shingles that ``right`` holds."""
        one, other = self.sets[left], self.sets[right]
        shared = len(np.intersect1d(one, other, assume_unique=True))
        return shared / max(1, len(one) + len(other) - shared), shared / max(1, len(one))


def shingled(documents: Iterable[tuple[str, str]], length: int = NGRAM) -> Shingled:
    """The documents' shingle sets."""
    return Shingled(
        {document: np.unique(shingles(tokenise(text).words, length)) for document, text in documents}
    )


class Postings:
    """Distinct shingle sets, their shingles as ranks of rarity; the lowest ranks are shared with nobody."""

    def __init__(self, sets: Sequence[Hashes]) -> None:
        self.sizes = [len(values) for values in sets]
        values, inverse, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
        ranks = np.empty(len(values), np.int64)
        ranks[np.lexsort((values, counts))] = np.arange(len(values))
        lonely = int((counts == 1).sum())  # the rarest ranks: shared with nobody
        cuts = np.cumsum(self.sizes)[:-1]
        self.ranked = [np.sort(part) for part in np.split(ranks[inverse], cuts)]
        self.lonely = lonely

    def prefix(self, number: int, threshold: float) -> list[int]:
        """The shared ones among a set's rarest shingles: a partner at the threshold holds one of them."""
        size = self.sizes[number]
        length = size - ceil(threshold * size - ROUNDING) + 1
        return [rank for rank in self.ranked[number][:length].tolist() if rank >= self.lonely]


def near_candidates(postings: Postings, threshold: float) -> set[tuple[int, int]]:
    """Pairs of sets (lower number first) that may reach the Jaccard."""
    holders: dict[int, list[int]] = defaultdict(list)
    for number in range(len(postings.sizes)):
        for rank in postings.prefix(number, threshold):
            holders[rank].append(number)
    found: set[tuple[int, int]] = set()
    for numbers in holders.values():
        found.update(pair for pair in combinations(numbers, 2) if fits(postings.sizes, *pair, threshold))
    return found


def fits(sizes: Sequence[int], left: int, right: int, threshold: float) -> bool:
    """Whether two sets' sizes allow the Jaccard."""
    small, large = sorted((sizes[left], sizes[right]))
    return small >= threshold * large - ROUNDING


def contained_candidates(postings: Postings, threshold: float) -> set[tuple[int, int]]:
    """Pairs of sets (the smaller first) of which the larger may contain the smaller."""
    prefixes = [postings.prefix(number, threshold) for number in range(len(postings.sizes))]
    wanted = {rank for prefix in prefixes for rank in prefix}
    holders: dict[int, list[int]] = defaultdict(list)
    for number, ranks in enumerate(postings.ranked):
        for rank in ranks[np.searchsorted(ranks, postings.lonely) :].tolist():
            if rank in wanted:
                holders[rank].append(number)
    sizes = postings.sizes
    return {
        (number, other)
        for number, prefix in enumerate(prefixes)
        for rank in prefix
        for other in holders[rank]
        if other != number and (sizes[number], number) < (sizes[other], other)
    }


def near_pairs(documents: Shingled, threshold: float) -> dict[Pair, float]:
    """Every pair of documents (ids in order) with Jaccard at or above the threshold, exactly."""
    groups = list(documents.groups.values())
    found = {ordered(*pair): 1.0 for group in groups for pair in combinations(group, 2)}
    if len(groups) > 1:
        postings = Postings([documents.sets[group[0]] for group in groups])
        for left, right in near_candidates(postings, threshold):
            jaccard, _ = documents.figures(groups[left][0], groups[right][0])
            if jaccard >= threshold:
                found.update(
                    (ordered(one, other), jaccard) for one in groups[left] for other in groups[right]
                )
    return found


def contained_pairs(documents: Shingled, threshold: float) -> dict[Pair, float]:
    """Every pair (contained, containing) at or above the threshold whose Jaccard is below it, exactly."""
    groups = list(documents.groups.values())
    found: dict[Pair, float] = {}
    if len(groups) > 1:
        postings = Postings([documents.sets[group[0]] for group in groups])
        for small, large in contained_candidates(postings, threshold):
            jaccard, containment = documents.figures(groups[small][0], groups[large][0])
            if containment >= threshold > jaccard:
                found.update(((one, other), containment) for one in groups[small] for other in groups[large])
    return found


def ordered(left: str, right: str) -> Pair:
    """A pair of ids, the lower first."""
    return (left, right) if left < right else (right, left)


@dataclass(frozen=True, slots=True)
class Recall:
    """True pairs, and those of them that are not linked or not settled."""

    true: int
    unlinked: list[Pair]
    unsettled: list[Pair]

    @property
    def linked(self) -> float:
        """Share of pairs in one cluster."""
        return 1 - len(self.unlinked) / self.true if self.true else 1.0

    @property
    def settled(self) -> float:
        """Share of pairs of which one is a copy."""
        return 1 - len(self.unsettled) / self.true if self.true else 1.0


@dataclass(slots=True)
class Judgement:
    """The near and the contained pairs, and how many (kept, member) pairs were reported.

    ``wrong`` lists the reported pairs that are not true; ``deviation`` is how far a reported figure is from
    the exact one at most.
    """

    near: Recall
    contained: Recall
    reported: int = 0
    wrong: list[Pair] = field(default_factory=list)
    deviation: float = 0.0


def recall(found: Findings, true: Collection[Pair]) -> Recall:
    """Which of the true pairs the clusters link and settle."""
    clusters: dict[str, set[int]] = defaultdict(set)
    copies: set[str] = set()
    for number, cluster in enumerate(found.documents):
        for member in cluster.members:
            clusters[member.document].add(number)
        copies.update(member.document for member in cluster.members[1:])
    unlinked = [(left, right) for left, right in true if clusters[left].isdisjoint(clusters[right])]
    return Recall(len(true), unlinked, [pair for pair in true if copies.isdisjoint(pair)])


def judge(documents: Shingled, found: Findings, threshold: float) -> Judgement:
    """Judges the reported document clusters by exact truth at a threshold."""
    near = recall(found, near_pairs(documents, threshold))
    result = Judgement(near, recall(found, contained_pairs(documents, threshold)))
    for cluster in found.documents:
        kept, *others = cluster.members
        for member in others:
            jaccard, containment = documents.figures(member.document, kept.document)
            result.reported += 1
            if jaccard < threshold and (cluster.kind != "contained" or containment < threshold):
                result.wrong.append((kept.document, member.document))
            for exact, claimed in ((jaccard, member.jaccard), (containment, member.containment)):
                if claimed is not None:
                    result.deviation = max(result.deviation, abs(exact - claimed))
    return result
