"""Outputs of ``dedup filter`` that are there already, are not read, may not be written, or are of two runs at once."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest

from dedup import cli
from tests.cli.filters import (
    DEDUP,
    FILTER,
    KEPT,
    OUTPUTS,
    REJECTS,
    ROOT,
    ROWS,
    TEXT,
    TREES,
    others,
    put_input,
    row,
    shell,
    spawn,
    without_privilege,
)
from tests.filtering import files, is_writing, leftovers
from tests.unit.prose import Prose


@pytest.fixture(autouse=True)
def _file() -> None:
    put_input()


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

    def test_copies_of_inputs_go_with_the_manifest_that_names_them(self) -> None:
        """Else nobody would know whose they are, and no later run could have any."""
        Path("b.jsonl.gz").write_bytes(gzip.compress(ROWS[1]))
        for name, held in (("b.jsonl.gz", ["b.jsonl.gz"]), ("a.jsonl", []), ("b.jsonl.gz", ["b.jsonl.gz"])):
            assert cli.main(["filter", name, *OUTPUTS, "--force"]) == 0
            assert list(files("run.json.originals")) == held
            assert cli.main(["filter", name, *OUTPUTS]) == 0

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

    def test_an_input_that_is_damaged_is_told_of(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path("b.jsonl.gz").write_bytes(gzip.compress(ROWS[1])[:-9])
        for more in (["--dry-run"], []):
            assert cli.main(["filter", "b.jsonl.gz", *OUTPUTS, *more]) == 0
            assert capfd.readouterr().err.splitlines()[1] == (
                "dedup: 1 input is damaged: what cannot be unpacked is not in the output, only in run.json.originals"
            )

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
