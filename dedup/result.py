"""From clusters of token positions to a report about texts: names, places, lines, counts.

Enters: a corpus and what was found in it. Leaves: the tuples of a :class:`dedup.model.Report`. The places of
tokens in a text are computed again for the texts that need it: cheaper than holding them for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from itertools import chain, pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np

from . import kernel
from .cluster import Members
from .kernel.types import Array
from .model import DocumentCluster, DocumentMember, Estimate, PassageCluster, PassageMember
from .star import Star
from .text import Corpus, Guess, version

Span = tuple[int, int]

BATCH = 1 << 22  # tokens of the texts that are held and looked at together


def fingerprint(tokens: Array, relation: str = "") -> str:
    """16 hexadecimal digits for a token sequence: the same wherever it stands and however it is wrapped."""
    values = np.ascontiguousarray(tokens, "<u4").tobytes()
    return blake2b(values, digest_size=8, person=relation.encode()).hexdigest()


# ---- documents -------------------------------------------------------------------------------------------------


def document_clusters(
    corpus: Corpus, stars: Iterable[Star], stretches: Mapping[tuple[int, int], Span], jobs: int = 0
) -> tuple[DocumentCluster, ...]:
    """Clusters of documents, the largest first: for each kept document its copies, and what lies inside it.

    ``stretches`` gives the tokens of a kept text that hold a contained one, by both.
    """
    by_text = {star.kept: star for star in stars}
    near = {copy.text for star in by_text.values() for copy in star.near}
    places = _places(corpus, stretches.values(), jobs)
    several = [text for text, holders in enumerate(corpus.holders) if len(holders) > 1]
    is_asked = corpus.documents.read < len(corpus.documents)
    clusters = []
    for text in sorted({*by_text, *several}):
        star, holders = by_text.get(text) or Star(text, [], []), corpus.holders[text]
        equal: list[tuple[int, tuple[Any, ...]]] = [(holder, (1.0, 1.0)) for holder in holders[1:]]
        same = equal if star.near or text not in near else []
        others = [(h, (c.jaccard, c.containment)) for c in star.near for h in corpus.holders[c.text]]
        if same or others:
            clusters.append(_document_cluster(corpus, text, "near" if others else "exact", same + others))
        if star.contained:
            inside = list(equal) if is_asked else []  # they are to stand with what is archived, too
            for copy in star.contained:
                place = places[stretches[text, copy.text]][:3] if (text, copy.text) in stretches else ()
                inside += [(h, (copy.jaccard, copy.containment, *place)) for h in corpus.holders[copy.text]]
            clusters.append(_document_cluster(corpus, text, "contained", inside))
    return tuple(sorted(clusters, key=lambda c: (-len(c.members), c.id, c.kind)))


def _document_cluster(
    corpus: Corpus, text: int, kind: str, others: list[tuple[int, tuple[Any, ...]]]
) -> DocumentCluster:
    ids, sources, kept = corpus.documents.ids, corpus.documents.sources, corpus.holders[text][0]
    members = [DocumentMember(ids[kept], sources[kept])]
    others.sort(key=lambda other: (other[0] < corpus.documents.read, other))  # archived ones first
    members += [DocumentMember(ids[holder], sources[holder], *figures) for holder, figures in others]
    tokens = corpus.tokens[corpus.offsets[text] : corpus.offsets[text + 1]]
    relation = "contained" if kind == "contained" else ""  # a text may have copies and hold others
    return DocumentCluster(fingerprint(tokens, relation), kind, ids[kept], tuple(members))


# ---- passages --------------------------------------------------------------------------------------------------


def passage_clusters(
    corpus: Corpus, clusters: list[Members], periods: Array, jobs: int = 0
) -> tuple[PassageCluster, ...]:
    """Clusters of passages, those that repeat most text first."""
    tandems = list(_tandems(periods))
    spans = [span for c in clusters for span in (c.first, *(s for s, _ in c.others))]
    spans += [span for _, runs in tandems for span in runs]
    places = _places(corpus, spans, jobs)
    ranked = []
    for cluster in clusters:
        found = [(cluster.first, 1.0, 1), *[(span, figure, 1) for span, figure in cluster.others]]
        ranked.append((_repeated(cluster), _passage_cluster(corpus, places, found, None)))
    for period, runs in tandems:
        holders = {run: corpus.holders[places[run][4]][0] for run in runs}
        runs.sort(key=lambda run: (holders[run] < corpus.documents.read, holders[run]))  # archived ones first
        found = [(run, 1.0, (run[1] - run[0]) // period) for run in runs]
        repeated = sum(end - start for start, end in runs) - period
        ranked.append((repeated, _passage_cluster(corpus, places, found, period)))
    ranked.sort(key=lambda r: (-r[0], r[1].id, r[1].members[0].document, r[1].members[0].start))
    return tuple(cluster for _, cluster in ranked)


def _repeated(cluster: Members) -> int:
    return sum(end - start for (start, end), _ in cluster.others)


def _tandems(periods: Array) -> Iterator[tuple[int, list[Span]]]:
    """Periodic text, grouped by what repeats: the period and the runs."""
    groups: dict[int, tuple[int, list[Span]]] = {}
    for _, start, end, period, unit in periods.tolist():
        groups.setdefault(unit, (period, []))[1].append((start, end))
    return iter(groups.values())


Place = tuple[int, int, int, int, int]  # start and end in code points, the lines of both, the text


def _places(corpus: Corpus, spans: Iterable[Span], jobs: int) -> dict[Span, Place]:
    """Where spans of tokens stand in their texts."""
    distinct = sorted(set(spans))
    ends = np.fromiter(chain.from_iterable(distinct), "i8").reshape(-1, 2)
    owners = np.searchsorted(corpus.offsets, ends[:, 0], side="right") - 1
    ends -= corpus.offsets[owners][:, None]
    places: dict[Span, Place] = {}
    bounds = [*np.flatnonzero(np.diff(owners, prepend=-1)).tolist(), len(distinct)]
    for first, last in _batches(corpus, owners[bounds[:-1]].tolist()):
        here = np.array(bounds[first : last + 1])
        texts = [corpus.text(text) for text in owners[here[:-1]].tolist()]
        rows = kernel.locate(texts, here - here[0], ends[here[0] : here[-1]], jobs)
        named = zip(*rows.T.tolist(), owners[here[0] : here[-1]].tolist(), strict=True)
        places.update(zip(distinct[here[0] : here[-1]], named, strict=True))
    return places


def _batches(corpus: Corpus, texts: list[int]) -> Iterator[tuple[int, int]]:
    """Ranges of the texts, of about BATCH tokens each."""
    sizes = np.cumsum(corpus.lengths[texts]) // BATCH
    cuts = np.flatnonzero(np.diff(sizes)) + 1
    return pairwise([0, *cuts.tolist(), len(texts)]) if texts else iter(())


#: Documents with one and the same text that are named as places of a passage in it. Of more, the cluster of the
#: documents tells.
EQUAL_TEXTS = 8

Found = tuple[Span, float, int]  # a span of tokens, its similarity to the first, its copies


def _passage_cluster(
    corpus: Corpus, places: dict[Span, Place], found: list[Found], period: int | None
) -> PassageCluster:
    """The places of a passage: the first as it is, the others in the order of the input."""
    documents, first = corpus.documents, found[0][0]
    members = [
        (holder, span, figure, copies, places[span])
        for span, figure, copies in found
        for holder in corpus.holders[places[span][4]][:EQUAL_TEXTS]
    ]
    members[1:] = sorted(members[1:], key=lambda member: (member[0] < documents.read, member))
    out: list[PassageMember] = []
    lowest = 1.0
    for holder, _, figure, copies, (start, end, line, end_line, _) in members:
        similarity = figure if out else None
        lowest = min(lowest, figure)
        text = documents.text(holder)[start:end]
        out.append(
            PassageMember(
                documents.ids[holder],
                documents.sources[holder],
                start,
                end,
                line,
                end_line,
                similarity,
                text,
                copies,
            )
        )
    tokens = corpus.tokens[first[0] : first[0] + period] if period else corpus.tokens[slice(*first)]
    return PassageCluster(fingerprint(tokens), first[1] - first[0], lowest, period, tuple(out))


AnyCluster = TypeVar("AnyCluster", DocumentCluster, PassageCluster)


def of_today(clusters: Iterable[AnyCluster], only: bool = False) -> tuple[AnyCluster, ...]:
    """Clusters without those that archived documents have among themselves, and ``only`` those with one of these.

    Their ids are all different: a second one of the same words gets a number.
    """
    found: list[AnyCluster] = []
    seen: Counter[str] = Counter()
    for c in clusters:
        archived = sum(member.source.archived is not None for member in c.members)
        if archived < len(c.members) and (archived or not only):
            seen[c.id] += 1
            found.append(c if seen[c.id] == 1 else replace(c, id=f"{c.id}-{seen[c.id]}"))
    return tuple(found)


def estimates(corpus: Corpus, guesses: Iterable[Guess]) -> tuple[Estimate, ...]:
    """What an index without texts seems to hold of each document, in the order of the input."""
    found = []
    for guess in guesses:
        whole = corpus.text(guess.text)
        span: tuple[int | None, int | None] = (None, None)
        if guess.jaccard is None:
            places = kernel.locate([whole], np.array([0, 1]), np.array([[guess.start, guess.end]]))
            span = int(places[0, 0]), int(places[0, 1])
        identical = version(whole).hex() == guess.source.archived
        for holder in corpus.holders[guess.text]:
            name = corpus.documents.ids[holder], corpus.documents.sources[holder]
            jaccard = 1.0 if identical else guess.jaccard
            found.append((holder, Estimate(*name, guess.archived, guess.source, identical, jaccard, *span)))
    return tuple(estimate for _, estimate in sorted(found, key=lambda item: item[0]))


# ---- counts ----------------------------------------------------------------------------------------------------


class Copies(NamedTuple):
    """Of each text how many documents that were read are copies with it (int64), and whether all are that have it."""

    documents: Array
    is_copy: Array


def copies(corpus: Corpus, stars: Iterable[Star], only: bool = False) -> Copies:
    """Copies of whatever kind, or ``only`` of archived documents, which do not count themselves."""
    texts = {copy.text for star in stars for copy in (*star.near, *star.contained)} | corpus.archived
    is_copy = np.zeros(len(corpus.holders), bool)
    is_copy[list(texts)] = True
    read = corpus.read_holders()
    return Copies(np.where(is_copy, read, 0 if only else np.maximum(read - 1, 0)), is_copy)


def repeated_tokens(corpus: Corpus, copies: Copies, clusters: list[Members], periods: Array) -> int:
    """Tokens that lie in copies: whole copies of documents, and all members of a passage but its first."""
    total = int((corpus.lengths * copies.documents).sum())
    spans = [span for cluster in clusters for span, _ in cluster.others]
    spans += [(start + period, end) for _, start, end, period, _ in periods.tolist()]
    whole = np.stack([corpus.offsets[:-1], corpus.offsets[1:]], 1)[copies.is_copy]
    parts = np.fromiter(chain.from_iterable(spans), "i8").reshape(-1, 2)
    return total + _union(np.concatenate([parts, whole])) - _union(whole)


def _union(spans: Array) -> int:
    """Tokens that lie in any of the spans, int64 (n, 2)."""
    starts, ends = spans[np.argsort(spans[:, 0])].T
    reach = np.maximum.accumulate(np.append(0, ends))
    return int(np.maximum(ends - np.maximum(starts, reach[:-1]), 0).sum())
