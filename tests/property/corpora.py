"""Corpora for property tests: few words, so that everything repeats, and blocks that come again with edits.

Hypothesis draws a pool of blocks and, for each document, which blocks it takes and how each is edited. Bytes
stand for tokens: they are quick to draw and shrink well.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from dedup.kernel.types import Array

LONGEST_DOCUMENT = 200


class Corpus(NamedTuple):
    """Tokens end to end, and where each document begins."""

    tokens: Array
    offsets: Array

    @property
    def count(self) -> int:
        """Documents."""
        return len(self.offsets) - 1

    def document(self, index: int) -> list[int]:
        """The tokens of one document."""
        return self.tokens[self.offsets[index] : self.offsets[index + 1]].tolist()


def corpus(documents: list[list[int]]) -> Corpus:
    """A corpus of documents given as hashes."""
    flat = [token for document in documents for token in document]
    return Corpus(np.array(flat, "u4"), np.cumsum([0, *map(len, documents)]).astype("i8"))


def vocabulary(size: int, characters: bool) -> list[int]:
    """Token hashes that look like any others; each third one is a character where ``characters``."""
    return [i * 0x9E3779B1 % (1 << 31) * 2 + (characters and i % 3 == 0) for i in range(1, size + 1)]


def edited(block: bytes, percent: int, seed: int) -> bytes:
    """A block with about ``percent`` of its tokens replaced, left out, doubled or preceded by another."""
    dice = random.Random(seed)
    out = bytearray()
    for token in block:
        if dice.randrange(100) >= percent:
            out.append(token)
            continue
        other = dice.randrange(256)
        out += bytes(dice.choice([[other], [], [token, token], [other, token]]))
    return bytes(out)


@st.composite
def edited_copies(draw: st.DrawFn) -> Corpus:
    """Two to four copies of one block in a large vocabulary, heavily edited, torn apart by other words, moved."""
    words = vocabulary(256, draw(st.booleans()))
    dice = random.Random(draw(st.integers(0, 1 << 32)))
    base = dice.randbytes(draw(st.integers(10, 120)))
    documents = []
    for _ in range(draw(st.integers(2, 4))):
        copy = edited(base, draw(st.sampled_from([5, 20, 30, 40, 50])), dice.randrange(1 << 16))
        cut, torn = draw(st.integers(0, len(copy))), dice.randbytes(draw(st.integers(0, 45)))
        parts = [copy[:cut], torn, copy[cut:], dice.randbytes(draw(st.integers(0, 30)))]
        if draw(st.booleans()):
            dice.shuffle(parts)
        documents.append([words[token] for token in b"".join(parts)])
    return corpus(sorted(documents, key=len, reverse=True))


@st.composite
def corpora(draw: st.DrawFn, longest_block: int = 50) -> Corpus:
    """Up to eight documents of up to 200 tokens, the longest first as the kernel is given them."""
    words = vocabulary(draw(st.integers(1, 6) | st.integers(7, 256)), draw(st.booleans()))
    pool = draw(st.lists(st.binary(max_size=longest_block), min_size=1, max_size=4))
    part = st.tuples(
        st.integers(0, len(pool) - 1),
        st.sampled_from([0, 0, 5, 15, 30]),
        st.integers(0, 1 << 16),
        st.integers(1, 3) | st.just(30),
    )
    documents = []
    for parts in draw(st.lists(st.lists(part | st.binary(max_size=20), max_size=6), max_size=8)):
        text = b"".join(p if isinstance(p, bytes) else edited(pool[p[0]], p[1], p[2]) * p[3] for p in parts)
        documents.append([words[token % len(words)] for token in text[:LONGEST_DOCUMENT]])
    return corpus(sorted(documents, key=len, reverse=True))
