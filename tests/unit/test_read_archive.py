"""ZIP and tar archives: their members as inputs, what they must not do, and what a writer needs to rebuild them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.model import Document, Skipped, Source
from dedup.read import NOT_READ, Options, Record, documents, values
from dedup.read.archive import leads_outside
from tests.unit.reading import found, put, taken, texts

FILES = {
    "one.txt": b"one",
    "d/two.jsonl": b'{"text": "two"}\n\n{"text": "three", "id": "x"}\n',
    "d/four.csv.gz": gzip.compress(b"text\nfour\n"),
    "empty.jsonl": b"",
    "picture.png": b"\x89PNG",
}
READ = ["one", "two", "three", "four"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), data, method)
    return file.getvalue()


def tarred(files: dict[str, bytes], more: list[tarfile.TarInfo] | None = None) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
        for info in more or []:
            archive.addfile(info)
    return file.getvalue()


def entry(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


ARCHIVES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a.zip": zipped,
    "stored.zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "lzma.zip": lambda files: zipped(files, zipfile.ZIP_LZMA),
    "a.zip.gz": lambda files: gzip.compress(zipped(files)),
    "a.tar": tarred,
    "a.tar.gz": lambda files: gzip.compress(tarred(files)),
    "A.TGZ": lambda files: gzip.compress(tarred(files)),
    "a.tar.bz2": lambda files: bz2.compress(tarred(files)),
    "a.txz": lambda files: lzma.compress(tarred(files)),
}
EVERY = pytest.mark.parametrize("name", list(ARCHIVES))


@EVERY
class TestEvery:
    def test_members_are_inputs(self, name: str) -> None:
        items = taken(name, ARCHIVES[name](FILES))
        assert texts(items) == READ
        assert items[0].document == Document(f"{name}!one.txt", "one", Source(f"{name}!one.txt", None, 0))
        assert items[3].document == Document("x", "three", Source(f"{name}!d/two.jsonl", 3, 17))
        assert [item.skipped for item in items if item.skipped] == [Skipped(f"{name}!picture.png", NOT_READ)]

    def test_places_lead_to_what_was_packed(self, name: str) -> None:
        rebuilt: dict[str, bytes] = {}
        for item in taken(name, ARCHIVES[name](FILES)):
            member = getattr(item.place.entry, "filename", None) or item.place.entry.name
            rebuilt[member] = rebuilt.get(member, b"") + bytes(item.raw)
            assert item.place.input.path == f"{name}!{member}"
        assert rebuilt == {**FILES, "d/four.csv.gz": b"text\nfour\n"}

    def test_values(self, name: str) -> None:
        found_, items = found(name, ARCHIVES[name](FILES))
        read = [values(item, found_) for item in items if isinstance(item, Record)]
        assert read[0].keys() == {"mtime"}
        assert read[3] == {"text": "three", "id": "x"}

    def test_an_archive_in_an_archive_is_carried(self, name: str) -> None:
        inner = zipped(FILES)
        (item,) = taken(name, ARCHIVES[name]({"in.zip": inner}))
        assert (item.raw, item.reason) == (inner, "an archive in an archive; not entered")

    @pytest.mark.parametrize(
        "member", ["../up.txt", "/etc/passwd.txt", "a/../../b.txt", "..\\up.txt", "C:\\x.txt"]
    )
    def test_names_that_lead_outside(self, name: str, member: str) -> None:
        (item,) = taken(name, ARCHIVES[name]({member: b"data"}))
        shown = item.place.input.path.partition("!")[2]
        assert item.skipped == Skipped(f"{name}!{shown}", "a name that leads outside the archive; not read")
        assert item.raw == b"data"
        assert sorted(os.listdir()) == [name]

    def test_cut_off(self, name: str) -> None:
        files = {f"{number}.txt": os.urandom(30_000).hex().encode() for number in range(9)}
        data = ARCHIVES[name](files)
        *good, last = documents([put(name, data[: len(data) // 2])])
        assert isinstance(last, Skipped)
        assert last.source == name
        assert last.reason.startswith(("damaged ", "truncated "))
        assert name.endswith(("zip", "zip.gz", "bz2")) or len(texts(good)) >= 3

    @pytest.mark.parametrize("data", [b"", b"junk" * 1000])
    def test_no_archive_at_all(self, name: str, data: bytes) -> None:
        (item,) = documents([put(name, data)])
        assert isinstance(item, Skipped)
        assert item.source == name

    def test_no_members(self, name: str) -> None:
        assert taken(name, ARCHIVES[name]({})) == []

    def test_a_member_that_is_a_bomb(self, name: str) -> None:
        data = ARCHIVES[name]({"a.txt": b"first", "b.jsonl": bytes(60_000_000), "c.txt": b"last"})
        tracemalloc.start()
        begun = time.monotonic()
        items = list(documents([put(name, data)], Options(max_record_size=2_000_000)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert "first" in texts(items)
        reasons = [item.reason for item in items if isinstance(item, Skipped)]
        expected = (
            "--max-record-size allows"
            if name in ("a.tar", "stored.zip")
            else "looks like a decompression bomb"
        )
        assert expected in reasons[0]
        # zipfile unpacks LZMA by 4 kB of it.
        assert peak < (220_000_000 if name == "lzma.zip" else 40_000_000)
        assert time.monotonic() - begun < 20


class TestZip:
    def test_directories_are_frames(self) -> None:
        frame, item = taken("a.zip", zipped({"d/": b"", "d/a.txt": b"a"}))
        assert (frame.raw, frame.is_frame, frame.document, frame.reason) == (b"", True, None, None)
        assert frame.place.entry.is_dir()
        assert texts([item]) == ["a"]

    def test_encrypted(self) -> None:
        data = bytearray(zipped({"a.txt": b"a", "b.txt": b"b"}))
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(mark) + offset] |= 1
        first, second = taken("a.zip", bytes(data))
        assert first.skipped == Skipped("a.zip!a.txt", "encrypted")
        assert texts([second]) == ["b"]

    def test_a_damaged_member(self) -> None:
        data = bytearray(zipped({"a.txt": b"first member", "b.txt": b"second"}, zipfile.ZIP_STORED))
        data[data.index(b"first")] ^= 1
        items = list(documents([put("a.zip", bytes(data))]))
        assert items[0] == Skipped("a.zip!a.txt", "damaged ZIP data (bad CRC-32 for file 'a.txt')")
        assert texts(items) == ["second"]

    def test_an_unknown_method(self) -> None:
        data = bytearray(zipped({"a.txt": b"a"}))
        for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            data[data.index(mark) + offset] = 99
        (item,) = documents([put("a.zip", bytes(data))])
        assert item == Skipped("a.zip!a.txt", "damaged ZIP data (that compression method is not supported)")

    def test_times(self) -> None:
        found_, (item,) = found("a.zip", zipped({"a.txt": b"a"}))
        assert isinstance(item, Record)
        assert values(item, found_) == {"mtime": 1704164646.0}


class TestTar:
    def test_what_is_no_file_is_carried_as_a_frame(self) -> None:
        more = [
            entry("d", tarfile.DIRTYPE),
            entry("link.txt", tarfile.SYMTYPE, "/etc/passwd"),
            entry("hard.txt", tarfile.LNKTYPE, "a.txt"),
            entry("null.txt", tarfile.CHRTYPE),
            entry("pipe.txt", tarfile.FIFOTYPE),
        ]
        first, *others = taken("a.tar", tarred({"a.txt": b"a"}, more))
        assert texts([first]) == ["a"]
        assert [(item.raw, item.is_frame, item.document, item.reason) for item in others] == [
            (b"", True, None, None)
        ] * 5
        assert others[1].place.entry.linkname == "/etc/passwd"

    def test_standard_input(self) -> None:
        items = documents(
            ["-"], Options(input_format="tar.gz"), stdin=io.BytesIO(gzip.compress(tarred(FILES)))
        )
        assert texts(list(items)) == READ

    @pytest.mark.slow
    def test_many_members_are_not_held(self) -> None:
        put("a.tar", tarred({f"{number}.txt": b"x" for number in range(20_000)}))
        tracemalloc.start()
        assert sum(1 for _ in documents(["a.tar"])) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8_000_000


def test_names() -> None:
    assert not any(map(leads_outside, ("a", "a/b", "a..b/c", "..a", "d/", "./a")))
    assert all(map(leads_outside, ("..", "a/..", "/a", "\\a", "c:a", "a\\..\\b", "", "a\0b")))


EASY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
LINES = st.lists(
    st.one_of(
        st.binary(max_size=9), st.text(max_size=9).map(lambda text: json.dumps({"text": text}).encode())
    ),
    max_size=5,
).map(b"\n".join)


@EASY
@given(
    st.dictionaries(st.sampled_from(["a.txt", "b.jsonl", "c.csv", "d/e.png", "f.tsv"]), LINES),
    st.sampled_from(["a.zip", "a.tar", "a.tar.gz"]),
    st.sampled_from([0, 5, 1000]),
)
def test_the_pieces_of_every_member_make_it_up(files: dict[str, bytes], name: str, limit: int) -> None:
    rebuilt: dict[str, bytes] = {}
    items: list[Any] = found(name, ARCHIVES[name](files), Options(max_record_size=limit))[1]
    for item in items:
        member = getattr(item.place.entry, "filename", None) or item.place.entry.name
        rebuilt[member] = rebuilt.get(member, b"") + bytes(item.raw)
    assert rebuilt == files
