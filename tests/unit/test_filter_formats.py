"""What is filtered of tables, archives and web archives, and found again: by example."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dedup.decide import CUT, MARK, Policy
from dedup.errors import OutputError
from dedup.filter import Outcome, Plan
from dedup.model import Skipped
from dedup.restore import Archive
from tests.filtering import files, quick, ran, restored

from .prose import Prose

A, B, C, D = (Prose(seed).words(30) for seed in range(4))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


def plan(*paths: str, action: str = "divert", **more: Any) -> Plan:
    """Into files of the format of the inputs."""
    suffix = paths[0].partition(".")[2]
    rejects = None if action == MARK else f"rejects.{suffix}"
    return Plan(paths, f"kept.{suffix}", rejects, "run.json", policy=Policy(action=action), **more)


def check(wanted: Plan) -> Outcome:
    """Filters, finds everything again, and puts the inputs together."""
    outcome = ran(wanted)
    done = restored("run.json", "again")
    assert (done.problems, done.inputs) == ([], len(wanted.paths))
    assert files("again") == {path: Path(path).read_bytes() for path in wanted.paths}
    return outcome


def rows(*texts: str) -> str:
    return "".join(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts))


def archive(name: str, entries: dict[str, bytes]) -> None:
    if name.endswith(".zip"):
        with zipfile.ZipFile(name, "w") as packed:
            for entry, data in entries.items():
                packed.writestr(entry, data)
        return
    with tarfile.open(name, "w") as whole:
        for entry, data in entries.items():
            told = tarfile.TarInfo(entry)
            told.size = len(data)
            whole.addfile(told, io.BytesIO(data))


class TestTables:
    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        self.pa = pytest.importorskip("pyarrow")

    def categories(self, *values: str) -> Any:
        return self.pa.array(values).dictionary_encode()

    def feather(self, name: str, **columns: Any) -> None:
        from pyarrow import feather

        feather.write_feather(self.pa.table(columns), name, compression="uncompressed")

    @pytest.mark.parametrize("action", ["divert", "mark", "cut"])
    def test_categories_of_several_files(self, action: str) -> None:
        from pyarrow import feather

        self.feather("a.feather", text=[A, B], kind=self.categories("x", "y"))
        self.feather("b.feather", text=[C, A], kind=self.categories("z", "y"))
        check(plan("a.feather", "b.feather", action=action))
        kinds = feather.read_table("kept.feather").column("kind").to_pylist()
        assert kinds == ["x", "y", "z", *(["y"] if action == MARK else [])]

    def test_categories_that_change_within_a_stream(self) -> None:
        pa = self.pa
        kind = pa.dictionary(pa.int32(), pa.string())
        schema = pa.schema([("text", pa.string()), ("kind", kind)])
        with pa.ipc.new_stream("a.arrow", schema) as writer:
            for texts, values in (((A, B), ("x", "y")), ((C, D), ("z", None))):
                table = pa.table({"text": texts, "kind": pa.array(values, kind)}, schema=schema)
                writer.write_table(table)
        check(plan("a.arrow"))
        assert pa.ipc.open_file("kept.arrow").read_all().column("kind").to_pylist() == ["x", "y", "z", None]

    def test_more_categories_than_there_is_room_for(self) -> None:
        pa = self.pa
        for name, first in (("a.feather", 0), ("b.feather", 100)):
            values = pa.array([f"k{first + i}" for i in range(100)])
            kinds = pa.DictionaryArray.from_arrays(pa.array(range(100), pa.int8()), values)
            self.feather(name, text=[f"{A} {name} {i}" for i in range(100)], kind=kinds)
        before = sorted(os.listdir())
        with pytest.raises(OutputError, match=r"cannot go into one arrow file: .*; name a folder: -o new/"):
            ran(plan("a.feather", "b.feather"))
        assert sorted(os.listdir()) == before

    @pytest.mark.parametrize("action", ["divert", "mark", "cut"])
    def test_text_that_is_not_utf_8_goes_on(self, action: str) -> None:
        pa = self.pa
        offsets = pa.py_buffer(
            b"".join(n.to_bytes(4, "little") for n in (0, len(A), len(A) + 2, 2 * len(A) + 2))
        )
        text = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(A.encode() + b"\xff\xfe" + A.encode()))
        with pa.ipc.new_file("a.arrow", pa.schema([("text", pa.string())])) as writer:
            writer.write_batch(pa.record_batch([text], ["text"]))
        outcome = check(plan("a.arrow", action=action))
        assert (outcome.copies, len(outcome.skipped)) == ({"exact": 1}, 1)
        kept = pa.ipc.open_file("kept.arrow").read_all().column("text").cast(pa.binary()).to_pylist()
        assert kept[:2] == [A.encode(), b"\xff\xfe"]

    @pytest.mark.parametrize("action", ["divert", "mark", "cut"])
    def test_times_that_python_has_not(self, action: str) -> None:
        pa = self.pa
        from pyarrow import parquet

        table = pa.table({"text": [A, B, A], "when": pa.array([10**18 + 1, 5, 7], pa.timestamp("ns"))})
        parquet.write_table(table, "a.parquet")
        check(plan("a.parquet", action=action))
        kept = parquet.read_table("kept.parquet").column("when").cast(pa.int64()).to_pylist()
        assert kept == [10**18 + 1, 5, *([7] if action == MARK else [])]

    def test_the_newest_by_nanoseconds(self) -> None:
        from pyarrow import parquet

        when = self.pa.array([10**18, 2 * 10**18 + 1], self.pa.timestamp("ns"))
        parquet.write_table(self.pa.table({"text": [A, A], "date": when, "n": [0, 1]}), "a.parquet")
        ran(Plan(("a.parquet",), "kept.parquet", "rejects", "run.json", policy=Policy("newest")))
        assert parquet.read_table("kept.parquet").column("n").to_pylist() == [1]


class TestArchives:
    @pytest.mark.parametrize("suffix", ["zip", "tar"])
    @pytest.mark.parametrize("action", ["divert", "cut"])
    def test_records_are_found_again(self, suffix: str, action: str) -> None:
        lines = rows(A, A, C, D).splitlines(keepends=True)
        entries = {"a.jsonl": f"\n{lines[0]}\n{lines[1]}\n{lines[2]}{lines[3]}".encode(), "b.txt": B.encode()}
        archive(f"a.{suffix}", entries)
        check(plan(f"a.{suffix}", action=action))
        out = io.BytesIO()
        with Archive("run.json") as found:
            assert found.is_whole()
            assert found.records(["2"], out).problems == []
        assert out.getvalue().decode() == lines[2]

    def test_tables_and_lines_in_one(self) -> None:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        table, empty = io.BytesIO(), io.BytesIO()
        parquet.write_table(pa.table({"text": [A, B, A], "n": [0, 1, 2]}), table)
        parquet.write_table(pa.table({"text": pa.array([], pa.string())}), empty)
        entries = {"a.csv": f"text\n{C}\n{A}\n", "b.txt": B}
        packed = {name: text.encode() for name, text in entries.items()}
        archive("a.zip", {"t.parquet": table.getvalue(), "none.parquet": empty.getvalue(), **packed})
        check(plan("a.zip"))
        out = io.BytesIO()
        with zipfile.ZipFile("kept.zip") as whole, Archive("run.json") as found:
            assert whole.namelist() == ["t.parquet", "none.parquet", "a.csv"]
            assert parquet.read_table(io.BytesIO(whole.read("none.parquet"))).num_rows == 0
            assert found.records(["a.zip!t.parquet:3"], out).problems == []
        assert json.loads(out.getvalue())["n"] == 2

    def test_a_header_without_rows_stays(self) -> None:
        archive("a.zip", {"a.csv": b"id,text\n", "b.txt": B.encode()})
        check(plan("a.zip"))
        with zipfile.ZipFile("kept.zip") as kept, zipfile.ZipFile("rejects.zip") as rejects:
            assert {name: kept.read(name) for name in kept.namelist()} == {
                "a.csv": b"id,text\n",
                "b.txt": B.encode(),
            }
            assert rejects.namelist() == []

    @pytest.mark.parametrize("packed", [False, True])
    def test_what_is_encrypted_stays_as_it_is(self, packed: bool) -> None:
        archive("a.zip", {"a.txt": A.encode()})
        data = bytearray(Path("a.zip").read_bytes())
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
        Path("a.zip").write_bytes(data)
        if packed:
            Path("a.zip.gz").write_bytes(gzip.compress(data))
        wanted = plan("a.zip.gz" if packed else "a.zip")
        outcome = check(wanted)
        assert (outcome.kept, outcome.aside) == (1, 0)
        assert zipfile.is_zipfile("rejects.zip") or packed


def response(number: int, text: str, end: bytes = b"\r\n\r\n") -> bytes:
    """A record of a web archive."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + text.encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
        f"WARC-Date: 2024-01-01T00:00:00Z\r\nWARC-Target-URI: http://example.org/{number}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + end


class TestWebArchives:
    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        pytest.importorskip("fastwarc")

    def ids(self, name: str) -> list[str]:
        """Of all records. Each ends as it should, and in a compressed file each has a member of its own."""
        from fastwarc.warc import ArchiveIterator

        data = Path(name).read_bytes()
        if name.endswith(".gz"):
            members = []
            while data:
                member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                members.append(member.decompress(data))
                data = member.unused_data
            assert [member.count(b"WARC/1") for member in members] == [1] * len(members)
            data = b"".join(members)
        assert data.count(b"\r\n\r\nWARC/1") == data.count(b"WARC/1") - 1
        assert data.endswith(b"\r\n\r\n")
        return [record.record_id for record in ArchiveIterator(io.BytesIO(data), parse_http=False)]

    @pytest.mark.parametrize("suffix", ["warc", "warc.gz"])
    def test_a_note_is_a_record_of_its_own(self, suffix: str) -> None:
        Path("a.warc").write_bytes(response(1, A) + response(2, B) + response(3, A, b""))
        ran(Plan(("a.warc",), f"kept.{suffix}", None, "run.json", policy=Policy(action=MARK)))
        assert len(self.ids(f"kept.{suffix}")) == 4
        assert restored("run.json", "again").problems == []
        assert files("again") == {"a.warc": Path("a.warc").read_bytes()}

    @pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r"])
    def test_a_record_without_its_end_before_others(self, end: bytes) -> None:
        """The text ends as a record does, and is not taken for that end."""
        Path("a.warc").write_bytes(response(1, A) + response(2, f"{B}\r\n\r\n", end))
        Path("b.warc").write_bytes(response(3, C) + response(4, D))
        check(plan("a.warc", "b.warc"))
        assert len(self.ids("kept.warc")) == 4

    @pytest.mark.parametrize("policy", [Policy(revisit=True), Policy(action=MARK)])
    def test_records_that_are_the_same_to_the_byte(self, policy: Policy) -> None:
        Path("a.warc").write_bytes(response(1, A) * 3)
        rejects = None if policy.action == MARK else "rejects.warc"
        ran(Plan(("a.warc",), "kept.warc", rejects, "run.json", policy=policy))
        added = [name for name in self.ids("kept.warc") if not name.startswith("<urn:uuid:00000000")]
        assert len(set(added)) == len(added) == 2

    def test_a_large_record_is_one_member(self) -> None:
        Path("a.warc").write_bytes(response(1, A) + response(2, "x" * (40 << 20)) + response(3, B))
        options = Plan(("a.warc",), None).options._replace(max_record_size=1 << 20)
        ran(Plan(("a.warc",), "kept.warc.gz", "rejects.warc.gz", "run.json", options=options))
        assert len(self.ids("kept.warc.gz")) == 3


def test_a_blank_line_in_the_place_of_a_header_is_none() -> None:
    Path("a.csv").write_text("\n")
    Path("b.csv").write_text(f"id,text\n1,{A}\n")
    check(plan("a.csv", "b.csv"))
    assert Path("kept.csv").read_text() == f"\nid,text\n1,{A}\n"


def test_a_zip_file_in_which_something_is_encrypted_stays_as_it_is() -> None:
    Path("in").mkdir()
    with zipfile.ZipFile("in/a.zip", "w") as archive:
        archive.writestr("a.txt", "one two three")
    data = bytearray(Path("in/a.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    Path("in/a.zip").write_bytes(data)
    Path("in/b.txt").write_text("one two three")
    outcome = ran(Plan(("in",), "kept", "rejects", "run.json", True))
    assert (outcome.kept, outcome.aside) == (2, 0)
    assert outcome.skipped == [Skipped("in/a.zip", "a.txt in it is encrypted; not taken apart")]
    assert Path("kept/in/a.zip").read_bytes() == data


@pytest.mark.parametrize("by_members", [False, True])
def test_a_web_archive_of_nothing_can_be_unpacked(by_members: bool) -> None:
    pytest.importorskip("fastwarc")
    from tests.property.test_formats_round_trip import as_warc

    data = as_warc([Prose(1).words(30)], "\n")
    name = "a.warc.gz" if by_members else "a.warc"
    Path(name).write_bytes(gzip.compress(data) if by_members else data)
    ran(Plan((name,), "kept.warc.gz", "rejects.warc.gz", "run.json"))
    packed = Path("rejects.warc.gz").read_bytes()
    assert packed
    assert gzip.decompress(packed) == b""
    assert gzip.decompress(Path("kept.warc.gz").read_bytes()) == data
    assert restored("run.json", "again").problems == []


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
@pytest.mark.parametrize("action", ["divert", "mark", "cut"])
def test_columns_of_string_views(suffix: str, action: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    if not hasattr(pyarrow, "string_view"):
        pytest.skip("this pyarrow has no string views")
    prose = Prose(1)
    passage = prose.words(30)
    texts = [f"{prose.words(20)}. {passage}. {prose.words(20)}" for _ in range(3)]
    texts = [texts[0], texts[0], texts[1], texts[2], texts[1]]
    table = pyarrow.table({"text": pyarrow.array(texts, pyarrow.string_view()), "n": range(5)})
    write, read = parquet.write_table, parquet.read_table
    if suffix == ".arrow":
        write, read = feather.write_feather, feather.read_table
    try:
        write(table, f"a{suffix}", compression="uncompressed" if suffix == ".arrow" else "none")
    except pyarrow.ArrowNotImplementedError:
        pytest.skip("this pyarrow does not write string views")
    plan = Plan(
        (f"a{suffix}",), f"kept{suffix}", None if action == MARK else f"rejects{suffix}", "run.json",
        policy=Policy(action=action),
    )  # fmt: skip
    ran(plan)
    kept = read(f"kept{suffix}")
    assert kept.column("n").to_pylist() == (list(range(5)) if action == MARK else [0, 2, 3])
    assert kept.schema.field("text").type == read(f"a{suffix}").schema.field("text").type
    if action != CUT:
        assert kept.column("text").to_pylist() == [texts[i] for i in kept.column("n").to_pylist()]
    assert restored("run.json", "again").problems == []


def test_entries_of_one_name_are_no_news(recwarn: pytest.WarningsRecorder) -> None:
    import zipfile

    with zipfile.ZipFile("a.zip", "w") as archive:
        for i in range(2):
            archive.writestr("a.txt", Prose(i).words(30))
    recwarn.clear()
    ran(Plan(("a.zip",), "kept.zip", "rejects.zip", "run.json"))
    assert not [told for told in recwarn if "Duplicate" in str(told.message)]
    with zipfile.ZipFile("kept.zip") as archive:
        assert archive.namelist() == ["a.txt", "a.txt"]
