"""Directives in documents, entries of the configuration, and what was said in vain."""

from __future__ import annotations

import time
from datetime import date
from typing import NamedTuple

import pytest

from dedup.gate.directives import Directives, Problem, Range, directives
from dedup.gate.suppress import Suppressions

TODAY = date(2024, 5, 1)


def said(text: str) -> Directives:
    found = directives(text)
    assert found is not None
    return found


def ranges(text: str) -> list[str]:
    """The texts that are suppressed, where nothing is wrong."""
    found = directives(text)
    assert found is None or found.problems == ()
    return [text[r.start : r.end] for r in found.ranges] if found else []


class TestComments:
    @pytest.mark.parametrize(
        ("off", "on"),
        [
            ("<!-- dedup: off -->", "<!-- dedup: on -->"),
            ("<!--dedup:off-->", "<!--DEDUP : ON-->"),
            ("<!--\n  dedup: off\n-->", "<!--\n\tdedup:\n\ton -->"),
            ("# dedup: off", "# dedup: on"),
            ("#dedup:off", "  # Dedup:On"),
            ("// dedup: off", "/// dedup: on"),
            ("% dedup: off", "%% dedup: on"),
            (".. dedup: off", "..  dedup: on"),
            ("; dedup: off", ";; dedup: on"),
            ("-- dedup: off", "-- dedup: on  "),
            ("/* dedup: off */", "/* dedup: on */"),
            ("{# dedup: off #}", "{# dedup: on #}"),
            ("## dedup: off", "## dedup: on"),
            ("//! dedup: off", "//! dedup: on"),
            ("! dedup: off", "!! dedup: on"),
            ('.\\" dedup: off', '.\\" dedup: on'),
            ("@c dedup: off", "@comment dedup: on"),
            ("dnl dedup: off", "dnl dedup: on"),
            ("/** dedup: off */", "/** dedup: on */"),
            ("<%-- dedup: off --%>", "<%-- dedup: on --%>"),
            ("<%# dedup: off %>", "<%# dedup: on %>"),
            ("#| dedup: off |#", "#| dedup: on |#"),
            ("{/* dedup: off */}", "{/* dedup: on */}"),
            ("{{/* dedup: off */}}", "{{/* dedup: on */}}"),
            ("{{!-- dedup: off --}}", "{{!-- dedup: on --}}"),
            ("(* dedup: off *)", "{- dedup: on -}"),
            ("[//]: # (dedup: off)", "[//]: # (dedup: on)"),
            ('[comment]: <> "dedup: off"', "[comment]: <> 'dedup: on'"),
        ],
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_of_any_style(self, off: str, on: str, end: str) -> None:
        text = f"before{end}{off}{end}within{end}{on}{end}after"
        (found,) = ranges(text)
        assert found.strip().startswith(off)
        assert found.strip().endswith(on.strip())

    @pytest.mark.parametrize(
        ("comment", "reason"),
        [
            (
                "<!-- dedup: off licence text, must stand\n in each file -->",
                "licence text, must stand in each file",
            ),
            ("# dedup: off the licence", "the licence"),
            ('.\\" dedup: off "the" licence', '"the" licence'),
            ("/* dedup: off the licence */", "the licence"),
            ("/* dedup: off the licence", "the licence"),
            ("[//]: # (dedup: off the licence (MIT))", "the licence (MIT)"),
            ("{# dedup: off issue #7 #}", "issue #7"),
            ("-- dedup: off", ""),
        ],
    )
    def test_a_reason(self, comment: str, reason: str) -> None:
        assert said(f"a\n{comment}\nb").ranges[0].reason == reason

    def test_an_html_comment_counts_within_a_line(self) -> None:
        text = "one <!-- dedup: off -->two<!-- dedup: on --> three"
        assert ranges(text) == ["<!-- dedup: off -->two<!-- dedup: on -->"]

    @pytest.mark.parametrize(
        "text",
        [
            "Write dedup: off before it.",
            "dedup: off",
            "* dedup: off",
            "> # dedup: off",
            "x = 1  # dedup: off",
            "/* dedup: off */ x = 1;",
            "Write `<!-- dedup: off -->` before it.",
            "Write `text <!-- dedup: off -->` before it.",
            "Write ``a ` <!-- dedup: off --> b`` before it.",
            "Write \\<!-- dedup: off --> before it.",
            "@cdedup: off",
            "```html\n<!-- dedup: off -->\n```",
            "  ~~~~\n~~~\n# dedup: off\n  ~~~~",
            "````\n```\n# dedup: off\n```\n````",
            "```\n# dedup: off",
            "# dedup: offer",
            "# dedup: one",
            "# dedup: finds copies",
            "<!-- see dedup: off -->",
            "<!-- dedup: off",
            "dedupe: off, duplicate: on",
            "---\ntitle: dedup\n---\n",
            "",
        ],
    )
    def test_what_is_none(self, text: str) -> None:
        assert directives(text) is None

    def test_a_fence_ends(self) -> None:
        text = "```\n# dedup: off\n```\n# dedup: off\na\n# dedup: on\n~~~ `x`\n~~~\n`` ```\n# dedup: off\n# dedup: on"
        assert ranges(text) == ["# dedup: off\na\n# dedup: on", "# dedup: off\n# dedup: on"]

    def test_places_are_code_points_and_lines_of_the_text(self) -> None:
        text = "🦆\n\n<!-- dedup: off a -->\n🦆<!-- dedup: on -->\n\n# dedup: off b\n# dedup: on"
        first, second = said(text).ranges
        assert first == Range(3, 44, 3, "a")
        assert second == Range(46, len(text), 6, "b")
        assert text[44:46] == "\n\n"


class TestProblems:
    def test_not_closed(self) -> None:
        text = "a\n# dedup: off\nb"
        found = said(text)
        assert found.ranges == (Range(2, len(text), 2, ""),)
        assert found.problems == (Problem(2, "dedup: off is not closed; all that follows is suppressed"),)

    def test_not_opened(self) -> None:
        found = said("a\n\n<!-- dedup: on -->\nb")
        assert found == Directives((), (Problem(3, "dedup: on without a dedup: off before it"),))

    def test_within_another(self) -> None:
        text = "# dedup: off\na\n# dedup: off\nb\n# dedup: on\nc"
        found = said(text)
        assert found.ranges == (Range(0, text.index("\nc"), 1, ""),)
        assert found.problems == (Problem(3, "dedup: off within the range that line 1 begins"),)

    @pytest.mark.parametrize("word", ["ignore", "of", "disable", ""])
    def test_a_word_that_is_not_known(self, word: str) -> None:
        found = said(f"\n<!-- dedup: {word} -->")
        assert found == Directives(
            (), (Problem(2, f"dedup: {word} is not known in a comment; expected off or on"),)
        )

    def test_they_are_told_in_order(self) -> None:
        found = said("# dedup: on\n# dedup: off\n# dedup: off\n")
        assert [problem.line for problem in found.problems] == [1, 2, 3]


class TestFrontMatter:
    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("---\ndedup: ignore\n---\ntext", 2, ""),
            ("---\r\ntitle: x\r\ndedup: ignore\r\n---\r\ntext", 3, ""),
            ("--- \na: [dedup]\n'dedup' :   \"Ignore\"   # a template\n...\ntext", 3, "a template"),
            ('+++\ntitle = "x"\ndedup = "ignore" # a template\n[more]\nx = 1\n+++\ntext', 3, "a template"),
        ],
    )
    def test_the_whole_document(self, text: str, line: int, reason: str) -> None:
        found = said(text)
        assert found == Directives((Range(0, len(text), line, reason, True),), ())
        assert found.covering(0, len(text)) == found.ranges[0]

    @pytest.mark.parametrize(
        "text",
        [
            "\n---\ndedup: ignore\n---\n",
            "---\nmore:\n  dedup: ignore\n---\n",
            "---\ndedup: ignore\n",
            "---\ntitle: x\n---\ndedup: ignore\n",
            "+++\n[more]\ndedup = 'ignore'\n+++\n",
            "---\nno_dedup: ignore\n---\n",
        ],
    )
    def test_elsewhere_it_is_text(self, text: str) -> None:
        assert directives(text) is None

    @pytest.mark.parametrize("value", ["off", "true", "ignored", "[ignore]"])
    def test_another_value_is_a_problem(self, value: str) -> None:
        found = said(f"---\ndedup: {value}\n---\n# dedup: off\n# dedup: on\n")
        assert found.problems == (Problem(2, f"dedup is {value} here; expected ignore"),)
        assert len(found.ranges) == 1

    def test_what_else_a_whole_document_says_is_of_no_account(self) -> None:
        assert len(said("---\ndedup: ignore\n---\n# dedup: off\n").ranges) == 1


class TestCovering:
    def test_four_fifths_lie_within_one_range(self) -> None:
        found = Directives((Range(100, 200, 1, "a"), Range(200, 300, 5, "b")), ())
        assert found.covering(100, 200) == found.ranges[0]
        assert found.covering(120, 130) == found.ranges[0]
        assert found.covering(80, 180) == found.ranges[0]
        assert found.covering(79, 179) is None
        assert found.covering(120, 220) == found.ranges[0]
        assert found.covering(150, 250) is None
        assert found.covering(220, 320) == found.ranges[1]
        assert found.covering(0, 50) is None

    def test_an_empty_place_is_not_covered(self) -> None:
        assert Directives((Range(0, 10, 1, ""),), ()).covering(5, 5) is None


class Entry(NamedTuple):
    fingerprint: str
    reason: str = "agreed"
    owner: str | None = None
    expires: date | None = None
    place: str = "dedup.toml"


TEXT = "# dedup: off licence\nwithin\n# dedup: on\noutside\n# dedup: off\nwithin\n# dedup: on\n"


class TestSuppressions:
    def test_reasons(self) -> None:
        known = Suppressions([Entry("aa"), Entry("BB", "quoted")], TODAY)
        known.add(7, "a.md", said(TEXT))
        assert known.why(7, 21, 27, ()) == "licence"
        assert known.why(7, 21, 27, ("aa",)) == "licence"
        assert known.why(7, 62, 68, ()) == "dedup: off"
        assert known.why(7, 39, 46, ()) is None
        assert known.why(7, 39, 46, ("cc", "aa")) == "agreed"
        assert known.why(8, 21, 27, ("bb",)) == "quoted"
        assert known.why(8, 21, 27, ()) is None
        assert known.notes() == []

    def test_the_whole_document(self) -> None:
        known = Suppressions([], TODAY)
        known.add("a", "a.md", said("---\ndedup: ignore\n---\nall"))
        assert known.why("a", 22, 25, ()) == "dedup: ignore in the front matter"

    def test_what_was_said_in_vain_is_told_in_order(self) -> None:
        known = Suppressions([Entry("aa", owner="legal"), Entry("bb")], TODAY)
        known.add(2, "b.md", said("# dedup: on\n" + TEXT))
        known.add(1, "a.md", said("\n---\n# dedup: off"))
        known.add(3, "c.md", said("---\ndedup: ignore\n---\n"))
        assert known.why(2, 33, 39, ("bb",)) == "licence"
        assert known.notes() == [
            "b.md:1: dedup: on without a dedup: off before it",
            "b.md:6: dedup: off suppresses nothing: nothing in it repeats",
            "a.md:3: dedup: off is not closed; all that follows is suppressed",
            "a.md:3: dedup: off suppresses nothing: nothing in it repeats",
            "c.md:2: dedup: ignore in the front matter suppresses nothing: nothing in it repeats",
            "dedup.toml: aa suppresses nothing: no copy has that fingerprint; owner: legal",
        ]

    def test_an_entry_holds_to_the_end_of_its_last_day(self) -> None:
        known = Suppressions([Entry("aa", "agreed", expires=TODAY)], TODAY)
        assert known.why(1, 0, 9, ("aa",)) == "agreed"
        assert known.notes() == []

    def test_an_expired_entry_suppresses_no_more_and_says_so(self) -> None:
        gone = date(2024, 4, 30)
        known = Suppressions([Entry("aa", "agreed", "legal", gone), Entry("bb", expires=gone)], TODAY)
        assert known.why(1, 0, 9, ("aa",)) is None
        assert known.notes() == [
            "dedup.toml: aa expired on 2024-04-30 and suppresses no more; owner: legal",
            "dedup.toml: bb expired on 2024-04-30 and suppresses no more, "
            "and nothing is left that it would suppress",
        ]

    def test_of_two_entries_for_one_fingerprint_the_one_that_holds_counts(self) -> None:
        known = Suppressions([Entry("aa", "once", expires=date(2020, 1, 1)), Entry("aa", "now")], TODAY)
        assert known.why(1, 0, 9, ("aa",)) == "now"
        assert len(known.notes()) == 1


def test_time_is_linear_in_the_text() -> None:
    """Half a million characters of what looks like directives and is none, or is one, over and over."""
    begun = time.perf_counter()
    for piece in (
        "<!-- dedup: off ",
        "<!--" + " " * 50,
        "# dedup: off\n",
        "```\n# dedup: off\n",
        "---\ndedup:\n",
    ):
        directives(piece * (500_000 // len(piece)) + "dedup")
    assert time.perf_counter() - begun < 10  # half a second; a minute where each looks at all the others


@pytest.mark.parametrize(
    "text",
    [
        "---\nThis is prose between two rules, which says\ndedup: ignore\n---\nand goes on.",
        "---\n\nSome words.\n\ndedup: ignore\n\n---\n",
        "---\ntext: |\n  dedup: ignore\n---\n",
        "---\ntitle: a\n# Heading\nsee: the\nrest, dear: reader\ndedup: ignore\n---\n",
        '+++\ntext = """\ndedup = "ignore"\n"""\n+++\n',
        '+++\nprose\ndedup = "ignore"\n+++\n',
    ],
)
def test_what_only_looks_like_front_matter_suppresses_nothing(text: str) -> None:
    found = directives(text)
    assert found is None or not found.ranges


@pytest.mark.parametrize(
    "text",
    [
        "---\n# a comment\ntitle: 'x: y'\ntags:\n- a\n- b\nmore: [\n  c\n]\ndedup: ignore\n---\n",
        '---\n\n"last seen": |\n  Prose.\n\n  More.\nlast changed: never\ndedup: ignore\n---\n',
        "---\r\ntitle: a\r\ndedup: ignore\r\n---\r\n",
        '+++\r\ntitle = "a"\r\ndedup = "ignore" # why\r\n[table]\r\na = 1\r\n+++\r\n',
    ],
)
def test_front_matter_of_many_kinds(text: str) -> None:
    found = directives(text)
    assert found is not None
    assert [span.is_whole for span in found.ranges] == [True]
