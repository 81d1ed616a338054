"""Seeded randomness that is the same on every Python version and machine.

Enters: a seed. Leaves: draws. Why not ``random`` as it is: only ``random.random()`` is promised to stay the
same between releases; ``shuffle``, ``sample`` and ``choice`` are not, and a corpus fingerprint must hold.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Draws that depend on the seed alone. A seed may be any text."""

    def __init__(self, seed: str) -> None:
        self.chance = Random(seed).random

    def below(self, limit: int) -> int:
        """A whole number in [0, limit)."""
        return int(self.chance() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each as likely."""
        return choices[self.below(len(choices))]

    def shuffle(self, values: MutableSequence[T]) -> None:
        """Puts the values in random order, in place (Fisher and Yates)."""
        for last in range(len(values) - 1, 0, -1):
            other = self.below(last + 1)
            values[last], values[other] = values[other], values[last]

    def sample(self, values: Sequence[int], count: int) -> list[int]:
        """``count`` different ones of the values, in their own order."""
        positions = list(range(len(values)))
        self.shuffle(positions)
        return [values[position] for position in sorted(positions[:count])]
