"""Indexes for tests: made, asked, and told in a few words."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from dedup import Report, Settings
from dedup.index import Memory, Shape, Snapshot, add, create
from dedup.model import Document, Source
from dedup.pipeline import run
from dedup.report import write


def documents(texts: Iterable[str], prefix: str = "d") -> list[Document]:
    """Documents of these texts, from lines of one file."""
    return [Document(f"{prefix}{i}", text, Source("a.jsonl", i + 1, 10 * i)) for i, text in enumerate(texts)]


def index_of(folder: Path, items: Iterable[Document], *, text: bool = True, **shape: object) -> Path:
    """A new index of documents, added at once; its folder."""
    create(folder, Shape(text=text)._replace(**shape))
    add(folder, items, jobs=1)
    return folder


def report_of(folder: Path, new: Iterable[Document], *, alone: bool = True, **settings: object) -> Report:
    """What an index answers to new documents."""
    chosen = Settings(**{"jobs": 1, **settings})
    return run(new, chosen, archive=Memory(Snapshot.of(folder), chosen, alone=alone))


def in_json(report: Report) -> bytes:
    """A report as ``--format json`` writes it."""
    stream = io.BytesIO()
    write(report, "json", stream)
    return stream.getvalue()


def answer(folder: Path, new: Iterable[Document], **settings: object) -> bytes:
    """What an index answers, in JSON."""
    return in_json(report_of(folder, new, **settings))


def held(folder: Path) -> dict[tuple[str, str], str]:
    """The live documents of an index with texts, by id and version."""
    snapshot = Snapshot.of(folder)
    found = {}
    for place, part in enumerate(snapshot.parts):
        for document in snapshot.documents(part.numbers() | place << 24, 1):
            key = document.id, str(document.source.archived)
            assert key not in found, f"{key} is there twice"
            found[key] = document.text
    return found


def segments(folder: Path) -> list[Path]:
    """The segment files of an index, the oldest first."""
    return sorted((folder / "segments").iterdir())
