"""Several segments made one, without the documents that were removed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..kernel.types import Array
from . import postings, segment
from .pages import PagesWriter
from .segment import Columns, Segment
from .shape import Shape
from .snapshot import Part

_SMALL = 1 << 12  # bytes of a compressed block that is packed anew, with others


def merged(path: Path, parts: Sequence[Part], shape: Shape) -> tuple[int, int, int]:
    """Writes one segment with the live documents of all parts: how many, the file's size and its checksum."""
    every = [part.segment.columns() for part in parts]
    stays = np.concatenate([np.isin(np.arange(part.row.documents), part.numbers()) for part in parts])
    keys = np.concatenate([columns.keys for columns in every])
    halves = np.concatenate([columns.versions for columns in every]).view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0], keys))
    order = order[stays[order]]
    numbers = np.full(len(keys), -1, "i8")
    numbers[order] = np.arange(len(order))
    bounds = list(itertools.pairwise(np.cumsum([0, *(len(columns.keys) for columns in every)]).tolist()))
    with PagesWriter(path) as writer:
        segment.write_columns(writer, Columns.joined(every, order))
        if shape.text:
            texts = _Texts(parts)
            segment.write_texts(writer, texts.blocks())
            writer.array("place", np.concatenate(texts.places)[order], "<u4")
        else:
            width = shape.num_perm // 2
            signatures = [part.segment.pages.whole("signatures").reshape(-1, width) for part in parts]
            writer.array("signatures", np.concatenate(signatures)[order], "u1")
        for family in ("sketch", "seed"):
            lists = [
                (getattr(part.segment, family), numbers[slice(*at)])
                for part, at in zip(parts, bounds, strict=True)
            ]
            if lists[0][0] is not None:
                postings.write(writer, family, postings.merged(lists, len(order)), len(order))
        size, check = segment.finish(writer, len(order), shape)
    return len(order), size, check


class _Texts:
    """The blocks of several segments: as they are where they may be, packed anew where they are small or hold what was
    removed. ``places`` then gives for each part the new number of every document's text."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._count = 0
        self._loose: list[bytes] = []
        self.places: list[Array] = []

    def blocks(self) -> Iterator[tuple[int, bytes | Array]]:
        """The blocks, in the order of the parts."""
        for part in self._parts:
            found: Segment = part.segment
            places = found.pages.whole("place").astype("i8")
            firsts = found.pages.whole("blocks.first").astype("i8")
            live = np.zeros(int(firsts[-1]), bool)
            live[places[part.numbers()]] = True
            renamed = np.full(len(live), -1, "i8")
            whole = found.blocks(np.arange(len(firsts) - 1))
            for data, (first, last) in zip(whole, itertools.pairwise(firsts.tolist()), strict=True):
                if live[first:last].all() and len(data) >= _SMALL:
                    yield from self._packed()
                    renamed[first:last] = self._count + np.arange(last - first)
                    self._count += last - first
                    yield last - first, data
                    continue
                wanted = np.flatnonzero(live[first:last])
                renamed[first + wanted] = self._count + len(self._loose) + np.arange(len(wanted))
                self._loose += segment.unpacked(data, wanted)
                if sum(map(len, self._loose)) >= segment.BLOCK:
                    yield from self._packed()
            self.places.append(renamed[places])
            found.pages.let_go()
        yield from self._packed()

    def _packed(self) -> Iterator[tuple[int, bytes]]:
        if self._loose:
            self._count += len(self._loose)
            yield segment.packed(self._loose)
            self._loose = []
