"""Which files are left out: by patterns, and by ignore files as git reads them.

Enters: patterns and names; then the files and directories that a walk meets. Leaves: whether each is left out.

``.gitignore`` and ``.dedupignore`` have one syntax (gitignore(5)), which the package ``pathspec`` knows. They count for
the directory in which they stand and all below, the nearest first; in one directory ``.dedupignore`` goes before
``.gitignore``. They are looked for up to the top of the git repository, whose ``.git/info/exclude`` comes last; outside
of one, up to the root or the path that was given. The user's own excludes (``core.excludesFile``) do not count: the
answer is to be the same on every machine. Nothing can be taken in again below a directory that is left out. Unlike git,
which never ignores what it tracks, this looks at names only.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from ..errors import DependencyError, InputError, SettingsError

IGNORE_FILES = (".dedupignore", ".gitignore")  # the stronger first

Search = Callable[[str], re.Match[str] | None]

_TRAILING = re.compile(r"(?<!\\) +$")
_GROUP = re.compile(r"\(\?P<\w+>")


class _Pattern(NamedTuple):
    """One line of an ignore file.

    ``depth`` is 0 for a pattern for names, None for a path of any depth; ``regex`` what it looks for.
    """

    matches: Callable[[str], object]
    leaves_out: bool
    depth: int | None
    regex: str


class _Rules:
    """The patterns of one ignore file for all that lies below a directory."""

    def __init__(self, base: str, patterns: Sequence[_Pattern]) -> None:
        """``base`` is the directory, with a slash; the later of the patterns are the stronger."""
        self._base = len(base)
        self._all = tuple(reversed(patterns))
        self._paths = tuple(pattern for pattern in self._all if pattern.depth != 0)
        # Most names match none of the patterns for names: one search for all takes a third of the time.
        names = [_GROUP.sub("(?:", pattern.regex) for pattern in patterns if pattern.depth == 0]
        self._any_name = re.compile("|".join(names)).search if names else None

    def decide(self, place: str, is_folder: bool) -> bool | None:
        """Whether something below the directory is left out; None where no pattern matches it."""
        mark = "/" if is_folder else ""
        below = place[self._base :]
        depth = below.count("/") + 1
        below, name = below + mark, below.rpartition("/")[2] + mark
        is_named = self._any_name is not None and self._any_name(name) is not None
        for pattern in self._all if is_named else self._paths:
            if pattern.depth in (None, depth) and pattern.matches(below):
                return pattern.leaves_out
            if pattern.depth == 0 and pattern.matches(name):
                return pattern.leaves_out
        return None


class Excluded:
    """What is left out of a walk.

    ``patterns`` are those of ``--exclude``: gitignore syntax, relative to ``root``, stronger than all ignore files.
    ``names`` are single files and directories, ``everywhere`` what they are called in any directory. ``left_out``
    counts what was left out, a directory as one.
    """

    def __init__(
        self,
        root: str,
        patterns: Sequence[str] = (),
        names: Iterable[str] = (),
        everywhere: Iterable[str] = (),
        *,
        ignore_files: bool = True,
    ) -> None:
        """Raises SettingsError for a pattern that is none, DependencyError if there are any and pathspec is missing."""
        self._root = _slashed(os.path.realpath(root))
        self._names = frozenset(map(_placed, names))
        self._everywhere = frozenset(everywhere)
        self._uses_files = ignore_files
        self._starts = {self._root}
        self._tops: dict[str, str | None] = {}
        self._rules: dict[str, tuple[_Rules, ...]] = {}
        self._patterns = (
            _Rules(self._root, [_excluding(pattern) for pattern in patterns]) if patterns else None
        )
        self.left_out = 0

    def path(self, path: str) -> bool:
        """Whether a path that the user gave is left out, by itself or with a directory above it.

        Raises what :meth:`entry` raises. The top of a repository, and where there is none the directory that is
        given, are not asked of the ignore files above them.
        """
        place, is_folder = _placed(path), os.path.isdir(path)
        folder = _slashed(os.path.realpath(path)) if is_folder else _folder(place)
        if is_folder and self._top(folder) is None:
            self._starts.add(folder)
        end = self._end(folder)
        parts = place.split("/")
        steps = [("/".join(parts[:n]), True) for n in range(2, len(parts))]
        is_out = any(
            self._is_named(step, is_dir) or (step.startswith(end) and self._is_ignored(step, is_dir))
            for step, is_dir in [*steps, (place, is_folder)]
        )
        self.left_out += is_out
        return is_out

    def entry(self, place: str, is_folder: bool) -> bool:
        """Whether an entry of a directory is left out; ``place`` is the directory's real path and the entry's name.

        Raises InputError for an ignore file that cannot be read, DependencyError for one if pathspec is missing.
        """
        place = place.replace(os.sep, "/")
        is_out = self._is_named(place, is_folder) or self._is_ignored(place, is_folder)
        self.left_out += is_out
        return is_out

    def _is_named(self, place: str, is_folder: bool) -> bool:
        """Whether it is left out by name or by the user's patterns."""
        if place in self._names or place.rpartition("/")[2] in self._everywhere:
            return True
        if self._patterns is None or not place.startswith(self._root):
            return False
        return self._patterns.decide(place, is_folder) is True

    def _is_ignored(self, place: str, is_folder: bool) -> bool:
        """Whether it is left out by an ignore file."""
        for rules in self._rules_in(_folder(place)) if self._uses_files else ():
            decided = rules.decide(place, is_folder)
            if decided is not None:
                return decided
        return False

    def _rules_in(self, folder: str) -> tuple[_Rules, ...]:
        """The ignore files that count for the entries of a directory, the strongest first."""
        known = self._rules.get(folder)
        if known is None:
            own = [_Rules(folder, patterns) for name in IGNORE_FILES if (patterns := _read(folder + name))]
            if folder == self._end(folder):
                excludes = _read(_info_exclude(folder))
                known = (*own, _Rules(folder, excludes)) if excludes else tuple(own)
            else:
                known = (*own, *self._rules_in(_folder(folder)))
            self._rules[folder] = known
        return known

    def _end(self, folder: str) -> str:
        """The last directory upwards in which ignore files count."""
        starts = (start for start in self._starts if folder.startswith(start))
        return self._top(folder) or min(starts, key=len, default=folder)

    def _top(self, folder: str) -> str | None:
        """The top of the repository that a directory is in; None outside of one."""
        if folder not in self._tops:
            is_top = os.path.lexists(f"{folder}.git")
            above = _folder(folder)
            self._tops[folder] = folder if is_top else None if above == folder else self._top(above)
        return self._tops[folder]


def _read(path: str) -> list[_Pattern]:
    """The patterns of an ignore file; none where there is no such file."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return []
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: cannot be read: {what}; --no-ignore-files does without it") from error
    text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
    return [found for line in text.split("\n") if (found := _pattern(line, path))]


def _excluding(pattern: str) -> _Pattern:
    found = _pattern(pattern, "--exclude")
    if found is None:
        raise SettingsError(
            f"exclude is {pattern!r}, which matches nothing; expected a pattern as in .gitignore"
        )
    return found


def _pattern(line: str, source: str) -> _Pattern | None:
    """The pattern in a line; None for a comment, a blank line, and what git would not understand.

    pathspec takes a pattern for what it matches and for all below. Here directories are asked one by one, and of what
    lies below one that was taken in again, the entry itself has to match: a pattern for names is shown the name, one
    for a path only paths that are as deep; with ``**`` in it the match has to reach the end.
    """
    line = _TRAILING.sub("", line.removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    try:
        from pathspec import GitIgnoreSpec
    except ImportError as error:
        hint = "pip install 'dedup-spans[check]'" + (
            "" if source == "--exclude" else ", or --no-ignore-files"
        )
        raise DependencyError(f"{source}: reading its patterns needs pathspec; {hint}") from error
    negation, path = ("!", line[1:]) if line.startswith("!") else ("", line)
    parts, is_for_folders = path.removesuffix("/").split("/"), path.endswith("/")
    if parts[:2] == ["", "**"]:
        del parts[0]
    is_for_names = all(part == "**" for part in parts[:-1])
    path = "/".join(parts)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a set of characters that holds [, which git allows
            (found,) = GitIgnoreSpec.from_lines([f"{negation}{path}{'/' * is_for_folders}"]).patterns
    except (ValueError, re.error):
        return None
    if found.include is None or found.regex is None:
        return None
    search, regex = found.regex.search, found.regex.pattern
    if is_for_names:
        return _Pattern(search, found.include, 0, regex)
    if "**" not in parts:
        return _Pattern(search, found.include, len(parts) - (not parts[0]), regex)
    matches = partial(_below if parts[-1] == "**" else _to_the_end, search, is_for_folders)
    return _Pattern(matches, found.include, None, regex)


def _below(search: Search, is_for_folders: bool, path: str) -> bool:
    """Whether a path lies below what is found, as a pattern that ends in ``**`` says."""
    return (path.endswith("/") or not is_for_folders) and search(path.removesuffix("/")) is not None


def _to_the_end(search: Search, _: bool, path: str) -> bool:
    """Whether what is found is the whole path."""
    match = search(path)
    return match is not None and match.end() == len(path)


def _info_exclude(top: str) -> str:
    """The excludes that a repository has of its own; its ``.git`` is a file in worktrees and submodules."""
    folder = f"{top}.git"
    try:
        with open(folder, encoding="utf-8", errors="surrogateescape") as file:
            folder = os.path.join(top, file.read().removeprefix("gitdir:").strip())
        with open(os.path.join(folder, "commondir"), encoding="utf-8", errors="surrogateescape") as file:
            folder = os.path.join(folder, file.read().strip())
    except OSError:  # a directory, or no worktree
        pass
    return os.path.join(folder, "info", "exclude")


def _placed(path: str) -> str:
    """Where a path is: its directory's real path, and its own name, which may be that of a link."""
    folder, name = os.path.split(os.path.abspath(path))
    return f"{_slashed(os.path.realpath(folder))}{name}"


def _slashed(folder: str) -> str:
    return folder.replace(os.sep, "/").rstrip("/") + "/"


def _folder(place: str) -> str:
    """The directory above, with a slash; of ``/`` itself."""
    return place.rstrip("/").rpartition("/")[0] + "/"
