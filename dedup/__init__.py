"""Find duplicate and near-duplicate documents and repeated passages, and show the exact spans.

>>> import dedup
>>> text = "the committee met on Tuesday and agreed to raise the fee by two per cent from next year"
>>> report = dedup.scan([("a", text), ("b", text)])
>>> [(cluster.kind, [m.document for m in cluster.members]) for cluster in report.document_clusters]
[('exact', ['a', 'b'])]
"""

from .errors import DedupError, DependencyError, InputError, KernelError, SettingsError
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


def scan(*args, **kwargs):  # replaced below the pipeline lands
    from .pipeline import scan as run

    return run(*args, **kwargs)
