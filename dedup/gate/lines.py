"""What version control says of places, asked for when somebody first wants to know.

Enters: how to find out. Leaves: whether something changed at a place and how lately, and where files were before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from ..verdict import Finding
from .occurrences import Occurrence


class Changes(Protocol):
    """What version control says of lines; :class:`dedup.gate.git.Changes` is one."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know of how they were found."""

    @property
    def renames(self) -> Mapping[str, str]:
        """New paths of files by their old ones."""

    def is_too_late(self, old: str, new: str) -> bool:
        """Whether a file came when an old one was gone already, and so cannot be what that has become."""

    def later(self) -> Sequence[Changes]:
        """What of it changed since later revisions, one after the other: of two changes, which is the later one."""

    def before(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """What files held, those to which something was added."""

    def touched(self, path: str, line: int | None, end_line: int | None) -> bool:
        """Whether one of these lines of a file was added or changed; without lines, whether the file was."""

    def first_run(self, path: str, line: int | None, end_line: int | None) -> tuple[int, int] | None:
        """The first run of added or changed lines among these."""


class Lines:
    """Changed lines, asked for when they are first needed."""

    def __init__(self, changes: Callable[[], Changes | None]) -> None:
        self._ask = changes
        self._changes: Changes | None = None
        self._is_asked = False
        self._steps: Sequence[Changes] | None = None

    def _known(self) -> Changes | None:
        if not self._is_asked:
            self._changes, self._is_asked = self._ask(), True
        return self._changes

    @property
    def notes(self) -> list[str]:
        """What went wrong when version control was asked."""
        return [] if self._changes is None else list(self._changes.notes)

    def steps(self) -> Sequence[Changes]:
        """What changed since one revision after the other; nothing where nothing is known."""
        changes = self._known()
        if self._steps is None:
            self._steps = () if changes is None else (changes, *changes.later())
        return self._steps

    def age(self, path: str, line: int | None, end_line: int | None) -> int:
        """How lately something changed in these lines of a file, or without lines in all of it: 0 for not at all."""
        touched = (n for n, step in enumerate(self.steps(), 1) if step.touched(path, line, end_line))
        return max(touched, default=0)

    def renames(self) -> Mapping[str, str]:
        """New paths of files by their old ones, where they are known.

        A file that came when the old one was gone already, as a copy of what that has become, is none of them. What
        was there longest under its old name is told last: so many edits after a revision hide no rename.
        """
        found: dict[str, str] = {}
        for step in self.steps():
            found |= step.renames
        return {old: new for old, new in found.items() if not self.is_too_late(old, new)}

    def is_too_late(self, old: str, new: str) -> bool:
        """Whether a file is known to have come when an old one was gone already."""
        return any(step.is_too_late(old, new) for step in self.steps())

    def touches(self, finding: Finding) -> bool:
        """Whether something changed at the place of a finding; False where nothing is known."""
        changes = self._known()
        return changes is not None and changes.touched(finding.path, finding.line, finding.end_line)

    def added(self, place: Occurrence) -> tuple[int, int] | None:
        """The first run of changed lines at this place."""
        changes = self._known()
        return None if changes is None else changes.first_run(place.path, place.line, place.end_line)
