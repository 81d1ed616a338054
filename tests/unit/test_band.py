"""Candidates: bands that miss next to nothing at the threshold, and no bucket that costs a square."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from dedup import band
from dedup.kernel.types import Array


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("num_perm", [64, 128, 256])
def test_the_bands_miss_few_pairs_at_the_threshold_and_no_more_rows_would(
    threshold: float, num_perm: int
) -> None:
    bands, rows = band.shape(threshold, num_perm)
    assert bands * rows <= num_perm
    assert (1 - threshold**rows) ** bands <= band.MISS
    for more in range(rows + 1, num_perm + 1):
        assert (1 - threshold**more) ** (num_perm // more) > band.MISS


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.5, (64, 2)), (0.7, (32, 4)), (0.8, (25, 5)), (0.9, (16, 8))]
)
def test_the_shapes_of_128_permutations(threshold: float, expected: tuple[int, int]) -> None:
    assert band.shape(threshold, 128) == expected


def test_where_no_shape_is_good_enough_every_row_is_a_band() -> None:
    assert band.shape(0.01, 16) == (16, 1)


def pairs(found: Array) -> list[tuple[int, int]]:
    """Candidate pairs as tuples."""
    return [tuple(pair) for pair in found.tolist()]


def test_texts_that_agree_in_a_whole_band_are_candidates_once(kernel: ModuleType) -> None:
    signatures = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [9, 2, 3, 4], [1, 9, 9, 4], [7, 7, 7, 7]], "u4")
    assert pairs(kernel.band_pairs(signatures, 2, 2, 64)) == [(0, 1), (0, 2), (1, 2)]


def test_agreeing_in_half_of_two_bands_is_not_enough(kernel: ModuleType) -> None:
    signatures = np.array([[1, 2, 3, 4], [2, 2, 3, 5], [1, 1, 4, 4]], "u4")
    assert pairs(kernel.band_pairs(signatures, 2, 2, 64)) == []


def test_permutations_that_fill_no_band_do_not_count(kernel: ModuleType) -> None:
    signatures = np.array([[1, 2, 5], [1, 3, 5]], "u4")
    assert pairs(kernel.band_pairs(signatures, 1, 2, 64)) == []


def test_a_bucket_up_to_the_limit_gives_all_pairs(kernel: ModuleType) -> None:
    assert len(kernel.band_pairs(np.ones((64, 4), "u4"), 1, 4, 64)) == 64 * 63 / 2


def test_a_crowded_bucket_links_each_with_the_first_and_the_one_before(kernel: ModuleType) -> None:
    found = pairs(kernel.band_pairs(np.ones((6, 4), "u4"), 2, 2, 5))
    assert found == sorted({(0, j) for j in range(1, 6)} | {(j - 1, j) for j in range(1, 6)})


def test_no_texts_have_no_candidates(kernel: ModuleType) -> None:
    found = kernel.band_pairs(np.zeros((0, 4), "u4"), 2, 2, 64)
    assert (found.shape, found.dtype) == ((0, 2), np.int64)


def test_equal_signatures_are_candidates_at_any_threshold(stages_on: str) -> None:
    signatures = np.tile(np.arange(128, dtype="u4"), (3, 1))
    for threshold in (0.1, 0.8, 1.0):
        assert pairs(band.near_pairs(signatures, threshold)) == [(0, 1), (0, 2), (1, 2)]
