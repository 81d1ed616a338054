"""What only a process of its own shows: start-up, streams, terminals, signals."""

from __future__ import annotations

import configparser
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
def run(items, settings, progress=None, again=None, archive=None):
    items = list(items)
    documents = [item for item in items if isinstance(item, Document)]
    skipped = tuple(item for item in items if isinstance(item, Skipped))
    exec(os.environ.get("FAKE", ""))
    summary = Summary(len(documents), len(skipped), 0, 0, 0, 0, 0, 0, 0, 0.0)
    return Report(settings, summary, skipped, (), (), ())
sys.modules["dedup.pipeline"] = types.ModuleType("dedup.pipeline")
sys.modules["dedup.pipeline"].run = run
from dedup.cli import command
command()
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
        """0.06 s, where the bare interpreter takes 0.02; in turns, since other work is no fault of ours."""
        times: dict[tuple[str, ...], list[float]] = {}
        for _ in range(5):
            for command in ((*DEDUP, "--help"), (sys.executable, "-c", "pass")):
                start = time.perf_counter()
                assert spawn(*command).returncode == 0
                times.setdefault(command, []).append(time.perf_counter() - start)
        help_, bare = (min(found) for found in times.values())
        assert help_ < 7 * bare

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
    assert (code, err) == (130, "dedup: interrupted\n")
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


#: What runs without the interpreter's lock and asks for no signals, as the kernel does.
KERNEL = "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
PYTHON = "while True: sum(range(1000))"
EARLY = """
import runpy, signal, sys
class Interrupting:
    def find_spec(name, *_):
        if name == "click":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting)
"""


@pytest.mark.parametrize(
    "begun",
    ["runpy.run_module('dedup', run_name='__main__')", "from dedup.__main__ import command; command()"],
)
def test_an_interruption_while_it_is_still_being_imported(begun: str) -> None:
    done = subprocess.run([sys.executable, "-c", EARLY + begun], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "dedup: interrupted\n")


def test_what_is_installed_is_ready_for_an_interruption() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg", "utf-8")
    scripts = setup["options.entry_points"]["console_scripts"].split()
    assert scripts == ["dedup", "=", "dedup.__main__:command"]


#: What is done to put things in order once the command is interrupted, and takes long.
CLEANING = """
import time
try:
    time.sleep(60)
finally:
    time.sleep(2)
"""


def interrupted(fake: str, pauses: list[float]) -> tuple[int, str, float]:
    """SIGINT before and after each pause: exit code, standard error, and the seconds since the first one."""
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "FAKE": f"print('at work', flush=True)\n{fake}",
    }
    process = subprocess.Popen(
        command("scan", "a.txt", "-o", "out"),
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        time.sleep(0.5)  # it is said before the work begins
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        for pause in pauses:
            time.sleep(pause)
            process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert not Path("out").exists()
    return process.returncode, err, time.monotonic() - begin


@pytest.mark.parametrize("fake", [KERNEL, PYTHON], ids=["kernel", "python"])
@pytest.mark.parametrize("pauses", [[], [0.0], [0.05], [0.25], [0.5], [0.1] * 5, [0.01] * 60])
def test_any_number_of_interruptions_is_one(fake: str, pauses: list[float]) -> None:
    code, err, seconds = interrupted(fake, pauses)
    assert (code, err) == (130, "dedup: interrupted\n")
    assert seconds < 2


def test_no_interruption_disturbs_the_cleaning_up() -> None:
    """In the time that it may take; the watchdog bites only where nobody has listened."""
    cleaning = CLEANING.replace("sleep(2)", "sleep(.2); print('clean', file=sys.stderr, flush=True)")
    code, err, _ = interrupted(cleaning, [0.02] * 5)
    assert (code, err) == (130, "clean\ndedup: interrupted\n")


def test_who_insists_does_not_wait_for_the_cleaning_up() -> None:
    """Though the watchdog is gone by then: the process ends with the first that comes late."""
    code, err, seconds = interrupted(CLEANING, [0.2, 0.3])
    assert (code, err) == (130, "dedup: interrupted\n")
    assert seconds < 1.5


#: A program that uses the command line, and what it does meanwhile.
HOST = FAKE.replace("from dedup.cli import command\ncommand()", "from dedup.cli import main\n")


def test_a_handler_of_ones_own_is_left_alone() -> None:
    script = """
import signal
met = []
mine = lambda *_: met.append(1)
signal.signal(signal.SIGINT, mine)
code = main(["scan", "a.txt", "-o", "out"])
assert signal.getsignal(signal.SIGINT) is mine
print(code, met)
"""
    fake = "import signal, time; signal.raise_signal(signal.SIGINT); time.sleep(.8)"
    done = spawn(sys.executable, "-c", HOST + script, fake=fake)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 [1]\n", "")


def test_a_program_gets_its_signals_back() -> None:
    script = """
import signal
before = set(os.listdir("/dev/fd"))
for _ in range(3):
    assert main(["scan", "a.txt", "-o", "out"]) == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.set_wakeup_fd(-1) == -1
import time; time.sleep(.5)
assert set(os.listdir("/dev/fd")) == before
print("as before")
"""
    done = spawn(
        sys.executable, "-c", HOST + script, fake="import signal; signal.raise_signal(signal.SIGINT)"
    )
    assert (done.stdout, done.stderr) == ("as before\n", "dedup: interrupted\n" * 3)


def test_where_no_thread_can_be_started_the_scan_goes_on() -> None:
    script = """
import signal, threading
def start(self): raise RuntimeError("can't start new thread")
threading.Thread.start = start
before = set(os.listdir("/dev/fd"))
assert main(["scan", "a.txt", "-o", "out"]) == 0
assert signal.set_wakeup_fd(-1) == -1
assert set(os.listdir("/dev/fd")) == before
"""
    done = spawn(sys.executable, "-c", HOST + script)
    assert (done.returncode, done.stderr) == (0, "")
