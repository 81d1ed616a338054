"""Whatever comes in: every record goes to exactly one side as it came, and restore gives the inputs back."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.decide import CUT, DIVERT, MARK, Policy
from dedup.errors import OutputError
from dedup.filter import Plan
from dedup.kernel import reference
from dedup.model import Settings
from dedup.restore import Archive
from tests.filtering import PACKINGS, Checked, leftovers, quick, ran, restored
from tests.filtering import files as files_in

from .records import FORMATS, JSONL, RECORDS_IN_LINES, files

Files = dict[str, bytes]

KEEPS = ["first", "longest", "oldest", "newest", "field:id", "field:date:desc"]
POLICIES = st.builds(
    Policy,
    st.sampled_from([*KEEPS, *["first"] * 3]),
    st.sampled_from([DIVERT, DIVERT, MARK, CUT]),
    st.sampled_from([True, True, False]),
)
BLOCKS = st.sampled_from([1, 300, 2000, 1 << 26])
SETTINGS = st.builds(
    lambda threshold, ngram: Settings(threshold=threshold, ngram=ngram, num_perm=32, jobs=1),
    st.sampled_from([0.8, 0.5, 1.0]),
    st.sampled_from([5, 1]),
)
OUTPUTS = ["kept.jsonl", "kept.jsonl.gz", "deep/kept.jsonl", *(f"kept.jsonl{p}" for p in PACKINGS if p)]


def examples(count: int) -> Callable[[Any], Any]:
    """How many runs a test tries; more of them if DEDUP_EXAMPLES says how many times as many."""
    return settings(
        deadline=None,
        max_examples=count * int(os.environ.get("DEDUP_EXAMPLES", "1")),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@contextmanager
def folder(*trees: Files) -> Iterator[Path]:
    """An empty folder to work in, with these files."""
    with tempfile.TemporaryDirectory() as top, chdir(top):
        os.mkdir("deep")
        for tree in trees:
            for name, data in tree.items():
                path = Path(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        yield Path(top)


def check(plan: Plan, sources: Files, stdin: bytes | None = None) -> Checked:
    """Filters, holds all of it against each other, restores, and finds no trace of either."""
    stdout = io.BytesIO() if plan.kept == "-" else None
    outcome = ran(plan, stdin=stdin, stdout=stdout)
    moved = {}
    if stdout is not None:
        Path("piped").write_bytes(stdout.getvalue())
        moved = {"kept": "piped"}
    checked = Checked(plan, sources, outcome, stdout.getvalue() if stdout else b"")
    assert plan.manifest is not None
    done = restored(plan.manifest, "again", **moved)
    assert done.problems == []
    assert done.inputs == len(sources)
    assert done.records == outcome.records
    names = {line["path"]: line["name"] for line in checked.inputs}
    wanted = {names[path]: data for path, data in sources.items()}
    assert files_in("again") == wanted
    assert done.remarks == []
    for path, data in sources.items():
        if path != "-":
            assert Path(path).read_bytes() == data
    assert leftovers(".") == []
    return checked


@examples(120)
@given(
    sources=files(RECORDS_IN_LINES, 3),
    policy=POLICIES,
    block=BLOCKS,
    kept=st.sampled_from(OUTPUTS),
    shape=SETTINGS,
)
def test_json_lines_into_one_file(
    sources: Files, policy: Policy, block: int, kept: str, shape: Settings
) -> None:
    rejects = None if policy.action == MARK else "rejects.jsonl.gz" if "gz" in kept else "rejects.jsonl"
    with folder(sources), quick(block):
        check(Plan(tuple(sources), kept, rejects, "run.json", settings=shape, policy=policy), sources)


@examples(80)
@given(
    sources=files(sorted(FORMATS), 8),
    policy=POLICIES.filter(lambda policy: policy.action != MARK),
    block=BLOCKS,
    shape=SETTINGS,
)
def test_a_tree(sources: Files, policy: Policy, block: int, shape: Settings) -> None:
    tree = {f"in/{name}": data for name, data in sources.items()}
    with folder(tree), quick(block):
        plan = Plan(("in",), "kept", "rejects", "run.json", True, settings=shape, policy=policy)
        check(plan, tree)


@examples(30)
@given(sources=files(RECORDS_IN_LINES), policy=POLICIES, block=BLOCKS)
def test_a_tree_of_lines_marked_or_not(sources: Files, policy: Policy, block: int) -> None:
    tree = {f"in/{name}": data for name, data in sources.items()}
    rejects = None if policy.action == MARK else "rejects"
    with folder(tree), quick(block):
        check(Plan(("in",), "kept", rejects, "run.json", True, policy=policy), tree)


@examples(60)
@given(
    protected=files(sorted(FORMATS), 3, damaged=False),
    sources=files(RECORDS_IN_LINES, 2),
    policy=POLICIES,
    block=BLOCKS,
)
def test_a_protected_collection(protected: Files, sources: Files, policy: Policy, block: int) -> None:
    old = {f"old/{name}": data for name, data in protected.items()}
    rejects = None if policy.action == MARK else "rejects.jsonl"
    with folder(sources, old), quick(block):
        plan = Plan(tuple(sources), "kept.jsonl", rejects, "run.json", reference=("old",), policy=policy)
        checked = check(plan, sources)
        assert files_in("old") == protected
        assert not any(line["path"].startswith("old/") for line in checked.records)


@examples(40)
@given(data=JSONL, policy=POLICIES, block=BLOCKS)
def test_a_pipe(data: bytes, policy: Policy, block: int) -> None:
    rejects = None if policy.action == MARK else "rejects.jsonl"
    with folder(), quick(block):
        plan = Plan(("-",), "-", rejects, "run.json", policy=policy)
        check(plan, {"-": data}, stdin=data)


@examples(25)
@given(sources=files(RECORDS_IN_LINES, 3), policy=POLICIES, block=BLOCKS)
def test_threads_and_kernels_change_nothing(
    native: ModuleType, sources: Files, policy: Policy, block: int
) -> None:
    """All outputs, byte for byte; the cut into blocks shows in none of them either."""
    rejects = None if policy.action == MARK else "rejects.jsonl.gz"
    found = []
    for module, jobs, size in (
        (native, 1, block),
        (native, 2, block),
        (reference, 1, block),
        (native, 1, 1 << 26),
    ):
        with folder(sources), quick(size), mock.patch("dedup.kernel._chosen", module):
            plan = Plan(
                tuple(sources), "kept.jsonl.gz", rejects, "run.json", settings=Settings(num_perm=32, jobs=jobs),
                policy=policy,
            )  # fmt: skip
            ran(plan)
            found.append(files_in("."))
    assert found[0] == found[1] == found[2] == found[3]


@examples(25)
@given(sources=files(RECORDS_IN_LINES, 3, damaged=False), policy=POLICIES, block=BLOCKS)
def test_without_originals_the_content_comes_back(sources: Files, policy: Policy, block: int) -> None:
    rejects = None if policy.action == MARK else "rejects.jsonl"
    with folder(sources), quick(block):
        plan = Plan(tuple(sources), "kept.jsonl", rejects, "run.json", originals=False, policy=policy)
        outcome = ran(plan)
        checked = Checked(plan, sources, outcome)
        done = restored("run.json", "again")
        assert (done.problems, done.inputs, done.records) == ([], len(sources), outcome.records)
        assert not Path("run.json.originals").exists()
        names = {line["name"]: checked.contents[line["path"]] for line in checked.inputs}
        unpacked = {
            name: PACKINGS[".gz"].unpack(data) if name.endswith(".gz") else data
            for name, data in files_in("again").items()
        }
        others = [name for name in names if not name.endswith((".gz", "l", "n"))]
        assert {n: d for n, d in unpacked.items() if n not in others} == {
            n: d for n, d in names.items() if n not in others
        }


@examples(25)
@given(sources=files(RECORDS_IN_LINES, 3), policy=POLICIES, pick=st.integers(0, 30))
def test_single_records(sources: Files, policy: Policy, pick: int) -> None:
    rejects = None if policy.action == MARK else "rejects.jsonl.gz"
    with folder(sources), quick():
        plan = Plan(tuple(sources), "kept.jsonl", rejects, "run.json", policy=policy)
        checked = Checked(plan, sources, ran(plan))
        ids = [line["id"] for line in checked.records if line["id"] is not None]
        if not ids:
            return
        wanted = ids[pick % len(ids)]
        stream = io.BytesIO()
        with Archive("run.json") as archive:
            done = archive.records([wanted], stream)
        assert done.problems == []
        same = [line for line in checked.records if line["id"] == wanted]
        raws = [bytes(checked.raw(line)) for line in same]
        lines = [
            raw if raw.endswith(b"\n") else raw + b"\n" for raw in raws[:-1]
        ]  # each on a line of its own
        assert stream.getvalue() == b"".join([*lines, raws[-1]])


@examples(20)
@given(sources=files(RECORDS_IN_LINES, 3), policy=POLICIES, at=st.integers(0, 1 << 20), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found(sources: Files, policy: Policy, at: int, bit: int) -> None:
    """In any output or original; what comes back is what it was, or does not come back."""
    rejects = None if policy.action == MARK else "rejects.jsonl"
    with folder(sources), quick():
        plan = Plan(tuple(sources), "kept.jsonl", rejects, "run.json", policy=policy)
        ran(plan)
        places = [path for path in ("kept.jsonl", "rejects.jsonl") if os.path.exists(path)]
        path = places[at % len(places)]
        data = bytearray(Path(path).read_bytes())
        if not data:
            return
        data[at % len(data)] ^= 1 << bit
        Path(path).write_bytes(data)
        with Archive("run.json") as archive:
            done = archive.restore("again")
        back = files_in("again") if os.path.isdir("again") else {}
        wanted = {name.split("/")[-1]: data for name, data in sources.items()}
        assert {name.split("/")[-1]: data for name, data in back.items()}.items() <= wanted.items()
        assert done.inputs == len(back)
        assert done.problems or len(back) == len(sources)  # a line end between two records is in neither


@examples(20)
@given(sources=files(sorted(FORMATS), 3), n=st.integers(0, 2))
def test_with_one_run_abandoned_before(sources: Files, n: int) -> None:
    """What an abandoned run leaves is nothing, and what stood there stays."""
    tree = {f"in/{name}": data for name, data in sources.items()}
    with folder(tree), quick():
        plan = Plan(("in",), "kept", "rejects", "run.json", True)
        ran(plan)
        before = files_in(".")
        calls = iter(range(100))

        def failing(*_: object) -> None:
            if next(calls) >= n:
                raise OutputError("full")

        with mock.patch("dedup.manifest.Writer.line", failing), suppress(OutputError):
            ran(replace(plan, policy=Policy("longest")))
        assert files_in(".") == before
