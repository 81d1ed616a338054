"""What the tests of filter runs share: a plan, its input, and a run of which everything is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dedup.filter import Plan
from tests.filtering import Checked, files, ran, restored

Line = dict[str, Any]
PLAN = Plan(("a.jsonl",), "kept.jsonl", "rejects.jsonl", "run.json")


def line(text: str, **fields: Any) -> bytes:
    return json.dumps({"text": text, **fields}).encode() + b"\n"


def put(*rows: bytes, name: str = "a.jsonl") -> bytes:
    data = b"".join(rows)
    Path(name).write_bytes(data)
    return data


def check(plan: Plan = PLAN, sources: dict[str, bytes] | None = None) -> Checked:
    """Filters and restores; the inputs come back."""
    sources = {path: Path(path).read_bytes() for path in plan.paths} if sources is None else sources
    checked = Checked(plan, sources, ran(plan))
    assert plan.manifest is not None
    done = restored(plan.manifest, "again")
    assert (done.problems, done.remarks, done.inputs) == ([], [], len(sources))
    names = {found["path"]: found["name"] for found in checked.inputs}
    assert files("again") == {names[path]: data for path, data in sources.items()}
    return checked


def ids(path: str) -> list[Any]:
    return [json.loads(row).get("id") for row in Path(path).read_bytes().splitlines() if row.strip()]
