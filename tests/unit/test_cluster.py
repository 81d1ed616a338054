"""Who belongs together: only what was compared with the member that stands for the others."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import pytest

from dedup import DocumentCluster
from dedup.kernel import reference
from tests import naive

from .prose import Prose, documents, name, overlap, passages, places, scan


def figures(kept: str, copy: str) -> tuple[float, float]:
    """The Jaccard index of two texts' shingles of five words, and the share of the copy's in the kept, by sets."""
    a, b = (naive.shingles(reference.tokenise([text]).hashes.tolist(), 5) for text in (kept, copy))
    return len(a & b) / len(a | b), len(a & b) / len(b)


def jaccard(one: str, other: str) -> float:
    """The Jaccard index alone."""
    return figures(one, other)[0]


# ---- passages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [15, 30, 80])
def test_a_like_b_on_one_half_and_b_like_c_on_the_other_never_makes_a_like_c(length: int) -> None:
    prose = Prose(length)
    one, two = prose.words(length), prose.words(length)
    found = passages([prose.round(one), prose.round(f"{one} {two}"), prose.round(two)])
    assert places(found) == sorted([[("a", one), ("b", one)], [("b", two), ("c", two)]])


def test_a_chain_of_halves_never_joins_its_ends() -> None:
    prose = Prose()
    parts = [prose.words(25) for _ in range(7)]
    found = passages([prose.round(f"{x} {y}") for x, y in pairwise(parts)])
    assert sorted(documents(cluster) for cluster in found) == [[name(i), name(i + 1)] for i in range(5)]


def test_every_member_is_as_alike_to_the_first_as_it_says_and_as_was_asked_for() -> None:
    prose = Prose()
    base = prose.words(40)
    found = passages([prose.round(prose.edited(base, 0.15)) for _ in range(12)])
    for cluster in found:
        first, *others = cluster.members
        a = reference.tokenise([first.text]).hashes.tolist()
        for member in others:
            b = reference.tokenise([member.text]).hashes.tolist()
            assert member.similarity == 2 * naive.lcs(a, b) / (len(a) + len(b)) >= 0.7
        assert cluster.similarity == min(member.similarity for member in others)


def test_of_300_edited_copies_none_is_lost_and_most_are_in_one_cluster() -> None:
    prose = Prose()
    base = prose.words(40)
    found = passages([prose.round(prose.edited(base, 0.15), 30, 30) for _ in range(300)])
    assert len({name for cluster in found for name in documents(cluster)}) == 300
    assert max(len(cluster.members) for cluster in found) >= 282


def test_spans_that_overlap_by_four_fifths_are_one_member() -> None:
    prose = Prose()
    shared = prose.words(40)
    shorter = " ".join(shared.split()[:36])
    found = passages([prose.round(shared), prose.round(shared), prose.round(shorter)])
    assert [documents(cluster) for cluster in found] == [["a", "b", "c"]]
    assert {len(member.text.split()) for member in found[0].members} <= {36, 40}


def test_spans_that_overlap_by_half_are_two_members() -> None:
    prose = Prose()
    shared = prose.words(40)
    half = " ".join(shared.split()[:20])
    found = passages([prose.round(shared), prose.round(shared), prose.round(half), prose.round(half)])
    assert {tuple(documents(cluster)) for cluster in found} >= {("a", "b"), ("a", "b", "c", "d")}


def test_no_cluster_holds_two_members_that_overlap() -> None:
    prose = Prose()
    base = prose.words(50)
    texts = [
        prose.round(" ".join([prose.edited(base, 0.1), prose.words(5), prose.edited(base, 0.1)]))
        for _ in range(6)
    ]
    for cluster in passages(texts):
        for x, y in combinations(cluster.members, 2):
            assert x.document != y.document or overlap(x, y.start, y.end) <= 1 / 3


NESTED = {
    "after a member that ends where the next text begins": [
        "w0 w1 w2 w3 w4 w5 w6 w0 w7 w8 w9 w4 w7 w8 w9 w4",
        "w0 w1 w2 w3 w4 w5 w6 w10 w11 w7 w8 w9 w4 w10 w11 w7 w8 w9 w4",
    ],
    "in a member that overlaps the first a little": [
        "w0 w1 w1 w2 w3 w4 w1 w5 w4 w4 w3 w0 w1",
        "w3 w5 w5 w1 w1 w1 w2 w1 w3 w5 w1 w4 w4 w3 w0 w1 w3 w5 w2 w3 w4 w1 w3 w5 w1 w4 w4 w3 w0 w1",
    ],
}


@pytest.mark.parametrize("texts", NESTED.values(), ids=NESTED)
def test_no_member_lies_inside_another(texts: list[str]) -> None:
    for cluster in passages(texts):
        for x, y in permutations(cluster.members, 2):
            assert not (x.document == y.document and x.start <= y.start and y.end <= x.end)


# ---- documents -------------------------------------------------------------------------------------------------


def test_documents_form_stars_and_no_chains() -> None:
    prose = Prose()
    chain = [prose.words(200)]
    for step in range(5):
        chain.append(prose.exchanged(chain[-1], range(10 + 8 * step, 200, 50)))
    texts = {name(i): text for i, text in enumerate(chain)}
    assert jaccard(texts["a"], texts["b"]) > 0.8
    assert max(figures(texts["a"], texts["c"])) < 0.8
    clusters = scan(chain).document_clusters
    assert {member.document for cluster in clusters for member in cluster.members} == set(texts)
    for cluster in clusters:
        for member in cluster.members[1:]:
            assert (member.jaccard, member.containment) == figures(
                texts[cluster.kept], texts[member.document]
            )
            assert (member.jaccard if cluster.kind == "near" else member.containment) >= 0.8


def kept_and_copies(cluster: DocumentCluster) -> tuple[str, str, list[str]]:
    """Kind, kept document and copies."""
    return cluster.kind, cluster.kept, [member.document for member in cluster.members[1:]]


def test_a_copy_of_two_kept_documents_stands_with_each() -> None:
    prose = Prose()
    middle = prose.words(200)
    left, right = (prose.exchanged(middle, places) for places in ((20, 60, 100), (40, 80, 120)))
    ends = [f"{text} {prose.words(1)}" for text in (left, right)]
    assert jaccard(*ends) < 0.8 < min(jaccard(middle, end) for end in ends)
    found = [kept_and_copies(cluster) for cluster in scan([middle, *ends]).document_clusters]
    assert sorted(star for star in found if star[0] == "near") == [("near", "b", ["a"]), ("near", "c", ["a"])]


def test_a_document_inside_two_kept_ones_stands_in_the_one_that_holds_most_of_it() -> None:
    prose = Prose()
    inner = prose.words(50)
    most, all_of_it = prose.round(" ".join(inner.split()[:46]), 200, 200), prose.round(inner, 100, 100)
    found = [kept_and_copies(cluster) for cluster in scan([most, all_of_it, inner]).document_clusters]
    assert ("contained", "b", ["c"]) in found


def test_nothing_is_reported_inside_a_pair_that_is_reported_as_copies() -> None:
    prose = Prose()
    base = prose.words(300)
    near = prose.exchanged(base, (50, 200))
    inner = " ".join(base.split()[100:180])
    report = scan([base, near, inner])
    assert {cluster.kind for cluster in report.document_clusters} == {"near", "contained"}
    assert report.passage_clusters == ()


def test_what_a_copy_has_of_its_own_is_compared_with_other_documents() -> None:
    prose = Prose()
    base, extra = prose.words(300), prose.words(25)
    report = scan([base, f"{base} {extra}", prose.round(extra)])
    assert [c.kind for c in report.document_clusters] == ["near"]
    assert places(report.passage_clusters) == [[("b", extra), ("c", extra)]]


def test_a_passage_of_copies_that_a_third_document_holds_is_reported_once() -> None:
    prose = Prose()
    shared = prose.words(30)
    base = prose.round(shared, 150, 150)
    report = scan([base, base + " now", prose.round(shared)])
    assert len(report.passage_clusters) == 1
    assert "c" in documents(report.passage_clusters[0])
