"""The gate's findings for the builds of GitHub and GitLab, and as JUnit XML."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from junitparser import Failure, JUnitXml, TestCase, TestSuite

from dedup.report import github
from dedup.verdict import Place, Verdict
from tests.verdicts import (
    HOSTILE,
    duplicate,
    everything,
    finding,
    hostile,
    many,
    record,
    verdict,
    written,
)

COMMAND = re.compile(r"::(error|warning|notice)(?: (.*?))?::(.*)")


@pytest.fixture(autouse=True)
def _no_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


class Runner:
    """What GitHub's runner makes of a log (actions/runner, ``ActionCommandManager``): commands, and other lines."""

    def __init__(self, log: str) -> None:
        self.lines: list[str] = []
        self.commands: list[tuple[str, dict[str, str], str]] = []
        stopped = None
        for line in log.splitlines():
            stripped = line.lstrip()
            if stopped:
                stopped = None if stripped == f"::{stopped}::" else stopped
                self.lines.append(line)
            elif stripped.startswith("::stop-commands::"):
                stopped = stripped.removeprefix("::stop-commands::")
            elif found := COMMAND.fullmatch(stripped):
                self.commands.append((found[1], self._properties(found[2]), self._plain(found[3])))
            else:
                assert "##[" not in line
                self.lines.append(line)
        assert stopped is None

    def _properties(self, text: str | None) -> dict[str, str]:
        pairs = [pair.split("=", 1) for pair in text.split(",")] if text else []
        return {key: self._plain(value.replace("%3A", ":").replace("%2C", ",")) for key, value in pairs}

    @staticmethod
    def _plain(text: str) -> str:
        return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def runner(given: Verdict, **options: Any) -> Runner:
    return Runner(written(given, "github", **options).decode("utf-8"))


class TestGitHub:
    def test_annotations(self) -> None:
        one_line = finding(path="a,b:c%.md", line=7, end_line=7, column=3, end_column=40)
        assert runner(verdict(duplicate(), finding(added=(13, 13)), record(), one_line)).commands == [
            (
                "error",
                {"file": "docs/copy.md", "line": "1", "endLine": "20", "title": "Duplicate document"},
                "Duplicates docs/old.md (150 words, 100% alike)",
            ),
            (
                "error",
                {
                    "file": "docs/new.md",
                    "line": "13",
                    "endLine": "13",
                    "col": "1",
                    "endColumn": "52",
                    "title": "Repeated passage",
                },
                "Repeats docs/old.md:3 (19 words, 94.7% alike)",
            ),
            (
                "error",
                {"file": "data/b.jsonl", "line": "4", "endLine": "4", "title": "Repeated passage"},
                "Repeats docs/old.md:3 (19 words) and 3 more places",
            ),
            (
                "error",
                {
                    "file": "a,b:c%.md",
                    "line": "7",
                    "endLine": "7",
                    "col": "3",
                    "endColumn": "40",
                    "title": "Repeated passage",
                },
                "Repeats docs/old.md:3 (19 words, 94.7% alike)",
            ),
        ]

    def test_the_escapes_are_those_of_the_toolkit(self) -> None:
        given = verdict(finding(path="a,b:c%\r\n.md"))
        assert b"::error file=a%2Cb%3Ac%25%0D%0A.md,line=12," in written(given, "github")
        assert b"(19 words, 94.7%25 alike)\n" in written(given, "github")

    def test_people_read_the_text_too(self) -> None:
        lines = runner(everything()).lines
        assert lines[:-1] == written(everything(), "text").decode().splitlines()

    def test_a_gate_that_passed_gives_warnings(self) -> None:
        assert [name for name, _, _ in runner(verdict(finding(), passed=True)).commands] == ["warning"]
        assert runner(verdict()).commands == []

    def test_no_text_or_name_becomes_a_command(self) -> None:
        told = runner(hostile())
        assert [name for name, _, _ in told.commands] == ["error", "error"]
        assert told.commands[0][1]["file"] == HOSTILE.encode("utf-8", "replace").decode()
        assert any(line.lstrip().startswith("::add-mask") or "##[" in line for line in told.lines)

    def test_the_rest_goes_to_the_summary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "summary.md"
        file.write_text("before\n")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
        told = runner(many(12))
        assert [name for name, _, _ in told.commands] == ["error"] * 10 + ["notice"]
        assert told.commands[-1] == ("notice", {}, "2 more findings: the job summary lists them")
        summary = file.read_text()
        assert summary.startswith("before\n## dedup check failed\n")
        assert "| `docs/000011.md:12` |" in summary

    def test_ten_need_no_summary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "summary.md"
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
        assert len(runner(many(10)).commands) == 10
        assert not file.exists()

    @pytest.mark.parametrize("place", ["", "gone/summary.md", "."])
    def test_a_summary_that_cannot_be_written(
        self, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / place) if place else "")
        assert runner(many(12)).commands[-1] == ("notice", {}, "2 more findings: the log lists them")

    def test_the_summary_never_grows_too_large(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "summary.md"
        file.write_bytes(b"x" * 700_000)
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
        written(many(20_000), "github")
        assert 900_000 < file.stat().st_size <= github.SUMMARY
        assert "more findings" in file.read_text()
        runner(many(20_000))
        assert file.stat().st_size <= github.SUMMARY


class TestGitLab:
    @staticmethod
    def issues(given: Verdict, **options: bool) -> list[dict[str, Any]]:
        data = written(given, "gitlab", **options)
        assert data[:1] == b"["
        loaded: list[dict[str, Any]] = json.loads(data)
        return loaded

    def test_an_issue(self) -> None:
        [issue] = self.issues(verdict(finding(added=(13, 14))))
        assert re.fullmatch("[0-9a-f]{32}", issue.pop("fingerprint"))
        assert issue == {
            "description": "Repeats docs/old.md:3 (19 words, 94.7% alike)",
            "check_name": "repeated-passage",
            "severity": "major",
            "location": {"path": "docs/new.md", "lines": {"begin": 13, "end": 14}},
        }

    def test_nothing_new_is_an_empty_array(self) -> None:
        assert written(verdict(), "gitlab") == b"[]\n"

    def test_no_two_fingerprints_are_equal(self) -> None:
        given = verdict(
            finding(), finding(line=40), finding(path="x.md"), duplicate(fingerprint="2d1b74858b8e9073"),
            finding(path="/home/a/y.md"), finding(path="/home/b/y.md"),
        )  # fmt: skip
        assert len({issue["fingerprint"] for issue in self.issues(given)}) == 6

    def test_a_fingerprint_survives_moved_lines_and_another_machine(self) -> None:
        def of(**fields: Any) -> str:
            [issue] = self.issues(verdict(finding(**fields)))
            return str(issue["fingerprint"])

        assert of() == of(line=99, end_line=101, start=5)
        assert of(path="/home/me/a.md") == of(path="C:/you/a.md")
        assert of() != of(path="docs/other.md")

    def test_severities(self) -> None:
        issues = self.issues(everything(), show_known=True)
        assert [issue["severity"] for issue in issues] == ["major"] * 4 + ["info"] * 3

    def test_a_hostile_name(self) -> None:
        for issue in self.issues(hostile()):
            assert "\x1b" not in issue["description"]
            issue["location"]["path"].encode("utf-8")


class TestJUnit:
    @staticmethod
    def suites(given: Verdict, **options: bool) -> list[TestSuite]:
        loaded = JUnitXml.fromstring(written(given, "junit", **options))
        return list(loaded)

    @staticmethod
    def cases(suite: TestSuite) -> list[TestCase]:
        return list(suite)

    def test_a_suite_for_each_rule_and_a_case_for_each_file(self) -> None:
        documents, passages = self.suites(everything())
        assert (documents.name, documents.tests, documents.failures) == ("duplicate-document", 1, 1)
        assert (passages.name, passages.tests, passages.failures) == ("repeated-passage", 2, 2)
        first, second = self.cases(passages)
        assert (first.classname, first.name) == ("repeated-passage", "docs/new.md")
        assert second.name == "data/b.jsonl"
        [failure] = first.result
        assert isinstance(failure, Failure)
        assert failure.message == "2 repeated passages"
        assert failure.text == (
            "docs/new.md:12: Repeats docs/old.md:3 (19 words, 94.7% alike)\n"
            "docs/new.md:40: Repeats docs/old.md:3 (19 words, 94.7% alike)"
        )

    def test_nothing_new_is_a_case_that_passes(self) -> None:
        for suite in self.suites(verdict()):
            [case] = self.cases(suite)
            assert case.name in ("no duplicate document", "no repeated passage")
            assert case.result == []

    def test_a_gate_that_passed_fails_nothing(self) -> None:
        suites = self.suites(verdict(finding(), passed=True))
        assert [suite.failures for suite in suites] == [0, 0]
        [case] = self.cases(suites[1])
        assert case.system_out == "docs/new.md:12: Repeats docs/old.md:3 (19 words, 94.7% alike)"

    def test_a_gate_that_failed_always_fails_something(self) -> None:
        *others, gate = self.suites(verdict(passed=False, reasons=("2 stale entries",)))
        assert [suite.failures for suite in others] == [0, 0]
        [case] = self.cases(gate)
        [failure] = case.result
        assert failure.message == "failed: 2 stale entries · 0 new"

    def test_many_files_are_counted(self) -> None:
        _, passages = self.suites(many(10_002))
        assert (passages.tests, passages.failures) == (10_001, 10_001)
        assert self.cases(passages)[-1].name == "2 more files with findings"

    def test_characters_that_xml_does_not_know_are_escaped(self) -> None:
        data = written(hostile(), "junit").decode("utf-8")
        assert not re.search("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", data)
        [case] = self.cases(self.suites(hostile())[1])
        assert case.name.startswith(r"red \x1b[31m nul \x00 turned \u202eeht\u202c half \ud800")
        assert r"non \ufffe" in case.name

    def test_the_whole_file(self) -> None:
        given = verdict(finding(others=(Place("o", "<&>.md", 1),)))
        text = written(given, "junit").decode()
        assert text.startswith("<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"dedup check\">\n")
        assert "Repeats &lt;&amp;&gt;.md:1 o (" in text
        assert ElementTree.fromstring(text.encode()).tag == "testsuites"
