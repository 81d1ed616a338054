"""The order of things once documents are read: reads as the algorithm (docs/algorithm.md gives its steps and reasons).

Enters: the documents collected. Leaves: the ``Report`` on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from . import band, cluster, kernel, match, passages, result, sketch, star, text
from .collect import Collector
from .kernel.types import Array, ContainedParameters
from .model import EmptyDocument, Estimate, Report, Settings, Skipped, Summary


class Found(NamedTuple):
    """What the stages found."""

    stars: list[star.Star]
    stretches: dict[tuple[int, int], tuple[int, int]]
    clusters: list[cluster.Members]
    periods: Array


def compared(
    collector: Collector,
    skipped: list[Skipped],
    settings: Settings,
    tell: Callable[[str, int, int | None], None],
    archive: text.Archive | None = None,
) -> Report:
    """The report on all documents collected, and on what was skipped; compared with those of an ``archive``, too."""
    corpus = text.corpus(collector, settings.documents)
    only = archive is not None and archive.alone
    asked, estimates = np.zeros((0, 2), "i8"), None
    if archive is not None:
        tell("asking the index", 0, None)
        guesses = archive.guesses(corpus.tokens, corpus.offsets)
        if guesses is None:
            corpus, asked = _with_others(archive, collector, corpus, settings.documents)
        else:
            estimates = _estimates(archive, corpus, guesses)
    collector.lots.clear()  # their tokens stand in the corpus
    found = Found([], {}, [], np.zeros((0, 5), "i8"))
    if settings.documents:
        tell("comparing documents", 0, None)
        matches = _document_matches(corpus, settings, asked, only)
        read = frozenset(np.flatnonzero(corpus.read_holders()).tolist())
        stars = star.document_stars(matches, settings.threshold, corpus.archived, read)
        found = found._replace(stars=stars)
    if settings.passages:
        tell("looking for passages", 0, None)
        found = found._replace(stretches=_stretches(corpus, found.stars, settings))
        repeats = _repeats(corpus, found, settings)
        tell("grouping passages", 0, None)
        clusters = _clusters(corpus, repeats.pairs, settings)
        found = found._replace(clusters=clusters, periods=repeats.periods)
    tell("writing the report", 0, None)
    if only:
        found = _with_archived(found, corpus)
    report = _report(corpus, skipped, found, settings, only)
    return report if estimates is None else replace(report, estimates=estimates)


def _with_others(
    archive: text.Archive, collector: Collector, corpus: text.Corpus, distinct: bool
) -> tuple[text.Corpus, Array]:
    """The corpus with archived documents that are worth a comparison, and with which texts they are: int64 (n, 2), the
    longer first. Of what was read and is archived itself, not that, unless nothing else is asked for."""
    read = _read_again(archive, corpus)
    found = archive.near(corpus.tokens, corpus.offsets)
    others = np.array([(one.id, one.source.path) not in read for one in found.documents], bool)
    new, archived = found.pairs[others[found.pairs[:, 1]]].T
    documents = np.stack([
        np.array([holders[0] for holders in corpus.holders], "i8")[new],
        collector.documents.read + np.cumsum(others)[archived] - 1,
    ])  # fmt: skip
    collector.archived([one for one, is_other in zip(found.documents, others, strict=True) if is_other])
    whole = text.corpus(collector, distinct)
    texts = np.zeros(len(whole.documents), "i8")
    for number, holders in enumerate(whole.holders):
        texts[list(holders)] = number
    first, second = np.sort(texts[documents], axis=0)
    keys = np.unique((first << 32 | second)[first < second])  # the others are equal
    return whole, np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1)


def _estimates(archive: text.Archive, corpus: text.Corpus, guesses: list[text.Guess]) -> tuple[Estimate, ...]:
    """What the archive seems to hold of what was read; of this itself as in :func:`_others`."""
    read = _read_again(archive, corpus)
    others = (guess for guess in guesses if (guess.archived, guess.source.path) not in read)
    return result.estimates(corpus, others)


def _read_again(archive: text.Archive, corpus: text.Corpus) -> set[tuple[str, str | None]]:
    """The ids and paths of documents that are not asked for, since they were read."""
    documents = corpus.documents
    pairs = zip(documents.ids, documents.sources, strict=True)
    return set() if archive.alone else {(document, source.path) for document, source in pairs}


def _with_archived(found: Found, corpus: text.Corpus) -> Found:
    """Of what was found, that in which an archived text takes part."""
    archived = corpus.archived
    stars = [
        one
        for one in found.stars
        if not archived.isdisjoint((one.kept, *(copy.text for copy in (*one.near, *one.contained))))
    ]
    owners = np.searchsorted(corpus.offsets, [c.first[0] for c in found.clusters], side="right") - 1
    clusters = [c for c, owner in zip(found.clusters, owners.tolist(), strict=True) if owner in archived]
    text_of, unit_of = found.periods[:, 0], found.periods[:, 4]
    periods = found.periods[np.isin(unit_of, unit_of[np.isin(text_of, list(archived))])]
    return found._replace(stars=stars, clusters=clusters, periods=periods)


def _document_matches(
    corpus: text.Corpus, settings: Settings, asked: Array, only: bool = False
) -> match.DocumentMatches:
    """Near copies first; only what is not one is looked for inside longer texts. What an archive was ``asked`` for is
    compared however many are like it. Where ``only`` that is wanted, new texts are not compared with each other: what
    is told of one does not hang on the others."""
    tokens, offsets, ngram, jobs = corpus.tokens, corpus.offsets, settings.ngram, settings.jobs
    preferred = corpus.archived

    def compared(pairs: Array) -> match.DocumentMatches:
        if only:
            pairs = pairs[np.isin(pairs, list(preferred)).any(axis=1)]
        return match.documents(tokens, offsets, ngram, pairs, settings.threshold, settings.min_tokens, jobs)

    signatures, smallest = sketch.sign(tokens, offsets, ngram, settings.num_perm, settings.seed, jobs)
    tried = band.near_pairs(signatures.values, settings.threshold, jobs)
    asked = band.likely(tokens, offsets, ngram, asked, settings.threshold, jobs)
    near = compared(tried).joined(compared(asked))
    for _ in range(ROUNDS):
        links = star.missing_links(near, tried, settings.threshold, preferred)
        if not len(links):
            break
        tried = np.concatenate([tried, links])
        near = near.joined(compared(links))
    sought = np.ones(len(corpus.holders), bool)
    sought[star.copies(near.pairs[near.jaccard >= settings.threshold], preferred)] = False
    parameters = ContainedParameters(ngram, settings.min_tokens)
    candidates = band.contained_pairs(tokens, offsets, smallest, sought, parameters, settings.threshold, jobs)
    matches = near.joined(compared(candidates))
    return matches.joined(compared(star.copies_of_contained(matches, settings.threshold, preferred)))


#: Rounds in which a kept text is compared with the others that near copies connect with it.
ROUNDS = 20

#: Copies of a kept text that take part in the search for passages with all their words.
FULL_COPIES = 8


def _stretches(
    corpus: text.Corpus, stars: list[star.Star], settings: Settings
) -> dict[tuple[int, int], tuple[int, int]]:
    """Where contained texts lie in one piece."""
    held = sorted((one.kept, copy.text) for one in stars for copy in one.contained)
    return passages.inside(
        corpus.tokens, corpus.offsets, np.array(held, "i8").reshape(-1, 2),
        (settings.passage_similarity, settings.min_tokens), settings.jobs,
    )  # fmt: skip


def _repeats(corpus: text.Corpus, found: Found, settings: Settings) -> passages.Repeats:
    """Passages beyond those that lie inside copies of each other.

    Of many copies of one text the first few take part whole, the others with the words that are their own. Two
    copies of one kept text are compared by their own words only. A text that lies in another in scattered
    pieces is compared with it: its pieces are passages.
    """
    families = np.full(len(corpus.holders), -1, "i4")
    reported, crowd = [], []
    for one in found.stars:
        copies = [copy.text for copy in one.near]
        copies += [copy.text for copy in one.contained if (one.kept, copy.text) in found.stretches]
        reported += [(one.kept, copy) for copy in copies]
        crowd += copies[FULL_COPIES:]
        for copy in copies:
            if families[copy] < 0:
                families[one.kept] = families[copy] = one.kept
    pairs = np.array(reported, "i8").reshape(-1, 2)
    known = kernel.explained(corpus.tokens, corpus.offsets, settings.ngram, pairs, settings.jobs)
    wanted = (settings.passage_similarity, settings.min_tokens)
    siblings = passages.among_copies(corpus.tokens, corpus.offsets, families, known, wanted, settings.jobs)
    for copy in {copy for _, copy in reported}.difference(crowd):
        known[corpus.offsets[copy] : corpus.offsets[copy + 1]] = False
    repeats = passages.find(corpus.tokens, corpus.offsets, families, known, wanted, settings.jobs)
    repeats = repeats.without(np.sort(pairs, axis=1))
    return repeats._replace(pairs=np.concatenate([repeats.pairs, siblings]))


def _clusters(corpus: text.Corpus, pairs: Array, settings: Settings) -> list[cluster.Members]:
    """Clusters of passages; for the frequent ones every text is asked once more."""
    tokens, similarity, jobs = corpus.tokens, settings.passage_similarity, settings.jobs
    clusters = cluster.passage_clusters(tokens, pairs, similarity, jobs)
    frequent = [i for i, found in enumerate(clusters) if len(found.others) >= passages.CAP]
    if frequent:
        taken = np.zeros(len(tokens), bool)
        for i in frequent:
            for start, end in cluster.spans(clusters[i]):
                taken[start:end] = True
        firsts = np.array([clusters[i].first for i in frequent], "i8")
        more = passages.more_copies(
            tokens, corpus.offsets, firsts, taken, (similarity, settings.min_tokens), jobs
        )
        clusters = cluster.with_more(tokens, clusters, frequent, more, similarity, jobs)
    clusters = cluster.merged(tokens, clusters)
    if corpus.archived:
        preferred = np.zeros(len(tokens), bool)
        for archived in corpus.archived:
            preferred[corpus.offsets[archived] : corpus.offsets[archived + 1]] = True
        clusters = cluster.led_by(tokens, clusters, preferred, similarity, jobs)
    return cluster.without_parts(clusters)


def _report(
    corpus: text.Corpus, skipped: list[Skipped], found: Found, settings: Settings, only: bool = False
) -> Report:
    documents = corpus.documents
    document_clusters = result.of_today(
        result.document_clusters(corpus, found.stars, found.stretches, settings.jobs), only
    )
    passage_clusters = result.of_today(
        result.passage_clusters(corpus, found.clusters, found.periods, settings.jobs)
    )
    tokens = int((corpus.lengths * corpus.read_holders()).sum())
    copies = result.copies(corpus, found.stars, only)
    repeated = result.repeated_tokens(corpus, copies, found.clusters, found.periods)
    summary = Summary(
        documents=documents.read,
        skipped=len(skipped),
        empty=len(corpus.empty),
        characters=documents.characters,
        tokens=tokens,
        duplicate_documents=int(copies.documents.sum()),
        document_clusters=len(document_clusters),
        passage_clusters=len(passage_clusters),
        repeated_tokens=repeated,
        repeated_share=repeated / tokens if tokens else 0.0,
    )
    empty = tuple(EmptyDocument(documents.ids[i], documents.sources[i]) for i in corpus.empty)
    return Report(settings, summary, tuple(skipped), empty, document_clusters, passage_clusters)
