"""Many strings in two arrays: their bytes, end to end, and where each ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..kernel.types import Array


class Strings(NamedTuple):
    """``data`` uint8, ``ends`` int64, ascending."""

    data: Array
    ends: Array

    @classmethod
    def of(cls, values: Sequence[bytes]) -> Strings:
        """These strings."""
        ends = np.cumsum([0, *map(len, values)])[1:]
        return cls(np.frombuffer(b"".join(values), "u1"), ends)

    @classmethod
    def joined(cls, parts: Iterable[Strings]) -> Strings:
        """The strings of all parts, one after the other."""
        every = list(parts)
        sizes = np.cumsum([0, *(len(part.data) for part in every)]).tolist()
        ends = [part.ends + size for part, size in zip(every, sizes, strict=False)]
        none = np.zeros(0, "i8")
        return cls(
            np.concatenate([none.astype("u1"), *(part.data for part in every)]), np.concatenate([none, *ends])
        )

    def take(self, places: Array) -> Strings:
        """The strings at ``places``, in this order."""
        starts, ends = np.append(0, self.ends)[places], self.ends[places]
        sizes = ends - starts
        new = np.cumsum(sizes)
        flat = np.arange(int(sizes.sum())) + np.repeat(starts - new + sizes, sizes)
        return Strings(self.data[flat], new)

    def values(self) -> list[bytes]:
        """The strings one by one."""
        whole, ends = self.data.tobytes(), self.ends.tolist()
        return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]
