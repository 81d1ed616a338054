"""The benchmark's own parts, on small corpora: truth against brute force, repeatable corpora, measuring."""

from __future__ import annotations

import re
import sys
from itertools import combinations
from pathlib import Path

import pytest

from benchmarks import corpus, truth
from benchmarks.measure import measure


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of invented words, the same everywhere."""
    return corpus.build("ordinary", 0.5, tmp_path_factory.mktemp("corpus") / "small.jsonl", data=None)


def _brute_force(path: Path) -> dict[tuple[int, int], float]:
    shingles = []
    for _, text in truth.read_corpus(path):
        words = re.findall(r"\w+", text.lower())
        shingles.append({tuple(words[place : place + 5]) for place in range(len(words) - 4)})
    numbered = enumerate(shingles)
    ratios = {(a, b): len(x & y) / len(x | y) for (a, x), (b, y) in combinations(numbered, 2) if x | y}
    return {pair: ratio for pair, ratio in ratios.items() if ratio >= truth.MINIMUM}


@pytest.mark.parametrize("frequent", [200, 2])
def test_truth_is_that_of_brute_force(small: Path, frequent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "FREQUENT", frequent)
    found = {(a, b): ratio for a, b, ratio in truth.alike(truth.shingle(truth.read_corpus(small)))}
    expected = _brute_force(small)
    assert len(expected) > 5
    assert found == pytest.approx(expected)


def test_a_corpus_is_the_same_bytes_for_the_same_seed(small: Path, tmp_path: Path) -> None:
    again = corpus.build("ordinary", 0.5, tmp_path / "again.jsonl", data=None)
    other = corpus.build("ordinary", 0.5, tmp_path / "other.jsonl", data=None, seed=2)
    assert again.read_bytes() == small.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("shape", sorted(corpus.SHAPES))
def test_a_corpus_has_the_size_that_was_asked_for(shape: str, tmp_path: Path) -> None:
    path = corpus.build(shape, 0.5, tmp_path / "corpus.jsonl", data=None)
    assert path.stat().st_size == pytest.approx(0.5e6, rel=0.15)


def test_shapes_hold_what_they_say(tmp_path: Path) -> None:
    texts = {
        shape: [text for _, text in truth.read_corpus(corpus.build(shape, 0.2, tmp_path / shape, data=None))]
        for shape in ("copies", "sentence", "line")
    }
    assert max(map(texts["copies"].count, texts["copies"])) == len(texts["copies"]) / 2
    assert all(text.count(corpus.SENTENCE) == 1 for text in texts["sentence"])
    assert set(texts["line"][0].splitlines()) == {corpus.SENTENCE}


def test_a_run_is_measured_and_a_failure_reported() -> None:
    usage = measure([sys.executable, "-c", "block = bytearray(60_000_000); print(len(block))"])
    assert usage.stdout.strip() == "60000000"
    assert usage.error is None
    assert usage.wall > 0
    assert 60e6 < usage.peak < 150e6
    assert measure([sys.executable, "-c", "raise SystemExit('no such thing')"]).error == "no such thing"
