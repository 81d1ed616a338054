"""The catalogue: what is no index, who may write, and what is there after a change that failed."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dedup import Settings
from dedup.errors import DamagedIndexError, DedupIndexError, SettingsError
from dedup.index import (
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
    segment,
)
from dedup.index.facts import facts
from dedup.index.verify import problems
from dedup.model import Document
from dedup.read import walk
from tests.indexing import documents, held, index_of, segments
from tests.unit.prose import Prose

PROSE = Prose()
BUSY = "another process is writing; try again when it is done"
WAIT = ", or wait for it with --wait"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return index_of(tmp_path / "ix", documents(PROSE.words(30) for _ in range(3)))


def changed(folder: Path, statement: str) -> None:
    """The catalogue after a change that no writer of an index makes."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)


@contextmanager
def locked(folder: Path, how: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """While somebody else writes."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite", isolation_level=None)) as connection:
        connection.execute(f"BEGIN {how}")
        yield connection


class TestNoIndex:
    @pytest.mark.parametrize("make", ["nothing", "file", "folder"])
    def test_what_is_no_index(self, tmp_path: Path, make: str) -> None:
        where = tmp_path / "ix"
        if make == "file":
            where.write_text("text")
        elif make == "folder":
            where.mkdir()
        with pytest.raises(DedupIndexError, match=r"ix: is no index; `dedup index build` makes one"):
            Snapshot.of(where)
        with pytest.raises(DedupIndexError, match=r"is no index"):
            add(where, [])
        assert where.exists() == (make != "nothing")
        assert not where.is_dir() or list(where.iterdir()) == []

    @pytest.mark.parametrize("data", [b"", b"no database at all " * 100])
    def test_another_file_of_that_name(self, folder: Path, data: bytes) -> None:
        (folder / "catalogue.sqlite").write_bytes(data)
        with pytest.raises(
            DamagedIndexError, match=r"catalogue\.sqlite: is (no catalogue of an index|damaged)"
        ):
            Snapshot.of(folder)

    def test_another_database_of_that_name(self, folder: Path) -> None:
        (folder / "catalogue.sqlite").unlink()
        changed(folder, "CREATE TABLE facts (name, value)")
        with pytest.raises(DamagedIndexError, match=r"catalogue\.sqlite: is no catalogue of an index"):
            Snapshot.of(folder)

    def test_another_version_is_refused_in_one_line(self, folder: Path) -> None:
        changed(folder, "UPDATE facts SET value = 'dedup-index/2' WHERE name = 'format'")
        message = r"catalogue\.sqlite: is of version 'dedup-index/2'; this program reads 'dedup-index/1'"
        for call in (lambda: Snapshot.of(folder), lambda: add(folder, []), lambda: list(problems(folder))):
            with pytest.raises(DedupIndexError, match=message):
                call()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE segments SET documents = 2",
            "UPDATE segments SET run = 'r'",
            "UPDATE segments SET removed = x'00000000'",
            "DELETE FROM segments",
            "UPDATE facts SET value = replace(value, '\"ngram\": 5', '\"ngram\": 4') WHERE name = 'shape'",
            "DELETE FROM facts WHERE name = 'checksum'",
            "DELETE FROM facts WHERE name = 'shape'",
            "DROP TABLE segments",
        ],
    )
    def test_what_was_changed_by_others(self, folder: Path, statement: str) -> None:
        changed(folder, statement)
        with pytest.raises(DamagedIndexError, match=r"catalogue\.sqlite: is damaged"):
            Snapshot.of(folder)
        with pytest.raises(DamagedIndexError, match=r"catalogue\.sqlite: is damaged"):
            compact(folder)
        assert len(segments(folder)) == 1
        (problem,) = problems(folder)
        assert "catalogue.sqlite: is damaged" in problem

    def test_other_shingles_are_refused(self, tmp_path: Path) -> None:
        create(tmp_path / "ix", Shape(shingles="dedup-shingles/0"))
        with pytest.raises(
            DedupIndexError, match=r"holds shingles of version 'dedup-shingles/0'; .* build the index anew"
        ):
            Snapshot.of(tmp_path / "ix")


class TestVacant:
    def test_nothing_is_overwritten(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "a").write_text("mine")
        (tmp_path / "empty").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "empty")
        (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
        before = sorted(tmp_path.rglob("*"))
        for name in ("ix", "file", "full", "link", "nowhere"):
            for make in (create, lambda where, shape: build(where, [], shape)):
                with pytest.raises(
                    DedupIndexError, match=f"{name}: is there already, and is not an empty folder"
                ):
                    make(tmp_path / name, Shape())
        assert sorted(tmp_path.rglob("*")) == before
        assert len(Snapshot.of(folder)) == 3

    def test_an_empty_folder_will_do(self, tmp_path: Path) -> None:
        (tmp_path / "ix").mkdir()
        build(tmp_path / "ix", documents(["some words"]), Shape())
        assert len(Snapshot.of(tmp_path / "ix")) == 1

    def test_where_nothing_can_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for make in (create, lambda where, shape: build(where, [], shape)):
            with pytest.raises(
                DedupIndexError, match=r"file/ix: cannot be made: (not a directory|file exists)"
            ):
                make(tmp_path / "file" / "ix", Shape())

    @pytest.mark.parametrize(
        "name", ["a b", "a?mode=memory", "a#b", "a%41b", "ü😀", "a;b&c='d'", "-x", "\udcff"]
    )
    def test_odd_names(self, tmp_path: Path, name: str) -> None:
        where = tmp_path / name
        build(where, documents(["some words here"]), Shape(text=True))
        add(where, documents(["other words there"], "e"))
        assert sorted(held(where).values()) == ["other words there", "some words here"]
        assert list(problems(where)) == []
        assert [path.name for path in tmp_path.iterdir()] == [name]

    def test_a_link_to_an_index_is_one(self, folder: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(folder)
        add(link, documents(["other words there"], "e"))
        assert len(Snapshot.of(folder)) == len(Snapshot.of(link)) == 4


class TestWriters:
    def test_a_second_writer_is_told_at_once(self, folder: Path) -> None:
        changes = [
            lambda: add(folder, documents(["more"]), wait=0),
            lambda: add(folder, documents(["more"]), run="r", wait=0),
            lambda: commit(folder, "r", wait=0),
            lambda: abort(folder, "r", wait=-1),
            lambda: remove(folder, ["d1"], wait=0),
            lambda: compact(folder, wait=0),
        ]
        with locked(folder):
            for change in changes:
                with pytest.raises(DedupIndexError, match=f"ix: {BUSY}{WAIT}$"):
                    change()
            assert len(held(folder)) == 3  # readers are not in the way
            assert list(problems(folder)) == []
            assert facts(folder)["documents"] == 3

    def test_a_second_writer_waits(self, folder: Path) -> None:
        with locked(folder) as first:
            other = threading.Thread(target=add, args=(folder, documents(["more"], "e")))
            other.start()
            time.sleep(0.3)
            assert other.is_alive()
            first.execute("ROLLBACK")
            other.join()
        assert len(held(folder)) == 4

    def test_readers_wait_while_a_writer_commits(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = []
        with locked(folder, "EXCLUSIVE") as writer:
            reader = threading.Thread(target=lambda: found.append(list(problems(folder))))
            reader.start()
            time.sleep(0.2)
            assert reader.is_alive()
            writer.execute("ROLLBACK")
            reader.join()
        assert found == [[]]
        monkeypatch.setattr(catalogue, "_READING", 0.1)
        for read in (Snapshot.of, facts):  # by commands that have no --wait
            with locked(folder, "EXCLUSIVE"), pytest.raises(DedupIndexError, match=f"{BUSY}$"):
                read(folder)

    def test_a_reader_that_stays_stops_a_commit_and_nothing_is_lost(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(catalogue, "_READING", 0.1)
        with catalogue.reading(folder), pytest.raises(DedupIndexError, match=BUSY):
            add(folder, documents(["more"], "e"))
        assert len(held(folder)) == 3
        assert len(segments(folder)) == 1

    def test_files_of_the_next_writer_are_left_alone(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may begin as soon as the lock is given back, before the first one has deleted what it merged."""
        theirs = folder / "segments" / "00000099.segment"

        class Followed(sqlite3.Connection):
            def execute(self, *arguments: object) -> sqlite3.Cursor:
                cursor = super().execute(*arguments)
                if arguments[0] in ("COMMIT", "ROLLBACK"):
                    theirs.write_text("under way")
                return cursor

        add(folder, documents(["more words"], "e"))
        real = sqlite3.connect
        monkeypatch.setattr(sqlite3, "connect", lambda *a, **more: real(*a, factory=Followed, **more))
        compact(folder)
        assert theirs.exists()
        assert [file.name for file in segments(folder)] == ["00000003.segment", theirs.name]
        with pytest.raises(AttributeError):
            add(folder, [None])
        assert theirs.exists()

    def test_an_interruption_after_the_commit_takes_nothing_back(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Interrupted(sqlite3.Connection):
            def execute(self, *arguments: object) -> sqlite3.Cursor:
                cursor = super().execute(*arguments)
                if arguments[0] == "COMMIT":
                    raise KeyboardInterrupt
                return cursor

        real = sqlite3.connect
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", lambda *a, **more: real(*a, factory=Interrupted, **more))
            with pytest.raises(KeyboardInterrupt):
                add(folder, documents(["more words"], "e"))
        assert list(problems(folder)) == []
        assert len(held(folder)) == 4

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, OSError, MemoryError])
    def test_a_change_that_fails_leaves_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
    ) -> None:
        before = held(folder)

        def items() -> Iterator[Document]:
            yield from documents(["one more"], "e")
            raise kind("disk is full")

        expected = DedupIndexError if kind is OSError else kind
        with pytest.raises(expected):
            add(folder, items())
        real = segment.finish

        def finish(*arguments: object) -> None:
            real(*arguments)
            raise kind("disk is full")

        remove(folder, ["d0"])
        monkeypatch.setattr(segment, "finish", finish)
        for change in (lambda: add(folder, documents(["one more"], "e")), lambda: compact(folder)):
            with pytest.raises(expected):
                change()
        assert [file.name for file in segments(folder)] == ["00000001.segment"]
        assert list(problems(folder)) == []
        assert set(held(folder)) == set(before) - {("d0", version) for _, version in before}

    def test_a_build_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        def items() -> Iterator[Document]:
            yield from documents(["one", "two"])
            assert [path.name for path in tmp_path.iterdir()] == [asides[0].name]
            raise KeyboardInterrupt

        asides: list[Path] = []
        with pytest.raises(KeyboardInterrupt):
            build(tmp_path / "ix", items(), Shape(), begun=asides.append)
        assert list(tmp_path.iterdir()) == []

    def test_who_may_not_write_deletes_nothing(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that no segment has may be that of a writer who is at work."""
        left = folder / "segments" / "00000002.segment"
        left.write_text("under way")
        name = f"{(folder / 'catalogue.sqlite').as_uri()}?mode=ro"
        monkeypatch.setattr(
            catalogue, "_connected", lambda *_: sqlite3.connect(name, uri=True, isolation_level=None)
        )
        for change in (lambda: add(folder, documents(["more"], "e")), lambda: compact(folder)):
            with pytest.raises(DedupIndexError, match="ix: attempt to write a readonly database"):
                change()
        assert left.exists()
        assert len(held(folder)) == 3

    def test_files_of_a_writer_that_was_killed_are_deleted_by_the_next(self, folder: Path) -> None:
        left = folder / "segments" / "00000002.segment"
        shutil.copy(segments(folder)[0], left)
        (folder / "segments" / "note.txt").write_text("mine")
        assert list(problems(folder)) == []
        assert len(held(folder)) == 3
        remove(folder, [])
        assert not left.exists()
        assert (folder / "segments" / "note.txt").exists()


def test_what_is_made_for_one_shape_is_not_asked_with_another(tmp_path: Path) -> None:
    shape = Shape.of(Settings(ngram=4, num_perm=64, seed=3), text=False)
    for change in ({"ngram": 5}, {"num_perm": 128}, {"seed": 1}):
        asked = Settings(**{"ngram": 4, "num_perm": 64, "seed": 3, **change})
        name = next(iter(change)).replace("_", "-")
        with pytest.raises(
            SettingsError, match=rf"ix: was built with --{name} \d+, not {next(iter(change.values()))}"
        ):
            shape.check(asked, "ix")
    shape._replace(text=True).check(Settings(ngram=4), "ix")  # signatures are not asked
    with pytest.raises(SettingsError, match="num_perm is 17; expected an even number"):
        Shape.of(Settings(num_perm=17), text=True)
    with pytest.raises(SettingsError, match="leave out --no-documents"):
        Shape.of(Settings(documents=False), text=True)


def test_a_folder_that_is_an_index_is_no_input(folder: Path) -> None:
    assert (catalogue.NAME, catalogue.FOLDER) == walk.INDEX
    (folder.parent / "a.txt").write_text("text")
    (folder.parent / "half").mkdir()
    (folder.parent / "half" / "catalogue.sqlite").write_text("a file like any other")
    found = [Path(str(item)).name for item in walk.files([str(folder.parent)], "-")]
    assert found == ["a.txt", "catalogue.sqlite"]
