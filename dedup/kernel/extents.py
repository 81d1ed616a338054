"""From the seeds of two documents to the passages they share: the reference for ``extents.cpp``.

Enters: seeds ``(a, b, k)`` of one pair of documents, places in the flat token array, ascending. Leaves:
passages ``(a start, a end, b start, b end, matched)``. Chains as in minimap2 (Li, Bioinformatics 34,
2018, section 2.1) with several chains a pair in any order; ends by a banded x-drop alignment (Zhang et al.,
J. Comput. Biol. 7, 2000).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from .types import CHARACTER_WEIGHT, WORD_WEIGHT

# How each constant was chosen: docs/algorithm.md, "Constants".
GAP = 30  # tokens between neighbours of a chain
DRIFT = 24  # by which their distances may differ in the two texts
COMPANY = 3  # seeds that must stand within GAP tokens
LOOK_BACK = 64  # predecessors tried for a seed, neighbours tried for a passage
BAND = 8  # of an extension: a wider one lets common words align for ever
REACH = 512  # tokens an extension may take: longer matches have seeds on their way
X_DROP = 16  # in half points; match +2, mismatch and indel by Costs
OVERLAP = 8  # by which neighbours in line may overlap and still be joined
WHOLE = 4096  # spans up to this are aligned whole, longer ones block by block
BLOCK = 2048

Seed = tuple[int, int, int]


class Costs(NamedTuple):
    """What an extension pays, in half points."""

    mismatch: int
    indel: int


ORDINARY, STRICT = Costs(2, 1), Costs(4, 2)


class Region(NamedTuple):
    """Two spans and how many of their tokens are aligned."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    matched: int = 0

    @property
    def small(self) -> bool:
        return self.a_end - self.a_start <= WHOLE and self.b_end - self.b_start <= WHOLE

    @property
    def similarity(self) -> float:
        return 2.0 * self.matched / (self.a_end - self.a_start + self.b_end - self.b_start)


def lcs(a: list[int], b: list[int]) -> int:
    """Length of the longest common subsequence, bit-parallel on one long integer (Hyyrö 2004)."""
    masks: dict[int, int] = {}
    for i, token in enumerate(a):
        masks[token] = masks.get(token, 0) | 1 << i
    full = (1 << len(a)) - 1
    state = full
    for token in b:
        u = state & masks.get(token, 0)
        state = ((state + u) | (state - u)) & full
    return len(a) - state.bit_count()


def extend(a: list[int], b: list[int], costs: Costs) -> tuple[int, int, int]:
    """Tokens of a and of b that a banded x-drop alignment from their beginning takes, and how many it matches."""
    dead = -(1 << 40)
    scores = {j: (-costs.indel * j, 0) for j in range(min(BAND, len(b)) + 1)}
    best, top = (0, 0, 0), 0
    for i in range(1, len(a) + 1):
        floor = top - X_DROP
        row: dict[int, tuple[int, int]] = {}
        for j in range(max(0, i - BAND), min(len(b), i + BAND) + 1):
            value, matched = dead, 0
            if j and j - 1 in scores:
                equal = a[i - 1] == b[j - 1]
                before, matches = scores[j - 1]
                value, matched = before + (2 if equal else -costs.mismatch), matches + equal
            for other in (scores.get(j), row.get(j - 1)):
                if other is not None and other[0] - costs.indel > value:
                    value, matched = other[0] - costs.indel, other[1]
            if value < floor:
                continue
            row[j] = (value, matched)
            if value > top:
                top, best = value, (i, j, matched)
        if not row:
            break
        scores = row
    return best


def chains(seeds: list[Seed]) -> list[list[Seed]]:
    """Chains of seeds by dynamic programming, best end first; a seed belongs to one chain."""
    scores: list[int] = []
    before: list[int] = []
    for i, (a, b, k) in enumerate(seeds):
        score, link = 2 * k, -1
        for j in range(i - 1, max(i - LOOK_BACK, 0) - 1, -1):
            da, db = a - seeds[j][0], b - seeds[j][1]
            if da > GAP:
                break
            if da <= 0 or db <= 0 or db > GAP or abs(da - db) > DRIFT:
                continue
            value = scores[j] + 2 * min(k, da, db) - abs(da - db)
            if value > score:
                score, link = value, j
        scores.append(score)
        before.append(link)
    used = [False] * len(seeds)
    out = []
    for end in sorted(range(len(seeds)), key=lambda i: (-scores[i], i)):
        chain, i = [], end
        while i >= 0 and not used[i]:
            used[i] = True
            chain.append(seeds[i])
            i = before[i]
        if len(chain) >= COMPANY:
            out.append(chain[::-1])
    return out


def apart(chain: list[Seed]) -> tuple[int, int]:
    """Of a chain within one text, the seeds whose spans stay apart: most of those that begin before the chain
    meets its own second span."""

    def reach(end: int, b: int) -> int:
        while end < len(chain) and chain[end][0] + chain[end][2] <= b:
            end += 1
        return end

    first, last = 0, reach(0, chain[0][1])
    end, limit = last, last
    for i in range(1, limit):
        if end == len(chain):
            break
        end = reach(end, chain[i][1])
        if end - i > last - first:
            first, last = i, end
    return first, last


class Aligner:
    """The passages of one pair of documents; the same document twice for repeats within it."""

    def __init__(self, tokens: list[int], bounds: tuple[int, int, int, int], similarity: float, minimum: int):
        self.tokens = tokens
        self.a_begin, self.a_end, self.b_begin, self.b_end = bounds
        self.within = self.a_begin == self.b_begin
        self.similarity = similarity
        self.minimum = minimum

    def settle(self, chain: list[Seed]) -> list[Region]:
        """The extent of a chain, or of the parts that it has to be cut into."""
        found, parts = [], [chain]
        while parts:
            part = parts.pop()
            if not any(part[i + COMPANY - 1][0] - part[i][0] <= GAP for i in range(len(part) - COMPANY + 1)):
                continue
            best, end = self.worth(part)
            if end - best < len(part):
                parts += [part[end:], part[best:end], part[:best]]
                continue
            if self.within:  # a passage never reaches into its own second span
                first, last = apart(part)
                if last - first < len(part):
                    parts += [part[max(last, first + 1) :], part[first:last], part[:first]]
                    continue
            done, passage = self.accept(part)
            if passage is not None:
                found.append(passage)
            if not done:
                gaps = [max(y[0] - x[0], y[1] - x[1]) for x, y in itertools.pairwise(part)]
                split = gaps.index(max(gaps)) + 1
                parts += [part[split:], part[:split]]
        return found

    def worth(self, chain: list[Seed]) -> tuple[int, int]:
        """The run of seeds with the highest score: 2 for a matched token, -1 for one that is not.

        An end of the chain that costs more than it brings is not part of the passage.
        """
        total = lowest = start = best = 0
        top, end = -1, len(chain)
        for i, seed in enumerate(chain):
            total += self.link(chain[i - 1], seed) if i else 0
            if total < lowest:
                lowest, start = total, i
            if total + 2 * seed[2] - lowest >= top:
                top, best, end = total + 2 * seed[2] - lowest, start, i + 1
        return best, end

    def link(self, x: Seed, y: Seed) -> int:
        """What the step from one seed to the next is worth."""
        da, db = y[0] - x[0], y[1] - x[1]
        matched = min(x[2], da, db)
        if da != db or da > x[2]:
            matched += self.lcs(x[0] + matched, y[0], x[1] + matched, y[1])
        return 3 * matched - max(da, db)

    def accept(self, chain: list[Seed]) -> tuple[bool, Region | None]:
        """Tries the extents from the widest to the bare chain; done where one holds or the widest is too short."""
        for attempt, costs in enumerate((ORDINARY, STRICT, None)):
            region = self.extended(chain, costs) if costs else self.bare(chain)
            if not (self.heavy(region.a_start, region.a_end) and self.heavy(region.b_start, region.b_end)):
                if attempt == 0:
                    return True, None
                continue
            if region.similarity >= self.similarity:
                return True, self.trim(region)
        return False, None

    def heavy(self, start: int, end: int) -> bool:
        """Whether a span weighs enough to be reported."""
        weights = (CHARACTER_WEIGHT if token & 1 else WORD_WEIGHT for token in self.tokens[start:end])
        return sum(weights) >= self.minimum

    def bare(self, chain: list[Seed]) -> Region:
        (a_start, b_start, _), (a, b, k) = chain[0], chain[-1]
        a_end = min(a + k, b_start) if self.within else a + k
        region = Region(a_start, a_end, b_start, b + k)
        return region._replace(matched=self.inner(chain, region))

    def inner(self, chain: list[Seed], region: Region) -> int:
        """LCS of a bare chain; of a long one block by block, cut where a seed begins."""
        a, b, matched = region.a_start, region.b_start, 0
        if not region.small:
            for x, y, _ in chain:
                if x - a >= BLOCK or y - b >= BLOCK:
                    matched += self.lcs(a, x, b, y)
                    a, b = x, y
        return matched + self.lcs(a, region.a_end, b, region.b_end)

    def lcs(self, a_start: int, a_end: int, b_start: int, b_end: int) -> int:
        return lcs(self.tokens[a_start:a_end], self.tokens[b_start:b_end])

    def extended(self, chain: list[Seed], costs: Costs) -> Region:
        core, t = self.bare(chain), self.tokens
        b_floor = core.a_end if self.within else self.b_begin
        a_from, b_from = max(self.a_begin, core.a_start - REACH), max(b_floor, core.b_start - REACH)
        left = extend(t[a_from : core.a_start][::-1], t[b_from : core.b_start][::-1], costs)
        a_start, b_start = core.a_start - left[0], core.b_start - left[1]
        a_ceiling = b_start if self.within else self.a_end
        a_to, b_to = min(a_ceiling, core.a_end + REACH), min(self.b_end, core.b_end + REACH)
        right = extend(t[core.a_end : a_to], t[core.b_end : b_to], costs)
        region = Region(a_start, core.a_end + right[0], b_start, core.b_end + right[1])
        if region.small:
            return region._replace(matched=self.lcs(*region[:4]))
        return region._replace(matched=core.matched + left[2] + right[2])

    def trim(self, region: Region) -> Region:
        """Where all of a passage but one end is identical, drops that end if it is less alike than a passage must
        be and not a mere insertion."""
        a, b = self.tokens[region.a_start : region.a_end], self.tokens[region.b_start : region.b_end]
        head, tail = _same(a, b), _same(a[::-1], b[::-1])
        if max(head, tail) == min(len(a), len(b)):
            return region
        if self.poor(region, tail) and self.heavy(region.a_end - tail, region.a_end):
            return Region(region.a_end - tail, region.a_end, region.b_end - tail, region.b_end, tail)
        if self.poor(region, head) and self.heavy(region.a_start, region.a_start + head):
            return Region(region.a_start, region.a_start + head, region.b_start, region.b_start + head, head)
        return region

    def poor(self, region: Region, same: int) -> bool:
        """Whether what is left of a region without ``same`` identical tokens is no passage, and has words of its
        own on both sides."""
        a, b = region.a_end - region.a_start - same, region.b_end - region.b_start - same
        matched = region.matched - same
        return matched < min(a, b) and 2.0 * matched / (a + b) < self.similarity

    def join(self, found: list[Region]) -> list[Region]:
        """Joins neighbours in line where the whole is still alike enough."""
        out: list[Region] = []
        for new in found:
            joined = self.joined(out[-1], new) if out else None
            if joined:
                out[-1] = joined
            else:
                out.append(new)
        return out

    def joined(self, x: Region, y: Region) -> Region | None:
        a_gap, b_gap = y.a_start - x.a_end, y.b_start - x.b_end
        whole = Region(x.a_start, max(x.a_end, y.a_end), x.b_start, max(x.b_end, y.b_end))
        if not (-OVERLAP <= a_gap <= GAP and -OVERLAP <= b_gap <= GAP):
            return None
        if self.within and whole.a_end > whole.b_start:
            return None
        matched = self.lcs(*whole[:4]) if whole.small else x.matched + y.matched - max(0, -min(a_gap, b_gap))
        whole = whole._replace(matched=matched)
        return whole if whole.similarity >= self.similarity else None


def _same(a: list[int], b: list[int]) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def _inside(start: int, end: int, other_start: int, other_end: int) -> bool:
    return 5 * (min(end, other_end) - max(start, other_start)) >= 4 * (end - start)


def _shadows(x: Region, y: Region) -> bool:
    return _inside(x.a_start, x.a_end, y.a_start, y.a_end) and _inside(x.b_start, x.b_end, y.b_start, y.b_end)


def _place(r: Region) -> tuple[int, ...]:
    return r.a_start, r.b_start, r.a_end, r.b_end, -r.matched


def without_shadows(found: list[Region]) -> list[Region]:
    """Passages in order, without those that lie for four fifths of both their spans inside a longer one."""
    order = sorted(found, key=_place)
    dropped = [False] * len(order)
    for i, new in enumerate(order):
        for j in range(i - 1, max(i - LOOK_BACK, 0) - 1, -1):
            if dropped[i]:
                break
            if dropped[j]:
                continue
            old = order[j]
            longer = new.a_end - new.a_start > old.a_end - old.a_start
            if not longer and _shadows(new, old):
                dropped[i] = True
            elif longer and _shadows(old, new):
                dropped[j] = True
    return [f for f, gone in zip(order, dropped, strict=True) if not gone]


def document_passages(
    tokens: list[int], seeds: list[Seed], bounds: tuple[int, int, int, int], similarity: float, minimum: int
) -> list[Region]:
    """The passages of one pair of documents, from their seeds in order; ``bounds`` are both documents' ends."""
    if len(seeds) < COMPANY:
        return []
    aligner = Aligner(tokens, bounds, similarity, minimum)
    found = [passage for chain in chains(seeds) for passage in aligner.settle(chain)]
    return aligner.join(without_shadows(found))
