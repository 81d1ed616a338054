"""Which places are new: of a text that stands in several places, the one that was there before is none of them.

Enters: places, groups of copies, what the baseline accepts and what is suppressed. Leaves: a status for each place
that is a finding. A place that repeats nothing but itself, and the first place of copies that nobody has accepted
yet, has none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ..read.again import Key
from ..verdict import DOCUMENT, KNOWN, NEW, SUPPRESSED
from .accept import STILL, Accepted, IsNew
from .baseline import Entry
from .occurrences import Group, Occurrence
from .sketch import contained

Span = tuple[int, int]
Families = dict[Key, Key]


def judged(
    places: Sequence[Occurrence],
    groups: Sequence[Group],
    accepted: Accepted,
    entries: Sequence[Entry],
    suppressed: Iterable[int],
    is_new: IsNew,
    is_old: IsNew,
) -> dict[int, str]:
    """A status for each place that is a finding, by its number.

    ``is_new`` and ``is_old`` are what version control knows: something changed there, or nothing. Where it knows
    nothing, neither is true.
    """
    status = {**accepted.status, **dict.fromkeys(suppressed, SUPPRESSED)}
    status |= _inside_accepted(places, groups, accepted, entries, status, is_new)
    families = _families(places, groups, status)
    seen = {entry.location for entry in entries}
    # Copies of what is accepted first: what is new there tells which of two unknown places was there before.
    ordered = sorted(groups, key=lambda group: not any(map(status.__contains__, group.places)))
    added: defaultdict[Key, list[Span]] = defaultdict(list)
    found: set[int] = set()
    for group in ordered:
        new = _new(group, places, status, families, added, is_new)
        if new and any(status.get(place, SUPPRESSED) != SUPPRESSED for place in group.places):
            # Of accepted text other parts repeat now. What did not change was there when it was accepted, but for
            # a document with more copies than before, of which version control may have taken another one for new.
            changed = {places[n].key for n in group.places if is_new(places[n])}
            new = [
                n for n in new
                if places[n].key in changed or places[n].location not in seen or not is_old(places[n])
            ]  # fmt: skip
        for number in new:
            if number not in found:
                found.add(number)
                added[places[number].key].append((places[number].start, places[number].end))
    return {**status, **dict.fromkeys(found, NEW)}


def _new(
    group: Group,
    places: Sequence[Occurrence],
    status: Mapping[int, str],
    families: Families,
    added: Mapping[Key, Sequence[Span]],
    is_new: IsNew,
) -> list[int]:
    """The places of a group that are new."""
    unknown = [place for place in group.places if place not in status]
    if not unknown or group.periodic:
        return unknown
    before = [place for place in group.places if status.get(place, SUPPRESSED) != SUPPRESSED]
    if not before:
        oldest = _oldest(unknown, places, added, is_new)
        silent = (place for place in group.places if status.get(place) == SUPPRESSED)
        if is_new(places[oldest]) and not all(is_new(places[place]) for place in silent):
            return unknown  # the text that was there before is one that is suppressed
        unknown.remove(oldest)
        before = [oldest]
    return _without_kin(unknown, before, places, families, is_new)


def _oldest(
    unknown: Sequence[int], places: Sequence[Occurrence], added: Mapping[Key, Sequence[Span]], is_new: IsNew
) -> int:
    """The place that was there before: one that did not change, holds nothing new, stands first."""

    def age(number: int) -> tuple[bool, bool]:
        place = places[number]
        holds_new = any(start < place.end and place.start < end for start, end in added.get(place.key, ()))
        return is_new(place), holds_new

    return min(unknown, key=age)


def _without_kin(
    unknown: Sequence[int],
    before: Sequence[int],
    places: Sequence[Occurrence],
    families: Families,
    is_new: IsNew,
) -> list[int]:
    """Leaves out unchanged places in accepted copies of a document that has the text, too: as many as it has."""
    often = Counter(places[number].key for number in before)
    allowed: Counter[Key] = Counter()  # by the name of the family
    for key, count in often.items():
        family = families.get(key, key)
        allowed[family] = max(allowed[family], count)
    left, forgiven = [], Counter(often)
    for number in unknown:
        key = places[number].key
        if key in families and not is_new(places[number]) and forgiven[key] < allowed[families[key]]:
            forgiven[key] += 1
        else:
            left.append(number)
    return left


def _families(places: Sequence[Occurrence], groups: Sequence[Group], status: Mapping[int, str]) -> Families:
    """Documents that are accepted copies of each other, under the name of one of them."""
    families: Families = {}

    def top(key: Key) -> Key:
        while key in families:
            key = families[key]
        return key

    for group in groups:
        whole = [
            place for place in group.places
            if places[place].rule == DOCUMENT and status.get(place, SUPPRESSED) != SUPPRESSED
        ]  # fmt: skip
        for number in whole[1:]:
            one, other = top(places[whole[0]].key), top(places[number].key)
            if one != other:
                families[other] = one
    return {key: top(key) for key in list(families)}


def _inside_accepted(
    places: Sequence[Occurrence],
    groups: Sequence[Group],
    accepted: Accepted,
    entries: Sequence[Entry],
    status: Mapping[int, str],
    is_new: IsNew,
) -> dict[int, str]:
    """Places without a status that lie inside accepted ones.

    Where nothing was edited, all was there before. Of text that was edited, one copy in a document is accounted for.
    Of a text that has entries of its own in the document there are more copies now than these.
    """
    inside = _Inside(places, accepted, entries)
    counted = {(entry.location, entry.fingerprint) for entry in entries}
    held = {
        number: inside.is_unchanged(place)
        for number, place in enumerate(places)
        if number not in status and (place.location, place.fingerprint) not in counted and inside.holds(place)
    }
    found = {number for number, is_unchanged in held.items() if is_unchanged}
    for group in groups:
        known = {
            places[number].key for number in group.places if number in accepted.status or number in found
        }
        edited = [number for number in group.places if number in held and number not in found]
        for number in sorted(edited, key=lambda number: is_new(places[number])):
            if places[number].key not in known:
                known.add(places[number].key)
                found.add(number)
    return dict.fromkeys(found, KNOWN)


class _Inside:
    """Tells of places whether they lie inside text that is accepted."""

    def __init__(self, places: Sequence[Occurrence], accepted: Accepted, entries: Sequence[Entry]) -> None:
        self._places, self._accepted, self._entries = places, accepted, entries
        self._by_document: defaultdict[Key, list[int]] = defaultdict(list)
        for number in accepted.status:
            self._by_document[places[number].key].append(number)

    def _around(self, place: Occurrence) -> list[int]:
        return [
            number for number in self._by_document.get(place.key, ())
            if self._places[number].start < place.end and place.start < self._places[number].end
        ]  # fmt: skip

    def holds(self, place: Occurrence) -> bool:
        """Whether STILL of its code points lie in accepted places and, where those were edited, its words too."""
        around = self._around(place)
        spans = sorted((self._places[number].start, self._places[number].end) for number in around)
        if covered(place.start, place.end, spans) < STILL * (place.end - place.start):
            return False
        if self.is_unchanged(place):
            return True
        sketches = [self._entries[entry].sketch for number in around for entry in self._accepted.by[number]]
        return contained(place.sketch, sketches, set().union(*sketches)) >= STILL

    def is_unchanged(self, place: Occurrence) -> bool:
        """Whether the accepted places that it lies in are as they were accepted."""
        return all(
            self._entries[entry].fingerprint == self._places[number].fingerprint
            for number in self._around(place)
            for entry in self._accepted.by[number]
        )


def covered(start: int, end: int, spans: Iterable[Span]) -> int:
    """How many of the code points ``[start, end)`` lie in spans, which are sorted."""
    total = 0
    for first, last in spans:
        first, last = max(first, start), min(last, end)
        total += max(last - first, 0)
        start = max(start, last)
    return total
