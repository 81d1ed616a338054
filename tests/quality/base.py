"""Base text: article-sized documents to plant in.

Enters: a language code, a seed and where to take text from: ``shared`` (novels and laws in
``../shared/data/text`` beside the project), ``builtin`` (made-up languages) or ``auto`` (shared if there).
Leaves: an iterator of texts of 300 to 1,200 words (zh, ja: 500 to 2,000 characters), cut at paragraph ends
where one is near, else at sentence ends. Each piece of text is handed out once: what is taken after the hosts
is reserved for planting.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from . import pseudo
from .dice import Dice
from .tokens import Tokens, tokenise

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LANGUAGES = ("en", "fr", "de", "zh", "ja")
UNSPACED = pseudo.UNSPACED
SENTENCE_ENDS = frozenset(".!?。！？；…")
SLACK = 0.25  # how far from the length drawn, as a share, a cut looks for a better place


def bounds(language: str) -> tuple[int, int]:
    """The shortest and the longest document, in tokens."""
    return (500, 2000) if language in UNSPACED else (300, 1200)


def available(source: str, language: str) -> str:
    """``shared`` or ``builtin``: what ``source`` comes to for this language here."""
    there = (SHARED / "text" / f"{language}.jsonl.gz").exists()
    if source == "auto":
        return "shared" if there else "builtin"
    if source == "shared" and not there:
        raise FileNotFoundError(f"no {language}.jsonl.gz in {SHARED / 'text'}: use the built-in base text")
    return source


def texts(language: str, seed: int, source: str = "auto") -> Iterator[str]:
    """Documents of one language: endless from the built-in generator, else as many as there are."""
    if available(source, language) == "builtin":
        yield from pseudo.articles(language, seed, *bounds(language))
        return
    with gzip.open(SHARED / "text" / f"{language}.jsonl.gz", "rt", encoding="utf-8") as lines:
        works = [json.loads(line)["text"] for line in lines]
    dice = Dice(f"base {language} {seed}")
    dice.shuffle(works)
    for work in works:
        yield from cut(work, *bounds(language), dice)


def cut(work: str, low: int, high: int, dice: Dice) -> Iterator[str]:
    """The work in pieces of ``low`` to ``high`` tokens; what is left over at its end is dropped."""
    tokens = tokenise(work)
    first = 0
    start = 0
    while len(tokens) - first > high:
        wanted = dice.between(low, high)
        nearest, farthest = max(low, int(wanted * (1 - SLACK))), min(high, int(wanted * (1 + SLACK)))
        last = max(
            range(first + nearest, first + farthest + 1),
            key=lambda place: (rank(work, tokens, place), -abs(place - first - wanted)),
        )
        gap = work[tokens.ends[last - 1] : tokens.starts[last]]
        end = int(tokens.starts[last]) - len(re.sub(r"^\S*\s*", "", gap))
        yield work[start:end].strip()
        first, start = last, end


def rank(work: str, tokens: Tokens, place: int) -> int:
    """How good a cut before this token is: 3 blank line, 2 line that ends a sentence, 1 sentence, 0 none."""
    gap = work[tokens.ends[place - 1] : tokens.starts[place]]
    if "\n\n" in gap:
        return 3
    if SENTENCE_ENDS.isdisjoint(gap):
        return 0
    return 2 if "\n" in gap else 1
