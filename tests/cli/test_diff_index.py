"""``dedup diff --index``: archived documents by their ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dedup import index
from dedup.cli import main
from dedup.model import Document
from tests.unit.prose import Prose

PROSE = Prose(3)
FIRST, SECOND, OTHER = PROSE.words(60), PROSE.words(60), PROSE.words(60)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    documents = [Document("a", FIRST), Document("b", SECOND), Document("b", OTHER)]
    index.build(tmp_path / "memory", documents, index.Shape(text=True))
    Path("new.txt").write_text(f"{FIRST} And more.", "utf-8")
    Path("new.jsonl").write_text(json.dumps({"id": "n", "text": SECOND}), "utf-8")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["diff", *arguments, "--index", "memory", "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_file_and_an_archived_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "new.txt", "a")["documents"][1]["document"] == "a"


def test_a_record_and_one_of_several_versions(capsys: pytest.CaptureFixture[str]) -> None:
    version = next(
        document.source.archived
        for document in index.Snapshot.of(Path("memory")).named("b")
        if document.text == SECOND
    )
    assert main(["diff", "n", "b", "--in", "new.jsonl", "--index", "memory"]) == 2
    assert f"b@{version}" in capsys.readouterr().err
    found = told(capsys, "n", f"b@{version}", "--in", "new.jsonl")
    assert found["documents"][0]["containment"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nothing", "a"], "nothing: no such file"),
        (["n", "a", "--in", "new.txt"], "n: no document is called so"),
        (["a", "b", "--result", "r.json"], "contradict each other"),
    ],
)
def test_what_is_not_there(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *arguments, "--index", "memory"]) == 2
    assert error in capsys.readouterr().err
