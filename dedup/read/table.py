"""Tables (``.parquet``; ``.arrow`` and ``.feather``, the Arrow IPC file and stream): a document a row.

Enters: the stream. Leaves: the schema as the frame, then a record for each row, batch by batch. The bytes of a row
are no bytes of the file but those of its values as JSON, in the order of the columns, to tell rows apart by: binary
values in base64, decimals as strings, dates and times as the whole numbers that they are stored as, some of which no
date in Python can hold (an array of values where names of columns repeat). Where only documents are wanted, the other
columns are not looked at. Rows are counted from 1, in place of lines. ``place`` holds the batch, for who writes rows on
as they are.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import orjson

from ..errors import InputError
from ..model import Document, Skipped, Source
from .arrow import column
from .aside import Long, aside
from .formats import PARQUET, Input
from .options import Options
from .plain import too_large
from .reasons import UnreadableError, reason, told
from .record import Record
from .stream import Stream

_ROWS = 1024  # of Parquet in a batch
_MAGIC = b"ARROW1"
_BYTES = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}


class Place(NamedTuple):
    """Where a row is: the number of its batch and its row in it, both from 0, and the ``pyarrow.RecordBatch``."""

    number: int
    row: int
    batch: Any


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """The schema, with ``pyarrow.Schema`` for a place, then every row. Without a text column rows hold no documents."""
    pyarrow = import_module("pyarrow")
    count = 0
    try:
        schema, batches = _opened(found, stream, options)
        places, problem = _columns(schema, options)
        item = Skipped("", problem) if problem else None
        yield Record.of(
            schema.serialize().to_pybytes(), Source(found.path), item, is_frame=True, place=schema
        )
        if problem and not stream.keeps:
            return
        for number, batch in enumerate(batches):
            for record in _rows(batch, number, Source(found.path, count + 1), places, stream, options):
                count += 1
                yield record
    except (pyarrow.ArrowException, OSError) as error:
        yield Skipped(found.path, f"{_damage(found, error)}; read as far as row {count}")


def values(record: Record) -> Mapping[str, Any]:
    """The values of a row by the names of their columns; None for dates that Python has none for."""
    if not isinstance(record.place, Place):
        return {}
    _, row, batch = record.place
    cells = [_value(one.slice(row, 1)) for one in batch.columns]
    return dict(zip(batch.schema.names, cells, strict=True))


def _opened(found: Input, stream: Stream, options: Options) -> tuple[Any, Iterator[Any]]:
    """The schema and the batches; of the columns only those for documents where nobody wants more."""
    file = stream.seekable_file()
    if found.format == PARQUET:
        parquet = import_module("pyarrow.parquet").ParquetFile(file)
        schema = parquet.schema_arrow
        names = [options.text_field, options.id_field]
        # A dot leads into a structure.
        plain = not stream.keeps and not any("." in name for name in schema.names)
        columns = [name for name in schema.names if name in names] if plain else None
        return schema, parquet.iter_batches(_ROWS, columns=columns)
    ipc = import_module("pyarrow.ipc")
    is_file = file.read(len(_MAGIC)) == _MAGIC
    file.seek(0)
    if not is_file:
        reader = ipc.open_stream(file)
        return reader.schema, iter(reader)
    reader = ipc.open_file(file)
    return reader.schema, (reader.get_batch(number) for number in range(reader.num_record_batches))


def _columns(schema: Any, options: Options) -> tuple[list[str], str | None]:
    """The names of the columns for text and id, or what keeps the rows from being documents."""
    try:
        column(schema, options.text_field, is_id=False)
        if options.id_field not in schema.names:
            return [options.text_field], None
        column(schema, options.id_field, is_id=True)
    except InputError as error:
        return [], str(error)
    return [options.text_field, options.id_field], None


def _rows(
    batch: Any, number: int, first: Source, columns: list[str], stream: Stream, options: Options
) -> Iterator[Record]:
    cells = [_cells(batch.column(batch.schema.names.index(name))) for name in columns]
    raws = _raws(batch) if stream.keeps else [b""] * batch.num_rows
    for row, raw in enumerate(raws):
        source = first._replace(line=(first.line or 0) + row)
        item = _document([one[row] for one in cells], source, options) if cells else None
        limit = options.max_record_size
        whole: bytes | Long = aside(iter((raw,)), True) if limit and len(raw) > limit else raw
        yield Record.of(whole, source, item, place=Place(number, row, batch) if stream.keeps else None)


def _document(cells: list[Any], source: Source, options: Options) -> Document | Skipped:
    text, name = cells[0], cells[1] if len(cells) > 1 else None
    if text is None:
        return Skipped("", "the text is null")
    if isinstance(text, bytes):
        return Skipped("", "the text is not UTF-8")
    if options.max_record_size and len(text) > options.max_record_size:
        return Skipped("", too_large(len(text.encode("utf-8", "replace")), options))
    is_named = name is not None and name != "" and not isinstance(name, bytes)
    return Document(str(name) if is_named else f"{source.path}:{source.line}", text, source)


def _cells(array: Any) -> list[Any]:
    """The values of a column; strings that are not UTF-8 as bytes.

    Raises ``pyarrow.ArrowInvalid`` for data that is damaged, which would otherwise end the process.
    """
    pyarrow = import_module("pyarrow")
    try:
        array.validate(full=True)
    except pyarrow.ArrowInvalid:
        if str(array.type) not in _BYTES:
            raise
        array = array.view(_BYTES[str(array.type)])
        array.validate(full=True)
        return [cell if cell is None else _string(cell) for cell in array.to_pylist()]
    values: list[Any] = array.to_pylist()
    return values


def _value(array: Any) -> Any:
    """The one value of a column; of a time no more than microseconds, in UTC if it has a zone."""
    pyarrow = import_module("pyarrow")
    if pyarrow.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pyarrow.types.is_timestamp(array.type):
        unit = "us" if array.type.unit == "ns" else array.type.unit
        array = array.cast(pyarrow.timestamp(unit, "UTC" if array.type.tz else None), safe=False)
    try:
        return _cells(array)[0]
    except (ValueError, OverflowError, KeyError, pyarrow.ArrowException):
        return None


def _whole_numbers(kind: Any) -> Any:
    """The type with whole numbers in the place of dates and times, however deep in it these are."""
    pyarrow = import_module("pyarrow")
    types = pyarrow.types
    if types.is_temporal(kind):
        return pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()
    if types.is_list(kind):
        return pyarrow.list_(_field(kind.value_field))
    if types.is_large_list(kind):
        return pyarrow.large_list(_field(kind.value_field))
    if types.is_fixed_size_list(kind):
        return pyarrow.list_(_field(kind.value_field), kind.list_size)
    if types.is_struct(kind):
        return pyarrow.struct([_field(kind.field(i)) for i in range(kind.num_fields)])
    if types.is_map(kind):
        return pyarrow.map_(_field(kind.key_field), _field(kind.item_field), kind.keys_sorted)
    if types.is_dictionary(kind):
        return pyarrow.dictionary(kind.index_type, _whole_numbers(kind.value_type), kind.ordered)
    return kind


def _field(field: Any) -> Any:
    return field.with_type(_whole_numbers(field.type))


def _string(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def _told(array: Any) -> list[Any]:
    """The values of a column as they are told. Raises UnreadableError for those of which Python has none."""
    pyarrow = import_module("pyarrow")
    kind = _whole_numbers(array.type)
    try:
        if kind != array.type:
            array.validate(full=True)
            array = array.cast(kind)
        return _cells(array)
    except pyarrow.ArrowException:
        raise
    except (ValueError, OverflowError) as error:
        raise UnreadableError(f"a column of {array.type} cannot be told ({told(error)})") from error


def _raws(batch: Any) -> Iterator[bytes]:
    names = batch.schema.names
    is_plain = len(set(names)) == len(names)
    columns = [_told(one) for one in batch.columns]
    for cells in zip(*columns, strict=True) if columns else ():
        row = dict(zip(names, cells, strict=True)) if is_plain else cells
        yield orjson.dumps(row, default=_json, option=orjson.OPT_NON_STR_KEYS)


def _json(value: object) -> str | list[Any]:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return list(value) if isinstance(value, tuple) else str(value)


def _damage(found: Input, error: Exception) -> str:
    if isinstance(error, UnreadableError) or (isinstance(error, OSError) and error.errno is not None):
        return reason(error)
    return f"damaged {found.format.capitalize()} data ({told(error)})"
