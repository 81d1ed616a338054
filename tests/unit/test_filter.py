"""Filter runs by example: what goes where and why, which copy stays, what is marked and cut."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dedup.decide import CUT, MARK, Policy
from dedup.errors import OutputError
from dedup.filter import Outcome, Plan
from dedup.kept import Verdict
from dedup.model import Settings
from dedup.restore import Archive
from tests.filtering import Checked, files, lines_of, quick, ran, restored

from .filters import PLAN, check, ids, line, put
from .prose import Prose


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


class TestSides:
    def test_what_is_new_and_what_is_not(self) -> None:
        prose = Prose(1)
        a, b = prose.words(60), prose.words(60)
        near, part = prose.exchanged(a, [30]), " ".join(b.split()[10:30])
        put(*(line(t, id=i) for i, t in enumerate([a, b, a, near, part, prose.round(b), "", "…"])))
        checked = check()
        assert ids("kept.jsonl") == [0, 1, 5, 6, 7]
        assert ids("rejects.jsonl") == [2, 3, 4]
        assert [row["reason"] for row in checked.records] == [
            "new", "new", "exact", "near", "contained", "new", "no-words", "no-words",
        ]  # fmt: skip
        (held,) = checked.records[5]["holds"]
        assert (held["id"], held["containment"]) == ("1", 1.0)
        assert checked.outcome.copies == {"exact": 1, "near": 1, "contained": 1}

    def test_without_a_line_end_between_two_inputs(self) -> None:
        a, b = line(Prose(1).words(20))[:-1], line(Prose(2).words(20))[:-1]
        Path("a.jsonl").write_bytes(a)
        Path("b.jsonl").write_bytes(b)
        check(replace(PLAN, paths=("a.jsonl", "b.jsonl")))
        assert Path("kept.jsonl").read_bytes() == a + b"\n" + b

    @pytest.mark.parametrize(
        ("keep", "stays"),
        [
            ("first", 0),
            ("longest", 1),
            ("oldest", 2),
            ("newest", 1),
            ("field:rank", 3),
            ("field:rank:desc", 0),
            ("field:none", 0),
        ],
    )
    def test_which_one_stays(self, keep: str, stays: int) -> None:
        text = Prose(1).words(60)
        longer = f"{text} more"
        rows = [
            line(text, id=0, rank=9, date="2024-05-02"),
            line(longer, id=1, rank=5, date="Fri, 03 May 2024 00:00:00 GMT"),
            line(text, id=2, rank="x", date=5),
            line(text, id=3, rank=-1),
        ]
        put(*rows)
        check(replace(PLAN, policy=Policy(keep)))
        assert ids("kept.jsonl") == [stays]
        assert Path("kept.jsonl").read_bytes() == rows[stays]

    def test_the_longer_one_takes_the_place(self) -> None:
        prose = Prose(1)
        inner = prose.words(40)
        put(line(inner, id="inner"), line(prose.round(inner), id="outer"))
        checked = check(replace(PLAN, policy=Policy("longest")))
        assert ids("kept.jsonl") == ["outer"]
        assert checked.records[0]["reason"] == "contained"

    def test_parts_stay_if_wished(self) -> None:
        prose = Prose(1)
        outer = prose.words(100)
        put(line(outer), line(" ".join(outer.split()[20:50])))
        assert check(replace(PLAN, policy=Policy(contained=False))).outcome.kept == 2

    def test_the_oldest_file(self) -> None:
        text = Prose(1).words(30)
        os.mkdir("in")
        for name, time in (("a.txt", 9), ("b.txt", 5), ("c.txt", 7)):
            Path("in", name).write_text(text)
            os.utime(f"in/{name}", (time, time))
        check(
            Plan(("in",), "kept", "rejects", "run.json", True, policy=Policy("oldest")),
            {f"in/{name}": text.encode() for name in ("a.txt", "b.txt", "c.txt")},
        )
        assert list(files("kept")) == ["in/b.txt"]
        assert list(files("rejects")) == ["in/a.txt", "in/c.txt"]

    def test_a_reference_is_never_written_and_never_reported(self) -> None:
        text, other = Prose(1).words(30), Prose(2).words(30)
        put(line(text, id="old"), line(text, id="old too"), name="old.jsonl")
        put(line(text, id="new"), line(other, id="other"), line(other, id="again"))
        for keep in ("first", "longest", "newest"):
            with_it = replace(PLAN, reference=("old.jsonl",), policy=Policy(keep))
            outcome = ran(with_it)
            checked = Checked(with_it, {"a.jsonl": Path("a.jsonl").read_bytes()}, outcome)
            assert ids("kept.jsonl") == ["other"]
            assert checked.records[0]["twin"]["id"] == "old"
            assert [row["rule"] for row in checked.records if "rule" in row] == ["reference", keep]
            assert (outcome.records, outcome.documents) == (3, 3)

    def test_an_exact_twin_before_a_near_one(self) -> None:
        prose = Prose(1)
        a = prose.words(100)
        put(line(prose.exchanged(a, [5]), id=0), line(prose.exchanged(a, [50, 60, 70]), id=1), line(a, id=2))
        assert check(replace(PLAN, settings=Settings(threshold=0.9))).records[2]["twin"]["id"] == "0"


class TestMark:
    def test_a_mark_is_a_member_more(self) -> None:
        text = Prose(1).words(30)
        rows = [
            b'{"text": "%s"}\n' % text.encode(),
            b'{ "text" :"%s" }  \r\n' % text.encode(),
            b'{"id": "\\ud800", "text": "%s", "_dedu": 1}' % text.upper().encode(),
        ]
        put(*rows)
        plan = replace(PLAN, rejects=None, policy=Policy(action=MARK))
        check(plan)
        first, second, third = Path("kept.jsonl").read_bytes().splitlines(keepends=True)
        assert first == rows[0]
        note = b'"_dedup": {"duplicate_of": "a.jsonl:1", "kind": "exact", "jaccard": 1.0, "containment": 1.0}'
        assert second == rows[1].replace(b" }", b" , " + note + b"}") or second == rows[1].replace(
            b" }", b" " + b", " + note + b"}"
        )
        assert json.loads(third)["_dedup"]["kind"] == "near"

    def test_what_cannot_be_marked_is_told(self) -> None:
        os.mkdir("in")
        for name in "ab":
            Path(f"in/{name}.txt").write_text(Prose(1).words(30))
        with pytest.raises(OutputError, match=r"^in/a.txt: text cannot be marked"):
            ran(Plan(("in",), "kept", None, "run.json", True, policy=Policy(action=MARK)))
        assert sorted(os.listdir()) == ["in"]


class TestCut:
    PLAN = replace(PLAN, policy=Policy(action=CUT))

    def test_a_passage_is_left_once(self) -> None:
        prose = Prose(1)
        passage = prose.words(30)
        texts = [f"{prose.words(20)}. {passage}. {prose.words(20)}." for _ in range(3)]
        put(*(line(t, id=i) for i, t in enumerate(texts)))
        checked = check(self.PLAN)
        assert [row["decision"] for row in checked.records] == ["kept", "cut", "cut"]
        kept = [json.loads(row)["text"] for row in Path("kept.jsonl").read_bytes().splitlines()]
        assert kept == [texts[0], *(t.replace(f"{passage}. ", "") for t in texts[1:])]

    @pytest.mark.parametrize(
        "write",
        [
            lambda text: json.dumps({"text": text, "n": 1}),
            lambda text: json.dumps({"a": [{"text": "}"}], "text": text}, ensure_ascii=False),
            lambda text: '{"text": "not this", "text" : ' + json.dumps(text) + " }",
            lambda text: '{"t\\u0065xt":' + json.dumps(text).replace("e", "\\u0065") + "}",
            lambda text: json.dumps({"text": text, "big": 1}).replace("1}", "9" * 5000 + "}"),
            lambda text: json.dumps({"text": text, "n": 1}).replace("1}", "NaN}"),
            lambda text: json.dumps({"a": 1, "text": text}).replace("1", "[" * 500 + "]" * 500),
            lambda text: json.dumps({"a": 1, "text": text}).replace("1", "[" * 990 + "]" * 990),
            lambda text: json.dumps({"a": 1, "text": text}).replace("1", "[" * 1020 + "]" * 1020),
            lambda text: json.dumps({"text": text.replace(" ", " \U0001f600 "), "id": "\ud800"}),
            lambda text: json.dumps(
                {"a": [1, {"text": "]"}, [{}], [], -1.5e3], "text": text, "b": {"c": [True, None]}}
            ),
            lambda text: json.dumps({"a": {"b": [[], [1], {}]}, "text": text}, indent=1).replace("\n", "\r"),
            lambda text: json.dumps({"text": f"\ud83d {text}", "id": "\ud800"}),
            lambda text: json.dumps({"text": text.replace(" ", '\\u" \\"')}),
        ],
    )
    def test_out_of_json_however_it_is_written(self, write: Callable[[str], str]) -> None:
        prose = Prose(1)
        passage = prose.words(30)
        rows = [write(f"{prose.words(20)}. {passage}. {prose.words(20)}.").encode() + b"\n" for _ in range(3)]
        put(*rows)
        outcome = ran(self.PLAN)
        assert outcome.skipped == []
        assert outcome.cut == 2
        done = restored("run.json", "again")
        assert (done.problems, files("again")) == ([], {"a.jsonl": b"".join(rows)})

    def test_out_of_files(self) -> None:
        prose = Prose(1)
        passage = prose.words(30)
        tree = {
            f"in/{i}.txt": b"\xef\xbb\xbf"
            + f"\U0001f600 é {prose.words(20)}\n{passage}\n{prose.words(20)}".encode()
            for i in range(3)
        }
        os.mkdir("in")
        for name, data in tree.items():
            Path(name).write_bytes(data)
        plan = Plan(("in",), "kept", "rejects", "run.json", True, policy=Policy(action=CUT))
        assert check(plan, tree).outcome.cut == 2

    def test_what_repeats_within_one_text(self) -> None:
        unit = Prose(1).words(15)
        put(line(f"{' '.join([unit] * 6)} {Prose(2).words(20)}", id=0), line(Prose(3).words(30), id=1))
        checked = check(self.PLAN)
        assert checked.outcome.cut == 1
        text = json.loads(Path("kept.jsonl").read_bytes().splitlines()[0])["text"]
        assert text.count(unit) == 1

    def test_nothing_is_cut_from_a_reference(self) -> None:
        prose = Prose(1)
        passage = prose.words(30)
        put(line(prose.round(passage)), name="old.jsonl")
        put(line(prose.round(passage)))
        checked = Checked(
            plan := replace(self.PLAN, reference=("old.jsonl",)), {"a.jsonl": Path("a.jsonl").read_bytes()}, ran(plan)
        )  # fmt: skip
        assert checked.records[0]["cuts"][0]["twin"]["reference"]
        assert passage not in Path("kept.jsonl").read_text()

    def test_what_cannot_be_cut_out_of_is_carried(self) -> None:
        os.mkdir("in")
        tree = {"in/a.txt": Prose(1).words(30).encode(), "in/a.png": b"\x89PNG", "in/b.txt": b""}
        for name, data in tree.items():
            Path(name).write_bytes(data)
        plan = Plan(("in",), "kept", "rejects", "run.json", True, policy=Policy(action=CUT))
        assert check(plan, tree).outcome.kept == 3


def test_the_outcome_does_not_depend_on_what_a_hash_is() -> None:
    """Texts are told apart by Python's hash of strings, which is another one in each process."""
    import subprocess

    prose = Prose(1)
    put(*(line(text) for text in [prose.words(30)] * 3 + [prose.words(20)] * 2))
    found = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "dedup", "filter", "a.jsonl", "--force", "-q"]
        command += ["-o", "kept.jsonl", "--rejects", "rejects.jsonl", "--manifest", "run.json"]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        subprocess.run(command, env=environment, check=True, timeout=60)
        found.append(files("."))
    assert found[0] == found[1]


def test_copies_of_each_other_are_not_both_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever judged so: before outputs take their names, every copy must have a twin that was written."""
    put(line("one two three"), line("one two three"))
    judged = {0: Verdict("exact", 1), 1: Verdict("exact", 0)}
    monkeypatch.setattr("dedup.filter._Job._told", lambda *_: judged)
    before = files(".")
    with pytest.raises(OutputError, match="has a copy that was set aside, and does not stay itself"):
        ran(PLAN)
    assert files(".") == before


def test_lines_that_are_asked_for_by_id_stay_lines() -> None:
    Path("a.jsonl").write_bytes(b'{"id": "A", "text": "one two"}')
    Path("b.jsonl").write_bytes(b'{"id": "B", "text": "three four"}')
    ran(replace(PLAN, paths=("a.jsonl", "b.jsonl")))
    for names, wanted in (
        (["A", "B"], b'{"id": "A", "text": "one two"}\n{"id": "B", "text": "three four"}\n'),
        (["B"], b'{"id": "B", "text": "three four"}'),
    ):
        out = io.BytesIO()
        with Archive("run.json") as archive:
            assert archive.records(names, out).problems == []
        assert out.getvalue() == wanted


def test_nothing_is_written_without_outputs() -> None:
    put(line("one two three"), line("one two three"))
    assert ran(Plan(("a.jsonl",), None)) == Outcome(2, 2, 1, 1, {"exact": 1}, bytes=52, bytes_aside=26)
    assert os.listdir() == ["a.jsonl"]


def test_the_lines_are_those_of_the_schema() -> None:
    from dedup import manifest

    assert manifest.schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    put(line("one two three"), line("one two three"))
    ran(PLAN)
    lines_of("run.json")


class TestRanks:
    """What is a number or a date in a table is one to ``--keep``, and so is a number in a CSV file."""

    @pytest.mark.parametrize(("keep", "stays"), [("field:n", "b"), ("field:n:desc", "a"), ("oldest", "b")])
    def test_in_csv(self, keep: str, stays: str) -> None:
        text = Prose(1).words(30)
        put(f"id,text,n,date\na,{text},10,1714564800\nb,{text},9,999\nc,{text},9.5,\n".encode(), name="a.csv")
        ran(replace(PLAN, paths=("a.csv",), kept="kept", rejects="rejects", policy=Policy(keep)))
        assert Path("kept").read_text().splitlines()[1].startswith(stays)

    @pytest.mark.parametrize(
        ("keep", "stays"),
        [
            ("field:day", 1), ("field:day:desc", 2), ("field:moment", 0), ("field:moment:desc", 1),
            ("field:price", 2), ("field:price:desc", 0), ("field:long", 1),
        ],
    )  # fmt: skip
    def test_in_tables(self, keep: str, stays: int) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        from datetime import date, datetime
        from decimal import Decimal

        from pyarrow import parquet

        columns = {
            "text": [Prose(1).words(30)] * 3,
            "row": [0, 1, 2],
            "day": [date(2024, 10, 1), date(2024, 9, 1), date(2024, 11, 1)],
            "moment": [datetime(2023, 1, 1), datetime(2024, 1, 1), None],
            "price": [Decimal("10.00"), Decimal("9.50"), Decimal("-1.00")],
            "long": [Decimal(10**30), Decimal(10**30 - 1), None],
        }
        parquet.write_table(pyarrow.table(columns), "a.parquet")
        ran(replace(PLAN, paths=("a.parquet",), kept="kept", rejects="rejects", policy=Policy(keep)))
        assert parquet.read_table("kept").column("row").to_pylist() == [stays]
