"""``dedup filter --index``: what the archive holds is set aside, what is new waits until it is there, too."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dedup import index, manifest
from dedup.cli import main
from dedup.errors import DedupIndexError
from dedup.index import catalogue
from dedup.model import Document
from tests.cli.filters import row
from tests.unit.prose import Prose

PROSE = Prose(7)
OLD, LONG, NEW, OTHER = PROSE.words(40), PROSE.words(120), PROSE.words(40), PROSE.words(40)
OUTPUTS = ["-o", "kept.jsonl", "--rejects", "rejects.jsonl", "--manifest", "run.json", "--index", "memory"]
FILTER = ["filter", "tonight.jsonl", *OUTPUTS]


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of two documents, in the working directory."""
    monkeypatch.chdir(tmp_path)
    index.build(tmp_path / "memory", [Document("old", OLD), Document("long", LONG)], index.Shape(text=True))
    return tmp_path / "memory"


def tonight(*rows: bytes) -> None:
    Path("tonight.jsonl").write_bytes(b"".join(rows))


def ids(path: str) -> list[Any]:
    return [json.loads(line)["id"] for line in Path(path).read_bytes().splitlines()]


def records() -> dict[str, dict[str, Any]]:
    """The manifest's lines of records by id; every line meets the schema."""
    validator = jsonschema.Draft202012Validator(manifest.schema())
    lines = [json.loads(line) for line in Path("run.json").read_text("utf-8").splitlines()]
    for line in lines:
        validator.validate(line)
    return {line["id"]: line for line in lines if line["type"] == "record"}


def test_what_is_archived_is_set_aside_and_names_its_twin() -> None:
    words = LONG.split()
    near = " ".join([*words[:60], "other", *words[61:]])
    tonight(
        row(OLD, id="same"), row(near, id="near"), row(" ".join(words[20:80]), id="part"), row(NEW, id="new")
    )
    assert main(FILTER) == 0
    assert (ids("kept.jsonl"), ids("rejects.jsonl")) == (["new"], ["same", "near", "part"])
    found = records()
    assert [found[name]["reason"] for name in ("same", "near", "part", "new")] == [
        "exact",
        "near",
        "contained",
        "new",
    ]
    twin = found["same"]["twin"]
    assert (found["same"]["rule"], twin["id"], twin["sha256"]) == ("index", "old", None)
    assert len(twin["archived"]) == 32
    assert found["near"]["twin"]["id"] == found["part"]["twin"]["id"] == "long"
    assert found["near"]["jaccard"] < 1.0
    assert main(["restore", "run.json", "-o", "again"]) == 0
    assert Path("again/tonight.jsonl").read_bytes() == Path("tonight.jsonl").read_bytes()


def test_what_lies_inside_stays_where_that_is_wished_and_what_contains_tells_so() -> None:
    tonight(row(" ".join(LONG.split()[20:80]), id="part"), row(f"{OLD} {PROSE.words(40)}", id="more"))
    assert main([*FILTER, "--no-contained"]) == 0
    assert ids("kept.jsonl") == ["part", "more"]
    assert main([*FILTER, "--force"]) == 0
    assert ids("kept.jsonl") == ["more"]
    [held] = records()["more"]["holds"]
    assert (held["id"], held["containment"]) == ("old", 1.0)


def test_what_stays_is_pending_until_it_is_committed(
    memory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tonight(row(OLD, id="same"), row(NEW, id="new"), row("...", id="wordless"))
    assert main(FILTER) == 0
    [(run, count)] = index.pending(memory).items()
    assert count == 1
    assert f"dedup index commit memory {run}" in capsys.readouterr().err
    assert json.loads(Path("run.json").read_text("utf-8").splitlines()[-2])["run"] == run
    assert len(index.Snapshot.of(memory)) == 2
    assert main(["index", "commit", "memory", run]) == 0
    assert len(index.Snapshot.of(memory)) == 3
    again = ["filter", "tonight.jsonl", "-o", "k", "--rejects", "r", "--manifest", "m", "--index", "memory"]
    assert main(again) == 0
    assert (ids("k"), index.pending(memory)) == (["wordless"], {})


def test_the_command_that_is_told_can_be_said_to_a_shell(
    memory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.rename("my memory")
    tonight(row(NEW, id="new"))
    assert main([*FILTER[:-1], "my memory"]) == 0
    [run] = index.pending(Path("my memory"))
    assert capsys.readouterr().err.endswith(f": dedup index commit 'my memory' {run}\n")


def test_outputs_that_are_remembered_are_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    """All in them would be set aside as a copy of itself, and be nowhere."""
    tonight(row(NEW, id="new"))
    assert main([*FILTER, "--commit"]) == 0
    tonight(row(NEW, id="new"), row(OTHER, id="other"))
    assert main([*FILTER, "--commit", "--force"]) == 2
    assert "copy of itself" in capsys.readouterr().err
    assert ids("kept.jsonl") == ["new"]


def test_after_an_abort_the_same_command_remembers_again(
    memory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tonight(row(OLD, id="same"), row(NEW, id="new"), row(NEW, id="twice"), row("...", id="wordless"))
    assert main(FILTER) == 0
    [run] = index.pending(memory)
    index.abort(memory, run)
    assert main(FILTER) == 0
    assert index.pending(memory) == {run: 1}
    index.abort(memory, run)
    assert main([*FILTER, "--commit"]) == 0
    assert "memory: 1 document added" in capsys.readouterr().err
    assert [(d.id, d.text) for d in index.Snapshot.of(memory).named("new")] == [("new", NEW)]
    assert (len(index.Snapshot.of(memory)), index.pending(memory)) == (3, {})


def test_entries_of_one_name_are_told_apart(memory: Path) -> None:
    with tarfile.open("a.tar", "w") as archive:
        for text in (OLD, NEW, NEW, OTHER):
            entry = tarfile.TarInfo("a.txt")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    command = ["filter", "a.tar", "-o", "k.tar", *OUTPUTS[2:], "--rejects", "r.tar"]
    assert main(command) == 0
    [run] = index.pending(memory)
    index.abort(memory, run)
    assert main([*command, "--commit"]) == 0
    assert sorted(d.text for d in index.Snapshot.of(memory).named("a.tar!a.txt")) == sorted([NEW, OTHER])


def test_after_an_abort_the_outputs_may_be_replaced(memory: Path) -> None:
    tonight(row(NEW, id="new"))
    assert main(FILTER) == 0
    [run] = index.pending(memory)
    index.abort(memory, run)
    assert main([*FILTER, "--force"]) == 0
    assert (ids("kept.jsonl"), index.pending(memory)) == (["new"], {run: 1})


@pytest.mark.parametrize("action", ["divert", "mark"])
def test_outputs_with_what_stays_anyway_may_be_replaced(action: str, memory: Path) -> None:
    """Texts without a word, and marked copies, are in the index and in the output."""
    index.add(memory, [Document("wordless", "...")])
    tonight(row(OLD, id="same"), row(NEW, id="new"), row("...", id="nothing"))
    command = (
        [*FILTER, "--action", action]
        if action == "divert"
        else [*FILTER[:4], *FILTER[6:], "--action", action]
    )
    assert main(command) == 0
    assert main([*command, "--force"]) == 0
    assert list(index.pending(memory).values()) == [1]


@pytest.mark.parametrize("has_manifest", [True, False])
def test_what_was_remembered_in_another_way_is_not_replaced(has_manifest: bool, memory: Path) -> None:
    """The run is pending still, and its outputs were added as part of the archive."""
    tonight(row(NEW, id="new"))
    assert main(FILTER) == 0
    assert main(["index", "add", "memory", "kept.jsonl"]) == 0
    if not has_manifest:
        Path("run.json").unlink()
    assert main([*FILTER, "--force"]) == 2
    assert ids("kept.jsonl") == ["new"]


def test_marked_copies_alone_may_be_replaced(memory: Path) -> None:
    tonight(row(OLD, id="same"))
    command = [*FILTER[:4], *FILTER[6:], "--action", "mark"]
    assert main(command) == 0
    assert main([*command, "--force"]) == 0
    assert main(["filter", "tonight.jsonl", "-o", "other.jsonl", *command[4:], "--force"]) == 0
    Path("kept.jsonl").write_bytes(row(OLD, id="mine"))
    assert main([*command, "--force"]) == 2  # the manifest is that of other.jsonl


def test_what_is_cut_is_not_remembered_again_and_what_is_left_whole_is(memory: Path) -> None:
    shared = " ".join(LONG.split()[30:60])
    tonight(row(f"{PROSE.words(50)} {shared} {PROSE.words(50)}", id="cut"), row(NEW, id="whole"))
    assert main([*FILTER, "--action", "cut"]) == 0
    [(run, count)] = index.pending(memory).items()
    index.abort(memory, run)
    assert main([*FILTER, "--action", "cut"]) == 0
    assert index.pending(memory) == {run: count} == {run: 1}


def _in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something takes the name of an output once the run is pending."""
    added = index.add

    def add(*arguments: Any, **options: Any) -> index.Added:
        found = added(*arguments, **options)
        Path("kept.jsonl").unlink(missing_ok=True)
        Path("kept.jsonl").mkdir()
        return found

    monkeypatch.setattr(index, "add", add)


def test_outputs_that_cannot_take_their_names_leave_nothing_pending(
    memory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tonight(row(NEW, id="new"))
    _in_the_way(monkeypatch)
    assert main(FILTER) == 2
    assert "kept.jsonl: has appeared during the run" in capsys.readouterr().err
    assert (index.pending(memory), Path("run.json").exists()) == ({}, False)


def test_an_interruption_just_after_the_run_is_pending(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tonight(row(NEW, id="new"))
    added = index.add

    def add(*arguments: Any, **options: Any) -> index.Added:
        added(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "add", add)
    assert main(FILTER) == 130
    assert (index.pending(memory), Path("run.json").exists()) == ({}, False)


def test_a_run_whose_outputs_stand_there_stays_pending(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same run again fails; what the first one wrote may be in the archive meanwhile."""
    tonight(row(NEW, id="new"))
    assert main(FILTER) == 0
    _in_the_way(monkeypatch)
    assert main([*FILTER, "--force"]) == 2
    assert list(index.pending(memory).values()) == [1]


def test_a_run_that_can_be_finished_stays_pending(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tonight(row(NEW, id="new"))
    renamed = os.replace

    def replace(source: str, target: str) -> None:
        if os.path.basename(target) == "run.json":
            raise OSError(5, "Input/output error")
        renamed(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        assert main(FILTER) == 2
    assert list(index.pending(memory).values()) == [1]
    assert main([*FILTER, "--commit"]) == 0
    assert (ids("kept.jsonl"), len(index.Snapshot.of(memory)), index.pending(memory)) == (["new"], 3, {})


def test_an_output_does_not_hold_the_index(capsys: pytest.CaptureFixture[str]) -> None:
    tonight(row(NEW, id="new"))
    outputs = ["-o", "memory/kept.jsonl", "--rejects", "r", "--manifest", "m", "--index", "memory"]
    assert main(["filter", "tonight.jsonl", *outputs]) == 2
    assert "lies inside an input, memory" in capsys.readouterr().err


def test_another_field_is_another_run(memory: Path) -> None:
    tonight(json.dumps({"id": "new", "text": NEW, "body": OTHER}).encode() + b"\n")
    assert main(FILTER) == 0
    assert main([*FILTER, "--force", "--text-field", "body"]) == 0
    assert len(index.pending(memory)) == 2


def test_commit_waits_for_the_outputs_and_comes_after_them_in_a_later_call(memory: Path) -> None:
    tonight(row(NEW, id="new"))
    assert main(FILTER) == 0
    assert main([*FILTER, "--commit"]) == 0  # the outputs are there already
    assert (len(index.Snapshot.of(memory)), index.pending(memory)) == (3, {})
    assert main([*FILTER, "--commit"]) == 0
    assert ids("kept.jsonl") == ["new"]


def test_a_commit_that_fails_says_that_the_outputs_are_there(
    memory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tonight(row(NEW, id="new"))

    def commit(folder: Path, run: str, wait: float) -> int:
        raise DedupIndexError(f"{folder}: database or disk is full")

    monkeypatch.setattr(index, "commit", commit)
    assert main([*FILTER, "--commit", "-q"]) == 2
    [run] = index.pending(memory)
    told = f"the outputs are there, and run {run} is pending: dedup index commit memory {run}"
    assert capsys.readouterr().err == f"dedup: memory: database or disk is full; {told}\n"
    assert ids("kept.jsonl") == ["new"]


def test_another_writer_is_waited_for_as_long_as_is_wished(
    memory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tonight(row(NEW, id="new"))
    with catalogue.writing(memory, 0):
        assert main([*FILTER, "--wait", "0"]) == 2
        told = "memory: another process is writing; try again when it is done, or wait for it with --wait"
        assert told in capsys.readouterr().err
    assert not Path("kept.jsonl").exists()
    assert main([*FILTER, "-q", "--wait", "0"]) == 0
    [run] = index.pending(memory)
    with catalogue.writing(memory, 0):
        assert main([*FILTER, "--commit", "--wait", "0"]) == 2
        assert f"run {run} is pending" in capsys.readouterr().err
    index.abort(memory, run)
    with catalogue.writing(memory, 0):
        assert main([*FILTER, "--wait", "0"]) == 2
    assert index.pending(memory) == {}


def test_commit_at_once(memory: Path) -> None:
    tonight(row(NEW, id="new"), row(OTHER, id="other"))
    assert main([*FILTER, "--commit", "--keep", "longest"]) == 0
    assert (len(index.Snapshot.of(memory)), index.pending(memory)) == (4, {})


def test_a_run_that_is_repeated_takes_the_place_of_the_first(memory: Path) -> None:
    tonight(row(NEW, id="new"))
    for _ in range(2):
        assert main([*FILTER, "--force"]) == 0
        assert list(index.pending(memory).values()) == [1]


def test_of_an_output_that_cannot_be_written_nothing_is_remembered(memory: Path) -> None:
    tonight(row(NEW, id="new"))
    Path("kept.jsonl").write_text("mine", "utf-8")
    assert main(FILTER) == 2
    assert index.pending(memory) == {}


def test_a_dry_run_changes_nothing(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tonight(row(OLD, id="same"), row(NEW, id="new"))
    assert main([*FILTER, "--dry-run"]) == 0
    assert "1 would be set aside" in capsys.readouterr().err
    assert (index.pending(memory), Path("kept.jsonl").exists()) == ({}, False)


def test_marked_copies_stay_and_are_not_remembered(memory: Path) -> None:
    tonight(row(OLD, id="same"), row(NEW, id="new"))
    command = ["filter", "tonight.jsonl", "-o", "kept.jsonl", "--manifest", "run.json", "--index", "memory"]
    assert main([*command, "--action", "mark", "--commit"]) == 0
    marked = json.loads(Path("kept.jsonl").read_bytes().splitlines()[0])["_dedup"]
    assert (marked["kind"], marked["duplicate_of"]) == ("exact", "old")
    assert len(index.Snapshot.of(memory)) == 3


def test_passages_that_are_archived_are_cut(memory: Path) -> None:
    shared = " ".join(LONG.split()[30:60])
    tonight(row(f"{PROSE.words(50)} {shared} {PROSE.words(50)}", id="new"))
    assert main([*FILTER, "--action", "cut"]) == 0
    assert shared not in json.loads(Path("kept.jsonl").read_bytes())["text"]
    assert index.pending(memory) == {}  # the archive will not hold it as it came
    assert main(["restore", "run.json", "-o", "again"]) == 0
    assert Path("again/tonight.jsonl").read_bytes() == Path("tonight.jsonl").read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ["scan", "tonight.jsonl", "--no-passages"],
        ["index", "query", "sample", "tonight.jsonl"],
        ["check", "tonight.jsonl", "--no-passages", "--fail-on", "none"],
        ["filter", "tonight.jsonl", "--dry-run"],
    ],
)
def test_an_index_without_passages_says_what_it_may_not_find(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    index.build(tmp_path / "sample", [Document("long", LONG)], index.Shape(text=True, passages=False))
    tonight(row(NEW, id="new"))
    assert main([*command, *([] if "query" in command else ["--index", "sample"])]) == 0
    told = "sample: was built without passages: of short texts inside archived ones only a sample is found"
    assert told in [*(line[7:] for line in capsys.readouterr().err.splitlines()), *map(_said, recwarn)]


def _said(warning: Any) -> str:
    return str(warning.message)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--index", "nothing"], "nothing: is no index"),
        (["--ngram", "3"], "--ngram 5, not 3"),
        (["--index", "textless"], "textless: holds no texts"),
    ],
)
def test_an_index_that_cannot_be_used(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.build(tmp_path / "textless", [Document("old", OLD)], index.Shape())
    tonight(row(NEW, id="new"))
    assert main([*FILTER, *options]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.splitlines()) == 1
    assert not Path("kept.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-o", "kept.jsonl"], "--commit is for an index"),
        (["-o", "-", "--index", "memory"], "nobody knows that of standard output"),
        (["-o", "/dev/null", "--index", "memory"], "nobody knows that of /dev/null"),
    ],
)
def test_commit_needs_an_index_and_outputs_that_are_safe(
    options: list[str], told: str, memory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tonight(row(NEW, id="new"))
    command = ["filter", "tonight.jsonl", "--rejects", "r", "--manifest", "m", "--commit"]
    assert main([*command, *options]) == 2
    assert told in capsys.readouterr().err
    assert (len(index.Snapshot.of(memory)), index.pending(memory), Path("r").exists()) == (2, {}, False)


def test_a_near_copy_of_an_archived_copy_is_found(tmp_path: Path) -> None:
    """Two archived documents are near to each other; the new one is near to the second only."""
    words = PROSE.words(200).split()
    second = [word if i % 50 else "second" for i, word in enumerate(words)]
    third = [word if i % 50 != 25 else "third" for i, word in enumerate(second)]
    archived = [Document("first", " ".join(words)), Document("second", " ".join(second))]
    index.build(tmp_path / "two", archived, index.Shape(text=True))
    tonight(row(" ".join(third), id="third"))
    assert main([*FILTER, "--index", "two", "--threshold", "0.7"]) == 0
    assert ids("rejects.jsonl") == ["third"]
    assert records()["third"]["twin"]["id"] == "second"
