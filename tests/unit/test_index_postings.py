"""Postings against a dict, in one segment, in several, merged; strings against lists."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from dedup.index import postings
from dedup.index.pages import Pages, PagesWriter
from dedup.index.postings import Postings
from dedup.index.strings import Strings

Naive = dict[int, set[int]]

#: Keys at the edges of buckets, of 32 bits, and some that many documents hold.
EDGES = [0, 1, (1 << 26) - 1, 1 << 26, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]


def drawn(dice: random.Random, documents: int, count: int) -> list[tuple[int, int]]:
    """Keys and documents that hold them; some pairs come twice."""
    keys = [*EDGES, *(dice.randrange(1 << 32) for _ in range(count // 3))]
    found = [(dice.choice(keys), dice.randrange(documents)) for _ in range(count)]
    return found + found[:10]


def naive(pairs: list[tuple[int, int]]) -> Naive:
    held: Naive = defaultdict(set)
    for key, document in pairs:
        held[key].add(document)
    return held


def written(path: Path, pairs: list[tuple[int, int]], documents: int, jobs: int = 1) -> Postings:
    keys = np.array([key for key, _ in pairs], "u4")
    numbers = np.array([number for _, number in pairs], "i8")
    with PagesWriter(path) as writer:
        lot = postings.combined(keys, numbers, postings.bits(documents), jobs)
        postings.write(writer, "p", [lot], documents)
        writer.finish({})
    return Postings(Pages(path), "p", documents)


def asked(held: Postings, keys: list[int], limit: int, live: np.ndarray | None = None) -> list[list[int]]:
    """The documents of each key."""
    found = held.find(np.array(keys, "u4"), limit, live)
    lists: list[list[int]] = [[] for _ in keys]
    for key, document in zip(found.keys.tolist(), found.documents.tolist(), strict=True):
        lists[key].append(document)
    assert np.all(np.diff(found.keys) >= 0)
    return lists


@pytest.mark.parametrize("documents", [1, 2, 63, 64, 65, 1000, 70_000])
def test_postings_are_those_of_a_dict(tmp_path: Path, documents: int) -> None:
    dice = random.Random(documents)
    pairs = drawn(dice, documents, 3000)
    held, wanted = written(tmp_path / "p", pairs, documents), naive(pairs)
    keys = sorted({*wanted, *EDGES, *(dice.randrange(1 << 32) for _ in range(100))})
    assert asked(held, keys, 1 << 30) == [sorted(wanted.get(key, ())) for key in keys]
    assert len(held) == sum(map(len, wanted.values()))


def test_as_many_as_are_asked_for_the_least_first(tmp_path: Path) -> None:
    pairs = [(7, i) for i in range(100)] + [(9, 3)]
    held = written(tmp_path / "p", pairs, 100)
    assert asked(held, [7, 8, 9], 64) == [list(range(64)), [], [3]]


def test_the_limit_counts_live_documents_only(tmp_path: Path) -> None:
    dice = random.Random(1)
    pairs = drawn(dice, 200, 3000)
    held, wanted = written(tmp_path / "p", pairs, 200), naive(pairs)
    live = np.array([dice.random() < 0.5 for _ in range(200)])
    keys = sorted(wanted)
    for limit in (1, 3, 1000):
        assert asked(held, keys, limit, live) == [
            sorted(number for number in wanted[key] if live[number])[:limit] for key in keys
        ]


def test_nothing_asked_and_nothing_there(tmp_path: Path) -> None:
    held = written(tmp_path / "p", [(5, 0)], 1)
    assert asked(held, [], 64) == []
    with PagesWriter(tmp_path / "none") as writer:
        postings.write(writer, "p", [], 1)
        writer.finish({})
    assert asked(Postings(Pages(tmp_path / "none"), "p", 1), [0, 5, (1 << 32) - 1], 64) == [[], [], []]


def test_any_number_of_threads_writes_the_same_bytes(tmp_path: Path) -> None:
    pairs = drawn(random.Random(2), 300, 5000)
    for jobs in (1, 3):
        written(tmp_path / str(jobs), pairs, 300, jobs)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()


@pytest.mark.parametrize("chunk", [1 << 24, 50])
def test_merged_segments_are_as_if_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(postings, "_CHUNK", chunk)
    dice = random.Random(3)
    sizes = [1, 5, 700, 80, 70_000]
    parts, whole, before = [], [], 0
    for i, size in enumerate(sizes):
        pairs = drawn(dice, size, 400)
        numbers = np.array([-1 if dice.random() < 0.3 else before + n for n in range(size)], "i8")
        parts.append((written(tmp_path / str(i), pairs, size), numbers))
        whole += [(key, int(numbers[number])) for key, number in pairs if numbers[number] >= 0]
        before += size
    with PagesWriter(tmp_path / "merged") as writer:
        postings.write(writer, "p", postings.merged(parts, before), before)
        writer.finish({})
    written(tmp_path / "whole", whole, before)
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()


def test_all_postings_between_two_keys(tmp_path: Path) -> None:
    pairs = drawn(random.Random(4), 64, 2000)
    held, wanted = written(tmp_path / "p", pairs, 64), naive(pairs)
    middle = 37 << 26  # where a bucket begins
    for first, last in ((0, middle), (middle, 1 << 32), (0, 1 << 32), (middle, middle)):
        keys, documents = held.between(first, last)
        assert list(zip(keys.tolist(), documents.tolist(), strict=True)) == [
            (key, number) for key in sorted(wanted) if first <= key < last for number in sorted(wanted[key])
        ]


class TestStrings:
    VALUES = (b"", b"a", b"", b"\xff\x00", b"long" * 1000, b"")

    @pytest.mark.parametrize("values", [VALUES, (), (b"",), (b"", b"")])
    def test_what_goes_in_comes_out(self, values: tuple[bytes, ...]) -> None:
        assert Strings.of(values).values() == list(values)

    def test_joined(self) -> None:
        parts = [Strings.of(part) for part in (self.VALUES, (), self.VALUES[2:4])]
        assert Strings.joined(parts).values() == [*self.VALUES, *self.VALUES[2:4]]
        assert Strings.joined([]).values() == []

    @pytest.mark.parametrize("places", [[], [0], [4, 4, 1, 0], [5, 3, 1]])
    def test_taken(self, places: list[int]) -> None:
        taken = Strings.of(self.VALUES).take(np.array(places, "i8"))
        assert taken.values() == [self.VALUES[place] for place in places]
