"""One cluster as the page tells it: its places by number, its text, and how the others differ from it.

Enters: clusters, and the texts of documents where they can be had. Leaves: :class:`Finding` objects, as long as there
is room.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple
from unicodedata import category
from urllib.parse import quote

from ...model import DocumentCluster, DocumentMember, PassageCluster
from ..excerpt import COMPARED, COUNTED, WORD
from ..figures import count, percent
from .compare import Compared, alone, compared, first_side
from .encoding import encoded
from .places import Key
from .shown import flowing, folded, one_line, seen

TITLE = 180  # code points of a title
NAME = 400  # code points of a path or an id
URL = 2000  # characters of a link; a longer one is left out
LOOKED_FOR = 60  # code points of a passage by which a browser finds it in its file

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


#: A finding with everything, and a brief one. 60,000 code points are more than the words that are compared.
WHOLE = Scale(places=50, texts=8, characters=60_000, context=140)
BRIEF = Scale(places=5, texts=2, characters=600, context=0)


class Place(NamedTuple):
    """One copy: document, line (0: not known), figures, the number of its text (-1: left out), what stands round it.

    ``words`` are the first of a passage as a text directive, behind which a browser finds them in the file.
    """

    document: int
    line: int
    figures: str
    view: int
    before: str = ""
    after: str = ""
    words: str = ""


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


class Names:
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
            document, (path, line, *_) = key
            name = path if line is None else f"{path}:{line}"
            own = "" if document == name else _name(document)
            if key[1].archived is not None:
                own = f"{own} (archived)".lstrip()
            self.documents.append((self._file(path), line or 0, own))
        return self._documents[key]

    def _file(self, path: str | None) -> int:
        if path is None:
            return -1
        if path not in self._files:
            self._files[path] = len(self.files)
            link = self._link(path) or ""
            self.files.append((_name(path), link if len(link) <= URL else ""))
        return self._files[path]


class Findings:
    """Findings as they are added, and their size."""

    def __init__(self, names: Names, read: Callable[[Key], str | None]) -> None:
        self._names = names
        self._read = read
        self._unread: set[Key] = set()
        self._anchors: set[str] = set()
        self.findings: list[Finding] = []
        self.size = self.brief = self.places_left = 0

    @property
    def unread(self) -> int:
        return len(self._unread)

    def add(self, cluster: DocumentCluster | PassageCluster, full: int, all: int) -> bool:
        """Whether there was room for it."""
        if self.size >= all:
            return False
        scale = WHOLE if self.size < full else BRIEF
        documents, files = len(self._names.documents), len(self._names.files)
        if isinstance(cluster, DocumentCluster):
            finding = self._documents(cluster, scale)
        else:
            finding = self._passages(cluster, scale)
        self.findings.append(finding)
        self.size += len(encoded([finding, self._names.documents[documents:], self._names.files[files:]]))
        self.brief += scale is BRIEF
        self.places_left += finding.places_left
        return True

    def _anchor(self, name: str) -> str:
        """The name of a finding within the page; ids of a report from elsewhere may be anything, and the same."""
        anchor = _name(name)
        while anchor in self._anchors:
            anchor += "-"
        self._anchors.add(anchor)
        return anchor

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
            figures = [] if member.jaccard is None else [f"jaccard {percent(member.jaccard)}"]
            figures += [] if member.containment is None else [f"containment {percent(member.containment)}"]
            figures += [f"in the kept one from line {member.kept_line:,}"] if member.kept_line else []
            view, around = 0 if cluster.kind == "exact" and views else -1, ("", "")
            if kept and view < 0 and len(views) < scale.texts:
                view, around = self._copy(cluster, kept, member, scale, views)
            number = self._names.number((member.document, member.source))
            places.append(Place(number, 0, ", ".join(figures), view, *around))
        shares = [m.containment if cluster.kind == "contained" else m.jaccard for m in cluster.members[1:]]
        alike = min((share for share in shares if share is not None), default=1.0)
        facts = [count(words, "word")] if words else []
        facts += [count(len(cluster.members), "document")]
        facts += (
            []
            if cluster.kind == "exact"
            else [f"{percent(alike)} {'inside' if cluster.kind == 'contained' else 'alike'}"]
        )
        title = _title(views) or _name(first.document)
        return Finding(
            self._anchor(f"d-{cluster.id}"), cluster.kind, title, " · ".join(facts), words,
            len(cluster.members), alike, places, len(cluster.members) - len(places), views,
        )  # fmt: skip

    def _copy(
        self, cluster: DocumentCluster, kept: str, copy: DocumentMember, scale: Scale, views: list[Compared]
    ) -> tuple[int, tuple[str, str]]:
        """The number of the view that shows a copy, which may be a new one, and what stands round the copy's words."""
        key = (copy.document, copy.source)
        text, around = self._text(key), ("", "")
        if not text:
            return -1, around
        if cluster.kind == "near" and copy.jaccard == 1 and flowing(kept) == flowing(text):
            return 0, around
        if copy.kept_start is not None and copy.kept_end is not None:
            first, start, end = cluster.members[0], copy.kept_start, copy.kept_end
            begin, stop = _words(text)
            stretch, own = kept[start:end], text[begin:stop]
            before, after = self._around((first.document, first.source), start, end, stretch, scale)
            view = scale.view(stretch, own)._replace(before=before, after=after)
            around = self._around(key, begin, stop, own, scale)
        elif cluster.kind == "near" or _is_short(kept):
            view = scale.view(kept, text)
        else:
            return -1, around
        views.append(view)
        return len(views) - 1, around

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
            if view >= 0 and number < scale.texts * 2:
                around = self._around(key, member.start, member.end, member.text, scale)
            words = "" if member.source.line else directive(member.text)
            places.append(Place(self._names.number(key), member.line, figures, view, *around, words))
        copies = sum(member.copies for member in cluster.members)
        facts = [count(cluster.tokens, "word")]
        facts += (
            [f"period of {count(cluster.period, 'word')}", count(copies, "copy", "copies")]
            if cluster.period
            else []
        )
        facts += [count(len(cluster.members), "place")]
        facts += [f"{percent(cluster.similarity)} alike"] if len(cluster.members) > 1 else []
        kind = "periodic" if cluster.period else "passage"
        return Finding(
            self._anchor(f"p-{cluster.id}"), kind, _title(views), " · ".join(facts), cluster.tokens,
            copies, cluster.similarity, places, len(cluster.members) - len(places), views,
        )  # fmt: skip

    def _around(self, key: Key, start: int, end: int, passage: str, scale: Scale) -> tuple[str, str]:
        """What stands before and after a passage, in whole words; nothing if the text is not what it was."""
        width = scale.context
        whole = self._text(key) if width else None
        if whole is None or whole[start:end] != passage:
            return "", ""
        before, after = folded(whole[max(start - width, 0) : start]), folded(whole[end : end + width])
        if start > width:
            before = "…" + (before[before.index(" ") :] if " " in before[:40] else before)
        if end + width < len(whole):
            after = (after[: after.rindex(" ") + 1] if " " in after[-40:] else after) + "…"
        return seen(before.replace("\n\n", " ¶ ")), seen(after.replace("\n\n", " ¶ "))


def _words(text: str) -> tuple[int, int]:
    """Where the first word of a text begins and its last one ends."""
    begin, end = 0, len(text)
    while begin < end and category(text[begin])[0] not in "LN":
        begin += 1
    while begin < end and category(text[end - 1])[0] not in "LNM":
        end -= 1
    return begin, end


def directive(text: str) -> str:
    """The first words of a text, on one line, as a URL fragment that has them looked for (WICG, "Text Fragments").

    >>> directive("a well-known\\npassage")
    '#:~:text=a%20well%2Dknown'
    """
    words = text.strip()[:LOOKED_FOR].split("\n")[0].split()
    words = words[:-1] if len(words) > 1 and len(text) > LOOKED_FOR else words
    return f"#:~:text={quote(' '.join(words).encode('utf-8', 'replace'), safe='').replace('-', '%2D')}"


def _is_short(text: str) -> bool:
    """Whether all words of a text are compared."""
    return next(islice(WORD.finditer(text), COMPARED, None), None) is None


def _title(views: list[Compared]) -> str:
    text = " ".join(" ".join(first_side(views[0].pieces)).split()) if views else ""
    return text if len(text) <= TITLE else text[:TITLE].rsplit(" ", 1)[0] + " …"


def _name(text: str) -> str:
    return one_line(text if len(text) <= NAME else f"{text[:NAME]}…")
