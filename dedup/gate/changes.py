"""Which lines a change added, as git has it.

Enters: the top of a repository, and a revision or the wish for what is staged. Leaves: the lines of the work tree that
were added or changed since, by file, and between which lines some were deleted. A changed line is an added one to git.
Of a file that git takes for a renamed one, the lines that changed on the way. Lines end in a line feed for git as for
dedup.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from ..errors import InputError
from .git import ask, commit, contents, empty_tree, failed, first_parents, head, is_shallow, records, run
from .patch import Edits, Run, lines_of, states_of
from .paths import archives

_NAMED = 5  # files in a note

_ALL = Edits(None)
_NEW = Edits(None, is_new=True)

_DIFF = (
    "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", "--no-relative", "--ignore-submodules",
)  # fmt: skip
_PATCH = (
    "--unified=0", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic", "--diff-filter=MR",
    "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--output-indicator-new=+", "--output-indicator-old=-",
)  # fmt: skip


class Changes:
    """The lines of the work tree that a change added, by file; paths are relative to the top, with ``/``.

    ``notes`` are lines for the user on how they were found.
    """

    def __init__(
        self,
        edits: Mapping[str, Edits],
        notes: Iterable[str] = (),
        renames: Mapping[str, str] | None = None,
        later: Callable[[], Sequence[Changes]] = tuple,
        gone: Collection[str] = (),
        contents: Callable[[Collection[str]], Mapping[str, bytes]] = lambda paths: {},
    ) -> None:
        """``edits`` are those of each file that changed or is new, ``renames`` new paths by old ones.

        ``gone`` are the files that were deleted, without those that were renamed. ``contents`` tells what files held.
        """
        self._edits, self._gone, self._contents = edits, gone, contents
        self.notes = tuple(notes)
        self.renames = renames or {}
        self.later = later

    @classmethod
    def since(cls, revision: str, top: str) -> Changes:
        """What the work tree has that the merge base of ``revision`` and ``HEAD`` has not, untracked files included.

        Where there is no merge base (a shallow clone), against ``revision`` itself, with a note. Raises InputError for
        a revision that is not there, DependencyError without git.
        """
        base, notes = _merge_base(revision, top)
        untracked = _untracked(top)
        later = cache(lambda: cls._later(base, top, untracked))
        found = _changes(top, base, untracked, notes, later)
        return _agreeing([found, *later()])[0] if found.renames else found

    @classmethod
    def _later(cls, base: str, top: str, untracked: list[str]) -> list[Changes]:
        """What the work tree has that the last commits have not, back to ``base``: 1, 2, 3, 4, 16, 64 … of them.

        Who looks at each change when it comes can so tell it from all earlier ones, at a cost that hardly grows.
        """
        commits = first_parents(base, top)
        numbers = {*range(4), *(4**n for n in range(1, len(commits).bit_length()))}
        bases = [commits[n] for n in sorted(numbers, reverse=True) if n < len(commits)]
        with ThreadPoolExecutor() as pool:  # each waits for git, which looks at every file
            return _agreeing(list(pool.map(lambda commit: _changes(top, commit, untracked, ()), bases)))

    @classmethod
    def staged(cls, top: str) -> Changes:
        """What the work tree has in files that are staged, and ``HEAD`` has not; before the first commit, all of them.

        Raises InputError where git fails, DependencyError without git.
        """
        base = head(top) or empty_tree(top)
        staged = _files(ask(top, *_DIFF, "--cached", "--name-only", "-z", base, "--"))
        found = _changes(top, base, [], ()).only(staged)
        found.notes += _partly_staged(top, staged)
        return found

    def renamed(self, later: Mapping[str, str]) -> Changes:
        """The same where some files are known to have been renamed otherwise: new paths by old ones."""
        edits, renames = dict(self._edits), dict(self.renames)
        for old, new in later.items():
            was_there = old in self.renames or old in self._gone
            if was_there and self.renames.get(old) != new and edits.get(new, _ALL).is_new:
                if old in self.renames:
                    edits[self.renames[old]] = _NEW
                edits[new], renames[old] = _ALL, new
        gone = set(self._gone).difference(renames)
        return Changes(edits, self.notes, renames, self.later, gone, self._contents)

    def became(self, later: Mapping[str, str]) -> dict[str, str]:
        """New paths by old ones; of files of which nothing is known but that they are gone, those of ``later``."""
        return {old: new for old, new in later.items() if old in self._gone} | dict(self.renames)

    def only(self, paths: Iterable[str]) -> Changes:
        """The changes of these files."""
        kept = set(paths)
        edits = {path: edits for path, edits in self._edits.items() if path in kept}
        return Changes(edits, self.notes, self.renames, contents=self._contents)

    def touched(self, path: str, line: int | None, end_line: int | None) -> bool:
        """Whether something changed from ``line`` to ``end_line``; without lines, whether the file did.

        A line was added there, or some were deleted between two of these lines: so, too, a copy may come about.
        """
        edits = self._of(path)
        if edits is None or line is None:
            return edits is not None
        last = line if end_line is None else end_line
        return self.first_run(path, line, last) is not None or any(line <= cut < last for cut in edits.cuts)

    def first_run(self, path: str, line: int | None, end_line: int | None) -> Run | None:
        """The first added lines from ``line`` to ``end_line``, none of them outside; None where there are none."""
        edits = self._of(path)
        if line is None or edits is None:
            return None
        last = line if end_line is None else end_line
        if edits.runs is None:
            return (line, last)
        at = bisect_left(edits.runs, line, key=lambda run: run[1])
        if at == len(edits.runs) or edits.runs[at][0] > last:
            return None
        return max(edits.runs[at][0], line), min(edits.runs[at][1], last)

    def before(self, paths: Iterable[str]) -> dict[str, bytes]:
        """What files held, those to which something was added."""
        names = {new: old for old, new in self.renames.items()}
        asked = {path: names.get(path, path) for path in paths if self._edits.get(path, Edits()).runs != ()}
        held = self._contents(asked.values()) if asked else {}
        return {path: held[old] for path, old in asked.items() if old in held}

    def is_too_late(self, old: str, new: str) -> bool:
        """Whether a file came when an old one was gone already, and so cannot be what that has become."""
        is_new = new in self._edits and self._edits[new].is_new
        return is_new and not any(
            path in self._gone or path in self.renames for path in (old, *archives(old))
        )

    def _of(self, path: str) -> Edits | None:
        """What was done to a file. Of ``archive.zip!name`` git knows only whether the archive changed."""
        if path not in self._edits and any(archive in self._edits for archive in archives(path)):
            return _ALL
        return self._edits.get(path)


def _agreeing(steps: Sequence[Changes]) -> list[Changes]:
    """What changed since one revision after the other, where each knows of renamed files what the later ones do.

    Git tells a renamed file from its copy only against a revision that holds both of them.
    """
    told: dict[str, str] = {}
    found: list[Changes] = []
    for step in reversed(steps):
        found.append(step.renamed(told))
        told = found[-1].became(told)
    return found[::-1]


def _partly_staged(top: str, staged: Iterable[str]) -> tuple[str, ...]:
    """A note on the files of which the work tree holds something else than what is staged."""
    differing = set(_files(ask(top, *_DIFF, "--name-only", "-z", "--")))
    found = [path for path in staged if path in differing]
    if not found:
        return ()
    more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return (
        f"not staged as they are: {', '.join(found[:_NAMED])}{more}; compared as they are in the work tree",
    )


def _files(output: bytes) -> list[str]:
    return [os.fsdecode(path) for path in records(output)]


def _changes(
    top: str,
    base: str,
    untracked: list[str],
    notes: tuple[str, ...],
    later: Callable[[], Sequence[Changes]] = tuple,
) -> Changes:
    """What the work tree has that ``base`` has not.

    Whole are the files that are new, those that git takes for binary, and those whose content git does not hold itself
    (``filter``, as of Git LFS): what lines it tells of there are not those of the file.
    """
    states, renames = states_of(ask(top, *_DIFF, "--raw", "--numstat", "-z", base, "--"))
    modified = [path for path, state in states.items() if state in "MR"]
    lines = lines_of(ask(top, *_DIFF, *_PATCH, base, "--")) if modified else {}
    filtered = _filtered(top, modified)
    edits: dict[str, Edits] = dict.fromkeys(untracked, _NEW)
    for path, state in states.items():
        if state in "MR" and path not in filtered:
            edits[path] = lines.get(path, Edits())
        elif state != "D":
            edits[path] = _NEW if state == "A" else _ALL
    gone = {path for path, state in states.items() if state == "D"}
    return Changes(edits, notes, renames, later, gone, lambda paths: contents(paths, base, top))


def _filtered(top: str, paths: list[str]) -> set[str]:
    """Those of the files that have a ``filter`` in ``.gitattributes``."""
    if not paths:
        return set()
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    told = records(ask(top, "check-attr", "-z", "--stdin", "filter", stdin=asked))
    values = zip(told[::3], told[2::3], strict=True)
    return {os.fsdecode(path) for path, value in values if value not in (b"unspecified", b"unset")}


def _untracked(top: str) -> list[str]:
    """The files that git neither tracks nor ignores; nested repositories (their names end in a slash) are left out."""
    found = _files(ask(top, "ls-files", "-z", "--others", "--exclude-standard"))
    return [path for path in found if not path.endswith("/")]


def _merge_base(revision: str, top: str) -> tuple[str, tuple[str, ...]]:
    """The commit against which a change is looked at, and what is to be said of it."""
    named = None if revision.startswith("-") else commit(top, revision)
    if named is None:
        raise InputError(
            f"--changed-since {revision}: no such revision in {top}; "
            "fetch it first, with its history (in GitHub Actions: fetch-depth: 0)"
        )
    here = head(top)
    done = run(top, "merge-base", named, here) if here else None
    if done is not None and done.returncode not in (0, 1):
        raise failed(top, "merge-base", done)
    base = done.stdout.decode().strip() if done else ""
    if base:
        return base, ()
    why = "nothing in common with HEAD"
    if is_shallow(top):
        why = "no common ancestor with HEAD in this shallow clone (fetch-depth: 0 gets the whole history)"
    return named, (f"{revision}: {why}; compared with {revision} itself",)
