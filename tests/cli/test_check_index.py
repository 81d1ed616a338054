"""``dedup check --index``: what the archive holds was there before; a copy of it is new where it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dedup import index
from dedup.cli import main
from dedup.model import Document, Source
from tests.gating import page, prose

ARCHIVED = prose(1)


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.build(
        tmp_path / "memory", [Document("old", ARCHIVED, Source("docs/old.md"))], index.Shape(text=True)
    )
    write("a", page("# A", prose(10), prose(11)))
    write("b", page("# B", prose(20), ARCHIVED))


def write(name: str, text: str) -> None:
    Path("docs").mkdir(exist_ok=True)
    Path(f"docs/{name}.md").write_text(text, "utf-8")


def found(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[tuple[str, str, list[str]]]]:
    capsys.readouterr()
    code = main(["check", "docs", "--index", "memory", "--format", "json", *options])
    said = json.loads(capsys.readouterr().out)["findings"]
    told = [
        (f"{one['path']}:{one['line']}", one["status"], [_name(other) for other in one["others"]])
        for one in said
    ]
    return code, told


def _name(other: dict[str, Any]) -> str:
    return f"{other['path']} (archived)" if other.get("archived") else other["path"]


def test_a_copy_of_an_archived_text_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    assert found(capsys) == (1, [("docs/b.md:5", "new", ["docs/old.md (archived)"])])
    assert main(["check", "docs", "-q"]) == 0  # without the index nothing repeats


def test_what_is_accepted_stays_so_and_a_second_copy_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "docs", "--index", "memory", "--update-baseline"]) == 0
    lines = Path(".dedup-baseline.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 2  # the settings, and one place
    assert found(capsys) == (0, [("docs/b.md:5", "known", ["docs/old.md (archived)"])])
    write("c", page("# C", ARCHIVED))
    code, told = found(capsys)
    assert (code, [place for place, status, _ in told if status == "new"]) == (1, ["docs/c.md:1"])


def test_a_file_is_no_copy_of_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["index", "add", "memory", "docs", "-q"]) == 0
    write("b", page("# B", prose(20)))
    assert found(capsys) == (0, [])


def test_an_index_without_texts_proves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index.build(tmp_path / "textless", [Document("old", ARCHIVED)], index.Shape())
    assert main(["check", "docs", "--index", "textless"]) == 2
    assert "holds no texts" in capsys.readouterr().err


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_each_of_several_copies_is_new(copies: int, capsys: pytest.CaptureFixture[str]) -> None:
    write("b", page("# B", prose(20)))
    for number in range(copies):
        write(f"copy{number}", ARCHIVED)
    code, told = found(capsys, "--no-baseline")
    assert (code, [status for _, status, _ in told]) == (1, ["new"] * copies)
