"""The gate: of all that repeats in a corpus, what is new.

Enters: a :class:`Plan`, which names paths, settings, a baseline. Leaves: a :class:`dedup.verdict.Verdict`, or the
baseline that would accept everything. One file a step: ``run`` (what is read and compared with what),
``occurrences`` (every place that repeats something), ``accept`` (what the baseline names), ``ledger`` (how often its
words were accepted, and stand there now), ``judge`` (which places are new), ``findings`` (what a user is told),
``survey`` (all of it together).
"""

from .baseline import Baseline, Entry
from .paths import Scope
from .survey import Policy, Survey

__all__ = ["Baseline", "Entry", "Policy", "Scope", "Survey"]
