"""The documents in which places stand, word for word.

Enters: places, and the texts of documents. Leaves: the words of these documents, and where each place stands in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np

from ..kernel.types import Array
from ..read.again import Key, Texts
from .accept import Accepted, Location
from .baseline import Entry
from .occurrences import Occurrence
from .paths import archives
from .words import Words, among, decoded, words

_FREE, _SILENT = -1, -2  # windows outside of all places, and in suppressed ones


class Document(NamedTuple):
    """A document, and its places by their numbers: as spans of its tokens."""

    key: Key
    words: Words
    spans: Mapping[int, tuple[int, int]]


def documents(places: Sequence[Occurrence], numbers: Iterable[int], texts: Texts) -> Iterator[Document]:
    """The documents of places, in the order in which they were read."""
    by_key: defaultdict[Key, list[int]] = defaultdict(list)
    for number in numbers:
        by_key[places[number].key].append(number)
    keys = [key for key in texts.keys if key in by_key]
    keys += sorted((key for key in by_key if key[1].archived is not None), key=str)
    for key, found in zip(keys, words(map(texts.text, keys)), strict=True):
        yield Document(key, found, {n: found.span(places[n].start, places[n].end) for n in by_key[key]})


def standing(
    accepted: Accepted,
    entries: Sequence[Entry],
    texts: Texts,
    located: Callable[[Key], Location],
    is_gone: Callable[[str], bool],
) -> Iterator[tuple[Location, Words]]:
    """The words of documents that were accepted to repeat something, and in which a scan finds no place any more.

    Their text may be there all the same, as after a change of settings, and is not gone to where a copy of it stands.
    Nor is what was accepted in a file that is there but was left out.
    """
    wanted = accepted.entries.keys() - accepted.places.keys()
    locations = {key: located(key) for key in texts.keys} if wanted else {}
    keys = [key for key, location in locations.items() if location in wanted]
    yield from zip(map(locations.__getitem__, keys), words(map(texts.text, keys)), strict=True)
    files = {file for path, _ in locations.values() for file in (path, *archives(path))}
    for path, record in wanted:
        if files.isdisjoint((path, *archives(path))) and not is_gone(path):
            windows = decoded(entries[number].encoded for number in accepted.entries[path, record])
            nothing = np.zeros(0, "i8")
            yield (path, record), Words(windows, nothing, nothing, nothing)


class Own(NamedTuple):
    """Windows of a place that none of the longer ones of its document holds; with one, what else repeats there."""

    words: Array
    beside: Array


def own_words(places: Sequence[Occurrence], suppressed: AbstractSet[int], texts: Texts) -> dict[int, Own]:
    """The windows of each place that is not suppressed: no window of a document counts twice.

    A scan does not name each part of what it has found. What repeats in these documents outside of the places counts
    beside the longest place of each.
    """
    read = []
    for document in documents(places, range(len(places)), texts):
        owners = np.full(len(document.words.windows), _FREE)
        for number in sorted(document.spans, key=lambda n: (places[n].end - places[n].start, places[n].name)):
            if number not in suppressed:
                owners[document.words.within(*document.spans[number])] = number
        for number in suppressed & document.spans.keys():
            owners[document.words.within(*document.spans[number])] = _SILENT
        size = len(document.words.starts)
        is_window = np.zeros(size, bool)
        is_window[document.words.within(0, size)] = True
        read.append((document.words.windows[is_window], owners[is_window]))
    every = np.concatenate([np.zeros(0, "u4"), *(windows for windows, _ in read)])
    often, counts = np.unique(every, return_counts=True)
    repeats = among(every, often[counts > 1])
    own: dict[int, Own] = {}
    nothing = np.zeros(0, "u4")
    start = 0
    for windows, owners in read:
        beside = windows[(owners == _FREE) & repeats[start : start + len(windows)]]
        start += len(windows)
        found = sorted(set(owners[owners >= 0].tolist()))
        sizes = {number: places[number].end - places[number].start for number in found}
        longest = max(found, key=lambda number: (sizes[number], -number), default=None)
        for number in found:
            own[number] = Own(windows[owners == number], beside if number == longest else nothing)
    return {number: own.get(number, Own(nothing, nothing)) for number in range(len(places))}
