"""Index: a memory of documents, in a folder.

The way through. To write (``writer``): documents become a ``segment``, one file of what they are found by (``keys`` in
``postings``) and what is told of them, which is never changed again; a ``catalogue`` says which segments there are. To
ask (``snapshot``, ``candidates``): the keys of new documents lead to archived ones, which are then compared exactly, by
the pipeline, as if both had been read together.
"""

from __future__ import annotations

from .catalogue import create
from .facts import facts, pending
from .memory import Memory
from .shape import Shape
from .snapshot import Snapshot
from .writer import WAIT, Added, abort, add, build, commit, compact, remove

__all__ = [
    "WAIT", "Added", "Memory", "Shape", "Snapshot", "abort", "add", "build", "commit", "compact", "create", "facts",
    "pending", "remove",
]  # fmt: skip
