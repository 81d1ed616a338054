"""``dedup filter`` and ``dedup restore`` as processes: messages, exit codes, what is there afterwards."""

from __future__ import annotations

import ctypes
import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedup.cli import main
from tests.filtering import files, is_writing, leftovers
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
DEDUP = [sys.executable, "-m", "dedup"]
OUTPUTS = ["-o", "kept.jsonl", "--rejects", "rejects.jsonl", "--manifest", "run.json"]
TREES = ["-o", "kept", "--rejects", "rejects", "--manifest", "run.json"]
FILTER = ["filter", "a.jsonl", *OUTPUTS]

PROSE = Prose(1)
TEXT = PROSE.words(30)


def row(text: str, **fields: Any) -> bytes:
    return json.dumps({"text": text, **fields}).encode() + b"\n"


ROWS = [row(TEXT, id="a"), row(PROSE.words(30), id="b"), row(TEXT, id="c"), row(PROSE.words(30), id="d")]
KEPT, REJECTS = b"".join([ROWS[0], ROWS[1], ROWS[3]]), ROWS[2]


class Done:
    """What came of a process. It never tells of a traceback, and an error is one line."""

    def __init__(self, process: subprocess.CompletedProcess[bytes], folder: str | Path = ".") -> None:
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr.decode()
        assert "Traceback" not in self.err
        assert "Exception ignored" not in self.err
        assert "internal error" not in self.err
        assert leftovers(folder) == []

    def lines(self) -> list[str]:
        return self.err.splitlines()


def spawn(
    *arguments: str, folder: str | Path = ".", command: list[str] | None = None, **options: Any
) -> Done:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, **options}
    done = subprocess.run(
        [*(command or DEDUP), *arguments], env=environment, cwd=folder, check=False, **options
    )
    return Done(done, folder)


@pytest.fixture(autouse=True)
def _file() -> None:
    Path("a.jsonl").write_bytes(b"".join(ROWS))


def shell(script: str, **options: Any) -> Done:
    """A line of bash in which ``dedup`` stands for the command."""
    quoted = f"dedup() {{ '{sys.executable}' -m dedup \"$@\"; }}\n{script}"
    return spawn(quoted, command=["bash", "-c"], **options)


def others() -> dict[str, bytes]:
    """All files but the input."""
    return {name: data for name, data in files(".").items() if name != "a.jsonl"}


class TestWhole:
    def test_files(self) -> None:
        done = spawn(*FILTER)
        size = len(ROWS[2])
        assert (done.code, done.out, done.lines()) == (0, b"", [
            f"dedup: 4 records came, {sum(map(len, ROWS))} bytes",
            f"dedup: 3 stay, 1 is set aside (1 exact), {size} bytes saved",
        ])  # fmt: skip
        assert others().keys() == {"kept.jsonl", "rejects.jsonl", "run.json"}
        assert (Path("kept.jsonl").read_bytes(), Path("rejects.jsonl").read_bytes()) == (KEPT, REJECTS)
        done = spawn("restore", "run.json", "-o", "again")
        assert (done.code, done.lines()) == (0, ["dedup: 1 input, 4 records restored"])
        assert files("again") == {"a.jsonl": b"".join(ROWS)}
        done = spawn("restore", "run.json", "--verify-only")
        assert (done.code, done.lines()) == (0, ["dedup: 1 input, 4 records found whole"])

    def test_quiet(self) -> None:
        assert spawn(*FILTER, "-q").err == ""
        assert spawn("restore", "run.json", "-o", "again", "-q").err == ""

    def test_a_pipe(self) -> None:
        done = shell("cat a.jsonl | dedup filter - --rejects r.jsonl --manifest m.json > new.jsonl; echo $?")
        assert done.out == b"0\n"
        assert Path("new.jsonl").read_bytes() == KEPT
        done = spawn("restore", "m.json", "-o", "again", "--kept", "new.jsonl")
        assert done.code == 0
        assert files("again") == {"stdin.jsonl": b"".join(ROWS)}

    @pytest.mark.parametrize("name", ["kept.jsonl.gz"])
    def test_compressed_outputs(self, name: str) -> None:
        assert spawn("filter", "a.jsonl", "-o", name, *OUTPUTS[2:]).code == 0
        assert gzip.decompress(Path(name).read_bytes()) == KEPT
        assert spawn("restore", "run.json", "-o", "again").code == 0

    def test_a_compressed_output_of_nothing(self) -> None:
        Path("a.jsonl").write_bytes(ROWS[0])
        assert spawn("filter", "a.jsonl", *OUTPUTS[:2], "--rejects", "none.jsonl.gz", *OUTPUTS[4:]).code == 0
        assert subprocess.run(["gzip", "-t", "none.jsonl.gz"], check=False).returncode == 0
        assert spawn("restore", "run.json", "-o", "again").code == 0

    def test_a_tree(self) -> None:
        os.mkdir("in")
        for name in "abc":
            Path(f"in/{name}.txt").write_text(TEXT if name != "b" else PROSE.words(40))
        assert spawn("filter", "in", *TREES).code == 0
        assert sorted(files("kept")) == ["in/a.txt", "in/b.txt"]
        assert list(files("rejects")) == ["in/c.txt"]
        before = files("in")
        assert spawn("restore", "run.json", "-o", "again").code == 0
        assert files("again/in") == before

    def test_the_same_file_twice(self) -> None:
        pytest.importorskip("fsspec")
        os.symlink("a.jsonl", "b.jsonl")
        url = f"file://{Path('a.jsonl').resolve()}"
        done = spawn("filter", "a.jsonl", "./a.jsonl", "b.jsonl", url, *OUTPUTS)
        assert done.code == 0
        assert "4 records came" in done.err

    def test_a_folder_for_what_is_set_aside(self) -> None:
        assert spawn("filter", "a.jsonl", "-o", "kept", "--rejects", "rejects/", *OUTPUTS[4:]).code == 0
        assert (list(files("kept")), list(files("rejects"))) == (["a.jsonl"], ["a.jsonl"])
        done = spawn("filter", "a.jsonl", "--rejects", "other/", "--manifest", "m.json")
        assert (done.code, done.out, "name both" in done.err) == (2, b"", True)

    def test_marks_need_no_rejects(self) -> None:
        done = spawn("filter", "a.jsonl", "--action", "mark")
        assert done.code == 0
        marked = [json.loads(line) for line in done.out.splitlines()]
        assert [record.get("_dedup", {}).get("duplicate_of") for record in marked] == [None, None, "a", None]
        assert others() == {}
        assert "4 stay, 1 of them is marked as copies (1 exact)" in done.err


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "missing"),
        [
            ([], "--rejects and --manifest"),
            (["--rejects", "r.jsonl"], "--manifest"),
            (["--manifest", "m.json"], "--rejects"),
            (["--action", "cut", "-o", "k.jsonl"], "--rejects and --manifest"),
        ],
    )
    def test_to_divert_without_a_place(self, options: list[str], missing: str) -> None:
        done = spawn("filter", "a.jsonl", *options)
        assert (done.code, done.out) == (2, b"")
        assert done.lines()[-1].startswith(
            f"Error: Copies would be lost without {missing}: name where they go"
        )
        assert others() == {}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["filter", "gone.jsonl", *OUTPUTS], "gone.jsonl: no such file or directory"),
            (["filter", "-", *OUTPUTS, "--reference", "-"], "-: given as input and as --reference"),
            (["filter", "-", "-", *OUTPUTS], "-: given twice; standard input can be read only once"),
            ([*FILTER, "--keep", "best"], "keep is 'best'; expected first, longest, oldest, newest or field:NAME"),
            ([*FILTER, "--action", "delete"], "action is 'delete'; expected divert, mark, cut"),
            ([*FILTER, "--date-field", "day"], "date_field is for keep oldest and newest; keep is first"),
            ([*FILTER, "--threshold", "0"], "threshold is 0.0; expected a number above 0 and up to 1"),
            ([*FILTER[:-1], "-"], "--manifest must be a file; standard output is for what stays."),
            ([*FILTER[:2], "-o", "a.jsonl", *OUTPUTS[2:]], "a.jsonl: is one of the inputs, which are never changed"),
            ([*FILTER[:2], "-o", "x", *OUTPUTS[2:4], "--manifest", "x"], "x: given for two outputs"),
            ([*FILTER[:2], "-o", "link.jsonl", *OUTPUTS[2:]], "link.jsonl: is one of the inputs"),
            ([*FILTER[:-1], "kept.jsonl/run.json"], "one output lies inside another"),
            ([*FILTER, "--reference", "gone"], "gone: no such file or directory"),
            ([*FILTER[:2], "-o", ".", *OUTPUTS[2:]], ".: holds an input"),
            (["filter", ".", *OUTPUTS], "kept.jsonl: lies inside an input, "),
            (["filter", "a.jsonl", "b.txt", *OUTPUTS[2:]], "files of a tree cannot go to standard output"),
            ([*FILTER[:2], "-o", "gone/kept.jsonl", *OUTPUTS[2:]], "no such file or directory"),
            (["restore", "gone.json", "-o", "again"], "gone.json: cannot be read: no such file or directory"),
            (["restore", "a.jsonl", "-o", "again"], "a.jsonl: not a manifest of dedup, or cut off"),
            (["restore", "a.jsonl"], "Name the folder for the inputs with -o, or use --verify-only or --id."),
            (["restore", "a.jsonl", "-o", "x", "--verify-only"], "--verify-only writes nothing"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_one_line(
        self, arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        os.symlink("a.jsonl", "link.jsonl")
        Path("b.txt").write_text("some words")
        before = files(".")
        assert main(arguments) == 2
        out, err = capfd.readouterr()
        assert (out, "internal error" in err) == ("", False)
        assert message in err.splitlines()[-1]
        if not err.startswith("Usage:"):
            assert len(err.splitlines()) == 1
        assert files(".") == before

    @pytest.mark.parametrize(
        "name", ["a.jsonl", "./a.jsonl", "link.jsonl", "hard.jsonl", "folder", "file URL"]
    )
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_an_input_that_is_in_the_reference(self, name: str, keep: str) -> None:
        """Everything would be a copy, of itself."""
        os.symlink("a.jsonl", "link.jsonl")
        os.link("a.jsonl", "hard.jsonl")
        os.mkdir("folder")
        os.symlink("../hard.jsonl", "folder/x.jsonl")
        before = files(".")
        name = f"file://{Path('a.jsonl').resolve()}" if name == "file URL" else name
        done = spawn(*FILTER, "--reference", name, "--keep", keep)
        assert (done.code, len(done.lines())) == (2, 1)
        assert done.err.startswith("dedup: a.jsonl: is also in the reference, as ")
        assert files(".") == before

    @pytest.mark.parametrize("output", ["outx/real.jsonl", "outx/new.jsonl", "far/kept.jsonl", "deep.jsonl"])
    @pytest.mark.parametrize("option", ["-o", "--rejects", "--manifest"])
    def test_an_output_that_links_among_the_inputs_lead_to(self, output: str, option: str) -> None:
        for name in ("in/sub", "outx", "far", "empty"):
            os.makedirs(name)
        Path("outx/real.jsonl").write_bytes(b"".join(ROWS))
        Path("deep.jsonl").write_bytes(b"".join(ROWS))
        os.symlink("../../outx/real.jsonl", "in/sub/x.jsonl")
        os.symlink("../deep.jsonl", "in/deep.jsonl")
        os.symlink("../far", "in/far")
        if output == "outx/new.jsonl":  # a folder is linked to
            os.symlink("../../outx", "in/sub/all")
        before = files(".")
        arguments = ["filter", "in", *TREES, "--force"]
        arguments[arguments.index(option) + 1] = output
        done = spawn(*arguments)
        assert (done.code, len(done.lines())) == (2, 1)
        told = (
            "is one of the inputs, which are never changed" if "new" not in output else "lies inside an input"
        )
        assert f"dedup: {output}: {told if 'far' not in output else 'lies inside an input'}" in done.err
        assert files(".") == before

    def test_a_folder_that_holds_what_a_link_leads_to(self) -> None:
        os.mkdir("in")
        assert spawn("filter", "a.jsonl", "-o", "kept/", *TREES[2:]).code == 0
        os.symlink("../kept/a.jsonl", "in/x.jsonl")
        before = files(".")
        done = spawn("filter", "in", *TREES, "--force")
        assert (done.code, done.lines()) == (
            2, ["dedup: kept: holds an input, in/x.jsonl; write somewhere else"],
        )  # fmt: skip
        assert files(".") == before

    @pytest.mark.parametrize("scheme", ["file", "local"])
    @pytest.mark.parametrize("given", ["in/a.jsonl", "in"])
    def test_an_output_that_is_an_input_by_its_url(self, scheme: str, given: str) -> None:
        os.mkdir("in")
        os.rename("a.jsonl", "in/a.jsonl")
        before = files(".")
        url = f"{scheme}://{Path(given).resolve()}"
        done = spawn(
            "filter", url, "-o", "kept/", "--rejects", "rejects", "--manifest", "in/a.jsonl", "--force"
        )
        assert (done.code, len(done.lines())) == (2, 1)
        assert done.err.startswith("dedup: in/a.jsonl: ")
        assert files(".") == before

    def test_links_in_a_circle(self) -> None:
        os.mkdir("in")
        os.symlink(".", "in/again")
        os.symlink("gone", "in/nowhere")
        os.rename("a.jsonl", "in/a.jsonl")
        assert spawn("filter", "in", *TREES).code == 0

    def test_dry_run(self) -> None:
        for more in ([], OUTPUTS, ["--action", "cut"], ["--keep", "longest"]):
            done = spawn("filter", "a.jsonl", "--dry-run", *more)
            assert (done.code, done.out) == (0, b"")
            assert "3 stay, 1 would be set aside (1 exact)" in done.err
            assert others() == {}

    @pytest.mark.parametrize("option", ["-o", "--rejects", "--manifest"])
    def test_an_empty_name(self, option: str) -> None:
        arguments = list(FILTER)
        arguments[arguments.index(option) + 1] = ""
        done = spawn(*arguments)
        assert (done.code, done.lines()[-1]) == (
            2, f"Error: {option} is empty; expected the name of a file or folder.",
        )  # fmt: skip
        assert others() == {}

    @pytest.mark.parametrize(
        ("arguments", "there"),
        [
            ([*FILTER[:2], "-o", "a.jsonl", *OUTPUTS[2:]], None),
            ([*FILTER[:2], "-o", "x", *OUTPUTS[2:4], "--manifest", "x"], None),
            ([*FILTER[:-1], "-"], None),
            ([*FILTER, "--action", "mark"], None),
            (FILTER, "rejects.jsonl"),
            ([*FILTER[:2], *TREES, "--force"], "kept/thesis.txt"),
        ],
    )
    def test_a_dry_run_is_refused_as_the_run_is(self, arguments: list[str], there: str | None) -> None:
        if there:
            Path(there).parent.mkdir(exist_ok=True)
            Path(there).write_bytes(b"precious")
        before = files(".")
        done, dry = spawn(*arguments), spawn(*arguments, "--dry-run")
        assert (dry.code, dry.err) == (done.code, done.err) == (2, done.err)
        assert files(".") == before

    @pytest.mark.parametrize(
        ("inputs", "output"),
        [
            (["a.jsonl"], "kept.csv"),
            (["a.jsonl"], "no/kept.jsonl"),
            (["a.jsonl"], "a.jsonl/x/kept.jsonl"),
            (["a.jsonl"], "/proc/kept.jsonl"),
            (["a.jsonl"], f"{'k' * 250}.jsonl"),
            (["b.csv", "c.csv"], "kept.csv"),
            (["a.jsonl", "b.csv"], "a.jsonl/x/"),
            (["a.jsonl", "b.csv"], "shut/kept/"),
        ],
    )
    def test_a_dry_run_is_refused_where_nothing_could_be_written(
        self, inputs: list[str], output: str
    ) -> None:
        Path("b.csv").write_text(f"id,text\n1,{TEXT}\n")
        Path("c.csv").write_text(f"text,id\n{TEXT},1\n")
        os.mkdir("shut", 0o555)
        before = sorted(os.listdir())
        arguments = ["filter", *inputs, "-o", output, *OUTPUTS[2:]]
        done = spawn(*arguments, preexec_fn=without_privilege)
        dry = spawn(*arguments, "--dry-run", preexec_fn=without_privilege)
        assert (dry.code, len(dry.lines()), dry.err) == (2, 1, done.err)
        assert sorted(os.listdir()) == before

    def test_a_dry_run_of_a_tree(self) -> None:
        Path("b.csv").write_text(f"id,text\n1,{TEXT}\n")
        done = spawn("filter", "a.jsonl", "b.csv", "-o", "kept/", *TREES[2:], "--dry-run")
        assert done.code == 0
        assert "5 records came" in done.err
        assert others().keys() == {"b.csv"}


class TestOutputsThatAreThere:
    def test_a_finished_result_is_known(self) -> None:
        spawn(*FILTER)
        before = others()
        times = {name: os.stat(name).st_mtime_ns for name in before}
        done = spawn(*FILTER)
        message = (
            "dedup: nothing to do: these outputs are there, of the same inputs and with the same settings"
        )
        assert (done.code, done.lines()) == (0, [message])
        assert {name: os.stat(name).st_mtime_ns for name in before} == times
        assert spawn(*FILTER, "-q").err == ""

    @pytest.mark.parametrize("change", ["input", "setting", "rule", "output", "more"])
    def test_another_result_is_refused(self, change: str) -> None:
        arguments = list(FILTER)
        spawn(*arguments)
        if change == "input":
            Path("a.jsonl").write_bytes(b"".join(ROWS[:3]))
        elif change == "setting":
            arguments += ["--threshold", "0.7"]
        elif change == "rule":
            arguments += ["--keep", "longest"]
        elif change == "output":
            os.unlink("rejects.jsonl")
        else:
            Path("b.jsonl").write_bytes(ROWS[0])
            arguments.insert(1, "b.jsonl")
        before = files(".")
        done = spawn(*arguments)
        assert (done.code, len(done.lines())) == (2, 1)
        assert done.err.endswith("there already; write elsewhere, or replace with --force\n")
        assert files(".") == before
        assert spawn(*arguments, "--force").code == 0
        assert spawn("restore", "run.json", "--verify-only").code == 0

    def test_a_reference_that_grew_makes_another_result(self) -> None:
        Path("old.jsonl").write_bytes(row("some other words"))
        arguments = [*FILTER, "--reference", "old.jsonl"]
        assert spawn(*arguments).code == 0
        assert spawn(*arguments).code == 0
        Path("old.jsonl").write_bytes(ROWS[0])
        done = spawn(*arguments)
        assert done.code == 2
        assert "there already" in done.err

    @pytest.mark.parametrize("name", ["kept.jsonl", "rejects.jsonl", "run.json"])
    def test_any_of_them(self, name: str) -> None:
        Path(name).write_bytes(b"precious")
        done = spawn(*FILTER)
        assert (done.code, done.err) == (
            2, f"dedup: {name}: there already; write elsewhere, or replace with --force\n",
        )  # fmt: skip
        assert others() == {name: b"precious"}
        assert spawn(*FILTER, "--force").code == 0
        assert Path("kept.jsonl").read_bytes() == KEPT

    def test_a_folder_of_an_earlier_run_is_replaced_whole(self) -> None:
        os.makedirs("in")
        Path("in/a.txt").write_text(TEXT)
        Path("in/b.jsonl.gz").write_bytes(gzip.compress(ROWS[1]))
        assert spawn("filter", "in", *TREES).code == 0
        os.rename("in/a.txt", "in/c.txt")
        os.rename("in/b.jsonl.gz", "in/d.jsonl.gz")
        assert spawn("filter", "in", *TREES).code == 2
        assert sorted(files("kept")) == ["in/a.txt", "in/b.jsonl.gz"]
        assert spawn("filter", "in", *TREES, "--force").code == 0
        assert sorted(files("kept")) == ["in/c.txt", "in/d.jsonl.gz"]
        assert list(files("run.json.originals")) == ["in/d.jsonl.gz"]

    def test_an_empty_folder_is_replaced(self) -> None:
        os.mkdir("kept")
        arguments = ["filter", "a.jsonl", "-o", "kept/", *TREES[2:]]
        assert spawn(*arguments).code == 2
        assert spawn(*arguments, "--force").code == 0

    @pytest.mark.parametrize("name", ["kept", "rejects", "run.json.originals"])
    @pytest.mark.parametrize("earlier", ["none", "another", "damaged"])
    def test_any_other_folder_is_never_replaced(self, name: str, earlier: str) -> None:
        if earlier != "none":
            outputs = ["k/", "--rejects", "r"] if earlier == "another" else ["kept/", *TREES[2:4]]
            assert spawn("filter", "a.jsonl", "-o", *outputs, *TREES[4:]).code == 0
        if earlier == "damaged":
            Path("run.json").write_bytes(Path("run.json").read_bytes()[:-9])
        os.makedirs(f"{name}/deep", exist_ok=True)
        Path(f"{name}/deep/thesis.txt").write_bytes(b"precious")
        before = files(".")
        done = spawn("filter", "a.jsonl", "-o", "kept/", *TREES[2:], "--force")
        assert (done.code, len(done.lines())) == (2, 1)
        told = (
            f"dedup: {name}{'/' if name == 'kept' else ''}: a folder that is not an output of an earlier run"
        )
        if earlier != "damaged":
            assert done.err.startswith(told)
        assert "not even with --force" in done.err
        assert files(".") == before

    @pytest.mark.parametrize("name", ["kept.jsonl", "rejects.jsonl"])
    @pytest.mark.parametrize("change", ["emptied", "changed"])
    def test_outputs_that_were_changed_are_no_finished_result(self, name: str, change: str) -> None:
        spawn(*FILTER)
        data = Path(name).read_bytes()
        Path(name).write_bytes(b"" if change == "emptied" else data.swapcase())
        before = files(".")
        done = spawn(*FILTER)
        assert (done.code, len(done.lines())) == (2, 1)
        assert "there already" in done.err
        assert files(".") == before
        assert spawn(*FILTER, "--force").code == 0
        assert Path(name).read_bytes() == data

    def test_a_finished_result_of_an_input_that_is_damaged(self) -> None:
        Path("b.jsonl.gz").write_bytes(gzip.compress(ROWS[1] * 99)[:-9])
        arguments = ["filter", "a.jsonl", "b.jsonl.gz", *OUTPUTS]
        assert spawn(*arguments).code == 0
        done = spawn(*arguments)
        assert (done.code, "nothing to do" in done.err) == (0, True)

    def test_standard_output_is_never_there_already(self) -> None:
        assert spawn("filter", "a.jsonl", *OUTPUTS[2:]).out == KEPT
        done = spawn("filter", "a.jsonl", *OUTPUTS[2:])
        assert (done.code, done.out, "there already" in done.err) == (2, b"", True)


class TestMessages:
    def test_one_and_many(self) -> None:
        Path("a.jsonl").write_bytes(ROWS[0] * 2)
        assert spawn(*FILTER).lines()[1].startswith("dedup: 1 stays, 1 is set aside (1 exact)")
        assert "1 stays, 1 would be set aside" in spawn(*FILTER, "--dry-run", "--force").err
        Path("a.jsonl").write_bytes(ROWS[0] * 3)
        assert spawn(*FILTER, "--force").lines()[1].startswith("dedup: 1 stays, 2 are set aside (2 exact)")

    def test_more_than_half(self) -> None:
        Path("a.jsonl").write_bytes(ROWS[0] * 3)
        warning = "warning: more than half of the records are copies; is that what you expect?"
        assert warning in spawn(*FILTER).err
        Path("a.jsonl").write_bytes(ROWS[0] * 2 + ROWS[1] + ROWS[3])
        assert warning not in spawn(*FILTER, "--force").err

    @pytest.mark.parametrize(
        ("options", "told"), [(["--keep", "longest"], True), (["--action", "cut"], True), ([], False)]
    )
    def test_two_passes_are_told(self, options: list[str], told: bool) -> None:
        done = spawn(*FILTER, *options)
        assert ("the inputs were read twice" in done.err) == told

    def test_what_is_not_read_stays_and_is_told(self) -> None:
        Path("a.jsonl").write_bytes(b"no json\n" + b"".join(ROWS))
        done = spawn(*FILTER)
        assert done.code == 0
        assert "not read: a.jsonl:1: not JSON" in done.err
        assert Path("kept.jsonl").read_bytes() == b"no json\n" + KEPT
        assert spawn(*FILTER, "--force", "--fail-on-skipped").code == 3
        assert spawn("restore", "run.json", "-o", "again").code == 0

    def test_very_many_of_them(self) -> None:
        Path("a.jsonl").write_bytes(b"no\n" * 50)
        assert len(spawn(*FILTER).lines()) < 25

    def test_what_a_terminal_would_obey_is_made_visible(self) -> None:
        os.rename("a.jsonl", "a\x1b[31m.jsonl")
        Path("a\x1b[31m.jsonl").write_bytes(b"no\n")
        done = spawn("filter", "a\x1b[31m.jsonl", *OUTPUTS)
        assert "\x1b" not in done.err

    def test_an_unreadable_input(self) -> None:
        Path("b.jsonl").write_bytes(ROWS[1])
        os.chmod("b.jsonl", 0)
        done = spawn("filter", "a.jsonl", "b.jsonl", *OUTPUTS, preexec_fn=without_privilege)
        assert done.code == 0
        assert "not read: b.jsonl: cannot be read: permission denied" in done.err
        done = spawn("filter", "a.jsonl", "b.jsonl", *OUTPUTS, "--force", "--fail-on-skipped",
                     preexec_fn=without_privilege)  # fmt: skip
        assert done.code == 3

    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_half_a_gzip_comes_back_as_it_was(self, keep: str) -> None:
        data = gzip.compress(b"".join(row(Prose(i).words(40)) for i in range(200)))[:-3000]
        Path("b.jsonl.gz").write_bytes(data)
        done = spawn("filter", "b.jsonl.gz", *OUTPUTS, "--keep", keep)
        assert done.code == 0
        assert "truncated gzip data" in done.err
        assert spawn("restore", "run.json", "-o", "again").code == 0
        assert files("again") == {"b.jsonl.gz": data}

    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_closed_standard_input(self, keep: str) -> None:
        for arguments in ("-", "a.jsonl --reference -"):
            done = shell(f"dedup filter {arguments} {' '.join(OUTPUTS)} --keep {keep} <&-; echo $?")
            assert (done.out, done.lines()) == (b"2\n", ["dedup: -: standard input is closed"])
            assert others() == {}

    def test_restoring_what_is_damaged(self) -> None:
        spawn(*FILTER)
        Path("kept.jsonl").write_bytes(KEPT.replace(b"a", b"b", 1))
        for arguments in (["--verify-only"], ["-o", "again"], ["--id", "a"]):
            done = spawn("restore", "run.json", *arguments)
            assert (done.code, done.out) == (2, b"")
            assert "a.jsonl:1: is not in " in done.err
        assert not Path("again/a.jsonl").exists()

    def test_single_records(self) -> None:
        spawn(*FILTER)
        done = spawn("restore", "run.json", "--id", "c", "--id", "b")
        assert (done.code, done.out) == (0, ROWS[1] + ROWS[2])
        assert spawn("restore", "run.json", "--id", "c", "-o", "one.jsonl").code == 0
        assert Path("one.jsonl").read_bytes() == ROWS[2]
        assert spawn("restore", "run.json", "--id", "a", "-o", "one.jsonl").code == 2
        assert spawn("restore", "run.json", "--id", "nobody", "-o", "two.jsonl").code == 2
        assert spawn("restore", "run.json", "--id", "nobody", "-o", "one.jsonl", "--force").code == 2
        assert not Path("two.jsonl").exists()
        before = files(".")
        for name in ("kept.jsonl", "rejects.jsonl", "run.json"):
            done = spawn("restore", "run.json", "--id", "a", "-o", name, "--force")
            assert (done.code, "from which is restored" in done.err) == (2, True)
        assert files(".") == before
        assert Path("one.jsonl").read_bytes() == ROWS[2]


class TestPipes:
    def large(self) -> bytes:
        data = b"".join(row(Prose(i).words(40)) for i in range(50)) * 60
        Path("a.jsonl").write_bytes(data)
        return data

    @pytest.mark.parametrize("action", ["divert", "mark"])
    def test_nobody_reads_on(self, action: str) -> None:
        self.large()
        more = "--rejects r.jsonl --manifest m.json" if action == "divert" else "--action mark"
        done = shell(f"dedup filter - {more} < a.jsonl | head -c 10 > head; echo ${{PIPESTATUS[0]}}")
        if action == "divert":  # 50 records stay: too few to fill the pipe, if head reads slowly
            assert done.out in (b"0\n", b"2\n")
        else:
            assert done.out == b"2\n"
            assert done.err == ""
        if done.out == b"2\n":
            assert done.err == ""
            assert others().keys() == {"head"}

    def test_nobody_reads_at_all(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = spawn("filter", "a.jsonl", *OUTPUTS[2:], stdout=writer)
        os.close(writer)
        assert (done.code, done.err, others()) == (2, "", {})

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
    @pytest.mark.parametrize(
        ("where", "message"),
        [
            ("> /dev/full", "standard output: cannot be written: no space left on device"),
            (">&-", "standard output is closed; name a file with -o"),
            ("-o /dev/full --force", "/dev/full: cannot be written: no space left on device"),
        ],
    )
    def test_single_records_for_which_there_is_no_room(self, where: str, message: str) -> None:
        spawn(*FILTER)
        done = shell(f"dedup restore run.json --id a {where}")
        assert (done.code, done.lines()) == (2, [f"dedup: {message}"])

    def test_single_records_that_nobody_reads(self) -> None:
        spawn(*FILTER)
        reader, writer = os.pipe()
        os.close(reader)
        done = spawn("restore", "run.json", "--id", "a", stdout=writer)
        os.close(writer)
        assert done.err == ""

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
    @pytest.mark.parametrize("which", ["stdout", "rejects", "manifest"])
    def test_a_full_device(self, which: str) -> None:
        arguments = ["filter", "a.jsonl", "-o", "-", *OUTPUTS[2:]]
        if which != "stdout":
            arguments[arguments.index(f"--{which}") + 1] = "/dev/full"
        with open("/dev/full" if which == "stdout" else os.devnull, "wb") as out:
            done = spawn(*arguments, stdout=out)
        assert (done.code, len(done.lines())) == (2, 1)
        assert done.err.endswith("cannot be written: no space left on device\n")
        assert others() == {}

    def test_outputs_that_are_pipes(self) -> None:
        """What a shell puts in the place of a file."""
        done = shell(
            "dedup filter a.jsonl -o kept.jsonl --rejects >(cat > r) --manifest >(cat > m); echo $?; sleep 0.2"
        )
        assert (done.out, "cannot be" in done.err) == (b"0\n", False)
        assert (Path("r").read_bytes(), Path("kept.jsonl").read_bytes()) == (REJECTS, KEPT)
        assert json.loads(Path("m").read_bytes().splitlines()[-1])["type"] == "end"

    def test_closed_standard_output(self) -> None:
        done = shell(f"dedup filter a.jsonl {' '.join(OUTPUTS[2:])} >&-")
        assert (done.code, done.err) == (2, "dedup: standard output is closed; name a file with -o\n")
        assert others() == {}


def without_privilege() -> None:
    """The process obeys modes of files even if it is root's."""
    if os.geteuid() == 0:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            assert prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP


def limited(size: int) -> Callable[[], None]:
    """No file may become larger; a write that would make one so fails, or ends the process by a signal."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return limit


def noise(count: int) -> str:
    """So many characters that do not compress."""
    return "".join(
        random.Random(count).choices(
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=count
        )
    )


class TestFull:
    """No room for one of the outputs: one line, exit 2, nothing left, and what stood there before stands there."""

    def check(self, done: Done, before: dict[str, bytes], message: str = "file too large") -> None:
        assert (done.code, len(done.lines())) == (2, 1), done.err
        assert done.err.endswith(f": {message}\n")
        assert files(".") == before

    def before(self) -> dict[str, bytes]:
        for name in ("kept.jsonl", "rejects.jsonl", "run.json"):
            Path(name).write_bytes(b"precious")
        return files(".")

    @pytest.mark.parametrize("is_gz", [False, True])
    @pytest.mark.parametrize("size", [1000, 500_000])
    def test_for_what_stays(self, size: int, is_gz: bool) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}", more=noise(20_000 + i)) for i in range(80)))
        before = self.before()
        name = "kept.jsonl.gz" if is_gz else "kept.jsonl"
        done = spawn("filter", "a.jsonl", "-o", name, *OUTPUTS[2:], "--force", preexec_fn=limited(size))
        self.check(done, before)

    @pytest.mark.parametrize("size", [100_000, 500_000])
    def test_for_what_is_set_aside(self, size: int) -> None:
        text = " ".join(f"w{i}" for i in range(30))
        Path("a.jsonl").write_bytes(
            b"".join(row(text, more=noise(20_000 + i) if i else 0) for i in range(80))
        )
        before = self.before()
        self.check(spawn(*FILTER, "--force", preexec_fn=limited(size)), before)

    @pytest.mark.parametrize("size", [2000, 100_000])
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_the_manifest(self, size: int, keep: str) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}") for i in range(4000)))
        os.mkdir("in")
        os.rename("a.jsonl", "in/a.jsonl")
        before = self.before()
        arguments = ["filter", "in/a.jsonl", *OUTPUTS, "--force", "--keep", keep]
        arguments[arguments.index("kept.jsonl")] = "kept.jsonl.gz"
        self.check(spawn(*arguments, preexec_fn=limited(size)), before)

    @pytest.mark.parametrize("size", [2000, 1_300_000, 1_500_000])
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_a_copy_of_an_original(self, size: int, keep: str) -> None:
        """Its half stays and its half goes: each is smaller than the limit, and it is not."""
        text = " ".join(f"w{i}" for i in range(30))
        rows = [row(text if i % 2 else f"v{i}", more=noise(20_000 + i)) for i in range(100)]
        os.unlink("a.jsonl")
        Path("b.jsonl.gz").write_bytes(gzip.compress(b"".join(rows)))
        assert 1_500_000 < os.stat("b.jsonl.gz").st_size < 1_600_000
        before = self.before()
        arguments = ["filter", "b.jsonl.gz", "-o", "kept.jsonl.gz", "--rejects", "rejects.jsonl.gz"]
        done = spawn(
            *arguments, "--manifest", "run.json", "--force", "--keep", keep, preexec_fn=limited(size)
        )
        self.check(done, before)

    @pytest.mark.parametrize("size", [4000, 30_000])
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_texts_that_wait(self, size: int, keep: str) -> None:
        """They lie in a temporary file, larger than all else: what goes in and out is compressed, and well."""
        text = " ".join(f"w{i % 40}" for i in range(50_000))
        content = row(text) + row(f"{text} more") + row(f"{text} even more")
        Path("a.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))
        before = self.before()
        packed = [f"{word}.gz" if word.endswith(".jsonl") else word for word in FILTER]
        self.check(spawn(*packed, "--force", "--keep", keep, preexec_fn=limited(size)), before)

    @pytest.mark.parametrize(
        "arguments", [FILTER, [*FILTER, "--keep", "longest"], [*FILTER, "--action", "mark"]]
    )
    def test_for_anything(self, arguments: list[str]) -> None:
        """There is not even a place for temporary files."""
        if "mark" in arguments:
            arguments = [word for word in arguments if word not in ("--rejects", "rejects.jsonl")]
        before = self.before()
        done = spawn(*arguments, "--force", preexec_fn=limited(0))
        assert (done.code, len(done.lines())) == (2, 1)
        assert files(".") == before

    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_standard_input_that_is_read_twice(self, keep: str) -> None:
        data = b"".join(row(f"w{i}", more=noise(20_000 + i)) for i in range(80))
        before = self.before()
        done = spawn(
            "filter", "-", *OUTPUTS, "--force", "--keep", keep, input=data, preexec_fn=limited(500_000)
        )
        self.check(done, before)

    @pytest.mark.parametrize("size", [1000, 100_000])
    def test_for_a_file_of_a_tree(self, size: int) -> None:
        os.makedirs("in/d")
        assert spawn("filter", "a.jsonl", "-o", "kept/", *TREES[2:]).code == 0
        os.unlink("a.jsonl")
        Path("in/a.txt").write_text(" ".join(noise(20 + i % 9) for i in range(9000)))
        Path("in/d/b.png").write_bytes(noise(400_000).encode())
        Path("in/z.txt").write_text("some words")
        before = files(".")
        self.check(spawn("filter", "in", *TREES, "--force", preexec_fn=limited(size)), before)

    @pytest.mark.parametrize("size", [0, 1000, 200_000])
    def test_to_restore(self, size: int) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}", more=noise(20_000 + i)) for i in range(40)))
        assert spawn(*FILTER).code == 0
        before = files(".")
        done = spawn("restore", "run.json", "-o", "again", preexec_fn=limited(size))
        assert (done.code, done.lines()) == (2, ["dedup: again/a.jsonl: cannot be written: file too large"])
        assert files(".") == before

    @pytest.mark.parametrize("size", ["64k", "256k", "700k"])
    def test_a_small_disk(self, tmp_path: Path, size: str) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}", more=noise(9_000 + i % 20)) for i in range(100)))
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)]
        try:
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("nothing may be mounted here")
        try:
            arguments = [
                "-o",
                "disk/kept.jsonl",
                "--rejects",
                "disk/rejects.jsonl",
                "--manifest",
                "disk/run.json",
            ]
            (disk / "kept.jsonl").write_bytes(b"precious")
            done = spawn("filter", "a.jsonl", *arguments, "--force")
            assert (done.code, len(done.lines())) == (2, 1)
            assert done.err.endswith("cannot be written: no space left on device\n")
            assert files(disk) == {"kept.jsonl": b"precious"}
        finally:
            subprocess.run(["umount", str(disk)], check=True)


class TestPermission:
    @pytest.mark.parametrize("which", ["kept.jsonl", "rejects.jsonl", "run.json"])
    @pytest.mark.parametrize("force", [False, True])
    def test_a_folder_that_may_only_be_read(self, which: str, force: bool) -> None:
        os.mkdir("shut")
        if force:
            Path("shut", which).write_bytes(b"precious")
        os.chmod("shut", 0o555)
        arguments = [f"shut/{which}" if argument == which else argument for argument in FILTER]
        before = files(".")
        done = spawn(*arguments, *(["--force"] if force else []), preexec_fn=without_privilege)
        os.chmod("shut", 0o755)
        assert (done.code, len(done.lines())) == (2, 1)
        assert f"shut/{which}: cannot be written: permission denied" in done.err
        assert files(".") == before

    def test_to_restore_into_one(self) -> None:
        spawn(*FILTER)
        os.mkdir("shut", 0o555)
        done = spawn("restore", "run.json", "-o", "shut", preexec_fn=without_privilege)
        os.chmod("shut", 0o755)
        assert (done.code, done.lines()) == (2, ["dedup: shut/a.jsonl: cannot be written: permission denied"])


def test_two_at_once() -> None:
    """The second one is refused while the first one writes, and the first one is not disturbed."""
    Path("other.jsonl").write_bytes(b"".join(ROWS))
    first = subprocess.Popen(
        [*DEDUP, "filter", "-", *OUTPUTS], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert first.stdin is not None
    first.stdin.write(b"".join(ROWS))
    first.stdin.flush()
    while not is_writing("."):
        assert first.poll() is None
    arguments = ["filter", "other.jsonl", "-o", "x.jsonl", "--rejects", "y.jsonl", "--manifest", "run.json"]
    process = subprocess.run(
        [*DEDUP, *arguments], capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    message = b"dedup: run.json: another dedup is writing it; wait for that one to end\n"
    assert (process.returncode, process.stderr) == (2, message)
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert leftovers(".") == []
    assert (Path("kept.jsonl").read_bytes(), Path("rejects.jsonl").read_bytes()) == (KEPT, REJECTS)
    assert spawn("restore", "run.json", "-o", "again").code == 0


def test_an_output_that_appears_during_the_run() -> None:
    process = subprocess.Popen(
        [*DEDUP, "filter", "-", *OUTPUTS], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    while not is_writing("."):
        assert process.poll() is None
    Path("rejects.jsonl").write_bytes(b"precious")
    _, err = process.communicate(b"".join(ROWS), timeout=60)
    assert (process.returncode, err.count(b"\n")) == (2, 1)
    assert b"rejects.jsonl: has appeared during the run" in err
    assert others() == {"rejects.jsonl": b"precious"}


def test_an_interruption() -> None:
    process = subprocess.Popen(
        [*DEDUP, "filter", "-", *OUTPUTS], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    while not is_writing("."):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, b"dedup: interrupted")
    assert others() == {}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("keep", ["first", "longest"])
@pytest.mark.parametrize("count", [1, 5])
def test_told_to_end(number: int, code: int, keep: str, count: int) -> None:
    process = subprocess.Popen(
        [*DEDUP, "filter", "-", *OUTPUTS, "--keep", keep], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    while not is_writing("."):
        assert process.poll() is None
    for _ in range(count):
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (code, b"dedup: ended by a signal")
    assert others() == {}
    assert leftovers(".") == []


def test_a_signal_that_is_ignored_stays_so() -> None:
    process = subprocess.Popen(
        [*DEDUP, "filter", "-", *OUTPUTS], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    while not is_writing("."):
        assert process.poll() is None
    process.send_signal(signal.SIGHUP)
    process.communicate(b"".join(ROWS), timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_told_to_end_while_it_restores(number: int, code: int) -> None:
    assert spawn(*FILTER).code == 0
    os.unlink("rejects.jsonl")
    os.mkfifo("rejects.jsonl")  # nobody writes to it: who opens it waits
    before = sorted(os.listdir())
    process = subprocess.Popen(
        [*DEDUP, "restore", "run.json", "-o", "new/again"], stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    while not list(Path().glob("new/again/.dedup*")):
        assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (code, b"dedup: ended by a signal")
    assert sorted(os.listdir()) == before
