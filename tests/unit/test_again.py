"""Texts that are read again instead of being held."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dedup import Document, InputError, Settings, Skipped, Source
from dedup.pipeline import run
from dedup.read import documents
from dedup.read.again import Again

ONLY_DOCUMENTS = Settings(passages=False)
TEXT = "One and the same notice, word for word, was printed in both papers on the same day."


def records(path: Path, texts: list[str]) -> str:
    """A file of JSON lines; its name."""
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return str(path)


def test_every_document_of_a_file_is_read_again_as_it_was(tmp_path: Path) -> None:
    texts = ["plain", "l’été", "好", "line\nbreak", "", "\ud800 alone"]
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + b"".join(json.dumps({"text": text}).encode() + b"\r\n" for text in texts)
    )
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfwith a mark\r\n")
    found = [item for item in documents([str(tmp_path)]) if isinstance(item, Document)]
    assert [item.text for item in found] == [*texts, "with a mark\r\n"]
    with Again() as again:
        for item in reversed(found):
            assert again.can(item.source)
            assert again.text(item.source) == item.text


def test_what_cannot_be_gone_back_to_is_held(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"text": "t"}\n'))
    os.mkfifo(tmp_path / "pipe.jsonl")
    again = Again()
    for path in (str(packed), str(tmp_path / "pipe.jsonl"), "-", str(tmp_path / "gone.jsonl"), None):
        assert not again.can(Source(path, 1, 0))


def test_standard_input_is_not_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text('{"text": "something else"}\n')
    assert not Again().can(Source("-", 1, 0))
    assert Again().can(Source("./-", 1, 0))


def test_what_has_become_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    with Again() as again:
        assert again.can(Source(str(path), None, 0))
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(InputError, match="changed while it was read"):
            again.text(Source(str(path), None, 0))


def test_the_result_is_that_of_texts_that_are_held(tmp_path: Path) -> None:
    path = records(tmp_path / "a.jsonl", [TEXT, TEXT.upper(), "Another text.", TEXT, "", TEXT.upper()])
    held = run(documents([path]), ONLY_DOCUMENTS)
    with Again() as again:
        assert run(documents([path]), ONLY_DOCUMENTS, again=again) == held
    assert [len(cluster.members) for cluster in held.document_clusters] == [4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: records(path, ["Something else.", "Something else."]), "changed while it was read"),
        (lambda path: records(path, []), "changed while it was read"),
        (lambda path: path.unlink(), "cannot be read again: No such file or directory"),
    ],
    ids=["other text", "emptied", "gone"],
)
def test_a_file_that_changes_meanwhile_is_an_error(
    tmp_path: Path, change: Callable[[Path], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.collect.BATCH", 1)  # each document is done with at once
    path = tmp_path / "a.jsonl"
    records(path, [TEXT, TEXT])

    def items() -> Iterator[Document | Skipped]:
        yield from documents([str(path)])
        change(path)

    with pytest.raises(InputError) as error, Again() as again:
        run(items(), ONLY_DOCUMENTS, again=again)
    assert str(error.value) == f"{path}: {message}"
