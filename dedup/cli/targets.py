"""Where reports go: ``--format`` and ``--output`` become targets, and each is written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import click

from ..errors import OutputError
from ..report import WIDTH
from .options import OUTPUT, REPORT, STDOUT, Decorator, option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Target(NamedTuple):
    """One report to write: its format, and a file or standard output."""

    format: str
    file: str


class Look(NamedTuple):
    """How a report is to look: in colour or not, and how wide, in columns."""

    color: bool
    width: int


def reports(formats: Sequence[str], default: str, configurable: bool = True) -> Decorator:
    """The options ``--format`` and ``--output``, for these formats."""

    def parsed(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[Target]:
        targets = []
        for value in values:
            name, equals, file = value.partition("=")
            if name not in formats:
                raise click.BadParameter(f"{name!r} is not a format; expected one of {', '.join(formats)}.")
            if equals and not file:
                raise click.BadParameter(f"{value!r} names no file; expected {name}=FILE.")
            targets.append(Target(name, file or STDOUT))
        return targets

    told = f"{', '.join(formats)}. With =FILE into that file. May be repeated: one scan, many reports."
    format = option(OUTPUT, "--format", "targets", multiple=True, metavar="F|F=FILE", callback=parsed,
                    holds=REPORT, configurable=configurable, show_default=default, help=told)  # fmt: skip
    output = option(OUTPUT, "-o", "--output", metavar="FILE", configurable=False,
                    help="Write the report here, whole or not at all.")  # fmt: skip
    return lambda command: format(output(command))


def placed(targets: list[Target], output: str | None) -> list[Target]:
    """The reports to write once ``-o`` has its say: it takes the one format that names no file of its own."""
    bare = [target for target in targets if target.file == STDOUT]
    if len(bare) > 1:
        names = " and ".join(target.format for target in bare)
        raise click.UsageError(f"{names} would go to one place; write --format {bare[-1].format}=FILE.")
    if output is None:
        return targets
    if not bare:
        raise click.UsageError("-o is for a format without a file of its own, and there is none.")
    return [target._replace(file=output) if target is bare[0] else target for target in targets]


def check(targets: Sequence[Target], paths: Sequence[str]) -> None:
    """Refuse, before the work begins, what could not be written or would overwrite an input."""
    from ..read import is_readable_name
    from ..write import atomic

    taken: set[str] = set()
    inputs = [os.path.realpath(path) for path in paths if path != STDOUT]
    for _, file in targets:
        if file == STDOUT:
            if sys.stdout is None:
                raise OutputError("standard output is closed; name a file with -o")
            continue
        real = os.path.realpath(file)
        if real in taken:
            raise OutputError(f"{file}: given for two reports; expected a file for each")
        taken.add(real)
        if real in inputs and not os.path.isdir(real):
            raise OutputError(f"{file}: is one of the inputs, which are never changed; write somewhere else")
        if is_readable_name(real) and any(real.startswith(os.path.join(folder, "")) for folder in inputs):
            raise OutputError(
                f"{file}: would be an input of the next scan; write outside the directories read"
            )
        atomic.check(file)


def write(
    targets: Sequence[Target], writer: Callable[[Target, BinaryIO, Look], Any], widest: int = WIDTH
) -> None:
    """Has every report written, on a terminal no wider than ``widest``.

    Files first: a reader that closes standard output must not cost anyone a file.
    """
    for target in sorted(targets, key=lambda target: target.file == STDOUT):
        _write(target, writer, widest)


def _write(target: Target, writer: Callable[[Target, BinaryIO, Look], Any], widest: int) -> None:
    from ..write.atomic import whole_file

    place: AbstractContextManager[Any] = nullcontext(sys.stdout.buffer)
    if target.file != STDOUT:
        place = whole_file(target.file)
    is_terminal = target.file == STDOUT and sys.stdout.isatty()
    color = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        with place as stream:
            writer(target, stream, Look(color, _width(widest) if is_terminal else WIDTH))
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if target.file == STDOUT else target.file
        raise OutputError.of(name, error) from error


def _width(widest: int) -> int:
    from shutil import get_terminal_size

    return min(get_terminal_size().columns, widest)
