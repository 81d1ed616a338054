"""Passages: pairs of spans whose tokens align, within a text and across, and periodic text.

Enters: a corpus' tokens, and what is known already: which texts are copies of each other and which of their
tokens that explains. Leaves: :class:`Repeats`, verified pairs of spans and periods, not yet grouped.
"""

from __future__ import annotations

import itertools
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from . import kernel
from .kernel.types import LAST, NONE, WORD_WEIGHT, Array, SeedIndex

#: How often a seed may occur. The prototype measured 20 against 10 on 2.8 M tokens: recall of 15-token passages
#: at 30 % edits .79 against .71, everything else equal within .01, at half the seeds. Large corpora take the
#: cheaper one.
CAP, LARGE_CAP, LARGE = 20, 10, 1 << 24


class Repeats(NamedTuple):
    """What repeats. Positions are places in the token array.

    ``pairs``: int64, (n, 7): text a, start, end, text b, start, end, matched tokens.
    ``periods``: int64, (m, 5): text, start, end, period, unit; the same number for the same unit, wherever in it
    a run begins.
    """

    pairs: Array
    periods: Array

    def without(self, texts: Array) -> Repeats:
        """These without the pairs of spans whose texts are one of the pairs given, int64 (n, 2), a before b."""
        here, given = self.pairs[:, 0] << 32 | self.pairs[:, 3], texts[:, 0] << 32 | texts[:, 1]
        return self._replace(pairs=self.pairs[~np.isin(here, given)])


def find(
    tokens: Array, offsets: Array, families: Array, known: Array, settings: tuple[float, int], jobs: int = 0
) -> Repeats:
    """All repeats of texts whose ``families`` differ (int32, negative: none).

    Tokens marked in ``known`` (bool) start no repeat of their own; ``settings`` are the lowest similarity and
    the fewest tokens of a passage. Cost: about linear in the tokens.
    """
    similarity, min_tokens = settings
    minimum = min_tokens * WORD_WEIGHT
    periods = _with_units(tokens, kernel.periods(tokens, offsets, minimum, jobs))
    spoken_for = known[periods[:, 1]]
    quiet = known.copy()
    for _, start, end, period, _ in periods.tolist():
        quiet[start + period : end] = True
    index = kernel.seed_index(tokens, offsets, quiet, CAP if len(tokens) < LARGE else LARGE_CAP, jobs)
    pairs = kernel.passages(tokens, offsets, families, index, similarity, minimum, jobs)
    inside = _unit_at(periods, pairs[:, 1:3])
    pairs = pairs[(inside < 0) | (inside != _unit_at(periods, pairs[:, 4:6]))]
    return Repeats(pairs, periods[~spoken_for])


def _with_units(tokens: Array, periods: Array) -> Array:
    """Periods with a number for what they repeat."""
    numbers: dict[bytes, int] = {}
    units = [
        numbers.setdefault(_rotated(tokens[start : start + period]).tobytes(), len(numbers))
        for _, start, _, period in periods.tolist()
    ]
    return np.column_stack([periods, np.array(units, "i8")])


def _rotated(unit: Array) -> Array:
    """The rotation of a sequence that is least in order (Booth 1980, by comparing two candidates at a time)."""
    values = unit.tolist()
    size, i, j, k = len(values), 0, 1, 0
    while i < size and j < size and k < size:
        a, b = values[(i + k) % size], values[(j + k) % size]
        if a == b:
            k += 1
            continue
        if a > b:
            i += k + 1
        else:
            j += k + 1
        j += i == j
        k = 0
    return np.roll(unit, -min(i, j))


def _unit_at(periods: Array, spans: Array) -> Array:
    """The number of the unit in whose run a span lies, for four fifths of it; -1 for none."""
    if not len(periods):
        return np.full(len(spans), -1)
    middles = spans.sum(axis=1) // 2
    at = np.maximum(np.searchsorted(periods[:, 1], middles, side="right") - 1, 0)
    shared = np.minimum(spans[:, 1], periods[at, 2]) - np.maximum(spans[:, 0], periods[at, 1])
    return np.where(5 * shared >= 4 * (spans[:, 1] - spans[:, 0]), periods[at, 4], -1)


def among_copies(
    tokens: Array, offsets: Array, families: Array, known: Array, settings: tuple[float, int], jobs: int = 0
) -> Array:
    """Repeats between texts of one family in the words that are their own, int64 (n, 7) as in Repeats.

    ``known`` (bool, one a token) marks the words that a copy has from the text it is a copy of.
    """
    texts = _with_own_words(offsets, np.flatnonzero(families >= 0), known, settings[1])
    if len(texts) < 2:
        return np.zeros((0, 7), "i8")
    parts, marks = _slices(tokens, offsets, texts), np.concatenate(_slices(known, offsets, texts))
    bounds = _bounds(parts)
    shift = np.repeat(offsets[texts] - bounds[:-1], np.diff(bounds))
    keep = ~marks | np.append(False, ~marks[:-1])  # what is known shrinks to one token, unlike any other
    flat = np.concatenate(parts) ^ np.repeat(_salts(families[texts]), np.diff(bounds))
    flat[marks] = np.flatnonzero(marks).astype("u4") ^ _salts(np.flatnonzero(marks))
    where = np.flatnonzero(keep)
    fewer = np.searchsorted(where, bounds)
    flat = flat[where]
    index = kernel.seed_index(flat, fewer, marks[where], CAP, jobs)
    alone = np.full(len(parts), -1, "i4")
    rows: Array = kernel.passages(flat, fewer, alone, index, settings[0], settings[1] * WORD_WEIGHT, jobs)
    rows = rows[rows[:, 0] != rows[:, 3]]
    for column in (1, 4):
        ends = where[rows[:, column + 1] - 1]
        rows[:, column + 1] = ends + shift[ends] + 1
        rows[:, column] = where[rows[:, column]] + shift[where[rows[:, column]]]
    rows[:, 0], rows[:, 3] = texts[rows[:, 0]], texts[rows[:, 3]]
    return rows


def _slices(values: Array, offsets: Array, texts: Array) -> list[Array]:
    """What belongs to each of the texts, of an array with one value a token."""
    return [values[offsets[text] : offsets[text + 1]] for text in texts.tolist()]


def _with_own_words(offsets: Array, texts: Array, known: Array, least: int) -> Array:
    """Those of the texts that hold a run of at least so many words of their own, and others too."""
    marks = [np.append(mark, True) for mark in _slices(known, offsets, texts)]  # a run ends with its text
    edges = np.flatnonzero(np.diff(np.concatenate([np.ones(0, bool), *marks]), prepend=True))
    starts, ends = edges[::2], edges[1::2]
    bounds = _bounds(marks)
    owners = np.searchsorted(bounds, starts[ends - starts >= least], side="right") - 1
    copied = np.array([mark[:-1].any() for mark in marks], bool)
    held = np.unique(owners)
    chosen: Array = texts[held[copied[held]]]
    return chosen


def _salts(groups: Array) -> Array:
    """What to combine tokens with (exclusive or) so that they are equal only within a group, uint32.

    The lowest bit is 0: each token stays a word or a character.
    """
    spread = groups.astype("u8") * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)
    salts: Array = spread.astype("u4") & ~np.uint32(1)
    return salts


def inside(
    tokens: Array, offsets: Array, pairs: Array, settings: tuple[float, int], jobs: int = 0
) -> dict[tuple[int, int], tuple[int, int]]:
    """Where the second text of each pair lies in the first: by pair, start and end in the token array.

    ``pairs`` int64 (n, 2), ascending. Left out are texts that lie there in pieces, none of them most of it.
    """
    found, hidden = _located(
        tokens, offsets, _groups([(a, b) for a, b in pairs.tolist()], len(pairs)), settings, jobs
    )
    groups = _groups(hidden, CAP - 1)
    sizes = [sum(int(offsets[text + 1] - offsets[text]) for text in group) for group in groups]
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes, dtype="i8") // BATCH)) + 1
    for start, end in itertools.pairwise([0, *cuts.tolist(), len(groups)]):
        found |= _located(tokens, offsets, groups[start:end], settings, jobs)[0]
    return found


def _groups(pairs: list[tuple[int, int]], most: int) -> list[list[int]]:
    """Of each first text of the pairs it and the second ones, at most so many of these in a group."""
    held = itertools.groupby(pairs, itemgetter(0))
    inside = [(holder, [text for _, text in group]) for holder, group in held]
    return [
        [holder, *texts[start : start + most]]
        for holder, texts in inside
        for start in range(0, len(texts), most)
    ]


def _located(
    tokens: Array, offsets: Array, groups: list[list[int]], settings: tuple[float, int], jobs: int
) -> tuple[dict[tuple[int, int], tuple[int, int]], list[tuple[int, int]]]:
    """Where texts lie in the first of their group, as :func:`inside` tells it; and of the other pairs those in which
    most words of the second text are too frequent in the group to be looked for."""
    if not groups:
        return {}, []
    texts = [text for group in groups for text in group]
    parts = [tokens[offsets[text] : offsets[text + 1]] for text in texts]
    bounds = _bounds(parts)
    sizes = [len(group) for group in groups]
    salts = np.repeat(_salts(np.arange(len(groups))), sizes)  # only texts of one group are to meet
    flat = np.concatenate(parts) ^ np.repeat(salts, np.diff(bounds))
    families = np.concatenate([np.array([-1] + [i] * (size - 1)) for i, size in enumerate(sizes)])
    index = kernel.seed_index(flat, bounds, np.zeros(len(flat), bool), CAP, jobs)
    rows = kernel.passages(flat, bounds, families, index, settings[0], settings[1] * WORD_WEIGHT, jobs)
    found: dict[tuple[int, int], tuple[int, int]] = {}
    lengths = np.diff(bounds)
    for a, start, end, b, b_start, b_end, *_ in rows.tolist():
        if a != b and families[a] < 0 and b_end - b_start >= MOST * lengths[b]:
            shift = int(offsets[texts[a]] - bounds[a])
            found.setdefault((texts[a], texts[b]), (start + shift, end + shift))
    seeds = np.add.reduceat(index.slots < index.starts[7], bounds[:-1], dtype="i8")  # those that are not hot
    holders = [group[0] for group in groups for _ in group]
    rare = (2 * seeds >= lengths).tolist()
    hidden = [
        (holder, text)
        for holder, text, is_rare in zip(holders, texts, rare, strict=True)
        if holder != text and not is_rare and (holder, text) not in found
    ]
    return found, hidden


#: Tokens of texts that are compared at a time with those that may hold them, where copies hid each other's words.
BATCH = 1 << 22

#: The share of a contained text that must lie in one stretch of the other to be said to lie there.
MOST = 0.8

#: Tokens of the shingles by which further copies of a frequent passage are looked for, and how many of them
#: must stand within how many tokens.
GRAM, COMPANY, WINDOW = 3, 3, 30


def more_copies(
    tokens: Array, offsets: Array, firsts: Array, taken: Array, settings: tuple[float, int], jobs: int = 0
) -> Array:
    """Further spans that resemble a frequent passage, int64 (n, 3): which passage, start, end.

    ``firsts`` int64 (m, 2) are the spans that stand for the passages; where ``taken`` (bool, one a token) is True
    nothing is looked for. A copy of a frequent passage may be too unlike the few copies that its seeds led to,
    and yet like the one that all resemble: here that one is compared with every text, at linear cost.
    """
    leaders = [tokens[start:end] for start, end in firsts.tolist()]
    sought = np.unique(kernel.shingles(np.concatenate(leaders), _bounds(leaders), GRAM, jobs)[0])
    there = kernel.places(tokens, offsets, GRAM, sought, jobs)
    there = _dense(there[~taken[there]], offsets)
    texts, of_text = np.unique(np.searchsorted(offsets, there, side="right") - 1, return_inverse=True)
    parts = leaders + [tokens[offsets[text] : offsets[text + 1]] for text in texts.tolist()]
    bounds, flat = _bounds(parts), np.concatenate(parts)
    shift = bounds[len(leaders) : -1] - offsets[texts]
    index = _links(flat, bounds[len(leaders)], there + shift[of_text])
    families = np.full(len(parts), -1, "i4")
    rows = kernel.passages(flat, bounds, families, index, settings[0], settings[1] * WORD_WEIGHT, jobs)
    leader, text, start, end = rows[:, 0], rows[:, 3], rows[:, 4], rows[:, 5]
    # The stretch that was found, and the one that the whole of the passage would take.
    longer = np.maximum(start - (rows[:, 1] - bounds[leader]), bounds[text])
    further = np.minimum(end + (bounds[leader + 1] - rows[:, 2]), bounds[text + 1])
    back = np.tile(shift[text - len(leaders)], 2)
    starts, ends = np.concatenate([start, longer]) - back, np.concatenate([end, further]) - back
    return np.unique(np.stack([np.tile(leader, 2), starts, ends], 1), axis=0)


def _bounds(parts: list[Array]) -> Array:
    return np.cumsum([0, *(len(part) for part in parts)]).astype("i8")


def _dense(places: Array, offsets: Array) -> Array:
    """Those of the places, ascending, that stand in company in one text."""
    texts = np.searchsorted(offsets, places, side="right")
    reach = COMPANY - 1
    close = (places[reach:] - places[:-reach] <= WINDOW) & (texts[reach:] == texts[:-reach])
    keep = np.zeros(len(places), bool)
    for start in range(COMPANY):
        keep[start : start + len(close)] |= close
    return places[keep]


def _links(tokens: Array, leaders_end: int, places: Array) -> SeedIndex:
    """An index in which every shingle before ``leaders_end`` leads to the given places that hold the same one."""
    keys = _grams(tokens, places)
    order = np.argsort(keys, kind="stable")
    keys, places = keys[order], places[order]
    own = np.arange(leaders_end)
    own_keys = _grams(tokens, own)
    first, last = np.searchsorted(keys, own_keys, "left"), np.searchsorted(keys, own_keys, "right")
    groups = [np.concatenate([[i], places[a:b]]) for i, a, b in zip(own, first, last, strict=True) if b > a]
    members = np.concatenate([np.zeros(0, "i8"), *groups]).astype("u4")
    ends = np.cumsum([len(group) for group in groups], dtype="i8")
    members[ends - 1] |= np.uint32(LAST)
    slots = np.full(len(tokens), NONE, "u4")
    slots[own[last > first]] = ends - [len(group) for group in groups]
    return SeedIndex(members, slots, np.array([0, 0, *[len(members)] * 7], "u4"))


def _grams(tokens: Array, places: Array) -> Array:
    """A hash of the GRAM tokens from each place on; past the end, of those that are left, again and again."""
    keys = np.zeros(len(places), "u8")
    for k in range(GRAM):
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + tokens[np.minimum(places + k, len(tokens) - 1)]
    return keys
