"""The page: what it holds, what it leaves out and says so, and that it is only text. (In a browser: tests/browser.)"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import ntpath
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.cli.links import links
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
from dedup.report import html, write
from dedup.report.html import data
from dedup.report.html.compare import alone, compared
from dedup.report.html.encoding import encoded
from dedup.report.html.places import survey
from dedup.report.html.shown import one_line, seen

SENTENCE = "the harbour office counted every ship that came in before the storm and none that left after it"
FILLER = " ".join(f"word{number}" for number in range(120))
TEXTS = {
    "a.txt": f"On Monday, as usual, {SENTENCE}. Nobody asked why.",
    "b.txt": f"It was said that {SENTENCE.replace('ship', 'boat')}, but who knows.\n\nThe end.",
    "c.txt": f"On Monday, as usual, {SENTENCE}. Nobody asked why.",
}


def scanned(texts: dict[str, str] = TEXTS) -> Report:
    return dedup.scan([dedup.Document(name, text, Source(name)) for name, text in texts.items()])


def page(
    report: Report, texts: dict[str, str] | None = TEXTS, link: Callable[[str], str | None] | None = None
) -> str:
    stream = io.BytesIO()
    known = texts or {}
    html.write(report, stream, lambda document, source: known.get(document), link)
    return stream.getvalue().decode()


def embedded(text: str) -> dict[str, Any]:
    match = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert match is not None
    found: dict[str, Any] = json.loads(match[1])
    return found


def finding(text: str, kind: str) -> list[Any]:
    [found] = [found for found in embedded(text)["findings"] if found[1] == kind]
    return list(found)


def left(text: str) -> list[str]:
    return embedded(text)["left"]


class TestPage:
    def test_the_same_bytes_each_time(self) -> None:
        assert page(scanned()) == page(scanned())

    def test_its_policy_allows_its_own_style_and_script_and_nothing_else(self) -> None:
        text = page(scanned())
        for tag in ("style", "script"):
            inside = text[text.rindex(f"<{tag}>") + len(tag) + 2 : text.rindex(f"</{tag}>")]
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in text
        [policy] = re.findall('Content-Security-Policy" content="([^"]*)"', text)
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert re.findall(r"\b(?:https?:)?//[\w.]", text.replace("http://www.w3.org/2000/svg", "")) == []
        assert not re.search(r"<[^>]*\s(on\w+|style)=", text[: text.index('id="data"')])

    def test_it_is_well_formed(self) -> None:
        class Nesting(HTMLParser):
            def __init__(self) -> None:
                super().__init__()
                self.open: list[str] = []

            def handle_starttag(self, tag: str, attrs: Any) -> None:
                if tag not in ("meta", "link", "input", "rect", "line"):
                    self.open.append(tag)

            def handle_endtag(self, tag: str) -> None:
                if tag not in ("rect", "line"):
                    assert self.open.pop() == tag

        parser = Nesting()
        parser.feed(page(scanned()))
        assert parser.open == []

    def test_nothing_found(self) -> None:
        text = page(scanned({"a.txt": "One sentence only, and nothing to compare it with."}))
        assert '<h1 id="title">Nothing repeats</h1>' in text
        assert embedded(text)["findings"] == embedded(text)["strips"] == []

    def test_nothing_read(self) -> None:
        assert "0 documents read, 0 words: nothing of it repeats." in page(dedup.scan([]))

    def test_skipped_and_empty_are_named(self) -> None:
        summary = Summary(1, 1, 1, 0, 0, 0, 0, 0, 0, 0.0)
        skipped, empty = (Skipped("<b>", "no & such\x00"),), (EmptyDocument("<i>", Source("<i>")),)
        text = page(Report(Settings(), summary, skipped, empty, (), ()))
        assert "<bdi>&lt;b&gt;</bdi>: no &amp; such\\x00" in text
        assert "<bdi>&lt;i&gt;</bdi>" in text

    def test_by_its_name(self) -> None:
        stream = io.BytesIO()
        write(scanned(), "html", stream)
        assert stream.getvalue().startswith(b"<!doctype html>")


class TestFindings:
    def test_a_passage_with_what_differs_and_what_stands_round_it(self) -> None:
        places, views = finding(page(scanned()), "passage")[7:10:2]
        first, other = places[0], next(place for place in places if place[3] == 1)
        assert [piece for piece in views[1][0] if isinstance(piece, list)] in (
            [["ship", "boat"]],
            [["boat", "ship"]],
        )
        shown = {embedded(page(scanned()))["files"][place[0]][0]: place[4:6] for place in (first, other)}
        assert shown["b.txt"] == ["It was said that ", ", but who knows. ¶ The end."]

    def test_copies_of_a_document(self) -> None:
        found = finding(page(scanned()), "exact")
        assert [place[3] for place in found[7]] == [0, 0]
        assert found[3] == "25 words · 2 documents"

    def test_a_near_copy_is_compared_as_a_whole(self) -> None:
        other = TEXTS["a.txt"].replace("Nobody", "Everybody")
        texts = {"a.txt": f"{FILLER} {TEXTS['a.txt']}", "b.txt": f"{FILLER} {other}"}
        views = finding(page(scanned(texts), texts), "near")[9]
        assert [piece for piece in views[1][0] if isinstance(piece, list)] in (
            [["Nobody", "Everybody"]],
            [["Everybody", "Nobody"]],
        )

    def test_a_contained_text_beside_the_stretch_that_holds_it(self) -> None:
        inner = f"({SENTENCE}. {SENTENCE[::-1]}.)"
        texts = {"inner": inner, "outer": f"{FILLER}\n{inner} {FILLER[::-1]}"}
        found = finding(page(dedup.scan(texts.items()), texts), "contained")
        pieces, _, before, after = found[9][1]
        assert "".join(pieces) == inner[1:-2]  # from word to word: what follows is no difference
        assert before.endswith("word119 (")
        assert after.startswith(".) 911drow")
        assert found[7][1][4:6] == ["(", ".)"]

    def test_a_contained_text_that_lies_scattered(self) -> None:
        words = FILLER.split()
        outer = " ".join(f"{part} {' '.join(f'n{i}x{j}' for j in range(9))}" for i, part in
                         enumerate(" ".join(words[i:i + 12]) for i in range(0, 120, 12)))  # fmt: skip
        texts = {"inner": FILLER, "outer": outer}
        found = finding(page(dedup.scan(texts.items(), threshold=0.5, passages=False), texts), "contained")
        assert found[7][1][3] == 1
        assert (
            "".join(piece[1] if isinstance(piece, list) else piece for piece in found[9][1][0]).split()
            == words
        )

    def test_without_texts_passages_are_shown_alone_and_the_page_says_so(self) -> None:
        text = page(scanned(), None)
        assert finding(text, "passage")[9][0][0]
        assert {tuple(place[4:6]) for place in finding(text, "passage")[7]} == {("", "")}
        assert finding(text, "exact")[9] == []
        assert "3 documents could not be read again" in " ".join(left(text))
        assert all(strip[1] == 0 for strip in embedded(text)["strips"])
        assert "nothing is painted" in text
        assert "that of 1 document is not known" in text
        assert finding(text, "exact")[2] == "a.txt"

    def test_a_text_that_has_changed_lends_nothing_to_a_passage(self) -> None:
        text = page(scanned(), {name: f"Changed. {text}" for name, text in TEXTS.items()})
        assert {tuple(place[4:6]) for place in finding(text, "passage")[7]} == {("", "")}

    def test_links_and_places(self) -> None:
        text = page(scanned(), link=lambda path: f"../{path}" if path == "a.txt" else None)
        assert sorted(map(tuple, embedded(text)["files"])) == [
            ("a.txt", "../a.txt"),
            ("b.txt", ""),
            ("c.txt", ""),
        ]
        assert '<a href="../a.txt"><bdi>a.txt</bdi></a>' in text

    def test_a_record_is_named_by_its_line_and_its_own_id(self) -> None:
        documents = [
            dedup.Document(f"id-{number}", text, Source("news.jsonl", number, 100 * number))
            for number, text in enumerate(TEXTS.values(), 1)
        ]
        text = page(dedup.scan(documents), None)
        assert [0, 1, "id-1"] in embedded(text)["documents"]
        assert "<bdi>news.jsonl:1</bdi> <bdi>id-1</bdi>" in text

    def test_periodic_text(self) -> None:
        line = "All rights reserved by the owner of this page and of all others. "
        texts = {"a.txt": line * 30}
        found = finding(page(scanned(texts), texts), "periodic")
        assert found[5] == 30
        assert "30 copies" in found[3]


def many(clusters: int, places: int, text: str) -> Report:
    passages = tuple(
        PassageCluster(
            f"{number:016x}", 20, 0.9, None,
            tuple(PassageMember(f"{number}-{place}", Source(), 0, len(text), 1, 1, 0.9 if place else None,
                                f"{text} {place}") for place in range(places)),
        )
        for number in range(clusters)
    )  # fmt: skip
    documents = tuple(
        DocumentCluster(f"{number:016x}", "near", f"{number}-0",
                        (DocumentMember(f"{number}-0", Source()), DocumentMember(f"{number}-1", Source(), 0.9, 0.9)))
        for number in range(clusters)
    )  # fmt: skip
    summary = Summary(clusters * places, 0, 0, 0, 0, 0, clusters, clusters, 0, 0.0)
    return Report(Settings(), summary, (), (), documents, passages)


class TestBounds:
    def test_places_and_texts_of_a_finding(self) -> None:
        text = page(many(1, 500, SENTENCE), None)
        found = finding(text, "passage")
        assert (len(found[7]), found[8], len(found[9])) == (50, 450, 8)
        assert found[3] == "20 words · 500 places · 90.0% alike"
        assert "450 places counted but not named" in " ".join(left(text))

    def test_of_many_findings_the_first_are_whole_the_next_brief_the_rest_left_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(data, "FULL", 60_000)
        monkeypatch.setattr(data, "ALL", 100_000)
        text = page(many(400, 9, SENTENCE * 8), None)
        found = embedded(text)["findings"]
        kinds = [finding[1] for finding in found]
        assert len(found) < 800
        assert kinds == sorted(kinds)  # documents first, and they have left room
        passages = [finding for finding in found if finding[1] == "passage"]
        assert [len(passages[0][7]), len(passages[-1][7])] == [9, 5]
        assert [finding[0] for finding in passages] == [f"p-{number:016x}" for number in range(len(passages))]
        assert f"{800 - len(found)} findings that repeat least are left out" in " ".join(left(text))
        assert any("findings told briefly" in sentence for sentence in left(text))
        assert len(text) < 100_000 + 400_000

    def test_names_count_as_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(data, "FULL", 60_000)
        monkeypatch.setattr(data, "ALL", 100_000)
        report = many(200, 50, SENTENCE)
        clusters = []
        for number, cluster in enumerate(report.passage_clusters):
            places = (
                replace(m, source=Source(f"{'字' * 300}/{number}/{m.document}")) for m in cluster.members
            )
            clusters.append(replace(cluster, members=tuple(places)))
        text = page(
            replace(report, passage_clusters=tuple(clusters)), None, link=lambda path: "./" + "x" * 1900
        )
        assert len([found for found in embedded(text)["findings"] if found[1] == "passage"]) == 1
        assert "findings that repeat least are left out" in " ".join(left(text))
        assert "x" * 1900 not in page(report, None, link=lambda path: "./" + "x" * 2000)

    def test_a_long_text(self) -> None:
        [head, left_out, tail], is_cut, *_ = alone(" ".join(map(str, range(1000))))
        assert (head.split()[-1], left_out, tail.split()[0], is_cut) == ("159", 780, "940", False)

    def test_a_long_difference(self) -> None:
        words = [f"w{number}" for number in range(3000)]
        other = [*words[:1000], "x", *words[1001:]]
        pieces, is_cut, *_ = compared(" ".join(words), " ".join(other))
        assert [piece for piece in pieces if not isinstance(piece, str)] == [952, ("w1000", "x"), 1951]
        assert not is_cut

    def test_a_long_text_and_the_same_in_other_lines(self) -> None:
        words = [f"w{number}" for number in range(1000)]
        [_, left_out, _], is_cut, *_ = compared(" ".join(words), "\n\n".join(words))
        assert (left_out, is_cut) == (780, False)

    def test_words_of_scripts_with_marks(self) -> None:
        assert compared("जब सूरज डूबा", "जब सूर्य डूबा").pieces == ["जब ", ("सूरज", "सूर्य"), " डूबा"]
        assert compared("tr\u00e8s bien", "tre\u0300s bien").pieces == ["tre\u0300s bien"]
        assert alone("नदी के किनारे " * 90).pieces[1] == 3 * 90 - 160 - 60

    def test_more_words_than_are_compared(self) -> None:
        words = " ".join(f"w{number}" for number in range(9000))
        assert compared(words, words).is_cut


def test_ids_that_are_none_of_ours() -> None:
    report = many(2, 2, SENTENCE)
    clusters = tuple(replace(cluster, id='\ud800"><b>') for cluster in report.passage_clusters)
    text = page(replace(report, passage_clusters=clusters), None)
    anchors = [found[0] for found in embedded(text)["findings"] if found[1] == "passage"]
    assert anchors == [r'p-\ud800"><b>', r'p-\ud800"><b>-']
    assert "<b>" not in text


class TestShown:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\x00b\u202ec", r"a\x00b\u202ec"),
            ("one\n\ntwo", "one\n\ntwo"),
            ("\ud800", r"\ud800"),
            ("e" + "\u0301" * 8, "e" + "\u0301" * 8),
            ("!" * 50, "!" * 50),
            ("字" * 500, "字" * 500),
        ],
    )
    def test_texts(self, text: str, shown: str) -> None:
        assert seen(text) == shown

    def test_names_keep_to_one_line(self) -> None:
        assert one_line("a\n\nb") == r"a\x0a\x0ab"

    def test_data_cannot_end_the_element_that_holds_them(self) -> None:
        text = encoded(["</script><!--&\u2028\u2029"])
        assert not set(b"<>&") & set(text)
        assert text.isascii()
        assert json.loads(text) == ["</script><!--&\u2028\u2029"]


class TestPlaces:
    def test_spans_shares_and_folders(self) -> None:
        texts = {f"news/{name}": text for name, text in TEXTS.items()}
        found = survey(scanned(texts), lambda document, source: texts[document])
        by_name = {document.key[0]: document for document in found.documents}
        assert by_name["news/a.txt"].share == 1.0
        start, end, _ = by_name["news/b.txt"].spans[0]
        assert by_name["news/b.txt"].share == (end - start) / len(texts["news/b.txt"])
        repeated = sum(document.repeated for document in found.documents)
        assert found.folders == [("news", repeated, 3, None, None)]
        keys = [(name, Source(name)) for name in (*texts, "news/d.txt", "old/e.txt")]
        lengths = [*((key, len(texts[key[0]])) for key in keys[:3]), (keys[3], 1000), (keys[4], 9)]
        again = survey(scanned(texts), lambda document, source: None, lengths)
        assert again.documents == found.documents
        assert again.folders == [("news", repeated, 3, sum(map(len, texts.values())) + 1000, 4)]
        assert (sum(found.sizes.values()), sum(found.alike.values())) == (2, 3)

    def test_a_contained_text_paints_its_stretch_in_the_kept_one(self) -> None:
        inner = f"{SENTENCE}. {SENTENCE[::-1]}."
        texts = {"inner": inner, "outer": f"{FILLER}\n{inner}\n{FILLER[::-1]}"}
        found = survey(dedup.scan(texts.items()), lambda document, source: texts[document])
        spans = {document.key[0]: document.spans[0][:2] for document in found.documents}
        start, end = spans["outer"]
        assert spans["inner"] == (0, len(inner))
        assert texts["outer"][start:end] in inner


def test_a_scan_reads_texts_again_or_holds_them(tmp_path: Path) -> None:
    names = ("a.txt", "b.jsonl", "c.txt.gz")
    (tmp_path / names[0]).write_text(f"Before it all, {SENTENCE}. After it, the first.")
    (tmp_path / names[1]).write_text(
        json.dumps({"text": f"Sooner or later {SENTENCE}; then the second."}) + "\n"
    )
    (tmp_path / names[2]).write_bytes(gzip.compress(f"Nobody saw that {SENTENCE}: so the third.".encode()))
    command = [
        sys.executable,
        "-m",
        "dedup",
        "scan",
        *names,
        "-q",
        "--format",
        "html",
        "-o",
        "sub/report.html",
    ]
    (tmp_path / "sub").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(dedup.__file__).parents[1])}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
    text = (tmp_path / "sub/report.html").read_text("utf-8")
    around = sorted(place[4:6] for place in finding(text, "passage")[7])
    assert around == [
        ["Before it all, ", ". After it, the first."],
        ["Nobody saw that ", ": so the third."],
        ["Sooner or later ", "; then the second."],
    ]
    assert [href for _, href in embedded(text)["files"]] == [f"./../{name}" for name in names]
    assert left(text) == []
    assert str(tmp_path) not in text


class TestLinks:
    def test_they_are_relative_to_the_report(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "out").mkdir()
        for name in ("a b?#.txt", "javascript:x"):
            (tmp_path / name).write_text("a")
        assert links("out/report.html")("a b?#.txt") == "./../a%20b%3F%23.txt"
        assert links("-")("javascript:x") == "./javascript%3Ax"
        assert links(str(tmp_path / "report.html"))("a b?#.txt") == "./a%20b%3F%23.txt"

    def test_nobody_is_asked_for_what_is_on_a_share(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)
        monkeypatch.setattr(os.path, "isfile", asked.append)
        assert links("r.html")(r"\\host\share\a.txt") is links("r.html")("//host/share/a.txt") is None
        assert asked == []

    def test_what_is_no_file_here_has_none(self) -> None:
        for path in ("-", "missing.txt", "https://example.org/a.txt", "a.zip!b.txt", "\ud83d"):
            assert links("report.html")(path) is None
