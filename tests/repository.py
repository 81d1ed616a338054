"""A scratch git repository with a corpus in it, and ``dedup check`` run there as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

_WHO = {"NAME": "Tester", "EMAIL": "tester@example.org", "DATE": "2026-01-01T00:00:00Z"}
_GIT = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in _WHO.items()}
ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "DEDUP_", "GITHUB_"))
    },
    **{name: value for name, value in os.environ.items() if name == "DEDUP_KERNEL"},
    **_GIT,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "PYTHONPATH": str(Path(__file__).parent.parent),
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
    """A git repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> str:
        """Runs git; it must succeed."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Writes a file of the work tree."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def commit(self, message: str = "a change") -> None:
        """Commits everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs ``dedup`` at the top of the repository."""
        return subprocess.run(
            [sys.executable, "-m", "dedup", *arguments], cwd=self.folder, env={**ENVIRONMENT, **environment},
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
