"""The harness itself: a perfect report scores 1, every fault moves the figure it should, by as much.

Enters: a small planted corpus, its oracle's findings, and findings spoilt on purpose.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from typing import ClassVar

import pytest

from . import base, oracle, pairs, pan, precision, score, stress
from .corpus import Corpus, Span
from .dice import Dice
from .edits import edit
from .findings import Copies, Copy, Findings, Passage, Place, of_json
from .plant import Rates, build, figures
from .pseudo import UNSPACED
from .tokens import shingles, similarity, tokenise

RATES = Rates(per_cell=1, exact=0.03, near=0.1, contained=0.04, boilerplate=0.05)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Two scripts, some 180 made-up documents, everything planted."""
    return build(("en", "zh"), 160, 7, "builtin", RATES)


@pytest.fixture(scope="module")
def perfect(corpus: Corpus) -> Findings:
    """What a perfect scanner would report."""
    return oracle.findings(corpus)


def with_passages(found: Findings, passages: list[Passage]) -> Findings:
    """The same findings with other passages."""
    return replace(found, passages=passages)


def two_documents(left: str, right: str) -> Corpus:
    """A corpus of two texts with nothing planted."""
    return Corpus([("left", left), ("right", right)], [], {"left": "en", "right": "en"})


def unplanted(corpus: Corpus, size: int) -> list[Place]:
    """A stretch of unplanted text in each English document that has one."""
    places = []
    for document, text in corpus.documents:
        taken = [(start, end) for start, end, *_ in corpus.planted.get(document, ())]
        free = pairwise([0, *(edge for place in sorted(taken) for edge in place), len(text)])
        places += [
            Place(document, start, start + size)
            for number, (start, end) in enumerate(free)
            if corpus.language[document] == "en" and not number % 2 and end - start > size
        ][:1]
    return places


def moved(corpus: Corpus, found: Findings, first: int, last: int) -> list[Passage]:
    """The planted passages' clusters, with the ends of every member moved by tokens."""
    planted = {item.spans for item in corpus.of_kind("passage")}
    return [
        Passage(tuple(shifted(corpus, member, first, last) for member in passage.members))
        for passage in found.passages
        if tuple(Span(*member) for member in passage.members) in planted
    ]


def shifted(corpus: Corpus, member: Place, first: int, last: int) -> Place:
    """The member with its ends moved by tokens."""
    tokens = corpus.tokens(member.document)
    start, end = tokens.inside(member.start, member.end)
    return Place(member.document, int(tokens.starts[start + first]), int(tokens.ends[end - 1 + last]))


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("l’IA, l'IA", ["l", "ia", "l", "ia"]),
            ("ﬁn Straße İstanbul", ["fin", "strasse", "i̇stanbul"]),
            ("北京2024年", ["北", "京", "2024", "年"]),
            ("ＡＢＣ カナ", ["abc", "カ", "ナ"]),
            ("हिन्दी தமிழ்", ["हिन्दी", "தமிழ்"]),
            ("ក្រុង", ["ក្", "រុ", "ង"]),
            ("e\u0301te\u0301", ["été"]),
            ("snake_case x-y", ["snake", "case", "x", "y"]),
            ("… — !", []),
        ],
    )
    def test_words(self, text: str, words: list[str]) -> None:
        assert tokenise(text).words == words

    def test_spans_address_the_original(self) -> None:
        text = "Die ﬁxe Straße, 北京"
        tokens = tokenise(text)
        surfaces = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
        assert surfaces == ["Die", "ﬁxe", "Straße", "北", "京"]

    def test_inside(self) -> None:
        tokens = tokenise("one two three four")
        assert tokens.inside(4, 13) == (1, 3)
        assert tokens.inside(5, 9) == (1, 3)
        assert tokens.inside(3, 15) == (1, 4)
        assert tokens.inside(3, 4) == (1, 1)

    def test_similarity_is_the_textbook_one(self) -> None:
        dice = Dice("similarity")
        for _ in range(200):
            left, right = ([dice.pick("abc") for _ in range(dice.between(0, 9))] for _ in range(2))
            rows = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
            for i, word in enumerate(left):
                for j, other in enumerate(right):
                    rows[i + 1][j + 1] = (
                        rows[i][j] + 1 if word == other else max(rows[i][j + 1], rows[i + 1][j])
                    )
            total = len(left) + len(right)
            assert similarity(left, right) == (2 * rows[-1][-1] / total if total else 1)

    def test_shingles_tell_order_apart(self) -> None:
        assert len(set(shingles(["a", "b", "a", "b", "b", "a"], 2).tolist())) == 3  # ab ba bb
        assert len(shingles(["a"], 5)) == 1
        assert not len(shingles([], 5))


class TestPlanting:
    def test_the_seed_decides(self, corpus: Corpus) -> None:
        assert build(("en", "zh"), 160, 7, "builtin", RATES).fingerprint() == corpus.fingerprint()
        assert build(("en", "zh"), 160, 8, "builtin", RATES).fingerprint() != corpus.fingerprint()

    def test_every_cell_is_planted(self, corpus: Corpus) -> None:
        cells = {(i.language, i.length_class, i.rate, i.where) for i in corpus.of_kind("passage")}
        assert len(cells) == len(corpus.of_kind("passage")) == 2 * 6 * 5 * 2

    def test_spans_hold_what_was_planted(self, corpus: Corpus) -> None:
        for item in corpus.of_kind("passage"):
            one, other = item.spans
            assert (one.document == other.document) == (item.where == "within")
            left, right = corpus.words(one), corpus.words(other)
            assert similarity(left, right) == item.figure
            assert (left[0], left[-1]) == (right[0], right[-1])
            assert (left == right) == (item.rate == 0)
            assert item.figure >= 1 - item.rate - 0.05

    def test_lengths_are_in_their_class(self, corpus: Corpus) -> None:
        for item in corpus.of_kind("passage"):
            if item.rate == 0:
                words = len(corpus.words(item.spans[0])) / (1.6 if item.language in UNSPACED else 1)
                low, _, high = item.length_class.partition("-")
                assert int(low) <= round(words) <= int(high or low)

    def test_spans_begin_and_end_at_tokens(self, corpus: Corpus) -> None:
        for item in corpus.of_kind("passage", "period"):
            for span in item.spans:
                tokens = corpus.tokens(span.document)
                assert span.start in tokens.starts
                assert span.end in tokens.ends

    def test_insertions_stand_apart(self, corpus: Corpus) -> None:
        for places in corpus.planted.values():
            inserted = sorted(
                place[:2] for place in places if corpus.items[place[2]].kind in ("passage", "period")
            )
            assert all(before[1] < after[0] for before, after in pairwise(inserted))

    def test_copied_documents_have_the_figures_recorded(self, corpus: Corpus) -> None:
        for item in corpus.of_kind("exact", "near", "contained"):
            one, other = (corpus.tokens(span.document) for span in item.spans[:2])
            jaccard, containment = figures(one, other)
            if item.kind == "contained":
                assert containment == 1
            else:
                assert jaccard == item.figure
        spread = [item.figure for item in corpus.of_kind("near")]
        assert min(spread) < 0.62
        assert max(spread) > 0.9

    def test_boilerplate_and_periods(self, corpus: Corpus) -> None:
        for item in corpus.of_kind("boilerplate"):
            assert len({span.document for span in item.spans}) == len(item.spans) >= 4
            assert len({tuple(corpus.words(span)) for span in item.spans}) == 1
        for item in corpus.of_kind("period"):
            words = corpus.words(item.spans[0])
            unit = len(words) // item.copies
            assert words == words[:unit] * item.copies

    def test_edits_are_counted_and_leave_the_ends(self) -> None:
        dice = Dice("edits")
        text = " ".join(f"w{number}" for number in range(40))
        for count in (1, 4, 12, 38):
            words = edit(text, count, lambda: "new", " ", dice).split()
            assert (words[0], words[-1]) == ("w0", "w39")
            kept = [word for word in words if word != "new"]
            deleted = 40 - len(kept) - (words.count("new") - (inserted := count - (40 - len(kept))))
            # Substituted and deleted tokens are gone, inserted ones are new.
            assert min(deleted, inserted) >= 0
            assert kept == sorted(kept, key=lambda word: int(word[1:]))

    def test_base_text_is_cut_to_size(self) -> None:
        work = "\n\n".join(
            f"This is paragraph number {number}. It says little, but it says it." for number in range(900)
        )
        pieces = list(base.cut(work, 300, 1200, Dice("cut")))
        assert all(300 <= len(tokenise(piece)) <= 1200 for piece in pieces)
        assert all(piece.startswith("This") and piece.endswith("it.") for piece in pieces)
        assert "\n\n".join(pieces) == work[: len("\n\n".join(pieces))]


class TestPassages:
    def test_the_oracle_is_perfect(self, corpus: Corpus, perfect: Findings) -> None:
        outcomes = score.passage_outcomes(corpus, perfect)
        assert score.recall(outcomes) == (120, 120)
        assert score.end_figures(outcomes) == (0, 0)
        assert score.good_iou(outcomes) == 1
        assert score.character_recall(outcomes) == 1
        judged = precision.judge(corpus, perfect)
        assert judged.strict == judged.fair == (1, 1)
        assert all(
            best == len(i.spans) and n == 1 for i, best, n in score.boilerplate_outcomes(corpus, perfect)
        )
        assert all(count == 1 and named for _, count, named in score.period_outcomes(corpus, perfect))

    def test_nothing_found(self, corpus: Corpus) -> None:
        outcomes = score.passage_outcomes(corpus, Findings())
        assert score.recall(outcomes) == (0, 120)
        assert score.character_recall(outcomes) == 0
        assert precision.judge(corpus, Findings()).fair == (1, 1)

    def test_dropped_clusters_cost_recall(self, corpus: Corpus, perfect: Findings) -> None:
        planted = {tuple(item.spans) for item in corpus.of_kind("passage")}
        dropped = [p for p in perfect.passages if tuple(Span(*m) for m in p.members) in planted][:30]
        rest = [passage for passage in perfect.passages if passage not in dropped]
        assert score.recall(score.passage_outcomes(corpus, with_passages(perfect, rest))) == (90, 120)

    def test_document_clusters_find_no_passage(self, corpus: Corpus) -> None:
        (one, other) = next(item for item in corpus.of_kind("passage") if item.where == "across").spans
        found = Findings([Copies("near", (Copy(one.document), Copy(other.document, 1.0, 1.0)))])
        assert score.recall(score.passage_outcomes(corpus, found)) == (0, 120)

    def test_two_clusters_do_not_link(self, corpus: Corpus, perfect: Findings) -> None:
        torn = [Passage((member,)) for passage in perfect.passages for member in passage.members]
        assert score.recall(score.passage_outcomes(corpus, with_passages(perfect, torn))) == (0, 120)

    def test_one_member_over_both_copies_does_not_link(self, corpus: Corpus) -> None:
        item = next(item for item in corpus.of_kind("passage") if item.where == "within")
        one, other = sorted(item.spans)
        wide = Place(one.document, one.start, other.end)
        found = Findings([], [Passage((wide, Place("elsewhere", 0, 9)))])
        assert score.recall(score.passage_outcomes(corpus, found)) == (0, 120)

    @pytest.mark.parametrize(("part", "count"), [(0.45, 0), (0.6, 120)])
    def test_half_of_each_copy_is_needed(
        self, corpus: Corpus, perfect: Findings, part: float, count: int
    ) -> None:
        shortened = [
            Passage(
                tuple(
                    Place(m.document, m.start, round(m.start + part * (m.end - m.start))) for m in p.members
                )
            )
            for p in perfect.passages
        ]
        outcomes = score.passage_outcomes(corpus, with_passages(perfect, shortened))
        assert score.recall(outcomes)[0] == count
        assert score.good_iou(outcomes) == 0
        assert score.character_recall(outcomes) == pytest.approx(part if count else 0, abs=0.02)

    def test_ends_are_measured_in_tokens(self, corpus: Corpus, perfect: Findings) -> None:
        outcomes = score.passage_outcomes(corpus, Findings([], moved(corpus, perfect, -3, 2)))
        errors = [outcome.ends for outcome in outcomes]
        assert errors == [(3, 2, 3, 2)] * 120
        assert score.end_figures(outcomes) == (2, 3)

    def test_the_best_members_are_judged(self, corpus: Corpus, perfect: Findings) -> None:
        both = moved(corpus, perfect, -3, 2) + perfect.passages
        outcomes = score.passage_outcomes(corpus, with_passages(perfect, both))
        assert score.end_figures(outcomes) == (0, 0)

    def test_broken_periods_and_boilerplate(self, corpus: Corpus, perfect: Findings) -> None:
        halves = [
            Passage(part)
            for p in perfect.passages
            for part in (p.members[: len(p.members) // 2 + 1], p.members[1:])
        ]
        found = with_passages(perfect, halves)
        assert all(best < len(item.spans) for item, best, _ in score.boilerplate_outcomes(corpus, found))
        assert not any(named for _, _, named in score.period_outcomes(corpus, found))


class TestPrecision:
    def test_junk_costs_pairs_and_characters(self, corpus: Corpus, perfect: Findings) -> None:
        junk = Passage(tuple(unplanted(corpus, 400)[:2]))
        judged = precision.judge(corpus, with_passages(perfect, [*perfect.passages, junk]))
        assert judged.wrong == [junk.members]
        assert judged.pairs - judged.planted_pairs == 1
        assert (
            judged.characters - judged.planted_characters
            == judged.characters - judged.right_characters
            == 800
        )

    def test_running_over_costs_characters_only(self, corpus: Corpus, perfect: Findings) -> None:
        judged = precision.judge(corpus, Findings([], moved(corpus, perfect, -4, 4)))
        assert judged.fair[0] == 1
        assert 0.8 < judged.fair[1] < 0.97
        assert judged.fair[1] == pytest.approx(judged.strict[1], abs=0.005)

    def test_planted_copies_of_different_items_do_not_link(self, corpus: Corpus) -> None:
        one, other = corpus.of_kind("passage")[:2]
        found = Findings([], [Passage((Place(*one.spans[0]), Place(*other.spans[0])))])
        judged = precision.judge(corpus, found)
        assert judged.strict == (0, 1)
        assert judged.fair[0] == 0

    def test_a_natural_run_is_fair_not_strict(self) -> None:
        run = "one two three four five six seven eight"
        corpus = two_documents(f"alpha beta gamma delta {run} epsilon zeta eta", run)
        found = Findings(
            [], [Passage((Place("left", 0, len(corpus.text["left"])), Place("right", 0, len(run))))]
        )
        judged = precision.judge(corpus, found)
        assert judged.strict == (0, 0)
        assert judged.fair[0] == 1
        assert judged.right_characters == 2 * len(run)

    def test_seven_tokens_in_other_text_are_no_natural_repeat(self) -> None:
        run = "one two three four five six seven"
        corpus = two_documents(f"alpha beta {run} gamma delta", f"{run} and something quite else here now")
        found = Findings([], [Passage(tuple(Place(name, 0, len(text)) for name, text in corpus.documents))])
        assert precision.judge(corpus, found).fair == (0, 0)

    def test_alike_as_a_whole_is_natural(self) -> None:
        left = "a b c d e f x g h i j k l m y n"
        corpus = two_documents(left, left.replace("x", "p").replace("y", "q"))
        found = Findings([], [Passage(tuple(Place(name, 0, len(text)) for name, text in corpus.documents))])
        assert precision.judge(corpus, found).fair == (1, 1)

    def test_a_passage_that_overlaps_itself_is_no_repeat(self) -> None:
        text = " ".join(f"w{number}" for number in range(60))
        corpus = two_documents(text, "nothing")
        found = Findings([], [Passage((Place("left", 0, 150), Place("left", 4, 154)))])
        assert precision.judge(corpus, found).fair == (0, 0)

    def test_a_period_must_repeat(self) -> None:
        corpus = two_documents("the same line again " * 20, " ".join(f"w{number}" for number in range(60)))
        for document, right in (("left", 1), ("right", 0)):
            found = Findings([], [Passage((Place(document, 0, 150),), 4)])
            assert precision.judge(corpus, found).fair == (right, right)


class TestDocuments:
    def test_all_pairs_are_found_as_by_brute_force(self, corpus: Corpus) -> None:
        dice = Dice("documents")
        copied = {
            span.document for item in corpus.of_kind("exact", "near", "contained") for span in item.spans
        }
        texts = [corpus.text[document] for document in sorted(copied)]
        texts += [" ".join(dice.pick("abcdef") for _ in range(dice.between(0, 9))) for _ in range(150)]
        documents = pairs.shingled((f"{number:04d}", text) for number, text in enumerate(texts))
        sets = {name: set(values.tolist()) for name, values in documents.sets.items() if len(values)}
        jaccard, containment = {}, {}
        for (one, left), (other, right) in combinations(sets.items(), 2):
            shared = len(left & right)
            jaccard[one, other] = shared / (len(left) + len(right) - shared)
            containment[one, other] = shared / min(len(left), len(right))
        for threshold in (0.5, 0.7, 0.8, 1.0):
            near = {pair: figure for pair, figure in jaccard.items() if figure >= threshold}
            assert pairs.near_pairs(documents, threshold) == near
            found = pairs.contained_pairs(documents, threshold)
            assert {pairs.ordered(*pair): figure for pair, figure in found.items()} == {
                pair: figure
                for pair, figure in containment.items()
                if figure >= threshold and pair not in near
            }
            assert all(len(sets[small]) <= len(sets[large]) for small, large in found)

    @pytest.mark.parametrize("threshold", [0.7, 0.8])
    def test_the_oracle_is_perfect(self, corpus: Corpus, threshold: float) -> None:
        judged = pairs.judge(pairs.shingled(corpus.documents), oracle.findings(corpus, threshold), threshold)
        assert judged.near.true > 10
        assert judged.contained.true >= 6
        assert (judged.near.linked, judged.near.settled) == (1, 1)
        assert (judged.contained.linked, judged.contained.settled) == (1, 1)
        assert (judged.wrong, judged.deviation) == ([], 0)

    def test_copies_of_two_kept_documents_are_settled_not_linked(self) -> None:
        found = Findings([Copies("near", (Copy("a"), Copy("b"))), Copies("near", (Copy("d"), Copy("c")))])
        judged = pairs.recall(found, {("a", "b"): 1.0, ("b", "c"): 1.0, ("a", "d"): 1.0})
        assert judged.unlinked == [("b", "c"), ("a", "d")]
        assert judged.unsettled == [("a", "d")]

    def test_faults_are_counted(self, corpus: Corpus) -> None:
        documents = pairs.shingled(corpus.documents)
        right = oracle.findings(corpus).documents
        near = [copies for copies in right if copies.kind == "near"]
        free = [place.document for place in unplanted(corpus, 400)[:2]]
        wrong = Copies("near", (Copy(free[0]), Copy(free[1], 0.9, 0.9)))
        spoilt = [copies for copies in right if copies is not near[0]] + [wrong]
        judged = pairs.judge(documents, Findings(spoilt), 0.8)
        pair = pairs.ordered(*(member.document for member in near[0].members))
        assert judged.near.unlinked == judged.near.unsettled == [pair]
        assert judged.wrong == [(free[0], free[1])]
        assert judged.deviation == pytest.approx(0.9, abs=0.05)


class TestPan:
    LENGTHS: ClassVar = {"s": 1000, "t": 1000, "u": 1000}

    def test_the_definition_by_hand(self) -> None:
        """One case of 100 + 100 characters; two detections on it, one beside it; a second case missed."""
        cases = {("s", "t"): [pan.Match(100, 200, 300, 400), pan.Match(600, 700, 600, 700)]}
        found = {
            ("s", "t"): [
                pan.Match(100, 150, 300, 350),  # all right: 100 of 100
                pan.Match(180, 220, 380, 420),  # half right: 40 of 80
                pan.Match(100, 200, 800, 900),  # the source is wrong: 0 of 200
            ]
        }
        figures = pan.score([("s", "t")], cases, found)
        assert figures.recall == pytest.approx((140 / 200 + 0) / 2)
        assert figures.precision == pytest.approx((1 + 0.5 + 0) / 3)
        assert figures.granularity == 2
        assert figures.plagdet == pytest.approx(2 * 0.35 * 0.5 / 0.85 / 1.5849625)

    def test_perfect_and_empty(self) -> None:
        cases = {("s", "t"): [pan.Match(100, 200, 300, 400)]}
        assert pan.score([("s", "t")], cases, cases).plagdet == 1
        assert pan.score([("s", "t")], cases, {}).plagdet == 0

    def test_only_listed_pairs_become_detections(self) -> None:
        members = (Place("s", 0, 50), Place("t", 10, 60), Place("u", 20, 70), Place("s", 500, 550))
        found = pan.detections(Findings([], [Passage(members)]), [("s", "t")], self.LENGTHS)
        assert found == {("s", "t"): [pan.Match(0, 50, 10, 60), pan.Match(500, 550, 10, 60)]}

    def test_a_document_cluster_is_the_whole_of_both(self) -> None:
        found = Findings([Copies("near", (Copy("t"), Copy("s", 0.9, 0.9)))])
        assert pan.detections(found, [("s", "t")], self.LENGTHS) == {
            ("s", "t"): [pan.Match(0, 1000, 0, 1000)]
        }

    def test_overlapping_detections_are_merged_through_others(self) -> None:
        one, other = pan.Match(0, 30, 0, 30), pan.Match(60, 90, 60, 90)
        bridge = pan.Match(20, 70, 20, 70)
        elsewhere = pan.Match(0, 90, 200, 290)
        assert pan.merged([one, other, elsewhere]) == [one, elsewhere, other]
        assert pan.merged([one, other, bridge, elsewhere]) == [pan.Match(0, 90, 0, 90), elsewhere]


class TestStress:
    def test_copies_lost_and_torn_are_counted(self) -> None:
        corpus = stress.copies(60)
        whole = oracle.findings(corpus)
        assert stress.spread(corpus, whole) == stress.Spread(60, 60, 1, 0)
        members = whole.passages[0].members
        torn = Findings([], [Passage(members[:30]), Passage(members[30:50])])
        assert stress.spread(corpus, torn) == stress.Spread(60, 30, 2, 10)
        assert stress.within_reach(corpus) == (60, 60)

    def test_a_line_many_times(self) -> None:
        corpus = stress.periodic(500, 2)
        text = corpus.text["periodic"]
        ((_, start, end),) = (item.spans[0] for item in corpus.items)
        assert len(set(text[start:end].split("\n"))) == 1
        assert text[start:end].count("\n") == 499
        assert [
            (count, named) for _, count, named in score.period_outcomes(corpus, oracle.findings(corpus))
        ] == [(1, True)]


def test_a_saved_result_is_read() -> None:
    member = {"document": "a", "start": 0, "end": 5, "similarity": None}
    result = {
        "document_clusters": [
            {
                "kind": "near",
                "members": [
                    {"document": "a", "jaccard": None, "containment": None},
                    {"document": "b", "jaccard": 0.9, "containment": 0.95},
                ],
            }
        ],
        "passage_clusters": [{"members": [member, member | {"start": 9, "end": 14}], "period": None}],
    }
    assert of_json(result) == Findings(
        [Copies("near", (Copy("a"), Copy("b", 0.9, 0.95)))], [Passage((Place("a", 0, 5), Place("a", 9, 14)))]
    )
