"""The result as parsed JSON becomes a ``Report``, and with what the gate said of it a ``Verdict``.

Enters: any value. Leaves: the report, equal to the one that was written. Of a verdict what its JSON does not hold is
lost: the texts of whole documents, and all but the first other places of a finding, which are still counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..errors import SettingsError
from ..model import (
    SCHEMA,
    DocumentCluster,
    DocumentMember,
    EmptyDocument,
    Estimate,
    PassageCluster,
    PassageMember,
    Report,
    Settings,
    Skipped,
    Source,
    Summary,
)
from ..verdict import DOCUMENT, PASSAGE, STATUSES, Finding, Gate, Place, Stale, Verdict
from .values import (
    EXPECTED,
    Kind,
    WrongError,
    bad,
    count,
    flag,
    list_of,
    name,
    object_of,
    one_of,
    or_null,
    positive,
    share,
    text,
)

_SOURCE = object_of(
    Source,
    {"path": or_null(text), "line": or_null(positive), "byte_offset": or_null(count)},
    {"archived": name},
)


def _told_by_source(member: Callable[..., Any]) -> Callable[..., Any]:
    """A member whose ``archived`` says again what its source does."""

    def make(*values: Any, archived: bool = False) -> Any:
        found = member(*values)
        if archived != (found.source.archived is not None):
            raise WrongError("is archived, and its source is not; or the other way about")
        return found

    return make


_SUMMARY = object_of(
    Summary,
    {
        field: share if field == "repeated_share" else count
        for field in (
            "documents", "skipped", "empty", "characters", "tokens", "duplicate_documents", "document_clusters",
            "passage_clusters", "repeated_tokens", "repeated_share",
        )
    },
)  # fmt: skip
_DOCUMENT_MEMBER = object_of(
    _told_by_source(DocumentMember),
    {
        "document": text,
        "source": _SOURCE,
        "jaccard": or_null(share),
        "containment": or_null(share),
        "kept_start": or_null(count),
        "kept_end": or_null(count),
        "kept_line": or_null(positive),
    },
    {"archived": flag},
)


def _copies(id: str, kind: str, kept: str, members: Any) -> DocumentCluster:
    if kept != members[0].document:
        raise WrongError("is not the document of the first member", ".kept")
    return DocumentCluster(id, kind, kept, members)


_DOCUMENT_CLUSTER = object_of(
    _copies,
    {
        "id": name,
        "kind": one_of("exact", "near", "contained"),
        "kept": text,
        "members": list_of(_DOCUMENT_MEMBER, 2),
    },
)


def _span(*values: Any) -> PassageMember:
    member = PassageMember(*values)
    if member.end < member.start:
        raise WrongError("is before the start", ".end")
    return member


_PASSAGE_MEMBER = object_of(
    _told_by_source(_span),
    {
        "document": text,
        "source": _SOURCE,
        "start": count,
        "end": count,
        "line": positive,
        "end_line": positive,
        "similarity": or_null(share),
        "text": text,
        "copies": positive,
    },
    {"archived": flag},
)
_ESTIMATE = object_of(
    Estimate,
    {
        "document": text,
        "source": _SOURCE,
        "archived": text,
        "archived_source": _SOURCE,
        "identical": flag,
        "estimated_jaccard": or_null(share),
        "estimated_start": or_null(count),
        "estimated_end": or_null(count),
    },
)


def _passage(id: str, tokens: int, similarity: float, period: int | None, members: Any) -> PassageCluster:
    if period is None and len(members) < 2:
        raise WrongError("has one place only, and no period")
    return PassageCluster(id, tokens, similarity, period, members)


_PASSAGE_CLUSTER = object_of(
    _passage,
    {
        "id": name,
        "tokens": positive,
        "similarity": share,
        "period": or_null(positive),
        "members": list_of(_PASSAGE_MEMBER, 1),
    },
)


def _settings(value: Any) -> Settings:
    names = Settings().to_dict()
    as_it_is: Kind = object_of(lambda *values: values, dict.fromkeys(names, lambda given: given))
    try:
        return Settings.of(dict(zip(names, as_it_is(value), strict=True)))
    except SettingsError as error:
        raise WrongError(f"are out of range: {error}") from None


def _report(version: str, *parts: Any, estimates: tuple[Estimate, ...] | None = None) -> Report:
    return Report(*(*parts, version, estimates))


_REPORT: dict[str, Kind] = {
    "tool": object_of(lambda _, version: version, {"name": one_of("dedup"), "version": name}),
    "settings": _settings,
    "summary": _SUMMARY,
    "skipped": list_of(object_of(Skipped, {"source": text, "reason": name})),
    "empty_documents": list_of(object_of(EmptyDocument, {"document": text, "source": _SOURCE})),
    "document_clusters": list_of(_DOCUMENT_CLUSTER),
    "passage_clusters": list_of(_PASSAGE_CLUSTER),
}

_ESTIMATES = {"estimates": list_of(_ESTIMATE)}

# ---- what the gate said ----------------------------------------------------------------------------------------

_RULE = one_of(DOCUMENT, PASSAGE)
_COUNTS = ("new", "known", "moved", "edited", "suppressed", "stale")
_GATE = object_of(
    lambda passed, *rest: (Gate(passed, *rest[:-1]), rest[-1]),
    {"passed": flag, **dict.fromkeys(_COUNTS, count), "reasons": list_of(name)},
)
_PLACE = object_of(
    lambda document, line, path, archived=False: Place(document, path, line, archived),
    {"document": text, "line": or_null(positive), "path": text},
    {"archived": flag},
)


def _run(value: Any) -> tuple[int, int]:
    lines = list_of(positive, 2)(value)
    if len(lines) != 2:
        raise bad(value, "an array of 2")
    return lines[0], lines[1]


_FINDING: dict[str, Kind] = {
    "rule": _RULE,
    "status": one_of(*STATUSES),
    "document": text,
    "start": count,
    "end": count,
    "line": or_null(positive),
    "end_line": or_null(positive),
    "fingerprint": name,
    "others": list_of(_PLACE),
    "more_others": count,
    "path": text,
    "column": or_null(positive),
    "end_column": or_null(positive),
    "cluster": name,
    "tokens": count,
    "similarity": or_null(share),
    "added": or_null(_run),
    "reason": or_null(text),
}


def _finding(*values: Any) -> Finding:
    given = dict(zip(_FINDING, values, strict=True))
    return Finding(more=given.pop("more_others"), text="", **given)


_VERDICT: dict[str, Kind] = {
    "gate": _GATE,
    "findings": list_of(object_of(_finding, _FINDING)),
    "stale_entries": list_of(object_of(Stale, {"rule": _RULE, "path": text, "fingerprint": name})),
    "notes": list_of(text),
}


def decoded(value: Any) -> Report | Verdict:
    """What a parsed result holds. Raises WrongError."""
    if not isinstance(value, dict) or "schema" not in value:
        raise WrongError(f"is not a result of dedup: it names no schema; {EXPECTED}")
    schema = value.pop("schema")
    if schema != SCHEMA:
        raise WrongError(f"is of schema {json.dumps(schema)[:60]}; this dedup reads {SCHEMA}")
    if not value.keys() & _VERDICT.keys():
        found: Report = object_of(_report, _REPORT, _ESTIMATES)(value)
        return found
    verdict: Verdict = object_of(_verdict, _REPORT | _VERDICT, _ESTIMATES)(value)
    return verdict


def _verdict(*parts: Any, **estimates: Any) -> Verdict:
    (gate, reasons), findings, stale, notes = parts[len(_REPORT) :]
    report = _report(*parts[: len(_REPORT)], **estimates)
    return Verdict(report, gate, _with_texts(report, findings), stale, reasons, notes)


def _with_texts(report: Report, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings with the texts of the passages that they point at."""
    wanted = {_place(finding.cluster, finding) for finding in findings if finding.rule == PASSAGE}
    texts = {
        place: member.text
        for cluster in report.passage_clusters
        for member in cluster.members
        if (place := _place(cluster.id, member)) in wanted
    }
    return tuple(
        replace(finding, text=texts.get(_place(finding.cluster, finding), "")) for finding in findings
    )


def _place(cluster: str, where: Finding | PassageMember) -> tuple[str, str, int, int]:
    return cluster, where.document, where.start, where.end
