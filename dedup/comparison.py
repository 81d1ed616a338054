"""What a comparison of two documents says: figures, how the search meets the pair, the passages that both hold.

Enters: nothing. Leaves: the types that :mod:`dedup.diff` fills and :mod:`dedup.report` writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from .model import Settings, Source

EXACT, NEAR, CONTAINED, DIFFERENT = "exact", "near", "contained", "different"

#: What the two documents are called, in the order in which they were given.
LABELS = ("A", "B")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two documents.

    ``characters`` are code points, ``shingles`` distinct ones, ``shared_tokens`` those that lie in passages that the
    other holds, too. ``containment`` is the share of its shingles that the other holds, None where it has none.
    """

    document: str
    source: Source
    characters: int
    tokens: int
    shingles: int
    shared_tokens: int
    containment: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """How the search meets the pair, by chance and in fact.

    Signatures are cut into ``bands`` of ``rows``; one that agrees, of which there are ``bands_agreeing``, makes the
    pair a candidate. Pairs of this Jaccard index become one with the probability ``chance``. ``estimated_jaccard`` is
    the share of the permutations that agree. The shorter text is looked for in the longer one by ``probes`` shingles,
    ``probes_held`` are there and ``probes_needed`` must be; ``is_sought`` says whether it is long enough for that.
    """

    bands: int
    rows: int
    bands_agreeing: int
    chance: float
    estimated_jaccard: float
    is_sought: bool
    probes: int
    probes_held: int
    probes_needed: int

    @property
    def is_candidate(self) -> bool:
        """Whether the pair is proposed for an exact comparison."""
        return self.bands_agreeing > 0 or self.is_inside_candidate

    @property
    def is_inside_candidate(self) -> bool:
        """Whether it is proposed since the shorter text may lie inside the longer one."""
        return self.is_sought and self.probes_held >= self.probes_needed


@dataclass(frozen=True, slots=True)
class SharedMember:
    """One place of a passage that both documents hold; ``side`` is 0 or 1, all else as in a ``PassageMember``."""

    side: int
    start: int
    end: int
    line: int
    end_line: int
    similarity: float | None
    text: str
    copies: int


@dataclass(frozen=True, slots=True)
class SharedPassage:
    """A passage with places in both documents; as a ``PassageCluster``, its first member stands for it."""

    id: str
    tokens: int
    similarity: float
    period: int | None
    members: tuple[SharedMember, ...]

    @property
    def pair(self) -> tuple[SharedMember, SharedMember]:
        """A place in each document, that of the first before that of the second; one of them is the first member."""
        first = self.members[0]
        other = next(member for member in self.members if member.side != first.side)
        return (first, other) if first.side == 0 else (other, first)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents and what a scan of the two would say.

    ``relation`` is EXACT, NEAR, CONTAINED or DIFFERENT, and None where the settings ask for no documents; ``kept`` is
    the side, 0 or 1, of which the other is a copy, else None. ``longer`` is the side that is longer by tokens; of equal
    lengths the one that the search takes first. ``distinct_shingles`` are those of both together; ``jaccard`` is None
    where there are none. ``search`` is None where a text has no word, or both are the same. ``is_same_words`` says
    whether the texts differ in nothing that is compared. ``passages`` are all that both hold, of copies, too.
    """

    settings: Settings
    sides: tuple[Side, Side]
    relation: str | None
    kept: int | None
    longer: int
    shared_shingles: int
    distinct_shingles: int
    jaccard: float | None
    is_same_words: bool
    search: Search | None
    passages: tuple[SharedPassage, ...]
