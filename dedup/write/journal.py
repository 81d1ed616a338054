"""The journal: what is to take its name, written down before the first does, since no system renames several at once.

Enters: the outputs of a run, complete and on the disk as parts. Leaves: all of them under their names. A run that is
killed on the way is finished by the next one (:func:`recover`), which first looks whether all is as the journal says:
each part is where it was, or has its name; under each name stands what stood there, or the part. Where it is not so,
the run is given up, and whatever stands under the names stays.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from ..errors import OutputError
from . import atomic, parts
from .parts import BEFORE, DRAFT, JOURNAL, PART, beside, busy, named, remove

#: What a file or folder is known by when it has another name: its type, its size in bytes, when it was changed (ns).
#: Of a folder with all that is in it: its type, how much that is, the sum of the times when each was changed.
State = tuple[int, int, int]

_FINISHED = "the outputs of a run that was cut off after its work are in place now"


class Entry(NamedTuple):
    """An output: its path, its part, what stood under its name, all of it, when the journal was written."""

    target: str
    part: State
    before: State | None


class Journal(NamedTuple):
    """The outputs of a run. ``path`` is where the journal stands."""

    path: str
    run: str
    entries: tuple[Entry, ...]

    def aside(self, entry: Entry) -> str:
        """The path of the part of an output."""
        return beside(entry.target, self.run, PART)

    def before(self, entry: Entry) -> str:
        """The path of what gave its name away to an output that is a folder."""
        return beside(entry.target, self.run, BEFORE)


def state(path: str) -> State | None:
    """What stands under a name; None if nothing does."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return stat.S_IFMT(found.st_mode), found.st_size, found.st_mtime_ns


def state_within(path: str) -> State | None:
    """As :func:`state`, of a folder with all that is in it."""
    found = state(path)
    if found is None or not stat.S_ISDIR(found[0]):
        return found
    kind, count, changed = found[0], 0, found[2]
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            inner = state(os.path.join(folder, name))
            if inner is not None:
                count, changed = count + 1, changed + inner[2]
    return kind, count, changed


def commit(principal: str, run: str, entries: Collection[Entry]) -> None:
    """Gives all outputs their names.

    Raises OutputError. Then none has its name, unless the journal is still there: :func:`recover` goes on with it.
    """
    journal = Journal(beside(principal, run, JOURNAL), run, tuple(entries))
    with _written(principal, journal):
        try:
            _carry_out(journal)
        except BaseException:
            _take_back(journal)
            raise


@contextmanager
def _written(principal: str, journal: Journal) -> Iterator[None]:
    """The journal is on the disk, and locked: this run is alive."""
    draft = beside(principal, journal.run, DRAFT)
    with named(principal), open(draft, "xb") as stream:
        try:
            parts.lock(stream.fileno())
            stream.write(_told(journal))
            stream.flush()
            os.fsync(stream.fileno())
            os.replace(draft, journal.path)
        except BaseException:
            remove(draft)
            raise
        atomic.settle(os.path.dirname(journal.path))
        yield


def _carry_out(journal: Journal) -> None:
    """Renames all that is not renamed yet; may be begun again at any step.

    Folders come first: it is they that may not be renamed (one on which a disk is mounted), and that can be renamed
    back (:func:`_take_back`).
    """
    for entry in sorted(journal.entries, key=lambda entry: not stat.S_ISDIR(entry.part[0])):
        target, aside = entry.target, journal.aside(entry)
        with named(target):
            if not os.path.lexists(aside):
                continue
            if stat.S_ISDIR(entry.part[0]):
                if os.path.isdir(target):
                    os.chmod(aside, stat.S_IMODE(os.stat(target).st_mode))
                if os.path.lexists(target):
                    os.rename(target, journal.before(entry))
                os.rename(aside, target)
            else:
                os.replace(aside, target)
    for folder in {os.path.dirname(entry.target) for entry in journal.entries}:
        atomic.settle(folder)
    for entry in journal.entries:
        with named(entry.target):
            remove(journal.before(entry))
    with named(journal.path):
        remove(journal.path)


def _take_back(journal: Journal) -> None:
    """Gives folders back the names that they had, and removes the journal: where no file has taken its name yet."""
    files = [entry for entry in journal.entries if not stat.S_ISDIR(entry.part[0])]
    folders = [entry for entry in journal.entries if entry not in files]
    if not os.path.lexists(journal.path) or not all(os.path.lexists(journal.aside(file)) for file in files):
        return
    with suppress(OSError):  # the journal stays then, and what it says can be done later
        for entry in folders:
            if not os.path.lexists(journal.aside(entry)):
                os.rename(entry.target, journal.aside(entry))
            if os.path.lexists(journal.before(entry)):
                os.rename(journal.before(entry), entry.target)
        os.unlink(journal.path)


def recover(principal: str, targets: Collection[str]) -> str:
    """Finishes what a run that was killed while its outputs took their names left undone; what is to be told of it.

    ``principal`` is the name by which its journal is found, ``targets`` are the outputs that may be touched. Nothing
    is told where there was no such run. Raises OutputError where it is alive, has other outputs, or where something
    is in the way of a name.
    """
    real = os.path.realpath(principal)
    told = ""
    for found in parts.found(real):
        if found.kind == JOURNAL and parts.is_of(found, real):
            told = _recovered(found.path, found.run, principal, targets) or told
    return told


def tidy(targets: Collection[str]) -> None:
    """Removes what runs that are no more have left of these outputs, but for those that can be finished."""
    for target in targets:
        with suppress(OutputError, OSError):
            parts.clear(os.path.realpath(target), "", target)


def check_free(target: str, path: str) -> None:
    """Raises OutputError where a run that was cut off, or is at it, gives its outputs their names, this one among them.

    ``path`` is the output as the user named it. Only a journal that stands beside it is seen.
    """
    for found in parts.found(target):
        if found.kind != JOURNAL or os.path.islink(found.path) or not os.path.isfile(found.path):
            continue
        with parts.held(found.path) as is_held:
            try:
                with open(found.path, "rb") as stream:
                    journal = _read(found.path, found.run, stream.read())
            except (OSError, OutputError):  # it has just been removed, or is damaged, and tells nothing
                continue
        if target in (entry.target for entry in journal.entries):
            raise busy(path) if is_held is False else parts.unfinished(path, found.path)


def _recovered(path: str, run: str, principal: str, targets: Collection[str]) -> str:
    with named(path), ExitStack() as stack:
        if stack.enter_context(parts.held(path)) is False:
            raise busy(principal)
        try:
            with open(path, "rb") as stream:
                journal = _read(path, run, stream.read())
        except FileNotFoundError:  # whose it was has just finished
            return ""
        if not {entry.target for entry in journal.entries} <= {
            os.path.realpath(target) for target in targets
        }:
            raise OutputError(
                f"{principal}: an earlier run that writes this and other outputs was cut off, and can be finished; "
                f"run that one again, or give it up and remove {path}"
            )
        for entry in journal.entries:
            if stack.enter_context(parts.held(journal.aside(entry))) is False:
                raise busy(entry.target)
            parts.check_alone(entry.target, run)
        for entry in journal.entries:
            if not _is_as_told(journal, entry):
                return _given_up(journal, entry)
        try:
            _carry_out(journal)
        except OutputError as error:
            raise OutputError(
                f"{error}: it is an output of an earlier run, which goes on when this is mended; to give that run "
                f"up, remove {path}"
            ) from error
    return _FINISHED


def _is_as_told(journal: Journal, entry: Entry) -> bool:
    """Whether an output can still take its name, or has it."""
    aside, there = state(journal.aside(entry)), state(entry.target)
    if aside is None:
        return there == entry.part
    if there is not None and (
        state_within(entry.target) != entry.before or os.path.lexists(journal.before(entry))
    ):
        return False
    return aside == entry.part


def _given_up(journal: Journal, changed: Entry) -> str:
    """Removes the parts of a run and its journal; what stands under the names stays, and folders get theirs back."""
    kept = []
    for entry in journal.entries:
        before = journal.before(entry)
        if state(journal.aside(entry)) == entry.part:
            remove(journal.aside(entry))
        if os.path.lexists(before):
            if os.path.lexists(entry.target):
                kept.append(before)
            else:
                os.rename(before, entry.target)
    remove(journal.path)
    moved = f"; what stood there before is in {', '.join(kept)}" if kept else ""
    return f"a run that was cut off is given up, since {changed.target} is not what it was then{moved}"


def _told(journal: Journal) -> bytes:
    """What stands in the journal. Outputs are named as seen from it: its folder may be moved with all that is in it."""
    folder = os.path.dirname(journal.path)
    rows = [[_seen(entry.target, folder), entry.part, entry.before] for entry in journal.entries]
    return json.dumps(rows).encode()


def _seen(target: str, folder: str) -> str:
    try:
        return os.path.relpath(target, folder)
    except ValueError:  # on another drive
        return target


def _read(path: str, run: str, data: bytes) -> Journal:
    """The journal that stands there. Raises OutputError where it is none."""
    folder = os.path.dirname(path)
    try:
        rows = json.loads(data)
        if not isinstance(rows, list) or not rows:
            raise ValueError
        entries = [
            Entry(os.path.normpath(os.path.join(folder, name)), _state(part), before and _state(before))
            for name, part, before in rows
        ]
    except (ValueError, TypeError) as error:
        raise OutputError(
            f"{path}: is not the journal of a run that was cut off, or is damaged; remove it"
        ) from error
    return Journal(path, run, tuple(entries))


def _state(numbers: list[int]) -> State:
    kind, size, changed = (int(number) for number in numbers)
    return kind, size, changed
