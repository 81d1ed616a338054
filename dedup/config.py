"""Configuration: the nearest file that speaks of dedup becomes names and values.

Enters: the working directory, or the name of a file. Leaves: a :class:`Configuration`, whose values are as the file
has them: which options there are, and what they take, the command line knows and checks. Found upwards from the
working directory, as with other tools: ``dedup.toml``, ``[tool.dedup]`` in ``pyproject.toml``, ``[dedup]`` in
``setup.cfg``, in this order within a directory; the search ends where a repository does. Accepted findings
(``[[ignore]]``) are complete and checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from .errors import SettingsError

OWN, PYPROJECT, SETUP = "dedup.toml", "pyproject.toml", "setup.cfg"
NAMES = (OWN, PYPROJECT, SETUP)
IGNORE = "ignore"

_REPOSITORY = ".git"  # a directory, or a file in a worktree
_LAYOUT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")  # of an error of tomllib


class Ignored(NamedTuple):
    """A finding that is accepted: ``fingerprint`` is 16 lower-case hex digits, ``expires`` the last day it holds.

    ``place`` is where the entry stands, for messages.
    """

    fingerprint: str
    reason: str
    owner: str | None
    expires: date | None
    place: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says, or nothing at all.

    ``path`` is the file and ``folder`` the directory that its paths are relative to, both from the working directory;
    None without a file. ``values`` are for every command, ``tables`` for the command that they are named after; keys
    are written with hyphens. Where ``is_typed`` is false (``setup.cfg``) every value is a string.
    """

    path: str | None = None
    folder: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ignore: tuple[Ignored, ...] = ()
    is_typed: bool = True

    def place(self, table: str = "") -> str:
        """The file and the table, as a message names them."""
        assert self.path is not None
        return f"{self.path}: {heading}" if (heading := _heading(self.path, table)) else self.path


def nearest() -> Configuration:
    """The configuration of the working directory; empty if there is none. Raises SettingsError."""
    for folder in _upwards():
        found = in_folder(folder)
        if found is not None:
            return found
    return Configuration()


def in_folder(folder: str) -> Configuration | None:
    """The configuration that stands in a directory itself. Raises SettingsError."""
    for name in NAMES:
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(path):
            found = _read(path)
            if found is not None:
                return found
    return None


def read(path: str) -> Configuration:
    """The configuration in a file; what is not called as one of NAMES is like ``dedup.toml``, or ``.cfg`` and ``.ini``
    like ``setup.cfg``. Raises SettingsError.
    """
    found = _read(path)
    if found is None:
        raise SettingsError(f"{path}: holds no configuration; expected {_heading(path, '')}")
    return found


def _upwards() -> Iterator[str]:
    """The working directory and those above it, up to the top of the repository or of the file system."""
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        return
    folder = os.curdir
    while True:
        yield folder
        above = os.path.dirname(here)
        if above == here or os.path.lexists(os.path.join(here, _REPOSITORY)):
            return
        here, folder = above, os.path.normpath(os.path.join(os.pardir, folder))


def _form(path: str) -> str:
    """The name out of NAMES whose rules a file follows."""
    name = os.path.basename(path)
    if name == PYPROJECT:
        return PYPROJECT
    return SETUP if name.lower().endswith((".cfg", ".ini")) else OWN


def _heading(path: str, table: str) -> str:
    """How a table, or the part for all commands, is headed in a file."""
    form = _form(path)
    if form == SETUP:
        return f"[dedup:{table}]" if table else "[dedup]"
    if form == PYPROJECT:
        return f"[tool.dedup.{table}]" if table else "[tool.dedup]"
    return f"[{table}]" if table else ""


def _read(path: str) -> Configuration | None:
    """The configuration in a file, None if the file does not speak of dedup."""
    form = _form(path)
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 at byte {error.start}") from error
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"{path}: cannot be read: {what.lower()}") from error
    if form != OWN and "dedup" not in text:  # nor need it be well formed
        return None
    content = _ini(text, path) if form == SETUP else _toml(text, path)
    if content is None:
        return None
    values, tables, entries = content
    return Configuration(
        path=path,
        folder=os.path.dirname(path) or os.curdir,
        values=values,
        tables=tables,
        ignore=_ignored(entries),
        is_typed=form != SETUP,
    )


_Values = dict[str, Any]
_Entry = tuple[str, _Values]  # where it stands, and what it says
_Content = tuple[_Values, dict[str, _Values], list[_Entry]]


def _toml(text: str, path: str) -> _Content | None:
    import tomllib

    try:
        loaded: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = str(error)
        found = _LAYOUT.search(what)
        line = (found and found[1]) or str(text.count("\n") + 1)
        column = f" in column {found[2]}" if found and found[2] else ""
        raise SettingsError(f"{path}:{line}: is not TOML{column}: {_LAYOUT.sub('', what)}") from error
    if _form(path) == PYPROJECT:
        tool = loaded.get("tool")
        if not isinstance(tool, dict) or "dedup" not in tool:
            return None
        loaded = tool["dedup"]
        if not isinstance(loaded, dict):
            raise SettingsError(f"{path}: tool.dedup is {loaded!r}; expected a table [tool.dedup]")
    entries = loaded.pop(IGNORE, [])
    heading = f"[{_heading(path, IGNORE)}]"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError(f"{path}: {IGNORE} is {entries!r}; expected tables headed {heading}")
    tables = {name: value for name, value in loaded.items() if isinstance(value, dict)}
    return (
        _keyed({name: value for name, value in loaded.items() if name not in tables}, path),
        {name: _keyed(table, f"{path}: {_heading(path, name)}") for name, table in tables.items()},
        [
            (f"{path}: {heading} number {number}", entry)
            for number, entry in enumerate(entries, start=1)
        ],
    )  # fmt: skip


def _ini(text: str, path: str) -> _Content | None:
    from configparser import Error, MissingSectionHeaderError, ParsingError, RawConfigParser

    parser = RawConfigParser(default_section="")  # what stands under [DEFAULT] is none of our values
    try:
        parser.read_string(text)
    except ParsingError as error:
        line = error.lineno if isinstance(error, MissingSectionHeaderError) else error.errors[0][0]
        raise SettingsError(
            f"{path}:{line}: is neither [section], key = value, nor a further line"
        ) from error
    except Error as error:  # a section or a key that stands twice
        place = ":".join(str(part) for part in (path, getattr(error, "lineno", None)) if part)
        raise SettingsError(f"{place}: {str(error).rpartition(']: ')[2]}") from error
    sections = {
        name: dict(parser.items(name))
        for name in parser.sections()
        if name == "dedup" or name.startswith("dedup:")
    }
    if not sections:
        return None
    tables, entries = {}, []
    for name, section in sections.items():
        _, _, table = name.partition(":")
        place = f"{path}: [{name}]"
        if table.startswith(f"{IGNORE}:"):
            entries.append((place, section))
        elif name != "dedup":
            tables[table] = _keyed(section, place)
    return _keyed(sections.get("dedup", {}), f"{path}: [dedup]"), tables, entries


def _keyed(values: Mapping[str, Any], place: str) -> _Values:
    """The same with hyphens in the keys, whichever way they were written."""
    keyed: _Values = {}
    for name, value in values.items():
        key = name.replace("_", "-")
        if key in keyed:
            raise SettingsError(f"{place}: {key} stands there twice, with - and with _; leave one")
        keyed[key] = value
    return keyed


def unknown(name: str, known: Iterable[str]) -> str:
    """What is said of a name that is none of those known: the nearest one, or all if nothing is near."""
    from difflib import get_close_matches

    known = sorted(known)
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _ignored(entries: Iterable[_Entry]) -> tuple[Ignored, ...]:
    found: dict[str, Ignored] = {}
    for place, values in entries:
        entry = _entry(place, values)
        before = found.setdefault(entry.fingerprint, entry)
        if before is not entry:
            raise SettingsError(f"{place}: {entry.fingerprint} is accepted already, at {before.place}")
    return tuple(found.values())


def _entry(place: str, values: Mapping[str, Any]) -> Ignored:
    known = [name for name in Ignored._fields if name != "place"]
    for name in values:
        if name not in known:
            raise SettingsError(f"{place}: unknown key {name}; {unknown(name, known)}")
    fingerprint = _text(place, values, "fingerprint", "16 hex digits, as a report gives them")
    reason = _text(place, values, "reason", "why the copy is accepted")
    if not re.fullmatch("[0-9a-fA-F]{16}", fingerprint):
        raise SettingsError(f"{place}: fingerprint is {fingerprint!r}; expected 16 hex digits")
    owner = _text(place, values, "owner", "a name") if "owner" in values else None
    expires = _date(place, values["expires"]) if "expires" in values else None
    return Ignored(fingerprint.lower(), reason, owner, expires, place)


def _text(place: str, values: Mapping[str, Any], name: str, expected: str) -> str:
    if name not in values:
        raise SettingsError(f"{place}: {name} is missing; expected {expected}")
    value = values[name]
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{place}: {name} is {value!r}; expected {expected}")
    return value.strip()


def _date(place: str, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise SettingsError(f"{place}: expires is {str(value)!r}; expected a date such as 2027-01-31")
