"""``dedup report``: a saved result in any format, from a file or standard input, into files or onto standard output."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dedup import cli
from dedup.report import CHECK_FORMATS, FORMATS
from tests.unit.test_report import REPORT, written
from tests.verdicts import everything
from tests.verdicts import written as written_verdict

SENTENCE = "the harbour office counted every ship that came in before the storm and none that left after it"


@pytest.fixture(autouse=True)
def _results() -> None:
    Path("scan.json").write_bytes(written(REPORT, "json"))
    Path("check.json").write_bytes(written_verdict(everything(), "json"))


def ran(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, bytes, str]:
    code = cli.main(["report", *arguments])
    out, err = capfdbinary.readouterr()
    return code, out, err.decode()


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_of_a_scan(format: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert ran(capfdbinary, "scan.json", "--format", format) == (0, written(REPORT, format), "")


def test_without_a_format_it_is_text(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert ran(capfdbinary, "scan.json") == (0, written(REPORT, "text"), "")


@pytest.mark.parametrize("format", ["text", "json", "gitlab", "junit", "markdown"])
def test_formats_of_a_check(format: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = ran(capfdbinary, "check.json", "--format", format)
    assert code == 0
    assert b"docs/new.md" in out
    assert format != "json" or out == written_verdict(everything(), "json")


def test_of_a_check_more_is_shown_if_asked_for(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    _, plain, _ = ran(capfdbinary, "check.json")
    _, known, _ = ran(capfdbinary, "check.json", "--show-known")
    _, suppressed, _ = ran(capfdbinary, "check.json", "--show-suppressed")
    assert b"docs/moved.md" not in plain
    assert b"docs/moved.md" in known
    assert b"quoted on purpose" in suppressed


def test_of_a_check_the_clusters(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert ran(capfdbinary, "check.json", "--format", "csv") == (0, written(everything().report, "csv"), "")


def test_what_a_result_cannot_be_written_in(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for format in CHECK_FORMATS:
        if format not in FORMATS:
            code, out, err = ran(capfdbinary, "scan.json", "--format", format)
            expected = f"scan.json: is of a scan, and {format} is for findings of dedup check; expected "
            assert (code, out, err) == (2, b"", f"dedup: {expected}{', '.join(FORMATS)}\n")
    code, out, err = ran(capfdbinary, "check.json", "--format", "sarif")
    assert (code, out) == (2, b"")
    assert err == (
        "dedup: check.json: sarif shows columns of texts that a result does not hold; "
        "have dedup check write it, --format sarif=FILE\n"
    )


def test_standard_input(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(REPORT, "json")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert ran(capfdbinary, "-", "--format", "json") == (0, data, "")


def test_compressed_and_several_reports(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("r.json.gz").write_bytes(gzip.compress(written(REPORT, "json")))
    arguments = ("r.json.gz", "--format", "csv=r.csv", "--format", "text", "-o", "r.txt")
    assert ran(capfdbinary, *arguments) == (0, b"", "")
    assert Path("r.csv").read_bytes() == written(REPORT, "csv")
    assert Path("r.txt").read_bytes() == written(REPORT, "text")


def test_the_result_itself_is_not_overwritten(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    before = Path("scan.json").read_bytes()
    code, _, err = ran(capfdbinary, "scan.json", "--format", "csv", "-o", "scan.json")
    assert (code, err) == (
        2, "dedup: scan.json: is one of the inputs, which are never changed; write somewhere else\n",
    )  # fmt: skip
    assert Path("scan.json").read_bytes() == before


@pytest.mark.parametrize("name", ["gone.json", "empty.json", "other.json", "cut.json"])
def test_what_is_no_result(name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("empty.json").touch()
    Path("other.json").write_text(json.dumps({"schema": "dedup-report/9"}))
    Path("cut.json").write_bytes(written(REPORT, "json")[:500])
    code, out, err = ran(capfdbinary, name, "--format", "csv", "-o", "out.csv")
    assert (code, out) == (2, b"")
    assert err.startswith(f"dedup: {name}: ")
    assert err.count("\n") == 1
    assert not Path("out.csv").exists()


class TestTexts:
    @pytest.fixture
    def page(self, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[int, str, str]]:
        """Two articles in a folder and a third in a file of records, scanned; then ``dedup report --texts``."""
        Path("articles").mkdir()
        for name, begin in (("a", "Nobody knew why,"), ("b", "As everybody knew,")):
            Path(f"articles/{name}.txt").write_text(f"{begin} {SENTENCE}. The end of {name}.")
        Path("c.jsonl").write_text(json.dumps({"body": f"{SENTENCE}, said the last."}) + "\n")
        scan = [
            "scan",
            "articles",
            "c.jsonl",
            "--text-field",
            "body",
            "--no-documents",
            "--format",
            "json=r.json",
        ]
        assert cli.main(scan) == 0
        capfdbinary.readouterr()

        def page(*arguments: str) -> tuple[int, str, str]:
            code, out, err = ran(
                capfdbinary, "r.json", "--format", "html", "--text-field", "body", *arguments
            )
            return code, out.decode(), err

        return page

    def test_the_files_are_read_again(self, page: Callable[..., tuple[int, str, str]]) -> None:
        code, out, err = page("--texts")
        assert (code, err) == (0, "")
        assert ">Nobody </span>" in out
        assert '," last.",' in out
        assert "could not be read again" not in out

    def test_they_are_never_overwritten(self, page: Callable[..., tuple[int, str, str]]) -> None:
        before = Path("articles/a.txt").read_text()
        code, _, err = page("--texts", "-o", "articles/a.txt")
        assert (code, Path("articles/a.txt").read_text()) == (2, before)
        assert "is one of the inputs, which are never changed" in err

    def test_they_are_not_unless_it_is_asked_for(self, page: Callable[..., tuple[int, str, str]]) -> None:
        _, out, _ = page()
        assert ">Nobody <" not in out

    def test_what_has_changed_or_gone_is_not_shown(self, page: Callable[..., tuple[int, str, str]]) -> None:
        Path("articles/b.txt").unlink()
        Path("articles/a.txt").write_text(f"Something else, {SENTENCE}.")
        later = Path("r.json").stat().st_mtime + 5
        os.utime("articles/a.txt", (later, later))
        code, out, err = page("--texts", "--fail-on-skipped")
        assert code == 3
        assert err == "dedup: skipped articles/a.txt: changed since the result was written\n"
        assert "Something else" not in out
        assert "documents could not be read again" in out


def test_no_configuration_is_looked_at(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("dedup.toml").write_text('format = "json"\nnonsense = 1')
    assert ran(capfdbinary, "scan.json") == (0, written(REPORT, "text"), "")
