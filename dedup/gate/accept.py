"""Which places the baseline names: the same text, as often, in the same file or in the one that it has become.

Enters: places and the entries of a baseline. Leaves: by location (a file, or a record in it) the places that are there
and the entries that speak of it, and where both say the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..read.again import Key
from .baseline import Entry
from .lines import Lines
from .occurrences import Occurrence
from .paths import archives
from .words import WINDOW, size

Location = tuple[str, str | None]


class Accepted(NamedTuple):
    """Numbers of ``places`` and of ``entries`` by location; ``renamed``: new paths by old ones.

    ``by``: the entry that answers for a place, word for word. ``settled``: locations where no more is to be asked.
    """

    places: Mapping[Location, Sequence[int]]
    entries: Mapping[Location, Sequence[int]]
    renamed: Mapping[str, str]
    by: Mapping[int, int]
    settled: Collection[Location]


def accepted(
    places: Sequence[Occurrence],
    entries: Sequence[Entry],
    suppressed: Collection[int],
    is_gone: Callable[[str], bool],
    lines: Lines,
) -> Accepted:
    """Matches places with entries. What version control knows of renamed files is asked only where files are gone.

    A location with suppressed places is never settled: what stands in them may be older than a copy elsewhere. Nor is
    one whose places lie otherwise in each other than they did: there may be more of one text.
    """
    here: defaultdict[Location, list[int]] = defaultdict(list)
    for number, place in enumerate(places):
        here[place.location].append(number)
    renamed = _renamed(places, here, entries, is_gone, lines)
    listed: defaultdict[Location, list[int]] = defaultdict(list)
    for at, entry in enumerate(entries):
        listed[renamed.get(entry.path, entry.path), entry.record].append(at)
    by: dict[int, int] = {}
    settled = set()
    for location, found in here.items():
        waiting: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for at in listed.get(location, ()):
            waiting[entries[at].name].append(at)
        answered = 0
        for number in found:
            if number not in suppressed and waiting.get(places[number].name):
                by[number] = waiting[places[number].name].pop(0)
                answered += 1
        if answered == len(found) == len(listed.get(location, ())):
            before = Counter((entries[at].name, size(entries[at].encoded)) for at in listed[location])
            if before == _sizes([places[number] for number in found]):
                settled.add(location)
    return Accepted(here, listed, renamed, by, settled)


def _sizes(places: Sequence[Occurrence]) -> Counter[tuple[tuple[str, str], int]]:
    """How many windows each place has of its own: none inside a longer place, -1 where one overlaps another."""
    sizes: Counter[tuple[tuple[str, str], int]] = Counter()
    # By name first: so of equal spans it is told which one owns the windows.
    by_name = sorted(places, key=lambda place: place.name, reverse=True)
    reached: dict[Key, int] = {}
    for place in sorted(by_name, key=lambda place: (place.start, -place.end)):
        until = reached.get(place.key, 0)
        if place.end <= until:
            sizes[place.name, 0] += 1
        else:
            own = max(place.tokens - WINDOW + 1, min(place.tokens, 1))
            sizes[place.name, own if place.start >= until else -1] += 1
            reached[place.key] = place.end
    return sizes


def _renamed(
    places: Sequence[Occurrence],
    here: Mapping[Location, Sequence[int]],
    entries: Sequence[Entry],
    is_gone: Callable[[str], bool],
    lines: Lines,
) -> dict[str, str]:
    """New paths by the old ones of the baseline: those that git knows of, and those that hold the same places.

    What git knows comes first. Of several that could be it, the one that changed least lately: a later one may be a
    copy of it.
    """
    old = {entry.path for entry in entries}
    new = {path for path, _ in here} - old
    gone = set(filter(is_gone, old)) if new else set()
    if not gone:
        return {}
    told = _told(gone, lines.renames())
    before = _contents(entry for entry in entries if entry.path in gone)
    now = _contents(places[number] for path, record in here for number in here[path, record])
    waiting: defaultdict[frozenset[object], list[str]] = defaultdict(list)
    for path in sorted(gone, reverse=True):
        waiting[before[path]].append(path)
    found: dict[str, str] = {}
    for target in sorted(new, key=lambda path: (path not in told, lines.age(path, None, None), path)):
        source, alike = told.get(target), waiting[now[target]]
        if source not in gone:
            open_ones = (old for old in reversed(alike) if old in gone)
            source = next((old for old in open_ones if not lines.is_too_late(old, target)), None)
        if source is not None:
            found[source] = target
            gone.remove(source)
            waiting[before[source]].remove(source)
    return found


def _told(gone: Collection[str], renames: Mapping[str, str]) -> dict[str, str]:
    """Which of the paths that are gone git takes a new one for, archives among them."""
    told: dict[str, str] = {}
    for path in sorted(gone):
        for file in (path, *archives(path)):
            if file in renames:
                told.setdefault(renames[file] + path[len(file) :], path)
    return told


def _contents(items: Iterable[Occurrence | Entry]) -> dict[str, frozenset[object]]:
    """What repeats in each file, as something that can be compared."""
    names: defaultdict[str, Counter[object]] = defaultdict(Counter)
    for item in items:
        names[item.path][item.record, item.name] += 1
    return {path: frozenset(found.items()) for path, found in names.items()}
