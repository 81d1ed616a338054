"""``dedup filter`` and ``dedup restore`` when they are told to end."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from dedup import cli
from dedup.write import parts
from tests.cli.filters import (
    DEDUP,
    FILTER,
    OUTPUTS,
    ROOT,
    ROWS,
    others,
    put_input,
    spawn,
)
from tests.filtering import is_writing, leftovers


@pytest.fixture(autouse=True)
def _file() -> None:
    put_input()


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


def test_told_to_end_while_it_finishes_an_earlier_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends when that is done, and writes nothing of its own."""
    done = []

    def recover(*_: object) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        done.append(True)
        return ""

    monkeypatch.setattr("dedup.write.journal.recover", recover)
    assert (cli.main(FILTER), done) == (143, [True])
    assert others() == {}


def test_what_a_killed_run_has_left_goes_where_there_is_nothing_to_do() -> None:
    assert cli.main(FILTER) == 0
    part = parts.beside(os.path.realpath("kept.jsonl"), parts.new_run(), parts.PART)
    Path(part).write_bytes(b"")
    assert cli.main(FILTER) == 0
    assert leftovers(".") == []
