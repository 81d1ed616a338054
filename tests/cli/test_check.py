"""``dedup check`` as a process: exit codes, options, where it is run, what it is given; scenarios are elsewhere."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dedup.report import CHECK_FORMATS
from tests.gating import page, prose
from tests.repository import ENVIRONMENT, Repository

SHARED, OTHER = prose(1), prose(2)
NEW = page("# New", prose(40), SHARED)
BASELINE = ".dedup-baseline.jsonl"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two files that share a paragraph, which the baseline accepts; all committed."""
    repository = Repository(tmp_path / "project")
    repository.write(".gitignore", ".dedup_cache/\n")
    repository.write("docs/a.md", page("# A", prose(10), SHARED, prose(11)))
    repository.write("docs/b.md", page("# B", prose(20), prose(21), SHARED))
    repository.accept()
    return repository


@pytest.fixture
def plain(repository: Repository, tmp_path: Path) -> Repository:
    """The same files in a folder that is no git repository, without a baseline."""
    shutil.copytree(repository.top / "docs", tmp_path / "plain" / "docs")
    return Repository(tmp_path / "plain", plain=True)


def records(*texts: str, **first: str) -> str:
    """JSON lines of texts without ids; the first record may have more fields."""
    lines = [{"text": text} for text in texts]
    lines[0] |= first
    return "".join(json.dumps(line) + "\n" for line in lines)


class TestExitCodes:
    def test_0_and_1(self, repository: Repository) -> None:
        assert repository.check().code == 0
        repository.write("docs/new.md", NEW)
        assert repository.check().code == 1

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ("docs --staged --changed-since HEAD", "--changed-since and --staged contradict each other"),
            ("docs --baseline x.jsonl --no-baseline", "--baseline and --no-baseline contradict each other"),
            ("docs --update-baseline --staged", "--update-baseline and --staged contradict each other"),
            ("docs --update-baseline --no-baseline", "--update-baseline and --no-baseline contradict"),
            (
                "docs --update-baseline --changed-since HEAD",
                "--update-baseline and --changed-since contradict",
            ),
            ("docs --format nope", "'nope' is not a format; expected one of text, json, sarif"),
            ("docs --format sarif=", "'sarif=' names no file"),
            ("docs --format json --format sarif", "json and sarif would go to one place"),
            ("docs --format json=docs/a.md", "docs/a.md: would be an input"),
            (
                "docs --format json=gone/a.json",
                "gone/a.json: cannot be written: its directory does not exist",
            ),
            ("docs --fail-on some", "'some' is not one of 'new', 'any', 'none'"),
            ("docs --max-new -1", "-1 is not in the range x>=0"),
            ("docs --max-share 101", "101.0 is not in the range 0<=x<=100"),
            ("docs --no-such-option", "No such option"),
            ("docs gone also-gone", "gone, also-gone: no such file or directory"),
            ("docs --changed-since gone", "--changed-since gone: no such revision"),
            ("docs --changed-since HEAD..HEAD", "--changed-since HEAD..HEAD: no such revision"),
            ("docs --changed-since --output=x", "--changed-since --output=x: no such revision"),
            ("docs --baseline gone.jsonl", "gone.jsonl: no such baseline; dedup check --update-baseline"),
            ("docs --baseline docs", "docs: cannot be read: is a directory"),
            (
                "docs --baseline docs/a.md",
                "docs/a.md:1: not a line of JSON; if it is a baseline, write it anew",
            ),
            ("docs --update-baseline --baseline docs/a.md", "docs/a.md:1: not a line of JSON"),
            ("docs --update-baseline --baseline gone/b", "gone/b: cannot be written: its directory does not"),
            ("docs --baseline=", "--baseline is empty; expected the name of a file"),
            (
                "docs --update-baseline --format json",
                "--update-baseline writes no report, --format is for one",
            ),
            ("docs --update-baseline -o x.txt", "--update-baseline writes no report, --output is for one"),
            ("docs --exclude *.md", "docs: nothing to check: no documents (2 left out by ignore files"),
        ],
    )
    def test_2(self, repository: Repository, arguments: str, told: str) -> None:
        before = {path: path.read_bytes() for path in repository.top.glob("docs/*")}
        done = repository.run("check", *arguments.split())
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr
        assert {path: path.read_bytes() for path in repository.top.glob("docs/*")} == before

    @pytest.mark.parametrize(
        ("damage", "told"),
        [
            (b"", 'no line {"dedup-baseline": …}'),
            (b"\xff\xfe", "not UTF-8 at byte 0"),
            (b"[]\n", ":1: not an object"),
            (
                b'{"dedup-baseline":99,"settings":{}}\n',
                ":1: a baseline of version 99; this dedup reads version 2",
            ),
            (b'{"dedup-baseline":2}\n', ":1: the settings are missing"),
            (
                b'{"dedup-baseline":2,"settings":{}}\n{"dedup-baseline":2,"settings":{"seed":7}}\n',
                ":2: other settings than those above",
            ),
            (b'{"dedup-baseline":2,"settings":{}}\n{"path":"docs/a.md"}\n', ":2: no 'rule' as it should be"),
        ],
    )
    def test_2_for_a_baseline_that_is_damaged(self, repository: Repository, damage: bytes, told: str) -> None:
        """As the message says, it can be written anew, with a word on what may be lost."""
        whole = (repository.top / BASELINE).read_bytes()
        repository.write(BASELINE, damage)
        done = repository.run("check", "docs")
        assert done.returncode == 2
        assert BASELINE in done.stderr
        assert told in done.stderr
        assert (repository.top / BASELINE).read_bytes() == damage
        done = repository.run("check", "docs", "--update-baseline")
        assert done.returncode == 0
        assert "the baseline is written anew; reasons" in done.stderr
        assert (repository.top / BASELINE).read_bytes() == whole

    def test_good_lines_of_a_damaged_baseline_stay(self, repository: Repository) -> None:
        whole = (repository.top / BASELINE).read_text()
        noted = whole.replace('"copy":1,', '"copy":1,"reason":"agreed",')
        head, one, two = noted.splitlines()
        sides = (head, "<<<<<<< ours", one, "=======", two, ">>>>>>> theirs", "")
        repository.write(BASELINE, "\n".join(sides))
        assert repository.run("check", "docs", "--update-baseline").returncode == 0
        assert (repository.top / BASELINE).read_text() == noted

    def test_a_format_of_the_configuration_is_for_checks(self, repository: Repository) -> None:
        repository.write("dedup.toml", '[check]\nformat = "json=out.json"\n')
        assert repository.run("check", "docs", "--update-baseline").returncode == 0
        assert not (repository.top / "out.json").exists()

    @pytest.mark.parametrize("format", CHECK_FORMATS)
    def test_a_reader_that_goes_away_changes_nothing(self, repository: Repository, format: str) -> None:
        repository.write("docs/new.md", NEW)
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "dedup", "check", "docs", "--format", format, "--format", "json=out.json"],
            cwd=repository.top, env=ENVIRONMENT, stdout=writer, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, b"")
        assert json.loads((repository.top / "out.json").read_bytes())["gate"]["new"] == 1

    @pytest.mark.parametrize("option", [("--staged",), ("--changed-since", "HEAD")])
    def test_2_without_a_repository(self, plain: Repository, option: tuple[str, ...]) -> None:
        done = plain.run("check", "docs", *option)
        assert done.returncode == 2
        assert f"{' '.join(option)}: {plain.top} is not in a git repository" in done.stderr

    def test_2_where_all_was_skipped(self, repository: Repository) -> None:
        repository.write("other/bad.md", b"\xff")
        done = repository.run("check", "other")
        assert done.returncode == 2
        assert "no documents (1 skipped, first other/bad.md: not UTF-8" in done.stderr
        assert repository.run("check", "other", "--allow-empty").returncode == 0

    def test_3(self, repository: Repository) -> None:
        repository.write("docs/bad.md", b"\xff")
        assert repository.run("check", "docs").returncode == 0
        done = repository.run("check", "docs", "--fail-on-skipped")
        assert done.returncode == 3
        assert "docs/bad.md: not UTF-8" in done.stdout
        assert done.stderr == ""
        repository.write("docs/new.md", NEW)
        assert repository.run("check", "docs", "--fail-on-skipped").returncode == 1

    def test_files_of_other_formats_are_nobodys_loss(self, repository: Repository) -> None:
        repository.write("dedup.toml", 'paths = ["."]\n')
        repository.write("docs/picture.png", b"\x89PNG")
        with zipfile.ZipFile(repository.top / "docs/y.zip", "w") as archive:
            archive.writestr("code.py", "pass")
        repository.write(f"docs/sub/{BASELINE}", (repository.top / BASELINE).read_bytes())
        repository.run("check", "--update-baseline", "--baseline", "docs/other.jsonl")
        done = repository.run("check", "--fail-on-skipped", "--baseline", "docs/other.jsonl")
        assert (done.returncode, "skipped" in done.stdout) == (0, False)
        assert repository.run("check", "docs", "docs/picture.png", "--fail-on-skipped").returncode == 3
        repository.write("docs/bad.md.gz", b"damaged")
        assert repository.run("check", "--fail-on-skipped").returncode == 3
        repository.write("code/a.py", "pass")
        done = repository.run("check", "code")
        assert "nothing to check: no documents (1 of formats that dedup does not read)" in done.stderr

    def test_3_for_a_baseline_that_could_not_see_everything(self, repository: Repository) -> None:
        repository.write("docs/b.md", b"\xff")
        done = repository.run("check", "docs", "--update-baseline", "--fail-on-skipped")
        assert done.returncode == 3
        assert "skipped docs/b.md: not UTF-8" in done.stderr
        assert '"docs/b.md"' in (repository.top / BASELINE).read_text()

    @pytest.mark.parametrize("options", [("--format", "json=out.json"), ("--update-baseline",)])
    def test_130(self, repository: Repository, options: tuple[str, ...]) -> None:
        """Interrupted while it waits for more on its standard input."""
        before = (repository.top / BASELINE).read_bytes()
        process = subprocess.Popen(
            [sys.executable, "-m", "dedup", "check", "docs", "-", *options], cwd=repository.top, env=ENVIRONMENT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with process:
            assert process.stdin is not None
            # The reader has the first lines once the pipe, which holds 64 KB, has taken more than that.
            process.stdin.write(records(*[SHARED] * 1000).encode())
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=30)
            assert process.stdout is not None
            assert process.stderr is not None
            assert (code, process.stdout.read(), process.stderr.read()) == (130, b"", b"dedup: interrupted\n")
        assert not (repository.top / "out.json").exists()
        assert (repository.top / BASELINE).read_bytes() == before


class TestWhatFails:
    def test_max_new(self, repository: Repository) -> None:
        repository.write("docs/new.md", NEW)
        repository.write("docs/new2.md", page("# 2", prose(41), SHARED))
        assert repository.check("--max-new", "2").code == 0
        done = repository.run("check", "docs", "--max-new", "1")
        assert done.returncode == 1
        assert "failed: more than 1 new copies · 2 new" in done.stdout
        assert "To accept what is new: dedup check --update-baseline." in done.stdout

    def test_max_share(self, repository: Repository) -> None:
        assert repository.check("--max-share", "50").code == 0
        done = repository.run("check", "docs", "--max-share", "5")
        assert done.returncode == 1
        assert "% of the text repeats, 5% may" in done.stdout
        assert "counts for --max-share, too" in done.stdout
        assert "To accept what is new" not in done.stdout

    def test_fail_on(self, repository: Repository) -> None:
        assert repository.check("--fail-on", "any").code == 1
        told = repository.run("check", "docs", "--fail-on", "any").stdout
        assert "docs/a.md:5: known" in told
        assert "What is accepted fails, too, with --fail-on any" in told
        assert "To accept what is new" not in told
        repository.write("docs/new.md", NEW)
        checked = repository.check("--fail-on", "none")
        assert (checked.code, checked.new) == (0, ["docs/new.md:5"])

    def test_strict_baseline(self, repository: Repository) -> None:
        (repository.top / "docs/b.md").unlink()
        done = repository.run("check", "docs", "--strict-baseline")
        assert done.returncode == 1
        assert "failed: stale entries in the baseline" in done.stdout
        assert "To drop what is stale: dedup check --update-baseline." in done.stdout
        assert "To accept what is new" not in done.stdout
        assert "docs/a.md" in done.stdout
        assert repository.check().code == 0

    def test_no_baseline(self, repository: Repository) -> None:
        checked = repository.check("--no-baseline")
        assert (checked.code, checked.new) == (1, ["docs/b.md:7"])

    def test_what_is_suppressed_never_fails_and_is_shown_if_asked_for(self, repository: Repository) -> None:
        marked = ("<!-- dedup: off quoted in full -->", SHARED, "<!-- dedup: on -->")
        repository.write("docs/quote.md", page("# Quote", prose(50), *marked))
        assert repository.check("--fail-on", "new").of("suppressed") == ["docs/quote.md:7"]
        assert "quoted in full" not in repository.run("check", "docs").stdout
        shown = repository.run("check", "docs", "--show-suppressed")
        assert shown.returncode == 0
        assert "reason: quoted in full" in shown.stdout

    def test_entries_of_the_configuration_hold_until_their_day(self, repository: Repository) -> None:
        repository.write("docs/new.md", NEW)
        [finding] = [f for f in repository.check().result["findings"] if f["status"] == "new"]
        entry = f'[[ignore]]\nfingerprint = "{finding["fingerprint"]}"\nreason = "why"\nowner = "legal"\n'
        repository.write("dedup.toml", f"{entry}expires = 2999-12-31\n")
        assert repository.check().code == 0
        repository.write("dedup.toml", f"{entry}expires = 2020-01-31\n")
        done = repository.run("check", "docs")
        assert done.returncode == 1
        assert "expired on 2020-01-31 and suppresses no more; owner: legal" in done.stdout

    def test_settings_that_are_not_those_of_the_baseline_are_said(self, repository: Repository) -> None:
        done = repository.run("check", "docs", "--min-tokens", "20")
        assert "note: the baseline was written with min_tokens 12, this is 20" in done.stdout
        assert "note:" not in repository.run("check", "docs").stdout

    def test_quiet(self, repository: Repository) -> None:
        repository.write("docs/bad.md", b"\xff")
        for options in (("--format", "json=out.json"), ("--update-baseline",)):
            done = repository.run("check", "docs", "--quiet", *options)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert "skipped docs/bad.md" in repository.run("check", "docs", "--format", "json=out.json").stderr


class TestWhereItIsRun:
    def test_paths_of_the_configuration_from_anywhere(self, repository: Repository) -> None:
        repository.write("dedup.toml", 'paths = ["docs"]\n')
        repository.write("elsewhere/new.md", NEW)
        for folder in (".", "docs", "elsewhere"):
            assert repository.run("check", folder=folder).returncode == 0
        assert repository.run("check", ".").returncode == 1

    def test_a_subdirectory(self, repository: Repository) -> None:
        """Paths are those of the repository, whose baseline is found; what is above is not stale."""
        repository.write("docs/sub/new.md", NEW)
        repository.write("docs/sub/old.md", page("# Old", prose(50), SHARED))
        done = repository.run("check", ".", "--format=json", "--strict-baseline", folder="docs/sub")
        result = json.loads(done.stdout)
        assert [f["path"] for f in result["findings"] if f["status"] == "new"] == ["docs/sub/old.md"]
        assert result["gate"]["stale"] == 0
        assert repository.run("check", "--update-baseline", folder="docs/sub").returncode == 0
        assert repository.check("--strict-baseline").code == 0
        assert not (repository.top / "docs/sub" / BASELINE).exists()

    @pytest.mark.parametrize(
        "given", ["docs", "./docs/", "docs/../docs", "{top}/docs", "{link}/docs", "inside"]
    )
    def test_a_path_however_it_is_written(self, repository: Repository, given: str) -> None:
        link = repository.top.parent / "link"
        link.symlink_to(repository.top)
        (repository.top / "inside").symlink_to("docs")
        repository.write("docs/new.md", NEW)
        path = given.format(top=repository.top, link=link)
        done = repository.run("check", path, "--format=json", "--strict-baseline")
        result = json.loads(done.stdout)
        assert [(f["path"], f["status"]) for f in result["findings"]] == [
            ("docs/a.md", "known"), ("docs/b.md", "known"), ("docs/new.md", "new"),
        ]  # fmt: skip
        assert result["gate"]["stale"] == 0

    def test_a_working_directory_behind_a_link(self, repository: Repository) -> None:
        link = repository.top.parent / "link"
        link.symlink_to(repository.top / "docs")
        repository.write("docs/new.md", NEW)
        for path in (".", str(link)):
            done = subprocess.run(
                [sys.executable, "-m", "dedup", "check", path, "--format=github"], cwd=link,
                env={**ENVIRONMENT, "PWD": str(link)}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 1
            assert "\n::error file=docs/new.md,line=5," in done.stdout

    def test_a_folder_without_git(self, plain: Repository) -> None:
        """Paths are from the working directory; with a configuration, from its directory."""
        assert plain.run("check", "docs", "--update-baseline").returncode == 0
        assert plain.run("check", "docs").returncode == 0
        assert plain.run("check", folder="docs").returncode == 1
        (plain.top / "dedup.toml").write_text('paths = ["docs"]\n')
        done = plain.run("check", folder="docs")
        assert (done.returncode, done.stderr) == (0, "")
        plain.write("docs/0.md", NEW)
        assert plain.check().new == ["docs/0.md:5"]

    def test_a_baseline_elsewhere(self, repository: Repository, tmp_path: Path) -> None:
        (repository.top / BASELINE).unlink()
        elsewhere = str(tmp_path / "accepted.jsonl")
        assert repository.run("check", "docs", "--update-baseline", "--baseline", elsewhere).returncode == 0
        checked = repository.check("--baseline", elsewhere)
        assert (checked.code, checked.result["gate"]["known"]) == (0, 2)
        assert not (repository.top / BASELINE).exists()
        repository.write("docs/0.md", NEW)
        assert repository.check("--baseline", elsewhere).new == ["docs/0.md:5"]

    def test_without_git_a_new_place_is_found_and_a_note_says_what_is_guessed(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        repository.write("docs/0.md", page("# 0", prose(50), OTHER))
        repository.write("docs/z.md", page("# Z", prose(51), OTHER))
        done = repository.run("check", "docs", PATH=str(tmp_path))
        assert done.returncode == 1
        assert "docs/z.md:5:1" in done.stdout
        assert (
            "note: which of two copies was there before is told by their order, for git cannot: git was not found"
            in done.stdout
        )
        for option in (("--staged",), ("--changed-since", "HEAD")):
            done = repository.run("check", "docs", *option, PATH=str(tmp_path))
            assert done.returncode == 2
            assert "git was not found" in done.stderr

    def test_before_the_first_commit(self, plain: Repository) -> None:
        plain.git("init", "--quiet")
        done = plain.run("check", "docs")
        assert done.returncode == 1
        assert "docs/b.md:7:1" in done.stdout
        assert "note:" not in done.stdout

    @pytest.mark.parametrize("is_file", [True, False])
    def test_a_cache_that_cannot_be_written_costs_time_only(
        self, repository: Repository, is_file: bool
    ) -> None:
        shutil.rmtree(repository.top / ".dedup_cache")
        if is_file:
            repository.write(".dedup_cache", "in the way")
        else:
            (repository.top / ".dedup_cache").mkdir(mode=0o500)
            if os.access(repository.top / ".dedup_cache", os.W_OK):
                pytest.skip("permissions do not hold for this user")
        done = repository.run("check", "docs")
        assert done.returncode == 0
        assert ".dedup_cache: the cache cannot be written" in done.stderr


class TestWhatIsRead:
    def test_standard_input(self, repository: Repository) -> None:
        given = records(prose(60), OTHER, SHARED, id="first")
        command = [sys.executable, "-m", "dedup", "check", "docs", "-"]
        for option, expected in (
            ("--format=json", ["-:3"]),
            ("--update-baseline", None),
            ("--format=json", []),
        ):
            done = subprocess.run(
                [*command, option], cwd=repository.top, env=ENVIRONMENT, input=given, capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            if expected is not None:
                found = json.loads(done.stdout)["findings"]
                assert [f"{f['path']}:{f['line']}" for f in found if f["status"] == "new"] == expected
        assert repository.check("--strict-baseline").code == 0  # nobody looked at standard input
        assert repository.run("check", ".", "--strict-baseline").returncode == 0

    def test_records_without_ids_are_told_by_their_words(self, repository: Repository) -> None:
        repository.write("docs/n.jsonl", records(prose(60), OTHER, prose(61), OTHER))
        repository.accept()
        repository.write("docs/n.jsonl", records(prose(62), prose(60), prose(61), OTHER, prose(63), OTHER))
        checked = repository.check("--strict-baseline")
        assert (checked.code, checked.of("known")[2:]) == (0, ["docs/n.jsonl:4", "docs/n.jsonl:6"])
        repository.write("docs/n.jsonl", records(OTHER, prose(60), OTHER, prose(61), OTHER))
        checked = repository.check()
        assert (checked.code, checked.new) == (1, ["docs/n.jsonl:1"])

    def test_packed_files_and_archives(self, repository: Repository) -> None:
        repository.write("docs/t.txt.gz", gzip.compress(NEW.encode()))
        repository.write("docs/n.jsonl.gz", gzip.compress(records(prose(60), SHARED).encode()))
        with zipfile.ZipFile(repository.top / "docs/y.zip", "w") as archive:
            archive.writestr("in/x.md", page("# X", prose(62), SHARED))
            archive.writestr("z.md", page("# Z", SHARED, prose(63)))
        expected = ["docs/n.jsonl.gz:2", "docs/t.txt.gz:5", "docs/y.zip!in/x.md:5", "docs/y.zip!z.md:3"]
        assert repository.check().new == expected
        assert repository.check("--changed-since", "HEAD").new == expected
        assert repository.check("--staged").new == []
        repository.git("add", "docs/y.zip")
        assert repository.check("--staged").new == expected[-2:]
        repository.accept()
        assert repository.check("--strict-baseline").code == 0
        assert repository.run("check", "docs/y.zip", "--strict-baseline").returncode == 0

    def test_what_is_accepted_in_an_archive_stays_while_others_are_updated(
        self, repository: Repository
    ) -> None:
        with zipfile.ZipFile(repository.top / "docs/y.zip", "w") as archive:
            archive.writestr("x.md", page("# X", prose(62), SHARED))
        repository.accept()
        before = (repository.top / BASELINE).read_bytes()
        repository.write("other/a.md", page("# O", prose(70)))
        assert repository.run("check", "other", "--update-baseline").returncode == 0
        assert (repository.top / BASELINE).read_bytes() == before
        repository.write("docs/y.zip", b"damaged")
        assert repository.run("check", "docs", "--update-baseline").returncode == 0
        assert (repository.top / BASELINE).read_bytes() == before

    def test_line_ends_of_windows_and_a_byte_order_mark(self, repository: Repository) -> None:
        for name in ("docs/a.md", "docs/b.md"):
            text = (repository.top / name).read_text()
            repository.write(name, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        assert repository.check("--strict-baseline").code == 0
        repository.write(
            "docs/new.md", b"\xef\xbb\xbf" + page(SHARED, prose(40)).replace("\n", "\r\n").encode()
        )
        done = repository.run("check", "docs")
        assert "\ndocs/new.md:1:1: Repeats docs/a.md:5 " in done.stdout
        baseline = repository.top / BASELINE
        baseline.write_bytes(b"\xef\xbb\xbf" + baseline.read_bytes().replace(b"\n", b"\r\n"))
        assert repository.check().new == ["docs/new.md:1"]

    def test_a_baseline_of_nothing(self, repository: Repository) -> None:
        """A corpus in which nothing repeats has a baseline, too; what is added later is new."""
        shutil.rmtree(repository.top / "docs")
        repository.write("docs/a.md", page("# A", SHARED))
        repository.accept()
        assert len((repository.top / BASELINE).read_text().splitlines()) == 1
        repository.write("docs/0.md", NEW)
        assert repository.check("--strict-baseline").new == ["docs/0.md:5"]
