"""Short texts inside longer ones, however different their sizes."""

from __future__ import annotations

import math
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest

import dedup
from dedup import band, sketch
from dedup.kernel import reference
from dedup.kernel.tokens import mix64
from dedup.kernel.types import Array, ContainedParameters

PARAMETERS = ContainedParameters(ngram=5, minimum=12)


def words(name: str, count: int) -> str:
    """So many different words."""
    return " ".join(f"{name}{i}" for i in range(count))


def smallest(kernel: ModuleType, tokens: Array, offsets: Array) -> Array:
    """The probes of every text."""
    sketches: Array = kernel.sign(
        tokens, offsets, PARAMETERS.ngram, *sketch.permutations(1, 1), sketch.PROBES
    )[1]
    return sketches


def kernel_of_stages() -> ModuleType:
    """The kernel that the stages use."""
    from dedup import kernel

    return kernel


def found(
    kernel: ModuleType, texts: list[str], parameters: ContainedParameters = PARAMETERS
) -> list[list[int]]:
    """Pairs (longer, shorter) among texts that stand longest first."""
    tokens = reference.tokenise(texts)
    assert (np.diff(np.diff(tokens.offsets)) <= 0).all(), "longest first"
    everywhere = np.ones(len(texts), bool)
    pairs: list[list[int]] = kernel.contained_pairs(
        tokens.hashes, tokens.offsets, smallest(kernel, tokens.hashes, tokens.offsets), everywhere, parameters
    ).tolist()
    return pairs


@pytest.mark.parametrize("around", [0, 1, 50, 20_000])
def test_a_text_is_found_inside_one_of_any_length(kernel: ModuleType, around: int) -> None:
    inner = words("inner", 20)
    assert found(kernel, [f"{words('x', around)} {inner} {words('y', around)}", inner]) == [[0, 1]]


@pytest.mark.parametrize("position", ["start", "middle", "end"])
def test_a_text_is_found_wherever_it_stands(kernel: ModuleType, position: str) -> None:
    inner, outer = words("inner", 30), words("outer", 100)
    whole = {"start": f"{inner} {outer}", "middle": f"{outer} {inner} {outer}", "end": f"{outer} {inner}"}
    assert found(kernel, [whole[position], inner]) == [[0, 1]]


def test_texts_that_share_nothing_are_no_candidates(kernel: ModuleType) -> None:
    assert found(kernel, [words("a", 100), words("b", 50), words("c", 20)]) == []


def test_a_text_inside_two_is_a_candidate_with_both(kernel: ModuleType) -> None:
    inner = words("inner", 40)
    pairs = found(kernel, [f"{inner} {words('a', 60)}", f"{words('b', 50)} {inner}", inner])
    assert [pair for pair in pairs if pair[1] == 2] == [[0, 2], [1, 2]]


@pytest.mark.parametrize(("length", "expected"), [(11, []), (12, [[0, 1]])])
def test_texts_below_the_minimum_are_not_sought(
    kernel: ModuleType, length: int, expected: list[list[int]]
) -> None:
    inner = words("inner", length)
    assert found(kernel, [f"{inner} {words('x', 40)}", inner]) == expected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_text_below_the_minimum_is_contained_in_none_whatever_the_signatures_say(seed: int) -> None:
    """Ten words of fourteen: alike enough for many such pairs to meet in a band, by chance."""
    longs = [words(f"w{i}x", 14) for i in range(60)]
    texts = [text for long in longs for text in (long, " ".join(long.split()[:10]))]
    report = dedup.scan([(str(i), text) for i, text in enumerate(texts)], seed=seed, passages=False)
    assert report.document_clusters == ()


def test_only_the_marked_texts_are_sought(stages_on: str) -> None:
    inner = words("inner", 20)
    tokens = reference.tokenise([f"{inner} x y", f"{inner} z", inner])
    for marked in ([], [1], [2], [1, 2]):
        sought = np.isin(np.arange(3), marked)
        probes = smallest(reference, tokens.hashes, tokens.offsets)
        pairs = band.contained_pairs(tokens.hashes, tokens.offsets, probes, sought, PARAMETERS, 0.8)
        assert {shorter for _, shorter in pairs.tolist()} == set(marked)
        assert (pairs.dtype, pairs.shape[1]) == (np.int64, 2)


def test_a_hot_shingle_is_followed_into_the_longest_texts_only(kernel: ModuleType) -> None:
    inner = words("inner", 16)
    texts = [f"{inner} {words(f'text{i}x', 100 - i)}" for i in range(10)] + [inner]
    parameters = PARAMETERS._replace(bucket=4)
    assert [pair for pair in found(kernel, texts, parameters) if pair[1] == 10] == [[i, 10] for i in range(4)]


def test_one_shared_shingle_is_not_enough(kernel: ModuleType) -> None:
    shared = words("shared", 5)
    assert found(kernel, [f"{shared} {words('x', 60)}", f"{shared} {words('y', 40)}"]) == []


def test_a_text_of_one_shingle_is_found_by_it(kernel: ModuleType) -> None:
    inner = words("inner", 5)
    parameters = ContainedParameters(ngram=5, minimum=1)
    assert found(kernel, [f"{words('x', 40)} {inner}", inner], parameters) == [[0, 1]]


def test_many_candidates_are_ruled_out_by_a_sample(stages_on: str) -> None:
    """Texts that share a quarter of their words with all others, and one that lies in another."""
    shared, inner = words("shared", 80), words("inner", 200)
    texts = [f"{words(f'text{i}x', 250 - i)} {shared} {words(f'text{i}y', 10)}" for i in range(20)]
    texts.insert(0, f"{inner} {shared} {words('outer', 300)}")
    texts.append(f"{inner} {shared[: len(shared) // 2]}")
    tokens = reference.tokenise(texts)
    probes = smallest(reference, tokens.hashes, tokens.offsets)
    everywhere = np.ones(len(texts), bool)
    arguments = (tokens.hashes, tokens.offsets, probes, everywhere, PARAMETERS)
    all_pairs = kernel_of_stages().contained_pairs(*arguments).tolist()
    left = band.contained_pairs(*arguments, 0.8).tolist()
    assert len(all_pairs) > len(texts)
    assert len(left) < len(all_pairs) / 2
    assert [0, 21] in left


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 0.999, 1.0])
def test_the_sample_rules_out_no_more_true_pairs_than_it_may(threshold: float) -> None:
    """Of texts of every size, by the distribution of a sample without repeats (the hypergeometric one)."""
    for size in [*range(1, 80), 99, 100, 101, 500, 1000, 10_000, 10**6]:
        asked = min(size, band.SAMPLE)
        shared = math.ceil(Fraction(str(threshold)) * size)
        fewer = band.least(threshold, asked)
        lost = sum(math.comb(shared, held) * math.comb(size - shared, asked - held) for held in range(fewer))
        assert lost <= band.DOUBT * math.comb(size, asked)


def test_the_sample_rules_out_what_it_can() -> None:
    """With one more to be held, a pair at the threshold might be lost: the sum is that of exact fractions."""
    for threshold in (0.3, 0.5, 0.8, 0.95, 0.999):
        for asked in range(1, band.SAMPLE + 1):
            share = Fraction(str(threshold))
            fewer = band.least(threshold, asked)
            chances = [
                math.comb(asked, held) * share**held * (1 - share) ** (asked - held)
                for held in range(fewer + 1)
            ]
            assert sum(chances[:fewer]) < 1.000001 * band.DOUBT  # floats, summed up
            assert fewer == asked or sum(chances) > 0.999999 * band.DOUBT


def test_no_true_pair_is_lost_at_a_high_threshold(stages_on: str) -> None:
    """A text that lies but for one word in ten others, which have so much in common that a sample is taken."""
    inner = [f"inner{i}" for i in range(1000)]
    missed = inner[np.argmin(mix64(reference.tokenise(inner).hashes))]  # so that the sample has it
    shared = " ".join(word for word in inner if word != missed)
    documents = [(f"outer{i}", f"{shared} {words(f'text{i}x', 100)}") for i in range(10)]
    documents.append(("inner", " ".join(inner)))
    report = dedup.scan(documents, ngram=1, threshold=0.999, passages=False)
    found = [[member.document for member in cluster.members] for cluster in report.document_clusters]
    assert [cluster[1:] for cluster in found] == [["inner"]]


def test_what_goes_wrong_in_the_native_kernel_is_told() -> None:
    native = pytest.importorskip("dedup.kernel.native", exc_type=ImportError)
    tokens, offsets = np.zeros(5000, "u4"), np.arange(5001)
    pairs = np.stack([np.zeros(4999, "i8"), np.arange(1, 5000)], 1)
    with pytest.raises(MemoryError, match=r"^the kernel found no room \(.*bad_alloc.*\)$"):
        native.sampled(tokens, offsets, 5, pairs, 2**32 - 1)  # more than any processor can address
