"""Made-up text for tests, in which nothing repeats by chance, and short names for what a scan finds in it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import dedup
from dedup import PassageCluster, PassageMember, Report
from dedup.model import Document

SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
HAN = [chr(code) for code in range(0x4E00, 0x9FA0)]

Place = tuple[str, str]


class Prose:
    """Endless words or Chinese characters; as many as there are of either, so that no two repeat by chance."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)

    def words(self, count: int) -> str:
        """So many words in a row."""
        return " ".join(self._word() for _ in range(count))

    def han(self, count: int) -> str:
        """So many Chinese characters."""
        return "".join(self._dice.choice(HAN) for _ in range(count))

    def round(self, passage: str, before: int = 60, after: int = 60) -> str:
        """A passage between words of its own."""
        return f"{self.words(before)} {passage} {self.words(after)}".strip()

    def edited(self, passage: str, share: float) -> str:
        """The passage with a share of its words exchanged, left out or preceded by another, its ends as they are."""
        words = passage.split()
        for i in self._dice.sample(range(2, len(words) - 2), round(share * len(words))):
            words[i] = self._dice.choice([self._word(), "", f"{self._word()} {words[i]}"])
        return " ".join(filter(None, words))

    def exchanged(self, passage: str, places: Iterable[int]) -> str:
        """The passage with the words at these places exchanged."""
        words = passage.split()
        for i in places:
            words[i] = self._word()
        return " ".join(words)

    def _word(self) -> str:
        return "".join(self._dice.choices(SYLLABLES, k=3))


def scan(texts: Sequence[str] | dict[str, str] | Sequence[Document], **settings: object) -> Report:
    """A scan of texts, named a, b, c … where they have no names."""
    if isinstance(texts, dict):
        return dedup.scan(texts.items(), **settings)
    return dedup.scan(
        [t if isinstance(t, Document) else (name(i), t) for i, t in enumerate(texts)], **settings
    )


def name(index: int) -> str:
    """The name of the text at an index: a, b, … z, then numbers."""
    return chr(ord("a") + index) if index < 26 else str(index)


def passages(texts: Sequence[str] | dict[str, str], **settings: object) -> list[PassageCluster]:
    """The passages in texts that are not compared as documents."""
    return list(scan(texts, documents=False, **settings).passage_clusters)


def places(clusters: Iterable[PassageCluster]) -> list[list[Place]]:
    """Document and text of every member of every cluster, in the order of the names."""
    return sorted(
        sorted((member.document, member.text) for member in cluster.members) for cluster in clusters
    )


def documents(cluster: PassageCluster) -> list[str]:
    """The documents that a passage stands in."""
    return sorted(member.document for member in cluster.members)


def overlap(member: PassageMember, start: int, end: int) -> float:
    """Intersection over union of a member's span and another."""
    shared = min(member.end, end) - max(member.start, start)
    return max(shared, 0) / (member.end - member.start + end - start - shared)
