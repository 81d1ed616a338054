"""Oddities that must not end a filter run, and what changes under its hands."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest

from dedup.decide import MARK, Policy
from dedup.errors import InputError, OutputError
from dedup.filter import Plan
from dedup.filter.targets import is_finished
from dedup.read import Input, Options, archive
from dedup.restore import Archive
from tests.filtering import Checked, files, quick, ran, restored

from .filters import PLAN, check, line, put
from .prose import Prose


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


class TestOdd:
    """Nothing in an input ends a run."""

    @pytest.mark.parametrize("keep", ["first", "longest", "newest", "field:n", "field:n:desc"])
    @pytest.mark.parametrize("action", ["divert", "mark", "cut"])
    def test_odd_fields(self, keep: str, action: str) -> None:
        text = json.dumps(Prose(1).words(30))
        odd = [
            "9" * 30, "9" * 400, "9" * 5000, "-" + "9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "true", "null",
            '"\\ud800"', '"\\u0000"', "[]", "{}", "1.5", '""', '"Wed, 01 May 99999999999999 12:00:00 GMT"', '"x"',
        ]  # fmt: skip
        rows = [
            f'{{"text": {text}, "date": {value}, "n": {value}, "id": {value}}}\n'.encode() for value in odd
        ]
        put(*rows)
        plan = replace(PLAN, policy=Policy(keep, action), rejects=None if action == MARK else "rejects.jsonl")
        outcome = ran(plan)
        assert (outcome.records, outcome.skipped) == (len(odd), [])
        assert sum(outcome.copies.values()) == len(odd) - 1
        done = restored("run.json", "again")
        assert (done.problems, files("again")) == ([], {"a.jsonl": b"".join(rows)})

    @pytest.mark.parametrize("keep", ["first", "newest"])
    def test_inputs_of_nothing(self, keep: str) -> None:
        for data in (b"", b"\n", b"\xef\xbb\xbf", b"\0\0\0"):
            put(data)
            outcome = check(replace(PLAN, policy=Policy(keep))).outcome
            assert outcome.documents == 0
            for name in files("again"):
                os.unlink(f"again/{name}")

    def test_a_name_that_is_not_utf_8(self) -> None:
        os.mkdir("in")
        name = os.fsdecode(b"in/\xff.txt")
        Path(name).write_bytes(b"some words")
        ran(Plan(("in",), "kept", "rejects", "run.json", True))
        done = restored("run.json", "again")
        assert (done.problems, done.inputs) == ([], 1)
        assert Path(f"again/{name}").read_bytes() == b"some words"

    def test_records_above_the_limit(self) -> None:
        rows = [line("x" * 500_000), line(Prose(1).words(20)), line("x" * 500_000)]
        put(*rows)
        options = PLAN.options._replace(max_record_size=100_000)
        checked = check(replace(PLAN, options=options))
        assert [row["reason"] for row in checked.records] == ["not-read", "new", "not-read"]

    @pytest.mark.parametrize("originals", [True, False])
    def test_half_a_gzip(self, originals: bool) -> None:
        rows = b"".join(line(Prose(i).words(40), id=i) for i in range(50))
        packed = gzip.compress(rows)[:-200]
        put(packed, name="a.jsonl.gz")
        plan = replace(PLAN, paths=("a.jsonl.gz",), originals=originals)
        outcome = ran(plan)
        Checked(plan, {"a.jsonl.gz": packed}, outcome)
        assert len(outcome.skipped) >= 1
        done = restored("run.json", "again")
        assert done.problems == []
        assert files("again") == {"a.jsonl.gz": packed}

    def test_headers_that_end_otherwise_are_the_same(self) -> None:
        header = b"\xef\xbb\xbfid,text"
        names = {
            "a.csv": header,
            "b.csv": header + b"\r\n1,one two\r\n",
            "c.csv": header[3:] + b"\n2,one two\n3,other",
        }
        for name, data in names.items():
            put(data, name=name)
        plan = Plan(tuple(names), "kept.csv", "rejects.csv", "run.json")
        ran(plan)
        assert restored("run.json", "again").problems == []
        assert files("again") == names
        assert Path("kept.csv").read_bytes() == header + b"\r\n1,one two\r\n3,other"
        put(b"id;text\n", name="c.csv")
        with pytest.raises(OutputError, match=r"^c\.csv: has another header than the files before it"):
            ran(plan)

    @pytest.mark.parametrize("keep", ["first", "longest"])
    @pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.zip"])
    def test_a_table_without_the_text_column_is_named(self, name: str, keep: str) -> None:
        """Else nobody would know that --text-field is wrong, and all of it stays."""
        put(b"id,body\n1,one two\n2,one two\n", name="a.csv")
        pyarrow.parquet.write_table(pyarrow.csv.read_csv("a.csv"), "a.parquet")
        with zipfile.ZipFile("a.zip", "w") as packed:
            packed.write("a.csv")
        suffix = Path(name).suffix
        plan = Plan((name,), f"kept{suffix}", f"rejects{suffix}", "run.json", policy=Policy(keep))
        outcome = ran(plan)
        assert (outcome.records, outcome.kept, outcome.documents) == (2, 2, 0)
        assert [entry.reason.partition(";")[0] for entry in outcome.skipped] == ["no column 'text'"]
        assert restored("run.json", "again").problems == []
        assert files("again") == {name: Path(name).read_bytes()}

    def test_names_that_meet(self) -> None:
        """Standard input is called like a file that is there, too."""
        put(line("one two three"), name="stdin.jsonl")
        plan = replace(PLAN, paths=("-", "stdin.jsonl"))
        ran(plan, stdin=line("four five six"))
        done = restored("run.json", "again")
        assert done.problems == []
        assert sorted(files("again").values()) == [line("four five six"), line("one two three")]

    def test_paths_above_and_elsewhere(self, tmp_path: Path) -> None:
        os.makedirs("x/y")
        os.makedirs("z")
        put(line("one two three"), name="a.jsonl")
        put(line("four five six"), name="z/a.jsonl")
        os.chdir("x/y")
        try:
            plan = replace(PLAN, paths=("../../a.jsonl", str(tmp_path / "z" / "a.jsonl")))
            ran(plan)
            done = restored("run.json", "again")
            assert done.problems == []
            assert files("again") == {"a.jsonl": line("one two three"), "z/a.jsonl": line("four five six")}
        finally:
            os.chdir(tmp_path)


class TestUnreadable:
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_an_input_that_cannot_be_opened_does_not_come_back_empty(
        self, keep: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a file of which nothing could be read nothing is known: restore makes none, or says so."""
        put(line("one two three"))
        put(line("four five six"), name="b.jsonl")
        real = io.FileIO

        def opened(path: Any, *rest: Any, **more: Any) -> io.FileIO:
            if path == "b.jsonl":
                raise PermissionError(13, "Permission denied")
            return real(path, *rest, **more)

        with monkeypatch.context() as patch:
            patch.setattr("dedup.read.stream.io.FileIO", opened)
            outcome = ran(replace(PLAN, paths=("a.jsonl", "b.jsonl"), policy=Policy(keep)))
        assert [entry.source for entry in outcome.skipped][-1] == "b.jsonl"
        with Archive("run.json") as written:
            done = written.restore("again")
        back = files("again")
        assert back.get("a.jsonl") == line("one two three")
        assert "b.jsonl" not in back or any("b.jsonl" in told for told in (*done.problems, *done.remarks))


class TestDamaged:
    """What cannot be unpacked is kept as it came, whatever was asked for, and said to be."""

    @pytest.mark.parametrize("keep", ["first", "longest"])
    @pytest.mark.parametrize(
        "name", ["a.jsonl.gz", "a.txt.xz", "a.parquet", "a.arrow", "a.zip", "a.tar", "a.warc.gz"]
    )
    def test_comes_back(self, name: str, keep: str) -> None:
        os.mkdir("in")
        put(b"PK or whatever this is", name=f"in/{name}")
        put(line("one two three"), name="in/b.jsonl")
        before = files("in")
        plan = Plan(("in",), "kept", "rejects", "run.json", True, originals=False, policy=Policy(keep))
        outcome = ran(plan)
        if name == "a.zip":  # of which it is known beforehand
            assert files("kept")["in/a.zip"] == before[name]
        else:
            assert outcome.damaged == 1
        assert len(outcome.skipped) == 1
        done = restored("run.json", "again")
        assert (done.problems, done.remarks, files("again/in")) == ([], [], before)

    def test_standard_input_cannot_be_read_again(self) -> None:
        options = PLAN.options._replace(input_format="jsonl.gz")
        plan = replace(PLAN, paths=("-",), options=options)
        packed = gzip.compress(line("one two three"))[:-9]
        with pytest.raises(OutputError, match=r"^-: is damaged, .*leave out --no-originals"):
            ran(replace(plan, originals=False), stdin=packed)
        assert os.listdir() == []
        ran(plan, stdin=packed)
        assert restored("run.json", "again").problems == []
        assert list(files("again").values()) == [packed]


def _capture(number: int) -> bytes:
    text = Prose(number).words(20).encode()
    head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:x:{number}>\r\nContent-Length: {len(text)}"
    return head.encode() + b"\r\n\r\n" + text + b"\r\n\r\n"


_TABLE = b'id,text\n1,a b c d\n2,"d e ""f"" g"\n'
_WEB = _capture(1) + _capture(2)
_PACKED = gzip.compress(_capture(1), mtime=0) + gzip.compress(_capture(2), mtime=0)


class TestCutOffAmidARecord:
    """What follows in one file would be a part of that record for whoever reads it."""

    @pytest.mark.parametrize(
        ("suffix", "data"),
        [
            ("csv", _TABLE + b'3,"not closed\n'),
            ("tsv", _TABLE.replace(b",", b"\t") + b'3\t"not closed'),
            ("csv", _TABLE.replace(b",", b";") + b'3;"x, y"; "z\n"4";"not closed'),
            ("warc", _WEB[:-30]),
            ("warc", _WEB[: len(_capture(1)) + 30]),
            ("warc", _WEB + b"junk"),
            ("warc.gz", _PACKED[:-1]),
            ("warc.gz", _PACKED + b"junk"),
        ],
    )
    def test_nothing_follows_it(self, suffix: str, data: bytes) -> None:
        names = [f"{number}.{suffix}" for number in range(2)]
        whole = {"warc": _WEB, "warc.gz": _PACKED}.get(suffix, data[: data.rindex(b"\n", 0, -1) + 1])
        whole = whole.replace(b"a b c d", b"something else")
        for first, second, is_refused in ((data, whole, True), (whole, data, False), (whole, whole, False)):
            put(first, name=names[0])
            put(second, name=names[1])
            plan = Plan(tuple(names), f"kept.{suffix}", f"rejects.{suffix}", "run.json")
            if is_refused:
                with pytest.raises(
                    OutputError, match=rf"^{names[0]}: is cut off amid its last record, .* -o new/"
                ):
                    ran(plan)
                plan = replace(plan, kept="kept", rejects="rejects", is_tree=True)
            ran(plan)
            assert restored("run.json", f"again{first == data}{second == data}").problems == []

    def test_it_is_not_marked(self) -> None:
        data = put(_TABLE + b'3,"not closed\n', name="a.csv")
        plan = Plan(("a.csv",), "kept.csv", None, "run.json", policy=Policy(action=MARK))
        ran(plan)
        assert Path("kept.csv").read_bytes().endswith(b'f"" g",,,,\n3,"not closed\n')
        assert restored("run.json", "again").problems == []
        assert files("again") == {"a.csv": data}

    def test_a_large_row(self) -> None:
        options = PLAN.options._replace(max_record_size=1000)
        put(b'id,text\n1,"' + b"x " * 1000, name="a.csv")
        put(b"id,text\n1,a b c\n", name="b.csv")
        plan = Plan(("a.csv", "b.csv"), "kept.csv", "rejects.csv", "run.json", options=options)
        with pytest.raises(OutputError, match=r"^a\.csv: is cut off amid its last record"):
            ran(plan)
        ran(replace(plan, paths=("b.csv", "a.csv")))


class TestPipes:
    """A named pipe can be read, but once only."""

    def test_is_not_looked_into_beforehand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        os.mkfifo("a.zip")
        monkeypatch.setattr("dedup.read.archive.opened", None)
        assert archive.locked(Input("a.zip", "zip", ""), Options()) is None

    def test_is_not_compared_with_what_came_before(self) -> None:
        put(line("one two three"))
        ran(PLAN)
        assert is_finished(PLAN)
        os.unlink("a.jsonl")
        os.mkfifo("a.jsonl")
        assert not is_finished(PLAN)

    def test_is_not_read_twice(self) -> None:
        os.mkfifo("a.jsonl")
        with pytest.raises(InputError, match=r"^a\.jsonl: can be read only once, .* as standard input"):
            ran(replace(PLAN, policy=Policy("longest")))
        assert os.listdir() == ["a.jsonl"]


class TestChanges:
    """Inputs that change while they are read: nothing is written, and one line says it."""

    @pytest.mark.parametrize("action", ["divert", "cut"])
    @pytest.mark.parametrize(
        "change",
        [
            lambda rows: rows[:-1],
            lambda rows: [],
            lambda rows: [*rows, rows[0]],
            lambda rows: [rows[1], rows[0], *rows[2:]],
            lambda rows: [line("short")] * len(rows),
            lambda rows: [b"no\n"] * len(rows),
            lambda rows: rows[2:] + rows[:2],
        ],
    )
    def test_between_two_passes(self, change: Callable[[list[bytes]], list[bytes]], action: str) -> None:
        prose = Prose(1)
        text = prose.words(30)
        rows = [line(prose.round(text)), line(prose.round(text, 30)), line(text), line(text.upper())]
        put(*rows)

        def changes(stage: str, done: int, total: int | None) -> None:
            if stage == "comparing documents":
                put(*change(rows))

        with pytest.raises(InputError, match=r"a\.jsonl: changed while it was read"):
            ran(replace(PLAN, policy=Policy("longest", action)), progress=changes)
        assert os.listdir() == ["a.jsonl"]

    def test_gone_between_two_passes(self) -> None:
        os.mkdir("in")
        for name in "abc":
            Path(f"in/{name}.txt").write_text(Prose(1).words(30))

        def changes(stage: str, done: int, total: int | None) -> None:
            if stage == "comparing documents":
                Path("in/b.txt").unlink(missing_ok=True)

        with pytest.raises(InputError):
            ran(
                Plan(("in",), "kept", "rejects", "run.json", True, policy=Policy("longest")), progress=changes
            )
        assert os.listdir() == ["in"]
