"""A scratch git repository for tests, with an author, a date, and nothing of this machine's settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


class Repository:
    """Files under ``top``, and the git command there."""

    def __init__(self, top: Path, *, branch: str = "main") -> None:
        self.top = top
        top.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", branch)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.top, capture_output=True, check=True, timeout=60)
        return os.fsdecode(done.stdout)

    def put(self, path: str, data: str | bytes) -> None:
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode() if isinstance(data, str) else data)

    def commit(self, **files: str | bytes) -> str:
        """Puts files (``__`` in a name stands for a dot), commits everything, and gives the revision."""
        for name, data in files.items():
            self.put(name.replace("__", "."), data)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD").strip()


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Lets git see an author and no settings; a hook that runs the tests has set variables that do not count here."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann Author")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.org")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2024-05-01T12:00:00Z")
