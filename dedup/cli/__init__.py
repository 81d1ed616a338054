"""The command ``dedup``: a file a subcommand, ``options`` and ``screen`` for what they share.

Enters: arguments, a configuration, the environment (``DEDUP_*``, ``NO_COLOR``, ``TERM``). Leaves: data on standard
output or in files, messages on standard error, and an exit code: 0 done, 2 error, 3 done but inputs were
skipped (when asked for), 130 interrupted. The only importer of click. Nothing heavy is imported before a
command has its arguments.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from ..errors import DedupError
from .configured import with_options
from .options import CONTEXT, ERROR, FAILED, SKIPPED
from .screen import INTERRUPTED, close_quietly, interruptions, say
from .subcommands import Subcommands

__all__ = ["ERROR", "FAILED", "INTERRUPTED", "SKIPPED", "command", "dedup", "main"]

#: Where each subcommand stands: the module, and its name there.
_SUBCOMMANDS = {
    "scan": ("scan", "scan"),
    "check": ("check", "check"),
    "diff": ("diff", "diff"),
    "report": ("report", "report"),
    "filter": ("filter", "filter_"),
    "restore": ("restore", "restore"),
    "index": ("index", "index"),
    "init": ("init", "init"),
}


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from .. import __version__, kernel

        click.echo(f"dedup {__version__} (kernel: {kernel.name()})")
        ctx.exit()


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # which click would answer with an empty line of its own
            raise click.Abort from None


@click.group(cls=_Commands, context_settings=CONTEXT)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Show the version and the kernel in use, and exit.",
)  # fmt: skip
def dedup() -> None:
    """Find duplicate documents and repeated passages in text, and show where they are."""


with_options(dedup)
dedup.commands = Subcommands(__name__, _SUBCOMMANDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; an error becomes a line on standard error."""
    with interruptions() as interruption:
        try:
            return _run(arguments)
        except (click.Abort, KeyboardInterrupt):
            interruption.tell()
            return INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = dedup.main(args=arguments, prog_name="dedup", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return ERROR
    except click.Abort:
        raise
    except DedupError as error:
        say(str(error))
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # click itself meets a broken pipe with sys.exit(1)
        close_quietly()
        return 0
    except Exception as error:
        if os.environ.get("DEDUP_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        if isinstance(error, MemoryError):
            say(f"out of memory: {_line(error) or 'no room for an object'}")
        else:
            say(f"internal error: {type(error).__name__}: {_line(error)} (DEDUP_DEBUG=1 shows where)")
        return ERROR


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def command() -> NoReturn:
    """The command as a process: ends at once, for to give back a large corpus piece by piece takes long."""
    with interruptions():  # to the very end: no interruption is to meet what follows the main function
        code = main()
        with suppress(OSError, ValueError, AttributeError, KeyboardInterrupt):
            sys.stderr.flush()
        os._exit(code)
