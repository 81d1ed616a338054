"""Which places the baseline has accepted: the same, moved, or edited.

Enters: places and the entries of a baseline. Leaves: a status for each place that an entry answers for, and the
entries that answer for none. An entry answers for one place; for several only where an edit has cut its text in
parts, and then each of its word pairs counts once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..verdict import DOCUMENT, EDITED, KNOWN, MOVED, PASSAGE
from .baseline import Entry
from .occurrences import Occurrence
from .sketch import Sketch, contained

#: An edited text is still the accepted one while it holds this share of it.
STILL = 0.8

_NEAR = 16  # entries that a place is compared with
_POSTINGS = 64  # entries looked at for one word pair: beyond that it tells nothing

IsNew = Callable[[Occurrence], bool]


class Accepted(NamedTuple):
    """``status`` of places by their number; ``by`` names the entries that answer for an edited one, by number."""

    status: dict[int, str]
    by: dict[int, tuple[int, ...]]

    def entries(self) -> set[int]:
        """All entries that answer for a place."""
        return {entry for entries in self.by.values() for entry in entries}


def accepted(
    places: Sequence[Occurrence],
    entries: Sequence[Entry],
    is_gone: Callable[[str], bool],
    is_new: IsNew,
    stands: Callable[[Entry], bool],
) -> Accepted:
    """Matches places with entries: same text and file; same text elsewhere; edited in the same file.

    A text whose file ``is_gone`` may turn up edited in another one; one that still ``stands`` in its file was not
    moved. Where a file holds a text more often than was accepted, those that version control calls new (``is_new``)
    are left.
    """
    found = Accepted({}, {})
    free = set(range(len(entries)))
    left = set(range(len(places)))

    def take(pairs: Iterable[tuple[int, int]], status: str) -> None:
        for place, entry in pairs:
            found.status[place], found.by[place] = status, (entry,)
            left.discard(place)
            free.discard(entry)

    for key in (_same, _same_file):
        take(_pairs(places, sorted(left), entries, sorted(free), key, is_new), KNOWN)
    wanted = {places[place].fingerprint for place in left}
    held = {(*places[place].location, places[place].fingerprint) for place in found.status}
    lost = [entry for entry in sorted(free) if entries[entry].fingerprint in wanted]
    lost = [entry for entry in lost if _same(entries[entry]) in held or not stands(entries[entry])]
    take(_pairs(places, sorted(left), entries, lost, _same_text, is_new), MOVED)
    if left and free:
        _edited(places, sorted(left), entries, _Near(entries, free), EDITED, found)
        left -= found.status.keys()
        free -= found.entries()
    free = {entry for entry in free if is_gone(entries[entry].path)} if left else set()
    if free:
        _edited(places, sorted(left), entries, _Near(entries, free, anywhere=True), MOVED, found)
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


class _Near:
    """Finds the entries that share most word pairs with a place: of its own file, or ``anywhere``."""

    def __init__(self, entries: Sequence[Entry], free: Iterable[int], anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._postings: defaultdict[tuple[object, int], list[int]] = defaultdict(list)
        for entry in sorted(free):
            where = self._where(entries[entry])
            for pair in entries[entry].sketch:
                postings = self._postings[where, pair]
                if len(postings) < _POSTINGS:
                    postings.append(entry)

    def _where(self, item: Occurrence | Entry) -> object:
        return None if self._anywhere else item.location

    def of(self, place: Occurrence, sketch: Sketch) -> list[int]:
        """Entries, those that share most first."""
        where = self._where(place)
        shared = Counter(entry for pair in sketch for entry in self._postings.get((where, pair), ()))
        return sorted(shared, key=lambda entry: (-shared[entry], entry))[:_NEAR]


def _edited(
    places: Sequence[Occurrence],
    left: Iterable[int],
    entries: Sequence[Entry],
    near: _Near,
    status: str,
    found: Accepted,
) -> None:
    """Gives ``status`` to the places of which enough stands in entries near them; the longest come first.

    What a place takes is gone for others, in entries that hold the same words, too; but for those of further copies.
    """
    remaining: dict[int, set[int]] = {}
    whole: set[int] = set()  # entries that answer for a whole document: for its parts it answers itself
    for number in sorted(left, key=lambda place: (-places[place].tokens, place)):
        place, sketch = places[number], places[number].sketch
        around = [entry for entry in near.of(place, sketch) if place.rule == DOCUMENT or entry not in whole]
        used: list[int] = []
        held: set[int] = set()
        for entry in around:
            used.append(entry)
            held |= remaining.setdefault(entry, set(entries[entry].sketch)).intersection(sketch)
            if contained(sketch, [entries[entry].sketch for entry in used], held) >= STILL:
                found.status[number], found.by[number] = status, tuple(used)
                if place.rule == DOCUMENT:
                    whole.update(used)
                texts = {entries[entry].fingerprint for entry in used}
                for other in around if place.rule == PASSAGE else used:
                    if other in used or entries[other].fingerprint not in texts:
                        remaining.setdefault(other, set(entries[other].sketch)).difference_update(sketch)
                break
