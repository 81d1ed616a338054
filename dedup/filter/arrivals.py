"""Records as they come, in blocks that are judged together.

Enters: paths. Leaves: a :class:`Block` after the other. In each stand, in order: that an input begins, its records,
that it has ended; and the documents among the records, whose words other threads find while more are read.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from mmap import mmap
from typing import BinaryIO, NamedTuple

import numpy as np

from .. import kernel, read
from ..collect import BATCH
from ..kernel.types import Array
from ..manifest import Sum, Summing
from ..model import Document, Skipped
from ..read import Input, Options, Record
from ..read.archive import locked
from ..read.formats import OTHER
from ..read.record import parts

#: Code points in a block, at least, and the share of all that came before which it grows to: looking once a block
#: through what stays then costs the same for every record.
BLOCK, GROWTH = 3 << 24, 1 / 4


_LARGE = 1 << 18  # bytes of a chunk that another thread is worth
_AHEAD = 16  # chunks that may wait to be summed


class Arrived(NamedTuple):
    """An input begins."""

    number: int
    input: Input


class Came(NamedTuple):
    """A record of the input that began last, and the SHA-256 of its bytes."""

    record: Record
    sha: bytes


class Gone(NamedTuple):
    """An input has ended: the sums of the file as it lies there and of its unpacked content.

    ``problem`` says why the file was not read whole, if it was not: then what is not there cannot be restored. One
    that ``is_damaged`` was read whole, but not all that is in it could be told.
    """

    number: int
    input: Input
    file: Sum
    content: Sum
    problem: str | None
    is_damaged: bool


Event = Arrived | Came | Gone | Skipped


class Words(NamedTuple):
    """Texts that have words: places of their documents, ``tokens[offsets[i] : offsets[i + 1]]`` and what tells whether
    two are equal to the letter (int64)."""

    places: list[int]
    tokens: Array
    offsets: Array
    letters: Array


#: Gives, for as long as an input is read, the file that it is copied to, or None.
Copies = Callable[[Input], AbstractContextManager[BinaryIO | None]]


def _no_copy(found: Input) -> AbstractContextManager[BinaryIO | None]:
    return nullcontext()


class Block:
    """Events, and the documents in them."""

    def __init__(self, jobs: int, tokenise: bool) -> None:
        self.events: list[Event] = []
        self.documents: list[Document] = []
        self.shas: list[bytes] = []
        self.filled = 0
        self._tokeniser = kernel.Tokeniser(jobs=jobs) if tokenise else None
        self._sent = 0
        self._unsent = 0

    def add(self, event: Event) -> None:
        """Takes one more event."""
        self.events.append(event)
        if isinstance(event, Came):
            record, sha = event
            document = record.document
            if document is None:
                self.filled += len(record.raw)
                return
            length = len(document.text)
            self.filled += length
            self._unsent += length
            self.documents.append(document)
            self.shas.append(sha)
            if self._unsent >= BATCH:
                self._send()

    def words(self) -> Words:
        """The texts of the block that have words."""
        assert self._tokeniser is not None
        self._send()
        counts, _ = self._tokeniser.finish()
        worded = np.flatnonzero(counts)
        tokens = self._tokeniser.tokens(worded)
        places = worded.tolist()
        letters = np.array([hash(self.documents[place].text) for place in places], "i8")
        return Words(places, tokens.hashes, tokens.offsets, letters)

    def _send(self) -> None:
        if self._tokeniser is not None:
            self._tokeniser.add([document.text for document in self.documents[self._sent :]])
        self._sent, self._unsent = len(self.documents), 0


def blocks(
    paths: Sequence[str],
    options: Options,
    stdin: BinaryIO | None,
    tell: Callable[[int], None],
    jobs: int = 0,
    tokenise: bool = True,
    copies: Copies = _no_copy,
) -> Iterator[Block]:
    """Everything under ``paths``, in blocks whose bounds depend on the inputs alone.

    ``tell`` is told how many records came, ``copies`` gives the file into which an input is to be copied as it is.
    """
    block = Block(jobs, tokenise)
    before = 0
    for count, event in enumerate(_events(paths, options, stdin, copies), 1):
        block.add(event)
        if count % 1024 == 0:
            tell(count)
        if block.filled >= max(BLOCK, before * GROWTH):
            before += block.filled
            yield block
            block = Block(jobs, tokenise)
    yield block


def _events(
    paths: Sequence[str], options: Options, stdin: BinaryIO | None, copies: Copies
) -> Iterator[Event]:
    number = 0
    for found in read.inputs(paths, options):
        if isinstance(found, Skipped):
            yield found
            continue
        why = locked(found, options)
        if why is not None:
            found = found._replace(format=OTHER, packing="")
        yield Arrived(number, found)
        with copies(found) as copy:
            file, content, problem = _Passing(copy), Summing(), None
            for record in read.records(found, options, file.add, stdin):
                if isinstance(record, Skipped):
                    problem = record.reason
                    yield record
                    continue
                if found.packing:
                    for part in parts(record.raw):
                        content.add(part)
                yield Came(record._replace(reason=why) if why else record, _sha256(record.raw))
        came = file.sum()
        told = None if file.is_whole else problem
        is_damaged = problem is not None and told is None
        yield Gone(number, found, came, content.sum() if found.packing else came, told, is_damaged)
        number += 1


def _sha256(raw: bytes | mmap) -> bytes:
    if isinstance(raw, bytes):
        return hashlib.sha256(raw).digest()
    whole = hashlib.sha256()
    for part in parts(raw):
        whole.update(part)
    return whole.digest()


class _Passing:
    """Adds up bytes, and passes them on to a file. Of a large file a thread of its own takes the sum meanwhile.

    ``is_whole`` says whether its end was met.
    """

    def __init__(self, copy: BinaryIO | None) -> None:
        self.is_whole = False
        self._copy = copy
        self._summing = Summing()
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def add(self, chunk: bytes | memoryview) -> None:
        self.is_whole = not len(chunk)
        if self._thread is None and len(chunk) < _LARGE:
            self._summing.add(chunk)
        else:
            self._thread = self._thread or ThreadPoolExecutor(1)
            self._waiting.append(self._thread.submit(self._summing.add, bytes(chunk)))
            if len(self._waiting) > _AHEAD:
                self._waiting.popleft().result()
        if self._copy is not None:
            self._copy.write(chunk)

    def sum(self) -> Sum:
        if self._thread is not None:
            self._thread.shutdown()
        return self._summing.sum()
