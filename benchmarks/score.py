"""Compares what a tool reported with the exact truth: pair recall, pair precision.

In: the truth (see ``truth``), and either a file of pairs (a rival) or a ``dedup-report/1`` result. A pair
is two ids in ascending order.

A library that lists pairs is taken at its word: found are the pairs it lists. ``dedup`` reports clusters
round the document that stays, and claims nothing about two members except that each is a copy of that one.
So its precision is taken over the pairs (kept, member) whose Jaccard it gives as at least the threshold,
its recall over pairs that stand in one cluster. A member that is called a copy for its containment alone is
in the cluster, but is no claim about Jaccard, which is all that the truth knows.

Where A is like B and B like C but A not like C, a leader cluster {A, B} leaves C alone: the pair (B, C) is
in no cluster, though B goes as the copy of A. ``settled`` is therefore the share of true pairs that are found
or of which a document goes because its Jaccard to one that stays reaches the threshold. For a list of pairs,
removal is greedy: in the order of ids, a document goes when it is in a pair with one that stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

Pair = tuple[str, str]
EPSILON = 1e-9


@dataclass
class Found:
    """What a tool reported: pairs it asserts, documents it puts together, documents that are to go."""

    claims: set[Pair] = field(default_factory=set)
    clusters: list[frozenset[str]] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Score:
    """Recall and precision are None where there is nothing to find or nothing was claimed."""

    true: int
    claimed: int
    recall: float | None
    precision: float | None
    near_precision: float | None  # of the claims, at or above the threshold less .05
    settled: float | None


def read_truth(path: Path) -> dict[Pair, float]:
    """Read the Jaccard of each pair."""
    with path.open(encoding="utf-8") as lines:
        rows = (line.rstrip("\n").split("\t") for line in lines)
        return {_pair(first, second): float(jaccard) for first, second, jaccard in rows}


def read_pairs(path: Path) -> Found:
    """Read the output of a rival script."""
    with path.open(encoding="utf-8") as lines:
        return from_pairs(tuple(line.rstrip("\n").split("\t")) for line in lines)


def from_pairs(pairs: Iterable[tuple[str, ...]]) -> Found:
    """What a list of pairs says, with greedy removal.

    >>> sorted(from_pairs([("b", "a"), ("b", "c"), ("c", "d")]).removed)
    ['b', 'd']
    """
    claims = {_pair(first, second) for first, second in pairs}
    earlier: dict[str, list[str]] = {}
    for first, second in claims:
        earlier.setdefault(second, []).append(first)
    removed: set[str] = set()
    for document in sorted(earlier):
        if not removed.issuperset(earlier[document]):
            removed.add(document)
    return Found(claims, removed=removed)


def read_report(path: Path, threshold: float) -> Found:
    """Read a ``dedup-report/1`` result from a file."""
    return from_report(orjson.loads(path.read_bytes()), threshold)


def from_report(report: dict[str, Any], threshold: float) -> Found:
    """What a ``dedup-report/1`` result says about documents.

    >>> member = {"document": "b", "jaccard": 0.75, "containment": 0.9}
    >>> part = {"document": "c", "jaccard": 0.3, "containment": 1.0}
    >>> kept = {"document": "a", "jaccard": None, "containment": None}
    >>> cluster = {"id": "x", "kind": "near", "kept": "a", "members": [kept, member, part]}
    >>> found = from_report({"schema": "dedup-report/1", "document_clusters": [cluster]}, 0.7)
    >>> sorted(found.claims), [sorted(cluster) for cluster in found.clusters], sorted(found.removed)
    ([('a', 'b')], [['a', 'b', 'c']], ['b'])
    """
    schema = report.get("schema")
    if schema != "dedup-report/1":
        raise ValueError(f"expected a result of schema dedup-report/1, found {schema!r}")
    found = Found()
    for cluster in report["document_clusters"]:
        kept = cluster["kept"]
        members = {member["document"] for member in cluster["members"]} - {kept}
        similar = set(_similar(cluster, threshold))
        found.claims.update(_pair(kept, copy) for copy in similar)
        found.clusters.append(frozenset({kept, *members}))
        found.removed |= similar
    return found


def _similar(cluster: dict[str, Any], threshold: float) -> Iterator[str]:
    for member in cluster["members"]:
        similar = member.get("jaccard")
        if similar is None:
            similar = 1.0 if cluster["kind"] == "exact" else 0.0
        if member["document"] != cluster["kept"] and similar >= threshold - EPSILON:
            yield member["document"]


def score(found: Found, truth: dict[Pair, float], threshold: float) -> Score:
    """Recall and settled share over true pairs at or above the threshold, precision over claims.

    >>> truth = {("a", "b"): 0.8, ("b", "c"): 0.7, ("a", "c"): 0.6}
    >>> result = score(from_pairs([("a", "b"), ("a", "c")]), truth, 0.7)
    >>> result.recall, result.precision, result.settled
    (0.5, 0.5, 1.0)
    """
    wanted = [pair for pair, jaccard in truth.items() if jaccard >= threshold - EPSILON]
    where: dict[str, set[int]] = {}
    for number, cluster in enumerate(found.clusters):
        for document in cluster:
            where.setdefault(document, set()).add(number)
    nowhere: set[int] = set()
    hits = [
        pair
        for pair in wanted
        if pair in found.claims or where.get(pair[0], nowhere) & where.get(pair[1], nowhere)
    ]
    gone = [pair for pair in set(wanted).difference(hits) if not found.removed.isdisjoint(pair)]
    return Score(
        true=len(wanted),
        claimed=len(found.claims),
        recall=_share(len(hits), len(wanted)),
        precision=_precision(found.claims, truth, threshold),
        near_precision=_precision(found.claims, truth, threshold - 0.05),
        settled=_share(len(hits) + len(gone), len(wanted)),
    )


def _precision(claims: Iterable[Pair], truth: dict[Pair, float], threshold: float) -> float | None:
    hits = [truth.get(pair, 0.0) >= threshold - EPSILON for pair in claims]
    return _share(sum(hits), len(hits))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _pair(first: str, second: str) -> Pair:
    return (first, second) if first < second else (second, first)
