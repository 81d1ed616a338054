"""``dedup filter`` and ``dedup restore`` as processes: what goes where, refusals, messages."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dedup.cli import main
from tests.cli.filters import (
    FILTER,
    KEPT,
    OUTPUTS,
    PROSE,
    REJECTS,
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
from tests.filtering import files
from tests.unit.prose import Prose


@pytest.fixture(autouse=True)
def _file() -> None:
    put_input()


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
            (["a.jsonl", "b.csv"], "no/kept/"),
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

    @pytest.mark.parametrize("suffix", ["tar", "zip"])
    def test_a_dry_run_of_an_archive(self, suffix: str) -> None:
        shutil.make_archive("b", suffix, ".", "a.jsonl")
        outputs = ["-o", f"kept.{suffix}", "--rejects", f"rejects.{suffix}", "--manifest", "run.json"]
        done = spawn("filter", f"b.{suffix}", *outputs, "--dry-run")
        assert (done.code, done.lines()[1][:34]) == (0, "dedup: 3 stay, 1 would be set asid")
        assert others().keys() == {f"b.{suffix}"}


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
