"""Where outputs may go: asked before the work begins.

Enters: a plan. Leaves: whether its outputs are a tree, whether they are there already, or an error that says what is in
the way.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .. import manifest, read
from ..errors import InputError, ManifestError, OutputError
from ..manifest import ORIGINALS
from ..read import Options, formats, remote
from ..write import parts
from ..write.sides import ARCHIVES, STDOUT
from .plan import KEPT, REJECTS, Plan

#: Standard input and output as files, which they may be.
_STDIN, _STDOUT = "/dev/stdin", "/dev/stdout"

#: Formats of which a file is one record.
_WHOLE_FILES = (formats.TEXT, formats.HTML, formats.OTHER)


def is_tree(paths: Sequence[str], options: Options, output: str | None) -> bool:
    """Whether the outputs are folders, with a file for each input, and not one file for all.

    They are where a folder is among the inputs, or files of which each is a record, or several archives, or where the
    output's name ends in a slash or is that of a folder. Raises InputError where the inputs are of different formats
    and could not go into one file.
    """
    if output is not None and output != STDOUT and (output.endswith(("/", os.sep)) or os.path.isdir(output)):
        return True
    found = {path: formats.named(path, options).format for path in paths if not os.path.isdir(path)}
    kinds = set(found.values())
    has_folder = any(map(os.path.isdir, paths))
    if has_folder or kinds & {*_WHOLE_FILES} or (kinds & {*ARCHIVES} and len(found) > 1):
        if output == STDOUT:
            raise OutputError("files of a tree cannot go to standard output; name a folder with -o")
        return True
    if len(kinds) > 1:
        told = " and ".join(sorted(kinds))
        raise InputError(f"inputs of {told} cannot go into one file; name a folder: -o new/")
    return False


def targets(plan: Plan) -> list[str]:
    """All files and folders that the plan writes; the folder for originals only if it is there."""
    originals = f"{plan.manifest}{ORIGINALS}"
    return [path for path in possible(plan) if path != originals or os.path.lexists(path)]


def possible(plan: Plan) -> list[str]:
    """All files and folders that the plan may write."""
    originals = f"{plan.manifest}{ORIGINALS}" if plan.manifest else None
    return [
        path for path in (plan.kept, plan.rejects, plan.manifest, originals) if path not in (None, STDOUT)
    ]


def principal(plan: Plan) -> str:
    """The output by whose name the next run finds what this one left undone: a file or folder, or nothing."""
    for path in (plan.manifest, plan.kept, plan.rejects):
        if path is not None and is_durable(path):
            return path
    return ""


def is_durable(path: str) -> bool:
    """Whether an output becomes a file or folder, and does not go to somebody who may drop it: a pipe, a device,
    standard output."""
    return path != STDOUT and (not os.path.exists(path) or os.path.isfile(path) or os.path.isdir(path))


def check(plan: Plan) -> None:
    """Raises OutputError where an output is given twice, is or holds an input, or lies inside of one.

    And InputError where a file is an input and in the reference: all of it would be set aside as a copy of itself.
    """
    if read.STDIN in plan.paths and read.STDIN in plan.reference:
        raise InputError("-: given as input and as --reference; standard input can be read only once")
    taken = _taken(plan)
    open_output = _identity(_STDOUT) if plan.kept == STDOUT else None
    protected: dict[tuple[int, int], str] = {}
    if plan.index is not None:
        _check_source(os.path.realpath(plan.index), taken, plan.index)
    for paths in (plan.reference, plan.paths):
        for source in (place for given in paths for place in _local(given)):
            _check_source(os.path.realpath(source), taken)
            for entry in _below(source):
                if entry.is_deep:
                    _check_source(entry.real, taken, entry.path)
                is_told = not entry.is_folder and (plan.reference or open_output)
                key = _identity(entry.real) if is_told else None
                if key is None:
                    continue
                if key == open_output:
                    raise OutputError(f"standard output is an input, {entry.path}; write somewhere else")
                if paths is plan.reference:
                    protected.setdefault(key, entry.path)
                elif key in protected:
                    raise InputError(
                        f"{entry.path}: is also in the reference, as {protected[key]}; "
                        f"all of it would be a copy of itself"
                    )
    for (one, name), (other, path) in itertools.combinations(taken.items(), 2):
        if _is_below(one, other) or _is_below(other, one):
            raise OutputError(f"{path}: one output lies inside another, {name}; write them side by side")


def _taken(plan: Plan) -> dict[str, str]:
    """The outputs, by where they really are. Raises OutputError where one is given twice."""
    taken: dict[str, str] = {}
    for path in possible(plan):
        real = os.path.realpath(path)
        if real in taken:
            raise OutputError(f"{path}: given for two outputs; expected a name for each")
        key = _identity(path)
        if key is not None and plan.kept == STDOUT and key == _identity(_STDOUT):
            raise OutputError(
                f"{path}: given for two outputs, as standard output too; expected a name for each"
            )
        if key is not None and read.STDIN in (*plan.paths, *plan.reference) and key == _identity(_STDIN):
            raise OutputError(f"{path}: is what standard input is read from; write somewhere else")
        taken[real] = path
    return taken


def _check_source(real: str, taken: dict[str, str], path: str = "") -> None:
    """Raises OutputError where an input, or a folder of inputs, and an output are in each other's way."""
    is_folder = os.path.isdir(real)
    for target, name in taken.items():
        if target == real:
            raise OutputError(f"{name}: is one of the inputs, which are never changed; write somewhere else")
        if is_folder and _is_below(target, real):
            raise OutputError(f"{name}: lies inside an input, {path or real}; write somewhere else")
        if _is_below(real, target):
            raise OutputError(f"{name}: holds an input, {path or real}; write somewhere else")
        if parts.is_within(real, target):
            raise OutputError(
                f"{name}: an input, {path or real}, is named like what lies beside an output while it is written; "
                f"write somewhere else"
            )


class _Entry(NamedTuple):
    """A file or folder among the inputs: the path that leads to it, where it really is."""

    path: str
    real: str
    is_folder: bool
    is_deep: bool  # a link led here: nothing is known of where this is from what was given


def _below(source: str) -> Iterator[_Entry]:
    """All files and folders that lie under a path or that links in there lead to; what cannot be looked at is left."""
    real = os.path.realpath(source)
    if not os.path.isdir(real):
        yield _Entry(source, real, False, False)
        return
    waiting = [_Entry(source.rstrip("/") or source, real, True, False)]
    entered = {real}
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder.real) as listed:
                entries = list(listed)
        except OSError:
            continue
        for entry in entries:
            is_link = entry.is_symlink()
            real = os.path.realpath(entry.path) if is_link else entry.path
            found = _Entry(f"{folder.path}/{entry.name}", real, _is_folder(entry), is_link)
            if not found.is_folder:
                yield found
            elif real not in entered:
                entered.add(real)
                waiting.append(found)
                yield found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _local(path: str) -> list[str]:
    """The paths on this machine that an input is read from."""
    if path == read.STDIN:
        return [_STDIN]
    return remote.on_this_machine(path) if read.is_remote(path) else [path]


def _identity(path: str) -> tuple[int, int] | None:
    """By what a file is known under all its names."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def in_the_way(plan: Plan) -> list[str]:
    """Outputs that are there already, but for what is no file or folder and is written to directly."""
    return [
        path
        for path in targets(plan)
        if os.path.isfile(path) or os.path.isdir(path) or (os.path.islink(path) and not os.path.exists(path))
    ]


def check_folders(plan: Plan) -> None:
    """Raises OutputError where a folder would be replaced with all that is in it, and an earlier run did not make it.

    Such a folder is an output of the manifest that stands where the plan's manifest goes; an empty one may go as well.
    """
    earlier: set[str] | None = None
    for path in in_the_way(plan):
        if not os.path.isdir(path) or _is_empty(path):
            continue
        if earlier is None:
            earlier = _folders_of(plan.manifest)
        if os.path.realpath(path) not in earlier:
            raise OutputError(
                f"{path}: a folder that is not an output of an earlier run with this manifest; it is not replaced, "
                f"not even with --force; write elsewhere"
            )


def _folders_of(path: str | None) -> set[str]:
    """The folders that a manifest says it has outputs in; none where there is no whole manifest."""
    found: set[str] = set()
    if path is None or not os.path.isfile(path):
        return found
    beside = os.path.dirname(os.path.realpath(path))
    try:
        for line in manifest.read(path):
            if line["type"] == "run" and line["outputs"]["tree"]:
                outputs = (line["outputs"][KEPT], line["outputs"][REJECTS])
                found.update(
                    os.path.realpath(os.path.join(beside, name))
                    for name in outputs
                    if name not in (None, STDOUT)
                )
            elif line["type"] == "input" and line["original"]:
                found.add(os.path.realpath(f"{path}{ORIGINALS}"))
    except ManifestError:
        return set()
    return found


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def is_finished(plan: Plan) -> bool:
    """Whether the outputs are named as those of this very plan, and the inputs are as they were then.

    What is in the outputs is not looked at here. What went to standard output is not there any more.
    """
    if plan.manifest is None or not os.path.isfile(plan.manifest):
        return False
    if plan.kept == STDOUT or any(
        path == read.STDIN or read.is_passing(path) for path in (*plan.paths, *plan.reference)
    ):
        return False
    if len(in_the_way(plan)) < len(targets(plan)):
        return False
    before: dict[str, dict[str, str]] = {"input": {}, "reference": {}}
    try:
        for line in manifest.read(plan.manifest):
            if line["type"] == "run" and line != plan.header():
                return False
            if line["type"] in before:
                before[line["type"]][line["path"]] = line["sha256"]
    except ManifestError:
        return False
    return before == {"input": _sums(plan, plan.paths), "reference": _sums(plan, plan.reference)}


def _sums(plan: Plan, paths: tuple[str, ...]) -> dict[str, str]:
    """The hash of every file under these paths, as it is now."""
    inputs = read.inputs(paths, plan.options) if paths else ()
    return {found.path: _sha256(found.path) for found in inputs if isinstance(found, read.Input)}


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))
