"""Options as the commands share them: under headings in the help, checked by ``Settings``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ..model import Settings

CONTEXT = {"help_option_names": ["--help", "-h"], "show_default": True}


class Option(click.Option):
    """An option that stands under a heading in the help."""

    def __init__(self, *arguments: Any, heading: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.heading = heading


class Command(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        headings: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                headings.setdefault(getattr(parameter, "heading", "Help"), []).append(row)
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


COPIES, SEARCH, INPUT, OUTPUT = "What counts as a copy", "How it is searched", "Input", "Output"
_DEFAULTS = Settings()

Decorator = Callable[[Any], Any]


def option(heading: str, *names: str, **attributes: Any) -> Decorator:
    return click.option(*names, cls=Option, heading=heading, **attributes)


def setting(heading: str, name: str, help: str, **attributes: Any) -> Decorator:
    """An option for a setting: its name, type and default are those of ``Settings``, which also checks it."""
    default = getattr(_DEFAULTS, name)
    metavar = "SHARE" if isinstance(default, float) else "N"
    given = {"type": type(default), "default": default, "metavar": metavar, "help": help, **attributes}
    return option(heading, f"--{name.replace('_', '-')}", **given)


def flag(heading: str, *names: str, help: str) -> Decorator:
    return option(heading, *names, is_flag=True, help=help)
