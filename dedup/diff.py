"""Two documents beside each other: what a scan of the two would say, and why.

Enters: two documents and settings. Leaves: a :class:`dedup.comparison.Comparison`. The stages are those of the
pipeline, asked one by one, so that each can tell what it made of the pair.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from . import band, kernel, pipeline, sketch, text
from .collect import Collector
from .comparison import (
    CONTAINED,
    DIFFERENT,
    EXACT,
    NEAR,
    Comparison,
    Search,
    SharedMember,
    SharedPassage,
    Side,
)
from .errors import InputError
from .kernel.types import Array, ContainedParameters
from .model import Document, Settings

Pair = tuple[Document, Document]


def compare(first: str | Document, second: str | Document, /, **settings: Any) -> Comparison:
    """Two texts, compared as :func:`dedup.scan` compares the documents of a corpus of two.

    ``settings`` are the fields of :class:`Settings`. Raises SettingsError for a setting out of range and InputError for
    what is no text.

    >>> found = compare("it rained in May", "It rained, in May!")
    >>> found.relation, found.jaccard, found.is_same_words
    ('near', 1.0, True)
    """
    return compared((_document(first, "A"), _document(second, "B")), Settings.of(settings))


def _document(given: str | Document, name: str) -> Document:
    if isinstance(given, Document):
        return given
    if not isinstance(given, str):
        raise InputError(f"document {name} is {type(given).__name__}; expected str or Document")
    return Document(name, given)


def compared(documents: Pair, settings: Settings) -> Comparison:
    """The comparison of two documents. Time is about linear in the texts."""
    corpus = _corpus(documents, settings.jobs)
    place = {side: i for i, holders in enumerate(corpus.holders) for side in holders}
    lengths = corpus.lengths.tolist()
    flat, at = kernel.shingles(corpus.tokens, corpus.offsets, settings.ngram, settings.jobs)
    shingles = [flat[at[place[side]] : at[place[side] + 1]] if side in place else flat[:0] for side in (0, 1)]
    shared = len(np.intersect1d(shingles[0], shingles[1], assume_unique=True))
    distinct = len(shingles[0]) + len(shingles[1]) - shared
    jaccard = shared / distinct if distinct else None
    search = _search(corpus, settings, jaccard) if jaccard is not None and len(lengths) == 2 else None
    relation = _relation(search, jaccard, shared, shingles, place, settings.threshold)
    passages = _passages(documents, settings) if settings.passages else ()
    longer = corpus.holders[0][0] if corpus.holders else 0
    return Comparison(
        settings=settings,
        sides=(
            _side(0, documents[0], lengths[place[0]] if 0 in place else 0, shingles[0], shared, passages),
            _side(1, documents[1], lengths[place[1]] if 1 in place else 0, shingles[1], shared, passages),
        ),
        relation=relation if settings.documents else None,
        kept=longer if settings.documents and relation != DIFFERENT else None,
        longer=longer,
        shared_shingles=shared,
        distinct_shingles=distinct,
        jaccard=jaccard,
        is_same_words=_is_same(corpus),
        search=search,
        passages=passages,
    )


def _corpus(documents: Pair, jobs: int) -> text.Corpus:
    collector = Collector(jobs)
    for document in documents:
        collector.add(document)
    return text.corpus(collector, distinct=True)


def _is_same(corpus: text.Corpus) -> bool:
    """Whether the words of both are the same, in their order."""
    if len(corpus.holders) < 2:
        return len(corpus.empty) != 1
    middle = int(corpus.offsets[1])
    return np.array_equal(corpus.tokens[:middle], corpus.tokens[middle:])


def _search(corpus: text.Corpus, settings: Settings, jaccard: float) -> Search:
    """What the bands and the probes make of the two texts, the longer of which stands first."""
    tokens, offsets, jobs = corpus.tokens, corpus.offsets, settings.jobs
    signatures, smallest = sketch.sign(
        tokens, offsets, settings.ngram, settings.num_perm, settings.seed, jobs
    )
    bands, rows = band.shape(settings.threshold, settings.num_perm)
    first, second = signatures.values[:, : bands * rows].reshape(2, bands, rows)
    shingles, at = kernel.shingles(tokens, offsets, settings.ngram, jobs)
    probes = np.intersect1d(smallest[1], shingles[at[1] :])
    parameters = ContainedParameters(settings.ngram, settings.min_tokens)
    return Search(
        bands,
        rows,
        bands_agreeing=int((first == second).all(axis=1).sum()),
        chance=1 - (1 - jaccard**rows) ** bands,
        estimated_jaccard=signatures.estimated_jaccard(0, 1),
        is_sought=int(corpus.lengths[1]) >= parameters.minimum,
        probes=len(probes),
        probes_held=int(np.isin(probes, shingles[: at[1]]).sum()),
        probes_needed=min(parameters.needed, (len(probes) + 1) // 2),
    )


def _relation(
    search: Search | None,
    jaccard: float | None,
    shared: int,
    shingles: list[Array],
    place: dict[int, int],
    threshold: float,
) -> str:
    """What a scan would call the two: a candidate whose exact figures reach the threshold."""
    if search is None or jaccard is None:
        return EXACT if len(place) == 2 else DIFFERENT
    shorter = 0 if place[0] == 1 else 1
    if not search.is_candidate:
        return DIFFERENT
    if jaccard >= threshold:
        return NEAR
    is_inside = search.is_sought and shared / len(shingles[shorter]) >= threshold
    return CONTAINED if is_inside else DIFFERENT


def _passages(documents: Pair, settings: Settings) -> tuple[SharedPassage, ...]:
    """The passages with places in both, whether the documents are copies or not."""
    named = [Document(str(side), document.text) for side, document in enumerate(documents)]
    found = pipeline.run(named, replace(settings, documents=False)).passage_clusters
    return tuple(
        SharedPassage(
            cluster.id,
            cluster.tokens,
            cluster.similarity,
            cluster.period,
            tuple(
                SharedMember(
                    int(m.document), m.start, m.end, m.line, m.end_line, m.similarity, m.text, m.copies
                )
                for m in cluster.members
            ),
        )
        for cluster in found
        if len({member.document for member in cluster.members}) == 2
    )


def _side(
    side: int,
    document: Document,
    tokens: int,
    shingles: Array,
    shared: int,
    passages: Iterable[SharedPassage],
) -> Side:
    return Side(
        document.id,
        document.source,
        len(document.text),
        tokens,
        len(shingles),
        _covered(document.text, [m for passage in passages for m in passage.members if m.side == side]),
        shared / len(shingles) if len(shingles) else None,
    )


def _covered(text: str, members: list[SharedMember]) -> int:
    """Tokens of a text that lie in the members."""
    if not members:
        return 0
    starts = kernel.tokenise([text], spans=True).starts
    marks = np.zeros(len(starts), bool)
    for member in members:
        marks[slice(*np.searchsorted(starts, (member.start, member.end)))] = True
    return int(marks.sum())
