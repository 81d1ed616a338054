"""The baseline: the repeats that a project has accepted, one place a line, kept in its repository.

A file of JSON lines that version control can merge: sorted, without line numbers, times or totals. The first line
holds the settings with which the places were found; every other one is an :class:`Entry`::

    {"dedup-baseline":2,"settings":{"threshold":0.8,...}}
    {"path":"docs/install.md","rule":"repeated-passage","fingerprint":"4f...","copy":1,"words":"..."}

``copy`` counts the places of one text in one file. Keys other than these are kept out of the comparison;
``reason``, where a person wrote one, survives an update.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..errors import BaselineError
from ..verdict import BASELINE, DOCUMENT, PASSAGE
from .words import is_encoded

VERSION = 2
_HEAD = "dedup-baseline"
_ANEW = "if it is a baseline, write it anew with --update-baseline"


class Entry(NamedTuple):
    """One accepted place. ``record`` is the id of a record that has one of its own, else None; ``copy`` is from 1.

    ``encoded`` are the hashes of its words (:mod:`dedup.gate.words`) as they stand in the file, without those that lie
    in a longer accepted place of the same document: together, the entries of a file hold each of its words once.
    ``beside`` are those of the document that repeat, too, but in no place that a scan names.
    """

    path: str
    record: str | None
    rule: str
    fingerprint: str
    copy: int
    encoded: str
    beside: str = ""
    reason: str | None = None

    @property
    def location(self) -> tuple[str, str | None]:
        """The file, and in it the record that has a name."""
        return self.path, self.record

    @property
    def name(self) -> tuple[str, str]:
        """What is accepted, without where."""
        return self.rule, self.fingerprint


class Baseline(NamedTuple):
    """Accepted places, and the settings with which they were found."""

    entries: tuple[Entry, ...]
    settings: Mapping[str, Any]


def read(path: str, damaged: list[str] | None = None) -> Baseline:
    """Reads a baseline. Raises BaselineError, naming the line, for one that is missing or damaged.

    With a list for what is ``damaged`` (one that is about to be written anew), that is told there, and the good lines
    count; none of them in one of another version. A file that nothing shows to be a baseline raises all the same.
    """
    problems: list[BaselineError] = []
    lines = _lines(path, problems)
    entries: dict[tuple[Any, ...], Entry] = {}
    settings: dict[str, Any] | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = _line(line, f"{path}:{number}")
        except BaselineError as error:
            problems.append(error)
            continue
        if isinstance(found, Entry):
            entries.setdefault(found[:5], found)  # a union of two branches may hold a line twice
        elif settings is None:
            settings = found
        elif settings != found:  # a union of two branches, of which each has changed them
            problems.append(BaselineError(f"{path}:{number}: other settings than those above; {_ANEW}"))
    is_ours = os.path.basename(path) == BASELINE or bool(entries) or any(_HEAD in line for line in lines)
    if settings is None:
        problems.append(BaselineError(f'{path}: no line {{"{_HEAD}": …}}; {_ANEW}'))
    if problems and (damaged is None or not is_ours):
        raise problems[0]
    if damaged is not None:
        damaged += map(str, problems)
    return Baseline(() if settings is None else tuple(entries.values()), settings or {})


def _lines(path: str, problems: list[BaselineError]) -> list[str]:
    """The lines of a file; none, and a problem, where they are not text."""
    try:
        with open(path, "rb") as stream:
            return stream.read().decode("utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise BaselineError(f"{path}: no such baseline; dedup check --update-baseline writes one") from error
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        problems.append(BaselineError(f"{path}: not UTF-8 at byte {error.start}; {_ANEW}"))
        return []


def _line(line: str, where: str) -> Entry | dict[str, Any]:
    """An entry, or the settings that the first line holds."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        merging = line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||"))
        if merging:
            raise BaselineError(
                f"{where}: a merge conflict; keep the lines of both sides, or write it anew with"
                " --update-baseline"
            ) from error
        raise BaselineError(f"{where}: not a line of JSON; {_ANEW}") from error
    if not isinstance(value, dict):
        raise BaselineError(f"{where}: not an object; {_ANEW}")
    if _HEAD in value:
        if value[_HEAD] != VERSION:
            raise BaselineError(
                f"{where}: a baseline of version {value[_HEAD]!r}; this dedup reads version {VERSION}, and"
                " --update-baseline writes it anew"
            )
        settings = value.get("settings")
        if not isinstance(settings, dict):
            raise BaselineError(f"{where}: the settings are missing; {_ANEW}")
        return settings
    return _entry(value, where)


def _entry(value: dict[str, Any], where: str) -> Entry:
    kinds = {"path": str, "rule": str, "fingerprint": str, "copy": int, "words": str}
    for name, kind in kinds.items():
        if type(value.get(name)) is not kind:
            raise BaselineError(f"{where}: no {name!r} as it should be; {_ANEW}")
    for name in ("id", "beside", "reason"):
        if not isinstance(value.get(name), str | None):
            raise BaselineError(f"{where}: {name!r} is {value[name]!r}; expected a string")
    if value["rule"] not in (DOCUMENT, PASSAGE):
        raise BaselineError(f"{where}: the rule is {value['rule']!r}; expected {DOCUMENT} or {PASSAGE}")
    if not (is_encoded(value["words"]) and is_encoded(value.get("beside") or "")):
        raise BaselineError(f"{where}: the words are damaged; {_ANEW}")
    return Entry(
        value["path"],
        value.get("id"),
        value["rule"],
        value["fingerprint"],
        value["copy"],
        value["words"],
        (value.get("beside") or ""),
        value.get("reason"),
    )


def encode(entries: Iterable[Entry], settings: Mapping[str, Any]) -> bytes:
    """A baseline as a file: the same bytes for the same places, whatever their order."""
    head = {_HEAD: VERSION, "settings": dict(settings)}
    ordered = sorted(entries, key=lambda e: (e.path, e.record or "", e.rule, e.fingerprint, e.copy))
    lines = [json.dumps(line, separators=(",", ":")) for line in (head, *map(_plain, ordered))]
    return "".join(f"{line}\n" for line in lines).encode()


def _plain(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = {"path": entry.path}
    if entry.record is not None:
        plain["id"] = entry.record
    plain |= {"rule": entry.rule, "fingerprint": entry.fingerprint, "copy": entry.copy}
    if entry.reason is not None:
        plain["reason"] = entry.reason
    plain["words"] = entry.encoded
    if entry.beside:
        plain["beside"] = entry.beside
    return plain
