"""Outputs of filter runs by their names, and one file for all inputs."""

from __future__ import annotations

import gzip
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dedup.decide import MARK, Policy
from dedup.errors import OutputError
from dedup.filter import Plan
from dedup.filter.targets import is_tree
from dedup.read import Record
from tests.filtering import files, quick, ran, restored

from .filters import PLAN, check, line, put
from .prose import Prose


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


class TestNames:
    """What a file is called says what is in it."""

    def test_a_file_that_is_given_twice_is_no_tree(self) -> None:
        put(line("one two three"))
        assert not is_tree(["a.jsonl", "a.jsonl"], PLAN.options, "kept.jsonl")
        assert is_tree(["a.jsonl", "."], PLAN.options, "kept.jsonl")

    WARCS = ("a.warc", "b.warc.gz")

    def _web(self) -> bytes:
        pytest.importorskip("fastwarc")
        from tests.property.test_formats_round_trip import as_warc

        whole, other = (as_warc([Prose(seed + i).words(30) for i in range(2)], "\n") for seed in (1, 5))
        Path("a.warc").write_bytes(other)
        packed = b"".join(gzip.compress(b"WARC/1.1" + part) for part in whole.split(b"WARC/1.1")[1:])
        Path("b.warc.gz").write_bytes(packed)
        return packed

    @pytest.mark.parametrize("paths", [WARCS, WARCS[::-1]])
    def test_web_archives_that_are_packed_in_different_ways(self, paths: tuple[str, ...]) -> None:
        self._web()
        before = sorted(os.listdir())
        with pytest.raises(OutputError, match=r"and all go into one file; name a folder: -o new/$"):
            ran(Plan(paths, "kept.warc.gz", "rejects.warc.gz", "run.json"))
        assert sorted(os.listdir()) == before
        ran(Plan(paths, "kept", "rejects", "run.json", True))

    @pytest.mark.parametrize("name", ["kept.warc", "kept.warc.zst", "kept.wet", "kept.zst"])
    def test_records_that_are_gzipped_under_a_name_that_says_no(self, name: str) -> None:
        self._web()
        before = sorted(os.listdir())
        with pytest.raises(OutputError, match=rf"^{name}: .*expected a name in \.warc\.gz$"):
            ran(Plan(("b.warc.gz",), name, "rejects.warc.gz", "run.json"))
        assert sorted(os.listdir()) == before

    def test_standard_output_has_no_name(self) -> None:
        packed, out = self._web(), io.BytesIO()
        ran(Plan(("b.warc.gz",), "-", "rejects", "run.json"), stdout=out)
        assert out.getvalue() == packed

    @pytest.mark.parametrize(
        ("name", "magic"),
        [(".tgz", b"\x1f\x8b"), (".tbz2", b"BZh"), (".txz", b"\xfd7zXZ"), (".tar.gz", b"\x1f\x8b")],
    )
    def test_short_names_of_packed_archives(self, name: str, magic: bytes) -> None:
        import tarfile

        with tarfile.open("a.tar", "w") as archive:
            for i in range(2):
                data = Prose(1).words(30).encode()
                told = tarfile.TarInfo(f"{i}.txt")
                told.size = len(data)
                archive.addfile(told, io.BytesIO(data))
        ran(Plan(("a.tar",), f"kept{name}", f"rejects{name}", "run.json"))
        for side in ("kept", "rejects"):
            assert Path(f"{side}{name}").read_bytes().startswith(magic)
        assert restored("run.json", "again").problems == []

    @pytest.mark.parametrize(("kept", "rejects"), [("new.jsonl", "r.csv"), ("new.csv", "r.jsonl.gz")])
    def test_a_name_of_another_format(self, kept: str, rejects: str) -> None:
        put(b"id,text\n1,one two three\n", name="a.csv")
        with pytest.raises(OutputError, match="is the name of a jsonl file, and the records are csv"):
            ran(Plan(("a.csv",), kept, rejects, "run.json"))
        assert os.listdir() == ["a.csv"]
        ran(Plan(("a.csv",), "new", "rejects", "run.json"))

    def test_standard_input_is_called_what_it_is(self) -> None:
        options = PLAN.options._replace(input_format="csv")
        data = b"id,text\n1,one two three\n"
        ran(Plan(("-",), "kept", "rejects", "run.json", True, options=options), stdin=data)
        assert list(files("kept")) == ["stdin.csv"]
        assert restored("run.json", "again").problems == []
        assert files("again") == {"stdin.csv": data}


class TestOneFileForAll:
    BOM = b"\xef\xbb\xbf"

    @pytest.mark.parametrize("action", ["divert", "mark", "cut"])
    def test_a_byte_order_mark_stands_at_the_beginning_only(self, action: str) -> None:
        prose = Prose(1)
        passage = prose.words(30)
        a, b, c = (f"{prose.words(20)}. {passage}. {prose.words(20)}" for _ in range(3))
        put(self.BOM + line(a), line(b))
        put(self.BOM + line(c), self.BOM + line(c), name="b.jsonl")  # the second is the input's own affair
        put(self.BOM + line(a), line(a), name="c.jsonl")
        rejects = None if action == MARK else "rejects.jsonl"
        plan = replace(
            PLAN, paths=("a.jsonl", "b.jsonl", "c.jsonl"), policy=Policy(action=action), rejects=rejects
        )
        check(plan)
        kept = Path("kept.jsonl").read_bytes()
        assert kept.startswith(self.BOM)
        assert kept.count(self.BOM) == 2

    def test_a_header_with_a_byte_order_mark_is_the_same_header(self) -> None:
        rows = [b"id,text\n1,one two three\n", self.BOM + b"id,text\n2,four five six\n"]
        for first, second in (rows, rows[::-1]):
            Path("a.csv").write_bytes(first)
            Path("b.csv").write_bytes(second)
            ran(replace(PLAN, paths=("a.csv", "b.csv"), kept="kept.csv", rejects="rejects.csv"))
            assert Path("kept.csv").read_bytes() == first + second.splitlines(keepends=True)[1]
            assert restored("run.json", "again").problems == []
            assert files("again") == {"a.csv": first, "b.csv": second}
            for name in ("kept.csv", "rejects.csv", "run.json", "again/a.csv", "again/b.csv"):
                os.unlink(name)

    def test_a_blank_line_before_the_header(self) -> None:
        data = b"\nid,text\n1,one two three\n1,one two three\n"
        put(data, name="a.csv")
        ran(replace(PLAN, paths=("a.csv",), kept="kept.csv", rejects="rejects.csv"))
        assert Path("kept.csv").read_bytes() == b"\nid,text\n1,one two three\n"
        assert Path("rejects.csv").read_bytes() == b"id,text\n1,one two three\n"
        assert restored("run.json", "again").problems == []
        assert files("again") == {"a.csv": data}

    @pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow", ".zip", ".tar", ".tar.gz", ".csv.gz"])
    def test_a_side_without_records_is_a_file_all_the_same(self, suffix: str) -> None:
        from dedup.read import Input, Skipped, inputs, records
        from tests.property import test_formats_round_trip as formats_of

        texts = [Prose(1).words(30)]
        if suffix in (".parquet", ".arrow"):
            pytest.importorskip("pyarrow")
            data = formats_of.as_table(texts, "", suffix[1:])
        elif suffix == ".zip":
            import zipfile

            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as members:
                members.writestr("a.txt", texts[0])
            data = packed.getvalue()
        elif suffix.startswith(".tar"):
            import tarfile

            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w:gz" if suffix == ".tar.gz" else "w") as archive:
                told = tarfile.TarInfo("a.txt")
                told.size = 3
                archive.addfile(told, io.BytesIO(b"one"))
            data = out.getvalue()
        else:
            data = formats_of.as_csv(texts, "\n")
            data = gzip.compress(data) if suffix == ".csv.gz" else data
        name = f"a{suffix}"
        Path(name).write_bytes(data)
        outcome = ran(Plan((name,), f"kept{suffix}", f"rejects{suffix}", "run.json"))
        assert outcome.aside == 0
        assert Path(f"rejects{suffix}").stat().st_size > 0
        [found] = inputs([f"rejects{suffix}"])
        assert isinstance(found, Input)
        items = list(records(found))
        assert not [item for item in items if isinstance(item, Skipped) or item.reason]
        if suffix not in (".zip", ".tar", ".tar.gz"):
            assert [item.is_frame for item in items if not isinstance(item, Skipped)] == [True]
            frames = [
                r.raw for r in records(Input(name, found.format, found.packing)) if isinstance(r, Record)
            ]
            assert [item.raw for item in items if isinstance(item, Record)][:1] == frames[:1] != []
        assert restored("run.json", "again").problems == []
