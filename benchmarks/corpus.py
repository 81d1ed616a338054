"""Builds the corpora: ``python -m benchmarks.corpus --megabytes 37.5 --out FILE.jsonl [--shape SHAPE]``.

Out: JSON lines ``{"id", "text"}`` of articles of about 3.75 kB, in shuffled order; megabytes are 10^6 bytes
of the file. The same seed gives the same bytes (with the same NumPy and the same base text; see ``base``).

Shapes: ``ordinary``: one document in ten is a copy of an earlier one (four in five of them near copies, their
Jaccard spread evenly over .5 to .99; one in five exact), and passages and boilerplate are planted in the rest
(see ``plant``).
``copies``: half of the documents are the same one. ``sentence``: one sentence stands in every document.
``line``: a single document that repeats one line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import plant
from benchmarks.base import articles

VERSION = 1  # part of the cached file's name: raise it when the same arguments give other bytes
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
ARTICLE_BYTES = 3_750
COPY_SHARE = 0.1
EXACT_SHARE = 0.2
SAME_SOURCE_SHARE = 0.15
SENTENCE = (
    "According to a statement that was published on the same evening by the harbour authority, the northern "
    "ferry line will remain closed until the damaged pier has been inspected by two independent engineers."
)


def ordinary(texts: Iterator[str], total: int, rng: np.random.Generator) -> list[str]:
    """Articles of ``total`` bytes in all, with copies, passages and boilerplate among them."""
    documents: list[str] = []
    originals: list[str] = []
    source, size = "", 0
    while size < total:
        if originals and rng.random() < COPY_SHARE:
            if not source or rng.random() >= SAME_SOURCE_SHARE:
                source = _any(originals, rng)
            text = _copy(source, _any(originals, rng), rng)
        else:
            text = next(texts)
            if originals:
                text = plant.decorate(text, lambda: _any(originals, rng), rng)
            originals.append(text)
        documents.append(text)
        size += record_bytes(text)
    return documents


def copies(texts: Iterator[str], total: int, rng: np.random.Generator) -> list[str]:
    """As many copies of one article as other articles."""
    others = list(islice(texts, max(1, round(total / ARTICLE_BYTES / 2))))
    middling = sorted(islice(texts, 101), key=len)[50]
    return others + [middling] * len(others)


def sentence(texts: Iterator[str], total: int, rng: np.random.Generator) -> list[str]:
    """Articles that all hold one sentence, each at another place."""
    count = max(1, round(total / ARTICLE_BYTES))
    return [plant.insert(text, SENTENCE, rng) for text in islice(texts, count)]


def line(texts: Iterator[str], total: int, rng: np.random.Generator) -> list[str]:
    """One document: one line, again and again."""
    return [(SENTENCE + "\n") * max(1, total // (len(SENTENCE) + 2))]


SHAPES = {"ordinary": ordinary, "copies": copies, "sentence": sentence, "line": line}


def build(shape: str, megabytes: float, out: Path, *, seed: int = 1, data: Path | None = DATA) -> Path:
    """Write the corpus to ``out`` and return it; nothing half-written stays behind under that name."""
    rng = np.random.default_rng([seed, 20])
    documents = SHAPES[shape](articles(np.random.default_rng([seed, 10]), data), round(megabytes * 1e6), rng)
    order = rng.permutation(len(documents))
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(_records(documents[place] for place in order))
    return partial.replace(out)


def cached_name(shape: str, megabytes: float, seed: int) -> str:
    """The file name under which the benchmark keeps a corpus."""
    return f"{shape}-{megabytes:g}MB-seed{seed}-v{VERSION}.jsonl"


def record_bytes(text: str) -> int:
    """The size of a text's line in the file, nearly: escapes other than line ends are not counted."""
    return len(text.encode()) + text.count("\n") + len('{"id": "a0000000", "text": ""}\n')


def _records(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        yield json.dumps({"id": f"a{number:07}", "text": text}, ensure_ascii=False) + "\n"


def _copy(source: str, other: str, rng: np.random.Generator) -> str:
    if rng.random() < EXACT_SHARE:
        return source
    return plant.near_copy(source, other, float(rng.uniform(0.5, 0.99)), rng)


def _any(texts: list[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corpus", description="Build a benchmark corpus."
    )
    parser.add_argument("--megabytes", type=float, default=37.5, help="size of the file in 10^6 bytes")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="ordinary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of base text")
    parser.add_argument("--no-data", action="store_true", help="use the built-in generator")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    data = None if options.no_data else options.data
    build(options.shape, options.megabytes, options.out, seed=options.seed, data=data)


if __name__ == "__main__":
    main()
