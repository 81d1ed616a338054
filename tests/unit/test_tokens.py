"""Tokens of every script, on both kernels: where they begin and end, and which ones are equal."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from dedup.kernel import characters
from tests import naive

ZWNJ, ZWJ, SOFT, ZWSP, BOM = "\u200c", "\u200d", "\u00ad", "\u200b", "\ufeff"


def words(kernel: ModuleType, text: str) -> list[str]:
    """The tokens of a text as they stand in it."""
    tokens = kernel.tokenise([text], spans=True)
    return [text[start:end] for start, end in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)]


def hashes(kernel: ModuleType, text: str) -> list[int]:
    """What the tokens of a text are compared by."""
    found: list[int] = kernel.tokenise([text]).hashes.tolist()
    return found


SPACED = {
    "english": ("The quick, brown fox!", ["The", "quick", "brown", "fox"]),
    "numbers": ("in 2024: 3.5 %", ["in", "2024", "3", "5"]),
    "letters and digits": ("B2B x86-64", ["B2B", "x86", "64"]),
    "french": ("L’été dernier où", ["L", "été", "dernier", "où"]),
    "german": ("Größe; Straße", ["Größe", "Straße"]),
    "russian": ("Ёлка — это", ["Ёлка", "это"]),
    "greek": ("Άλφα, βήτα", ["Άλφα", "βήτα"]),
    "korean": ("한국어 문장이다.", ["한국어", "문장이다"]),
    "hindi": ("हिन्दी में।", ["हिन्दी", "में"]),
    "hebrew": ("שלום עולם", ["שלום", "עולם"]),
    "arabic": ("مرحبا، بالعالم", ["مرحبا", "بالعالم"]),
    "tamil": ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
    "georgian": ("ქართული ენა", ["ქართული", "ენა"]),
    "amharic": ("ሰላም፡ዓለም", ["ሰላም", "ዓለም"]),
    "astral": ("𐐀𐐁 𐐂", ["𐐀𐐁", "𐐂"]),
    "underscores and slashes": ("a_b/c\\d|e", ["a", "b", "c", "d", "e"]),
}


@pytest.mark.parametrize(("text", "expected"), SPACED.values(), ids=SPACED)
def test_spaced_scripts_are_cut_at_words(kernel: ModuleType, text: str, expected: list[str]) -> None:
    assert words(kernel, text) == expected


UNSPACED = {
    "chinese": ("北京，2024年", ["北", "京", "2024", "年"]),
    "japanese": ("カナとかな", ["カ", "ナ", "と", "か", "な"]),
    "iteration marks": ("人々〇", ["人", "々", "〇"]),
    "prolonged sound": ("スープ", ["ス", "ー", "プ"]),
    "thai": ("ที่นี่", ["ที่", "นี่"]),
    "thai, sara aa and sara am": ("มาทำไม", ["มา", "ทำ", "ไ", "ม"]),
    "lao": ("ນ້ຳລາວ", ["ນ້ຳ", "ລາ", "ວ"]),
    "khmer": ("ភាសា", ["ភា", "សា"]),
    "khmer, letter below": ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
    "burmese": ("မြန်မာ", ["မြ", "န်", "မာ"]),
    "beyond the first plane": ("𠀀𠀁", ["𠀀", "𠀁"]),
    "between latin words": ("iPhone手机case", ["iPhone", "手", "机", "case"]),
    "half-width": ("ｶﾞｷﾞ", ["ｶﾞ", "ｷﾞ"]),
}


@pytest.mark.parametrize(("text", "expected"), UNSPACED.values(), ids=UNSPACED)
def test_unspaced_scripts_are_cut_at_characters(kernel: ModuleType, text: str, expected: list[str]) -> None:
    assert words(kernel, text) == expected


def test_the_lowest_bit_tells_a_character_from_a_word(kernel: ModuleType) -> None:
    assert [value & 1 for value in hashes(kernel, "word 字 ก ｶ 7 한 ម")] == [0, 1, 1, 1, 0, 0, 1]


KEPT = {
    "hindi, virama": "क्षत्रिय",
    "tamil": "ஸ்ரீ",
    "pointed hebrew": "שָׁלוֹם",
    "arabic with harakat": "مُحَمَّد",
    "zero-width non-joiner": f"می{ZWNJ}خواهم",
    "zero-width joiner": f"क्{ZWJ}ष",
    "soft hyphen": f"Zusammen{SOFT}arbeit",
    "decomposed": unicodedata.normalize("NFD", "tiếng"),
    "enclosing mark": "a\u20ddb",
    "variation selector": "葛\U000e0100",
    "grapheme joiner": "a\u034f\u0301",
}


@pytest.mark.parametrize("word", KEPT.values(), ids=KEPT)
def test_marks_and_joiners_stay_with_their_letter(kernel: ModuleType, word: str) -> None:
    assert words(kernel, f"({word}) {word}") == [word, word]


def test_marks_and_joiners_without_a_letter_are_no_token(kernel: ModuleType) -> None:
    assert words(kernel, f"\u0301 {ZWJ}{BOM} \u20dd- a") == ["a"]


EQUAL = {
    "ligature": ("ﬁnal ﬀ ﬃ", "final ff ffi"),
    "sharp s": ("Straße STRASSE", "strasse straße"),
    "capital sharp s": ("GROẞ", "gross"),
    "dotted capital i": ("İzmir", "i\u0307zmir"),
    "final sigma": ("ΟΔΟΣ ΟΔΟΣ", "οδος οδοσ"),
    "long s": ("Congreſs", "congress"),
    "kelvin and angstrom": ("\u212a \u212b", "k å"),
    "micro": ("µm", "μm"),
    "digraph": ("ǅ ǆ", "DŽ dž"),
    "full-width letters": ("ＡＢＣ", "abc"),
    "full-width digits": ("２０２４", "2024"),
    "half-width katakana": ("ﾃｽﾄ", "テスト"),
    "half-width katakana, voiced": ("ｶﾞﾊﾟ", "ガパ"),
    "hangul jamo": ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
    "composed and decomposed": ("café", "cafe\u0301"),
    "decomposed kana": ("か\u3099", "が"),
    "marks in another order": ("q\u0307\u0323", "q\u0323\u0307"),
    "three marks in another order": ("a\u0315\u0300\u05ae", "a\u05ae\u0300\u0315"),
    "compatibility ideograph": ("\uf900", "豈"),
    "circled digit, superscript": ("① m²", "1 m2"),
    "mathematical letters": ("𝐇ello 𝟙", "hello 1"),
    "roman numeral": ("Ⅷ", "viii"),
    "arabic presentation form": ("\ufefb", "لا"),
    "case": ("ÉCOLE Жизнь ΆΛΦΑ", "école жизнь άλφα"),
    "joiners do not count": (f"mi{SOFT}nis{ZWNJ}ter{BOM}", "minister"),
    "variation selectors do not count": ("葛\U000e0100", "葛"),
    "hangul fillers do not count": ("\u1112\u1161\u1160", "하"),
    "apostrophes": ("l’IA d'abord qu\u02bcil n‘est", "l'IA d’abord qu'il n'est"),
    "hyphens": ("tour-opérateur tour‐opérateur", "tour‑opérateur tour–opérateur"),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_forms_of_one_word_are_equal(kernel: ModuleType, one: str, other: str) -> None:
    assert hashes(kernel, one) == hashes(kernel, other)


DIFFERENT = [
    ("e", "é"), ("ss", "s"), ("か", "が"), ("a\u0301\u0300", "a\u0300\u0301"), ("resume", "résumé"), ("字", "宇"),
    ("o", "0"), ("а", "a"), ("한", "하"), ("i", "ı"), ("ab", "ba"), ("1", "11"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_words_differ(kernel: ModuleType, one: str, other: str) -> None:
    assert hashes(kernel, one) != hashes(kernel, other)


@pytest.mark.parametrize(("one", "other"), [("ᾴ", "ᾳ\u0301"), ("α\u0345\u0301", "α\u0301\u0345")])
def test_marks_round_an_iota_subscript_in_any_order(kernel: ModuleType, one: str, other: str) -> None:
    assert unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert hashes(kernel, one) == hashes(kernel, other)


@pytest.mark.parametrize("text", ["น้ำ", "ນຳ"])
def test_sara_am_is_the_same_in_one_part_and_in_two(kernel: ModuleType, text: str) -> None:
    assert hashes(kernel, text) == hashes(kernel, unicodedata.normalize("NFKC", text))


def test_a_capital_saltillo_separates_as_the_small_one_does(kernel: ModuleType) -> None:
    assert hashes(kernel, "NA\ua78bA") == hashes(kernel, "na\ua78ca")


CHANGING = [
    "ﬁn ﬃx Straße İİ end",
    "ＡＢ１ ½x ﷺ 한\u1112\u1161 a",
    "ｶﾞｷﾞ カ\u3099 字",
    "e\u0301\u0323x 𝐀𝐁 👍🏽 z",
]


@pytest.mark.parametrize("text", CHANGING)
def test_spans_address_the_original_where_normalising_changes_its_length(
    kernel: ModuleType, text: str
) -> None:
    tokens = kernel.tokenise(["before", text], spans=True)
    found = list(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True))[1:]
    assert found == [(token.start, token.end) for token in naive.tokens(text)]
    assert text[slice(*found[-1])] == text.split()[-1]
    assert len(unicodedata.normalize("NFKC", text).casefold()) != len(text)


ODD = {
    "empty": ("", []),
    "only punctuation": ("—…!? «»\n\t", []),
    "emoji": ("😀a👨‍👩‍👧b🇫🇷", ["a", "b"]),
    "lone surrogates": ("a\ud800b \udfff", ["a", "b"]),
    "nul": ("a\x00b\x00", ["a", "b"]),
    "last code point": ("a\U0010ffffb", ["a", "b"]),
    "unassigned and private": ("a\u0378b\ue000c", ["a", "b", "c"]),
    "zero-width space": (f"ไป{ZWSP}มา one{ZWSP}two", ["ไ", "ป", "มา", "one", "two"]),
    "line ends": ("a\r\nb\u2028c\x85d", ["a", "b", "c", "d"]),
    "no-break space": ("a\u00a0b\u202fc\u3000d", ["a", "b", "c", "d"]),
}


@pytest.mark.parametrize(("text", "expected"), ODD.values(), ids=ODD)
def test_odd_text(kernel: ModuleType, text: str, expected: list[str]) -> None:
    assert words(kernel, text) == expected


@pytest.mark.parametrize(
    "text", ["café", "caf\u0113 字", "caf\u0113 字 😀"], ids=["1 byte", "2 bytes", "4 bytes"]
)
def test_the_width_of_a_string_in_memory_does_not_matter(kernel: ModuleType, text: str) -> None:
    assert hashes(kernel, text) == hashes(kernel, text + " —") == hashes(kernel, text + " — 😀")


def test_texts_stand_end_to_end_and_empty_ones_keep_their_place(kernel: ModuleType) -> None:
    tokens = kernel.tokenise(["a b", "", "...", "c"], spans=True)
    assert tokens.offsets.tolist() == [0, 2, 2, 2, 3]
    assert tokens.starts.tolist() == [0, 2, 0]
    assert tokens.ends.tolist() == [1, 3, 1]
    assert [array.dtype for array in tokens] == ["u4", "i8", "u4", "u4"]


def test_no_texts_are_no_tokens(kernel: ModuleType) -> None:
    tokens = kernel.tokenise([])
    assert (tokens.hashes.tolist(), tokens.offsets.tolist()) == ([], [0])


def test_spans_are_computed_only_where_they_are_asked_for(kernel: ModuleType) -> None:
    tokens = kernel.tokenise(["one two"])
    assert (len(tokens.hashes), len(tokens.starts), len(tokens.ends)) == (2, 0, 0)


@pytest.mark.parametrize("bad", [[b"bytes"], ["text", None], [7]])
def test_what_is_not_text_is_refused(kernel: ModuleType, bad: list[object]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        kernel.tokenise(bad)


def test_a_token_of_many_marks_is_ordered_like_any_other(kernel: ModuleType) -> None:
    marks = ["\u0300", "\u0323", "\u0315", "\u05b4"] * 100
    assert hashes(kernel, "a" + "".join(marks)) == hashes(kernel, "a" + "".join(sorted(marks)))


def test_tables_that_grow_leave_the_arrays_in_use_as_they_are() -> None:
    small = characters.Characters.none()
    before = [small.pages[:], small.entries, small.pool[:]]
    assert any(small.with_pages([0x00, 0x4E]).pages)
    assert [*small] == before


def kinds(char: str) -> int:
    """The class of a character by its name."""
    if naive.continues(char):
        return characters.JOINER if naive.is_ignorable(char) else characters.MARK
    if not naive.is_letter(char):
        return characters.SEPARATOR
    return characters.CHARACTER if naive.is_unspaced(char) else characters.WORD


def test_the_class_of_a_code_point_is_the_one_its_name_says() -> None:
    sample = [*range(0x3400), *range(0x3400, 0x110000, 37), *range(0xF900, 0x10000), *range(0x1AFF0, 0x1B180)]
    assert [hex(c) for c in sample if characters.kind(chr(c)) != kinds(chr(c))] == []


def test_the_tables_say_of_each_code_point_what_its_rule_says() -> None:
    tables = characters.Characters.none().with_pages([0x03, 0x00, 0xFD]).with_pages([0x03, 0x4F])
    for page in (0x00, 0x03, 0x4F, 0xFD):
        entries = tables.entries[tables.pages[page] * 2048 :][:2048]
        for low, (value, kind, length) in enumerate(characters.ENTRY.iter_unpack(entries)):
            char = chr(page * 256 + low)
            values = [value] if length == 1 else tables.pool[value : value + length]
            assert kind == characters.kind(char)
            if kind != characters.SEPARATOR:
                assert [(chr(v & 0xFFFFFF), v >> 24) for v in values] == characters.folded(char)
    assert sum(map(bool, tables.pages)) == 4


def test_threads_may_tokenise_at_the_same_time(kernel: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [0x00, 0x04, 0x09, 0x0E, 0x30, 0x4E, 0xAC, 0x1D4]
    texts = ["".join(chr(page * 256 + low) for low in range(256)) * 5 for page in pages]
    wanted = [hashes(kernel, text) for text in texts]
    if kernel.__name__ == "dedup.kernel.native":
        monkeypatch.setattr("dedup.kernel.native_tokeniser._characters", characters.Characters.none())
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: hashes(kernel, text), texts)) == wanted
