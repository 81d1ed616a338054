"""The result for a person: each finding with its places, the text once, and the words in which copies differ.

Enters: a ``Report``. Leaves: lines on a binary stream. What is cut for length is counted where it is cut;
the other formats hold everything. A character counts as a word in scripts written without spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import BinaryIO

from ..model import (
    DocumentCluster,
    DocumentMember,
    Estimate,
    PassageCluster,
    PassageMember,
    Report,
    Source,
    Summary,
)
from .excerpt import flat, marked, shortened
from .figures import count, percent
from .page import Page, Piece

CLUSTERS = 1000  # clusters of each kind shown
PLACES = 20  # places named in a cluster
TEXTS = 5  # texts shown in a cluster, the first member's included
INPUTS = 20  # skipped inputs and empty documents named
ESTIMATES = 1000

KINDS = {"exact": "identical", "near": "near", "contained": "contained"}


def write(report: Report, stream: BinaryIO, *, color: bool, width: int) -> None:
    """Write the report. Colour never carries meaning alone: without it, marks stand in its place."""
    page = Page(stream, color=color, width=width)
    for number, documents in enumerate(report.document_clusters[:CLUSTERS], 1):
        _document_cluster(page, number, documents)
    more(
        page,
        len(report.document_clusters) - CLUSTERS,
        "more cluster of documents",
        "more clusters of documents",
    )
    for number, passages in enumerate(report.passage_clusters[:CLUSTERS], 1):
        page.title(f"passage {number} · {extent(passages)}")
        places(page, passages)
    more(page, len(report.passage_clusters) - CLUSTERS, "more repeated passage", "more repeated passages")
    if report.estimates:
        page.title(estimates(report))
        listed(page, map(estimated, report.estimates), len(report.estimates), ESTIMATES)
    if report.empty_documents:
        page.title(f"{count(len(report.empty_documents), 'document')} without a word")
        empty = (named(entry.source, entry.document) for entry in report.empty_documents)
        listed(page, empty, len(report.empty_documents))
    skipped(page, report)
    if report.document_clusters or report.passage_clusters or report.empty_documents or report.skipped:
        page.line()
    page.line(Piece(summary(report)))


def _document_cluster(page: Page, number: int, cluster: DocumentCluster) -> None:
    page.title(
        f"copies {number} · {KINDS.get(cluster.kind, cluster.kind)} · {len(cluster.members):,} documents"
    )
    for member in cluster.members[:PLACES]:
        role = "kept" if member is cluster.members[0] else "copy"
        place = named(member.source, member.document)
        page.line(Piece(f"{role}  ", "faint"), *place, Piece(_figures(member), "faint"), indent=2)
    more(page, len(cluster.members) - PLACES, "more copy", "more copies", indent=2)


def _figures(member: DocumentMember) -> str:
    parts = []
    if member.jaccard is not None:
        parts.append(f"jaccard {percent(member.jaccard)}")
    if member.containment is not None:
        parts.append(f"containment {percent(member.containment)}")
    if member.kept_line is not None:
        parts.append(f"in the kept one from line {member.kept_line:,}")
    return f"  {', '.join(parts)}" if parts else ""


def places(page: Page, cluster: PassageCluster) -> None:
    """The places of one passage in order, a text under each that has one of its own."""
    first = cluster.members[0]
    texts = [flat(first.text)]
    for member in cluster.members[:PLACES]:
        note = "" if member.similarity is None else f"  {percent(member.similarity)} alike"
        if cluster.period is not None and len(cluster.members) > 1:
            note += f"  {member.copies:,} copies"
        page.line(*placed(member), Piece(note, "faint"), indent=2)
        if member is first:
            page.paragraph(shortened(texts[0]), 6)
        elif cluster.period is None and len(texts) < TEXTS and flat(member.text) not in texts:
            texts.append(flat(member.text))
            page.paragraph(marked(texts[0], texts[-1], color=page.color), 6)
    more(page, len(cluster.members) - PLACES, "more place", "more places", indent=2)


def extent(cluster: PassageCluster) -> str:
    """What a title says of a passage: how long, how often, how alike."""
    parts = [count(cluster.tokens, "word")]
    if cluster.period is not None:
        copies = sum(member.copies for member in cluster.members)
        parts.append(f"period of {count(cluster.period, 'word')}, {copies:,} copies")
    parts.append(count(len(cluster.members), "place"))
    if len(cluster.members) > 1:
        parts.append(f"{percent(cluster.similarity)} alike")
    return " · ".join(parts)


def placed(member: PassageMember) -> list[Piece]:
    """Where a passage stands, as ``path:line``; in a record, the record's line, then the line in its text."""
    path, record = member.source[:2]
    archived = _archived(member.source)
    if path is None:
        return [Piece(f"{member.document}:{member.line}", "place"), *archived]
    if record is None:
        return [Piece(f"{path}:{member.line}", "place"), *_own_id(member.document, path), *archived]
    inside = [Piece(f", line {member.line:,} of its text")] if member.line > 1 else []
    own = _own_id(member.document, f"{path}:{record}")
    return [Piece(f"{path}:{record}", "place"), *own, *inside, *archived]


def named(source: Source, document: str) -> list[Piece]:
    """A document, as ``path`` or ``path:line``, with the id that a record has of its own."""
    path, record = source[:2]
    if path is None:
        return [Piece(document, "place"), *_archived(source)]
    name = path if record is None else f"{path}:{record}"
    return [Piece(name, "place"), *_own_id(document, name), *_archived(source)]


def _archived(source: Source) -> list[Piece]:
    return [] if source.archived is None else [Piece(" (archived)")]


def _own_id(document: str, name: str) -> list[Piece]:
    return [] if document == name else [Piece(f" {document}")]


def estimates(report: Report) -> str:
    """How many estimates there are, and that they are no more than that."""
    return f"{count(len(report.estimates or ()), 'estimate')}, nothing proven: the index holds no texts"


def estimated(estimate: Estimate) -> list[Piece]:
    """A document, what it seems to be like, and how that is known."""
    if estimate.identical:
        how = "the same text, by its hash"
    elif estimate.estimated_jaccard is not None:
        how = f"jaccard about {percent(estimate.estimated_jaccard)}"
    else:
        how = f"passages in characters {estimate.estimated_start:,} to {estimate.estimated_end:,}"
    archived = named(estimate.archived_source, estimate.archived)
    return [*named(estimate.source, estimate.document), Piece(" ~ "), *archived, Piece(f"  {how}", "faint")]


def listed(page: Page, lines: Iterable[Sequence[Piece]], total: int, shown: int = INPUTS) -> None:
    """The first of so many lines, and how many more there are."""
    for pieces in islice(lines, shown):
        page.line(*pieces, indent=2)
    more(page, total - shown, "more", "more", indent=2)


def more(page: Page, left: int, one: str, many: str, *, indent: int = 0) -> None:
    """How many are left out here; nothing if none is."""
    if left > 0:
        page.line(Piece(f"and {count(left, one, many)}", "warning"), indent=indent)


def skipped(page: Page, report: Report) -> None:
    """The inputs that were passed over, each with its reason; nothing where there are none."""
    if report.skipped:
        page.title(f"{count(len(report.skipped), 'input')} skipped")
        lines = ([Piece(entry.source, "place"), Piece(f": {entry.reason}")] for entry in report.skipped)
        listed(page, lines, len(report.skipped))


def summary(report: Report) -> str:
    """One line: how many documents, copies, passages, and how much of the text is repeated."""
    found: Summary = report.summary
    parts = [count(found.documents, "document")]
    if report.settings.documents:
        clusters = f" in {count(found.document_clusters, 'cluster')}" if found.document_clusters else ""
        parts.append(f"{count(found.duplicate_documents, 'copy', 'copies')}{clusters}")
    else:
        parts.append("copies not looked for")
    if report.settings.passages:
        parts.append(count(found.passage_clusters, "repeated passage"))
    else:
        parts.append("passages not looked for")
    parts.append(f"{percent(found.repeated_share)} of {count(found.tokens, 'word')} repeated")
    parts += [f"{found.empty:,} empty"] if found.empty else []
    parts += [f"{found.skipped:,} skipped"] if found.skipped else []
    return " · ".join(parts)
