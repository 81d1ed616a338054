"""Changes to an index: what is remembered after each of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dedup.errors import DamagedIndexError, DedupIndexError, InputError
from dedup.index import (
    Added,
    Shape,
    Snapshot,
    abort,
    add,
    build,
    catalogue,
    commit,
    compact,
    create,
    remove,
    writer,
)
from dedup.index.facts import facts
from dedup.index.verify import Lost, missing, problems, salvaged
from dedup.model import Document, Skipped, Source
from dedup.text import version
from tests.indexing import documents, held, index_of, segments
from tests.unit.prose import Prose

PROSE = Prose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "ix", Shape(text=True))
    return tmp_path / "ix"


def texts(folder: Path) -> list[tuple[str, str]]:
    """Ids and texts of an index."""
    return sorted((name, text) for (name, _), text in held(folder).items())


def named(name: str, text: str) -> str:
    """One version of a document."""
    return f"{name}@{version(text).hex()}"


class TestAdd:
    def test_what_is_there_already_is_passed_over(self, folder: Path) -> None:
        items = documents(["one", "two"])
        assert add(folder, items) == Added(2, 0, 0, ())
        before = [file.name for file in segments(folder)]
        assert add(folder, items) == Added(0, 0, 2, ())
        assert [file.name for file in segments(folder)] == before

    def test_another_text_is_a_new_version(self, folder: Path) -> None:
        add(folder, [Document("a", "one")])
        assert add(folder, [Document("a", "two"), Document("b", "one")]) == Added(2, 1, 0, ())
        assert texts(folder) == [("a", "one"), ("a", "two"), ("b", "one")]
        assert add(folder, [Document("a", "one"), Document("a", "three")]) == Added(1, 1, 1, ())

    def test_within_one_input(self, folder: Path) -> None:
        """From two files, say; the first source is the one that is remembered."""
        items = [
            Document("a", "one", Source("x", 1)),
            Document("a", "one", Source("y", 2)),
            Document("a", "two", Source("y", 3)),
            Document("a", "two", Source("x", 4)),
            Document("b", "two", Source("x", 5)),
        ]
        assert add(folder, items) == Added(3, 1, 2, ())
        snapshot = Snapshot.of(folder)
        names = snapshot.names(snapshot.parts[0].numbers())
        assert sorted((name, source.path, source.line) for name, source in names) == [
            ("a", "x", 1), ("a", "y", 3), ("b", "x", 5),
        ]  # fmt: skip

    def test_in_batches(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(writer, "_BATCH", 10)
        items = [Document(f"d{i % 5}", "a text"[: 3 + i % 2]) for i in range(30)]
        assert add(folder, items) == Added(10, 5, 20, ())
        assert len(texts(folder)) == 10
        assert list(problems(folder)) == []

    def test_what_was_not_read_is_told(self, folder: Path) -> None:
        skipped = Skipped("a.doc", "no format that is known")
        assert add(folder, [skipped, *documents(["one"])]) == Added(1, 0, 0, (skipped,))

    def test_progress(self, folder: Path) -> None:
        told: list[int] = []
        add(folder, documents("ab"[i % 2] for i in range(2100)), tell=told.append)
        assert told == [1024, 2048]

    def test_nothing_at_all(self, folder: Path) -> None:
        assert add(folder, []) == Added(0, 0, 0, ())
        assert compact(folder) == (0, 0)
        assert remove(folder, []) == (0, [])
        assert (texts(folder), len(Snapshot.of(folder))) == ([], 0)

    def test_an_input_that_is_not_there_changes_nothing(self, folder: Path) -> None:
        def items() -> Iterator[Document]:
            yield from documents(["one"])
            raise InputError("gone: no such file")

        with pytest.raises(InputError):
            add(folder, items())
        assert texts(folder) == []


class TestRemove:
    def test_an_id_with_all_its_versions_or_one(self, folder: Path) -> None:
        add(folder, [Document("a", "one"), Document("a", "two"), Document("b", "one")])
        add(folder, [Document("a", "three")])
        assert remove(folder, [named("a", "two").upper().replace("A@", "a@"), "c"]) == (1, ["c"])
        assert texts(folder) == [("a", "one"), ("a", "three"), ("b", "one")]
        assert remove(folder, ["a", "a", named("a", "one")]) == (2, [])
        assert texts(folder) == [("b", "one")]
        assert remove(folder, ["a", named("b", "two")]) == (0, ["a", named("b", "two")])

    def test_an_id_that_looks_like_a_version(self, folder: Path) -> None:
        odd = named("a", "one")
        add(folder, [Document("a", "one"), Document(odd, "one"), Document("@", "one"), Document("", "one")])
        assert remove(folder, [odd]) == (1, [])
        assert ("a", "one") in texts(folder)
        assert remove(folder, [odd, "@"]) == (2, [])
        assert remove(folder, [named("", "one")]) == (1, [])
        assert texts(folder) == []

    def test_and_added_again(self, folder: Path) -> None:
        items = documents(["one", "two", "three"])
        add(folder, items)
        remove(folder, ["d1", "d0"])
        assert facts(folder)["removed"] == 2
        assert add(folder, items) == Added(2, 0, 1, ())
        assert texts(folder) == [("d0", "one"), ("d1", "two"), ("d2", "three")]
        compact(folder)
        assert facts(folder)["removed"] == 0
        assert len(texts(folder)) == 3

    def test_everything(self, folder: Path) -> None:
        add(folder, documents(["one", "two"]))
        remove(folder, ["d0", "d1"])
        assert (texts(folder), facts(folder)["documents"]) == ([], 0)
        assert compact(folder) == (1, 0)
        assert segments(folder) == []
        assert add(folder, documents(["one"])) == Added(1, 0, 0, ())


class TestRuns:
    def test_pending_until_it_is_committed(self, folder: Path) -> None:
        add(folder, documents(["one"]))
        assert add(folder, documents(["one", "two"]), run="night") == Added(1, 0, 1, ())
        assert texts(folder) == [("d0", "one")]
        assert facts(folder)["pending"] == {"night": 1}
        assert commit(folder, "night") == 1
        assert texts(folder) == [("d0", "one"), ("d1", "two")]
        assert facts(folder)["pending"] == {}

    def test_forgotten_without_a_trace(self, folder: Path) -> None:
        add(folder, documents(["one"]), run="night")
        assert abort(folder, "night") == 1
        assert (texts(folder), segments(folder)) == ([], [])
        assert add(folder, documents(["one"]), run="night") == Added(1, 0, 0, ())

    def test_a_name_is_for_one_run(self, folder: Path) -> None:
        add(folder, documents(["one"]), run="night")
        with pytest.raises(
            DedupIndexError, match=r"ix: there is a pending run 'night'; commit or abort it first"
        ):
            add(folder, documents(["two"]), run="night")
        with pytest.raises(DedupIndexError, match=r"ix: has no pending run 'day'; pending: night"):
            commit(folder, "day")
        commit(folder, "night")
        for change in (commit, abort):
            with pytest.raises(DedupIndexError, match=r"ix: has no pending run 'night'; none is pending"):
                change(folder, "night")

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "\udcff", "a\0"])
    def test_no_names(self, folder: Path, name: str) -> None:
        with pytest.raises(DedupIndexError, match="is no name of a run; expected one that can be printed"):
            add(folder, documents(["one"]), run=name)

    def test_what_another_run_has_brought_meanwhile_comes_once(self, folder: Path) -> None:
        add(folder, documents(["one", "two", "three"]), run="a")
        add(folder, documents(["one", "two"]), run="b")
        add(folder, documents(["one", "other"]))
        assert commit(folder, "a") == 2
        assert commit(folder, "b") == 0
        assert texts(folder) == [("d0", "one"), ("d1", "other"), ("d1", "two"), ("d2", "three")]
        compact(folder)
        assert len(texts(folder)) == 4

    def test_a_run_that_is_written_in_parts(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(writer, "_BATCH", 10)
        items = documents("abcdefgh"[i % 8] * 9 for i in range(20))
        assert add(folder, [*items, *items], run="r") == Added(20, 0, 20, ())
        assert len(segments(folder)) == 1
        assert texts(folder) == []
        compact(folder)  # leaves it alone
        remove(folder, ["d1"])  # is not there yet
        assert commit(folder, "r") == 20
        assert len(texts(folder)) == 20


class TestMerges:
    def test_many_additions_leave_few_segments(self, folder: Path) -> None:
        items = documents(PROSE.words(12) for _ in range(100))
        most = 0
        for item in items:
            add(folder, [item])
            most = max(most, len(segments(folder)))
        assert most < 2 * writer.TIER
        assert texts(folder) == sorted((item.id, item.text) for item in items)
        before = facts(folder)["segments"]
        assert compact(folder) == (before, 1)
        assert compact(folder) == (1, 1)
        assert texts(folder) == sorted((item.id, item.text) for item in items)

    def test_a_segment_has_room_for_so_many(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(writer, "MOST", 7)
        items = documents(PROSE.words(12) for _ in range(40))
        add(folder, items)
        assert max(part.row.documents for part in Snapshot.of(folder).parts) == 7
        remove(folder, ["d3", "d30"])
        compact(folder)
        assert max(part.row.documents for part in Snapshot.of(folder).parts) <= 7
        assert len(texts(folder)) == 38

    def test_a_reader_sees_what_was_there(self, folder: Path) -> None:
        """Whatever is merged, removed, and deleted under it."""
        dice = random.Random(1)
        items = documents(PROSE.words(30) for _ in range(40))
        there: dict[str, str] = {}
        snapshots = []
        for number, item in enumerate(items):
            add(folder, [item])
            there[item.id] = item.text
            if number % 3 == 0:
                gone = dice.choice(sorted(there))
                remove(folder, [gone])
                del there[gone]
            if number % 10 == 9:
                compact(folder)
            snapshots.append((Snapshot.of(folder), dict(there)))
        for snapshot, wanted in snapshots:
            numbers = [
                n for p, part in enumerate(snapshot.parts) for n in (part.numbers() | p << 24).tolist()
            ]
            assert len(snapshot) == len(numbers) == len(wanted)
            for part in snapshot.parts:
                for name, text in zip(
                    part.segment.ids(part.numbers()), part.segment.texts(part.numbers()), strict=True
                ):
                    assert wanted[name.decode()] == text


def saved(folder: Path) -> tuple[list[str], list[str]]:
    """Ids of what can be saved, and what is lost."""
    _, items = salvaged(folder)
    found = list(items)
    return (
        sorted(item.id for item in found if isinstance(item, Document)),
        [item.what for item in found if isinstance(item, Lost)],
    )


def spoilt(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


class TestSalvage:
    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Path:
        """Two segments, a removed document, a pending run; the first segment has many pages."""
        dice = random.Random(1)
        long = (" ".join(dice.randbytes(8).hex() for _ in range(2000)) for _ in range(12))
        folder = index_of(tmp_path / "ix", documents(long), passages=False)
        add(folder, documents(["one", "two"], "e"))
        remove(folder, ["e1"])
        add(folder, documents(["three"], "p"), run="r")
        return folder

    def test_an_index_in_order(self, damaged: Path) -> None:
        ids, lost = saved(damaged)
        assert (len(ids), lost) == (13, [])

    def test_what_a_wrong_byte_leaves(self, damaged: Path, tmp_path: Path) -> None:
        first = segments(damaged)[0]
        spoilt(first, 100_000)
        ids, lost = saved(damaged)
        assert 0 < len(lost) < 12
        assert sorted(ids + lost) == sorted(name for name, _ in saved_names(damaged))
        assert [file.name for file in segments(damaged)] == [
            "00000001.segment",
            "00000002.segment",
            "00000003.segment",
        ]
        shape, items = salvaged(damaged)
        build(tmp_path / "new", (item for item in items if isinstance(item, Document)), shape)
        assert list(problems(tmp_path / "new")) == []
        assert sorted(name for name, _ in held(tmp_path / "new")) == ids

    def test_a_segment_that_cannot_be_opened(self, damaged: Path) -> None:
        segments(damaged)[0].write_bytes(b"nothing")
        ids, lost = saved(damaged)
        assert ids == ["e0"]
        assert len(lost) == 1
        assert "00000001.segment" in lost[0]

    @pytest.mark.parametrize("how", ["gone", "empty", "spoilt", "version"])
    def test_without_its_catalogue_everything_comes_back(self, damaged: Path, how: str) -> None:
        file = damaged / "catalogue.sqlite"
        if how == "gone":
            file.unlink()
        elif how == "empty":
            file.write_bytes(b"")
        elif how == "version":
            file.write_bytes(file.read_bytes().replace(b"dedup-index/1", b"dedup-index/3"))
        else:
            spoilt(file, 70)
            file.write_bytes(file.read_bytes().replace(b"checksum", b"Checksum"))
        assert list(problems_or_error(damaged))
        ids, lost = saved(damaged)
        assert ids == sorted([f"d{i}" for i in range(12)] + ["e0", "e1", "p0"])
        assert len(lost) == 1
        assert "catalogue.sqlite" in lost[0]

    def test_nothing_to_save(self, tmp_path: Path, damaged: Path) -> None:
        index_of(tmp_path / "bare", documents(["one"]), text=False)
        with pytest.raises(
            DedupIndexError, match="bare: holds no texts; build the index anew from the archive"
        ):
            salvaged(tmp_path / "bare")
        with pytest.raises(DedupIndexError, match="gone: is no index"):
            salvaged(tmp_path / "gone")
        for file in segments(damaged):
            file.write_bytes(b"")
        with pytest.raises(DedupIndexError, match="ix: no segment can be read; build the index anew"):
            salvaged(damaged)

    def test_nothing_is_built_beside_a_merge_that_is_under_way(self, damaged: Path) -> None:
        with pytest.raises(DedupIndexError, match="is there already"):
            build(damaged, [], Shape())


def saved_names(folder: Path) -> list[tuple[str, str]]:
    """The ids and versions that the index remembers."""
    snapshot = Snapshot.of(folder)
    return [
        (name, str(source.archived))
        for place, part in enumerate(snapshot.parts)
        for name, source in snapshot.names(part.numbers() | place << 24)
    ]


def problems_or_error(folder: Path) -> list[str]:
    try:
        return list(problems(folder))
    except DedupIndexError as error:
        return [str(error)]


def test_what_the_archive_does_not_hold(folder: Path) -> None:
    add(folder, [Document("a", "one"), Document("a", "two"), Document("b", "one"), Document("c", "gone")])
    archive = [Document("a", "two"), Skipped("x", "why"), Document("b", "changed"), Document("new", "new")]
    gone, skipped = missing(folder, archive)
    assert [f"{name}@{found}" for name, found in gone] == [
        named("a", "one"), named("b", "one"), named("c", "gone"),
    ]  # fmt: skip
    assert skipped == [Skipped("x", "why")]
    assert remove(folder, [f"{name}@{found}" for name, found in gone]) == (3, [])
    assert missing(folder, archive)[0] == []


def test_a_removed_number_that_is_not_there(folder: Path) -> None:
    """A catalogue that says so is damaged."""
    add(folder, documents(["one"]))
    with catalogue.writing(folder, 0) as found:
        found.remove(1, np.array([7]))
    with pytest.raises(DamagedIndexError):
        Snapshot.of(folder)
    assert len(list(problems(folder))) == 1
