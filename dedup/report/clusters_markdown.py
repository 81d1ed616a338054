"""The result of a scan as Markdown, for an issue or a wiki: tables of copies and passages, their texts folded away.

Enters: a ``Report``. Leaves: GitHub-flavoured Markdown of bounded size. What is left out is counted; the other
formats hold everything.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from ..model import DocumentCluster, PassageCluster, Report
from .figures import count, percent
from .markup import LIMIT, cell, fenced, fitting, folded, short, size
from .page import Page, Piece
from .text import KINDS, estimated, estimates, extent, listed, named, placed, places, summary

NAME = 200  # characters shown of a place

_WIDTH = 100  # columns of a text
_RESERVED = 2000  # bytes for titles and the words that tell what was left out
_COPIES, _PASSAGES = 0.3, 0.4  # shares of the room that the tables may take; the texts get the rest


def write(report: Report, stream: BinaryIO) -> None:
    """Write it in no more than ``LIMIT`` bytes."""
    stream.write(rendered(report, LIMIT))


def rendered(report: Report, limit: int) -> bytes:
    """The report in no more than so many bytes, 50,000 or more."""
    head = f"## What repeats\n\n{summary(report)}\n"
    rest = _inputs(report)
    room = limit - _RESERVED - size(head) - size(rest)
    copies = _copies(report, int(room * _COPIES))
    passages = _passages(report, int(room * _PASSAGES))
    texts = _texts(report, room - size(copies) - size(passages))
    return "".join((head, copies, passages, texts, rest)).encode()


def _copies(report: Report, room: int) -> str:
    if not report.document_clusters:
        return ""
    rows = fitting((row for cluster in report.document_clusters for row in _copy_rows(cluster)), room)
    total = sum(len(cluster.members) - 1 for cluster in report.document_clusters)
    header = "| copy | kind | kept | jaccard | containment |\n| --- | --- | --- | ---: | ---: |\n"
    return f"\n### Copies of documents\n\n{header}{''.join(rows)}{_more(total - len(rows), 'copy', 'copies')}"


def _copy_rows(cluster: DocumentCluster) -> Iterator[str]:
    kept = _name(named(cluster.members[0].source, cluster.members[0].document))
    for member in cluster.members[1:]:
        figures = ("" if share is None else percent(share) for share in (member.jaccard, member.containment))
        name = _name(named(member.source, member.document))
        yield f"| {' | '.join((name, KINDS.get(cluster.kind, cluster.kind), kept, *figures))} |\n"


def _passages(report: Report, room: int) -> str:
    clusters = report.passage_clusters
    if not clusters:
        return ""
    rows = fitting((_passage_row(number, cluster) for number, cluster in enumerate(clusters, 1)), room)
    header = "| passage | what | first place | fingerprint |\n| ---: | --- | --- | --- |\n"
    more = _more(len(clusters) - len(rows), "passage")
    return f"\n### Repeated passages\n\n{header}{''.join(rows)}{more}"


def _passage_row(number: int, cluster: PassageCluster) -> str:
    return f"| {number} | {extent(cluster)} | {_name(placed(cluster.members[0]))} | {cell(cluster.id)} |\n"


def _texts(report: Report, room: int) -> str:
    """The passages as the terminal shows them, as many as there is room for."""
    clusters = report.passage_clusters
    blocks = fitting((_text(number, cluster) for number, cluster in enumerate(clusters, 1)), room)
    left = len(clusters) - len(blocks)
    more = f"… and {count(left, 'more text')}.\n" if left else ""
    return folded("Their places, and the words that differ", "".join((*blocks, more))) if clusters else ""


def _text(number: int, cluster: PassageCluster) -> str:
    stream = io.BytesIO()
    places(Page(stream, color=False, width=_WIDTH), cluster)
    lines = [short(line, 4 * NAME) for line in stream.getvalue().decode().splitlines()]
    return f"Passage {number}\n\n{fenced(lines)}\n"


def _inputs(report: Report) -> str:
    """Estimates, what was skipped, and documents without a word, folded away; of many the first."""
    guessed = [estimated(estimate) for estimate in report.estimates or ()]
    empty = [named(entry.source, entry.document) for entry in report.empty_documents]
    skipped = [[Piece(f"{entry.source}: {entry.reason}")] for entry in report.skipped]
    parts = []
    for title, lines in (
        (estimates(report), guessed),
        (f"{count(len(empty), 'document')} without a word", empty),
        (f"{count(len(skipped), 'input')} skipped", skipped),
    ):
        if lines:
            stream = io.BytesIO()
            page = Page(stream, color=False, width=_WIDTH)
            listed(page, ([Piece(short(_plain(pieces), NAME))] for pieces in lines), len(lines))
            shown = [line.removeprefix("  ") for line in stream.getvalue().decode().splitlines()]
            parts.append(folded(title, fenced(shown)))
    return "".join(parts)


def _name(pieces: list[Piece]) -> str:
    return cell(short(_plain(pieces), NAME))


def _plain(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def _more(left: int, one: str, many: str | None = None) -> str:
    return f"\n… and {count(left, f'more {one}', many and f'more {many}')}.\n" if left else ""
