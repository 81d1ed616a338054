"""Stars: documents that are copies, round the one that is kept, from verified matches only.

Enters: matches of documents. Leaves: for each kept text its copies, and what lies inside it. There is no chaining:
every copy was compared with the kept text itself, whatever linked them before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
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
    matches: DocumentMatches,
    threshold: float,
    preferred: Collection[int] = frozenset(),
    others: Collection[int] = frozenset(),
) -> list[Star]:
    """Copies round the texts that are kept, in the order of the kept.

    Texts are taken in order, those ``preferred`` first, then the longest. One that is a near copy of a kept text is a
    copy of all those it is near to, shorter ones too; any other is kept. Containment is a relation beside that: a
    kept text may lie inside another, the one that holds most of it, and so may its near copies. One that is not
    preferred lies rather inside one that is.

    Besides, whatever matches a preferred text with one of ``others`` stands in a star, near copies in one of a
    preferred text; so there may be stars round texts that are not kept.
    """
    rows = list(zip(*(column.tolist() for column in matches), strict=True))
    stars = _round_kept(rows, _nearest(matches, threshold, preferred), threshold, preferred)
    if preferred:
        _add_untold(stars, rows, threshold, preferred, others)
    return [star for _, star in sorted(stars.items()) if star.near or star.contained]


_Row = tuple[list[int], float, float, float]


def _round_kept(
    rows: list[_Row], nearest: Mapping[int, list[int]], threshold: float, preferred: Collection[int]
) -> dict[int, Star]:
    """Stars of the kept texts, by these; no near copy of one that is not preferred is preferred."""
    kept = {text for pair, *_ in rows for text in pair} - nearest.keys()
    stars = {text: Star(text, [], []) for text in kept}
    holders: dict[int, list[tuple[bool, float, int]]] = defaultdict(list)
    for (a, b), jaccard, inside, around in rows:
        if jaccard >= threshold:
            if a in kept and (a in preferred or b not in preferred):
                stars[a].near.append(Copy(b, jaccard, inside))
            elif b in kept and (b in preferred or a not in preferred):
                stars[b].near.append(Copy(a, jaccard, around))
        elif a in kept and b in kept:
            holders[b].append(((a in preferred) == (b in preferred), -inside, a))
    chosen = {b: min(held)[-1] for b, held in holders.items()}
    for (a, b), jaccard, inside, _ in rows:
        if jaccard < threshold and any(chosen.get(text) == a for text in (b, *nearest.get(b, ()))):
            stars[a].contained.append(Copy(b, jaccard, inside))
    return stars


def _add_untold(
    stars: dict[int, Star],
    rows: list[_Row],
    threshold: float,
    preferred: Collection[int],
    others: Collection[int],
) -> None:
    """Adds what matches a preferred text with one of ``others`` and stands in no star: what lies inside a text to the
    star of that, and of near copies a star of the preferred one with all that it is near to."""
    near: dict[int, list[Copy]] = defaultdict(list)
    for (a, b), jaccard, inside, around in rows:
        if jaccard >= threshold:
            near[a].append(Copy(b, jaccard, inside))
            near[b].append(Copy(a, jaccard, around))
    centres: dict[int, set[int]] = defaultdict(set)  # of each text those it is near to, itself among them

    def note(star: Star) -> None:
        for text in (star.kept, *(copy.text for copy in star.near)):
            centres[text].add(star.kept)

    for star in stars.values():
        note(star)
    inside_of = {(star.kept, copy.text) for star in stars.values() for copy in star.contained}
    for (a, b), jaccard, inside, _ in rows:
        is_asked = (a in preferred and b in others) or (b in preferred and a in others)
        if not is_asked or (a, b) in inside_of or centres[a] & centres[b]:
            continue
        if jaccard < threshold:
            stars.setdefault(a, Star(a, [], [])).contained.append(Copy(b, jaccard, inside))
        else:
            centre = a if a in preferred else b
            stars[centre] = stars.get(centre, Star(centre, [], []))._replace(near=near[centre])
            note(stars[centre])


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
