"""The text that corpora are made of: real articles first, then generated ones that repeat nothing.

In: a folder of corpora (``text/{en,de,fr}.jsonl.gz`` and a few ``*/docs.jsonl.gz``: JSON lines with a
``text``). Out: an endless iterator of article-sized texts, the same for the same seed.

Real text is cut at line ends into articles and each is used once, in shuffled order. When it is used up, a
first-order Markov chain over the same words goes on (one chain a language): every pair of neighbouring words
is taken from the real text, so the frequencies of words and word pairs stay natural, while longer runs are
new. Shuffling whole sentences instead would repeat every sentence several times over in a large corpus, and
each repeat would be a true finding. Without a folder, words of invented syllables are drawn from a Zipf law.

Chinese, Japanese and Khmer are left out: the exact truth counts word 5-grams, and the libraries compared
split on spaces or word boundaries, so those scripts would measure the tokenisers.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MEDIAN_CHARS = 3_300  # lognormal with SPREAD: a mean of about 3.75 kB in UTF-8
SPREAD = 0.45
SHORTEST, LONGEST = 400, 12_000
CHAINS, STEPS = 2_048, 1_024  # one batch of generated text: about 12 MB
SENTENCES_PER_PARAGRAPH = 5

# File inside the folder, and the language of records that name none.
SOURCES = (
    ("text/en.jsonl.gz", "en"),
    ("text/de.jsonl.gz", "de"),
    ("text/fr.jsonl.gz", "fr"),
    ("news_multilingual/docs.jsonl.gz", ""),
    ("pan13_train/docs.jsonl.gz", "en"),
    ("judged_pairs/docs.jsonl.gz", "en"),
)
LANGUAGES = ("en", "de", "fr", "es")

IntArray = NDArray[np.int64]


class WordSource(Protocol):
    """Draws words, as indices into ``words``; ``ends[i]`` says that word ``i`` closes a sentence."""

    words: list[str]
    ends: NDArray[np.bool_]

    def draw(self, rng: np.random.Generator) -> IntArray:
        """A batch of word indices, in reading order."""


@dataclass
class MarkovWords:
    """The next word is one that follows the present word somewhere in the texts it was built from."""

    words: list[str]
    ends: NDArray[np.bool_]
    first: IntArray  # successors of word w: followers[first[w] : first[w + 1]]
    followers: NDArray[np.int32]

    @classmethod
    def of(cls, texts: list[str]) -> MarkovWords:
        """Count which word follows which; the end of one text is followed by the beginning of the next."""
        index: dict[str, int] = {}
        ids = np.concatenate([_indices(text, index) for text in texts])
        following = np.roll(ids, -1)
        order = np.argsort(ids, kind="stable")
        first = np.searchsorted(ids[order], np.arange(len(index) + 1))
        words = list(index)
        return cls(words, _sentence_ends(words), first, following[order])

    def draw(self, rng: np.random.Generator) -> IntArray:
        """CHAINS independent walks of STEPS words, one after another."""
        sizes = np.diff(self.first)
        walk = np.empty((STEPS, CHAINS), np.int64)
        closers = np.flatnonzero(self.ends)
        now = rng.choice(closers if closers.size else np.arange(len(self.words)), CHAINS)
        for step in range(STEPS):
            now = self.followers[self.first[now] + (rng.random(CHAINS) * sizes[now]).astype(np.int64)]
            walk[step] = now
        stream: IntArray = walk.T.ravel()
        return stream


@dataclass
class ZipfWords:
    """Words of invented syllables under a Zipf law: used where there is no real text."""

    words: list[str]
    ends: NDArray[np.bool_]
    cumulative: NDArray[np.float64]

    @classmethod
    def of(cls, rng: np.random.Generator, size: int = 60_000) -> ZipfWords:
        """``size`` words; each stands three times in ``words``: plain, closing and opening a sentence."""
        syllables = [c + v + e for c in "bdfgklmnprstvz" for v in "aeiou" for e in ("", "n", "r", "s")]
        plain: dict[str, None] = {}
        while len(plain) < size:
            parts = rng.integers(len(syllables), size=int(rng.integers(1, 5)))
            plain["".join(syllables[part] for part in parts)] = None
        weights = 1.0 / (np.arange(size) + 2.7)
        words = [*plain, *(word + "." for word in plain), *(word.capitalize() for word in plain)]
        return cls(words, _sentence_ends(words), np.cumsum(weights / weights.sum()))

    def draw(self, rng: np.random.Generator) -> IntArray:
        """As many words as a batch of the Markov source, in sentences of 17 words on average."""
        size, count = len(self.cumulative), CHAINS * STEPS
        ids = np.minimum(np.searchsorted(self.cumulative, rng.random(count)), size - 1)
        closing = rng.random(count) < 1 / 17
        opening = np.roll(closing, 1) & ~closing
        stream: IntArray = ids + size * closing + 2 * size * opening
        return stream


def articles(rng: np.random.Generator, data: Path | None) -> Iterator[str]:
    """Article-sized texts without end: real ones from ``data`` first, generated ones after them."""
    real = _read(data) if data else {}
    pieces = [piece for texts in real.values() for text in texts for piece in _cut(text, rng)]
    for place in rng.permutation(len(pieces)):
        yield pieces[place]
    sources: list[WordSource] = [MarkovWords.of(texts) for texts in real.values()] or [ZipfWords.of(rng)]
    sizes = np.array([sum(map(len, texts)) for texts in real.values()] or [1], float)
    while True:
        source = sources[int(rng.choice(len(sources), p=sizes / sizes.sum()))]
        yield from _spell(source, source.draw(rng), rng)


def _read(data: Path) -> dict[str, list[str]]:
    """Whole texts by language; a file that is not there is left out."""
    texts: dict[str, list[str]] = {}
    for name, language in SOURCES:
        if not (data / name).is_file():
            continue
        with gzip.open(data / name, "rb") as lines:
            for record in map(json.loads, lines):
                spoken = language or record["lang"]
                if spoken in LANGUAGES:
                    texts.setdefault(spoken, []).append(record["text"])
    return texts


def _cut(text: str, rng: np.random.Generator) -> Iterator[str]:
    """Pieces of a long text that end at a line end or a space; a text of article size stays whole."""
    if len(text) <= LONGEST:
        if len(text) >= SHORTEST:
            yield text
        return
    start = 0
    while len(text) - start >= SHORTEST:
        end = start + _length(rng)
        if end < len(text):
            line_end = text.rfind("\n", start + SHORTEST, end)
            space = text.rfind(" ", start + SHORTEST, end)
            end = next((place for place in (line_end, space) if place > 0), end)
        yield text[start:end].strip()
        start = end


def _length(rng: np.random.Generator) -> int:
    """The size of an article in characters."""
    return int(np.clip(rng.lognormal(np.log(MEDIAN_CHARS), SPREAD), 2 * SHORTEST, LONGEST))


def _spell(source: WordSource, ids: IntArray, rng: np.random.Generator) -> Iterator[str]:
    """Write a batch of word indices out as articles in paragraphs."""
    lengths = np.array([len(word) + 1 for word in source.words])
    ends = np.cumsum(lengths[ids])
    start = 0
    while True:
        stop = int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _length(rng)))
        if stop >= len(ids):
            return
        yield "\n\n".join(_paragraphs(source, ids[start:stop]))
        start = stop


def _paragraphs(source: WordSource, ids: IntArray) -> Iterator[str]:
    closing = np.flatnonzero(source.ends[ids])[SENTENCES_PER_PARAGRAPH - 1 :: SENTENCES_PER_PARAGRAPH] + 1
    words = [source.words[i] for i in ids.tolist()]
    places = [0, *closing.tolist(), len(words)]
    for start, stop in pairwise(places):
        if stop > start:
            yield " ".join(words[start:stop])


def _indices(text: str, index: dict[str, int]) -> NDArray[np.int32]:
    """The words of ``text`` as numbers; new words get the next number."""
    return np.array([index.setdefault(word, len(index)) for word in text.split()], np.int32)


def _sentence_ends(words: list[str]) -> NDArray[np.bool_]:
    return np.array([word.endswith((".", "!", "?", ".”", ".»", '."')) for word in words])
