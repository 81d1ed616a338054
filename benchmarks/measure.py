"""Runs a command as a whole process and says what it cost: wall, CPU, peak memory, load of other processes.

The command is started by a small process of its own (this file, run as a script with nothing but the standard
library): on Linux a child's peak memory begins with that of the process it was forked from.

- ``wall``: seconds from start to exit, interpreter start included.
- ``cpu``: user and system seconds of the process and of all descendants that were waited for (``wait4``).
- ``peak``: ``ru_maxrss`` of ``wait4``, which is that of the largest single process. While a command has
  several processes, their resident sizes are also added up ten times a second (shared pages count once for
  each), and the larger of the two figures stands.
- ``others``: cores busy with anything else meanwhile, from ``/proc/stat``; known on Linux only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Usage:
    """What one run cost. Seconds, bytes, cores; ``error`` holds the end of stderr when the command failed."""

    wall: float
    cpu: float
    peak: int
    others: float | None
    stdout: str
    error: str | None


def measure(command: list[str], *, cwd: Path | None = None) -> Usage:
    """Run ``command`` to its end and return what it cost; a failure is reported, not raised.

    >>> measure([sys.executable, "-c", "print('done')"]).stdout.strip()
    'done'
    """
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *command]
    done = subprocess.run(launcher, cwd=cwd, capture_output=True, text=True, check=True)
    return Usage(**json.loads(done.stdout))


def warm(path: Path) -> None:
    """Read a file once, so that the first run does not pay for the disk."""
    with path.open("rb") as content:
        while content.read(1 << 24):
            pass


def _launch(command: list[str]) -> dict[str, object]:
    busy = _busy_seconds()
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        texts: dict[str, bytes] = {}
        readers = [_reader(texts, "out", child.stdout), _reader(texts, "err", child.stderr)]
        sampler = _Sampler(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        sampler.stop()
        child.returncode = os.waitstatus_to_exitcode(status)
        for reader in readers:
            reader.join()
    cpu = usage.ru_utime + usage.ru_stime
    now = _busy_seconds()
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    complaint = texts["err"].decode(errors="replace").strip() or f"exit code {child.returncode}"
    return {
        "wall": wall,
        "cpu": cpu,
        "peak": max(largest, sampler.peak),
        "others": None if busy is None or now is None else max(0.0, (now - busy - cpu) / wall),
        "stdout": texts["out"].decode(errors="replace"),
        "error": complaint[-2_000:] if child.returncode else None,
    }


def _reader(texts: dict[str, bytes], name: str, stream: IO[bytes] | None) -> threading.Thread:
    def read() -> None:
        texts[name] = stream.read() if stream else b""

    thread = threading.Thread(target=read)
    thread.start()
    return thread


class _Sampler:
    """Adds up the resident sizes of a process and its descendants while there are several."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._done.wait(SAMPLE_SECONDS):
            family = _family(self._pid)
            if len(family) > 1:
                self.peak = max(self.peak, page * sum(map(_resident_pages, family)))


def _family(pid: int) -> list[int]:
    """A process and its descendants, as far as ``/proc`` tells."""
    found = [pid]
    for member in found:
        try:
            for task in os.listdir(f"/proc/{member}/task"):
                with open(f"/proc/{member}/task/{task}/children", encoding="ascii") as children:
                    found.extend(map(int, children.read().split()))
        except OSError:
            continue
    return found


def _resident_pages(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as sizes:
            return int(sizes.read().split()[1])
    except OSError:
        return 0


def _busy_seconds() -> float | None:
    """Seconds that all cores together have been busy since boot; None where ``/proc/stat`` does not exist."""
    try:
        with open("/proc/stat", encoding="ascii") as lines:
            user, nice, system, _idle, _wait, interrupts, soft = map(int, lines.readline().split()[1:8])
    except OSError:
        return None
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(json.dumps(_launch(sys.argv[1:])))
