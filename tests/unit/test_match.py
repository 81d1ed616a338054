"""Exact figures for documents, similarities of spans, and what differs between two texts."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import match
from dedup.kernel import reference
from dedup.kernel.types import Array, Tokens
from tests import naive

TEXTS = [
    " ".join(f"w{i}" for i in range(60)),
    " ".join(f"w{i}" if i != 30 else "other" for i in range(58)),
    " ".join(f"w{i}" for i in range(20, 45)),
    "a b a b a b a b a b a b a b",
    "w1 w2 w3",
]


def tokens_of(texts: list[str]) -> tuple[Tokens, list[set[tuple[int, ...]]]]:
    """Tokens, and the shingle set of each text."""
    tokens = reference.tokenise(texts)
    documents = np.split(tokens.hashes, tokens.offsets[1:-1])
    return tokens, [naive.shingles(document.tolist(), 3) for document in documents]


def all_pairs(count: int) -> Array:
    """Every pair, the lower first."""
    return np.array(list(combinations(range(count), 2)), "i8")


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.8, 1.0])
def test_figures_are_those_of_the_sets_and_good_pairs_are_kept(stages_on: str, threshold: float) -> None:
    tokens, sets = tokens_of(TEXTS)
    found = match.documents(tokens.hashes, tokens.offsets, 3, all_pairs(len(TEXTS)), threshold)
    wanted = []
    for a, b in combinations(range(len(TEXTS)), 2):
        shared = len(sets[a] & sets[b])
        jaccard, inside, around = (
            shared / len(sets[a] | sets[b]),
            shared / len(sets[b]),
            shared / len(sets[a]),
        )
        if max(jaccard, inside) >= threshold:
            wanted.append(([a, b], jaccard, inside, around))
    assert list(zip(*(column.tolist() for column in found), strict=True)) == wanted
    assert 0 < len(wanted) < 10


def test_a_shorter_text_is_not_kept_for_holding_part_of_a_longer_one(stages_on: str) -> None:
    longer, shorter = TEXTS[0], " ".join(TEXTS[0].split()[:30] + [f"x{i}" for i in range(25)])
    tokens, _ = tokens_of([longer, shorter])
    assert len(match.documents(tokens.hashes, tokens.offsets, 3, all_pairs(2), 0.6).pairs) == 0


def test_texts_shorter_than_a_shingle_are_compared_whole(stages_on: str) -> None:
    tokens, _ = tokens_of(["a b", "a b", "a c", "b a"])
    found = match.documents(tokens.hashes, tokens.offsets, 3, all_pairs(4), 0.1)
    assert (found.pairs.tolist(), found.jaccard.tolist()) == ([[0, 1]], [1.0])


def test_no_pairs_have_no_matches(stages_on: str) -> None:
    tokens, _ = tokens_of(TEXTS)
    found = match.documents(tokens.hashes, tokens.offsets, 3, np.zeros((0, 2), "i8"), 0.5)
    assert [len(column) for column in found] == [0, 0, 0, 0]


def test_the_similarity_of_spans_is_twice_their_common_part_over_both(stages_on: str) -> None:
    tokens, _ = tokens_of(["a b c d", "a x c d e", "q"])
    spans = np.array([[0, 4, 4, 9], [0, 4, 0, 4], [0, 2, 6, 8], [0, 4, 9, 10]], "i8")
    assert match.span_similarities(tokens.hashes, spans).tolist() == [6 / 9, 1.0, 0.0, 0.0]


SENTENCE = ["analyst", "Anurag", "Rana", "wrote", "that", "demand", "remains"]
TURNED = ["Anurag", "Rana", "an", "analyst", "wrote", "that", "demand", "remains"]


def test_differences_name_the_words_that_differ() -> None:
    found = [(tag, SENTENCE[a:b], TURNED[c:d]) for tag, a, b, c, d in match.differences(SENTENCE, TURNED)]
    assert found == [
        ("delete", ["analyst"], []),
        ("equal", ["Anurag", "Rana"], ["Anurag", "Rana"]),
        ("insert", [], ["an", "analyst"]),
        ("equal", SENTENCE[3:], TURNED[4:]),
    ]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", []),
        ("a b", "a b", [("equal", 0, 2, 0, 2)]),
        ("", "a", [("insert", 0, 0, 0, 1)]),
        ("a", "", [("delete", 0, 1, 0, 0)]),
        ("a b c", "x y", [("replace", 0, 3, 0, 2)]),
        ("a b c d", "a x c d", [("equal", 0, 1, 0, 1), ("replace", 1, 2, 1, 2), ("equal", 2, 4, 2, 4)]),
    ],
)
def test_differences_of_small_texts(a: str, b: str, expected: list[match.Difference]) -> None:
    assert match.differences(a.split(), b.split()) == expected


WORDS = st.lists(st.sampled_from("abcd"), max_size=25)


def distance(a: list[str], b: list[str]) -> int:
    """Levenshtein's, by the textbook."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b):
            row.append(min(before[j] + (x != y), before[j + 1] + 1, row[j] + 1))
    return row[-1]


@settings(deadline=None, max_examples=300)
@given(a=WORDS, b=WORDS)
def test_differences_cover_both_texts_without_a_gap_and_change_the_fewest_words(
    a: list[str], b: list[str]
) -> None:
    at, to, cost = 0, 0, 0
    found = match.differences(a, b)
    for tag, a_start, a_end, b_start, b_end in found:
        assert (a_start, b_start) == (at, to)
        assert (tag == "equal") == (a[a_start:a_end] == b[b_start:b_end])
        assert (tag == "insert", tag == "delete") == (a_start == a_end, b_start == b_end)
        at, to = a_end, b_end
        cost += max(a_end - a_start, b_end - b_start) if tag != "equal" else 0
    assert (at, to) == (len(a), len(b))
    assert cost == distance(a, b)
    assert all("equal" in (x[0], y[0]) for x, y in pairwise(found))


def test_what_moved_far_is_aligned_all_the_same() -> None:
    """To exchange every word is no longer a way than to move the part; it tells nothing, though."""
    part, other = list(range(20)), list(range(100, 160))
    a, b = np.array([*part, *part], "u4"), np.array([*other, *part], "u4")
    assert match.aligned(a, b, 12) == [(20, 40, 60, 80)] or match.aligned(a, b, 12) == [(0, 20, 60, 80)]
    a, b = np.array([*part, *other[:40]], "u4"), np.array([*range(200, 240), *part], "u4")
    assert match.aligned(a, b, 12) == [(0, 20, 40, 60)]
    assert match.aligned(np.arange(3, dtype="u4"), np.arange(5, 9, dtype="u4"), 12) == []
