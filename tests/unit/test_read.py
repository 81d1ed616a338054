"""Every input that dedup reads, and every way in which an input can be bad."""

from __future__ import annotations

import errno
import gzip
import inspect
import io
import json
import os
import random
import re
import socket
import sys
import tracemalloc
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from dedup.errors import InputError
from dedup.model import Document, Skipped, Source
from dedup.read import NOT_READ, Options, documents

BOM = b"\xef\xbb\xbf"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(path: str, data: bytes | str) -> str:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(paths: Sequence[str], stdin: BinaryIO | None = None, **options: Any) -> list[Document | Skipped]:
    return list(documents(paths, Options(**options), stdin=stdin))


def lines(data: bytes | str, **options: Any) -> list[Document | Skipped]:
    raw = data.encode() if isinstance(data, str) else data
    return read(["-"], stdin=io.BytesIO(raw), **options)


class TestPlain:
    @pytest.mark.parametrize("name", ["a.txt", "b.md", "C.TXT"])
    def test_a_file_is_a_document(self, name: str) -> None:
        put(name, "one\r\ntwo\0 é\n")
        assert read([name]) == [Document(name, "one\r\ntwo\0 é\n", Source(name, None, 0))]

    def test_a_byte_order_mark_is_not_text(self) -> None:
        put("a.txt", BOM + b"one")
        assert read(["a.txt"]) == [Document("a.txt", "one", Source("a.txt", None, 0))]

    def test_an_empty_file_is_a_document(self) -> None:
        put("a.txt", b"")
        assert read(["a.txt"]) == [Document("a.txt", "", Source("a.txt", None, 0))]

    @pytest.mark.parametrize("mark", [b"", BOM])
    def test_what_is_not_utf8_is_skipped_with_its_offset_in_the_file(self, mark: bytes) -> None:
        put("a.txt", mark + b"caf\xe9 noir")
        reason = f"not UTF-8: byte 0xe9 at byte offset {len(mark) + 3}"
        assert read(["a.txt"]) == [Skipped("a.txt", reason)]

    def test_gzip(self) -> None:
        put("a.md.gz", gzip.compress(b"one") + gzip.compress(b" two"))
        assert read(["a.md.gz"]) == [Document("a.md.gz", "one two", Source("a.md.gz", None, 0))]

    def test_half_a_gzip_is_no_document(self) -> None:
        put("a.txt.gz", gzip.compress(os.urandom(5000).hex().encode())[:-2000])
        (item,) = read(["a.txt.gz"])
        assert isinstance(item, Skipped)
        assert re.fullmatch(r"truncated gzip data: it ends after [\d,]+ bytes of its content", item.reason)


class TestRecords:
    def test_a_line_is_a_document(self) -> None:
        first, second = '{"id": "x", "text": "one"}\n', '{"text": "two é", "id": 7}\n'
        put("a.jsonl", first + second)
        assert read(["a.jsonl"]) == [
            Document("x", "one", Source("a.jsonl", 1, 0)),
            Document("7", "two é", Source("a.jsonl", 2, len(first))),
        ]

    @pytest.mark.parametrize(
        "id", ["", ', "id": null', ', "id": ""', ', "id": [1]', ', "id": true', ', "id": 1.5']
    )
    def test_without_an_id_of_its_own_a_record_is_called_by_its_line(self, id: str) -> None:
        assert lines(f'\n{{"text": "t"{id}}}\n') == [Document("-:2", "t", Source("-", 2, 1))]

    def test_zero_is_an_id(self) -> None:
        assert lines('{"text": "t", "id": 0}') == [Document("0", "t", Source("-", 1, 0))]

    def test_a_whole_number_of_any_length_is_an_id(self) -> None:
        number = "1234567890" * 500
        assert lines(f'{{"text": "t", "id": {number}}}') == [Document(number, "t", Source("-", 1, 0))]

    def test_fields_have_names(self) -> None:
        data = '{"body": "one", "url": "u", "id": "no", "text": "no"}'
        assert lines(data, text_field="body", id_field="url") == [Document("u", "one", Source("-", 1, 0))]

    def test_blank_lines_and_line_ends(self) -> None:
        data = b'\r\n{"text": "a"}\r\n  \n\n{"text": "b"}'
        assert lines(data) == [
            Document("-:2", "a", Source("-", 2, 2)),
            Document("-:5", "b", Source("-", 5, 21)),
        ]

    def test_a_byte_order_mark_is_taken_on_the_first_line_only(self) -> None:
        record = b'{"text": "a"}\n'
        assert lines(BOM + record + BOM + record) == [
            Document("-:1", "a", Source("-", 1, 0)),
            Skipped("-:2", "not JSON: unexpected UTF-8 BOM (decode using utf-8-sig) at column 1"),
        ]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"{'text': 1}", "not JSON: expecting property name enclosed in double quotes at column 2"),
            (b'{"text": "cut', "not JSON: unterminated string starting at column 10"),
            (b"[1, 2]", "an array; expected an object with the field 'text'"),
            (b'"text"', "a string; expected an object with the field 'text'"),
            (b"3", "a number; expected an object with the field 'text'"),
            (b"null", "null; expected an object with the field 'text'"),
            (b"{}", "no field 'text'; the object is empty"),
            (b'{"id": 1, "body": "x"}', "no field 'text'; found 'id', 'body'"),
            (b'{"text": null}', "the field 'text' holds null; expected a string"),
            (b'{"text": 3}', "the field 'text' holds a number; expected a string"),
            (b'{"text": true}', "the field 'text' holds a truth value; expected a string"),
            (b'{"text": ["a"]}', "the field 'text' holds an array; expected a string"),
            (b'{"text": {"a": 1}}', "the field 'text' holds an object; expected a string"),
            (b'{"text": "caf\xe9"}', "not UTF-8: byte 0xe9 at byte offset 27"),
            (b'{"text": ' + b"[" * 200_000, "not JSON that can be read: nested too deeply"),
        ],
    )
    def test_a_bad_line_is_named_and_the_rest_goes_on(self, line: bytes, reason: str) -> None:
        good = b'{"text": "t"}\n'
        assert lines(good + line + b"\n" + good) == [
            Document("-:1", "t", Source("-", 1, 0)),
            Skipped("-:2", reason),
            Document("-:3", "t", Source("-", 3, len(good) + len(line) + 1)),
        ]

    def test_many_fields_are_named_in_part(self) -> None:
        record = json.dumps({f"f{number}": 1 for number in range(20)})
        found = ", ".join(f"'f{number}'" for number in range(8))
        assert lines(record) == [Skipped("-:1", f"no field 'text'; found {found}, …")]

    def test_a_lone_surrogate_is_kept(self) -> None:
        assert lines(rb'{"text": "a\ud800b", "id": "\udfff"}') == [
            Document("\udfff", "a\ud800b", Source("-", 1, 0))
        ]

    def test_what_only_the_standard_module_reads_is_read(self) -> None:
        data = '{"text": "a\\u0000b", "score": NaN, "big": 1' + "0" * 5000 + "}"
        assert lines(data) == [Document("-:1", "a\0b", Source("-", 1, 0))]

    def test_a_very_long_line(self) -> None:
        text = "word " * 5_000_000
        put("a.jsonl", json.dumps({"text": text}) + '\n{"text": "b"}\n')
        first, second = read(["a.jsonl"])
        assert isinstance(first, Document)
        assert first.text == text
        assert isinstance(second, Document)
        assert second.source.line == 2

    def test_records_are_streamed(self) -> None:
        line = json.dumps({"text": "x" * 10_000}).encode() + b"\n"
        put("a.jsonl.gz", gzip.compress(line * 3_000, compresslevel=1))
        tracemalloc.start()
        assert sum(isinstance(item, Document) for item in documents(["a.jsonl.gz"])) == 3_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10_000_000  # of 30 MB

    @pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl.gz", "A.NDJSON.GZ"])
    def test_suffixes(self, name: str) -> None:
        data = b'{"text": "a"}\n'
        put(name, gzip.compress(data) if name.lower().endswith("gz") else data)
        assert read([name]) == [Document(f"{name}:1", "a", Source(name, 1, 0))]


class TestDamagedGzip:
    """What is whole comes out; the damage is named."""

    @staticmethod
    def records(count: int) -> bytes:
        return b"".join(json.dumps({"text": os.urandom(50).hex()}).encode() + b"\n" for _ in range(count))

    def test_truncated(self) -> None:
        data = self.records(2000)
        packed = gzip.compress(data)
        put("a.jsonl.gz", packed[: len(packed) // 2])
        *good, last = read(["a.jsonl.gz"])
        whole = data[: sum(len(item.text) + 13 for item in good if isinstance(item, Document))]
        assert 900 < len(good) == whole.count(b"\n")
        assert data.startswith(whole)
        assert isinstance(last, Skipped)
        assert last.source == "a.jsonl.gz"
        content = int(re.sub(r"\D", "", last.reason.split(";")[0]))
        # No whole record before the end of the data is lost.
        assert len(good) == data[:content].count(b"\n")
        expected = f"truncated gzip data: it ends after {content:,} bytes of its content"
        assert last.reason == f"{expected}; read as far as line {len(good)}"

    def test_corrupt_in_the_middle(self) -> None:
        """All that was packed before the damage comes out, also from the block that holds it."""
        data = self.records(50)
        packer = zlib.compressobj(wbits=31)
        packed = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
        put("a.jsonl.gz", packed + b"\x07" + bytes(500))  # a block of a type that there is not
        *good, last = read(["a.jsonl.gz"])
        assert [json.loads(line)["text"] for line in data.splitlines()] == [
            item.text for item in good if isinstance(item, Document)
        ]
        reason = f"damaged gzip data (invalid block type), seen after {len(data):,} bytes of its content"
        assert last == Skipped("a.jsonl.gz", f"{reason}; read as far as line 50")

    @pytest.mark.parametrize("seed", range(20))
    def test_damage_anywhere_is_always_told(self, seed: int) -> None:
        data = self.records(300)
        packed = bytearray(gzip.compress(data))
        packed[random.Random(seed).randrange(10, len(packed))] ^= 0x55
        put("a.jsonl.gz", bytes(packed))
        assert isinstance(read(["a.jsonl.gz"])[-1], Skipped)

    def test_a_wrong_checksum(self) -> None:
        data = b'{"text": "a"}\n'
        packed = bytearray(gzip.compress(data))
        packed[-8] ^= 1
        put("a.jsonl.gz", bytes(packed))
        damage = "damaged gzip data (incorrect data check), seen after 14 bytes of its content"
        reason = f"{damage}; read as far as line 1"
        assert read(["a.jsonl.gz"]) == [
            Document("a.jsonl.gz:1", "a", Source("a.jsonl.gz", 1, 0)),
            Skipped("a.jsonl.gz", reason),
        ]

    def test_not_gzip_at_all(self) -> None:
        put("a.jsonl.gz", '{"text": "a"}\n')
        damage = "damaged gzip data (incorrect header check), seen after 0 bytes of its content"
        reason = f"{damage}; read as far as line 0"
        assert read(["a.jsonl.gz"]) == [Skipped("a.jsonl.gz", reason)]

    def test_nothing_at_all(self) -> None:
        put("a.jsonl.gz", b"")
        reason = "truncated gzip data: it ends after 0 bytes of its content; read as far as line 0"
        assert read(["a.jsonl.gz"]) == [Skipped("a.jsonl.gz", reason)]

    def test_members_and_padding(self) -> None:
        first, second = b'{"text": "a"}\n{"te', b'xt": "b"}\n'
        put("a.jsonl.gz", gzip.compress(first) + bytes(100_000) + gzip.compress(second) + bytes(100_000))
        assert [item.text for item in read(["a.jsonl.gz"]) if isinstance(item, Document)] == ["a", "b"]
        assert len(read(["a.jsonl.gz"])) == 2

    def test_garbage_after_the_end(self) -> None:
        put("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n') + b"garbage")
        damage = "damaged gzip data (incorrect header check), seen after 14 bytes of its content"
        reason = f"{damage}; read as far as line 1"
        assert read(["a.jsonl.gz"]) == [
            Document("a.jsonl.gz:1", "a", Source("a.jsonl.gz", 1, 0)),
            Skipped("a.jsonl.gz", reason),
        ]

    def test_what_unpacks_to_a_thousand_times_its_size_is_unpacked_by_parts(self) -> None:
        put("a.jsonl.gz", gzip.compress((b" " * 999_999 + b"\n") * 100, compresslevel=9))
        tracemalloc.start()
        assert read(["a.jsonl.gz"]) == []
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000  # of 100 MB


class TestPaths:
    def test_a_directory_is_read_in_the_order_of_its_names(self) -> None:
        for name in ("d/b.txt", "d/a/z.txt", "d/a.txt", "d/c/1/x.md", "d/B.txt", "d/a/b/c.txt"):
            put(name, name)
        items = read(["d"])
        expected = ["d/B.txt", "d/a/b/c.txt", "d/a/z.txt", "d/a.txt", "d/b.txt", "d/c/1/x.md"]
        assert [item.id for item in items if isinstance(item, Document)] == expected
        assert all(isinstance(item, Document) and item.source.path == item.text for item in items)

    @pytest.mark.parametrize("given", ["d/", "./d", "d//"])
    def test_names_are_joined_to_the_directory_as_given(self, given: str) -> None:
        put("d/a.txt", "a")
        (item,) = read([given])
        assert isinstance(item, Document)
        assert item.id == f"{given.rstrip('/')}/a.txt"

    def test_the_current_directory(self) -> None:
        put("a.txt", "a")
        assert [item.id for item in read(["."]) if isinstance(item, Document)] == ["./a.txt"]

    def test_every_other_file_is_named(self) -> None:
        for name in ("d/a.png", "d/b", "d/.hidden", "d/c.json", "d/e.gz", "d/sub/f.TXT"):
            put(name, "x")
        assert read(["d"]) == [
            *(Skipped(f"d/{name}", NOT_READ) for name in (".hidden", "a.png", "b", "c.json", "e.gz")),
            Document("d/sub/f.TXT", "x", Source("d/sub/f.TXT", None, 0)),
        ]
        known = " ".join(
            (".txt .md .html .htm .jsonl .ndjson .csv .tsv", ".warc .wet .parquet .arrow .feather .zip .tar")
        )
        packed = ".gz .bz2 .xz .lzma .zst .lz4"
        assert f"not a format that dedup reads ({known}, optionally {packed})" == NOT_READ

    def test_an_explicit_file_of_another_format(self) -> None:
        put("a.pdf", "x")
        assert read(["a.pdf"]) == [Skipped("a.pdf", NOT_READ)]

    def test_version_control_is_left_out_and_other_hidden_directories_are_not(self) -> None:
        for name in ("d/.git/a.txt", "d/x/.hg/a.txt", "d/.svn/a.txt", "d/.notes/a.txt"):
            put(name, "x")
        assert [item.id for item in read(["d"]) if isinstance(item, Document)] == ["d/.notes/a.txt"]
        assert len(read(["d"])) == 1
        assert len(read(["d/.git"])) == 1  # asked for by name

    @pytest.mark.parametrize("content", [[], ["d/sub/deep/"], ["d/.git/config"]])
    def test_a_directory_without_files(self, content: list[str]) -> None:
        Path("d").mkdir()
        for name in content:
            Path(name).mkdir(parents=True) if name.endswith("/") else put(name, "x")
        assert read(["d"]) == [Skipped("d", "no readable files")]

    @pytest.mark.parametrize(
        "paths", [["d/a.txt", "d"], ["d", "d/a.txt"], ["d", "d"], ["d", "link"], ["d", "./d/"]]
    )
    def test_a_file_reached_twice_is_read_once(self, paths: list[str]) -> None:
        put("d/a.txt", "a")
        os.symlink("d", "link")
        assert len(read(paths)) == 1

    def test_a_link_to_a_file_counts_as_the_file(self) -> None:
        put("d/b.txt", "b")
        os.symlink("b.txt", "d/a.txt")
        assert [item.id for item in read(["d"]) if isinstance(item, Document)] == ["d/a.txt"]

    def test_two_names_for_one_content_are_two_documents(self) -> None:
        put("d/a.txt", "a")
        os.link("d/a.txt", "d/b.txt")
        assert len(read(["d"])) == 2

    def test_a_directory_that_links_to_itself_is_named_once(self) -> None:
        put("d/a.txt", "a")
        put("d/s/b.txt", "b")
        os.symlink(".", "d/loop")
        os.symlink("..", "d/s/up")
        loop = "a link back to a directory that holds it; not entered again"
        assert read(["d"]) == [
            Document("d/a.txt", "a", Source("d/a.txt", None, 0)),
            Skipped("d/loop", loop),
            Document("d/s/b.txt", "b", Source("d/s/b.txt", None, 0)),
            Skipped("d/s/up", loop),
        ]

    def test_a_link_to_a_directory_above_the_one_given_ends(self) -> None:
        put("a/x.txt", "x")
        put("a/b/y.txt", "y")
        os.symlink("..", "a/b/up")
        assert read(["a/b"]) == [
            Skipped("a/b/up/b", "a link back to a directory that holds it; not entered again"),
            Document("a/b/up/x.txt", "x", Source("a/b/up/x.txt", None, 0)),
            Document("a/b/y.txt", "y", Source("a/b/y.txt", None, 0)),
        ]

    def test_links_that_lead_nowhere(self) -> None:
        put("d/a.txt", "a")
        os.symlink("gone", "d/b.txt")
        os.symlink("c.txt", "d/c.txt")
        assert read(["d"])[1:] == [
            Skipped("d/b.txt", "a link that leads nowhere"),
            Skipped("d/c.txt", "cannot be read: too many levels of symbolic links"),
        ]

    def test_a_file_that_goes_away_after_it_was_listed(self) -> None:
        put("d/a.txt", "a")
        put("d/b.txt", "b")
        items = documents(["d"])
        assert next(items) == Document("d/a.txt", "a", Source("d/a.txt", None, 0))
        os.remove("d/b.txt")
        assert list(items) == [Skipped("d/b.txt", "cannot be read: no such file or directory")]

    def test_a_named_pipe_that_is_given(self) -> None:
        os.mkfifo("a.txt")
        text = "a line\n" * 50_000  # more than a pipe holds, so that it comes in parts
        with ThreadPoolExecutor(1) as pool:
            pool.submit(Path("a.txt").write_text, text)
            assert read(["a.txt"]) == [Document("a.txt", text, Source("a.txt", None, 0))]

    def test_what_is_no_file_is_named_and_not_opened(self) -> None:
        os.mkdir("d")
        os.mkfifo("d/a.txt")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("d/b.txt")
            assert read(["d"]) == [
                Skipped("d/a.txt", "not a regular file"),
                Skipped("d/b.txt", "not a regular file"),
            ]

    def test_a_name_that_is_not_utf8(self) -> None:
        os.mkdir("d")
        Path(os.fsdecode(b"d/\xff.txt")).write_text("a")
        assert [item.id for item in read(["d"]) if isinstance(item, Document)] == ["d/\udcff.txt"]

    def test_deeper_than_recursion_goes(self) -> None:
        put(f"{'d/' * 300}a.txt", "a")
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(len(inspect.stack(0)) + 200)
        try:
            items = read(["d"])
        finally:
            sys.setrecursionlimit(limit)
        assert [item.text for item in items if isinstance(item, Document)] == ["a"]

    def test_standard_input_among_files(self) -> None:
        put("a.txt", "a")
        items = read(["a.txt", "-"], stdin=io.BytesIO(b'{"text": "b"}'))
        assert [item.id for item in items if isinstance(item, Document)] == ["a.txt", "-:1"]

    def test_one_path_need_not_be_a_list(self) -> None:
        put("a.txt", "a")
        assert len(read("a.txt")) == 1


class TestNoPermission:
    """Also as a user who may read everything, so the system's answer is put in its place."""

    @staticmethod
    def denied(*_: object, **__: object) -> BinaryIO:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def test_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put("a.txt", "a")
        monkeypatch.setattr("io.FileIO", self.denied)
        assert read(["a.txt"]) == [Skipped("a.txt", "cannot be read: permission denied")]

    def test_a_directory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put("d/a.txt", "a")
        monkeypatch.setattr("os.scandir", self.denied)
        assert read(["d"]) == [Skipped("d", "cannot be read: permission denied")]

    def test_an_error_while_reading(self) -> None:
        class Failing(io.RawIOBase):
            def __init__(self) -> None:
                self.left = [b'{"text": "a"}\n{"te']

            def readable(self) -> bool:
                return True

            def readinto(self, buffer: Any, /) -> int:
                if not self.left:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                data = self.left.pop()
                buffer[: len(data)] = data
                return len(data)

        assert read(["-"], stdin=io.BufferedReader(Failing())) == [
            Document("-:1", "a", Source("-", 1, 0)),
            Skipped("-", "cannot be read: input/output error; read as far as line 1"),
        ]


class TestRefused:
    """What ends a run before anything is read."""

    @staticmethod
    def text(paths: list[str]) -> str:
        with pytest.raises(InputError) as caught:
            documents(paths)  # not even iterated
        return str(caught.value)

    def test_a_path_that_does_not_exist(self) -> None:
        put("a.txt", "a")
        assert self.text(["a.txt", "gone.txt"]) == "gone.txt: no such file or directory"
        assert self.text(["a.txt/b", "gone/", "a\0b"]) == "a.txt/b, gone/, a\0b: no such file or directory"

    def test_standard_input_twice(self) -> None:
        assert self.text(["-", "-"]) == "-: given twice; standard input can be read only once"

    def test_nothing(self) -> None:
        assert self.text([]) == "no input; expected files, directories or - for standard input"

    def test_nothing_is_read_before_the_first_document_is_asked_for(self) -> None:
        put("a.txt", "a")
        items: Iterator[Document | Skipped] = documents(["a.txt"])
        put("a.txt", "b")
        assert [item.text for item in items if isinstance(item, Document)] == ["b"]
