"""Clusters: repeated passages round one that stands for them, from verified matches only.

Enters: matches of passages. Leaves: clusters as token positions. There is no chaining: every member was
compared with the first member itself, whatever linked them before.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from . import kernel
from .kernel.types import Array
from .match import span_similarities

SAME = 0.8  # overlap (intersection over union) at which two spans of a text are one member
ROUNDS = 8  # of comparing all that is linked; what is left then stands with neighbours it was matched with
CELL = 64  # tokens of a stretch that spans are looked up by
SAMPLE = 10000  # members of a group among which the most typical is chosen
GRAM = 3  # tokens of the shingles that tell which member is the most typical


Span = tuple[int, int]


class Members(NamedTuple):
    """One cluster: the first span, and the others with their similarity to it; token positions."""

    first: Span
    others: list[tuple[Span, float]]


def passage_clusters(tokens: Array, pairs: Array, similarity: float, jobs: int = 0) -> list[Members]:
    """Clusters of passages: every pair is in one; every member was compared with the cluster's first.

    Spans of one text that overlap by four fifths are one member. Members that are linked by pairs are compared
    with the most typical among them; those alike enough form a cluster, and the rest go on by themselves.
    """
    if not len(pairs):
        return []
    spans, edges, rows = _members(pairs)
    out: list[Members] = []
    placed: set[int] = set()
    loose = components(np.arange(len(spans)), edges)
    for _ in range(ROUNDS):
        if not loose:
            break
        leaders = _typical(tokens, spans, loose, jobs)
        trials = [
            (leader, m) for leader, group in zip(leaders, loose, strict=True) for m in group if m != leader
        ]
        figures = _figures(tokens, spans, trials, jobs)
        taken: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for (leader, member), figure in zip(trials, figures, strict=True):
            if figure >= similarity:
                taken[leader].append((member, figure))
        for leader, others in taken.items():
            cluster = _cluster(spans[leader], [(spans[m], figure) for m, figure in others])
            if cluster.others:
                out.append(cluster)
                placed.update((leader, *(member for member, _ in others)))
        tried = placed.union(leaders)
        loose = components(np.array([m for group in loose for m in group if m not in tried], "i8"), edges)
    wanted = [i for i, (a, b) in enumerate(edges.tolist()) if a not in placed or b not in placed]
    if wanted:
        figures = _figures(tokens, spans, edges[wanted].tolist(), jobs)
        known = [(*edges[i].tolist(), figure) for i, figure in zip(wanted, figures, strict=True)]
        for leader, others in _stars(known, placed, similarity).items():
            cluster = _cluster(spans[leader], [(spans[m], figure) for m, figure in others])
            if cluster.others:
                out.append(cluster)
                placed.update((leader, *(member for member, _ in others)))
        for i in wanted:
            a, b = edges[i].tolist()
            if a not in placed or b not in placed:
                out.append(_pair(pairs[rows[i]].tolist()))
                placed.update((a, b))
    return out


def _array(spans: Iterable[Span]) -> Array:
    """Spans as int64 (n, 2)."""
    return np.fromiter(itertools.chain.from_iterable(spans), "i8").reshape(-1, 2)


def _figures(tokens: Array, spans: list[Span], trials: list[Span], jobs: int) -> list[float]:
    ends = _array(span for a, b in trials for span in (spans[a], spans[b])).reshape(-1, 4)
    figures: list[float] = span_similarities(tokens, ends, jobs).tolist()
    return figures


def _pair(row: list[int]) -> Members:
    """A cluster of one verified pair, by its own spans."""
    _, a_start, a_end, _, b_start, b_end, matched = row
    figure = 2.0 * matched / (a_end - a_start + b_end - b_start)
    return Members((a_start, a_end), [((b_start, b_end), figure)])


def _stars(
    edges: list[tuple[int, int, float]], placed: set[int], similarity: float
) -> dict[int, list[tuple[int, float]]]:
    """Members that no cluster holds, each with the neighbour that it is most alike, if alike enough."""
    best: dict[int, tuple[float, int]] = {}
    for a, b, figure in edges:
        for one, other in ((a, b), (b, a)):
            if one not in placed and figure >= similarity:
                best[one] = max(best.get(one, (0.0, 0)), (figure, -other))
    stars: dict[int, list[tuple[int, float]]] = defaultdict(list)
    found: set[int] = set()
    for member, (figure, other) in sorted(best.items()):
        if member not in found:
            stars[-other].append((member, figure))
            found.update((member, -other))
    return stars


def _members(pairs: Array) -> tuple[list[Span], Array, Array]:
    """Distinct spans, merged where they are the same passage of a text; edges between them; a pair for each edge."""
    sides = np.concatenate([pairs[:, 1:3], pairs[:, 4:6]])
    keys, inverse, counts = np.unique(
        sides[:, 0] << 32 | sides[:, 1], return_inverse=True, return_counts=True
    )
    raw = [(key >> 32, key & 0xFFFFFFFF) for key in keys.tolist()]
    often = counts.tolist()
    spans: list[Span] = []
    member = [0] * len(raw)
    for group in _overlapping(raw):
        if len(group) == 1:
            member[group[0]] = len(spans)
            spans.append(raw[group[0]])
        else:
            _merge(raw, often, group, spans, member)
    a, b = np.sort(np.array(member, "i8")[inverse].reshape(2, -1), axis=0)
    edges, rows = np.unique(a << 32 | b, return_index=True)
    edges = np.stack([edges >> 32, edges & 0xFFFFFFFF], 1)
    true = edges[:, 0] != edges[:, 1]
    return spans, edges[true], rows[true]


def _overlapping(spans: list[Span]) -> Iterable[list[int]]:
    """Runs of spans, sorted by start, in which each overlaps one before it."""
    group: list[int] = []
    reach = -1
    for i, (start, end) in enumerate(spans):
        if start >= reach and group:
            yield group
            group = []
        group.append(i)
        reach = max(reach, end)
    if group:
        yield group


def _merge(
    raw: list[Span], counts: list[int], group: list[int], spans: list[Span], member: list[int]
) -> None:
    """Gives each span of an overlapping group its member: the commonest span first, then the longest."""
    chosen: list[tuple[int, int, int]] = []  # start, end, member; by start
    longest = 0
    for i in sorted(group, key=lambda i: (-counts[i], raw[i][0] - raw[i][1], raw[i])):
        start, end = raw[i]
        slack = (max(longest, end - start) + 3) // 4  # no farther apart can starts be at this overlap
        near = chosen[bisect_left(chosen, (start - slack,)) : bisect_right(chosen, (start + slack + 1,))]
        same = next((m for s, e, m in near if _overlap(start, end, s, e) >= SAME), None)
        if same is None:
            same = len(spans)
            spans.append((start, end))
            insort(chosen, (start, end, same))
            longest = max(longest, end - start)
        member[i] = same


def _overlap(start: int, end: int, s: int, e: int) -> float:
    """Intersection over union of two spans."""
    shared = min(end, e) - max(start, s)
    return shared / (end - start + e - s - shared) if shared > 0 else 0.0


def components(members: Array, edges: Array) -> list[list[int]]:
    """Groups of two or more of the members that edges between them connect, each ascending, the lowest first."""
    inside = np.zeros(1 + max(int(members.max(initial=0)), int(edges.max(initial=0))), bool)
    inside[members] = True
    a, b = edges[inside[edges].all(axis=1)].T
    lowest = np.arange(len(inside))
    while (lowest[a] != lowest[b]).any():
        lower = np.minimum(lowest[a], lowest[b])
        np.minimum.at(lowest, lowest[a], lower)
        np.minimum.at(lowest, lowest[b], lower)
        lowest = lowest[lowest]
    linked = np.zeros(len(inside), bool)
    linked[a] = linked[b] = True
    nodes = np.flatnonzero(linked)
    order = np.argsort(lowest[nodes], kind="stable")
    bounds = [0, *(np.flatnonzero(np.diff(lowest[nodes][order])) + 1).tolist(), len(nodes)]
    flat = nodes[order].tolist()
    return [flat[start:end] for start, end in itertools.pairwise(bounds) if end > start]


def _typical(tokens: Array, spans: list[Span], groups: list[list[int]], jobs: int) -> list[int]:
    """The most typical member of each group: of two the longer; of more, the one whose shingles recur most.

    Of 5,000 copies with 15 % of the words edited, two differ in 30 %; the one that all resemble is the one
    whose word triples are the commonest, nearest to what was copied.
    """
    leaders = [min(group, key=lambda m: (spans[m][0] - spans[m][1], spans[m])) for group in groups]
    large = [i for i, group in enumerate(groups) if len(group) > 2]
    asked = [groups[i][:: len(groups[i]) // SAMPLE + 1] for i in large]
    bounds = np.cumsum([0, *map(len, asked)])
    places = _array(spans[m] for group in asked for m in group)
    scores = kernel.recurrences(tokens, places, bounds, GRAM, jobs).tolist()
    for i, group, start in zip(large, asked, bounds.tolist(), strict=False):
        ranks = ((-scores[start + at], spans[m][1] - spans[m][0], spans[m], m) for at, m in enumerate(group))
        leaders[i] = min(ranks)[-1]
    return leaders


def _cluster(first: Span, others: list[tuple[Span, float]]) -> Members:
    """A cluster without members that overlap a better one by more than a twentieth."""
    ranked = sorted([(first, 2.0), *others])  # the first is better than any
    spans = [span for span, _ in ranked]
    if all(end <= start for (_, end), (start, _) in itertools.pairwise(spans)):
        return Members(first, sorted(others))
    kept: list[tuple[Span, float]] = []
    for group in _overlapping(spans):
        taken: list[Span] = []
        for i in sorted(group, key=lambda i: (-ranked[i][1], spans[i])):
            start, end = spans[i]
            if all(20 * (min(end, e) - max(start, s)) <= min(end - start, e - s) for s, e in taken):
                taken.append(spans[i])
                kept.append(ranked[i])
    return Members(first, sorted(member for member in kept if member[1] <= 1.0))


def with_more(
    tokens: Array, clusters: list[Members], which: list[int], more: Array, similarity: float, jobs: int = 0
) -> list[Members]:
    """Clusters with further members: ``more``, int64 (n, 3), names a cluster by its place in ``which``, and a span."""
    if not len(more):
        return clusters
    owners = [which[i] for i in more[:, 0].tolist()]
    firsts = np.array([clusters[i].first for i in owners], "i8")
    figures = span_similarities(tokens, np.concatenate([firsts, more[:, 1:]], axis=1), jobs).tolist()
    grown: dict[int, list[tuple[Span, float]]] = defaultdict(list)
    for owner, (_, start, end), figure in zip(owners, more.tolist(), figures, strict=True):
        if figure >= similarity:
            grown[owner].append(((start, end), figure))
    return [
        _cluster(cluster.first, cluster.others + grown[i]) if i in grown else cluster
        for i, cluster in enumerate(clusters)
    ]


def merged(tokens: Array, clusters: list[Members]) -> list[Members]:
    """Clusters whose first members are the same words made one: what was compared with one was with the other."""
    groups: dict[bytes, list[Members]] = defaultdict(list)
    for cluster in clusters:
        groups[tokens[slice(*cluster.first)].tobytes()].append(cluster)
    out = []
    for group in groups.values():
        if len(group) == 1:
            out += group
            continue
        others = [(cluster.first, 1.0) for cluster in group[1:]]
        others += [member for cluster in group for member in cluster.others]
        out.append(_cluster(group[0].first, others))
    return out


def led_by(
    tokens: Array, clusters: list[Members], preferred: Array, similarity: float, jobs: int = 0
) -> list[Members]:
    """Clusters whose first member is a preferred one (bool, one a token) wherever they have one.

    The best of these takes the first place with all that are alike enough to it; what is left is a cluster by itself.
    """
    done = []
    while clusters:
        leaders = [_best(cluster, preferred) for cluster in clusters]
        done += [cluster for cluster, leader in zip(clusters, leaders, strict=True) if leader is None]
        left = []
        for cluster, leader in zip(clusters, leaders, strict=True):
            if leader is None:
                continue
            rest = [
                (span, figure) for span, figure in [(cluster.first, 1.0), *cluster.others] if span != leader
            ]
            trials = _array(span for other, _ in rest for span in (leader, other)).reshape(-1, 4)
            figures = span_similarities(tokens, trials, jobs).tolist()
            near = [(span, new) for (span, _), new in zip(rest, figures, strict=True) if new >= similarity]
            far = [other for other, new in zip(rest, figures, strict=True) if new < similarity]
            done.append(_cluster(leader, near))
            if cluster.first in (span for span, _ in far) and len(far) > 1:
                left.append(Members(cluster.first, [other for other in far if other[0] != cluster.first]))
        clusters = left
    return [cluster for cluster in done if cluster.others]


def _best(cluster: Members, preferred: Array) -> Span | None:
    """The preferred member that is most like the first, where the first is none."""
    if preferred[cluster.first[0]]:
        return None
    ranked = [(-figure, span) for span, figure in cluster.others if preferred[span[0]]]
    return min(ranked)[1] if ranked else None


def without_parts(clusters: list[Members]) -> list[Members]:
    """Clusters without those whose every member lies, for four fifths of it, in members of one that comes first.

    More members come first, then more tokens.
    """
    order = sorted(clusters, key=lambda c: (-len(c.others), c.first[0] - c.first[1], c.first))
    members = [spans(cluster) for cluster in order]
    flat = _array(span for group in members for span in group)
    ranks = np.repeat(np.arange(len(order)), [len(group) for group in members])
    suspect = np.ones(len(order), bool)
    suspect[ranks[~_may_be_covered(flat)]] = False
    if not suspect.any():
        return order
    # Stretches of CELL tokens in which the middle of a suspect's member lies.
    asked = np.zeros(int(flat.max()) // CELL + 2, "i8")
    asked[flat[suspect[ranks]].sum(axis=1) // 2 // CELL + 1] = 1
    before = np.cumsum(asked)
    first, last = flat[:, 0] // CELL, (flat[:, 1] - 1) // CELL
    there = before[last + 1] > before[first]
    cells: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # what covers a stretch
    for (start, end), rank in zip(flat[there].tolist(), ranks[there].tolist(), strict=True):
        for cell in range(start // CELL, (end - 1) // CELL + 1):
            cells[cell].append((start, end, rank))
    parts = {rank for rank in np.flatnonzero(suspect).tolist() if _is_part(members[rank], rank, cells)}
    return [cluster for rank, cluster in enumerate(order) if rank not in parts]


def _may_be_covered(spans: Array) -> Array:
    """Of each span, int64 (n, 2), whether another one may hold four fifths of it."""
    order = np.lexsort((spans[:, 1], spans[:, 0]))
    starts, stops = spans[order].T
    shared = np.zeros(len(spans), "i8")  # at most, with one that stands before it in order or after
    shared[1:] = np.minimum(stops[1:], np.maximum.accumulate(stops)[:-1]) - starts[1:]
    shared[:-1] = np.maximum(shared[:-1], stops[:-1] - starts[1:])
    result = np.zeros(len(spans), bool)
    result[order] = 5 * shared >= 4 * (stops - starts)
    return result


def _is_part(members: list[Span], rank: int, cells: dict[int, list[tuple[int, int, int]]]) -> bool:
    """Whether every member lies, for four fifths of it, in members of one cluster of a lower rank."""
    holders: set[int] | None = None
    for start, end in members:
        there = cells[(start + end) // 2 // CELL]
        here = {r for s, e, r in there if r < rank and 5 * (min(end, e) - max(start, s)) >= 4 * (end - start)}
        holders = here if holders is None else holders & here
        if not holders:
            return False
    return True


def spans(cluster: Members) -> list[Span]:
    """All spans of a cluster, the first one first."""
    return [cluster.first, *[span for span, _ in cluster.others]]
