"""Stars: documents that are copies, round the one that is kept, from verified matches only.

Enters: matches of documents. Leaves: for each kept text its copies, and what lies inside it. There is no chaining:
every copy was compared with the kept text itself, whatever linked them before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from .cluster import components
from .kernel.types import Array
from .match import DocumentMatches


class Copy(NamedTuple):
    """A text that is a copy of a kept one, and the exact figures that say so."""

    text: int
    jaccard: float
    containment: float


class Star(NamedTuple):
    """A kept text and its copies, by kind."""

    kept: int
    near: list[Copy]
    contained: list[Copy]


def document_stars(
    matches: DocumentMatches, threshold: float, preferred: Collection[int] = frozenset()
) -> list[Star]:
    """Copies round the texts that are kept, in the order of the kept.

    Texts are taken in order, those ``preferred`` first, then the longest. One that is a near copy of a kept text is a
    copy of all those it is near to, shorter ones too; any other is kept. Containment is a relation beside that: a
    kept text may lie inside another, the one that holds most of it, and so may its near copies. One that is not
    preferred lies rather inside one that is, and a preferred one inside all that hold it and are not.
    """
    rows = list(zip(*(column.tolist() for column in matches), strict=True))
    nearest = _nearest(matches, threshold, preferred)
    kept = {text for pair, *_ in rows for text in pair} - nearest.keys()
    stars = {text: Star(text, [], []) for text in sorted(kept)}
    holders: dict[int, list[tuple[bool, float, int]]] = defaultdict(list)
    for (a, b), jaccard, inside, around in rows:
        if jaccard >= threshold:
            if a in kept:
                stars[a].near.append(Copy(b, jaccard, inside))
            elif b in kept:
                stars[b].near.append(Copy(a, jaccard, around))
        elif a in kept and b in kept:
            holders[b].append(((a in preferred) == (b in preferred), -inside, a))
    chosen = {b: _chosen(held, b in preferred) for b, held in holders.items()}
    for (a, b), jaccard, inside, _ in rows:
        if jaccard < threshold and any(a in chosen.get(text, ()) for text in (b, *nearest.get(b, ()))):
            stars[a].contained.append(Copy(b, jaccard, inside))
    return [star for star in stars.values() if star.near or star.contained]


def _chosen(holders: list[tuple[bool, float, int]], is_preferred: bool) -> set[int]:
    """Of the texts that hold one, those that it is told in."""
    others = {text for is_same, _, text in holders if not is_same}
    return others if is_preferred and others else {min(holders)[-1]}


def _nearest(matches: DocumentMatches, threshold: float, preferred: Collection[int]) -> dict[int, list[int]]:
    """The near copies among the texts, in order, each with the kept texts before it that it is near to."""
    earlier: dict[int, list[int]] = defaultdict(list)
    near = matches.jaccard >= threshold
    for a, b in matches.pairs[near].tolist():
        if b in preferred and a not in preferred:
            earlier[a].append(b)
        else:
            earlier[b].append(a)
    copies: dict[int, list[int]] = {}
    for text in sorted(earlier, key=lambda text: (text not in preferred, text)):
        if leaders := [leader for leader in earlier[text] if leader not in copies]:
            copies[text] = leaders
    return copies


def copies(pairs: Array, preferred: Collection[int] = frozenset()) -> Array:
    """Of pairs of near copies, the longer text first, the one that is the copy: the second, unless it is preferred."""
    if not preferred:
        return pairs[:, 1]
    first, second = (np.isin(column, list(preferred)) for column in pairs.T)
    found: Array = np.where(second & ~first, pairs[:, 0], pairs[:, 1])
    return found


def copies_of_contained(
    matches: DocumentMatches, threshold: float, preferred: Collection[int] = frozenset()
) -> Array:
    """Pairs (longer, shorter), int64 (n, 2): texts that hold another one, and the near copies of that one."""
    nearest = _nearest(matches, threshold, preferred)
    copies: dict[int, list[int]] = defaultdict(list)
    for copy, leaders in nearest.items():
        for leader in leaders:
            copies[leader].append(copy)
    inside = matches.pairs[matches.jaccard < threshold].tolist()
    links = {(a, copy) for a, b in inside if a not in nearest for copy in copies[b] if a < copy}
    return np.array(sorted(links), "i8").reshape(-1, 2)


def missing_links(
    matches: DocumentMatches, tried: Array, threshold: float, preferred: Collection[int] = frozenset()
) -> Array:
    """Pairs of kept texts that are worth a comparison, int64 (n, 2), the longer first, none of them in ``tried``.

    In a crowd not all pairs are candidates, and copies of one text may be near to different ones of its copies
    only. Of the kept texts that near copies connect, the first that has not met all others is to meet them.
    """
    near = matches.pairs[matches.jaccard >= threshold]
    copies = _nearest(matches, threshold, preferred)
    groups = []
    for group in components(near.ravel(), near):
        kept = [text for text in group if text not in copies]
        if len(kept) > 1:
            groups.append(kept)
    concerned = np.zeros(int(tried.max(initial=0)) + 1, bool)
    concerned[[text for group in groups for text in group]] = True
    known = {(a, b) for a, b in tried[concerned[tried].all(axis=1)].tolist()}
    links: list[tuple[int, int]] = []
    for kept in groups:
        for i, text in enumerate(kept):
            new = [(text, other) for other in kept[i + 1 :] if (text, other) not in known]
            if new:
                links += new
                break
    return np.array(links, "i8").reshape(-1, 2)
