"""Filter runs by example: what goes where and why, oddities that must not end a run, what changes under its hands."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dedup.decide import CUT, MARK, Policy
from dedup.errors import InputError, OutputError
from dedup.filter import Outcome, Plan
from dedup.kept import Verdict
from dedup.model import Settings, Skipped
from dedup.read import Record
from dedup.restore import Archive
from tests.filtering import Checked, files, lines_of, quick, ran, restored

from .prose import Prose

Line = dict[str, Any]
PLAN = Plan(("a.jsonl",), "kept.jsonl", "rejects.jsonl", "run.json")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


def line(text: str, **fields: Any) -> bytes:
    return json.dumps({"text": text, **fields}).encode() + b"\n"


def put(*rows: bytes, name: str = "a.jsonl") -> bytes:
    data = b"".join(rows)
    Path(name).write_bytes(data)
    return data


def check(plan: Plan = PLAN, sources: dict[str, bytes] | None = None) -> Checked:
    """Filters and restores; the inputs come back."""
    sources = {path: Path(path).read_bytes() for path in plan.paths} if sources is None else sources
    checked = Checked(plan, sources, ran(plan))
    assert plan.manifest is not None
    done = restored(plan.manifest, "again")
    assert (done.problems, done.remarks, done.inputs) == ([], [], len(sources))
    names = {found["path"]: found["name"] for found in checked.inputs}
    assert files("again") == {names[path]: data for path, data in sources.items()}
    return checked


def ids(path: str) -> list[Any]:
    return [json.loads(row).get("id") for row in Path(path).read_bytes().splitlines() if row.strip()]


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
        if originals:
            assert files("again") == {"a.jsonl.gz": packed}

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
        with Archive("run.json") as archive:
            done = archive.restore("again")
        back = files("again")
        assert back.get("a.jsonl") == line("one two three")
        assert "b.jsonl" not in back or any("b.jsonl" in told for told in (*done.problems, *done.remarks))


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
    for ids, wanted in (
        (["A", "B"], b'{"id": "A", "text": "one two"}\n{"id": "B", "text": "three four"}\n'),
        (["B"], b'{"id": "B", "text": "three four"}'),
    ):
        out = io.BytesIO()
        with Archive("run.json") as archive:
            assert archive.records(ids, out).problems == []
        assert out.getvalue() == wanted


def test_a_zip_file_in_which_something_is_encrypted_stays_as_it_is() -> None:
    Path("in").mkdir()
    with zipfile.ZipFile("in/a.zip", "w") as archive:
        archive.writestr("a.txt", "one two three")
    data = bytearray(Path("in/a.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    Path("in/a.zip").write_bytes(data)
    Path("in/b.txt").write_text("one two three")
    outcome = ran(Plan(("in",), "kept", "rejects", "run.json", True))
    assert (outcome.kept, outcome.aside) == (2, 0)
    assert outcome.skipped == [Skipped("in/a.zip", "a.txt in it is encrypted; not taken apart")]
    assert Path("kept/in/a.zip").read_bytes() == data


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


class TestNames:
    """What a file is called says what is in it."""

    WARCS = ("a.warc", "b.warc.gz")

    def _web(self) -> bytes:
        pytest.importorskip("fastwarc")
        from tests.property.test_formats_round_trip import as_warc

        whole, other = (as_warc([Prose(seed + i).words(30) for i in range(2)], "\n") for seed in (1, 5))
        Path("a.warc").write_bytes(other)
        packed = b"".join(gzip.compress(b"WARC/1.1" + part) for part in whole.split(b"WARC/1.1")[1:])
        Path("b.warc.gz").write_bytes(packed)
        return packed

    @pytest.mark.parametrize("paths", [WARCS, WARCS[::-1]])
    def test_web_archives_that_are_packed_in_different_ways(self, paths: tuple[str, ...]) -> None:
        self._web()
        before = sorted(os.listdir())
        with pytest.raises(OutputError, match=r"and all go into one file; name a folder: -o new/$"):
            ran(Plan(paths, "kept.warc.gz", "rejects.warc.gz", "run.json"))
        assert sorted(os.listdir()) == before
        ran(Plan(paths, "kept", "rejects", "run.json", True))

    @pytest.mark.parametrize("name", ["kept.warc", "kept.warc.zst", "kept.wet", "kept.zst"])
    def test_records_that_are_gzipped_under_a_name_that_says_no(self, name: str) -> None:
        self._web()
        before = sorted(os.listdir())
        with pytest.raises(OutputError, match=rf"^{name}: .*expected a name in \.warc\.gz$"):
            ran(Plan(("b.warc.gz",), name, "rejects.warc.gz", "run.json"))
        assert sorted(os.listdir()) == before

    def test_standard_output_has_no_name(self) -> None:
        packed, out = self._web(), io.BytesIO()
        ran(Plan(("b.warc.gz",), "-", "rejects", "run.json"), stdout=out)
        assert out.getvalue() == packed

    @pytest.mark.parametrize(
        ("name", "magic"),
        [(".tgz", b"\x1f\x8b"), (".tbz2", b"BZh"), (".txz", b"\xfd7zXZ"), (".tar.gz", b"\x1f\x8b")],
    )
    def test_short_names_of_packed_archives(self, name: str, magic: bytes) -> None:
        import tarfile

        with tarfile.open("a.tar", "w") as archive:
            for i in range(2):
                data = Prose(1).words(30).encode()
                told = tarfile.TarInfo(f"{i}.txt")
                told.size = len(data)
                archive.addfile(told, io.BytesIO(data))
        ran(Plan(("a.tar",), f"kept{name}", f"rejects{name}", "run.json"))
        for side in ("kept", "rejects"):
            assert Path(f"{side}{name}").read_bytes().startswith(magic)
        assert restored("run.json", "again").problems == []

    @pytest.mark.parametrize(("kept", "rejects"), [("new.jsonl", "r.csv"), ("new.csv", "r.jsonl.gz")])
    def test_a_name_of_another_format(self, kept: str, rejects: str) -> None:
        put(b"id,text\n1,one two three\n", name="a.csv")
        with pytest.raises(OutputError, match="is the name of a jsonl file, and the records are csv"):
            ran(Plan(("a.csv",), kept, rejects, "run.json"))
        assert os.listdir() == ["a.csv"]
        ran(Plan(("a.csv",), "new", "rejects", "run.json"))

    def test_standard_input_is_called_what_it_is(self) -> None:
        options = PLAN.options._replace(input_format="csv")
        data = b"id,text\n1,one two three\n"
        ran(Plan(("-",), "kept", "rejects", "run.json", True, options=options), stdin=data)
        assert list(files("kept")) == ["stdin.csv"]
        assert restored("run.json", "again").problems == []
        assert files("again") == {"stdin.csv": data}


class TestOneFileForAll:
    BOM = b"\xef\xbb\xbf"

    @pytest.mark.parametrize("action", ["divert", "mark", "cut"])
    def test_a_byte_order_mark_stands_at_the_beginning_only(self, action: str) -> None:
        prose = Prose(1)
        passage = prose.words(30)
        a, b, c = (f"{prose.words(20)}. {passage}. {prose.words(20)}" for _ in range(3))
        put(self.BOM + line(a), line(b))
        put(self.BOM + line(c), self.BOM + line(c), name="b.jsonl")  # the second is the input's own affair
        put(self.BOM + line(a), line(a), name="c.jsonl")
        rejects = None if action == MARK else "rejects.jsonl"
        plan = replace(
            PLAN, paths=("a.jsonl", "b.jsonl", "c.jsonl"), policy=Policy(action=action), rejects=rejects
        )
        check(plan)
        kept = Path("kept.jsonl").read_bytes()
        assert kept.startswith(self.BOM)
        assert kept.count(self.BOM) == 2

    def test_a_header_with_a_byte_order_mark_is_the_same_header(self) -> None:
        rows = [b"id,text\n1,one two three\n", self.BOM + b"id,text\n2,four five six\n"]
        for first, second in (rows, rows[::-1]):
            Path("a.csv").write_bytes(first)
            Path("b.csv").write_bytes(second)
            ran(replace(PLAN, paths=("a.csv", "b.csv"), kept="kept.csv", rejects="rejects.csv"))
            assert Path("kept.csv").read_bytes() == first + second.splitlines(keepends=True)[1]
            assert restored("run.json", "again").problems == []
            assert files("again") == {"a.csv": first, "b.csv": second}
            for name in ("kept.csv", "rejects.csv", "run.json", "again/a.csv", "again/b.csv"):
                os.unlink(name)

    def test_a_blank_line_before_the_header(self) -> None:
        data = b"\nid,text\n1,one two three\n1,one two three\n"
        put(data, name="a.csv")
        ran(replace(PLAN, paths=("a.csv",), kept="kept.csv", rejects="rejects.csv"))
        assert Path("kept.csv").read_bytes() == b"\nid,text\n1,one two three\n"
        assert Path("rejects.csv").read_bytes() == b"id,text\n1,one two three\n"
        assert restored("run.json", "again").problems == []
        assert files("again") == {"a.csv": data}

    @pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow", ".zip", ".tar", ".tar.gz", ".csv.gz"])
    def test_a_side_without_records_is_a_file_all_the_same(self, suffix: str) -> None:
        from dedup.read import Input, Skipped, inputs, records
        from tests.property import test_formats_round_trip as formats_of

        texts = [Prose(1).words(30)]
        if suffix in (".parquet", ".arrow"):
            pytest.importorskip("pyarrow")
            data = formats_of.as_table(texts, "", suffix[1:])
        elif suffix == ".zip":
            import zipfile

            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as members:
                members.writestr("a.txt", texts[0])
            data = packed.getvalue()
        elif suffix.startswith(".tar"):
            import tarfile

            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w:gz" if suffix == ".tar.gz" else "w") as archive:
                told = tarfile.TarInfo("a.txt")
                told.size = 3
                archive.addfile(told, io.BytesIO(b"one"))
            data = out.getvalue()
        else:
            data = formats_of.as_csv(texts, "\n")
            data = gzip.compress(data) if suffix == ".csv.gz" else data
        name = f"a{suffix}"
        Path(name).write_bytes(data)
        outcome = ran(Plan((name,), f"kept{suffix}", f"rejects{suffix}", "run.json"))
        assert outcome.aside == 0
        assert Path(f"rejects{suffix}").stat().st_size > 0
        [found] = inputs([f"rejects{suffix}"])
        assert isinstance(found, Input)
        items = list(records(found))
        assert not [item for item in items if isinstance(item, Skipped) or item.reason]
        if suffix not in (".zip", ".tar", ".tar.gz"):
            assert [item.is_frame for item in items if not isinstance(item, Skipped)] == [True]
            frames = [
                r.raw for r in records(Input(name, found.format, found.packing)) if isinstance(r, Record)
            ]
            assert [item.raw for item in items if isinstance(item, Record)][:1] == frames[:1] != []
        assert restored("run.json", "again").problems == []


@pytest.mark.parametrize("by_members", [False, True])
def test_a_web_archive_of_nothing_can_be_unpacked(by_members: bool) -> None:
    pytest.importorskip("fastwarc")
    from tests.property.test_formats_round_trip import as_warc

    data = as_warc([Prose(1).words(30)], "\n")
    name = "a.warc.gz" if by_members else "a.warc"
    Path(name).write_bytes(gzip.compress(data) if by_members else data)
    ran(Plan((name,), "kept.warc.gz", "rejects.warc.gz", "run.json"))
    packed = Path("rejects.warc.gz").read_bytes()
    assert packed
    assert gzip.decompress(packed) == b""
    assert gzip.decompress(Path("kept.warc.gz").read_bytes()) == data
    assert restored("run.json", "again").problems == []


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
@pytest.mark.parametrize("action", ["divert", "mark", "cut"])
def test_columns_of_string_views(suffix: str, action: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    if not hasattr(pyarrow, "string_view"):
        pytest.skip("this pyarrow has no string views")
    prose = Prose(1)
    passage = prose.words(30)
    texts = [f"{prose.words(20)}. {passage}. {prose.words(20)}" for _ in range(3)]
    texts = [texts[0], texts[0], texts[1], texts[2], texts[1]]
    table = pyarrow.table({"text": pyarrow.array(texts, pyarrow.string_view()), "n": range(5)})
    write, read = parquet.write_table, parquet.read_table
    if suffix == ".arrow":
        write, read = feather.write_feather, feather.read_table
    try:
        write(table, f"a{suffix}", compression="uncompressed" if suffix == ".arrow" else "none")
    except pyarrow.ArrowNotImplementedError:
        pytest.skip("this pyarrow does not write string views")
    plan = Plan(
        (f"a{suffix}",), f"kept{suffix}", None if action == MARK else f"rejects{suffix}", "run.json",
        policy=Policy(action=action),
    )  # fmt: skip
    ran(plan)
    kept = read(f"kept{suffix}")
    assert kept.column("n").to_pylist() == (list(range(5)) if action == MARK else [0, 2, 3])
    assert kept.schema.field("text").type == read(f"a{suffix}").schema.field("text").type
    if action != CUT:
        assert kept.column("text").to_pylist() == [texts[i] for i in kept.column("n").to_pylist()]
    assert restored("run.json", "again").problems == []


def test_entries_of_one_name_are_no_news(recwarn: pytest.WarningsRecorder) -> None:
    import zipfile

    with zipfile.ZipFile("a.zip", "w") as archive:
        for i in range(2):
            archive.writestr("a.txt", Prose(i).words(30))
    recwarn.clear()
    ran(Plan(("a.zip",), "kept.zip", "rejects.zip", "run.json"))
    assert not [told for told in recwarn if "Duplicate" in str(told.message)]
    with zipfile.ZipFile("kept.zip") as archive:
        assert archive.namelist() == ["a.txt", "a.txt"]


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
