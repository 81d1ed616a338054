"""Two hard cases: one line many times over, and thousands of edited copies of one passage.

Enters: sizes and a seed. Leaves: a Corpus of made-up text. A periodic text tempts a scan into reporting every
line against every other; thousands of copies, each edited apart, tempt it into losing some or into many
clusters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from . import pseudo
from .corpus import Corpus, Item, Span
from .dice import Dice
from .edits import edit
from .findings import Findings
from .score import COVER, Index, overlap
from .tokens import similarity, tokenise


def periodic(copies: int = 500, others: int = 20, seed: int = 1) -> Corpus:
    """One document that repeats a line, its own text before and after it, among ordinary ones."""
    articles = pseudo.articles("en", seed, 300, 600)
    dice = Dice(f"periodic {seed}")
    speech = pseudo.language("en")
    line = " ".join(speech.word(dice) for _ in range(11))
    block = "\n".join([line] * copies)
    before, after = next(articles), next(articles)
    documents = [(f"other-{number}", next(articles)) for number in range(others)]
    documents.append(("periodic", f"{before}\n\n{block}\n\n{after}"))
    start = len(before) + 2
    item = Item("period", "en", (Span("periodic", start, start + len(block)),), copies=copies)
    return Corpus(documents, [item], dict.fromkeys((document for document, _ in documents), "en"))


def copies(
    count: int = 5000,
    length: int = 40,
    rate: float = 0.15,
    seed: int = 1,
    even: bool = True,
    language: str = "en",
) -> Corpus:
    """``count`` documents of 40 to 120 words (Zipf), each with an edited copy of one passage in the middle.

    ``even`` copies all have ``rate * length`` edits; otherwise each token is edited with that chance, and
    some copies differ from each other beyond any threshold.
    """
    dice = Dice(f"copies {seed}")
    speech = pseudo.language(language)
    passage = speech.gap.join(words(speech, length, dice))
    documents: list[tuple[str, str]] = []
    spans: list[Span] = []
    for number in range(count):
        edits = round(rate * length) if even else sum(dice.chance() < rate for _ in range(length))
        copy = edit(passage, edits, lambda: speech.word(dice), speech.gap, dice)
        before = speech.gap.join(words(speech, dice.between(20, 60), dice)) + speech.gap
        after = speech.gap + speech.gap.join(words(speech, dice.between(20, 60), dice))
        document = f"copy-{number:05d}"
        documents.append((document, before + copy + after))
        spans.append(Span(document, len(before), len(before) + len(copy)))
    item = Item("boilerplate", language, tuple(spans), rate=rate)
    return Corpus(documents, [item], dict.fromkeys((document for document, _ in documents), language))


def words(speech: pseudo.Language, count: int, dice: Dice) -> Iterator[str]:
    """Words drawn one by one, by frequency; single characters in scripts without spaces."""
    if speech.gap:
        return (speech.word(dice) for _ in range(count))
    return (dice.pick(speech.word(dice)) for _ in range(count))


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the copies of one passage ended up: in the largest cluster, in how many clusters, in none."""

    copies: int
    largest: int
    clusters: int
    lost: int


def spread(corpus: Corpus, found: Findings) -> Spread:
    """Looks for every copy in the reported clusters: a member that covers half of it holds it."""
    (item,) = corpus.items
    index = Index(found)
    held: Counter[int] = Counter()
    lost = 0
    for span in item.spans:
        holding = {
            cluster
            for start, end, cluster, _ in index.touching(span)
            if overlap(span.start, span.end, start, end) >= COVER * (span.end - span.start)
        }
        held.update(holding)
        lost += not holding
    return Spread(len(item.spans), max(held.values(), default=0), len(held), lost)


def within_reach(corpus: Corpus, threshold: float = 0.7, leaders: int = 20) -> tuple[int, int]:
    """How many copies reach the threshold against one of them: (against a middling one, the best one).

    Among the first ``leaders`` copies tried. A cluster whose members are each verified against its first one
    can hold no more (unless a span that runs over helps): the floor must lie below the best.
    """
    (item,) = corpus.items
    texts = [tokenise(corpus.text[span.document][span.start : span.end]).words for span in item.spans]
    reached = sorted(
        sum(similarity(texts[leader], text) >= threshold for text in texts) for leader in range(leaders)
    )
    return reached[len(reached) // 2], reached[-1]
