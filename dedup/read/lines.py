"""The lines of a stream, as fast as Python can hand them out, and none of them larger than memory allows.

Enters: a stream. Leaves: its lines, with their ends, as ``bytes``; a line above the largest record as ``Long``,
blank lines by the thousand as ``Blank``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from .aside import Long, aside
from .options import Options
from .stream import Stream

_BLOCK = 1 << 17  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Blank:
    """Many blank lines in a row, which would take too long one by one."""

    raw: bytes
    lines: int

    def __len__(self) -> int:
        return len(self.raw)


Line = bytes | Long | Blank


class Lines:
    """The lines of a stream, once.

    Raises OSError where the stream cannot be read on; ``rest`` is what came of the line in which that happens.
    """

    def __init__(self, stream: Stream, options: Options) -> None:
        self.rest: bytes | Long = b""
        self._stream = stream
        self._limit = options.max_record_size
        self._ahead = b""  # read, but not looked at

    def __iter__(self) -> Iterator[Line]:
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[Iterable[Line]]:
        """Whole lines, many at a time: the loop over those of one block then runs at the speed of C."""
        head: list[bytes] = []  # of a line that goes on
        held = 0
        try:
            while block := self._read():
                end = block.rfind(b"\n") + 1
                first = block.find(b"\n") + 1 if head else 0
                if end and head:
                    yield self._checked(b"".join((*head, block[:first])))
                if first < end:
                    yield self._split(block[first:end])
                if end:
                    head, held = [], 0
                    if not block.isspace():  # blank lines without end are no end of a record either
                        self._stream.begin()
                if end < len(block):
                    head.append(block[end:])
                    held += len(head[-1])
                if self._limit and held > self._limit:
                    yield [self._long(head)]
                    head, held = [], 0
        except OSError:
            self.rest = self.rest or b"".join(head)
            raise
        if head:
            yield self._checked(b"".join(head))

    def _read(self) -> bytes:
        block, self._ahead = self._ahead or self._stream.read1(_BLOCK), b""
        return block

    def _split(self, block: bytes) -> Iterable[Line]:
        if block.isspace():
            return [Blank(block, block.count(b"\n"))]
        lines = io.BytesIO(block)  # shares the bytes, and splits at line feeds only
        if not self._limit or len(block) <= self._limit:
            return lines
        return (line for part in lines for line in self._checked(part))

    def _checked(self, line: bytes) -> list[Line]:
        if not self._limit or len(line) <= self._limit:
            return [line]
        return [aside(iter((line,)), self._stream.keeps)]

    def _long(self, head: list[bytes]) -> Long:
        """The line that begins with ``head``, its other bytes never in memory together."""
        line = aside(chain(head, self._to_line_end()), self._stream.keeps)
        if line.error is not None:
            self.rest = line
            raise line.error
        return line

    def _to_line_end(self) -> Iterator[bytes]:
        while block := self._read():
            end = block.find(b"\n") + 1
            yield block[:end] if end else block
            if end:
                self._ahead = block[end:]
                break
