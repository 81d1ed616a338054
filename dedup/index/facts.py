"""What an index says of itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from . import catalogue
from .shape import FORMAT


def pending(folder: Path) -> dict[str, int]:
    """The pending runs, by name, and how many documents each has."""
    found: dict[str, int] = facts(folder)["pending"]
    return found


def facts(folder: Path) -> dict[str, Any]:
    """Documents, removed ones, segments, bytes, settings, and pending runs with their documents."""
    with catalogue.reading(folder) as found:
        rows, shape = found.segments(), found.shape
    live = [row for row in rows if row.run is None]
    pending: Counter[str] = Counter()
    for row in rows:
        if row.run is not None:
            pending[row.run] += row.documents
    removed = sum(len(row.removed) for row in live)
    return {
        "format": FORMAT,
        "documents": sum(row.documents for row in live) - removed,
        "removed": removed,
        "segments": len(live),
        "bytes": sum(row.size for row in rows) + (folder / catalogue.NAME).stat().st_size,
        "settings": shape._asdict(),
        "pending": dict(sorted(pending.items())),
    }
