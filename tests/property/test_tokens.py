"""Any text at all: both kernels find the same tokens, and a third, naive tokeniser finds them equal where they are.

The hashes are the kernels' own business; that two tokens have one hash exactly if they have one naive form is not.
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.kernel import reference
from tests import naive

MARKS = "\u0345\u0300\u0301\u0308\u0323\u0327\u05b4\u05bc\u064b\u0651\u093c\u094d\u0e48\u0e49\u17d2\u3099\u309a\u20dd"
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u200b\u200c\u200d\u200f\u2060\ufe0f\ufeff\uffa0\U000e0101\U000e0041"
)
JAMO = "\u1100\u1112\u1161\u1175\u11a8\u11c2가각힣ㄱㅏ\uffa1\uffc2"
CHANGING = "ﬁﬀﬃßẞİıſÅÅKΩµΣσς𝐀ℌ①½ǅﷺｶﾞﾟガハパＡ７Ⅷ"
LETTERS = "ำຳາᾳᾴάαaAzéÉyжЖאبकதกลມកက中々〇〆あア𠀀한"
BETWEEN = " \n\t\x00-'’ʼ‐‑–.,·_😀👍🏽\ud800\udfff\U0001f1e6\U0010ffff"

ALPHABET = st.sampled_from(MARKS + INVISIBLE + JAMO + CHANGING + LETTERS + BETWEEN)
ANYTHING = st.characters(exclude_categories=())
TEXTS = st.lists(st.text(ALPHABET, max_size=30) | st.text(ANYTHING, max_size=12), max_size=6)


def one_to_one(hashes: list[int], forms: list[tuple[str, bool]]) -> bool:
    """Whether equal forms have equal hashes, and others have others."""
    return len(set(zip(hashes, forms, strict=True))) == len(set(hashes)) == len(set(forms))


@settings(deadline=None, max_examples=400)
@given(texts=TEXTS)
@example(texts=["q\u0307\u0323", "q\u0323\u0307", "e\u0301", "é"])
@example(texts=["\ud800a", "a\udc00", "\x00", "\u0301", ""])
def test_both_kernels_and_the_naive_tokeniser_agree(native: ModuleType, texts: list[str]) -> None:
    found, wanted = native.tokenise(texts, spans=True, jobs=1), reference.tokenise(texts, spans=True)
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    expected = [naive.tokens(text) for text in texts]
    assert np.diff(found.offsets).tolist() == [len(tokens) for tokens in expected]
    flat = [token for tokens in expected for token in tokens]
    assert found.starts.tolist() == [token.start for token in flat]
    assert found.ends.tolist() == [token.end for token in flat]
    assert (found.hashes & 1).tolist() == [token.character for token in flat]
    assert one_to_one(found.hashes.tolist(), [(token.form, token.character) for token in flat])


@settings(deadline=None, max_examples=150)
@given(text=st.text(ALPHABET, max_size=60))
def test_spans_are_in_order_and_apart_and_hold_what_begins_with_a_letter(
    native: ModuleType, text: str
) -> None:
    tokens = native.tokenise([text], spans=True, jobs=1)
    ends = [0, *tokens.ends.tolist()]
    for before, start, end in zip(ends, tokens.starts.tolist(), ends[1:], strict=False):
        assert before <= start < end <= len(text)
        assert unicodedata.category(text[start])[0] in "LN"


@settings(deadline=None, max_examples=100)
@given(texts=st.lists(st.text(ALPHABET, max_size=20), min_size=1, max_size=5))
def test_a_text_gives_the_same_tokens_alone_and_among_others(native: ModuleType, texts: list[str]) -> None:
    together = native.tokenise(texts, jobs=2)
    alone = [native.tokenise([text], jobs=1).hashes.tolist() for text in texts]
    assert [part.tolist() for part in np.split(together.hashes, together.offsets[1:-1])] == alone


@settings(deadline=None, max_examples=150)
@given(text=st.text(ALPHABET, max_size=40), form=st.sampled_from(["NFC", "NFD"]))
def test_canonically_equivalent_texts_have_the_same_tokens(native: ModuleType, text: str, form: str) -> None:
    other = unicodedata.normalize(form, text)
    assert native.tokenise([text]).hashes.tolist() == native.tokenise([other]).hashes.tolist()


def long_texts() -> list[str]:
    """Texts that reach past what the native kernel looks at in one go, cut at every kind of place."""
    sizes = (63, 64, 65, 4095, 4096, 4097, 8192, 9000)
    plain = [("word " * size)[:size] for size in sizes]
    unbroken = (
        ["x" * size for size in sizes] + ["好" * size for size in sizes] + ["é" * size for size in sizes]
    )
    shifted = ["." * (4096 - back) + "harbour, été — l’an 2026" for back in range(12)]
    lengths = [" ".join("abcdefghijklmnopqrstuvwxyz"[:n] for n in range(1, 27)) * 20]
    return [*plain, *unbroken, *shifted, *lengths]


@pytest.mark.parametrize("wide", ["", "ā", "𝄞"], ids=["1 byte", "2 bytes", "4 bytes"])
def test_long_texts_are_cut_as_short_ones_are(native: ModuleType, wide: str) -> None:
    texts = [f"{text} {wide}" for text in long_texts()]
    for mine, theirs in zip(native.tokenise(texts, True), reference.tokenise(texts, True), strict=True):
        assert mine.tolist() == theirs.tolist()


@settings(deadline=None, max_examples=60)
@given(lots=st.lists(TEXTS, max_size=4), jobs=st.integers(1, 3), rolls=st.randoms(use_true_random=False))
def test_texts_may_come_in_lots(native: ModuleType, lots: list[list[str]], jobs: int, rolls: Random) -> None:
    mine, theirs = native.Tokeniser(True, jobs), reference.Tokeniser(True)
    for lot in lots:
        mine.add(list(lot))  # the list is gone before its texts are read
        theirs.add(lot)
    for found, wanted in zip(mine.finish(), theirs.finish(), strict=True):
        assert (found.dtype, found.tolist()) == (wanted.dtype, wanted.tolist())
    count = sum(map(len, lots))
    order = np.array(rolls.sample(range(count), rolls.randint(0, count)), "i8")
    for found, wanted in zip(mine.tokens(order), theirs.tokens(order), strict=True):
        assert (found.dtype, found.tolist()) == (wanted.dtype, wanted.tolist())


def test_texts_are_let_go_of_once_they_are_read(native: ModuleType) -> None:
    class Text(str):
        """A string that tells when it goes."""

        def __del__(self) -> None:
            gone.append(len(self))

    gone: list[int] = []
    tokeniser = native.Tokeniser(jobs=2)
    for i in range(300):
        tokeniser.add([Text(f"word{i} " * 5000)])
    tokeniser.finish()
    assert len(gone) == 300


@pytest.mark.parametrize("lot", [iter, tuple, lambda texts: (text for text in texts)])
def test_a_lot_may_be_anything_that_gives_texts(native: ModuleType, lot: Callable[..., Any]) -> None:
    for kernel in (native, reference):
        tokeniser = kernel.Tokeniser()
        tokeniser.add(lot(["one two", "three"]))
        assert tokeniser.finish()[0].tolist() == [2, 1]


def threads() -> int:
    """How many this process has."""
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("this system does not tell")
    return len(os.listdir("/proc/self/task"))


def threads_are_gone(before: int) -> bool:
    """Whether there are no more than before; the system may show a thread for a moment after it was joined."""
    until = time.monotonic() + 10
    while threads() > before and time.monotonic() < until:
        time.sleep(0.01)
    return threads() <= before


def test_a_tokeniser_that_is_dropped_ends_its_threads(native: ModuleType) -> None:
    before = threads()
    for _ in range(20):
        tokeniser = native.Tokeniser(jobs=4)
        tokeniser.add(["some words, some more " * 20_000] * 10)
        del tokeniser
    assert threads_are_gone(before)


@settings(deadline=None, max_examples=100)
@given(texts=TEXTS, rolls=st.randoms(use_true_random=False))
def test_spans_of_tokens_are_found_in_their_text(native: ModuleType, texts: list[str], rolls: Random) -> None:
    asked: list[list[tuple[int, int]]] = []
    wanted = []
    for text in texts:
        tokens = naive.tokens(text)
        pairs = [sorted(rolls.choices(range(len(tokens)), k=2)) for _ in range(3 if tokens else 0)]
        asked.append([(first, last + 1) for first, last in pairs])
        for first, last in pairs:
            start, end = tokens[first].start, tokens[last].end
            lines = text[:start].count("\n"), text[: end - 1].count("\n")
            wanted.append([start, end, lines[0] + 1, lines[1] + 1])
    bounds = np.cumsum([0, *map(len, asked)])
    spans = np.array([span for text in asked for span in text], "i8").reshape(-1, 2)
    for jobs in (1, 2):
        assert native.locate(texts, bounds, spans, jobs).tolist() == wanted
    assert reference.locate(texts, bounds, spans).tolist() == wanted


def test_misuse_of_a_tokeniser_is_refused(native: ModuleType) -> None:
    for kernel in (native, reference):
        tokeniser = kernel.Tokeniser()
        with pytest.raises(TypeError, match="text 1 is int, expected str"):
            tokeniser.add(["one", 2])
        tokeniser.add(["one two", "three"])
        with pytest.raises(ValueError, match="has not been called"):
            tokeniser.tokens(np.array([0]))
        assert tokeniser.finish()[0].tolist() == [2, 1]
        for order in ([-1], [2]):
            with pytest.raises(IndexError):
                tokeniser.tokens(np.array(order))
        with pytest.raises(ValueError, match="no text may come"):
            tokeniser.add(["four"])
        for span in ([0, 0], [0, 3], [-1, 1]):
            with pytest.raises(IndexError):
                kernel.locate(["one two"], np.array([0, 1]), np.array([span]))


def test_threads_are_started_as_there_is_work(native: ModuleType) -> None:
    before = threads()
    tokeniser = native.Tokeniser(jobs=4096)
    tokeniser.add(["a few words"])
    assert threads() <= before + 1
    tokeniser.finish()
    assert threads_are_gone(before)
