"""Wherever a run is cut off, the next one finishes it or starts clean, and touches nothing that is not its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dedup.errors import OutputError
from dedup.write import parts
from dedup.write.journal import recover, tidy
from dedup.write.outputs import Outputs
from dedup.write.parts import BEFORE, JOURNAL, remove
from tests.filtering import files
from tests.unit.committing import (
    NEW,
    OLD,
    TARGETS,
    TREE,
    all_of_it,
    beside,
    cut_off,
    cut_short,
    killed,
    make,
    visible,
    wrote,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sync", lambda: None)


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
            was_there = recover("run", TARGETS)
            assert recover("run", TARGETS) == ""
            if was_there:
                assert "are in place now" in was_there
                assert files(".") == NEW
            elif is_cut:
                assert visible() in (before, NEW)
            outcomes.add((bool(was_there), visible() == NEW))
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
                if not beside("run", JOURNAL):
                    break
                is_cut = cut_off(monkeypatch, lambda: recover("run", TARGETS), second, names=names)
                count += is_cut
                assert bool(recover("run", TARGETS)) == is_cut
                assert files(".") == NEW
                if not is_cut:
                    break
        assert count > 5

    @pytest.mark.parametrize("before", [{}, OLD], ids=["fresh", "over"])
    def test_parts_that_were_left_go(self, before: dict[str, bytes]) -> None:
        make(before)
        for _ in range(3):
            killed(wrote)
        assert len(beside("kept")) == len(beside("tree")) == 1
        wrote().commit()
        assert files(".") == NEW
        assert sorted(os.listdir()) == ["kept", "run", "tree"]

    def test_parts_that_were_left_go_with_a_run_that_fails(self) -> None:
        killed(wrote)
        wrote().abandon()
        assert os.listdir() == []

    def test_with_the_part_of_one_output_go_all_of_that_run(self) -> None:
        """The next run may need fewer outputs than the one that was killed."""
        killed(wrote)
        wrote(folders=False).commit()
        assert sorted(os.listdir()) == ["kept", "run"]

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
        recover("run", TARGETS)
        assert visible() in ({}, NEW)
        assert files(".") in ({}, NEW) or beside("run", JOURNAL)

    def _has_journal(self, monkeypatch: pytest.MonkeyPatch, step: int) -> bool:
        cut_off(monkeypatch, all_of_it, step, True)
        return bool(beside("run", JOURNAL))


class TestWhatIsNotOurs:
    """What has come to stand under a name since a run was cut off stays there."""

    @pytest.mark.parametrize("renamed", [0, 1, 2])
    @pytest.mark.parametrize("before", [{}, OLD], ids=["fresh", "over"])
    @pytest.mark.parametrize("name", ["kept", "run", "tree"])
    def test_under_the_name_of_an_output(
        self, monkeypatch: pytest.MonkeyPatch, before: dict[str, bytes], name: str, renamed: int
    ) -> None:
        make(before)
        cut_short(monkeypatch, renamed=renamed)
        assert beside("run", JOURNAL)
        remove(name)
        mine = {f"{name}/mine" if name == "tree" else name: b"precious"}
        make(mine)
        told = recover("run", TARGETS)
        assert told.startswith(
            f"a run that was cut off is given up, since {os.path.realpath(name)} is not what"
        )
        assert files(name) == {"mine": b"precious"} if name == "tree" else files(".")[name] == b"precious"
        assert [found for found in os.listdir() if found.endswith((".part", ".journal"))] == []
        for found in (data for found, data in visible().items() if found not in mine):
            assert found in {*before.values(), *NEW.values()}
        for path in beside("tree", BEFORE):  # nothing that stood there is lost
            assert path in told
            assert files(path) == {"a/b": b"old tree", "c": b"old c"}

    def test_deep_in_a_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make(OLD)
        cut_short(monkeypatch)
        make({"tree/a/mine": b"precious"})
        assert "is given up" in recover("run", TARGETS)
        assert files(".") == {**OLD, "tree/a/mine": b"precious"}

    @pytest.mark.parametrize("name", ["kept", "tree"])
    def test_a_part_that_is_another(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        cut_short(monkeypatch)
        (part,) = beside(name)
        remove(part)
        if name == "tree":
            make({f"{part}/x": b"another"})
        else:
            Path(part).write_bytes(b"another")
        assert "is given up" in recover("run", TARGETS)
        assert visible() == {}
        wrote().commit()
        assert visible() == NEW

    def test_a_name_that_is_free_again_can_be_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make(OLD)
        cut_short(monkeypatch)
        os.unlink("kept")
        assert "are in place now" in recover("run", TARGETS)
        assert files(".") == NEW

    def test_other_outputs_are_not_finished(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of them may be an input now."""
        make(OLD)
        cut_short(monkeypatch)
        before = files(".")
        with pytest.raises(
            OutputError, match=r"^run: an earlier run that writes this and other outputs was cut off"
        ):
            recover("run", ["run", "elsewhere"])
        assert files(".") == before
        assert recover("run", TARGETS)
        assert files(".") == NEW

    @pytest.mark.parametrize("name", ["kept", "tree"])
    def test_another_run_does_not_take_the_parts(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Its journal has another name, by which the one that was cut off would not be found."""
        cut_short(monkeypatch)
        other = Outputs("other")
        other.file("other")
        before = {
            name: data
            for name, data in files(".").items()
            if name not in map(os.path.basename, beside("other"))
        }
        message = f"^{name}: is an output of an earlier run that was cut off, and can be finished"
        with pytest.raises(OutputError, match=message):
            other.folder(name) if name == "tree" else other.file(name)
        other.abandon()
        assert files(".") == before
        assert recover("run", TARGETS)
        assert files(".") == NEW

    @pytest.mark.parametrize("renamed", [1, 2])
    def test_another_run_does_not_replace_what_has_its_name(
        self, monkeypatch: pytest.MonkeyPatch, renamed: int
    ) -> None:
        """The other outputs would be of no use without it."""
        cut_short(monkeypatch, renamed=renamed)
        other = Outputs("other")
        with pytest.raises(OutputError, match=r"^tree: is an output of an earlier run .* can be finished"):
            other.folder("tree")
        other.abandon()
        assert recover("run", TARGETS)
        assert files(".") == NEW
        other.folder("tree")
        other.abandon()

    def test_a_damaged_journal_of_another_run_is_in_nobodys_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cut_short(monkeypatch, renamed=1)
        (journal,) = beside("run", JOURNAL)
        Path(journal).write_bytes(b"x")
        outputs = Outputs("other")
        outputs.file("other").write(b"other")
        outputs.commit()
        assert Path("other").read_bytes() == b"other"

    def test_what_can_be_finished_is_not_tidied_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cut_short(monkeypatch)
        before = files(".")
        tidy(TARGETS)
        assert files(".") == before
        killed(wrote)
        recover("run", TARGETS)
        tidy(TARGETS)
        assert files(".") == NEW

    @pytest.mark.parametrize("kind", ["part", "journal", "draft", "before"])
    def test_a_link_is_not_followed(self, kind: str) -> None:
        make({"mine/a": b"precious"})
        for name in ("kept", "tree", "run"):
            os.symlink("mine", parts.beside(os.path.realpath(name), parts.new_run(), kind))
        if kind != "journal":
            assert recover("run", TARGETS) == ""
        wrote().commit()
        assert files("mine") == {"a": b"precious"}

    def test_a_pipe_is_not_waited_for(self) -> None:
        os.mkfifo(parts.beside(os.path.realpath("kept"), parts.new_run(), parts.PART))
        wrote().commit()
        assert visible() == NEW
