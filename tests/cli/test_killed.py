"""``dedup filter`` killed at any moment: what stands under the final names is whole, and the same command finishes it.

The number of kills is DEDUP_KILLS, 30 if that is not set. Steps by which something takes its name are slowed down, from
outside, so that kills fall between them.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from dedup.restore import Archive
from tests.filtering import files, is_writing, leftovers, quick
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DEDUP_KILLS", "30"))
SLOW = """
import os, random, time
def slowed(real, most):
    def call(*arguments, **more):
        time.sleep(random.random() * most)
        found = real(*arguments, **more)
        time.sleep(random.random() * most)
        return found
    return call
for name in ("replace", "rename", "unlink", "rmdir"):
    setattr(os, name, slowed(getattr(os, name), 0.015))
for name in ("fsync", "mkdir", "open", "chmod"):
    setattr(os, name, slowed(getattr(os, name), 0.002))
os.sync = lambda: None
"""

FILES = [
    "a.jsonl",
    "b.jsonl.gz",
    "-o",
    "kept.jsonl",
    "--rejects",
    "rejects.jsonl.gz",
    "--manifest",
    "run.json",
]
TREE = ["in", "-o", "kept", "--rejects", "rejects", "--manifest", "run.json"]
CASES = {
    "files": FILES,
    "tree": TREE,
    "tree over others": [*TREE, "--force"],
    "files cut over others": [*FILES, "--action", "cut", "--force"],
}
NAMES = ("kept", "kept.jsonl", "rejects", "rejects.jsonl.gz", "run.json", "run.json.originals")


def inputs(folder: Path, seed: int) -> None:
    """A few inputs of each kind, full of copies."""
    prose, dice = Prose(seed), random.Random(seed)
    texts = [prose.words(40) for _ in range(20)]
    texts += [prose.exchanged(text, [5]) for text in texts] + [prose.round(text) for text in texts]
    dice.shuffle(texts)
    rows = [json.dumps({"id": i, "text": text}).encode() + b"\n" for i, text in enumerate(texts)]
    (folder / "in" / "d").mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(b"".join(rows))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(b"".join(rows[::-2]), 1, mtime=0))
    for i, text in enumerate(texts[:9]):
        (folder / "in" / "d" / f"{i}.txt").write_text(text)
    (folder / "in" / "e.jsonl.gz").write_bytes(gzip.compress(b"".join(rows[:9]), 1, mtime=0))


def started(folder: Path, arguments: list[str], slow: Path | None) -> subprocess.Popen[bytes]:
    path = [str(ROOT), *([str(slow)] if slow else [])]
    return subprocess.Popen(
        [sys.executable, "-m", "dedup", "filter", *arguments, "--jobs", "1"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finished(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, err = process.communicate(timeout=60)
    return process.returncode, err.decode()


def begun(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Waits until the first output is there, aside."""
    while process.poll() is None and not is_writing(folder):
        time.sleep(0.001)


def work(process: subprocess.Popen[bytes], folder: Path) -> float:
    """Waits for a run to end; how long its outputs were on their way."""
    begun(process, folder)
    start = time.perf_counter()
    assert finished(process)[0] == 0
    return time.perf_counter() - start


def outputs(folder: Path) -> dict[str, dict[str, bytes] | bytes]:
    """What stands under the final names: files as bytes, folders by what is in them."""
    paths = [folder / name for name in NAMES if (folder / name).exists()]
    return {path.name: files(path) if path.is_dir() else path.read_bytes() for path in paths}


def phase(folder: Path) -> str:
    """How far a run came that was killed."""
    if list(folder.glob(".dedup-*.journal")):
        return "taking names"
    if leftovers(folder):
        return "writing"
    return "before or after"


def test_killed_at_any_moment(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(SLOW)
    wanted, others, sources, spans = {}, {}, {}, {}
    for case, arguments in CASES.items():
        for number in (1, 2) if "--force" in arguments else (1,):  # to come out; and what stood there before
            folder = tmp_path / f"{case} {number}"
            folder.mkdir()
            inputs(folder, number)
            sources[number] = files(folder)
            process = started(folder, arguments, slow)
            spans[case] = work(process, folder)
            (wanted if number == 1 else others)[case] = outputs(folder)
    phases: Counter[str] = Counter()
    for kill in range(KILLS):
        case = list(CASES)[kill % len(CASES)]
        arguments, is_forced = CASES[case], "--force" in CASES[case]
        told = f"kill {kill} of seed {seed}, {case}"
        folder = tmp_path / "work"
        shutil.copytree(tmp_path / f"{case} {2 if is_forced else 1}", folder)
        for name in sources[1]:
            shutil.copyfile(tmp_path / f"{case} 1" / name, folder / name)
        before = others[case] if is_forced else {}
        if not is_forced:
            for name in outputs(folder):
                path = folder / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        process = started(folder, arguments, slow)
        if dice.random() < 0.9:
            begun(process, folder)
        time.sleep(dice.random() * spans[case] * 1.1)
        process.send_signal(signal.SIGKILL)
        finished(process)
        phases[phase(folder)] += 1
        for name, found in outputs(folder).items():
            assert found in (before.get(name), wanted[case].get(name)), f"{told}: {name} is half there"
        if phase(folder) != "taking names":
            assert outputs(folder) in (before, wanted[case]), f"{told}: some are there"
        code, err = finished(started(folder, arguments, None))
        assert (code, "Traceback" in err) == (0, False), f"{told}: {err}"
        assert outputs(folder) == wanted[case], told
        assert leftovers(folder) == [], told
        assert {name: data for name, data in files(folder).items() if name in sources[1]} == sources[1], told
        with quick(), Archive(str(folder / "run.json")) as archive:
            assert archive.restore(str(tmp_path / "again")).problems == [], told
        back = files(tmp_path / "again")
        assert back == {name: sources[1][name] for name in back}, told
        assert len(back) == (10 if "tree" in case else 2), told
        shutil.rmtree(tmp_path / "again")
        shutil.rmtree(folder)
    print(f"{KILLS} kills, seed {seed}: {dict(phases)}")
    if KILLS >= 100:
        assert min(phases[name] for name in ("taking names", "writing", "before or after")) > KILLS / 50, (
            phases
        )
