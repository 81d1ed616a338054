"""Records: their bytes make up the input, whatever it holds, and the tap sees the file."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.model import Document, Skipped, Source
from dedup.read import NOT_READ, Input, Options, Record, documents, inputs, records, values
from tests.unit.reading import content, found, taken


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


NEWLINE = st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n\t\r\n", b"\r", b""])
LINE = st.one_of(
    st.text(max_size=9).map(lambda text: json.dumps({"text": text}).encode()),
    st.text(max_size=9).map(lambda text: f'{{"text": {json.dumps(text)}, "id": "é{len(text)}"}}'.encode()),
    st.binary(max_size=12),
    st.sampled_from([b"\xef\xbb\xbf", b"{}", b'{"text": 1}', b"x" * 200, b" " * 200]),
)  # fmt: skip
JSONL = st.lists(st.tuples(LINE, NEWLINE), max_size=12).map(lambda parts: b"".join(map(b"".join, parts)))
CELL = st.sampled_from(
    [b"text", b"id", b"a", b'"q, ""x"""', b'"two\r\n\n lines"', b'"', b'x"y', b"", b"\xff", b"c" * 70]
)
ROW = st.tuples(st.lists(CELL, max_size=3), st.sampled_from([b",", b",", b";", b"\t"])).map(
    lambda row: row[1].join(row[0])
)
TABLE = st.tuples(
    st.sampled_from([b"", b"text,id\n", b"\xef\xbb\xbfid,text\r\n", b"id\ttext\n", b"\n\ntext\n"]),
    st.lists(st.tuples(ROW, NEWLINE), max_size=9).map(lambda parts: b"".join(map(b"".join, parts))),
).map(b"".join)
LIMIT = st.sampled_from([0, 1, 64, 100_000_000])
EASY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class TestPieces:
    @EASY
    @given(JSONL, LIMIT)
    def test_json_lines(self, data: bytes, limit: int) -> None:
        options = Options(max_record_size=limit)
        items = taken("a.jsonl", data, options)
        assert content(items) == data
        for item in items:
            assert item.source.line == data[: item.source.byte_offset].count(b"\n") + 1

    @EASY
    @given(JSONL, LIMIT, st.sampled_from(["a.txt", "a.png"]))
    def test_a_file_that_is_the_record(self, data: bytes, limit: int, name: str) -> None:
        assert content(taken(name, data, Options(max_record_size=limit))) == data

    @EASY
    @given(TABLE, LIMIT, st.sampled_from(["a.csv", "a.tsv"]))
    def test_tables(self, data: bytes, limit: int, name: str) -> None:
        items = taken(name, data, Options(max_record_size=limit))
        assert content(items) == data
        assert sum(item.is_frame for item in items) <= 1
        for item in items:
            assert item.source.line == data[: item.source.byte_offset].count(b"\n") + 1

    @EASY
    @given(st.one_of(JSONL, TABLE), LIMIT, st.integers(1, 40), st.sampled_from(["a.jsonl.gz", "a.csv.gz"]))
    def test_half_a_gzip(self, data: bytes, limit: int, missing: int, name: str) -> None:
        packed = gzip.compress(data)
        items = found(name, packed[: -min(missing, len(packed))], Options(max_record_size=limit))[1]
        whole = content([item for item in items[:-1] if isinstance(item, Record)])
        assert data.startswith(whole)
        assert missing > 8 or whole == data  # only the trailer is missing
        last = items[-1]
        assert isinstance(last, Skipped)
        assert f"it ends after {len(whole):,} bytes of its content" in last.reason


class TestRecords:
    def test_lines(self) -> None:
        data = b'\n\n{"text": "a"}\n{"no": 1}\r\n\n'
        assert taken("a.jsonl", data) == [
            Record(b"\n\n", Source("a.jsonl", 1, 0)),
            Record(b'{"text": "a"}\n', *2 * (Source("a.jsonl", 3, 2),))._replace(
                document=Document("a.jsonl:3", "a", Source("a.jsonl", 3, 2))
            ),
            Record(b'{"no": 1}\r\n', Source("a.jsonl", 4, 16), None, "no field 'text'; found 'no'"),
            Record(b"\n", Source("a.jsonl", 5, 27)),
        ]

    def test_many_blank_lines_are_not_held_together(self) -> None:
        items = taken("a.jsonl", b"\n" * 350_000 + b"{}")
        assert max(len(item.raw) for item in items) < 200_000
        assert len(items) == 4
        assert (items[-1].source.line, content(items)) == (350_001, b"\n" * 350_000 + b"{}")

    def test_a_record_above_the_limit_is_mapped(self) -> None:
        line = json.dumps({"text": "x" * 300_000}).encode() + b"\n"
        first, second, third = taken(
            "a.jsonl", b'{"text": "a"}\n' + line * 2, Options(max_record_size=300_000)
        )
        assert first.document is not None
        assert isinstance(second.raw, mmap)
        assert second.document is None
        assert second.skipped == Skipped("a.jsonl:2", "300,013 bytes, and --max-record-size allows 300,000")
        assert bytes(second.raw) == bytes(third.raw) == line

    def test_other_files_are_carried(self) -> None:
        entry, items = found("a.png.gz", b"\x89PNG")
        assert entry == Input("a.png.gz", "other", "")
        assert items == [Record(b"\x89PNG", Source("a.png.gz", None, 0), None, NOT_READ)]

    def test_a_damaged_text_has_its_bytes_and_no_document(self) -> None:
        data = os.urandom(3000)
        record, skipped = found("a.txt.gz", gzip.compress(data)[:-1000])[1]
        assert isinstance(record, Record)
        assert data.startswith(bytes(record.raw))
        assert record.document is record.reason is None
        assert isinstance(skipped, Skipped)

    def test_the_tap_sees_what_stands_behind_damage(self) -> None:
        found("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n') + os.urandom(3_000_000))

    def test_standard_input(self) -> None:
        (entry,) = inputs(["-"])
        seen: list[bytes] = []
        items = records(
            entry, stdin=io.BytesIO(b'{"text": "a"}'), tap=lambda chunk: seen.append(bytes(chunk))
        )
        assert [item.raw for item in items if isinstance(item, Record)] == [b'{"text": "a"}'] == seen[:1]
        assert {*seen[1:]} == {b""}  # where it ends

    def test_a_file_that_is_gone_when_its_turn_comes(self) -> None:
        Path("a.txt").touch()
        (entry,) = inputs(["a.txt"])
        Path("a.txt").unlink()
        assert isinstance(entry, Input)
        assert list(records(entry)) == [Skipped("a.txt", "cannot be read: no such file or directory")]


class TestValues:
    def test_of_a_line(self) -> None:
        data = b'\xef\xbb\xbf{"text": "a", "score": 3}\n{"text": "b", "big": 1e999, "n": NaN}\n[1]\nno\n'
        entry, items = found("a.jsonl", data)
        read = [values(item, entry) for item in items if isinstance(item, Record)]
        assert read[0] == {"text": "a", "score": 3}
        assert set(read[1]) == {"text", "big", "n"}
        assert read[2:] == [{}, {}]

    def test_of_a_file(self) -> None:
        entry, (item,) = found("a.txt", b"a")
        os.utime("a.txt", (5, 7.5))
        assert isinstance(item, Record)
        assert values(item, entry) == {"mtime": 7.5}


def test_lines_come_as_they_are_written() -> None:
    """A pipe need not be full before its first line is read."""
    reader, writer = os.pipe()
    with open(reader, "rb") as stdin, open(writer, "wb", buffering=0) as out:
        items: Iterator[Document | Skipped] = documents(["-"], stdin=stdin)
        out.write(b'{"text": "a"}\n{"te')
        assert isinstance(next(items), Document)
