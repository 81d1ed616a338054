"""Every place in a report where text stands that stands elsewhere, too: one occurrence a place.

Enters: a report and the texts of its documents. Leaves: :class:`Occurrence` objects and :class:`Group` objects,
which name their occurrences by number. A document that several clusters name is one occurrence in several groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from .. import kernel
from ..model import DocumentCluster, PassageCluster, Report
from ..read import Options, formats
from ..read.again import Key, Texts
from ..result import fingerprint
from ..verdict import DOCUMENT, PASSAGE, Place

_BATCH = 1 << 22  # code points of the texts tokenised at a time
_ARCHIVED = " (archived)"  # behind a path: no file of the corpus, though it may be called like one


class Occurrence(NamedTuple):
    """One place: ``[start, end)`` in a document's text, in code points.

    ``path`` is relative to the top; ``record`` is the id that a record of a file has of its own, else None. ``line``
    to ``end_line`` are lines of the file, None where it has none. ``fingerprint`` is that of its words, and ``text``
    holds them.
    """

    rule: str
    key: Key
    path: str
    record: str | None
    start: int
    end: int
    line: int | None
    end_line: int | None
    fingerprint: str
    tokens: int
    text: str

    @property
    def location(self) -> tuple[str, str | None]:
        """The file, and in it the record that has a name."""
        return self.path, self.record

    @property
    def name(self) -> tuple[str, str]:
        """What is there, without where."""
        return self.rule, self.fingerprint

    @property
    def place(self) -> Place:
        """Where it is, for who is told of it."""
        archived = self.key[1].archived is not None
        path = self.path.removesuffix(_ARCHIVED) if archived else self.path
        return Place(self.key[0], path, self.line, archived)


class Group(NamedTuple):
    """Copies of one text, by their numbers; ``similarity`` is each one's against the first, None for the first.

    ``cluster`` is the id in the report. In a ``periodic`` group each place repeats something in itself.
    """

    cluster: str
    places: tuple[int, ...]
    similarity: tuple[float | None, ...]
    periodic: bool = False


class _Place(NamedTuple):
    """A place as a cluster names it; ``end`` None: that of the document."""

    rule: str
    key: Key
    start: int
    end: int | None
    lines: tuple[int, int] | None
    text: str | None


def occurrences(
    report: Report, texts: Texts, relative: Callable[[str], str], options: Options
) -> tuple[list[Occurrence], list[Group]]:
    """All places and groups of a report, in its order. ``relative`` turns an input's path into one from the top."""
    numbers: dict[tuple[Key, int, int | None], int] = {}
    places: list[_Place] = []
    groups: list[Group] = []
    for cluster, members, similarity, periodic in _clusters(report):
        found = []
        for place in members:
            number = numbers.setdefault((place.key, place.start, place.end), len(places))
            if number == len(places):
                places.append(place)
            found.append(number)
        groups.append(Group(cluster, tuple(found), similarity, periodic))
    return list(_measured(places, texts, relative, options)), groups


_Cluster = tuple[str, list[_Place], tuple[float | None, ...], bool]


def _clusters(report: Report) -> Iterator[_Cluster]:
    for documents in report.document_clusters:
        if documents.kind == "contained":
            yield from _inside(documents, report.settings.passages)
        else:
            yield _copies(documents)
    for passages in report.passage_clusters:
        yield _passages(passages)


def _copies(cluster: DocumentCluster) -> _Cluster:
    members = [_whole((member.document, member.source)) for member in cluster.members]
    return cluster.id, members, tuple(member.jaccard for member in cluster.members), False


def _inside(cluster: DocumentCluster, has_passages: bool) -> Iterator[_Cluster]:
    """For each stretch of the kept document a group of its own: the stretch, and the documents that lie there.

    A document that lies there in scattered pieces is in none: its pieces are passages, where these were looked for.
    """
    kept = (cluster.members[0].document, cluster.members[0].source)
    stretches: dict[tuple[int, int | None], list[tuple[_Place, float | None]]] = {}
    for member in cluster.members[1:]:
        if member.kept_start is None and has_passages:
            continue
        stretch = (member.kept_start or 0, member.kept_end)
        inside = stretches.setdefault(stretch, [])
        inside.append((_whole((member.document, member.source)), member.containment))
    for (start, end), inside in stretches.items():
        first = _Place(DOCUMENT, kept, start, end, None, None)
        yield (
            cluster.id,
            [first, *(place for place, _ in inside)],
            (None, *(share for _, share in inside)),
            False,
        )


def _whole(key: Key) -> _Place:
    return _Place(DOCUMENT, key, 0, None, None, None)


def _passages(cluster: PassageCluster) -> _Cluster:
    members = [
        _Place(PASSAGE, (m.document, m.source), m.start, m.end, (m.line, m.end_line), m.text)
        for m in cluster.members
    ]
    similarity = tuple(member.similarity for member in cluster.members)
    return cluster.id, members, similarity, cluster.period is not None


def _measured(
    places: list[_Place], texts: Texts, relative: Callable[[str], str], options: Options
) -> Iterator[Occurrence]:
    """Places with their texts, lines and fingerprints."""

    @cache
    def named(path: str) -> tuple[str, str]:
        return relative(path), formats.named(path, options).format

    batch: list[tuple[_Place, str, int, tuple[int, int]]] = []
    filled = 0
    for place in places:
        batch.append((place, *_located(place, texts)))
        filled += len(batch[-1][1])
        if filled >= _BATCH:
            yield from _tokenised(batch, named)
            batch, filled = [], 0
    yield from _tokenised(batch, named)


def _located(place: _Place, texts: Texts) -> tuple[str, int, tuple[int, int]]:
    """The text at a place, where it ends, and its lines in the document."""
    if place.text is not None and place.lines is not None and place.end is not None:
        return place.text, place.end, place.lines
    whole = texts.text(place.key)
    end = len(whole) if place.end is None else place.end
    text = whole[place.start : end]
    first = 1 + whole.count("\n", 0, place.start)
    lines = (first, first + text.rstrip().count("\n"))
    return text, end, lines


def _tokenised(
    batch: list[tuple[_Place, str, int, tuple[int, int]]], named: Callable[[str], tuple[str, str]]
) -> Iterator[Occurrence]:
    tokens = kernel.tokenise([text for _, text, _, _ in batch])
    bounds = tokens.offsets.tolist()
    for i, (place, text, end, lines) in enumerate(batch):
        path, format = named(place.key[1].path or place.key[0])
        if place.key[1].archived is not None:
            path += _ARCHIVED
        first, last = _file_lines(format, lines, place.key[1].line)
        words = tokens.hashes[bounds[i] : bounds[i + 1]]
        yield Occurrence(
            place.rule, place.key, path, own_id(place.key), place.start, end, first, last,
            fingerprint(words), len(words), text,
        )  # fmt: skip


def own_id(key: Key) -> str | None:
    """The id that a record has of its own; None for a file that is a document and for a record without one."""
    document, (path, line, *_) = key
    return None if document in (path, f"{path}:{line}") else document


def _file_lines(format: str, lines: tuple[int, int], record: int | None) -> tuple[int | None, int | None]:
    """Lines of a text as lines of the file that holds it."""
    if format == formats.TEXT:
        return lines
    if format in (formats.JSONL, formats.CSV, formats.TSV):
        return record, record
    return None, None
