"""A check from beginning to end: what is read, what it is compared with, what is written.

Enters: a :class:`Plan`. Leaves: a :class:`dedup.gate.Survey`, of which one asks a verdict or a new baseline.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from ..cache import cached_run
from ..errors import DependencyError, InputError, OutputError
from ..model import Document, Report, Settings, Skipped
from ..pipeline import Progress
from ..read import CACHE, NOT_READ, Excluded, Options, documents
from ..read.again import Again, Texts
from ..text import Archive
from ..verdict import BASELINE
from ..write import atomic
from ..write.atomic import whole_file
from . import baseline as baselines
from .baseline import Baseline
from .changes import Changes
from .directives import directives
from .git import head, is_cut_off, is_tracked, last_change
from .paths import Scope, relative_to
from .suppress import Ignored, Suppressions
from .survey import Survey


@dataclass(frozen=True, slots=True)
class Plan:
    """What is checked, and against what.

    ``top`` is the directory that paths in the baseline are relative to, ``in_repository`` whether it is that of a git
    repository. ``baseline``: a file that must be there, or None for BASELINE at the top, if it is there;
    ``no_baseline``: nothing was accepted. ``exclude``: patterns as in ``.gitignore``. ``ignore``: entries of the
    configuration, held against ``today``. ``changed_since``: a revision; ``staged``: what is to be committed next.
    ``allow_empty``: a corpus without a document passes. ``index``: a folder; what it remembers was there before.
    """

    paths: Sequence[str]
    top: str
    in_repository: bool = False
    settings: Settings = field(default_factory=Settings)
    options: Options = field(default_factory=Options)
    baseline: str | None = None
    no_baseline: bool = False
    exclude: Sequence[str] = ()
    ignore_files: bool = True
    cache: bool = True
    allow_empty: bool = False
    index: str | None = None
    ignore: Sequence[Ignored] = ()
    today: date = field(default_factory=date.today)
    changed_since: str | None = None
    staged: bool = False

    @property
    def baseline_file(self) -> str:
        """Where the baseline stands or would stand."""
        return self.baseline or os.path.relpath(os.path.join(self.top, BASELINE))


@contextmanager
def survey(plan: Plan, notify: Progress | None = None, *, is_update: bool = False) -> Iterator[Survey]:
    """Scans everything and sees it through the baseline.

    Raises InputError for a path, a revision or a repository that is not there, BaselineError for a baseline that
    cannot be used; one that is about to be written anew (``is_update``) may be missing, but OutputError is raised where
    it could not be written.
    """
    if is_update:
        atomic.check(plan.baseline_file)
    changes = _changes(plan)
    accepted = _baseline(plan, is_update)
    suppressions = Suppressions(plan.ignore, plan.today)
    relative = relative_to(os.path.realpath(plan.top))
    excluded = Excluded(
        plan.top, plan.exclude, [plan.baseline_file], [BASELINE], ignore_files=plan.ignore_files
    )
    others: list[str] = []
    items = _of_formats(documents(plan.paths, plan.options, excluded=excluded), plan.paths, others)

    def look(document: Document) -> None:
        said = directives(document.text)
        if said is not None:
            suppressions.add(
                (document.id, document.source), relative(document.source.path or document.id), said
            )

    with Again(plan.options) as again:
        texts = Texts(again)
        items = texts.passing(items, look)
        report = cached_run(items, plan.settings, _cache(plan), notify, again, _archive(plan, texts))
        if not report.summary.documents and not is_update and not plan.allow_empty:
            raise InputError(_nothing(plan, report, excluded.left_out, len(others)))
        scope = Scope(plan.top, plan.paths)
        yield Survey(report, texts, scope, plan.options, accepted, suppressions, changes)


def _archive(plan: Plan, texts: Texts) -> Archive | None:
    if plan.index is None:
        return None
    from ..index import Memory

    memory = Memory.of(plan.index, plan.settings, texts.hold, proving=True)
    if memory.caveat:
        warnings.warn(memory.caveat, stacklevel=2)
    return memory


def _of_formats(
    items: Iterable[Document | Skipped], given: Sequence[str], others: list[str]
) -> Iterator[Document | Skipped]:
    """The items without files of formats that dedup does not read, whose names go into ``others``.

    A repository is full of them, and nobody expects them to be checked, but for those that were ``given`` by name.
    """
    for item in items:
        if isinstance(item, Skipped) and item.reason == NOT_READ and item.source not in given:
            others.append(item.source)
        else:
            yield item


def _nothing(plan: Plan, report: Report, left_out: int, others: int) -> str:
    """Why there is nothing to check, and what to do."""
    why = [f"{left_out:,} left out by ignore files or patterns"] if left_out else []
    why += [f"{others:,} of formats that dedup does not read"] if others else []
    if report.skipped:
        first = report.skipped[0]
        why.append(f"{len(report.skipped):,} skipped, first {first.source}: {first.reason}")
    told = f" ({'; '.join(why)})" if why else ""
    return (
        f"{', '.join(plan.paths)}: nothing to check: no documents{told};"
        " name other paths, or let it pass with --allow-empty"
    )


def write_baseline(plan: Plan, found: Survey) -> int:
    """Writes the baseline that accepts everything, whole or not at all; returns the number of its entries.

    Raises OutputError where it cannot be written.
    """
    entries = found.entries()
    try:
        with whole_file(plan.baseline_file) as stream:
            stream.write(baselines.encode(entries, plan.settings.to_dict()))
    except OSError as error:
        raise OutputError.of(plan.baseline_file, error) from error
    return len(entries)


def _cache(plan: Plan) -> str | None:
    """Where results are kept. A cache that came with the repository is not one to be believed."""
    folder = os.path.join(plan.top, CACHE)
    if not plan.cache:
        return None
    if plan.in_repository and os.path.lexists(folder):
        try:
            why = "is part of the repository" if is_tracked(CACHE, plan.top) else None
        except (InputError, DependencyError) as error:
            why = f"may be part of the repository ({error})"
        if why is not None:
            warnings.warn(f"{CACHE} {why} and is not used; --no-cache does without it", stacklevel=2)
            return None
    return folder


def _baseline(plan: Plan, is_update: bool) -> Baseline:
    nothing = Baseline((), plan.settings.to_dict())
    if plan.no_baseline:
        return nothing
    is_there = os.path.lexists(plan.baseline_file)
    if not is_there and (is_update or plan.baseline is None):
        return nothing
    if not is_update:
        return baselines.read(plan.baseline_file)
    damaged: list[str] = []
    found = baselines.read(plan.baseline_file, damaged)
    if damaged:
        warnings.warn(
            f"{damaged[0].partition('; ')[0]}: the baseline is written anew; reasons that stood in it,"
            " and entries of files that are not looked at now, may be lost",
            stacklevel=2,
        )
    return found


def _changes(plan: Plan) -> Callable[[], Changes | None]:
    """How to find out which lines changed: what is asked for is found now, else when somebody wants to know."""
    if plan.changed_since is None and not plan.staged:
        return lambda: _since_accepted(plan)
    option = "--staged" if plan.staged else f"--changed-since {plan.changed_since}"
    if not plan.in_repository:
        raise InputError(f"{option}: {plan.top} is not in a git repository")
    try:
        found = (
            Changes.staged(plan.top)
            if plan.changed_since is None
            else Changes.since(plan.changed_since, plan.top)
        )
    except DependencyError as error:
        raise DependencyError(f"{option} asks git, and {error}") from error
    return lambda: found


_BY_ORDER = "which of two copies was there before is told by their order"


def _since_accepted(plan: Plan) -> Changes | None:
    """The lines changed since the commit that wrote the baseline, else since the last one; None without a repository.

    Where git cannot tell, a note says so: this is asked for where something is new.
    """
    if not plan.in_repository:
        return None
    try:
        if head(plan.top) is None:
            return None
        path = os.path.relpath(os.path.realpath(plan.baseline_file), os.path.realpath(plan.top))
        written = last_change(path.replace(os.sep, "/"), plan.top)
        revision = None if written.is_modified else written.revision
        found = Changes.since(revision or "HEAD", plan.top)
        if revision is not None and is_cut_off(revision, plan.top):
            found.notes += (
                f"{_BY_ORDER}, for what changed since the baseline was written is not in this shallow clone;"
                " fetch-depth: 0 gets the whole history",
            )
        return found
    except (InputError, DependencyError) as error:
        return Changes({}, [f"{_BY_ORDER}, for git cannot: {error}"])
