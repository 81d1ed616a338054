"""What the rival scripts share: the command line, reading, shingles, writing.

In: JSON lines ``{"id", "text"}``. Out: one pair of ids a line, tab-separated; on stdout one JSON object
that says which library ran and how it was set. Each script is one whole process, so that its start, its
reading and its writing count as they do for anyone who uses the library.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import orjson

NUM_PERM = 128
NGRAM = 5

_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Job:
    """One run: input, output, threshold and number of threads or processes."""

    corpus: Path
    out: Path
    threshold: float
    jobs: int

    @classmethod
    def from_command_line(cls) -> Job:
        """``NAME.py IN.jsonl OUT.tsv [--threshold T] [--jobs N]``."""
        parser = argparse.ArgumentParser()
        parser.add_argument("corpus", type=Path)
        parser.add_argument("out", type=Path)
        parser.add_argument("--threshold", type=float, default=0.7)
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
        options = parser.parse_args()
        return cls(options.corpus, options.out, options.threshold, options.jobs)

    def read(self) -> tuple[list[str], list[str]]:
        """All ids and all texts."""
        ids, texts = [], []
        with self.corpus.open("rb") as lines:
            for line in lines:
                record = orjson.loads(line)
                ids.append(record["id"])
                texts.append(record["text"])
        return ids, texts

    def write(
        self, ids: list[str], pairs: Iterable[tuple[int, int]], library: str, **settings: object
    ) -> None:
        """Write the pairs, given as positions in ``ids``, and tell how they were found."""
        with self.out.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{ids[first]}\t{ids[second]}\n" for first, second in pairs)
        print(json.dumps({"library": f"{library} {version(library)}", **settings}))


def words(text: str) -> list[str]:
    """The tokens of the exact truth."""
    return _WORDS.findall(text.lower())


def shingles(text: str) -> list[str]:
    """Runs of NGRAM words; a text that is shorter is one shingle."""
    tokens = words(text)
    grams = zip(*(tokens[place:] for place in range(NGRAM)), strict=False)
    return list(map(" ".join, grams)) or [" ".join(tokens)]


def shingle_bytes(text: str) -> list[bytes]:
    """The same in UTF-8: each word is encoded once."""
    tokens = [word.encode() for word in words(text)]
    grams = zip(*(tokens[place:] for place in range(NGRAM)), strict=False)
    return list(map(b" ".join, grams)) or [b" ".join(tokens)]
