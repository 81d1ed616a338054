"""The gate: of all that repeats, what is new, and where it was added."""

from __future__ import annotations

from pathlib import Path

import pytest

from dedup.gate.words import WINDOW, decoded, encoded, is_encoded, size, words
from tests.gating import Corpus, Edited, page, places, prose, wrapped

SHARED = prose(1)
OTHER = prose(2)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Two files that share a paragraph, which is accepted, and one that stands alone."""
    corpus = Corpus(tmp_path)
    corpus.write(
        a_md=page(prose(10), SHARED, prose(11)),
        b_md=page(prose(20), prose(21), SHARED),
        c_md=page(prose(30), OTHER, prose(31)),
    )
    corpus.accept()
    return corpus


def test_what_is_accepted_is_known(corpus: Corpus) -> None:
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict) == []
    assert places(verdict, "known") == ["a.md:3-3", "b.md:5-5"]
    assert verdict.stale == ()


def test_a_copy_is_new_where_it_was_added(corpus: Corpus) -> None:
    corpus.write(d_md=page(prose(40), OTHER))
    verdict = corpus.check()
    assert not verdict.gate.passed
    assert places(verdict) == ["d.md:3-3"]
    assert [(other.path, other.line) for other in verdict.findings[-1].others] == [("c.md", 3)]


def test_a_copy_is_new_where_it_was_added_though_it_stands_first(corpus: Corpus) -> None:
    corpus.write(a0_md=page(prose(40), OTHER))
    assert places(corpus.check(Edited(a0_md=(1, 3)))) == ["a0.md:3-3"]


@pytest.mark.parametrize("name", ["a0_md", "d_md"])
def test_a_third_copy_is_new_where_it_was_added_and_only_there(corpus: Corpus, name: str) -> None:
    corpus.write(**{name: page(prose(40), SHARED, prose(41))})
    verdict = corpus.check()
    assert places(verdict) == [f"{name.replace('_', '.')}:3-3"]
    assert places(verdict, "known") == ["a.md:3-3", "b.md:5-5"]
    new = next(finding for finding in verdict.findings if finding.status == "new")
    assert sorted(other.path for other in new.others) == ["a.md", "b.md"]


def test_a_third_copy_of_a_part_is_new_where_it_was_added(corpus: Corpus) -> None:
    part = " ".join(SHARED.split()[:20])
    corpus.write(a0_md=page(prose(40), part, prose(41)))
    verdict = corpus.check()
    assert places(verdict) == ["a0.md:3-3"]


def test_a_third_copy_of_more_than_was_accepted_is_new_where_it_was_added(corpus: Corpus) -> None:
    corpus.write(a0_md=page(prose(40), SHARED, prose(11)))
    verdict = corpus.check()
    assert [place.split(":")[0] for place in places(verdict)] == ["a0.md"]


def test_a_second_copy_in_one_file_is_new_once(corpus: Corpus) -> None:
    corpus.write(c_md=page(prose(30), OTHER, prose(31), OTHER))
    assert places(corpus.check()) == ["c.md:7-7"]


def test_a_second_copy_of_an_accepted_text_in_its_file_is_new(corpus: Corpus) -> None:
    corpus.write(a_md=page(SHARED, prose(10), SHARED, prose(11)))
    assert places(corpus.check(Edited(a_md=(1, 1)))) == ["a.md:1-1"]


def test_moved_lines_and_rewrapped_text_are_known(corpus: Corpus) -> None:
    corpus.write(a_md=page(prose(12), prose(10), prose(13), wrapped(SHARED, 7), prose(11)))
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict, "known") == ["a.md:7-12", "b.md:5-5"]


def test_a_renamed_file_is_moved(corpus: Corpus) -> None:
    (corpus.folder / "b.md").rename(corpus.folder / "0.md")
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict, "moved") == ["0.md:5-5"]
    assert verdict.stale == ()


def test_a_file_that_is_renamed_and_edited_is_moved(corpus: Corpus) -> None:
    (corpus.folder / "b.md").unlink()
    corpus.write(z_md=page(prose(20), SHARED.replace(SHARED.split()[12], "something")))
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict, "moved") == ["z.md:3-3"]


def test_a_paragraph_that_goes_to_another_file_is_moved(corpus: Corpus) -> None:
    corpus.write(b_md=page(prose(20), prose(21)), c_md=page(prose(30), SHARED, OTHER))
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict, "moved") == ["c.md:3-3"]


def test_an_accepted_copy_with_an_edited_word_is_edited(corpus: Corpus) -> None:
    corpus.write(b_md=page(prose(20), prose(21), SHARED.replace(SHARED.split()[12], "something")))
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict, "edited") == ["b.md:5-5"]
    assert places(verdict, "known") == ["a.md:3-3"]


def test_an_accepted_copy_that_falls_in_two_is_edited(corpus: Corpus) -> None:
    words = SHARED.split()
    corpus.write(b_md=page(prose(20), " ".join(words[:20]), prose(21), " ".join(words[20:])))
    verdict = corpus.check()
    assert verdict.gate.passed
    assert places(verdict) == []


def test_two_accepted_copies_that_become_one_are_edited(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.write(
        a_md=page(prose(10), SHARED, prose(12), OTHER, prose(11)),
        b_md=page(prose(20), SHARED, prose(21), OTHER),
    )
    corpus.accept()
    corpus.write(
        a_md=page(prose(10), SHARED, OTHER, prose(11)),
        b_md=page(prose(20), SHARED, OTHER),
    )
    assert places(corpus.check()) == []


def test_a_copy_that_grows_far_beyond_what_was_accepted_is_new(corpus: Corpus) -> None:
    corpus.write(b_md=page(prose(20), prose(10), SHARED, prose(11)))
    assert [place.split(":")[0] for place in places(corpus.check(Edited(b_md=(3, 7))))] == ["b.md"]


def test_an_edited_copy_does_not_hide_a_second_one(corpus: Corpus) -> None:
    edited = SHARED.replace(SHARED.split()[12], "something")
    corpus.write(b_md=page(prose(20), edited, prose(21), edited))
    verdict = corpus.check(Edited(b_md=(5, 7)))
    assert len(places(verdict)) == 1


def test_a_copy_from_elsewhere_inside_an_edited_one_is_new(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    long = prose(3, 200)
    corpus.write(a_md=page(prose(10), long), b_md=page(prose(20), long), c_md=page(OTHER, prose(30)))
    corpus.accept()
    words = long.split()
    words[100:120] = OTHER.rstrip(".").split()[:20]
    corpus.write(b_md=page(prose(20), " ".join(words)))
    verdict = corpus.check(Edited(b_md=(3, 3)))
    assert places(verdict) == ["b.md:3-3"]


def test_a_copy_that_is_gone_leaves_stale_entries(corpus: Corpus) -> None:
    corpus.write(b_md=page(prose(20), prose(21)))
    verdict = corpus.check()
    assert verdict.gate.passed
    assert [stale.path for stale in verdict.stale] == ["a.md", "b.md"]


def test_a_duplicate_document_is_new_where_it_was_added(corpus: Corpus) -> None:
    corpus.write(a0_md=page(prose(30), OTHER, prose(31)))
    verdict = corpus.check(Edited(a0_md=(1, 5)))
    assert places(verdict) == ["a0.md:1-5"]
    assert [
        (finding.rule, finding.similarity) for finding in verdict.findings if finding.status == "new"
    ] == [("duplicate-document", 1.0)]


def test_a_passage_of_accepted_copies_is_new_in_the_third_document_only(corpus: Corpus) -> None:
    corpus.write(c2_md=page(prose(30), OTHER, prose(31)))
    corpus.accept()
    corpus.write(a0_md=page(prose(40), OTHER, prose(41)))
    verdict = corpus.check()
    assert places(verdict) == ["a0.md:3-3"]


def test_an_old_document_inside_a_new_one_is_found_in_the_new_one(corpus: Corpus) -> None:
    corpus.write(a0_md=page(prose(40, 300), prose(30), OTHER, prose(31), prose(41, 300)))
    verdict = corpus.check(Edited(a0_md=(1, 9)))
    assert [place.split("-")[0] for place in places(verdict)] == ["a0.md:3"]
    assert [finding.rule for finding in verdict.findings if finding.status == "new"] == ["duplicate-document"]


def test_a_repeated_line_is_found_though_nothing_else_holds_it(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.write(a_md=page(*[prose(5, 12)] * 30))
    verdict = corpus.check()
    assert len(places(verdict)) == 1
    corpus.accept()
    assert corpus.check().gate.passed


def test_files_that_were_not_looked_at_are_not_stale_and_stay_accepted(corpus: Corpus) -> None:
    before = set(corpus.baseline.entries)
    with corpus.survey(paths=["c.md"]) as survey:
        assert set(survey.entries()) == before


def test_a_row_of_equal_lines_that_is_parted_is_known_and_one_line_more_is_new(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    line = prose(5, 14)
    corpus.write(a_md=page(*[line] * 9))
    corpus.accept()
    corpus.write(a_md=page(*[line] * 4, prose(6), *[line] * 5))
    assert places(corpus.check()) == []
    corpus.write(a_md=page(*[line] * 10))
    assert places(corpus.check()) == ["a.md:1-19"]


def test_a_file_that_is_split_and_files_that_are_joined_bring_nothing_new(corpus: Corpus) -> None:
    corpus.write(b_md=page(prose(20)), b2_md=page(prose(21), SHARED))
    assert places(corpus.check()) == []
    corpus.write(b_md=page(prose(30), OTHER, prose(31), prose(20), prose(21), SHARED))
    for name in ("b2.md", "c.md"):
        (corpus.folder / name).unlink()
    assert places(corpus.check()) == []


def test_a_copy_in_a_renamed_file_is_new_there_and_a_copy_of_it_is_new_elsewhere(corpus: Corpus) -> None:
    (corpus.folder / "b.md").unlink()
    corpus.write(a0_md=page(prose(22), SHARED, prose(21), OTHER))
    renamed = Edited(a0_md=(1, 1), c_md=(0, 0))
    renamed.renames = {"b.md": "a0.md"}
    assert places(corpus.check(Edited(a0_md=(7, 7)))) == ["a0.md:7-7"]
    corpus.write(a0_md=page(prose(22), SHARED, prose(21)), c_md=page(prose(30), OTHER, SHARED))
    assert places(corpus.check(renamed)) == ["c.md:5-5"]


def test_what_is_taken_out_of_the_baseline_is_new(corpus: Corpus) -> None:
    corpus.write(c_md=page(prose(30), OTHER, prose(31), OTHER))
    corpus.accept()
    left = [e for e in corpus.baseline.entries if e.path == "c.md" or e.path == "a.md"]
    corpus.baseline = corpus.baseline._replace(entries=tuple(left))
    assert places(corpus.check()) == ["b.md:5-5"]


def test_accepted_copies_may_be_edited_alike(corpus: Corpus) -> None:
    words = SHARED.split()
    words[20:22] = ["something", "else", "here"]
    edited = " ".join(words)
    corpus.write(a_md=page(prose(10), edited, prose(11)), b_md=page(prose(20), prose(21), edited))
    verdict = corpus.check(Edited(a_md=(3, 3), b_md=(5, 5)))
    assert (places(verdict), places(verdict, "edited")) == ([], ["a.md:3-3", "b.md:5-5"])


def test_text_in_an_accepted_document_counts_though_the_scan_names_no_place_for_it(tmp_path: Path) -> None:
    """Of b.md, which lies in a.md in pieces, the longest was named; now that it is edited, all are."""
    corpus = Corpus(tmp_path)
    parts = [prose(i, n) for i, n in enumerate([30, 30, 300, 40])]
    corpus.write(a_md=page(parts[1], prose(50), parts[0], prose(51), parts[2]), b_md=page(*parts[:3]))
    corpus.accept()
    corpus.write(b_md=page(*parts[:3], prose(60, 300), prose(61, 300)))
    assert places(corpus.check(Edited(b_md=(7, 9)))) == []


def test_words_are_the_same_in_the_file_and_out_of_it() -> None:
    [found] = words([f"{SHARED} {SHARED}"])
    windows = found.windows[found.within(0, len(found.starts))]
    assert len(windows) == len(found.starts) - WINDOW + 1
    assert decoded([encoded(windows[:5]), encoded(windows[5:])]).size == windows.size
    assert sorted(decoded([encoded(windows)]).tolist()) == sorted(windows.tolist())
    assert size(encoded(windows)) == len(windows)
    assert [is_encoded(text) for text in ("AAA", "AAA=", "")] == [False, False, True]
    [short] = words(["two words"])
    assert [short.within(0, 2), short.within(0, 1)] == [slice(0, 1), slice(0, 0)]


def test_what_is_not_found_with_other_settings_is_not_gone(corpus: Corpus) -> None:
    corpus.write(a_md=page(SHARED, OTHER))
    corpus.accept()
    corpus.write(d_md=page(SHARED, OTHER))
    assert places(corpus.check(min_tokens=60)) == ["d.md:1-3"]
