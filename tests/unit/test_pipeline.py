"""A whole scan: what it takes, what it finds of each kind, and that nothing but its input shapes it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dedup
from dedup import EmptyDocument, InputError, Settings, SettingsError, Skipped, Source, kernel
from dedup.model import Document
from dedup.pipeline import run

from .conftest import KERNELS, load
from .prose import Prose, scan

SEEDS = Path(__file__).parents[2] / "seeds"


def kinds(report: dedup.Report) -> list[tuple[str, str, list[str]]]:
    """Kind, kept document and copies of every cluster of documents."""
    return [(c.kind, c.kept, [m.document for m in c.members[1:]]) for c in report.document_clusters]


def names(cluster: dedup.DocumentCluster) -> set[str]:
    """All documents of a cluster."""
    return {member.document for member in cluster.members}


def mixed() -> list[Document]:
    """Every kind of finding in several languages, with what is odd about input among it."""
    prose = Prose(5)
    base, shared, han = prose.words(120), prose.words(40), prose.han(60)
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    texts += [base, base, prose.exchanged(base, (50,)), prose.round(" ".join(base.split()[10:70]), 150, 0)]
    texts += [prose.round(prose.edited(shared, 0.15)) for _ in range(30)]
    texts += [
        prose.han(50) + han + prose.han(30),
        prose.han(10) + han,
        "",
        "…",
        "one two",
        "One two.",
        "\ud800 lone",
    ]
    texts += [prose.words(80)] * 2 + ["the same line again and again, as lines go.\n" * 60]
    texts += ["".join(f"Nr. {i}: a numbered line, one of many such.\n" for i in range(30))]
    return [Document(f"d{i}", text, Source("corpus.jsonl", i + 1, None)) for i, text in enumerate(texts)]


# ---- kinds -----------------------------------------------------------------------------------------------------


def test_a_letter_for_letter_copy_is_exact() -> None:
    text = Prose().words(50)
    report = scan([text, text, text])
    assert kinds(report) == [("exact", "a", ["b", "c"])]
    assert [(m.jaccard, m.containment) for m in report.document_clusters[0].members] == [
        (None, None),
        (1, 1),
        (1, 1),
    ]
    assert report.summary.duplicate_documents == 2


def test_a_copy_that_differs_in_punctuation_is_near_with_a_jaccard_of_one() -> None:
    text = Prose().words(50)
    report = scan([text, text.upper() + "!"])
    assert [(cluster.kind, names(cluster)) for cluster in report.document_clusters] == [("near", {"a", "b"})]
    assert report.document_clusters[0].members[1].jaccard == 1.0


def test_near_and_exact_copies_of_one_text_are_one_cluster() -> None:
    prose = Prose()
    base = prose.words(100)
    report = scan([base, base, f"{base} {prose.words(2)}"])
    assert kinds(report) == [("near", "c", ["a", "b"])]


def test_a_text_inside_a_longer_one_is_contained() -> None:
    prose = Prose()
    inner = prose.words(30)
    report = scan([inner, prose.round(inner, 300, 300)])
    assert kinds(report) == [("contained", "b", ["a"])]
    member = report.document_clusters[0].members[1]
    assert member.containment == 1.0
    assert member.jaccard is not None
    assert member.jaccard < 0.1


@pytest.mark.parametrize(("threshold", "found"), [(0.7, True), (0.8, True), (0.95, False)])
def test_the_threshold_says_what_is_a_copy(threshold: float, found: bool) -> None:
    prose = Prose()
    base = prose.words(200)
    report = scan([base, prose.exchanged(base, (50, 100, 150, 197))], threshold=threshold)
    assert bool(report.document_clusters) == found


def test_unrelated_texts_are_no_copies() -> None:
    prose = Prose()
    report = scan([prose.words(100) for _ in range(20)])
    assert (report.document_clusters, report.passage_clusters) == ((), ())


def test_short_texts_are_compared_whole_and_never_lumped_together() -> None:
    report = scan(["yes", "no", "yes", "Yes!", "one two", "two one", "one two", "maybe so"])
    groups = [(cluster.kind, names(cluster)) for cluster in report.document_clusters]
    assert sorted(groups) == [("exact", {"e", "g"}), ("near", {"a", "c", "d"})]
    assert report.summary.documents == 8


def test_documents_without_a_word_are_named_and_a_copy_of_nothing() -> None:
    report = scan(["", "word", "— … !", "", "\u200b\u0301"])
    assert report.empty_documents == tuple(EmptyDocument(name, Source()) for name in "acde")
    assert (report.document_clusters, report.summary.empty, report.summary.documents) == ((), 4, 5)


def test_nothing_to_scan_is_an_empty_report() -> None:
    report = scan([])
    assert report.summary == dedup.Summary(0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0)


def test_characters_and_tokens_are_those_of_all_documents() -> None:
    summary = scan(["one two", "one two", "三四", ""]).summary
    assert (summary.documents, summary.characters, summary.tokens) == (4, 16, 6)


def test_what_was_skipped_is_in_the_report() -> None:
    skipped = Skipped("bad.txt", "not UTF-8")
    report = run([Document("a", "word"), skipped], Settings())
    assert (report.skipped, report.summary.skipped) == ((skipped,), 1)


def test_progress_names_the_stages_in_order() -> None:
    stages: list[str] = []
    items = [Document(str(i), f"text {i}") for i in range(3000)]
    run(items, Settings(), lambda stage, done, total: stages.append(stage))
    assert list(dict.fromkeys(stages)) == [
        "reading", "comparing documents", "looking for passages", "grouping passages", "writing the report",
    ]  # fmt: skip
    assert stages.count("reading") == 2


# ---- switches --------------------------------------------------------------------------------------------------


def test_without_documents_copies_are_passages() -> None:
    text = Prose().words(50)
    report = scan([text, text], documents=False)
    assert report.document_clusters == ()
    assert [[m.text for m in c.members] for c in report.passage_clusters] == [[text, text]]


def test_without_passages_only_documents_are_compared() -> None:
    prose = Prose()
    base, shared = prose.words(50), prose.words(40)
    report = scan([base, base, prose.round(shared), prose.round(shared)], passages=False)
    assert kinds(report) == [("exact", "a", ["b"])]
    assert report.passage_clusters == ()


def test_settings_stand_in_the_result_but_for_the_number_of_threads() -> None:
    report = scan(["a"], threshold=0.7, min_tokens=15, jobs=2)
    assert report.to_dict()["settings"] == {
        "threshold": 0.7, "passage_similarity": 0.7, "min_tokens": 15, "ngram": 5, "num_perm": 128, "seed": 1,
        "documents": True, "passages": True,
    }  # fmt: skip


BAD_SETTINGS = [
    ({"threshold": 0}, "threshold is 0; expected a number above 0 and up to 1"),
    ({"threshold": "high"}, "threshold is 'high'; expected a number above 0 and up to 1"),
    ({"passage_similarity": 1.5}, "passage_similarity is 1.5; expected a number above 0 and up to 1"),
    (
        {"passage_similarity": float("nan")},
        "passage_similarity is nan; expected a number above 0 and up to 1",
    ),
    ({"min_tokens": 3}, "min_tokens is 3; expected a whole number from 4 to 1000000"),
    ({"ngram": True}, "ngram is True; expected a whole number from 1 to 64"),
    ({"num_perm": 8}, "num_perm is 8; expected a whole number from 16 to 4096"),
    ({"seed": -1}, "seed is -1; expected a whole number from 0 to 4294967295"),
    ({"jobs": 1.0}, "jobs is 1.0; expected a whole number from 0 to 4096"),
    ({"passages": 1}, "passages is 1; expected true or false"),
    (
        {"passages": False, "documents": False},
        "documents and passages are both off: nothing is left to look for; turn one on",
    ),
    ({"treshold": 0.8}, "unknown setting treshold; did you mean threshold?"),
    (
        {"zzz": 1},
        "unknown setting zzz; known: threshold, passage_similarity, min_tokens, ngram, num_perm, seed, documents, "
        "passages, jobs",
    ),
]


@pytest.mark.parametrize(("settings", "text"), BAD_SETTINGS)
def test_a_bad_setting_is_named_with_what_was_expected(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError) as error:
        dedup.scan([], **settings)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("documents", "text"),
    [
        (["text"], "document 0 is str; expected (id, text) or Document"),
        ([("a", "x"), ("b", None)], "the text of document 1 is NoneType; expected str"),
        ([(1, "x")], "the id of document 0 is int; expected str"),
        ([("a", "b", "c")], "document 0 is tuple; expected (id, text) or Document"),
        ([Document("a", None)], "the text of document 0 is NoneType; expected str"),
        (None, "documents is NoneType; expected pairs (id, text), Documents, or a data frame"),
        ("a.txt", "documents is str; expected pairs (id, text), Documents, or a data frame"),
        ([None], "document 0 is NoneType; expected (id, text) or Document"),
    ],
)
def test_what_is_not_a_document_is_named_with_its_place(documents: list[Any], text: str) -> None:
    with pytest.raises(InputError) as error:
        dedup.scan(documents)
    assert str(error.value) == text


def test_an_error_of_the_input_comes_through_and_leaves_no_thread_behind() -> None:
    def items() -> Any:
        yield Document("a", "word")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        run(items(), Settings())
    assert kinds(scan(["x y", "x y"])) == [("exact", "a", ["b"])]


# ---- nothing else shapes a result ------------------------------------------------------------------------------


def as_bytes(report: dedup.Report) -> str:
    """The report as it would be written."""
    return json.dumps(report.to_dict(), sort_keys=True)


@pytest.fixture(scope="module")
def expected() -> dedup.Report:
    """The report on the mixed texts, by the kernel in use."""
    return scan(mixed())


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(expected: dedup.Report, jobs: int) -> None:
    assert as_bytes(scan(mixed(), jobs=jobs)) == as_bytes(expected)


@pytest.mark.parametrize(
    "settings", [{}, {"min_tokens": 6, "passage_similarity": 0.5, "threshold": 0.5, "ngram": 2}]
)
def test_both_kernels_give_the_same_report(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]) -> None:
    reports = []
    for module in map(load, KERNELS):
        monkeypatch.setattr(kernel, "_chosen", module)
        reports.append(as_bytes(scan(mixed(), **settings)))
    assert reports[0] == reports[1]
    assert len(reports[0]) > 20_000


def test_the_mixed_texts_hold_every_kind_of_finding(expected: dedup.Report) -> None:
    assert {cluster.kind for cluster in expected.document_clusters} == {"exact", "near", "contained"}
    assert {cluster.period is None for cluster in expected.passage_clusters} == {True, False}
    assert max(len(cluster.members) for cluster in expected.passage_clusters) >= 25


def found(report: dedup.Report) -> set[Any]:
    """What a report says whatever the order: which documents are together, which spans of which texts."""
    documents = {(cluster.kind, frozenset(names(cluster))) for cluster in report.document_clusters}
    passages = {frozenset((m.start, m.text) for m in cluster.members) for cluster in report.passage_clusters}
    return documents | passages


@pytest.mark.parametrize("seed", range(3))
def test_texts_in_another_order_have_the_same_matches(expected: dedup.Report, seed: int) -> None:
    documents = mixed()
    random.Random(seed).shuffle(documents)
    assert found(scan(documents)) == found(expected)


def test_which_of_two_texts_of_the_same_words_is_kept_does_not_depend_on_their_order() -> None:
    text = Prose().words(40)
    texts = {"a": text, "b": text.upper(), "c": text.title()}
    kept = {
        scan({name: texts[name] for name in order}).document_clusters[0].kept
        for order in ("abc", "cba", "bca")
    }
    assert len(kept) == 1


def test_the_kernel_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: ModuleType = load("python")
    monkeypatch.setattr(kernel, "_chosen", chosen)
    monkeypatch.setenv("DEDUP_KERNEL", "nonsense")
    assert kinds(scan(["a b", "a b"])) == [("exact", "a", ["b"])]
