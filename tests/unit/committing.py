"""Outputs of a run that is stopped somewhere: what is written, and the step at which it ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dedup.write import parts
from dedup.write.outputs import Outputs
from tests.filtering import files

#: Calls by which something appears, disappears or gets a name.
STEPS = ("replace", "rename", "unlink", "rmdir", "fsync", "mkdir", "open", "sync")


KILLED = 9


def stop(error: BaseException | None) -> None:
    """An error; or the end of the process, after which nothing is done any more."""
    if error is None:
        os._exit(KILLED)
    raise error


@contextmanager
def stopped(monkeypatch: pytest.MonkeyPatch, nth: int, error: BaseException | None, names: tuple[str, ...] = STEPS,
            after: bool = False) -> Iterator[list[str]]:  # fmt: skip
    """The nth such call fails, or happens and is the last; the calls that were made."""
    made: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            made.append(f"{name} {arguments[0] if arguments else ''}")
            if len(made) == nth + 1 and not after:
                stop(error)
            found = real(*arguments, **more)
            if len(made) == nth + 1:
                stop(error)
            return found

        return call

    with monkeypatch.context() as patch:
        for name in names:
            patch.setattr(os, name, counted(name, getattr(os, name)))
        yield made


def wrote(folders: bool = True, text: str = "new", replace: bool = True) -> Outputs:
    """Two files and a folder, written and not committed; ``run`` is the principal one."""
    outputs = Outputs("run", replace)
    outputs.file("kept").write(f"{text} kept".encode())
    if folders:
        folder = outputs.folder("tree")
        os.makedirs(f"{folder}/a")
        Path(folder, "a/b").write_text(f"{text} tree")
        Path(folder, "c").write_text(f"{text} c")
    outputs.file("run").write(f"{text} run".encode())
    return outputs


TARGETS = ("kept", "tree", "run")
NEW = {"kept": b"new kept", "run": b"new run", "tree/a/b": b"new tree", "tree/c": b"new c"}
TREE = {"tree/a/b", "tree/c"}
OLD = {"kept": b"old kept", "run": b"old run", "tree/a/b": b"old tree", "tree/c": b"old c"}


def make(tree: dict[str, bytes]) -> None:
    for name, data in tree.items():
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_bytes(data)


def visible() -> dict[str, bytes]:
    return {name: data for name, data in files(".").items() if ".dedup" not in name}


def beside(name: str, kind: str = parts.PART) -> list[str]:
    """What lies beside an output of this name, of any run."""
    target = os.path.realpath(name)
    return [found.path for found in parts.found(target) if found.kind == kind and parts.is_of(found, target)]


def cut_off(
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[], object],
    nth: int,
    after: bool = False,
    names: tuple[str, ...] = STEPS,
) -> bool:
    """A process that does this and is gone at its nth step; whether it got that far."""
    child = os.fork()
    if not child:
        try:
            with stopped(monkeypatch, nth, None, names, after):
                work()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED)
    return status == KILLED


def all_of_it() -> None:
    wrote().commit()


def busy(real: Callable[..., None], name: str) -> Callable[..., None]:
    """A call that renames, but not what has this name."""

    def call(source: str, target: str) -> None:
        if name in (source, os.path.basename(source), os.path.basename(target)):
            raise OSError(errno.EBUSY, "Device or resource busy")
        real(source, target)

    return call


def killed(work: Callable[[], object]) -> None:
    """A process that does this and is gone."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(KILLED)
    os.waitpid(child, 0)


def cut_short(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], object] = all_of_it, renamed: int = 0
) -> None:
    """A process that is gone when so many outputs have taken their names, of those that the journal tells."""
    cut_off(monkeypatch, work, renamed + 1, names=("replace", "rename"))
