"""The gate's findings as a Code Quality report of GitLab: a JSON array of objects with the fields that it reads.

GitLab shows issues with one fingerprint as one (astral-sh/ruff#3441), so each has its own. It is made of the
rule, the path, the words and, among equal ones, the ordinal: the same on every machine and wherever lines move.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, BinaryIO

from ..verdict import NEW, Verdict
from .finding import Shown, message, portable, shown
from .json import encode
from .place import region
from .visible import visible


def write(verdict: Verdict, stream: BinaryIO, *, known: bool) -> None:
    """Write the array; it is empty when there is nothing to show."""
    stream.write(encode([_issue(entry) for entry in shown(verdict, known=known)], indent=True))


def _issue(entry: Shown) -> dict[str, Any]:
    finding = entry.finding
    lines = region(finding)
    return {
        "description": visible(message(finding)),
        "check_name": finding.rule,
        "fingerprint": _fingerprint(entry),
        "severity": "major" if finding.status == NEW else "info",
        "location": {
            "path": finding.path.encode("utf-8", "replace").decode(),
            "lines": {"begin": lines.line, "end": lines.end_line},
        },
    }


def _fingerprint(entry: Shown) -> str:
    finding = entry.finding
    parts = (finding.rule, portable(finding.path), finding.fingerprint, str(entry.ordinal))
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
