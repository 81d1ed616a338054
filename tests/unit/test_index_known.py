"""Which documents an index holds already: of many versions of an id, and of ids with one hash."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from dedup.index import add, create, remove, segment, snapshot
from dedup.index.segment import Segment
from dedup.index.shape import Shape
from dedup.model import Document
from dedup.text import version
from tests.indexing import held


def test_many_versions_of_an_id_are_not_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [Document("page", f"text {number}") for number in range(200)]
    create(tmp_path / "ix", Shape(text=True))
    add(tmp_path / "ix", items[:150], jobs=1)
    remove(tmp_path / "ix", [f"page@{version(item.text).hex()}" for item in items[:50]])
    looks = []
    ids = Segment.ids

    def counted(segment: Segment, numbers: object) -> list[bytes]:
        looks.append(numbers)
        return ids(segment, numbers)

    monkeypatch.setattr(Segment, "ids", counted)
    assert add(tmp_path / "ix", items, jobs=1)[:3] == (100, 100, 100)
    assert len(looks) < 10


def test_ids_with_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (segment, snapshot):
        monkeypatch.setattr(module, "key_of", lambda document: len(document))
    dice = random.Random(3)
    items = [Document(name, text) for name, text in itertools.product("abc", ["one", "two", "three"])]
    create(tmp_path / "ix", Shape(text=True))
    live: dict[tuple[str, str], str] = {}
    for _ in range(60):
        some = dice.sample(items, 3)
        if dice.random() < 0.5:
            new = [item for item in some if (item.id, version(item.text).hex()) not in live]
            assert add(tmp_path / "ix", some, jobs=1).added == len(new)
            live.update({(item.id, version(item.text).hex()): item.text for item in new})
        else:
            names = [f"{item.id}@{version(item.text).hex()}" for item in some]
            gone = [key for key in live if "@".join(key) in names]
            assert remove(tmp_path / "ix", names)[0] == len(gone)
            for key in gone:
                del live[key]
        assert held(tmp_path / "ix") == live
