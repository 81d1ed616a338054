"""Changes inside of records: out of cells and members however they are written, notes of whatever id."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dedup.decide import CUT, MARK, Policy
from dedup.errors import OutputError
from dedup.filter import Plan
from dedup.restore import Archive
from dedup.write.cut import cut
from dedup.write.edit import Source, applied, undone
from dedup.write.mark import MEMBER, NOTES, mark, metadata
from tests.filtering import files, quick, ran, restored

from .prose import Prose

PLAN = Plan(("a.csv",), "kept.csv", "rejects.csv", "run.json", policy=Policy(action=CUT))
MARKS = replace(PLAN, rejects=None, policy=Policy(action=MARK))
COLUMNS = [f"dedup_{name}" for name in NOTES]
ODD = "\ud800"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


def back(plan: Plan) -> dict[str, bytes]:
    assert plan.manifest is not None
    done = restored(plan.manifest, "again")
    assert done.problems == []
    return files("again")


def rows_of(name: str, delimiter: str) -> list[dict[str, str]]:
    with open(name, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def table(texts: list[str], delimiter: str) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    rows.writerow(["id", "a,b", "text", "n"])
    rows.writerows([f"r{i}", "x,y", text, f"{i},5"] for i, text in enumerate(texts))
    return out.getvalue().encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
class TestDelimiters:
    def _texts(self) -> list[str]:
        prose = Prose(1)
        passage = prose.words(30)
        return [f'{prose.words(20)}, "so". {passage}. {prose.words(20)}; {i}|' for i in range(2)]

    @pytest.mark.parametrize("in_archive", [False, True])
    def test_a_cut(self, delimiter: str, in_archive: bool) -> None:
        texts = self._texts()
        data = table(texts, delimiter)
        Path("a.csv").write_bytes(data)
        plan = PLAN
        if in_archive:
            with zipfile.ZipFile("a.zip", "w") as archive:
                archive.write("a.csv")
            plan = replace(PLAN, paths=("a.zip",), kept="kept.zip", rejects="rejects.zip")
        assert ran(plan).cut == 1
        if in_archive:
            with zipfile.ZipFile("kept.zip") as archive:
                archive.extract("a.csv", "out")
        first, second = rows_of("out/a.csv" if in_archive else "kept.csv", delimiter)
        assert first["text"] == texts[0]
        assert second["text"].startswith(texts[1].split(",")[0])
        assert len(second["text"].split()) < 50
        assert (second["a,b"], second["n"]) == ("x,y", "1,5")
        assert (back(plan) == {"a.csv": data}) is not in_archive

    def test_a_mark(self, delimiter: str) -> None:
        text = self._texts()[0]
        data = table([text, text], delimiter)
        Path("a.csv").write_bytes(data)
        ran(MARKS)
        first, second = rows_of("kept.csv", delimiter)
        assert list(first) == ["id", "a,b", "text", "n", *COLUMNS]
        assert [first[name] for name in COLUMNS] == [""] * 4
        assert [second[name] for name in COLUMNS] == ["r0", "exact", "1.0", "1.0"]
        assert second["n"] == "1,5"
        assert back(MARKS) == {"a.csv": data}


def test_a_cell_with_text_behind_its_closing_quote_is_left() -> None:
    prose = Prose(1)
    passage = prose.words(30)
    rows = [f'"{prose.words(20)}. {passage}. {prose.words(20)}."{more}\n' for more in ("", " behind")]
    data = "".join(["text\n", *rows]).encode()
    Path("a.csv").write_bytes(data)
    outcome = ran(PLAN)
    assert (outcome.cut, outcome.uncut) == (0, 1)
    assert Path("kept.csv").read_bytes() == data
    assert back(PLAN) == {"a.csv": data}


def test_a_header_of_several_lines() -> None:
    source = Source("csv", "text", b'"id\nnumber",text\n')
    raw = b"1,one two three\n"
    edits = cut(source, raw, "one two three", [(4, 8)])
    assert applied(raw, edits) == b"1,one three\n"
    assert undone(b"1,one three\n", edits) == raw


@pytest.mark.parametrize("first", ["short one", "a longer text. " * 30])
def test_two_columns_of_one_name(first: str) -> None:
    """The last one is read, and cut."""
    prose = Prose(1)
    passage = prose.words(30)
    rows = [f"{i},{first},{prose.words(20)}. {passage}. {prose.words(20)}\n" for i in range(2)]
    data = "".join(["id,text,text\n", *rows]).encode()
    Path("a.csv").write_bytes(data)
    assert ran(PLAN).cut == 1
    kept = Path("kept.csv").read_text().splitlines(keepends=True)
    assert kept == ["id,text,text\n", rows[0], rows[1].replace(f"{passage}. ", "")]
    assert back(PLAN) == {"a.csv": data}


def test_what_does_not_stand_there_is_not_cut() -> None:
    source = Source("csv", "text", b"text\n")
    assert cut(source, b"one two three\n", "one two four", [(8, 12)]) == []


class TestNotes:
    @pytest.mark.parametrize(
        ("format", "raw"),
        [
            ("csv", b"a,b\n"),
            ("tsv", b"a\tb\n"),
            ("parquet", b'{"a":1}'),
            ("jsonl", b'{"a":1}\n'),
            ("warc", b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 0\r\n\r\n\r\n\r\n"),
        ],
    )
    def test_of_an_id_that_utf_8_cannot_hold(self, format: str, raw: bytes) -> None:
        note = {"duplicate_of": ODD, "kind": "exact", "jaccard": 1.0, "containment": 1.0}
        source = Source(format, "text")
        if format == "warc":
            pytest.importorskip("fastwarc")
            told = metadata(source, raw, note)
        else:
            told = bytes(applied(raw, mark(source, raw, note)))
        assert b"\\ud800" in told
        assert told.decode()

    def test_a_run(self) -> None:
        text = Prose(1).words(30)
        Path("a.jsonl").write_text(json.dumps({"id": ODD, "text": text}))
        data = f"id,text\n1,{text}\n".encode()
        Path("b.csv").write_bytes(data)
        ran(replace(MARKS, paths=("a.jsonl", "b.csv"), kept="kept", is_tree=True))
        assert rows_of("kept/b.csv", ",")[0]["dedup_duplicate_of"] == "\\ud800"
        assert back(MARKS)["b.csv"] == data

    @pytest.mark.parametrize(
        ("name", "data", "what"),
        [
            ("a.csv", b"text,dedup_kind\none two,\n", r"a\.csv:1: has a column dedup_kind already"),
            ("a.csv", b"text;dedup_kind\none two;\n", r"a\.csv:1: has a column dedup_kind already"),
            (
                "a.jsonl",
                b'{"text": "one two"}\n{"text": "a", "_dedup": {}}\n',
                r"a\.jsonl:2: has a member _dedup",
            ),
            ("a.jsonl", b'\xef\xbb\xbf{"_dedup": null, "text": "a"}', r"a\.jsonl:1: has a member _dedup"),
            ("a.jsonl", b'{"\\u005fdedup": null, "text": "a"}', r"a\.jsonl:1: has a member _dedup"),
        ],
    )
    def test_what_was_marked_before(self, name: str, data: bytes, what: str) -> None:
        Path(name).write_bytes(data)
        with pytest.raises(OutputError, match=rf"^{what}.*; take it out first, or divert copies$"):
            ran(replace(MARKS, paths=(name,), kept="kept"))
        assert os.listdir() == [name]

    @pytest.mark.parametrize("blank", ["\u00a0", " \u2003\t", "\r"])
    def test_blanks_of_any_kind_behind_a_line(self, blank: str) -> None:
        text = Prose(1).words(30)
        data = f'{{"text": "{text}"}}\n{{"text": "{text}" }}{blank}\n'.encode()
        Path("a.jsonl").write_bytes(data)
        plan = replace(MARKS, paths=("a.jsonl",), kept="kept.jsonl")
        assert ran(plan).copies == {"exact": 1}
        marked = Path("kept.jsonl").read_text("utf-8").split("\n")[1]
        assert marked.endswith(blank.rstrip("\r") or "}")
        assert json.loads(marked.rstrip())["_dedup"]["kind"] == "exact"
        assert back(plan) == {"a.jsonl": data}

    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    def test_a_large_record_is_not_held(self, suffix: str) -> None:
        """It goes by in pieces, also where every row gets columns."""
        large = "x" * (60 << 20)
        rows = {
            "csv": f"text\none two\n{large}\n",
            "jsonl": f'{{"text": "one two"}}\n{{"text": "{large}"}}\n',
        }
        Path(f"a.{suffix}").write_text(rows[suffix])
        del large
        options = MARKS.options._replace(max_record_size=1 << 20)
        plan = replace(MARKS, paths=(f"a.{suffix}",), kept="kept", options=options)
        tracemalloc.start()
        try:
            ran(plan)
            assert tracemalloc.get_traced_memory()[1] < 50 << 20
        finally:
            tracemalloc.stop()
        ends = {"csv": b"x,,,,\n", "jsonl": b'x"}\n'}
        assert Path("kept").read_bytes().endswith(ends[suffix])
        with Archive("run.json") as archive:
            assert archive.restore("again").problems == []
        assert Path(f"again/a.{suffix}").read_text() == rows[suffix]

    def test_a_table_that_was_marked_before(self) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"text": ["one"], "dedup_jaccard": [1.0]}), "a.parquet")
        with pytest.raises(OutputError, match=r"^a\.parquet: has a column dedup_jaccard already"):
            ran(replace(MARKS, paths=("a.parquet",), kept="kept"))

    def test_a_member_of_a_member_is_another_thing(self) -> None:
        raw = json.dumps({"a": {MEMBER: 1}, "text": MEMBER}).encode()
        assert mark(Source("jsonl", "text"), raw, None) == []
        assert len(mark(Source("jsonl", "text"), raw, {"kind": "near"})) == 1


class TestFormatsThatCannotBeChanged:
    def test_a_mark_in_an_archive(self) -> None:
        with zipfile.ZipFile("a.zip", "w") as archive:
            for name in "xy":
                archive.writestr(f"{name}.txt", Prose(1).words(30))
        with pytest.raises(OutputError, match=r"^a\.zip!y\.txt: text cannot be marked"):
            ran(replace(MARKS, paths=("a.zip",), kept="kept.zip"))

    def test_pages_are_left_whole(self) -> None:
        pytest.importorskip("resiliparse")
        prose = Prose(1)
        passage = prose.words(30)
        os.mkdir("in")
        for name in ("a.html", "b.html", "c.txt", "d.txt"):
            text = f"{prose.words(20)}. {passage}. {prose.words(20)}."
            Path("in", name).write_text(f"<p>{text}</p>" if name.endswith("html") else text)
        came = files("in")
        plan = replace(PLAN, paths=("in",), kept="kept", rejects="rejects", is_tree=True)
        outcome = ran(plan)
        assert (outcome.cut, outcome.uncut) == (2, 1)
        assert {name: data for name, data in files("kept/in").items() if name.endswith("html")} == {
            name: data for name, data in came.items() if name.endswith("html")
        }
        assert back(plan) == {f"in/{name}": data for name, data in came.items()}
