"""What git knows of files: where a repository begins, which lines a change added, who changed a file last.

Enters: the top of a repository, and a revision or the wish for what is staged. Leaves: the lines of the work tree that
were added or changed since, by file. A changed line is an added one to git; a deletion adds none. A file that was moved
is new under its new name. Lines end in a line feed for git as for dedup.

All is asked of the ``git`` command, in the environment as it is: a hook's ``GIT_DIR`` and ``GIT_INDEX_FILE`` count, as
git means them to. Nothing is written, not even the index (``GIT_OPTIONAL_LOCKS``), and none of the user's settings for
diffs has a say.
"""

from __future__ import annotations

import os
import re
import subprocess
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..errors import DependencyError, InputError
from .paths import archives

Run = tuple[int, int]  # the first and the last of lines one after another, from 1

_ALL = None  # in the place of runs: every line

_DIFF = (
    "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--no-relative", "--ignore-submodules",
)  # fmt: skip
_PATCH = (
    "--unified=0", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic", "--diff-filter=M",
    "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--output-indicator-new=+", "--output-indicator-old=-",
)  # fmt: skip
_HUNK = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+(?P<first>\d+)(?:,(?P<new>\d+))? @@")
_ESCAPE = re.compile(rb'\\(?:([0-7]{3})|([abtnvfr"\\]))')
_LETTERS = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


def top(folder: str) -> str | None:
    """The top directory of the repository that a directory is in, its real path; None outside of one.

    Found without git: the nearest directory upwards with a ``.git``, which in a worktree or submodule is a file.
    ``GIT_WORK_TREE`` names it for what lies in it.
    """
    real = os.path.realpath(folder)
    named = os.environ.get("GIT_WORK_TREE")
    if named:
        named = os.path.realpath(named)
        if os.path.join(real, "").startswith(os.path.join(named, "")):
            return named
    while not _is_repository(os.path.join(real, ".git")):
        above = os.path.dirname(real)
        if above == real:
            return None
        real = above
    return real


def _is_repository(path: str) -> bool:
    return os.path.isfile(path) or os.path.isfile(os.path.join(path, "HEAD"))


def is_tracked(path: str, top: str) -> bool:
    """Whether a file, or one below a directory, is in the repository; False where git cannot tell."""
    try:
        done = _run(top, "--literal-pathspecs", "ls-files", "-z", "--", path)
    except DependencyError:
        return False
    return done.returncode == 0 and bool(done.stdout)


def has_commit(top: str) -> bool:
    """Whether something was committed. Raises InputError where git fails, DependencyError without git."""
    return _base(top) is not None


class LastChange(NamedTuple):
    """Who changed a file last.

    ``revision`` is None for a file that ``HEAD`` does not hold. ``is_modified`` says that the file differs from what
    ``HEAD`` holds, as one does that is not tracked.
    """

    revision: str | None
    is_modified: bool


def last_change(path: str, top: str) -> LastChange:
    """The last change of a file, its path relative to the top. Cost: git looks through the history.

    In a shallow clone the oldest commit that is there stands for all before it. Raises InputError where git fails,
    DependencyError without git.
    """
    if _base(top) is None:
        return LastChange(None, True)
    log = _git(top, "--literal-pathspecs", "rev-list", "-1", "HEAD", "--", path)
    status = _git(top, "--literal-pathspecs", "status", "--porcelain", "-z", "--ignored", "--untracked-files=all",
                  "--", path)  # fmt: skip
    held = _git(top, "--literal-pathspecs", "ls-tree", "-z", "--name-only", "HEAD", "--", path)
    return LastChange(log.decode().strip() if held else None, bool(status) or not held)


class Changes:
    """The lines of the work tree that a change added, by file; paths are relative to the top, with ``/``.

    ``notes`` are lines for the user on how they were found.
    """

    def __init__(
        self, runs: Mapping[str, tuple[Run, ...] | None], new: Iterable[str], notes: tuple[str, ...] = ()
    ):
        """``runs`` are the added lines of each changed file in order, None for all; ``new`` the files added."""
        self._runs = runs
        self._new = frozenset(new)
        self.notes = notes

    @classmethod
    def since(cls, revision: str, top: str) -> Changes:
        """What the work tree has that the merge base of ``revision`` and ``HEAD`` has not, untracked files included.

        Where there is no merge base (a shallow clone), against ``revision`` itself, with a note. Raises InputError for
        a revision that is not there, DependencyError without git.
        """
        base, notes = _merge_base(revision, top)
        return _changes(top, base, _untracked(top), notes)

    @classmethod
    def staged(cls, top: str) -> Changes:
        """What the work tree has in files that are staged, and ``HEAD`` has not; before the first commit, all of them.

        Raises InputError where git fails, DependencyError without git.
        """
        base = _base(top) or _empty_tree(top)
        staged = _records(_git(top, *_DIFF, "--cached", "--name-only", "-z", base, "--"))
        return _changes(top, base, [], ()).only(map(os.fsdecode, staged))

    def only(self, paths: Iterable[str]) -> Changes:
        """The changes of these files."""
        kept = set(paths)
        runs = {path: found for path, found in self._runs.items() if path in kept}
        return Changes(runs, self._new & kept, self.notes)

    def __contains__(self, path: str) -> bool:
        return path in self._runs

    def is_new(self, path: str) -> bool:
        """Whether the file was added."""
        return path in self._new

    def touched(self, path: str, line: int | None, end_line: int | None) -> bool:
        """Whether a line from ``line`` to ``end_line`` was added; without lines, whether the file changed."""
        is_known = path in self._runs or self._is_in_archive(path)
        return is_known and (line is None or self.first_run(path, line, end_line) is not None)

    def first_run(self, path: str, line: int | None, end_line: int | None) -> Run | None:
        """The first added lines from ``line`` to ``end_line``, none of them outside; None where there are none."""
        if line is None or not (path in self._runs or self._is_in_archive(path)):
            return None
        last = line if end_line is None else end_line
        runs = self._runs.get(path, _ALL)  # of an archive, git knows no lines
        if runs is _ALL:
            return (line, last)
        at = bisect_left(runs, line, key=lambda run: run[1])
        if at == len(runs) or runs[at][0] > last:
            return None
        return max(runs[at][0], line), min(runs[at][1], last)

    def _is_in_archive(self, path: str) -> bool:
        """Whether it is ``archive.zip!name``, and that archive changed."""
        return any(archive in self._runs for archive in archives(path))


def _changes(top: str, base: str, untracked: list[str], notes: tuple[str, ...]) -> Changes:
    """What the work tree has that ``base`` has not.

    Whole are the files that are new, those that git takes for binary, and those whose content git does not hold itself
    (``filter``, as of Git LFS): what lines it tells of there are not those of the file.
    """
    states = _states(_git(top, *_DIFF, "--raw", "--numstat", "-z", base, "--"))
    modified = [path for path, state in states.items() if state == "M"]
    lines = _lines(_git(top, *_DIFF, *_PATCH, base, "--")) if modified else {}
    filtered = _filtered(top, modified)
    runs: dict[str, tuple[Run, ...] | None] = dict.fromkeys(untracked, _ALL)
    for path, state in states.items():
        if state == "M" and path not in filtered:
            runs[path] = lines.get(path, ())
        elif state != "D":
            runs[path] = _ALL
    return Changes(runs, [*untracked, *(path for path, state in states.items() if state == "A")], notes)


def _states(output: bytes) -> dict[str, str]:
    """Of each changed file what happened to it: A, D, M, T, U as git says, and B for a binary file that is modified."""
    states: dict[str, str] = {}
    records = iter(_records(output))
    for record in records:
        if record.startswith(b":"):
            path = os.fsdecode(next(records))
            states[path] = record[-1:].decode()
        elif record.startswith(b"-\t-\t"):
            path = os.fsdecode(record[4:])
            states[path] = "B" if states.get(path) == "M" else states.get(path, "B")
    return states


def _lines(patch: bytes) -> dict[str, tuple[Run, ...]]:
    """The added lines of each file in a patch without context."""
    found: dict[str, list[Run]] = {}
    runs: list[Run] = []
    content = 0
    for line in patch.split(b"\n"):
        if content and line[:1] in (b"+", b"-"):
            content -= 1
        elif line.startswith(b"+++ "):
            runs = found.setdefault(_path(line[4:]), [])
        elif (hunk := _HUNK.match(line)) is not None:
            old, new = (1 if count is None else int(count) for count in hunk.group("old", "new"))
            first = int(hunk["first"])
            content = old + new
            if new:
                runs.append((first, first + new - 1))
    return {path: tuple(runs) for path, runs in found.items()}


def _path(name: bytes) -> str:
    """The path in a patch's ``b/path``: quoted where it is odd, with a tab behind where it holds a space."""
    name = name.removesuffix(b"\t")
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_unescaped, name[1:-1])
    return os.fsdecode(name.removeprefix(b"b/"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8) if match[1] else _LETTERS[match[2][0]]])


def _filtered(top: str, paths: list[str]) -> set[str]:
    """Those of the files that have a ``filter`` in ``.gitattributes``."""
    if not paths:
        return set()
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    told = _records(_git(top, "check-attr", "-z", "--stdin", "filter", stdin=asked))
    values = zip(told[::3], told[2::3], strict=True)
    return {os.fsdecode(path) for path, value in values if value not in (b"unspecified", b"unset")}


def _untracked(top: str) -> list[str]:
    """The files that git neither tracks nor ignores; nested repositories (their names end in a slash) are left out."""
    found = _records(_git(top, "ls-files", "-z", "--others", "--exclude-standard"))
    return [os.fsdecode(path) for path in found if not path.endswith(b"/")]


def _merge_base(revision: str, top: str) -> tuple[str, tuple[str, ...]]:
    """The commit against which a change is looked at, and what is to be said of it."""
    commit = None if revision.startswith("-") else _commit(top, revision)
    if commit is None:
        raise InputError(
            f"--changed-since {revision}: no such revision in {top}; "
            "fetch it first, with its history (in GitHub Actions: fetch-depth: 0)"
        )
    head = _base(top)
    done = _run(top, "merge-base", commit, head) if head else None
    if done is not None and done.returncode not in (0, 1):
        raise _failed(top, "merge-base", done)
    base = done.stdout.decode().strip() if done else ""
    if base:
        return base, ()
    why = "nothing in common with HEAD"
    if _git(top, "rev-parse", "--is-shallow-repository").strip() == b"true":
        why = "no common ancestor with HEAD in this shallow clone (fetch-depth: 0 gets the whole history)"
    return commit, (f"{revision}: {why}; compared with {revision} itself",)


def _base(top: str) -> str | None:
    """The commit that is checked out; None before the first one."""
    return _commit(top, "HEAD")


def _commit(top: str, revision: str) -> str | None:
    done = _run(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if done.returncode and done.stderr.strip():
        raise _failed(top, "rev-parse", done)
    found = done.stdout.decode().strip()
    return found if found.isalnum() else None  # of a range, there are two lines


def _empty_tree(top: str) -> str:
    return _git(top, "hash-object", "-t", "tree", "--stdin").decode().strip()


def _records(output: bytes) -> list[bytes]:
    return output.split(b"\0")[:-1]


def _git(top: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git answers. Raises InputError where it fails."""
    done = _run(top, *arguments, stdin=stdin)
    if done.returncode:
        raise _failed(top, next(word for word in arguments if not word.startswith("-")), done)
    return done.stdout


def _run(top: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_DIFF_OPTS": "--unified=0", "LC_ALL": "C"}
    settings = ("-c", "core.quotePath=true", "-c", "diff.autoRefreshIndex=true")
    try:
        return subprocess.run(
            ["git", *settings, *arguments],
            cwd=top,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise DependencyError("git was not found; it tells which lines a change added") from error


def _failed(top: str, command: str, done: subprocess.CompletedProcess[bytes]) -> InputError:
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
    return InputError(f"{top}: git {command} failed: {said or f'exit code {done.returncode}'}")
