"""Counts and shares in words, the same in every report that a person reads."""

from __future__ import annotations


def count(number: int, one: str, many: str | None = None) -> str:
    """A number and what is counted, in singular or plural (``one`` with an s unless told).

    >>> count(1, "copy", "copies"), count(2000, "word")
    ('1 copy', '2,000 words')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share in percent; 100% and 0% are said only of what is wholly so.

    >>> percent(1.0), percent(0.9999), percent(0.886), percent(0.00001), percent(0.0)
    ('100%', '99.9%', '88.6%', '<0.1%', '0%')
    """
    if 0 < share < 0.001:
        return "<0.1%"
    rounded = min(round(share * 100, 1), 99.9) if share < 1 else 100.0
    return f"{rounded:.0f}%" if rounded in (0, 100) else f"{rounded:.1f}%"
