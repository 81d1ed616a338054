"""Compressed inputs: every packing, in parts, cut off, damaged, and made to explode."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.errors import DependencyError
from dedup.model import Document, Skipped
from dedup.read import Input, Options, Record, documents, inputs, records
from dedup.read.compression import Unpack, zstandard
from dedup.read.reasons import UnreadableError


def _zstd(data: bytes) -> bytes:
    try:
        module = zstandard()
    except ImportError:
        pytest.skip("zstd is not installed")
    packed: bytes = module.compress(data, options={module.CompressionParameter.checksum_flag: 1})
    return packed


def _lz4(data: bytes) -> bytes:
    packed: bytes = pytest.importorskip("lz4.frame").compress(data, content_checksum=True)
    return packed


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": _zstd,
    "lz4": _lz4,
}
KIND = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd", "lz4": "lz4"}
EVERY = pytest.mark.parametrize("suffix", list(PACK))
EASY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lines(count: int) -> bytes:
    return b"".join(json.dumps({"text": os.urandom(50).hex()}).encode() + b"\n" for _ in range(count))


def texts(items: list[Document | Skipped]) -> list[str]:
    return [item.text for item in items if isinstance(item, Document)]


def read(name: str, data: bytes, options: Options | None = None) -> list[Document | Skipped]:
    Path(name).write_bytes(data)
    return list(documents([name], options or Options()))


@EVERY
class TestEvery:
    def test_records(self, suffix: str) -> None:
        data = lines(3000)
        items = read(f"a.jsonl.{suffix.upper()}", PACK[suffix](data))
        assert texts(items) == [json.loads(line)["text"] for line in data.splitlines()]
        assert len(items) == 3000

    def test_parts(self, suffix: str) -> None:
        pack = PACK[suffix]
        data = pack(b'{"text": "a"}\n{"te') + pack(b"") + pack(b'xt": "b"}\n')
        assert texts(read(f"a.jsonl.{suffix}", data)) == ["a", "b"]

    def test_text(self, suffix: str) -> None:
        assert texts(read(f"a.txt.{suffix}", PACK[suffix](b"one"))) == ["one"]

    @pytest.mark.parametrize("name", ["a.jsonl", "a.txt"])
    def test_cut_off(self, suffix: str, name: str) -> None:
        data = lines(30_000)
        packed = PACK[suffix](data)
        *good, last = read(f"{name}.{suffix}", packed[: len(packed) // 2])
        assert len(good) > 7_000 if name == "a.jsonl" else not good
        assert texts(good) == [json.loads(line)["text"] for line in data.splitlines()[: len(good)]]
        assert isinstance(last, Skipped)
        assert last.reason.startswith(f"truncated {KIND[suffix]} data: it ends after ")

    @pytest.mark.parametrize("cut", range(1, 9))
    def test_cut_off_near_the_end(self, suffix: str, cut: int) -> None:
        data = lines(50)
        if suffix == "zst":
            cut = (cut + 1) // 2  # before the checksum of 4 bytes the one block there is has not ended
        *good, last = read(f"a.jsonl.{suffix}", PACK[suffix](data)[:-cut])
        assert len(good) == 50
        assert isinstance(last, Skipped)
        assert last.reason.startswith(f"truncated {KIND[suffix]} data")

    def test_nothing_at_all(self, suffix: str) -> None:
        PACK[suffix](b"")
        (item,) = read(f"a.jsonl.{suffix}", b"")
        ends = "it ends after 0 bytes of its content; read as far as line 0"
        assert item == Skipped(f"a.jsonl.{suffix}", f"truncated {KIND[suffix]} data: {ends}")

    def test_something_else(self, suffix: str) -> None:
        PACK[suffix](b"")
        (item,) = read(f"a.jsonl.{suffix}", b'{"text": "a"}\n' * 9)
        assert isinstance(item, Skipped)
        assert item.reason.startswith(f"damaged {KIND[suffix]} data (")

    @pytest.mark.parametrize("seed", range(5))
    def test_damage_anywhere_is_told_and_nothing_before_it_is_lost(self, suffix: str, seed: int) -> None:
        data = lines(30_000)
        packed = bytearray(PACK[suffix](data))
        place = random.Random(seed).randrange(20, len(packed))
        packed[place] ^= 0x55
        *good, last = read(f"a.jsonl.{suffix}", bytes(packed))
        assert isinstance(last, Skipped)
        # A block of bzip2 is 900 kB, one of lz4 and zstd up to 128 kB. What stands in whole blocks is there.
        whole = (place / len(packed) - 0.01) * len(data) - (1_000_000 if suffix == "bz2" else 200_000)
        same = 0
        for item, line in zip(good, data.splitlines(), strict=False):
            if not isinstance(item, Document) or item.text != json.loads(line)["text"]:
                break
            same += 1
        assert same * 113 >= whole or (
            last.reason.startswith("damaged xz data") and same * 113 >= whole - 1_000_000
        )

    def test_garbage_after_the_end(self, suffix: str) -> None:
        *good, last = read(f"a.jsonl.{suffix}", PACK[suffix](b'{"text": "a"}\n') + b"garbage, and more of it")
        assert texts(good) == ["a"]
        assert isinstance(last, Skipped)
        assert last.reason.startswith(f"damaged {KIND[suffix]} data (")
        assert last.reason.endswith("seen after 14 bytes of its content; read as far as line 1")

    def test_a_bomb_of_one_line(self, suffix: str) -> None:
        packed = PACK[suffix](b'{"text": "a"}\n' + b"x" * 60_000_000)
        tracemalloc.start()
        *good, last = read(f"a.jsonl.{suffix}", packed, Options(max_record_size=10_000_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert texts(good) == ["a"]
        assert isinstance(last, Skipped)
        assert last.reason.startswith("looks like a decompression bomb (")
        assert peak < 25_000_000  # 8 MB of them the dictionary of xz

    @pytest.mark.parametrize("name", ["a.jsonl", "a.txt"])
    def test_a_bomb_of_blank_lines(self, suffix: str, name: str) -> None:
        packed = PACK[suffix](b"\n" * 30_000_000)
        (item,) = read(f"{name}.{suffix}", packed, Options(max_record_size=10_000_000))
        assert isinstance(item, Skipped)
        assert item.reason.startswith("looks like a decompression bomb (")

    def test_a_long_record_that_is_no_bomb(self, suffix: str) -> None:
        long = json.dumps({"text": os.urandom(500_000).hex()}).encode()
        items = read(
            f"a.jsonl.{suffix}", PACK[suffix](long + b'\n{"text": "b"}\n'), Options(max_record_size=10_000)
        )
        assert items[0] == Skipped(
            f"a.jsonl.{suffix}:1", f"{len(long) + 1:,} bytes, and --max-record-size allows 10,000"
        )
        assert texts(items) == ["b"]

    @EASY
    @given(
        st.lists(st.binary(max_size=3000), max_size=4), st.lists(st.integers(1, 5000), min_size=1, max_size=5)
    )
    def test_all_bytes_come_out_however_they_are_asked_for(
        self, suffix: str, parts: list[bytes], sizes: list[int]
    ) -> None:
        packed = b"".join(map(PACK[suffix], parts)) or PACK[suffix](b"")
        stream = Unpack(io.BytesIO(packed), KIND[suffix])
        taken = b""
        while piece := stream.read(sizes[len(taken) % len(sizes)]):
            taken += piece
        assert taken == b"".join(parts)
        assert (stream.packed, stream.unpacked) == (len(packed), len(taken))


def test_lzma_is_read_too() -> None:
    assert texts(read("a.txt.lzma", lzma.compress(b"one", lzma.FORMAT_ALONE))) == ["one"]


def test_padding_between_parts_of_xz() -> None:
    data = lzma.compress(b'{"text": "a"}\n') + bytes(8) + lzma.compress(b'{"text": "b"}\n') + bytes(4)
    assert texts(read("a.jsonl.xz", data)) == ["a", "b"]
    assert len(read("a.jsonl.xz", data)) == 2


def test_bytes_come_as_soon_as_they_can_be_unpacked() -> None:
    """A slow pipe is not waited for while there is something to read."""
    reader, writer = os.pipe()
    packer = __import__("zlib").compressobj(wbits=31)
    with open(reader, "rb", buffering=0) as file, open(writer, "wb", buffering=0) as out:
        out.write(packer.compress(b"abc") + packer.flush(__import__("zlib").Z_SYNC_FLUSH))
        stream = io.BufferedReader(Unpack(file, "gzip"))
        assert stream.read1(100) == b"abc"


def test_an_error_of_the_file_is_not_taken_for_damage() -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any, /) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error") as error:
        Unpack(Failing(), "bzip2").read(1)
    assert not isinstance(error.value, UnreadableError)


class TestMissingPackage:
    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dedup.read.formats.find_spec", lambda name: None)

    def test_a_file_that_is_given(self) -> None:
        Path("a.jsonl.zst").touch()
        with pytest.raises(DependencyError) as error:
            documents(["a.jsonl.zst"])
        assert str(error.value) == (
            "a.jsonl.zst: reading zstd needs backports.zstd; pip install 'dedup-spans[zstd]'"
        )

    def test_a_file_that_is_met(self) -> None:
        Path("d").mkdir()
        Path("d/a.jsonl.zst").write_bytes(b"packed")
        reason = "reading zstd needs backports.zstd; pip install 'dedup-spans[zstd]'"
        assert list(documents(["d"])) == [Skipped("d/a.jsonl.zst", reason)]
        (entry,) = inputs(["d"])
        assert entry == Input("d/a.jsonl.zst", "other", "")
        (record,) = records(entry)
        assert isinstance(record, Record)
        assert (record.raw, record.reason) == (b"packed", reason)
