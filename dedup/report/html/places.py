"""Where repetition sits: by document, by folder or file, by how alike and how frequent the copies are.

Enters: a ``Report`` and, where they can be had, the lengths of its documents. Leaves: a :class:`Survey`. Findings go
by their number: the clusters of documents, then those of passages, in the order of the report. A document counts
as repeating wherever it holds what stands somewhere else too, whichever of the two was found to be the copy.
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple

from ...model import Report, Source

Key = tuple[str, Source]
Texts = Callable[[str, Source], str | None]
Lengths = Iterable[tuple[Key, int]]  # of documents, in code points
Span = tuple[int, int | None, int]  # from, to (None: the whole text) in code points, the finding's number

NOWHERE = "handed over in memory"


class Repeating(NamedTuple):
    """A document with what repeats in it: its spans in order, their union and its own length, in code points.

    ``share`` is that of the text that repeats, in [0, 1]. ``length`` is None where the text could not be had; then
    ``share`` is None too, but for a document that is a copy as a whole.
    """

    key: Key
    spans: list[tuple[int, int, int]]
    repeated: int
    length: int | None
    share: float | None


class Folder(NamedTuple):
    """A folder, or a file of records: the code points that repeat and the documents that hold them.

    ``length`` and ``all`` are those of all its documents, None where these are not known.
    """

    name: str
    repeated: int
    documents: int
    length: int | None = None
    all: int | None = None


class Survey(NamedTuple):
    """All documents that repeat something, most first, and counts.

    ``folders`` are those that hold any of them, most first. ``alike`` counts the copies by similarity to
    the first of their cluster, ``sizes`` the clusters by how often their text is there.
    """

    documents: list[Repeating]
    folders: list[Folder]
    alike: Counter[float]
    sizes: Counter[int]


def survey(report: Report, texts: Texts, lengths: Lengths | None = None) -> Survey:
    """Looks at every cluster once. ``lengths`` are those of all documents that were read.

    Without them the text of every document in a cluster is asked for its length.
    """
    spans: dict[Key, list[Span]] = defaultdict(list)
    alike: Counter[float] = Counter()
    sizes: Counter[int] = Counter()
    number = 0
    for cluster in report.document_clusters:
        is_contained = cluster.kind == "contained"
        sizes[len(cluster.members)] += 1
        kept = (cluster.members[0].document, cluster.members[0].source)
        if not is_contained:
            spans[kept].append((0, None, number))
        for member in cluster.members[1:]:
            spans[member.document, member.source].append((0, None, number))
            if is_contained and member.kept_start is not None and member.kept_end is not None:
                spans[kept].append((member.kept_start, member.kept_end, number))
            alike[(member.containment if is_contained else member.jaccard) or 0.0] += 1
        number += 1
    for passages in report.passage_clusters:
        sizes[sum(place.copies for place in passages.members)] += 1
        for place in passages.members:
            spans[place.document, place.source].append((place.start, place.end, number))
        alike.update(place.similarity for place in passages.members if place.similarity is not None)
        number += 1
    for key in [key for key in spans if key[1].archived is not None]:
        del spans[key]  # the maps are of what was read
    order = sorted(
        spans, key=lambda key: (key[1].path or "", key[1].byte_offset or 0, key[1].line or 0, key[0])
    )
    if lengths is None:
        known = {key: len(text) for key in order if (text := texts(*key)) is not None}
        totals, all = None, Counter[str]()
    else:
        known, totals, all = _measured(lengths, spans)
    documents = [_repeating(key, spans[key], known.get(key)) for key in order]
    documents.sort(key=lambda document: -document.repeated)
    return Survey(documents, _folders(documents, totals, all), alike, sizes)


def _measured(lengths: Lengths, wanted: Container[Key]) -> tuple[dict[Key, int], Counter[str], Counter[str]]:
    """The lengths of some documents, and the code points and documents of all folders."""
    known: dict[Key, int] = {}
    totals: Counter[str] = Counter()
    all: Counter[str] = Counter()
    for key, length in lengths:
        name = folder(key[1])
        totals[name] += length
        all[name] += 1
        if key in wanted:
            known[key] = length
    return known, totals, all


def _repeating(key: Key, spans: list[Span], length: int | None) -> Repeating:
    known = sorted((start, length if end is None else end, number) for start, end, number in spans
                   if end is not None or length is not None)  # fmt: skip
    found = [(start, end, number) for start, end, number in known if end is not None]
    repeated = union((start, end) for start, end, _ in found)
    share: float | None = None
    if length:
        share = min(repeated / length, 1.0)
    elif any(end is None for _, end, _ in spans):
        share = 1.0
    return Repeating(key, found, repeated, length, share)


def union(spans: Iterable[tuple[int, int]]) -> int:
    """How much sorted spans cover together.

    >>> union([(0, 10), (5, 12), (20, 21)])
    13
    """
    total = reach = 0
    for start, end in spans:
        total += max(end - max(start, reach), 0)
        reach = max(reach, end)
    return total


def _folders(documents: Iterable[Repeating], totals: Counter[str] | None, all: Counter[str]) -> list[Folder]:
    repeated: Counter[str] = Counter()
    holding: Counter[str] = Counter()
    for document in documents:
        name = folder(document.key[1])
        repeated[name] += document.repeated
        holding[name] += 1
    found = [
        Folder(
            name, repeated[name], holding[name], *((totals[name], all[name]) if totals is not None else ())
        )
        for name in holding
    ]
    return sorted(found, key=lambda folder: (-folder.repeated, folder.name))


def folder(source: Source) -> str:
    """The folder that a file lies in; for a record the file.

    >>> folder(Source("news/a.txt")), folder(Source("b.jsonl", 3)), folder(Source("c.txt"))
    ('news', 'b.jsonl', '.')
    """
    if source.path is None:
        return NOWHERE
    return (
        source.path if source.line is not None else posixpath.dirname(source.path.replace("\\", "/")) or "."
    )
