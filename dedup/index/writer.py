"""Changes to an index, each one transaction: done, or as if it had never begun.

Segments are written and synced first, under names that nobody knows; then the catalogue takes them in. TIER segments of
about one size are merged into one, so that however many additions there were, few are left.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DedupIndexError
from ..kernel.types import threads
from ..model import Document, Skipped
from ..write.parts import PART, beside, claim, new_run
from . import catalogue, known, merge, segment
from .catalogue import FOLDER, Catalogue, Row
from .pages import synced
from .segment import MOST, VERSION, Entry
from .shape import Shape
from .snapshot import Part, named

WAIT = 10.0  # seconds that a writer waits for another one

TIER = 8

#: Code points of the documents that are looked at together. Of more the arrays are so large that the allocator gives
#: their memory back each time and gets it again page by page, which takes longer than the work.
_BATCH = 1 << 24

Tell = Callable[[int], None]


class Added(NamedTuple):
    """How many documents were added, how many of these under an id that was there with another text; how many were
    there already; and what could not be read."""

    added: int
    versions: int
    known: int
    skipped: tuple[Skipped, ...]


def build(
    folder: Path,
    items: Iterable[Document | Skipped],
    shape: Shape,
    *,
    jobs: int = 0,
    tell: Tell = lambda count: None,
    begun: Callable[[Path], None] = lambda aside: None,
) -> Added:
    """Makes an index of documents, in one piece or not at all. ``begun`` is told the folder that it is made in; what
    another build of this index has left that was killed is removed.

    Raises DedupIndexError where something is there already, OutputError where another build of it is at work.
    """
    catalogue.check_vacant(folder)
    target, run = os.path.realpath(folder), new_run()
    aside = Path(beside(target, run, PART))
    with ExitStack() as stack:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            stack.callback(os.close, claim(target, run, str(folder), is_folder=True))
            stack.callback(shutil.rmtree, aside, ignore_errors=True)
            begun(aside)
            catalogue.create(aside, shape)
            added = add(aside, items, jobs=jobs, tell=tell)
            aside.replace(folder)
            _sync(folder.parent)
        except OSError as error:
            raise catalogue.not_made(folder, error) from error
        except DedupIndexError as error:
            if isinstance(error.__cause__, OSError | sqlite3.Error):  # it names the folder that is aside
                raise catalogue.not_made(folder, error.__cause__) from error
            raise
    return added


def add(
    folder: Path,
    items: Iterable[Document | Skipped],
    *,
    run: str | None = None,
    again: bool = False,
    wait: float = WAIT,
    jobs: int = 0,
    tell: Tell = lambda count: None,
) -> Added:
    """Adds documents, at once or, with ``run``, as pending until :func:`commit`.

    ``again`` is for a run that may be there already: it is made anew.
    """
    if run is not None and not (run.strip() and run.isprintable()):
        raise DedupIndexError(f"{run!r} is no name of a run; expected one that can be printed")
    with catalogue.writing(folder, wait) as found:
        before = [row for row in found.segments() if run is not None and row.run == run]
        if again:
            for row in before:
                found.drop(row.number)
        elif before:
            raise DedupIndexError(f"{folder}: there is a pending run {run!r}; commit or abort it first")
        added = _add(found, items, run, jobs, tell)
        if run is None:
            _merge_tiers(found)
        _sync(folder / FOLDER)
    return added


def _add(
    found: Catalogue, items: Iterable[Document | Skipped], run: str | None, jobs: int, tell: Tell
) -> Added:
    """Adds documents as one segment, which is made of smaller ones where there are many."""
    added = versions = passed = 0
    skipped: list[Skipped] = []
    parts = [Part.of(row, found.folder) for row in found.segments() if row.run is None]
    before = len(parts)
    # Segments are written side by side while more is read; each by one thread, which is quicker than one by all.
    waiting: deque[tuple[list[Entry], Future[tuple[int, int]]]] = deque()

    def written(left: int) -> None:
        while len(waiting) > left:
            entries, future = waiting.popleft()
            found.add(len(entries), *future.result(), run)
            parts.append(Part.of(found.segments()[-1], found.folder))

    workers = threads(jobs)
    with ThreadPoolExecutor(workers) as pool:
        for batch in _batches(items, skipped, tell):
            written(workers - 1)
            fresh, are_versions = known.fresh(
                parts, [entry for entries, _ in waiting for entry in entries], batch
            )
            passed += len(batch) - len(fresh)
            if fresh:
                added, versions = added + len(fresh), versions + are_versions
                path = found.next(len(waiting))
                waiting.append((fresh, pool.submit(segment.write, path, fresh, found.shape, 1)))
        written(0)
    new = [part.row for part in parts[before:]]
    if len(new) == 1:
        synced(new[0].file(found.folder))
    else:
        for group in _within(new):
            _merge(found, group, run)
    return Added(added, versions, passed, tuple(skipped))


def _batches(
    items: Iterable[Document | Skipped], skipped: list[Skipped], tell: Tell
) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for count, item in enumerate(items, 1):
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        batch.append(Entry.of(item))
        size += len(item.text)
        if count % 1024 == 0:
            tell(count)
        if size >= _BATCH or len(batch) == MOST:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def commit(folder: Path, run: str, *, wait: float = WAIT) -> int:
    """Makes a pending run part of the memory; how many documents it brought."""
    with catalogue.writing(folder, wait) as found:
        rows = _pending(found, run)
        parts = [Part.of(row, folder) for row in found.segments() if row.run is None]
        count = 0
        for row in rows:
            part = Part.of(row, folder)
            columns = part.segment.columns()
            versions = columns.versions.view("u1").reshape(-1, VERSION)
            _, is_known = known.there(parts, columns.keys, versions, columns.ids.values())
            count += row.documents - int(is_known.sum())
            found.remove(row.number, np.flatnonzero(is_known))  # another run has brought them meanwhile
        found.publish(run)
        _merge_tiers(found)
        _sync(folder / FOLDER)
    return count


def abort(folder: Path, run: str, *, wait: float = WAIT) -> int:
    """Forgets a pending run; how many documents it had."""
    with catalogue.writing(folder, wait) as found:
        rows = _pending(found, run)
        for row in rows:
            found.drop(row.number)
    return sum(row.documents for row in rows)


def _pending(found: Catalogue, run: str) -> list[Row]:
    rows = [row for row in found.segments() if row.run == run]
    if not rows:
        names = sorted({row.run for row in found.segments() if row.run is not None})
        told = f"; pending: {', '.join(names)}" if names else "; none is pending"
        raise DedupIndexError(f"{found.folder}: has no pending run {run!r}{told}")
    return rows


def remove(folder: Path, ids: Iterable[str], *, wait: float = WAIT) -> tuple[int, list[str]]:
    """Forgets documents, all versions of each id or, as ``id@version``, one: how many, and the ids that are not
    there.
    """
    gone: defaultdict[int, list[int]] = defaultdict(list)
    missing = []
    with catalogue.writing(folder, wait) as found:
        parts = [Part.of(row, folder) for row in found.segments() if row.run is None]
        for name in dict.fromkeys(ids):
            places = named(parts, name)
            if not places:
                missing.append(name)
            for place, number in places:
                gone[place].append(number)
        for place, numbers in gone.items():
            row = parts[place].row
            found.remove(row.number, np.append(row.removed.astype("i8"), numbers))
    return sum(len(set(numbers)) for numbers in gone.values()), missing


def compact(folder: Path, *, wait: float = WAIT) -> tuple[int, int]:
    """Merges all live segments into one, without what was removed; how many there were, and are."""
    with catalogue.writing(folder, wait) as found:
        live = [row for row in found.segments() if row.run is None]
        if len(live) > 1 or any(len(row.removed) for row in live):
            for group in _within(live):
                _merge(found, group)
        _sync(folder / FOLDER)
        return len(live), sum(row.run is None for row in found.segments())


def _within(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows in groups, in order, that one segment has room for."""
    group: list[Row] = []
    for row in rows:
        if sum(r.documents for r in group) + row.documents > MOST:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _merge_tiers(found: Catalogue) -> None:
    while True:
        tiers: defaultdict[int, list[Row]] = defaultdict(list)
        for row in found.segments():
            if row.run is None:
                tiers[(row.documents.bit_length() - 1) // 3].append(row)
        full = [
            rows for rows in tiers.values() if len(rows) >= TIER and sum(r.documents for r in rows) <= MOST
        ]
        if not full:
            return
        _merge(found, full[0])


def _merge(found: Catalogue, rows: Sequence[Row], run: str | None = None) -> None:
    parts = [Part.of(row, found.folder) for row in rows]
    if any(len(part.numbers()) for part in parts):
        path = found.next()
        documents, size, check = merge.merged(path, parts, found.shape)
        synced(path)
        found.add(documents, size, check, run)
    for row in rows:
        found.drop(row.number)


def _sync(folder: Path) -> None:
    """Makes sure that names in a folder are on disk."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
