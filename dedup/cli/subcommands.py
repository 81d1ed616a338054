"""Commands of a group by their names. Each is imported when it is looked at: most calls need one."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterator, Mapping
from importlib import import_module

import click


class Subcommands(UserDict[str, click.Command]):
    """The commands of a group, which stand in ``package``: for each name the module there, and its name in that."""

    def __init__(self, package: str, places: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self._package, self._places = package, places

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __missing__(self, name: str) -> click.Command:
        if name not in self._places:
            raise KeyError(name)
        module, attribute = self._places[name]
        found: click.Command = getattr(import_module(f".{module}", self._package), attribute)
        self.data[name] = found
        return found
