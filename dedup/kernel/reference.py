"""The kernel in Python and NumPy: the specification, and the fallback where no compiler was at hand.

Every function is pure: flat arrays in, flat arrays out, the same bytes as the native kernel for any ``jobs``.
Documents stand end to end in ``tokens`` (uint32); document i is ``tokens[offsets[i]:offsets[i + 1]]``. The
documents' own order is the caller's; where a function speaks of pairs, the lower number comes first. How texts
become tokens is in :mod:`dedup.kernel.tokens`, how seeds become passages in :mod:`dedup.kernel.extents`.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from .extents import document_passages, lcs
from .tokens import U64, mix64, polynomials, weight

# The rest of the kernel, for this module and the native one to have the same functions.
from .tokens import Tokeniser as Tokeniser
from .tokens import locate as locate
from .tokens import tokenise as tokenise
from .types import LAST, NONE, Array, ContainedParameters, SeedIndex

# ---- documents -------------------------------------------------------------------------------------------------


def _documents(tokens: Array, offsets: Array) -> Iterator[Array]:
    for i in range(len(offsets) - 1):
        yield tokens[offsets[i] : offsets[i + 1]]


def _shingles(document: Array, ngram: int) -> Array:
    """Shingle hashes in order, repeats included; one for a text of up to ``ngram`` tokens, none for an empty one."""
    return mix64(polynomials(document, min(ngram, len(document)))) if len(document) else np.zeros(0, "u8")


def mix32(values: Array) -> Array:
    """MurmurHash3's 32-bit finaliser of uint32 values: datasketch's pre-mix for ``affine32``."""
    h: Array = values.astype("u4")
    h = (h ^ (h >> 16)) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * np.uint32(0xC2B2AE35)
    out: Array = h ^ (h >> 16)
    return out


def sign(
    tokens: Array,
    offsets: Array,
    ngram: int,
    multipliers: Array,
    increments: Array,
    lowest: int = 0,
    jobs: int = 0,
) -> tuple[Array, Array]:
    """Two sketches of each document: a MinHash signature and its smallest shingle hashes.

    Signatures are uint32 of shape (documents, permutations), all one bits for an empty document. The scheme is
    datasketch's ``affine32``: minima of ``multiplier · mix32(low half of the shingle) + increment`` modulo 2^32.
    Then the ``lowest`` smallest distinct shingle hashes, ascending, uint64 of shape (documents, ``lowest``),
    all one bits where there are fewer. (Broder 1997, "On the resemblance and containment of documents", for both
    ideas.)
    """
    count = len(offsets) - 1
    signatures = np.full((count, len(multipliers)), 0xFFFFFFFF, "u4")
    sketches = np.full((count, lowest), U64, "u8")
    for row, sketch, document in zip(signatures, sketches, _documents(tokens, offsets), strict=True):
        shingles = _shingles(document, ngram)
        hashes = mix32(shingles & np.uint64(0xFFFFFFFF))
        for at in range(0, len(hashes), 4096):  # bounds the memory of a long document
            values = hashes[at : at + 4096, None] * multipliers.astype("u4") + increments.astype("u4")
            np.minimum(row, values.min(axis=0), out=row)
        smallest = np.unique(shingles)[:lowest]
        sketch[: len(smallest)] = smallest
    return signatures, sketches


def shingles(tokens: Array, offsets: Array, ngram: int, jobs: int = 0) -> tuple[Array, Array]:
    """The distinct shingles of each document, ascending, end to end (uint64), and where each document's begin."""
    sets = [np.unique(_shingles(document, ngram)) for document in _documents(tokens, offsets)]
    counts = [0, *(len(s) for s in sets)]
    return np.concatenate([np.zeros(0, "u8"), *sets]), np.cumsum(counts).astype("i8")


def overlaps(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int = 0) -> Array:
    """For pairs of documents, int64 (n, 2): shared distinct shingles and both sets' sizes, int64 (n, 3)."""
    flat, at = shingles(tokens, offsets, ngram)
    rows = []
    for a, b in pairs.tolist():
        first, second = flat[at[a] : at[a + 1]], flat[at[b] : at[b + 1]]
        rows.append((len(np.intersect1d(first, second, assume_unique=True)), len(first), len(second)))
    return np.array(rows, "i8").reshape(-1, 3)


def explained(tokens: Array, offsets: Array, ngram: int, pairs: Array, jobs: int = 0) -> Array:
    """For pairs (kept, copy): True for each token of a copy that lies in a shingle which the kept one holds."""
    out = np.zeros(len(tokens), bool)
    for kept, copy in pairs.tolist():
        known = _shingles(tokens[offsets[kept] : offsets[kept + 1]], ngram)
        shared = np.isin(_shingles(tokens[offsets[copy] : offsets[copy + 1]], ngram), known)
        length = min(ngram, int(offsets[copy + 1] - offsets[copy]))
        for start in (np.flatnonzero(shared) + offsets[copy]).tolist():
            out[start : start + length] = True
    return out


def band_pairs(signatures: Array, bands: int, rows: int, bucket: int, jobs: int = 0) -> Array:
    """Pairs of documents that agree in all rows of a band, int64 (n, 2), ascending, each once.

    (Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, section 3.4.) A band's bucket of more than
    ``bucket`` documents gives no more than two pairs a document: with its first and with the one before.
    """
    pairs: set[tuple[int, int]] = set()
    for band in range(bands):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for document, row in enumerate(signatures[:, band * rows : (band + 1) * rows]):
            buckets[row.tobytes()].append(document)
        for members in buckets.values():
            for j in range(1, len(members)):
                near = range(j) if len(members) <= bucket else (0, j - 1)
                pairs.update((members[i], members[j]) for i in near)
    return np.array(sorted(pairs), "i8").reshape(-1, 2)


def contained_pairs(
    tokens: Array,
    offsets: Array,
    sketches: Array,
    sought: Array,
    parameters: ContainedParameters,
    jobs: int = 0,
) -> Array:
    """Pairs (longer, shorter) of documents, int64 (n, 2), ascending, in which the shorter may lie inside the longer.

    Documents stand longest first; those where ``sought`` is True are looked for in the ones before them. A
    sketch of a document's smallest shingle hashes (Broder's bottom-k, from :func:`sign`) is looked up in *all*
    shingles of the others, so that a short text in a long one is found however different their sizes.
    """
    documents = [_shingles(document, parameters.ngram) for document in _documents(tokens, offsets)]
    wanted = sought.astype(bool) & (np.diff(offsets) >= parameters.minimum)
    probes_of = {
        i: sketches[i][sketches[i] != np.uint64(U64)].tolist() for i in np.flatnonzero(wanted).tolist()
    }
    probes = {h for sketch in probes_of.values() for h in sketch}
    holders: dict[int, list[int]] = defaultdict(list)
    for i, document in enumerate(documents):
        for h in probes.intersection(document.tolist()):
            holders[h].append(i)
    pairs = []
    for i, sketch in probes_of.items():
        hits: dict[int, int] = defaultdict(int)
        for h in sketch:
            for holder in holders[h][: parameters.bucket]:
                hits[holder] += holder < i
        needed = min(parameters.needed, (len(sketch) + 1) // 2)
        pairs += [(holder, i) for holder, count in hits.items() if count >= needed]
    return np.array(sorted(pairs), "i8").reshape(-1, 2)


def sampled(tokens: Array, offsets: Array, ngram: int, pairs: Array, count: int, jobs: int = 0) -> Array:
    """For pairs (a, b) of documents how many of b's ``count`` smallest shingle hashes a has, and how many there are.

    Int64, (n, 2). The smallest hashes are a sample of b's distinct shingles (Broder's bottom-k).
    """
    flat, at = shingles(tokens, offsets, ngram)
    rows = []
    for a, b in pairs.tolist():
        sample = flat[at[b] : at[b + 1]][:count]
        rows.append((int(np.isin(sample, flat[at[a] : at[a + 1]]).sum()), len(sample)))
    return np.array(rows, "i8").reshape(-1, 2)


def places(tokens: Array, offsets: Array, ngram: int, sought: Array, jobs: int = 0) -> Array:
    """Where one of the ``sought`` shingles (uint64, distinct hashes of full shingles) stands, int64, ascending."""
    found = [np.zeros(0, "i8")]
    for start, document in zip(offsets.tolist(), _documents(tokens, offsets), strict=False):
        found.append(np.flatnonzero(np.isin(mix64(polynomials(document, ngram)), sought)) + start)
    return np.concatenate(found)


def recurrences(tokens: Array, spans: Array, bounds: Array, length: int, jobs: int = 0) -> Array:
    """How much of each span recurs in its group, int64: for all its shingles, how often each stands elsewhere there.

    ``spans`` int64 (n, 2) are starts and ends; group i is ``spans[bounds[i]:bounds[i + 1]]``; shingles have
    ``length`` tokens, and a shorter span is one shingle.
    """
    out = np.zeros(len(spans), "i8")
    for first, last in itertools.pairwise(bounds.tolist()):
        sets = [_shingles(tokens[start:end], length) for start, end in spans[first:last].tolist()]
        if sets:
            _, where, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
            owners = np.repeat(np.arange(last - first), [len(s) for s in sets])
            out[first:last] = np.bincount(owners, counts[where] - 1, last - first).astype("i8")
    return out


# ---- passages --------------------------------------------------------------------------------------------------

WINDOW = 8  # tokens that must repeat before a period is looked at
BRIDGED = 64  # the longest period that may be out of step once
DROP = 16  # by which a period's score may fall before it ends


def periods(tokens: Array, offsets: Array, minimum: int, jobs: int = 0) -> Array:
    """Periodic text, int64 (n, 4): document, start and end (places in ``tokens``), period in tokens.

    From ``start`` to ``end`` tokens equal those a period before, but for up to a third of them; there are at
    least three periods, and all but the first weigh at least ``minimum``. The last places of 4,096 windows are
    remembered: a longer period is an ordinary repeat.
    """
    out: list[tuple[int, int, int, int]] = []
    slots = mix64(polynomials(tokens, WINDOW)) >> np.uint64(52)
    flat = tokens.tolist()
    for document in range(len(offsets) - 1):
        out += _document_periods(
            flat, slots, document, (int(offsets[document]), int(offsets[document + 1])), minimum
        )
    return np.array(out, "i8").reshape(-1, 4)


def _document_periods(
    tokens: list[int], slots: Array, document: int, bounds: tuple[int, int], minimum: int
) -> list[tuple[int, int, int, int]]:
    begin, end = bounds
    out: list[tuple[int, int, int, int]] = []
    last: dict[int, int] = {}
    floor, i, seen = begin, begin, (0, 0)
    while i + WINDOW <= end:
        slot, here = int(slots[i]), i
        before = last.get(slot, -1)
        last[slot] = here
        i += 1
        period = here - before
        if before < floor or tokens[here : here + WINDOW] != tokens[before : before + WINDOW]:
            continue
        if period == seen[0] and here < seen[1]:
            continue
        e = _reach(tokens, range(here + WINDOW, end), -period)
        s = _reach(tokens, range(before - 1, floor - 1, -1), period) + 1
        if e - s >= 3 * period and weight(np.array(tokens[s + period : e], "u4")) >= minimum:
            out.append((document, s, e, period))
            floor = i = e
        else:
            seen = (period, e)
    return out


def _reach(tokens: list[int], places: range, shift: int) -> int:
    """The place up to which tokens go on to equal those ``shift`` away, with up to a third of them changed.

    A word more or less puts one period out of step: that much is borne.
    """
    best, score, top = places.start, 0, 0
    drop = DROP + 2 * min(abs(shift), BRIDGED)
    for i in places:
        if top - score > drop:
            break
        score += 1 if tokens[i] == tokens[i + shift] else -2
        if score > top:
            top, best = score, i + places.step
    return best


SHORTEST, LONGEST = 2, 8  # tokens of a seed
CONTEXT = 32  # tokens by which the places of a hot shingle are sorted


def seed_index(tokens: Array, offsets: Array, quiet: Array, cap: int, jobs: int = 0) -> SeedIndex:
    """Adaptive seeds: at each place where ``quiet`` is False the shortest run of 2 to 8 tokens that occurs at
    most ``cap`` times (after the adaptive seeds of LAST: Kiełbasa et al., Genome Research 21, 2011).

    Runs are compared by 40 bits of their hash. What occurs once posts nothing. Places that are still more
    frequent at 8 tokens are sorted by the tokens that follow and stand for their neighbours in that order.
    """
    ends = (
        offsets[np.searchsorted(offsets, np.arange(len(tokens)), side="right")]
        if len(tokens)
        else offsets[:0]
    )
    slots = np.full(len(tokens), NONE, "u4")
    members: list[int] = []
    hot: list[Array] = []
    starts = []
    active = np.flatnonzero(~quiet)
    for k in range(SHORTEST, LONGEST + 1):
        starts.append(len(members))
        active = active[active + k <= ends[active]]
        keys = (mix64(polynomials(tokens, k)) >> np.uint64(24))[active]
        order = np.argsort(keys, kind="stable")
        bounds = np.flatnonzero(np.diff(keys[order], prepend=np.uint64(U64), append=np.uint64(U64)))
        remaining: list[Array] = []
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            group = active[order[start:end]]
            if len(group) == 1:
                continue
            if len(group) <= cap:
                _post(group, members, slots)
            elif k < LONGEST:
                remaining.append(group)
            else:
                hot.append(_neighbours(tokens, ends, group))
        active = np.sort(np.concatenate(remaining)) if remaining else active[:0]
    starts.append(len(members))
    for group in hot:
        _post(group, members, slots)
    starts.append(len(members))
    return SeedIndex(np.array(members, "u4"), slots, np.array(starts, "u4"))


def _post(group: Array, members: list[int], slots: Array) -> None:
    slots[group] = np.arange(len(members), len(members) + len(group))
    members += group.tolist()
    members[-1] |= LAST


def _neighbours(tokens: Array, ends: Array, group: Array) -> Array:
    """Places in the order of the tokens that follow the shingle, so that those alike longest stand together."""

    def following(place: int) -> tuple[list[int], int]:
        return tokens[place + LONGEST : min(place + CONTEXT, int(ends[place]))].tolist(), place

    return np.array(sorted(group.tolist(), key=following))


def passages(
    tokens: Array,
    offsets: Array,
    families: Array,
    index: SeedIndex,
    similarity: float,
    minimum: int,
    jobs: int = 0,
) -> Array:
    """Verified passages, int64 (n, 7), by document, place: a's document, start, end, b's document, start, end,
    matched tokens.

    Starts and ends are places in ``tokens``; a stands before b. ``matched`` is the length of their longest
    common subsequence (of a very long passage, of its alignment in blocks), so that the similarity is
    2·matched/(lengths). Two documents of one family (int32, negative: none) are not compared. ``minimum`` is a
    weight, in eighths of a word.
    """
    flat, bounds, starts = tokens.tolist(), offsets.tolist(), index.starts.tolist()
    out: list[tuple[int, ...]] = []
    for a in range(len(bounds) - 1):
        seeds: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for place in range(bounds[a], bounds[a + 1]):
            slot = int(index.slots[place])
            if slot == NONE:
                continue
            k = min(bisect_right(starts, slot) + SHORTEST - 1, LONGEST)
            for partner in _partners(index.members, slot, starts[-2]):
                b = bisect_right(bounds, partner) - 1
                if partner > place and (b == a or families[a] < 0 or families[a] != families[b]):
                    seeds[b].append((place, partner, k))
        for b in sorted(seeds):
            found = document_passages(
                flat,
                sorted(seeds[b]),
                (bounds[a], bounds[a + 1], bounds[b], bounds[b + 1]),
                similarity,
                minimum,
            )
            out += [(a, p[0], p[1], b, *p[2:]) for p in found]
    return np.array(out, "i8").reshape(-1, 7)


def _partners(members: Array, slot: int, hot: int) -> list[int]:
    """The places that a seed links the one in ``slot`` to: all later ones of its group, or both neighbours."""
    if slot >= hot:
        near = [int(members[slot - 1])] if slot > hot and not members[slot - 1] & LAST else []
        near += [int(members[slot + 1]) & ~LAST] if not members[slot] & LAST else []
        return near
    partners = []
    while not members[slot] & LAST:
        slot += 1
        partners.append(int(members[slot]) & ~LAST)
    return partners


def common(tokens: Array, spans: Array, jobs: int = 0) -> Array:
    """The length of the longest common subsequence of each pair of spans, int64 (n, 4): a start, a end, b start,
    b end."""
    rows = [lcs(tokens[s:e].tolist(), tokens[t:f].tolist()) for s, e, t, f in spans.tolist()]
    return np.array(rows, "i8")
