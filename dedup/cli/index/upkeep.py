"""The state of an index: ``dedup index info``, ``verify``, ``compact``, ``commit``, ``abort``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ...errors import DedupIndexError
from ...report.figures import count
from ..configured import Configured
from ..options import OUTPUT, SEARCH, SKIPPED, Command, option, reading, waiting
from ..process import at_work
from ..scan import list_skipped
from ..screen import say
from .arguments import DIR, LARGEST, QUIET, documents
from .names import line


@click.command(cls=Command)
@DIR
@option(OUTPUT, "--format", type=click.Choice(["text", "json"]), default="text", configurable=False,
        help="How to tell it.")  # fmt: skip
def info(folder: str, format: str) -> int:
    """Say what an index holds: documents, size, settings, pending runs."""
    from ...index import facts

    found = facts(Path(folder))
    if format == "json":
        click.echo(json.dumps(found, indent=2))
        return 0
    shape = found["settings"]
    passages = "documents and passages" if shape["passages"] else "documents only"
    copies = "near copies and passages" if shape["passages"] else "near copies"
    texts = "texts stored" if shape["text"] else f"no texts: {copies} are estimated"
    click.echo(f"{folder}: {count(found['documents'], 'document')} in {count(found['segments'], 'segment')}")
    click.echo(
        f"  {found['bytes']:,} bytes; {passages}; {texts}; shingles of {count(shape['ngram'], 'word')}"
    )
    if found["removed"]:
        click.echo(f"  {found['removed']:,} removed; dedup index compact gives their room back")
    for name, number in found["pending"].items():
        click.echo(f"  pending run {name}: {count(number, 'document')}; dedup index commit or abort")
    return 0


@click.command(cls=Configured)
@DIR
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@reading(LARGEST)
@QUIET
def verify(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Read all of an index, and say what is not as it was written.

    With PATH..., the archive, it also names documents that are remembered and whose text is not there: an index must
    never remember what the archive does not hold. The exit code is 2 if anything is wrong.
    """
    with at_work(options["quiet"]):
        from ...index import facts
        from ...index.verify import missing, problems

        found = list(problems(Path(folder)))
        for problem in found:
            click.echo(problem)
        if found:
            raise DedupIndexError(
                f"{folder}: {count(len(found), 'problem')}; dedup index rebuild saves what is left"
            )
        lost, skipped = missing(Path(folder), documents(paths, options)) if paths else ([], [])
    if not options["quiet"]:
        list_skipped(skipped, elsewhere="")
    for document, version in lost:
        click.echo(line(f"{document}@{version}"))
    if lost:
        raise DedupIndexError(
            f"{folder}: {count(len(lost), 'document')} not in the archive; "
            "dedup index remove --from FILE takes these lines"
        )
    if not options["quiet"]:
        say(f"{folder}: in order, {count(facts(Path(folder))['documents'], 'document')}")
    return SKIPPED if skipped and options["fail_on_skipped"] else 0


@click.command(cls=Command)
@DIR
@waiting(SEARCH)
@QUIET
def compact(folder: str, wait: float, quiet: bool) -> int:
    """Make one segment of all, without what was removed; answers stay the same."""
    with at_work(quiet):
        from ...index import compact as compacted

        before, after = compacted(Path(folder), wait=wait)
    if not quiet:
        say(f"{folder}: {count(before, 'segment')} before, {after:,} now")
    return 0


@click.command(cls=Command)
@DIR
@click.argument("run", metavar="RUN")
@waiting(SEARCH)
@QUIET
def commit(folder: str, run: str, wait: float, quiet: bool) -> int:
    """Make a pending run part of the memory: its records are safe in the archive."""
    with at_work(quiet):
        from ...index import commit as committed

        number = committed(Path(folder), run, wait=wait)
    if not quiet:
        say(f"{folder}: {count(number, 'document')} of run {run} added")
    return 0


@click.command(cls=Command)
@DIR
@click.argument("run", metavar="RUN")
@waiting(SEARCH)
@QUIET
def abort(folder: str, run: str, wait: float, quiet: bool) -> int:
    """Forget a pending run: its records did not come into the archive."""
    from ...index import abort as aborted

    number = aborted(Path(folder), run, wait=wait)
    if not quiet:
        say(f"{folder}: {count(number, 'document')} of run {run} forgotten")
    return 0
