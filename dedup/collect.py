"""Documents as they are read: their names are kept, and their texts tokenised on other threads meanwhile.

Enters: documents, one by one. Leaves: a :class:`Collector`, of which :mod:`dedup.text` makes a corpus. Does without
NumPy, so that its import takes no time of its own: it comes while the tokeniser's threads are still at work.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Protocol

from . import kernel
from .kernel.types import Array
from .model import Document, Source

BATCH = 1 << 17  # code points handed to the kernel at a time


class Reread(Protocol):
    """Reads the text of a document again; :class:`dedup.read.again.Again` is one."""

    def can(self, source: Source) -> bool:
        """Whether it can be read again."""

    def text(self, source: Source) -> str:
        """The text. Raises InputError where it is not there any more."""


class Documents:
    """What is known of the documents, in the order of the input: names, and texts, held or read again.

    ``read`` and ``characters`` count those that were read; the others are archived ones.
    """

    def __init__(self, again: Reread | None = None) -> None:
        self.ids: list[str] = []
        self.sources: list[Source] = []
        self.characters = 0
        self.read = 0
        self._texts: list[str | None] = []
        self.again = again

    def extend(self, documents: list[Document], archived: bool = False) -> None:
        """Takes more documents; the texts of those that can be read again are not held. Archived ones come last."""
        ids, texts, sources = zip(*documents, strict=True)
        self.ids += ids
        self.sources += sources
        if not archived:
            self.characters += sum(map(len, texts))
            self.read += len(documents)
        again = self.again
        self._texts += texts if again is None else map(partial(_held, again), texts, sources)

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, index: int) -> str:
        """The text of one document. Raises InputError where it is to be read again and is not there any more."""
        text = self._texts[index]
        if text is None:
            assert self.again is not None
            text = self.again.text(self.sources[index])
        return text


def _held(again: Reread, text: str, source: Source) -> str | None:
    return None if again.can(source) else text


class Lot:
    """Documents that were tokenised together."""

    def __init__(self, jobs: int) -> None:
        self.tokeniser = kernel.Tokeniser(jobs=jobs)

    def add(self, documents: list[Document]) -> None:
        """More of them."""
        self.tokeniser.add([document.text for document in documents])

    @cached_property
    def finished(self) -> tuple[Array, Array]:
        """Of each text the number of tokens and a hash of them all; no more can be added then."""
        return self.tokeniser.finish()


class Collector:
    """Takes documents one by one; they are tokenised on other threads while more are read.

    Texts that ``again`` can read again are not held. ``lots`` hold the tokens, those of archived documents in a lot of
    their own, which comes last. To be let go of once the corpus is there.
    """

    def __init__(self, jobs: int, again: Reread | None = None) -> None:
        self.documents = Documents(again)
        self._jobs = jobs
        self.lots = [Lot(jobs)]
        self._batch: list[Document] = []
        self._filled = 0

    def add(self, document: Document) -> None:
        """Takes one more document."""
        self._batch.append(document)
        self._filled += len(document.text)
        if self._filled >= BATCH:
            self.send()

    def archived(self, documents: list[Document]) -> None:
        """Takes archived documents, once all others are there."""
        self.send()
        self.lots.append(Lot(self._jobs))
        if documents:
            self.documents.extend(documents, archived=True)
            self.lots[-1].add(documents)

    def send(self) -> None:
        """Hands over what the tokeniser has not been given yet."""
        if self._batch:
            self.documents.extend(self._batch)
            self.lots[-1].add(self._batch)
        self._batch, self._filled = [], 0
