"""Small corpora on disk that are edited and checked: what the tests of the gate share."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dedup import pipeline
from dedup.gate import Baseline, Policy, Scope, Survey
from dedup.model import Settings
from dedup.read import Options, documents
from dedup.read.again import Again, Texts
from dedup.verdict import Verdict


def prose(seed: int, words: int = 40) -> str:
    """Made-up prose: the same for a seed, and with nothing in common with that of another."""
    rng = random.Random(seed)
    letters = "bcdfghklmnprstvw", "aeiou"
    made = ["".join(rng.choice(letters[i % 2]) for i in range(rng.randrange(4, 10))) for _ in range(words)]
    return " ".join(made).capitalize() + "."


def wrapped(text: str, width: int) -> str:
    """The words in lines of at most that many words."""
    words = text.split()
    return "\n".join(" ".join(words[at : at + width]) for at in range(0, len(words), width))


def page(*paragraphs: str) -> str:
    """Paragraphs as a text file."""
    return "\n\n".join(paragraphs) + "\n"


class NoSuppressions:
    """Nothing is suppressed."""

    def why(self, document: Any, start: int, end: int, fingerprints: tuple[str, ...]) -> str | None:
        return None

    def ranges(self, document: Any, start: int, end: int) -> list[tuple[int, int]]:
        return []

    def notes(self) -> list[str]:
        return []


class Edited:
    """What version control would say: files and the lines in them that changed."""

    notes: Sequence[str] = ()
    renames: Mapping[str, str] = {}

    def __init__(self, **lines: tuple[int, int]) -> None:
        self._lines = {name.replace("__", "/").replace("_", "."): span for name, span in lines.items()}

    def is_too_late(self, old: str, new: str) -> bool:
        return False

    def later(self) -> Sequence[Edited]:
        return ()

    def before(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        return {}

    def touched(self, path: str, line: int | None, end_line: int | None) -> bool:
        first, last = self._lines.get(path, (0, -1))
        return path in self._lines and (line is None or (first <= (end_line or line) and line <= last))

    def first_run(self, path: str, line: int | None, end_line: int | None) -> tuple[int, int] | None:
        first, last = self._lines.get(path, (0, -1))
        if line is None or end_line is None or not self.touched(path, line, end_line):
            return None
        return max(first, line), min(last, end_line)


class Corpus:
    """Files in a folder, and the baseline that was last written for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.baseline = Baseline((), Settings().to_dict())

    def write(self, **files: str) -> None:
        """Writes files; ``docs__a_md`` is ``docs/a.md``."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    @contextmanager
    def survey(
        self, changes: Edited | None = None, paths: Sequence[str] = (), **settings: Any
    ) -> Iterator[Survey]:
        """Scans the folder, or paths in it, and sees it through the baseline."""
        given = [str(self.folder / path) for path in paths] or [str(self.folder)]
        options = Options()
        with Again(options) as again:
            texts = Texts(again)
            items = texts.passing(documents(given, options), lambda document: None)
            report = pipeline.run(items, Settings.of(settings), None, again)
            scope = Scope(str(self.folder), given)
            yield Survey(report, texts, scope, options, self.baseline, NoSuppressions(), lambda: changes)

    def accept(self, **settings: Any) -> None:
        """Accepts all that repeats now."""
        with self.survey(**settings) as survey:
            entries = survey.entries()
        self.baseline = Baseline(tuple(entries), Settings.of(settings).to_dict())

    def check(
        self,
        changes: Edited | None = None,
        policy: Policy | None = None,
        only_changed: bool = False,
        **settings: Any,
    ) -> Verdict:
        """The verdict on the folder as it is now."""
        with self.survey(changes, **settings) as survey:
            return survey.verdict(policy or Policy(), only_changed=only_changed)


def places(verdict: Verdict, status: str = "new") -> list[str]:
    """Findings of a status as ``path:line-end_line``."""
    return [f"{f.path}:{f.line}-{f.end_line}" for f in verdict.findings if f.status == status]
