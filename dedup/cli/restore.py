"""``dedup restore``: a manifest is followed, and what it names is put together again."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError
from ..report.figures import count
from .options import CONTEXT, ERROR, INPUT, OUTPUT, STDOUT, Command, flag, option
from .screen import interruptible, orderly, say

if TYPE_CHECKING:
    from ..restore import Archive, Restored

_MESSAGES = 20  # problems listed on standard error

_EXAMPLES = """\b
Examples:
  dedup restore run.jsonl -o again/
  dedup restore run.jsonl --verify-only
  dedup restore run.jsonl --id 4711 --id 4712 > two.jsonl
  dedup restore run.jsonl -o again/ --kept new.jsonl
"""


@click.command(cls=Command, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("manifest", metavar="MANIFEST")
@option(
    OUTPUT, "-o", "--output", metavar="PATH", help="The folder that the inputs come to; with --id a file."
)
@option(
    OUTPUT, "--id", "ids", metavar="ID", multiple=True, help="Only the records of this id. May be repeated."
)
@flag(OUTPUT, "--verify-only", help="Read and hash everything, write nothing, tell what is missing.")
@flag(OUTPUT, "--force", help="Replace files that are there already.")
@flag(OUTPUT, "-q", "--quiet", help="No messages, only errors.")
@option(
    INPUT,
    "--kept",
    metavar="PATH",
    help="Where the output of what stayed is now, if it was moved or piped on.",
)
@option(
    INPUT, "--rejects", metavar="PATH", help="Where the output of what was set aside is now, if it was moved."
)
@orderly
def restore(manifest: str, ids: tuple[str, ...], **options: Any) -> int:
    """Put together again what "dedup filter" took apart, byte for byte.

    Everything is hashed on the way: a file appears only if it is what it was. What is missing is told, and the exit
    code is 2 then.
    """
    from ..restore import Archive

    folder, verify = options["output"], options["verify_only"]
    if verify and (folder or ids):
        raise click.UsageError("--verify-only writes nothing; leave out -o and --id.")
    if not (verify or folder or ids):
        raise click.UsageError("Name the folder for the inputs with -o, or use --verify-only or --id.")
    with interruptible(), Archive(manifest, options["kept"], options["rejects"]) as archive:
        if verify:
            done = archive.verify()
        elif ids:
            done = _records(archive, ids, folder, options["force"])
        else:
            done = archive.restore(folder, options["force"])
    _tell(done, verify, bool(ids), options["quiet"])
    return ERROR if done.problems else 0


def _records(archive: Archive, ids: tuple[str, ...], file: str | None, force: bool) -> Restored:
    from ..write.atomic import check, whole_file
    from ..write.parts import named

    if file is None or file == STDOUT:
        with named("standard output"):
            if sys.stdout is None:
                raise OutputError("standard output is closed; name a file with -o")
            done = archive.records(ids, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return done
    if not file:
        raise click.UsageError("-o is empty; expected the name of a file.")
    check(file)
    archive.check(file)
    if os.path.lexists(file) and not force:
        raise OutputError(f"{file}: is there already; write elsewhere, or replace it with --force")
    try:
        with named(file), whole_file(file) as stream:
            done = archive.records(ids, stream)
            if not done.records:
                raise _NothingError(done)
    except _NothingError as nothing:
        return nothing.done
    return done


class _NothingError(Exception):
    """No record was found: then there is no file."""

    def __init__(self, done: Restored) -> None:
        self.done = done


def _tell(done: Restored, verify: bool, some: bool, quiet: bool) -> None:
    for problem in done.problems[:_MESSAGES]:
        say(problem)
    if len(done.problems) > _MESSAGES:
        say(f"and {len(done.problems) - _MESSAGES:,} more")
    if quiet:
        return
    for remark in done.remarks[:_MESSAGES]:
        say(remark)
    inputs = "" if some else f"{count(done.inputs, 'input')}, "
    say(f"{inputs}{count(done.records, 'record')} {'found whole' if verify else 'restored'}")
