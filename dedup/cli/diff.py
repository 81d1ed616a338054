"""``dedup diff``: two documents side by side, and why they are, or are not, copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click
from click.core import ParameterSource

from ..model import Document, Settings, Skipped
from ..report import DIFF_FORMATS, write_comparison
from . import targets
from .configured import Configured
from .links import links
from .options import (
    CONTEXT,
    INPUT,
    OUTPUT,
    PATH,
    SKIPPED,
    STDOUT,
    flag,
    option,
    reading,
    reading_of,
    searching,
    settings_of,
)
from .process import at_work
from .scan import list_skipped
from .targets import Look, Target, reports

WIDEST = 200  # columns of a terminal that are made use of

_EXAMPLES = """\b
Examples:
  dedup diff monday.txt tuesday.txt
  dedup diff w-7 w-12 --in news.jsonl --id-field url
  dedup diff news.jsonl:7 news.jsonl:12 --in news.jsonl
  dedup diff monday.txt w-12 --result result.json
  dedup diff tonight/7.txt archive/7.txt --index memory/
  dedup diff a.md b.md --format html -o diff.html

\b
Exit codes:
  0    done, whether the two are copies or not
  2    wrong usage, a document that is not there or cannot be read, or an internal error
  3    done, but inputs of --in or --result were skipped and --fail-on-skipped was given
  130  interrupted
"""


@click.command(cls=Configured, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@option(INPUT, "--in", "places", multiple=True, metavar="PATH", configurable=False, holds=PATH,
        help="A and B are records in here, by their ids or as path:line. May be repeated.")  # fmt: skip
@option(INPUT, "--result", metavar="RESULT.json", configurable=False, holds=PATH,
        help="A and B are documents in this result; they are read again, with its settings.")  # fmt: skip
@option(INPUT, "--index", metavar="DIR", configurable=False, holds=PATH,
        help="A and B may be archived documents, by their ids; see dedup index.")  # fmt: skip
@searching
@reading("Larger records are passed over; 0 for no limit.")
@reports(DIFF_FORMATS, default="text", configurable=False)
@flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
def diff(first: str, second: str, places: tuple[str, ...], **options: Any) -> int:
    """Show what two documents share, and why they are, or are not, copies.

    A and B are files with one document each, of any format that "dedup scan" reads, or with --in or --result two
    records.

    The verdict is that of a scan of the two alone. In a terminal of 100 columns or more the passages stand side by
    side.
    """
    for other, is_given in (("--in", bool(places)), ("--index", bool(options["index"]))):
        if options["result"] and is_given:
            raise click.UsageError(f"{other} and --result contradict each other; give one of them.")
    chosen = targets.placed(options["targets"] or [Target("text", STDOUT)], options["output"])
    skipped: list[Skipped] = []
    with at_work(options["quiet"]):
        documents, settings = _pair((first, second), places, options, chosen, skipped.append)
        from ..diff import compared

        found = compared(documents, settings)
    if not options["quiet"]:
        list_skipped(skipped, elsewhere="")

    def writer(target: Target, stream: BinaryIO, look: Look) -> None:
        link = links(target.file)
        write_comparison(found, target.format, stream, color=look.color, width=look.width, link=link)

    targets.write(chosen, writer, widest=WIDEST)
    return SKIPPED if skipped and options["fail_on_skipped"] else 0


def _pair(
    names: tuple[str, str],
    places: tuple[str, ...],
    options: dict[str, Any],
    chosen: Sequence[Target],
    skip: Callable[[Skipped], object],
) -> tuple[tuple[Document, Document], Settings]:
    """The two documents, and the settings by which they are compared."""
    from .. import lookup

    reading = reading_of(options)
    settings, result = settings_of(options), options["result"]
    if result is not None:
        from ..saved import load

        targets.check(chosen, [result])
        report = load(result)
        return lookup.of_result(names, report, result, reading, skip), _of_result(report.settings, settings)
    targets.check(chosen, places or names)
    if options["index"]:
        from ..index import Snapshot

        def other(name: str) -> Document:
            return lookup.one_among(name, places, reading, skip) if places else lookup.single(name, reading)

        return lookup.remembered(names, Snapshot.of(Path(options["index"])).named, other), settings
    if places:
        return lookup.among(names, places, reading, skip), settings
    return lookup.both(*names, reading), settings


def _of_result(known: Settings, given: Settings) -> Settings:
    """The settings of a result, but for what is given on the command line."""
    ctx = click.get_current_context()
    values = known.to_dict() | {"jobs": given.jobs}
    for name in known.to_dict():
        option = f"no_{name}" if f"no_{name}" in ctx.params else name
        if ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            values[name] = getattr(given, name)
    return Settings.of(values)
