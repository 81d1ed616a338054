"""The index of a plan: what is asked before records are judged, and what it remembers of outputs that are there.

Enters: a plan, and outputs of an earlier run of it. Leaves: what the index remembers of them, or is to.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from .. import index, kernel, manifest, read
from ..errors import InputError, ManifestError
from ..kept import NEW
from ..model import Document
from ..text import version
from ..write.sides import STDOUT
from .plan import Plan


def asked(plan: Plan) -> index.Memory | None:
    """The index that is asked. Raises DedupIndexError where it holds no texts: then nothing can be proven."""
    if plan.index is None:
        return None
    has_passages = index.facts(Path(plan.index))["settings"]["passages"]
    settings = dataclasses.replace(plan.settings, passages=has_passages)
    return index.Memory.of(plan.index, settings, proving=True)


def caveat(plan: Plan) -> str | None:
    """What the index may not find, in a line to be told; None for nothing."""
    memory = asked(plan) if plan.policy.contained else None
    return None if memory is None else memory.caveat


def run_of(plan: Plan) -> str | None:
    """The run that the manifest which stands there says is pending in an index, or was."""
    if plan.manifest is None or not os.path.isfile(plan.manifest):
        return None
    run: str | None = None
    try:
        for line in manifest.read(plan.manifest):
            if line["type"] == "summary":
                run = line.get("run")
    except ManifestError:
        return None
    return run


def is_remembered(plan: Plan) -> bool:
    """Whether the plan would take what it kept before for copies of itself: its index remembers a text of the output
    that stands there.

    Texts without a word do not count: they stay. Neither do those that are marked there as copies of archived ones.
    """
    if plan.index is None or plan.kept in (None, STDOUT) or not os.path.exists(plan.kept):
        return False
    texts = (item.text for item in read.documents([plan.kept], plan.options) if isinstance(item, Document))
    versions = {version(text) for text in texts if len(kernel.tokenise([text], jobs=1).hashes)}
    return index.Snapshot.of(Path(plan.index)).holds(versions - _archived_before(plan))


def _archived_before(plan: Plan) -> set[bytes]:
    """The versions of archived documents of which the manifest of these outputs that stands there names copies."""
    found: set[bytes] = set()
    if plan.manifest is None or not os.path.isfile(plan.manifest):
        return found
    try:
        for line in manifest.read(plan.manifest):
            if line["type"] == "run" and line["outputs"] != plan.header()["outputs"]:
                return set()
            if archived := line.get("twin", {}).get("archived"):
                found.add(bytes.fromhex(archived))
    except ManifestError:
        return set()
    return found


def remember_again(plan: Plan, wait: float) -> str | None:
    """The run of outputs that are there, of inputs that are as they were. What it brought and the index neither
    remembers nor has as pending, since the run was aborted, is pending again."""
    run = run_of(plan)
    if plan.index is None or run is None:
        return None
    if run not in index.pending(Path(plan.index)):
        jobs = plan.settings.jobs
        index.add(Path(plan.index), _stayed(plan), run=run, again=True, wait=wait, jobs=jobs)
    return run


def _stayed(plan: Plan) -> Iterator[Document]:
    """The documents of the inputs that stayed as they came, as the manifest says.

    Raises InputError where the inputs are not read as they were then.
    """
    assert plan.manifest is not None
    lines = (
        line for line in manifest.read(plan.manifest) if line["type"] == "record" and line["id"] is not None
    )
    items = (item for item in read.documents(plan.paths, plan.options) if isinstance(item, Document))
    for line, item in itertools.zip_longest(lines, items):
        if line is None or item is None or (line["id"], line["path"]) != (item.id, item.source.path):
            raise InputError(
                f"{plan.manifest}: tells of other records than the inputs hold, as they are read now"
            )
        if line["reason"] == NEW and "cuts" not in line:
            yield item


def forget(plan: Plan, run: str, wait: float) -> None:
    """Forgets a pending run whose outputs did not take their names, unless those of the same run stand there.

    Raises DedupIndexError where another process writes for more than ``wait`` seconds.
    """
    if plan.index is None or run == run_of(plan):
        return
    if run in index.pending(Path(plan.index)):
        index.abort(Path(plan.index), run, wait=wait)
