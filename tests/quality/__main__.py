"""``python -m tests.quality``: plants, scans, scores, and prints tables.

    planted     passages, boilerplate and periods planted in base text: recall, ends, precision
    documents   document pairs, planted and natural, against exact truth at Jaccard .7 and .8
    pan         plagdet over the PAN 2013 training corpus
    stress      a line repeated 500 times; 5,000 edited copies of one passage

``--set name=value`` (repeatable) changes a setting of the scan; ``--export`` writes the planted corpus, and
``--result`` scores a saved ``dedup scan --format json`` of it instead of scanning; ``--oracle`` scores the
truth itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import base, natural, oracle, pairs, pan, precision, score, stress, tables
from .corpus import Corpus
from .findings import Findings, of_json, scan
from .plant import Rates, build


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description="Measure what a scan finds.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in (
        ("planted", "passages planted in base text"),
        ("documents", "document pairs against exact truth"),
        ("pan", "plagdet over PAN 2013"),
        ("stress", "a periodic document, thousands of edited copies"),
    ):
        command = commands.add_parser(name, help=summary)
        command.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the scan"
        )
        if name in ("planted", "documents"):
            command.add_argument(
                "--languages", default=",".join(base.LANGUAGES), help="comma-separated codes"
            )
            command.add_argument("--documents", type=int, default=3000, help="base documents, copies on top")
            command.add_argument("--base", choices=("auto", "shared", "builtin"), default="auto")
            command.add_argument(
                "--oracle", action="store_true", help="score the truth itself, without a scan"
            )
        if name != "pan":
            command.add_argument("--seed", type=int, default=1)
        if name == "planted":
            command.add_argument("--per-cell", type=int, default=4, help="passages a length, rate and place")
            command.add_argument(
                "--export", type=Path, help="write docs.jsonl and truth.jsonl to this folder"
            )
            command.add_argument("--wrong", type=int, default=0, metavar="N", help="show N wrong pairs")
            command.add_argument("--missed", type=int, default=0, metavar="N", help="show N missed passages")
        if name == "pan":
            command.add_argument("--min-tokens", type=int, default=40)
        if name in ("planted", "pan"):
            command.add_argument("--result", type=Path, help="score this saved result instead of scanning")
    return parser.parse_args(arguments)


def settings(given: Sequence[str]) -> dict[str, Any]:
    """Settings from NAME=VALUE; values are read as JSON."""
    return {name: json.loads(value) for name, _, value in (entry.partition("=") for entry in given)}


def timed_scan(documents: Sequence[tuple[str, str]], /, **chosen: Any) -> Findings:
    """Scans and says how long it took."""
    begun = time.perf_counter()
    found = scan(documents, **chosen)
    seconds = time.perf_counter() - begun
    characters = sum(len(text) for _, text in documents)
    print(f"scanned {len(documents)} documents, {characters / 1e6:.1f} M characters in {seconds:.1f} s\n")
    return found


def saved(path: Path) -> Findings:
    """A result written by ``dedup scan --format json``."""
    return of_json(json.loads(path.read_bytes()))


def planted_corpus(chosen: argparse.Namespace, rates: Rates) -> Corpus:
    """Builds the corpus and describes it."""
    languages = chosen.languages.split(",")
    corpus = build(languages, chosen.documents, chosen.seed, chosen.base, rates)
    sources = ", ".join(f"{code} {base.available(chosen.base, code)}" for code in languages)
    print(f"{len(corpus.documents)} documents ({sources}), seed {chosen.seed}")
    print(f"fingerprint {corpus.fingerprint()}")
    return corpus


def run_planted(chosen: argparse.Namespace) -> None:
    """Passages, boilerplate and periods."""
    corpus = planted_corpus(chosen, Rates(per_cell=chosen.per_cell))
    if chosen.export:
        corpus.write(chosen.export)
    if chosen.oracle:
        found = oracle.findings(corpus)
    elif chosen.result:
        found = saved(chosen.result)
    else:
        found = timed_scan(corpus.documents, **settings(chosen.set))
    outcomes = score.passage_outcomes(corpus, found)
    judged = [precision.judge(corpus, found, alike) for alike in (precision.CLOSELY_ALIKE, precision.ALIKE)]
    print(tables.passages(outcomes, judged))
    print("\n" + tables.repeated(corpus, found))
    for left, right in judged[-1].wrong[: chosen.wrong]:
        print(f"\nwrong: {left}\n  {excerpt(corpus, *left)}\n{right}\n  {excerpt(corpus, *right)}")
    missed = [outcome.item for outcome in outcomes if not outcome.found]
    for item in missed[: chosen.missed]:
        print(f"\nmissed: {item.length_class} at {item.rate}, {item.where}, alike {item.figure:.2f}")
        for span in item.spans:
            print(f"  {span.document} [{span.start}, {span.end})  {excerpt(corpus, *span)}")


def excerpt(corpus: Corpus, document: str, start: int, end: int) -> str:
    """The beginning of a passage, on one line."""
    return " ".join(corpus.text[document][start : min(end, start + 300)].split())


def run_documents(chosen: argparse.Namespace) -> None:
    """Document pairs, planted and natural, at two thresholds."""
    corpus = planted_corpus(chosen, Rates(per_cell=1, exact=0.05, near=0.25, contained=0.05))
    corpora = {"planted": corpus.documents}
    if not chosen.oracle:
        corpora |= {name: list(natural.documents(name)) for name in natural.NATURAL if natural.there(name)}
    rows = {}
    for name, documents in corpora.items():
        truth = pairs.shingled(documents)
        for threshold in (0.7, 0.8):
            if chosen.oracle:
                found = oracle.findings(corpus, threshold)
            else:
                found = timed_scan(documents, threshold=threshold, passages=False, **settings(chosen.set))
            rows[f"{name} {threshold}"] = pairs.judge(truth, found, threshold)
    print(tables.documents(rows))


def run_pan(chosen: argparse.Namespace) -> None:
    """The PAN 2013 training corpus, one scan of all documents."""
    documents = list(pan.documents())
    if chosen.result:
        found = saved(chosen.result)
    else:
        found = timed_scan(documents, min_tokens=chosen.min_tokens, **settings(chosen.set))
    lengths = {document: len(text) for document, text in documents}
    print(tables.plagdet(pan.scores(pan.task(), found, lengths)))


def run_stress(chosen: argparse.Namespace) -> None:
    """A periodic document, and thousands of edited copies."""
    corpus = stress.periodic(seed=chosen.seed)
    found = timed_scan(corpus.documents, **settings(chosen.set))
    print(tables.repeated(corpus, found) + f"\nclusters of passages in all: {len(found.passages)}\n")
    rows = []
    for name, even in (("6 edits each", True), ("15 % chance a token", False)):
        corpus = stress.copies(seed=chosen.seed, even=even)
        found = timed_scan(corpus.documents, **settings(chosen.set))
        spread = stress.spread(corpus, found)
        reach = stress.within_reach(corpus)
        rows.append((name, spread.copies, spread.largest, spread.clusters, spread.lost, *reach))
    head = (
        "copies of 40 tokens",
        "copies",
        "largest cluster",
        "clusters",
        "lost",
        "a leader's reach",
        "the best's",
    )
    print(tables.table(head, rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of the four reports."""
    chosen = options(arguments)
    runs = {"planted": run_planted, "documents": run_documents, "pan": run_pan, "stress": run_stress}
    runs[chosen.command](chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
