"""Outputs take their names together or not at all; an error on the way leaves what was there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from dedup.errors import OutputError
from dedup.write import parts
from dedup.write.journal import recover
from dedup.write.outputs import Outputs
from dedup.write.parts import JOURNAL
from dedup.write.rehearsal import Rehearsal, nowhere
from tests.filtering import files
from tests.unit.committing import NEW, OLD, STEPS, TARGETS, beside, busy, make, stopped, visible, wrote


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sync", lambda: None)


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
        assert recover("run", TARGETS) == ""

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

    @pytest.mark.parametrize("is_dry", [False, True])
    def test_what_is_no_file_is_not_replaced_by_a_folder(self, is_dry: bool) -> None:
        outputs = Rehearsal() if is_dry else Outputs("run")
        os.mkfifo("pipe")
        with pytest.raises(OutputError, match=r"^pipe: is no folder, and is not replaced by one"):
            outputs.folder("pipe")
        outputs.abandon()
        assert os.listdir() == ["pipe"]

    @pytest.mark.parametrize("name", ["kept", "tree"])
    def test_what_is_no_file_and_appears_during_the_run(self, name: str) -> None:
        outputs = wrote()
        os.mkfifo(name)
        with pytest.raises(OutputError, match=f"{name}: has appeared during the run, and is no file"):
            outputs.commit()
        outputs.abandon()
        assert os.listdir() == [name]

    def test_a_folder_that_changes_within_during_the_run(self) -> None:
        make(OLD)
        outputs = wrote()
        Path("tree/a/b").write_bytes(b"precious")
        with pytest.raises(OutputError, match="tree: a folder that was changed during the run"):
            outputs.commit()
        outputs.abandon()
        assert files(".") == {**OLD, "tree/a/b": b"precious"}


class TestRehearsal:
    def test_a_folder_that_could_not_be(self) -> None:
        with pytest.raises(OutputError, match=r"^gone/tree: cannot be written: no such file or directory"):
            Rehearsal().folder("gone/tree")

    def test_a_file_where_a_folder_was(self) -> None:
        os.mkdir("kept")
        with pytest.raises(OutputError, match=r"^kept: cannot be written: is a directory"):
            Rehearsal().file("kept")

    def test_a_link_to_itself(self) -> None:
        os.symlink("kept", "kept")
        with pytest.raises(OutputError, match=r"^kept: cannot be written: too many levels of symbolic links"):
            Rehearsal().file("kept")

    def test_nowhere_is_like_a_file(self) -> None:
        with nowhere() as stream:
            stream.write(b"abc")
            assert stream.tell() == 3
            stream.seek(1)
            stream.write(b"x")
            assert stream.tell() == 2
            assert stream.seek(0, os.SEEK_END) == 3


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
            if not beside("run", JOURNAL):
                assert visible() in (before, NEW), step
            recover("run", TARGETS)
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
                patch.setattr(os, call, busy(getattr(os, call), beside(name)[0] if is_aside else name))
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
            for fails in (outputs.commit, lambda: recover("run", TARGETS)):
                with pytest.raises(
                    OutputError, match="run: cannot be written: device or resource busy"
                ) as told:
                    fails()
                outputs.abandon()
        assert str(told.value).endswith(f"to give that run up, remove {beside('run', JOURNAL)[0]}")
        assert recover("run", TARGETS)
        assert files(".") == NEW

    @pytest.mark.parametrize("data", [b"", b"[", b"{}", b"[1]", b'[""]', b"null", b"\xff", b'"run"'])
    def test_what_is_no_journal(self, data: bytes) -> None:
        path = Path(parts.beside(os.path.realpath("run"), parts.new_run(), JOURNAL))
        path.write_bytes(data)
        with pytest.raises(OutputError, match=f"{path}: is not the journal of a run that was cut off"):
            recover("run", TARGETS)
        assert files(".") == {path.name: data}
