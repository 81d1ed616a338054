"""Whatever the corpus, both kernels give the same arrays, and neither depends on the number of threads.

Corpora come from :mod:`tests.property.corpora`; what definitions say is in :mod:`tests.naive`.
"""

from __future__ import annotations

import inspect
import itertools
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from dedup import kernel as interface
from dedup.kernel import extents, reference
from dedup.kernel.tokens import U64, mix64, polynomials
from dedup.kernel.types import LAST, NONE, Array, ContainedParameters, SeedIndex
from dedup.sketch import permutations
from tests import naive

from .corpora import Corpus, corpora, corpus, edited_copies, vocabulary

NGRAMS = st.integers(1, 9) | st.just(64)


def examples(count: int) -> Callable[[Any], Any]:
    """How many corpora a test tries; no deadline, as a shared machine has pauses of its own."""
    return settings(deadline=None, max_examples=count)


def same(found: Any, wanted: Any) -> None:
    """Asserts equal arrays, of one type and shape, or tuples of such."""
    if isinstance(wanted, tuple):
        assert type(found) is type(wanted)
        for mine, theirs in zip(found, wanted, strict=True):
            same(mine, theirs)
        return
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(found, wanted)


def agreed(native: ModuleType, name: str, *arguments: Any) -> Any:
    """What a kernel function gives, the same from both kernels and on one thread and two."""
    found = getattr(native, name)(*arguments, jobs=1)
    same(found, getattr(reference, name)(*arguments))
    same(getattr(native, name)(*arguments, jobs=2), found)
    return found


def all_pairs(texts: Corpus) -> Array:
    """Every pair of documents, lower number first."""
    return np.array(list(combinations(range(texts.count), 2)), "i8").reshape(-1, 2)


# ---- documents -------------------------------------------------------------------------------------------------


@examples(60)
@given(texts=corpora(), ngram=NGRAMS)
def test_shingles(native: ModuleType, texts: Corpus, ngram: int) -> None:
    documents = [tuple(texts.document(i)) for i in range(texts.count)]
    hashes, at = agreed(native, "shingles", *texts, ngram)
    assert np.diff(at).tolist() == [len(naive.shingles(document, ngram)) for document in documents]
    assert len(set(hashes.tolist())) == len(set().union(*(naive.shingles(d, ngram) for d in documents)))


@examples(40)
@given(
    texts=corpora(), ngram=NGRAMS, num_perm=st.sampled_from([16, 64, 65, 128]), seed=st.integers(0, 2**32 - 1)
)
def test_sketches(native: ModuleType, texts: Corpus, ngram: int, num_perm: int, seed: int) -> None:
    lowest = num_perm % 10
    _, sketches = agreed(native, "sign", *texts, ngram, *permutations(num_perm, seed), lowest)
    hashes, at = reference.shingles(*texts, ngram)
    for sketch, start, end in zip(sketches.tolist(), at, at[1:], strict=False):
        smallest = hashes[start:end][:lowest].tolist()
        assert sketch == smallest + [U64] * (lowest - len(smallest))


def test_a_long_document_of_few_shingles_has_them_all_in_its_sketch(native: ModuleType) -> None:
    texts = corpus([[1, 2, 3] * 500, list(range(1000)), [7] * 100])
    _, sketches = agreed(native, "sign", *texts, 2, *permutations(1, 1), 8)
    assert (sketches != np.uint64(U64)).sum(axis=1).tolist() == [3, 8, 1]


@examples(60)
@given(texts=corpora(), ngram=NGRAMS)
def test_overlaps_are_those_of_the_sets(native: ModuleType, texts: Corpus, ngram: int) -> None:
    pairs = all_pairs(texts)
    sets = [naive.shingles(texts.document(i), ngram) for i in range(texts.count)]
    found = agreed(native, "overlaps", *texts, ngram, pairs)
    assert found.tolist() == [[len(sets[a] & sets[b]), len(sets[a]), len(sets[b])] for a, b in pairs.tolist()]


@examples(60)
@given(texts=corpora(), ngram=NGRAMS, rolls=st.randoms(use_true_random=False))
def test_explained_tokens_lie_in_a_shingle_of_the_kept_text(
    native: ModuleType, texts: Corpus, ngram: int, rolls: Any
) -> None:
    pairs = np.array([pair for pair in all_pairs(texts).tolist() if rolls.random() < 0.5], "i8").reshape(
        -1, 2
    )
    found = agreed(native, "explained", *texts, ngram, pairs)
    wanted = np.zeros(len(texts.tokens), bool)
    for kept, copy in pairs.tolist():
        known, document = naive.shingles(texts.document(kept), ngram), texts.document(copy)
        size = min(ngram, len(document))
        for i in range(len(document) - size + 1):
            if size and tuple(document[i : i + size]) in known:
                wanted[texts.offsets[copy] + i : texts.offsets[copy] + i + size] = True
    assert found.tolist() == wanted.tolist()


@examples(60)
@given(
    rows=st.lists(st.tuples(*[st.integers(0, 2)] * 8), max_size=20),
    shape=st.sampled_from([(8, 1), (4, 2), (2, 4), (1, 8), (2, 3)]),
    bucket=st.integers(2, 8),
)
def test_band_pairs(native: ModuleType, rows: list[Any], shape: tuple[int, int], bucket: int) -> None:
    signatures = np.array(rows, "u4").reshape(-1, 8)
    found = agreed(native, "band_pairs", signatures, *shape, bucket)
    bands = [slice(i * shape[1], (i + 1) * shape[1]) for i in range(shape[0])]
    wanted = {
        (i, j) for i, j in combinations(range(len(rows)), 2) if any(rows[i][b] == rows[j][b] for b in bands)
    }
    pairs = {(a, b) for a, b in found.tolist()}
    assert pairs <= wanted
    if len(rows) <= bucket:
        assert pairs == wanted
    assert linked(pairs, len(rows)) == linked(wanted, len(rows))


def linked(pairs: set[tuple[int, int]], count: int) -> list[int]:
    """The lowest document that each one is connected with."""
    lowest = list(range(count))
    for _ in range(count):
        for a, b in sorted(pairs):
            lowest[a] = lowest[b] = min(lowest[a], lowest[b])
    return lowest


@examples(80)
@given(
    texts=corpora(),
    sought=st.integers(0, 255),
    probes=st.integers(1, 10),
    parameters=st.builds(
        ContainedParameters,
        ngram=st.integers(1, 6),
        minimum=st.integers(0, 20),
        needed=st.integers(1, 4),
        bucket=st.integers(1, 5),
    ),
)
def test_contained_pairs(
    native: ModuleType, texts: Corpus, sought: int, probes: int, parameters: ContainedParameters
) -> None:
    wanted = np.array([sought >> i & 1 for i in range(texts.count)], bool)
    _, sketches = native.sign(*texts, parameters.ngram, *permutations(1, 1), probes)
    pairs = agreed(native, "contained_pairs", *texts, sketches, wanted, parameters)
    counts = agreed(native, "sampled", *texts, parameters.ngram, pairs, probes)
    for (longer, shorter), (held, asked) in zip(pairs.tolist(), counts.tolist(), strict=True):
        sets = [naive.shingles(texts.document(i), parameters.ngram) for i in (longer, shorter)]
        assert asked == min(len(sets[1]), probes)
        assert held <= min(asked, len(sets[0] & sets[1]))
        assert held == asked or not sets[1] <= sets[0]
        assert longer < shorter
        assert wanted[shorter]
        assert len(texts.document(shorter)) >= parameters.minimum


def test_a_sample_costs_memory_for_the_documents_of_the_pairs_alone(native: ModuleType) -> None:
    code = """
import resource
import numpy as np
from dedup.kernel import native
count = 300_000
tokens, offsets = np.zeros(count, "u4"), np.arange(count + 1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert native.sampled(tokens, offsets, 5, np.array([[0, 1]]), 64, 2).tolist() == [[1, 1]]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 300_000 * 64  # an eighth of a sketch for each


@examples(60)
@given(texts=corpora(), ngram=st.integers(1, 5), step=st.integers(1, 7))
def test_places_hold_the_sought_shingles(native: ModuleType, texts: Corpus, ngram: int, step: int) -> None:
    full = [i for i in range(texts.count) if len(texts.document(i)) >= ngram]
    hashes = np.unique(reference.shingles(*corpus([texts.document(i) for i in full]), ngram)[0])[::step]
    found = agreed(native, "places", *texts, ngram, hashes)
    wanted = [
        int(texts.offsets[i]) + at
        for i in full
        for at, value in enumerate(mix64(polynomials(np.array(texts.document(i), "u4"), ngram)))
        if value in hashes
    ]
    assert found.tolist() == wanted


@examples(60)
@given(texts=corpora(), length=st.integers(1, 5), cuts=st.lists(st.integers(0, 60), min_size=2, max_size=40))
def test_recurrences(native: ModuleType, texts: Corpus, length: int, cuts: list[int]) -> None:
    last = len(texts.tokens)
    spans = [(min(a, last), min(a + b % 9, last)) for a, b in itertools.pairwise(cuts)]
    spans = [(start, end) for start, end in spans if start < end]
    groups = [spans[i : i + 3] for i in range(0, len(spans), 3)]
    bounds = np.cumsum([0, *map(len, groups)])
    ends = np.array(spans, "i8").reshape(-1, 2)
    found = agreed(native, "recurrences", texts.tokens, ends, bounds, length)
    wanted = []
    for group in groups:
        sets = [
            [
                tuple(texts.tokens[i : min(i + length, end)])
                for i in range(start, max(end - length, start) + 1)
            ]
            for start, end in group
        ]
        counts = Counter(shingle for one in sets for shingle in one)
        wanted += [sum(counts[shingle] - 1 for shingle in one) for one in sets]
    assert found.tolist() == wanted


# ---- passages --------------------------------------------------------------------------------------------------


@examples(80)
@given(texts=corpora(longest_block=30), minimum=st.integers(8, 160))
def test_periods_are_periodic(native: ModuleType, texts: Corpus, minimum: int) -> None:
    tokens = texts.tokens.tolist()
    before = 0
    for document, start, end, period in agreed(native, "periods", *texts, minimum).tolist():
        assert texts.offsets[document] <= start < end <= texts.offsets[document + 1]
        assert start >= before
        assert end - start >= 3 * period
        assert naive.weight(tokens[start + period : end]) >= minimum
        assert (
            3 * sum(tokens[i] != tokens[i - period] for i in range(start + period, end))
            <= end - start - period
        )
        before = end


def groups(index: SeedIndex) -> list[tuple[int, list[int]]]:
    """The level of every group of a seed index (7: hot), and its places."""
    out, group, level = [], [], 0
    for slot, member in enumerate(index.members.tolist()):
        while slot >= index.starts[level + 1]:
            level += 1
        assert index.slots[member & ~LAST] == slot
        group.append(member & ~LAST)
        if member & LAST:
            out.append((level, group))
            group = []
    assert not group
    return out


def run(texts: Corpus, place: int, length: int) -> tuple[int, ...]:
    """The tokens from a place on, no farther than its document goes."""
    end = int(texts.offsets[np.searchsorted(texts.offsets, place, side="right")])
    return tuple(texts.tokens[place : min(place + length, end)].tolist())


@examples(80)
@given(texts=corpora(), cap=st.integers(2, 20), masked=st.sets(st.integers(0, 100), max_size=10))
def test_seeds_are_the_shortest_that_are_rare_enough(
    native: ModuleType, texts: Corpus, cap: int, masked: set[int]
) -> None:
    posting = np.array([i % 101 not in masked for i in range(len(texts.tokens))], bool)
    places = np.flatnonzero(posting).tolist()
    index = agreed(native, "seed_index", *texts, ~posting, cap)
    counts = {}
    for k in range(1, 9):
        for place in places:
            key = run(texts, place, k)
            counts[k, key] = counts.get((k, key), 0) + (len(key) == k)
    seen = set()
    for level, group in groups(index):
        k = min(level + 2, 8)
        assert len({run(texts, place, k) for place in group}) == 1
        assert len(run(texts, group[0], k)) == k
        assert len(group) == counts[k, run(texts, group[0], k)]
        assert (len(group) > cap) == (level == 7)
        assert k == 2 or counts[k - 1, run(texts, group[0], k - 1)] > cap
        if level == 7:
            assert group == sorted(group, key=lambda place: (run(texts, place, 32), place))
        seen.update(group)
    for place in places:  # what posts nothing has no partner, at the length where it ceased to be frequent
        k = next((k for k in range(2, 9) if counts[k, run(texts, place, k)] <= cap), None)
        assert (place in seen) == (k is None or counts[k, run(texts, place, k)] > 1)
    assert all(index.slots[i] == NONE for i in range(len(posting)) if i not in seen)


def test_two_chains_of_one_extent(native: ModuleType) -> None:
    texts = corpus([[" abc".index(letter) * 2 for letter in "aaaab" * 5 + "aaacabaaaabaaacabaaaab"]])
    index = reference.seed_index(*texts, np.zeros(47, bool), 8)
    agreed(native, "passages", *texts, np.array([-1], "i4"), index, 0.3, 8)


@examples(150)
@given(
    texts=corpora() | edited_copies(),
    cap=st.integers(2, 20),
    similarity=st.sampled_from([0.3, 0.5, 0.7, 0.85, 1.0]),
    minimum=st.integers(1, 12),
    families=st.lists(st.integers(-1, 1), min_size=8, max_size=8),
)
def test_passages(
    native: ModuleType, texts: Corpus, cap: int, similarity: float, minimum: int, families: list[int]
) -> None:
    index = reference.seed_index(*texts, np.zeros(len(texts.tokens), bool), cap)
    family = np.array(families[: texts.count], "i4")
    rows = agreed(native, "passages", *texts, family, index, similarity, minimum * 8)
    tokens = texts.tokens.tolist()
    for a, a_start, a_end, b, b_start, b_end, matched in rows.tolist():
        assert texts.offsets[a] <= a_start < a_end <= texts.offsets[a + 1]
        assert texts.offsets[b] <= b_start < b_end <= texts.offsets[b + 1]
        assert a < b or a_end <= b_start
        assert a == b or family[a] < 0 or family[a] != family[b]
        assert matched == naive.lcs(tokens[a_start:a_end], tokens[b_start:b_end])
        assert 2 * matched / (a_end - a_start + b_end - b_start) >= similarity
        assert min(naive.weight(tokens[a_start:a_end]), naive.weight(tokens[b_start:b_end])) >= minimum * 8


CONSTANTS = [
    ("extents.hpp", "extents", "COMPANY"),
    ("extents.cpp", "extents", "GAP DRIFT LOOK_BACK BAND REACH X_DROP OVERLAP WHOLE BLOCK"),
    ("seeds.cpp", "reference", "WINDOW DROP BRIDGED CONTEXT"),
    ("kernel.hpp", "tokens", "BASE"),
    ("kernel.hpp", "types", "NONE LAST WORD_WEIGHT CHARACTER_WEIGHT"),
    ("kernel.hpp", "reference", "SHORTEST LONGEST"),
]


@pytest.mark.parametrize(("file", "module", "names"), CONSTANTS)
def test_constants_are_the_same_in_both_kernels(file: str, module: str, names: str) -> None:
    source = Path(reference.__file__).with_name(file)
    if not source.exists():
        pytest.skip("the sources of the native kernel are not here")
    written = dict(re.findall(r"constexpr \w+ (\w+) = (\w+);", source.read_text(encoding="utf-8")))
    owner = import_module(f"dedup.kernel.{module}")
    for name in names.split():
        assert int(written[name].rstrip("ul"), 0) == getattr(owner, name), name


def test_both_kernels_have_the_same_functions_with_the_same_signatures(native: ModuleType) -> None:
    def signatures(kernel: ModuleType) -> dict[str, inspect.Signature]:
        found = {name: getattr(kernel, name) for name in set(interface.__all__) - {"name"}}
        methods = {
            f"Tokeniser.{name}": method
            for name, method in vars(found["Tokeniser"]).items()
            if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_"))
        }
        return {name: inspect.signature(function) for name, function in (found | methods).items()}

    assert signatures(native) == signatures(reference)
    public = {
        name
        for name, value in vars(native).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == native.__name__
    }
    assert public == set(interface.__all__) - {"name", "Tokeniser"}


def long_copies(seed: int) -> Corpus:
    """Four texts of thousands of tokens that are copies of one, edited, moved about and repeated."""
    dice = random.Random(seed)
    words = vocabulary(400, True)

    def copy(document: list[int], percent: int) -> list[int]:
        return [word if dice.randrange(100) >= percent else dice.choice(words) for word in document]

    base = [dice.choice(words) for _ in range(5_000)]
    moved = copy(base[2_000:], 4) + copy(base[:2_000], 4)
    doubled = copy(base[:2_500], 2) + [dice.choice(words) for _ in range(100)] + copy(base[:2_500], 2)
    return corpus([doubled, base + base[:40], moved, copy(base, 3)])


@pytest.mark.parametrize("seed", range(2))
def test_passages_too_long_to_be_aligned_whole(native: ModuleType, seed: int) -> None:
    texts = long_copies(seed)
    index = agreed(native, "seed_index", *texts, np.zeros(len(texts.tokens), bool), 20)
    rows = agreed(native, "passages", *texts, np.full(4, -1, "i4"), index, 0.7, 96)
    lengths = rows[:, 2] - rows[:, 1]
    assert rows[lengths > extents.WHOLE][:, [0, 3]].tolist() == [[1, 3]]
    assert {(a, b) for a, b in rows[lengths > 1_900][:, [0, 3]].tolist()} >= {
        (0, 0),
        (0, 1),
        (1, 2),
        (1, 3),
        (2, 3),
    }


TOKENS = st.lists(st.integers(1, 5), max_size=40) | st.binary(max_size=150).map(lambda b: [x % 40 for x in b])


@examples(100)
@given(a=TOKENS, b=TOKENS)
def test_lcs_is_that_of_the_textbook_and_of_rapidfuzz(native: ModuleType, a: list[int], b: list[int]) -> None:
    tokens = np.array(a + b, "u4")
    spans = np.array([[0, len(a), len(a), len(a) + len(b)], [len(a), len(a) + len(b), 0, len(a)]], "i8")
    found = agreed(native, "common", tokens, spans).tolist()
    assert found == [naive.lcs(a, b)] * 2 == [LCSseq.similarity(a, b)] * 2


@examples(200)
@given(
    a=st.lists(st.integers(0, 3), max_size=40),
    b=st.lists(st.integers(0, 3), max_size=40),
    shared=st.lists(st.integers(0, 3), max_size=25),
    costs=st.sampled_from([extents.ORDINARY, extents.STRICT]),
)
def test_an_extension_is_the_best_cell_of_the_band(
    a: list[int], b: list[int], shared: list[int], costs: extents.Costs
) -> None:
    found = extents.extend(shared + a, shared + b, costs)
    assert found == naive.extension(shared + a, shared + b, costs, extents.BAND, extents.X_DROP)


# ---- threads ---------------------------------------------------------------------------------------------------


def large(count: int, length: int) -> Corpus:
    """So many tokens that threads have parts to share; a third of the documents are near copies."""
    dice = np.random.default_rng(7)
    words = np.array(vocabulary(30_000, True), "u4")
    documents = [words[(dice.zipf(1.3, length) - 1) % len(words)] for _ in range(count)]
    for i in range(0, count, 3):
        documents[i] = np.where(dice.random(length) < 0.05, documents[i], documents[i - 1])
    return Corpus(np.concatenate(documents), np.arange(0, count * length + 1, length))


def test_threads_that_share_the_work_change_nothing(native: ModuleType) -> None:
    texts = large(300, 2_000)
    nothing = np.zeros(len(texts.tokens), bool)
    families = np.full(texts.count, -1, "i4")
    index = native.seed_index(*texts, nothing, 20, jobs=1)
    same(native.seed_index(*texts, nothing, 20, jobs=4), index)
    pairs = np.array([(a, b) for a in range(298) for b in (a + 1, 299)])  # one of them a copy of all
    _, sketches = native.sign(*texts, 5, *permutations(1, 1), 8)
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("shingles", (5,)),
        ("sign", (5, *permutations(64, 1), 8)),
        ("overlaps", (5, pairs)),
        ("explained", (5, pairs)),
        ("contained_pairs", (sketches, families < 0, ContainedParameters(5, 12))),
        ("sampled", (5, pairs, 32)),
        ("places", (3, native.shingles(*texts, 3)[0][:1000])),
        ("periods", (96,)),
        ("passages", (families, index, 0.7, 96)),
    ]
    for name, arguments in calls:
        kernel = getattr(native, name)
        same(kernel(*texts, *arguments, jobs=4), kernel(*texts, *arguments, jobs=1))
