"""A scratch git repository with files in it, and ``dedup`` run there as a process."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_PROJECT = (
    "dedup", "setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in",
    ".pre-commit-hooks.yaml", "action.yml", "action.py",
)  # fmt: skip
_SCRATCH = ("GIT_", "DEDUP_", "GITHUB_", "PRE_COMMIT")  # what would be of this machine, not of the repository
_WHO = {"NAME": "Ann Author", "EMAIL": "ann@example.org", "DATE": "2026-01-01T00:00:00Z"}
#: Git has an author and no settings; a hook that runs the tests has set variables that do not count here.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(_SCRATCH)},
    **{name: value for name, value in os.environ.items() if name == "DEDUP_KERNEL"},
    **{f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in _WHO.items()},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "PYTHONPATH": str(_ROOT),
}


class Checked(NamedTuple):
    """What ``dedup check --format json`` said."""

    code: int
    result: dict[str, Any]
    err: str

    @property
    def new(self) -> list[str]:
        """Where it found something new, as ``path:line``."""
        return self.of("new")

    def of(self, status: str) -> list[str]:
        """The places of a status, as ``path:line``."""
        return [f"{f['path']}:{f['line']}" for f in self.result["findings"] if f["status"] == status]


class Repository:
    """Files under ``top``, and git there unless ``plain``."""

    def __init__(self, top: Path, environment: dict[str, str] = ENVIRONMENT, *, plain: bool = False) -> None:
        self.top = top
        self.environment = environment
        top.mkdir(parents=True, exist_ok=True)
        if not plain:
            self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> str:
        """Runs git; it must succeed."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.top, env=self.environment,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return os.fsdecode(done.stdout)

    def write(self, path: str, data: str | bytes) -> None:
        """Writes a file of the work tree."""
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)

    def commit(self, message: str = "a change", **files: str | bytes) -> str:
        """Writes files (``__`` in a name stands for a dot), commits everything, and gives the revision."""
        for name, data in files.items():
            self.write(name.replace("__", "."), data)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def run(self, *arguments: str, folder: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs ``dedup`` in a folder of the repository."""
        return subprocess.run(
            [sys.executable, "-m", "dedup", *arguments], cwd=self.top / folder, env={**self.environment, **environment},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def accept(self) -> None:
        """Accepts all that repeats now, and commits it."""
        done = self.run("check", "docs", "--update-baseline")
        assert done.returncode == 0, done.stderr
        self.commit("accept what repeats")

    def check(self, *options: str) -> Checked:
        """What the gate says of the folder ``docs``."""
        done = self.run("check", "docs", "--format", "json", *options)
        assert done.returncode in (0, 1), done.stderr
        return Checked(done.returncode, json.loads(done.stdout), done.stderr)


def programs(folder: Path) -> Path:
    """A folder with ``python`` and ``dedup`` in it, as an environment has them in which dedup is installed."""
    folder.mkdir(parents=True)
    for name, options in {"python": "", "dedup": "-P -m dedup"}.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {options} "$@"\n')
        program.chmod(0o755)
    return folder


def cloned(folder: Path) -> Repository:
    """The project as it is here, committed in a repository of its own; skips where PyPI cannot be reached."""
    download = ("download", "--quiet", "--no-deps", "--dest", str(folder), "pathspec")
    asked = [sys.executable, "-m", "pip", *download]
    if subprocess.run(asked, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("pip cannot reach PyPI, from which dedup is to be installed")
    shutil.rmtree(folder)
    clone = Repository(folder)
    for name in _PROJECT:
        source, target = _ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(source, target)
    clone.commit()
    return clone


def isolate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets this process, too, see the environment of a scratch repository."""
    for name in [name for name in os.environ if name.startswith(_SCRATCH)]:
        monkeypatch.delenv(name)
    for name in [name for name in ENVIRONMENT if name.startswith(_SCRATCH)]:
        monkeypatch.setenv(name, ENVIRONMENT[name])
