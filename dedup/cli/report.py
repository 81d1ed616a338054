"""``dedup report``: a saved result in any format, without the texts that it was made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ..errors import SettingsError
from ..model import Report, Skipped
from ..report import CHECK_FORMATS, FORMATS, SAVED_FORMATS, write, write_verdict
from . import targets
from .links import links
from .options import CONTEXT, INPUT, OUTPUT, SKIPPED, STDOUT, Command, flag, reading, reading_of
from .process import at_work
from .scan import list_skipped
from .targets import Look, Target, reports

if TYPE_CHECKING:
    from ..lookup import Lookup

_EXAMPLES = """\b
Examples:
  dedup report result.json
  dedup report result.json.gz --format markdown -o copies.md
  dedup report result.json --format csv=copies.csv --format json=again.json
  dedup report result.json --texts --format html -o report.html
  dedup check docs/ --format json | dedup report - --format junit

\b
Exit codes:
  0    done
  2    wrong usage, a file that is no result or damaged, or an internal error
  3    done, but texts could not be read again and --fail-on-skipped was given
  130  interrupted
"""


@click.command(cls=Command, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("result", metavar="RESULT.json")
@flag(INPUT, "--texts", configurable=False,
      help="Read the files that the result names, for what html shows of texts.")  # fmt: skip
@reading("Larger records are passed over; 0 for no limit.")
@reports(tuple(dict.fromkeys((*FORMATS, *CHECK_FORMATS))), default="text", configurable=False)
@flag(OUTPUT, "--show-known", configurable=False,
      help="Of a check: show what is known, moved or edited, too.")  # fmt: skip
@flag(OUTPUT, "--show-suppressed", configurable=False,
      help="Of a check: show what is suppressed, with the reason.")  # fmt: skip
def report(result: str, **options: Any) -> int:
    """Show a saved result again, in any format, without a new scan.

    RESULT.json is what "dedup scan" or "dedup check" wrote with --format json; it may be compressed (.gz, .bz2, .xz,
    .zst, .lz4), or "-", standard input. With --format json the same bytes come out.

    A result does not hold whole texts, and the files that it names are not touched. With --texts they are read again,
    if they are no newer than it: a page of HTML then paints documents, shows their copies side by side, and what stands
    round passages. The options for reading are those of the scan.

    The result of a check can be written as text, json, markdown, gitlab and junit with its findings; the other
    formats hold the clusters behind them, but for sarif and github, which need the texts.
    """
    chosen = targets.placed(options["targets"] or [Target("text", STDOUT)], options["output"])
    targets.check(chosen, [result])
    with at_work(quiet=True):
        from ..saved import read

        found = read(result)
    show = {"show_known": options["show_known"], "show_suppressed": options["show_suppressed"]}
    is_scan = isinstance(found, Report)
    for format, _ in chosen:
        _check_format(format, result, is_scan=is_scan)

    skipped: list[Skipped] = []
    scanned = found if isinstance(found, Report) else found.report
    texts: Lookup | None = None

    def writer(target: Target, stream: BinaryIO, look: Look) -> None:
        if isinstance(found, Report):
            write(
                found, target.format, stream, color=look.color, width=look.width, texts=texts,
                link=links(target.file),
            )  # fmt: skip
        elif target.format in SAVED_FORMATS:
            write_verdict(found, target.format, stream, color=look.color, width=look.width, **show)
        else:
            write(scanned, target.format, stream, texts=texts, link=links(target.file))

    with ExitStack() as stack:
        if options["texts"]:
            texts = stack.enter_context(_texts(result, scanned, options, chosen, skipped.append))
        list_skipped(skipped, elsewhere="")
        targets.write(chosen, writer)
    return SKIPPED if skipped and options["fail_on_skipped"] else 0


def _texts(
    result: str,
    report: Report,
    options: dict[str, Any],
    chosen: Sequence[Target],
    skip: Callable[[Skipped], object],
) -> AbstractContextManager[Lookup]:
    """The texts that a result was made of, as far as they can be had."""
    from ..lookup import files_of, texts_of

    targets.check(chosen, [result, *files_of(report)])
    written = None if result == STDOUT else os.stat(result).st_mtime
    return texts_of(report, written, reading_of(options), skip)


def _check_format(format: str, result: str, *, is_scan: bool) -> None:
    """Raises SettingsError for a format that this result cannot be written in."""
    if is_scan and format not in FORMATS:
        known = ", ".join(FORMATS)
        raise SettingsError(
            f"{result}: is of a scan, and {format} is for findings of dedup check; expected {known}"
        )
    if not is_scan and format not in (*FORMATS, *SAVED_FORMATS):
        raise SettingsError(
            f"{result}: {format} shows columns of texts that a result does not hold; "
            f"have dedup check write it, --format {format}=FILE"
        )
