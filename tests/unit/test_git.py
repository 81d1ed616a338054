"""Lines that a change added, asked of scratch repositories of every shape."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dedup.errors import DependencyError, InputError
from dedup.gate.changes import Changes
from dedup.gate.git import LastChange, last_change, top
from tests.repository import Repository, isolate

TEN = "".join(f"line {number}\n" for number in range(1, 11))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def edited(*numbers: int) -> str:
    """The ten lines with some of them changed."""
    lines = TEN.splitlines()
    for number in numbers:
        lines[number - 1] += " edited"
    return "\n".join(lines) + "\n"


class TestTop:
    def test_the_nearest_directory_upwards_as_git_says(self, repository: Repository) -> None:
        repository.write("a/b/c.md", "x")
        for folder in ("", "a", "a/b"):
            found = top(str(repository.top / folder))
            assert found == repository.git("rev-parse", "--show-toplevel").strip()

    def test_none_outside(self, tmp_path: Path) -> None:
        (tmp_path / "plain" / ".git").mkdir(parents=True)  # empty: no repository
        assert top(str(tmp_path / "plain")) is None

    def test_a_worktree_and_a_submodule_have_their_own(self, repository: Repository, tmp_path: Path) -> None:
        repository.commit(a__md=TEN)
        repository.git("worktree", "add", "-q", str(tmp_path / "tree"))
        assert top(str(tmp_path / "tree")) == str(tmp_path / "tree")
        other = Repository(tmp_path / "other")
        other.commit(b__md=TEN)
        repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.top), "sub")
        assert top(str(repository.top / "sub")) == str(repository.top / "sub")

    def test_a_link_is_followed(self, repository: Repository, tmp_path: Path) -> None:
        repository.write("a/b.md", "x")
        (tmp_path / "link").symlink_to(repository.top / "a")
        assert top(str(tmp_path / "link")) == str(repository.top)

    def test_the_environment_names_it(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
        assert top(str(repository.top)) == str(tmp_path)


class TestSince:
    def test_added_and_changed_lines_count_and_others_do_not(self, repository: Repository) -> None:
        base = repository.commit(a__md=TEN, b__md=TEN)
        repository.commit(a__md=edited(3, 4, 8))
        changes = Changes.since(base, str(repository.top))
        assert [n for n in range(1, 11) if changes.touched("a.md", n, n)] == [3, 4, 8]
        assert changes.first_run("a.md", 1, 10) == (3, 4)
        assert changes.first_run("a.md", 4, 10) == (4, 4)
        assert changes.first_run("a.md", 5, 9) == (8, 8)
        assert changes.first_run("a.md", 9, 10) is None
        assert not changes.touched("b.md", 1, 10)
        assert not changes.touched("b.md", None, None)
        assert changes.notes == ()

    def test_what_is_not_committed_and_not_staged_counts(self, repository: Repository) -> None:
        base = repository.commit(a__md=TEN, b__md=TEN)
        repository.write("a.md", edited(5))
        repository.write("b.md", edited(6))
        repository.git("add", "b.md")
        changes = Changes.since(base, str(repository.top))
        assert (changes.first_run("a.md", 1, 10), changes.first_run("b.md", 1, 10)) == ((5, 5), (6, 6))

    def test_what_modified_files_held_before(self, repository: Repository) -> None:
        base = repository.commit(a__md=TEN, b__md=TEN, c__md="same\n", **{"d é.md": TEN})
        repository.git("mv", "b.md", "moved.md")
        for name in ("a.md", "moved.md", "d é.md", "new.md"):
            repository.write(name, edited(3))
        repository.git("add", "--all")
        before = Changes.since(base, str(repository.top)).before(
            ["a.md", "moved.md", "c.md", "d é.md", "new.md", "none.md"]
        )
        assert before == dict.fromkeys(("a.md", "moved.md", "d é.md"), TEN.encode())

    def test_a_file_that_came_before_another_was_renamed_is_not_what_that_has_become(
        self, repository: Repository
    ) -> None:
        base = repository.commit(old__md=TEN)
        repository.commit(copy__md=TEN)
        repository.git("mv", "old.md", "renamed.md")
        repository.commit(renamed__md=edited(3))
        changes = Changes.since(base, str(repository.top))
        assert changes.renames == {"old.md": "renamed.md"}
        assert changes.touched("copy.md", 1, 1)
        assert changes.before(["copy.md", "renamed.md"]) == {"renamed.md": TEN.encode()}

    def test_a_later_file_of_an_old_name_says_nothing_of_what_the_first_has_become(
        self, repository: Repository
    ) -> None:
        base = repository.commit(draft__md=TEN)
        repository.git("mv", "draft.md", "first.md")
        repository.commit()
        repository.commit(draft__md="another\n" * 9)
        repository.git("mv", "draft.md", "second.md")
        repository.commit()
        assert Changes.since(base, str(repository.top)).renames == {"draft.md": "first.md"}

    def test_untracked_files_are_wholly_added_and_ignored_ones_are_not_known(
        self, repository: Repository
    ) -> None:
        base = repository.commit(__gitignore="build\n")
        repository.write("new.md", TEN)
        repository.write("build/out.md", TEN)
        changes = Changes.since(base, str(repository.top))
        assert changes.first_run("new.md", 3, 7) == (3, 7)
        assert not changes.touched("build/out.md", 1, 1)

    def test_a_deletion_adds_no_line_and_touches_what_was_on_both_sides(self, repository: Repository) -> None:
        base = repository.commit(a__md=TEN, b__md=TEN, c__md=TEN)
        repository.write("a.md", TEN.replace("line 5\nline 6\n", ""))
        repository.write("c.md", TEN.replace("line 1\n", "").replace("line 10\n", ""))
        (repository.top / "b.md").unlink()
        changes = Changes.since(base, str(repository.top))
        spans = [(1, 8), (4, 5), (1, 4), (5, 8), (4, 4), (5, 5)]
        assert [changes.touched("a.md", *span) for span in spans] == [True, True, False, False, False, False]
        assert changes.first_run("a.md", 1, 8) is None
        assert changes.touched("a.md", None, None)
        assert not changes.touched("b.md", None, None)
        assert not changes.touched("c.md", 1, 8)  # nothing is gone from within

    def test_what_the_other_side_did_meanwhile_does_not_count(self, repository: Repository) -> None:
        repository.commit(a__md=TEN, b__md=TEN)
        repository.git("checkout", "-q", "-b", "topic")
        repository.commit(a__md=edited(2))
        repository.git("checkout", "-q", "main")
        repository.commit(b__md=edited(9))
        repository.git("checkout", "-q", "topic")
        changes = Changes.since("main", str(repository.top))
        assert changes.touched("a.md", 2, 2)
        assert not changes.touched("b.md", None, None)

    def test_of_a_renamed_file_what_was_edited_is_new(self, repository: Repository) -> None:
        base = repository.commit(
            a__md=TEN, old__md=TEN.replace("line", "row"), plain__md=edited(1, 2, 3, 4, 5)
        )
        repository.git("config", "diff.renames", "copies")
        repository.git("mv", "a.md", "b c.md")
        repository.git("mv", "old.md", "e\tf.md")
        repository.write("b c.md", edited(4))
        repository.write("copy.md", edited(1, 2, 3, 4, 5))
        repository.git("add", "--intent-to-add", "copy.md")
        changes = Changes.since(base, str(repository.top))
        assert changes.renames == {"a.md": "b c.md", "old.md": "e\tf.md"}
        assert [n for n in range(1, 11) if changes.touched("b c.md", n, n)] == [4]
        assert not changes.touched("e\tf.md", None, None) or not changes.touched("e\tf.md", 1, 10)
        assert changes.first_run("copy.md", 1, 10) == (1, 10)

    @pytest.mark.parametrize(
        "name",
        ["a b.md", "é.md", "tab\there.md", "new\nline.md", 'quote"s.md', "back\\slash.md", "b/b.md", "--x.md", ":x.md",
         "-\t-\t.md", "a/new\n+++ b/other.md", " lead.md ", "*.md", "\x07.md", os.fsdecode(b"\xff.md")],
    )  # fmt: skip
    def test_odd_names(self, repository: Repository, name: str) -> None:
        repository.write(name, TEN)
        repository.write("other.md", TEN)
        base = repository.commit()
        repository.write(name, edited(4))
        changes = Changes.since(base, str(repository.top))
        assert [n for n in range(1, 11) if changes.touched(name, n, n)] == [4]
        assert not changes.touched("other.md", None, None)
        assert last_change(name, str(repository.top)) == LastChange(base, True)
        assert last_change("other.md", str(repository.top)) == LastChange(base, False)

    def test_content_that_looks_like_a_patch(self, repository: Repository) -> None:
        base = repository.commit(a__md="-- x\n++ b/z.md\n@@ -1 +7 @@\nend\n", z__md=TEN)
        repository.commit(a__md="-- y\n++ b/z.md\n@@ -1 +8 @@\n++ b/z.md\nend")
        changes = Changes.since(base, str(repository.top))
        assert [n for n in range(1, 8) if changes.touched("a.md", n, n)] == [1, 3, 4, 5]
        assert not changes.touched("z.md", None, None)

    def test_lines_end_in_line_feeds(self, repository: Repository) -> None:
        base = repository.commit(a__md="one\rtwo\u2028three\x0c\nfour\r\nfive\n")
        repository.write("a.md", "one\rtwo\u2028three\x0c\nfour!\r\nfive\n")
        assert Changes.since(base, str(repository.top)).first_run("a.md", 1, 3) == (2, 2)

    def test_a_binary_file_is_wholly_changed(self, repository: Repository) -> None:
        repository.write(".gitattributes", "*.jsonl binary\n")
        base = repository.commit(a__parquet=b"\0" + TEN.encode(), b__jsonl=TEN)
        repository.write("a.parquet", b"\0" + edited(3).encode())
        repository.write("b.jsonl", edited(3))
        changes = Changes.since(base, str(repository.top))
        assert changes.touched("a.parquet", None, None)
        assert changes.first_run("a.parquet", None, None) is None
        assert changes.first_run("b.jsonl", 8, 9) == (8, 9)

    def test_a_file_that_git_holds_otherwise_is_wholly_changed(self, repository: Repository) -> None:
        """As with Git LFS, whose pointers have three lines whatever the file has."""
        repository.git("config", "filter.first.clean", "head -n 1")
        repository.write(".gitattributes", "*.jsonl filter=first\n")
        base = repository.commit(a__jsonl=TEN)
        repository.write("a.jsonl", edited(1, 9))
        assert Changes.since(base, str(repository.top)).touched("a.jsonl", 9, 9)

    def test_a_change_of_mode_adds_no_line(self, repository: Repository) -> None:
        base = repository.commit(a__md=TEN)
        (repository.top / "a.md").chmod(0o755)
        assert not Changes.since(base, str(repository.top)).touched("a.md", 1, 10)

    def test_the_settings_of_the_user_have_no_say(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "diff.context": "5", "diff.interHunkContext": "9",
            "diff.external": "false", "color.ui": "always", "diff.relative": "true", "core.quotePath": "false",
            "diff.renames": "copies", "diff.autoRefreshIndex": "false", "diff.upper.textconv": "tr a-z A-Z <",
            "diff.algorithm": "patience", "log.showSignature": "true",
        }.items():  # fmt: skip
            repository.git("config", name, value)
        repository.write(".gitattributes", "*.md diff=upper\n")
        repository.write("é a.md", TEN)
        base = repository.commit(b__md=TEN)
        repository.write("é a.md", edited(3, 6))
        os.utime(repository.top / "b.md", (1, 1))
        monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=4")
        changes = Changes.since(base, str(repository.top))
        assert [n for n in range(1, 11) if changes.touched("é a.md", n, n)] == [3, 6]
        assert not changes.touched("b.md", None, None)

    def test_a_file_in_conflict(self, repository: Repository) -> None:
        repository.commit(a__md=TEN)
        repository.git("checkout", "-q", "-b", "topic")
        repository.commit(a__md=edited(5))
        repository.git("checkout", "-q", "main")
        repository.commit(a__md=TEN.replace("line 5", "another line"))
        with pytest.raises(AssertionError):
            repository.git("merge", "-q", "topic")
        changes = Changes.since("HEAD", str(repository.top))
        assert changes.touched("a.md", 5, 5)
        assert not changes.touched("a.md", 1, 4)

    def test_a_submodule_is_left_to_itself(self, repository: Repository, tmp_path: Path) -> None:
        other = Repository(tmp_path / "other")
        other.commit(b__md=TEN)
        base = repository.commit(a__md=TEN)
        repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.top), "sub")
        repository.write("sub/b.md", edited(1))
        Repository(repository.top / "nested").write("c.md", TEN)
        changes = Changes.since(base, str(repository.top))
        assert [
            path
            for path in ("sub", "sub/b.md", "nested/", "nested/c.md")
            if changes.touched(path, None, None)
        ] == []

    def test_lines_agree_with_a_plain_comparison_of_any_edit(self, repository: Repository) -> None:
        """Whatever is not touched stood in the file before: the added lines are enough to make the new from the old."""
        choose = random.Random(7)
        old = [choose.choice("abcdef") for _ in range(60)]
        base = repository.commit(a__md="\n".join(old))
        for _ in range(15):
            new = [line for line in old if choose.random() > 0.1]
            for _ in range(choose.randrange(6)):
                new.insert(choose.randrange(len(new) + 1), choose.choice("abcxyz"))
            repository.write("a.md", "\n".join(new) + "\n" * choose.randrange(2))
            changes = Changes.since(base, str(repository.top))
            left = [line for n, line in enumerate(new, 1) if not changes.touched("a.md", n, n)]
            before = iter(old)
            assert all(line in before for line in left)


class TestWithoutMergeBase:
    def test_a_revision_that_is_not_there(self, repository: Repository) -> None:
        repository.commit(a__md=TEN)
        for revision in ("origin/main", "0" * 40, "HEAD~5", "", "-h", "HEAD..HEAD"):
            with pytest.raises(InputError, match=r"no such revision in .*fetch-depth: 0") as caught:
                Changes.since(revision, str(repository.top))
            assert "\n" not in str(caught.value)

    def test_nothing_in_common_is_compared_as_it_is(self, repository: Repository) -> None:
        repository.commit(a__md=TEN)
        repository.git("checkout", "-q", "--orphan", "other")
        repository.commit(a__md=edited(3))
        changes = Changes.since("main", str(repository.top))
        assert changes.first_run("a.md", 1, 10) == (3, 3)
        assert changes.notes == ("main: nothing in common with HEAD; compared with main itself",)

    def test_a_shallow_clone(self, repository: Repository, tmp_path: Path) -> None:
        repository.commit(a__md=TEN)
        repository.commit(b__md=TEN)
        repository.git("checkout", "-q", "-b", "topic")
        repository.commit(a__md=edited(3))
        clone = Repository(tmp_path / "clone")
        clone.git("fetch", "-q", "--depth", "1", f"file://{repository.top}", "main:base", "topic:topic")
        clone.git("checkout", "-q", "topic")
        changes = Changes.since("base", str(clone.top))
        assert changes.first_run("a.md", 1, 10) == (3, 3)
        assert [
            note.startswith("base: no common ancestor with HEAD in this shallow") for note in changes.notes
        ] == [True]

    def test_before_the_first_commit(self, repository: Repository) -> None:
        repository.commit(a__md=TEN)
        repository.git("checkout", "-q", "--orphan", "other")
        repository.write("a.md", edited(4))
        assert Changes.since("main", str(repository.top)).first_run("a.md", 1, 10) == (4, 4)


class TestStaged:
    def test_only_files_that_are_staged_with_all_that_the_work_tree_has_new(
        self, repository: Repository
    ) -> None:
        repository.commit(a__md=TEN, b__md=TEN)
        repository.write("a.md", edited(2))
        repository.git("add", "a.md")
        repository.write("a.md", edited(2, 9))
        repository.write("b.md", edited(5))
        repository.write("c.md", TEN)
        changes = Changes.staged(str(repository.top))
        assert [n for n in range(1, 11) if changes.touched("a.md", n, n)] == [2, 9]
        assert not changes.touched("b.md", None, None)
        assert not changes.touched("c.md", 1, 10)
        repository.git("add", "c.md")
        changes = Changes.staged(str(repository.top))
        assert changes.first_run("c.md", 2, 4) == (2, 4)

    def test_files_that_are_staged_in_part_are_named(self, repository: Repository) -> None:
        repository.commit(a__md=TEN, b__md=TEN, c__md=TEN)
        for name in ("a.md", "b.md"):
            repository.write(name, edited(2))
        repository.git("add", "--all")
        assert Changes.staged(str(repository.top)).notes == ()
        repository.write("b.md", edited(2, 9))
        repository.write("c.md", edited(2))
        assert Changes.staged(str(repository.top)).notes == (
            "not staged as they are: b.md; compared as they are in the work tree",
        )

    def test_before_the_first_commit(self, repository: Repository) -> None:
        repository.write("a.md", TEN)
        repository.write("b.md", TEN)
        repository.git("add", "a.md")
        changes = Changes.staged(str(repository.top))
        assert changes.first_run("a.md", 1, 10) == (1, 10)
        assert not changes.touched("b.md", None, None)

    def test_in_a_worktree(self, repository: Repository, tmp_path: Path) -> None:
        repository.commit(a__md=TEN)
        repository.git("worktree", "add", "-q", str(tmp_path / "tree"))
        (tmp_path / "tree" / "a.md").write_text(edited(7))
        subprocess.run(["git", "add", "a.md"], cwd=tmp_path / "tree", check=True)
        assert Changes.staged(str(tmp_path / "tree")).first_run("a.md", 1, 10) == (7, 7)
        assert not Changes.staged(str(repository.top)).touched("a.md", None, None)

    @pytest.mark.parametrize("how", [["commit", "-q", "-m", "x"], ["commit", "-q", "-m", "x", "a.md"]])
    def test_within_a_hook(
        self, repository: Repository, how: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A commit of named files has an index of its own, which git names to the hook and holds locked."""
        repository.commit(a__md=TEN, b__md=TEN)
        code = (
            "import sys; sys.path.insert(0, {root!r}); from dedup.gate.git import top; "
            "from dedup.gate.changes import Changes; "
            "c = Changes.staged(top('.')); "
            "print(c.first_run('a.md', 1, 10), c.touched('b.md', None, None), file=open('told', 'w'))"
        )
        hook = repository.top / ".git" / "hooks" / "pre-commit"
        root = str(Path(__file__).parents[2])
        hook.write_text(f"#!{sys.executable}\n{code.format(root=root)}\n")
        hook.chmod(0o755)
        repository.write("a.md", edited(3))
        repository.git("add", "a.md")
        repository.write("b.md", edited(3))
        if "a.md" in how:
            repository.git("add", "b.md")
        repository.git(*how)
        assert (repository.top / "told").read_text() == "(3, 3) False\n"


class TestLastChange:
    def test_the_commit_and_whether_more_was_done_since(self, repository: Repository) -> None:
        first = repository.commit(a__md=TEN)
        second = repository.commit(b__md=TEN)
        folder = str(repository.top)
        assert last_change("a.md", folder) == LastChange(first, False)
        assert last_change("b.md", folder) == LastChange(second, False)
        repository.write("a.md", edited(1))
        assert last_change("a.md", folder) == LastChange(first, True)
        repository.git("add", "a.md")
        assert last_change("a.md", folder) == LastChange(first, True)
        repository.write("c.md", TEN)
        assert last_change("c.md", folder) == LastChange(None, True)

    def test_a_file_that_is_no_more_or_was_never_there(self, repository: Repository) -> None:
        repository.write("a.md", TEN)
        assert last_change("a.md", str(repository.top)) == LastChange(None, True)
        repository.commit()
        repository.git("rm", "-q", "a.md")
        repository.commit()
        assert last_change("a.md", str(repository.top)) == LastChange(None, True)
        assert last_change("z.md", str(repository.top)) == LastChange(None, True)

    def test_an_ignored_file(self, repository: Repository) -> None:
        repository.commit(__gitignore="*.md\n")
        repository.write("a.md", TEN)
        assert last_change("a.md", str(repository.top)) == LastChange(None, True)


class TestFailure:
    def test_git_is_not_there(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        with pytest.raises(DependencyError, match="git was not found"):
            Changes.staged(str(repository.top))

    def test_what_git_says_is_passed_on_in_one_line(self, repository: Repository) -> None:
        repository.commit(a__md=TEN)
        (repository.top / ".git" / "index").write_bytes(b"damaged")
        with pytest.raises(InputError, match=r"git diff failed: ") as caught:
            Changes.staged(str(repository.top))
        assert "\n" not in str(caught.value)

    def test_nothing_is_written(self, repository: Repository) -> None:
        base = repository.commit(a__md=TEN)
        os.utime(repository.top / "a.md", (1, 1))  # git would like to note that it is the same
        index = repository.top / ".git" / "index"
        before = (index.read_bytes(), index.stat().st_mtime_ns)
        (repository.top / ".git" / "index.lock").touch()
        Changes.since(base, str(repository.top))
        Changes.staged(str(repository.top))
        last_change("a.md", str(repository.top))
        assert (index.read_bytes(), index.stat().st_mtime_ns) == before
