"""Data frames of every library at hand, through the Arrow C stream."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from dedup.errors import DependencyError, InputError
from dedup.model import Document, Skipped, Source
from dedup.read.arrow import frame_documents

pa = pytest.importorskip("pyarrow")

LONG = "a text that is too long to be held inside a string view"
EXPECTED = [Document("1", "é", Source()), Skipped("row:1", "the text is null"), Document("3", LONG, Source())]


def _polars(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


def _pandas(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("pandas", minversion="2.2").DataFrame(columns)


def _duckdb(columns: dict[str, list[Any]]) -> Any:
    duckdb = pytest.importorskip("duckdb")
    return duckdb.from_arrow(pa.table(columns))


@pytest.mark.parametrize("make", [pa.table, _polars, _pandas, _duckdb])
def test_rows_are_documents(make: Callable[[dict[str, list[Any]]], Any]) -> None:
    frame = make({"n": [1, 2, 3], "t": ["é", None, LONG]})
    assert list(frame_documents(frame, "t", "n")) == EXPECTED


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_every_kind_of_string(kind: str) -> None:
    texts = pa.array(["é", None, LONG], getattr(pa, kind)())
    names = pa.array(["1", "2", "3"], getattr(pa, kind)())
    assert list(frame_documents(pa.table({"n": names, "t": texts}), "t", "n")) == EXPECTED


def test_categories() -> None:
    texts = pa.array(["é", None, LONG]).dictionary_encode()
    assert list(frame_documents(pa.table({"n": [1, 2, 3], "t": texts}), "t", "n")) == EXPECTED


def test_rows_without_an_id_are_numbered_from_0_across_batches() -> None:
    table = pa.concat_tables([pa.table({"t": ["a", "b"]}), pa.table({"t": ["c"]})])
    items = list(frame_documents(table, "t"))
    assert [item.id for item in items if isinstance(item, Document)] == ["row:0", "row:1", "row:2"]


def test_a_missing_id_is_the_row() -> None:
    table = pa.table({"n": ["x", None, ""], "t": ["a", "b", "c"]})
    items = list(frame_documents(table, "t", "n"))
    assert [item.id for item in items if isinstance(item, Document)] == ["x", "row:1", "row:2"]


def test_no_rows() -> None:
    assert list(frame_documents(pa.table({"t": pa.array([], pa.string())}), "t")) == []


def test_nothing_but_nulls() -> None:
    assert list(frame_documents(pa.table({"t": pa.nulls(1)}), "t")) == [Skipped("row:0", "the text is null")]


@pytest.mark.parametrize(
    ("text", "id", "message"),
    [
        ("body", None, "no column 'body'; the columns are 'n', 't', 'x'"),
        ("t", "url", "no column 'url'; the columns are 'n', 't', 'x'"),
        ("n", None, "the column 'n' holds int64; expected strings"),
        ("t", "x", "the column 'x' holds double; expected strings or whole numbers"),
    ],
)
def test_columns_that_do_not_fit(text: str, id: str | None, message: str) -> None:
    table = pa.table({"n": [1], "t": ["a"], "x": [1.5]})
    with pytest.raises(InputError) as caught:
        frame_documents(table, text, id)
    assert str(caught.value) == message


def test_what_is_no_frame() -> None:
    with pytest.raises(InputError) as caught:
        frame_documents([("a", "b")], "t")
    assert str(caught.value) == (
        "list: no Arrow C stream; expected a polars, pandas (2.2) or pyarrow table, a DuckDB relation, "
        "or documents as (id, text)"
    )


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DependencyError) as caught:
        frame_documents(pa.table({"t": ["a"]}), "t")
    assert str(caught.value) == "a data frame needs pyarrow, which is missing; pip install pyarrow"
