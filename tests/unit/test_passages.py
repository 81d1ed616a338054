"""Repeated passages as a scan reports them: which, from where to where, how alike."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from dedup import PassageCluster, kernel
from dedup.kernel import reference
from dedup.kernel.types import Array, SeedIndex
from dedup.passages import inside
from tests import naive

from .prose import Prose, overlap, passages, places

pytestmark = pytest.mark.usefixtures("stages_on")


def similarity(one: str, other: str) -> float:
    """2·LCS/(a+b) over tokens, by the textbook."""
    a, b = (reference.tokenise([text]).hashes.tolist() for text in (one, other))
    return 2 * naive.lcs(a, b) / (len(a) + len(b))


def test_texts_that_share_nothing_have_no_passages() -> None:
    prose = Prose()
    assert passages([prose.words(300) for _ in range(5)]) == []


@pytest.mark.parametrize("length", [12, 15, 20, 40, 150])
def test_a_passage_in_two_texts_is_found_from_its_first_word_to_its_last(length: int) -> None:
    prose = Prose(length)
    shared = prose.words(length)
    found = passages([prose.round(shared), prose.round(shared)])
    assert places(found) == [[("a", shared), ("b", shared)]]
    assert (found[0].tokens, found[0].similarity, found[0].period) == (length, 1.0, None)
    assert [member.similarity for member in found[0].members] == [None, 1.0]


def test_a_passage_twice_in_one_text_is_found() -> None:
    prose = Prose()
    shared = prose.words(30)
    assert places(passages([prose.round(prose.round(shared, 0) + " " + shared)])) == [[("a", shared)] * 2]


def test_a_passage_that_follows_itself_at_once_is_cut_where_it_begins_again() -> None:
    prose = Prose()
    shared = prose.words(30)
    found = passages([prose.round(f"{shared} {shared}")])
    assert places(found) == [[("a", shared)] * 2]


@pytest.mark.parametrize("rest", [10, 15, 29])
def test_no_passage_reaches_into_its_own_second_span(rest: int) -> None:
    prose = Prose(rest)
    shared = prose.words(30)
    text = prose.round(f"{shared} {shared} {' '.join(shared.split()[:rest])}")
    found = passages([text])
    assert found
    for cluster in found:
        for x, y in combinations(cluster.members, 2):
            assert overlap(x, y.start, y.end) < 0.05
    covered = {i for cluster in found for m in cluster.members for i in range(m.start, m.end)}
    assert len(covered) >= len(f"{shared} {shared}")


def test_a_passage_at_the_very_start_and_one_at_the_very_end_are_found() -> None:
    prose = Prose()
    shared = prose.words(25)
    texts = [f"{shared} {prose.words(50)}", f"{prose.words(50)} {shared}"]
    assert places(passages(texts)) == [[("a", shared), ("b", shared)]]


def test_two_passages_in_swapped_order_are_two_findings() -> None:
    prose = Prose()
    one, two, between = prose.words(30), prose.words(20), prose.words(40)
    texts = [prose.round(f"{one} {between} {two}"), prose.round(f"{two} {prose.words(35)} {one}")]
    assert places(passages(texts)) == sorted([[("a", one), ("b", one)], [("a", two), ("b", two)]])


def test_ends_fall_on_words_and_leave_the_punctuation_outside() -> None:
    prose = Prose()
    shared = prose.words(20)
    texts = [prose.round(f"“{shared}.”"), prose.round(f"({shared}!)")]
    assert places(passages(texts)) == [[("a", shared), ("b", shared)]]


def test_case_typography_and_line_breaks_make_no_difference() -> None:
    prose = Prose()
    plain = f"l'IA {prose.words(18)} co-opérateur"
    other = plain.replace("'", "’").replace("-", "‑").replace("é", "e\u0301").upper().replace(" ", "\n ")
    found = passages([prose.round(plain), prose.round(other)])
    assert places(found) == [[("a", plain), ("b", other)]]
    assert found[0].similarity == 1.0


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_near_copies_are_found_end_to_end_with_their_exact_similarity(share: float, seed: int) -> None:
    prose = Prose(seed)
    shared = prose.words(60)
    copy = prose.edited(shared, share)
    found = passages([prose.round(shared), prose.round(copy)])
    assert places(found) == [[("a", shared), ("b", copy)]]
    assert found[0].members[1].similarity == found[0].similarity == similarity(shared, copy) < 1


def test_copies_less_alike_than_asked_for_are_not_reported() -> None:
    prose = Prose()
    shared = prose.words(60)
    texts = [prose.round(shared), prose.round(prose.exchanged(shared, range(3, 60, 6)))]
    assert len(passages(texts, passage_similarity=0.8)) == 1
    assert all(cluster.tokens < 50 for cluster in passages(texts, passage_similarity=0.9))


@pytest.mark.parametrize(
    ("length", "minimum", "count"),
    [(12, 12, 1), (11, 12, 0), (20, 20, 1), (19, 20, 0), (8, 8, 1), (40, 41, 0)],
)
def test_a_passage_needs_the_fewest_tokens_asked_for(length: int, minimum: int, count: int) -> None:
    prose = Prose(length)
    shared = prose.words(length)
    assert len(passages([prose.round(shared), prose.round(shared)], min_tokens=minimum)) == count


@pytest.mark.parametrize(("length", "count"), [(20, 1), (19, 0)])
def test_a_chinese_passage_needs_more_characters_than_an_english_one_words(length: int, count: int) -> None:
    prose = Prose(length)
    shared = prose.han(length)
    found = passages([prose.han(60) + shared + prose.han(60), prose.han(60) + shared + prose.han(60)])
    assert places(found) == [[("a", shared), ("b", shared)]] * count


def test_a_passage_in_thirty_texts_is_one_finding() -> None:
    prose = Prose()
    shared = prose.words(25)
    found = passages([prose.round(shared) for _ in range(30)])
    assert [len(cluster.members) for cluster in found] == [30]
    assert {member.text for member in found[0].members} == {shared}


def test_a_line_repeated_500_times_is_one_finding_with_its_period() -> None:
    line = "This page was printed from the archive on a Tuesday"
    found = passages([f"{line}.\n" * 500])
    assert [(len(c.members), c.period, c.members[0].copies) for c in found] == [(1, 10, 500)]
    assert found[0].members[0].text == (f"{line}.\n" * 500)[:-2]


def periodic_in_two_documents() -> list[PassageCluster]:
    """What is found where the same line is repeated in two documents, from another word on in the second."""
    line, prose = "again the same old line of nine words here", Prose()
    one, two = f"{line} " * 40, f"{line} " * 20
    return passages([prose.round(one), prose.round(two[two.index("old") :])])


def test_runs_of_one_period_in_two_documents_are_members_of_one_finding() -> None:
    (found,) = (cluster for cluster in periodic_in_two_documents() if cluster.period)
    assert found.period == 9
    assert [(member.document, member.copies) for member in found.members] == [("a", 40), ("b", 19)]


def test_periodic_text_in_two_documents_is_reported_once() -> None:
    assert len(periodic_in_two_documents()) == 1


def test_numbered_lines_are_one_periodic_finding() -> None:
    text = "".join(f"Entry {i}: no remarks were made by the clerk on duty.\n" for i in range(200))
    found = passages([text])
    assert [(c.period, len(c.members)) for c in found] == [(11, 1)]
    assert found[0].members[0].copies >= 195


def test_three_copies_in_a_row_among_other_text_are_periodic_and_two_are_not() -> None:
    prose = Prose()
    shared = prose.words(20)
    assert [c.period for c in passages([prose.round(" ".join([shared] * 3))])] == [20]
    assert [c.period for c in passages([prose.round(" ".join([shared] * 2))])] == [None]


def test_a_stock_phrase_is_no_passage() -> None:
    prose = Prose()
    phrase = "at the end of the day"
    assert passages([prose.round(phrase, 20, 20) for _ in range(40)]) == []


@pytest.mark.parametrize("pieces", [1, 2])
def test_where_many_texts_lie_in_one_that_holds_them_takes_linear_time(
    pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they lie there in scattered pieces: then it is not told."""
    count, size = 100, 60
    texts = np.arange(count * size, dtype="u4").reshape(count, size) << np.uint32(1)
    holder = texts.reshape(count, pieces, -1).transpose(1, 0, 2)
    tokens = np.concatenate([holder.ravel(), texts.ravel()])
    offsets = np.append(0, len(tokens) // 2 + size * np.arange(count + 1))
    looked_at: list[int] = []
    seed_index = kernel.seed_index

    def counting(flat: Array, *others: Any) -> SeedIndex:
        looked_at.append(len(flat))
        return seed_index(flat, *others)

    monkeypatch.setattr(kernel, "seed_index", counting)
    found = inside(tokens, offsets, np.array([(0, text + 1) for text in range(count)]), (0.8, 12), 1)
    assert looked_at == [len(tokens)]
    places = {(0, text + 1): (text * size, (text + 1) * size) for text in range(count)}
    assert found == (places if pieces == 1 else {})
