"""What the page holds of a report: findings with their places and texts, within bounds, and what they leave out.

Enters: a ``Report``, its survey, the texts of its documents where they can be had. Leaves: :class:`Data`, which goes
into the page as JSON and, its beginning, as markup. The findings that repeat most come first: after FULL bytes they are
brief, after ALL the rest is left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...model import Report
from ..figures import count, percent
from .findings import BRIEF, Finding, Findings, Link, Names
from .places import Survey, Texts

FULL = 14 << 20  # bytes of findings with everything, and of all findings; half of each for documents
ALL = 20 << 20
STRIPS = 1000  # documents painted
SPANS = 80  # spans painted of one


class Strip(NamedTuple):
    """A document and where it repeats: start, end, finding (-1: left out), in code points of ``length``."""

    document: int
    length: int
    share: str
    findings: int
    spans: list[tuple[int, int, int]]


class Data(NamedTuple):
    """All that the page holds. ``left`` are sentences on what it does not."""

    files: list[tuple[str, str]]
    documents: list[tuple[int, int, str]]
    findings: list[Finding]
    strips: list[Strip]
    left: list[str]


def gathered(report: Report, found: Survey, texts: Texts, link: Link) -> Data:
    """The data of a page, of bounded size."""
    names = Names(link)
    writer = Findings(names, lru_cache(32)(lambda key: texts(*key)))
    total = len(report.document_clusters) + len(report.passage_clusters)
    numbers: dict[int, int] = {}
    share = 2 if report.passage_clusters else 1
    for number, documents in enumerate(report.document_clusters):
        if not writer.add(documents, FULL // share, ALL // share):
            break
        numbers[number] = len(numbers)
    for number, passages in enumerate(report.passage_clusters, len(report.document_clusters)):
        if not writer.add(passages, FULL, ALL):
            break
        numbers[number] = len(numbers)
    strips = [
        Strip(
            names.number(document.key),
            document.length or 0,
            "" if document.share is None else percent(document.share),
            len({number for *_, number in document.spans}),
            [(start, end, numbers.get(number, -1)) for start, end, number in document.spans[:SPANS]],
        )
        for document in found.documents[:STRIPS]
    ]
    left = _left(total - len(numbers), writer, len(found.documents) - len(strips))
    return Data(names.files, names.documents, writer.findings, strips, left)


def _left(findings: int, writer: Findings, documents: int) -> list[str]:
    told = []
    if findings:
        told.append(
            f"{count(findings, 'finding')} that repeat least {'is' if findings == 1 else 'are'} left out"
        )
    if writer.brief:
        bounds = f"{BRIEF.places} places and {BRIEF.characters} characters at most"
        told.append(f"{count(writer.brief, 'finding')} told briefly: {bounds}")
    if writer.places_left:
        told.append(f"{count(writer.places_left, 'place')} counted but not named, in findings with very many")
    if writer.unread:
        told.append(
            f"{count(writer.unread, 'document')} could not be read again: the words around passages are not shown"
        )
    if documents:
        told.append(f"{count(documents, 'document')} that repeat little not painted")
    return told
