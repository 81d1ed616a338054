"""``python -m benchmarks index``: an index of many short documents, built and asked.

A corpus of ``--documents`` texts of about 1 kB (see ``base``), and ``--new`` further ones, of which a tenth are near
copies of archived ones (one word in a hundred another one) and a fifth hold a passage of 20 to 60 words of one.
Reported are: the time to build and MB/s of text; the size on disk as a multiple of the text; the time to open; the
time and peak memory of ``dedup index query``; and which of the planted copies and passages it named.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import workshop
from benchmarks.base import articles
from benchmarks.corpus import DATA
from benchmarks.measure import Usage, measure, warm
from benchmarks.table import decimal, markdown, record

CHARACTERS = 1_000
HEADER = ["what", "wall s", "MB/s", "x text", "CPU s", "othr", "peak MB"]
WAYS = {
    "documents": ["--no-passages"],
    "documents and passages": [],
    "documents, passages and text": ["--store-text"],
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--documents", type=int, default=1_000_000, help="documents in the index")
    parser.add_argument("--new", type=int, default=1_000, help="documents that it is asked about")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpora")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/<date>-index.md")


def main(options: argparse.Namespace) -> int:
    """Build and ask; 1 when a run failed."""
    archive, new, truth = _corpora(options.documents, options.new, options.seed)
    size = _text_bytes(archive)
    rows, failures, notes = [], [], []
    with TemporaryDirectory(prefix="dedup-index-", dir=archive.parent) as scratch:
        for what, extra in WAYS.items():
            folder = Path(scratch) / "index"
            warm(archive)
            built = measure([*_dedup("build"), str(folder), str(archive), "-q", *extra])
            on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            rows.append(_row(f"build: {what}", built, size, on_disk / size))
            opened = measure([*_dedup("info"), str(folder), "--format", "json"])
            rows.append(_row("open (info), whole process", opened))
            result = Path(scratch) / "result.json"
            asked = measure(
                [*_dedup("query"), str(folder), str(new), "-q", "--format", "json", "-o", str(result)]
            )
            rows.append(_row(f"query: {options.new:,} new", asked))
            runs = (built, opened, asked)
            failures += [usage.error for usage in runs if usage.error]
            if "--store-text" in extra and not asked.error:
                notes.append(_found(result, truth))
            shutil.rmtree(folder, ignore_errors=True)
    head = f"{options.documents:,} documents, {size / 1e6:,.1f} MB of text"
    text = (
        "\n\n".join(["# Index", workshop.machine(), head, markdown(HEADER, rows), *notes, *failures]) + "\n"
    )
    print(text)
    if options.record:
        record(workshop.RESULTS, "index", text)
    return int(bool(failures))


def _dedup(command: str) -> list[str]:
    return [sys.executable, "-m", "dedup", "index", command]


def _row(what: str, usage: Usage, size: int | None = None, share: float | None = None) -> list[str]:
    return [
        what,
        decimal(usage.wall, 2),
        decimal(size / 1e6 / usage.wall, 1) if size else "",
        decimal(share, 2) if share else "",
        decimal(usage.cpu, 2),
        "" if usage.others is None else decimal(usage.others, 2),
        decimal(usage.peak / 1e6, 0),
    ]


def _text_bytes(path: Path) -> int:
    with path.open(encoding="utf-8") as lines:
        return sum(len(json.loads(line)["text"].encode()) for line in lines)


def _corpora(documents: int, new: int, seed: int) -> tuple[Path, Path, Path]:
    """The files of the archive, the new documents and what was planted in them; made once."""
    folder = workshop.BUILD
    folder.mkdir(parents=True, exist_ok=True)
    names = [
        folder / f"index-{documents}-{new}-seed{seed}-{name}.jsonl" for name in ("archive", "new", "truth")
    ]
    if not all(name.exists() for name in names):
        rng = np.random.default_rng([seed, 30])
        pieces = _pieces(articles(np.random.default_rng([seed, 10]), DATA))
        chosen = set(rng.choice(documents, min(documents, new), replace=False).tolist())
        kept: list[tuple[str, str]] = []
        with names[0].with_suffix(".partial").open("w", encoding="utf-8") as lines:
            for number, text in enumerate(islice(pieces, documents)):
                lines.write(json.dumps({"id": f"a{number:07}", "text": text}, ensure_ascii=False) + "\n")
                if number in chosen:
                    kept.append((f"a{number:07}", text))
        with names[1].open("w", encoding="utf-8") as lines, names[2].open("w", encoding="utf-8") as truth:
            for number, text in enumerate(islice(pieces, new)):
                kind, source, made = _planted(number, text, kept[number % len(kept)], rng)
                lines.write(json.dumps({"id": f"n{number:06}", "text": made}, ensure_ascii=False) + "\n")
                if kind:
                    truth.write(json.dumps({"new": f"n{number:06}", "archived": source, "kind": kind}) + "\n")
        os.replace(names[0].with_suffix(".partial"), names[0])
    return names[0], names[1], names[2]


def _pieces(texts: Iterator[str]) -> Iterator[str]:
    """Texts of about CHARACTERS, cut at blanks."""
    for text in texts:
        start = 0
        while len(text) - start >= CHARACTERS // 2:
            end = text.find(" ", start + CHARACTERS)
            end = len(text) if end < 0 else end
            yield text[start:end].strip()
            start = end


def _planted(
    number: int, text: str, source: tuple[str, str], rng: np.random.Generator
) -> tuple[str | None, str, str]:
    """One in ten becomes a near copy of the source, two in ten hold a passage of it."""
    name, original = source
    words, others = original.split(" "), text.split(" ")
    if number % 10 == 0:
        for place in np.flatnonzero(rng.random(len(words)) < 0.01).tolist():
            words[place] = others[place % len(others)]
        return "document", name, " ".join(words)
    if number % 10 in (1, 2):
        length = int(rng.integers(20, 61))
        at = int(rng.integers(0, max(1, len(words) - length)))
        return "passage", name, " ".join([*others[:60], *words[at : at + length], *others[60:]])
    return None, name, text


def _found(result: Path, truth: Path) -> str:
    """How many of the planted copies and passages were named."""
    found: dict[str, set[tuple[str, str]]] = {"document": set(), "passage": set()}
    whole = json.loads(result.read_bytes())
    for kind in found:
        for cluster in whole[f"{kind}_clusters"]:
            names = [(member["document"], bool(member.get("archived"))) for member in cluster["members"]]
            archived = [name for name, is_archived in names if is_archived]
            found[kind] |= {(name, a) for name, is_archived in names if not is_archived for a in archived}
    told = []
    planted = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    for kind, named in found.items():
        pairs = {(row["new"], row["archived"]) for row in planted if row["kind"] == kind}
        seen = named if kind == "document" else named | found["document"]
        told.append(
            f"{kind}s planted {len(pairs)}, named {len(pairs & seen)}; {len(named - pairs)} other pairs"
        )
    return "; ".join(told)
