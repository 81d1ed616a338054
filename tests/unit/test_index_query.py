"""What an index answers: archived copies by name, with the figures of a scan; estimates where it holds no texts."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dedup import Report, Settings, kernel, scan
from dedup.errors import SettingsError
from dedup.index import Memory, Shape, Snapshot, add, compact, create, keys, remove, snapshot
from dedup.model import Document, Source
from dedup.text import version
from tests.indexing import answer, documents, in_json, index_of, report_of
from tests.unit.prose import Prose

PROSE = Prose()


def members(report: Report) -> list[list[tuple[str, bool]]]:
    """Of each cluster the members: their ids, and whether they are archived."""
    clusters = [*report.document_clusters, *report.passage_clusters]
    return [[(m.document, m.source.archived is not None) for m in c.members] for c in clusters]


SHARED = PROSE.words(12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index in which one text holds the shortest passage that is found."""
    items = [Document("host", PROSE.round(SHARED)), *documents(PROSE.words(100) for _ in range(9))]
    return index_of(tmp_path_factory.mktemp("one") / "ix", items)


class TestWithTexts:
    def test_copies_name_the_archived_one_first(self, tmp_path: Path) -> None:
        text = PROSE.words(100)
        near = PROSE.exchanged(text, [50])
        index_of(tmp_path / "ix", [Document("old", text, Source("a.jsonl", 7, 90))])
        report = report_of(tmp_path / "ix", [Document("new", near), Document("other", PROSE.words(50))])
        (cluster,) = report.document_clusters
        assert members(report)[0] == [("old", True), ("new", False)]
        assert (cluster.kind, cluster.kept) == ("near", "old")
        assert cluster.members[0].source == Source("a.jsonl", 7, 90, version(text).hex())
        (whole,) = scan([("old", text), ("new", near)]).document_clusters
        figures = [(m.jaccard, m.containment) for m in cluster.members]
        assert figures == [(m.jaccard, m.containment) for m in whole.members]
        assert report.estimates is None

    def test_a_passage_is_found_to_the_letter(self, tmp_path: Path) -> None:
        shared = PROSE.words(20)
        old, new = PROSE.round(shared), PROSE.round(shared)
        index_of(tmp_path / "ix", [Document("old", old), *documents(PROSE.words(100) for _ in range(20))])
        report = report_of(tmp_path / "ix", [Document("new", new)])
        (cluster,) = report.passage_clusters
        assert [(m.document, m.text, m.similarity) for m in cluster.members] == [
            ("old", shared, None), ("new", shared, 1.0),
        ]  # fmt: skip
        assert (cluster.members[0].start, cluster.members[1].start) == (old.index(shared), new.index(shared))
        assert report.summary.repeated_tokens == 20
        assert report.document_clusters == ()

    def test_what_holds_an_archived_text_and_what_lies_in_one(self, tmp_path: Path) -> None:
        long, short = PROSE.words(400), PROSE.words(60)
        inner = " ".join(long.split()[100:170])
        index_of(tmp_path / "ix", [Document("long", long), Document("short", short)])
        report = report_of(
            tmp_path / "ix", [Document("inner", inner), Document("outer", PROSE.round(short, 200, 200))]
        )
        found = {(c.kind, *(m.document for m in c.members)) for c in report.document_clusters}
        assert ("contained", "long", "inner") in found
        assert {name for _, *names in found for name in names} == {"long", "inner", "short", "outer"}

    def test_an_archived_text_is_looked_for_in_longer_ones_though_a_new_one_is_near_it(
        self, tmp_path: Path
    ) -> None:
        text = PROSE.words(80)
        longer = f"{text} and some more"
        index_of(tmp_path / "ix", [Document("old", text)])
        report = report_of(
            tmp_path / "ix", [Document("near", longer), Document("outer", PROSE.round(longer, 200, 200))]
        )
        found = {(c.kind, *(m.document for m in c.members)) for c in report.document_clusters}
        assert found == {("near", "old", "near"), ("contained", "outer", "old")}

    def test_alone_or_with_copies_among_the_new_ones(self, tmp_path: Path) -> None:
        text, other, third = (PROSE.words(60) for _ in range(3))
        index_of(tmp_path / "ix", [Document("old", text), Document("old too", text), Document("far", third)])
        new = [
            Document("a", text), Document("b", text), Document("c", other), Document("d", other),
        ]  # fmt: skip
        alone = report_of(tmp_path / "ix", new)
        assert members(alone) == [[("old", True), ("old too", True), ("a", False), ("b", False)]]
        assert alone.summary.duplicate_documents == 2
        both = report_of(tmp_path / "ix", new, alone=False)
        assert members(both) == [*members(alone), [("c", False), ("d", False)]]
        assert both.summary.duplicate_documents == 3

    @pytest.mark.parametrize("alone", [True, False])
    def test_what_lies_in_an_archived_text_is_told_though_a_longer_new_one_holds_both(
        self, tmp_path: Path, alone: bool
    ) -> None:
        old = PROSE.words(60)
        index_of(tmp_path / "ix", [Document("old", old)])
        new = [Document("longer", f"{old} {PROSE.words(60)}"), Document("part", " ".join(old.split()[10:40]))]
        report = report_of(tmp_path / "ix", new, alone=alone)
        found = {(c.kind, *(m.document for m in c.members)) for c in report.document_clusters}
        assert found == {("contained", "longer", "old"), ("contained", "old", "part")}

    @pytest.mark.parametrize("alone", [True, False])
    def test_what_lies_in_an_archived_text_and_in_a_longer_new_one_is_told_with_the_archived(
        self, tmp_path: Path, alone: bool
    ) -> None:
        """And an archived text that lies in an archived and in a new one with the new one."""
        part, short = PROSE.words(30), PROSE.words(30)
        old = [
            Document("old", PROSE.round(part, 20, 20)), Document("short", short),
            Document("long", PROSE.round(short, 300, 300)),
        ]  # fmt: skip
        index_of(tmp_path / "ix", old)
        new = [
            Document("part", part), Document("longer", PROSE.round(part, 200, 200)),
            Document("holds", PROSE.round(short, 100, 100)),
        ]  # fmt: skip
        report = report_of(tmp_path / "ix", new, alone=alone)
        found = {(c.kind, *(m.document for m in c.members)) for c in report.document_clusters}
        assert found == {("contained", "holds", "short"), ("contained", "old", "part")}

    @pytest.mark.parametrize("passages", [True, False])
    def test_all_new_texts_that_hold_an_archived_one_are_told(self, tmp_path: Path, passages: bool) -> None:
        old = PROSE.words(100)
        like = f"{PROSE.exchanged(old, [20, 50, 80])} more"
        index_of(tmp_path / "ix", [Document("old", old)])
        new = [Document("like", like), Document("longer", f"{like} {PROSE.words(60)}")]
        found = members(report_of(tmp_path / "ix", new, passages=passages))
        assert sorted(found) == [[("like", False), ("old", True)], [("longer", False), ("old", True)]]

    @pytest.mark.parametrize("alone", [True, False])
    def test_of_a_crowd_of_new_texts_none_is_lost(self, tmp_path: Path, alone: bool) -> None:
        """More than 16 that are near to each other, and more than 64 that hold one text; and some that are equal."""
        near, held = PROSE.words(200), PROSE.words(80)
        index_of(tmp_path / "ix", [Document("near", near), Document("held", held)])
        like = [f"{PROSE.exchanged(near, [i, i + 60])}{' more' * (i % 5)}" for i in range(60)]
        round_it = [PROSE.round(held, 60 + i, 60) for i in range(80)]
        new = documents([*like, *round_it, *round_it[:2]])
        report = report_of(tmp_path / "ix", new, alone=alone, passages=False)
        with_archived = [names for names in members(report) if any(archived for _, archived in names)]
        told = {name for names in with_archived for name, archived in names if not archived}
        assert told == {document.id for document in new}

    def test_a_new_text_is_told_with_the_archived_one_that_it_holds_though_that_is_a_copy(
        self, tmp_path: Path
    ) -> None:
        """Of a longer archived text, which the new one does not hold."""
        short = PROSE.words(100)
        index_of(tmp_path / "ix", [Document("long", f"{short} {PROSE.words(24)}"), Document("short", short)])
        new = f"{PROSE.words(150)} {' '.join(short.split()[:82])}"
        report = report_of(tmp_path / "ix", [Document("new", new)], passages=False)
        assert members(report) == [[("new", False), ("short", True)]]

    def test_clusters_of_texts_with_the_same_words_have_ids_of_their_own(self, tmp_path: Path) -> None:
        old = PROSE.words(100)
        index_of(tmp_path / "ix", documents([old, old.upper()]))
        report = report_of(tmp_path / "ix", [Document("new", " ".join(old.split()[20:40]))])
        first, second = report.document_clusters
        assert {first.kept, second.kept} == {"d0", "d1"}
        assert second.id == f"{first.id}-2"

    def test_what_is_told_of_a_text_does_not_hang_on_a_new_one_that_it_is_near_to(
        self, tmp_path: Path
    ) -> None:
        old = PROSE.words(100)
        part = PROSE.exchanged(" ".join(old.split()[:80]), [40])
        index_of(tmp_path / "ix", [Document("old", old)])
        new = [Document("part", part), Document("longer", f"{part} {PROSE.words(15)}")]
        for texts in (new, new[:1]):
            report = report_of(tmp_path / "ix", texts, passages=False)
            assert members(report) == [[("old", True), ("part", False)]]

    def test_all_versions_and_nothing_that_is_removed_or_pending(self, tmp_path: Path) -> None:
        text = PROSE.words(60)
        folder = index_of(
            tmp_path / "ix", [Document("a", text), Document("a", f"{text} more"), Document("b", text)]
        )
        add(folder, [Document("c", text)], run="r")
        found = report_of(folder, [Document("new", text)])
        assert sorted(members(found)[0]) == [("a", True), ("a", True), ("b", True), ("new", False)]
        remove(folder, [f"a@{version(text).hex()}"])
        found = report_of(folder, [Document("new", text)])
        assert sorted(members(found)[0]) == [("a", True), ("b", True), ("new", False)]
        remove(folder, ["a", "b"])
        assert members(report_of(folder, [Document("new", text)])) == []

    @pytest.mark.parametrize("text", ["", "..", "one", "one two", "one two three", "漢"])
    def test_short_and_empty_texts(self, tmp_path: Path, text: str) -> None:
        index_of(tmp_path / "ix", [Document("old", text), Document("empty", "")])
        report = report_of(tmp_path / "ix", [Document("new", text), Document("empty", "")])
        is_empty = text in ("", "..")
        assert members(report) == ([] if is_empty else [[("old", True), ("new", False)]])
        assert report.summary.empty == 1 + is_empty
        assert report.summary.documents == 2

    def test_copies_among_archived_ones_are_no_findings(self, tmp_path: Path) -> None:
        shared = PROSE.words(20)
        old = PROSE.round(shared)
        index_of(tmp_path / "ix", [Document("a", old), Document("b", f"{old} more")])
        report = report_of(tmp_path / "ix", [Document("new", PROSE.round(shared))], alone=False)
        assert report.document_clusters == ()
        assert [sorted(names) for names in members(report)] == [[("a", True), ("b", True), ("new", False)]]

    def test_a_copy_of_an_archived_copy(self, tmp_path: Path) -> None:
        """Which is led by another archived text, that the new one is not near to."""
        first = PROSE.words(201)
        second = PROSE.exchanged(" ".join(first.split()[:200]), [20, 40, 60, 80])
        new = PROSE.exchanged(f"{second} and two more", [100, 120, 140, 160])
        index_of(tmp_path / "ix", [Document("first", first), Document("second", second)])
        report = report_of(tmp_path / "ix", [Document("new", new)], passages=False)
        assert [("second", True), ("first", True), ("new", False)] in members(report)
        assert report.summary.duplicate_documents == 1

    def test_short_texts_inside_archived_ones_are_found_without_passages(self, tmp_path: Path) -> None:
        """By their runs of words, which the index holds; and where it does not, there is something to tell."""
        texts = [PROSE.words(300) for _ in range(20)]
        new = documents([" ".join(text.split()[100:114]) for text in texts], "n")
        chosen = Settings(passages=False)
        for passages in (True, False):
            index_of(tmp_path / f"ix{passages}", documents(texts), passages=passages)
        report = report_of(tmp_path / "ixTrue", new, passages=False)
        assert [cluster.kind for cluster in report.document_clusters] == ["contained"] * 20
        assert Memory(Snapshot.of(tmp_path / "ixTrue"), chosen).caveat is None
        assert len(report_of(tmp_path / "ixFalse", new, passages=False).document_clusters) < 20
        assert "only a sample" in str(Memory(Snapshot.of(tmp_path / "ixFalse"), chosen).caveat)

    @pytest.mark.parametrize("before", range(5, 60, 7))
    @pytest.mark.parametrize("after", [0, 1, 11, 40])
    def test_a_passage_anywhere_in_a_new_text(self, folder: Path, before: int, after: int) -> None:
        text = PROSE.round(SHARED, before, after)
        (cluster,) = report_of(folder, [Document("new", text)]).passage_clusters
        assert [(m.document, m.text) for m in cluster.members] == [("host", SHARED), ("new", SHARED)]

    @pytest.mark.parametrize("alone", [True, False])
    def test_periodic_text_that_is_archived(self, tmp_path: Path, alone: bool) -> None:
        """What repeats in a new text alone is a matter of a scan."""
        one, other = (f"{PROSE.words(5)} " * 12 for _ in range(2))
        index_of(tmp_path / "ix", [Document("old", f"{PROSE.words(30)} {one}{PROSE.words(30)}")])
        new = f"{PROSE.words(40)} {one}{PROSE.words(40)} {other}{PROSE.words(40)}"
        report = report_of(tmp_path / "ix", [Document("new", new)], alone=alone)
        found = [[("old", True), ("new", False)]]
        assert members(report) == found if alone else [*found, [("new", False)]]
        assert report.summary.repeated_tokens == 55 * (1 if alone else 2)

    def test_nothing_asked_and_nothing_there(self, tmp_path: Path) -> None:
        for text in (True, False):
            folder = index_of(tmp_path / f"none{text}", [], text=text)
            assert members(report_of(folder, documents([PROSE.words(30)]))) == []
            assert report_of(folder, []).summary.documents == 0
        folder = index_of(tmp_path / "ix", documents([PROSE.words(30)]))
        assert members(report_of(folder, [])) == []

    def test_settings_of_another_index(self, tmp_path: Path) -> None:
        folder = index_of(tmp_path / "ix", documents(["one"]), passages=False)
        with pytest.raises(SettingsError, match="ix: was built without passages; give --no-passages"):
            Memory(Snapshot.of(folder), Settings())
        with pytest.raises(SettingsError, match="ix: was built with --ngram 5, not 3; use the same"):
            Memory(Snapshot.of(folder), Settings(ngram=3, passages=False))


class TestOften:
    """Keys that more documents hold than are looked at."""

    def test_of_a_thousand_copies_so_many_are_named_the_same_ones_always(self, tmp_path: Path) -> None:
        text = PROSE.words(40)
        items = [Document(f"d{i}", text) for i in range(1000)]
        index_of(tmp_path / "one", items)
        create(tmp_path / "many", Shape(text=True))
        dice = random.Random(1)
        dice.shuffle(items)
        for start in range(0, 1000, 170):
            add(tmp_path / "many", items[start : start + 170])
        new = [Document("new", text)]
        found = members(report_of(tmp_path / "one", new))
        assert len(found[0]) == snapshot.LIMIT + 1
        assert answer(tmp_path / "one", new) == answer(tmp_path / "many", new)
        for folder in (tmp_path / "one", tmp_path / "many"):
            remove(folder, [name for name, _ in found[0][:40]])
        assert len(members(report_of(tmp_path / "one", new))[0]) == snapshot.LIMIT + 1
        assert answer(tmp_path / "one", new) == answer(tmp_path / "many", new)
        compact(tmp_path / "many")
        assert answer(tmp_path / "one", new) == answer(tmp_path / "many", new)

    def test_a_key_is_held_by_many_however_they_lie(self, tmp_path: Path) -> None:
        """Five runs of three words that two texts share are enough, unless all texts hold them."""
        often, seldom = PROSE.words(7), PROSE.words(7)
        items = [Document(f"d{i}", PROSE.round(often)) for i in range(snapshot.LIMIT + 1)]
        items.append(Document("one", PROSE.round(seldom)))
        asked = kernel.tokenise([PROSE.round(often), PROSE.round(seldom)])
        index_of(tmp_path / "one", items)
        create(tmp_path / "many", Shape(text=True))
        for start in range(0, len(items), 22):
            add(tmp_path / "many", items[start : start + 22])
        for name in ("one", "many"):
            found = Memory(Snapshot.of(tmp_path / name), Settings()).near(asked.hashes, asked.offsets)
            assert [document.id for document in found.documents] == ["one"]
            assert found.pairs.tolist() == [[1, 0]]

    def test_words_that_all_share_hide_nothing(self, tmp_path: Path) -> None:
        """A notice of 30 words in 200 texts; one of these holds a passage, another is copied."""
        notice, shared = PROSE.words(30), PROSE.words(20)
        items = documents(f"{PROSE.words(60)} {notice}" for _ in range(200))
        items.append(Document("passage", f"{PROSE.round(shared)} {notice}"))
        index_of(tmp_path / "ix", items)
        report = report_of(
            tmp_path / "ix",
            [Document("new", f"{PROSE.round(shared)} {notice}"), Document("copy", items[123].text)],
        )
        assert [("d123", True), ("copy", False)] in members(report)
        assert any({m.document for m in c.members} >= {"passage", "new"} for c in report.passage_clusters)


class TestWithoutTexts:
    def test_the_same_text_a_near_copy_and_a_passage(self, tmp_path: Path) -> None:
        text, shared = PROSE.words(200), PROSE.words(40)
        near = PROSE.exchanged(text, [20, 120])
        index_of(
            tmp_path / "ix",
            [Document("old", text, Source("a", 1)), Document("host", PROSE.round(shared))],
            text=False,
        )
        new = [
            Document("same", text), Document("near", near), Document("guest", PROSE.round(shared)),
            Document("other", PROSE.words(100)),
        ]  # fmt: skip
        report = report_of(tmp_path / "ix", new)
        assert members(report) == []
        assert report.estimates is not None
        found = {(e.document, e.archived): e for e in report.estimates}
        assert list(found) == [("same", "old"), ("near", "old"), ("guest", "host")]
        same, near_one, guest = found.values()
        assert (same.identical, same.estimated_jaccard) == (True, 1.0)
        assert same.archived_source == Source("a", 1, None, version(text).hex())
        assert not near_one.identical
        (exact,) = scan([("a", text), ("b", near)]).document_clusters
        assert near_one.estimated_jaccard == pytest.approx(exact.members[1].jaccard, abs=0.12)
        assert (guest.identical, guest.estimated_jaccard) == (False, None)
        assert guest.estimated_start is not None
        told = new[2].text[guest.estimated_start : guest.estimated_end]
        assert shared in told
        assert len(told.split()) <= len(shared.split()) + 2 * keys.WINDOW

    def test_copies_among_the_new_ones_are_exact(self, tmp_path: Path) -> None:
        text = PROSE.words(50)
        folder = index_of(tmp_path / "ix", [Document("old", text)], text=False)
        new = [Document("a", text), Document("b", text)]
        both = report_of(folder, new, alone=False)
        assert members(both) == [[("a", False), ("b", False)]]
        assert [(e.document, e.archived) for e in both.estimates or ()] == [("a", "old"), ("b", "old")]
        alone = report_of(folder, new)
        assert members(alone) == []
        assert alone.estimates == both.estimates

    def test_estimates_are_near_the_truth(self, tmp_path: Path) -> None:
        """Within four standard errors, and for copies by other words below the threshold."""
        texts = [PROSE.words(150) for _ in range(40)]
        new = [
            PROSE.edited(text, share)
            for text, share in zip(texts, [0.005, 0.01, 0.02, 0.03] * 10, strict=True)
        ]
        folder = index_of(tmp_path / "ix", documents(texts), text=False)
        estimates = report_of(folder, documents(new, "n"), threshold=0.5).estimates or ()
        exact = scan(
            [*((f"d{i}", t) for i, t in enumerate(texts)), *((f"n{i}", t) for i, t in enumerate(new))],
            threshold=0.4,
        )
        truth = {c.members[1].document[1:]: c.members[1].jaccard for c in exact.document_clusters}
        told = [
            (e.estimated_jaccard, truth[e.archived[1:]]) for e in estimates if e.estimated_jaccard is not None
        ]
        assert len(told) > 35
        for guess, true in told:
            assert guess == pytest.approx(true, abs=4 * 0.5 * 16 / 15 / np.sqrt(128))
        assert np.mean([guess - true for guess, true in told]) == pytest.approx(0, abs=0.03)

    def test_distant_texts_are_not_estimated_too_near(self, tmp_path: Path) -> None:
        """Four bits of two minima are the same by chance once in sixteen times."""
        prose = Prose(1)
        texts = [prose.words(300) for _ in range(30)]
        new = [prose.exchanged(text, range(5, 300, 15)) for text in texts]
        folder = index_of(tmp_path / "ix", documents(texts), text=False)
        estimates = report_of(folder, documents(new, "n"), threshold=0.2, passages=False).estimates or ()
        told = [e.estimated_jaccard for e in estimates]
        assert len(told) == 30
        (exact,) = scan([("a", texts[0]), ("b", new[0])], threshold=0.2, passages=False).document_clusters
        assert np.mean(told) == pytest.approx(exact.members[1].jaccard, abs=0.02)


def test_every_run_of_tokens_lies_in_a_window() -> None:
    lengths = [1, 23, 24, 25, 47, 48, 49, 71, 72, 73, 200]
    offsets = np.cumsum([0, *lengths])
    tokens = np.arange(offsets[-1], dtype="u4")
    words, bounds, owners, starts = keys.windows(tokens, offsets)
    windows = [set(words[a:b].tolist()) for a, b in pairwise(bounds.tolist())]
    for number, (first, last) in enumerate(pairwise(offsets.tolist())):
        for start in range(first, max(last - keys.STEP, first) + 1):
            run = set(range(start, min(start + keys.WINDOW - keys.STEP, last)))
            assert any(run <= window for window in windows), (number, start - first)
    for window, owner, start in zip(windows, owners.tolist(), starts.tolist(), strict=True):
        assert min(window) == offsets[owner] + start
        assert len(window) <= keys.WINDOW
        assert max(window) < offsets[owner + 1]


@pytest.mark.parametrize("text", [True, False])
def test_threads_change_nothing(tmp_path: Path, text: bool) -> None:
    texts = [PROSE.words(100) for _ in range(50)]
    folder = index_of(tmp_path / "ix", documents(texts), text=text)
    new = documents(
        [PROSE.exchanged(one, [3]) for one in texts[:20]] + [PROSE.round(one[:200]) for one in texts[20:]],
        "n",
    )
    assert answer(folder, new, jobs=1) == answer(folder, new, jobs=4)
    assert len(members(report_of(folder, new))) >= (40 if text else 0)


def test_many_new_documents_are_looked_up_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dedup.index import candidates

    texts = [PROSE.words(100) for _ in range(30)]
    for text in (True, False):
        folder = index_of(tmp_path / f"ix{text}", documents(texts), text=text)
        new = documents([PROSE.round(one[:200]) for one in texts], "n")
        whole = in_json(report_of(folder, new))
        with monkeypatch.context() as patched:
            patched.setattr(candidates, "_TOKENS", 150)
            assert in_json(report_of(folder, new)) == whole
