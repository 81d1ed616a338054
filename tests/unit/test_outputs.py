"""Outputs take their names together or not at all, wherever a run is cut off; the next one finishes or starts clean."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import OutputError
from dedup.write.outputs import Outputs, recover
from tests.filtering import files

#: Calls by which something appears, disappears or gets a name.
STEPS = ("replace", "rename", "unlink", "rmdir", "fsync", "mkdir", "open", "sync")


KILLED = 9


def stop(error: BaseException | None) -> None:
    """An error; or the end of the process, after which nothing is done any more."""
    if error is None:
        os._exit(KILLED)
    raise error


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sync", lambda: None)


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


NEW = {"kept": b"new kept", "run": b"new run", "tree/a/b": b"new tree", "tree/c": b"new c"}
TREE = {"tree/a/b", "tree/c"}
OLD = {"kept": b"old kept", "run": b"old run", "tree/a/b": b"old tree", "tree/c": b"old c"}


def make(tree: dict[str, bytes]) -> None:
    for name, data in tree.items():
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_bytes(data)


def visible() -> dict[str, bytes]:
    return {name: data for name, data in files(".").items() if ".dedup" not in name}


class TestCommit:
    @pytest.mark.parametrize("before", [{}, OLD])
    def test_all_of_it(self, before: dict[str, bytes]) -> None:
        make(before)
        outputs = wrote()
        assert visible() == before
        outputs.commit()
        outputs.abandon()
        assert files(".") == NEW
        assert sorted(os.listdir()) == ["kept", "run", "tree"]
        assert recover("run") is False

    @pytest.mark.parametrize("before", [{}, OLD])
    def test_none_of_it(self, before: dict[str, bytes]) -> None:
        make(before)
        wrote().abandon()
        assert files(".") == before
        assert sorted(os.listdir()) == sorted({name.split("/")[0] for name in before})

    def test_nothing(self) -> None:
        outputs = Outputs("run")
        outputs.commit()
        outputs.abandon()
        assert os.listdir() == []

    def test_a_folder_loses_what_was_in_it(self) -> None:
        make({"tree/old": b"", "tree/a/old": b""})
        wrote().commit()
        assert files("tree") == {"a/b": b"new tree", "c": b"new c"}

    def test_a_folder_where_a_file_was(self) -> None:
        make({"tree": b"a file"})
        wrote().commit()
        assert files(".") == NEW

    def test_a_file_where_a_folder_was(self) -> None:
        os.mkdir("kept")
        outputs = Outputs("run")
        with pytest.raises(OutputError, match="kept: cannot be written: is a directory"):
            outputs.file("kept")
        outputs.abandon()
        assert os.listdir() == ["kept"]

    def test_in_several_folders(self, tmp_path: Path) -> None:
        os.mkdir("x")
        outputs = Outputs("x/run")
        outputs.file("x/run").write(b"1")
        outputs.file(str(tmp_path / "kept")).write(b"2")
        outputs.commit()
        assert files(".") == {"x/run": b"1", "kept": b"2"}

    def test_a_folder_that_is_not_there(self) -> None:
        outputs = Outputs("gone/run")
        with pytest.raises(OutputError, match="gone/kept: cannot be written: no such file or directory"):
            outputs.file("gone/kept")
        outputs.abandon()
        assert os.listdir() == []


class TestModesAndLinks:
    def test_a_file_keeps_its_mode(self) -> None:
        make(OLD)
        os.chmod("kept", 0o640)
        wrote().commit()
        assert stat.S_IMODE(os.stat("kept").st_mode) == 0o640

    def test_a_folder_keeps_its_mode(self) -> None:
        make(OLD)
        os.chmod("tree", 0o750)
        wrote().commit()
        assert stat.S_IMODE(os.stat("tree").st_mode) == 0o750

    def test_a_new_file_has_the_mode_of_any(self) -> None:
        before = os.umask(0o027)
        try:
            wrote().commit()
        finally:
            os.umask(before)
        assert stat.S_IMODE(os.stat("kept").st_mode) == 0o640

    def test_links_are_followed(self) -> None:
        os.mkdir("x")
        make({"x/kept": b"old", "x/tree/old": b"old"})
        os.symlink("x/kept", "kept")
        os.symlink("x/tree", "tree")
        os.symlink("x/run", "run")  # leads nowhere yet
        wrote().commit()
        assert all(os.path.islink(name) for name in ("kept", "tree", "run"))
        assert files("x") == NEW

    def test_what_is_no_file_is_written_to(self) -> None:
        os.mkfifo("pipe")
        handle = os.open("pipe", os.O_RDWR | os.O_NONBLOCK)
        try:
            outputs = Outputs("run")
            outputs.file("pipe").write(b"through")
            outputs.file("run").write(b"run")
            outputs.commit()
            assert os.read(handle, 100) == b"through"
        finally:
            os.close(handle)
        assert stat.S_ISFIFO(os.stat("pipe").st_mode)
        assert sorted(os.listdir()) == ["pipe", "run"]


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


class TestCutOff:
    @pytest.mark.parametrize("before", [{}, OLD], ids=["fresh", "over"])
    @pytest.mark.parametrize("after", [False, True])
    def test_at_every_step(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: dict[str, bytes], after: bool
    ) -> None:
        """Under the final names stands, at any time, what was there or what is new, each file and folder whole."""
        steps = 0
        outcomes = set()
        while True:
            place = tmp_path / str(steps)
            place.mkdir()
            monkeypatch.chdir(place)
            make(before)
            is_cut = cut_off(monkeypatch, all_of_it, steps, after)
            found = visible()
            for name, data in found.items():
                assert data in (before.get(name), NEW[name])
            assert {"kept", "run"} & set(before) <= set(found)
            assert set(found) & TREE in (set(), TREE)
            was_there = recover("run")
            assert recover("run") is False
            if was_there:
                assert files(".") == NEW
            elif is_cut:
                assert visible() in (before, NEW)
            outcomes.add((was_there, visible() == NEW))
            wrote().commit()  # the same once more
            assert files(".") == NEW
            assert sorted(os.listdir()) == ["kept", "run", "tree"], f"left at step {steps}"
            steps += 1
            if not is_cut:
                break
        assert steps > 15
        assert {(True, True), (False, False), (False, True)} <= outcomes

    @pytest.mark.parametrize("before", [{}, OLD], ids=["fresh", "over"])
    def test_and_cut_off_again_while_it_recovers(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: dict[str, bytes]
    ) -> None:
        names = ("replace", "rename", "unlink", "rmdir")
        count = 0
        for first in range(60):
            for second in range(12):
                place = tmp_path / f"{first}.{second}"
                place.mkdir()
                monkeypatch.chdir(place)
                make(before)
                if not cut_off(monkeypatch, all_of_it, first, names=names):
                    return
                if not Path(".run.dedup-commit").exists():
                    break
                is_cut = cut_off(monkeypatch, lambda: recover("run"), second, names=names)
                count += is_cut
                assert recover("run") == is_cut
                assert files(".") == NEW
                if not is_cut:
                    break
        assert count > 5

    def test_parts_that_were_left_are_taken_over(self) -> None:
        make({".kept.dedup-part": b"x" * 1000, ".run.dedup-part": b"", ".tree.dedup-part/old": b"x",
              ".tree.dedup-part/c/old": b"x"})  # fmt: skip
        wrote().commit()
        assert files(".") == NEW
        assert sorted(os.listdir()) == ["kept", "run", "tree"]

    def test_parts_that_were_left_go_with_a_run_that_fails(self) -> None:
        make({".kept.dedup-part": b"x" * 1000, ".tree.dedup-part/old": b"x"})
        wrote().abandon()
        assert os.listdir() == []

    def test_in_a_folder_that_was_moved_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The journal must not be forgotten while the parts it speaks of lie there."""
        place = tmp_path / "a"
        place.mkdir()
        monkeypatch.chdir(place)
        step = next(n for n in range(40) if self._has_journal(monkeypatch, n))
        assert step
        os.rename(place, tmp_path / "b")
        monkeypatch.chdir(tmp_path / "b")
        recover("run")
        assert visible() in ({}, NEW)
        assert files(".") in ({}, NEW) or Path(".run.dedup-commit").exists()

    def _has_journal(self, monkeypatch: pytest.MonkeyPatch, step: int) -> bool:
        cut_off(monkeypatch, all_of_it, step, True)
        return Path(".run.dedup-commit").exists()


class TestErrors:
    @pytest.mark.parametrize("before", [{}, OLD], ids=["fresh", "over"])
    @pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
    def test_at_every_step(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: dict[str, bytes], error: BaseException
    ) -> None:
        """A step fails, and the run is abandoned: all is new or nothing, at the latest after the next recovery."""
        steps = 0
        while True:
            place = tmp_path / str(steps)
            place.mkdir()
            monkeypatch.chdir(place)
            make(before)
            outputs = wrote()
            failed = False
            with stopped(monkeypatch, steps, error, STEPS[:-1]) as made:
                try:
                    outputs.commit()
                except (OutputError, KeyboardInterrupt):
                    failed = True
            outputs.abandon()
            step = made[steps] if steps < len(made) else ""
            if not Path(".run.dedup-commit").exists():
                assert visible() in (before, NEW), step
            recover("run")
            assert visible() in (before, NEW), step
            assert files(".") == visible(), step
            steps += 1
            if not failed and steps > len(made):
                break
        assert steps > 10

    @pytest.mark.parametrize("name", ["kept", "tree"])
    def test_a_full_disk(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        make(OLD)
        outputs = wrote()
        full = OSError(errno.ENOSPC, "No space left on device")
        message = "cannot be written: no space left on device"
        with stopped(monkeypatch, 0, full, ("fsync",)), pytest.raises(OutputError, match=message):
            outputs.commit()
        outputs.abandon()
        assert files(".") == OLD


class TestNamesThatCannotBeTaken:
    @pytest.mark.parametrize("name", ["kept", "tree", "run"])
    def test_something_has_appeared(self, name: str) -> None:
        outputs = wrote(replace=False)
        make({f"{name}/a": b"precious"} if name == "tree" else {name: b"precious"})
        before = visible()
        with pytest.raises(
            OutputError, match=f"{name}: has appeared during the run; write elsewhere, or replace"
        ):
            outputs.commit()
        outputs.abandon()
        assert files(".") == before
        assert os.listdir() == [name]

    def test_nothing_has_appeared(self) -> None:
        wrote(replace=False).commit()
        assert files(".") == NEW

    @pytest.mark.parametrize("before", [{}, OLD], ids=["fresh", "over"])
    @pytest.mark.parametrize("name", ["tree", "kept"])
    @pytest.mark.parametrize("is_aside", [False, True])
    def test_all_is_as_it_was(
        self, monkeypatch: pytest.MonkeyPatch, before: dict[str, bytes], name: str, is_aside: bool
    ) -> None:
        """A folder on which something is mounted: it is busy, and will be the next time; so might be a file."""
        make(before)
        outputs = wrote()
        with monkeypatch.context() as patch:
            for call in ("rename", "replace"):
                patch.setattr(os, call, busy(getattr(os, call), f".{name}.dedup-part" if is_aside else name))
            with pytest.raises(OutputError, match=f"{name}: cannot be written: device or resource busy$"):
                outputs.commit()
            outputs.abandon()
        assert files(".") == before
        assert sorted(os.listdir()) == sorted({name.split("/")[0] for name in before})

    def test_a_journal_that_cannot_be_carried_out_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make(OLD)
        outputs = wrote()
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", busy(os.replace, "run"))  # the last one
            for fails in (outputs.commit, lambda: recover("run")):
                with pytest.raises(
                    OutputError, match="run: cannot be written: device or resource busy"
                ) as told:
                    fails()
            outputs.abandon()
        assert str(told.value).endswith(
            f"to give that run up, remove {os.path.realpath('.run.dedup-commit')}"
        )
        assert recover("run")
        assert files(".") == NEW

    @pytest.mark.parametrize("data", [b"", b"[", b"{}", b"[1]", b'[""]', b"null", b"\xff", b'"run"'])
    def test_what_is_no_journal(self, data: bytes) -> None:
        Path(".run.dedup-commit").write_bytes(data)
        with pytest.raises(
            OutputError, match=r"\.run\.dedup-commit: is not the journal of a run that was cut off"
        ):
            recover("run")
        assert files(".") == {".run.dedup-commit": data}


def busy(real: Callable[..., None], name: str) -> Callable[..., None]:
    """A call that renames, but not what has this name."""

    def call(source: str, target: str) -> None:
        if name in (os.path.basename(source), os.path.basename(target) if name[0] != "." else ""):
            raise OSError(errno.EBUSY, "Device or resource busy")
        real(source, target)

    return call


class TestTwoAtOnce:
    @pytest.mark.parametrize("name", ["kept", "tree", "run"])
    def test_the_second_is_refused_and_the_first_goes_on(self, name: str) -> None:
        first = wrote()
        second = Outputs("other")
        second.file("other").write(b"other")
        with pytest.raises(
            OutputError, match=f"^{name}: another dedup is writing it; wait for that one to end$"
        ):
            second.folder(name) if name == "tree" else second.file(name)
        second.abandon()
        first.commit()
        assert files(".") == NEW

    def test_one_after_the_other(self) -> None:
        wrote().abandon()
        wrote(text="old").commit()
        assert files(".") == OLD
        wrote().commit()
        assert files(".") == NEW

    def test_the_first_one_has_just_finished(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between the second one's opening of a part and its locking it, the first one commits."""
        first = Outputs("run")
        first.file("kept").write(b"first")
        first.file("run").write(b"first")
        import fcntl

        real, count = fcntl.flock, iter(range(100))

        def late(*arguments: Any) -> None:
            if next(count) == 0:
                first.commit()
            real(*arguments)

        monkeypatch.setattr(fcntl, "flock", late)
        second = Outputs("run")
        second.file("kept").write(b"second")
        second.file("run").write(b"second")
        assert files(".")["kept"] == b"first"
        second.commit()
        assert files(".") == {"kept": b"second", "run": b"second"}

    def test_the_second_one_begins_while_the_first_one_commits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It takes the first one for one that was cut off: whatever it does, both end well and nothing is lost."""
        for nth in range(4):
            outputs = wrote()
            real_replace, real_rename = os.replace, os.rename
            steps = (step == nth for step in range(100))

            def between(real: Callable[..., None], steps: Iterator[bool] = steps) -> Callable[..., None]:
                def call(*arguments: Any) -> None:
                    if next(steps):
                        code = (
                            "from dedup.write.outputs import recover\nfrom dedup.errors import OutputError\n"
                            "try: recover('run')\nexcept OutputError as error: print(error)"
                        )
                        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
                    real(*arguments)

                return call

            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", between(real_replace))
                patch.setattr(os, "rename", between(real_rename))
                outputs.commit()
            outputs.abandon()
            assert files(".") == NEW, nth
            recover("run")
            assert sorted(os.listdir()) == ["kept", "run", "tree"]
            for name in NEW:
                os.unlink(name)
