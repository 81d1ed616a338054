"""``dedup scan`` within the process: options, outputs, messages, exit codes."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from dedup import cli
from dedup.errors import KernelError
from dedup.model import Settings
from dedup.read.options import Options, size

TEXT = "1 document · 0 copies · 0 repeated passages · 0% of 0 words repeated\n"
USAGE = "Usage: dedup scan [OPTIONS] PATH...\nTry 'dedup scan --help' for help.\n\nError: "


@pytest.fixture(autouse=True)
def _file() -> None:
    Path("a.txt").write_text("a text")


class TestOptions:
    def test_the_defaults_are_those_of_the_settings(self, call: Callable[..., Any], pipeline: Any) -> None:
        assert call("scan", "a.txt").code == 0
        assert pipeline.settings == Settings()
        assert [document.id for document in pipeline.documents] == ["a.txt"]

    def test_every_setting_has_its_option(self, call: Callable[..., Any], pipeline: Any) -> None:
        documents = ["--threshold", ".7", "--ngram", "3", "--num-perm", "64", "--seed", "9", "--jobs", "2"]
        passages = ["--passage-similarity", "0.6", "--min-tokens", "20", "--no-passages"]
        assert call("scan", "a.txt", *documents, *passages).code == 0
        assert pipeline.settings == Settings(0.7, 0.6, 20, 3, 64, 9, True, False, 2)
        assert call("scan", "a.txt", "--no-documents").code == 0
        assert pipeline.settings == Settings(documents=False)

    def test_fields(self, call: Callable[..., Any], pipeline: Any) -> None:
        Path("a.jsonl").write_text('{"body": "b", "url": "u"}\n')
        assert call("scan", "a.jsonl", "--text-field", "body", "--id-field", "url").code == 0
        assert [(document.id, document.text) for document in pipeline.documents] == [("u", "b")]

    def test_the_defaults_of_reading_are_those_of_the_library(self) -> None:
        defaults = {option.name: option.default for option in cli.dedup.commands["scan"].params}
        assert Options._fields == tuple(name for name in defaults if name in Options._fields)
        assert [defaults[name] for name in Options._fields[:3]] == list(Options()[:3])
        assert size(defaults["max_record_size"]) == Options().max_record_size
        assert defaults["input_format"] == Options().input_format

    def test_the_largest_record(self, call: Callable[..., Any], pipeline: Any) -> None:
        Path("a.jsonl").write_text('{"text": "a"}\n{"text": "' + "b" * 3000 + '"}\n')
        result = call("scan", "a.jsonl", "--max-record-size", "2kB")
        assert [document.text for document in pipeline.documents] == ["a"]
        assert result.code == 0
        bad = call("scan", "a.jsonl", "--max-record-size", "2 pounds")
        assert bad.code == 2
        assert "'2 pounds' is no size; expected bytes, or a number with KB, MB, GB" in bad.err

    def test_the_format_of_standard_input(
        self, call: Callable[..., Any], pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text\nb\n")))
        assert call("scan", "-", "--input-format", "csv").code == 0
        assert [document.text for document in pipeline.documents] == ["b"]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ["--input-format", "doc"],
                "input_format is 'doc'; expected auto or a suffix: txt md html htm jsonl ",
            ),
            (
                ["--html-extractor", "x"],
                "html_extractor is 'x'; expected one of resiliparse, trafilatura, none",
            ),
        ],
    )
    def test_what_there_is_not(self, call: Callable[..., Any], options: list[str], message: str) -> None:
        result = call("scan", "a.txt", *options)
        assert result.code == 2
        assert result.err.startswith(f"dedup: {message}")
        assert result.err.count("\n") == 1

    def test_a_page_as_markup(self, call: Callable[..., Any], pipeline: Any) -> None:
        Path("a.html").write_text("<p>x")
        assert call("scan", "a.html", "--html-extractor", "none").code == 0
        assert [document.text for document in pipeline.documents] == ["<p>x"]

    def test_standard_input(
        self, call: Callable[..., Any], pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "b"}\n')))
        assert call("scan", "-").code == 0
        assert [document.id for document in pipeline.documents] == ["-:1"]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--threshold", "7"], "threshold is 7.0; expected a number above 0 and up to 1"),
            (["--min-tokens", "2"], "min_tokens is 2; expected a whole number from 4 to 1000000"),
            (
                ["--no-documents", "--no-passages"],
                "documents and passages are both off: nothing is left to look for; turn one on",
            ),
            (["gone"], "gone: no such file or directory"),
            (["-", "-"], "-: given twice; standard input can be read only once"),
        ],
    )
    def test_what_cannot_be_is_one_line(
        self, call: Callable[..., Any], pipeline: Any, options: list[str], message: str
    ) -> None:
        outcome = call("scan", "a.txt", *options)
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"dedup: {message}\n")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--quiet"], "Missing argument 'PATH...'."),
            (["a.txt", "--threshold", "x"], "Invalid value for '--threshold': 'x' is not a valid float."),
            (
                ["a.txt", "--format", "xml"],
                "Invalid value for '--format': 'xml' is not a format; expected one of text, json, jsonl, markdown, "
                "csv, html.",
            ),
            (
                ["a.txt", "--format", "json="],
                "Invalid value for '--format': 'json=' names no file; expected json=FILE.",
            ),
            (
                ["a.txt", "--format", "json", "--format", "text"],
                "json and text would go to one place; write --format text=FILE.",
            ),
            (
                ["a.txt", "--format", "json=a", "-o", "b"],
                "-o is for a format without a file of its own, and there is none.",
            ),
        ],
    )
    def test_wrong_usage(self, call: Callable[..., Any], arguments: list[str], message: str) -> None:
        outcome = call("scan", *arguments)
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{USAGE}{message}\n")

    def test_an_unknown_option(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", "a.txt", "--xyzzy")
        assert (outcome.code, outcome.out) == (2, "")
        # In click's words, which differ from version to version.
        assert re.fullmatch(f"{re.escape(USAGE)}No such option:? '?--xyzzy'?\\.?\n", outcome.err)

    @pytest.mark.parametrize("arguments", [[], ["scan"]])
    def test_no_arguments_show_the_help(self, call: Callable[..., Any], arguments: list[str]) -> None:
        outcome = call(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("Usage: dedup ")
        assert call(*arguments, "--help").out == outcome.err

    def test_an_unknown_command(self, call: Callable[..., Any]) -> None:
        outcome = call("scam")
        assert outcome.code == 2
        assert "Error: No such command 'scam'." in outcome.err


class TestHelp:
    def test_it_shows_every_option_under_a_heading_with_its_default(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", "-h")
        assert outcome.code == 0
        assert outcome.err == ""
        flat = " ".join(outcome.out.split())
        for name, value in Settings().to_dict().items():
            if isinstance(value, bool):
                assert f"--no-{name}" in flat
            else:
                option = flat[flat.index(f"--{name.replace('_', '-')} ") :]
                assert f"[default: {value}]" in option[:200]
        headings = [
            "What counts as a copy:",
            "How it is searched:",
            "Input:",
            "Output:",
            "Help:",
            "Examples:",
        ]
        places = [
            outcome.out.index(f"\n{'  ' * (heading == 'Examples:')}{heading}\n") for heading in headings
        ]
        assert places == sorted(places)

    def test_every_option_has_a_help_text(self) -> None:
        command = cli.dedup.commands["scan"]
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert (parameter.help or "").endswith("."), parameter.name

    def test_every_example_is_accepted(self, call: Callable[..., Any]) -> None:
        lines = [
            line
            for line in call("scan", "-h").out.splitlines()
            if "dedup scan " in line and "Usage" not in line
        ]
        assert len(lines) == 5
        for line in lines:
            arguments = line.partition("dedup scan ")[2].split()
            with cli.dedup.commands["scan"].make_context("scan", arguments) as context:
                assert context.params["paths"]

    def test_the_version_names_the_kernel(
        self, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import dedup
        import dedup.kernel

        monkeypatch.setattr(dedup.kernel, "name", lambda: "native", raising=False)
        outcome = call("--version")
        assert (outcome.code, outcome.out, outcome.err) == (
            0,
            f"dedup {dedup.__version__} (kernel: native)\n",
            "",
        )


class TestOutputs:
    def test_text_to_standard_output(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out, outcome.err) == (0, TEXT, "")

    def test_one_format(self, call: Callable[..., Any]) -> None:
        assert json.loads(call("scan", "a.txt", "--format", "json").out)["summary"]["documents"] == 1
        lines = call("scan", "a.txt", "--format=jsonl").out.splitlines()
        assert [json.loads(line)["type"] for line in lines] == ["header", "summary"]

    def test_into_a_file(self, call: Callable[..., Any]) -> None:
        Path("out").write_text("old")
        outcome = call("scan", "a.txt", "-o", "out")
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
        assert Path("out").read_text() == TEXT

    def test_many_reports(self, call: Callable[..., Any]) -> None:
        formats = ["json=a.json", "text", "jsonl=b", "text=c"]
        outcome = call("scan", "a.txt", *(part for name in formats for part in ("--format", name)))
        assert (outcome.code, outcome.out, outcome.err) == (0, TEXT, "")
        assert json.loads(Path("a.json").read_text())["schema"] == "dedup-report/1"
        assert len(Path("b").read_text().splitlines()) == 2
        assert Path("c").read_text() == TEXT

    def test_one_to_a_file_of_its_own_and_one_through_o(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", "a.txt", "--format", "json=a.json", "--format", "text", "-o", "b")
        assert (outcome.code, outcome.out) == (0, "")
        assert Path("b").read_text() == TEXT
        assert Path("a.json").exists()

    def test_standard_output_by_name(self, call: Callable[..., Any]) -> None:
        assert call("scan", "a.txt", "-o", "-").out == TEXT

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["-o", "a.txt"], "a.txt: is one of the inputs, which are never changed; write somewhere else"),
            (["-o", "link"], "link: is one of the inputs, which are never changed; write somewhere else"),
            (
                ["-o", "d/r.jsonl"],
                "d/r.jsonl: would be an input of the next scan; write outside the directories read",
            ),
            (["-o", "d"], "d: is a directory; expected the name of a file to write"),
            (["-o", "gone/x"], "gone/x: cannot be written: its directory does not exist"),
            (
                ["--format", "json=x", "--format", "text=./x"],
                "./x: given for two reports; expected a file for each",
            ),
        ],
    )
    def test_what_cannot_be_written_is_refused_before_the_work(
        self, call: Callable[..., Any], pipeline: Any, options: list[str], message: str
    ) -> None:
        os.mkdir("d")
        os.symlink("a.txt", "link")
        outcome = call("scan", "a.txt", "d", *options)
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"dedup: {message}\n")
        assert pipeline.settings is None
        assert Path("a.txt").read_text() == "a text"

    def test_a_result_beside_the_inputs_is_fine_when_it_is_not_read(self, call: Callable[..., Any]) -> None:
        assert call("scan", ".", "-o", "result.json", "--format", "json").code == 0

    def test_an_error_leaves_the_old_file(self, call: Callable[..., Any], pipeline: Any) -> None:
        Path("out").write_text("old")
        pipeline.error = KernelError("no kernel")
        assert call("scan", "a.txt", "-o", "out").code == 2
        assert Path("out").read_text() == "old"
        assert sorted(os.listdir()) == ["a.txt", "out"]

    def test_a_full_disk_is_told(self, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("os.fsync", full)
        outcome = call("scan", "a.txt", "-o", "out")
        assert (outcome.code, outcome.err) == (2, "dedup: out: cannot be written: no space left on device\n")
        assert os.listdir() == ["a.txt"]


class TestSkipped:
    LINE = "skipped bad.txt: not UTF-8: byte 0xff at byte offset 0\n"

    @pytest.fixture(autouse=True)
    def _bad(self) -> None:
        Path("bad.txt").write_bytes(b"\xff")

    def test_in_the_text_report_only(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", ".")
        assert (outcome.code, outcome.err) == (0, "")
        assert "  ./bad.txt: not UTF-8: byte 0xff at byte offset 0\n" in outcome.out

    @pytest.mark.parametrize("options", [["--format", "json"], ["-o", "out"]])
    def test_on_standard_error_when_the_text_report_is_not_there(
        self, call: Callable[..., Any], options: list[str]
    ) -> None:
        outcome = call("scan", "a.txt", "bad.txt", *options)
        assert (outcome.code, outcome.err) == (0, f"dedup: {self.LINE}")

    def test_quiet(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", "a.txt", "bad.txt", "--format", "json", "-q")
        assert (outcome.code, outcome.err) == (0, "")
        assert json.loads(outcome.out)["skipped"][0]["source"] == "bad.txt"

    def test_fail_on_skipped(self, call: Callable[..., Any]) -> None:
        outcome = call("scan", "bad.txt", "--format", "json", "--fail-on-skipped", "-q")
        assert outcome.code == 3
        assert json.loads(outcome.out)["summary"]["skipped"] == 1
        assert call("scan", "a.txt", "--fail-on-skipped").code == 0

    def test_nothing_readable_is_a_report_too(self, call: Callable[..., Any]) -> None:
        os.mkdir("d")
        outcome = call("scan", "d")
        assert outcome.code == 0
        assert "  d: no readable files\n" in outcome.out
        assert outcome.out.endswith(
            "0 documents · 0 copies · 0 repeated passages · 0% of 0 words repeated · 1 skipped\n"
        )

    def test_many_are_counted(self, call: Callable[..., Any]) -> None:
        for number in range(30):
            Path(f"{number:02}.png").touch()
        lines = call("scan", ".", "--format", "json").err.splitlines()
        assert len(lines) == 21
        assert lines[-1] == "dedup: skipped 11 more inputs; the report lists them all"

    def test_a_name_cannot_steer_the_terminal(self, call: Callable[..., Any]) -> None:
        Path("\x1b[31m.png").touch()
        outcome = call("scan", "\x1b[31m.png", "gone\x1b", "--format", "json")
        assert outcome.err == "dedup: gone\\x1b: no such file or directory\n"
        outcome = call("scan", "\x1b[31m.png", "--format", "json")
        assert outcome.err.startswith("dedup: skipped \\x1b[31m.png: not a format")


class TestErrors:
    def test_an_error_of_ours(self, call: Callable[..., Any], pipeline: Any) -> None:
        pipeline.error = KernelError("no native kernel; build it")
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out, outcome.err) == (2, "", "dedup: no native kernel; build it\n")

    @pytest.mark.parametrize(
        ("error", "line"),
        [(ValueError("two\nlines"), "ValueError: two lines"), (KeyError("k"), "KeyError: 'k'")],
    )
    def test_an_error_of_nobody(
        self, call: Callable[..., Any], pipeline: Any, error: Exception, line: str
    ) -> None:
        pipeline.error = error
        outcome = call("scan", "a.txt")
        message = f"dedup: internal error: {line} (DEDUP_DEBUG=1 shows where)\n"
        assert (outcome.code, outcome.out, outcome.err) == (2, "", message)

    @pytest.mark.parametrize(
        ("text", "line"), [("no room\nfor 3 GB", "no room for 3 GB"), ("", "no room for an object")]
    )
    def test_too_little_memory(self, call: Callable[..., Any], pipeline: Any, text: str, line: str) -> None:
        pipeline.error = MemoryError(text)
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"dedup: out of memory: {line}\n")

    def test_debugging(
        self, call: Callable[..., Any], pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEDUP_DEBUG", "1")
        pipeline.error = ValueError("odd")
        outcome = call("scan", "a.txt")
        assert outcome.code == 2
        assert outcome.err.startswith("Traceback (most recent call last):\n")
        assert outcome.err.endswith("dedup: internal error: ValueError: odd (DEDUP_DEBUG=1 shows where)\n")

    def test_an_interruption(self, call: Callable[..., Any], pipeline: Any) -> None:
        pipeline.error = KeyboardInterrupt()
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out) == (130, "")
        assert outcome.err.strip() == "dedup: interrupted"
