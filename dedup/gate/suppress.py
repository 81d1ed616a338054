"""What people have said may repeat: ranges in the documents themselves, and entries of the configuration.

Enters: what documents say of themselves; the entries and today's date. Leaves: for each place that repeats, the reason
why it may, and at the end what was said in vain.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import date
from typing import Protocol

from .directives import Directives, Range


class Ignored(Protocol):
    """An entry of the configuration: what it names by its fingerprint may repeat, until a day.

    ``expires`` is the last day on which it holds. ``place`` is where it stands, for messages.
    """

    @property
    def fingerprint(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def expires(self) -> date | None: ...
    @property
    def place(self) -> str: ...


class Suppressions:
    """All that is suppressed in a corpus, and what of it was of use. Documents go by a key of the caller's."""

    def __init__(self, entries: Iterable[Ignored], today: date) -> None:
        self._entries = tuple(entries)
        self._today = today
        self._documents: dict[Hashable, tuple[str, Directives]] = {}
        self._used: set[tuple[Hashable, Range]] = set()
        self._matched: set[int] = set()
        self._by_fingerprint: dict[str, list[int]] = {}
        for number, entry in enumerate(self._entries):
            self._by_fingerprint.setdefault(entry.fingerprint.lower(), []).append(number)

    def add(self, key: Hashable, name: str, said: Directives) -> None:
        """Takes what one document says of itself; ``name`` is the document's in messages."""
        self._documents[key] = (name, said)

    def why(self, key: Hashable, start: int, end: int, fingerprints: tuple[str, ...]) -> str | None:
        """Why a place may repeat: code points of the document of this key, known by any of the fingerprints.

        None where it may not. All that suppresses the place counts as used; of several, the document's reason is told.
        """
        reasons: list[str] = []
        if key in self._documents:
            found = self._documents[key][1].covering(start, end)
            if found is not None:
                self._used.add((key, found))
                reasons.append(found.reason or _said_by(found))
        for fingerprint in fingerprints:
            for number in self._by_fingerprint.get(fingerprint, ()):
                self._matched.add(number)
                if not self._is_expired(number):
                    reasons.append(self._entries[number].reason)
        return reasons[0] if reasons else None

    def ranges(self, key: Hashable, start: int, end: int) -> list[tuple[int, int]]:
        """What of a place may repeat though the place as a whole may not, as the document says; it counts as used."""
        said = self._documents[key][1].ranges if key in self._documents else ()
        found = [within for within in said if within.start < end and start < within.end]
        self._used.update((key, within) for within in found)
        return [(within.start, within.end) for within in found]

    def notes(self) -> list[str]:
        """What the user should know once every place was asked for: one line for each thing said wrongly or in vain."""
        notes: list[str] = []
        for key, (name, said) in self._documents.items():
            lines = [(problem.line, problem.message) for problem in said.problems]
            lines += [
                (found.line, f"{_said_by(found)} suppresses nothing: nothing in it repeats")
                for found in said.ranges
                if (key, found) not in self._used
            ]
            notes += [f"{name}:{line}: {message}" for line, message in sorted(lines)]
        return notes + [note for number in range(len(self._entries)) if (note := self._entry_note(number))]

    def _entry_note(self, number: int) -> str | None:
        entry, is_matched = self._entries[number], number in self._matched
        name = f"{entry.place}: {entry.fingerprint}"
        owner = f"; owner: {entry.owner}" if entry.owner else ""
        if self._is_expired(number):
            left = "" if is_matched else ", and nothing is left that it would suppress"
            return f"{name} expired on {entry.expires} and suppresses no more{left}{owner}"
        return None if is_matched else f"{name} suppresses nothing: no copy has that fingerprint{owner}"

    def _is_expired(self, number: int) -> bool:
        expires = self._entries[number].expires
        return expires is not None and expires < self._today


def _said_by(found: Range) -> str:
    return "dedup: ignore in the front matter" if found.is_whole else "dedup: off"
