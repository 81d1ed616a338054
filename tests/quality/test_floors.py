"""What a scan must find: the floors that CI holds.

Enters: corpora planted in made-up text (always) and, marked ``quality``, in real text and real copies where
those lie beside the project. Leaves: one assertion a floor. ``python -m tests.quality`` prints the figures
behind them.

A floor is only as good as its corpus: the made-up one is pinned by its fingerprint, so that a change in the
generator cannot pass for a change in the scanner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pytest

from . import base, natural, pairs, pan, score, stress
from .corpus import Corpus, Item
from .findings import Findings, scan
from .plant import Rates, build
from .precision import Precision, judge

PASSAGES = "71de322390417b0edad6187a293f440b8531942a2c73f75f25fc59cfb63a33f1"
DOCUMENTS = "19d0ce38f33c48d24503309b4945431f433117c7e0dcb4e9d6125546e98d0923"
THRESHOLDS = (0.7, 0.8)
REAL_BASE = all((base.SHARED / "text" / f"{code}.jsonl.gz").exists() for code in base.LANGUAGES)


@dataclass(frozen=True, repr=False)
class Scanned:
    """A planted corpus, what a scan found in it, and the scores."""

    corpus: Corpus
    found: Findings

    @cached_property
    def outcomes(self) -> list[score.Outcome]:
        return score.passage_outcomes(self.corpus, self.found)

    @cached_property
    def precision(self) -> Precision:
        return judge(self.corpus, self.found)

    def recall(self, keep: Callable[[Item], bool]) -> float:
        found, planted = score.recall(self.outcomes, keep)
        assert planted >= 20, "too few passages for a floor"
        return found / planted


@pytest.fixture(scope="module")
def made_up() -> Corpus:
    """Passages planted in made-up text."""
    return build(base.LANGUAGES, 1000, 1, "builtin", Rates(per_cell=2))


@pytest.fixture(
    scope="module",
    params=[
        "builtin",
        pytest.param(
            "shared",
            marks=[pytest.mark.quality, pytest.mark.skipif(not REAL_BASE, reason="no shared base text")],
        ),
    ],
)
def scanned(request: pytest.FixtureRequest, made_up: Corpus) -> Scanned:
    """Passages planted in made-up and in real text, scanned with the default settings."""
    corpus = made_up if request.param == "builtin" else build(base.LANGUAGES, 3000, 1, "shared")
    return Scanned(corpus, scan(corpus.documents))


class TestPassages:
    @pytest.mark.parametrize(
        ("rate", "floor"), [(0.0, 0.995), (0.05, 0.995), (0.1, 0.995), (0.2, 0.99), (0.3, 0.97)]
    )
    def test_recall_from_20_tokens_up(self, scanned: Scanned, rate: float, floor: float) -> None:
        assert scanned.recall(lambda item: item.length_class != "15-19" and item.rate == rate) >= floor

    @pytest.mark.parametrize(("rate", "floor"), [(0.0, 0.99), (0.1, 0.97), (0.2, 0.85)])
    def test_recall_at_15_to_19_tokens(self, scanned: Scanned, rate: float, floor: float) -> None:
        assert scanned.recall(lambda item: item.length_class == "15-19" and item.rate == rate) >= floor

    @pytest.mark.parametrize("where", ["within", "across"])
    def test_recall_within_a_document_and_across(self, scanned: Scanned, where: str) -> None:
        assert (
            scanned.recall(lambda i: i.length_class != "15-19" and i.rate <= 0.1 and i.where == where)
            >= 0.995
        )

    @pytest.mark.parametrize("language", base.LANGUAGES)
    def test_recall_in_each_language(self, scanned: Scanned, language: str) -> None:
        assert (
            scanned.recall(lambda i: i.length_class != "15-19" and i.rate <= 0.1 and i.language == language)
            >= 0.98
        )

    def test_pair_precision(self, scanned: Scanned) -> None:
        assert scanned.precision.fair[0] >= 0.995

    def test_character_precision(self, scanned: Scanned) -> None:
        assert scanned.precision.fair[1] >= 0.97

    def test_median_end_error(self, scanned: Scanned) -> None:
        assert score.end_figures(self.long(scanned))[0] == 0

    def test_end_error_of_95_in_100(self, scanned: Scanned) -> None:
        assert score.end_figures(self.long(scanned))[1] <= 3

    def test_boilerplate_is_one_cluster_with_every_copy(self, scanned: Scanned) -> None:
        outcomes = score.boilerplate_outcomes(scanned.corpus, scanned.found)
        assert [(best, clusters) for _, best, clusters in outcomes] == [
            (len(i.spans), 1) for i, _, _ in outcomes
        ]

    def test_periodic_text_is_one_finding(self, scanned: Scanned) -> None:
        outcomes = score.period_outcomes(scanned.corpus, scanned.found)
        assert [(clusters, named) for _, clusters, named in outcomes] == [(1, True)] * len(outcomes)

    @staticmethod
    def long(scanned: Scanned) -> list[score.Outcome]:
        """Passages of 20 tokens and more."""
        return [outcome for outcome in scanned.outcomes if outcome.item.length_class != "15-19"]


def test_the_made_up_corpus_is_the_one_the_floors_were_set_on(made_up: Corpus) -> None:
    assert made_up.fingerprint() == PASSAGES


@pytest.fixture(scope="module")
def copied() -> Corpus:
    """Copies of documents, in made-up text."""
    rates = Rates(per_cell=1, exact=0.05, near=0.25, contained=0.05)
    return build(base.LANGUAGES, 800, 1, "builtin", rates)


@pytest.fixture(scope="module")
def shingled(copied: Corpus) -> pairs.Shingled:
    """Their shingles."""
    return pairs.shingled(copied.documents)


@pytest.fixture(scope="module", params=THRESHOLDS)
def judged(request: pytest.FixtureRequest, copied: Corpus, shingled: pairs.Shingled) -> pairs.Judgement:
    """The document clusters of a scan at a threshold, judged by exact truth."""
    return pairs.judge(
        shingled, scan(copied.documents, threshold=request.param, passages=False), request.param
    )


class TestPlantedDocuments:
    def test_fingerprint(self, copied: Corpus) -> None:
        assert copied.fingerprint() == DOCUMENTS

    def test_recall(self, judged: pairs.Judgement) -> None:
        assert judged.near.true >= 150
        assert judged.near.linked >= 0.995

    def test_recall_of_contained_documents(self, judged: pairs.Judgement) -> None:
        assert judged.contained.linked >= 0.97

    def test_precision(self, judged: pairs.Judgement) -> None:
        assert judged.wrong == []

    def test_figures_are_exact(self, judged: pairs.Judgement) -> None:
        assert judged.deviation <= 1e-9


@pytest.fixture(scope="module", params=[(name, t) for name in natural.NATURAL for t in THRESHOLDS], ids=str)
def natural_judged(request: pytest.FixtureRequest) -> pairs.Judgement:
    """A real corpus, its document clusters judged by exact truth."""
    name, threshold = request.param
    if not natural.there(name):
        pytest.skip(f"{name} is not here")
    documents = list(natural.documents(name))
    found = scan(documents, threshold=threshold, passages=False)
    return pairs.judge(pairs.shingled(documents), found, threshold)


@pytest.mark.quality
class TestNaturalDocuments:
    def test_no_pair_is_overlooked(self, natural_judged: pairs.Judgement) -> None:
        assert natural_judged.near.settled >= 0.995

    def test_precision(self, natural_judged: pairs.Judgement) -> None:
        assert natural_judged.wrong == []


@pytest.fixture(scope="module")
def spread() -> stress.Spread:
    """Where 5,000 copies of a passage of 40 tokens, 6 of them edited in each, ended up."""
    corpus = stress.copies()
    return stress.spread(corpus, scan(corpus.documents))


class TestStress:
    def test_a_line_500_times_is_one_finding(self) -> None:
        corpus = stress.periodic()
        found = scan(corpus.documents)
        assert len(found.passages) == 1
        assert [(count, named) for _, count, named in score.period_outcomes(corpus, found)] == [(1, True)]

    def test_most_copies_are_in_one_cluster(self, spread: stress.Spread) -> None:
        assert spread.largest >= 4700

    def test_no_copy_is_lost(self, spread: stress.Spread) -> None:
        assert spread.lost == 0


@pytest.fixture(scope="module")
def plagdets() -> dict[str, pan.Score]:
    """PAN 2013, all 5,057 documents in one scan."""
    if not pan.FOLDER.exists():
        pytest.skip("no PAN 2013 corpus")
    documents = list(pan.documents())
    found = scan(documents, min_tokens=40)
    return pan.scores(pan.task(), found, {document: len(text) for document, text in documents})


@pytest.mark.quality
class TestPan:
    def test_every_pair_is_scored(self, plagdets: dict[str, pan.Score]) -> None:
        assert (plagdets["all"].pairs, plagdets["all"].cases) == (5185, 4007)

    def test_verbatim(self, plagdets: dict[str, pan.Score]) -> None:
        assert plagdets["none"].plagdet >= 0.97
