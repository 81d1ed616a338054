"""What people do to a corpus under version control, and where the gate points then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gating import page, prose, wrapped
from tests.repository import Repository

SHARED, OTHER = prose(1), prose(2)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two files that share a paragraph, which the baseline accepts, and one that stands alone; all committed."""
    repository = Repository(tmp_path / "project")
    repository.write("docs/a.md", page("# A", prose(10), SHARED, prose(11)))
    repository.write("docs/b.md", page("# B", prose(20), prose(21), SHARED))
    repository.write("docs/c.md", page("# C", prose(30), OTHER, prose(31)))
    repository.accept()
    return repository


def test_nothing_changed(repository: Repository) -> None:
    checked = repository.check()
    assert (checked.code, checked.new) == (0, [])
    assert checked.of("known") == ["docs/a.md:5", "docs/b.md:7"]


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
@pytest.mark.parametrize("committed", [False, True])
def test_add_a_copy(repository: Repository, name: str, committed: bool) -> None:
    repository.write(name, page("# New", prose(40), OTHER))
    if committed:
        repository.commit()
    checked = repository.check()
    assert (checked.code, checked.new) == (1, [f"{name}:5"])
    assert checked.result["findings"][-1 if "z" in name else 0]["others"][0]["path"] == "docs/c.md"


def test_add_a_copy_to_a_file_that_stands_before_its_source(repository: Repository) -> None:
    repository.write("docs/a.md", page("# A", prose(10), SHARED, OTHER, prose(11)))
    repository.commit()
    assert repository.check().new == ["docs/a.md:7"]


@pytest.mark.parametrize("separately", [False, True])
@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
@pytest.mark.parametrize("edited", [OTHER.replace(" ", " so ", 1), wrapped(OTHER, 9)])
def test_edit_a_source_after_it_was_copied(
    repository: Repository, name: str, edited: str, separately: bool
) -> None:
    repository.write(name, page("# New", prose(40), OTHER))
    if separately:
        repository.commit()
    repository.write("docs/c.md", page("# C", prose(30), edited, prose(31)))
    repository.commit()
    assert repository.check("--no-cache").new == [f"{name}:5"]


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
@pytest.mark.parametrize(("source", "attributes"), [("docs/s.html", ""), ("docs/s.md", "s.md -diff\n")])
def test_edit_a_source_of_which_no_lines_are_known_after_it_was_copied(
    tmp_path: Path, source: str, attributes: str, name: str
) -> None:
    if source.endswith("html"):
        pytest.importorskip("resiliparse")
    repository = Repository(tmp_path / "project")
    form = "<p>{}</p>\n<p>{}</p>\n" if source.endswith("html") else "{}\n\n{}\n"
    repository.write(source, form.format(prose(30), OTHER))
    repository.write(".gitattributes", attributes)
    repository.accept()
    repository.write(name, page("# New", prose(40), OTHER))
    repository.commit()
    repository.write(source, form.format(prose(30).replace(" ", " so ", 1), OTHER))
    repository.commit()
    assert repository.check("--no-cache").new == [f"{name}:5"]


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
def test_copy_what_was_moved_back_to_where_it_was(repository: Repository, name: str) -> None:
    repository.write("docs/c.md", page("# C", prose(30), prose(31)))
    repository.write(name, page("# New", prose(40), OTHER))
    repository.commit()
    repository.write("docs/c.md", page("# C", OTHER, prose(30), prose(31)))
    repository.commit()
    assert repository.check().new == ["docs/c.md:3"]


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
def test_add_a_third_copy(repository: Repository, name: str) -> None:
    repository.write(name, page("# New", SHARED, prose(40)))
    repository.commit()
    checked = repository.check()
    assert (checked.code, checked.new) == (1, [f"{name}:3"])
    assert checked.of("known") == ["docs/a.md:5", "docs/b.md:7"]


def test_move_a_file(repository: Repository) -> None:
    repository.git("mv", "docs/b.md", "docs/0.md")
    repository.commit()
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new, checked.of("moved")) == (0, [], ["docs/0.md:7"])


def test_move_lines_within_a_file(repository: Repository) -> None:
    repository.write("docs/a.md", page("# A", prose(12), prose(13), prose(10), prose(11), SHARED))
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new) == (0, [])
    assert checked.of("known") == ["docs/a.md:11", "docs/b.md:7"]


def test_move_lines_to_another_file(repository: Repository) -> None:
    repository.write("docs/b.md", page("# B", prose(20), prose(21)))
    repository.write("docs/c.md", page("# C", prose(30), SHARED, OTHER, prose(31)))
    repository.commit()
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new, checked.of("moved")) == (0, [], ["docs/c.md:5"])


@pytest.mark.parametrize("position", [0, 20, 39])
def test_edit_one_word_of_an_accepted_copy(repository: Repository, position: int) -> None:
    words = SHARED.split()
    words[position] = "something"
    repository.write("docs/b.md", page("# B", prose(20), prose(21), " ".join(words)))
    repository.commit()
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new) == (0, [])
    assert "docs/b.md:7" in checked.of("edited")


def test_leave_a_file_out_and_copy_what_was_accepted_there(repository: Repository) -> None:
    repository.write(".dedupignore", "b.md\n")
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    repository.commit()
    checked = repository.check()
    assert (checked.new, checked.result["gate"]["stale"]) == (["docs/new.md:5"], 1)


def test_delete_one_copy(repository: Repository) -> None:
    (repository.top / "docs/b.md").unlink()
    checked = repository.check()
    assert (checked.code, checked.result["gate"]["stale"]) == (0, 2)
    assert repository.check("--strict-baseline").code == 1
    repository.accept()
    assert repository.check("--strict-baseline").code == 0


def test_merge_the_baselines_of_two_branches(repository: Repository) -> None:
    repository.write(".gitattributes", ".dedup-baseline.jsonl merge=union\n")
    repository.commit()
    for number, (branch, text) in enumerate({"one": OTHER, "two": SHARED}.items()):
        repository.git("checkout", "--quiet", "-b", branch, "main")
        repository.write(f"docs/{branch}.md", page(f"# {branch}", prose(50 + number), text))
        repository.accept()
        assert repository.check("--strict-baseline").code == 0
    repository.git("merge", "--quiet", "--no-edit", "one")
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new) == (0, [])
    before = (repository.top / ".dedup-baseline.jsonl").read_bytes()
    assert repository.run("check", "docs", "--update-baseline").returncode == 0
    assert sorted((repository.top / ".dedup-baseline.jsonl").read_bytes().splitlines()) == sorted(
        set(before.splitlines())
    )


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
def test_a_copy_that_neither_of_two_merged_baselines_holds(repository: Repository, name: str) -> None:
    repository.write(".gitattributes", ".dedup-baseline.jsonl merge=union\n")
    repository.commit()
    for number, branch in enumerate(("one", "two")):
        repository.git("checkout", "--quiet", "-b", branch, "main")
        repository.write(f"docs/{branch}.md", page(f"# {branch}", prose(50 + number), SHARED))
        repository.accept()
    repository.write(name, page("# New", prose(40), OTHER))
    repository.commit()
    repository.git("merge", "--quiet", "--no-edit", "one")
    assert repository.check().new == [f"{name}:5"]


def test_a_merge_conflict_left_in_the_baseline_is_told(repository: Repository) -> None:
    baseline = repository.top / ".dedup-baseline.jsonl"
    lines = baseline.read_text().splitlines()
    baseline.write_text("\n".join([lines[0], "<<<<<<< HEAD", *lines[1:], "=======", ">>>>>>> one"]) + "\n")
    done = repository.run("check", "docs")
    assert done.returncode == 2
    assert ".dedup-baseline.jsonl:2: a merge conflict" in done.stderr


def test_rebase(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write("docs/0.md", page("# Zero", prose(40), OTHER))
    repository.commit("a copy")
    repository.git("checkout", "--quiet", "main")
    repository.write("docs/d.md", page("# D", prose(60), SHARED))
    repository.accept()
    repository.git("checkout", "--quiet", "feature")
    repository.git("rebase", "--quiet", "main")
    for options in ((), ("--changed-since", "main")):
        checked = repository.check(*options)
        assert (checked.code, checked.new) == (1, ["docs/0.md:5"])


@pytest.mark.parametrize("options", [(), ("--changed-since", "HEAD~2")])
@pytest.mark.parametrize(("copy", "moved"), [("docs/0.md", "docs/z.md"), ("docs/z.md", "docs/0.md")])
@pytest.mark.parametrize("added", ["", prose(41)])
def test_rename_a_file_after_it_was_copied(
    repository: Repository, copy: str, moved: str, added: str, options: tuple[str, ...]
) -> None:
    original = page("# C", prose(30), OTHER, prose(31))
    repository.write(copy, original)
    repository.commit()
    repository.git("mv", "docs/c.md", moved)
    repository.write(moved, original + added)
    repository.commit()
    checked = repository.check(*options)
    assert (checked.code, checked.new) == (1, [f"{copy}:1"])


def test_rename_a_directory(repository: Repository) -> None:
    repository.git("mv", "docs", "manual")
    repository.git("mv", "manual", "docs2")
    (repository.top / "docs").mkdir()
    repository.git("mv", "docs2", "docs/inner")
    repository.commit()
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new) == (0, [])
    assert checked.of("moved") == ["docs/inner/a.md:5", "docs/inner/b.md:7"]


def test_rewrap_a_paragraph(repository: Repository) -> None:
    repository.write("docs/a.md", page("# A", prose(10), wrapped(SHARED, 6), prose(11)))
    checked = repository.check("--strict-baseline")
    assert (checked.code, checked.new) == (0, [])
    assert checked.of("known") == ["docs/a.md:5", "docs/b.md:7"]


def test_what_is_told_may_be_narrowed_but_everything_is_compared(repository: Repository) -> None:
    (repository.top / ".dedup-baseline.jsonl").unlink()
    repository.commit("no baseline any more")
    repository.write("docs/d.md", page("# D", prose(60), OTHER))
    repository.commit("a copy")
    repository.write("docs/e.md", page("# E", prose(70), prose(30)))
    assert repository.check().new == ["docs/b.md:7", "docs/d.md:5", "docs/e.md:5"]
    assert repository.check("--changed-since", "HEAD~1").new == ["docs/d.md:5", "docs/e.md:5"]
    assert repository.check("--changed-since", "HEAD").new == ["docs/e.md:5"]
    assert repository.check("--staged").new == []
    repository.git("add", "docs/e.md")
    assert repository.check("--staged").new == ["docs/e.md:5"]


def test_an_accepted_pair_stays_known_though_a_copy_has_become_a_document_of_its_own(
    repository: Repository,
) -> None:
    repository.write("docs/b.md", page(SHARED))
    checked = repository.check()
    assert (checked.code, checked.new) == (0, [])


def test_records_of_a_file_are_told_by_their_ids(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "project")
    line = '{{"id": "{}", "text": "{}"}}\n'.format
    repository.write("docs/news.jsonl", line("a", SHARED) + line("b", OTHER) + line("c", SHARED))
    repository.accept()
    repository.write(
        "docs/news.jsonl",
        line("x", prose(9)) + line("c", SHARED) + line("a", SHARED) + line("d", OTHER) + line("b", OTHER),
    )
    checked = repository.check()
    assert checked.of("known") == ["docs/news.jsonl:3", "docs/news.jsonl:2"]
    assert checked.new == ["docs/news.jsonl:4"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_edit_a_record_after_it_was_copied(tmp_path: Path, suffix: str) -> None:
    repository = Repository(tmp_path / "project")
    head, line = ("id,text\n", "{},{}\n") if suffix == "csv" else ("", '{{"id": "{}", "text": "{}"}}\n')
    records = {"a": prose(9), "b": prose(10) + " " + OTHER, "c": prose(11)}

    def write(**changed: str) -> None:
        told = (records | changed).items()
        repository.write(f"docs/news.{suffix}", head + "".join(line.format(*record) for record in told))

    write()
    repository.accept()
    write(b=records["b"].replace(" ", " so ", 1), d=OTHER + " " + prose(12), a=prose(9) + " " + OTHER)
    lines = [number + (suffix == "csv") for number in (1, 4)]
    assert repository.check("--no-cache").new == [f"docs/news.{suffix}:{number}" for number in lines]


def test_no_fault_of_formats_kept_apart(repository: Repository) -> None:
    """jscpd compares .md with .md only; an added copy in another format escaped, or an old pair was blamed."""
    repository.write("docs/copy.txt", page(prose(80), SHARED))
    repository.write("docs/news.jsonl", '{"id": "1", "text": "' + OTHER + '"}\n')
    repository.commit()
    assert repository.check().new == ["docs/copy.txt:3", "docs/news.jsonl:1"]


def test_no_fault_of_size_or_line(repository: Repository) -> None:
    """jscpd passes over files above 1 MiB without a word, and over copies within one long line."""
    long = " ".join(prose(100 + i, 400) for i in range(400))
    assert len(long) > 1 << 20
    repository.write("docs/long.txt", f"{long} {OTHER} {prose(90)}\n")
    repository.commit()
    assert repository.check().new == ["docs/long.txt:1"]


def test_a_cache_that_came_with_the_repository_is_not_believed(repository: Repository) -> None:
    assert repository.check().code == 0
    repository.git("add", "--force", ".dedup_cache")
    repository.commit("a cache")
    checked = repository.check()
    assert checked.code == 0
    assert ".dedup_cache is part of the repository and is not used" in checked.err


@pytest.mark.parametrize("options", [("--staged",), ("--changed-since", "HEAD")])
def test_a_copy_that_comes_about_by_a_deletion(repository: Repository, options: tuple[str, ...]) -> None:
    words = SHARED.split()
    broken = "\n".join([" ".join(words[:20]), prose(77, 30), " ".join(words[20:])])
    repository.write("docs/new.md", page("# New", prose(40), broken))
    repository.commit()
    joined = "\n".join([" ".join(words[:20]), " ".join(words[20:])])
    repository.write("docs/new.md", page("# New", prose(40), joined))
    repository.git("add", "docs/new.md")
    assert repository.check(*options).new == ["docs/new.md:5"]


BY_ORDER = "which of two copies was there before is told by their order, for "


def test_a_shallow_clone_says_what_it_cannot_know(repository: Repository, tmp_path: Path) -> None:
    repository.write("docs/0.md", page("# 0", prose(50), prose(51)))
    repository.write("docs/z.md", page("# Z", prose(52), prose(51)))
    repository.commit()
    clone = Repository(tmp_path / "clone")
    clone.git("fetch", "--quiet", "--depth", "1", f"file://{repository.top}", "main")
    clone.git("checkout", "--quiet", "FETCH_HEAD")
    [note] = clone.check().result["notes"]
    assert note.startswith(
        f"{BY_ORDER}what changed since the baseline was written is not in this shallow clone"
    )
    assert "fetch-depth: 0" in note
    (clone.top / "docs/0.md").unlink()
    assert clone.check().result["notes"] == []


def test_where_git_cannot_tell(repository: Repository, tmp_path: Path) -> None:
    repository.write("docs/new.md", page("# New", prose(50), SHARED))
    for environment, why in (
        ({"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, "dubious ownership"),
        ({"PATH": str(tmp_path)}, "git was not found"),
    ):
        done = repository.run("check", "docs", **environment)
        assert done.returncode == 1
        assert f"note: {BY_ORDER}git cannot: " in done.stdout
        assert why in done.stdout
        assert "--staged" not in done.stdout
        asked = repository.run("check", "docs", "--staged", **environment)
        assert (asked.returncode, why in asked.stderr) == (2, True)
