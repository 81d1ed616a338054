"""What ``dedup filter`` writes beside what is there: inputs are never touched, nothing is left half done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dedup.cli import main
from dedup.write import journal, outputs, parts
from tests.filtering import files, is_writing, leftovers
from tests.unit.committing import killed
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
PROSE = Prose(1)
TEXTS = [PROSE.words(30) for _ in range(3)]
ROWS = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in (*TEXTS, TEXTS[0]))
OUTPUTS = ["-o", "kept.jsonl", "--rejects", "rejects.jsonl", "--manifest", "run.json"]
FILTER = ["filter", "a.jsonl", *OUTPUTS]
TREE = ["filter", "in", "-o", "kept", "--rejects", "rejects", "--manifest", "run.json"]


@pytest.fixture(autouse=True)
def _inputs() -> None:
    os.mkdir("in")
    for name in ("a.jsonl", "in/b.jsonl"):
        Path(name).write_bytes(ROWS)


def told(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The line that a command ends with that is refused; nothing has changed then."""
    before = files(".")
    assert main(arguments) == 2
    line = capfd.readouterr().err
    assert line.count("\n") == 1
    assert files(".") == before
    return line


def cut_short(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """A run that is killed when its journal is there."""
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_carry_out", lambda journal: os._exit(9))
        killed(lambda: main(arguments))
    assert list(Path().glob(".dedup-*.journal"))


class TestARunThatWasCutOff:
    @pytest.mark.parametrize(
        ("arguments", "mine"), [(FILTER, "kept.jsonl"), (TREE, "kept/mine"), (TREE, "rejects"), (FILTER, "run.json")]
    )  # fmt: skip
    def test_does_not_take_the_place_of_what_has_come_since(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        arguments: list[str],
        mine: str,
    ) -> None:
        cut_short(monkeypatch, arguments)
        Path(mine).parent.mkdir(exist_ok=True)
        Path(mine).write_bytes(b"precious")
        assert main(arguments) == 2
        first, second = capfd.readouterr().err.splitlines()
        assert first.startswith("dedup: a run that was cut off is given up, since ")
        assert (
            second == f"dedup: {mine.split('/')[0]}: there already; write elsewhere, or replace with --force"
        )
        assert files(".") == {"a.jsonl": ROWS, "in/b.jsonl": ROWS, mine: b"precious"}

    def test_keeps_its_parts_from_another(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        cut_short(monkeypatch, FILTER)
        other = ["filter", "in/b.jsonl", *OUTPUTS[:-1], "other.json"]
        assert "kept.jsonl: is an output of an earlier run that was cut off" in told(capfd, other)
        assert main(FILTER) == 0
        assert "are in place now" in capfd.readouterr().err
        assert main(["restore", "run.json", "--verify-only"]) == 0
        assert leftovers(".") == []

    def test_is_not_finished_over_an_input(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        Path("kept.jsonl").write_bytes(ROWS)
        cut_short(monkeypatch, [*FILTER, "--force"])
        line = told(capfd, ["filter", "kept.jsonl", "-o", "new.jsonl", *OUTPUTS[2:]])
        assert "run.json: an earlier run that writes this and other outputs was cut off" in line


class TestInputs:
    @pytest.mark.parametrize("target", ["kept.jsonl", "run.json", "run.json.originals"])
    @pytest.mark.parametrize("kind", ["part", "before", "journal", "draft"])
    def test_named_like_what_lies_beside_an_output(
        self, capfd: pytest.CaptureFixture[str], target: str, kind: str
    ) -> None:
        name = parts.beside(target, parts.new_run(), kind)
        os.rename("a.jsonl", name)
        assert f"an input, {Path(name).resolve()}, is named like" in told(
            capfd, ["filter", name, "--input-format", "jsonl", *OUTPUTS]
        )

    def test_in_a_folder_that_is_named_so(self, capfd: pytest.CaptureFixture[str]) -> None:
        name = parts.beside("kept", parts.new_run(), parts.PART)
        os.rename("in", name)
        os.symlink(name, "in")
        for path in (name, f"{name}/b.jsonl", "in", "in/b.jsonl"):
            assert "is named like" in told(capfd, ["filter", path, "-o", "kept/", *TREE[4:]])

    @pytest.mark.parametrize("url", ["file://~/a.jsonl", "dir://a.jsonl::file://{}", "simplecache://x::file://{}/a.jsonl",
                                     "zip://x::{}/a.jsonl"])  # fmt: skip
    def test_by_url(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], url: str
    ) -> None:
        monkeypatch.setenv("HOME", os.getcwd())
        line = told(capfd, ["filter", url.format(os.getcwd()), "-o", "a.jsonl", *OUTPUTS[2:], "--force"])
        assert line.startswith("dedup: a.jsonl: ")
        assert "input" in line

    @pytest.mark.parametrize(
        "options", [["-o", "a.jsonl", *OUTPUTS[2:]], ["--rejects", "a.jsonl", *OUTPUTS[4:]]]
    )
    @pytest.mark.parametrize("role", [["-"], ["in/b.jsonl", "--reference", "-"]])
    def test_behind_standard_input(self, options: list[str], role: list[str]) -> None:
        with open("a.jsonl", "rb") as stdin:
            line = refused("filter", *role, *options, "--force", stdin=stdin)
        assert line == "dedup: a.jsonl: is what standard input is read from; write somewhere else\n"

    @pytest.mark.parametrize(
        ("arguments", "name"),
        [(["a.jsonl"], "a.jsonl"), (["-"], "a.jsonl"), (["a.jsonl", "--reference", "in"], "in/b.jsonl")],
    )
    def test_to_which_standard_output_goes(self, arguments: list[str], name: str) -> None:
        with open("a.jsonl", "rb") as stdin, open(name, "ab") as stdout:
            line = refused("filter", *arguments, *OUTPUTS[2:], stdin=stdin, stdout=stdout)
        assert line.startswith("dedup: standard output is an input, ")

    def test_an_output_to_which_standard_output_goes(self) -> None:
        with open("rejects.jsonl", "ab") as stdout:
            line = refused("filter", "a.jsonl", *OUTPUTS[2:], "--force", stdout=stdout)
        assert line.startswith("dedup: rejects.jsonl: given for two outputs")


def refused(*arguments: str, **streams: Any) -> str:
    """What a process says that changes nothing."""
    before = files(".")
    done = subprocess.run(
        [sys.executable, "-m", "dedup", *arguments], check=False, timeout=60, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, **streams,
    )  # fmt: skip
    assert done.returncode == 2
    assert files(".") == before
    return done.stderr.decode()


def test_a_folder_in_one_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    line = told(capfd, ["filter", "a.jsonl", "-o", "gone/new/", *TREE[4:]])
    assert line == "dedup: gone/new/: cannot be written: no such file or directory\n"
    assert sorted(os.listdir()) == ["a.jsonl", "in"]


@pytest.mark.parametrize("arguments", [FILTER, TREE], ids=["files", "tree"])
def test_an_interruption_while_nothing_listens(arguments: list[str]) -> None:
    """The kernel knows no signals: the process ends while it is at work."""
    code = (
        "import hashlib, sys\n"
        "from dedup.cli import main\n"
        "from dedup.kept import Kept\n"
        "Kept.judge = lambda *_: print('busy', flush=True) or hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"busy\n"
    assert is_writing(".")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"dedup: interrupted\n")
    assert sorted(os.listdir()) == ["a.jsonl", "in"]


TRACED = {module.__file__ for module in (outputs, parts, journal)}


@contextmanager
def signalled(number: int, nth: int) -> Iterator[list[int]]:
    """The signal comes at the nth line that is run where outputs are made; the lines that were run."""
    lines: list[int] = []
    before = sys.gettrace()

    def call(frame: FrameType, *_: object) -> Callable[..., Any] | None:
        return line if frame.f_code.co_filename in TRACED else None

    def line(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        if event == "line":
            lines.append(frame.f_lineno)
            if len(lines) == nth:
                signal.raise_signal(number)
        return line

    sys.settrace(call)
    try:
        yield lines
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("is_over", [False, True], ids=["fresh", "over"])
@pytest.mark.parametrize("arguments", [FILTER, TREE], ids=["files", "tree"])
def test_told_to_end_at_any_line(
    monkeypatch: pytest.MonkeyPatch, number: int, is_over: bool, arguments: list[str]
) -> None:
    """All is as it was, or done; there is nothing beside it."""
    for name in ("fsync", "sync"):
        monkeypatch.setattr(os, name, lambda *_: None)
    arguments = [*arguments, *(["--force"] if is_over else []), "-q"]
    nth, step, found = 1, 11, set()
    while True:
        if is_over:
            source = Path("in/b.jsonl" if "in" in arguments else "a.jsonl")
            source.write_bytes(ROWS[:-1])
            assert main(arguments) == 0
            source.write_bytes(ROWS)
        before = files(".")
        with signalled(number, nth) as lines:
            code = main(arguments)
        if len(lines) < nth:
            break
        after = files(".")
        assert leftovers(".") == [], lines[nth - 1]
        if after != before:
            assert main(["restore", "run.json", "--verify-only", "-q"]) == 0
        assert code == 128 + number
        found.add(after == before)
        for name in set(os.listdir()) - {"a.jsonl", "in"}:
            shutil.rmtree(name) if os.path.isdir(name) else os.unlink(name)
        nth += step
    assert (code, found) == (0, {True, False})
