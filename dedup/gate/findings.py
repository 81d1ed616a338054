"""From judged places to what a user is told: a finding a place, with the other places, lines and columns.

Enters: places, groups, statuses, texts, what version control says of lines. Leaves: :class:`dedup.verdict.Finding`
objects in the order of their paths. A new place that lies inside another new one is part of that one's finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from ..read.again import Texts
from ..verdict import NEW, OTHERS, Finding
from .judge import STILL
from .lines import Lines
from .occurrences import Group, Occurrence

_NAMED = 2 * OTHERS  # places of a group that may be named: some of them may be the finding's own


def findings(
    places: Sequence[Occurrence],
    groups: Sequence[Group],
    status: Mapping[int, str],
    reasons: Mapping[int, str],
    texts: Texts,
    lines: Lines,
) -> list[Finding]:
    """A finding for each place that has a status."""
    parts = _parts(places, [number for number, is_what in status.items() if is_what == NEW])
    theirs = _Others(places, groups, status)
    told = [number for number in status if number not in parts]
    told.sort(
        key=lambda number: (
            places[number].path,
            places[number].key,
            places[number].start,
            -places[number].end,
        )
    )
    wholes: defaultdict[int, list[int]] = defaultdict(list)
    for part, whole in parts.items():
        wholes[whole].append(part)
    made = []
    for number in told:
        place, is_new = places[number], status[number] == NEW
        others = theirs.of(number, wholes[number])
        column, end_column = _columns(place, texts) if is_new else (None, None)
        named = tuple(places[other].place for other in others.places)
        made.append(
            Finding(
                place.rule, status[number], place.key[0], place.path, place.start, place.end, place.line,
                place.end_line, column, end_column, place.fingerprint, others.cluster, place.tokens,
                others.similarity, place.text, named, lines.added(place) if is_new else None,
                reasons.get(number), others.more,
            )
        )  # fmt: skip
    return made


def _parts(places: Sequence[Occurrence], found: Iterable[int]) -> dict[int, int]:
    """Of places that lie inside other ones of the same document: in which one."""
    by_document: defaultdict[object, list[int]] = defaultdict(list)
    for number in sorted(found, key=lambda number: (places[number].start - places[number].end, number)):
        by_document[places[number].key].append(number)
    parts = {}
    for numbers in by_document.values():
        wholes: list[int] = []
        for number in numbers:  # the longest first
            place = places[number]
            size = STILL * (place.end - place.start)
            inside = (
                whole for whole in wholes
                if min(place.end, places[whole].end) - max(place.start, places[whole].start) >= size
            )  # fmt: skip
            whole = next(inside, None)
            if whole is None:
                wholes.append(number)
            else:
                parts[number] = whole
    return parts


class _Named(NamedTuple):
    """The other places of a finding, how many more there are at least, the figure against the first, the cluster."""

    places: list[int]
    more: int
    similarity: float | None
    cluster: str


class _Others:
    """Finds, for a place, the other places of its groups: first those that were there before.

    The cost of one is bounded, however many places a group has.
    """

    def __init__(
        self, places: Sequence[Occurrence], groups: Sequence[Group], status: Mapping[int, str]
    ) -> None:
        self._places, self._groups, self._status = places, groups, status
        self._by_place: list[list[int]] = [[] for _ in places]
        self._ranked: list[list[int]] = []  # of each group the places that may be named
        self._figures: list[dict[int, float | None]] = []
        for number, group in enumerate(groups):
            for place in group.places:
                self._by_place[place].append(number)
            before = [place for place in group.places if status.get(place) != NEW]
            news = (place for place in group.places if status.get(place) == NEW)
            self._ranked.append(list(dict.fromkeys([*before[:_NAMED], *islice(news, _NAMED)])))
            self._figures.append(dict(zip(group.places, group.similarity, strict=True)))

    def of(self, place: int, parts: Iterable[int]) -> _Named:
        """The others of a place and of its parts; first those that have nearly all of it."""
        own = {place, *parts}
        groups = self._groups_of((place, *parts))
        size = STILL * self._size(place)
        near = self._outside(self._groups_of(n for n in (place, *parts) if self._size(n) >= size), own)
        before_first = sorted(near, key=lambda other: self._status.get(other) == NEW)
        named = dict.fromkeys([*before_first, *self._outside(groups, own)])
        others = list(islice(named, OTHERS))
        left = max(
            len(self._figures[group]) - sum(map(self._figures[group].__contains__, own)) for group in groups
        )
        return _Named(
            others,
            max(left, len(named)) - len(others),
            self._figure(groups, place, others),
            self._groups[groups[0]].cluster,
        )

    def _size(self, place: int) -> int:
        return self._places[place].end - self._places[place].start

    def _groups_of(self, places: Iterable[int]) -> list[int]:
        return list(dict.fromkeys(group for place in places for group in self._by_place[place]))

    def _outside(self, groups: Iterable[int], own: set[int]) -> list[int]:
        return [other for group in groups for other in self._ranked[group] if other not in own]

    def _figure(self, groups: Iterable[int], place: int, others: Sequence[int]) -> float | None:
        """How alike a place is to the first of the others, where the two were compared."""
        for group in groups if others else ():
            first, figures = self._groups[group].places[0], self._figures[group]
            if others[0] in figures and place in figures:
                return (
                    figures[place] if others[0] == first else figures[others[0]] if place == first else None
                )
        return None


def _columns(place: Occurrence, texts: Texts) -> tuple[int | None, int | None]:
    """Where a place begins and ends in its first and last line, from 1, the end exclusive; None for records."""
    if place.record is not None or place.line is None or place.key[1].line is not None:
        return None, None
    text = texts.text(place.key)
    last = place.start + len(text[place.start : place.end].rstrip())
    return place.start - text.rfind("\n", 0, place.start), last - text.rfind("\n", 0, last)
