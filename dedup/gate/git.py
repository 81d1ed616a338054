"""What git knows of files: where a repository begins, what is in it, who changed a file last.

Enters: the top of a repository, and a path or a revision. Leaves: what git answers.

All is asked of the ``git`` command, in the environment as it is: a hook's ``GIT_DIR`` and ``GIT_INDEX_FILE`` count, as
git means them to. Nothing is written, not even the index (``GIT_OPTIONAL_LOCKS``), and none of the user's settings for
diffs has a say.
"""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import DependencyError, InputError


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
    """Whether a file, or one below a directory, is in the repository.

    Raises InputError where git fails, DependencyError without git.
    """
    return bool(ask(top, "--literal-pathspecs", "ls-files", "-z", "--", path))


def is_cut_off(revision: str, top: str) -> bool:
    """Whether this is the oldest commit that a shallow clone has: to git, it seems to have written all there is."""
    return is_shallow(top) and commit(top, f"{revision}^") is None


def is_shallow(top: str) -> bool:
    """Whether the clone lacks some of the history."""
    return ask(top, "rev-parse", "--is-shallow-repository").strip() == b"true"


class LastChange(NamedTuple):
    """Who changed a file last.

    ``revision`` is None for a file that ``HEAD`` does not hold, or that only merges have brought. ``is_modified`` says
    that the file differs from what ``HEAD`` holds, as one does that is not tracked.
    """

    revision: str | None
    is_modified: bool


def last_change(path: str, top: str) -> LastChange:
    """The last change of a file, its path relative to the top. Cost: git looks through the history.

    A merge only brings together what was changed on both sides of it, and counts as none. In a shallow clone the oldest
    commit that is there stands for all before it. Raises InputError where git fails,
    DependencyError without git.
    """
    if head(top) is None:
        return LastChange(None, True)
    log = ask(top, "--literal-pathspecs", "rev-list", "-1", "--no-merges", "HEAD", "--", path)
    status = ask(top, "--literal-pathspecs", "status", "--porcelain", "-z", "--ignored", "--untracked-files=all",
                  "--", path)  # fmt: skip
    held = ask(top, "--literal-pathspecs", "ls-tree", "-z", "--name-only", "HEAD", "--", path)
    revision = log.decode().strip() if held else ""
    return LastChange(revision or None, bool(status) or not held)


def head(top: str) -> str | None:
    """The commit that is checked out; None before the first one."""
    return commit(top, "HEAD")


def commit(top: str, revision: str) -> str | None:
    """The commit that a revision names; None where there is no such one."""
    done = run(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if done.returncode and done.stderr.strip():
        raise failed(top, "rev-parse", done)
    found = done.stdout.decode().strip()
    return found if found.isalnum() else None  # of a range, there are two lines


def first_parents(base: str, top: str) -> list[str]:
    """The commits from ``HEAD`` back to ``base``, without it; a merge stands for all that it brought.

    Raises InputError where git fails, DependencyError without git.
    """
    return ask(top, "rev-list", "--first-parent", f"{base}..HEAD").decode().split()


def empty_tree(top: str) -> str:
    """What stands for nothing at all in a comparison."""
    return ask(top, "hash-object", "-t", "tree", "--stdin").decode().strip()


def contents(paths: Iterable[str], revision: str, top: str) -> dict[str, bytes]:
    """What files held in a revision, by their paths there; without those that were none.

    Raises InputError where git fails, DependencyError without git.
    """
    asked = [path for path in paths if "\n" not in path]  # names are told one a line
    names = b"".join(os.fsencode(f"{revision}:{path}\n") for path in asked)
    answer = io.BytesIO(ask(top, "cat-file", "--batch", stdin=names))
    found: dict[str, bytes] = {}
    for path in asked:
        # The object, what it is, its size; or a name that is "missing".
        head = answer.readline().rsplit(b" ", 2)
        if head[-1].strip().isdigit():
            content = answer.read(int(head[-1]))
            answer.read(1)
            if head[-2] == b"blob":
                found[path] = content
    return found


def records(output: bytes) -> list[bytes]:
    """The parts of an answer (``-z``)."""
    return output.split(b"\0")[:-1]


def ask(top: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git answers. Raises InputError where it fails."""
    done = run(top, *arguments, stdin=stdin)
    if done.returncode:
        raise failed(top, next(word for word in arguments if not word.startswith("-")), done)
    return done.stdout


def run(top: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Runs git at the top. Raises DependencyError where there is none."""
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
        raise DependencyError("git was not found; install it, or put it on the PATH") from error


def failed(top: str, command: str, done: subprocess.CompletedProcess[bytes]) -> InputError:
    """The error that says how a command of git failed."""
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
    help = ""
    if "dubious ownership" in said:
        help = f"; if you trust it: git config --global --add safe.directory '{top}'"
    return InputError(f"{top}: git {command} failed: {said or f'exit code {done.returncode}'}{help}")
