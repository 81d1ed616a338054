"""What came of a restoration."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..manifest import Line


@dataclass
class Restored:
    """What was put together (or, to verify, found whole), and what is wrong, a line each."""

    inputs: int = 0
    records: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class MissingError(Exception):
    """Something of an input is missing; what, is among the problems."""


def not_whole(line: Line) -> str:
    """What there is to say of an input of which the rest was never read."""
    return f"{line['path']}: was not read whole when it was filtered: {line['problem']}"
