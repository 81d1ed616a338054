"""The hooks for pre-commit, run by pre-commit itself against scratch git repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gating import page, prose
from tests.repository import ENVIRONMENT, Repository, cloned, programs

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ".pre-commit-hooks.yaml"
PRE_COMMIT = (sys.executable, "-m", "pre_commit")
SHARED = prose(1)
# The environment's own dedup, in the place of one that pre-commit installs.
AS_IT_IS = {"language": "system", "additional_dependencies": []}


class Hooked(Repository):
    """A repository whose two files share a paragraph that its baseline accepts, with hooks installed."""

    def __init__(self, folder: Path, hooks: str, revision: str, **override: Any) -> None:
        path = f"{folder / 'bin'}{os.pathsep}{ENVIRONMENT['PATH']}"  # for the hooks that a commit runs
        home = str(folder / "home")
        super().__init__(folder / "project", {**ENVIRONMENT, "PRE_COMMIT_HOME": home, "PATH": path})
        ids = [{"id": name, "args": ["docs"], **override} for name in ("dedup-check", "dedup-check-all")]
        config = {"repos": [{"repo": hooks, "rev": revision, "hooks": ids}]}
        self.write(".pre-commit-config.yaml", yaml.safe_dump(config))
        self.write(".gitignore", ".dedup_cache/\n")
        self.write("docs/a.md", page("# A", prose(10), SHARED, prose(11)))
        self.write("docs/b.md", page("# B", prose(20), prose(21), SHARED))
        self.accept()
        done = self.process(*PRE_COMMIT, "install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
        assert done.returncode == 0, done.stdout

    def process(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command at the top; all that it says is in ``stdout``."""
        return subprocess.run(
            command, cwd=self.top, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=600, check=False,
        )  # fmt: skip

    def commits(self, *paths: str) -> subprocess.CompletedProcess[str]:
        """Stages files and asks git for a commit, which runs the hook."""
        self.git("add", *paths)
        return self.process("git", "commit", "--message", "a change")


@pytest.fixture
def repository(tmp_path: Path) -> Hooked:
    """Hooks from this checkout, and the dedup of this environment."""
    hooks = Repository(tmp_path / "hooks")
    shutil.copy(ROOT / HOOKS, hooks.top)
    revision = hooks.commit()
    programs(tmp_path / "bin")
    return Hooked(tmp_path, str(hooks.top), revision, **AS_IT_IS)


def test_a_commit_with_a_copy_is_refused_at_its_line(repository: Hooked) -> None:
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    before = repository.git("rev-parse", "HEAD")
    done = repository.commits("docs/new.md")
    assert done.returncode == 1
    assert "docs/new.md:5:1" in done.stdout
    assert "docs/a.md:5" in done.stdout
    assert repository.git("rev-parse", "HEAD") == before


def test_a_commit_without_a_copy_passes(repository: Hooked) -> None:
    repository.write("docs/new.md", page("# New", prose(40)))
    done = repository.commits("docs/new.md")
    assert done.returncode == 0, done.stdout
    assert "dedup check..." in done.stdout


def test_a_copy_that_is_not_staged_does_not_matter(repository: Hooked) -> None:
    repository.write("docs/untracked.md", page("# New", prose(40), SHARED))
    repository.write("docs/b.md", page("# B", prose(20), prose(21), SHARED, prose(10)))
    repository.write("docs/new.md", page("# New", prose(50)))
    done = repository.commits("docs/new.md")
    assert done.returncode == 0, done.stdout
    assert repository.commits("docs/b.md").returncode == 1


def test_of_a_file_that_is_staged_in_part_only_that_part_counts(repository: Hooked) -> None:
    repository.write("docs/b.md", page("# B", prose(20), prose(21), SHARED, prose(50)))
    repository.git("add", "docs/b.md")
    repository.write("docs/b.md", page("# B", prose(20), prose(21), SHARED, prose(50), prose(10)))
    done = repository.commits()
    assert done.returncode == 0, done.stdout
    assert prose(10) in (repository.top / "docs/b.md").read_text()


def test_two_branches_that_bring_the_same_text_are_not_merged(repository: Hooked) -> None:
    """In a merge pre-commit counts files in conflict only, and skips a hook that does not always run."""
    repository.git("checkout", "--quiet", "-b", "one")
    repository.commit(**{"docs/one__md": page("# One", prose(60))})
    repository.git("checkout", "--quiet", "main")
    repository.commit(**{"docs/two__md": page("# Two", prose(60))})
    repository.git("merge", "--no-commit", "--no-ff", "one")
    done = repository.process("git", "-C", "docs", "commit", "--message", "a merge")
    assert done.returncode == 1
    assert "docs/one.md:1:1" in done.stdout


def test_a_push_looks_at_everything(repository: Hooked, tmp_path: Path) -> None:
    repository.git("init", "--quiet", "--bare", str(tmp_path / "remote"))
    push = ("git", "push", str(tmp_path / "remote"), "main")
    repository.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "nothing")
    assert repository.process(*push).returncode == 0
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "--message", "a copy, past the hook")
    done = repository.process(*push)
    assert done.returncode == 1
    assert "docs/new.md:5:1" in done.stdout


def test_everything_by_hand(repository: Hooked) -> None:
    by_hand = (*PRE_COMMIT, "run", "--hook-stage", "manual", "dedup-check-all")
    assert repository.process(*by_hand).returncode == 0
    repository.write("docs/new.md", page("# New", SHARED))
    assert repository.process(*by_hand).returncode == 1


def test_an_error_is_no_pass(repository: Hooked) -> None:
    repository.write(".dedup-baseline.jsonl", "damaged\n")
    done = repository.commits(".dedup-baseline.jsonl")
    assert done.returncode == 1
    assert ".dedup-baseline.jsonl:1: not a line of JSON" in done.stdout
    assert "exit code: 2" in done.stdout


def test_what_a_hook_is_installed_with_is_the_extra() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extra = setup["options.extras_require"]["check"].split()
    for hook in yaml.safe_load((ROOT / HOOKS).read_text()):
        assert hook["additional_dependencies"] == extra
        assert not hook["pass_filenames"]
        assert hook["require_serial"]


@pytest.mark.slow
def test_installed_by_pre_commit_from_a_clone(tmp_path: Path) -> None:
    """As users have it: pre-commit clones the project and installs it with its dependencies."""
    clone = cloned(tmp_path / "dedup")
    repository = Hooked(tmp_path, str(clone.top), clone.git("rev-parse", "HEAD").strip())
    del repository.environment["PYTHONPATH"]
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    done = repository.commits("docs/new.md")
    assert done.returncode == 1
    assert "docs/new.md:5:1" in done.stdout
    repository.write("docs/new.md", page("# New", prose(40)))
    done = repository.commits("docs/new.md")
    assert done.returncode == 0, done.stdout
