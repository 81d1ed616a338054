"""Edits by which a copy could slip past the gate, or by which something old could be called new."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gating import page, prose
from tests.repository import Repository

PARTS = [prose(i, 60) for i in range(10)]
EXTRA = prose(99, 40)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def test_text_of_ones_own_in_a_document_that_another_one_contains(repository: Repository) -> None:
    inner = [prose(i) for i in range(11, 17)]
    repository.write("docs/k.md", page(prose(90), prose(91), *inner, prose(92)))
    repository.write("docs/m.md", page(*inner))
    repository.accept()
    repository.write("docs/m.md", page(*inner[:3], prose(95), *inner[3:]))
    assert repository.check().new == []
    repository.write("docs/m.md", page(*inner))
    repository.write("docs/k.md", page(prose(90), prose(91), *inner[:3], prose(95), *inner[3:], prose(92)))
    assert repository.check().new == []


def test_a_third_copy_in_an_accepted_near_copy(repository: Repository) -> None:
    repository.write("docs/a.md", page(*PARTS, EXTRA))
    repository.write("docs/b.md", page(*PARTS))
    repository.write("docs/c.md", page(prose(50), EXTRA))
    repository.accept()
    repository.write("docs/b.md", page(*PARTS[:4], EXTRA, *PARTS[4:]))
    assert repository.check().new == ["docs/b.md:9"]


def test_a_paragraph_that_is_pasted_twice_in_an_accepted_copy(repository: Repository) -> None:
    repository.write("docs/a.md", page(*PARTS))
    repository.write("docs/b.md", page(*PARTS, prose(50, 30)))
    repository.accept()
    repository.write("docs/b.md", page(*PARTS, PARTS[1], prose(50, 30)))
    assert repository.check().new == ["docs/b.md:21"]


def test_what_stands_where_it_stood_was_not_moved(repository: Repository) -> None:
    parts = [
        prose(0, 120),
        prose(1, 20),
        prose(2, 20),
        prose(3, 60),
        prose(4, 120),
        prose(5, 14),
        prose(6, 14),
        prose(7, 30),
    ]
    repository.write("docs/0q.md", page(*parts))
    repository.write("docs/c.md", page(*parts))
    repository.write("docs/b.md", page(parts[2], parts[3], parts[4], prose(12, 20), parts[0], parts[1]))
    repository.accept()
    repository.write("docs/0q.md", page(*parts[:5], parts[0], parts[1], *parts[5:]))
    checked = repository.check("--strict-baseline")
    assert checked.code == 1
    assert [place.split(":")[0] for place in checked.new] == ["docs/0q.md"]
    assert checked.of("moved") == []
    assert checked.result["gate"]["stale"] == 0


def test_a_part_of_the_corpus_keeps_what_is_accepted_with_the_rest(repository: Repository) -> None:
    repository.write("docs/a/x.md", page(prose(1), EXTRA))
    repository.write("docs/b/y.md", page(EXTRA, prose(2)))
    repository.accept()
    done = repository.run("check", "docs/a", "--strict-baseline", "--format", "json")
    assert done.returncode == 0, done.stdout
    assert repository.run("check", "docs/a", "--update-baseline").returncode == 0
    assert repository.check("--strict-baseline").code == 0


def test_a_copy_of_suppressed_text_is_new(repository: Repository) -> None:
    repository.write("docs/a.md", page("<!-- dedup: off -->", EXTRA, "<!-- dedup: on -->", prose(1)))
    repository.write("docs/b.md", page(prose(2)))
    repository.accept()
    repository.write("docs/b.md", page(prose(2), EXTRA))
    assert repository.check().new == ["docs/b.md:3"]


def test_text_that_was_there_is_not_new_because_its_copy_is_suppressed(repository: Repository) -> None:
    repository.write("docs/a.md", page(EXTRA, prose(1)))
    repository.accept()
    repository.write("docs/b.md", page(prose(2), "<!-- dedup: off -->", EXTRA, "<!-- dedup: on -->"))
    assert repository.check().new == []
    repository.commit()
    assert repository.check().new == []


def test_what_is_suppressed_beside_accepted_text_is_not_new(repository: Repository) -> None:
    repository.write("docs/a.md", page(EXTRA, PARTS[0]))
    repository.write("docs/b.md", page(prose(90), EXTRA))
    repository.accept()
    silent = "<!-- dedup: off -->", PARTS[0], "<!-- dedup: on -->"
    repository.write("docs/b.md", page(prose(90), EXTRA, *silent))
    checked = repository.check()
    assert (checked.new, checked.of("edited")) == ([], ["docs/b.md:3"])
    assert checked.result["notes"] == []
    repository.write("docs/b.md", page(prose(90), EXTRA, *silent, PARTS[0]))
    assert [place.partition(":")[0] for place in repository.check().new] == ["docs/b.md"]


def test_the_parts_of_an_ignored_document_are_ignored_with_it(repository: Repository) -> None:
    repository.write("docs/a.md", page(prose(1), EXTRA, prose(2)))
    repository.write("docs/b.md", page(prose(3), EXTRA))
    repository.accept()
    repository.write("docs/n.md", page(prose(1), EXTRA, prose(2)))
    [finding] = [f for f in repository.check().result["findings"] if f["status"] == "new"]
    entry = f'[[ignore]]\nfingerprint = "{finding["fingerprint"]}"\nreason = "on purpose"\n'
    repository.write("dedup.toml", entry)
    assert repository.check().new == []


def test_many_records_without_ids_that_are_all_edited(repository: Repository) -> None:
    texts = [prose(i, 20) for i in range(600)]
    line = '{{"text": "{}"}}\n'.format
    repository.write("docs/a.jsonl", "".join(map(line, texts)))
    repository.write("docs/b.jsonl", "".join(map(line, texts)))
    repository.accept()
    edited = [text.replace(text.split()[9], "something") for text in texts]
    repository.write("docs/b.jsonl", "".join(map(line, edited)))
    assert repository.check().new == []


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
@pytest.mark.parametrize("options", [(), ("--changed-since", "HEAD~1")])
def test_a_third_copy_after_a_rename_that_the_baseline_does_not_know(
    repository: Repository, name: str, options: tuple[str, ...]
) -> None:
    repository.write("docs/a.md", page(*PARTS[:3]))
    repository.write("docs/b.md", page(*PARTS[:3]))
    repository.write("docs/c.md", page(*PARTS[5:]))
    repository.accept()
    repository.git("mv", "docs/b.md", "docs/m.md")
    repository.commit()
    assert repository.check().code == 0
    repository.write(name, page(*PARTS[:3]))
    repository.commit()
    checked = repository.check(*options)
    assert (checked.code, checked.new) == (1, [f"{name}:1"])


@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
@pytest.mark.parametrize("options", [(), ("--changed-since", "HEAD~1")])
def test_a_third_copy_after_a_move_that_the_baseline_does_not_know(
    repository: Repository, name: str, options: tuple[str, ...]
) -> None:
    repository.write("docs/a.md", page(PARTS[0], EXTRA))
    repository.write("docs/b.md", page(PARTS[1], EXTRA))
    repository.write("docs/m.md", page(PARTS[2]))
    repository.accept()
    repository.write("docs/b.md", page(PARTS[1]))
    words = EXTRA.split()
    repository.write("docs/m.md", page(PARTS[2], " ".join([*words[:20], "something", *words[21:]])))
    repository.commit()
    assert repository.check().code == 0
    repository.write(name, page(prose(50), EXTRA))
    repository.commit()
    checked = repository.check(*options)
    assert (checked.code, checked.new) == (1, [f"{name}:3"])


@pytest.mark.parametrize("later", [0, 1, 5])
@pytest.mark.parametrize("name", ["docs/0.md", "docs/z.md"])
def test_a_copy_of_what_is_newer_than_the_baseline(repository: Repository, name: str, later: int) -> None:
    repository.write("docs/a.md", page(PARTS[0], EXTRA))
    repository.write("docs/b.md", page(PARTS[1], EXTRA))
    repository.accept()
    repository.write("docs/m.md", page(PARTS[2], PARTS[3]))
    repository.commit()
    for number in range(later):
        repository.write(f"docs/n{number}.md", prose(60 + number))
        repository.commit()
    repository.write(name, page(prose(50), PARTS[3]))
    assert repository.check().new == [f"{name}:3"]
    repository.commit()
    assert repository.check().new == [f"{name}:3"]


@pytest.mark.parametrize("since", [1, 2])
def test_a_copy_that_nobody_looked_at_when_it_came(repository: Repository, since: int) -> None:
    repository.write("docs/a.md", page(PARTS[0], EXTRA))
    repository.accept()
    repository.write("docs/m.md", page(PARTS[2], PARTS[3]))
    repository.commit()
    repository.write("docs/0.md", page(prose(50), PARTS[3]))
    repository.commit()
    for number in range(since):
        repository.write(f"docs/n{number}.md", prose(60 + number))
        repository.commit()
    assert repository.check().new == ["docs/0.md:3"]


def test_the_verdict_is_the_same_in_every_process(repository: Repository) -> None:
    repository.write("docs/a.md", page(*PARTS[:2], EXTRA))
    repository.write("docs/b.md", page(*PARTS[:2], EXTRA))
    repository.write("docs/c.md", page(*PARTS[:2], EXTRA, *PARTS[2:4]))
    repository.accept()
    for name in "abc":
        (repository.top / f"docs/{name}.md").unlink()
    repository.write("docs/d.md", page(EXTRA, *PARTS[:2], EXTRA))
    repository.write("docs/e.md", page(*PARTS[:2], EXTRA))
    repository.write("docs/f.md", page(*PARTS[:2], EXTRA, *PARTS[2:4], PARTS[0]))
    told = {
        repository.run("check", "docs", "--format", "json", PYTHONHASHSEED=str(seed)).stdout
        for seed in range(6)
    }
    assert len(told) == 1


def test_a_copy_of_a_file_that_was_renamed_and_edited_is_not_the_renamed_one(repository: Repository) -> None:
    repository.write("docs/a.md", page(*PARTS[:3]))
    repository.write("docs/b.md", page(*PARTS[:3], *PARTS[5:]))
    repository.accept()
    (repository.top / "docs/b.md").unlink()
    repository.write("docs/c.md", page(prose(50), *PARTS[:3], *PARTS[5:]))
    repository.commit()
    assert repository.check().code == 0
    repository.write("docs/d.md", page(*PARTS[:3], *PARTS[5:]))
    for _ in range(2):
        assert repository.check().new == ["docs/d.md:1"]
        repository.commit()


@pytest.mark.parametrize("later", [(), (prose(51, 200),)], ids=["edited", "rewritten"])
def test_a_copy_that_holds_what_a_renamed_file_held_is_not_the_renamed_one(
    repository: Repository, later: tuple[str, ...]
) -> None:
    repository.write("docs/a.md", page(PARTS[0], EXTRA))
    repository.write("docs/b.md", page(PARTS[1], PARTS[2], EXTRA))
    repository.accept()
    repository.write("docs/c.md", page(prose(50), EXTRA))
    repository.commit()
    repository.write("docs/b.md", page(*(later or PARTS[1:3]), EXTRA, prose(52)))
    repository.commit()
    repository.git("mv", "docs/b.md", "docs/r.md")
    for _ in range(2):
        assert repository.check().new == ["docs/c.md:3"]
        repository.commit()


def test_a_copy_of_a_file_that_was_renamed_before_the_revision_that_is_given(repository: Repository) -> None:
    repository.write("docs/a.md", page(PARTS[0], EXTRA))
    repository.write("docs/b.md", page(PARTS[1], EXTRA, PARTS[2]))
    repository.write("docs/d.md", page(PARTS[3], PARTS[4]))
    repository.accept()
    repository.git("mv", "docs/b.md", "docs/r.md")
    repository.commit()
    repository.write("docs/c.md", page(prose(50), EXTRA))
    repository.write("docs/r.md", page(PARTS[1], EXTRA, PARTS[2], PARTS[3]))
    repository.commit()
    assert repository.check("--changed-since", "HEAD~1").new == ["docs/c.md:3", "docs/r.md:7"]


def test_the_source_of_a_copy_that_shares_a_line_with_accepted_files(repository: Repository) -> None:
    line = prose(70, 10)
    repository.write("docs/a.md", page(line, prose(71, 14), prose(72, 10)))
    repository.write("docs/b.md", page(PARTS[0], EXTRA, prose(73), line, prose(74)))
    repository.write("docs/c.md", page(PARTS[1], EXTRA, prose(75), line, prose(76)))
    repository.accept()
    repository.write("docs/d.md", page(line, prose(71, 14), prose(72, 10)))
    assert repository.check().new == ["docs/d.md:1"]


def test_the_source_of_a_copy_that_repeats_within_itself(repository: Repository) -> None:
    line = prose(70, 10)
    repository.write("docs/a.md", page(line, line))
    repository.write("docs/b.md", page(PARTS[0], EXTRA))
    repository.write("docs/c.md", page(PARTS[1], EXTRA))
    repository.accept()
    repository.write("docs/c.md", page(PARTS[1], line, line, EXTRA))
    assert repository.check().new == ["docs/c.md:3"]


def test_words_that_are_accepted_in_pieces_are_no_copy_in_one(repository: Repository) -> None:
    one, two, three = (prose(70 + n, 4)[:-1] for n in range(3))
    accepted = page(
        PARTS[0], f"{prose(80, 9)} {one} {prose(81, 9)} {two} {prose(82, 9)} {three} {prose(83, 9)}"
    )
    for name in "ab":
        repository.write(f"docs/{name}.md", accepted)
    for name in "cd":
        repository.write(f"docs/{name}.md", page(*PARTS[3:]))
    repository.accept()
    repository.write("docs/d.md", page(*PARTS[3:], f"{one} {two} {three}"))
    assert repository.check().new == []


def test_what_is_added_beside_the_source_of_a_copy_makes_it_no_copy(repository: Repository) -> None:
    repository.write("docs/a.md", page(EXTRA, PARTS[0]))
    repository.accept()
    repository.write("docs/z.md", page(EXTRA, f"The {PARTS[1]}"))
    repository.commit()
    repository.write("docs/a.md", page(EXTRA, f"The {PARTS[2]}", PARTS[0]))
    assert repository.check().new == ["docs/z.md:1"]
