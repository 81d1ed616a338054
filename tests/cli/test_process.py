"""What only a process of its own shows: start-up, streams, terminals, signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dedup.report import schema

DEDUP = [sys.executable, "-m", "dedup"]
HEAVY = ("numpy", "orjson", "rich", "rapidfuzz", "datasketch", "dedup.kernel", "dedup.pipeline", "dedup.read")


# A pipeline that is not there to find anything: it reads its input and then does what FAKE says.
FAKE = """
import os, sys, types
from dedup.model import Document, Report, Settings, Skipped, Summary
def run(items, settings, progress=None, again=None):
    items = list(items)
    documents = [item for item in items if isinstance(item, Document)]
    skipped = tuple(item for item in items if isinstance(item, Skipped))
    exec(os.environ.get("FAKE", ""))
    summary = Summary(len(documents), len(skipped), 0, 0, 0, 0, 0, 0, 0, 0.0)
    return Report(settings, summary, skipped, (), (), ())
sys.modules["dedup.pipeline"] = types.ModuleType("dedup.pipeline")
sys.modules["dedup.pipeline"].run = run
from dedup.cli import main
sys.exit(main(sys.argv[1:]))
"""


def command(*arguments: str) -> list[str]:
    """The command line for a process of its own, upon the fake pipeline."""
    return [sys.executable, "-c", FAKE, *arguments]


def spawn(*arguments: str, fake: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "FAKE": fake}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 60, **options}
    return subprocess.run(arguments, env={**environment, **options.pop("env", {})}, check=False, **options)


@pytest.fixture(autouse=True)
def _file() -> None:
    Path("a.txt").write_text("a text")


def terminal(arguments: list[str], stream: str, fake: str = "", **environment: str) -> tuple[int, str, str]:
    """Run with one standard stream on a terminal: exit code, what came there, what came to the other."""
    master, slave = pty.openpty()
    other = "stderr" if stream == "stdout" else "stdout"
    done = spawn(*arguments, fake=fake, env=environment, **{stream: slave, other: subprocess.PIPE})
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(master)
    return done.returncode, seen.decode(), getattr(done, other)


class TestStart:
    @pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["scan", "--nothing"], []])
    def test_nothing_heavy_is_imported(self, arguments: list[str]) -> None:
        code = (
            "import sys; from dedup.cli import main; main(sys.argv[1:]); "
            f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
        )
        done = spawn(sys.executable, "-c", code, *arguments)
        assert done.stderr.splitlines()[-1] == "[]"

    def test_help_is_there_at_once(self) -> None:
        """The best of several, since other work on the machine is no fault of ours."""
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert spawn(*DEDUP, "--help").returncode == 0
            times.append(time.perf_counter() - start)
        assert min(times) < 0.15

    def test_as_a_module(self) -> None:
        done = spawn(*DEDUP, "scan", "gone")
        assert (done.returncode, done.stdout, done.stderr) == (
            2,
            "",
            "dedup: gone: no such file or directory\n",
        )


class TestStreams:
    def test_standard_input_and_output(self) -> None:
        records = "".join(json.dumps({"text": "t", "id": number}) + "\n" for number in range(1000))
        done = spawn(*command("scan", "-", "--format", "json"), input=records)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["summary"]["documents"] == 1000

    @pytest.mark.parametrize(
        "arguments", [["scan", "a.txt", "--format", "jsonl=out", "--format", "text"], ["--help"]]
    )
    def test_a_broken_pipe_is_silent_and_costs_no_file(self, arguments: list[str]) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = spawn(*command(*arguments), stdout=writer)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, "")
        assert Path("out").exists() == (arguments != ["--help"])

    def test_a_pipe_that_breaks_under_a_large_report(self) -> None:
        fake = 'skipped = tuple(Skipped("s" * 1000, "r") for _ in range(10000))'
        shell = " ".join(["exec 3>&1;", '"$@" | head -c 100 >/dev/null;', "echo ${PIPESTATUS[0]}"])
        done = spawn(
            "bash", "-c", shell, "bash", *command("scan", "a.txt", "-q", "--format", "jsonl"), fake=fake
        )
        assert (done.stdout, done.stderr) == ("0\n", "")

    def test_closed_standard_input(self) -> None:
        done = spawn("sh", "-c", 'exec "$@" <&-', "sh", *command("scan", "-", "--format", "json"))
        assert (done.returncode, done.stderr) == (0, "dedup: skipped -: standard input is closed\n")

    def test_a_full_device(self) -> None:
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full")
        with open("/dev/full", "wb") as full:
            done = spawn(*command("scan", "a.txt"), stdout=full)
        message = "dedup: standard output: cannot be written: no space left on device\n"
        assert (done.returncode, done.stderr) == (2, message)

    def test_closed_standard_error(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = spawn(*command("scan", "gone"), stderr=writer)
        os.close(writer)
        assert (done.returncode, done.stdout) == (2, "")


class TestTerminal:
    PROGRESS = "for n in range(1000): progress('reading', n, None)\nprogress('aligning passages', 1, 2)"

    def test_progress_on_a_terminal(self) -> None:
        code, seen, out = terminal(command("scan", "a.txt"), "stderr", self.PROGRESS)
        assert code == 0
        assert "aligning passages" in seen
        assert "1 of 2" in seen
        assert out == "1 document · 0 copies · 0 repeated passages · 0% of 0 words repeated\n"

    def test_no_progress_when_quiet(self) -> None:
        fake = "assert progress is None"
        assert terminal(command("scan", "a.txt", "-q"), "stderr", fake)[:2] == (0, "")

    def test_no_progress_elsewhere(self) -> None:
        done = spawn(*command("scan", "a.txt"), fake="assert progress is None")
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(
        ("environment", "colour"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
    )
    def test_colour_on_a_terminal(self, environment: dict[str, str], colour: bool) -> None:
        Path("a.png").touch()
        code, seen, err = terminal(command("scan", "a.txt", "a.png"), "stdout", **environment)
        assert (code, err) == (0, "")
        assert ("\x1b[1ma.png\x1b[0m" in seen) == colour
        assert ("\x1b" in seen) == colour

    def test_no_colour_in_a_pipe_or_a_file(self) -> None:
        Path("a.png").touch()
        assert "\x1b" not in spawn(*command("scan", "a.txt", "a.png")).stdout
        terminal(command("scan", "a.txt", "a.png", "-o", "out"), "stdout")
        assert "\x1b" not in Path("out").read_text()


def test_an_interruption() -> None:
    process = subprocess.Popen(
        command("scan", "-", "-o", "out"),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "FAKE": ""},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    # The reader has the first lines once the pipe, which holds 64 KB, has taken more than that.
    process.stdin.write('{"text": "t"}\n' * 20_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    code = process.wait(timeout=30)
    err = process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert (code, err.strip()) == (130, "dedup: interrupted")
    assert os.listdir() == ["a.txt"]


def test_the_real_pipeline() -> None:
    """Files in, all three reports out, one of them held against the schema."""
    sentence = (
        "the harbour office closed the northern quay after the storm and asked the boats to moor elsewhere"
    )
    Path("a.txt").write_text(f"First of all, {sentence}.\nNobody objected.\n")
    Path("b.jsonl").write_text(json.dumps({"id": "x", "text": f"We heard\nthat {sentence}, again."}) + "\n")
    formats = ["--format=json=r.json", "--format=jsonl=r.jsonl", "--format=text"]
    done = spawn(*DEDUP, "scan", "a.txt", "b.jsonl", *formats, env={"DEDUP_KERNEL": "python"})
    assert (done.returncode, done.stderr) == (0, "")
    places = done.stdout.splitlines()[1:]
    assert [line for line in places if ".txt" in line or ".jsonl" in line] == [
        "  a.txt:1",
        "  b.jsonl:1 x, line 2 of its text  100% alike",
    ]
    result = json.loads(Path("r.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(result)
    assert [member["text"] for member in result["passage_clusters"][0]["members"]] == [sentence, sentence]
    lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["header", "passage_cluster", "summary"]


def test_an_interruption_of_the_kernel() -> None:
    """What runs without the interpreter's lock and asks for no signals, as the kernel does."""
    fake = "import hashlib; print('at work', flush=True); hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
    process = subprocess.Popen(
        command("scan", "a.txt", "-o", "out"),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "FAKE": fake},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    time.sleep(0.5)  # it is said before the work begins
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "dedup: interrupted\n")
    assert not Path("out").exists()
