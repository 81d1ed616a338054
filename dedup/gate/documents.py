"""The documents in which places stand, word for word.

Enters: places, and the texts of documents. Leaves: the words of these documents, and where each place stands in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..kernel.types import Array
from ..read.again import Key, Texts
from .occurrences import Occurrence
from .words import Words, words


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
    for key, found in zip(keys, words(map(texts.text, keys)), strict=True):
        yield Document(key, found, {n: found.span(places[n].start, places[n].end) for n in by_key[key]})


def own_words(places: Sequence[Occurrence], numbers: Iterable[int], texts: Texts) -> dict[int, Array]:
    """The windows of each place, without those that lie in a longer one: no window of a document counts twice."""
    own: dict[int, Array] = {}
    for document in documents(places, numbers, texts):
        owners = np.full(len(document.words.windows), -1)
        for number in sorted(document.spans, key=lambda n: (places[n].end - places[n].start, places[n].name)):
            owners[document.words.within(*document.spans[number])] = number
        for number in document.spans:
            own[number] = document.words.windows[owners == number]
    return own
