"""``dedup index`` killed at any moment: what was committed is all there, what was not is not, and nothing is repaired.

The number of kills is DEDUP_KILLS, 12 if that is not set. Each time a process that changes an index, one command after
the other, is killed while another one reads. Steps on the way to the disk are slowed down, so that kills fall on them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from dedup.index import Shape, create
from dedup.index.facts import facts
from dedup.index.verify import problems
from tests.indexing import held
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DEDUP_KILLS", "12"))
GROUP = 5  # documents that come and go together
STEPS = ["add"] * 4 + ["pend"] * 3 + ["commit"] * 3 + ["abort"] + ["remove"] * 3 + ["compact"]

WRITER = """
import os, random, sqlite3, sys, time
def slowed(real, most):
    def call(*arguments, **more):
        time.sleep(random.random() * most)
        found = real(*arguments, **more)
        time.sleep(random.random() * most)
        return found
    return call
for name in ("fsync", "unlink", "open"):
    setattr(os, name, slowed(getattr(os, name), 0.004))
class Slow(sqlite3.Connection):
    execute = slowed(sqlite3.Connection.execute, 0.001)
real = sqlite3.connect
sqlite3.connect = lambda *arguments, **more: real(*arguments, factory=Slow, **more)
import dedup.index, dedup.read
from dedup.cli import main
lines = sys.stdin.read().splitlines()
os.write(1, b"begun\\n")
for line in lines:
    if main(["index", *line.split(), "-q"]):
        break
    os.write(1, b"done\\n")
"""

READER = """
import sys, threading
from collections import Counter
from pathlib import Path
from dedup.model import Document
from tests.indexing import held, report_of
end = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
looks = 0
while not end.is_set():
    groups = Counter(name.split("-")[0] for name, _ in held(Path("index")))
    assert set(groups.values()) <= {GROUP}, groups
    report_of(Path("index"), [Document("new", "nothing of this is there, not one word of it all")])
    looks += 1
print(looks)
"""


class State(NamedTuple):
    """Groups that are live, and the group of each pending run."""

    live: frozenset[str]
    pending: tuple[tuple[str, str], ...] = ()

    def after(self, step: str) -> State:
        """What is there once a command is done."""
        name, _, *rest = step.split()
        pending = dict(self.pending)
        if name == "add":
            group = rest[0].removesuffix(".jsonl")
            if rest[1:]:
                return self._replace(pending=tuple(sorted({**pending, rest[2]: group}.items())))
            return self._replace(live=self.live | {group})
        if name in ("commit", "abort"):
            group = pending.pop(rest[0])
            live = self.live | {group} if name == "commit" else self.live
            return State(live, tuple(sorted(pending.items())))
        if name == "remove":
            return self._replace(live=self.live - {rest[1].removesuffix(".ids")})
        return self


def steps(state: State, folder: Path, kill: int, dice: random.Random) -> list[str]:
    """Commands that go on from a state; the files that they name."""
    prose, found = Prose(kill), []
    for number in range(60):
        pending = dict(state.pending)
        group = f"g{kill}x{number}"
        step = dice.choice(STEPS)
        if step in ("add", "pend"):
            rows = [{"id": f"{group}-{i}", "text": prose.words(dice.choice([30, 200]))} for i in range(GROUP)]
            (folder / f"{group}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            (folder / f"{group}.ids").write_text("".join(f"{row['id']}\n" for row in rows))
            line = f"add index {group}.jsonl" + (f" --run r{number}k{kill}" if step == "pend" else "")
        elif step in ("commit", "abort") and pending:
            line = f"{step} index {dice.choice(sorted(pending))}"
        elif step == "remove" and state.live:
            line = f"remove index --from {dice.choice(sorted(state.live))}.ids"
        elif step == "compact":
            line = "compact index"
        else:
            continue
        found.append(line)
        state = state.after(line)
    return found


def wanted(state: State, folder: Path) -> dict[str, str]:
    """The documents of a state, by id."""
    rows = [
        json.loads(line)
        for group in state.live
        for line in (folder / f"{group}.jsonl").read_text().splitlines()
    ]
    return {row["id"]: row["text"] for row in rows}


def phase(folder: Path) -> str:
    """How far a command came that was killed."""
    if (folder / "index" / "catalogue.sqlite-journal").exists():
        return "in a transaction"
    return "before or after"


def started(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code.replace("GROUP", str(GROUP))],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(plan: list[str], folder: Path, dice: random.Random) -> tuple[int, str]:
    """Kills a process that follows a plan; how many commands it had done, and what it said."""
    with started(WRITER, folder) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write("".join(f"{line}\n" for line in plan))
        writer.stdin.close()
        writer.stdin = None
        writer.stdout.readline()
        time.sleep(dice.random() * dice.choice([0.2, 1.0]))
        writer.send_signal(signal.SIGKILL)
        out, err = writer.communicate(timeout=60)
    return out.count("done"), err


def test_killed_at_any_moment(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    create(tmp_path / "index", Shape(text=True, num_perm=16))
    state = State(frozenset())
    phases: Counter[str] = Counter()
    with started(READER, tmp_path) as reader:
        for kill in range(KILLS):
            plan = steps(state, tmp_path, kill, dice)
            done, err = killed(plan, tmp_path, dice)
            told = f"kill {kill} of seed {seed}, {done} done, {plan[done : done + 1]}: {err}"
            phases[phase(tmp_path)] += 1
            for line in plan[:done]:
                state = state.after(line)
            possible = [state]
            if done < len(plan):
                possible.append(state.after(plan[done]))
                phases[plan[done].split()[0]] += 1
            assert "dedup:" not in err, told
            assert list(problems(tmp_path / "index")) == [], told
            texts = {name: text for (name, _), text in held(tmp_path / "index").items()}
            runs = facts(tmp_path / "index")["pending"]
            fits = [
                one
                for one in possible
                if wanted(one, tmp_path) == texts and runs == {run: GROUP for run, _ in one.pending}
            ]
            assert fits, told
            state = fits[-1]
        out, err = reader.communicate(timeout=60)
    assert (reader.returncode, err) == (0, ""), f"seed {seed}: {err}"
    print(f"{KILLS} kills, seed {seed}: {dict(phases)}; {out.strip()} looks, {len(state.live)} groups")
    if KILLS >= 100:
        assert min(phases[name] for name in ("add", "commit", "compact", "remove")) > KILLS / 50, phases
