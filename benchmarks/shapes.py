"""``python -m benchmarks shapes``: corpora that are hard for their shape, beside ordinary text.

Half of all documents copies of one; one sentence in every document; one document that repeats one line.
Only ``dedup`` runs. It should take no longer than twice the time of ordinary text of the same size, and
report each as one cluster. The table gives the size of the largest cluster of documents, in how many
documents the largest cluster of passages has members, how many members that are, and how many passage
clusters there are in all.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks import workshop
from benchmarks.measure import Usage, measure
from benchmarks.table import decimal, markdown, record

HEADER = [
    "shape", "MB", "wall s", "ordinary s", "ratio", "CPU s", "othr", "peak MB", "largest document cluster",
    "passage cluster: documents", "members", "passage clusters",
]  # fmt: skip
LINE_MEGABYTES = 5.0
ARTICLE_MEGABYTES = 375.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--megabytes", type=float, default=ARTICLE_MEGABYTES, help="size of the two large corpora"
    )
    parser.add_argument(
        "--line-megabytes", type=float, default=LINE_MEGABYTES, help="size of the single document"
    )
    parser.add_argument("--repeat", type=int, default=1, help="rounds; figures are medians")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpora")
    parser.add_argument("--no-passages", action="store_true", help="documents only")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/<date>-shapes.md")


def main(options: argparse.Namespace) -> int:
    """Measure each shape and the ordinary text of its size; 1 when a run failed."""
    large, small = options.megabytes, options.line_megabytes
    rows, failures = [], []
    ordinary: dict[float, list[Usage]] = {}
    for shape, megabytes in (("copies", large), ("sentence", large), ("line", small)):
        if megabytes not in ordinary:
            ordinary[megabytes], _ = _runs("ordinary", megabytes, options)
        usages, largest = _runs(shape, megabytes, options)
        failures += [usage.error for usage in [*ordinary[megabytes], *usages] if usage.error]
        rows.append(_row(shape, megabytes, usages, ordinary[megabytes], largest))
    text = "\n\n".join(["# Shapes", workshop.machine(), markdown(HEADER, rows), *failures]) + "\n"
    print(text)
    if options.record:
        record(workshop.RESULTS, "shapes", text)
    return int(bool(failures))


def _runs(shape: str, megabytes: float, options: argparse.Namespace) -> tuple[list[Usage], list[str]]:
    """The runs on one corpus, and what the last of them reported as the largest clusters."""
    corpus = workshop.corpus(shape, megabytes, options.seed)
    usages = []
    with TemporaryDirectory(prefix="benchmark-") as folder:
        out = Path(folder) / "result.json"
        arguments = workshop.dedup_command(corpus, out, *(["--no-passages"] if options.no_passages else []))
        for _ in range(options.repeat):
            usages.append(measure(arguments, cwd=Path(folder)))
            workshop.say(f"{shape} {megabytes:g} MB: {usages[-1].error or f'{usages[-1].wall:.2f} s'}")
        if usages[-1].error:
            return usages, ["-"] * 4
        return usages, largest_clusters(orjson.loads(out.read_bytes()))


def largest_clusters(report: dict[str, Any]) -> list[str]:
    """Documents in the largest document cluster; documents, members of the largest passage cluster; count.

    >>> spans = [{"document": "a", "start": 0, "end": 9}, {"document": "b", "start": 4, "end": 13}]
    >>> largest_clusters({"document_clusters": [], "passage_clusters": [{"members": spans}]})
    ['0', '2', '2', '1']
    """
    documents = [
        {cluster["kept"], *(member["document"] for member in cluster["members"])}
        for cluster in report["document_clusters"]
    ]
    passages = report.get("passage_clusters") or []
    widest: list[dict[str, Any]] = max((cluster["members"] for cluster in passages), key=len, default=[])
    return [
        str(max(map(len, documents), default=0)),
        str(len({member["document"] for member in widest})),
        str(len(widest)),
        str(len(passages)),
    ]


def _row(
    shape: str, megabytes: float, usages: list[Usage], ordinary: list[Usage], largest: list[str]
) -> list[str]:
    wall = median(usage.wall for usage in usages)
    usual = median(usage.wall for usage in ordinary)
    others = [usage.others for usage in usages if usage.others is not None]
    return [
        shape,
        decimal(megabytes),
        decimal(wall, 2),
        decimal(usual, 2),
        decimal(wall / usual, 2),
        decimal(median(usage.cpu for usage in usages), 2),
        decimal(median(others) if others else None, 2),
        decimal(median(usage.peak for usage in usages) / 1e6, 0),
        *largest,
    ]
