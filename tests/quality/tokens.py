"""A naive tokeniser with spans, written apart from the project's own: the scorer's yardstick.

Enters: a text. Leaves: its tokens, normalised, with their code-point spans; token hashes and shingles.
Why: a scorer that borrowed the scanner's tokens would share the scanner's mistakes. The rules are those of
the design: a token is a run of letters, marks and digits or, in scripts written without spaces, one character
with its marks; compared after NFKC and case folding.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

# Scripts written without spaces, whole blocks; what is no letter, digit or mark in them is still no token.
SINGLE_BLOCKS = (
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFD),  # Han
    (0x3041, 0x309F), (0x30A1, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F),  # kana
    (0x0E01, 0x0E4E), (0x0E80, 0x0ECF), (0x0EDC, 0x0EDF), (0x1780, 0x17DD),  # Thai, Lao, Khmer
    (0x1000, 0x103F), (0x1050, 0x108F), (0xA9E0, 0xA9EF), (0xAA60, 0xAA7F),  # Burmese
)  # fmt: skip
JOINERS = (0x200C, 0x200D)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text: normalised words and where each stands in the original, half open."""

    words: list[str]
    starts: Offsets
    ends: Offsets

    def __len__(self) -> int:
        return len(self.words)

    def inside(self, start: int, end: int) -> tuple[int, int]:
        """The token range [first, last) that touches the code points [start, end)."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left"))
        return first, max(first, last)


def is_single(character: str) -> bool:
    """Whether the character is a token by itself."""
    code = ord(character)
    return any(low <= code <= high for low, high in SINGLE_BLOCKS) and character.isalnum()


def character_class(codes: Iterable[int]) -> str:
    """The inside of a regular-expression class that holds just these code points (ascending)."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)


@lru_cache(maxsize=1)
def pattern() -> re.Pattern[str]:
    """The regular expression of a token, built from this Python's Unicode tables."""
    letters, singles, marks = [], [], []
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character)[0] == "M" or code in JOINERS:
            marks.append(code)
        elif is_single(character):
            singles.append(code)
        elif character.isalnum():
            letters.append(code)
    letter, single, mark = map(character_class, (letters, singles, marks))
    return re.compile(f"[{letter}][{letter}{mark}]*|[{single}][{mark}]*")


@lru_cache(maxsize=1 << 20)
def normalise(word: str) -> str:
    """NFKC and case folding, again until stable; joiners dropped."""
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
    return folded.replace("\u200c", "").replace("\u200d", "")


def tokenise(text: str) -> Tokens:
    """The tokens of a text."""
    words, starts, ends = [], [], []
    for match in pattern().finditer(text):
        words.append(normalise(match.group()))
        starts.append(match.start())
        ends.append(match.end())
    return Tokens(words, np.array(starts, np.int64), np.array(ends, np.int64))


@lru_cache(maxsize=1 << 20)
def word_hash(word: str) -> int:
    """64 bits that stand for a word."""
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def shingles(words: Sequence[str], length: int) -> Hashes:
    """One 64-bit hash for each run of ``length`` words, in order; a shorter text is one, an empty one none.

    Two different runs share a hash with probability 2**-64: counted as exact here.
    """
    hashes = np.array([word_hash(word) for word in words], np.uint64)
    if not len(hashes):
        return hashes
    length = min(length, len(hashes))
    runs = len(hashes) - length + 1
    mixed = np.zeros(runs, np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(length):
            mixed = (mixed ^ (mixed >> np.uint64(29))) * MULTIPLIER + hashes[offset : offset + runs]
    return mixed


def longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence (Hyyrö 2004): len(right) steps on len(left) bits."""
    masks: dict[str, int] = {}
    for position, word in enumerate(left):
        masks[word] = masks.get(word, 0) | 1 << position
    full = (1 << len(left)) - 1
    row = full
    for word in right:
        hits = row & masks.get(word, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(left) - row.bit_count()


def similarity(left: Sequence[str], right: Sequence[str]) -> float:
    """2·LCS/(a+b) over words: 1 for equal sequences, 0 for two without a word in common."""
    total = len(left) + len(right)
    return 2 * longest_common_subsequence(left, right) / total if total else 1.0
