"""``dedup index`` within the process: what each command prints and changes, and how it fails."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import jsonschema
import pytest

from dedup import cli, index
from dedup.index import segment
from dedup.model import Document
from dedup.report import FORMATS, schema
from dedup.text import version
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
PROSE = Prose(11)
TEXTS = [PROSE.words(60) for _ in range(4)]
SHARED = PROSE.words(20)
NEW = {"copy.txt": TEXTS[0], "guest.txt": PROSE.round(SHARED), "own.txt": PROSE.words(40)}


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """The command ``dedup index``."""

    def run(*arguments: str) -> Outcome:
        code = cli.main(["index", *arguments])
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(autouse=True)
def _archive() -> None:
    """An archive of five documents, and three new ones."""
    rows = [{"id": f"d{i}", "text": text} for i, text in enumerate([*TEXTS, PROSE.round(SHARED)])]
    Path("archive").mkdir()
    Path("archive/a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    Path("new").mkdir()
    for name, text in NEW.items():
        Path("new", name).write_text(text)


@pytest.fixture
def memory(call: Call, _archive: None) -> str:
    """An index of the archive, with texts."""
    assert call("build", "memory", "archive", "--store-text", "-q") == (0, "", "")
    return "memory"


def more(name: str, *texts: str) -> str:
    """A file with documents of its own."""
    rows = [{"id": f"{name}{i}", "text": text} for i, text in enumerate(texts)]
    Path(f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return f"{name}.jsonl"


class TestBuildAndAdd:
    def test_build(self, call: Call) -> None:
        assert call("build", "memory", "archive") == (0, "", "dedup: memory: 5 documents added\n")
        assert sorted(os.listdir(".")) == ["archive", "memory", "new"]
        told = call("build", "memory", "archive")
        assert told == (
            2,
            "",
            "dedup: memory: is there already, and is not an empty folder; name another one\n",
        )

    def test_folders_above_are_made(self, call: Call) -> None:
        assert call("build", "a/b/memory", "archive", "-q").code == 0
        assert call("info", "a/b/memory").out.startswith("a/b/memory: 5 documents in 1 segment\n")

    @pytest.mark.parametrize("arguments", [["gone"], ["archive", "gone"]])
    def test_a_path_that_is_not_there_leaves_nothing(self, call: Call, arguments: list[str]) -> None:
        assert call("build", "memory", *arguments) == (2, "", "dedup: gone: no such file or directory\n")
        assert sorted(os.listdir(".")) == ["archive", "new"]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--ngram", "0"], "ngram is 0; expected a whole number from 1 to 64"),
            (["--num-perm", "17"], "num_perm is 17; expected an even number for an index"),
            (["--input-format", "doc"], "input_format is 'doc'; expected auto or a suffix"),
        ],
    )
    def test_wrong_settings(self, call: Call, options: list[str], message: str) -> None:
        found = call("build", "memory", "archive", *options)
        assert (found.code, found.err.startswith(f"dedup: {message}"), found.err.count("\n")) == (2, True, 1)
        assert not Path("memory").exists()

    def test_add(self, call: Call, memory: str) -> None:
        assert call("add", memory, "archive").err == "dedup: memory: 0 documents added, 5 known already\n"
        Path("b.jsonl").write_text('{"id": "d0", "text": "other"}\n{"id": "x", "text": "new"}\n')
        told = "dedup: memory: 2 documents added, 1 of them new versions of known ones\n"
        assert call("add", memory, "b.jsonl") == (0, "", told)
        assert call("add", memory, "b.jsonl", "-q") == (0, "", "")

    def test_what_cannot_be_read(self, call: Call) -> None:
        Path("archive/b.jsonl").write_bytes(b'{"id": "b"}\n')
        Path("archive/c.docx").write_bytes(b"PK")
        told = call("build", "memory", "archive")
        assert told.code == 0
        assert told.err.count("dedup: skipped archive/") == 2
        assert told.err.endswith("memory: 5 documents added\n")
        assert call("add", "memory", "archive", "--fail-on-skipped").code == 3
        assert call("build", "other", "archive", "--fail-on-skipped", "-q") == (3, "", "")
        assert Path("other").exists()

    def test_nothing_to_add(self, call: Call, memory: str) -> None:
        Path("empty").mkdir()
        Path("empty/a.txt").write_text("")
        assert call("add", memory, "empty").err == "dedup: memory: 1 document added\n"
        Path("none.jsonl").write_text("")
        assert call("add", memory, "none.jsonl", "--run", "r").err == (
            "dedup: memory: 0 documents added, nothing is pending\n"
        )

    def test_an_index_in_the_folder_that_is_read_is_no_input(self, call: Call) -> None:
        told = call("build", "archive/memory", "archive", "--fail-on-skipped")
        assert told == (0, "", "dedup: archive/memory: 5 documents added\n")
        told = call("add", "archive/memory", "archive", "--fail-on-skipped")
        assert told == (0, "", "dedup: archive/memory: 0 documents added, 5 known already\n")
        assert call("verify", "archive/memory", "archive", "--fail-on-skipped").code == 0

    def test_fields(self, call: Call) -> None:
        Path("b.jsonl").write_text('{"url": "u", "body": "some text"}\n')
        assert call("build", "memory", "b.jsonl", "--text-field", "body", "--id-field", "url").code == 0
        assert call("remove", "memory", "u").err == "dedup: memory: 1 document removed\n"


class TestQuery:
    def test_archived_copies_are_named_first(self, call: Call, memory: str) -> None:
        found = call("query", memory, "new")
        assert (found.code, found.err) == (0, "")
        assert "  kept  archive/a.jsonl:1 d0 (archived)\n  copy  new/copy.txt  jaccard 100%" in found.out
        assert "  archive/a.jsonl:5 d4 (archived)\n" in found.out
        assert "3 documents · 1 copy in 1 cluster · 1 repeated passage" in found.out

    def test_json(self, call: Call, memory: str) -> None:
        found = json.loads(call("query", memory, "new", "--format", "json").out)
        jsonschema.Draft202012Validator(schema()).validate(found)
        (documents,), (passages,) = found["document_clusters"], found["passage_clusters"]
        kept, copy = documents["members"]
        assert (kept["document"], kept["archived"], documents["kept"]) == ("d0", True, "d0")
        assert kept["source"] == {
            "path": "archive/a.jsonl", "line": 1, "byte_offset": 0, "archived": version(TEXTS[0]).hex(),
        }  # fmt: skip
        assert (copy["document"], "archived" in copy, "archived" in copy["source"]) == (
            "new/copy.txt",
            False,
            False,
        )
        host, guest = passages["members"]
        assert (host["document"], host["archived"], host["text"]) == ("d4", True, SHARED)
        assert (guest["text"], NEW["guest.txt"][guest["start"] : guest["end"]]) == (SHARED, SHARED)
        assert "estimates" not in found

    @pytest.mark.parametrize("texts", [True, False])
    def test_a_saved_result_is_shown_again_as_it_was(
        self, texts: bool, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        assert cli.main(["index", "build", "memory", "archive", "-q", *["--store-text"] * texts]) == 0
        formats = [format for format in FORMATS if format != "html"]  # which shows whole texts after a scan
        for format in formats:
            assert cli.main(["index", "query", "memory", "new", "--format", f"{format}={format}.out"]) == 0
        capfdbinary.readouterr()
        for format in formats:
            assert cli.main(["report", "json.out", "--format", format]) == 0
            assert capfdbinary.readouterr().out == Path(f"{format}.out").read_bytes(), format

    def test_without_texts_nothing_is_called_exact(self, call: Call) -> None:
        assert call("build", "memory", "archive", "-q").code == 0
        found = call("query", "memory", "new")
        assert "2 estimates, nothing proven: the index holds no texts" in found.out
        assert "new/copy.txt ~ archive/a.jsonl:1 d0 (archived)  the same text, by its hash" in found.out
        result = json.loads(call("query", "memory", "new", "--format", "json").out)
        jsonschema.Draft202012Validator(schema()).validate(result)
        same, passage = result["estimates"]
        assert (same["document"], same["archived"], same["identical"]) == ("new/copy.txt", "d0", True)
        assert (passage["document"], passage["archived"], passage["estimated_jaccard"]) == (
            "new/guest.txt",
            "d4",
            None,
        )
        assert SHARED in NEW["guest.txt"][passage["estimated_start"] : passage["estimated_end"]]
        assert (result["document_clusters"], result["passage_clusters"]) == ([], [])

    @pytest.mark.parametrize("format", FORMATS)
    def test_without_texts_every_format_says_so(self, call: Call, format: str) -> None:
        assert call("build", "memory", "archive", "-q").code == 0
        done = call("query", "memory", "new", "--format", format)
        assert "memory: holds no texts" in done.err
        assert "estimated, and nothing proven" in done.err
        if format != "csv":  # a row is a member of a cluster
            assert "estimate" in done.out
            assert "new/guest.txt" in done.out
        if format == "html":
            assert "Nothing is proven</title>" in done.out
            assert "2 estimates, nothing proven" in done.out

    def test_without_texts_a_document_is_no_copy_of_itself(self, call: Call) -> None:
        assert call("build", "memory", "archive", "-q").code == 0
        assert cli.main(["scan", "archive", "--index", "memory", "--format", "json=r.json", "-q"]) == 0
        assert json.loads(Path("r.json").read_text("utf-8"))["estimates"] == []

    def test_settings(self, call: Call, memory: str) -> None:
        near = PROSE.exchanged(TEXTS[1], [20, 40])
        name = more("near", near)
        assert "0 copies" in call("query", memory, name, "--no-passages", "--threshold", ".95").out
        assert "1 copy" in call("query", memory, name, "--no-passages", "--threshold", ".5").out
        assert "0 repeated" in call("query", memory, "new/guest.txt", "--min-tokens", "25").out
        assert "1 repeated" in call("query", memory, "new/guest.txt", "--no-documents").out
        assert call("query", memory, "new", "--threshold", "7").err.startswith("dedup: threshold is 7")

    def test_an_index_of_documents_only(self, call: Call) -> None:
        assert call("build", "memory", "archive", "--no-passages", "--store-text", "-q").code == 0
        found = json.loads(call("query", "memory", "new", "--format", "json").out)
        assert found["settings"]["passages"] is False
        assert len(found["document_clusters"]) == 1
        told = call("query", "memory", "new", "--no-documents")
        assert told.err == "dedup: memory: was built without passages; leave out --no-documents\n"

    def test_outputs(self, call: Call, memory: str) -> None:
        assert call(
            "query", memory, "new", "--format", "text=result.txt", "--format", "json=result.json"
        ) == (0, "", "")
        assert "(archived)" in Path("result.txt").read_text()
        told = call("query", memory, "new/own.txt", "-o", "new/own.txt")
        assert told.code == 2
        assert Path("new/own.txt").read_text() == NEW["own.txt"]

    def test_what_cannot_be_read(self, call: Call, memory: str) -> None:
        Path("new/c.docx").write_bytes(b"PK")
        assert call("query", memory, "new", "--fail-on-skipped").code == 3
        assert call("query", memory, "gone").err == "dedup: gone: no such file or directory\n"

    @pytest.mark.parametrize("command", ["query", "scan"])
    def test_standard_input(
        self,
        call: Call,
        memory: str,
        command: str,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        data = json.dumps({"id": "n", "text": TEXTS[2]}).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        arguments = (
            ["index", "query", memory, "-"] if command == "query" else ["scan", "-", "--index", memory]
        )
        assert cli.main(arguments) == 0
        assert "kept  archive/a.jsonl:3 d2 (archived)\n  copy  -:1 n" in capfd.readouterr().out


class TestScan:
    def test_copies_of_both_kinds(self, memory: str, capfd: pytest.CaptureFixture[str]) -> None:
        Path("new/again.txt").write_text(NEW["own.txt"])
        assert cli.main(["scan", "new", "--index", memory, "--format", "json"]) == 0
        found = json.loads(capfd.readouterr().out)
        names = sorted([m["document"] for m in cluster["members"]] for cluster in found["document_clusters"])
        assert names == [["d0", "new/copy.txt"], ["new/again.txt", "new/own.txt"]]
        assert found["summary"]["documents"] == 4

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--ngram", "4"], "memory: was built with --ngram 5, not 4; use the same"),
            (["--index", "gone"], "gone: is no index; `dedup index build` makes one"),
        ],
    )
    def test_what_does_not_fit(
        self, memory: str, options: list[str], message: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["scan", "new", "--index", memory, *options]) == 2
        assert capfd.readouterr() == ("", f"dedup: {message}\n")


class TestRemove:
    def test_ids_and_versions(self, call: Call, memory: str) -> None:
        told = call("remove", memory, "d0", "gone", f"d1@{version(TEXTS[1]).hex()}")
        assert told == (0, "", "dedup: gone: is not in the index\ndedup: memory: 2 documents removed\n")
        assert "0 copies" in call("query", memory, "new/copy.txt").out
        assert "  2 removed; dedup index compact gives their room back\n" in call("info", memory).out
        assert call("compact", memory).err == "dedup: memory: 1 segment before, 1 now\n"
        assert "removed" not in call("info", memory).out

    def test_from_a_file_or_standard_input(
        self, call: Call, memory: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("ids").write_text("d0\n\nd1\n")
        assert call("remove", memory, "d2", "--from", "ids", "-q") == (0, "", "")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"d3\r\nd9")))
        assert "d9: is not in the index" in call("remove", memory, "--from", "-").err
        assert call("info", memory).out.startswith("memory: 1 document in")

    def test_odd_ids_come_back_from_what_verify_prints(self, call: Call, tmp_path: Path) -> None:
        names = [
            "plain",
            "\ud800",
            "\udcff.txt",
            "two\nlines",
            "c\rr",
            "\x00",
            "  ",
            "",
            '"quoted"',
            "a@b",
            "\u2028",
        ]
        items = [Document(name, PROSE.words(10)) for name in names]
        index.build(tmp_path / "odd", items, index.Shape(text=True))
        told = call("verify", "odd", "new")
        assert (told.code, len(told.out.splitlines())) == (2, len(names))
        assert f"plain@{version(items[0].text).hex()}" in told.out.splitlines()
        Path("lines").write_text(told.out, "utf-8")
        assert call("remove", "odd", "--from", "lines").err == f"dedup: odd: {len(names)} documents removed\n"

    def test_a_long_list(self, call: Call, memory: str) -> None:
        told = call("remove", memory, *(f"x{i}" for i in range(30))).err.splitlines()
        assert len(told) == 22
        assert told[20] == "dedup: and 10 more"

    def test_no_ids(self, call: Call, memory: str) -> None:
        assert call("remove", memory).code == 2
        told = call("remove", memory, "--from", "gone")
        assert told == (2, "", "dedup: gone: cannot be read: No such file or directory\n")
        Path("bad").write_bytes(b"\xff\n")
        assert call("remove", memory, "--from", "bad").err.startswith("dedup: bad: cannot be read: ")


class TestRuns:
    def test_commit_and_abort(self, call: Call, memory: str) -> None:
        told = call("add", memory, more("e", "some words", "other words"), "--run", "night")
        assert told == (0, "", "dedup: memory: 2 documents added, pending as run night\n")
        told = call("add", memory, more("f", "more words"), "--run", "day", "-q")
        assert "pending run day: 1 document;" in call("info", memory).out
        assert json.loads(call("info", memory, "--format", "json").out)["pending"] == {"day": 1, "night": 2}
        assert call("commit", memory, "night").err == "dedup: memory: 2 documents of run night added\n"
        assert call("abort", memory, "day").err == "dedup: memory: 1 document of run day forgotten\n"
        assert call("info", memory).out.startswith("memory: 7 documents in 2 segments\n")
        told = call("commit", memory, "day")
        assert told == (2, "", "dedup: memory: has no pending run 'day'; none is pending\n")

    def test_names(self, call: Call, memory: str) -> None:
        told = call("add", memory, "new", "--run", "a\nb")
        assert told == (2, "", "dedup: 'a\\nb' is no name of a run; expected one that can be printed\n")


class TestVerify:
    def test_in_order(self, call: Call, memory: str) -> None:
        assert call("verify", memory) == (0, "", "dedup: memory: in order, 5 documents\n")
        assert call("verify", memory, "archive", "-q") == (0, "", "")

    def test_what_the_archive_does_not_hold(self, call: Call, memory: str) -> None:
        rows = Path("archive/a.jsonl").read_text().splitlines()
        Path("archive/a.jsonl").write_text("\n".join([*rows[1:4], rows[4].replace(" ", "  ")]))
        found = call("verify", memory, "archive")
        names = [line.split("@")[0] for line in found.out.splitlines()]
        assert (found.code, names) == (2, ["d0", "d4"])
        assert (
            found.err
            == "dedup: memory: 2 documents not in the archive; dedup index remove --from FILE takes these lines\n"
        )
        Path("ids").write_text("".join(f"{line.split(':')[0]}\n" for line in found.out.splitlines()))
        assert call("remove", memory, "--from", "ids").err == "dedup: memory: 2 documents removed\n"
        assert call("verify", memory, "archive").code == 0

    def test_damage_and_what_is_left(self, call: Call, memory: str) -> None:
        assert call("add", memory, more("e", "some words", "other words"), "-q").code == 0
        (first, second) = sorted(Path("memory/segments").iterdir())
        data = bytearray(second.read_bytes())
        data[100] ^= 1
        second.write_bytes(data)
        found = call("verify", memory)
        assert (found.code, found.out.count("\n")) == (2, 1)
        assert found.out.startswith(f"{second}: bytes 0 to ")
        assert found.err == "dedup: memory: 1 problem; dedup index rebuild saves what is left\n"
        told = call("query", memory, "new")
        assert (told.code, told.out, told.err.count("\n")) == (2, "", 1)
        assert f"{second}: is damaged: bytes 0 to " in told.err
        told = call("rebuild", memory, "again")
        assert told.code == 0
        assert told.err.endswith("dedup: again: 5 documents saved, 2 lost\n")
        assert call("add", "again", "archive", "e.jsonl").err.endswith("2 documents added, 5 known already\n")
        assert call("verify", "again", "archive", "e.jsonl").code == 0
        assert call("rebuild", memory, "again").err.endswith("name another one\n")
        second.unlink()
        first.unlink()
        assert call("rebuild", memory, "third").err == (
            "dedup: memory: no segment can be read; build the index anew from the archive\n"
        )
        assert sorted(os.listdir(".")) == ["again", "archive", "e.jsonl", "memory", "new"]

    def test_without_texts_there_is_nothing_to_save(self, call: Call) -> None:
        assert call("build", "memory", "archive", "-q").code == 0
        told = call("rebuild", "memory", "again")
        assert told == (2, "", "dedup: memory: holds no texts; build the index anew from the archive\n")


class TestInfo:
    def test_what_it_says(self, call: Call, memory: str) -> None:
        first, second = call("info", memory).out.splitlines()
        assert first == "memory: 5 documents in 1 segment"
        assert second.endswith(" bytes; documents and passages; texts stored; shingles of 5 words")
        found = json.loads(call("info", memory, "--format", "json").out)
        sizes = [path.stat().st_size for path in Path("memory").rglob("*") if path.is_file()]
        assert (found["bytes"], found["format"]) == (sum(sizes), "dedup-index/1")
        assert found["settings"]["ngram"] == 5

    def test_without_texts_it_says_so(self, call: Call) -> None:
        assert call("build", "memory", "archive", "--no-passages", "--ngram", "1", "-q").code == 0
        told = "documents only; no texts: near copies are estimated; shingles of 1 word\n"
        assert call("info", "memory").out.endswith(told)


COMMANDS = [
    ("add", "archive"), ("query", "new"), ("remove", "d0"), ("compact",), ("commit", "r"), ("abort", "r"),
    ("info",), ("verify",),
]  # fmt: skip


class TestErrors:
    @pytest.mark.parametrize(("command", "rest"), [(name, rest) for name, *rest in COMMANDS])
    def test_no_index(self, call: Call, command: str, rest: list[str]) -> None:
        told = "is no index; `dedup index build` makes one\n"
        assert call(command, "gone", *rest) == (2, "", f"dedup: gone: {told}")
        assert call(command, "archive", *rest) == (2, "", f"dedup: archive: {told}")
        assert os.listdir("archive") == ["a.jsonl"]

    @pytest.mark.parametrize(("command", "rest"), [(name, rest) for name, *rest in COMMANDS])
    def test_another_version(self, call: Call, memory: str, command: str, rest: list[str]) -> None:
        with closing(sqlite3.connect("memory/catalogue.sqlite", isolation_level=None)) as connection:
            connection.execute("UPDATE facts SET value = 'dedup-index/2' WHERE name = 'format'")
        told = "is of version 'dedup-index/2'; this program reads 'dedup-index/1'\n"
        assert call(command, memory, *rest) == (2, "", f"dedup: memory/catalogue.sqlite: {told}")

    @pytest.mark.parametrize(
        ("command", "rest"), [(name, rest) for name, *rest in COMMANDS[:1] + COMMANDS[2:6]]
    )
    def test_busy(self, call: Call, memory: str, command: str, rest: list[str]) -> None:
        with closing(sqlite3.connect("memory/catalogue.sqlite", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            told = call(command, memory, *rest, "--wait", "0")
            assert call("query", memory, "new/own.txt").code == 0
        assert told == (
            2, "",
            "dedup: memory: another process is writing; try again when it is done, or wait for it with --wait\n",
        )  # fmt: skip

    def test_a_disk_that_is_full(self, call: Call, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(segment, "finish", full)
            told = call("build", "other", "archive")
            assert told.err == "dedup: other: cannot be made: no space left on device\n"
            assert call("add", memory, "new").err == "dedup: memory: no space left on device\n"
        assert call("verify", memory).code == 0
        assert sorted(path.name for path in Path("memory/segments").iterdir()) == ["00000001.segment"]
        assert not Path("other").exists()

    def test_no_arguments(self, call: Call) -> None:
        assert "Usage: dedup index [OPTIONS] COMMAND" in "".join(call()[1:])
        assert call("build", "memory").code == 2
        assert "--store-text" in call("build", "--help").out
