"""Rows of CSV and TSV files: their documents, their bytes, and what can be wrong with them."""

from __future__ import annotations

import tracemalloc
from mmap import mmap
from pathlib import Path

import pytest

from dedup.model import Document, Skipped, Source
from dedup.read import Options, Record, documents, values
from tests.unit.reading import content, found, put, taken, texts

BOM = b"\xef\xbb\xbf"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_row_is_a_document() -> None:
    data = b'id,text\r\nx,one\r\n,"two ""\n lines"\r\n\r\n7,'
    frame, first, second, blank, last = taken("a.csv", data)
    assert (frame.raw, frame.is_frame, frame.document, frame.reason) == (b"id,text\r\n", True, None, None)
    assert first.document == Document("x", "one", Source("a.csv", 2, 9))
    assert second.document == Document("a.csv:3", 'two "\n lines', Source("a.csv", 3, 16))
    assert second.raw == b',"two ""\n lines"\r\n'
    assert (blank.raw, blank.document, blank.reason) == (b"\r\n", None, None)
    assert last.document == Document("7", "", Source("a.csv", 6, 36))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_what_separates_fields_is_seen_in_the_first_row(separator: str) -> None:
    data = BOM + "id*text\na*one, two\n".replace("*", separator).encode()
    data = data.replace(b"one, two", b'"one, two"')
    assert texts(taken("a.csv", data)) == ["one, two"]


def test_tabs() -> None:
    assert texts(taken("a.tsv", b"text\tid\none, two\tx\n")) == ["one, two"]


def test_columns_have_names() -> None:
    options = Options(text_field="body", id_field="url")
    (_, row) = taken("a.csv", b"url,text,body\nu,no,one\n", options)
    assert row.document is not None
    assert row.document[:2] == ("u", "one")


def test_without_the_text_column_the_rows_are_carried() -> None:
    data = b"id,body\nx,one\ny,two\n"
    items = taken("a.csv", data)
    assert content(items) == data
    assert [item.skipped for item in items if item.skipped] == [
        Skipped("a.csv:1", "no column 'text'; the first row has 'id', 'body'")
    ]
    assert not texts(items)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"x\n", "1 field, and the first row has 2"),
        (b"x,y,z\n", "3 fields, and the first row has 2"),
        (b"x,caf\xe9\n", "not UTF-8: byte 0xe9 at byte offset 17"),
        (b"x,\ry\n", "not CSV: new-line character seen in unquoted field"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_on(row: bytes, reason: str) -> None:
    data = b"id,text\na,b\n" + row + b"c,d\n"
    items = taken("a.csv", data)
    assert texts(items) == ["b", "d"]
    assert items[2].skipped == Skipped("a.csv:3", reason)
    assert items[2].raw == row


def test_a_quote_that_is_never_closed() -> None:
    items = taken("a.csv", b'text\na\n"b\nc\nd\n')
    assert texts(items) == ["a"]
    assert items[2].skipped == Skipped("a.csv:3", "a quoted field that begins in this row does not end")
    assert items[2].raw == b'"b\nc\nd\n'


def test_the_first_row_is_bad() -> None:
    items = taken("a.csv", b"text,\xff\na,b\n")
    assert [item.skipped for item in items] == [
        Skipped("a.csv:1", "not UTF-8: byte 0xff at byte offset 5"),
        None,
    ]


@pytest.mark.parametrize("data", [b"", b"\n\n", BOM])
def test_nothing(data: bytes) -> None:
    items = taken("a.csv", data)
    assert content(items) == data
    assert not texts(items)


class TestLargeRows:
    ROW = b'x,"' + b"many words\n" * 1000 + b'"\n'

    @pytest.mark.parametrize("row", [ROW, b"x," + b"y" * 30_000 + b"\n", b'x,"' + b"y" * 30_000 + b'\n"\n'])
    def test_one_is_set_aside_and_the_rest_goes_on(self, row: bytes) -> None:
        data = b"id,text\na,b\n" + row + b"c,d\n"
        items = taken("a.csv", data, Options(max_record_size=5000))
        assert content(items) == data
        assert texts(items) == ["b", "d"]
        assert isinstance(items[2].raw, mmap)
        assert items[2].skipped == Skipped(
            "a.csv:3", f"{len(row):,} bytes, and --max-record-size allows 5,000"
        )
        assert items[3].source.line == data[: -len(b"c,d\n")].count(b"\n") + 1

    def test_a_field_of_many_megabytes(self) -> None:
        assert texts(taken("a.csv", b"text\n" + b"x" * 3_000_000)) == ["x" * 3_000_000]

    @pytest.mark.slow
    def test_a_quote_that_is_never_closed_costs_no_memory(self) -> None:
        put("a.csv", b'text\n"' + b"word after word\n" * 2_000_000)
        tracemalloc.start()
        (item,) = documents(["a.csv"], Options(max_record_size=1_000_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert item == Skipped("a.csv:2", "32,000,001 bytes, and --max-record-size allows 1,000,000")
        assert peak < 12_000_000


def test_values() -> None:
    entry, items = found("a.csv", b'date,text\n"1\n2",a\nno\n')
    read = [values(item, entry) for item in items if isinstance(item, Record)]
    assert read == [{}, {"date": "1\n2", "text": "a"}, {}]
