"""Precision of reported passages: what was planted, and what repeats without having been planted.

Enters: a Corpus and Findings. Leaves: precision over pairs and over characters, strict and with natural
repeats.

A reported *pair* is a cluster's first member and another one; the only member of a periodic cluster is paired
with itself. A pair is right

- *strictly*, if the two lie on two copies of one planted item (passage, boilerplate, copied or contained
  document) or both in one planted periodic text;
- as a *natural repeat*, if the base text really repeats there, established without the scanner: the two share
  an exact run of 8 tokens (zh, ja: 14), or 2·LCS/(a+b) over the naive tokens is at least ``alike``. At .7,
  the scan's own threshold, a pair is right that is what the report says of it; at .8 it must be stricter than
  that, which legal formulae in zh are not. A natural periodic text has seven of ten tokens equal to the one a
  period later.

Two members of one document that overlap are no repeat where they share the same place.

A reported *character* is right if it is planted or, in a pair that is not planted, part of a natural repeat:
the whole member where the similarity is ``alike``, else its shared runs. In a planted pair what runs over the
planted ends counts as right only if it belongs to a shared run. Characters reported several times count once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .base import UNSPACED
from .corpus import Corpus, Span
from .findings import Findings, Passage, Place
from .score import links, union
from .tokens import shingles, similarity

RUN, RUN_UNSPACED = 8, 14
ALIKE, CLOSELY_ALIKE = 0.7, 0.8
PERIODIC = 0.7

Ranges = dict[str, list[tuple[int, int]]]


@dataclass(slots=True)
class Precision:
    """Counts of pairs and characters; ``wrong`` lists the pairs that are neither planted nor natural."""

    alike: float
    pairs: int = 0
    planted_pairs: int = 0
    natural_pairs: int = 0
    characters: int = 0
    planted_characters: int = 0
    right_characters: int = 0
    wrong: list[tuple[Place, Place]] = field(default_factory=list)

    @property
    def strict(self) -> tuple[float, float]:
        """(pairs, characters): what was planted."""
        return share(self.planted_pairs, self.pairs), share(self.planted_characters, self.characters)

    @property
    def fair(self) -> tuple[float, float]:
        """(pairs, characters): what was planted or repeats naturally."""
        return share(self.planted_pairs + self.natural_pairs, self.pairs), share(
            self.right_characters, self.characters
        )


def share(part: int, whole: int) -> float:
    """A share; of nothing it is 1."""
    return part / whole if whole else 1.0


def pairs(passage: Passage) -> Iterator[tuple[Place, Place]]:
    """The pairs that a cluster claims."""
    first, *others = passage.members
    yield from ((first, other) for other in others)
    if not others and passage.period:
        yield first, first


def judge(corpus: Corpus, found: Findings, alike: float = ALIKE) -> Precision:
    """Judges everything that was reported as a passage; ``alike`` makes two places a natural repeat."""
    result = Precision(alike)
    reported: Ranges = defaultdict(list)
    natural: Ranges = defaultdict(list)
    for passage in found.passages:
        for left, right in pairs(passage):
            judge_pair(corpus, left, right, passage.period, result, natural)
            for place in (left, right):
                reported[place.document].append((place.start, place.end))
    for document, places in reported.items():
        planted = union((start, end) for start, end, *_ in corpus.planted.get(document, ()))
        seen = union(places)
        result.characters += sum(end - start for start, end in seen)
        result.planted_characters += common(seen, planted)
        result.right_characters += common(seen, union(planted + natural[document]))
    return result


def judge_pair(
    corpus: Corpus, left: Place, right: Place, period: int | None, result: Precision, natural: Ranges
) -> None:
    """Counts one pair and notes the characters that it repeats naturally."""
    result.pairs += 1
    planted = links(corpus, left, right)
    result.planted_pairs += planted
    runs = shared_runs(corpus, left, right) if left != right else []
    for place, start, end in runs:
        natural[place.document].append((start, end))
    if planted:
        return
    repeat = periodic(corpus, left, period) if left == right else whole(corpus, left, right, result.alike)
    if repeat:
        for place in (left, right):
            natural[place.document].append((place.start, place.end))
    if runs or repeat:
        result.natural_pairs += 1
    else:
        result.wrong.append((left, right))


def whole(corpus: Corpus, left: Place, right: Place, least: float) -> bool:
    """Whether two places are alike as wholes; two that overlap are not judged: they share their own text."""
    if left.document == right.document and left.start < right.end and right.start < left.end:
        return False
    return similarity(corpus.words(Span(*left)), corpus.words(Span(*right))) >= least


def periodic(corpus: Corpus, place: Place, period: int | None) -> bool:
    """Whether a place repeats itself with the period (in tokens) that was reported."""
    words = corpus.words(Span(*place))
    if not period or len(words) <= period:
        return False
    equal = sum(word == later for word, later in zip(words, words[period:], strict=False))
    return equal >= PERIODIC * (len(words) - period)


def shared_runs(corpus: Corpus, left: Place, right: Place) -> list[tuple[Place, int, int]]:
    """Code-point ranges, on both sides, of runs of tokens that the two places share exactly."""
    run = RUN_UNSPACED if corpus.language.get(left.document) in UNSPACED else RUN
    sides = [runs_of(corpus, place, run) for place in (left, right)]
    shared = {
        value for value in sides[0].keys() & sides[1].keys() if repeats(sides[0][value], sides[1][value])
    }
    ranges = []
    for place, runs in zip((left, right), sides, strict=True):
        tokens = corpus.tokens(place.document)
        for value in shared:
            ranges += [
                (place, int(tokens.starts[first]), int(tokens.ends[first + run - 1]))
                for _, first in runs[value]
            ]
    return ranges


def runs_of(corpus: Corpus, place: Place, run: int) -> dict[int, set[tuple[str, int]]]:
    """The runs of a place by their hash, each with where it stands: (document, first token)."""
    tokens = corpus.tokens(place.document)
    first, last = tokens.inside(place.start, place.end)
    places: dict[int, set[tuple[str, int]]] = defaultdict(set)
    if last - first >= run:
        for offset, value in enumerate(shingles(tokens.words[first:last], run).tolist()):
            places[value].add((place.document, first + offset))
    return places


def repeats(left: set[tuple[str, int]], right: set[tuple[str, int]]) -> bool:
    """Whether a run stands in two different places (and not twice in one, where two members overlap)."""
    return len(left | right) > 1


def common(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> int:
    """How many code points two ascending lists of disjoint ranges share."""
    total = one = other = 0
    while one < len(left) and other < len(right):
        total += max(0, min(left[one][1], right[other][1]) - max(left[one][0], right[other][0]))
        if left[one][1] <= right[other][1]:
            one += 1
        else:
            other += 1
    return total
