"""The machine-readable reports, their schema, and files that appear whole or not at all."""

from __future__ import annotations

import copy
import io
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from dedup.errors import OutputError, SettingsError
from dedup.model import (
    DocumentCluster,
    DocumentMember,
    EmptyDocument,
    PassageCluster,
    PassageMember,
    Report,
    Settings,
    Skipped,
    Source,
    Summary,
)
from dedup.report import FORMATS, schema, write
from dedup.write import atomic

FILE = Source("a.txt", None, 0)
RECORD = Source("b.jsonl", 3, 210)
PASSAGE = PassageMember("a.txt", FILE, 4, 19, 2, 2, None, "the same words")

REPORT = Report(
    settings=Settings(jobs=2),
    summary=Summary(3, 1, 1, 90, 17, 1, 1, 2, 6, 0.35294),
    skipped=(Skipped("c.png", "not a format"),),
    empty_documents=(EmptyDocument("e.txt", Source("e.txt", None, 0)),),
    document_clusters=(
        DocumentCluster(
            "1f", "near", "a.txt", (DocumentMember("a.txt", FILE), DocumentMember("x", RECORD, 0.9, 1.0))
        ),
    ),
    passage_clusters=(
        PassageCluster(
            "2f",
            3,
            0.9,
            None,
            (PASSAGE, replace(PASSAGE, document="mem", source=Source(), similarity=0.9, text="thé same 字")),
        ),
        PassageCluster("3f", 40, 1.0, 5, (replace(PASSAGE, text="a b c d e " * 8, copies=8),)),
    ),
)


def broken(report: Report) -> Report:
    """The same with a text that holds lone surrogates, which UTF-8 cannot write."""
    cluster = report.passage_clusters[0]
    members = (replace(cluster.members[0], text='a\ud800"\n字\udfff\x00'), *cluster.members[1:])
    return replace(report, passage_clusters=(replace(cluster, members=members), *report.passage_clusters[1:]))


def written(report: Report, format: str) -> bytes:
    stream = io.BytesIO()
    write(report, format, stream)
    return stream.getvalue()


class TestJson:
    def test_the_whole_result(self) -> None:
        assert json.loads(written(REPORT, "json")) == REPORT.to_dict()

    def test_the_form(self) -> None:
        data = written(REPORT, "json")
        assert data.startswith(b'{\n  "schema": "dedup-report/1",\n  "tool": {\n    "name": "dedup",\n')
        assert data.endswith(b"\n}\n")
        assert "字".encode() in data
        assert b"jobs" not in data

    def test_the_same_bytes_each_time(self) -> None:
        assert written(REPORT, "json") == written(copy.deepcopy(REPORT), "json")

    def test_lone_surrogates(self) -> None:
        data = written(broken(REPORT), "json")
        assert json.loads(data) == broken(REPORT).to_dict()
        assert rb'"text": "a\ud800\"\n' in data
        assert "字".encode() in data

    @pytest.mark.parametrize("format", ["json", "jsonl"])
    def test_both_writers_have_one_layout(self, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
        fast = written(REPORT, format)

        def refuse(*_: object, **__: object) -> bytes:
            raise orjson.JSONEncodeError("str is not valid UTF-8")

        monkeypatch.setattr(orjson, "dumps", refuse)
        assert written(REPORT, format) == fast


class TestJsonl:
    def test_a_line_for_each_entry(self) -> None:
        lines = [json.loads(line) for line in written(REPORT, "jsonl").splitlines()]
        types = [
            "header",
            "skipped",
            "empty_document",
            "document_cluster",
            "passage_cluster",
            "passage_cluster",
        ]
        assert [line.pop("type") for line in lines] == [*types, "summary"]
        whole = REPORT.to_dict()
        assert lines[0] == {name: whole[name] for name in ("schema", "tool", "settings")}
        assert lines[1:] == [
            *whole["skipped"],
            *whole["empty_documents"],
            *whole["document_clusters"],
            *whole["passage_clusters"],
            whole["summary"],
        ]

    def test_lone_surrogates(self) -> None:
        lines = written(broken(REPORT), "jsonl").splitlines()
        assert json.loads(lines[4])["members"][0]["text"] == 'a\ud800"\n字\udfff\x00'

    def test_it_is_written_line_by_line(self) -> None:
        class Lines(io.BytesIO):
            def write(self, data: Any, /) -> int:
                assert data.count(b"\n") == 1
                assert data.endswith(b"\n")
                return super().write(data)

        write(REPORT, "jsonl", Lines())


class TestSchema:
    validator = jsonschema.Draft202012Validator(schema())
    of_the_gate = frozenset({"gate", "findings", "stale_entries", "notes"})
    of_an_index = frozenset({"archived", "estimates"})

    def test_it_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(schema())

    @pytest.mark.parametrize("report", [REPORT, broken(REPORT), replace(REPORT, passage_clusters=())])
    def test_results_meet_it(self, report: Report) -> None:
        self.validator.validate(json.loads(written(report, "json")))

    def test_it_names_every_setting(self) -> None:
        assert set(schema()["$defs"]["settings"]["properties"]) == set(Settings().to_dict())

    def test_it_is_strict_everywhere(self) -> None:
        objects = [schema(), *schema()["$defs"].values()]
        for entry in objects:
            if entry.get("type") == "object":
                assert entry["additionalProperties"] is False
                optional = self.of_the_gate | self.of_an_index
                assert set(entry["required"]) | optional == set(entry["properties"]) | optional

    @pytest.mark.parametrize(
        "path",
        [
            ("tool",),
            ("summary",),
            ("document_clusters", 0),
            ("document_clusters", 0, "members", 1),
            ("passage_clusters", 0, "members", 0, "source"),
        ],
    )
    def test_what_is_missing_or_extra_fails(self, path: tuple[str | int, ...]) -> None:
        for change in ("extra", "missing"):
            result = json.loads(written(REPORT, "json"))
            place = result
            for step in path:
                place = place[step]
            if change == "extra":
                place["clock"] = 1
            else:
                place.popitem()
            assert not self.validator.is_valid(result)

    def test_a_passage_in_one_place_has_a_period(self) -> None:
        result = REPORT.to_dict()
        result["passage_clusters"][1]["period"] = None
        assert not self.validator.is_valid(result)


def test_an_unknown_format() -> None:
    with pytest.raises(SettingsError) as caught:
        write(REPORT, "xml", io.BytesIO())
    assert str(caught.value) == "format is 'xml'; expected one of text, json, jsonl, markdown, csv, html"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_utf8(format: str) -> None:
    written(broken(REPORT), format).decode("utf-8")


class TestWholeFile:
    def test_it_appears_at_the_end(self, tmp_path: Path) -> None:
        target = tmp_path / "out"
        with atomic.whole_file(str(target)) as stream:
            stream.write(b"new")
            assert not target.exists()
        assert target.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["out"]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_an_error_leaves_what_was_there(self, tmp_path: Path, error: type[BaseException]) -> None:
        target = tmp_path / "out"
        target.write_bytes(b"old")

        def fail() -> None:
            with atomic.whole_file(str(target)) as stream:
                stream.write(b"new")
                raise error

        with pytest.raises(error):
            fail()
        assert target.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["out"]

    def test_the_mode_is_the_users_or_stays(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            for name, mode in (("new", 0o640), ("old", 0o604)):
                target = tmp_path / name
                if name == "old":
                    target.touch()
                    target.chmod(mode)
                with atomic.whole_file(str(target)):
                    pass
                assert stat.S_IMODE(target.stat().st_mode) == mode
        finally:
            os.umask(before)

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("out")
        with atomic.whole_file(str(tmp_path / "link")) as stream:
            stream.write(b"new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "out").read_bytes() == b"new"

    def test_a_device_is_written_to(self) -> None:
        atomic.check(os.devnull)
        with atomic.whole_file(os.devnull) as stream:
            stream.write(b"new")
        assert stat.S_ISCHR(os.stat(os.devnull).st_mode)

    def test_a_long_name(self, tmp_path: Path) -> None:
        with atomic.whole_file(str(tmp_path / ("字" * 85))):
            pass
        assert os.listdir(tmp_path) == ["字" * 85]

    def test_what_cannot_be_written_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refusal(path: str) -> str:
            with pytest.raises(OutputError) as caught:
                atomic.check(path)
            return str(caught.value)

        monkeypatch.chdir(tmp_path)
        atomic.check("out")
        assert refusal(".") == ".: is a directory; expected the name of a file to write"
        assert refusal("gone/out") == "gone/out: cannot be written: its directory does not exist"
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert refusal("out") == "out: cannot be written: permission denied"
