"""What a code point means to the tokeniser: its class and its normalised form, from CPython's Unicode tables.

Both kernels read these tables, so that a rule about characters exists once. A table holds 256 code points
and is built when a text first needs it (0.3 ms each): most runs need three.

The normalised form of a token is the NFKD form of its characters, case-folded, without default ignorable
code points, in canonical order. Two tokens are equal in this form exactly if they are equal in NFKC after the
same folding (Unicode Standard Annex 15, section 1.2: both are normal forms of one equivalence), and the
decomposed form can be had character by character.
"""

from __future__ import annotations

import struct
import unicodedata
from array import array
from bisect import bisect_right
from typing import NamedTuple

SEPARATOR, WORD, CHARACTER, MARK, JOINER = range(5)

PAGE = 256
PAGES = 0x110000 // PAGE

#: Letters of the standard that people type for an apostrophe; they separate words as the apostrophe does.
APOSTROPHES = frozenset("\u02bb\u02bc\u02bd\u02be\u02bf\ua78b\ua78c")

#: Invisible, and yet a word boundary (Thai and Khmer are typed with it).
ZERO_WIDTH_SPACE = "\u200b"

#: Scripts written without spaces: each letter is a token of its own. Inclusive ranges of code points.
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3021, 0x3035),  # Hangzhou numerals, kana repeat marks
    (0x3038, 0x303C),
    (0x3041, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # Myanmar extended B
    (0xAA60, 0xAA7F),  # Myanmar extended A
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9D),  # half-width Katakana
    (0x1AFF0, 0x1B16F),  # kana extensions
    (0x20000, 0x3FFFD),  # Han extensions
)

#: The same as places where such a script begins and where it has ended, in turn.
_EDGES = [edge for low, high in UNSPACED for edge in (low, high + 1)]

#: Vowels of Thai and Lao that are letters to the standard and stand with the letter before them here: sara am is
#: one code point or two, a mark and sara aa, and both must be one token.
FOLLOWING = frozenset("\u0e32\u0e33\u0eb2\u0eb3")

#: Becomes a letter when case-folded, and must be put in order with the marks it stands among before that.
IOTA_SUBSCRIPT = "\u0345"

#: Default ignorable code points that are not of category Cf (DerivedCoreProperties.txt).
IGNORABLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
    + "".join(
        chr(c)
        for low, high in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
        for c in range(low, high + 1)
    )
)

#: One code point, eight bytes: ``value``, ``kind``, ``length``. The value is its normalised form (code point, combining
#: class in the top byte) where the length is 1, and where it is more the place of that many such values in the pool.
ENTRY = struct.Struct("=IBBxx")


def kind(char: str) -> int:
    """The class of a code point: SEPARATOR, WORD, CHARACTER, MARK or JOINER."""
    category = unicodedata.category(char)
    if char in APOSTROPHES or char == ZERO_WIDTH_SPACE:
        return SEPARATOR
    if category == "Cf" or char in IGNORABLE:
        return JOINER
    if category[0] in "PSZC":
        return SEPARATOR
    if char in FOLLOWING or category[0] == "M":
        return MARK
    if category == "Lm" and all(unicodedata.combining(c) for c in unicodedata.normalize("NFKD", char)):
        return MARK  # the half-width voicing marks of katakana
    if category[0] == "L" or category == "Nl":
        return CHARACTER if bisect_right(_EDGES, ord(char)) % 2 else WORD
    return WORD


def folded(char: str) -> list[tuple[str, int]]:
    """The normalised form of one code point that is part of a token, each code point of it with its combining
    class; empty for what is ignored."""
    if char.isascii():
        return [(char.lower(), 0)]
    whole = unicodedata.normalize("NFKD", char)
    if whole == char == char.casefold() and char not in IGNORABLE and unicodedata.category(char) != "Cf":
        return [(char, unicodedata.combining(char))]  # as most letters are
    form = []
    for part in whole:
        for c in unicodedata.normalize("NFKD", part.casefold()):
            class_ = unicodedata.combining(part if part == IOTA_SUBSCRIPT else c)
            form.append((c, class_))
    return [(c, class_) for c, class_ in form if unicodedata.category(c) != "Cf" and c not in IGNORABLE]


def ordered(values: list[tuple[str, int]]) -> str:
    """Code points in canonical order (The Unicode Standard, D109): marks between starters, by class, stable."""
    run = 0
    keys = []
    for _, class_ in values:
        run += class_ == 0
        keys.append((run, class_))
    return "".join(values[i][0] for i in sorted(range(len(values)), key=keys.__getitem__))


class Characters(NamedTuple):
    """The tables as buffers, page by page; never changed, so that a thread may read while another adds.

    ``pages`` (16 bits, one a page) is the page's place in ``entries``, 0 for a page not built yet;
    ``entries`` are ENTRY end to end, 256 a page; ``pool`` (32 bits) holds the longer normalised forms.
    """

    pages: array[int]
    entries: bytes
    pool: array[int]

    @classmethod
    def none(cls) -> Characters:
        """Tables without a page."""
        return cls(array("H", [0]) * PAGES, bytes(PAGE * ENTRY.size), array("I"))

    def with_pages(self, pages: list[int]) -> Characters:
        """These tables and the pages named (each 0 to 4,351)."""
        places, tables, pool = self.pages[:], [self.entries], self.pool[:]
        for page in pages:
            if not places[page]:
                places[page] = len(self.entries) // (PAGE * ENTRY.size) + len(tables) - 1
                tables.append(_page(page, pool))
        return Characters(places, b"".join(tables), pool)


def _page(page: int, pool: array[int]) -> bytes:
    table = []
    for code_point in range(page * PAGE, page * PAGE + PAGE):
        class_ = kind(chr(code_point))
        if class_ == SEPARATOR:
            table.append(ENTRY.pack(0, SEPARATOR, 0))
            continue
        values = [ord(c) | combining << 24 for c, combining in folded(chr(code_point))]
        value = values[0] if len(values) == 1 else len(pool)
        if len(values) > 1:
            pool.extend(values)
        table.append(ENTRY.pack(value, class_, len(values)))
    return b"".join(table)
