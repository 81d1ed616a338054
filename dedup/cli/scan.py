"""``dedup scan``: options become settings, the pipeline runs, its report is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ..model import Report, Settings, Skipped
from ..report import FORMATS, write
from . import targets
from .configured import Configured
from .links import links
from .options import (
    CONTEXT,
    INDEX,
    OUTPUT,
    SKIPPED,
    STDOUT,
    flag,
    reading,
    reading_of,
    searching,
    settings_of,
)
from .process import at_work
from .screen import say
from .targets import Look, Target, reports

if TYPE_CHECKING:
    from ..index import Memory
    from ..read.again import Texts

_MESSAGES = 20  # skipped inputs listed on standard error

_EXAMPLES = """\b
Examples:
  dedup scan articles/
  dedup scan news.jsonl.gz --text-field body --id-field url
  dedup scan articles/ --no-documents --min-tokens 20
  dedup scan articles/ --format html=report.html --format json=result.json
  zcat crawl.jsonl.gz | dedup scan - --format jsonl -o result.jsonl

\b
Exit codes:
  0    done, whatever was found
  2    wrong usage, an input that does not exist, or an internal error
  3    done, but inputs were skipped and --fail-on-skipped was given
  130  interrupted
"""


@click.command(cls=Configured, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@searching
@INDEX
@reading("Larger records are passed over; 0 for no limit.")
@reports(FORMATS, default="text")
@flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
def scan(paths: tuple[str, ...], **options: Any) -> int:
    """Find duplicate documents and repeated passages.

    Each PATH is a file, a directory (read recursively), a URL, or "-", JSON lines on standard input.

    Reads .txt, .md and .html (a document a file), .jsonl, .ndjson, .csv and .tsv (a document a line or row),
    .parquet, .arrow and .feather (a row), .warc and .wet (a record), all these also in .zip and .tar, and each with
    .gz, .bz2, .xz, .zst or .lz4. Some need an extra package, which a message names.

    Inputs are never changed; what cannot be read is listed with its reason and the rest goes on.
    """
    settings = settings_of(options)
    chosen = targets.placed(options["targets"] or [Target("text", STDOUT)], options["output"])
    targets.check(chosen, paths)
    report, texts = _run(paths, settings, options, any(target.format == "html" for target in chosen))
    if not options["quiet"] and Target("text", STDOUT) not in chosen:
        list_skipped(report.skipped)

    def writer(target: Target, stream: BinaryIO, look: Look) -> None:
        write(
            report,
            target.format,
            stream,
            color=look.color,
            width=look.width,
            texts=None if texts is None else texts.get,
            link=links(target.file),
            lengths=None if texts is None else texts.measured(),
        )

    with nullcontext() if texts is None else closing(texts):
        targets.write(chosen, writer)
    return SKIPPED if report.skipped and options["fail_on_skipped"] else 0


def _run(
    paths: Sequence[str], settings: Settings, options: dict[str, Any], with_texts: bool
) -> tuple[Report, Texts | None]:
    """The report and, if asked for, the texts of its documents."""
    from ..read import documents
    from ..read.again import Again, Texts

    # Before the pipeline is imported: a path that does not exist is told at once.
    reading = reading_of(options)
    items = documents(paths, reading)
    with at_work(options["quiet"]) as notify, Again(reading) as again:
        from ..pipeline import run

        texts = Texts(again) if with_texts else None
        archive = asked(options["index"], settings, texts)
        if archive is not None and archive.caveat and not options["quiet"]:
            say(archive.caveat)
        if texts is not None:
            items = texts.passing(items)
        return run(items, settings, notify, again, archive=archive), texts


def asked(index: str | None, settings: Settings, texts: Texts | None) -> Memory | None:
    """The index that is to be asked, if one is; ``texts`` takes those of the archived documents."""
    if index is None:
        return None
    from ..index import Memory

    return Memory.of(index, settings) if texts is None else Memory.of(index, settings, texts.hold)


def list_skipped(skipped: Sequence[Skipped], elsewhere: str = "; the report lists them all") -> None:
    """Tells on standard error what was skipped, the first of it one by one, and where the rest is to be found."""
    for entry in skipped[:_MESSAGES]:
        say(f"skipped {entry.source}: {entry.reason}")
    if len(skipped) > _MESSAGES:
        say(f"skipped {len(skipped) - _MESSAGES:,} more inputs{elsewhere}")
