"""An index as the pipeline asks it: for the archived documents that are worth a comparison, or for guesses where their
texts are not stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import DedupIndexError, SettingsError
from ..kernel.types import Array
from ..model import Document, Settings
from ..sketch import sign
from ..text import Candidates, Guess
from . import candidates
from .segment import halved
from .snapshot import Snapshot, by_version

_CHANCE = 1 / 16  # that four bits of two different minima are the same


class Memory:
    """A snapshot and the settings of a comparison. Raises SettingsError where they are not those of the index.

    ``told`` is told of the archived documents that take part.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        settings: Settings,
        *,
        alone: bool = False,
        told: Callable[[list[Document]], None] = lambda documents: None,
    ) -> None:
        snapshot.shape.check(settings, str(snapshot.folder))
        if settings.passages and not snapshot.shape.passages:
            raise SettingsError(f"{snapshot.folder}: was built without passages; give --no-passages")
        self._snapshot, self._settings = snapshot, settings
        self.alone = alone
        self._tell = told

    @classmethod
    def of(
        cls,
        folder: str,
        settings: Settings,
        told: Callable[[list[Document]], None] = lambda documents: None,
        *,
        proving: bool = False,
    ) -> Memory:
        """The index in a folder. Raises DedupIndexError where it is to be ``proving``, and holds no texts."""
        snapshot = Snapshot.of(Path(folder))
        if proving and not snapshot.shape.text:
            raise DedupIndexError(
                f"{folder}: holds no texts, so nothing can be proven with it; build it with --store-text"
            )
        return cls(snapshot, settings, told=told)

    @property
    def caveat(self) -> str | None:
        """What the answers lack, in a line to be told; None for nothing."""
        shape, told = self._snapshot.shape, []
        if not shape.text:
            told.append("holds no texts: what it has in common with others is estimated, and nothing proven")
        if not shape.passages and self._settings.documents:
            told.append(
                "was built without passages: of short texts inside archived ones only a sample is found"
            )
        return f"{self._snapshot.folder}: {'; '.join(told)}" if told else None

    def near(self, tokens: Array, offsets: Array) -> Candidates:
        """Archived documents that may be copies of texts with these tokens, or share passages with them; by id and
        version.

        Seeds are asked where there are any, since a short text inside an archived one is surely found by them alone.
        """
        passages = candidates.SEED if self._snapshot.shape.passages else None
        pairs = candidates.near(self._snapshot, tokens, offsets, passages, self._settings.jobs)
        numbers, which = np.unique(pairs.archived, return_inverse=True)
        found = self._snapshot.documents(numbers, self._settings.jobs)
        order = sorted(range(len(found)), key=lambda place: by_version(found[place]))
        documents = [found[place] for place in order]
        self._tell(documents)
        return Candidates(documents, np.stack([pairs.new, np.argsort(order)[which]], axis=1))

    def guesses(self, tokens: Array, offsets: Array) -> list[Guess] | None:
        """What the index tells without texts: documents by their signatures, passages by where their seeds are.

        None where it has texts. The Jaccard index is estimated from four bits of each minimum (Li and König 2010,
        "b-Bit Minwise Hashing"); the standard error is at most .5/√num_perm, a fifteenth more for the bits.
        """
        snapshot, settings = self._snapshot, self._settings
        if snapshot.shape.text:
            return None
        # Nothing will be compared: two thirds of the seeds of the shortest passage are to be there.
        company = candidates.Company(1, max(2, (settings.min_tokens - 2) * 2 // 3), 1)
        pairs = candidates.near(
            snapshot, tokens, offsets, company if settings.passages else None, settings.jobs
        )
        shape = snapshot.shape
        signed, _ = sign(tokens, offsets, shape.ngram, shape.num_perm, shape.seed, settings.jobs)
        mine, theirs = halved(signed.values)[pairs.new], snapshot.signatures(pairs.archived)
        same = ((mine ^ theirs) & 15 == 0).mean(axis=1) + ((mine ^ theirs) >> 4 == 0).mean(axis=1)
        jaccard = np.clip((same / 2 - _CHANCE) / (1 - _CHANCE), 0, 1)
        names = snapshot.names(pairs.archived)
        found = []
        for text, number, (name, source), figure in zip(
            pairs.new.tolist(), pairs.archived.tolist(), names, jaccard.tolist(), strict=True
        ):
            if figure >= settings.threshold:
                found.append(
                    Guess(text, name, source, round(figure, 3), 0, int(offsets[text + 1] - offsets[text]))
                )
            elif (text, number) in pairs.stretches:
                found.append(Guess(text, name, source, None, *pairs.stretches[text, number]))
        return sorted(
            found,
            key=lambda g: (g.text, g.jaccard is None, -(g.jaccard or 0.0), g.archived, g.source.archived),
        )
