"""The comparison of two documents: what it says is what a scan of the two finds, on either kernel."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

import dedup
from dedup import Document, InputError, SettingsError, Source, kernel
from dedup.comparison import CONTAINED, DIFFERENT, EXACT, NEAR, Comparison
from dedup.diff import compare
from tests.unit.prose import Prose

WORDS = Prose(3).words(40).split()


def drawn(dice: random.Random) -> tuple[str, str]:
    """Two texts that have more or less in common: edited, shuffled, cut, put into another, short, empty, equal."""
    words = dice.choices(WORDS, k=dice.choice([0, 1, 2, 4, 8, 11, 12, 13, 30, 120]))
    other = list(words)
    for _ in range(dice.choice([0, 0, 1, 1, 2, 4, 20])):
        if other:
            other[dice.randrange(len(other))] = dice.choice(WORDS)
    kind = dice.randrange(8)
    if kind == 0:
        other = other[: len(other) * 9 // 10]
    elif kind == 1:
        other = other[dice.randrange(len(other) + 1) :]
    elif kind == 2:
        other = dice.choices(WORDS, k=dice.choice([3, 40])) + other + dice.choices(WORDS, k=30)
    elif kind == 3:
        other = other * 3
    elif kind == 4:
        other = [word.upper() for word in other]
    elif kind == 5:
        dice.shuffle(other)
    texts = [" ".join(words), " ".join(other)]
    dice.shuffle(texts)
    return texts[0], texts[1]


def scanned(
    first: str, second: str, **settings: Any
) -> tuple[str, int | None, set[tuple[int, float, float]]]:
    """What a scan says: the relation, the one that is kept, and the figures of the copy by its number."""
    found = dedup.scan([("0", first), ("1", second)], **settings).document_clusters
    if not found:
        return DIFFERENT, None, set()
    [cluster] = found
    copies = {(int(m.document), m.jaccard or 0, m.containment or 0) for m in cluster.members[1:]}
    return cluster.kind, int(cluster.kept), copies


def said(found: Comparison) -> tuple[str | None, int | None, set[tuple[int, float, float]]]:
    """The same of a comparison."""
    if found.kept is None:
        return found.relation, None, set()
    copy = 1 - found.kept
    return found.relation, found.kept, {(copy, found.jaccard or 0, found.sides[copy].containment or 0)}


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_the_verdict_is_that_of_a_scan(threshold: float, stages_on: str) -> None:
    dice = random.Random(threshold)
    met: Counter[str | None] = Counter()
    for _ in range(400 if stages_on == "native" else 200):
        pair = drawn(dice)
        settings = {
            "threshold": threshold,
            "ngram": dice.choice([1, 2, 5]),
            "num_perm": dice.choice([16, 32, 128]),
            "min_tokens": dice.choice([4, 12]),
            "seed": dice.choice([1, 2]),
            "passages": False,
        }
        found = compare(*pair, **settings)
        assert said(found) == scanned(*pair, **settings), (pair, settings)
        met[found.relation] += 1
    assert all(met[relation] for relation in (EXACT, NEAR, CONTAINED, DIFFERENT))


def test_a_pair_that_the_search_misses_is_told_as_such() -> None:
    """With few permutations and a high threshold some pairs above it meet in no band; so they do in a scan."""
    prose = Prose(9)
    text = prose.words(100)
    other = f"{' '.join(text.split()[60:])} {prose.words(60)}"
    missed = 0
    for seed in range(200):
        settings = {
            "num_perm": 16,
            "seed": seed,
            "threshold": 0.2,
            "ngram": 1,
            "min_tokens": 500,
            "passages": False,
        }
        found = compare(text, other, **settings)
        assert said(found) == scanned(text, other, **settings)
        assert found.jaccard is not None
        assert found.search is not None
        missed += found.jaccard >= 0.2 and found.relation == DIFFERENT and not found.search.is_candidate
    assert missed


class TestFigures:
    def test_they_are_those_of_sets(self) -> None:
        a, b = "one two three four five six", "two three four five seven"
        found = compare(a, b, ngram=2)
        assert (found.shared_shingles, found.distinct_shingles, found.jaccard) == (3, 6, 0.5)
        assert [(side.shingles, side.containment, side.tokens) for side in found.sides] == [
            (5, 0.6, 6),
            (4, 0.75, 5),
        ]
        assert (found.longer, found.relation, found.kept) == (0, DIFFERENT, None)

    def test_bands_and_chance(self) -> None:
        prose = Prose()
        text = prose.words(100)
        found = compare(text, prose.exchanged(text, [50]), passages=False)
        assert found.search is not None
        assert (found.search.bands, found.search.rows) == (25, 5)
        assert found.jaccard is not None
        assert found.search.chance == 1 - (1 - found.jaccard**5) ** 25
        assert abs(found.search.estimated_jaccard - found.jaccard) < 0.15

    def test_probes(self) -> None:
        prose = Prose()
        text = prose.words(30)
        found = compare(prose.round(text, 200, 200), text, passages=False)
        assert found.relation == CONTAINED
        search = found.search
        assert search is not None
        assert (search.is_sought, search.probes, search.probes_held, search.probes_needed) == (True, 8, 8, 3)
        short = compare(prose.round("a b c d e f g h", 200, 200), "a b c d e f g h", passages=False).search
        assert short is not None
        assert (short.is_sought, short.probes, short.is_candidate) == (False, 4, False)

    @pytest.mark.parametrize(("a", "b"), [("", ""), ("", "a word"), ("?!", "...")])
    def test_without_a_word(self, a: str, b: str) -> None:
        found = compare(a, b)
        assert (found.relation, found.search, found.passages) == (DIFFERENT, None, ())
        assert found.is_same_words is not ("word" in b)
        assert found.sides[0].containment is None
        assert found.jaccard == (0.0 if "word" in b else None)

    def test_the_same_words(self) -> None:
        found = compare("One fine day.", "one FINE day")
        assert (found.relation, found.is_same_words) == (NEAR, True)
        assert compare("one fine day", "one fine day").relation == EXACT

    def test_documents_that_are_not_asked_for(self) -> None:
        found = compare("one fine day", "one fine day", documents=False)
        assert (found.relation, found.kept, found.jaccard) == (None, None, 1.0)


class TestPassages:
    def test_they_are_those_of_a_scan_where_the_two_are_no_copies(self) -> None:
        prose = Prose(5)
        passage, han = prose.words(40), prose.han(50)
        texts = (
            prose.round(f"{passage} {prose.words(70)} {han}"),
            prose.round(f"{han} {prose.words(80)} {prose.edited(passage, 0.2)}"),
        )
        found = compare(*texts)
        clusters = dedup.scan(enumerate_as_ids(texts)).passage_clusters
        assert len(clusters) == 2
        assert [
            (p.id, p.tokens, p.similarity, [(m.side, m.start, m.end, m.similarity, m.text) for m in p.members])
            for p in found.passages
        ] == [
            (c.id, c.tokens, c.similarity, [(int(m.document), m.start, m.end, m.similarity, m.text) for m in c.members])
            for c in clusters
        ]  # fmt: skip
        for shared in found.passages:
            assert [member.side for member in shared.pair] == [0, 1]
            assert shared.members[0] in shared.pair

    def test_of_copies_too(self) -> None:
        prose = Prose(6)
        text = prose.words(200)
        found = compare(text, prose.exchanged(text, [100]))
        [passage] = found.passages
        assert found.relation == NEAR
        assert passage.tokens == 200
        assert [side.shared_tokens for side in found.sides] == [200, 200]

    def test_what_only_one_repeats_is_not_shared(self) -> None:
        prose = Prose(7)
        passage = prose.words(30)
        found = compare(prose.round(passage) + " " + prose.round(passage), prose.words(50))
        assert (found.passages, found.sides[0].shared_tokens) == ((), 0)

    def test_three_places(self) -> None:
        prose = Prose(8)
        passage = prose.words(30)
        found = compare(prose.round(passage) + " " + prose.round(passage), prose.round(passage))
        [shared] = found.passages
        assert Counter(member.side for member in shared.members) == {0: 2, 1: 1}
        assert [side.shared_tokens for side in found.sides] == [60, 30]

    def test_none_if_none_are_asked_for(self) -> None:
        text = Prose().words(50)
        assert compare(text, text + " x", passages=False).passages == ()


def enumerate_as_ids(texts: tuple[str, str]) -> list[tuple[str, str]]:
    return [(str(number), text) for number, text in enumerate(texts)]


class TestArguments:
    def test_documents_keep_their_names(self) -> None:
        found = compare(Document("x", "a b", Source("f.txt", 3, 9)), "c d")
        assert [side.document for side in found.sides] == ["x", "B"]
        assert found.sides[0].source == Source("f.txt", 3, 9)

    def test_two_documents_of_one_name(self) -> None:
        text = Prose().words(30)
        [passage] = compare(Document("x", text), Document("x", text)).passages
        assert [member.side for member in passage.members] == [0, 1]

    def test_errors(self) -> None:
        with pytest.raises(SettingsError, match="did you mean threshold"):
            compare("a", "b", treshold=1)
        with pytest.raises(InputError, match=r"^document B is int; expected str or Document$"):
            compare("a", 3)  # type: ignore[arg-type]

    def test_the_shingles_are_those_of_the_kernel(self, stages_on: str) -> None:
        a, b = "one two three four five six", "one two three"
        tokens = kernel.tokenise([a, b])
        _, at = kernel.shingles(tokens.hashes, tokens.offsets, 5)
        assert [side.shingles for side in compare(a, b).sides] == np.diff(at).tolist() == [2, 1]
