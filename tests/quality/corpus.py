"""What was planted: documents and their truth.

Enters: rendered documents and planted items. Leaves: a Corpus that scorer, oracle and tables read, and that
can be written to a folder (``docs.jsonl``, ``truth.jsonl``) for a run of the command or of another tool.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from .tokens import Tokens, tokenise

# word lengths a passage is planted at, and what they come to in characters where one character is a token
LENGTH_CLASSES = ("15-19", "20", "25", "40", "80", "150")
EDIT_RATES = (0.0, 0.05, 0.1, 0.2, 0.3)


class Span(NamedTuple):
    """A place: a document and code points [start, end) of its text."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """One planted thing: all its copies, in one language.

    ``kind`` is passage, exact, near, contained, boilerplate or period. ``figure`` is exact: 2·LCS/(a+b) over
    tokens of a passage, word-5-gram Jaccard of a near copy, containment of a contained one, else 1.
    ``length_class``, ``rate`` (edits a token) and ``where`` (within, across) are a passage's; ``copies`` a
    period's.
    """

    kind: str
    language: str
    spans: tuple[Span, ...]
    figure: float = 1.0
    length_class: str = ""
    rate: float = 0.0
    where: str = ""
    copies: int = 1


@dataclass
class Corpus:
    """Documents with everything planted in them; ``language`` is by document id."""

    documents: list[tuple[str, str]]
    items: list[Item]
    language: dict[str, str]
    text: dict[str, str] = field(init=False)
    cache: dict[str, Tokens] = field(init=False, default_factory=dict)
    planted: dict[str, list[tuple[int, int, int, int]]] = field(init=False)

    def __post_init__(self) -> None:
        self.text = dict(self.documents)
        by_document: dict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
        for number, item in enumerate(self.items):
            for order, span in enumerate(item.spans):
                by_document[span.document].append((span.start, span.end, number, order))
        self.planted = dict(by_document)

    def tokens(self, document: str) -> Tokens:
        """The tokens of a document, kept for the next call."""
        if document not in self.cache:
            self.cache[document] = tokenise(self.text[document])
        return self.cache[document]

    def words(self, span: Span) -> list[str]:
        """The normalised tokens that a span touches."""
        tokens = self.tokens(span.document)
        first, last = tokens.inside(span.start, span.end)
        return tokens.words[first:last]

    def of_kind(self, *kinds: str) -> list[Item]:
        """The planted items of these kinds."""
        return [item for item in self.items if item.kind in kinds]

    def fingerprint(self) -> str:
        """SHA-256 over ids and texts: the same corpus has the same one on every machine."""
        digest = sha256()
        for document, text in self.documents:
            for part in (document, text):
                encoded = part.encode("utf-8", "surrogatepass")
                digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()

    def write(self, folder: Path) -> None:
        """Puts ``docs.jsonl`` (id, text, lang) and ``truth.jsonl`` (an item a line) into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "docs.jsonl").open("w", encoding="utf-8") as lines:
            for document, text in self.documents:
                record = {"id": document, "lang": self.language[document], "text": text}
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        with (folder / "truth.jsonl").open("w", encoding="utf-8") as lines:
            for item in self.items:
                record = asdict(item) | {"spans": [span._asdict() for span in item.spans]}
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
