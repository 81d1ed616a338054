"""``python -m benchmarks scale``: how ``dedup`` grows with its input, and how far it is from the ceiling.

Two sizes; documents only, documents with passages, and ``dedup filter`` in one pass: wall, MB/s, CPU, peak memory,
and the time as a multiple of that of the smaller size. The last rows say what a core can do at best with the larger
file:
``wc -w`` counting words, orjson parsing the lines.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import workshop
from benchmarks.measure import Usage, measure
from benchmarks.table import decimal, markdown, record

#: Gives the command that reads a corpus and writes into a folder.
Way = Callable[[Path, Path], list[str]]

HEADER = ["what", "MB", "wall s", "MB/s", "x smaller", "CPU s", "othr", "peak MB"]
PARSE = "import sys, orjson\nfor line in open(sys.argv[1], 'rb'):\n    orjson.loads(line)"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--megabytes", type=float, nargs=2, default=[40.0, 400.0], metavar=("SMALL", "LARGE"))
    parser.add_argument("--repeat", type=int, default=1, help="rounds; figures are medians")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpora")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/<date>-scale.md")


def main(options: argparse.Namespace) -> int:
    """Measure both sizes both ways; 1 when a run failed."""
    corpora = [workshop.corpus("ordinary", megabytes, options.seed) for megabytes in options.megabytes]
    rows, failures = [], []
    ways: dict[str, Way] = {
        "documents": partial(_scan, extra=["--no-passages"]),
        "documents and passages": partial(_scan, extra=[]),
        "filter": _filter,
    }
    for what, way in ways.items():
        smaller: float | None = None
        for corpus in corpora:
            usages = _runs(what, corpus, way, options.repeat)
            failures += [usage.error for usage in usages if usage.error]
            rows.append(_row(what, corpus, usages, smaller))
            smaller = median(usage.wall for usage in usages)
    rows += [_row(what, corpora[-1], [usage], None) for what, usage in ceilings(corpora[-1])]
    text = "\n\n".join(["# Scale", workshop.machine(), markdown(HEADER, rows), *failures]) + "\n"
    print(text)
    if options.record:
        record(workshop.RESULTS, "scale", text)
    return int(bool(failures))


def _scan(corpus: Path, folder: Path, extra: list[str]) -> list[str]:
    return workshop.dedup_command(corpus, folder / "result.json", *extra)


def _filter(corpus: Path, folder: Path) -> list[str]:
    """Copies are set aside, with the default rule."""
    outputs = [
        "-o",
        folder / "kept.jsonl",
        "--rejects",
        folder / "rejects.jsonl",
        "--manifest",
        folder / "run.jsonl",
    ]
    return [workshop.dedup(), "filter", "-q", str(corpus), *map(str, outputs)]


def _runs(what: str, corpus: Path, way: Way, repeat: int) -> list[Usage]:
    usages = []
    for _ in range(repeat):
        with TemporaryDirectory(prefix="benchmark-") as folder:
            usages.append(measure(way(corpus, Path(folder)), cwd=Path(folder)))
        workshop.say(f"{what}, {corpus.name}: {usages[-1].error or f'{usages[-1].wall:.2f} s'}")
    return usages


def ceilings(corpus: Path) -> list[tuple[str, Usage]]:
    """One core's best at merely reading the file."""
    commands = {"orjson parses": [sys.executable, "-c", PARSE, str(corpus)]}
    if counter := shutil.which("wc"):
        commands["wc -w counts"] = [counter, "-w", str(corpus)]
    return [(what, measure(command)) for what, command in commands.items()]


def _row(what: str, corpus: Path, usages: list[Usage], smaller: float | None) -> list[str]:
    megabytes = corpus.stat().st_size / 1e6
    wall = median(usage.wall for usage in usages)
    others = [usage.others for usage in usages if usage.others is not None]
    return [
        what,
        decimal(megabytes),
        decimal(wall, 2),
        decimal(megabytes / wall),
        decimal(wall / smaller if smaller else None, 2),
        decimal(median(usage.cpu for usage in usages), 2),
        decimal(median(others) if others else None, 2),
        decimal(median(usage.peak for usage in usages) / 1e6, 0),
    ]
