"""The texts that stay: each new text is compared with them, and stays with them or is a copy of one of them.

Enters: texts as tokens, block by block, the one to be preferred always before the other. Leaves: a
:class:`Verdict` for each. A text is called a copy only of one that stays, and only after it was itself compared
with that one by exact figures.

What is remembered are tokens, signatures and probes of the texts that stay, in memory: about 8 bytes a word. To
find what a block holds, all of it is gone through once; blocks that grow with it keep the time linear.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import band, kernel, sketch
from .kernel.types import Array, ContainedParameters

NEW, EXACT, NEAR, CONTAINED = "new", "exact", "near", "contained"

#: Rounds in which a text that is like a copy is compared with what that one is a copy of.
ROUNDS = 20


class Shape(NamedTuple):
    """What counts as a copy: the settings of the same names; ``contained`` is whether part of a text is one."""

    threshold: float = 0.8
    ngram: int = 5
    num_perm: int = 128
    seed: int = 1
    min_tokens: int = 12
    contained: bool = True


class Verdict(NamedTuple):
    """What a text is. ``twin`` is the number of the text that stays: its own where it is new.

    ``jaccard`` and ``containment`` (the share of this text's shingles that the twin holds) are exact, and 1 for a
    new text. ``holds`` are numbers of texts that stay and lie inside this new one, with their containment.
    """

    kind: str
    twin: int
    jaccard: float = 1.0
    containment: float = 1.0
    holds: tuple[tuple[int, float], ...] = ()


class _Figures(NamedTuple):
    """Exact figures of pairs (earlier, later), int64 (n, 2); ``inside``: the share of the later in the earlier."""

    pairs: Array
    jaccard: Array
    inside: Array
    around: Array


class Kept:
    """All texts that stay, numbered from 0 in the order in which they were judged."""

    def __init__(self, shape: Shape, jobs: int = 0) -> None:
        self._shape = shape
        self._jobs = jobs
        self._tokens = _Column("u4", ())
        self._offsets = _Column("i8", ())
        self._offsets.extend(np.zeros(1, "i8"))
        self._signatures = _Column("u4", (shape.num_perm,))
        self._probes = _Column("u8", (sketch.PROBES,))
        self._letters = _Column("i8", ())

    def __len__(self) -> int:
        return len(self._letters.values)

    def hold(self, tokens: Array, offsets: Array, letters: Array) -> None:
        """Takes texts that stay whatever they are; see :meth:`judge`."""
        self._take(tokens, offsets, letters)

    def judge(self, tokens: Array, offsets: Array, letters: Array) -> list[Verdict]:
        """Verdicts on a block of texts, in its order; those that are new stay from now on.

        ``tokens[offsets[i] : offsets[i + 1]]``, never empty, are those of text i. ``letters`` (int64) are equal for
        texts that are equal to the letter, and for no others. Time grows with the block and, 100 times slower,
        with all that stays.
        """
        before = len(self)
        self._take(tokens, offsets, letters)
        twins = self._twins(before)
        new = np.array([twin is None for twin in twins], bool)
        numbers = np.concatenate([np.arange(before), before + np.cumsum(new) - 1])
        holds = self._held(before, new) if self._shape.contained else {}
        told = numbers.tolist()
        verdicts = []
        for place, twin in enumerate(twins, before):
            if twin is None:
                inside = holds.get(place)
                held = tuple((told[i], share) for i, share in inside) if inside else ()
                verdicts.append(Verdict(NEW, told[place], holds=held))
            else:
                verdicts.append(twin._replace(twin=told[twin.twin]))
        self._leave(before, new)
        return verdicts

    def _take(self, tokens: Array, offsets: Array, letters: Array) -> None:
        """Puts the block behind the texts that stay, so that all stand in one array."""
        shape = self._shape
        signatures, probes = sketch.sign(tokens, offsets, shape.ngram, shape.num_perm, shape.seed, self._jobs)
        self._offsets.extend(offsets[1:] + len(self._tokens.values))
        self._tokens.extend(tokens)
        self._signatures.extend(signatures.values)
        self._probes.extend(probes)
        self._letters.extend(letters)

    def _leave(self, before: int, new: Array) -> None:
        """Takes out of the block what does not stay."""
        bounds = self._offsets.values[before:]
        lengths = np.diff(bounds)
        self._tokens.move([(int(bounds[i]), int(bounds[j])) for i, j in _runs(new)], int(bounds[0]))
        for column in (self._signatures, self._probes, self._letters):
            column.keep(before, new)
        self._offsets.cut(before + 1)
        self._offsets.extend(self._offsets.values[-1] + np.cumsum(lengths[new]))

    def _twins(self, before: int) -> list[Verdict | None]:
        """For each text of the block what it is a copy of, as a place, or None."""
        candidates = self._candidates(before)
        figures = self._figures(candidates)
        known = set(map(tuple, candidates.tolist()))
        for _ in range(ROUNDS):
            twins, links = self._decided(before, figures)
            fresh = sorted(links - known)
            if not fresh:
                break
            known.update(fresh)
            figures = _Figures(
                *(
                    np.concatenate(both)
                    for both in zip(figures, self._figures(np.array(fresh, "i8")), strict=True)
                )
            )
        return twins

    def _candidates(self, before: int) -> Array:
        """Pairs (earlier, later), the later in the block, each once."""
        shape, jobs = self._shape, self._jobs
        near = band.near_pairs(self._signatures.values, shape.threshold, jobs)
        near = near[near[:, 1] >= before]
        if not shape.contained:
            return near
        sought = np.arange(len(self)) >= before
        inside = band.contained_pairs(
            self._tokens.values, self._offsets.values, self._probes.values, sought,
            ContainedParameters(shape.ngram, shape.min_tokens), shape.threshold, jobs,
        )  # fmt: skip
        keys = np.unique(np.concatenate([near, inside]) @ np.array([1 << 32, 1]))
        return np.stack([keys >> 32, keys & 0xFFFFFFFF], 1)

    def _figures(self, pairs: Array) -> _Figures:
        shared, first, second = kernel.overlaps(
            self._tokens.values, self._offsets.values, self._shape.ngram, pairs, self._jobs
        ).T
        return _Figures(pairs, shared / (first + second - shared), shared / second, shared / first)

    def _decided(self, before: int, figures: _Figures) -> tuple[list[Verdict | None], set[tuple[int, int]]]:
        """Each text's twin, by the figures there are, and pairs that are still to be compared.

        Taken in order, a text is a copy of the one that stays and is most like it. One that is like a copy only
        must be compared with what that is a copy of.
        """
        shape = self._shape
        good = figures.jaccard >= shape.threshold
        if shape.contained:
            is_long = np.diff(self._offsets.values)[figures.pairs[:, 1]] >= shape.min_tokens
            good |= (figures.inside >= shape.threshold) & is_long
        order = np.flatnonzero(good)
        order = order[np.lexsort((figures.pairs[order, 0], figures.pairs[order, 1]))]
        rows = zip(*(column[order].tolist() for column in figures), strict=True)
        letters = self._letters.values
        twins: list[Verdict | None] = [None] * (len(self) - before)
        links: set[tuple[int, int]] = set()
        best: dict[int, tuple[tuple[int, float, float, int], Verdict]] = {}
        likeness: dict[int, list[int]] = {}
        last = -1

        def settle(later: int) -> None:
            if later in best:
                twins[later - before] = best[later][1]
            else:
                links.update((place, later) for place in likeness.get(later, ()))

        for (earlier, later), jaccard, inside, _ in rows:
            if later != last and last >= 0:
                settle(last)
            last = later
            other = twins[earlier - before] if earlier >= before else None
            if other is not None:
                likeness.setdefault(later, []).append(other.twin)
                continue
            is_near = jaccard >= shape.threshold
            same = is_near and jaccard == 1.0 and bool(letters[earlier] == letters[later])
            kind = EXACT if same else NEAR if is_near else CONTAINED
            rank = (2 * same + is_near, jaccard if is_near else inside, inside, -earlier)
            if later not in best or rank > best[later][0]:
                best[later] = rank, Verdict(kind, earlier, jaccard, inside)
        if last >= 0:
            settle(last)
        return twins, links

    def _held(self, before: int, new: Array) -> dict[int, list[tuple[int, float]]]:
        """Texts that stay and lie inside a later one of the block that stays, by that one's place."""
        shape, jobs = self._shape, self._jobs
        places = before + np.flatnonzero(new)
        if not len(places):
            return {}
        # The block stands first and is searched; behind it all texts once more, without tokens, as those sought.
        tokens = self._tokens.values[self._offsets.values[before] :]
        offsets = self._offsets.values[before:] - self._offsets.values[before]
        lengths = np.diff(self._offsets.values)
        stays = np.concatenate([np.ones(before, bool), new])
        sought = np.concatenate([np.zeros(len(new), bool), stays & (lengths >= shape.min_tokens)])
        found = band.contained_pairs(
            tokens,
            np.concatenate([offsets, np.full(len(self), offsets[-1])]),
            np.concatenate([self._probes.values[before:], self._probes.values]),
            sought,
            ContainedParameters(shape.ngram, 0),
            0.0,
            jobs,
        )
        holders, held = found[:, 0] + before, found[:, 1] - len(new)
        wanted = (held < holders) & stays[holders]
        figures = self._figures(np.stack([held[wanted], holders[wanted]], 1))
        inside: dict[int, list[tuple[int, float]]] = {}
        for (earlier, later), share in zip(figures.pairs.tolist(), figures.around.tolist(), strict=True):
            if share >= shape.threshold:
                inside.setdefault(later, []).append((earlier, share))
        return inside


def _runs(marks: Array) -> list[tuple[int, int]]:
    """Where marks stand in a row: from where to where."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype("i1")))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


class _Column:
    """An array that grows at its end; ``values`` is a view that the next change makes invalid."""

    def __init__(self, dtype: str, row: tuple[int, ...]) -> None:
        self._room = np.empty((16, *row), dtype)
        self._used = 0

    @property
    def values(self) -> Array:
        return self._room[: self._used]

    def extend(self, more: Array) -> None:
        need = self._used + len(more)
        if need > len(self._room):
            # In place where the system can: two of these at a time might be too much.
            self._room.resize((max(need, len(self._room) * 5 // 4), *self._room.shape[1:]), refcheck=False)
        self._room[self._used : need] = more
        self._used = need

    def cut(self, length: int) -> None:
        self._used = length

    def move(self, parts: list[tuple[int, int]], to: int) -> None:
        """Of the values from ``to`` on, only those parts, which stand in order; moved, since they may be very many."""
        for start, end in parts:
            if start != to:
                self._room[to : to + end - start] = self._room[start:end]
            to += end - start
        self._used = to

    def keep(self, start: int, stays: Array) -> None:
        """Of the values from ``start`` on, only those marked."""
        left = self.values[start:][stays]
        self._used = start + len(left)
        self._room[start : self._used] = left
