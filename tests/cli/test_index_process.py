"""``dedup index`` as processes: that have no room, are interrupted, or work at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dedup import cli
from dedup.index.facts import facts
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
PROSE = Prose(12)
TEXTS = [PROSE.words(60) for _ in range(5)]


def more(name: str, *texts: str) -> str:
    """A file with documents of its own."""
    rows = [{"id": f"{Path(name).name}-{i}", "text": text} for i, text in enumerate(texts)]
    Path(f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return f"{name}.jsonl"


@pytest.fixture
def memory() -> str:
    """An index of an archive of five documents; and a new one, which is a copy."""
    Path("archive").mkdir()
    more("archive/a", *TEXTS)
    Path("new").mkdir()
    Path("new/copy.txt").write_text(TEXTS[0])
    assert cli.main(["index", "build", "memory", "archive", "--store-text", "-q"]) == 0
    return "memory"


FULL = """
import resource, sys
from dedup.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
print(main(["index", *sys.argv[1:]]))
"""

SLOW = """
import hashlib
from dedup import kernel
def tokenise(*arguments, **more):
    print("working", flush=True)
    hashlib.pbkdf2_hmac("sha1", b"a word", b"salt", 10**8)
kernel.tokenise = tokenise
from dedup.__main__ import command
command()
"""


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_files_that_may_not_grow(memory: str) -> None:
    name = more("long", *(PROSE.words(100) for _ in range(90)))
    for arguments, where in (
        (["build", "other", name], "other: cannot be made"),
        (["add", memory, name], memory),
    ):
        with started(FULL, *arguments) as process:
            out, err = process.communicate(timeout=60)
        assert (out, err) == ("2\n", f"dedup: {where}: file too large\n")
    assert cli.main(["index", "verify", memory, "-q"]) == 0
    assert not Path("other").exists()
    assert [path for path in os.listdir(".") if "part" in path] == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_an_interrupted_build_leaves_nothing(memory: str) -> None:
    """Though the kernel, which hears nothing, is at work."""
    with started(SLOW, "index", "build", "other", "archive") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        assert len(os.listdir(".")) == 4
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "dedup: interrupted\n")
    assert time.monotonic() - begun < 10
    assert sorted(os.listdir(".")) == ["archive", memory, "new"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_what_a_killed_build_has_left_goes_with_the_next_one_and_no_other_does(memory: str) -> None:
    with started(SLOW, "index", "build", "other", "archive") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        assert cli.main(["index", "build", "other", "archive", "-q"]) == 2  # the first one is at it
        assert cli.main(["index", "build", "third", "archive", "-q"]) == 0
        process.kill()
    assert len(os.listdir(".")) == 5
    assert cli.main(["index", "build", "other", "archive", "-q"]) == 0
    assert sorted(os.listdir(".")) == ["archive", memory, "new", "other", "third"]


def test_two_writers_and_a_reader_at_once(memory: str) -> None:
    code = "from dedup.cli import main; import sys; sys.exit(max(main(a.split()) for a in sys.argv[1:]))"
    names = [more(f"{who}{i}", PROSE.words(30)) for who in "pq" for i in range(8)]
    commands = [f"index add {memory} {name} -q" for name in names]
    with (
        started(code, *commands[:8], f"index compact {memory} -q") as one,
        started(code, f"index compact {memory} -q", *commands[8:], f"index compact {memory} -q") as two,
        started(code, *[f"index query {memory} new -q", f"index verify {memory} -q"] * 6) as three,
    ):
        ended = [(process.communicate(timeout=60)[1], process.returncode) for process in (one, two, three)]
    assert ended == [("", 0)] * 3
    assert cli.main(["index", "verify", memory, "archive", *names, "-q"]) == 0
    assert facts(Path(memory))["documents"] == 21


def test_what_is_archived_is_not_read_from_where_it_was(memory: str) -> None:
    """Texts of files are read again where they are not held; those of the archive may be other ones today."""
    Path("archive/a.jsonl").write_text('{"id": "a-0", "text": "changed"}\n' * 9)
    arguments = f"scan new --index {memory} --no-passages --format html=r.html --format text".split()
    with started("from dedup.__main__ import command; command()", *arguments) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "archive/a.jsonl:1 a-0 (archived)\n  copy  new/copy.txt  jaccard 100%" in out
    page = Path("r.html").read_text()
    assert TEXTS[0] in page
    assert '"changed' not in page


def test_info_reads_no_arrays_at_start() -> None:
    """The command line is there at once; what compares texts is imported when it is used."""
    code = "import sys; from dedup.cli.index import contents, query, upkeep; print('numpy' in sys.modules)"
    with started(code) as process:
        assert process.communicate(timeout=60)[0] == "False\n"
