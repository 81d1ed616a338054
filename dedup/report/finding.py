"""What every format says of the gate's findings: which are shown, in which words, and how it ended.

Enters: a ``Verdict``. Leaves: findings with their ordinals, sentences, counts, the texts that they repeat.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from ..model import PassageCluster, PassageMember, Report
from ..verdict import DOCUMENT, NEW, PASSAGE, SUPPRESSED, Finding, Gate, Verdict
from . import place
from .excerpt import flat, marked, shortened
from .figures import count, percent
from .page import Piece


class Rule(NamedTuple):
    """A kind of finding, for people: its title, and what it means in a sentence."""

    title: str
    meaning: str


RULES = {
    DOCUMENT: Rule(
        "Duplicate document", "This document is a copy of another one, or one of the two contains the other."
    ),
    PASSAGE: Rule("Repeated passage", "This passage stands somewhere else, too, word for word or nearly so."),
}

_ABSOLUTE = re.compile(r"/|[A-Za-z]:[/\\]|\\\\")


class Shown(NamedTuple):
    """A finding, and which one it is (from 1) of those with its rule, path and fingerprint: the three name it."""

    finding: Finding
    ordinal: int


def shown(verdict: Verdict, *, known: bool = False, suppressed: bool = False) -> list[Shown]:
    """The findings that are new, and behind them those that are known or suppressed if these are asked for."""
    seen: Counter[tuple[str, str, str]] = Counter()
    new, others = [], []
    for finding in verdict.findings:
        key = finding.rule, portable(finding.path), finding.fingerprint
        seen[key] += 1
        if finding.status == NEW:
            new.append(Shown(finding, seen[key]))
        elif suppressed if finding.status == SUPPRESSED else known:
            others.append(Shown(finding, seen[key]))
    return new + others


def portable(path: str) -> str:
    """A path that is the same on every machine: of an absolute one its last part.

    >>> portable("docs/a.md"), portable("/home/me/docs/a.md"), portable("C:/docs/a.md")
    ('docs/a.md', 'a.md', 'a.md')
    """
    return re.split(r"[/\\]", path)[-1] if _ABSOLUTE.match(path) else path


def message(finding: Finding, show: Callable[[int, str], str] = lambda _, text: text, named: int = 1) -> str:
    """What the finding repeats, how long and how alike that is, and in how many more places it stands.

    So many places are ``named``; ``show`` writes the name of each, given its number in ``others`` and the name.
    """
    figures = [count(finding.tokens, "word")]
    if finding.similarity is not None:
        figures.append(f"{percent(finding.similarity)} alike")
    extent = f"({', '.join(figures)})"
    if not finding.others:
        return f"Repeats itself {extent}"
    verb = "Duplicates" if finding.rule == DOCUMENT else "Repeats"
    first, *rest = (show(number, place.name(other)) for number, other in enumerate(finding.others[:named]))
    said = f"{verb} {first} {extent}"
    if finding.all_others > 1:
        said += f" and {count(finding.all_others - 1, 'more place')}"
    if rest:
        left = finding.all_others - 1 - len(rest)
        said += f": {', '.join(rest)}" + (f" and {left:,} more" if left > 0 else "")
    return said


def hint(quote: str = "") -> str:
    """How to accept what is new, or leave a place out; what is to be typed stands between ``quote``."""
    accept, off, on, ignore = (
        f"{quote}{words}{quote}"
        for words in ("dedup check --update-baseline", "dedup: off", "dedup: on", "[[ignore]]")
    )
    return (
        f"To accept what is new: {accept}. To leave a place out: the comments {off} and {on} around it, or its "
        f"fingerprint under {ignore} in the configuration."
    )


def remedy(verdict: Verdict, quote: str = "") -> str:
    """What helps where the gate failed: a sentence or two for each of its reasons."""
    update = f"{quote}dedup check --update-baseline{quote}"
    helps = {
        "new copies": hint(quote),
        "text repeats": (
            f"What is accepted fails, too, with {quote}--fail-on any{quote}; {quote}--fail-on new{quote} lets it pass."
        ),
        "% may": (
            f"What is accepted or suppressed counts for {quote}--max-share{quote}, too: take copies out, leave files "
            f"out with {quote}--exclude{quote} or {quote}.dedupignore{quote}, or let more pass."
        ),
        "stale entries in the baseline": f"To drop what is stale: {update}.",
    }
    found = [help for end, help in helps.items() if any(reason.endswith(end) for reason in verdict.reasons)]
    return " ".join(found) or hint(quote)


def outcome(verdict: Verdict) -> str:
    """Whether the gate passed, and why not."""
    return "passed" if verdict.gate.passed else f"failed: {'; '.join(verdict.reasons) or 'no reason given'}"


def tally(gate: Gate) -> str:
    """The counts on one line: what is new always, the others where there are any.

    >>> tally(Gate(False, 2, 14, 0, 1, 3, 1))
    '2 new · 14 known · 1 edited · 3 suppressed · 1 stale'
    """
    others = ("known", "moved", "edited", "suppressed", "stale")
    parts = [f"{getattr(gate, status):,} {status}" for status in others if getattr(gate, status)]
    return " · ".join([f"{gate.new:,} new", *parts])


class Texts:
    """The texts of the passages in a report, found by the places that findings name."""

    def __init__(self, report: Report) -> None:
        self._clusters = {cluster.id: cluster for cluster in report.passage_clusters}
        self._members: dict[str, dict[str, list[PassageMember]]] = {}

    def excerpt(self, finding: Finding, *, color: bool) -> list[Piece]:
        """A passage's text, the words marked that differ from the first place it repeats; of a document nothing."""
        if finding.rule != PASSAGE:
            return []
        text, first = flat(finding.text), self._first(finding)
        return shortened(text) if first in (None, text) else marked(first, text, color=color)

    def _first(self, finding: Finding) -> str | None:
        """The text of the first of the other places; None where it is not to be had, or text that is periodic."""
        cluster = self._clusters.get(finding.cluster)
        if cluster is None or cluster.period is not None or not finding.others:
            return None
        first = finding.others[0]
        here = [
            member
            for member in self._of(cluster).get(first.document, ())
            if (member.source.archived is not None) == first.archived
            and (first.archived or (member.document, member.start) != (finding.document, finding.start))
        ]
        at_line = [member for member in here if first.line in (member.source.line, member.line)]
        return flat((at_line or here)[0].text) if here else None

    def _of(self, cluster: PassageCluster) -> dict[str, list[PassageMember]]:
        """The members of a cluster by document."""
        if cluster.id not in self._members:
            by_document = self._members[cluster.id] = {}
            for member in cluster.members:
                by_document.setdefault(member.document, []).append(member)
        return self._members[cluster.id]
