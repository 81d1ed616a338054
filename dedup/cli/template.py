"""A configuration to begin with, made from the options themselves.

Enters: the commands that may be configured. Leaves: TOML with every option commented out but those that are given,
under the headings and in the words of the help, with its default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

import click

from .configured import Configured
from .options import Option

_WIDTH = 100

_HEAD = """\
# The configuration of dedup. docs/configuration.md has the whole of it.
#
# A line that begins with # and no space is a setting with its default: without the # it holds.
# What is given on the command line goes first, then variables (DEDUP_MIN_TOKENS=20), then this file.
# A setting is for every command that has the option; for one alone, put it into a table [NAME] at the
# end. Files are relative to this one.

# What dedup check looks at when it is given no PATH.
paths = ["."]
"""

_FOOT = """
# ---- Copies that are accepted, one by one ----

# The fingerprint as a report shows it, and the reason; owner and expires (the last day) may be left out.
#[[ignore]]
#fingerprint = "0123456789abcdef"
#reason = "the licence stands under every page"
#owner = "docs"
#expires = 2030-01-31
"""


def commented(commands: Iterable[Configured], given: Mapping[str, str]) -> str:
    """The text of a ``dedup.toml``. An option that several commands have stands there once; ``given`` values hold."""
    commands = list(commands)
    first: dict[str, Option] = {}
    told: dict[str, dict[str, list[str]]] = {}
    for command in commands:
        for parameter in command.configurable:
            if isinstance(parameter, Option):
                first.setdefault(parameter.key, parameter)
                names = told.setdefault(parameter.key, {}).setdefault(parameter.help or "", [])
                names.append(command.name or "")
    parts = [_HEAD]
    for heading in dict.fromkeys(option.heading for option in first.values()):
        parts.append(f"\n# ---- {heading} ----\n")
        for key, option in first.items():
            if option.heading == heading:
                parts.append(_remarks(option, told[key], len(commands)))
                default = f"#{key} = {_default(option)}\n"
                parts.append(f"{key} = {json.dumps(given[key])}\n" if key in given else default)
    return "".join([*parts, _FOOT])


def _remarks(option: Option, told: Mapping[str, Sequence[str]], all_commands: int) -> str:
    """What the commands say of an option, and its default where that is no value."""
    default = _plain(option)
    remark = f" By default: {option.show_default}" if isinstance(option.show_default, str) else ""
    if default is None and not remark and not option.is_flag and not option.multiple:
        remark = " Not set by default."
    words = [
        f"{help}{remark}" if len(names) == all_commands else f"{help}{remark} [{', '.join(names)}]"
        for help, names in told.items()
    ]
    lines = [line for word in words for line in wrap(word, _WIDTH - 2)]
    return "".join(["\n", *(f"# {line}\n" for line in lines)])


def _plain(option: Option) -> str | float | None:
    return option.default if isinstance(option.default, str | int | float) else None


def _default(option: Option) -> str:
    """The default as TOML writes it; where there is none, a value of the type."""
    default = _plain(option)
    if option.multiple:
        return "[]"
    if default is not None and not option.is_flag:
        return json.dumps(default, ensure_ascii=False)
    if isinstance(option.type, click.types.BoolParamType):
        return "false"
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
        return "0"
    if isinstance(option.type, click.Choice):
        return json.dumps(option.type.choices[0])
    return json.dumps(option.metavar)
