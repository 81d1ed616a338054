"""``dedup diff``: which documents are meant, by which settings, how it is written, and what is no document."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dedup import cli
from tests.unit.prose import Prose

PROSE = Prose(4)
PASSAGE = PROSE.words(30)
A, B, C = PROSE.round(PASSAGE), PROSE.round(PASSAGE), PROSE.words(90)

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _files() -> None:
    Path("a.txt").write_text(A)
    Path("b.txt").write_text(B)
    records = [{"id": "x", "text": A}, {"id": "y", "text": B}, {"id": "z", "text": C}, {"id": "z", "text": A}]
    Path("r.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records) + "broken\n")


def ran(capfd: Capture, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["diff", *arguments])
    return code, *capfd.readouterr()


def compared(capfd: Capture, *arguments: str) -> Any:
    code, out, _ = ran(capfd, *arguments, "--format", "json")
    assert code == 0
    return json.loads(out)


def names(found: Any) -> list[tuple[str, int | None]]:
    return [(side["document"], side["source"]["line"]) for side in found["documents"]]


def error(capfd: Capture, *arguments: str) -> str:
    code, out, err = ran(capfd, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("dedup: ")
    assert err.count("\n") == 1
    return err[len("dedup: ") : -1]


class TestFiles:
    def test_two_files(self, capfd: Capture) -> None:
        found = compared(capfd, "a.txt", "b.txt")
        assert names(found) == [("a.txt", None), ("b.txt", None)]
        assert [member["text"] for member in found["passages"][0]["members"]] == [PASSAGE, PASSAGE]

    def test_a_file_and_itself(self, capfd: Capture) -> None:
        code, out, _ = ran(capfd, "a.txt", "a.txt")
        assert code == 0
        assert "Copies: the two texts are the same, letter for letter." in out

    def test_one_record_in_a_file_and_standard_input(
        self, capfd: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("one.jsonl").write_text(json.dumps({"body": A}))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps({"body": B}).encode())))
        assert names(compared(capfd, "one.jsonl", "-", "--text-field", "body")) == [
            ("one.jsonl:1", 1),
            ("-:1", 1),
        ]

    def test_what_is_not_one_document(self, capfd: Capture) -> None:
        Path("none.jsonl").touch()
        Path("bytes.txt").write_bytes(b"\xff\xfe\x00")
        Path("half.jsonl").write_text('{"text": "a"}\nbroken\n')
        assert error(capfd, "a.txt", "gone.txt") == "gone.txt: no such file or directory"
        assert error(capfd, "a.txt", "none.jsonl") == "none.jsonl: holds no document; expected one"
        assert error(capfd, "a.txt", "bytes.txt").startswith("bytes.txt: not UTF-8")
        assert error(capfd, "half.jsonl", "a.txt").startswith("half.jsonl:2: not JSON")
        assert error(capfd, "a.txt", "r.jsonl") == (
            "r.jsonl: holds more than one document; name two of them, by id or place, with --in r.jsonl"
        )
        assert error(capfd, "a.txt", ".").startswith(".: holds more than one document")
        assert error(capfd, "-", "-") == "-: given twice; standard input can be read only once"

    def test_empty_files(self, capfd: Capture) -> None:
        Path("e.txt").touch()
        code, out, _ = ran(capfd, "e.txt", "a.txt")
        assert code == 0
        assert "Not copies: A has no word." in out


class TestRecords:
    def test_by_id_and_by_place(self, capfd: Capture) -> None:
        assert names(compared(capfd, "x", "y", "--in", "r.jsonl")) == [("x", 1), ("y", 2)]
        assert names(compared(capfd, "r.jsonl:3", "r.jsonl:4", "--in", "r.jsonl")) == [("z", 3), ("z", 4)]
        assert names(compared(capfd, "x", "a.txt", "--in", "r.jsonl", "--in", "a.txt")) == [
            ("x", 1),
            ("a.txt", None),
        ]

    def test_what_is_passed_over_is_told(self, capfd: Capture) -> None:
        code, _, err = ran(capfd, "x", "y", "--in", "r.jsonl")
        assert (code, err[:32]) == (0, "dedup: skipped r.jsonl:5: not JS")
        assert ran(capfd, "x", "y", "--in", "r.jsonl", "-q")[2] == ""
        assert ran(capfd, "x", "y", "--in", "r.jsonl", "--fail-on-skipped")[0] == 3

    def test_names_of_none_or_several(self, capfd: Capture) -> None:
        assert error(capfd, "x", "w", "--in", "r.jsonl", "-q") == (
            "w: no document is called so, by its id or its place, in r.jsonl"
        )
        assert error(capfd, "x", "z", "--in", "r.jsonl", "-q") == (
            "z: 2 documents are called so in r.jsonl: r.jsonl:3, r.jsonl:4; name one by its place"
        )


class TestResult:
    @pytest.fixture(autouse=True)
    def _result(self) -> None:
        with zipfile.ZipFile("p.zip", "w") as archive:
            archive.writestr("in.txt", PROSE.round(PASSAGE))
        paths = ["r.jsonl", "a.txt", "p.zip"]
        assert cli.main(["scan", *paths, "--min-tokens", "20", "--format", "json", "-o", "r.json", "-q"]) == 0

    def test_documents_are_read_again_with_its_settings(self, capfd: Capture) -> None:
        found = compared(capfd, "x", "y", "--result", "r.json", "-q")
        assert names(found) == [("x", 1), ("y", 2)]
        assert found["settings"]["min_tokens"] == 20
        found = compared(
            capfd, "x", "p.zip!in.txt", "--result", "r.json", "-q", "--no-passages", "--seed", "9"
        )
        assert names(found) == [("x", 1), ("p.zip!in.txt", None)]
        assert (found["settings"]["min_tokens"], found["settings"]["seed"]) == (20, 9)
        assert (found["settings"]["passages"], found["settings"]["documents"]) == (False, True)

    def test_only_what_it_names(self, capfd: Capture) -> None:
        assert error(capfd, "x", "r.jsonl:3", "--result", "r.json") == (
            "r.jsonl:3: r.json names no such document, for it names only those that repeat something; "
            "give the files with --in"
        )

    def test_what_has_changed(self, capfd: Capture) -> None:
        Path("r.jsonl").write_text(
            json.dumps({"id": "x", "text": C}) + "\n" + json.dumps({"id": "y", "text": B})
        )
        assert error(capfd, "x", "y", "--result", "r.json") == (
            "x: is not what it was when r.json was written; scan again"
        )
        Path("r.jsonl").unlink()
        assert error(capfd, "x", "y", "--result", "r.json") == "r.jsonl: no such file or directory"

    def test_a_result_of_what_cannot_be_read_again(
        self, capfd: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = "".join(json.dumps({"id": name, "text": A}) + "\n" for name in "uv")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.encode())))
        assert cli.main(["scan", "-", "--format", "json", "-o", "s.json"]) == 0
        assert error(capfd, "u", "v", "--result", "s.json") == (
            "u: came on standard input and cannot be read again; give a file with --in"
        )

    def test_it_is_one_or_the_other(self, capfd: Capture) -> None:
        code, _, err = ran(capfd, "x", "y", "--result", "r.json", "--in", "r.jsonl")
        assert code == 2
        assert "--in and --result contradict each other; give one of them." in err


class TestOutput:
    def test_formats_and_files(self, capfd: Capture) -> None:
        code, out, _ = ran(
            capfd, "a.txt", "b.txt", "--format", "text", "--format", "html=d.html", "-o", "d.txt"
        )
        assert (code, out) == (0, "")
        page = Path("d.html").read_text()
        assert page.startswith("<!doctype html>")
        assert 'href="./a.txt"' in page
        assert 'href="./b.txt#:~:text=' in page
        assert "── passage 1" in Path("d.txt").read_text()

    def test_an_input_is_not_overwritten(self, capfd: Capture) -> None:
        before = Path("a.txt").read_text()
        assert "is one of the inputs" in error(capfd, "a.txt", "b.txt", "-o", "a.txt")
        assert Path("a.txt").read_text() == before

    def test_the_settings_come_from_the_configuration_and_the_format_does_not(self, capfd: Capture) -> None:
        Path("dedup.toml").write_text('min-tokens = 25\nformat = "json=out.json"\n')
        code, out, _ = ran(capfd, "a.txt", "b.txt")
        assert code == 0
        assert "min-tokens 25" in " ".join(out.split())
        assert not Path("out.json").exists()
        Path("dedup.toml").write_text('[diff]\nformat = "json"\n')
        assert "format cannot be configured" in error(capfd, "a.txt", "b.txt")

    def test_settings_out_of_range(self, capfd: Capture) -> None:
        assert error(capfd, "a.txt", "b.txt", "--threshold", "7").startswith("threshold is 7")
