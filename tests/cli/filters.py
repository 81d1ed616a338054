"""What the tests of ``dedup filter`` as a process share: its inputs, and how it is run."""

from __future__ import annotations

import ctypes
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

from tests.filtering import files, leftovers
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
        left = leftovers(folder)
        assert left == [], left

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


def shell(script: str, **options: Any) -> Done:
    """A line of bash in which ``dedup`` stands for the command."""
    quoted = f"dedup() {{ '{sys.executable}' -m dedup \"$@\"; }}\n{script}"
    return spawn(quoted, command=["bash", "-c"], **options)


def others() -> dict[str, bytes]:
    """All files but the input."""
    return {name: data for name, data in files(".").items() if name != "a.jsonl"}


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


def put_input() -> None:
    """The file that most tests read."""
    Path("a.jsonl").write_bytes(b"".join(ROWS))
