"""How two documents compare, written: the sentences, the passages side by side or in one text, JSON, HTML."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from dedup import Document, SettingsError, Source
from dedup.comparison import Comparison
from dedup.diff import compare
from dedup.match import differences, long_differences
from dedup.report import diff_schema, write_comparison
from dedup.report.aligned import CHANGES, Run, runs, shortened, unified
from dedup.report.columns import beside
from dedup.report.explain import reasons, verdict
from dedup.report.page import Piece
from dedup.report.visible import visible
from tests.unit.prose import Prose
from tests.verdicts import HOSTILE

FIRST = "a joint venture of NASA and its European and Canadian partners, lifted off on Christmas Day 2021"
OTHER = "a joint project of NASA and its European and Canadian partners, took off on Christmas Day 2021"
PAIR = compare(
    Document("a.txt", FIRST, Source("a.txt", None, 0)), Document("x", OTHER, Source("b.jsonl", 3, 9))
)
TEXTS = st.text(
    st.sampled_from("ab ,字は") | st.sampled_from(["\u0301", "é", "\x1b", "\u202e", "W"]), max_size=80
)


def written(found: Comparison, format: str = "text", **options: Any) -> str:
    stream = io.BytesIO()
    write_comparison(found, format, stream, **options)
    return stream.getvalue().decode("utf-8")


class TestText:
    def test_the_whole_page_side_by_side(self) -> None:
        assert written(PAIR, width=100) == """\
A  a.txt  17 words · 96 characters
B  b.jsonl:3 x  17 words · 94 characters

Not copies: 5 of 21 shingles are shared, Jaccard 23.8%, and 5 of 13 shingles of B lie in A,
containment 38.5%; both are below the threshold of 80%.

shingles      5 shared of 21 · A has 13, B has 13
jaccard       23.8%
containment   38.5% of A in B · 38.5% of B in A
bands         0 of 25 bands of 5 rows of the signatures agree: they do not propose the pair. Pairs
              of this Jaccard meet in one with a probability of 1.9%; the signatures estimate it at
              14.8%.
probes        4 of 8 probes of B lie in A, the longer one, and 3 must: it is looked for there.
passages      1 passage stands in both: 100% of the words of A, 100% of those of B.
settings      threshold 0.8, passage-similarity 0.7, min-tokens 12, ngram 5, num-perm 128, seed 1,
              documents true, passages true

── passage 1 · 17 words · 88.2% alike ──────────────────────────────────────────────────────────────
A  a.txt:1
B  b.jsonl:3 x
a joint [-venture-] of NASA and its European and │ a joint {+project+} of NASA and its European and
Canadian partners, [-lifted-] off on Christmas   │ Canadian partners, {+took+} off on Christmas
Day 2021                                         │ Day 2021
"""  # fmt: skip

    def test_in_one_text_where_it_is_narrow(self) -> None:
        page = written(PAIR, width=60)
        assert page.endswith("""\
A  a.txt:1
B  b.jsonl:3 x
   a joint [-venture-]{+project+} of NASA and its European
   and Canadian partners, [-lifted-]{+took+} off on
   Christmas Day 2021
""")
        assert max(map(len, page.splitlines())) <= 60

    def test_colour_replaces_the_marks_and_adds_strokes(self) -> None:
        page = written(PAIR, color=True)
        assert "[-" not in page
        assert "\x1b[9;31mventure\x1b[0m" in page
        assert "\x1b[1;4;32mproject\x1b[0m" in page

    def test_the_same_text_is_shown_once(self) -> None:
        page = written(compare(FIRST, f"{FIRST}\n"))
        assert page.count("joint venture") == 1
        assert "│" not in page

    def test_right_to_left_text_stands_alone(self) -> None:
        hebrew = "הממשלה הודיעה היום כי תקציב החינוך יגדל בשנה הבאה בשני אחוזים לאחר דיונים ארוכים בוועדה"
        page = written(compare(hebrew, hebrew.replace("כי", "שגם")), width=160)
        assert "│" not in page
        assert "[-כי-]{+שגם+}" in page

    def test_several_places_and_many_passages(self) -> None:
        prose = Prose()
        passage = prose.words(30)
        page = written(compare(" ".join(prose.round(passage) for _ in range(30)), prose.round(passage)))
        assert "31 places" in page
        assert page.count("also in A") == 20
        assert "and 9 more places\n" in page
        parts = [prose.words(14) for _ in range(103)]
        ends = ([prose.words(3) for _ in parts], [prose.words(40) for _ in parts])
        first, second = (" ".join(map(" ".join, zip(parts, end, strict=True))) for end in ends)
        page = written(compare(first, second))
        assert page.count("── passage") == 100
        assert page.endswith("\nand 3 more passages\n")

    def test_long_texts_are_shortened_and_that_is_told(self) -> None:
        prose = Prose()
        text = prose.words(5000)
        page = written(compare(text, prose.exchanged(text, range(5, 4990, 20))))
        assert len(page.splitlines()) < 1500
        assert re.search(r"… \d+ more changes …", page)

    def test_nothing_can_steer_the_terminal(self) -> None:
        page = written(
            compare(Document(HOSTILE, f"{HOSTILE} {FIRST}"), Document("b", f"{HOSTILE} {OTHER} \x07"))
        )
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", page)
        assert "\\x1b[31m" in page


class TestSentences:
    @pytest.mark.parametrize(
        ("a", "b", "options", "said"),
        [
            ("x y z", "x y z", {}, "Copies: the two texts are the same, letter for letter."),
            (
                "x y z", "X, y, z!", {},
                "Copies: 1 of 1 shingle is shared, Jaccard 100%, which reaches the threshold of 80%; "
                "the words are the same, in other letters, marks or spaces.",
            ),
            ("", "", {}, "Not copies: neither has a word."),
            ("x", "?", {}, "Not copies: B has no word."),
            ("x y", "x y", {"documents": False}, "Documents were not asked for (--no-documents). "
             "1 of 1 shingle is shared, Jaccard 100%."),
            ("u v w", "x y z", {}, "Not copies: 0 of 2 shingles are shared, Jaccard 0%, and 0 of 1 shingle of "),
        ],
    )  # fmt: skip
    def test_verdicts(self, a: str, b: str, options: dict[str, Any], said: str) -> None:
        assert verdict(compare(a, b, **options)).startswith(said)

    def test_contained(self) -> None:
        prose = Prose()
        text = prose.words(40)
        assert verdict(compare(text, prose.round(text))) == (
            "Copies: A is contained in B: 36 of 36 shingles of A lie in B, containment 100%, which reaches the "
            "threshold of 80%. (Jaccard is 23.1%.)"
        )

    def test_too_short_to_be_looked_for(self) -> None:
        prose = Prose()
        text = prose.words(9)
        found = compare(prose.round(text), text)
        assert verdict(found) == (
            "Not copies, although 5 of 5 shingles of B lie in A, containment 100%, which reaches the threshold of 80%: "
            "B has 9 words, and fewer than 12 (--min-tokens) are not looked for inside others."
        )

    def test_what_the_search_misses(self) -> None:
        prose = Prose(9)
        text = prose.words(100)
        other = f"{' '.join(text.split()[60:])} {prose.words(60)}"
        for seed in range(400):
            found = compare(text, other, num_perm=16, seed=seed, threshold=0.2, ngram=1, min_tokens=500)
            if found.search and not found.search.is_candidate:
                break
        said = verdict(found)
        assert said.startswith(
            "Not found to be copies, although 40 of 160 shingles are shared, Jaccard 25.0%, which "
        )
        assert said.endswith(
            " has 100 words, and fewer than 500 (--min-tokens) are not looked for inside others."
        )

    def test_short_texts_and_texts_that_repeat_themselves(self) -> None:
        told = dict(reasons(compare("one two", "one two three four five six seven")))
        assert told["shingles"] == "A has 2 words, and so one shingle, of all of them."
        again = compare(
            "one two three four " * 5, "one two three four five six seven eight nine", ngram=2, threshold=0.7
        )
        assert again.relation == "different"
        assert dict(reasons(again))["around"] == (
            "75.0% of the shingles of A lie in B, but only the shorter text is looked for inside the longer one."
        )

    def test_none_asked_for(self) -> None:
        assert dict(reasons(compare("x", "y", passages=False)))["passages"] == (
            "Passages were not asked for (--no-passages)."
        )


class TestJson:
    validator = jsonschema.Draft202012Validator(diff_schema())

    def test_it_is_a_schema_and_strict(self) -> None:
        jsonschema.Draft202012Validator.check_schema(diff_schema())
        for entry in [diff_schema(), *diff_schema()["$defs"].values()]:
            if "object" in entry.get("type", ""):
                assert entry["additionalProperties"] is False
                assert set(entry["required"]) == set(entry["properties"])

    @pytest.mark.parametrize(
        ("a", "b"),
        [
            (FIRST, OTHER),
            (FIRST, FIRST),
            ("", ""),
            ("x", ""),
            (HOSTILE, HOSTILE + FIRST),
            ("ab " * 90, "ab " * 70),
        ],
    )
    @pytest.mark.parametrize("options", [{}, {"documents": False}, {"passages": False}])
    def test_comparisons_meet_it(self, a: str, b: str, options: dict[str, bool]) -> None:
        self.validator.validate(json.loads(written(compare(a, b, **options), "json")))

    def test_the_values(self) -> None:
        value = json.loads(written(PAIR, "json"))
        assert value["verdict"]["relation"] == "different"
        assert value["verdict"]["explanation"][0] == verdict(PAIR)
        assert value["figures"]["jaccard"] == 5 / 21
        assert [document["side"] for document in value["documents"]] == ["A", "B"]
        [passage] = value["passages"]
        assert [(member["side"], member["text"]) for member in passage["members"]] == [
            ("A", FIRST),
            ("B", OTHER),
        ]


class Page(HTMLParser):
    """The elements of a page, their attributes and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


class TestHtml:
    def test_what_is_in_it(self) -> None:
        text = written(PAIR, "html")
        page = Page(text)
        assert "<del>venture</del>" in text
        assert "<ins>project</ins>" in text
        assert verdict(PAIR) in "".join(page.text)
        assert not {"script", "img", "iframe", "form", "object"} & set(page.elements)
        assert not {name for name in page.attributes if name.startswith("on") or name in ("src", "style")}
        assert set(re.findall('href="(.*?)"', text)) == {"data:,", "#passage-1"}

    def test_the_passages_are_painted(self) -> None:
        text = written(PAIR, "html")
        for side, (x, width) in enumerate(
            re.findall(r'class="part" x="([\d.]+)" y="0" width="([\d.]+)"', text)
        ):
            member = PAIR.passages[0].pair[side]
            length = PAIR.sides[side].characters
            assert abs(float(x) - 1000 * member.start / length) < 0.1
            assert abs(float(width) - 1000 * (member.end - member.start) / length) < 0.1

    def test_the_policy_allows_the_style_and_nothing_else(self) -> None:
        text = written(PAIR, "html")
        [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert (
            policy
            == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        )
        assert text.index("Content-Security-Policy") < text.index("<style>")

    @pytest.mark.parametrize(
        "text", [HOSTILE, "<img src=x onerror=alert(1)>", "</td></table><script>x</script>", "&lt;b&gt;"]
    )
    def test_no_text_is_markup(self, text: str) -> None:
        def page(text: str) -> Page:
            documents = (
                Document(text, f"{text} {FIRST}"),
                Document(text, f"{text} {OTHER} {text}", Source(text, 1, 0)),
            )
            return Page(written(compare(*documents), "html"))

        plain, found = page("plain"), page(text)
        assert set(found.elements) <= {*plain.elements, "p", "ul", "li", "span"}
        assert found.attributes <= {*plain.attributes, "class"}
        assert visible(text) in "".join(found.text)

    def test_nothing_hides(self) -> None:
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", written(compare(HOSTILE, f"{HOSTILE} x"), "html"))

    def test_100_000_combining_marks(self) -> None:
        text = "e" + "\u0301" * 100_000
        assert len(written(compare(f"{text} {FIRST}", f"{FIRST} {text}"), "html")) < 10**6


def test_an_unknown_format() -> None:
    with pytest.raises(SettingsError, match="expected one of text, json, html"):
        write_comparison(PAIR, "xml", io.BytesIO())


# ---- how texts are laid upon each other ------------------------------------------------------------------------


def words_of(pieces: list[Piece]) -> str:
    return "".join("".join(text for text, _ in pieces).split())


class TestAligned:
    @given(TEXTS, TEXTS)
    @settings(max_examples=200, deadline=None)
    def test_no_word_is_lost(self, a: str, b: str) -> None:
        found = runs(a, b)
        old, new = (runs(text, text) for text in (a, b))
        assert [w.text for run in found for w in run.old] == [w.text for run in old for w in run.old]
        assert [w.text for run in found for w in run.new] == [w.text for run in new for w in run.new]
        assert all([w.text for w in run.old] == [w.text for w in run.new] for run in found if run.is_same)

    @given(TEXTS, TEXTS, st.integers(20, 60), st.booleans())
    @settings(max_examples=200, deadline=None)
    def test_columns(self, a: str, b: str, width: int, color: bool) -> None:
        found = runs(a, b)
        rows = list(beside(found, width, color=color))
        for side, (part, mark) in enumerate((("old", "[--]"), ("new", "{++}"))):
            cells = [row[side] for row in rows]
            assert all(sum(cell_len(piece.text) for piece in cell) <= width for cell in cells)
            shown = "".join(words_of(cell) for cell in cells)
            changed = sum(bool(getattr(run, part)) for run in found if not run.is_same)
            expected = sum(len(w.text) for run in found for w in getattr(run, part))
            assert len(shown) == expected + (0 if color else len(mark) * changed)

    def test_what_is_the_same_begins_in_the_same_row(self) -> None:
        a = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda"
        b = "alpha beta one two three four five six seven eight nine ten zeta eta theta iota kappa lambda"
        rows = list(beside(runs(a, b), 20, color=True))
        assert [(words_of(left), words_of(right)) for left, right in rows] == [
            ("alphabetagamma", "alphabetaonetwo"),
            ("deltaepsilon", "threefourfivesix"),
            ("", "seveneightnineten"),
            ("zetaetathetaiota", "zetaetathetaiota"),
            ("kappalambda", "kappalambda"),
        ]

    def test_the_count_of_what_is_left_out(self) -> None:
        prose = Prose()
        text = prose.words(400)
        found = shortened(runs(text, prose.exchanged(text, [200])))
        assert [run.note for run in found] == ["… 188 words …", None, None, None, "… 187 words …"]
        assert len(found[1].old) == len(found[3].old) == 12

    def test_no_more_changes_than_can_be_read(self) -> None:
        prose = Prose()
        text = prose.words(3000)
        found = shortened(runs(text, prose.exchanged(text, range(0, 3000, 3))))
        assert sum(not run.is_same for run in found) == CHANGES
        assert found[-1].note == "… 800 more changes …"

    def test_in_one_text(self) -> None:
        def shown(a: str, b: str, color: bool = False) -> str:
            return "".join(piece.text for piece in unified(runs(a, b), color=color))

        assert shown("a b c", "a x c") == "a [-b-]{+x+} c"
        assert shown("a b c", "a x c", color=True) == "a b x c"
        assert shown("a, b", "a; b") == "a[-,-]{+;+} b"
        assert shown("", "a") == "{+a+}"
        assert shown("", "") == ""

    def test_runs_are_named_tuples_of_words(self) -> None:
        assert runs("a", "a")[0] == Run(True, *([[("a", False)]] * 2), None)


class TestLongDifferences:
    @given(
        st.lists(st.sampled_from("abcdefgh"), max_size=60), st.lists(st.sampled_from("abcdefgh"), max_size=60)
    )
    @settings(max_examples=300, deadline=None)
    def test_they_turn_one_into_the_other_at_any_size(self, a: list[str], b: list[str]) -> None:
        for room in (0, 9, 10**6):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("dedup.match.ROOM", room)
                steps = long_differences(a, b)
            at = (0, 0)
            for number, (tag, a_start, a_end, b_start, b_end) in enumerate(steps):
                assert (a_start, b_start) == at
                is_same = a[a_start:a_end] == b[b_start:b_end]
                assert is_same if tag == "equal" else not is_same or room < 10**6
                assert not number or (tag == "equal") != (steps[number - 1][0] == "equal")
                at = (a_end, b_end)
            assert at == (len(a), len(b))

    def test_long_texts_are_cut_where_they_are_the_same(self) -> None:
        prose = Prose()
        text = prose.words(20_000)
        a, b = text.split(), prose.exchanged(text, range(50, 20_000, 100)).split()
        steps = long_differences(a, b)
        assert sum(step[0] == "replace" for step in steps) == 200
        assert steps == differences(a, b)
