"""Commands that take what they are not told from ``DEDUP_*`` variables and the configuration.

Enters: a command, the environment, ``--config`` and ``--no-config``. Leaves: click's defaults for the command
(``Context.default_map``), of which every key and value in the file was checked, those for other commands too; and
errors that name the file or variable which a value came from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import click
from click.core import ParameterSource

from ..errors import InputError, SettingsError
from .options import CONFIGURATION, PATH, REPORT, SIZE, Command, Option, origin

if TYPE_CHECKING:
    from ..config import Configuration

_FILE = "dedup.file"  # where a context holds the file that was asked for; False for none
_HEADING = "Configuration"


class Paths(click.Argument):
    """The argument PATH..., whose default a configuration may hold: ``paths``."""

    key, holds, configurable = "paths", PATH, True

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            raise click.UsageError(
                "No PATH is given, and no configuration names paths; name what to look at, "
                "or write a configuration with dedup init.",
                ctx,
            ) from None


class Configured(Command):
    """A command whose options may also be set by the environment and by a configuration."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        for parameter in self.configurable:
            if isinstance(parameter, Option):
                parameter.envvar = f"DEDUP_{parameter.key.replace('-', '_').upper()}"
        with_options(self)

    @property
    def configurable(self) -> list[Option | Paths]:
        """The options, and the argument, that a configuration may set."""
        return [p for p in self.params if isinstance(p, Option | Paths) and p.configurable]

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; an error that speaks of a value which was not typed also says where that is from."""
        try:
            return super().invoke(ctx)
        except (SettingsError, InputError) as error:
            raise type(error)(_explained(str(error), self, ctx)) from error
        except click.UsageError as error:
            raise click.UsageError(_explained(error.format_message(), self, ctx), error.ctx) from error


def _explained(message: str, command: Configured, ctx: click.Context) -> str:
    places = [
        f"{parameter.key} is {place}"
        for parameter in command.configurable
        if (place := origin(parameter, ctx)) and _is_named(parameter, ctx, message)
    ]
    return f"{message} ({', '.join(places)})" if places else message


def _is_named(parameter: Option | Paths, ctx: click.Context, message: str) -> bool:
    """Whether a message speaks of an option, or of a path that is its value."""
    if parameter.holds == PATH:
        value = ctx.params.get(parameter.name or "", ())
        paths = [value] if isinstance(value, str) else value
        if any(re.search(rf"(?<!\S){re.escape(path)}(?![^\s:,])", message) for path in paths):
            return True
    name = parameter.key.removeprefix("no-").replace("-", "[-_]")
    return re.search(rf"(?<![\w-])(--)?(no[-_])?{name}(?![\w-])", message) is not None


# ---- which file --------------------------------------------------------------------------------------------------


def _config(ctx: click.Context, parameter: click.Parameter, file: str | None) -> None:
    if file is not None:
        _choose(ctx, parameter, file)
    _load(ctx)


def _no_config(ctx: click.Context, parameter: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        _choose(ctx, parameter, False)
        _load(ctx)


def _choose(ctx: click.Context, parameter: click.Parameter, file: str | Literal[False]) -> None:
    """Of what is typed the last one counts, that of the command after that of the group; then a variable."""
    is_typed = ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    if is_typed or _FILE not in ctx.meta:
        ctx.meta[_FILE] = file


def _load(ctx: click.Context) -> None:
    """In a command, takes the defaults from the configuration. It is called before any other option is looked at."""
    if not isinstance(ctx.command, Configured) or ctx.resilient_parsing:
        return
    found = _read(ctx.meta.get(_FILE))
    if found.values or found.tables:  # to be checked against all commands, which are imported for that
        group = ctx.find_root().command
        check(found, group.commands.values() if isinstance(group, click.Group) else [ctx.command])
    ctx.meta[CONFIGURATION] = found
    ctx.default_map = defaults(found, ctx.command)


def _read(file: str | Literal[False] | None) -> Configuration:
    from .. import config

    if file is None:
        return config.nearest()
    return config.read(file) if file is not False else config.Configuration()


def configuration(ctx: click.Context) -> Configuration:
    """The configuration in force, which the command's options are taken from already."""
    found: Configuration = ctx.meta[CONFIGURATION]
    return found


def with_options(command: Command | click.Group) -> None:
    """Gives a command, or the group, the options ``--config`` and ``--no-config``."""
    is_group = isinstance(command, click.Group)
    attributes: dict[str, Any] = {
        "heading": _HEADING, "configurable": False, "is_eager": True, "expose_value": False,
    }  # fmt: skip
    command.params += [
        Option(
            ["--no-config"], is_flag=True, envvar="DEDUP_NO_CONFIG" if is_group else None, callback=_no_config,
            help="Look at no configuration.", **attributes,
        ),
        Option(
            ["--config"], metavar="FILE", envvar="DEDUP_CONFIG" if is_group else None, callback=_config,
            help="Take what is not given here from this file.", show_default="the nearest", **attributes,
        ),
    ]  # fmt: skip


# ---- what stands in it -------------------------------------------------------------------------------------------


def check(found: Configuration, commands: Iterable[click.Command]) -> None:
    """Raises SettingsError for the first key that no command knows, and for a value of a wrong type."""
    known = {command.name or "": command for command in commands if isinstance(command, Configured)}
    for table, values in (("", found.values), *found.tables.items()):
        if table and table not in known:
            from ..config import unknown

            raise SettingsError(f"{found.place(table)}: unknown table; {unknown(table, known)}")
        concerned = [known[table]] if table else list(known.values())
        for key, value in values.items():
            _value(found, table, _parameter(found, table, key, concerned), value)


def defaults(found: Configuration, command: Configured) -> dict[str, Any]:
    """Values by the names of a command's parameters; its own table goes before what is for all."""
    name = command.name or ""
    own = found.tables.get(name, {})
    merged: dict[str, Any] = {}
    for parameter in command.configurable:
        table, values = (name, own) if parameter.key in own else ("", found.values)
        if parameter.key in values:
            merged[parameter.name or ""] = _value(found, table, parameter, values[parameter.key])
    return merged


def _parameter(found: Configuration, table: str, key: str, commands: Iterable[Configured]) -> Option | Paths:
    """The parameter that a key stands for in the first command that has it."""
    parameters = [p for command in commands for p in command.params if isinstance(p, Option | Paths)]
    named = [parameter for parameter in parameters if parameter.key == key]
    for parameter in named:
        if parameter.configurable:
            return parameter
    if named:
        raise SettingsError(
            f"{found.place(table)}: {key} cannot be configured; give --{key} on the command line"
        )
    from ..config import unknown

    keys = {parameter.key for parameter in parameters if parameter.configurable}
    raise SettingsError(f"{found.place(table)}: unknown key {key}; {unknown(key, keys)}")


def _value(found: Configuration, table: str, parameter: Option | Paths, value: Any) -> Any:
    """A value as click takes it: a list for what may be repeated, paths from the working directory."""
    is_list = parameter.nargs == -1 or parameter.multiple
    if is_list and isinstance(value, str):
        value = [value] if found.is_typed else [line for line in value.splitlines() if line]
    place = f"{found.place(table)}: {parameter.key}"
    if found.is_typed:
        _check_type(place, parameter, value, is_list)
    assert found.folder is not None
    if is_list:
        value = [_located(place, parameter, one, found.folder) for one in value]
    else:
        value = _located(place, parameter, value, found.folder)
    try:
        parameter.type_cast_value(click.Context(click.Command(None)), value)
    except click.BadParameter as error:
        raise SettingsError(f"{place}: {error.message}") from error
    return value


def _check_type(place: str, parameter: Option | Paths, value: Any, is_list: bool) -> None:
    """click takes 20.5 for 20 and 1 for true; a file has types, and they are meant."""
    expected, types = _expected(parameter)
    values = value if is_list and isinstance(value, list) else [value]
    if not all(type(one) in types for one in values):
        more = ", or a list of them" if is_list else ""
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        raise SettingsError(f"{place} is {shown}; expected {expected}{more}")


def _expected(parameter: Option | Paths) -> tuple[str, tuple[type, ...]]:
    """What a parameter takes, in words and as types of TOML."""
    kind = parameter.type
    if isinstance(kind, click.types.BoolParamType):
        return "true or false", (bool,)
    if isinstance(kind, click.types.FloatParamType):
        return "a number", (int, float)
    if isinstance(kind, click.types.IntParamType):
        return "a whole number", (int,)
    if parameter.holds == SIZE:
        return 'a size such as "100MB"', (str, int)
    return "a string", (str,)


def _located(place: str, parameter: Option | Paths, value: Any, folder: str) -> Any:
    """A file that a configuration names lies where the configuration does."""
    if parameter.holds not in (PATH, REPORT) or "://" in value:
        return value
    if parameter.holds == PATH:
        return os.path.normpath(os.path.join(folder, value))
    format, equals, file = value.partition("=")
    if not file:
        return value
    path = os.path.normpath(os.path.join(folder, file))
    if not os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), "")):
        raise SettingsError(
            f"{place}: {file} lies outside the folder of the configuration, which may write nowhere else"
        )
    return f"{format}{equals}{path}"
