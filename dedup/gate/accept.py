"""Which places the baseline has accepted: the same, moved, or edited.

Enters: places and the entries of a baseline. Leaves: a status for each place that an entry answers for, and the
entries that answer for none. An entry answers for one place; for several only where an edit has cut its text in
parts, and then each of its word pairs counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..verdict import EDITED, KNOWN, MOVED
from .baseline import Entry
from .occurrences import Occurrence
from .sketch import contained

#: An edited text is still the accepted one while it holds this share of it.
STILL = 0.8

IsNew = Callable[[Occurrence], bool]


class Accepted(NamedTuple):
    """``status`` of places by their number; ``by`` names the entries that answer for an edited one, by number."""

    status: dict[int, str]
    by: dict[int, tuple[int, ...]]

    def entries(self) -> set[int]:
        """All entries that answer for a place."""
        return {entry for entries in self.by.values() for entry in entries}


def accepted(
    places: Sequence[Occurrence], entries: Sequence[Entry], is_gone: Callable[[str], bool], is_new: IsNew
) -> Accepted:
    """Matches places with entries: same text and file; same text elsewhere; edited in the same file.

    A text whose file ``is_gone`` may turn up edited in another one. Where a file holds a text more often than was
    accepted, those that version control calls new (``is_new``) are left over.
    """
    found = Accepted({}, {})
    free = set(range(len(entries)))
    left = set(range(len(places)))

    def take(place: int, entry: int, status: str) -> None:
        found.status[place], found.by[place] = status, (entry,)
        left.discard(place)
        free.discard(entry)

    for key in (_same, _same_file):
        for place, entry in _pairs(places, sorted(left), entries, sorted(free), key, is_new):
            take(place, entry, KNOWN)
    for place, entry in _pairs(places, sorted(left), entries, sorted(free), _same_text, is_new):
        take(place, entry, MOVED)
    for status in (EDITED, MOVED):
        if left and free:
            nearby = (
                _in_same_file(entries, free) if status == EDITED else _in_lost_files(entries, free, is_gone)
            )
            _edited(places, sorted(left), entries, nearby, status, found)
            left -= found.status.keys()
            free -= found.entries()
    return found


def _same(item: Occurrence | Entry) -> tuple[object, ...]:
    return *item.location, item.fingerprint


def _same_file(item: Occurrence | Entry) -> tuple[object, ...]:
    return item.path, item.fingerprint


def _same_text(item: Occurrence | Entry) -> tuple[object, ...]:
    return (item.fingerprint,)


def _pairs(
    places: Sequence[Occurrence],
    left: Iterable[int],
    entries: Sequence[Entry],
    free: Iterable[int],
    key: Callable[[Occurrence | Entry], tuple[object, ...]],
    is_new: IsNew,
) -> list[tuple[int, int]]:
    """Places and entries with one key, one to one."""
    waiting: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for entry in free:
        waiting[key(entries[entry])].append(entry)
    found: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for place in left:
        if key(places[place]) in waiting:
            found[key(places[place])].append(place)
    pairs = []
    for shared, candidates in found.items():
        allowed = waiting[shared]
        if len(candidates) > len(allowed):
            candidates.sort(
                key=lambda place: (is_new(places[place]), places[place].path, places[place].start)
            )
        pairs += list(zip(candidates, allowed, strict=False))
    return pairs


Nearby = Callable[[Occurrence], list[int]]


def _in_same_file(entries: Sequence[Entry], free: set[int]) -> Nearby:
    """The free entries of a place's own location."""
    by_location: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
    for entry in sorted(free):
        by_location[entries[entry].location].append(entry)
    return lambda place: by_location.get(place.location, [])


def _in_lost_files(entries: Sequence[Entry], free: set[int], is_gone: Callable[[str], bool]) -> Nearby:
    """Free entries of files that are gone and that share a word pair with the place."""
    by_pair: defaultdict[int, list[int]] = defaultdict(list)
    gone = {path: is_gone(path) for path in {entries[entry].path for entry in free}}
    for entry in sorted(free):
        if gone[entries[entry].path]:
            for pair in entries[entry].sketch:
                by_pair[pair].append(entry)

    def nearby(place: Occurrence) -> list[int]:
        if not by_pair:
            return []
        shared: defaultdict[int, int] = defaultdict(int)
        for pair in place.sketch:
            for entry in by_pair.get(pair, ()):
                shared[entry] += 1
        return [max(shared, key=lambda entry: (shared[entry], -entry))] if shared else []

    return nearby


def _edited(
    places: Sequence[Occurrence],
    left: Iterable[int],
    entries: Sequence[Entry],
    nearby: Nearby,
    status: str,
    found: Accepted,
) -> None:
    """Gives ``status`` to the places of which enough stands in entries near them; the longest come first."""
    remaining: dict[int, set[int]] = {}
    for place in sorted(left, key=lambda place: (-places[place].tokens, place)):
        near = nearby(places[place])
        sketch = places[place].sketch if near else ()
        for entry in near:
            remaining.setdefault(entry, set(entries[entry].sketch))
        shared = {entry: len(remaining[entry].intersection(sketch)) for entry in near}
        used: list[int] = []
        held: set[int] = set()
        for entry in sorted(filter(shared.__getitem__, near), key=lambda entry: (-shared[entry], entry)):
            used.append(entry)
            held |= remaining[entry]
            if contained(sketch, [entries[entry].sketch for entry in used], held) >= STILL:
                found.status[place], found.by[place] = status, tuple(used)
                for entry in used:
                    remaining[entry].difference_update(sketch)
                break
