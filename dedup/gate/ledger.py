"""What stood where when it was accepted, word for word, against what stands there now.

Enters: texts with the places in them that repeat something, and the words that the baseline has accepted, by location
(a file, or a record in it). Leaves: for each token in such a place how it is accounted for: its words were accepted
there, or elsewhere and are gone from there, or nobody has accepted them and this is the copy that was there before; or
there is one copy more than before, and it is new.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from ..kernel.types import Array
from .words import BITS, WINDOW, Words, among, looked_up, ordinals

#: How a window is accounted for. COPIED: the text was there before, and this is another copy of it; GROWN: this text
#: and what it repeats are equally new.
NOTHING, HERE, ELSEWHERE, BEFORE, COPIED, GROWN = range(6)

_FOLLOWED = 1 << 10  # ways that words may have gone, each looked at: beyond that they tell nothing

Span = tuple[int, int]


class Text(NamedTuple):
    """A document: its location's number, its words, and spans of tokens that repeat something.

    ``silent`` spans are suppressed. What stands there or outside of all spans is never new, but may have been there
    before.
    """

    location: int
    words: Words
    spans: Sequence[Span]
    silent: Sequence[Span]


class Tokens(NamedTuple):
    """Which tokens of a text are accounted for how; ``further``: with which of them a further copy's window begins."""

    here: Array
    elsewhere: Array
    before: Array
    new: Array
    copied: Array
    further: Array


class Ledger:
    """Accounts for all texts together.

    ``age`` tells how much changed at each token of a text, by its number. Where it says nothing, nothing did.
    """

    def __init__(
        self,
        texts: Sequence[Text],
        allowed: Sequence[tuple[int, Array]],
        accepted: Callable[[], Array],
        age: Callable[[int], Array],
    ) -> None:
        """``allowed``: locations, and windows accepted there; ``accepted``: all windows that are, anywhere."""
        self._texts, self._age = texts, age
        sizes = [max(len(text.words.windows), WINDOW) for text in texts]
        self._bases = np.concatenate([[0], np.cumsum(sizes)]).astype("i8")
        total = int(self._bases[-1])
        self._windows = np.zeros(total, "i8")
        self._keys = np.zeros(total, "i8")
        self._counts, self._silent = np.zeros(total, bool), np.zeros(total, bool)
        for text, base in zip(texts, self._bases.tolist(), strict=False):
            self._enter(text, base)
        self._state = np.zeros(total, "u1")
        self._ages = np.ones(total, "u1")
        keys = [windows.astype("i8") | location << BITS for location, windows in allowed]
        self._allowed = np.unique(np.concatenate([np.zeros(0, "i8"), *keys]), return_counts=True)
        #: How often windows were accepted and stand in no place any more, by location and window.
        self.lost: Counter[tuple[int, int]] = Counter()
        self._gone: Counter[tuple[int, int]] = Counter()  # that are nowhere in their documents any more
        self._settle(accepted)

    def _enter(self, text: Text, base: int) -> None:
        windows = slice(base, base + len(text.words.windows))
        self._windows[windows] = text.words.windows
        self._keys[windows] = self._windows[windows] | text.location << BITS
        for marks, spans in ((self._counts, text.spans), (self._silent, text.silent)):
            for first, end in spans:
                within = text.words.within(first, end)
                marks[base + within.start : base + within.stop] = True
        self._counts[windows] &= ~self._silent[windows]

    def _settle(self, accepted: Callable[[], Array]) -> None:
        left = self._here()
        if len(left):
            for number, base in enumerate(self._bases[:-1].tolist()):
                found = self._age(number)
                self._ages[base : base + len(found)] = found
            left = self._here()
        self.lost = self._missing(self._counts | self._silent)
        self._gone = self._missing(self._windows > 0) if len(left) else Counter()
        left = self._moved(left)
        if len(left):
            self._new(left, accepted())

    def _here(self) -> Array:
        """Accounts for what was accepted where it stands, the least changed first; gives what is left.

        What stands outside of all spans counts, too: it is not new, but one of those that were accepted.
        """
        every = np.flatnonzero(self._windows > 0)
        order = every[np.lexsort((self._counts[every], self._ages[every], self._keys[every]))]
        keys = self._keys[order]
        is_here = ordinals(keys) < looked_up(keys, *self._allowed)
        counts = self._counts[order]
        self._state[order[counts & is_here]] = HERE
        self._state[order[counts & ~is_here]] = NOTHING
        return np.sort(order[counts & ~is_here])

    def _missing(self, chosen: Array) -> Counter[tuple[int, int]]:
        """How often windows were accepted and are not among the chosen ones."""
        keys, often = np.unique(self._keys[chosen], return_counts=True)
        missing = self._allowed[1] - looked_up(self._allowed[0], keys, often)
        pairs = zip(self._allowed[0].tolist(), missing.tolist(), strict=True)
        return Counter({(key >> BITS, key & (1 << BITS) - 1): count for key, count in pairs if count > 0})

    def _moved(self, left: Array) -> Array:
        """Accounts for what was accepted where it is gone; gives what is left.

        What changed least comes first: of two copies of what is gone, the earlier one is it. Then most words together.
        """
        wanted: defaultdict[int, defaultdict[tuple[int, int], list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        lost = {window for _, window in self._gone}
        for at in left[::-1].tolist() if lost else ():
            window = int(self._windows[at])
            if window in lost:
                wanted[window][int(self._ages[at]), int(self._keys[at]) >> BITS].append(at)
        by_window: defaultdict[int, list[int]] = defaultdict(list)
        for source, window in self._gone:
            if window in wanted:
                by_window[window].append(source)
        shared: defaultdict[tuple[tuple[int, int], int], list[int]] = defaultdict(list)
        for window, targets in wanted.items():
            if len(targets) * len(by_window[window]) <= _FOLLOWED:
                for way in product(targets, by_window[window]):
                    shared[way].append(window)
        for way in sorted(shared, key=lambda way: (way[0][0], -len(shared[way]), way)):
            target, source = way
            for window in shared[way]:
                self._move(window, source, wanted[window][target])
        for window, targets in wanted.items():
            for target, source in product(sorted(targets), by_window[window]):
                self._move(window, source, targets[target])
        still: Array = left[self._state[left] == NOTHING]
        return still

    def _move(self, window: int, source: int, found: list[int]) -> None:
        while found and self._gone[source, window] > 0:
            self._state[found.pop()] = ELSEWHERE
            self._gone[source, window] -= 1
            self.lost[source, window] -= 1

    def _new(self, left: Array, accepted: Array) -> None:
        """Tells further copies from those that were there before."""
        is_accepted = among(self._windows[left], accepted)
        is_changed = self._ages[left] > 1
        # Of what stands in unchanged lines and in changed ones, all of the former was there before.
        was_before = ~is_changed & among(self._windows[left], self._windows[left[is_changed]])
        self._state[left[is_accepted & ~was_before]] = COPIED
        others = np.flatnonzero(~self._counts & (self._windows > 0))
        others = others[~among(self._windows[others], accepted)]
        both = np.concatenate([left[~is_accepted], others])
        self._tell_apart(both)
        self._tell_apart(both)  # again: what is beside a further copy was copied with it
        self._state[left[was_before]] = BEFORE

    def _tell_apart(self, both: Array) -> None:
        """Of windows that nobody has accepted, the oldest was there before; the others are new."""
        order = np.lexsort(
            (both, self._beside(COPIED)[both], ~self._counts[both], self._ages[both], self._windows[both])
        )
        both = both[order]
        is_silent = ~self._counts[both]
        windows, ages = self._windows[both], self._ages[both]
        first = np.flatnonzero(ordinals(windows) == 0)
        sizes = np.diff(np.append(first, len(windows)))
        was_silent = np.repeat(is_silent[first], sizes)
        was_before = was_silent | (ages > np.repeat(ages[first], sizes))
        state = np.where(was_before, COPIED, GROWN)
        state[first] = np.where(sizes > 1, BEFORE, NOTHING)
        self._state[both[~is_silent]] = state[~is_silent]

    def _beside(self, state: int) -> Array:
        """Which tokens lie in a span of which some part has this state."""
        beside = np.zeros(len(self._state), bool)
        for text, base in zip(self._texts, self._bases.tolist(), strict=False):
            for first, end in text.spans:
                within = text.words.within(first, end)
                found = np.count_nonzero(self._state[base + within.start : base + within.stop] == state)
                if found > min((within.stop - within.start) / 5, 2 * WINDOW):
                    beside[base + first : base + end] = True
        return beside

    def tokens(self) -> list[Tokens]:
        """How the tokens of each text are accounted for.

        A token is new where it lies in new windows and in none that is old: an edited word makes its neighbours no
        copy.
        """
        covered = [self._covered(state) for state in (HERE, ELSEWHERE, BEFORE, COPIED, GROWN)]
        here, elsewhere, before, copied, grown = covered
        is_old = here | elsewhere | before
        every = (
            here, elsewhere, before, (copied | grown) & ~is_old, copied & ~is_old, self._state == COPIED,
        )  # fmt: skip
        return [
            Tokens(*(marks[base : base + len(text.words.windows)] for marks in every))
            for text, base in zip(self._texts, self._bases.tolist(), strict=False)
        ]

    def _covered(self, state: int) -> Array:
        marks = self._state == state
        covered: Array = marks.copy()
        for step in range(1, WINDOW):
            covered[step:] |= marks[:-step]
        return covered
