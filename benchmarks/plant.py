"""What is planted in a corpus: near copies of documents, passages with edits, boilerplate.

Pure functions from text to text; all chance comes from the generator that is passed in. Edits work on
whitespace-separated words and keep the whitespace between those that stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

NGRAM = 5

BOILERPLATE = (
    "This article is provided for general information only and does not constitute advice of any kind. "
    "Readers should consult a qualified professional before acting on anything that is written here. All "
    "rights reserved.",
    "Subscribe to our newsletter to receive the most important stories of the day in your inbox every "
    "morning, free of charge. You can unsubscribe at any time with the link at the bottom of each "
    "message.",
    "Tous droits de reproduction et de représentation réservés. Toute exploitation, même partielle, des "
    "informations contenues dans cet article est soumise à l'accord préalable et écrit de la rédaction.",
    "Alle Angaben ohne Gewähr. Die Redaktion übernimmt keine Haftung für die Richtigkeit, Vollständigkeit "
    "und Aktualität der bereitgestellten Inhalte; Nachdruck nur mit ausdrücklicher schriftlicher "
    "Genehmigung des Verlags.",
    "Este contenido ha sido elaborado por la redacción a partir de fuentes propias y de agencias. Queda "
    "prohibida su reproducción total o parcial sin la autorización previa y por escrito de la empresa "
    "editora.",
    "We use cookies and similar techniques to offer our services, to measure how they are used and to "
    "show content that may interest you. By continuing to read you agree to the terms of use and to our "
    "privacy policy.",
)


def near_copy(text: str, other: str, jaccard: float, rng: np.random.Generator) -> str:
    """A copy of ``text`` whose word 5-gram Jaccard to it is about ``jaccard``; ``other`` lends foreign words.

    One of three kinds: edits scattered over the text, one block replaced, or the end cut off. With ``n``
    shingles of which ``k`` stay and as many new ones as lost ones, Jaccard is ``k / (2n - k)``.
    """
    kind = int(rng.integers(3))
    staying = 2 * jaccard / (1 + jaccard)
    if kind == 0:
        return edit(text, 1 - staying ** (1 / NGRAM), rng)
    words = _split(text)
    if kind == 1:
        return _replace_block(words, _split(other), 1 - staying, rng)
    return "".join(words[: 2 * max(1, round(jaccard * len(words) / 2)) - 1])


def edit(text: str, rate: float, rng: np.random.Generator) -> str:
    """Substitute, insert or delete, each as likely, at a share ``rate`` of the words."""
    words = _split(text)
    places = np.arange(0, len(words), 2)
    for place in places[rng.random(len(places)) < rate].tolist():
        donor = words[2 * int(rng.integers(len(places)))]
        action = int(rng.integers(3))
        words[place] = (donor, f"{words[place]} {donor}", "")[action]
    return "".join(words)


def passage(text: str, rng: np.random.Generator) -> str:
    """A run of 15 to 150 words of ``text``, its words edited at 0, 5, 10, 20 or 30 %."""
    words = _split(text)
    count = min(int(rng.integers(15, 151)), (len(words) + 1) // 2)
    start = 2 * int(rng.integers((len(words) + 1) // 2 - count + 1))
    rate = (0.0, 0.05, 0.1, 0.2, 0.3)[int(rng.integers(5))]
    return edit("".join(words[start : start + 2 * count - 1]), rate, rng)


def insert(text: str, addition: str, rng: np.random.Generator) -> str:
    """``text`` with ``addition`` put between two of its words."""
    words = _split(text)
    place = 2 * int(rng.integers((len(words) + 1) // 2))
    return "".join([*words[:place], addition, " ", *words[place:]])


def decorate(text: str, earlier: Callable[[], str], rng: np.random.Generator) -> str:
    """Add passages and boilerplate as chance has it.

    A passage of an earlier document in 7 % of the texts, one of the text itself in 3 %, boilerplate in 3 %.
    """
    chance = rng.random(3)
    if chance[0] < 0.07:
        text = insert(text, passage(earlier(), rng), rng)
    if chance[1] < 0.03:
        text = insert(text, passage(text, rng), rng)
    if chance[2] < 0.03:
        text = f"{text}\n\n{BOILERPLATE[int(rng.integers(len(BOILERPLATE)))]}"
    return text


def _replace_block(words: list[str], other: list[str], share: float, rng: np.random.Generator) -> str:
    count = min(2 * round(share * len(words) / 2), len(other) - 1)
    start = 2 * int(rng.integers(max(1, (len(words) - count) // 2)))
    source = 2 * int(rng.integers(max(1, (len(other) - count) // 2)))
    return "".join([*words[:start], *other[source : source + count], *words[start + count :]])


def _split(text: str) -> list[str]:
    """Words at even places, the whitespace between them at odd places."""
    return re.split(r"(\s+)", text.strip())
