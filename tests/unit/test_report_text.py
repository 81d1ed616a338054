"""The report for a person: what it shows, what it leaves out and says so, and that no text can disturb it."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dedup.match import differences
from dedup.model import (
    DocumentCluster,
    DocumentMember,
    EmptyDocument,
    PassageCluster,
    PassageMember,
    Report,
    Settings,
    Skipped,
    Source,
    Summary,
)
from dedup.report import write
from dedup.report.excerpt import marked, shortened
from dedup.report.page import Page, Piece
from dedup.report.visible import visible

NOTHING = Report(Settings(), Summary(2, 0, 0, 20, 4, 0, 0, 0, 0, 0.0), (), (), (), ())


def shown(report: Report, *, color: bool = False, width: int = 60) -> str:
    stream = io.BytesIO()
    write(report, "text", stream, color=color, width=width)
    return stream.getvalue().decode("utf-8")


def member(path: str, text: str, similarity: float | None = None, line: int = 1) -> PassageMember:
    return PassageMember(path, Source(path, None, 0), 0, len(text), line, line, similarity, text)


def passage(*members: PassageMember, tokens: int = 9, similarity: float = 0.9) -> PassageCluster:
    return PassageCluster("id", tokens, similarity, None, members)


def passages(*clusters: PassageCluster) -> Report:
    return replace(NOTHING, passage_clusters=clusters)


def marks(first: str, other: str, color: bool = False) -> str:
    return "".join(piece.text for piece in marked(first, other, color=color))


def test_the_whole_page() -> None:
    """The case that everyone tries first, beside a copied document, an empty one and one that was skipped."""
    first = "Analyst Anurag Rana wrote that the decision highlights the challenges."
    second = "Anurag Rana, an analyst, wrote that the decision highlights the challenges."
    record = PassageMember("w-7", Source("b.jsonl", 4, 99), 0, 9, 3, 3, 0.857, second)
    copies = (
        DocumentMember("a.txt", Source("a.txt", None, 0)),
        DocumentMember("w-7", Source("b.jsonl", 4, 99), 0.92341, 1.0),
        DocumentMember("b.jsonl:5", Source("b.jsonl", 5, 200), 0.99999, 0.99999),
        DocumentMember("given", Source(), 0.0004, 0.5),
    )
    report = Report(
        settings=Settings(),
        summary=Summary(5, 1, 1, 12345, 2345, 3, 1, 1, 456, 0.1944),
        skipped=(Skipped("c.png", "not a format"),),
        empty_documents=(EmptyDocument("e.txt", Source("e.txt", None, 0)),),
        document_clusters=(DocumentCluster("id", "near", "a.txt", copies),),
        passage_clusters=(passage(member("a.txt", first, line=12), record, tokens=10, similarity=0.857),),
    )
    assert (
        shown(report)
        == """\

── copies 1 · near · 4 documents ───────────────────────────
  kept  a.txt
  copy  b.jsonl:4 w-7  jaccard 92.3%, containment 100%
  copy  b.jsonl:5  jaccard 99.9%, containment 99.9%
  copy  given  jaccard <0.1%, containment 50.0%

── passage 1 · 10 words · 2 places · 85.7% alike ───────────
  a.txt:12
      Analyst Anurag Rana wrote that the decision highlights
      the challenges.
  b.jsonl:4 w-7, line 3 of its text  85.7% alike
      [-Analyst-] Anurag Rana{+, an analyst,+} wrote that
      the decision highlights the challenges.

── 1 document without a word ───────────────────────────────
  e.txt

── 1 input skipped ─────────────────────────────────────────
  c.png: not a format

5 documents · 3 copies in 1 cluster · 1 repeated passage · 19.4% of 2,345 words repeated · 1 empty · 1 skipped
"""
    )


def test_nothing_found() -> None:
    assert shown(NOTHING) == "2 documents · 0 copies · 0 repeated passages · 0% of 4 words repeated\n"


def test_what_was_not_looked_for_is_said() -> None:
    assert "0 copies · passages not looked for ·" in shown(
        replace(NOTHING, settings=Settings(passages=False))
    )
    assert "copies not looked for · 0 repeated" in shown(replace(NOTHING, settings=Settings(documents=False)))


def test_a_text_is_shown_once() -> None:
    same = "one  two\nthree"
    page = shown(
        passages(passage(member("a", same), member("b", same, 1.0), member("c", "one two three", 1.0)))
    )
    assert page.count("two") == 1


def test_a_periodic_passage() -> None:
    one = replace(member("a", "tick " * 2500, None), copies=500)
    page = shown(passages(PassageCluster("id", 2500, 1.0, 5, (one,))))
    assert "── passage 1 · 2,500 words · period of 5 words, 500 copies · 1 place ─" in page
    two = replace(member("b", "tick " * 50, 1.0), copies=10)
    page = shown(passages(PassageCluster("id", 2500, 1.0, 5, (one, two))), width=100)
    assert "period of 5 words, 510 copies · 2 places · 100% alike" in page
    assert "\n  b:1  100% alike  10 copies\n" in page
    assert "[-" not in page


def test_many_places_are_counted() -> None:
    members = [member("first", "one two three")]
    members += [member(f"m{number}", f"one two {number}", 0.7) for number in range(4999)]
    page = shown(passages(passage(*members)))
    assert page.count("[-three-]") == 4
    assert "\n  m18:1  70.0% alike\n  and 4,980 more places\n" in page
    assert "m19" not in page


def test_many_clusters_inputs_and_copies_are_counted() -> None:
    copies = tuple(DocumentMember(f"d{number}", Source(), 1.0, 1.0) for number in range(50_000))
    document = DocumentCluster("id", "exact", "d0", copies)
    two = passage(member("a", "x"), member("b", "x", 1.0))
    report = replace(
        NOTHING,
        document_clusters=(document,) * 1001,
        passage_clusters=(two,) * 3000,
        skipped=tuple(Skipped(f"s{number}", "why") for number in range(21)),
        empty_documents=tuple(EmptyDocument(f"e{number}", Source()) for number in range(1020)),
    )
    page = shown(report)
    assert "── copies 1000 · identical · 50,000 documents ─" in page
    assert "  and 49,980 more copies\n" in page
    assert "\nand 1 more cluster of documents\n" in page
    assert "\nand 2,000 more repeated passages\n" in page
    assert "  s19: why\n  and 1 more\n" in page
    assert "  e19\n  and 1,000 more\n" in page


def test_a_long_text_is_shortened_in_its_middle() -> None:
    text = " ".join(f"w{number}" for number in range(1000))
    pieces = "".join(piece.text for piece in shortened(text))
    assert pieces.startswith("w0 w1 ")
    assert pieces.endswith(" w998 w999")
    assert " w59 … 910 words … w970 " in pieces
    assert shortened("字" * 100) == [Piece("字" * 100)]
    assert "".join(piece.text for piece in shortened("字" * 101)) == "字" * 60 + " … 11 words … " + "字" * 30


class TestMarks:
    @pytest.mark.parametrize(
        ("first", "other", "expected"),
        [
            ("a b c", "a b c", "a b c"),
            ("a b c", "a x c", "a [-b-]{+x+} c"),
            ("a b c", "a c", "a [-b-] c"),
            ("a c", "a b c", "a {+b+} c"),
            ("a b", "b", "[-a-] b"),
            ("b", "a b", "{+a+} b"),
            ("a b", "a", "a [-b-]"),
            ("a, b", "a b", "a[-,-] b"),
            ("a b", "x y", "[-a b-]{+x y+}"),
            ("他今天在北京说", "他昨天在上海说", "他[-今-]{+昨+}天在[-北京-]{+上海+}说"),
            ("जब सूरज डूबने लगा", "जब सूर्य डूबने लगा", "जब [-सूरज-]{+सूर्य+} डूबने लगा"),  # marks are parts of a word
            ("น้ำตก", "น้อตก", "น้[-ำ-]{+อ+}ตก"),
            ("می\u200cخواهم", "می\u200cروم", "[-می\u200cخواهم-]{+می\u200cروم+}"),
            ("d\u00e9j\u00e0 vu", "de\u0301ja\u0300 vu", "de\u0301ja\u0300 vu"),  # canonically equal
        ],
    )
    def test_without_colour(self, first: str, other: str, expected: str) -> None:
        assert marks(first, other) == expected

    def test_in_colour_the_style_is_the_mark(self) -> None:
        assert marked("a b c", "a x c", color=True) == [
            Piece("a"), Piece(" "), Piece("b", "old"), Piece(" "), Piece("x", "new"), Piece(" "), Piece("c"),
        ]  # fmt: skip

    def test_what_stays_the_same_for_long_is_shortened(self) -> None:
        words = [f"w{number}" for number in range(300)]
        other = [*words[:150], "new", *words[150:]]
        head, tail = " ".join(words[138:150]), " ".join(words[150:162])
        assert marks(" ".join(words), " ".join(other)) == (
            f"… 138 words … {head} {{+new+}} {tail} … 138 words …"
        )

    def test_a_long_change_is_shortened(self) -> None:
        new = " ".join(f"n{number}" for number in range(1000))
        text = marks("a b", f"a {new} b")
        assert text.startswith("a {+n0 n1 ")
        assert text.endswith(" n999+} b")
        assert " n11 … 976 words … n988 " in text

    def test_many_changes_are_counted(self) -> None:
        first = [f"w{number}" for number in range(1000)]
        other = [f"x{number}" if number % 5 == 0 else word for number, word in enumerate(first)]
        text = marks(" ".join(first), " ".join(other))
        assert text.endswith(" … 174 more changes …")

    def test_a_huge_text_is_compared_in_part(self) -> None:
        first = " ".join(f"w{number}" for number in range(100_000))
        assert marks(first, f"x {first}").startswith("{+x+} w0 w1 ")
        assert marks(first, f"x {first}").endswith(" … compared as far as word 4,000 …")

    @given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
    def test_differences_cover_both_sides(self, a: list[str], b: list[str]) -> None:
        rebuilt: list[str] = []
        x = y = 0
        last = ""
        for tag, a_start, a_end, b_start, b_end in differences(a, b):
            assert (a_start, b_start) == (x, y)
            assert (tag == "equal") == (a[a_start:a_end] == b[b_start:b_end])
            assert tag == "equal" or last in ("", "equal")
            rebuilt += b[b_start:b_end]
            x, y, last = a_end, b_end, tag
        assert rebuilt == b
        assert x == len(a)


class TestNothingDisturbs:
    NASTY = (
        "red \x1b[31m bell \x07 [bold]markup[/] turned \u202eeht\u202c tag \U000e0041 nul \0 half \ud800 "
        "csi \x9b31m"
    )

    def test_escapes_are_shown(self) -> None:
        page = shown(passages(passage(member("a\n\x1b]0;evil\x07.txt", self.NASTY), member("b", "x", 0.7))))
        flat = " ".join(page.split())
        assert r"red \x1b[31m bell \x07 [bold]markup[/] turned \u202eeht\u202c tag \U000e0041" in flat
        assert r"nul \x00 half \ud800 csi \x9b31m" in flat
        assert r"a\x0a\x1b]0;evil\x07.txt:1" in flat

    @given(st.text(st.characters(), max_size=200), st.booleans())
    def test_no_text_reaches_the_terminal_as_a_command(self, text: str, color: bool) -> None:
        report = replace(
            passages(passage(member(text, text), member(text, f"x {text} y", 0.8))),
            skipped=(Skipped(text, text),),
        )
        page = re.sub(r"\x1b\[[\d;]*m", "", shown(report, color=color)) if color else shown(report)
        assert not [
            char for char in page if char != "\n" and unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        ]
        assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", page)

    def test_what_scripts_need_stays(self) -> None:
        text = "می\u200cخواهم ក្រុម\u200bប្រឹក្សា 👩\u200d👧 e\u0301"
        assert visible(text) == text


class TestPage:
    @staticmethod
    def paragraph(text: str, width: int, indent: int = 0) -> list[str]:
        stream = io.BytesIO()
        Page(stream, color=False, width=width).paragraph([Piece(text)], indent)
        return stream.getvalue().decode().splitlines()

    def test_han_takes_two_columns_and_breaks_anywhere_but_before_a_stop(self) -> None:
        assert self.paragraph("字" * 20 + "。" + "字", 40) == ["字" * 19, "字。字"]

    def test_what_has_no_break_is_cut(self) -> None:
        assert self.paragraph("x" * 100, 50, indent=10) == [" " * 10 + "x" * 40] * 2 + [" " * 10 + "x" * 20]

    @given(st.text(st.sampled_from("ab é字かก。, \n"), max_size=300), st.integers(40, 60), st.integers(0, 10))
    def test_no_line_is_too_wide_and_no_word_is_lost(self, text: str, width: int, indent: int) -> None:
        lines = self.paragraph(" ".join(text.split()), width, indent)
        assert all(cell_len(line) <= width and line.startswith(" " * indent) for line in lines)
        assert "".join("".join(lines).split()) == "".join(text.split())

    def test_colour(self) -> None:
        stream = io.BytesIO()
        page = Page(stream, color=True, width=40)
        page.line(Piece("a", "place"), Piece("[b]b"), Piece("c", "new"))
        assert stream.getvalue() == b"\x1b[1ma\x1b[0m[b]b\x1b[1;4;32mc\x1b[0m\n"

    def test_no_colour(self) -> None:
        first, other = member("a", "one two three"), member("b", "one 2 three", 0.7)
        assert "\x1b" not in shown(passages(passage(first, other)))
        assert "[-two-]" not in shown(passages(passage(first, other)), color=True)
        assert "\x1b[9;31mtwo\x1b[0m \x1b[1;4;32m2\x1b[0m" in shown(
            passages(passage(first, other)), color=True
        )
