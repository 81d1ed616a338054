"""PAN text alignment: plagdet as the overview papers define it, over the PAN 2013 training corpus.

Enters: ``pairs.tsv`` (the pairs that count, by kind), ``truth.tsv`` (planted cases) and Findings.
Leaves: a Score for every kind and for all. Source: Potthast, Stein, Barrón-Cedeño and Rosso, "An Evaluation
Framework for Plagiarism Detection" (COLING 2010), used unchanged in the PAN 2012 to 2014 overviews.

S are the cases and R the detections, each a set of characters in a suspicious and in a source document; r
detects s if they share characters on both sides, and s ⊓ r are then the characters they share, of both sides.

    recall = mean over s of |∪_r (s ⊓ r)| / |s|        precision = mean over r of |∪_s (s ⊓ r)| / |r|
    granularity = mean, over the cases detected, of how many detections detect one
    plagdet = F1(precision, recall) / log2(1 + granularity)

*Detections*: every member of a passage cluster in a suspicious document with every member of it in a source,
for listed pairs; two documents of one document cluster, whole, or the part that holds the other. Detections of
one pair that overlap on both sides are merged into one. Kinds are scored on their own pairs; the pairs without a
case have no plagdet, only detections.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import NamedTuple

from .base import SHARED
from .findings import Findings
from .score import overlap, union

FOLDER = SHARED / "pan13_train"
KINDS = {
    "01-no-plagiarism": "no case",
    "02-no-obfuscation": "none",
    "03-random-obfuscation": "random",
    "04-translation-obfuscation": "translation",
    "05-summary-obfuscation": "summary",
}

Pair = tuple[str, str]


class Match(NamedTuple):
    """A case or a detection: [start, end) in the suspicious document and in the source."""

    start: int
    end: int
    source_start: int
    source_end: int

    def meets(self, other: Match) -> bool:
        """Whether the two share characters on both sides."""
        return (
            overlap(self.start, self.end, other.start, other.end) > 0
            and overlap(self.source_start, self.source_end, other.source_start, other.source_end) > 0
        )

    def size(self) -> int:
        """Characters of both sides."""
        return self.end - self.start + self.source_end - self.source_start


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one kind: counts of pairs, cases, detections, and the four measures."""

    pairs: int
    cases: int
    detections: int
    precision: float
    recall: float
    granularity: float

    @property
    def plagdet(self) -> float:
        """F1 / log2(1 + granularity)."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both / log2(1 + self.granularity) if both else 0.0


@dataclass(frozen=True)
class Task:
    """The listed pairs (suspicious, source) with their kind, and the cases of each."""

    kinds: dict[Pair, str]
    cases: dict[Pair, list[Match]]


def documents(folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """The corpus' documents, (id, text)."""
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield record["id"], record["text"]


def task(folder: Path = FOLDER) -> Task:
    """Reads the pairs and cases."""
    with (folder / "pairs.tsv").open(encoding="utf-8", newline="") as rows:
        kinds = {(row["doc1"], row["doc2"]): row["folder"] for row in csv.DictReader(rows, delimiter="\t")}
    cases: dict[Pair, list[Match]] = defaultdict(list)
    with (folder / "truth.tsv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            places = (int(row[name]) for name in ("start1", "end1", "start2", "end2"))
            cases[row["doc1"], row["doc2"]].append(Match(*places))
    return Task(kinds, dict(cases))


def detections(found: Findings, pairs: Iterable[Pair], lengths: dict[str, int]) -> dict[Pair, list[Match]]:
    """The detections of every listed pair, merged. ``lengths`` are the documents' code points."""
    sources: dict[str, set[str]] = defaultdict(set)
    for suspicious, source in pairs:
        sources[suspicious].add(source)
    raw: dict[Pair, list[Match]] = defaultdict(list)
    for members in clusters(found, lengths):
        for suspicious in members.keys() & sources.keys():
            for source in members.keys() & sources[suspicious]:
                raw[suspicious, source] += [
                    Match(*place, *other) for place in members[suspicious] for other in members[source]
                ]
    return {pair: merged(matches) for pair, matches in raw.items()}


def clusters(found: Findings, lengths: dict[str, int]) -> Iterator[dict[str, list[tuple[int, int]]]]:
    """Every cluster, of passages or of documents, as places by document.

    Copies of a document are whole documents; one that lies inside another is that part of the other.
    """
    for passage in found.passages:
        places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for member in passage.members:
            places[member.document].append((member.start, member.end))
        yield places
    for copies in found.documents:
        kept, *others = copies.members
        for copy in others:
            if copy.held is not None:
                yield {kept.document: [copy.held], copy.document: [(0, lengths[copy.document])]}
        if copies.kind != "contained":
            yield {copy.document: [(0, lengths[copy.document])] for copy in copies.members}


def merged(matches: Iterable[Match]) -> list[Match]:
    """The same matches, those that overlap on both sides joined into one that spans them, until none does."""
    waiting = sorted(set(matches))
    apart: list[Match] = []  # no two of these meet
    while waiting:
        match = waiting.pop()
        touching = [other for other in apart if match.meets(other)]
        if touching:
            apart = [other for other in apart if not match.meets(other)]
            waiting.append(span_of((match, *touching)))
        else:
            apart.append(match)
    return sorted(apart)


def span_of(matches: Iterable[Match]) -> Match:
    """The match from the first beginning to the last end, on both sides."""
    starts, ends, source_starts, source_ends = zip(*matches, strict=True)
    return Match(min(starts), max(ends), min(source_starts), max(source_ends))


def share_covered(match: Match, others: Iterable[Match]) -> float:
    """The share of a match's characters, of both sides, that the others meeting it cover."""
    meeting = [other for other in others if match.meets(other)]
    covered = 0
    for start, end, side in ((match.start, match.end, 0), (match.source_start, match.source_end, 2)):
        places = union((other[side], other[side + 1]) for other in meeting)
        covered += sum(overlap(start, end, *place) for place in places)
    return covered / match.size()


def score(pairs: Iterable[Pair], cases: dict[Pair, list[Match]], found: dict[Pair, list[Match]]) -> Score:
    """The figures over some of the pairs."""
    listed = list(pairs)
    recalls: list[float] = []
    precisions: list[float] = []
    detectors: list[int] = []
    for pair in listed:
        meant, reported = cases.get(pair, []), found.get(pair, [])
        recalls += [share_covered(case, reported) for case in meant]
        precisions += [share_covered(detection, meant) for detection in reported]
        detectors += [sum(case.meets(detection) for detection in reported) for case in meant]
    detected = [count for count in detectors if count]
    return Score(
        len(listed),
        len(recalls),
        len(precisions),
        sum(precisions) / len(precisions) if precisions else 0.0,
        sum(recalls) / len(recalls) if recalls else 0.0,
        sum(detected) / len(detected) if detected else 1.0,
    )


def scores(plan: Task, found: Findings, lengths: dict[str, int]) -> dict[str, Score]:
    """The figures of every kind, and of all pairs."""
    reported = detections(found, plan.kinds, lengths)
    results = {
        name: score((pair for pair, kind in plan.kinds.items() if kind == folder), plan.cases, reported)
        for folder, name in KINDS.items()
    }
    return results | {"all": score(plan.kinds, plan.cases, reported)}
