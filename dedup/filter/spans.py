"""Where a copy says the same as its twin: spans of both, in code points and in bytes of their texts as UTF-8."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import kernel, match

Pair = tuple[str, str]
Aligned = list[dict[str, int]]

#: Words between two runs of equal ones that are told as one span all the same.
GAP = 12


def whole(text: str) -> Aligned:
    """Of a text and one that is equal to the letter."""
    return [_span((0, len(text), 0, len(text)), _Bytes(text), _Bytes(text))]


def aligned(pairs: Iterable[Pair], jobs: int = 0) -> Iterator[Aligned]:
    """For each pair (copy, twin) the spans in order."""
    listed = list(pairs)
    tokens = kernel.tokenise([text for pair in listed for text in pair], spans=True, jobs=jobs)
    bounds = tokens.offsets.tolist()
    for i, (mine, other) in enumerate(listed):
        a, b = slice(bounds[2 * i], bounds[2 * i + 1]), slice(bounds[2 * i + 1], bounds[2 * i + 2])
        starts, ends = tokens.starts[a], tokens.ends[a]
        twin_starts, twin_ends = tokens.starts[b], tokens.ends[b]
        sizes = _Bytes(mine), _Bytes(other)
        yield [
            _span((int(starts[s]), int(ends[e - 1]), int(twin_starts[ts]), int(twin_ends[te - 1])), *sizes)
            for s, e, ts, te in match.aligned(tokens.hashes[a], tokens.hashes[b], GAP)
        ]


class _Bytes:
    """Where code points of a text stand in its UTF-8; fastest if asked in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._is_ascii = text.isascii()
        self._at = self._count = 0

    def before(self, place: int) -> int:
        if self._is_ascii:
            return place
        if place < self._at:
            self._at = self._count = 0
        self._count += len(self._text[self._at : place].encode("utf-8", "surrogatepass"))
        self._at = place
        return self._count


def _span(place: tuple[int, int, int, int], mine: _Bytes, twin: _Bytes) -> dict[str, int]:
    start, end, twin_start, twin_end = place
    return {
        "start": start,
        "end": end,
        "byte_start": mine.before(start),
        "byte_end": mine.before(end),
        "twin_start": twin_start,
        "twin_end": twin_end,
        "twin_byte_start": twin.before(twin_start),
        "twin_byte_end": twin.before(twin_end),
    }
