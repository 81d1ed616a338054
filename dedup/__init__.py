"""Find duplicate and near-duplicate documents and repeated passages, and show the exact spans.

>>> import dedup
>>> text = "the committee met on Tuesday and agreed to raise the fee by two per cent from next year"
>>> report = dedup.scan([("a", text), ("b", text)])
>>> [(cluster.kind, [m.document for m in cluster.members]) for cluster in report.document_clusters]
[('exact', ['a', 'b'])]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DedupError, DependencyError, InputError, KernelError, OutputError, SettingsError
from .model import (
    Document,
    DocumentCluster,
    DocumentMember,
    EmptyDocument,
    PassageCluster,
    PassageMember,
    Report,
    Settings,
    Skipped,
    Source,
    Summary,
)

__version__ = "0.1.0"


if TYPE_CHECKING:
    from .diff import compare
    from .pipeline import scan
    from .saved import load


def __getattr__(name: str) -> object:  # these bring NumPy along; `dedup --help` does without
    if name == "scan":
        from .pipeline import scan

        return scan
    if name == "compare":
        from .diff import compare

        return compare
    if name == "load":
        from .saved import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DedupError",
    "DependencyError",
    "Document",
    "DocumentCluster",
    "DocumentMember",
    "EmptyDocument",
    "InputError",
    "KernelError",
    "OutputError",
    "PassageCluster",
    "PassageMember",
    "Report",
    "Settings",
    "SettingsError",
    "Skipped",
    "Source",
    "Summary",
    "compare",
    "load",
    "scan",
]
