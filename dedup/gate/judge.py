"""Which places are new: of a text that stands in several places, the one that was there before is none of them.

Enters: places, groups of copies, what the baseline accepts and what is suppressed. Leaves: a status for each place
that is a finding. A place that repeats nothing but itself, and the first place of copies that nobody has accepted
yet, has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..kernel.types import WORD_WEIGHT, Array
from ..read.again import Texts
from ..verdict import DOCUMENT, EDITED, KNOWN, MOVED, NEW, SUPPRESSED
from .accept import Accepted, Location
from .baseline import Entry
from .documents import Document, documents
from .ledger import Ledger, Span, Text, Tokens
from .lines import Changes, Lines
from .occurrences import Group, Occurrence, own_id
from .words import WINDOW, Words, decoded, looked_up, ordinals, words

#: An edited text is still the accepted one while it holds this share of it.
STILL = 0.8

_PARTNERS = 16  # copies of a document that are looked at with it


class Judgement(NamedTuple):
    """``status`` of places by their number; ``stale``: the numbers of entries of which little is left anywhere."""

    status: dict[int, str]
    stale: frozenset[int]


def judged(
    places: Sequence[Occurrence],
    groups: Sequence[Group],
    entries: Sequence[Entry],
    accepted: Accepted,
    suppressed: Collection[int],
    ranges: Mapping[int, Sequence[Span]],
    lines: Lines,
    texts: Texts,
    standing: Iterable[tuple[Location, Words]],
    min_tokens: int,
) -> Judgement:
    """A status for each place that is a finding, and what the baseline holds in vain.

    A place is new if it holds a copy of ``min_tokens`` words or more that was not there before, or if more than a fifth
    of it repeats something only now. What lies in ``ranges`` of a place (code points) may repeat. ``standing`` are
    words that are where they were accepted, but in no place.
    """
    old_paths = {new: old for old, new in accepted.renamed.items()}
    status = dict.fromkeys(suppressed, SUPPRESSED)
    for location in accepted.settled:
        status |= dict.fromkeys(accepted.places[location], MOVED if location[0] in old_paths else KNOWN)
    is_open = [place.location not in accepted.settled for place in places]
    read = list(documents(places, _looked_at(places, groups, is_open), texts))
    numbered = {
        location: number
        for number, location in enumerate(dict.fromkeys([*accepted.places, *accepted.entries]))
    }
    allowed = [
        (numbered[location], decoded(part for n in found for part in (entries[n].encoded, entries[n].beside)))
        for location, found in accepted.entries.items() if location not in accepted.settled
    ]  # fmt: skip
    # Among equals one after another, it cannot be told which is new: as many windows are, but here and there.
    periodic = {number for group in groups if group.periodic for number in group.places}
    others = [Text(numbered[location], found, (), ()) for location, found in standing]
    ledger = Ledger(
        [*(_text(document, places, is_open, numbered, suppressed, ranges) for document in read), *others],
        allowed,
        lambda: decoded(part for entry in entries for part in (entry.encoded, entry.beside)),
        _Ages(read, places, lines, texts).of,
    )
    named = {(accepted.renamed.get(entry.path, entry.path), entry.fingerprint) for entry in entries}
    found: dict[int, str] = {}
    plain: list[int] = []  # places of whose words nothing is known
    for document, tokens in zip(read, ledger.tokens(), strict=False):
        told = {n: span for n, span in document.spans.items() if is_open[n] and n not in suppressed}
        new = _new(told, tokens, document.words.weights, WORD_WEIGHT * min_tokens)
        new |= {
            n
            for n, span in told.items()
            if n in periodic and np.count_nonzero(tokens.further[slice(*span)]) + WINDOW > min_tokens
        }
        found |= dict.fromkeys(new, NEW)
        for number, (first, end) in told.items():
            if number in new:
                continue
            here, elsewhere, before = (
                int(np.count_nonzero(marks[first:end]))
                for marks in (tokens.here, tokens.elsewhere, tokens.before)
            )
            place = places[number]
            if max(here, elsewhere) >= max(before, 1):
                is_same = (place.path, place.fingerprint) in named
                was_here = here >= elsewhere and place.path not in old_paths
                found[number] = MOVED if not was_here else KNOWN if is_same else EDITED
            elif not before and not ranges[number]:
                plain.append(number)
    status |= found
    status |= dict.fromkeys(_further(plain, places, groups, status, accepted, lines), NEW)
    return Judgement(status, frozenset(_stale(entries, accepted, numbered, ledger.lost)))


def _looked_at(places: Sequence[Occurrence], groups: Sequence[Group], is_open: Sequence[bool]) -> set[int]:
    """Places of documents that are looked at word for word: the open ones, and of these the copies as documents.

    What a document has of another one may be scattered there, where no place tells of it.
    """
    found = {number for number in range(len(places)) if is_open[number]}
    for group in groups:
        documents = [number for number in group.places if places[number].rule == DOCUMENT]
        if len(documents) > 1 and any(is_open[number] for number in documents):
            found.update(documents[:_PARTNERS])
    return found


def _text(
    document: Document,
    places: Sequence[Occurrence],
    is_open: Sequence[bool],
    numbered: Mapping[Location, int],
    suppressed: Collection[int],
    ranges: Mapping[int, Sequence[Span]],
) -> Text:
    location = numbered[places[next(iter(document.spans))].location]
    spans = [span for n, span in document.spans.items() if is_open[n] and n not in suppressed]
    silent = [span for n, span in document.spans.items() if n in suppressed]
    silent += [document.words.span(*within) for n in document.spans for within in ranges.get(n, ())]
    return Text(location, document.words, spans, silent)


class _Ages:
    """How new the tokens of documents are."""

    def __init__(
        self, read: Sequence[Document], places: Sequence[Occurrence], lines: Lines, texts: Texts
    ) -> None:
        self._read, self._places, self._lines, self._texts = read, places, lines, texts

    def of(self, number: int) -> Array:
        """For each token of a document 0 if archived, 1 if nothing changed, and more the later something did.

        Whatever changed beside a line that stayed, the line is older than one that was changed itself. So are words in
        a changed line that the file had before: to edit a text, or to wrap it anew, makes it no later one.
        """
        if number >= len(self._read):  # nothing in it is told of
            return np.zeros(0, "u1")
        document = self._read[number]
        ages = np.zeros(len(document.words.starts), "u1")
        if document.key[1].archived is None:
            ages += np.uint8(1)
            for step, (changes, before) in enumerate(self._steps, 2):
                changed = _changed(document, self._places, changes, self._texts)
                held = before.get(_one(document, self._places).location)
                if held is not None:
                    changed[_held(document.words, changed, held)] = 1
                ages = np.maximum(ages, np.array([0, step, step + len(self._steps)], "u1")[changed])
        return ages

    @cached_property
    def _steps(self) -> list[tuple[Changes, Mapping[Location, Words]]]:
        """What changed since one revision after the other, and the words that changed files and records had before."""
        known = (_one(one, self._places).location for one in self._read if _is_named(one, self._places))
        counts = Counter(location for location in known if self._texts.reads_earlier(location[0]))
        # Of several by one name, nobody knows which it was.
        wanted = {location for location, count in counts.items() if count == 1}
        return [(changes, self._before(changes, wanted)) for changes in self._lines.steps()]

    def _before(self, changes: Changes, wanted: Collection[Location]) -> Mapping[Location, Words]:
        held: dict[Location, str] = {}
        for path, content in changes.before({path for path, _ in wanted}).items():
            for document in self._texts.earlier(path, content):
                location = path, own_id((document.id, document.source))
                if location in wanted:
                    held[location] = document.text
        return dict(zip(held, words(held.values()), strict=True))


def _held(now: Words, changed: Array, before: Words) -> Array:
    """The changed tokens with which words begin that were there before, as often as they were, if they are not yet."""
    order = np.lexsort((changed, now.windows))
    windows = now.windows[order]
    held = order[ordinals(windows) < looked_up(windows, *np.unique(before.windows, return_counts=True))]
    found: Array = held[changed[held] == 2]
    return found


def _one(document: Document, places: Sequence[Occurrence]) -> Occurrence:
    """One of the places in a document: what all of them have in common."""
    return places[next(iter(document.spans))]


def _is_file(document: Document, places: Sequence[Occurrence]) -> bool:
    """Whether the lines of a document are those of a file."""
    return _one(document, places).line is not None and document.key[1].line is None


def _is_named(document: Document, places: Sequence[Occurrence]) -> bool:
    """Whether a document is known by its name: a file, or a record with an id."""
    return document.key[1].line is None or _one(document, places).record is not None


def _changed(document: Document, places: Sequence[Occurrence], changes: Changes, texts: Texts) -> Array:
    """2 for a token whose line was changed, 1 if something else was at its place, else 0."""
    one = _one(document, places)
    path, ages = one.path, np.zeros(len(document.words.starts), "u1")
    if not changes.touched(path, None, None):
        return ages
    if not _is_file(document, places):
        ages[:] = 2 * changes.touched(path, one.line, one.end_line)
        return ages
    text = texts.text(document.key)
    ends = np.flatnonzero(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4") == ord("\n"))
    numbers = np.searchsorted(ends, document.words.starts) + 1
    for number in sorted(document.spans, key=lambda n: places[n].start - places[n].end):
        first, end = document.spans[number]
        ages[first:end] = changes.touched(path, places[number].line, places[number].end_line)
    changed = [number for number in np.unique(numbers).tolist() if changes.touched(path, number, number)]
    ages[np.isin(numbers, changed)] = 2
    return ages


def _new(told: Mapping[int, tuple[int, int]], tokens: Tokens, weights: Array, least: int) -> set[int]:
    """The places of a document that are new: first those that are so as a whole, then the shortest that hold a copy."""
    new: set[int] = set()
    told_of = np.zeros(len(weights), bool)
    counts = {number: int(np.count_nonzero(tokens.new[first:end])) for number, (first, end) in told.items()}
    for number, (first, end) in told.items():
        if end > first and counts[number] >= STILL * (end - first):
            new.add(number)
            told_of[first:end] = True
    for number in sorted(told, key=lambda number: told[number][1] - told[number][0]):
        first, end = told[number]
        if number in new or not counts[number]:
            continue
        left = ~told_of[first:end]
        share = np.count_nonzero(tokens.new[first:end] & left)
        longest = _longest(
            tokens.further[first:end] & left, np.where(tokens.copied & ~told_of, weights, 0)[first:end]
        )
        if share > max((1 - STILL) * (end - first), WINDOW) or longest >= least:
            new.add(number)
            told_of[first:end] = True
    return new


def _longest(windows: Array, weights: Array) -> int:
    """The weight of the tokens in the heaviest run of marked windows; windows with a gap between them are no run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], windows, [False]])))
    sums = np.concatenate([[0], np.cumsum(weights, dtype="i8")])
    ends = np.minimum(edges[1::2] + WINDOW - 1, len(weights))
    return int((sums[ends] - sums[edges[::2]]).max(initial=0))


def _further(
    plain: Sequence[int],
    places: Sequence[Occurrence],
    groups: Sequence[Group],
    status: Mapping[int, str],
    accepted: Accepted,
    lines: Lines,
) -> set[int]:
    """Of places that are alike, but with other words throughout, so that no window is shared: all but the oldest."""

    def age(number: int) -> int:
        return lines.age(places[number].path, places[number].line, places[number].end_line)

    unknown = {number for number in plain if number not in accepted.by}
    new: set[int] = set()
    for group in groups:
        left = [number for number in group.places if number in unknown]
        if len(left) == len(group.places) and not group.periodic:
            left.remove(min(left, key=age))
        new.update(left)
    return new


def _stale(
    entries: Sequence[Entry],
    accepted: Accepted,
    numbered: Mapping[Location, int],
    lost: Counter[tuple[int, int]],
) -> Iterator[int]:
    """Entries of whose words more than half are gone."""
    answering = set(accepted.by.values())
    for location, numbers in accepted.entries.items():
        for number in reversed(numbers if location not in accepted.settled else ()):
            if number in answering:
                continue
            windows = [(numbered[location], window) for window in decoded([entries[number].encoded]).tolist()]
            missing = [window for window in windows if lost[window] > 0]
            if 2 * len(missing) > len(windows):
                lost.subtract(missing)
                yield number
