"""What an index is made for: all that shapes its keys and signatures. Two shapes are never mixed."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import DedupIndexError, SettingsError
from ..model import Settings
from ..sketch import SCHEME, SHINGLES

FORMAT = "dedup-index/1"


class Shape(NamedTuple):
    """``passages`` is whether passages can be looked for, ``text`` whether texts are stored; the others are the
    settings of these names, and the versions of shingles and permutations."""

    ngram: int = 5
    num_perm: int = 128
    seed: int = 1
    passages: bool = True
    text: bool = False
    shingles: str = SHINGLES
    scheme: str = SCHEME

    @classmethod
    def of(cls, settings: Settings, text: bool) -> Shape:
        """The shape of an index that is made with these settings. Raises SettingsError if no documents are compared."""
        if not settings.documents:
            raise SettingsError("an index always holds what documents are found by; leave out --no-documents")
        if settings.num_perm % 2:
            raise SettingsError(f"num_perm is {settings.num_perm}; expected an even number for an index")
        return cls(settings.ngram, settings.num_perm, settings.seed, settings.passages, text)

    @classmethod
    def read(cls, values: dict[str, Any], where: str) -> Shape:
        """The shape that an index says it has. Raises DedupIndexError for one of another version."""
        shape = cls(**{name: values[name] for name in cls._fields if name in values})
        for name in ("shingles", "scheme"):
            theirs, ours = values.get(name), getattr(cls(), name)
            if theirs != ours:
                raise DedupIndexError(
                    f"{where}: holds {name} of version {theirs!r}; this program makes {ours!r}: build the index anew"
                )
        return shape

    def check(self, settings: Settings, where: str) -> None:
        """Raises SettingsError where settings ask for other keys than those that are stored."""
        names = ["ngram"] if self.text else ["ngram", "num_perm", "seed"]
        for name in names:
            mine, asked = getattr(self, name), getattr(settings, name)
            if mine != asked:
                option = name.replace("_", "-")
                raise SettingsError(f"{where}: was built with --{option} {mine}, not {asked}; use the same")
