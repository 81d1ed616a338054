"""Scores reported passages against what was planted: recall, ends, copies in one cluster.

Enters: a Corpus and Findings. Leaves: an Outcome for each planted passage, and counts for boilerplate and
periods.

- A planted pair is *found* if one passage cluster has two different members of which one covers at least half
  of one planted span and the other at least half of the other. Document clusters do not count.
- Of several such member pairs the one with the best intersection over union (the smaller of the two) is
  judged.
- *End errors* are tokens (naive tokeniser) between a member's end and the planted one: four a found pair.
- *Character recall* is the share of planted characters that members of clusters linking the pair cover.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .corpus import Corpus, Item, Span
from .findings import Findings, Place

COVER = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one planted passage.

    ``iou`` is the worse copy's, ``ends`` four errors in tokens, ``covered`` counts code points out of
    ``characters``.
    """

    item: Item
    found: bool
    iou: float
    ends: tuple[int, ...]
    covered: int
    characters: int


class Index:
    """Reported passage members by document."""

    def __init__(self, found: Findings) -> None:
        self.places: dict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
        for cluster, passage in enumerate(found.passages):
            for number, member in enumerate(passage.members):
                self.places[member.document].append((member.start, member.end, cluster, number))

    def touching(self, span: Span) -> list[tuple[int, int, int, int]]:
        """Members (start, end, cluster, number) that share at least a character with the span."""
        return [
            place
            for place in self.places.get(span.document, ())
            if place[0] < span.end and place[1] > span.start
        ]


def overlap(start: int, end: int, other_start: int, other_end: int) -> int:
    """How many code points two ranges share."""
    return max(0, min(end, other_end) - max(start, other_start))


def iou(span: Span, start: int, end: int) -> float:
    """Intersection over union of code points."""
    shared = overlap(span.start, span.end, start, end)
    return shared / (span.end - span.start + end - start - shared)


def passage_outcomes(corpus: Corpus, found: Findings) -> list[Outcome]:
    """What became of every planted passage."""
    index = Index(found)
    return [outcome(corpus, item, index) for item in corpus.of_kind("passage")]


def outcome(corpus: Corpus, item: Item, index: Index) -> Outcome:
    """What became of one planted passage."""
    sides: list[dict[int, list[tuple[int, int, int]]]] = []
    for span in item.spans:
        half = COVER * (span.end - span.start)
        clusters: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for start, end, cluster, number in index.touching(span):
            if overlap(span.start, span.end, start, end) >= half:
                clusters[cluster].append((start, end, number))
        sides.append(clusters)
    one, other = item.spans
    linked = sides[0].keys() & sides[1].keys()
    best: tuple[float, tuple[int, int], tuple[int, int]] | None = None
    members: list[list[tuple[int, int]]] = [[], []]
    for cluster in sorted(linked):
        for start, end, number in sides[0][cluster]:
            for start2, end2, number2 in sides[1][cluster]:
                if number == number2:
                    continue
                members[0].append((start, end))
                members[1].append((start2, end2))
                figure = min(iou(one, start, end), iou(other, start2, end2))
                if best is None or figure > best[0]:
                    best = (figure, (start, end), (start2, end2))
    total = sum(span.end - span.start for span in item.spans)
    if best is None:
        return Outcome(item, False, 0.0, (), 0, total)
    ends = (*end_errors(corpus, one, *best[1]), *end_errors(corpus, other, *best[2]))
    covered = sum(covered_characters(span, places) for span, places in zip(item.spans, members, strict=True))
    return Outcome(item, True, best[0], ends, covered, total)


def end_errors(corpus: Corpus, span: Span, start: int, end: int) -> tuple[int, int]:
    """Tokens between the reported and the planted beginning, and between the ends."""
    tokens = corpus.tokens(span.document)
    meant, reported = tokens.inside(span.start, span.end), tokens.inside(start, end)
    return abs(meant[0] - reported[0]), abs(meant[1] - reported[1])


def covered_characters(span: Span, places: Iterable[tuple[int, int]]) -> int:
    """How many of the span's code points the places cover together."""
    return sum(overlap(span.start, span.end, start, end) for start, end in union(places))


def union(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ranges, merged where they overlap or touch, ascending."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def recall(outcomes: Iterable[Outcome], keep: Callable[[Item], bool] = lambda item: True) -> tuple[int, int]:
    """(found, planted) among the passages to keep."""
    kept = [outcome.found for outcome in outcomes if keep(outcome.item)]
    return sum(kept), len(kept)


def end_figures(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """Median and 95th percentile (errors that occurred, no means) of the end errors, in tokens."""
    errors = [error for outcome in outcomes for error in outcome.ends]
    if not errors:
        return 0, 0
    median, high = np.percentile(errors, (50, 95), method="inverted_cdf")
    return int(median), int(high)


def good_iou(outcomes: Iterable[Outcome], floor: float = 0.9) -> float:
    """Share of found pairs of which both copies reach the intersection over union."""
    found = [outcome.iou >= floor for outcome in outcomes if outcome.found]
    return sum(found) / len(found) if found else 0.0


def character_recall(outcomes: Sequence[Outcome]) -> float:
    """Share of planted passage characters that are covered by a cluster that links their pair."""
    total = sum(outcome.characters for outcome in outcomes)
    return sum(outcome.covered for outcome in outcomes) / total if total else 1.0


def boilerplate_outcomes(corpus: Corpus, found: Findings) -> list[tuple[Item, int, int]]:
    """For each boilerplate paragraph: copies in the best cluster, and clusters holding two or more."""
    index = Index(found)
    results = []
    for item in corpus.of_kind("boilerplate"):
        held = Counter(
            cluster
            for span in item.spans
            for cluster in {
                cluster
                for start, end, cluster, _ in index.touching(span)
                if overlap(span.start, span.end, start, end) >= COVER * (span.end - span.start)
            }
        )
        results.append((item, max(held.values(), default=0), sum(count > 1 for count in held.values())))
    return results


def period_outcomes(corpus: Corpus, found: Findings) -> list[tuple[Item, int, bool]]:
    """For each periodic text: the clusters that report it, and whether one of them says it is periodic.

    A cluster reports it if a member lies at least half inside it. The finding counts as periodic if the
    cluster has a period and one member covers half of the text.
    """
    index = Index(found)
    results = []
    for item in corpus.of_kind("period"):
        (span,) = item.spans
        clusters, named = set(), False
        for start, end, cluster, _ in index.touching(span):
            shared = overlap(span.start, span.end, start, end)
            if shared >= COVER * (end - start):
                clusters.add(cluster)
            if found.passages[cluster].period and shared >= COVER * (span.end - span.start):
                named = True
        results.append((item, len(clusters), named))
    return results


def links(corpus: Corpus, left: Place, right: Place) -> bool:
    """Whether two reported members lie on two copies of one planted item (or both in one periodic text).

    A member lies on a copy if they share at least half of the shorter of the two.
    """
    copies, others = hit(corpus, left), hit(corpus, right)
    for number, order in copies:
        for number2, order2 in others:
            if number == number2 and (order != order2 or corpus.items[number].kind == "period"):
                return True
    return False


def hit(corpus: Corpus, place: Place) -> list[tuple[int, int]]:
    """The planted copies (item, order) that a member lies on."""
    return [
        (number, order)
        for start, end, number, order in corpus.planted.get(place.document, ())
        if overlap(place.start, place.end, start, end)
        >= COVER * max(1, min(place.end - place.start, end - start))
    ]
