"""A report seen through a baseline: every place that repeats something, and what is known of it.

Enters: a report, the texts, a baseline, suppressions, what version control says of lines. Leaves: a
:class:`Survey`, which gives a verdict, and the baseline that would accept everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import SettingsError
from ..kernel.types import Array
from ..model import Report
from ..read import Options
from ..read.again import Key, Texts
from ..verdict import FAIL_ON, NEW, STATUSES, SUPPRESSED, Gate, Stale, Verdict
from .accept import accepted
from .baseline import Baseline, Entry
from .documents import own_words, standing
from .findings import findings
from .judge import STILL, judged
from .lines import Changes, Lines
from .occurrences import Group, Occurrence, occurrences, own_id
from .paths import Scope, archives
from .words import among, decoded, encoded


@dataclass(frozen=True, slots=True)
class Policy:
    """What makes the gate fail.

    ``fail_on``: ``new`` findings, ``any`` that are not suppressed, or ``none``. Up to ``max_new`` new ones pass.
    ``max_share``: the largest share of repeated text that passes, in percent. ``strict_baseline``: entries of the
    baseline that hold no more fail, too.
    """

    fail_on: str = "new"
    max_new: int = 0
    max_share: float | None = None
    strict_baseline: bool = False

    def __post_init__(self) -> None:
        if self.fail_on not in FAIL_ON:
            raise SettingsError(f"fail_on is {self.fail_on!r}; expected one of {', '.join(FAIL_ON)}")
        if self.max_new < 0:
            raise SettingsError(f"max_new is {self.max_new!r}; expected a whole number from 0 on")
        if self.max_share is not None and not 0 <= self.max_share <= 100:
            raise SettingsError(f"max_share is {self.max_share!r}; expected a percentage from 0 to 100")


class Suppressions(Protocol):
    """What a project wants not to hear of; :class:`dedup.gate.suppress.Suppressions` is one."""

    def why(self, document: Key, start: int, end: int, fingerprints: tuple[str, ...]) -> str | None:
        """Why a place is suppressed, or None."""

    def ranges(self, document: Key, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The ranges of a document that are suppressed and reach into a place, which is not."""

    def notes(self) -> list[str]:
        """What is wrong with the suppressions themselves, a line each."""


class Survey:
    """A report seen through a baseline: every place, and what is known of it. ``report`` is as it was given."""

    def __init__(
        self,
        report: Report,
        texts: Texts,
        scope: Scope,
        options: Options,
        baseline: Baseline,
        suppressions: Suppressions,
        changes: Callable[[], Changes | None],
    ) -> None:
        self.report, self._texts, self._baseline = report, texts, baseline
        self._suppressions = suppressions
        self._lines = Lines(changes)
        self._places, self._groups = occurrences(report, texts, scope.relative, options)
        passed_over = {scope.relative(entry.source) for entry in report.skipped}
        looked_at = [e for e in baseline.entries if scope.holds(e.path) or scope.is_gone(e.path)]
        self._entries = [e for e in looked_at if passed_over.isdisjoint((e.path, *archives(e.path)))]
        self._reasons = _suppressed(self._places, self._groups, suppressions)
        # What an index remembers was there before, as what is suppressed was; nothing is told of it.
        archived = {
            n: "archived" for n, place in enumerate(self._places) if place.key[1].archived is not None
        }
        self._reasons |= archived
        ranges = {
            number: suppressions.ranges(place.key, place.start, place.end)
            for number, place in enumerate(self._places)
            if number not in self._reasons
        }
        self._accepted = accepted(self._places, self._entries, self._reasons, scope.is_gone, self._lines)
        self._answering = set(self._accepted.by.values())
        still = standing(
            self._accepted, self._entries, texts,
            lambda key: (scope.relative(key[1].path or key[0]), own_id(key)), scope.is_gone,
        )  # fmt: skip
        self._status, self._lost = judged(
            self._places, self._groups, self._entries, self._accepted, self._reasons, ranges, self._lines, texts,
            still, report.settings.min_tokens,
        )  # fmt: skip
        self._status = {number: what for number, what in self._status.items() if number not in archived}

    def verdict(self, policy: Policy, *, only_changed: bool = False) -> Verdict:
        """The gate's answer. ``only_changed``: of findings outside the changed lines it says nothing."""
        told = findings(self._places, self._groups, self._status, self._reasons, self._texts, self._lines)
        if only_changed:
            told = [finding for finding in told if self._lines.touches(finding)]
        stale = self._stale()
        counts = Counter(finding.status for finding in told)
        reasons = _failures(policy, counts, len(told), len(stale), self.report)
        gate = Gate(passed=not reasons, stale=len(stale), **{status: counts[status] for status in STATUSES})
        notes = [*self._differences(), *self._suppressions.notes(), *self._lines.notes]
        return Verdict(self.report, gate, tuple(told), tuple(stale), tuple(reasons), tuple(notes))

    def entries(self) -> list[Entry]:
        """The baseline that accepts every place of the report that is not suppressed.

        Entries of files that were not looked at stay, and so do the reasons that people wrote.
        """
        known = set(self._entries).difference(self._elsewhere())
        made = [entry for entry in self._baseline.entries if entry not in known]
        copies: Counter[tuple[str, str | None, str, str]] = Counter()
        own = own_words(self._places, self._reasons.keys(), self._texts)
        for number, place in enumerate(self._places):
            if number in self._reasons:
                continue
            name = (place.path, place.record, place.rule, place.fingerprint)
            copies[name] += 1
            words, beside = own[number]
            reason = self._reason(number, words)
            made.append(Entry(*name, copies[name], encoded(words), encoded(beside), reason))
        return made

    def _reason(self, number: int, own: Array) -> str | None:
        """The reason that a person wrote for a place, or for what most of it was before."""
        if number in self._accepted.by:
            return self._entries[self._accepted.by[number]].reason
        for entry in self._accepted.entries.get(self._places[number].location, ()):
            found = self._entries[entry]
            is_open = found.reason is not None and entry not in self._answering
            if is_open and _share(decoded([found.encoded]), own) > 1 - STILL:
                return found.reason
        return None

    def _stale(self) -> list[Stale]:
        alive = set(self._elsewhere())
        lost = [self._entries[number] for number in self._lost]
        return sorted(Stale(e.rule, e.path, e.fingerprint) for e in lost if e not in alive)

    def _elsewhere(self) -> list[Entry]:
        """Entries that nothing answers for because the other copy stands in a file that was not looked at."""
        seen = set(self._entries)
        unseen = decoded(entry.encoded for entry in self._baseline.entries if entry not in seen)
        left = [e for n, e in enumerate(self._entries) if n not in self._answering] if len(unseen) else []
        return [e for e in left if _share(decoded([e.encoded]), unseen) >= STILL]

    def _differences(self) -> list[str]:
        """Settings that are not those of the baseline: with others, other passages are found."""
        now = self.report.settings.to_dict()
        return [
            f"the baseline was written with {name} {value!r}, this is {now.get(name)!r};"
            " --update-baseline writes it anew"
            for name, value in sorted(self._baseline.settings.items())
            if now.get(name) != value
        ]


def _share(windows: Array, others: Array) -> float:
    """Which part of the windows is among the others; of none, all."""
    return float(among(windows, others).mean()) if len(windows) else 1.0


def _suppressed(
    places: Sequence[Occurrence], groups: Sequence[Group], suppressions: Suppressions
) -> dict[int, str]:
    """Why places are suppressed, by their numbers. A fingerprint may be a place's own or that of its cluster.

    What lies in a suppressed place is suppressed with it.
    """
    clusters: list[list[str]] = [[] for _ in places]
    for group in groups:
        for number in group.places:
            clusters[number].append(group.cluster)
    reasons: dict[int, str] = {}
    silent: dict[Key, list[int]] = {}
    for number in sorted(range(len(places)), key=lambda n: places[n].start - places[n].end):
        place = places[number]
        names = (place.fingerprint, *dict.fromkeys(clusters[number]))
        why = suppressions.why(place.key, place.start, place.end, names)
        size = STILL * (place.end - place.start)
        for whole in silent.get(place.key, ()):
            inside = min(place.end, places[whole].end) - max(place.start, places[whole].start) >= size
            why = reasons[whole] if why is None and inside else why
        if why is not None:
            reasons[number] = why
            silent.setdefault(place.key, []).append(number)
    return reasons


def _failures(policy: Policy, counts: Mapping[str, int], total: int, stale: int, report: Report) -> list[str]:
    """Why the gate fails, a line each."""
    reasons = []
    found = total - counts[SUPPRESSED]
    if policy.fail_on == "new" and counts[NEW] > policy.max_new:
        reasons.append(f"more than {policy.max_new:,} new copies" if policy.max_new else "new copies")
    if policy.fail_on == "any" and found:
        reasons.append("text repeats")
    share = 100 * report.summary.repeated_share
    if policy.max_share is not None and share > policy.max_share:
        reasons.append(f"{share:.1f}% of the text repeats, {policy.max_share:g}% may")
    if policy.strict_baseline and stale:
        reasons.append("stale entries in the baseline")
    return reasons
