"""What stays and what is a copy of it, against a naive reading of the definition; blocks change nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pytest

from dedup import kernel
from dedup.kept import CONTAINED, EXACT, NEAR, NEW, Kept, Shape, Verdict
from tests import naive

from .prose import Prose

SHAPE = Shape(num_perm=64)


class Figures(NamedTuple):
    """Of a text beside an earlier one."""

    jaccard: float
    inside: float
    around: float


def figures(earlier: str, later: str, ngram: int) -> Figures:
    """What the definitions say, by sets."""
    first, second = shingles(earlier, ngram), shingles(later, ngram)
    shared = len(first & second)
    return Figures(shared / len(first | second), shared / len(second), shared / len(first))


def shingles(text: str, ngram: int) -> set[tuple[str, ...]]:
    words = text.lower().split()
    size = min(ngram, len(words))
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def judged(kept: Kept, texts: Sequence[str]) -> list[Verdict]:
    """One block."""
    tokens = kernel.tokenise(list(texts))
    return kept.judge(tokens.hashes, tokens.offsets, np.array([hash(text) for text in texts], "i8"))


def in_blocks(texts: Sequence[str], sizes: Iterable[int], shape: Shape = SHAPE) -> list[Verdict]:
    """All texts, in blocks of these sizes and then one of the rest."""
    kept, verdicts, at = Kept(shape), [], 0
    for size in (*sizes, len(texts)):
        if at < len(texts) and size:
            verdicts += judged(kept, texts[at : at + size])
            at += size
    assert len(verdicts) == len(texts)
    stays = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict.kind == NEW]
    assert len(kept) == len(stays)
    return verdicts


def check(texts: Sequence[str], verdicts: Sequence[Verdict], shape: Shape = SHAPE) -> None:
    """Every verdict is true by the definition, and every figure exact."""
    stays: list[str] = []
    for text, verdict in zip(texts, verdicts, strict=True):
        if verdict.kind == NEW:
            assert verdict == Verdict(NEW, len(stays), holds=verdict.holds)
            check_held(text, verdict, stays, shape)
            stays.append(text)
            continue
        twin = stays[verdict.twin]  # which was there before
        jaccard, inside, _ = figures(twin, text, shape.ngram)
        assert (verdict.jaccard, verdict.containment, verdict.holds) == (jaccard, inside, ())
        if verdict.kind == EXACT:
            assert text == twin
        elif verdict.kind == NEAR:
            assert jaccard >= shape.threshold
            assert text != twin
        else:
            assert verdict.kind == CONTAINED
            assert shape.contained
            assert jaccard < shape.threshold <= inside
            assert len(text.split()) >= shape.min_tokens


def check_held(text: str, verdict: Verdict, stays: Sequence[str], shape: Shape) -> None:
    numbers = [number for number, _ in verdict.holds]
    assert numbers == sorted(set(numbers))
    for number, share in verdict.holds:
        assert share == figures(stays[number], text, shape.ngram).around >= shape.threshold
        assert len(stays[number].split()) >= shape.min_tokens


def oracle(texts: Sequence[str], shape: Shape = SHAPE) -> list[bool]:
    """Whether each text stays, one after the other."""
    stays: list[str] = []
    told = []
    for text in texts:
        found = [figures(other, text, shape.ngram) for other in stays]
        is_long = shape.contained and len(text.split()) >= shape.min_tokens
        is_copy = any(
            f.jaccard >= shape.threshold or (is_long and f.inside >= shape.threshold) for f in found
        )
        told.append(not is_copy)
        stays += [] if is_copy else [text]
    return told


def mixture(seed: int, count: int = 60) -> list[str]:
    """New texts, exact and near copies, parts and wholes of them, short ones: in any order."""
    prose, dice = Prose(seed), random.Random(seed)
    texts = [prose.words(40)]
    while len(texts) < count:
        other = dice.choice(texts)
        words = other.split()
        kind = dice.choice(["new", "same", "case", "near", "mid", "part", "around", "short", "tiny"])
        if kind == "new":
            texts.append(prose.words(dice.randint(12, 80)))
        elif kind == "same":
            texts.append(other)
        elif kind == "case":
            texts.append(other.upper())
        elif kind == "near" and len(words) > 12:
            texts.append(prose.exchanged(other, [dice.randrange(len(words))]))
        elif kind == "mid" and len(words) > 30:
            texts.append(prose.edited(other, 0.1))
        elif kind == "part" and len(words) > 30:
            start = dice.randrange(len(words) - 16)
            texts.append(" ".join(words[start : start + dice.randint(12, 40)]))
        elif kind == "around" and len(words) < 200:
            texts.append(prose.round(other, dice.randrange(60), dice.randrange(1, 60)))
        elif kind == "short":
            texts.append(prose.words(dice.randint(5, 11)))
        else:
            texts.append(prose.words(dice.randint(1, 4)))
    return texts


class TestOracle:
    @pytest.mark.parametrize("seed", range(8))
    def test_every_verdict_is_true(self, stages_on: str, seed: int) -> None:
        texts = mixture(seed)
        check(texts, in_blocks(texts, []))

    @pytest.mark.parametrize("threshold", [0.3, 0.5, 1.0])
    @pytest.mark.parametrize("ngram", [1, 3])
    def test_other_shapes(self, stages_on: str, threshold: float, ngram: int) -> None:
        shape = Shape(threshold=threshold, ngram=ngram, num_perm=64, min_tokens=4)
        texts = mixture(int(threshold * 10) + ngram)
        check(texts, in_blocks(texts, [7, 7, 7], shape), shape)

    def test_without_containment(self, stages_on: str) -> None:
        shape = SHAPE._replace(contained=False)
        texts = mixture(3)
        verdicts = in_blocks(texts, [10], shape)
        check(texts, verdicts, shape)
        assert {verdict.kind for verdict in verdicts} == {NEW, EXACT, NEAR}
        assert not any(verdict.holds for verdict in verdicts)

    @pytest.mark.parametrize("seed", range(4))
    def test_no_planted_copy_is_missed(self, stages_on: str, seed: int) -> None:
        """Far from the threshold nothing is left to chance."""
        prose, dice = Prose(seed), random.Random(seed)
        originals = [prose.words(100) for _ in range(12)]
        texts = list(originals)
        for original in originals:
            words = original.split()
            texts += [original, original.title(), prose.exchanged(original, [50]), " ".join(words[20:60])]
        tail = texts[12:]
        dice.shuffle(tail)
        texts = originals + tail
        verdicts = in_blocks(texts, [dice.randint(1, 30) for _ in range(6)])
        assert [verdict.kind == NEW for verdict in verdicts] == oracle(texts)
        assert sum(verdict.kind == NEW for verdict in verdicts) == 12
        check(texts, verdicts)

    def test_against_the_test_s_own_shingles(self) -> None:
        """The definition here is the one that the kernels are held to."""
        text = Prose(5).words(30)
        (tokens,) = [tuple(kernel.tokenise([text]).hashes.tolist())]
        assert len(naive.shingles(tokens, 5)) == len(shingles(text, 5)) == 26


class TestBlocks:
    @pytest.mark.parametrize("seed", range(6))
    def test_the_cut_into_blocks_changes_nothing(self, stages_on: str, seed: int) -> None:
        texts = mixture(100 + seed)
        dice = random.Random(seed)
        whole = in_blocks(texts, [])
        assert in_blocks(texts, [1] * len(texts)) == whole
        for _ in range(3):
            assert in_blocks(texts, [dice.randint(1, 20) for _ in range(20)]) == whole

    def test_threads_change_nothing(self) -> None:
        texts = mixture(7)
        tokens = kernel.tokenise(texts)
        letters = np.array([hash(text) for text in texts], "i8")
        found = [Kept(SHAPE, jobs).judge(tokens.hashes, tokens.offsets, letters) for jobs in (1, 2, 3)]
        assert found[0] == found[1] == found[2]

    def test_the_kernels_agree(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from .conftest import load

        texts = mixture(8)
        found = []
        for name in ("native", "python"):
            monkeypatch.setattr("dedup.kernel._chosen", load(name))
            found.append(in_blocks(texts, [20, 20]))
        assert found[0] == found[1]

    def test_a_block_without_texts(self, stages_on: str) -> None:
        kept = Kept(SHAPE)
        assert judged(kept, []) == []
        (verdict,) = judged(kept, ["one two three"])
        assert verdict.kind == NEW
        assert judged(kept, []) == []
        assert [v.kind for v in judged(kept, ["one two three"])] == [EXACT]


class TestShapes:
    def test_a_copy_of_a_copy_that_is_no_copy_itself(self, stages_on: str) -> None:
        """C is like B, which is a copy of A and does not stay: so C is measured against A, and is new."""
        prose = Prose(2)
        a = prose.words(100)
        b = prose.exchanged(a, [10])  # 5 of 96 shingles
        c = prose.exchanged(b, [40, 60])
        assert figures(b, c, 5).jaccard >= 0.8 > figures(a, c, 5).jaccard
        texts, shape = [a, b, c, c, b], SHAPE._replace(contained=False)
        for sizes in ([], [1] * 5, [2], [3]):
            verdicts = in_blocks(texts, sizes, shape)
            check(texts, verdicts, shape)
            assert [(v.kind, v.twin) for v in verdicts[:4]] == [(NEW, 0), (NEAR, 0), (NEW, 1), (EXACT, 1)]
            assert verdicts[4].kind == NEAR  # of both; more like A

    def test_a_long_chain(self, stages_on: str) -> None:
        """Every link is a copy of the one before; every so often one is new."""
        prose = Prose(4)
        texts = [prose.words(100)]
        for place in range(0, 96, 2):
            texts.append(prose.exchanged(texts[-1], [place]))
        wanted = oracle(texts)
        assert 1 < sum(wanted) < len(texts) / 2
        for sizes in ([], [1] * len(texts), [5] * 9):
            verdicts = in_blocks(texts, sizes)
            check(texts, verdicts)
            assert [v.kind == NEW for v in verdicts] == wanted

    def test_five_hundred_copies(self, stages_on: str) -> None:
        prose = Prose(3)
        first = prose.words(60)
        texts = [first, *([first, first.upper(), prose.exchanged(first, [30])] * 167)][:501]
        for sizes in ([], [100] * 5) if stages_on == "native" else ([250],):
            verdicts = in_blocks(texts, sizes)
            check(texts, verdicts)
            assert [v.kind for v in verdicts].count(NEW) == 1
            assert {v.twin for v in verdicts} == {0}

    def test_five_hundred_near_copies_that_all_differ(self, stages_on: str) -> None:
        prose = Prose(9)
        first = prose.words(200)
        texts = [first, *(prose.exchanged(first, [i % 190, (i * 7) % 190]) for i in range(500))]
        if stages_on == "python":
            texts = texts[:150]
        wanted = oracle(texts[:50])
        for sizes in ([], [50] * 3):
            verdicts = in_blocks(texts, sizes)
            check(texts, verdicts)
            assert [v.kind == NEW for v in verdicts[:50]] == wanted
            assert [v.kind for v in verdicts].count(NEW) == 1

    def test_a_part_that_comes_later_is_a_copy_and_a_whole_that_comes_later_is_new(
        self, stages_on: str
    ) -> None:
        prose = Prose(6)
        inner, other = prose.words(40), prose.words(40)
        around = prose.round(f"{inner} {prose.words(30)} {other}")
        part = " ".join(around.split()[70:90])
        for sizes in ([], [1, 1, 1, 1], [2]):
            verdicts = in_blocks([inner, other, around, part, inner], sizes)
            assert [v.kind for v in verdicts] == [NEW, NEW, NEW, CONTAINED, EXACT]
            assert verdicts[2].holds == ((0, 1.0), (1, 1.0))
            assert verdicts[3].containment == 1.0
            assert verdicts[4].twin == 0

    def test_a_whole_holds_only_what_stays(self, stages_on: str) -> None:
        prose = Prose(7)
        inner = prose.words(40)
        near = prose.exchanged(inner, [0])
        around = prose.round(near)
        for sizes in ([], [1, 1], [2]):
            verdicts = in_blocks([inner, near, around], sizes)
            assert [v.kind for v in verdicts] == [NEW, NEAR, NEW]
            assert [number for number, _ in verdicts[2].holds] == [0]

    def test_short_texts(self, stages_on: str) -> None:
        """A text shorter than a shingle is one; and is looked for in no other."""
        prose = Prose(8)
        long = prose.words(50)
        short = " ".join(long.split()[10:14])
        eleven = " ".join(long.split()[10:21])
        twelve = " ".join(long.split()[30:42])
        texts = [long, short, short, short.upper(), f"{short} more", eleven, twelve, "one", "one", "two"]
        for sizes in ([], [1] * len(texts)):
            verdicts = in_blocks(texts, sizes)
            check(texts, verdicts)
            kinds = [NEW, NEW, EXACT, NEAR, NEW, NEW, CONTAINED, NEW, EXACT, NEW]
            assert [v.kind for v in verdicts] == kinds

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_a_short_text_is_inside_no_other_whatever_the_signatures_say(
        self, stages_on: str, seed: int
    ) -> None:
        """Ten words of fourteen: alike enough for many such pairs to meet in a band, by chance."""
        prose = Prose(14)
        longs = [prose.words(14) for _ in range(60)]
        texts = [text for long in longs for text in (long, " ".join(long.split()[:10]))]
        verdicts = in_blocks(texts, [], SHAPE._replace(seed=seed))
        assert {verdict.kind for verdict in verdicts} == {NEW}

    def test_exactly_at_the_threshold_is_a_copy(self, stages_on: str) -> None:
        """10 shingles, of which 8 are shared; and 8 of 10 of one inside another."""
        words = [f"w{i}" for i in range(12)]
        shape = Shape(threshold=8 / 12, ngram=3, num_perm=256, min_tokens=4)
        a, b = " ".join(words), " ".join([*words[:10], "x", "y"])
        assert figures(a, b, 3).jaccard == 8 / 12
        (_, verdict) = in_blocks([a, b], [], shape)
        assert (verdict.kind, verdict.jaccard) == (NEAR, 8 / 12)
        inner = " ".join([*words[:10], "x", "y"])
        outer = f"{' '.join(words)} {Prose(1).words(30)}"
        (_, verdict) = in_blocks([outer, inner], [], shape._replace(threshold=0.8))
        assert (verdict.kind, verdict.containment) == (CONTAINED, 0.8)

    def test_the_best_twin_is_told(self, stages_on: str) -> None:
        """Equal to the letter before alike, alike before contained, the earlier of equals."""
        prose = Prose(11)
        a = prose.words(100)
        b = prose.exchanged(a, [20, 40, 60, 80])
        around = prose.round(a)
        assert figures(a, b, 5).jaccard < 0.8
        c = prose.exchanged(a, [20])  # nearer to a
        d = prose.exchanged(b, [95])  # nearer to b
        texts = [around, b, a.upper(), a, c, d]
        for sizes in ([], [1] * 6, [3]):
            verdicts = in_blocks(texts, sizes, SHAPE._replace(contained=False))
            assert [(v.kind, v.twin) for v in verdicts] == [
                (NEW, 0), (NEW, 1), (NEW, 2), (NEAR, 2), (NEAR, 2), (NEAR, 1),
            ]  # fmt: skip

    def test_of_equals_the_earlier_one_is_told(self, stages_on: str) -> None:
        prose = Prose(12)
        inner = prose.words(40)
        for sizes in ([], [1, 1, 1]):
            *_, verdict = in_blocks(
                [prose.round(inner), prose.round(inner), prose.round(inner), inner], sizes
            )
            assert (verdict.kind, verdict.twin) == (CONTAINED, 0)

    def test_what_is_like_a_copy_is_compared_with_its_twin(
        self, stages_on: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where a text was only found to be like the one before it, which does not stay: one after the other."""

        def neighbours(signatures: np.ndarray, threshold: float, jobs: int = 0) -> np.ndarray:
            places = np.arange(len(signatures) - 1)
            return np.stack([places, places + 1], 1)

        monkeypatch.setattr("dedup.band.near_pairs", neighbours)
        prose = Prose(13)
        first = prose.words(200)
        texts = [first, *(prose.exchanged(first, [10 * i]) for i in range(1, 12))]
        verdicts = in_blocks(texts, [], SHAPE._replace(contained=False))
        assert [(v.kind, v.twin) for v in verdicts] == [(NEW, 0)] + [(NEAR, 0)] * 11
