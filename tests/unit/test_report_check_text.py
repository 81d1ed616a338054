"""The gate's verdict for a person: the whole page, what it leaves out and says so, and that no text disturbs it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest

from dedup.errors import SettingsError
from dedup.model import PassageCluster, PassageMember, Source
from dedup.report import CHECK_FORMATS
from dedup.report.finding import message, portable, shown, tally
from dedup.report.place import name, region
from dedup.verdict import EDITED, KNOWN, SUPPRESSED, Gate, Place, Verdict
from tests.verdicts import (
    COPY,
    duplicate,
    everything,
    finding,
    hostile,
    many,
    record,
    report,
    verdict,
    written,
)


def page(given: Verdict, **options: bool) -> str:
    return written(given, "text", **options).decode("utf-8")


def test_the_whole_page() -> None:
    assert (
        page(everything(), show_suppressed=True)
        == """\

docs/copy.md:1:1: Duplicates docs/old.md (150 words, 100% alike)  b0de10cd128d6d3a

docs/new.md:12:5: Repeats docs/old.md:3 (19 words, 94.7% alike)  2d1b74858b8e9073
      a joint [-venture-]{+project+} of NASA and its European and Canadian partners, lifted off from
      French Guiana on Christmas Day 2021

docs/new.md:40:5: Repeats docs/old.md:3 (19 words, 94.7% alike)  2d1b74858b8e9073
      a joint [-venture-]{+project+} of NASA and its European and Canadian partners, lifted off from
      French Guiana on Christmas Day 2021

data/b.jsonl:4: w-4: Repeats docs/old.md:3 (19 words) and 3 more places  77aa77aa77aa77aa
      a joint [-venture-]{+project+} of NASA and its European and Canadian partners, lifted off from
      French Guiana on Christmas Day 2021

── 1 suppressed ────────────────────────────────────────────────────────────────────────────────────

docs/a.md:12:5: Repeats docs/old.md:3 (19 words, 94.7% alike)  2d1b74858b8e9073
  reason: quoted on purpose
      a joint [-venture-]{+project+} of NASA and its European and Canadian partners, lifted off from
      French Guiana on Christmas Day 2021

── 1 entry of the baseline without a copy any more ─────────────────────────────────────────────────
  docs/gone.md  repeated-passage  0123456789abcdef

── 1 input skipped ─────────────────────────────────────────────────────────────────────────────────
  docs/logo.txt: not UTF-8: byte 0x89 at 0

note: min_tokens is 12 and was 20 in the baseline
To accept what is new: dedup check --update-baseline. To leave a place out: the comments dedup: off
and dedup: on around it, or its fingerprint under [[ignore]] in the configuration.
120 documents · 1 copy in 1 cluster · 1 repeated passage · 2.0% of 15,000 words repeated · 1 skipped
failed: 4 new · 4 new · 1 known · 1 moved · 1 edited · 1 suppressed · 1 stale
"""
    )


def test_nothing_new() -> None:
    quiet = replace(report(), skipped=())
    shown = page(verdict(finding(status=KNOWN), report=quiet)).splitlines()
    assert len(shown) == 2
    assert shown[-1] == "passed · 0 new · 1 known"


def test_what_is_known_is_shown_where_it_is_asked_for() -> None:
    assert "edited.md" not in page(everything())
    assert "\ndocs/edited.md:12:5: edited: Repeats docs/old.md:3 (" in page(everything(), show_known=True)
    assert "docs/a.md" not in page(everything(), show_known=True)


def test_many_findings_are_counted() -> None:
    text = page(many(1200))
    assert text.count("\ndocs/") == 1000
    assert "\nand 200 more findings\n" in text


def test_a_text_with_no_counterpart_is_shown_as_it_is() -> None:
    elsewhere = (Place("gone.md", "gone.md", 1),)
    text = page(verdict(finding(others=elsewhere)))
    assert "a joint project of NASA" in text
    assert "{+" not in text


def test_a_passage_is_never_compared_with_itself() -> None:
    """Two copies in one document, on one line: the other one is not the finding's own text."""
    source = Source("docs/new.md", None, 0)
    here = PassageMember("docs/new.md", source, 400, 400 + len(COPY), 12, 14, None, COPY)
    there = PassageMember("docs/new.md", source, 0, 9, 12, 12, 0.9, COPY.replace("project", "plan"))
    found = replace(report(), passage_clusters=(PassageCluster("c1", 19, 0.9, None, (here, there)),))
    text = page(verdict(finding(others=(Place("docs/new.md", "docs/new.md", 12),)), report=found))
    assert "a joint [-plan-]{+project+} of NASA" in text


def test_periodic_text_repeats_itself() -> None:
    alone = finding(others=(), similarity=None, tokens=2500, text="tick tock " * 1250)
    text = page(verdict(alone))
    assert "docs/new.md:12:5: Repeats itself (2,500 words)  2d1b" in text
    assert "words … tick tock" in text


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("a.md", "docs/a.md", 3), "docs/a.md:3"),
        (Place("./docs/a.md", "docs/a.md", 3), "docs/a.md:3"),
        (Place("/home/me/docs/a.md", "docs/a.md", 3), "docs/a.md:3"),
        (Place("docs/b.jsonl:4", "docs/b.jsonl", 4), "docs/b.jsonl:4"),
        (Place("w-7", "docs/b.jsonl", 4), "docs/b.jsonl:4 w-7"),
        (Place("w-7", "docs/b.parquet", None), "docs/b.parquet w-7"),
    ],
)
def test_names(place: Place, expected: str) -> None:
    assert name(place) == expected


class TestMessage:
    def test_other_places_are_counted_or_named(self) -> None:
        assert message(record()) == "Repeats docs/old.md:3 (19 words) and 3 more places"
        linked = message(record(), lambda number, named: f"<{number} {named}>", 3)
        assert linked == (
            "Repeats <0 docs/old.md:3> (19 words) and 3 more places: <1 data/b.jsonl:5 w-5>, "
            "<2 data/b.jsonl:6 w-6> and 1 more"
        )

    def test_of_a_document(self) -> None:
        others = (Place("a.md", "a.md", None), Place("b.md", "b.md", None))
        assert message(duplicate(others=others)) == (
            "Duplicates a.md (150 words, 100% alike) and 1 more place"
        )

    def test_of_an_archived_one(self) -> None:
        others = (Place("a.md", "docs/a.md", 1, archived=True),)
        assert message(duplicate(others=others)).startswith("Duplicates docs/a.md:1 (archived) (150 words")


class TestOrdinals:
    def test_equal_findings_in_one_file_are_told_apart(self) -> None:
        new, later = finding(), finding(line=40)
        elsewhere, known = finding(path="x.md"), finding(status=KNOWN, line=2)
        given = verdict(known, new, elsewhere, later)
        assert shown(given) == [(new, 2), (elsewhere, 1), (later, 3)]
        assert shown(given, known=True)[-1] == (known, 1)

    def test_they_do_not_depend_on_what_is_shown(self) -> None:
        given = verdict(finding(status=SUPPRESSED), finding(status=EDITED), finding())
        assert shown(given) == [(given.findings[2], 3)]

    def test_absolute_paths_of_one_name_are_told_apart(self) -> None:
        given = verdict(finding(path="/home/a/x.md"), finding(path="/home/b/x.md"))
        assert [entry.ordinal for entry in shown(given)] == [1, 2]

    def test_of_an_absolute_path_only_the_name_counts(self) -> None:
        assert portable(r"\\server\share\a.md") == "a.md"
        assert portable("../a.md") == "../a.md"


class TestRegion:
    @pytest.mark.parametrize(
        ("added", "expected"),
        [
            (None, (12, 5, 14, 19)),
            ((1, 99), (12, 5, 14, 19)),
            ((13, 99), (13, 1, 14, 19)),
            ((1, 12), (12, 5, 12, 49)),
            ((13, 13), (13, 1, 13, 52)),
            ((20, 30), (12, 5, 14, 19)),
        ],
    )
    def test_it_is_clipped_to_what_was_added(
        self, added: tuple[int, int] | None, expected: tuple[int, int, int, int]
    ) -> None:
        assert region(finding(added=added)) == expected

    def test_without_columns_or_lines(self) -> None:
        assert region(record()) == (4, None, 4, None)
        nowhere = finding(line=None, end_line=None, column=None, end_column=None, added=(3, 4))
        assert region(nowhere) == (1, None, 1, None)

    def test_windows_line_ends_are_no_columns(self) -> None:
        given = finding(text=COPY.replace("\n", "\r\n"), added=(13, 13))
        assert region(given).end_column == 52

    def test_an_empty_line_still_has_an_extent(self) -> None:
        assert region(finding(text="a\n\nb", added=(13, 13))) == (13, 1, 13, 2)


def test_counts() -> None:
    assert tally(Gate(True, 0, 0, 0, 0, 0, 0)) == "0 new"
    assert tally(Gate(False, 1200, 1, 2, 3, 4, 5)) == (
        "1,200 new · 1 known · 2 moved · 3 edited · 4 suppressed · 5 stale"
    )


def test_nothing_reaches_the_terminal_as_a_command() -> None:
    for color in (False, True):
        text = page(hostile(), color=color, show_suppressed=True)
        text = re.sub(r"\x1b\[[\d;]*m", "", text) if color else text
        assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
        assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


def test_a_very_long_line_is_cut_in_its_middle() -> None:
    text = page(verdict(finding(text="word " * 200_000, others=(Place("gone.md", "gone.md", 1),))))
    assert "… 199,910 words …" in text
    assert len(text) < 5000


def test_colour_says_nothing_of_its_own() -> None:
    plain, coloured = page(everything()), page(everything(), color=True)
    assert "[-venture-]{+project+}" in plain
    assert "\x1b[9;31mventure\x1b[0m \x1b[1;4;32mproject\x1b[0m" in coloured


@pytest.mark.parametrize("format", CHECK_FORMATS)
@pytest.mark.parametrize("given", [verdict(), verdict(passed=False), everything(), hostile()])
def test_every_format_is_utf8_and_the_same_each_time(format: str, given: Verdict) -> None:
    first = written(given, format, show_known=True, show_suppressed=True)
    first.decode("utf-8")
    assert first == written(given, format, show_known=True, show_suppressed=True)


def test_an_unknown_format() -> None:
    with pytest.raises(SettingsError, match=r"^format is 'csv'; expected one of text, json, sarif, github, "):
        written(verdict(), "csv")
