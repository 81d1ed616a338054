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
from ..model import Report
from ..read import Options
from ..read.again import Key, Texts
from ..verdict import FAIL_ON, NEW, STATUSES, SUPPRESSED, Gate, Stale, Verdict
from .accept import STILL, accepted
from .baseline import Baseline, Entry
from .findings import Changes, Lines, findings
from .judge import covered, judged
from .occurrences import Group, Occurrence, occurrences, own_id
from .paths import Scope, archives
from .sketch import encoded, held, pairs, sketches

_READ_AGAIN = 200  # records of one file in which words are looked for


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

    def notes(self) -> list[str]:
        """What is wrong with the suppressions themselves, a line each."""


class _Standing:
    """Tells of an entry whether its words still stand in its file."""

    def __init__(self, texts: Texts, relative: Callable[[str], str]) -> None:
        self._texts, self._relative = texts, relative
        self._keys: dict[tuple[str, str | None], list[Key]] | None = None

    def __call__(self, entry: Entry) -> bool:
        if self._keys is None:
            self._keys = {}
            for key in self._texts.keys:
                location = self._relative(key[1].path or key[0]), own_id(key)
                self._keys.setdefault(location, []).append(key)
        found = self._keys.get(entry.location, ())[:_READ_AGAIN]
        return any(held(entry.sketch, pairs(self._texts.text(key))) >= STILL for key in found)


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
        self._accepted = accepted(
            self._places, self._entries, scope.is_gone, self._lines.is_new, _Standing(texts, scope.relative)
        )
        self._reasons = _suppressed(self._places, self._groups, suppressions)
        self._status = judged(
            self._places, self._groups, self._accepted, self._entries, self._reasons,
            self._lines.is_new, self._lines.is_old,
        )  # fmt: skip
        for number, whole in _parts(self._places, self._status).items():
            self._status[number], self._reasons[number] = SUPPRESSED, self._reasons[whole]

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
        wanted = [n for n in range(len(self._places)) if self._status.get(n) != SUPPRESSED]
        found = sketches([self._places[number].text for number in wanted])
        for number, sketch in zip(wanted, found, strict=True):
            place = self._places[number]
            name = (place.path, place.record, place.rule, place.fingerprint)
            copies[name] += 1
            answers = (self._entries[entry].reason for entry in self._accepted.by.get(number, ()))
            made.append(Entry(*name, copies[name], encoded(sketch), next(filter(None, answers), None)))
        return made

    def _stale(self) -> list[Stale]:
        alive = {*self._elsewhere(), *self._in_other_form()}
        stale = [entry for entry in self._unanswered() if entry not in alive]
        return sorted(Stale(entry.rule, entry.path, entry.fingerprint) for entry in stale)

    def _unanswered(self) -> list[Entry]:
        answering = self._accepted.entries()
        return [entry for number, entry in enumerate(self._entries) if number not in answering]

    def _elsewhere(self) -> list[Entry]:
        """Entries that nothing answers for because the other copy stands in a file that was not looked at."""
        seen = set(self._entries)
        words = {pair for entry in self._baseline.entries if entry not in seen for pair in entry.sketch}
        return [entry for entry in self._unanswered() if words and held(entry.sketch, words) >= STILL]

    def _in_other_form(self) -> list[Entry]:
        """Entries that nothing answers for whose words repeat in their file as parts of other places."""
        wanted = self._unanswered()
        locations = {entry.location for entry in wanted}
        words: dict[tuple[str, str | None], set[int]] = {location: set() for location in locations}
        for place in self._places:
            if place.location in locations:
                words[place.location] |= pairs(place.text)
        return [entry for entry in wanted if held(entry.sketch, words[entry.location]) >= STILL]

    def _differences(self) -> list[str]:
        """Settings that are not those of the baseline: with others, other passages are found."""
        now = self.report.settings.to_dict()
        return [
            f"the baseline was written with {name} {value!r}, this is {now.get(name)!r};"
            " --update-baseline writes it anew"
            for name, value in sorted(self._baseline.settings.items())
            if now.get(name) != value
        ]


def _suppressed(
    places: Sequence[Occurrence], groups: Sequence[Group], suppressions: Suppressions
) -> dict[int, str]:
    """Why places are suppressed, by their numbers. A fingerprint may be a place's own or that of its cluster."""
    clusters: list[list[str]] = [[] for _ in places]
    for group in groups:
        for number in group.places:
            clusters[number].append(group.cluster)
    reasons = {}
    for number, place in enumerate(places):
        names = (place.fingerprint, *dict.fromkeys(clusters[number]))
        why = suppressions.why(place.key, place.start, place.end, names)
        if why is not None:
            reasons[number] = why
    return reasons


def _parts(places: Sequence[Occurrence], status: Mapping[int, str]) -> dict[int, int]:
    """New places that lie inside a suppressed one of the same document, and that one."""
    silent: dict[Key, list[int]] = {}
    for number, is_what in status.items():
        if is_what == SUPPRESSED:
            silent.setdefault(places[number].key, []).append(number)
    parts = {}
    for number, is_what in status.items():
        place = places[number]
        for whole in silent.get(place.key, ()) if is_what == NEW else ():
            span = (places[whole].start, places[whole].end)
            if covered(place.start, place.end, [span]) >= STILL * (place.end - place.start):
                parts[number] = whole
    return parts


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
