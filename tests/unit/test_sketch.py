"""Signatures: datasketch's own to the bit, and back again."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from dedup import sketch
from dedup.errors import SettingsError
from dedup.kernel import reference
from dedup.kernel.types import Array
from dedup.sketch import Signatures
from tests import naive

TEXTS = [
    "the committee met on Tuesday and agreed to raise the fee by two per cent from next year",
    "the committee met on Monday and agreed to raise the fee by two per cent from next year",
    "词 元 化 测试 文本 一二三四五六七八九十",
    "one two",
    "again and again and again and again and again and again",
]


def identity(value: int) -> int:
    """The hash function for datasketch where the values are hashes already."""
    return value


def theirs(shingles: Array, num_perm: int, seed: int) -> MinHash:
    """datasketch's signature of shingle hashes."""
    minhash = MinHash(num_perm, seed, hashfunc=identity, scheme=sketch.SCHEME)
    minhash.update_batch((shingles & np.uint64(0xFFFFFFFF)).tolist())
    return minhash


def signed(texts: list[str], ngram: int = 5, num_perm: int = 128, seed: int = 1) -> Signatures:
    """Signatures of texts by the kernel in use."""
    tokens = reference.tokenise(texts)
    return sketch.sign(tokens.hashes, tokens.offsets, ngram, num_perm, seed)[0]


@pytest.mark.parametrize("num_perm", [16, 64, 100, 128, 257])
@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1])
@pytest.mark.parametrize("ngram", [1, 5])
def test_signatures_are_those_of_datasketch_to_the_bit(
    kernel: ModuleType, num_perm: int, seed: int, ngram: int
) -> None:
    tokens = kernel.tokenise([*TEXTS, " ".join(map(str, range(10_000)))])
    hashes, at = kernel.shingles(tokens.hashes, tokens.offsets, ngram)
    found, _ = kernel.sign(tokens.hashes, tokens.offsets, ngram, *sketch.permutations(num_perm, seed))
    assert found.dtype == np.uint32
    for row, shingles in zip(found, np.split(hashes, at[1:-1]), strict=True):
        assert row.tolist() == theirs(shingles, num_perm, seed).hashvalues.tolist()


@pytest.mark.parametrize(("num_perm", "seed"), [(16, 0), (128, 1), (200, 2**32 - 1)])
def test_permutations_are_those_that_datasketch_draws(num_perm: int, seed: int) -> None:
    multipliers, increments = sketch.permutations(num_perm, seed)
    drawn = MinHash(num_perm, seed, scheme=sketch.SCHEME).permutations
    assert multipliers.tolist() == drawn[0].tolist()
    assert increments.tolist() == drawn[1].tolist()
    assert (multipliers & 1).all()


def test_an_empty_text_has_the_signature_of_an_empty_minhash(stages_on: str) -> None:
    assert signed([""]).values.tolist() == [MinHash(128, 1, scheme=sketch.SCHEME).hashvalues.tolist()]


def test_signatures_go_into_an_index_of_datasketch(stages_on: str) -> None:
    minhashes = signed(TEXTS, ngram=2).to_datasketch()
    index = MinHashLSH(threshold=0.5, num_perm=128)
    for i, minhash in enumerate(minhashes):
        index.insert(i, minhash)
    assert sorted(index.query(minhashes[0])) == [0, 1]
    assert index.query(minhashes[2]) == [2]


def test_signatures_in_datasketch_go_on_as_if_made_there() -> None:
    tokens = reference.tokenise([TEXTS[0], TEXTS[0] + " and more"])
    hashes, at = reference.shingles(tokens.hashes, tokens.offsets, 5)
    grown = signed([TEXTS[0]]).to_datasketch()[0]
    grown.hashfunc = identity
    grown.update_batch((hashes[at[1] :] & np.uint64(0xFFFFFFFF)).tolist())
    assert grown.hashvalues.tolist() == signed([TEXTS[0] + " and more"]).values[0].tolist()


def test_signatures_come_back_from_datasketch_as_they_went() -> None:
    mine = signed(TEXTS, seed=7)
    back = Signatures.from_datasketch(mine.to_datasketch(), mine.ngram)
    back.check_comparable(mine)
    assert (back.seed, back.num_perm, back.ngram) == (7, 128, 5)
    assert back.values.dtype == np.uint32
    assert back.values.tolist() == mine.values.tolist()


def test_no_signatures_come_back_as_none() -> None:
    assert Signatures.from_datasketch([], 5).values.shape[0] == 0


def test_minhashes_of_another_scheme_are_refused() -> None:
    other = MinHash(128, 1, scheme="legacy")
    with pytest.raises(SettingsError, match=r"^a MinHash has scheme legacy; expected affine32$"):
        Signatures.from_datasketch([other], 5)


@pytest.mark.parametrize("other", [MinHash(64, 1, scheme="affine32"), MinHash(128, 2, scheme="affine32")])
def test_minhashes_that_differ_among_themselves_are_refused(other: MinHash) -> None:
    first = MinHash(128, 1, scheme="affine32")
    with pytest.raises(SettingsError) as error:
        Signatures.from_datasketch([first, other], 5)
    text = "the MinHashes differ in seed or number of permutations; make all with the same"
    assert str(error.value) == text


DIFFERING = [
    ({"num_perm": 64}, "num_perm: 128 and 64"),
    ({"seed": 2}, "seed: 1 and 2"),
    ({"ngram": 3}, "ngram: 5 and 3"),
    ({"num_perm": 64, "seed": 2}, "num_perm: 128 and 64"),
]


@pytest.mark.parametrize(("change", "named"), DIFFERING)
def test_signatures_shaped_differently_do_not_compare(change: dict[str, int], named: str) -> None:
    with pytest.raises(SettingsError) as error:
        signed(TEXTS).check_comparable(signed(TEXTS, **change))
    assert str(error.value) == f"signatures differ in {named}; make both with the same"


def test_signatures_of_other_shingles_do_not_compare() -> None:
    mine = signed(TEXTS)
    foreign = Signatures.from_datasketch(mine.to_datasketch(), 5, shingles="words/1")
    with pytest.raises(
        SettingsError, match=r"^signatures differ in shingles: 'dedup-shingles/1' and 'words/1'; "
    ):
        mine.check_comparable(foreign)


@pytest.mark.parametrize("share", [0.95, 0.8, 0.5, 0.2])
def test_the_estimate_is_near_the_exact_jaccard_index(share: float) -> None:
    shared = [f"word{i}" for i in range(int(1000 * share))]
    one, other = (" ".join(shared + [f"{side}{i}" for i in range(len(shared), 1000)]) for side in "ab")
    tokens = reference.tokenise([one, other])
    a, b = (
        naive.shingles(document.tolist(), 5) for document in np.split(tokens.hashes, tokens.offsets[1:-1])
    )
    exact = len(a & b) / len(a | b)
    estimate = signed([one, other], num_perm=1024).estimated_jaccard(0, 1)
    assert estimate == pytest.approx(exact, abs=4 * 0.5 / 1024**0.5)
