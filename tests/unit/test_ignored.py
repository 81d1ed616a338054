"""What ignore files and patterns leave out, and that git leaves out the same."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import DependencyError, InputError, SettingsError
from dedup.model import Document, Skipped
from dedup.read import Excluded, Input, documents, inputs
from tests.repository import Repository, isolate


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def put(*paths: str, **files: str) -> None:
    """Empty files, and files by name (``__`` for a dot, ``/`` cannot stand in a name) with their lines."""
    for path in paths:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("")
    for name, lines in files.items():
        Path(name.replace("__", ".")).write_text(lines)


def read(paths: str | Sequence[str] = ".", *patterns: str, **options: Any) -> list[str]:
    """The paths of the text files that are read, without the ``./``."""
    return seen(Excluded(".", patterns, **options), *([paths] if isinstance(paths, str) else paths))


def seen(excluded: Excluded, *paths: str) -> list[str]:
    found = inputs(paths or ["."], excluded=excluded)
    return [
        item.path.removeprefix("./")
        for item in found
        if isinstance(item, Input) and item.path.endswith(".md")
    ]


class TestIgnoreFiles:
    @pytest.mark.parametrize("name", [".gitignore", ".dedupignore"])
    def test_one_leaves_out_what_it_names_and_takes_in_again(self, name: str) -> None:
        put("a.md", "b.md", "keep.md", "out/c.md", "out/keep.md", "sub/b.md")
        Path(name).write_text("# all but one\n\n*.md\n!keep.md\n/out/\n")
        assert read() == ["keep.md"]

    def test_nearer_ones_are_stronger(self) -> None:
        put("a.md", "sub/a.md", "sub/b.md", "sub/deep/a.md", __gitignore="a.md\n")
        Path("sub/.gitignore").write_text("!a.md\nb.md\n")
        Path("sub/deep/.dedupignore").write_text("/a.md\n")
        assert read() == ["sub/a.md"]

    def test_dedupignore_is_stronger_than_gitignore_beside_it_and_not_than_one_below(self) -> None:
        put("a.md", "b.md", "sub/a.md", __gitignore="a.md\n!b.md\n", __dedupignore="!a.md\nb.md\n")
        Path("sub/.gitignore").write_text("a.md\n")
        assert read() == ["a.md"]

    def test_nothing_is_taken_in_below_a_directory_that_is_left_out(self) -> None:
        put(
            "out/keep.md",
            "half/keep.md",
            "half/a.md",
            __gitignore="out/\n!out/keep.md\nhalf/*\n!half/keep.md\n",
        )
        Path("out/.gitignore").write_text("!keep.md\n")
        assert read() == ["half/keep.md"]

    def test_a_directory_that_is_left_out_is_not_entered(self) -> None:
        put("out/a.md", "b.md", __gitignore="out\n")
        Path("out").chmod(0)
        try:
            excluded = Excluded(".")
            assert [item for item in inputs(["."], excluded=excluded) if isinstance(item, Skipped)] == []
        finally:
            Path("out").chmod(0o755)
        assert excluded.left_out == 1

    def test_what_only_its_parent_matched_is_not_matched_itself(self) -> None:
        """The pattern that takes a directory in again says nothing of what is in it."""
        put("keep/a.log.md", "keep/b.md", "x/keep/a.log.md", __gitignore="*.log.md\n")
        Path(".dedupignore").write_text("keep/\n!keep/\n!**/keep\n!x/**/keep/\n")
        assert read() == ["keep/b.md"]

    def test_odd_lines(self) -> None:
        names = ["tail .md", "#a.md", "!b.md", "é.md", "sp ace.md", "c.md", "d.md", "e.md", "[.md", "f\\.md"]
        put(*names)
        understood = b"\xef\xbb\xbf\\#a.md\r\n\\!b.md\r\n\xc3\xa9.md  \nsp\\ ace.md\ntail\\ .md\n"
        Path(".gitignore").write_bytes(understood + b"[\n[z-a].md\nx\\\n//\n!\n\nc.md")
        assert read() == ["[.md", "d.md", "e.md", "f\\.md"]

    def test_without_a_wish_everything_is_read(self) -> None:
        put("a.md", __gitignore="*\n", __dedupignore="*\n")
        assert read(ignore_files=False) == ["a.md"]
        assert [item.id for item in documents(["."]) if isinstance(item, Document)] == ["./a.md"]

    def test_a_directory_of_that_name_is_no_ignore_file(self) -> None:
        put("a.md", ".gitignore/b.md")
        assert read() == [".gitignore/b.md", "a.md"]

    def test_one_that_cannot_be_read_is_an_error(self) -> None:
        put("a.md", "b.md")
        Path(".dedupignore").symlink_to(".dedupignore")
        with pytest.raises(InputError, match=r"/\.dedupignore: cannot be read: .*--no-ignore-files"):
            read()

    def test_links_are_judged_by_their_own_name(self) -> None:
        put("real/a.md", "b.md", __gitignore="link/\nout.md\n")
        Path("link").symlink_to("real")
        Path("out.md").symlink_to("b.md")
        Path("other.md").symlink_to("out.md")
        assert read() == ["b.md", "real/a.md"]


class TestUpwards:
    def test_up_to_the_top_of_the_repository(self, tmp_path: Path) -> None:
        put("sub/deep/a.md", "sub/deep/b.md", "sub/deep/c.md", __gitignore="/sub/deep/a.md\nc.md\n")
        Path("sub/.dedupignore").write_text("deep/b.md\n!c.md\n")
        (tmp_path / ".gitignore").write_text("*\n")
        Repository(Path())
        assert read("sub/deep") == ["sub/deep/c.md"]
        assert seen(Excluded("sub/deep"), "sub/deep") == ["sub/deep/c.md"]

    def test_the_excludes_of_the_repository_are_the_weakest(self, tmp_path: Path) -> None:
        put("a.md", "sub/b.md", "c.md", "sub/c.md")
        repository = Repository(Path())
        repository.write(".git/info/exclude", "b.md\nc.md\n")
        Path("sub/.gitignore").write_text("!c.md\n")
        assert read() == ["a.md", "sub/c.md"]
        repository.commit()
        repository.git("worktree", "add", "-q", str(tmp_path / "tree"))
        (tmp_path / "tree" / "b.md").touch()
        assert str(tmp_path / "tree" / "a.md") in seen(Excluded("."), str(tmp_path / "tree"))
        assert str(tmp_path / "tree" / "b.md") not in seen(Excluded("."), str(tmp_path / "tree"))

    def test_a_repository_within_is_judged_by_its_own(self) -> None:
        put("a.md", "sub/a.md", "sub/b.md", "out/a.md", __gitignore="a.md\nout/\n")
        Repository(Path("."))
        Repository(Path("sub"))
        Repository(Path("out"))
        assert read() == ["sub/a.md", "sub/b.md"]
        assert read("out") == ["out/a.md"]

    def test_the_user_has_no_say(self, tmp_path: Path) -> None:
        put("a.md")
        (tmp_path / "mine").write_text("*.md\n")
        Repository(Path(".")).git("config", "core.excludesFile", str(tmp_path / "mine"))
        assert read() == ["a.md"]

    def test_outside_of_a_repository_up_to_the_root_or_to_what_is_given(self, tmp_path: Path) -> None:
        put("sub/a.md", "sub/b.md", __gitignore="b.md\n")
        other = tmp_path / "other"
        put(str(other / "sub" / "a.md"), str(other / "sub" / "b.md"))
        (other / "sub" / ".gitignore").write_text("b.md\n")
        (tmp_path / ".gitignore").write_text("*\n")
        assert read("sub") == ["sub/a.md"]
        assert read(str(other)) == [str(other / "sub" / "a.md")]


class TestGiven:
    """Rules hold for paths that are given, too: a hook gives all that it finds (crate-ci/typos#1043)."""

    @pytest.mark.parametrize("path", ["out/sub/a.md", "out/sub", "out", "./out/../out/sub/a.md"])
    def test_one_below_what_is_left_out(self, path: str) -> None:
        put("out/sub/a.md", "b.md", __gitignore="out/\n")
        Repository(Path("."))
        excluded = Excluded(".")
        assert seen(excluded, path, "b.md") == ["b.md"]
        assert excluded.left_out == 1

    def test_nothing_is_left(self) -> None:
        put("a.md", __dedupignore="a.md\n")
        excluded = Excluded(".")
        assert list(documents(["a.md"], excluded=excluded)) == []
        assert excluded.left_out == 1

    def test_one_that_is_left_out_needs_no_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put("a.parquet", "b.md", __dedupignore="*.parquet\n")
        monkeypatch.setattr("dedup.read.formats.find_spec", lambda name: None)
        assert seen(Excluded("."), "a.parquet", "b.md") == ["b.md"]

    def test_one_that_is_not_there_is_an_error_all_the_same(self) -> None:
        put(__dedupignore="*.md\n")
        with pytest.raises(InputError, match=r"a\.md: no such file"):
            read("a.md")

    def test_the_top_itself_is_read(self, tmp_path: Path) -> None:
        put("a.md", __gitignore="/here/\nhere/\n")
        (tmp_path / ".gitignore").write_text("here\n")
        assert read(".") == ["a.md"]
        assert len(read(str(tmp_path / "here"))) == 1
        Repository(Path("."))
        assert read(".") == ["a.md"]


class TestPatterns:
    def test_they_are_relative_to_the_root_and_stronger_than_ignore_files(self) -> None:
        put("a.md", "sub/a.md", "sub/b.md", "sub/deep/b.md", "c.md", __dedupignore="!sub/a.md\nc.md\n")
        assert read(".", "/sub/a.md", "deep/") == ["a.md", "sub/b.md"]
        assert read("sub", "/sub/a.md", "deep/") == ["sub/b.md"]
        assert read(["sub/a.md", "sub/deep/b.md", "a.md"], "/sub/a.md", "deep") == ["a.md"]

    def test_the_later_is_stronger(self) -> None:
        put("a.md", "b.md")
        assert read(".", "*.md", "!b.md") == ["b.md"]
        assert read(".", "!b.md", "*.md") == []

    def test_they_say_nothing_of_what_lies_elsewhere(self, tmp_path: Path) -> None:
        put(str(tmp_path / "other" / "a.md"))
        assert read(str(tmp_path / "other"), "*.md") == [str(tmp_path / "other" / "a.md")]

    @pytest.mark.parametrize("pattern", ["", "# a", "!", "[z-a]", "x\\", "  "])
    def test_one_that_matches_nothing_is_an_error(self, pattern: str) -> None:
        with pytest.raises(SettingsError, match="matches nothing; expected a pattern as in"):
            Excluded(".", [pattern])

    def test_names(self) -> None:
        put("baseline.md", "sub/baseline.md", ".cache/a.md")
        assert read(names=["baseline.md", ".cache"]) == ["sub/baseline.md"]
        assert read(["baseline.md", ".cache/a.md", "sub"], names=["./baseline.md", ".cache/"]) == [
            "sub/baseline.md"
        ]


class TestWithoutPathspec:
    @pytest.fixture(autouse=True)
    def _missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pathspec", None)

    def test_it_is_not_needed_where_there_are_no_patterns(self) -> None:
        put("a.md", "b.md", __gitignore="# nothing\n\n")
        assert read(names=["b.md"]) == ["a.md"]

    def test_an_ignore_file_needs_it(self) -> None:
        put("a.md", __gitignore="out\n")
        wanted = r"/\.gitignore: reading its patterns needs pathspec; pip install .*\[check\].*, or --no-ignore-files$"
        with pytest.raises(DependencyError, match=wanted):
            read()
        assert read(ignore_files=False) == ["a.md"]

    def test_a_pattern_needs_it(self) -> None:
        with pytest.raises(DependencyError, match=r"^--exclude: .*pip install 'dedup-spans\[check\]'$"):
            Excluded(".", ["*.md"])


def test_what_was_left_out_is_counted_a_directory_once() -> None:
    put("a.md", "b.md", "out/a.md", "out/b.md", "x.log", __gitignore="out\n*.log\na.md\n")
    excluded = Excluded(".", names=["b.md"])
    assert seen(excluded) == []
    assert excluded.left_out == 4


NAMES = (
    "a", "b", "ab", "foo", "bar.md", "a.txt", "ü.txt", "sp ace.md", "#x.txt", "!x.txt", "a[1].txt", "back\\s.txt",
    ".hid", "build", "x.log",
)  # fmt: skip
SEGMENTS = (
    *NAMES, "*", "*.txt", "*.md", "?", "??", "**", "**", "[ab]", "[!a]*", "a*", "*b*", "[a-c]*", "f[o]o", "\\!x.txt",
    "\\#x.txt", "a\\[1\\].txt", "[z-a]", "foo\\ ", "sp\\ ace.md", "[!a-c]x*", "**a", "[]a]", "[a-]b",
)  # fmt: skip


def pattern(choose: random.Random) -> str:
    path = "/".join(choose.choices(SEGMENTS, k=choose.choice([1, 1, 1, 2, 2, 3, 4])))
    slash = choose.choice(["", "", "/"]), choose.choice(["", "", "/"])
    line = f"{choose.choice(['', '', '!'])}{slash[0]}{path}{slash[1]}"
    return f"{'# ' * (choose.random() < 0.05)}{line}{choose.choice(['', '', '', '', ' ', '  ', chr(13)])}"


def grow(choose: random.Random, folder: Path, depth: int) -> None:
    """A tree of files, with ignore files in about half of its directories."""
    for name in choose.sample(NAMES, choose.randint(2, 6)):
        if depth and choose.random() < 0.45:
            (folder / name).mkdir()
            grow(choose, folder / name, depth - 1)
        else:
            (folder / name).touch()
    if choose.random() < 0.45:
        lines = [pattern(choose) for _ in range(choose.randint(1, 5))]
        (folder / ".gitignore").write_text("\n".join(lines) + "\n", newline="")


@pytest.mark.parametrize("seed", range(60))
def test_git_leaves_out_the_same(seed: int) -> None:
    """Of any tree, with patterns of any shape. (Sets of characters by name, [:alpha:], are not known to pathspec.)"""
    choose = random.Random(seed)
    repository = Repository(Path("."))
    grow(choose, Path("."), 3)
    repository.write(".git/info/exclude", pattern(choose))
    wanted = repository.git("ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1]
    found = {
        item.path.removeprefix("./")
        for item in inputs(["."], excluded=Excluded("."))
        if isinstance(item, Input)
    }
    assert found == {os.fspath(name) for name in wanted}
    asked = [f"./{path}" for path in sorted(os.listdir("."))]
    given = {
        item.path.removeprefix("./")
        for item in inputs(asked, excluded=Excluded("."))
        if isinstance(item, Input)
    }
    assert {name for name in given if not name.startswith(".git/")} == found
