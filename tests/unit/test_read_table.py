"""Parquet and Arrow files: rows, their places, and what can be wrong with them."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import json
from importlib import import_module
from mmap import mmap
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import DependencyError
from dedup.model import Document, Skipped, Source
from dedup.read import Input, Options, Record, documents, inputs, values
from tests.unit.reading import found, put, taken, texts

pa: Any = pytest.importorskip("pyarrow")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def parquet(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    import_module("pyarrow.parquet").write_table(table, file, **options)
    return file.getvalue()


def int32(numbers: list[int]) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def arrow(table: Any, kind: str = "new_file", rows: int | None = None) -> bytes:
    file = io.BytesIO()
    with getattr(import_module("pyarrow.ipc"), kind)(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return file.getvalue()


TABLE = pa.table({"id": ["x", "", None, "z"], "text": ["one", "two é", None, ""], "n": [1, 2, 3, 4]})
EVERY = pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.parquet", parquet),
        ("a.arrow", arrow),
        ("a.feather", lambda table: arrow(table, rows=1)),
        ("a.arrow", lambda table: arrow(table, "new_stream")),
        ("a.parquet.gz", lambda table: gzip.compress(parquet(table))),
    ],
)


@EVERY
class TestEvery:
    def test_a_row_is_a_document(self, name: str, make: Any) -> None:
        frame, *rows = taken(name, make(TABLE))
        assert frame.is_frame
        assert frame.place.names == ["id", "text", "n"]
        assert [row.document for row in rows] == [
            Document("x", "one", Source(name, 1)),
            Document(f"{name}:2", "two é", Source(name, 2)),
            None,
            Document("z", "", Source(name, 4)),
        ]
        assert rows[2].skipped == Skipped(f"{name}:3", "the text is null")
        assert json.loads(bytes(rows[1].raw)) == {"id": "", "text": "two é", "n": 2}

    def test_rows_put_together_again_are_the_table(self, name: str, make: Any) -> None:
        frame, *rows = taken(name, make(TABLE))
        batches = [row.place.batch.slice(row.place.row, 1) for row in rows]
        assert pa.Table.from_batches(batches, frame.place).equals(TABLE)

    def test_values(self, name: str, make: Any) -> None:
        entry, items = found(name, make(TABLE))
        assert isinstance(items[2], Record)
        assert values(items[2], entry) == {"id": "", "text": "two é", "n": 2}

    def test_no_rows(self, name: str, make: Any) -> None:
        (frame,) = taken(name, make(TABLE.slice(0, 0)))
        assert (frame.is_frame, frame.reason) == (True, None)

    def test_without_the_text_column_rows_are_carried(self, name: str, make: Any) -> None:
        items = taken(name, make(TABLE.drop_columns(["text"])))
        assert [item.skipped for item in items] == [
            Skipped(name, "no column 'text'; the columns are 'id', 'n'"), None, None, None, None,
        ]  # fmt: skip

    def test_damage(self, name: str, make: Any) -> None:
        (entry,) = inputs([put(name, make(TABLE)[:-40])])
        assert isinstance(entry, Input)
        *_, last = documents([name])
        assert isinstance(last, Skipped)
        assert last.reason.startswith(
            ("damaged Parquet data (", "damaged Arrow data (", "truncated gzip data")
        )


@pytest.mark.parametrize("type", ["large_string", "string_view", "dictionary"])
def test_kinds_of_strings(type: str) -> None:
    texts_ = pa.array(["one", None, "one"])
    column = texts_.dictionary_encode() if type == "dictionary" else texts_.cast(getattr(pa, type)())
    assert texts(taken("a.arrow", arrow(pa.table({"text": column})))) == ["one", "one"]


def test_columns_have_names() -> None:
    (_, row) = taken("a.parquet", parquet(pa.table({"body": ["one"], "n": [7]})), Options("body", "n"))
    assert row.document == Document("7", "one", Source("a.parquet", 1))


def test_a_column_of_another_type() -> None:
    (frame, _) = taken("a.parquet", parquet(pa.table({"text": [1.5]})))
    assert frame.reason == "the column 'text' holds double; expected strings"


def test_many_batches() -> None:
    table = pa.table({"text": [str(number) for number in range(5000)]})
    _, *rows = taken("a.parquet", parquet(table, row_group_size=1500))
    assert texts(rows) == table["text"].to_pylist()
    assert [row.source.line for row in rows] == list(range(1, 5001))
    assert len({row.place.number for row in rows}) > 4


def test_values_of_any_type_tell_rows_apart() -> None:
    table = pa.table(
        {
            "text": ["a"],
            "bytes": [b"\xff"],
            "decimal": [decimal.Decimal("1.10")],
            "when": [datetime.datetime(2024, 1, 2, 3, 4)],
            "how_long": [datetime.timedelta(seconds=5)],
            "list": [[{"x": b"y"}]],
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        }
    )
    (_, row) = taken("a.parquet", parquet(table))
    assert json.loads(bytes(row.raw)) == {
        "text": "a", "bytes": "/w==", "decimal": "1.10", "when": 1704164640000000, "how_long": 5000000,
        "list": [{"x": "eQ=="}], "map": [["k", 1]],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "numbers", "value"),
    [
        (pa.timestamp("ns"), pa.int64(), 10**18 + 1),
        (pa.timestamp("us"), pa.int64(), 3 * 10**17),  # after the year 9999
        (pa.timestamp("us", "Foo/Bar"), pa.int64(), 10**15),
        (pa.date32(), pa.int32(), 2**30),
        (pa.time64("ns"), pa.int64(), 10**13 + 1),
        (pa.duration("s"), pa.int64(), 2**62),
        (pa.list_(pa.timestamp("ns")), pa.list_(pa.int64()), [1]),
        (pa.struct({"a": pa.timestamp("ns")}), pa.struct({"a": pa.int64()}), {"a": 1}),
        (pa.map_(pa.string(), pa.timestamp("ns")), pa.map_(pa.string(), pa.int64()), [("k", 1)]),
    ],
    ids=str,
)
def test_dates_and_times_that_python_has_not(kind: Any, numbers: Any, value: Any) -> None:
    told = json.loads(json.dumps(value))
    plain = pa.array([value, value], numbers).cast(kind)
    for column in (plain,) if pa.types.is_nested(kind) else (plain, plain.dictionary_encode()):
        (_, first, second) = taken("a.arrow", arrow(pa.table({"text": ["a", "b"], "when": column})))
        assert [json.loads(bytes(row.raw))["when"] for row in (first, second)] == [told, told]
        assert "when" in values(first, Input("a.arrow", "arrow", ""))


def test_two_columns_of_one_name() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array([1]), pa.array([2])], ["text", "n", "n"])
    (_, row) = taken("a.arrow", arrow(table))
    assert row.raw == b'["a",1,2]'


@pytest.mark.parametrize(("bytes_", "string"), [("binary", "string"), ("large_binary", "large_string")])
def test_strings_that_are_not_utf8(bytes_: str, string: str) -> None:
    column = pa.array([b"ok", b"\xff"], bytes_).view(string)
    _, first, second = taken("a.arrow", arrow(pa.table({"text": column})))
    assert (first.document and first.document.text, second.reason) == ("ok", "the text is not UTF-8")


def test_offsets_that_lead_astray() -> None:
    """Such a column is in bounds as a whole, and ends the process when its values are looked at."""
    offsets = pa.py_buffer(int32([0, 5, 2, 9]))
    column = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"a" * 9))
    *_, last = documents([put("a.arrow", arrow(pa.table({"text": column})))])
    assert isinstance(last, Skipped)
    assert last.reason.startswith("damaged Arrow data (")


def test_a_large_row_is_set_aside() -> None:
    table = pa.table({"text": ["a", "x" * 50_000, "b"]})
    items = taken("a.parquet", parquet(table), Options(max_record_size=10_000))
    assert texts(items) == ["a", "b"]
    assert isinstance(items[2].raw, mmap)
    assert items[2].skipped == Skipped("a.parquet:2", "50,000 bytes, and --max-record-size allows 10,000")


def test_standard_input() -> None:
    options = Options(input_format="parquet")
    items = documents(["-"], options, stdin=io.BytesIO(parquet(TABLE)))
    assert texts(list(items)) == ["one", "two é", ""]


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.read.formats.find_spec", lambda name: None)
    put("a.parquet", b"x")
    with pytest.raises(
        DependencyError, match=r"^a\.parquet: reading Parquet needs pyarrow; pip install 'dedup"
    ):
        documents(["a.parquet"])
