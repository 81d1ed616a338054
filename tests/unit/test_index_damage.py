"""One wrong byte, a missing end, another version: told as such, and never answered from."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dedup.errors import DamagedIndexError, DedupIndexError
from dedup.index import Snapshot, add, compact, pages, remove
from dedup.index.pages import Pages, PagesWriter
from dedup.index.verify import problems
from dedup.model import Document
from tests.indexing import answer, documents, index_of, segments
from tests.unit.prose import Prose

PROSE = Prose()
TEXTS = [PROSE.words(40) for _ in range(6)]
NEW = [
    Document("copy", TEXTS[0]),
    Document("passage", PROSE.round(TEXTS[1][:150])),
    Document("own", PROSE.words(50)),
]
NAMES = ("texts", "no texts")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Indexes of one small segment, with and without texts."""
    folder = tmp_path_factory.mktemp("indexes")
    return {
        name: index_of(folder / name, documents(TEXTS), text=name == "texts", num_perm=128) for name in NAMES
    }


@pytest.fixture(params=NAMES)
def folder(request: pytest.FixtureRequest, folders: dict[str, Path], tmp_path: Path) -> Path:
    """An index that may be spoilt."""
    return shutil.copytree(folders[request.param], tmp_path / "ix")


def outcome(call: Callable[[], object]) -> object:
    """What a call gives, or the kind of its error, which is one line."""
    try:
        return call()
    except DedupIndexError as error:
        return type(error) if "\n" not in str(error) else str(error)


def test_a_flipped_byte_is_found_and_never_answered_from(folder: Path) -> None:
    (file,) = segments(folder)
    data, wanted = file.read_bytes(), answer(folder, NEW)
    dice = random.Random(1)
    places = {*range(0, len(data), 17), *range(16), *range(len(data) - 300, len(data))}
    for place in sorted(places):
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << dice.randrange(8)
        file.write_bytes(spoilt)
        found = list(problems(folder))
        assert len(found) == 1, place
        assert str(file) in found[0], place
        assert outcome(lambda: answer(folder, NEW)) in (DamagedIndexError, wanted), place
    file.write_bytes(data)
    assert list(problems(folder)) == []
    assert answer(folder, NEW) == wanted


def test_a_flipped_byte_that_a_query_reads_stops_it(folder: Path) -> None:
    """In a file of one page every query reads it."""
    (file,) = segments(folder)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(
        DamagedIndexError, match=r"00000001\.segment: is damaged: bytes 0 to .*dedup index verify"
    ):
        answer(folder, NEW)
    for change in (
        lambda: add(folder, [Document("n", "new words")]),
        lambda: remove(folder, ["d1"]),
    ):
        assert outcome(change) is DamagedIndexError
    assert len(list(problems(folder))) == 1


def test_a_file_cut_short_or_longer_at_any_length(folder: Path) -> None:
    (file,) = segments(folder)
    data = file.read_bytes()
    lengths = {0, 1, 15, 16, 17, 40, 63, *range(20, len(data), 97), *range(len(data) - 70, len(data))}
    for spoilt in [*(data[:length] for length in sorted(lengths)), data + b"\0", data + data]:
        file.write_bytes(spoilt)
        (found,) = problems(folder)
        assert str(file) in found
        assert outcome(lambda: answer(folder, NEW)) is DamagedIndexError
    file.unlink()
    (found,) = problems(folder)
    assert "cannot be read: no such file" in found
    assert outcome(lambda: answer(folder, NEW)) is DamagedIndexError


def test_one_of_several_segments_is_named(folder: Path) -> None:
    add(folder, [Document("more", PROSE.words(30))])
    add(folder, [Document("pending", PROSE.words(30))], run="r")
    for number, file in enumerate(segments(folder)):
        data = file.read_bytes()
        file.write_bytes(data[:200] + b"?" + data[201:])
        (found,) = problems(folder)
        assert found.startswith(f"{file}: ")
        wanted = DamagedIndexError if number < 2 else bytes  # what is pending is not asked
        assert outcome(lambda: type(answer(folder, NEW))) is wanted
        file.write_bytes(data)


def test_a_segment_of_another_index_is_refused(folder: Path, tmp_path: Path) -> None:
    """Its own checksums are right."""
    other = index_of(tmp_path / "other", documents(TEXTS[::-1]), num_perm=128)
    shutil.copy(segments(other)[0], segments(folder)[0])
    assert len(list(problems(folder))) == 1
    assert outcome(lambda: answer(folder, NEW)) is DamagedIndexError


def test_a_segment_of_another_version_is_refused_in_one_line(folder: Path) -> None:
    (file,) = segments(folder)
    other = file.read_bytes().replace(b"dedup-index/1\n", b"dedup-index/2\n")
    for data in (other, other[:-20]):
        file.write_bytes(data.ljust(file.stat().st_size))
        with pytest.raises(
            DedupIndexError, match=r"is of version 'dedup-index/2'; this program reads 'dedup-index/1'"
        ):
            answer(folder, NEW)


def test_a_merge_refuses_what_is_damaged(folder: Path) -> None:
    add(folder, [Document("more", PROSE.words(30))])
    file = segments(folder)[0]
    data = bytearray(file.read_bytes())
    data[300] ^= 4
    file.write_bytes(data)
    assert outcome(lambda: compact(folder)) is DamagedIndexError
    assert [file.name for file in segments(folder)] == ["00000001.segment", "00000002.segment"]


# ---- files of pages -----------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 64)


def paged(path: Path) -> dict[str, np.ndarray]:
    dice = np.random.default_rng(1)
    arrays = {
        "bytes": dice.integers(0, 256, 1000, "u1"),
        "none": np.zeros(0, "<u8"),
        "long": dice.integers(0, 1 << 60, 77, "<i8"),
        "exact": np.arange(16, dtype="<u4"),  # a page
        "void": np.frombuffer(dice.bytes(160), "V16"),
    }
    with PagesWriter(path) as writer:
        for name, values in arrays.items():
            writer.array(name, values, values.dtype.str)
        writer.begin("pieces", "<u2")
        for piece in np.array_split(np.arange(500), 7):
            writer.append(piece)
        writer.finish({"told": [1, "two"]})
    return {**arrays, "pieces": np.arange(500)}


@pytest.mark.usefixtures("small_pages")
class TestPages:
    def test_what_goes_in_comes_out(self, tmp_path: Path) -> None:
        wanted = paged(tmp_path / "f")
        found = Pages(tmp_path / "f")
        assert found.facts == {"told": [1, "two"]}
        for name, values in wanted.items():
            assert name in found
            assert found.length(name) == len(values)
            assert found.whole(name).tolist() == values.tolist()
            half = len(values) // 2
            assert found.slice(name, half, len(values)).tolist() == values[half:].tolist()
            assert found.at(name, np.arange(half)[::-1]).tolist() == values[:half][::-1].tolist()
        assert "other" not in found

    def test_each_byte_is_under_some_checksum(self, tmp_path: Path) -> None:
        paged(tmp_path / "f")
        data = (tmp_path / "f").read_bytes()
        for place in [*range(0, len(data), 5), *range(len(data) - 50, len(data))]:
            spoilt = bytearray(data)
            spoilt[place] ^= 0x10
            (tmp_path / "g").write_bytes(spoilt)
            try:
                (where,) = Pages(tmp_path / "g").damaged()
            except DamagedIndexError:
                continue
            assert where[0] <= place < where[1] <= where[0] + 64

    def test_only_what_is_read_is_checked(self, tmp_path: Path) -> None:
        wanted = paged(tmp_path / "f")
        data = bytearray((tmp_path / "f").read_bytes())
        data[64 + 500] ^= 1  # in the eighth page or so of the first array, which begins at 64
        (tmp_path / "f").write_bytes(data)
        found = Pages(tmp_path / "f")
        assert found.whole("long").tolist() == wanted["long"].tolist()
        assert found.slice("bytes", 0, 400).tolist() == wanted["bytes"][:400].tolist()
        for ask in (
            lambda: found.whole("bytes"),
            lambda: found.slice("bytes", 0, 600),
            lambda: found.at("bytes", np.array([3, 500])),
            lambda: found.check("bytes", np.array([0, 490]), np.array([1, 510])),
        ):
            with pytest.raises(DamagedIndexError, match=r"bytes 512 to 576 are not those that were written"):
                ask()

    def test_a_writer_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="x"), PagesWriter(tmp_path / "f") as writer:
            writer.array("a", ["x"], "<u4")
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("mine")
        with pytest.raises(FileExistsError):
            PagesWriter(tmp_path / "f")
        assert (tmp_path / "f").read_text() == "mine"


# ---- the catalogue ------------------------------------------------------------------------------------------


def test_a_flipped_byte_in_the_catalogue_changes_no_answer(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["texts"], tmp_path / "ix")
    add(folder, [Document("pending", PROSE.words(30))], run="run")
    remove(folder, ["d5"])
    file = folder / "catalogue.sqlite"
    data, wanted = file.read_bytes(), answer(folder, NEW)
    used = [place for place, byte in enumerate(data) if byte]
    dice = random.Random(2)
    for place in sorted({*used[:30], *dice.sample(used, 250)}):
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << dice.randrange(8)
        file.write_bytes(spoilt)
        found = outcome(lambda: list(problems(folder)))  # an error where it is of another version, it seems
        told = outcome(lambda: answer(folder, NEW))
        assert told == wanted or (told in (DamagedIndexError, DedupIndexError) and found), place
        (tmp_path / "ix" / "catalogue.sqlite-journal").unlink(missing_ok=True)


def test_a_catalogue_cut_short(folder: Path) -> None:
    file = folder / "catalogue.sqlite"
    data, wanted = file.read_bytes(), answer(folder, NEW)
    for length in (0, 1, 99, 4095, 4096, 8192, len(data) - 2000):
        file.write_bytes(data[:length])
        assert outcome(lambda: answer(folder, NEW)) in (DamagedIndexError, wanted)
    for length in (len(data) - 1, len(data) - 4, len(data) + 1):
        file.write_bytes((data + b"x")[:length])
        assert any("catalogue.sqlite" in line for line in problems(folder)), length
    file.unlink()
    with pytest.raises(DamagedIndexError, match=r"catalogue\.sqlite: is not there; dedup index rebuild"):
        Snapshot.of(folder)
