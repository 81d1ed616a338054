"""Which documents an index holds already, by id and version.

Enters: documents that are to be added, and the segments. Leaves: those that are new, and how many of these are another
version of one that is there. In a segment documents stand by the hash of their id, those of one id by version; so both
are searched for, however many versions an id has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from ..kernel.types import Array
from .segment import VERSION, Entry, Segment
from .snapshot import Part


def fresh(
    parts: Sequence[Part], waiting: Iterable[Entry], entries: Sequence[Entry]
) -> tuple[list[Entry], int]:
    """The entries that neither the parts have nor those that wait to be one, each once; and how many of them are
    another version of one that is there."""
    keys = np.array([entry.key for entry in entries], "u8")
    versions = np.frombuffer(b"".join(entry.version for entry in entries), "u1").reshape(-1, VERSION)
    ids = [entry.document.id.encode("utf-8", "surrogatepass") for entry in entries]
    is_id, is_known = there(parts, keys, versions, ids)
    seen: defaultdict[str, set[bytes]] = defaultdict(set)
    for entry in waiting:
        seen[entry.document.id].add(entry.version)
    found: list[Entry] = []
    others = 0
    for i in np.flatnonzero(~is_known).tolist():
        entry = entries[i]
        mine = seen[entry.document.id]
        if entry.version not in mine:
            others += bool(mine or is_id[i])
            mine.add(entry.version)
            found.append(entry)
    return found, others


def there(parts: Sequence[Part], keys: Array, versions: Array, ids: Sequence[bytes]) -> tuple[Array, Array]:
    """Of documents, whether the parts hold their ids, and whether they hold them with the same version (bool)."""
    is_id, is_known = np.zeros(len(keys), bool), np.zeros(len(keys), bool)
    for part in parts:
        column = part.segment.keys()
        first, last = np.searchsorted(column, keys), np.searchsorted(column, keys, side="right")
        is_id |= _named(part, first, last, ids)
        first, last = (_place(part.segment, first, last, versions, after=after) for after in (False, True))
        is_known |= _named(part, first, last, ids)
        part.segment.pages.let_go()
    return is_id, is_known


def _place(segment: Segment, first: Array, last: Array, versions: Array, *, after: bool) -> Array:
    """For each document the first place between ``first`` and ``last`` whose version is not below its own, or
    ``after`` it."""
    wanted, low, high = _halves(versions), first.copy(), last.copy()
    while (going := np.flatnonzero(low < high)).size:
        middle = (low[going] + high[going]) >> 1
        mine, theirs = wanted[going], _halves(segment.versions(middle))
        same = theirs[:, 0] == mine[:, 0]
        below = (theirs[:, 0] < mine[:, 0]) | (same & (theirs[:, 1] < mine[:, 1]))
        if after:
            below |= same & (theirs[:, 1] == mine[:, 1])
        low[going[below]] = middle[below] + 1
        high[going[~below]] = middle[~below]
    return low


def _halves(versions: Array) -> Array:
    """Versions as two numbers that stand in their order, uint64 (n, 2)."""
    return np.ascontiguousarray(versions).view(">u8")


def _named(part: Part, first: Array, last: Array, ids: Sequence[bytes]) -> Array:
    """For each document whether a live one between ``first`` and ``last`` has its id (bool)."""
    found, first = np.zeros(len(ids), bool), first.copy()
    living = None
    if part.live is not None:  # for each place the next one that is live, or the end
        places = np.where(part.live, np.arange(len(part.live)), len(part.live))
        living = np.append(np.minimum.accumulate(places[::-1])[::-1], len(part.live))
    while (some := np.flatnonzero(first < last)).size:  # another round where ids have one hash
        if living is not None:
            first[some] = living[first[some]]
            some = some[first[some] < last[some]]
        theirs = part.segment.ids(first[some])
        found[some] = [a == ids[b] for a, b in zip(theirs, some.tolist(), strict=True)]
        first[some] += 1
        first[found] = last[found]
    return found
