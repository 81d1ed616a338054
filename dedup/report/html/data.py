"""What the page holds of a report: findings with their places and texts, within bounds, and what they leave out.

Enters: a ``Report``, its survey, the texts of its documents where they can be had. Leaves: :class:`Data`, which goes
into the page as JSON and, its beginning, as markup. The findings that repeat most come first: after FULL bytes they are
brief, after ALL the rest is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ...model import DocumentCluster, PassageCluster, Report
from ..excerpt import COUNTED
from ..figures import count, percent
from .compare import Compared, alone, compared, first_side
from .places import Key, Survey, Texts
from .shown import flowing, folded, one_line, seen

FULL = 14 << 20  # bytes of findings with everything, and of all findings; half of each for documents
ALL = 20 << 20
STRIPS = 1000  # documents painted
SPANS = 80  # spans painted of one
CONTEXT = 140  # code points before and after a passage, at most
CLIPPED = 60_000  # code points of a document that are compared
BRIEF = 600  # code points shown of a text where a finding is brief
TITLE = 180

Link = Callable[[str], str | None]


class Scale(NamedTuple):
    """How much of a finding is told: places, texts, code points of a text and of what stands round it."""

    places: int
    texts: int
    characters: int
    context: int

    def view(self, first: str, other: str | None = None) -> Compared:
        """A text, or two side by side, as far as they are told."""
        old = flowing(first[: self.characters])
        found = alone(old) if other is None else compared(old, flowing(other[: self.characters]))
        is_cut = max(len(first), len(other or "")) > self.characters
        return found._replace(is_cut=found.is_cut or is_cut)


_FULL = Scale(50, 8, CLIPPED, CONTEXT)
_BRIEF = Scale(5, 2, BRIEF, 0)


class Place(NamedTuple):
    """One copy: document, line (0: not known), figures, the number of its text (-1: left out), what stands round it."""

    document: int
    line: int
    figures: str
    view: int
    before: str = ""
    after: str = ""


class Finding(NamedTuple):
    """One cluster. ``views[0]`` is the first place's text, the others compare it with another's.

    ``words`` is 0 where it is not known; ``copies`` is how often the text is there; ``places_left`` is how many places
    are not among ``places``.
    """

    anchor: str
    kind: str
    title: str
    facts: str
    words: int
    copies: int
    alike: float
    places: list[Place]
    places_left: int
    views: list[Compared]


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


class _Names:
    """Files and documents by number, each once."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._files: dict[str | None, int] = {}
        self._documents: dict[Key, int] = {}
        self.files: list[tuple[str, str]] = []
        self.documents: list[tuple[int, int, str]] = []

    def number(self, key: Key) -> int:
        if key not in self._documents:
            self._documents[key] = len(self.documents)
            document, (path, line, _) = key
            name = path if line is None else f"{path}:{line}"
            own = "" if document == name else one_line(document)
            self.documents.append((self._file(path), line or 0, own))
        return self._documents[key]

    def _file(self, path: str | None) -> int:
        if path is None:
            return -1
        if path not in self._files:
            self._files[path] = len(self.files)
            self.files.append((one_line(path), self._link(path) or ""))
        return self._files[path]


def gathered(report: Report, found: Survey, texts: Texts, link: Link) -> Data:
    """The data of a page, of bounded size."""
    names = _Names(link)
    writer = _Findings(names, lru_cache(32)(lambda key: texts(*key)))
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


def _left(findings: int, writer: _Findings, documents: int) -> list[str]:
    told = []
    if findings:
        told.append(
            f"{count(findings, 'finding')} that repeat least {'is' if findings == 1 else 'are'} left out"
        )
    if writer.brief:
        told.append(
            f"{count(writer.brief, 'finding')} told briefly: {_BRIEF.places} places and {BRIEF} characters at most"
        )
    if writer.places_left:
        told.append(f"{count(writer.places_left, 'place')} counted but not named, in findings with very many")
    if writer.unread:
        told.append(
            f"{count(writer.unread, 'document')} could not be read again: the words around passages are not shown"
        )
    if documents:
        told.append(f"{count(documents, 'document')} that repeat little not painted")
    return told


class _Findings:
    """Findings as they are added, and their size."""

    def __init__(self, names: _Names, read: Callable[[Key], str | None]) -> None:
        self._names = names
        self._read = read
        self._unread: set[Key] = set()
        self.findings: list[Finding] = []
        self.size = self.brief = self.places_left = 0

    @property
    def unread(self) -> int:
        return len(self._unread)

    def add(self, cluster: DocumentCluster | PassageCluster, full: int, all: int) -> bool:
        """Whether there was room for it."""
        if self.size >= all:
            return False
        scale = _FULL if self.size < full else _BRIEF
        known = len(self._names.documents)
        if isinstance(cluster, DocumentCluster):
            finding = self._documents(cluster, scale)
        else:
            finding = self._passages(cluster, scale)
        self.findings.append(finding)
        self.size += len(encoded([finding, self._names.documents[known:]]))
        self.brief += scale is _BRIEF
        self.places_left += finding.places_left
        return True

    def _text(self, key: Key) -> str | None:
        text = self._read(key)
        if text is None:
            self._unread.add(key)
        return text

    def _documents(self, cluster: DocumentCluster, scale: Scale) -> Finding:
        first = cluster.members[0]
        kept = self._text((first.document, first.source))
        words = sum(1 for _ in COUNTED.finditer(kept)) if kept else 0
        views = [scale.view(kept)] if kept else []
        places = [Place(self._names.number((first.document, first.source)), 0, "", 0 if views else -1)]
        for member in cluster.members[1 : scale.places]:
            key = (member.document, member.source)
            figures = [] if member.jaccard is None else [f"jaccard {percent(member.jaccard)}"]
            figures += [] if member.containment is None else [f"containment {percent(member.containment)}"]
            figures += [f"in the kept one from line {member.kept_line:,}"] if member.kept_line else []
            view = 0 if cluster.kind == "exact" and views else -1
            stretch = slice(member.kept_start, member.kept_end)
            is_there = cluster.kind == "near" or member.kept_start is not None
            if kept and view < 0 and is_there and len(views) < scale.texts and (text := self._text(key)):
                view = 0 if cluster.kind == "near" and flowing(kept) == flowing(text) else len(views)
                views += [scale.view(kept[stretch], text)] if view else []
            places.append(Place(self._names.number(key), 0, ", ".join(figures), view))
        shares = [m.containment if cluster.kind == "contained" else m.jaccard for m in cluster.members[1:]]
        alike = min((share for share in shares if share is not None), default=1.0)
        facts = [count(words, "word")] if words else []
        facts += [count(len(cluster.members), "document")]
        facts += (
            []
            if cluster.kind == "exact"
            else [f"{percent(alike)} {'inside' if cluster.kind == 'contained' else 'alike'}"]
        )
        return Finding(
            f"d-{cluster.id}", cluster.kind, _title(views), " · ".join(facts), words, len(cluster.members), alike,
            places, len(cluster.members) - len(places), views,
        )  # fmt: skip

    def _passages(self, cluster: PassageCluster, scale: Scale) -> Finding:
        first = cluster.members[0]
        texts = {flowing(first.text): 0}
        views = [scale.view(first.text)]
        places = []
        for number, member in enumerate(cluster.members[: scale.places]):
            key = (member.document, member.source)
            text = flowing(member.text)
            view = texts.get(text, -1)
            if view < 0 and len(views) < scale.texts:
                view = texts[text] = len(views)
                views.append(
                    scale.view(member.text) if cluster.period else scale.view(first.text, member.text)
                )
            figures = "" if member.similarity is None else f"{percent(member.similarity)} alike"
            if cluster.period:
                figures = f"{count(member.copies, 'copy', 'copies')} in a row"
            around = ("", "")
            if scale.context and view >= 0 and number < scale.texts * 2:
                around = self._around(key, member.start, member.end, member.text)
            places.append(Place(self._names.number(key), member.line, figures, view, *around))
        copies = sum(member.copies for member in cluster.members)
        facts = [count(cluster.tokens, "word")]
        facts += (
            [f"period of {count(cluster.period, 'word')}", count(copies, "copy", "copies")]
            if cluster.period
            else []
        )
        facts += [count(len(cluster.members), "place")]
        facts += [f"{percent(cluster.similarity)} alike"] if len(cluster.members) > 1 else []
        return Finding(
            f"p-{cluster.id}", "periodic" if cluster.period else "passage", _title(views), " · ".join(facts),
            cluster.tokens, copies, cluster.similarity, places, len(cluster.members) - len(places), views,
        )  # fmt: skip

    def _around(self, key: Key, start: int, end: int, passage: str) -> tuple[str, str]:
        """What stands before and after a passage, in whole words; nothing if the text is not what it was."""
        whole = self._text(key)
        if whole is None or whole[start:end] != passage:
            return "", ""
        before, after = folded(whole[max(start - CONTEXT, 0) : start]), folded(whole[end : end + CONTEXT])
        if start > CONTEXT:
            before = "…" + (before[before.index(" ") :] if " " in before[:40] else before)
        if end + CONTEXT < len(whole):
            after = (after[: after.rindex(" ") + 1] if " " in after[-40:] else after) + "…"
        return seen(before.replace("\n\n", " ¶ ")), seen(after.replace("\n\n", " ¶ "))


def _title(views: list[Compared]) -> str:
    text = " ".join(" ".join(first_side(views[0].pieces)).split()) if views else ""
    return text if len(text) <= TITLE else text[:TITLE].rsplit(" ", 1)[0] + " …"


def encoded(value: Any) -> bytes:
    """JSON that may stand in a script element of HTML: nothing in it can end the element or begin another."""
    text = orjson.dumps(value, default=tuple)
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text


_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
