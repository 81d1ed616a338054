"""Ids as lines of text: read from a file, shown, listed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

import click

from ...errors import InputError
from ..screen import say

_LISTED = 20  # names that are told one by one


def line(name: str) -> str:
    """A name as one line of text: as it is, or as JSON where that could not be read back."""
    return (
        name
        if name.isprintable() and name.strip() == name and name[:1] not in ("", '"')
        else json.dumps(name)
    )


def lines(file: str) -> list[str]:
    """The names in a file, one a line."""
    try:
        with click.open_file(file, "rb") as stream:
            lines = stream.read().decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return [_name(line) for line in lines if line.strip()]


def _name(line: str) -> str:
    if line.startswith('"'):
        with suppress(ValueError):
            found = json.loads(line)
            return found if isinstance(found, str) else line
    return line


def listed(names: Sequence[str], what: str) -> None:
    for name in names[:_LISTED]:
        say(f"{name}: {what}")
    if len(names) > _LISTED:
        say(f"and {len(names) - _LISTED:,} more")
