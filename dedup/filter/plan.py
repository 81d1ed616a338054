"""What to filter, and what came of it: a :class:`Plan` enters, an :class:`Outcome` leaves."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from .. import manifest
from ..decide import Policy
from ..model import Settings, Skipped
from ..read import Options
from ..write.sides import STDOUT

KEPT, REJECTS = "kept", "rejects"


@dataclass(frozen=True)
class Plan:
    """Inputs, outputs and wishes. Paths are as the user gave them.

    ``kept`` and ``rejects`` are files (``-``: standard output), or folders if ``is_tree``; None is nowhere.
    ``originals`` is whether inputs that cannot be put together from records are kept beside the manifest.
    ``reference`` is a collection that is protected: never written, and its copies stay. So are the documents of
    ``index``, a folder, which the records that stay are to be added to as a pending run.
    """

    paths: tuple[str, ...]
    kept: str | None
    rejects: str | None = None
    manifest: str | None = None
    is_tree: bool = False
    originals: bool = True
    reference: tuple[str, ...] = ()
    index: str | None = None
    settings: Settings = field(default_factory=Settings)
    policy: Policy = field(default_factory=Policy)
    options: Options = field(default_factory=Options)

    def header(self) -> dict[str, Any]:
        """The manifest's first line: all that shapes the outcome. Outputs are named as seen from the manifest."""
        from .. import __version__

        return {
            "type": "run",
            "schema": manifest.SCHEMA,
            "tool": {"name": "dedup", "version": __version__},
            "settings": self.settings.to_dict(),
            "policy": self.policy.to_dict(),
            "options": self.options._asdict(),
            "paths": list(self.paths),
            "reference": list(self.reference),
            **({} if self.index is None else {"index": self.index}),
            "outputs": {KEPT: self._seen(self.kept), REJECTS: self._seen(self.rejects), "tree": self.is_tree},
        }

    def _seen(self, path: str | None) -> str | None:
        if path is None or path == STDOUT or self.manifest is None:
            return path
        return os.path.relpath(os.path.realpath(path), os.path.dirname(os.path.realpath(self.manifest)))


@dataclass
class Outcome:
    """What came and where it went, in records and in bytes.

    ``damaged`` are inputs of which a part cannot be told; ``run`` is what is pending in the index, by its name.
    """

    records: int = 0
    documents: int = 0
    kept: int = 0
    aside: int = 0
    copies: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    uncut: int = 0
    revisits: int = 0
    damaged: int = 0
    bytes: int = 0
    bytes_aside: int = 0
    bytes_cut: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    run: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The counts, as the manifest has them."""
        counts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.run is None:
            del counts["run"]
        return {**counts, "copies": dict(sorted(self.copies.items())), "skipped": len(self.skipped)}
