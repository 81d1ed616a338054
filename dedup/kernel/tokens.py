"""From texts to tokens, and the hashes they are compared by: the reference for ``tokenise.cpp``.

Enters: texts, and what each code point means, from :mod:`dedup.kernel.characters`. Leaves: tokens as 31-bit hashes
with their class, and their places in the text. The hash of a run of tokens is made here too: tokens and texts,
shingles and seeds are all hashed by one polynomial.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .characters import CHARACTER, JOINER, MARK, SEPARATOR, folded, kind, ordered
from .types import CHARACTER_WEIGHT, WORD_WEIGHT, Array, Tokens

U64 = (1 << 64) - 1

#: Of the polynomial over tokens: odd, so that multiplication loses nothing modulo 2^64.
BASE = 0x9E3779B97F4A7C15


# ---- hashing ---------------------------------------------------------------------------------------------------


def mix64(values: Array) -> Array:
    """MurmurHash3's 64-bit finaliser of uint64 values: a bijection that spreads every bit."""
    h: Array = values.astype("u8")
    h = (h ^ (h >> 33)) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> 33)) * np.uint64(0xC4CEB9FE1A85EC53)
    out: Array = h ^ (h >> 33)
    return out


def polynomials(tokens: Array, length: int) -> Array:
    """The polynomial hash modulo 2^64 of every run of ``length`` tokens, in order (uint64)."""
    count = max(len(tokens) - length + 1, 0)
    h = np.zeros(count, "u8")
    for i in range(length):
        h = h * np.uint64(BASE) + tokens[i : i + count]
    return h


def polynomial(tokens: Array) -> int:
    """The polynomial hash of all tokens together."""
    h = 0
    for token in tokens.tolist():
        h = (h * BASE + token) & U64
    return h


# ---- tokens ----------------------------------------------------------------------------------------------------

_kinds: dict[str, int] = {}
_forms: dict[str, list[tuple[str, int]]] = {}
_hashes: dict[tuple[str, bool], int] = {}


def _kind(char: str) -> int:
    if char not in _kinds:
        _kinds[char] = kind(char)
    return _kinds[char]


def token_hash(token: str, character: bool) -> int:
    """The polynomial over the UTF-8 of the normalised form, eight bytes a term; 31 bits, and the class lowest."""
    key = (token, character)
    if key not in _hashes:
        for char in token:
            if char not in _forms:
                _forms[char] = folded(char)
        form = ordered([value for char in token for value in _forms[char]]).encode()
        h = 0
        for place in range(0, len(form), 8):
            h = (h * BASE + int.from_bytes(form[place : place + 8], "little")) & U64
        mixed = int(mix64(np.array([h], "u8"))[0])
        _hashes[key] = (mixed >> 32) & ~1 | character
    return _hashes[key]


def token_spans(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start, end and whether it is a character of an unspaced script, of every token of a text."""
    begin, character = -1, False
    for i, char in enumerate(text):
        class_ = _kind(char)
        if class_ == SEPARATOR:
            if begin >= 0:
                yield begin, i, character
            begin = -1
        elif class_ in (MARK, JOINER):
            continue
        elif begin < 0 or character or class_ == CHARACTER:
            if begin >= 0:
                yield begin, i, character
            begin, character = i, class_ == CHARACTER
    if begin >= 0:
        yield begin, len(text), character


class Tokeniser:
    """Turns texts into tokens, one lot after another; the native one does so on other threads meanwhile.

    First ``add`` as often as there is more, then ``finish``, then ``tokens``. Cost: linear in the characters.
    """

    def __init__(self, spans: bool = False, jobs: int = 0) -> None:
        self._spans = spans
        self._finished = False
        self._texts: list[
            list[tuple[int, int, int]]
        ] = []  # of each text the hash, start and end of its tokens

    def add(self, texts: Iterable[str]) -> None:
        """More texts, all or none of them. Raises TypeError for what is no string, ValueError after ``finish``."""
        if self._finished:
            raise ValueError("no text may come after finish()")
        texts = tuple(texts)  # gone through twice
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"text {number} is {type(text).__name__}, expected str")
        for text in texts:
            self._texts.append(
                [(token_hash(text[start:end], kind), start, end) for start, end, kind in token_spans(text)]
            )

    def finish(self) -> tuple[Array, Array]:
        """Of each text the number of tokens (int64) and a 64-bit hash of them all (uint64)."""
        self._finished = True
        counts = np.array([len(text) for text in self._texts], "i8")
        hashes = [polynomial(np.array([h for h, _, _ in text], "u4")) ^ len(text) for text in self._texts]
        return counts, mix64(np.array(hashes, "u8"))

    def tokens(self, order: Array) -> Tokens:
        """The tokens of the texts that ``order`` (int64) names, in that order.

        Raises IndexError for a text that there is not, ValueError before ``finish``.
        """
        if not self._finished:
            raise ValueError("finish() has not been called")
        if len(order) and order.min() < 0:
            raise IndexError("a place is out of range")
        chosen = [self._texts[i] for i in order.tolist()]
        flat = np.array([token for text in chosen for token in text], "u4").reshape(-1, 3)
        offsets = np.cumsum([0, *(len(text) for text in chosen)]).astype("i8")
        spans = flat if self._spans else flat[:0]
        return Tokens(flat[:, 0], offsets, spans[:, 1], spans[:, 2])


def tokenise(texts: Sequence[str], spans: bool = False, jobs: int = 0) -> Tokens:
    """Tokens of every text, with their places in it if ``spans``."""
    tokeniser = Tokeniser(spans, jobs)
    tokeniser.add(texts)
    counts, _ = tokeniser.finish()
    return tokeniser.tokens(np.arange(len(counts)))


def locate(texts: Sequence[str], bounds: Array, spans: Array, jobs: int = 0) -> Array:
    """Where spans of tokens stand in their texts, int64 (n, 4).

    Text i has the spans ``bounds[i]`` to ``bounds[i + 1]`` of ``spans``, int64 (n, 2): its first token and the
    end. Out come the start and the end in code points, and the lines, from 1, of the first and the last one.
    Raises IndexError for a span that is not there.
    """
    rows = []
    for text, first, last in zip(texts, bounds.tolist(), bounds.tolist()[1:], strict=False):
        tokens = list(token_spans(text))
        for begin, end in spans[first:last].tolist():
            if not 0 <= begin < end <= len(tokens):
                raise IndexError("a place is out of range")
            start, stop = tokens[begin][0], tokens[end - 1][1]
            lines = text.count("\n", 0, start) + 1, text.count("\n", 0, stop - 1) + 1
            rows.append((start, stop, *lines))
    return np.array(rows, "i8").reshape(-1, 4)


def weight(tokens: Array) -> int:
    """What tokens weigh, in eighths of a word."""
    characters = int((tokens & 1).sum())
    return (len(tokens) - characters) * WORD_WEIGHT + characters * CHARACTER_WEIGHT
