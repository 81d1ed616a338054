"""The gate's findings as SARIF 2.1.0 (OASIS), in the subset and within the limits of GitHub code scanning.

Enters: a ``Verdict``. Leaves: one run, one result for each place. The location of a result is the place itself,
within the added lines; the others are related locations that the message links to. What GitHub asks for and its
limits are in its documentation, "SARIF support for code scanning"; that it takes an alert for the same as an
earlier one by ``primaryLocationLineHash`` alone is in codeql-action, ``src/fingerprints.ts``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

from .. import __version__
from ..verdict import EDITED, KNOWN, MOVED, NEW, SUPPRESSED, Finding, Place, Verdict
from .figures import count
from .finding import RULES, Shown, hint, message, shown
from .json import encode
from .place import name, region
from .visible import visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

RESULTS = 25_000  # GitHub rejects a run with more
COMPRESSED = 9_500_000  # bytes of results with gzip: GitHub rejects a file above 10 MB
# Other places linked in a result: GitHub allows 1,000, but no 25,000 such results fit in its 10 MB.
RELATED = 10
NOTIFICATIONS = 1000  # of each kind

_STATES = {NEW: "new", KNOWN: "unchanged", MOVED: "updated", EDITED: "updated", SUPPRESSED: "unchanged"}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:/")


def write(verdict: Verdict, stream: BinaryIO, *, known: bool, suppressed: bool) -> None:
    """Write the log, a result on each line; what is left out for a limit is told as a notification."""
    entries = shown(verdict, known=known, suppressed=suppressed)
    driver = {
        "name": "dedup",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in RULES],
    }
    head = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": "dedup/"},
                "columnKind": "unicodeCodePoints",
                "results": [],
            }
        ],
    }
    stream.write(_text(head).removesuffix(b"]}]}"))
    written = 0
    for result in _within(_result(verdict, entry, suppressed) for entry in entries[:RESULTS]):
        stream.write(b",\n" if written else b"\n")
        stream.write(result)
        written += 1
    left_out = len(entries) - written
    stream.write(b'\n],"invocations":' + _text([_invocation(verdict, left_out)]) + b"}]}\n")


def _within(results: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The results as JSON, as long as all of them fit in what may be uploaded, compressed as GitHub's action does."""
    packer = zlib.compressobj()
    packed = 0
    for result in results:
        text = _text(result)
        packed += len(packer.compress(text))
        if packed > COMPRESSED:
            return
        yield text


def _text(value: Any) -> bytes:
    return encode(value).rstrip(b"\n")


# ---- what is the same for all results --------------------------------------------------------------------------


def _rule(rule: str) -> dict[str, Any]:
    title, meaning = RULES[rule]
    advice = f"{meaning} Keep one of the places and refer to it from the others."
    return {
        "id": rule,
        "name": title.title().replace(" ", ""),
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": meaning},
        "help": {"text": f"{advice}\n\n{hint()}", "markdown": f"{advice}\n\n{hint('`')}"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"precision": "very-high", "problem.severity": "error", "tags": ["duplication"]},
    }


def _invocation(verdict: Verdict, left_out: int) -> dict[str, Any]:
    """The run's notifications: results that had to stay out, inputs that were skipped, what is wrong with settings."""
    execution = []
    if left_out:
        told = (
            f"{count(left_out, 'finding')} left out: GitHub takes no more than {RESULTS:,} results and 10 MB."
        )
        execution.append(_notification(told))
    skipped = (f"Skipped {entry.source}: {entry.reason}" for entry in verdict.report.skipped)
    execution += _notifications(skipped, len(verdict.report.skipped), "skipped inputs")
    stale = [
        f"Entry of the baseline without a copy: {e.path} {e.rule} {e.fingerprint}" for e in verdict.stale
    ]
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": [
            *_notifications(verdict.notes, len(verdict.notes), "notes"),
            *_notifications(stale, len(stale), "stale entries"),
        ],
    }


def _notifications(texts: Iterable[str], total: int, what: str) -> list[dict[str, Any]]:
    told = [_notification(text) for text, _ in zip(texts, range(NOTIFICATIONS), strict=False)]
    return told + (
        [_notification(f"{total - NOTIFICATIONS:,} more {what}.")] if total > NOTIFICATIONS else []
    )


def _notification(text: str) -> dict[str, Any]:
    return {"level": "warning", "message": {"text": visible(text)}}


# ---- one result ------------------------------------------------------------------------------------------------


def _result(verdict: Verdict, entry: Shown, has_suppressions: bool) -> dict[str, Any]:
    finding = entry.finding
    result = {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "level": _level(verdict, finding),
        "message": {"text": message(finding, _link, RELATED)},
        "locations": [{"physicalLocation": _physical(finding.path, _region(finding))}],
        "relatedLocations": [_related(number, other) for number, other in enumerate(finding.others[:RELATED], 1)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:{entry.ordinal}",
            "dedupPassage/v1": finding.fingerprint,
        },
        "baselineState": _STATES[finding.status],
        "properties": {
            "status": finding.status,
            "document": visible(finding.document),
            "cluster": finding.cluster,
            "tokens": finding.tokens,
            "similarity": finding.similarity,
            "others": finding.all_others,
        },
    }  # fmt: skip
    if has_suppressions:  # SARIF: for all results of a run or for none
        result["suppressions"] = _suppressions(finding)
    return result


def _level(verdict: Verdict, finding: Finding) -> str:
    if finding.status == SUPPRESSED:
        return "note"
    return "warning" if verdict.gate.passed else "error"


def _suppressions(finding: Finding) -> list[dict[str, str]]:
    if finding.status != SUPPRESSED:
        return []
    reason = {"justification": visible(finding.reason)} if finding.reason else {}
    return [{"kind": "external", "status": "accepted", **reason}]


def _link(number: int, named: str) -> str:
    r"""A link to a related location; brackets and backslashes in its text are escaped (SARIF, 3.11.6)."""
    escaped = re.sub(r"([\[\]\\])", r"\\\1", visible(named))
    return f"[{escaped}]({number + 1})"


def _related(number: int, other: Place) -> dict[str, Any]:
    location = _physical(other.path, {"startLine": other.line or 1})
    return {"id": number, "physicalLocation": location, "message": {"text": visible(name(other))}}


def _physical(path: str, lines: dict[str, int]) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri(path)}, "region": lines}


def _region(finding: Finding) -> dict[str, int]:
    """All four numbers, for which GitHub asks; where columns are not known, those of the line's first character."""
    line, column, end_line, end_column = region(finding)
    return {
        "startLine": line,
        "startColumn": column or 1,
        "endLine": end_line,
        "endColumn": end_column or 2,
    }


def uri(path: str) -> str:
    """A path as a URI reference: percent-encoded, relative unless the path is absolute, a URL as it is.

    >>> uri("docs/a b#1.md"), uri("/data/ä.md"), uri("a:b.md"), uri("s3://bucket/a.md")
    ('docs/a%20b%231.md', 'file:///data/%C3%A4.md', 'a%3Ab.md', 's3://bucket/a.md')
    """
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair, as Windows allows it
        raw = path.encode("utf-8", "surrogatepass")
    if _URL.match(path):
        return quote(raw, safe="/:?#[]@!$&'()*+,;=%~")
    if path.startswith("/"):
        return f"file://{quote(raw)}"
    return f"file:///{quote(raw, safe='/:')}" if _DRIVE.match(path) else quote(raw)
