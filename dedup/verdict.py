"""What the gate says of a scan: every place that repeats something, and whether it is new.

Enters: nothing. Leaves: the types that :mod:`dedup.gate` fills and :mod:`dedup.report` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .model import Report

DOCUMENT = "duplicate-document"
PASSAGE = "repeated-passage"

NEW, KNOWN, MOVED, EDITED, SUPPRESSED = "new", "known", "moved", "edited", "suppressed"
STATUSES = (NEW, KNOWN, MOVED, EDITED, SUPPRESSED)

FAIL_ON = ("new", "any", "none")  # which findings fail: new ones, any that are not suppressed, none

BASELINE = ".dedup-baseline.jsonl"  # at the top, unless another file is named

OTHERS = 20


class Place(NamedTuple):
    """Where a copy stands: the document's id, its file, and the line in that file (None: the file has no lines).

    One that is ``archived`` stands in an index, and the file, which was that of the document then, may be anywhere.
    """

    document: str
    path: str
    line: int | None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One place whose text stands elsewhere, too.

    ``rule`` is DOCUMENT or PASSAGE, ``status`` one of STATUSES. ``path`` is relative to the top of the repository,
    with ``/``, or as given where it lies outside. ``start`` and ``end`` are code points in the document's text.
    ``line`` to ``end_line`` are lines of the *file*, from 1: those of the passage in a text file, the record's own
    in a file of records, None where a file has no lines. ``column`` and ``end_column`` (from 1, in code points, the
    end exclusive) are known for files that are a document. ``fingerprint`` is that of this place's words,
    ``cluster`` the id of its cluster in the result. ``similarity`` is in [0, 1], against the first of ``others``,
    the place that was there before; None where it was not compared with that one itself. Of very many ``others``
    the first OTHERS are named, and there are ``more``, at least so many. ``added`` is the first run of lines in it
    that version control calls added or changed, None where nothing is known of that.
    ``reason`` says why it is suppressed.
    """

    rule: str
    status: str
    document: str
    path: str
    start: int
    end: int
    line: int | None
    end_line: int | None
    column: int | None
    end_column: int | None
    fingerprint: str
    cluster: str
    tokens: int
    similarity: float | None
    text: str
    others: tuple[Place, ...]
    added: tuple[int, int] | None = None
    reason: str | None = None
    more: int = 0

    @property
    def all_others(self) -> int:
        """How many other places there are, the unnamed ones too."""
        return len(self.others) + self.more


class Stale(NamedTuple):
    """An entry of the baseline whose copy is not there any more."""

    rule: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Counts of findings by status, and of entries of the baseline that hold no more."""

    passed: bool
    new: int
    known: int
    moved: int
    edited: int
    suppressed: int
    stale: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: ``findings`` in the order of paths and places, ``reasons`` why it did not pass.

    ``notes`` are lines for the user: settings that differ from the baseline's, suppressions that are unused,
    expired or not closed.
    """

    report: Report
    gate: Gate
    findings: tuple[Finding, ...]
    stale: tuple[Stale, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
