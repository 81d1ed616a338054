"""A third opinion on everything that the two kernels agree on: textbook code, slow, shares nothing with them.

Enters: the same texts and token arrays. Leaves: what should come out, computed from definitions: Unicode's by
name and category, sets for Jaccard, full matrices for alignments. Where an equality is asked for, forms are
given instead of hashes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence
from typing import NamedTuple

#: Beginnings of the names of letters in scripts that are written without spaces.
UNSPACED = (
    "CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC CLOSING MARK", "IDEOGRAPHIC NUMBER ZERO", "VERTICAL IDEOGRAPHIC ITERATION MARK", "MASU MARK",
    "HANGZHOU NUMERAL", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA", "VERTICAL KANA REPEAT",
    "THAI", "LAO", "MYANMAR", "KHMER",
)  # fmt: skip

#: Letters of the standard that are typed for an apostrophe.
APOSTROPHES = {
    "MODIFIER LETTER APOSTROPHE", "MODIFIER LETTER TURNED COMMA", "MODIFIER LETTER REVERSED COMMA",
    "MODIFIER LETTER RIGHT HALF RING", "MODIFIER LETTER LEFT HALF RING",
    "LATIN SMALL LETTER SALTILLO", "LATIN CAPITAL LETTER SALTILLO",
}  # fmt: skip

#: Vowels of Thai and Lao that are kept with the letter before them as if they were marks.
FOLLOWING = {
    "THAI CHARACTER SARA AA", "THAI CHARACTER SARA AM", "LAO VOWEL SIGN AA", "LAO VOWEL SIGN AM",
}  # fmt: skip

#: Code points that DerivedCoreProperties.txt calls Default_Ignorable_Code_Point and that are assigned.
IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0001, 0xE01EF),
)  # fmt: skip


class Token(NamedTuple):
    """A token: its place in the text, what it is compared by, and whether it is a character of an unspaced script."""

    start: int
    end: int
    form: str
    character: bool


def is_ignorable(char: str) -> bool:
    """Whether a character is invisible: a format control or default ignorable."""
    category = unicodedata.category(char)
    return category == "Cf" or (category != "Cn" and any(low <= ord(char) <= high for low, high in IGNORABLE))


def is_mark(char: str) -> bool:
    """Whether nothing but combining marks is left of a character in compatibility decomposition, or it follows."""
    if unicodedata.name(char, "") in FOLLOWING:
        return True
    decomposed = unicodedata.normalize("NFKD", char)
    return unicodedata.category(char).startswith("M") or {unicodedata.category(c)[0] for c in decomposed} == {
        "M"
    }


def is_letter(char: str) -> bool:
    """Whether a character can begin a token: letters and numbers, but for those that stand for an apostrophe."""
    if is_ignorable(char) or is_mark(char) or unicodedata.name(char, "") in APOSTROPHES:
        return False
    return unicodedata.category(char)[0] in "LN"


def is_unspaced(char: str) -> bool:
    """Whether a letter is written without spaces round its words."""
    named = unicodedata.name(char, "").startswith(UNSPACED)
    return named and (unicodedata.category(char)[0] == "L" or unicodedata.category(char) == "Nl")


def continues(char: str) -> bool:
    """Whether a character is kept with the letter before it, whatever that is."""
    return char != "\u200b" and (is_ignorable(char) or is_mark(char))


def form(token: str) -> str:
    """What a token is compared by: NFKC with case folded and invisible characters gone, until nothing changes."""
    while True:
        visible = "".join(c for c in token if not is_ignorable(c))
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", visible).casefold())
        if folded == token:
            return token
        token = folded


def tokens(text: str) -> list[Token]:
    """The tokens of a text, left to right.

    >>> [(t.start, t.end, t.form) for t in tokens("Ça, 日本")]
    [(0, 2, 'ça'), (4, 5, '日'), (5, 6, '本')]
    """
    found: list[Token] = []
    i = 0
    while i < len(text):
        start, first = i, text[i]
        i += 1
        if not is_letter(first):
            continue
        single = is_unspaced(first)
        while i < len(text) and (
            continues(text[i]) or (not single and is_letter(text[i]) and not is_unspaced(text[i]))
        ):
            i += 1
        found.append(Token(start, i, form(text[start:i]), single))
    return found


def weight(sequence: Sequence[int]) -> int:
    """Eighths of a word: 8 for a word, 5 for a character of an unspaced script (an odd hash)."""
    return sum(5 if token % 2 else 8 for token in sequence)


def shingles(sequence: Sequence[int], ngram: int) -> set[tuple[int, ...]]:
    """The distinct runs of ``ngram`` tokens; of a shorter text the text itself, of an empty one nothing."""
    size = min(ngram, len(sequence))
    return {tuple(sequence[i : i + size]) for i in range(len(sequence) - size + 1)} if size else set()


def lcs(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence, by the textbook's full matrix."""
    row = [0] * (len(b) + 1)
    for x in a:
        before, row = row, [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


def extension(
    a: Sequence[int], b: Sequence[int], costs: tuple[int, int], band: int, drop: int
) -> tuple[int, int, int]:
    """Where the best alignment from both beginnings ends, and its matches: all cells of the band, in full.

    A cell counts while it is no worse than ``drop`` below the best cell of the rows before it.
    """
    mismatch, indel = costs
    cells = {(0, j): (-indel * j, 0) for j in range(min(band, len(b)) + 1)}
    best, top = (0, 0, 0), 0
    for i in range(1, len(a) + 1):
        floor = top - drop
        for j in range(max(0, i - band), min(len(b), i + band) + 1):
            equal = j > 0 and a[i - 1] == b[j - 1]
            steps = [
                (cells[at][0] + gain, -rank, cells[at][1] + (equal and rank == 0))
                for rank, (at, gain) in enumerate(
                    [((i - 1, j - 1), 2 if equal else -mismatch), ((i - 1, j), -indel), ((i, j - 1), -indel)]
                )
                if at in cells
            ]
            if not steps or max(steps)[0] < floor:
                continue
            value, _, matched = max(steps)
            cells[i, j] = (value, matched)
            if value > top:
                top, best = value, (i, j, matched)
    return best
