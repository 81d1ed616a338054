"""``python -m benchmarks``: ``dedup scan`` and the rivals on one corpus, one after another in one run.

Rounds go over all tools before the next round begins, so that a disturbance does not hit one tool only;
figures are medians over the rounds. Each tool first runs on a small corpus, unmeasured, to have its byte
code compiled.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import workshop
from benchmarks.measure import Usage, measure, warm
from benchmarks.score import Score, read_pairs, read_report, read_truth, score
from benchmarks.table import decimal, markdown, record, share

DEDUP = "dedup"
PASSAGES = "dedup with passages"
HEADER = [
    "tool", "wall s", "MB/s", "x dedup", "CPU s", "othr", "peak MB",
    "pairs", "recall", "settled", "precision", "at T-.05",
]  # fmt: skip
WARM_UP_MEGABYTES = 0.4


@dataclass
class Entry:
    """One tool: the runs it has had, and what the last of them found."""

    name: str
    runs: list[Usage] = field(default_factory=list)
    score: Score | None = None
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def failure(self) -> str | None:
        """Why the last run failed."""
        return self.runs[-1].error if self.runs else None

    def middle(self, figure: str) -> float | None:
        """The median of ``wall``, ``cpu``, ``peak`` or ``others`` over the runs."""
        values = [getattr(usage, figure) for usage in self.runs]
        return median(values) if values and None not in values else None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the comparison."""
    parser.add_argument("--megabytes", type=float, default=37.5, help="size of the corpus in 10^6 bytes")
    parser.add_argument("--threshold", type=float, default=0.7, help="Jaccard of a copy, .5 or more")
    parser.add_argument("--tools", default=",".join([DEDUP, *workshop.RIVALS]), help="comma-separated names")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; figures are medians")
    parser.add_argument("--passages", action="store_true", help="also run dedup with passages")
    parser.add_argument("--jobs", type=int, help="threads or processes of every tool (default: all cores)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpus")
    parser.add_argument("--rivals-python", type=Path, help="interpreter that has requirements.txt installed")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/<date>-<size>.md")


def main(options: argparse.Namespace) -> int:
    """Run the comparison, print the table; 1 when a tool failed."""
    names = [name.strip() for name in options.tools.split(",")]
    unknown = set(names) - {DEDUP, *workshop.RIVALS}
    if unknown or options.threshold < 0.5 or options.repeat < 1:
        tools = ", ".join([DEDUP, *workshop.RIVALS])
        workshop.say(f"expected tools among {tools}; a threshold of .5 or more; a repeat of 1 or more")
        return 2
    if options.passages and DEDUP in names:
        names.insert(names.index(DEDUP) + 1, PASSAGES)
    python = workshop.rivals_python(options.rivals_python) if set(names) & set(workshop.RIVALS) else Path()
    corpus = workshop.corpus("ordinary", options.megabytes, options.seed)
    truth = workshop.truth(corpus)
    entries = run(names, corpus, truth, python, options)
    report = describe(entries, corpus, options)
    print(report)
    if options.record:
        path = record(workshop.RESULTS, f"{options.megabytes:g}MB", report)
        workshop.say(f"wrote {path.relative_to(workshop.ROOT)}")
    return int(any(entry.failure for entry in entries))


def run(
    names: list[str], corpus: Path, truth: Path, python: Path, options: argparse.Namespace
) -> list[Entry]:
    """All rounds. What a tool found is scored after its last run."""
    entries = [Entry(name) for name in names]
    small = workshop.corpus("ordinary", WARM_UP_MEGABYTES, options.seed)
    with TemporaryDirectory(prefix="benchmark-") as folder:
        for entry in entries:
            measure(command(entry.name, small, _out(folder, entry), python, options), cwd=Path(folder))
        warm(corpus)
        for number in range(1, options.repeat + 1):
            for entry in (entry for entry in entries if not entry.failure):
                arguments = command(entry.name, corpus, _out(folder, entry), python, options)
                usage = measure(arguments, cwd=Path(folder))
                entry.runs.append(usage)
                workshop.say(f"round {number}: {entry.name}: {usage.error or f'{usage.wall:.2f} s'}")
        pairs = read_truth(truth)
        for entry in (entry for entry in entries if not entry.failure):
            read(entry, _out(folder, entry), options.threshold, pairs)
    return entries


def command(name: str, corpus: Path, out: Path, python: Path, options: argparse.Namespace) -> list[str]:
    """The command line of a tool."""
    common = ["--threshold", str(options.threshold)]
    if options.jobs:
        common += ["--jobs", str(options.jobs)]
    if name == DEDUP:
        return workshop.dedup_command(corpus, out, "--no-passages", *common)
    if name == PASSAGES:
        return workshop.dedup_command(corpus, out, *common)
    return workshop.rival_command(python, name, corpus, out, *common)


def read(entry: Entry, out: Path, threshold: float, truth: dict[tuple[str, str], float]) -> None:
    """Score what the tool wrote and note how it was set."""
    if entry.name in (DEDUP, PASSAGES):
        entry.score = score(read_report(out, threshold), truth, threshold)
    else:
        entry.score = score(read_pairs(out), truth, threshold)
        entry.settings = json.loads(entry.runs[-1].stdout)


def describe(entries: list[Entry], corpus: Path, options: argparse.Namespace) -> str:
    """The whole result as Markdown: what ran where, the table, the settings."""
    with corpus.open("rb") as lines:
        documents = sum(1 for _ in lines)
    megabytes = corpus.stat().st_size / 1e6
    own = next((entry.middle("wall") for entry in entries if entry.name == DEDUP and not entry.failure), None)
    true = next((entry.score.true for entry in entries if entry.score), 0)
    parts = [
        f"# {megabytes:.1f} MB, {documents:,} documents, Jaccard >= {options.threshold:g}",
        f"{workshop.machine()}. Corpus {workshop.fingerprint(corpus)} (seed {options.seed}), "
        f"{true:,} true pairs. Median of {options.repeat}; jobs: {options.jobs or 'all cores'}. "
        "What the columns mean stands in benchmarks/README.md.",
        markdown(HEADER, [_row(entry, megabytes, own) for entry in entries]),
        "\n".join(f"- {entry.name}: {_remark(entry)}" for entry in entries if _remark(entry)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(entry: Entry, megabytes: float, own: float | None) -> list[str]:
    if entry.failure or entry.score is None:
        return [entry.name, "failed", *["-"] * (len(HEADER) - 2)]
    wall, peak = entry.middle("wall"), entry.middle("peak")
    return [
        entry.name,
        decimal(wall, 2),
        decimal(megabytes / wall if wall else None),
        decimal(wall / own if wall and own else None),
        decimal(entry.middle("cpu"), 2),
        decimal(entry.middle("others"), 2),
        decimal(peak / 1e6 if peak else None, 0),
        str(entry.score.claimed),
        share(entry.score.recall),
        share(entry.score.settled),
        share(entry.score.precision),
        share(entry.score.near_precision),
    ]


def _remark(entry: Entry) -> str:
    if entry.failure:
        return f"failed: {entry.failure.splitlines()[-1]}"
    return ", ".join(f"{name} {value}" for name, value in entry.settings.items())


def _out(folder: str, entry: Entry) -> Path:
    return Path(folder) / entry.name.replace(" ", "-")
