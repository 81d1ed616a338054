"""A segment gives back what was put in, whatever that is, and answers as one that was merged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dedup.index import Shape, add, compact, create, segment
from dedup.index.segment import Columns, Entry, Segment
from dedup.index.snapshot import Snapshot
from dedup.model import Document, Source
from dedup.text import version
from tests.indexing import held, index_of
from tests.unit.prose import Prose

ODD = [
    Document("plain", "some words are here", Source("a.jsonl", 3, 77)),
    Document("", "a document without a name", Source("")),
    Document("no text", "", Source("b.txt")),
    Document("no source", "three words only", Source()),
    Document("a@b", "an id with a sign", Source("b.txt")),
    Document("new\nline\0nul", "an id over two lines", Source("new\nline")),
    Document("\udcff surrogate \ud800", "text \ud83d\ude00 of \udc80 surrogates", Source("\udcfe.txt", 1, 0)),
    Document("ünï 漢字 😀", "ünï 漢字 😀 ́ combining", Source("漢.txt", 2**32 - 1, 2**62)),
    Document("long " * 20_000, "an id of a hundred thousand letters", Source("p" * 5000)),
    Document("no word", " \t\r\n.,;", Source("b.txt", 9)),
    Document("long text", "word " * 60_000 + "end\r\n", Source("c.txt")),
]


def by_id(documents: list[Document]) -> list[Document]:
    return sorted(documents, key=lambda document: document.id)


def stored(documents: list[Document]) -> list[Document]:
    """As they come back: with their versions."""
    return by_id(
        [
            document._replace(source=document.source._replace(archived=version(document.text).hex()))
            for document in documents
        ]
    )


def everything(folder: Path) -> list[Document]:
    snapshot = Snapshot.of(folder)
    numbers = [part.numbers() | place << 24 for place, part in enumerate(snapshot.parts)]
    return by_id(snapshot.documents(np.concatenate(numbers)))


def test_odd_documents_come_back_as_they_were(tmp_path: Path) -> None:
    index_of(tmp_path / "one", ODD)
    assert everything(tmp_path / "one") == stored(ODD)
    create(tmp_path / "many", Shape(text=True))
    for document in ODD:
        add(tmp_path / "many", [document])
    assert everything(tmp_path / "many") == stored(ODD)
    compact(tmp_path / "many")
    assert everything(tmp_path / "many") == stored(ODD)


def test_without_texts_names_come_back(tmp_path: Path) -> None:
    index_of(tmp_path / "ix", ODD, text=False)
    snapshot = Snapshot.of(tmp_path / "ix")
    names = snapshot.names(np.arange(len(ODD)))
    assert sorted(names, key=lambda name: name[0]) == [(d.id, d.source) for d in stored(ODD)]


def test_a_line_for_which_there_is_no_room_is_none(tmp_path: Path) -> None:
    index_of(tmp_path / "ix", [Document("a", "some words", Source("a", 2**32, 5))])
    assert everything(tmp_path / "ix")[0].source[:3] == ("a", None, 5)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("passages", [True, False])
def test_merged_segments_hold_what_one_does(tmp_path: Path, text: bool, passages: bool) -> None:
    prose = Prose()
    documents = [Document(f"d{i % 20}", prose.words(30 + i), Source("ab"[i % 2], i)) for i in range(60)]
    index_of(tmp_path / "one", documents, text=text, passages=passages)
    create(tmp_path / "many", Shape(text=text, passages=passages))
    for document in documents:
        add(tmp_path / "many", [document])
    assert len(Snapshot.of(tmp_path / "many").parts) > 1
    compact(tmp_path / "many")
    (one,), (many,) = (Snapshot.of(tmp_path / name).parts for name in ("one", "many"))
    names = ["keys", "versions", "ids", "ids.ends", "sketch.postings", "sketch.buckets", "line", "offset"]
    assert len(np.unique(one.segment.keys())) == 20
    names += ["seed.postings", "seed.buckets"] * passages + ["signatures"] * (not text)
    for name in names:
        assert one.segment.pages.whole(name).tolist() == many.segment.pages.whole(name).tolist(), name
    assert one.segment.sources(one.numbers()) == many.segment.sources(one.numbers())


def test_columns_joined_keep_their_paths() -> None:
    parts = []
    for names in (["a", "b"], [None], ["b", None, "c"], []):
        documents = [Document(str(i), "", Source(name)) for i, name in enumerate(names)]
        entries = [Entry.of(document) for document in documents]
        versions = np.frombuffer(b"".join(entry.version for entry in entries), "V16")
        parts.append(Columns.of(np.array([entry.key for entry in entries], "u8"), versions, documents))
    joined = Columns.joined(parts, np.array([5, 2, 0, 1, 3, 4]))
    paths = [*joined.paths.values(), None]
    told = [paths[min(number, len(paths) - 1)] for number in joined.path.tolist()]
    assert told == [b"c", None, b"a", b"b", b"b", None]


def test_blocks_of_texts_in_any_order(tmp_path: Path) -> None:
    prose = Prose()
    documents = [Document(f"d{i}", prose.words(i * 37 % 900)) for i in range(200)]  # many blocks
    entries = [Entry.of(document) for document in documents]
    segment.write(tmp_path / "s", entries, Shape(text=True))
    found = Segment(tmp_path / "s")
    assert len(found.pages.view("blocks")) > 5
    numbers = np.array([7, 7, 199, 0, 100, 3, 198])
    ids = [name.decode() for name in found.ids(numbers)]
    texts = {document.id: document.text for document in documents}
    assert found.texts(numbers) == [texts[name] for name in ids]
    assert found.texts(np.zeros(0, "i8")) == []


def test_blocks_that_lose_documents_are_packed_anew(tmp_path: Path) -> None:
    from dedup.index import remove

    prose = Prose()
    documents = [Document(f"d{i}", prose.words(400)) for i in range(60)]
    create(tmp_path / "ix", Shape(text=True))
    for start in range(0, 60, 20):
        add(tmp_path / "ix", documents[start : start + 20])
    gone = {f"d{i}" for i in (0, 1, 2, 3, 25, 59)}
    remove(tmp_path / "ix", sorted(gone))
    size = sum(file.stat().st_size for file in (tmp_path / "ix" / "segments").iterdir())
    compact(tmp_path / "ix")
    left = {document.id: document.text for document in documents if document.id not in gone}
    assert {name: text for (name, _), text in held(tmp_path / "ix").items()} == left
    assert sum(file.stat().st_size for file in (tmp_path / "ix" / "segments").iterdir()) < size
    (part,) = Snapshot.of(tmp_path / "ix").parts
    counts = np.diff(part.segment.pages.whole("blocks.first"))
    blocks = part.segment.blocks(np.arange(len(counts)))
    stored = [
        text
        for block, count in zip(blocks, counts, strict=True)
        for text in segment.unpacked(block, np.arange(count))
    ]
    assert sorted(stored) == sorted(text.encode() for text in left.values())  # nothing of the others
