"""What a scan found, in the few words the scorers need.

Enters: a ``dedup.Report``, or the dict of ``--format json`` (also one written by another tool).
Leaves: Findings. Why a form of its own: scorers must run on an oracle's findings too, without the scanner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A member of a passage cluster: code points [start, end) of a document."""

    document: str
    start: int
    end: int


class Copy(NamedTuple):
    """A member of a document cluster, with the figures that were reported against the kept one.

    ``held`` is where in the kept document a contained one is said to lie.
    """

    document: str
    jaccard: float | None = None
    containment: float | None = None
    held: tuple[int, int] | None = None


class Passage(NamedTuple):
    """A cluster of passages; ``period`` is the unit's tokens where the passage repeats itself."""

    members: tuple[Place, ...]
    period: int | None = None


class Copies(NamedTuple):
    """A cluster of documents, exact, near or contained: the first member is the one that is kept."""

    kind: str
    members: tuple[Copy, ...]


@dataclass(frozen=True)
class Findings:
    """All that a scan found."""

    documents: list[Copies] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)


def scan(documents: Iterable[tuple[str, str]], /, **settings: Any) -> Findings:
    """Runs the scanner in this process."""
    import dedup

    return of_report(dedup.scan(documents, **settings))


def of_report(report: Any) -> Findings:
    """The findings of a ``dedup.Report``."""
    from dedup.model import plain

    return Findings(
        [
            Copies(cluster.kind, tuple(_copy(plain(member)) for member in cluster.members))
            for cluster in report.document_clusters
        ],
        [
            Passage(tuple(Place(m.document, m.start, m.end) for m in cluster.members), cluster.period)
            for cluster in report.passage_clusters
        ],
    )


def of_json(result: Mapping[str, Any]) -> Findings:
    """The findings of a saved result (``dedup scan --format json``)."""
    return Findings(
        [
            Copies(cluster["kind"], tuple(_copy(member) for member in cluster["members"]))
            for cluster in result["document_clusters"]
        ],
        [
            Passage(
                tuple(Place(m["document"], m["start"], m["end"]) for m in cluster["members"]),
                cluster.get("period"),
            )
            for cluster in result["passage_clusters"]
        ],
    )


def _copy(member: Mapping[str, Any]) -> Copy:
    held = (member["kept_start"], member["kept_end"]) if member.get("kept_start") is not None else None
    return Copy(member["document"], member["jaccard"], member["containment"], held)
