"""A pipeline that is not there to find anything, so that these tests are about the command line alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from dedup.cli import main
from dedup.model import Document, Report, Settings, Skipped, Summary

Progress = Callable[[str, int, int | None], None]


@dataclass
class Pipeline:
    """What a run was given, and an error for it to raise."""

    settings: Settings | None = None
    progress: Progress | None = None
    documents: list[Document] = field(default_factory=list)
    error: BaseException | None = None

    def run(
        self,
        items: Iterable[Document | Skipped],
        settings: Settings,
        progress: Progress | None = None,
        again: object = None,
        archive: object = None,
    ) -> Report:
        found = list(items)
        self.settings, self.progress = settings, progress
        self.documents = [item for item in found if isinstance(item, Document)]
        skipped = tuple(item for item in found if isinstance(item, Skipped))
        if self.error is not None:
            raise self.error
        summary = Summary(len(self.documents), len(skipped), 0, 0, 0, 0, 0, 0, 0, 0.0)
        return Report(settings, summary, skipped, (), (), ())


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    fake = Pipeline()
    module = ModuleType("dedup.pipeline")
    monkeypatch.setattr(module, "run", fake.run, raising=False)
    monkeypatch.setitem(sys.modules, "dedup.pipeline", module)
    return fake


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, and an environment that says nothing."""
    ours = {name for name in os.environ if name.startswith("DEDUP_")} - {"DEDUP_KERNEL"}
    for name in ("NO_COLOR", "FAKE", *ours):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def call(pipeline: Pipeline, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The command line in this process, upon the fake pipeline."""

    def run(*arguments: str) -> Outcome:
        code = main(list(arguments))
        return Outcome(code, *capfd.readouterr())

    return run
